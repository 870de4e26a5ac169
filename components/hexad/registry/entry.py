"""A bundle in the words of Kubeflow's Model Registry: one model per name, one version per digest."""

from collections.abc import Mapping

from pydantic import Field

from hexad.records import Bundle, Manifest, Record, Score

FORMAT = "hexad-bundle"
_NUMBERS = ("acceptance_length", "speedup", "lossless")

Property = str | float


class Origin(Record):
    """The Kubeflow run that made a bundle, as far as it is known."""

    run_id: str = ""
    namespace: str = ""
    run: str = Field("", description="Its name, for people.")


class Entry(Record):
    """What is registered."""

    model: str
    version: str
    uri: str
    format_version: str
    properties: dict[str, Property]
    origin: Origin


def entry_of(
    manifest: Manifest, bundle: Bundle, scores: Mapping[str, Mapping[str, Score]], origin: Origin, decision: str = ""
) -> Entry:
    """`scores`: cell to benchmark to score. `decision`: the gate's; empty where it is not known.

    Flat properties, because registries show no nested ones: digests, revisions, `score.<cell>.<benchmark>`.
    """
    made = manifest.provenance
    known: dict[str, Property] = {
        "digest": manifest.digest, "target": bundle.target, "draft": bundle.draft or "",
        "verifier": bundle.verifier or "", "git": made.git, "image": made.image, "gate": decision,
        "run_id": origin.run_id, "speculation": bundle.speculation.method if bundle.speculation else "",
    }  # fmt: skip
    numbers = {key: float(str(manifest.metadata[key])) for key in _NUMBERS if key in manifest.metadata}
    measured = {
        f"score.{cell}.{benchmark}": score.mean
        for cell, benchmarks in scores.items()
        for benchmark, score in benchmarks.items()
    }
    return Entry(
        model=bundle.name,
        version=manifest.short,
        uri=manifest.uri,
        format_version=str(bundle.version),
        properties={key: value for key, value in known.items() if value != ""} | numbers | measured,
        origin=origin,
    )


def custom_properties(properties: Mapping[str, Property]) -> dict[str, dict[str, Property]]:
    """Properties in the registry's typed form."""
    return {
        key: {"metadataType": "MetadataStringValue", "string_value": value}
        if isinstance(value, str)
        else {"metadataType": "MetadataDoubleValue", "double_value": value}
        for key, value in sorted(properties.items())
    }
