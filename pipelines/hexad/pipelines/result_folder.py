"""What `hexad job --result FOLDER` leaves for a workflow engine, which passes small files on as values."""

import json
from pathlib import Path

from hexad.stage import StageResult

TREE = "tree"
"""File with the URI of the stage's tree, and the name that Argo knows it by."""
METRICS = "metrics"
"""File with the stage's figures as JSON."""


def write_result(folder: Path, result: StageResult) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / TREE).write_text(result.manifest.uri)
    (folder / METRICS).write_text(json.dumps(result.metrics, sort_keys=True))
