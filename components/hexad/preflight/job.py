"""Look before the run spends anything: store, disk, memory, packages, paths; all findings at once."""

import os
import tempfile
from pathlib import Path

from hexad.preflight.checks import Finding, free_disk, memory, package, path
from hexad.preflight.config import PreflightConfig
from hexad.stage import Context
from hexad.stage.artifact import Settings, reporting
from hexad.storage import StorageError, Store, open_store

IMAGE = "HEXAD_IMAGE"
"""Set in our images: each holds its role's packages, and this one not those of the others."""


class NotReady(RuntimeError):
    """Something that the run needs is missing; the message holds every mend."""


def run(config: PreflightConfig, context: Context, store: Store) -> list[Finding]:
    """Every check, also after one failed."""
    scratch = Path(context.work or tempfile.gettempdir())
    return [
        reachable(store, context.store),
        free_disk(scratch, config.min_free_disk_gib),
        memory(config.min_memory_gib),
        *(package(name) for name in config.packages if not os.environ.get(IMAGE)),
        *(path(name) for name in config.paths),
    ]


def reachable(store: Store, uri: str) -> Finding:
    """Write, read and delete one small object."""
    probe = f"{uri.rstrip('/')}/preflight/probe-{os.getpid()}"
    try:
        store.write_bytes(probe, b"hexad")
        same = store.read_bytes(probe) == b"hexad"
        store.delete(probe)
    except StorageError as error:
        return Finding(check=f"store {uri}", found=str(error), mend="start the store or correct its address and keys")
    mend = "" if same else "the store returned other bytes than were written; use another"
    return Finding(check=f"store {uri}", found="writes and reads" if same else "corrupts", mend=mend)


def card(findings: list[Finding]) -> str:
    """Findings as a Markdown table."""
    rows = [f"| {f.check} | {f.found} | {f.mend or 'ok'} |" for f in findings]
    return "\n".join(["# Preflight", "", "| check | found | result |", "|---|---|---|", *rows, ""])


def main(settings: str, card_path: str) -> None:
    """Check and write the card. Raises NotReady with every mend in one line."""
    with reporting("preflight") as progress:
        parsed = Settings.model_validate_json(settings)
        config = PreflightConfig.model_validate(parsed.config)
        findings = run(config, parsed.context, open_store(parsed.context.store))
        Path(card_path).write_text(card(findings))
        failed = [f"{f.check}: {f.found}: {f.mend}" for f in findings if f.mend]
        if failed:
            raise NotReady("; ".join(failed))
        progress.finish()
