"""The committed examples on the committed profiles."""

from pathlib import Path

from hexad.cli.inputs import profile_from
from hexad.cli.manifest_tree import EXAMPLES
from hexad.cli.manifests_command import endpoint_from, plan_for
from hexad.deployment.cluster.plan import Plan

ROOT = Path(__file__).parents[2]
CLUSTERS = list(EXAMPLES)


def plan(profile: str, example: str = "k2-think-32b", **site: object) -> Plan:
    """An example on a profile; `site` replaces fields of the profile's section `endpoint`, which is checked again."""
    found = profile_from(str(ROOT / "profiles" / f"{profile}.yaml"))
    assert found.endpoint is not None
    changed = type(found.endpoint).model_validate(found.endpoint.model_dump() | site)
    endpoint = endpoint_from(ROOT / "manifests" / "examples" / f"{example}.yaml")
    return plan_for(endpoint, found.model_copy(update={"endpoint": changed}))
