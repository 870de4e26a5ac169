"""The KFP interface of verifier."""

from kfp import dsl


@dsl.component(base_image="python:3.11-slim", packages_to_install=[], install_kfp_package=False)
def verifier(
    settings: str,
    data: dsl.Input[dsl.Dataset],
    policy: dsl.Input[dsl.Model],
    scorer: dsl.Output[dsl.Model],
    metrics: dsl.Output[dsl.Metrics],
    card: dsl.Output[dsl.Markdown],
) -> None:
    """Train the scorer that chooses among candidates."""
    from hexad.stage.artifact import run_box

    run_box("verifier", settings, {"data": data.path, "policy": policy.path}, scorer, metrics, card)
