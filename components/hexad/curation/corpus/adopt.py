"""Take over what the corpus pipeline made of a recipe's sources, instead of reading them."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from hexad.curation.config import CurateConfig
from hexad.curation.corpus.plan import made_of, read_plan
from hexad.curation.corpus.run import Corpus
from hexad.records import Prompt
from hexad.storage import ObjectMissing, fetch_tree, open_store, read_manifest


def adopt(
    config: CurateConfig, seed: int, benchmarks: Mapping[str, Sequence[Prompt]], into: Path
) -> tuple[Corpus, dict[str, str]]:
    """The finished corpus, and {its URI: digest}. Raises ObjectMissing, or ValueError when it was made otherwise."""
    uri = config.corpus.tree
    manifest = read_manifest(open_store(uri), uri)
    if manifest is None:
        raise ObjectMissing(f"curate.corpus.tree: no tree is committed at {uri}; run the corpus pipeline, or empty it")
    fetch_tree(open_store(uri), manifest, into)
    plan, wanted = read_plan(into), made_of(config, seed, benchmarks)
    differs = [name for name, value in wanted.items() if plan.made_of.get(name) != value]
    if differs:
        raise ValueError(
            f"curate.corpus.tree: {uri} was made with other {', '.join(differs)}; run the corpus pipeline again and "
            "give its tree"
        )
    return Corpus(config.sources, config.corpus, into, plan.parts), {uri: manifest.digest}
