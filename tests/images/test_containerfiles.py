"""Rules that every Containerfile keeps."""

import re
from pathlib import Path

import pytest

from hexad.images.roles import IMAGES

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "images").glob("*/Containerfile"))
OURS = [file for file in FILES if file.parent.name != "debian"]


def instructions(file: Path) -> list[str]:
    """One string an instruction, continued lines joined, comments left out."""
    lines = [line for line in file.read_text().splitlines() if not line.lstrip().startswith("#")]
    return [line for line in re.sub(r"\\\n\s*", " ", "\n".join(lines)).splitlines() if line.strip()]


def named(file: Path) -> str:
    return file.parent.name


def test_every_role_has_one() -> None:
    assert {image.role for image in IMAGES.values()} <= {file.parent.name for file in FILES}


@pytest.mark.parametrize("file", FILES, ids=named)
def test_nothing_is_fetched_by_the_build(file: Path) -> None:
    text = "\n".join(instructions(file)) + (ROOT / "images" / "install.sh").read_text()
    assert not re.search(r"https?://|git\+|\b(curl|wget|apt-get|apt)\b", text)
    assert all("--no-index" in line for line in text.replace("\\\n", "").splitlines() if " install --" in line)


@pytest.mark.parametrize("file", OURS, ids=named)
def test_it_ends_as_an_unprivileged_user_in_group_0(file: Path) -> None:
    users = [line.split()[1] for line in instructions(file) if line.startswith("USER ")]
    user, group = users[-1].split(":")
    assert int(user) > 0
    assert group == "0"


@pytest.mark.parametrize("file", FILES, ids=named)
def test_it_stands_on_an_image_that_its_caller_names(file: Path) -> None:
    starts = [line.split()[1] for line in instructions(file) if line.startswith("FROM ")]
    assert set(starts) <= {"${BASE_IMAGE}", "${PARENT}", "${STACK}", "scratch"}


@pytest.mark.parametrize("file", FILES, ids=named)
def test_no_tag_moves_and_no_registry_is_named(file: Path) -> None:
    text = "\n".join(instructions(file))
    assert ":latest" not in text
    assert not re.search(r"\b[a-z0-9-]+\.(io|com|dev|org|net)/", text)


@pytest.mark.parametrize("file", FILES, ids=named)
def test_no_secret_is_an_argument_or_a_variable(file: Path) -> None:
    assert not re.search(r"(?i)^(ARG|ENV) .*(token|secret|password|key)", "\n".join(instructions(file)), re.MULTILINE)


@pytest.mark.parametrize("file", FILES, ids=named)
def test_the_final_stage_holds_no_wheel(file: Path) -> None:
    final = "\n".join(instructions(file)).rpartition("\nFROM ")[2]
    assert "wheels" not in final
    assert "install.sh" not in final


def test_all_that_is_written_goes_to_tmp() -> None:
    base = "\n".join(instructions(ROOT / "images" / "base" / "Containerfile"))
    places = re.findall(r"\b(?:HOME|\w+_(?:HOME|DIR|ROOT)|TMPDIR)=(\S+)", base)
    assert {"/tmp"} <= set(places)
    assert all(place.startswith("/tmp") for place in places)
