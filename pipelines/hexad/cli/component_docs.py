"""Write components/hexad/<box>/README.md from what the box's code says: `python -m hexad.cli.component_docs [--check]`.

Inputs and outputs come from the KFP interface, parameters from config.py. `--check` writes nothing and exits with 1
when a page differs: `make lint` runs it.
"""

import inspect
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, get_args, get_origin

from kfp.dsl.base_component import BaseComponent
from pydantic import BaseModel
from pydantic.fields import FieldInfo

import hexad
from hexad.cli.inputs import say
from hexad.stage.boxes import BOXES, CORPUS_BOXES, Box

_NOTE = "<!-- Made by `python -m hexad.cli.component_docs`; do not edit. -->"


def pages() -> dict[Path, str]:
    """README path to its text, for every box."""
    root = next(Path(folder) for folder in hexad.__path__ if Path(folder).parent.name == "components")
    texts: dict[Path, list[str]] = {}
    for name, box in (BOXES | CORPUS_BOXES).items():
        texts.setdefault(root / box.package / "README.md", []).append(_interface(name, box))
    configs = {root / box.package / "README.md": box for box in BOXES.values()}
    return {path: "\n".join([_NOTE, *interfaces, _parameters(configs[path]), ""]) for path, interfaces in texts.items()}


def main(check: bool) -> int:
    """Write the pages, or say which ones differ."""
    stale = [path for path, text in pages().items() if not path.exists() or path.read_text() != text]
    for path in stale:
        if check:
            say(f"{path}: differs from the code; run: python -m hexad.cli.component_docs", error=True)
        else:
            path.write_text(pages()[path])
            say(f"wrote {path}")
    return 1 if check and stale else 0


def _interface(name: str, box: Box) -> str:
    module = import_module(f"hexad.{box.package}.{box.component}")
    component: BaseComponent = module.__dict__[name]
    spec = component.component_spec
    lines = [f"# {name}", "", inspect.cleandoc(spec.description or ""), "", "| input | type |", "|---|---|"]
    lines += [f"| `{key}` | {_kind(value)} |" for key, value in (spec.inputs or {}).items()]
    lines += ["", "| output | type |", "|---|---|"]
    lines += [f"| `{key}` | {_kind(value)} |" for key, value in (spec.outputs or {}).items()]
    return "\n".join([*lines, ""])


def _kind(value: Any) -> str:
    kind = str(value.type).removeprefix("system.").split("@")[0]
    return f"list of {kind}" if value.is_artifact_list else kind


def _parameters(box: Box) -> str:
    lines = [
        f"## Parameters: recipe section `{box.section}`", "",
        "`settings` is one JSON string: `config` holds these parameters, `context` what the box must know of the run.",
        "", "| parameter | type | default | meaning |", "|---|---|---|---|",
    ]  # fmt: skip
    return "\n".join([*lines, *_rows(box.config_type())])


def _rows(record: type[BaseModel], prefix: str = "") -> Iterator[str]:
    for name, field in record.model_fields.items():
        nested = field.annotation
        if isinstance(nested, type) and issubclass(nested, BaseModel):
            yield from _rows(nested, f"{prefix}{name}.")
        else:
            meaning = " ".join((field.description or "").split())
            cells = (f"`{prefix}{name}`", _type(nested), _default(field), meaning)
            yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _type(kind: Any) -> str:
    if get_origin(kind) is None:
        return kind.__name__ if isinstance(kind, type) else str(kind)
    values = get_args(kind)
    if all(isinstance(value, str) for value in values):
        return " / ".join(f"`{value}`" for value in values)
    parts = [_type(value) for value in values if value is not Ellipsis]
    origin = get_origin(kind)
    if origin in (list, tuple):
        return f"list of {' or '.join(dict.fromkeys(parts))}"
    if origin is dict:
        return f"map of {parts[0]} to {parts[1]}"
    return " or ".join(part.replace("NoneType", "none") for part in parts)


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True, validated_data={})
    if isinstance(value, list | tuple):
        return ", ".join(f"`{item}`" for item in value) or "empty"
    return "empty" if value in ("", {}) else "none" if value is None else f"`{value}`"


if __name__ == "__main__":
    sys.exit(main("--check" in sys.argv[1:]))
