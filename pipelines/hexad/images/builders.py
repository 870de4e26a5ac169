"""What docker, podman and buildah are told: pure command lines, so that one build does for all three."""

from collections.abc import Mapping
from typing import Literal, get_args

Builder = Literal["docker", "podman", "buildah"]
BUILDERS: tuple[str, ...] = get_args(Builder)

_BUILDAH_RUN = (
    'container=$(buildah from --pull=never "$0") && trap \'buildah rm "$container" >/dev/null\' EXIT'
    ' && buildah run --user 12345:0 "$container" -- "$@"'
)


def build(
    builder: Builder, context: str, tag: str, arguments: Mapping[str, str], labels: Mapping[str, str]
) -> list[str]:
    """Build `context`/Containerfile as `tag`, without network."""
    options = [
        *(f"--build-arg={name}={value}" for name, value in sorted(arguments.items())),
        *(f"--label={name}={value}" for name, value in sorted(labels.items())),
    ]
    return [builder, "build", "--network=none", f"--file={context}/Containerfile", f"--tag={tag}", *options, context]


def inspect(builder: Builder, tag: str) -> list[str]:
    """Prints the image's description as JSON. `see` reads it."""
    return ["buildah", "inspect", "--type=image", tag] if builder == "buildah" else [builder, "image", "inspect", tag]


def prune(builder: Builder) -> list[str]:
    """Delete the build stages, which hold the wheels; docker's own builder keeps them otherwise."""
    if builder == "buildah":
        return ["buildah", "rmi", "--prune"]
    return [builder, "image", "prune", "--force", "--filter=label=hexad.stage=build"]


def push(builder: Builder, tag: str, digest_file: str) -> list[str]:
    """Push `tag`; podman and buildah write the manifest's digest to `digest_file`, docker keeps it in the image."""
    return [builder, "push", tag] if builder == "docker" else [builder, "push", f"--digestfile={digest_file}", tag]


def save(builder: Builder, tags: list[str], archive: str) -> list[str]:
    """Write the images to a docker archive that holds every shared layer once."""
    if builder == "buildah":
        return ["buildah", "push", tags[0], f"docker-archive:{archive}"]
    several = ["--multi-image-archive"] if builder == "podman" else []
    return [builder, "save", *several, "--output", archive, *tags]


def run(builder: Builder, tag: str, command: list[str]) -> list[str]:
    """Run `command` in the image as it will run on a cluster: any user, no network, nothing writable but /tmp."""
    if builder == "buildah":
        return ["sh", "-c", _BUILDAH_RUN, tag, *command]
    return [builder, "run", "--rm", "--network=none", "--read-only", "--tmpfs=/tmp:mode=1777", "--user=12345:0",
            "--cap-drop=ALL", "--security-opt=no-new-privileges", "--entrypoint=", tag, *command]  # fmt: skip
