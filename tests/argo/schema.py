"""Argo's own schema: hera's pydantic models are generated from the OpenAPI document of Argo's API.

They drop unknown fields, so a template must come back as it went in.
"""

from typing import Any

from hera.workflows.models import WorkflowTemplate
from pydantic import ValidationError


def schema_errors(made: dict[str, Any]) -> list[str]:
    try:
        parsed = WorkflowTemplate.model_validate(made)
    except ValidationError as invalid:
        return [f"{'.'.join(map(str, error['loc']))}: {error['msg']}" for error in invalid.errors()]
    back = parsed.model_dump(mode="json", by_alias=True, exclude_unset=True)
    return _differences(made, back, "")


def _differences(made: Any, back: Any, place: str) -> list[str]:
    if isinstance(made, dict) and isinstance(back, dict):
        return [e for key in made for e in _differences(made[key], back.get(key), f"{place}.{key}")]
    if isinstance(made, list) and isinstance(back, list) and len(made) == len(back):
        return [e for index, item in enumerate(made) for e in _differences(item, back[index], f"{place}[{index}]")]
    return [] if made == back and type(made) is type(back) else [f"{place}: {made!r} is {back!r} to Argo"]
