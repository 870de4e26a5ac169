"""From a bundle back to dataset revisions: in manifests, in the store, in the metadata in the UI, as a drawing."""

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
from typer.testing import CliRunner

from hexad.cli.main import app
from hexad.lineage.drawing import drawing
from hexad.lineage.graph import layers, lineage_of
from hexad.lineage.page import page
from hexad.lineage.walk import ancestors
from hexad.records import MANIFEST, Manifest
from hexad.report.config import ReportConfig
from hexad.stage import Context, Product, Workspace, execute
from hexad.stage.artifact import artifact_metadata
from hexad.storage import ObjectMissing, open_store, read_manifest
from hexad.storage.local import LocalStore
from hexad.storage.s3 import bucket_and_key

CHAIN = (("curate", ()), ("sft", ("curate",)), ("rlvr", ("curate", "sft")), ("serve", ("curate", "rlvr")))


def make(folder: Path, run: str = "run") -> dict[str, Manifest]:
    """Trees of four stages, made as boxes make them."""
    made: dict[str, Manifest] = {}
    for stage, inputs in CHAIN:

        def body(space: Workspace, stage: str = stage) -> Product:
            (space.out / "file").write_text(stage)
            outside = stage == "curate"
            datasets = {"guru": "rev-1", "am": "rev-2"} if outside else {}
            return Product({"x": 1.0}, "card", {"x": 1.0}, datasets, {"qwen": "rev-3"} if outside else {})

        places = {}
        for name in inputs:
            places[name] = folder / "artifacts" / name
            places[name].mkdir(parents=True, exist_ok=True)
            (places[name] / MANIFEST).write_text(made[name].to_json())
        context = Context(
            run=run, store=f"file://{folder}/store/{run}", git="abc", image="hexad/train@sha256:1", seed=3
        )
        made[stage] = execute(stage, ReportConfig(), context, places, body).manifest
    return made


def forget_places(folder: Path) -> None:
    """Make manifests those of an older Hexad, which did not write down where inputs lay."""
    for file in folder.rglob(MANIFEST):
        manifest = json.loads(file.read_bytes())
        manifest["metadata"].pop("inputs", None)
        file.write_text(json.dumps(manifest))


def test_a_bundle_leads_back_to_revisions_of_data_and_base_model(tmp_path: Path) -> None:
    made = make(tmp_path)
    graph = lineage_of(ancestors(made["serve"].uri))
    assert {node.name for node in graph.nodes.values()} == {"curate", "sft", "rlvr", "serve", "guru", "am", "qwen"}
    assert graph.ends() == [made["serve"].digest]
    assert {(n.kind, n.name, n.version) for n in graph.nodes.values() if n.kind != "tree"} == {
        ("dataset", "guru", "rev-1"), ("dataset", "am", "rev-2"), ("model", "qwen", "rev-3"),
    }  # fmt: skip
    assert graph.missing() == []


def test_manifests_that_name_no_places_are_found_by_digest_in_their_run(tmp_path: Path) -> None:
    made = make(tmp_path)
    named = lineage_of(ancestors(made["serve"].uri))
    forget_places(tmp_path / "store")
    assert lineage_of(ancestors(made["serve"].uri)).nodes == named.nodes


def test_an_input_from_another_run_is_found_by_the_place_that_the_manifest_names(tmp_path: Path) -> None:
    made = make(tmp_path)
    context = Context(run="other", store=f"file://{tmp_path}/elsewhere/other")
    places = {"policy": tmp_path / "artifacts" / "rlvr"}
    (places["policy"]).mkdir(exist_ok=True)
    (places["policy"] / MANIFEST).write_text(made["rlvr"].to_json())

    def body(space: Workspace) -> Product:
        (space.out / "file").write_text("serve")
        return Product({}, "card")

    bundle = execute("serve", ReportConfig(), context, places, body).manifest
    assert made["curate"].digest in lineage_of(ancestors(bundle.uri)).nodes


def test_a_tree_that_was_deleted_is_missing_and_not_passed_over(tmp_path: Path) -> None:
    made = make(tmp_path)
    store = open_store(made["sft"].uri)
    store.delete(f"{made['sft'].uri}/{MANIFEST}")
    graph = lineage_of(ancestors(made["serve"].uri))
    assert [(node.name, node.version) for node in graph.missing()] == [("sft", made["sft"].digest)]
    shown = CliRunner().invoke(app, ["lineage", made["serve"].uri])
    assert shown.exit_code == 1
    assert f"sft: the tree {made['sft'].digest[:12]} was not found" in shown.output


def test_another_tree_at_an_inputs_place_is_not_taken_for_it(tmp_path: Path) -> None:
    made = make(tmp_path)
    file = Path(made["sft"].uri.removeprefix("file://")) / MANIFEST
    changed = json.loads(file.read_bytes())
    changed["provenance"]["seed"] = 99
    file.write_text(json.dumps(changed))
    assert [node.name for node in lineage_of(ancestors(made["serve"].uri)).missing()] == ["sft"]


def test_no_tree_at_the_given_uri_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ObjectMissing, match="no committed tree there; give the URI of a bundle"):
        ancestors(f"file://{tmp_path}/nothing")


def test_places_of_inputs_are_no_part_of_a_trees_identity(tmp_path: Path) -> None:
    first, second = make(tmp_path / "a"), make(tmp_path / "b")
    assert first["serve"].uri != second["serve"].uri
    assert first["serve"].digest == second["serve"].digest


