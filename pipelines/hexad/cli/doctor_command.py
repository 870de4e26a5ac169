"""doctor: what this machine has, before a run needs it."""

import platform
import shutil
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

from hexad.grading import close, layers
from hexad.grading.sandbox import REQUIRED, SandboxError
from hexad.preflight.checks import Finding, free_disk, memory, package
from hexad.preflight.config import PreflightConfig

_OLDEST_PYTHON = (3, 11)


def doctor() -> int:
    """0 when a local run can start, 1 otherwise."""
    needs = PreflightConfig()
    findings = [
        _python(),
        memory(needs.min_memory_gib),
        free_disk(Path.cwd(), needs.min_free_disk_gib),
        *(package(name) for name in ("kfp", *needs.packages)),
        _program("juicefs", "run `make setup`; without it, give every run a store with --store"),
        _sandbox(),
    ]
    table = Table("check", "found", "result")
    for finding in findings:
        table.add_row(finding.check, finding.found, finding.mend or "ok")
    Console().print(table)
    return 1 if any(finding.mend for finding in findings) else 0


def _python() -> Finding:
    mend = "" if sys.version_info >= _OLDEST_PYTHON else "install Python 3.11"
    return Finding(check="python", found=platform.python_version(), mend=mend)


def _sandbox() -> Finding:
    """The layers around model-written code, as they are on this machine for this user."""
    try:
        on = [name for name, works in layers().items() if works]
    except SandboxError as error:
        return Finding(check="code sandbox", found="does not start", mend=str(error))
    finally:
        close()
    lacking = [name for name in REQUIRED if name not in on]
    mend = f"{' and '.join(lacking)} missing: model-written code is not confined" if lacking else ""
    return Finding(check="code sandbox", found=", ".join(on), mend=mend)


def _program(name: str, mend: str) -> Finding:
    beside_python = Path(sys.executable).parent / name
    found = str(beside_python) if beside_python.is_file() else shutil.which(name)
    return Finding(check=name, found="present" if found else "missing", mend="" if found else mend)
