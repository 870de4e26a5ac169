"""What the objects around a pipeline's runs have in common. Part: the folder of manifests/base that one lies in."""

from typing import Literal

from hexad.deployment.cluster.plan import Object
from hexad.pipelines.profile import Profile

Part = Literal["pipeline", "training", "monitoring"]
NAME = "hexad"


def namespace(profile: Profile) -> str:
    """Where runs and endpoints live. Raises ValueError for a profile without section `endpoint`."""
    if profile.endpoint is None:
        raise ValueError(f"profile {profile.name}: has no section `endpoint`; add one, as in profiles/kind.yaml")
    return profile.endpoint.namespace


def cluster_metadata(name: str, part: Part) -> Object:
    """Of an object that belongs to no namespace."""
    common = {f"app.kubernetes.io/{key}": NAME for key in ("name", "part-of")}
    return {"name": name, "labels": common | {"app.kubernetes.io/component": part}}


def metadata(profile: Profile, name: str, part: Part) -> Object:
    made = cluster_metadata(name, part)
    return {"name": name, "namespace": namespace(profile), "labels": made["labels"]}
