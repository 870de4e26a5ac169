"""The KFP interface of gate."""

from kfp import dsl


@dsl.component(base_image="python:3.11-slim", packages_to_install=[], install_kfp_package=False)
def gate(
    settings: str,
    scores: dsl.Input[dsl.Artifact],
    data: dsl.Input[dsl.Dataset],
    decision: dsl.Output[dsl.Artifact],
    metrics: dsl.Output[dsl.Metrics],
    card: dsl.Output[dsl.Markdown],
) -> str:
    """Decide "promote" or "hold" from scores, contamination and the losslessness of speculation."""
    from hexad.stage.artifact import run_box

    result = run_box("gate", settings, {"scores": scores.path, "data": data.path}, decision, metrics, card)
    return str(result.manifest.metadata["decision"])
