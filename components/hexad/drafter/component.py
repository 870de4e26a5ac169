"""The KFP interface of drafter."""

from kfp import dsl


@dsl.component(base_image="python:3.11-slim", packages_to_install=[], install_kfp_package=False)
def drafter(
    settings: str,
    data: dsl.Input[dsl.Dataset],
    policy: dsl.Input[dsl.Model],
    draft: dsl.Output[dsl.Model],
    metrics: dsl.Output[dsl.Metrics],
    card: dsl.Output[dsl.Markdown],
) -> None:
    """Distil the draft model for speculative decoding."""
    from hexad.stage.artifact import run_box

    run_box("drafter", settings, {"data": data.path, "policy": policy.path}, draft, metrics, card)
