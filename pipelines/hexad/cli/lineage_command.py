"""lineage: from a bundle, or a run, back to datasets and base model."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.text import Text
from rich.tree import Tree

from hexad.cli.inputs import refuse, say, summary_of
from hexad.lineage.drawing import amount, drawing
from hexad.lineage.graph import Lineage, Node, lineage_of
from hexad.lineage.page import page
from hexad.lineage.walk import ancestors
from hexad.pipelines.run_folder import RunFolder
from hexad.records import Manifest
from hexad.storage import BadStoreUri, StorageError

_COLOURS = {"tree": "bold", "dataset": "green", "model": "yellow", "missing": "bold red"}


def lineage(place: str, svg: Path | None, html: Path | None) -> int:
    """`place`: a tree's store URI, or a run's folder. 1 when a tree on the way was not found."""
    try:
        with _opened(place) as uris:
            by_digest = {m.digest: m for uri in uris for m in ancestors(uri)}
    except BadStoreUri as error:
        raise refuse(str(error)) from error
    except (StorageError, OSError) as error:
        say(str(error), error=True)
        return 1
    manifests = list(by_digest.values())
    graph = lineage_of(manifests)
    console = Console()
    told: set[str] = set()
    for end in graph.ends():
        console.print(tree(graph, end, told))
    for manifest in manifests:
        say(f"{manifest.digest[:12]}  {manifest.uri}")
    try:
        _write(graph, manifests, place, svg, html)
    except OSError as error:
        say(str(error), error=True)
        return 1
    for node in graph.missing():
        say(f"{node.name}: the tree {node.version[:12]} was not found; it was deleted, or lies in another store",
            error=True)  # fmt: skip
    return 1 if graph.missing() else 0


def tree(graph: Lineage, end: str, told: set[str]) -> Tree:
    """What `end` came from, as branches. Nodes in `told` are named and not followed again; new ones are added to it."""

    def grow(branch: Tree, key: str) -> None:
        told.add(key)
        for edge in graph.sources(key):
            node = graph.nodes[edge.source]
            above = edge.source in told and bool(graph.sources(edge.source))
            below = branch.add(_label(node, above))
            if not above:
                grow(below, edge.source)

    root = Tree(_label(graph.nodes[end], above=False))
    grow(root, end)
    return root


def _label(node: Node, above: bool) -> Text:
    detail = f"{node.version[:12]}  {amount(node)}" if node.kind == "tree" else f"{node.kind} {node.version}"
    return Text.assemble((node.name, _COLOURS[node.kind]), f"  {detail}", "  (above)" if above else "")


def _write(graph: Lineage, manifests: list[Manifest], title: str, svg: Path | None, html: Path | None) -> None:
    if svg is not None:
        svg.write_text(drawing(graph))
        say(f"drawing: {svg}")
    if html is not None:
        html.write_text(page(graph, manifests, f"Lineage of {title}"))
        say(f"page: {html}")


@contextmanager
def _opened(place: str) -> Iterator[list[str]]:
    """URIs of the trees to start from, while their store runs."""
    if "://" in place:
        yield [place]
        return
    run = RunFolder(Path(place))
    if not run.summary.is_file():
        raise refuse(f"{place}: no finished run; give a bundle's store URI, or a folder such as runs/NAME")
    from hexad.storage.embedded import EmbeddedS3

    stages = summary_of(run.summary).stages
    uris = [stage.manifest for stage in stages.values() if stage.manifest]
    if not run.store.is_dir():
        yield uris
        return
    with EmbeddedS3(run.store) as server:
        os.environ.update(server.environment())
        yield uris
