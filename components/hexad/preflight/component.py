"""The KFP interface of preflight."""

from kfp import dsl


@dsl.component(base_image="python:3.11-slim", packages_to_install=[], install_kfp_package=False)
def preflight(settings: str, card: dsl.Output[dsl.Markdown]) -> None:
    """Check store, disk, memory and packages before time is spent; fail with the mend."""
    from hexad.preflight.job import main

    main(settings, card.path)
