"""What building takes: contexts, tags, labels, and the three builders' command lines."""

from pathlib import Path

import pytest

from hexad.images import builders, plan
from hexad.images.requirements import Locked
from hexad.images.roles import IMAGES, chosen, with_parents


def lock(*names: str) -> dict[str, Locked]:
    return {name: Locked(name, "1", ("0" * 64,)) for name in names}


def stacks(base_id: str = "sha256:1", training: str = "trl") -> dict[str, plan.StackPlan]:
    recipes = {
        "base": plan.Recipe(IMAGES["base"], "FROM ${BASE_IMAGE}", lock("pydantic")),
        "eval": plan.Recipe(IMAGES["eval"], "FROM ${PARENT}", lock("pydantic", "numpy")),
        "train-cpu": plan.Recipe(IMAGES["train-cpu"], "FROM ${PARENT}", lock("pydantic", training)),
        "data": plan.Recipe(IMAGES["data"], "FROM ${PARENT}", lock("pydantic", training, "polars")),
    }
    return {stack.image.name: stack for stack in plan.stacks(recipes, "python:3.11", base_id, "pip==1", "script")}


def test_a_stack_installs_only_what_the_one_below_lacks() -> None:
    assert [package.name for package in stacks()["data"].packages] == ["polars"]


def test_a_stack_stands_on_its_parents_stack_and_the_first_on_the_given_base() -> None:
    planned = stacks()
    assert planned["data"].arguments["PARENT"] == planned["train-cpu"].tag
    assert planned["base"].arguments == {"BASE_IMAGE": "python:3.11"}


def test_a_changed_lock_renames_its_stack_and_what_stands_on_it_and_nothing_else() -> None:
    before, after = stacks(), stacks(training="other")
    assert {name for name in before if before[name].tag != after[name].tag} == {"train-cpu", "data"}


def test_another_base_under_the_same_name_renames_every_stack() -> None:
    before, after = stacks(), stacks(base_id="sha256:2")
    assert all(before[name].tag != after[name].tag for name in before)


def test_only_gpu_images_see_the_nodes_gpus() -> None:
    text = "ARG NVIDIA_VISIBLE_DEVICES=void"
    recipes = {
        name: plan.Recipe(IMAGES[name], text, lock("a", *(("b",) if name != "base" else ())))
        for name in ("base", "train-cpu", "train-gpu")
    }
    planned = {s.image.name: s.arguments for s in plan.stacks(recipes, "python", "1", "pip", "script")}
    assert planned["train-gpu"]["NVIDIA_VISIBLE_DEVICES"] == "all"
    assert "NVIDIA_VISIBLE_DEVICES" not in planned["train-cpu"]


def test_source_digest_sees_an_edit_and_a_rename_but_no_bytecode(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1")
    first = plan.source_digest(tmp_path)
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__" / "a.pyc").write_bytes(b"code")
    assert plan.source_digest(tmp_path) == first
    (tmp_path / "a.py").write_text("x = 2")
    edited = plan.source_digest(tmp_path)
    (tmp_path / "a.py").rename(tmp_path / "b.py")
    assert len({first, edited, plan.source_digest(tmp_path)}) == 3


def test_labels_name_no_host_and_no_time() -> None:
    found = plan.labels("eval", "0.1.0", "0123456789ab", "fedcba9876543210")
    assert found["org.opencontainers.image.revision"] == "0123456789ab"
    assert not {"org.opencontainers.image.created", "org.opencontainers.image.source"} & set(found)


@pytest.mark.parametrize(
    ("registry", "expected"),
    [
        ("", "hexad/eval:1"),
        ("reg.example:5000/team", "reg.example:5000/team/hexad/eval:1"),
        ("reg.example/", "reg.example/hexad/eval:1"),
    ],
)
def test_a_registry_goes_before_the_name(registry: str, expected: str) -> None:
    assert plan.tag(registry, "eval", "1") == expected


@pytest.mark.parametrize("builder", builders.BUILDERS)
def test_every_builder_builds_without_network(builder: builders.Builder) -> None:
    command = builders.build(builder, "context", "tag", {"PARENT": "p"}, {"a": "b"})
    assert command[:3] == [builder, "build", "--network=none"]
    assert {"--build-arg=PARENT=p", "--label=a=b", "--tag=tag"} <= set(command)


def test_a_role_stands_for_its_variants_and_no_role_for_every_cpu_image() -> None:
    assert chosen("train") == ("train-cpu", "train-gpu")
    assert chosen("serve-gpu") == ("serve-gpu",)
    assert not any(IMAGES[name].gpu for name in chosen(""))


def test_an_unknown_role_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(ValueError, match="ROLE=trian: no such image; there are base, gateway"):
        chosen("trian")


def test_parents_come_first() -> None:
    assert with_parents(("serve-gpu",)) == ("base", "train-gpu", "serve-gpu")
