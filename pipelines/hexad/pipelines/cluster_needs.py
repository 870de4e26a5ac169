"""From a profile to what it needs of a cluster."""

from collections.abc import Iterator

from hexad.deployment.site import ENGINE_SECRET_KEY, STORE_SECRET_KEYS, Site
from hexad.pipelines.profile import Profile
from hexad.platform.training import RUNTIME
from hexad.preflight.cluster.needs import (
    PULL_SECRET_KEY,
    PULL_SECRET_TYPE,
    ClassNeed,
    ClusterNeeds,
    KindNeed,
    PoolNeed,
    SecretNeed,
)

_STORAGE_CLASSES = "/apis/storage.k8s.io/v1/storageclasses"
_RUNTIME_CLASSES = "/apis/node.k8s.io/v1/runtimeclasses"
_RUNTIMES = "/apis/trainer.kubeflow.org/v1alpha1/clustertrainingruntimes"
_TRAINER = [
    KindNeed(
        place="trainer", group="trainer.kubeflow.org", version="v1alpha1", plural="trainjobs",
        mend="install Kubeflow Trainer 2.0 or later, or set trainer to false",
    )
]  # fmt: skip
KSERVE = {
    "InferenceService": ("v1beta1", "inferenceservices"),
    "LLMInferenceService": ("v1alpha2", "llminferenceservices"),
}


def needs_of(profile: Profile, scratch_gib: float = 0.0) -> ClusterNeeds:
    """Everything that `profile` names or takes for granted. `scratch_gib`: disk that a recipe asks for."""
    tasks, endpoint = profile.tasks, profile.endpoint
    return ClusterNeeds(
        profile=profile.name,
        namespaces=[endpoint.namespace] if endpoint else [],
        secrets=list(_secrets(profile)),
        pools=[
            PoolNeed(role=role, placement=wanted, affinity=tasks.affinity.get(role, {}))
            for role, wanted in profile.placement.items()
        ],
        nodes_on_demand=profile.nodes_on_demand,
        kinds=[*(_TRAINER if profile.trainer else []), *(_kinds(endpoint) if endpoint else [])],
        classes=list(_classes(profile)),
        service_account=tasks.service_account,
        queue=tasks.queue,
        claim=tasks.cache.claim if tasks.cache else "",
        scratch_gib=0.0 if tasks.cache and tasks.cache.size else scratch_gib,
        non_root=tasks.run_as_non_root,
    )


def _secrets(profile: Profile) -> Iterator[SecretNeed]:
    tasks, endpoint = profile.tasks, profile.endpoint
    store = list(STORE_SECRET_KEYS)
    if profile.store_secret:
        yield SecretNeed(place="store_secret", name=profile.store_secret, keys=store)
    for name in tasks.pull_secrets:
        yield SecretNeed(place="tasks.pull_secrets", name=name, keys=[PULL_SECRET_KEY], type=PULL_SECRET_TYPE)
    for given in tasks.secret_environment:
        yield SecretNeed(place="tasks.secret_environment", name=given.secret, keys=sorted(given.variables))
    for name in sorted(tasks.secret_volumes):
        yield SecretNeed(place="tasks.secret_volumes", name=name)
    if endpoint is None:
        return
    if profile.store_secret:
        yield SecretNeed(place="store_secret", name=profile.store_secret, keys=store, namespace=endpoint.namespace)
    for name in tasks.pull_secrets:
        yield SecretNeed(
            place="tasks.pull_secrets", name=name, keys=[PULL_SECRET_KEY], type=PULL_SECRET_TYPE,
            namespace=endpoint.namespace,
        )  # fmt: skip
    if endpoint.external:
        yield SecretNeed(
            place="endpoint.external.key_secret", name=endpoint.external.key_secret, keys=[ENGINE_SECRET_KEY],
            namespace=endpoint.namespace,
        )  # fmt: skip


def _kinds(endpoint: Site) -> Iterator[KindNeed]:
    if endpoint.kserve != "none":
        version, plural = KSERVE[endpoint.kserve]
        yield KindNeed(
            place="endpoint.kserve", group="serving.kserve.io", version=version, plural=plural,
            mend="install a KServe that serves it, or set endpoint.kserve to none",
        )  # fmt: skip
    if endpoint.scaling.scaler == "keda":
        yield KindNeed(
            place="endpoint.scaling.scaler", group="keda.sh", version="v1alpha1", plural="scaledobjects",
            mend="install KEDA, or set endpoint.scaling.scaler to none",
        )  # fmt: skip
    if endpoint.scaling.scaler == "hpa":
        yield KindNeed(
            place="endpoint.scaling.scaler", group="external.metrics.k8s.io", version="v1beta1",
            mend="install an adapter for external metrics (prometheus-adapter), or set endpoint.scaling.scaler to none",
        )  # fmt: skip
    if endpoint.monitoring is not None:
        yield KindNeed(
            place="endpoint.monitoring", group="monitoring.coreos.com", version="v1", plural="servicemonitors",
            mend="install the Prometheus operator, or delete endpoint.monitoring",
        )  # fmt: skip


def _classes(profile: Profile) -> Iterator[ClassNeed]:
    cache, endpoint = profile.tasks.cache, profile.endpoint
    if profile.trainer:
        yield ClassNeed(place="trainer", path=_RUNTIMES, name=RUNTIME)
    if cache and cache.storage_class:
        yield ClassNeed(place="tasks.cache.storage_class", path=_STORAGE_CLASSES, name=cache.storage_class)
    if endpoint and endpoint.bundle_storage_class:
        yield ClassNeed(
            place="endpoint.bundle_storage_class", path=_STORAGE_CLASSES, name=endpoint.bundle_storage_class
        )
    if endpoint and endpoint.runtime_class:
        yield ClassNeed(place="endpoint.runtime_class", path=_RUNTIME_CLASSES, name=endpoint.runtime_class)
