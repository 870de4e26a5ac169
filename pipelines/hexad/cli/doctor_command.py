"""doctor: what this machine, or a cluster, has before a run needs it."""

import platform
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from hexad.cli.inputs import recipe_from, say
from hexad.grading import close, layers
from hexad.grading.sandbox import REQUIRED, SandboxError
from hexad.preflight.checks import Finding, free_disk, memory, package, path
from hexad.preflight.config import PreflightConfig

_OLDEST_PYTHON = (3, 11)


def doctor(
    profile: str, namespace: str, recipe: Path | None, context: str, pull: bool, images: Path | None = None
) -> int:
    """0 when a run can start here, or with `profile` on its cluster; 1 otherwise."""
    if profile:
        from hexad.cli.cluster_doctor import cluster_findings

        return show(cluster_findings(profile, namespace, recipe, context, pull, images))
    needs = recipe_from(recipe).preflight if recipe else PreflightConfig()
    return show([
        _python(),
        memory(needs.min_memory_gib),
        free_disk(Path.cwd(), needs.min_free_disk_gib),
        *(package(name) for name in ("kfp", *needs.packages)),
        *(path(name) for name in needs.paths),
        _program("juicefs", "run `make setup`; without it, give every run a store with --store"),
        _sandbox(),
    ])  # fmt: skip


def show(findings: Sequence[Finding]) -> int:
    """All of them as a table, and what failed as lines that tools can read; 1 when something did."""
    table = Table("check", "found", "result")
    for finding in findings:
        table.add_row(*map(escape, (finding.check, finding.found, finding.result)))
    Console().print(table)
    failed = [finding for finding in findings if finding.mend]
    for finding in failed:
        say(finding.line, error=True)
    return 1 if failed else 0


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
