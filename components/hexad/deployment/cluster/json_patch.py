"""What turns one object into another, as a JSON Patch (RFC 6902), which kustomize applies without knowing the kind."""

from typing import Any

from hexad.deployment.cluster.plan import Object


def json_patch(old: Object, new: Object) -> list[Object]:
    """Operations in an order in which they can be applied; empty for equal objects. Lists of other length go whole."""
    return _changes(old, new, "")


def _changes(old: Any, new: Any, path: str) -> list[Object]:
    if isinstance(old, dict) and isinstance(new, dict):
        removed = [{"op": "remove", "path": f"{path}/{_escape(key)}"} for key in old if key not in new]
        kept = [
            change for key in old if key in new for change in _changes(old[key], new[key], f"{path}/{_escape(key)}")
        ]
        added = [{"op": "add", "path": f"{path}/{_escape(key)}", "value": new[key]} for key in new if key not in old]
        return removed + kept + added
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        return [
            change for i, pair in enumerate(zip(old, new, strict=True)) for change in _changes(*pair, f"{path}/{i}")
        ]
    # 1 == True in Python, but not in YAML.
    return [] if old == new and type(old) is type(new) else [{"op": "replace", "path": path, "value": new}]


def _escape(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")
