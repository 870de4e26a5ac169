"""The KFP interface of evaluate."""

from kfp import dsl


@dsl.component(base_image="python:3.11-slim", packages_to_install=[], install_kfp_package=False)
def evaluate(
    settings: str,
    group: str,
    data: dsl.Input[dsl.Dataset],
    sft: dsl.Input[dsl.Model],
    policy: dsl.Input[dsl.Model],
    bundle: dsl.Input[dsl.Artifact],
    samples: dsl.Output[dsl.Artifact],
    metrics: dsl.Output[dsl.Metrics],
    card: dsl.Output[dsl.Markdown],
) -> None:
    """Score one group of cells on every benchmark."""
    from hexad.stage.artifact import run_box

    inputs = {"data": data.path, "sft": sft.path, "policy": policy.path, "bundle": bundle.path}
    run_box("evaluate", settings, inputs, samples, metrics, card, group)
