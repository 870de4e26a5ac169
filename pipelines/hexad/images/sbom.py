"""Software bill of materials of an image: CycloneDX 1.6 from its inventory. https://cyclonedx.org/docs/1.6/json/

Ours rather than cyclonedx-bom, which reads one Python environment and knows no Debian packages.
"""

import json
from typing import Any
from urllib.parse import quote

from pydantic import Field

from hexad.records import Record


class PythonPackage(Record):
    """A distribution installed in the image's environment."""

    name: str
    version: str
    licence: str = Field(description="As the package states it; empty where it does not.")


class DebianPackage(Record):
    """A package of the image's operating system."""

    name: str
    version: str
    architecture: str


class Inventory(Record):
    """What `hexad.images.inventory` prints."""

    interpreter: str = Field(description="Version of Python.")
    python: list[PythonPackage]
    debian: list[DebianPackage]


def cyclonedx(name: str, version: str, inventory: Inventory) -> str:
    """The bill as JSON text. Without a time or a serial number: the same image gives the same bytes."""
    parts = [_python(package) for package in inventory.python] + [_debian(package) for package in inventory.debian]
    subject = {"type": "container", "bom-ref": name, "name": f"hexad/{name}", "version": version}
    bill = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": subject, "properties": [{"name": "python", "value": inventory.interpreter}]},
        "components": parts,
        "dependencies": [{"ref": name, "dependsOn": [part["bom-ref"] for part in parts]}],
    }
    return json.dumps(bill, indent=1) + "\n"


def _python(package: PythonPackage) -> dict[str, Any]:
    name = package.name.lower().replace("_", "-")
    licences = {"licenses": [{"license": {"name": package.licence}}]} if package.licence else {}
    return _component(package.name, package.version, f"pkg:pypi/{name}@{quote(package.version)}") | licences


def _debian(package: DebianPackage) -> dict[str, Any]:
    where = f"pkg:deb/debian/{quote(package.name)}@{quote(package.version)}?arch={package.architecture}"
    return _component(package.name, package.version, where)


def _component(name: str, version: str, purl: str) -> dict[str, Any]:
    return {"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl}
