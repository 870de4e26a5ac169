"""Every check of a cluster, over what its API server said. Pure: see `facts.gather` for the asking."""

from collections.abc import Iterator

from hexad.preflight.checks import Finding
from hexad.preflight.clock import clock
from hexad.preflight.cluster.facts import NOBODY, NODES, VERSION, Facts
from hexad.preflight.cluster.needs import ClusterNeeds
from hexad.preflight.cluster.nodes import pool
from hexad.preflight.cluster.objects import claim, kind, named_class, namespace, secret, service_account
from hexad.preflight.cluster.queue import queue


def findings(needs: ClusterNeeds, facts: Facts) -> list[Finding]:
    """All of them, also after one failed; the API server's only, where it did not answer."""
    server = facts.at(VERSION)
    if server.status in NOBODY:
        mend = "log in again" if server.status else "check the kubeconfig's address and your network"
        return [Finding(check="API server", found=server.said, mend=mend)]
    return list(_findings(needs, facts))


def _findings(needs: ClusterNeeds, facts: Facts) -> Iterator[Finding]:
    server = facts.at(VERSION)
    yield Finding(check="API server", found=f"Kubernetes {server.body.get('gitVersion', 'of unknown version')}")
    yield clock("the API server", server.skew_s)
    yield namespace(facts.namespace, facts, needs.non_root)
    yield from (namespace(name, facts) for name in needs.namespaces if name != facts.namespace)
    # Once, where runs and endpoints share a namespace.
    yield from dict.fromkeys(secret(need, facts) for need in needs.secrets)
    if needs.service_account:
        yield service_account(needs.service_account, facts)
    if needs.claim:
        yield claim(needs.claim, facts, needs.scratch_gib)
    yield from (named_class(need, facts) for need in needs.classes)
    yield from filter(None, (kind(need, facts) for need in needs.kinds))
    scratch_gib = 0.0 if needs.claim else needs.scratch_gib
    yield from (pool(need, facts.at(NODES), needs.nodes_on_demand, scratch_gib) for need in needs.pools)
    if needs.queue:
        yield from queue(needs, facts)
