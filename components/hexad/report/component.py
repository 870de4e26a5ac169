"""The KFP interface of report."""

from kfp import dsl


@dsl.component(base_image="python:3.11-slim", packages_to_install=[], install_kfp_package=False)
def report(
    settings: str,
    data: dsl.Input[dsl.Dataset],
    sft: dsl.Input[dsl.Model],
    policy: dsl.Input[dsl.Model],
    verifier: dsl.Input[dsl.Model],
    draft: dsl.Input[dsl.Model],
    bundle: dsl.Input[dsl.Artifact],
    scores: dsl.Input[dsl.Artifact],
    summary: dsl.Output[dsl.Artifact],
    page: dsl.Output[dsl.HTML],
    metrics: dsl.Output[dsl.Metrics],
    card: dsl.Output[dsl.Markdown],
) -> None:
    """Write the self-contained page that shows what every pillar bought, and summary.json."""
    from hexad.stage.artifact import publish_file, run_box

    inputs = {"data": data.path, "sft": sft.path, "policy": policy.path, "verifier": verifier.path,
              "draft": draft.path, "bundle": bundle.path, "scores": scores.path}  # fmt: skip
    publish_file(run_box("report", settings, inputs, summary, metrics, card), "report.html", page)
