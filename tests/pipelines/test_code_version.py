"""A stage's digest covers the source that its job reaches, and nothing else."""

from pathlib import Path

import pytest

from hexad.pipelines.code_version import code_version, counted, reached
from hexad.stage.boxes import BOXES


def names(module: str) -> set[str]:
    return {"/".join(file.parts[file.parts.index("hexad", -3 - 1) + 1 :]) for file in reached(module)}


def test_a_reexport_leads_to_the_module_that_defines_the_name() -> None:
    found = names("hexad.gate.job")
    assert "records/summary.py" in found
    assert "records/rows.py" not in found


def test_the_machinery_does_not_count() -> None:
    assert not {name for name in names("hexad.gate.job") if name.startswith(("stage/", "storage/"))}


@pytest.mark.parametrize("stage", sorted(BOXES))
def test_every_stage_has_a_digest_that_covers_its_own_job(stage: str) -> None:
    box = BOXES[stage]
    assert len(code_version(box)) == 16
    assert any(file.match(f"{box.package}/{box.job}.py") for file in reached(f"hexad.{box.package}.{box.job}"))


def test_the_page_s_style_counts_for_the_report_alone() -> None:
    assert [stage for stage, box in BOXES.items() if any(file.name == "style.css" for file in counted(box))] == [
        "report"
    ]


def test_an_edit_in_one_stage_leaves_the_others_alone() -> None:
    sft = {file for file in reached("hexad.sft.job") if isinstance(file, Path)}
    assert not [file for file in sft if file.parent.name in ("gateway", "report", "serving", "evaluation")]
