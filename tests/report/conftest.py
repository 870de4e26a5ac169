"""One report of the sample run, shared by the tests that only read it."""

from pathlib import Path

import pytest

from hexad.report.config import ReportConfig
from hexad.report.job import PAGE, SUMMARY, run
from hexad.stage import Context

from . import sample_run


@pytest.fixture
def report(tmp_path: Path):
    """Run the report stage on file contents; gives (page, summary, result)."""

    def build(contents: dict[str, dict[str, str]], **settings: object):
        inputs, store = sample_run.commit(contents, tmp_path)
        context = Context(run="sample", store=store, work=str(tmp_path / "work"), seed=7, git="429376c0ffee")
        result = run(ReportConfig.model_validate(settings), context, inputs)
        tree = Path(result.manifest.uri.removeprefix("file://"))
        return (tree / PAGE).read_text(), (tree / SUMMARY).read_text(), result

    return build
