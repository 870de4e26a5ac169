"""Objects as files: one object a file, a kustomization.yaml that lists them, base and overlays for many clusters."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from hexad.deployment.bundle import BUNDLE_LABEL
from hexad.deployment.cluster.gateway import GATEWAY_IMAGE
from hexad.deployment.cluster.json_patch import json_patch
from hexad.deployment.cluster.models import SERVE_IMAGE
from hexad.deployment.cluster.objects import endpoint_objects, external_secret, secret_templates
from hexad.deployment.cluster.plan import Object, Plan

Files = dict[str, str]
"""Path to text."""

KUSTOMIZATION = "kustomization.yaml"
SECRETS = "secrets.template.yaml"
EXTERNAL_SECRETS = "secrets.external.yaml"
OWN_PARTS = ("engine", "pipeline", "training", "monitoring")
"""Components with a folder of the base to themselves: clusters take them, or not."""

_HEADER = "# Made by `{maker}`; changes are lost when it runs again.\n"
_SECRETS_NOTE = "# Fill in and apply by hand, or let your secret store make these. Not part of the kustomization.\n"
_EXTERNAL_NOTE = (
    f"# The same secrets made by the External Secrets operator: put in your store instead of {SECRETS}'s values.\n"
)
_REFERENCE = re.compile(r"^(?P<name>[^@\s]+?)(?::(?P<tag>[\w][\w.-]{0,127}))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?$")


@dataclass(frozen=True)
class Overlay:
    """What one cluster gets."""

    objects: Sequence[Object]
    """Endpoint first; then what runs of the pipeline need."""
    secrets: Sequence[Object]
    """Templates; the same secret twice is one."""
    images: list[Object]


def image_entry(name: str, reference: str) -> Object:
    """kustomize's `images` entry that puts `reference` in the place of `name`. Raises ValueError for no reference."""
    found = _REFERENCE.match(reference)
    if found is None:
        raise ValueError(f"{reference!r} is no image reference; write NAME:TAG or NAME@sha256:…")
    entry = {"name": name, "newName": found["name"]}
    if found["digest"]:
        return entry | {"digest": found["digest"]}
    return entry | ({"newTag": found["tag"]} if found["tag"] else {})


def endpoint_images(images: Mapping[Any, str]) -> list[Object]:
    """`images` entries of an endpoint, from a profile's image per role."""
    names = {"serve": SERVE_IMAGE, "gateway": GATEWAY_IMAGE}
    return [image_entry(name, images[role]) for role, name in names.items() if role in images]


def endpoint_files(plan: Plan, images: list[Object], maker: str) -> Files:
    """`folder_files` of one endpoint."""
    return folder_files(Overlay(endpoint_objects(plan), secret_templates(plan), images), maker)


def folder_files(overlay: Overlay, maker: str) -> Files:
    """A folder of its own, without a base: what `kubectl apply -k` takes."""
    files = {**_object_files(overlay.objects), **_secret_files(overlay.secrets)}
    kustomization = _kustomization(sorted(map(file_name, overlay.objects))) | {"images": overlay.images}
    return _with_header({**files, KUSTOMIZATION: dump(kustomization)}, maker)


def manifest_tree(overlays: Mapping[str, Overlay], namespace: str, maker: str) -> Files:
    """`base/` with what the first cluster has, and `overlays/NAME/` with what makes every cluster's objects of it.

    Parts that the first cluster lacks come from the first one that has them. Every overlay builds to exactly its
    objects, and the namespace.
    """
    base = next(iter(overlays.values()))
    stock = {_key(made): made for made in base.objects}
    for made in (made for overlay in overlays.values() for made in overlay.objects if _part(made) in OWN_PARTS[1:]):
        stock.setdefault(_key(made), made)
    files: Files = {}
    for part in sorted({_part(made) for made in stock.values()}):
        members = [made for made in stock.values() if _part(made) == part]
        files |= _in(f"base/{part}", _object_files(members))
        files[f"base/{part}/{KUSTOMIZATION}"] = dump(_kustomization(sorted(map(file_name, members))))
    place = _namespace(namespace)
    files[f"base/namespace/{file_name(place)}"] = dump(place)
    files[f"base/namespace/{KUSTOMIZATION}"] = dump(_kustomization([file_name(place)]))
    for name, overlay in overlays.items():
        files |= _in(f"overlays/{name}", _overlay(stock, overlay))
    return _with_header(files, maker)


