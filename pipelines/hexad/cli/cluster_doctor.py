"""doctor --profile: whether a cluster is ready for a profile, before a run is submitted there."""

import base64
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import urllib3
from kubernetes import client

from hexad.cli.inputs import profile_from, recipe_from, refuse
from hexad.curation.stored import is_stored
from hexad.images.registry import logins, pinned, pullable
from hexad.pipelines.cluster_needs import needs_of
from hexad.pipelines.profile import Profile
from hexad.pipelines.recipe import Recipe
from hexad.preflight.checks import Finding
from hexad.preflight.cluster.checks import findings
from hexad.preflight.cluster.facts import Answer, Read, gather, secret_path
from hexad.preflight.cluster.in_pod import answer_of
from hexad.preflight.cluster.needs import PULL_SECRET_KEY, ClusterNeeds, KindNeed
from hexad.preflight.store import store_clock, store_works
from hexad.storage import StorageError, open_store, read_manifest
from hexad.submission.cluster import STARTED, api_client

_ENDPOINT = "HEXAD_S3_ENDPOINT"
_TIMEOUT_S = (5, 30)


def cluster_findings(
    profile_name: str, namespace: str, recipe: Path | None, context: str, pull: bool, images: Path | None = None
) -> list[Finding]:
    """Every check, those of the cluster first."""
    profile = profile_from(profile_name, images)
    if not profile.cluster:
        raise refuse(f"profile {profile.name}: is of one machine, not of a cluster; leave out --profile")
    wanted = recipe_from(recipe) if recipe else None
    api = api_client(context)
    if api is None:
        raise refuse("kubeconfig: none; set KUBECONFIG, give --context, or run inside the cluster")
    read = reader(api)
    needs = needs_of(profile, wanted.preflight.min_free_disk_gib if wanted else 0.0)
    used = {(kind.group, kind.version, kind.plural) for kind in needs.kinds}
    started = [kind for kind in _started() if (kind.group, kind.version, kind.plural) not in used]
    needs = needs.model_copy(update={"kinds": [*needs.kinds, *started]})
    return [
        *findings(needs, gather(needs, namespace, read)),
        pinned(profile.images.items(), profile.mutable_images),
        *(_pulls(profile, needs, namespace, read) if pull else ()),
        *_store(profile, wanted),
    ]


def reader(api: client.ApiClient) -> Read:
    """Reads through a Kubernetes client, which knows kubeconfigs and their ways to log in."""

    def read(path: str) -> Answer:
        try:
            response = api.call_api(
                path, "GET", auth_settings=["BearerToken"], header_params={"Accept": "application/json"},
                _preload_content=False, _return_http_data_only=True, _request_timeout=_TIMEOUT_S,
            )  # fmt: skip
        except client.ApiException as error:
            return answer_of("GET", path, int(error.status or 502), b"", error.headers or {})
        except (urllib3.exceptions.HTTPError, OSError) as error:
            return Answer(0, said=f"no answer from {api.configuration.host} ({type(error).__name__})")
        return answer_of("GET", path, response.status, response.data, response.headers)

    return read


def _started() -> Iterator[KindNeed]:
    """What `hexad stop` deletes, where its operator is installed."""
    for kind in STARTED:
        if "." in kind.group:
            mend = f"`hexad stop` deletes {kind.plural} of {kind.version}: use a version of both that agree"
            yield KindNeed(
                place="hexad stop", group=kind.group, version=kind.version, plural=kind.plural, mend=mend, optional=True
            )


def _pulls(profile: Profile, needs: ClusterNeeds, namespace: str, read: Read) -> Iterator[Finding]:
    """Each image's manifest, asked for with the logins of the pull secrets."""
    if profile.tasks.pull_policy == "Never":
        yield Finding(check="pull", found="nodes pull nothing (tasks.pull_policy is Never)")
        return
    names = [secret.name for secret in needs.secrets if PULL_SECRET_KEY in secret.keys and not secret.namespace]
    try:
        known = logins(_configurations(names, namespace, read))
    except ValueError as error:
        yield Finding(check=f"secret {', '.join(names)}", found=str(error), mend="make it anew")
        return
    with urllib3.PoolManager() as http:
        yield from (pullable(image, known, http) for image in dict.fromkeys(profile.images.values()))


def _configurations(names: Sequence[str], namespace: str, read: Read) -> Iterator[str]:
    for name in names:
        answer = read(secret_path(namespace, name))
        encoded = (answer.body.get("data") or {}).get(PULL_SECRET_KEY)
        if encoded:
            yield base64.b64decode(encoded).decode(errors="replace")


def _store(profile: Profile, recipe: Recipe | None) -> Iterator[Finding]:
    """As this machine sees it. The run's own preflight tries it from a pod."""
    endpoint = os.environ.get(_ENDPOINT)
    if profile.store.startswith("s3://") and not endpoint:
        found = f"{_ENDPOINT} is not set here; the run's preflight tries it from its pod"
        yield Finding(check=f"store {profile.store}", found=found, judged=False)
        return
    works = store_works(profile.store)
    yield works
    if endpoint:
        yield store_clock(endpoint)
    if recipe and not works.mend:
        yield from map(_tree, _stored(recipe))


def _stored(recipe: Recipe) -> list[str]:
    """Trees that the recipe starts from, without the globs of their files."""
    base = [recipe.curate.base.path] if recipe.curate.base.path else []
    named = [*base, *(source.path for source in recipe.curate.sources)]
    return list(dict.fromkeys(place.partition("#")[0] for place in named if is_stored(place)))


def _tree(uri: str) -> Finding:
    check = f"tree {uri}"
    try:
        manifest = read_manifest(open_store(uri), uri)
    except StorageError as error:
        return Finding(check=check, found=str(error), mend="put it anew: hexad put FOLDER URI")
    if manifest is None:
        return Finding(check=check, found="missing", mend=f"put it there: hexad put FOLDER {uri}")
    return Finding(check=check, found=f"{len(manifest.files)} files, {manifest.total_bytes / 1e9:.1f} GB")
