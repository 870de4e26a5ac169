"""How a task's container is started."""

import os
from pathlib import Path

from hexad.pipelines.containers import container_arguments, make_writable

ENVIRONMENT = {"HEXAD_S3_ENDPOINT": "http://127.0.0.1:1", "HEXAD_S3_FOLDER": "/s", "HOME": "/h", "AWS_SECRET": "x"}


def test_a_task_runs_as_an_unprivileged_user_in_group_0_on_a_read_only_root() -> None:
    given = container_arguments(ENVIRONMENT, [], [], mount_source=False)
    user, group = given["user"].split(":")
    assert int(user) > 0 and group == "0"
    assert given["read_only"] and given["cap_drop"] == ["ALL"] and given["security_opt"] == ["no-new-privileges"]


def test_it_gets_our_variables_without_the_stores_folder_and_nobody_elses() -> None:
    given = container_arguments(ENVIRONMENT, [], [], mount_source=False)
    assert given["environment"] == {"HEXAD_S3_ENDPOINT": "http://127.0.0.1:1"}


def test_a_certificate_authority_arrives_as_text_since_a_task_does_not_see_its_file(tmp_path: Path) -> None:
    (tmp_path / "ca.crt").write_text("certificates")
    given = container_arguments({"HEXAD_S3_CA": str(tmp_path / "ca.crt")}, [], [], mount_source=False)
    assert given["environment"] == {"HEXAD_S3_CA": "certificates"}


def test_only_the_runs_folders_are_writable() -> None:
    mounts = container_arguments({}, [Path("/run")], [Path("/data")], mount_source=True)["mounts"]
    assert [mount["Target"] for mount in mounts if not mount["ReadOnly"]] == ["/run"]


def test_source_is_mounted_only_when_asked() -> None:
    assert container_arguments({}, [], [], mount_source=False)["mounts"] == []
    given = container_arguments({}, [], [], mount_source=True)
    assert given["environment"]["PYTHONPATH"].split(os.pathsep) == [mount["Source"] for mount in given["mounts"]]


def test_what_an_earlier_run_left_becomes_writable_for_the_group(tmp_path: Path) -> None:
    left = tmp_path / "work" / "sft"
    left.mkdir(parents=True, mode=0o755)
    (left / "state.json").touch(mode=0o644)
    make_writable([tmp_path / "work"])
    assert left.stat().st_mode & 0o070 == 0o070
    assert (left / "state.json").stat().st_mode & 0o060 == 0o060
