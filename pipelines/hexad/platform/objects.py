"""All objects that runs of a pipeline need on a cluster, in the order in which they may be applied."""

from hexad.deployment.cluster.kustomization import image_entry
from hexad.deployment.cluster.plan import Object
from hexad.pipelines.profile import Profile
from hexad.platform.launcher import launcher_objects
from hexad.platform.limits import limit_objects
from hexad.platform.monitoring import monitoring_objects
from hexad.platform.policies import policy_objects
from hexad.platform.rights import account_objects
from hexad.platform.training import TRAIN_IMAGE, training_objects


def run_objects(profile: Profile) -> list[Object]:
    """Plain dicts. Secrets are not among them: see `run_secrets`. Raises ValueError for one without an `endpoint`."""
    return [
        *account_objects(profile),
        *limit_objects(profile),
        *policy_objects(profile),
        *launcher_objects(profile),
        *training_objects(profile),
        *monitoring_objects(profile),
    ]


def run_images(profile: Profile) -> list[Object]:
    """kustomize's `images` entries for them."""
    return [image_entry(TRAIN_IMAGE, profile.images["train"])] if profile.trainer else []
