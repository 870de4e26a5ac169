"""The parameters of a run, and those of another one that computes some of its stages again."""

import json
from collections.abc import Mapping
from typing import Any

from hexad.stage.boxes import BOXES, from_section
from hexad.submission.answers import Run, Version


def parameters_of(run: Run, version: Version) -> dict[str, Any]:
    """What a run was given, on top of its version's defaults."""
    # A file with a platform document comes back as both documents under these keys.
    spec = version.pipeline_spec.get("pipeline_spec", version.pipeline_spec)
    declared = spec.get("root", {}).get("inputDefinitions", {}).get("parameters", {})
    defaults = {name: p["defaultValue"] for name, p in declared.items() if "defaultValue" in p}
    return defaults | run.runtime_config.parameters


def again_from(parameters: Mapping[str, Any], section: str, attempt: int) -> dict[str, Any]:
    """`parameters` so that `section` and all after it are computed again, and all before it come from their trees.

    `attempt` must be new: a tree that was made under the same number would be taken for the result. Raises KeyError
    for parameters without a box's settings, which are not Hexad's.
    """
    changed = dict(parameters)
    sections = from_section(section)
    for name, box in BOXES.items():
        if box.section in sections:
            settings = json.loads(changed[name])
            settings["context"]["attempt"] = attempt
            changed[name] = json.dumps(settings, separators=(",", ":"))
    return changed
