"""The KFP interfaces of the corpus pipeline's boxes."""

from kfp import dsl


@dsl.component(base_image="python:3.11-slim", packages_to_install=[], install_kfp_package=False)
def corpus_parts(
    settings: str, parts: dsl.Output[dsl.Dataset], metrics: dsl.Output[dsl.Metrics], card: dsl.Output[dsl.Markdown]
) -> None:
    """List the parts of all sources, and the benchmarks' items."""
    from hexad.stage.artifact import run_box

    run_box("corpus_parts", settings, {}, parts, metrics, card)


@dsl.component(base_image="python:3.11-slim", packages_to_install=[], install_kfp_package=False)
def corpus_clean(
    settings: str,
    shard: str,
    parts: dsl.Input[dsl.Dataset],
    cleaned: dsl.Output[dsl.Dataset],
    metrics: dsl.Output[dsl.Metrics],
    card: dsl.Output[dsl.Markdown],
) -> None:
    """Read, filter and decontaminate the parts of one shard."""
    from hexad.stage.artifact import run_box

    run_box("corpus_clean", settings, {"parts": parts.path}, cleaned, metrics, card, shard)


@dsl.component(base_image="python:3.11-slim", packages_to_install=[], install_kfp_package=False)
def corpus_duplicates(
    settings: str,
    parts: dsl.Input[dsl.Dataset],
    cleaned: dsl.Input[list[dsl.Dataset]],
    duplicates: dsl.Output[dsl.Dataset],
    metrics: dsl.Output[dsl.Metrics],
    card: dsl.Output[dsl.Markdown],
) -> None:
    """Find the duplicates among the rows of all shards."""
    from hexad.stage.artifact import run_box

    shards = {f"clean-{shard.metadata['group']}": shard.path for shard in cleaned}
    run_box("corpus_duplicates", settings, {"parts": parts.path, **shards}, duplicates, metrics, card)


@dsl.component(base_image="python:3.11-slim", packages_to_install=[], install_kfp_package=False)
def corpus_finish(
    settings: str,
    shard: str,
    parts: dsl.Input[dsl.Dataset],
    duplicates: dsl.Input[dsl.Dataset],
    finished: dsl.Output[dsl.Dataset],
    metrics: dsl.Output[dsl.Metrics],
    card: dsl.Output[dsl.Markdown],
) -> None:
    """Drop the duplicates of one shard and tokenize what stays."""
    from hexad.stage.artifact import run_box

    inputs = {"parts": parts.path, "duplicates": duplicates.path}
    run_box("corpus_finish", settings, inputs, finished, metrics, card, shard)


@dsl.component(base_image="python:3.11-slim", packages_to_install=[], install_kfp_package=False)
def corpus(
    settings: str,
    parts: dsl.Input[dsl.Dataset],
    duplicates: dsl.Input[dsl.Dataset],
    finished: dsl.Input[list[dsl.Dataset]],
    tree: dsl.Output[dsl.Dataset],
    metrics: dsl.Output[dsl.Metrics],
    card: dsl.Output[dsl.Markdown],
) -> None:
    """Join all shards into the tree that curate takes over, with its card."""
    from hexad.stage.artifact import run_box

    shards = {f"finish-{shard.metadata['group']}": shard.path for shard in finished}
    inputs = {"parts": parts.path, "duplicates": duplicates.path, **shards}
    run_box("corpus", settings, inputs, tree, metrics, card)
