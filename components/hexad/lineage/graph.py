"""Manifests as a graph: trees, and the datasets and base models that they start from."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from hexad.records import Manifest

Kind = Literal["tree", "dataset", "model", "missing"]


@dataclass(frozen=True)
class Node:
    """A tree, by its manifest; or a thing from outside, by id and revision; or a tree whose manifest was not found."""

    key: str
    """Digest of the tree; id@revision of what comes from outside."""
    kind: Kind
    name: str
    """Stage that made the tree, or the outside thing's id."""
    version: str
    """Digest or revision."""
    uri: str = ""
    bytes: int = 0


@dataclass(frozen=True)
class Edge:
    """`source` went into `target` under the name that its stage has for that input."""

    source: str
    target: str
    name: str


@dataclass(frozen=True)
class Lineage:
    """A graph without cycles: digests are of contents that hold the digests of their inputs."""

    nodes: Mapping[str, Node]
    edges: tuple[Edge, ...]

    def sources(self, key: str) -> list[Edge]:
        """What went into a node, in the order of the names."""
        return [edge for edge in self.edges if edge.target == key]

    def ends(self) -> list[str]:
        """Nodes that went into nothing."""
        used = {edge.source for edge in self.edges}
        return [key for key in self.nodes if key not in used]

    def missing(self) -> list[Node]:
        """Trees that are named as inputs and were not found."""
        return [node for node in self.nodes.values() if node.kind == "missing"]


def lineage_of(manifests: Iterable[Manifest]) -> Lineage:
    """The graph of all `manifests`. Inputs that are not among them become nodes of kind "missing"."""
    nodes: dict[str, Node] = {}
    edges: list[Edge] = []
    for manifest in manifests:
        digest, origin = manifest.digest, manifest.provenance
        nodes[digest] = Node(digest, "tree", origin.stage, digest, manifest.uri, manifest.total_bytes)
        for name, source in sorted(origin.inputs.items()):
            nodes.setdefault(source, Node(source, "missing", name, source))
            edges.append(Edge(source, digest, name))
        outside: tuple[tuple[Kind, str, Mapping[str, str]], ...] = (
            ("dataset", "data", origin.datasets), ("model", "base model", origin.base_model),
        )  # fmt: skip
        for kind, name, things in outside:
            for identity, revision in sorted(things.items()):
                key = f"{identity}@{revision}"
                nodes.setdefault(key, Node(key, kind, identity, revision))
                edges.append(Edge(key, digest, name))
    return Lineage(nodes, tuple(edges))


def layers(lineage: Lineage) -> dict[str, int]:
    """Node to its column: 0 for what has no source, else one more than the furthest of its sources."""
    found: dict[str, int] = {}

    def column(key: str) -> int:
        if key not in found:
            found[key] = max((column(edge.source) + 1 for edge in lineage.sources(key)), default=0)
        return found[key]

    for key in lineage.nodes:
        column(key)
    return found
