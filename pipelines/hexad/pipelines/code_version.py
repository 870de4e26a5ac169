"""A digest of exactly the source that a stage's result depends on, so that an edit elsewhere recomputes nothing.

Neither of KFP's caches sees the code inside an image. So each stage gets the digest of the modules that its job
reaches by imports (and by names in strings, for `python -m hexad.…`), with the templates beside them. Comments and
layout do not count. The machinery that moves bytes and starts stages does not either: `stage` and `storage`.
"""

import ast
import hashlib
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import hexad
from hexad.stage.boxes import Box

MACHINERY = ("hexad.stage", "hexad.storage")
_TEMPLATES = ("*.jinja", "*.json", "*.sql", "*.css")
_NAME = re.compile(r"\bhexad(?:\.[a-z_0-9]+)+")


def code_version(box: Box) -> str:
    """Digest of everything that `box`'s job imports from this package, 16 hexadecimal digits."""
    content = hashlib.sha256()
    for file in sorted(counted(box), key=_relative):
        content.update(f"{_relative(file)}\0{_digest(file)}\0".encode())
    return content.hexdigest()[:16]


def counted(box: Box) -> set[Path]:
    """Files of the digest: the modules that `box`'s job reaches, and the templates and styles beside them."""
    files = reached(f"hexad.{box.package}.{box.job}")
    return files | {found for file in files for pattern in _TEMPLATES for found in file.parent.glob(pattern)}


def reached(module: str) -> set[Path]:
    """Files of the modules that `module` reaches, itself included."""
    waiting, files = {module}, set[Path]()
    seen = set[str]()
    while waiting:
        name = waiting.pop()
        seen.add(name)
        file = _file(name)
        if file is None or name.startswith(MACHINERY):
            continue
        files.add(file)
        waiting |= _imported(file) - seen
    return files


@cache
def _digest(file: Path) -> str:
    text = ast.dump(_parsed(file)) if file.suffix == ".py" else file.read_text()
    return hashlib.sha256(text.encode()).hexdigest()


@cache
def _imported(file: Path) -> frozenset[str]:
    return frozenset(_names(file))


def _names(file: Path) -> Iterator[str]:
    for node in ast.walk(_parsed(file)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("hexad."):
            for alias in node.names:
                yield _home(str(node.module), alias.name)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.startswith("hexad."))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from _NAME.findall(node.value)


def _home(module: str, name: str) -> str:
    """The module that defines `name`, looking through a package's re-exports: importing `hexad.records.Trace` must
    not make a stage depend on every kind of record."""
    if _file(f"{module}.{name}"):
        return f"{module}.{name}"
    file = _file(module)
    if file is not None and file.name == "__init__.py":
        for node in _parsed(file).body:
            if isinstance(node, ast.ImportFrom) and any(alias.name == name for alias in node.names):
                return _home(str(node.module), name)
    return module


@cache
def _parsed(file: Path) -> ast.Module:
    return ast.parse(file.read_text())


@cache
def _file(module: str) -> Path | None:
    parts = module.split(".")[1:]
    for root in hexad.__path__:
        for candidate in (Path(root, *parts).with_suffix(".py"), Path(root, *parts, "__init__.py")):
            if candidate.is_file():
                return candidate
    return None


def _relative(file: Path) -> str:
    return next(str(file.relative_to(root)) for root in hexad.__path__ if file.is_relative_to(root))
