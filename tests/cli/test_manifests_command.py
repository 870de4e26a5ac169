"""hexad manifests: a folder for kubectl from a spec or from a bundle in the store, or what is wrong with the input."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from hexad.records import Bundle, Provenance, Speculation
from hexad.storage import commit_tree, open_store

EXAMPLES = Path(__file__).parents[2] / "manifests" / "examples"


def manifests(*arguments: str | Path, environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "hexad.cli.main", "manifests", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ | (environment or {}))


def test_a_spec_becomes_a_folder_and_nothing_stale_stays_in_it(tmp_path: Path) -> None:
    for profile in ("gke", "kind"):
        done = manifests("--spec", EXAMPLES / "quickstart.yaml", "--profile", profile, "-o", tmp_path)
        assert done.returncode == 0, done.stderr
    listed = yaml.safe_load((tmp_path / "kustomization.yaml").read_text())["resources"]
    besides = ["kustomization.yaml", "secrets.template.yaml", "secrets.external.yaml"]
    assert sorted([*listed, *besides]) == sorted(p.name for p in tmp_path.iterdir())
    assert not any("scaledobject" in name for name in listed)


def test_without_an_endpoint_the_folder_holds_what_runs_need(tmp_path: Path) -> None:
    done = manifests("--profile", "gke", "-o", tmp_path)
    assert done.returncode == 0, done.stderr
    kustomization = yaml.safe_load((tmp_path / "kustomization.yaml").read_text())
    assert "hexad-pipeline.role.yaml" in kustomization["resources"]
    assert [entry["name"] for entry in kustomization["images"]] == ["hexad-train"]
    assert not any("deployment" in name for name in kustomization["resources"])


def test_a_bundle_in_the_store_is_read_and_its_digest_named(s3_environment: dict[str, str], tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    for part in ("target", "draft"):
        (tree / part).mkdir(parents=True)
        (tree / part / "model.safetensors").write_bytes(b"weights")
    bundle = Bundle(
        name="quickstart", target="t", draft="d", verifier=None, chat_template_sha256="", max_model_len=512,
        engine={"max_model_len": 512},
        speculation=Speculation(method="draft_model", num_speculative_tokens=2, lossless=True),
    )  # fmt: skip
    (tree / "bundle.json").write_text(bundle.model_dump_json())
    uri = f"s3://hexad-tests/{os.urandom(8).hex()}"
    manifest = commit_tree(open_store(uri, s3_environment), tree, uri, Provenance(stage="serve"), {})
    done = manifests(uri, "-o", tmp_path / "out", environment=s3_environment)
    assert done.returncode == 0, done.stderr
    made = yaml.safe_load((tmp_path / "out" / "engine.deployment.yaml").read_text())
    assert made["metadata"]["name"] == f"quickstart-{manifest.digest[:16]}-engine"
    (fetch,) = made["spec"]["template"]["spec"]["initContainers"]
    assert uri in fetch["command"]
    assert not (tmp_path / "out" / "verifier.deployment.yaml").exists()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--profile", "local"], "profile local: has no section `endpoint`"),
        (["s3://hexad/x", "--spec", "x.yaml"], "give either a bundle's store URI or --spec FILE"),
        (["--spec", "none.yaml"], "none.yaml: file: cannot be read"),
        (["--spec", EXAMPLES / "quickstart.yaml", "--profile", "local"], "profile local: has no section `endpoint`"),
        (["--spec", EXAMPLES / "quickstart.yaml", "--profile", "mars"], "profiles/mars.yaml: file: cannot be read"),
    ],
)
def test_bad_input_ends_with_two_and_says_what_is_wrong(arguments: list[str | Path], says: str, tmp_path: Path) -> None:
    done = manifests(*arguments, "-o", tmp_path)
    assert done.returncode == 2
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_a_spec_s_mistakes_come_with_their_lines(tmp_path: Path) -> None:
    spec = tmp_path / "spec.yaml"
    spec.write_text("name: hexad\nbundle: {uri: s3://hexad/x, digest: abc, bytes: 1}\nmax_token: 5\n")
    done = manifests("--spec", spec, "-o", tmp_path / "out")
    assert done.returncode == 2
    assert "line 2: bundle.digest" in done.stderr
    assert "line 3: max_token: unknown key; did you mean 'max_tokens'?" in done.stderr


@pytest.mark.parametrize(
    ("name", "text"), [("notes.txt", "mine"), ("tiny.yaml", "name: tiny\n"), ("kustomization.yaml", "resources: []\n")]
)
def test_a_folder_with_other_files_is_left_alone(name: str, text: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text)
    done = manifests("--spec", EXAMPLES / "quickstart.yaml", "-o", tmp_path)
    assert done.returncode == 2
    assert f"{name}, which this command did not make; choose an empty folder with -o" in done.stderr
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {name: text}


def test_a_file_in_the_place_of_the_folder_is_bad_input(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("mine")
    done = manifests("--spec", EXAMPLES / "quickstart.yaml", "-o", tmp_path / "out")
    assert (done.returncode, done.stderr) == (2, f"{tmp_path}/out: is a file; choose a folder with -o\n")
    assert (tmp_path / "out").read_text() == "mine"
