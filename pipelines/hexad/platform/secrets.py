"""The secrets that runs need, as templates; those of the endpoint are in `hexad.deployment.cluster.objects`."""

from hexad.deployment.cluster.objects import registry_template, secret_template
from hexad.deployment.cluster.plan import Object
from hexad.deployment.site import STORE_SECRET_KEYS
from hexad.pipelines.profile import Profile
from hexad.platform.labels import namespace


def run_secrets(profile: Profile) -> list[Object]:
    """Secret objects with a placeholder for every value, in the order in which a profile names them."""
    place, tasks = namespace(profile), profile.tasks
    made = [secret_template(profile.store_secret, place, list(STORE_SECRET_KEYS))] if profile.store_secret else []
    made += [registry_template(name, place) for name in tasks.pull_secrets]
    made += [secret_template(given.secret, place, sorted(given.variables)) for given in tasks.secret_environment]
    # A certificate authority, or what else a profile mounts: which files it holds is the volume's reader's business.
    made += [secret_template(name, place, ["ca.crt"]) for name in tasks.secret_volumes]
    return made
