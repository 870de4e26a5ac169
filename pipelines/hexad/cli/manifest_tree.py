"""Write manifests/base and manifests/overlays: `python -m hexad.cli.manifest_tree [--check]`.

They show the endpoint of manifests/examples on every cluster of profiles/, and what runs of the pipeline need there.
`--check` writes nothing and exits with 1 when a file differs: `make lint` runs it.
"""

import sys
from pathlib import Path

from hexad.cli.inputs import profile_from, say
from hexad.cli.manifests_command import endpoint_from, plan_for
from hexad.deployment.cluster.kustomization import Files, Overlay, endpoint_images, manifest_tree
from hexad.deployment.cluster.objects import endpoint_objects, secret_templates
from hexad.pipelines.profile import Profile
from hexad.platform.labels import namespace
from hexad.platform.objects import run_images, run_objects
from hexad.platform.secrets import run_secrets

_ROOT = Path(__file__).parents[3]
_MANIFESTS = _ROOT / "manifests"
EXAMPLES = {
    "kind": "quickstart",
    "gke": "k2-think-32b",
    "eks": "k2-think-32b",
    "aks": "k2-think-32b",
    "onprem-gpu": "k2-think-32b",
    "cerebras": "k2-think-32b",
}
"""Overlay, which is a profile's name, to the example that it serves. The first one is the base."""


def files() -> Files:
    """Path under manifests/ to text."""
    profiles = {name: profile_from(str(_ROOT / "profiles" / f"{name}.yaml")) for name in EXAMPLES}
    overlays = {name: overlay(profile, EXAMPLES[name]) for name, profile in profiles.items()}
    return manifest_tree(overlays, namespace(next(iter(profiles.values()))), "make manifests")


def overlay(profile: Profile, example: str) -> Overlay:
    """An example's endpoint on a profile's cluster, and what runs need there."""
    plan = plan_for(endpoint_from(_MANIFESTS / "examples" / f"{example}.yaml"), profile)
    return Overlay(
        objects=[*endpoint_objects(plan), *run_objects(profile)],
        secrets=[*secret_templates(plan), *run_secrets(profile)],
        images=[*endpoint_images(profile.images), *run_images(profile)],
    )


def main(check: bool) -> int:
    """Write the tree, or say which files differ."""
    wanted = files()
    found = {
        str(path.relative_to(_MANIFESTS)): path.read_text()
        for folder in ("base", "overlays")
        for path in (_MANIFESTS / folder).rglob("*.yaml")
    }
    # Other folders of base belong to other makers, so only files that say they are made here go away.
    stale = [
        path for path, text in found.items() if path not in wanted and "`make manifests`" in text.split("\n", 1)[0]
    ]
    differing = [path for path, text in wanted.items() if found.get(path) != text]
    if check:
        for path in [*differing, *stale]:
            say(f"manifests/{path}: differs from what the code makes; run: make manifests", error=True)
        return 1 if differing or stale else 0
    for path in stale:
        (_MANIFESTS / path).unlink()
    for path in differing:
        (_MANIFESTS / path).parent.mkdir(parents=True, exist_ok=True)
        (_MANIFESTS / path).write_text(wanted[path])
        say(f"wrote manifests/{path}")
    return 0


if __name__ == "__main__":
    sys.exit(main("--check" in sys.argv[1:]))
