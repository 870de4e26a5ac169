"""Locked requirements: `name==version --hash=sha256:…`, one package a line, in the form that pip reads."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

_LINE = re.compile(
    r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>\S+)(?P<hashes>( --hash=sha256:[0-9a-f]{64})+)(?P<source> # sdist)?$"
)


@dataclass(frozen=True)
class Locked:
    """One package of a lock; `name` in the canonical form of PEP 503."""

    name: str
    version: str
    hashes: tuple[str, ...]
    """sha256 of the files that may be installed, 64 hexadecimal digits each."""
    source: bool = False
    """The file is an sdist: the wheelhouse makes the wheel."""

    def line(self) -> str:
        hashes = "".join(f" --hash=sha256:{digest}" for digest in self.hashes)
        return f"{self.name}=={self.version}{hashes}{' # sdist' if self.source else ''}"


def parse(text: str, where: str) -> dict[str, Locked]:
    """A lock by package. Raises ValueError with `where` and the line that is not one package with a hash."""
    packages: dict[str, Locked] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        match = _LINE.match(line)
        if match is None:
            raise ValueError(
                f"{where}:{number}: {line!r} is not 'name==version --hash=sha256:…'; run: make image-locks"
            )
        name = canonicalize_name(match["name"])
        packages[name] = Locked(name, match["version"], tuple(re.findall(r"[0-9a-f]{64}", match["hashes"])),
                                bool(match["source"]))  # fmt: skip
    return packages


def render(packages: Iterable[Locked], title: str) -> str:
    """A lock file, in the order of the names."""
    return f"# {title}\n" + "".join(f"{p.line()}\n" for p in sorted(packages, key=lambda p: p.name))


def added(lock: Mapping[str, Locked], parent: Mapping[str, Locked]) -> list[Locked]:
    """What an image installs on top of its parent. Raises ValueError where the two locks differ on a package."""
    for name in lock.keys() & parent.keys():
        if lock[name] != parent[name]:
            raise ValueError(
                f"{name}: {lock[name].version} here and {parent[name].version} in the image it is built on, or another "
                "file of it; run: make image-locks"
            )
    return [package for name, package in sorted(lock.items()) if name not in parent]


def closure(
    wanted: Iterable[str],
    requires: Callable[[str], Iterable[str]],
    excluded: frozenset[str] = frozenset(),
    alone: frozenset[str] = frozenset(),
) -> set[str]:
    """Canonical names of `wanted` and of all that they require.

    `requires` gives a package's requirement lines; those of packages in `alone` are not followed.
    """
    waiting = [Requirement(line) for line in wanted]
    seen = set[tuple[str, str]]()
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        if name in excluded:
            continue
        for extra in ("", *requirement.extras):
            if (name, extra) not in seen:
                seen.add((name, extra))
                lines = () if name in alone else requires(name)
                waiting += [r for r in map(Requirement, lines) if _applies(r, extra)]
    return {name for name, _ in seen}


def _applies(requirement: Requirement, extra: str) -> bool:
    return requirement.marker is None or requirement.marker.evaluate({"extra": extra})
