"""The KFP interface of serve."""

from kfp import dsl


@dsl.component(base_image="python:3.11-slim", packages_to_install=[], install_kfp_package=False)
def serve(
    settings: str,
    data: dsl.Input[dsl.Dataset],
    policy: dsl.Input[dsl.Model],
    verifier: dsl.Input[dsl.Model],
    draft: dsl.Input[dsl.Model],
    bundle: dsl.Output[dsl.Artifact],
    metrics: dsl.Output[dsl.Metrics],
    card: dsl.Output[dsl.Markdown],
) -> None:
    """Write the bundle, start engine and gateway, smoke-test them."""
    from hexad.stage.artifact import run_box

    inputs = {"data": data.path, "policy": policy.path, "verifier": verifier.path, "draft": draft.path}
    run_box("serve", settings, inputs, bundle, metrics, card)
