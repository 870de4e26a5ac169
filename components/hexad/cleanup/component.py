"""The KFP interface of cleanup, which runs last whatever happened before."""

from kfp import dsl


@dsl.component(base_image="python:3.11-slim", packages_to_install=[], install_kfp_package=False)
def cleanup(settings: str, status: dsl.PipelineTaskFinalStatus, card: dsl.Output[dsl.Markdown]) -> None:
    """Remove the scratch folder of a run that succeeded; say where and why one failed."""
    from hexad.cleanup.job import main

    main(settings, status.state, status.error_message or "", card.path)
