"""The bill of materials names every package of an image."""

import json
from importlib.metadata import distributions

from hexad.images.inventory import debian_packages, python_packages
from hexad.images.sbom import DebianPackage, Inventory, PythonPackage, cyclonedx

STATUS = """Package: libc6
Status: install ok installed
Architecture: amd64
Version: 2.36-9+deb12u9
Description: library
 Version: not this one

Package: gone
Status: deinstall ok config-files
Architecture: amd64
Version: 1
"""
INVENTORY = Inventory(
    interpreter="3.11.2",
    python=[
        PythonPackage(name="PyYAML", version="6.0", licence="MIT"),
        PythonPackage(name="torch", version="2.13.0+cpu", licence=""),
    ],
    debian=[DebianPackage(name="libstdc++6", version="12.2.0-14", architecture="amd64")],
)


def test_every_python_package_of_an_environment_is_in_its_inventory() -> None:
    assert {package["name"].lower() for package in python_packages()} == {
        d.metadata["Name"].lower() for d in distributions()
    }


def test_debian_packages_that_were_removed_are_not_in_the_inventory() -> None:
    assert debian_packages(STATUS) == [{"name": "libc6", "version": "2.36-9+deb12u9", "architecture": "amd64"}]


def test_the_bill_names_every_package_by_a_package_url() -> None:
    bill = json.loads(cyclonedx("eval", "0123", INVENTORY))
    assert [component["purl"] for component in bill["components"]] == [
        "pkg:pypi/pyyaml@6.0",
        "pkg:pypi/torch@2.13.0%2Bcpu",
        "pkg:deb/debian/libstdc%2B%2B6@12.2.0-14?arch=amd64",
    ]


def test_the_image_depends_on_all_its_packages() -> None:
    bill = json.loads(cyclonedx("eval", "0123", INVENTORY))
    assert bill["dependencies"] == [{"ref": "eval", "dependsOn": [part["bom-ref"] for part in bill["components"]]}]


def test_the_same_inventory_gives_the_same_bytes() -> None:
    assert cyclonedx("eval", "0123", INVENTORY) == cyclonedx("eval", "0123", INVENTORY)
