"""Look before the run spends anything: store, disk, memory, packages, paths, cluster; all findings at once."""

import os
import tempfile
from pathlib import Path

from hexad.preflight.checks import Finding, free_disk, memory, package, path, writable
from hexad.preflight.cluster.needs import ClusterNeeds
from hexad.preflight.config import PreflightConfig
from hexad.preflight.store import store_clock, store_works
from hexad.stage import Context
from hexad.stage.artifact import Settings, reporting

IMAGE = "HEXAD_IMAGE"
"""Set in our images: each holds its role's packages, and this one not those of the others."""


class NotReady(RuntimeError):
    """Something that the run needs is missing; the message holds every mend."""


def run(config: PreflightConfig, context: Context) -> list[Finding]:
    """Every check, also after one failed."""
    scratch = Path(context.work or tempfile.gettempdir())
    return [
        store_works(context.store),
        free_disk(scratch, config.min_free_disk_gib),
        writable(scratch),
        # A pod of a cluster has its own small limit, which says nothing of the stages': theirs are the profile's.
        *(() if config.cluster else (memory(config.min_memory_gib),)),
        *(package(name) for name in config.packages if not os.environ.get(IMAGE)),
        *(path(name) for name in config.paths),
        *(_cluster(config.cluster) if config.cluster else ()),
    ]


def _cluster(needs: ClusterNeeds) -> list[Finding]:
    # Imported here: a run on one machine has no cluster, and is not to wait for these.
    from hexad.preflight.cluster.in_pod import judged_from_inside

    endpoint = os.environ.get("HEXAD_S3_ENDPOINT")
    return [*judged_from_inside(needs), *([store_clock(endpoint)] if endpoint else [])]


def card(findings: list[Finding]) -> str:
    """Findings as a Markdown table."""
    rows = [f"| {f.check} | {f.found} | {f.result} |" for f in findings]
    return "\n".join(["# Preflight", "", "| check | found | result |", "|---|---|---|", *rows, ""])


def main(settings: str, card_path: str) -> None:
    """Check and write the card. Raises NotReady with every mend in one line."""
    with reporting("preflight") as progress:
        parsed = Settings.model_validate_json(settings)
        config = PreflightConfig.model_validate(parsed.config)
        findings = run(config, parsed.context)
        Path(card_path).write_text(card(findings))
        failed = [f.line for f in findings if f.mend]
        if failed:
            raise NotReady("; ".join(failed))
        progress.finish()
