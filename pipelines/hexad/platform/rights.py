"""Who may ask the Kubernetes API for what: Roles made from the table rights.jsonl, one row for each verb and resource.

`pipelines.kubeflow.org` is no API of Kubernetes': a multi-user Kubeflow asks for these rights (SubjectAccessReview)
before it serves a request of its own API. https://www.kubeflow.org/docs/components/pipelines/concepts/multi-user/
"""

from collections import defaultdict
from functools import cache
from pathlib import Path

from pydantic import Field

from hexad.deployment.cluster.plan import Object
from hexad.pipelines.profile import Profile
from hexad.platform.labels import metadata
from hexad.platform.launcher import launcher_secret
from hexad.records import Record

RUNS = "hexad-pipeline"
"""Service account of a run's pods."""

_API = "rbac.authorization.k8s.io"
_TABLE = Path(__file__).with_name("rights.jsonl")


class Right(Record):
    """One verb on one resource for one service account."""

    account: str = Field(description="Service account.")
    verb: str = Field(pattern="^[a-z]+$", description="Verb; never '*'.")
    group: str = Field(description="API group; empty: Kubernetes' core.")
    resource: str = Field(pattern="^[a-z]+(/[a-z]+)?$", description="Plural, perhaps with a subresource; never '*'.")
    names: list[str] = Field(
        default_factory=list,
        description="Only these objects; {launcher_secret}, {queue} and {claim} are the profile's. Empty: all.",
    )
    by: str = Field(description="What asks: our function as a dotted path, or whose code it is.")
    why: str = Field(description="What it is asked for.")


@cache
def rights() -> tuple[Right, ...]:
    """The table."""
    return tuple(map(Right.model_validate_json, _TABLE.read_text().splitlines()))


def named(right: Right, profile: Profile) -> tuple[str, ...] | None:
    """Names of the objects that `right` is limited to, () for all; None where the profile has no such object."""
    cache = profile.tasks.cache
    claim = cache.claim if cache else ""
    known = {"launcher_secret": launcher_secret(profile), "queue": profile.tasks.queue, "claim": claim}
    names = tuple(name.format_map(known) for name in right.names)
    return names if all(names) else None


def account_objects(profile: Profile) -> list[Object]:
    """A ServiceAccount, a Role and a RoleBinding for every account of the table."""
    made: list[Object] = []
    for account in dict.fromkeys(right.account for right in rights()):
        common = metadata(profile, account, "pipeline")
        subject = {"kind": "ServiceAccount", "name": account, "namespace": common["namespace"]}
        role = {"apiGroup": _API, "kind": "Role", "name": account}
        made += [
            {
                "apiVersion": "v1",
                "kind": "ServiceAccount",
                "metadata": common,
                # Only pods of a run ask on their own; the other accounts' tokens are made for whoever asks with them.
                "automountServiceAccountToken": account == RUNS,
            },
            {"apiVersion": f"{_API}/v1", "kind": "Role", "metadata": common, "rules": _rules(account, profile)},
            {
                "apiVersion": f"{_API}/v1",
                "kind": "RoleBinding",
                "metadata": common,
                "roleRef": role,
                "subjects": [subject],
            },
        ]
    return made


def _rules(account: str, profile: Profile) -> list[Object]:
    """Resources share a rule only when all their verbs are equal: a rule grants each verb on each resource."""
    verbs: dict[tuple[str, str, tuple[str, ...]], list[str]] = defaultdict(list)
    for right in rights():
        names = named(right, profile)
        if right.account == account and names is not None:
            verbs[right.group, right.resource, names].append(right.verb)
    resources: dict[tuple[str, tuple[str, ...], tuple[str, ...]], list[str]] = defaultdict(list)
    for (group, resource, names), granted in verbs.items():
        resources[group, names, tuple(sorted(granted))].append(resource)
    return [
        {
            "apiGroups": [group],
            "resources": sorted(found),
            **({"resourceNames": list(names)} if names else {}),
            "verbs": list(granted),
        }
        for (group, names, granted), found in sorted(resources.items())
    ]
