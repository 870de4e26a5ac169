"""The KFP interface of sft."""

from kfp import dsl


@dsl.component(base_image="python:3.11-slim", packages_to_install=[], install_kfp_package=False)
def sft(
    settings: str,
    data: dsl.Input[dsl.Dataset],
    model: dsl.Output[dsl.Model],
    metrics: dsl.Output[dsl.Metrics],
    card: dsl.Output[dsl.Markdown],
) -> None:
    """Fine-tune the base model on long traces."""
    from hexad.stage.artifact import run_box

    run_box("sft", settings, {"data": data.path}, model, metrics, card)
