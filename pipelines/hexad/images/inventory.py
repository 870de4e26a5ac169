"""What an image holds: `python3 -m hexad.images.inventory` inside it prints packages of Python and of Debian as JSON.

Needs only the standard library, as an image has little else.
"""

import json
import platform
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

_DPKG = Path("/var/lib/dpkg/status")


def python_packages() -> list[dict[str, str]]:
    """Name, version and licence of every installed distribution."""
    found = {}
    for distribution in metadata.distributions():
        fields = distribution.metadata
        stated = [fields[key] for key in ("License-Expression", "License") if key in fields]
        licence = stated[0] if stated else ""
        found[fields["Name"].lower()] = {
            "name": fields["Name"],
            "version": distribution.version,
            "licence": licence.splitlines()[0][:200] if licence else "",
        }
    return [found[name] for name in sorted(found)]


def debian_packages(status: str) -> list[dict[str, str]]:
    """Name, version and architecture of the installed packages of a dpkg status file."""
    return [
        {"name": fields["Package"], "version": fields["Version"], "architecture": fields["Architecture"]}
        for fields in _stanzas(status)
        if fields.get("Status", "").endswith(" installed")
    ]


def _stanzas(status: str) -> Iterator[dict[str, str]]:
    for stanza in status.split("\n\n"):
        fields = [line.partition(": ") for line in stanza.splitlines() if ": " in line and not line.startswith(" ")]
        yield {name: value for name, _, value in fields}


def main() -> None:
    debian = debian_packages(_DPKG.read_text()) if _DPKG.exists() else []
    found = {"interpreter": platform.python_version(), "python": python_packages(), "debian": debian}
    print(json.dumps(found))  # noqa: T201  what this command is for


if __name__ == "__main__":
    main()