def dump(value: Any) -> str:
    """YAML in the order of the keys, text of several lines as a block."""
    return yaml.dump(value, Dumper=_Dumper, sort_keys=False, width=120, allow_unicode=True)


def file_name(made: Object) -> str:
    """Without the bundle's digest, so that a new bundle shows as a change of the same files."""
    name, labels = made["metadata"]["name"], made["metadata"].get("labels", {})
    if BUNDLE_LABEL in labels:
        name = labels["app.kubernetes.io/component"]
    return f"{name}.{made['kind'].lower()}.yaml"


def _overlay(stock: Mapping[str, Object], overlay: Overlay) -> Files:
    objects = overlay.objects
    keys = {_key(made) for made in objects}
    parts = sorted({_part(made) for key, made in stock.items() if key in keys})
    own = [made for made in objects if _key(made) not in stock]
    patches = [_patch_entry(stock[_key(made)], made) for made in objects if _key(made) in stock]
    # A part of the base comes whole, so what this cluster does not have is taken out again.
    surplus = [made for key, made in stock.items() if _part(made) in parts and key not in keys]
    deletions = [{"target": _target(made), "patch": dump(_deletion(made))} for made in surplus]
    resources = [f"../../base/{part}" for part in ["namespace", *parts]] + sorted(map(file_name, own))
    body = _kustomization(resources) | {"images": overlay.images}
    changes = [patch for patch in patches if patch is not None] + deletions
    if changes:
        body["patches"] = changes
    return {**_object_files(own), **_secret_files(overlay.secrets), KUSTOMIZATION: dump(body)}


def _patch_entry(old: Object, new: Object) -> Object | None:
    patch = json_patch(old, new)
    return {"target": _target(new), "patch": dump(patch)} if patch else None


def _deletion(made: Object) -> Object:
    identity = {"apiVersion": made["apiVersion"], "kind": made["kind"]}
    return identity | {"metadata": {"name": made["metadata"]["name"]}, "$patch": "delete"}


def _target(made: Object) -> Object:
    return {"kind": made["kind"], "name": made["metadata"]["name"]}


def _kustomization(resources: list[str]) -> Object:
    return {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization", "resources": resources}


def _namespace(name: str) -> Object:
    level = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "audit", "warn")}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": level}}


def _key(made: Object) -> str:
    return f"{made['kind']}/{made['metadata']['name']}"


def _part(made: Object) -> str:
    """Folder of the base that holds an object."""
    component: str = made["metadata"]["labels"]["app.kubernetes.io/component"]
    return component if component in OWN_PARTS else "gateway"


def _object_files(objects: Iterable[Object]) -> Files:
    return {file_name(made): dump(made) for made in objects}


def _secret_files(templates: Sequence[Object]) -> Files:
    once = list({made["metadata"]["name"]: made for made in templates}.values())
    if not once:
        return {}
    return {
        SECRETS: _SECRETS_NOTE + "---\n".join(map(dump, once)),
        EXTERNAL_SECRETS: _EXTERNAL_NOTE + "---\n".join(map(dump, map(external_secret, once))),
    }


def _in(folder: str, files: Files) -> Files:
    return {f"{folder}/{path}": text for path, text in files.items()}


def _with_header(files: Files, maker: str) -> Files:
    return {path: _HEADER.format(maker=maker) + text for path, text in sorted(files.items())}


class _Dumper(yaml.SafeDumper):
    """Objects share parts, which YAML would write as anchors."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)


_Dumper.add_representer(str, _text)
