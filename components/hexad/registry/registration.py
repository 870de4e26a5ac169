"""Put an entry into the registry, once: the same bundle again finds what is there."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from hexad.registry.api import Exists, Object, RegistryApi, Unavailable
from hexad.registry.entry import FORMAT, Entry, custom_properties

_TRIES = 4


@dataclass(frozen=True)
class Registered:
    """Where an entry is now."""

    model_id: str
    version_id: str
    artifact_id: str
    created: bool
    """Whether the version is new."""


def register(entry: Entry, api: RegistryApi, sleep: Callable[[float], None] = time.sleep) -> Registered:
    """Model, version and artifact, each made where it is missing, so that a broken registration goes on.

    A version that is there gets properties that are new or changed, such as scores of a later evaluation.
    Raises RegistryError.
    """
    named = {"name": entry.model}
    description = "Target model, draft and verifier behind one endpoint, made by Hexad."
    model, _ = _ensured(
        lambda: api.get("/registered_model", name=entry.model),
        lambda: api.post("/registered_models", named | {"description": description}), sleep,
    )  # fmt: skip
    model_id = str(model["id"])
    properties = custom_properties(entry.properties)
    body = {"name": entry.version, "registeredModelId": model_id, "state": "LIVE", "customProperties": properties}
    version, created = _ensured(
        lambda: api.get("/model_version", name=entry.version, parentResourceId=model_id),
        lambda: api.post("/model_versions", body), sleep,
    )  # fmt: skip
    version_id = str(version["id"])
    known = version.get("customProperties") or {}
    if any(known.get(key) != value for key, value in properties.items()):
        # All of them: a registry may take what is sent for the whole.
        api.patch(f"/model_versions/{version_id}", {"customProperties": {**known, **properties}})
    artifacts = f"/model_versions/{version_id}/artifacts"
    artifact, _ = _ensured(
        lambda: _named(api.get(artifacts), _artifact_name(entry)),
        lambda: api.post(artifacts, _artifact(entry)), sleep,
    )  # fmt: skip
    return Registered(model_id, version_id, str(artifact["id"]), created)


def _ensured(
    find: Callable[[], Object | None], make: Callable[[], Object], sleep: Callable[[float], None]
) -> tuple[Object, bool]:
    """(What is there, whether we made it). Looks before every try: after an error the one before may have worked."""
    for attempt in range(_TRIES):
        try:
            found = find()
            return (found, False) if found is not None else (make(), True)
        except (Exists, Unavailable):
            if attempt == _TRIES - 1:
                raise
            sleep(2.0**attempt)
    raise AssertionError("the last try returns or raises")


def _artifact_name(entry: Entry) -> str:
    """Unique in the registry, as names of artifacts must be."""
    return f"{entry.model}-{entry.version}"


def _artifact(entry: Entry) -> dict[str, object]:
    origin = entry.origin
    # The words by which Kubeflow's dashboard links a version to the run that made it.
    source = {
        "modelSourceKind": "kfp", "modelSourceClass": "pipelinerun", "modelSourceGroup": origin.namespace,
        "modelSourceId": origin.run_id, "modelSourceName": origin.run,
    }  # fmt: skip
    return {
        "artifactType": "model-artifact", "name": _artifact_name(entry), "uri": entry.uri, "state": "LIVE",
        "modelFormatName": FORMAT, "modelFormatVersion": entry.format_version,
        "customProperties": custom_properties({"digest": entry.properties["digest"]}),
        **(source if origin.run_id else {}),
    }  # fmt: skip


def _named(listed: Object | None, name: str) -> Object | None:
    return next((item for item in (listed or {}).get("items") or [] if item.get("name") == name), None)
