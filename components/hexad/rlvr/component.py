"""The KFP interface of rlvr."""

from kfp import dsl


@dsl.component(base_image="python:3.11-slim", packages_to_install=[], install_kfp_package=False)
def rlvr(
    settings: str,
    data: dsl.Input[dsl.Dataset],
    model: dsl.Input[dsl.Model],
    policy: dsl.Output[dsl.Model],
    metrics: dsl.Output[dsl.Metrics],
    card: dsl.Output[dsl.Markdown],
) -> None:
    """Train with verifiable rewards; the tree holds the model and its rollouts."""
    from hexad.stage.artifact import run_box

    run_box("rlvr", settings, {"data": data.path, "model": model.path}, policy, metrics, card)
