"""Services, and who may talk to whom: nothing that is not named here."""

from collections.abc import Iterable, Sequence

from hexad.deployment.bundle import BUNDLE_LABEL
from hexad.deployment.cluster.plan import Object, Plan
from hexad.deployment.endpoint import ENGINE_PORT, GATEWAY_PORT, SCORER_PORT
from hexad.deployment.site import Peer, Site

_DNS = [{"protocol": "UDP", "port": 53}, {"protocol": "TCP", "port": 53}]


def live_service(plan: Plan) -> Object:
    """What clients use: `http://NAME.NAMESPACE`. Its bundle label is the switch of roll-out and roll-back."""
    made = _service(plan, "gateway", {"http": (80, "http")})
    # It stays when a bundle goes, so it carries no bundle's label.
    labels = {key: value for key, value in made["metadata"]["labels"].items() if key != BUNDLE_LABEL}
    return made | {"metadata": made["metadata"] | {"name": plan.endpoint.name, "labels": labels}}


def bundle_services(plan: Plan) -> list[Object]:
    """Of this bundle alone: its gateway, for the smoke test before the switch, and its models, for the gateway."""
    made = [_service(plan, "gateway", {"http": (80, "http")})]
    if plan.has_models:
        made.append(_service(plan, plan.models, {name: (port, name) for name, port in model_ports(plan).items()}))
    return made


def model_ports(plan: Plan) -> dict[str, int]:
    """Port name to number, of the pod that runs models."""
    ports = {"http": ENGINE_PORT} if plan.own_engine else {}
    return ports | ({"scorer": SCORER_PORT} if plan.endpoint.bundle.verifier else {})


def network_policies(plan: Plan) -> list[Object]:
    """Default deny for all pods of the bundle, then one policy per component."""
    every = {key: value for key, value in plan.selector("").items() if key != "app.kubernetes.io/component"}
    deny = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": plan.metadata("default-deny"),
        "spec": {"podSelector": {"matchLabels": every}, "policyTypes": ["Ingress", "Egress"]},
    }
    return [deny, _gateway_policy(plan), *([_models_policy(plan)] if plan.has_models else [])]


def _gateway_policy(plan: Plan) -> Object:
    clients = [*map(namespace, plan.site.clients), *map(block, plan.site.client_cidrs)]
    # An empty `from` would let everybody in.
    ingress = [{"from": clients, "ports": tcp([GATEWAY_PORT])}] if clients else []
    egress = [dns(plan.site), *to_peers(plan.site.gateway_egress)]
    if plan.has_models:
        to_models = [{"podSelector": {"matchLabels": plan.selector(plan.models)}}]
        egress.append({"to": to_models, "ports": tcp(model_ports(plan).values())})
    if plan.site.external is not None:
        egress += to_peers(plan.site.external.egress)
    if plan.audited:
        egress += to_peers(plan.site.store_egress)
    return _policy(plan, "gateway", ingress + _scraped(plan, [GATEWAY_PORT]), egress)


def _models_policy(plan: Plan) -> Object:
    from_gateway = [{"podSelector": {"matchLabels": plan.selector("gateway")}}]
    ingress = [{"from": from_gateway, "ports": tcp(model_ports(plan).values())}]
    if plan.own_engine:
        ingress += _scraped(plan, [ENGINE_PORT])
    return _policy(plan, plan.models, ingress, [dns(plan.site), *to_peers(plan.site.store_egress)])


def _policy(plan: Plan, component: str, ingress: list[Object], egress: list[Object]) -> Object:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": plan.metadata(component),
        "spec": {
            "podSelector": {"matchLabels": plan.selector(component)},
            "policyTypes": ["Ingress", "Egress"],
            "ingress": ingress,
            "egress": egress,
        },
    }


def dns(site: Site) -> Object:
    """An egress rule: to name servers."""
    return {"to": [namespace("kube-system"), *map(block, site.dns_cidrs)], "ports": list(_DNS)}


def _scraped(plan: Plan, ports: Sequence[int]) -> list[Object]:
    monitoring = plan.site.monitoring
    return [{"from": [namespace(monitoring.namespace)], "ports": tcp(ports)}] if monitoring is not None else []


def to_peers(peers: Sequence[Peer]) -> list[Object]:
    """Egress rules: to each peer at its port."""
    return [{"to": [_peer(peer)], "ports": tcp([peer.port])} for peer in peers]


def _peer(peer: Peer) -> Object:
    return namespace(peer.namespace) if peer.namespace else block(peer.cidr, peer.except_cidrs)


def block(cidr: str, excepted: Sequence[str] = ()) -> Object:
    """A peer: a range of addresses."""
    return {"ipBlock": {"cidr": cidr, **({"except": list(excepted)} if excepted else {})}}


def namespace(name: str) -> Object:
    """A peer: every pod of a namespace."""
    return {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": name}}}


def tcp(ports: Iterable[int]) -> list[Object]:
    """Ports of a rule."""
    return [{"protocol": "TCP", "port": port} for port in ports]


def _service(plan: Plan, component: str, ports: dict[str, tuple[int, str]]) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": plan.metadata(component),
        "spec": {
            "type": "ClusterIP",
            "selector": plan.selector(component),
            "ports": [
                {"name": name, "port": port, "targetPort": target, "protocol": "TCP"}
                for name, (port, target) in ports.items()
            ],
        },
    }