def test_kubeflows_metadata_holds_inputs_with_place_and_digest_and_revisions(tmp_path: Path) -> None:
    made = make(tmp_path)
    serve = artifact_metadata(made["serve"])
    assert serve["input.rlvr"] == f"{made['rlvr'].uri} {made['rlvr'].digest}"
    assert (serve["stage"], serve["digest"], serve["store_uri"]) == ("serve", made["serve"].digest, made["serve"].uri)
    assert (serve["git"], serve["image"], serve["seed"]) == ("abc", "hexad/train@sha256:1", 3)
    curate = artifact_metadata(made["curate"])
    assert (curate["dataset.guru"], curate["dataset.am"], curate["base_model.qwen"]) == ("rev-1", "rev-2", "rev-3")
    assert all(isinstance(value, str | int | float) for value in (serve | curate).values())


def test_metadata_alone_leads_from_bundle_to_revisions(tmp_path: Path) -> None:
    """As a person clicks through the UI: only the metadata of artifacts, never the store's listing."""
    waiting, seen, revisions = [make(tmp_path)["serve"].uri], set(), set()
    while waiting:
        uri = waiting.pop()
        manifest = read_manifest(open_store(uri), uri)
        assert manifest is not None
        for key, value in artifact_metadata(manifest).items():
            if key.startswith("input.") and str(value).split()[0] not in seen:
                seen.add(str(value).split()[0])
                waiting.append(str(value).split()[0])
            if key.startswith(("dataset.", "base_model.")):
                revisions.add(f"{key} {value}")
    assert revisions == {"dataset.guru rev-1", "dataset.am rev-2", "base_model.qwen rev-3"}


def test_the_terminal_shows_each_tree_once_with_what_it_came_from(tmp_path: Path) -> None:
    made = make(tmp_path)
    shown = CliRunner().invoke(app, ["lineage", made["serve"].uri])
    assert shown.exit_code == 0
    digest = {name: manifest.digest[:12] for name, manifest in made.items()}
    lines = [line.rstrip() for line in shown.output.splitlines()]
    assert lines[0].startswith(f"serve  {digest['serve']}")
    assert [line for line in lines if "guru" in line] == ["│   ├── guru  dataset rev-1"]
    assert sum("(above)" in line for line in lines) == 2
    assert f"{digest['serve']}  {made['serve'].uri}" in lines


def test_the_drawing_has_every_tree_and_every_arrow(tmp_path: Path) -> None:
    graph = lineage_of(ancestors(make(tmp_path)["serve"].uri))
    root = ElementTree.fromstring(drawing(graph))
    shapes = [element.tag.rpartition("}")[2] for element in root.iter()]
    assert shapes.count("rect") == len(graph.nodes) == 7
    assert shapes.count("path") == len(graph.edges) + 1
    columns = layers(graph)
    assert all(columns[edge.source] < columns[edge.target] for edge in graph.edges)


def test_the_page_is_self_contained_and_holds_what_names_hold_as_text(tmp_path: Path) -> None:
    manifest = make(tmp_path)["curate"]
    evil = {"<script>alert(1)</script>": "<b>"}
    provenance = manifest.provenance.model_copy(update={"datasets": evil})
    changed = manifest.model_copy(update={"provenance": provenance})
    text = page(lineage_of([changed]), [changed], "Lineage of <it>")
    assert "<script" not in text
    assert "&lt;script&gt;" in text
    assert "Lineage of &lt;it&gt;" in text
    assert 'src="' not in text


def test_files_are_written_where_asked(tmp_path: Path) -> None:
    uri = make(tmp_path)["serve"].uri
    svg, html = tmp_path / "l.svg", tmp_path / "l.html"
    assert CliRunner().invoke(app, ["lineage", uri, "--svg", str(svg), "--html", str(html)]).exit_code == 0
    assert svg.read_text().startswith("<svg")
    assert html.read_text().startswith("<!doctype html>")


@pytest.mark.parametrize("option", ["--svg", "--html"])
def test_a_file_that_cannot_be_written_ends_with_1_and_its_name(option: str, tmp_path: Path) -> None:
    place = tmp_path / "no" / "such" / "folder"
    shown = CliRunner().invoke(app, ["lineage", make(tmp_path)["serve"].uri, option, str(place)])
    assert (shown.exit_code, isinstance(shown.exception, SystemExit)) == (1, True)
    assert f"'{place}'" in shown.output.splitlines()[-1]


def test_a_tree_right_below_a_bucket_has_no_run_to_look_into(tmp_path: Path) -> None:
    made = make(tmp_path)
    forget_places(tmp_path / "store")

    class Bucket(LocalStore):
        def read_bytes(self, uri: str) -> bytes:
            return super().read_bytes(uri.replace("s3://models/serve", made["serve"].uri))

    def opened(uri: str) -> Bucket:
        bucket_and_key(uri)
        return Bucket()

    assert [manifest.provenance.stage for manifest in ancestors("s3://models/serve", opened)] == ["serve"]


def test_a_folder_that_is_no_run_ends_with_2(tmp_path: Path) -> None:
    shown = CliRunner().invoke(app, ["lineage", str(tmp_path)])
    assert shown.exit_code == 2
    assert "no finished run; give a bundle's store URI, or a folder such as runs/NAME" in shown.output
