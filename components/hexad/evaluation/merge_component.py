"""The KFP interface of scores, which joins the groups that evaluate fans out to."""

from kfp import dsl


@dsl.component(base_image="python:3.11-slim", packages_to_install=[], install_kfp_package=False)
def scores(
    settings: str,
    data: dsl.Input[dsl.Dataset],
    samples: dsl.Input[list[dsl.Artifact]],
    tree: dsl.Output[dsl.Artifact],
    metrics: dsl.Output[dsl.Metrics],
    card: dsl.Output[dsl.Markdown],
) -> None:
    """Join the graded samples of all groups into scores with intervals and paired differences."""
    from hexad.stage.artifact import run_box

    groups = {group.metadata["group"]: group.path for group in samples}
    run_box("scores", settings, {"data": data.path, **groups}, tree, metrics, card)
