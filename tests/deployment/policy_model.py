"""Who can reach whom by a set of NetworkPolicies, as Kubernetes defines it: a connection needs both ends' consent."""

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Object = Mapping[str, Any]


@dataclass(frozen=True)
class Party:
    """A pod, or with an `address` a host outside the cluster."""

    namespace: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    address: str = ""


def allowed(policies: Sequence[Object], source: Party, target: Party, port: int, protocol: str = "TCP") -> bool:
    return _consents(policies, source, target, "egress", port, protocol) and _consents(
        policies, target, source, "ingress", port, protocol
    )


def _consents(policies: Sequence[Object], mine: Party, other: Party, way: str, port: int, protocol: str) -> bool:
    own = [
        policy
        for policy in policies
        if not mine.address
        and policy["metadata"]["namespace"] == mine.namespace
        and way.title() in policy["spec"]["policyTypes"]
        and _matches(policy["spec"]["podSelector"], mine.labels)
    ]
    if not own:
        return True
    rules = [(policy, rule) for policy in own for rule in policy["spec"].get(way, [])]
    return any(_rule_allows(policy, rule, way, other, port, protocol) for policy, rule in rules)


def _rule_allows(policy: Object, rule: Object, way: str, other: Party, port: int, protocol: str) -> bool:
    peers = rule.get("from" if way == "ingress" else "to", [])
    ports = rule.get("ports", [])
    named = not ports or any(p["port"] == port and p["protocol"] == protocol for p in ports)
    return named and (not peers or any(_is_peer(policy, peer, other) for peer in peers))


def _is_peer(policy: Object, peer: Object, other: Party) -> bool:
    if "ipBlock" in peer:
        block = peer["ipBlock"]
        within = bool(other.address) and ipaddress.ip_address(other.address) in ipaddress.ip_network(block["cidr"])
        excepted = within and any(
            ipaddress.ip_address(other.address) in ipaddress.ip_network(cidr) for cidr in block.get("except", [])
        )
        return within and not excepted
    if other.address:
        return False
    if "namespaceSelector" in peer:
        in_place = _matches(peer["namespaceSelector"], {"kubernetes.io/metadata.name": other.namespace})
    else:
        in_place = other.namespace == policy["metadata"]["namespace"]
    return in_place and _matches(peer.get("podSelector", {}), other.labels)


def _matches(selector: Object, labels: Mapping[str, str]) -> bool:
    return all(labels.get(key) == value for key, value in selector.get("matchLabels", {}).items())
