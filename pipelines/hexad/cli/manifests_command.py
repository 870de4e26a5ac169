"""manifests: an endpoint, or what runs need, as a folder that `kubectl apply -k` takes."""

from pathlib import Path

from pydantic import ValidationError

from hexad.cli.inputs import profile_from, read_with, refuse, say
from hexad.deployment.bundle import BUNDLE
from hexad.deployment.cluster.kustomization import Files, Overlay, endpoint_files, endpoint_images, folder_files
from hexad.deployment.cluster.plan import Plan
from hexad.deployment.endpoint import Endpoint, endpoint_of
from hexad.deployment.placement import Placement
from hexad.pipelines.profile import Profile
from hexad.pipelines.yaml_file import load
from hexad.platform.objects import run_images, run_objects
from hexad.platform.secrets import run_secrets
from hexad.records import Bundle
from hexad.storage import StorageError, open_store, read_manifest


def manifests(bundle: str | None, spec: Path | None, profile_name: str, out: Path, images: Path | None = None) -> int:
    """Write one endpoint to `out`, or without one what runs need; `out` must be empty or made by this command.

    Returns the exit code.
    """
    if bundle is not None and spec is not None:
        raise refuse("give either a bundle's store URI or --spec FILE, or neither for what runs need")
    profile = profile_from(profile_name, images)
    try:
        if bundle is None and spec is None:
            runs = Overlay(run_objects(profile), run_secrets(profile), run_images(profile))
            files = folder_files(runs, "hexad manifests")
        else:
            endpoint = endpoint_from(spec) if spec is not None else _endpoint(str(bundle))
            files = endpoint_files(plan_for(endpoint, profile), endpoint_images(profile.images), "hexad manifests")
    except ValidationError as invalid:
        lines = [f"{'.'.join(map(str, e['loc'])) or e['type']}: {e['msg']}" for e in invalid.errors(include_url=False)]
        raise refuse("\n".join(lines)) from invalid
    except ValueError as invalid:
        raise refuse(str(invalid)) from invalid
    except StorageError as error:
        say(str(error), error=True)
        return 1
    try:
        write_files(files, out)
    except FileExistsError as occupied:
        raise refuse(str(occupied)) from occupied
    except OSError as error:
        say(f"{out}: cannot be written ({error.strerror}); choose another folder with -o", error=True)
        return 1
    say(f"{len(files)} files in {out}; check them with: kubectl diff -k {out}")
    return 0


def endpoint_from(file: Path) -> Endpoint:
    """The spec of an endpoint, as in manifests/examples."""
    return read_with(lambda path: load(path, Endpoint), file)


def plan_for(endpoint: Endpoint, profile: Profile) -> Plan:
    """Raises ValueError for a profile that serves nothing."""
    if profile.endpoint is None:
        raise ValueError(f"profile {profile.name}: has no section `endpoint`; add one, as in profiles/kind.yaml")
    nowhere = Placement()
    return Plan(
        endpoint,
        profile.endpoint,
        engine=profile.placement.get("serve", nowhere),
        gateway=profile.placement.get("gateway", nowhere),
        store_secret=profile.store_secret,
        pull_secrets=tuple(profile.tasks.pull_secrets),
    )


def write_files(files: Files, root: Path) -> None:
    """Make the files under `root` those of `files`, whose first line says who makes them.

    Raises FileExistsError for a folder with a file that does not say so: it is somebody's, whatever its name.
    """
    if root.is_file():
        raise FileExistsError(f"{root}: is a file; choose a folder with -o")
    headings = {_first_line(text) for text in files.values()}
    there = {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}
    foreign = sorted(path for path in there if _first_line((root / path).read_text(errors="replace")) not in headings)
    if foreign:
        raise FileExistsError(
            f"{root}: holds {foreign[0]}, which this command did not make; choose an empty folder with -o"
        )
    for path in there - set(files):
        (root / path).unlink()
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)


def _first_line(text: str) -> str:
    return text.partition("\n")[0]


def _endpoint(uri: str) -> Endpoint:
    store = open_store(uri)
    manifest = read_manifest(store, uri)
    if manifest is None:
        raise ValueError(f"{uri}: no committed tree there; give the URI that the report's lineage names")
    record = Bundle.model_validate_json(store.read_bytes(f"{uri.rstrip('/')}/{BUNDLE}"))
    return endpoint_of(record, manifest)
