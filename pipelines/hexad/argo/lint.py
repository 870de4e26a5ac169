"""What a WorkflowTemplate must not hold: the rules of `ir_lint` that mean something outside of Kubeflow."""

from collections.abc import Iterator

from hexad.deployment.pod_security import restricted_violations
from hexad.pipelines.lint_rules import Document, Finding, container, secrets


def lint(template: Document, *, cluster: bool, mutable_images: bool) -> list[Finding]:
    """Findings in a WorkflowTemplate.

    `cluster`: every stage must have what a shared cluster asks for. `mutable_images`: tags that can move are accepted.
    """
    spec = template["spec"]
    findings: list[Finding] = []
    for stage in spec["templates"]:
        if "container" in stage:
            findings += container(stage["name"], stage["container"], mutable_images)
            if cluster:
                findings += _limits(stage)
                findings += _rights(stage, spec)
    if spec.get("serviceAccountName", "default") == "default" or spec.get("automountServiceAccountToken") is not False:
        mend = "name an account of its own, and set automountServiceAccountToken to false"
        findings.append(Finding("spec", "gives stages a token of the cluster's API", mend))
    findings += secrets("template", template)
    return findings


def _limits(stage: Document) -> Iterator[Finding]:
    limits = stage["container"].get("resources", {}).get("limits", {})
    for kind in ("cpu", "memory"):
        if not limits.get(kind):
            mend = f"give its image role {kind} under `placement` in the profile"
            yield Finding(stage["name"], f"no limit of {kind}", mend)
    if not stage.get("activeDeadlineSeconds"):
        yield Finding(stage["name"], "no timeout", "set tasks.timeout_s in the profile")
    if not int(stage.get("retryStrategy", {}).get("limit", 0)):
        yield Finding(stage["name"], "no retry", "set tasks.retry in the profile")


def _rights(stage: Document, spec: Document) -> Iterator[Finding]:
    """What keeps a stage's pod out of a namespace with Pod Security level "restricted", and a root it can write."""
    identity = dict(spec.get("securityContext", {}))
    if not identity.get("runAsNonRoot") or identity.get("runAsUser") == 0:
        mend = "set tasks.run_as_non_root in the profile, and no user 0"
        yield Finding(stage["name"], "may run as root", mend)
    pod = {
        "securityContext": {**identity, "runAsNonRoot": True, "runAsUser": identity.get("runAsUser") or None},
        "containers": [{"name": "main", **stage["container"]}],
        "volumes": stage.get("volumes", []),
    }
    for violation in restricted_violations({"kind": "Pod", "metadata": {"name": stage["name"]}, "spec": pod}):
        problem, _, mend = violation.removeprefix(f"Pod/{stage['name']}: ").partition("; ")
        yield Finding(stage["name"], problem, mend)
    if not stage["container"].get("securityContext", {}).get("readOnlyRootFilesystem"):
        yield Finding(stage["name"], "may write its root", "set readOnlyRootFilesystem")
