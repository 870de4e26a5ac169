"""The KFP interface of register, which is in the pipeline only where a profile names a registry."""

from kfp import dsl


@dsl.component(base_image="python:3.11-slim", packages_to_install=[], install_kfp_package=False)
def register(
    settings: str,
    bundle: dsl.Input[dsl.Artifact],
    scores: dsl.Input[dsl.Artifact],
    decision: dsl.Input[dsl.Artifact],
    card: dsl.Output[dsl.Markdown],
) -> None:
    """Register the bundle in Kubeflow's Model Registry when the gate promotes it."""
    from hexad.registry.job import main

    main(settings, bundle.path, scores.path, decision.path, card.path)
