"""The KFP interface of curate."""

from kfp import dsl


@dsl.component(base_image="python:3.11-slim", packages_to_install=[], install_kfp_package=False)
def curate(
    settings: str,
    data: dsl.Output[dsl.Dataset],
    metrics: dsl.Output[dsl.Metrics],
    card: dsl.Output[dsl.Markdown],
) -> None:
    """Make the SFT traces and the RL, validation and test prompts."""
    from hexad.stage.artifact import run_box

    run_box("curate", settings, {}, data, metrics, card)
