"""Objects that a profile names: namespaces, secrets, the cache's claim, classes, and kinds of operators."""

from hexad.deployment.quantity import quantity
from hexad.preflight.checks import Finding
from hexad.preflight.cluster.facts import Answer, Facts, account_path, claim_path, namespace_path, secret_path
from hexad.preflight.cluster.needs import ClassNeed, KindNeed, SecretNeed

ENFORCED = "pod-security.kubernetes.io/enforce"
"""Namespace label: https://kubernetes.io/docs/concepts/security/pod-security-admission/"""


def namespace(name: str, facts: Facts, non_root: bool = True) -> Finding:
    """It exists, and its Pod Security level lets our pods in."""
    answer = facts.at(namespace_path(name))
    check = f"namespace {name}"
    if not answer.found:
        return _not_found(check, answer, f"create it (kubectl create namespace {name}), or give another --namespace")
    level = (answer.body["metadata"].get("labels") or {}).get(ENFORCED, "")
    if level == "restricted" and not non_root:
        mend = "set tasks.run_as_non_root in the profile, or lower the label"
        return Finding(check=check, found=f"Pod Security {level} refuses pods that may run as root", mend=mend)
    return Finding(check=check, found=f"Pod Security {level or 'as the cluster sets it'}")


def secret(need: SecretNeed, facts: Facts) -> Finding:
    """It exists, has the type, and each key holds something."""
    place = need.namespace or facts.namespace
    check = f"secret {need.name}"
    answer = facts.at(secret_path(place, need.name))
    if not answer.found:
        return _not_found(check, answer, f"make it in namespace {place}, or correct {need.place} in the profile")
    if need.type and answer.body["type"] != need.type:
        mend = f"make it anew in namespace {place} (kubectl create secret docker-registry {need.name} …)"
        return Finding(check=check, found=f"type {answer.body['type']}, not {need.type}", mend=mend)
    lacking = [key for key in need.keys if key not in answer.body["keys"]]
    if lacking:
        mend = f"add {'it' if len(lacking) == 1 else 'them'} to the secret in namespace {place}"
        return Finding(check=check, found=f"key {', '.join(lacking)}: missing or empty", mend=mend)
    return Finding(check=check, found=f"in namespace {place}" + (f", keys {', '.join(need.keys)}" if need.keys else ""))


def service_account(name: str, facts: Facts) -> Finding:
    """The account of a run's pods exists: without it Kubeflow makes no pod at all."""
    check = f"service account {name}"
    answer = facts.at(account_path(facts.namespace, name))
    if not answer.found:
        mend = f"apply the profile's manifests in namespace {facts.namespace}, or correct tasks.service_account"
        return _not_found(check, answer, mend)
    return Finding(check=check, found=f"in namespace {facts.namespace}")


def claim(name: str, facts: Facts, least_gib: float = 0.0) -> Finding:
    """The cache's claim is bound, or waits only for its first pod, many pods can mount it, and it is large enough."""
    check = f"claim {name}"
    answer = facts.at(claim_path(facts.namespace, name))
    if not answer.found:
        mend = f"make it in namespace {facts.namespace} (ReadWriteMany), or correct tasks.cache.claim"
        return _not_found(check, answer, mend)
    modes = answer.body.get("spec", {}).get("accessModes") or []
    status = answer.body.get("status", {})
    phase, size = status.get("phase", ""), status.get("capacity", {}).get("storage", "")
    if phase == "Lost":
        return Finding(check=check, found="its volume is lost", mend="make it anew; stages start without checkpoints")
    if "ReadWriteMany" not in modes:
        mend = "make it ReadWriteMany: two stages may run on different nodes at a time"
        return Finding(check=check, found=f"access modes {', '.join(modes)}", mend=mend)
    if size and quantity(size) < quantity(f"{least_gib:g}Gi"):
        mend = "enlarge it, or lower preflight.min_free_disk_gib in the recipe"
        return Finding(check=check, found=f"{size}, {least_gib:g}Gi needed", mend=mend)
    return Finding(check=check, found=", ".join(part for part in (phase, size, *modes) if part))


def named_class(need: ClassNeed, facts: Facts) -> Finding:
    """A StorageClass, a RuntimeClass or a ClusterTrainingRuntime exists."""
    check = f"class {need.name}"
    answer = facts.at(f"{need.path}/{need.name}")
    if not answer.found:
        return _not_found(check, answer, f"make it, or correct {need.place} in the profile")
    return Finding(check=check, found=f"for {need.place}")


def kind(need: KindNeed, facts: Facts) -> Finding | None:
    """The cluster serves the version that we write; None for an optional kind whose group is not installed."""
    what = need.plural or need.version
    check = f"{what}.{need.group}"
    group, version = facts.at(f"/apis/{need.group}"), facts.at(f"/apis/{need.group}/{need.version}")
    if group.missing:
        return None if need.optional else Finding(check=check, found="not installed", mend=need.mend)
    if version.missing:
        there = ", ".join(served["version"] for served in group.body.get("versions") or [])
        return Finding(check=check, found=f"{need.version} is not served, but {there}", mend=need.mend)
    if not version.found:
        return _not_found(check, version, need.mend)
    plurals = {resource["name"] for resource in version.body.get("resources") or []}
    if need.plural and need.plural not in plurals:
        return Finding(check=check, found=f"{need.group}/{need.version} has no {need.plural}", mend=need.mend)
    return Finding(check=check, found=f"{need.version}, for {need.place}")


def _not_found(check: str, answer: Answer, mend: str) -> Finding:
    """Missing is a failure; that we may not look is none."""
    if answer.missing:
        return Finding(check=check, found="missing", mend=mend)
    return Finding(check=check, found=answer.said, judged=False)
