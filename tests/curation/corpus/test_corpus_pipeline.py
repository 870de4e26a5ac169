"""The corpus pipeline: compiled for every profile, run here from the compiled YAML, taken over by curate unchanged."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import pytest
import yaml

from hexad.curation.config import CurateConfig
from hexad.curation.job import run as curate
from hexad.pipelines.compile import compile_pipeline
from hexad.pipelines.ir_lint import lint
from hexad.pipelines.pipeline_kinds import PipelineKind
from hexad.pipelines.profile import load_profile
from hexad.pipelines.recipe import Recipe
from hexad.pipelines.settings import box_settings
from hexad.stage import Context
from hexad.stage.boxes import CORPUS_BOXES

from .made import am_row, digests, guru_row, question, response, write_jsonl, write_parquet

SEED = 3
SHARDS = 2


def section(folder: Path) -> dict[str, Any]:
    """A recipe's `curate` over three sources with duplicates, a broken row and a leak; one source lies in a tree."""
    rng = Random(1)
    asked = [question(rng) for _ in range(90)]
    (folder / "tree").mkdir()
    rows = [am_row(text, response(rng)) for text in asked[:40]]
    write_jsonl(folder / "math.jsonl", [*rows, "{broken", am_row(asked[3].upper(), response(rng))])
    write_jsonl(folder / "tree/math.jsonl", [am_row(text, response(rng)) for text in asked[38:60]])
    write_parquet(folder / "guru.parquet", [guru_row(text, "4") for text in [*asked[60:], asked[5]]])
    write_jsonl(folder / "bench.jsonl", [{"id": 1, "problem": asked[7], "answer": "1"}])
    put = ["put", str(folder / "tree"), f"file://{folder}/store/more"]
    subprocess.run([sys.executable, "-m", "hexad.cli.main", *put], check=True, capture_output=True)

    def source(name: str, path: str, kind: str, **more: Any) -> dict[str, Any]:
        return {"id": f"org/{name}", "revision": "r1", "path": path, "kind": kind, **more}

    return {
        "base": {"kind": "random", "vocab": 400},
        "generated": {"traces": 14, "prompts": 7, "validation": 240, "test": 6},
        "sources": [
            source("math", f"{folder}/math.jsonl", "am_thinking", domain="math"),
            source("more", f"file://{folder}/store/more#*.jsonl", "am_thinking", domain="math"),
            source("guru", f"{folder}/guru.parquet", "guru"),
        ],
        "corpus": {
            "shards": SHARDS,
            "benchmarks": [
                {"name": "aime", "source": source("bench", f"{folder}/bench.jsonl", "questions", domain="math")}
            ],
        },
        "max_tokens": 2000,
        "pack_tokens": 2048,
    }


@dataclass(frozen=True)
class Made:
    """A recipe's corpus that the pipeline made, killed once on the way."""

    folder: Path
    section: dict[str, Any]
    tree: str
    finished_before_the_kill: set[str]

    def curated(self, name: str, **corpus: Any) -> Path:
        """The tree of curate for the recipe with some settings of its corpus changed."""
        config = CurateConfig.model_validate(self.section | {"corpus": self.section["corpus"] | corpus})
        store = f"file://{self.folder}/{name}"
        result = curate(config, Context(run="test", store=store, seed=SEED, work=f"{self.folder}/work-{name}"), {})
        return Path(result.manifest.uri.removeprefix("file://"))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    folder = tmp_path_factory.mktemp("corpus")
    wanted = section(folder)
    recipe = {"name": "corp", "seed": SEED, "curate": wanted, "rlvr": {"prompts_per_step": 4}}
    (folder / "recipe.yaml").write_text(yaml.safe_dump(recipe))
    command = [sys.executable, "-m", "hexad.cli.main", "run", str(folder / "recipe.yaml"), "--pipeline", "corpus",
               "--out", str(folder / "run"), "--store", f"file://{folder}/store"]  # fmt: skip
    progress = folder / "run" / "progress"
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as victim:
        deadline = time.monotonic() + 300
        while not (progress / "corpus_duplicates.json").exists():
            assert victim.poll() is None and time.monotonic() < deadline, "the run did not reach duplicates"
            time.sleep(0.1)
        os.kill(victim.pid, signal.SIGKILL)
    before = {file.name.removesuffix(".result.json") for file in progress.glob("*.result.json")}
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    tree = next(line.removeprefix("corpus: ") for line in done.stdout.splitlines() if line.startswith("corpus: "))
    return Made(folder, wanted, tree, before)


@pytest.mark.parametrize("file", sorted(Path("profiles").glob("*.yaml")), ids=lambda file: file.stem)
def test_the_ir_is_clean_for_every_profile(file: Path, tmp_path: Path) -> None:
    source = {"id": "a/b", "revision": "1", "path": "s3://bucket/a/*.parquet", "kind": "guru"}
    curating = {"base": {"kind": "random"}, "sources": [source], "corpus": {"shards": 16}}
    recipe, profile = Recipe.model_validate({"name": "test", "curate": curating}), load_profile(file)
    target = compile_pipeline(
        box_settings(recipe, profile), profile, tmp_path / "pipeline.yaml", kind=PipelineKind.CORPUS
    )
    pipeline, *platform = filter(None, yaml.safe_load_all(target.read_text()))
    assert lint(pipeline, *platform, cluster=profile.cluster, mutable_images=profile.mutable_images) == []
    assert len(pipeline["deploymentSpec"]["executors"]) == len(CORPUS_BOXES)


def test_a_killed_run_goes_on_after_the_shards_that_were_finished(made: Made) -> None:
    assert made.finished_before_the_kill == {"corpus_parts", "corpus_clean-0", "corpus_clean-1"}
    assert made.tree.startswith(f"file://{made.folder}/store/corp/corpus/")


def test_curate_makes_the_same_bytes_of_the_pipelines_tree_as_of_the_sources(made: Made) -> None:
    alone, joined = made.curated("alone", shards=1), made.curated("joined", tree=made.tree)
    differ = {name for name, digest in digests(alone).items() if digests(joined)[name] != digest}
    assert digests(alone).keys() == digests(joined).keys() and len(digests(alone)) > 10
    assert differ == {"manifest.json"}


def test_a_tree_of_other_settings_is_refused_with_their_names(made: Made) -> None:
    with pytest.raises(ValueError, match=r"was made with other corpus\.filters; run the corpus pipeline again"):
        made.curated("other", tree=made.tree, filters={"references": False})
