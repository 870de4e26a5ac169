"""checkov over every overlay as kustomize builds it, without network: `make manifest-scan`.

Severities come from checkov's service, so here every finding counts: it is mended, or written down with a reason in
checkov.jsonl. Pods of training runtimes, which checkov does not look into, are shown to it as pods.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from .kustomize import build, unpack_kubectl

_OVERLAYS = Path(__file__).parents[2] / "manifests" / "overlays"


class Finding(NamedTuple):
    """One failed check of one object."""

    check: str
    resource: str
    """Kind.namespace.name, perhaps with the container's place behind it."""
    name: str
    place: str


class Accepted(NamedTuple):
    """A finding that stays."""

    check: str
    resource: str
    """What a resource must contain; empty: any."""
    reason: str
    place: str = ""
    """The overlay's file; empty: all."""


def accepted() -> list[Accepted]:
    lines = Path(__file__).with_name("checkov.jsonl").read_text().splitlines()
    return [Accepted(**json.loads(line)) for line in lines]


def judge(findings: Sequence[Finding], exceptions: Sequence[Accepted]) -> tuple[list[Finding], list[Accepted]]:
    """Findings that no exception covers, and exceptions that cover none."""

    def covers(exception: Accepted, finding: Finding) -> bool:
        here = exception.place in ("", finding.place) and exception.resource in finding.resource
        return here and exception.check == finding.check

    left = [finding for finding in findings if not any(covers(e, finding) for e in exceptions)]
    unused = [exception for exception in exceptions if not any(covers(exception, f) for f in findings)]
    return left, unused


def scan(checkov: Path, folder: Path) -> tuple[list[Finding], int]:
    """Findings in a folder of YAML, and how many checks passed. Raises RuntimeError when a file was not understood."""
    command = [
        str(checkov), "--directory", str(folder), "--framework", "kubernetes", "--skip-download", "--compact",
        "--quiet", "--soft-fail", "--output", "json",
    ]  # fmt: skip
    # It would ask its service for severities when it found a key, and where it runs.
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("BC_", "PRISMA_"))}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    report = json.loads(done.stdout)
    if report["summary"]["parsing_errors"]:
        raise RuntimeError(f"{folder}: checkov did not understand {report['results']['parsing_errors']}")
    failed = report["results"]["failed_checks"]
    findings = [Finding(f["check_id"], f["resource"], f["check_name"], f["file_path"]) for f in failed]
    return findings, report["summary"]["passed"]


def with_runtime_pods(objects: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """`objects`, and each pod of a ClusterTrainingRuntime as a Pod."""
    runtimes = [made for made in objects if made["kind"] == "ClusterTrainingRuntime"]
    jobs = [(made, job) for made in runtimes for job in made["spec"]["template"]["spec"]["replicatedJobs"]]
    pods = [
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": f"{made['metadata']['name']}-{job['name']}", "namespace": "hexad"},
            "spec": job["template"]["spec"]["template"]["spec"],
        }
        for made, job in jobs
    ]
    return [*objects, *pods]


def main(checkov: Path) -> int:
    """Print what was found, by check; 1 when something is not accepted, or accepted for nothing."""
    with tempfile.TemporaryDirectory(prefix="hexad-scan-") as made:
        folder = Path(made) / "overlays"
        folder.mkdir()
        kubectl = unpack_kubectl(Path(made))
        for overlay in sorted(_OVERLAYS.iterdir()):
            objects = with_runtime_pods(list(yaml.safe_load_all(build(kubectl, overlay))))
            (folder / f"{overlay.name}.yaml").write_text(yaml.safe_dump_all(objects))
        findings, passed = scan(checkov, folder)
    left, unused = judge(findings, accepted())
    for finding in left:
        print(f"{finding.place}: {finding.resource}: {finding.check}: {finding.name}")
    for exception in unused:
        print(f"checkov.jsonl: {exception.check} {exception.resource}: finds nothing any more; delete the line")
    overlays = len(list(_OVERLAYS.iterdir()))
    print(
        f"checkov: {overlays} overlays, {passed} checks passed, {len(findings)} failed: "
        f"{len(findings) - len(left)} accepted with a reason, {len(left)} not"
    )
    return 1 if left or unused else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
