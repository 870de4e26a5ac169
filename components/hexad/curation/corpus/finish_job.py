"""A shard of the corpus pipeline, second pass: the rows that stay, tokenized, and a reject for each that does not."""

from collections.abc import Mapping
from pathlib import Path

from transformers import AutoTokenizer

from hexad.curation.config import CurateConfig
from hexad.curation.corpus.duplicates import PartRows
from hexad.curation.corpus.finish import finish
from hexad.curation.corpus.folders import hand_on, once
from hexad.curation.corpus.layout import CLEAN, DUPLICATES, FINISHED, HITS, REJECTS
from hexad.curation.corpus.plan import read_plan, reading
from hexad.curation.corpus.run import kind_of
from hexad.records import Manifest
from hexad.records.layout import BASE
from hexad.stage import Context, Product, StageResult, Workspace, execute, figures_card
from hexad.storage import CorruptTree, fetch_tree, open_store, read_manifest


def run(config: CurateConfig, context: Context, inputs: Mapping[str, str], group: str) -> StageResult:
    """Tree: finished/ with a folder for each part of the shard `group`, and from clean/ their rejects and hits."""
    own = reading(config)
    return execute(f"corpus_finish-{group}", own, context, inputs, lambda space: _finish(own, group, space))


def _finish(config: CurateConfig, group: str, space: Workspace) -> Product:
    parts = read_plan(space.inputs["parts"]).dealt(int(group), config.corpus.shards)
    cleaned = _cleaned(group, space.manifests["duplicates"], space.scratch / CLEAN) / CLEAN
    tokenizer = AutoTokenizer.from_pretrained(space.inputs["duplicates"] / BASE)
    for number, part in enumerate(parts, start=1):
        rows = PartRows(cleaned / part.folder, kind_of(config.sources[part.source]))
        drops = space.inputs["duplicates"] / DUPLICATES / part.folder
        once(space.scratch / FINISHED / part.folder, lambda out: finish(rows, drops, tokenizer, config.max_tokens, out))  # noqa: B023
        for name in (REJECTS, HITS):
            (space.out / CLEAN / part.folder).mkdir(parents=True, exist_ok=True)
            (space.out / CLEAN / part.folder / name).hardlink_to(rows.folder / name)
        space.progress.update(number / len(parts), f"{number}/{len(parts)} parts")
    hand_on(space.scratch / FINISHED, space.out / FINISHED)
    metrics = {"parts": float(len(parts))}
    return Product(metrics, figures_card(f"Shard {group} of the corpus, finished", metrics), dict(metrics))


def _cleaned(group: str, duplicates: Manifest, into: Path) -> Path:
    """The shard's clean rows: those that the duplicates were found in. KFP hands no list of a loop to another loop."""
    name = f"clean-{group}"
    places = duplicates.metadata["inputs"]
    uri = str(places[name]) if isinstance(places, dict) else ""
    manifest = read_manifest(open_store(uri), uri)
    if manifest is None or manifest.digest != duplicates.provenance.inputs[name]:
        raise CorruptTree(f"{uri}: is not the tree that {duplicates.uri} was made of; delete that and run again")
    return fetch_tree(open_store(uri), manifest, into)
