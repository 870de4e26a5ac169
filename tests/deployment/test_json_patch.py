"""A JSON Patch leads from one object to the other."""

import copy
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from hexad.deployment.cluster.json_patch import json_patch

KEYS = st.sampled_from(["a", "b", "nvidia.com/gpu", "~", "0", "~1", ""])
VALUES = st.recursive(
    st.booleans() | st.integers(-3, 3) | st.sampled_from(["", "x"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=12,
)
OBJECTS = st.dictionaries(KEYS, VALUES, max_size=4)


def apply_patch(old: dict[str, Any], patch: list[dict[str, Any]]) -> dict[str, Any]:
    """RFC 6902, for the operations that `json_patch` writes."""
    made: Any = {"": copy.deepcopy(old)}
    for operation in patch:
        parent, keys = (
            made,
            ["", *(part.replace("~1", "/").replace("~0", "~") for part in operation["path"].split("/")[1:])],
        )
        for key in keys[:-1]:
            parent = parent[int(key) if isinstance(parent, list) else key]
        last = int(keys[-1]) if isinstance(parent, list) else keys[-1]
        if operation["op"] == "remove":
            del parent[last]
        else:
            parent[last] = copy.deepcopy(operation["value"])
    result: dict[str, Any] = made[""]
    return result


def text(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


@given(OBJECTS, OBJECTS)
def test_the_patch_of_two_objects_makes_one_of_the_other(old: dict[str, Any], new: dict[str, Any]) -> None:
    before = text(old)
    assert text(apply_patch(old, json_patch(old, new))) == text(new)
    assert text(old) == before


@given(OBJECTS)
def test_equal_objects_need_no_patch(same: dict[str, Any]) -> None:
    assert json_patch(same, json.loads(json.dumps(same))) == []


def test_one_changed_field_is_one_operation() -> None:
    old = {"spec": {"replicas": 1, "containers": [{"name": "a", "image": "x"}]}}
    new = {"spec": {"replicas": 1, "containers": [{"name": "a", "image": "y"}]}}
    assert json_patch(old, new) == [{"op": "replace", "path": "/spec/containers/0/image", "value": "y"}]


def test_keys_with_slash_and_tilde_are_escaped() -> None:
    assert json_patch({}, {"a/b~c": 1}) == [{"op": "add", "path": "/a~1b~0c", "value": 1}]
