"""How `hexad run --runner docker` starts a task: as a cluster would, on this machine's folders and store."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import hexad
from hexad.storage.certificates import AUTHORITY, own_authority

SOMEBODY = 12345
"""User ID of the tasks when root starts them: any will do, as OpenShift picks any."""

_PASSED_ON = ("HEXAD_", "HF_HUB_", "VLLM_", "DO_NOT_TRACK", "OMP_", "TOKENIZERS_")
# The store's own folder is not a container's to see; HEXAD_S3_FOLDER would make it look for free space there.
_KEPT_BACK = ("HEXAD_S3_FOLDER",)


def container_arguments(
    environment: Mapping[str, str], writable: Sequence[Path], readable: Sequence[Path], mount_source: bool
) -> dict[str, Any]:
    """Arguments of `docker run` that every task gets: any user in group 0, a read-only root, no capabilities.

    `writable` and `readable` folders are mounted under the paths that they have here. With `mount_source` tasks run
    this source instead of what the image holds.
    """
    sources = [Path(folder).parent for folder in hexad.__path__] if mount_source else []
    given = {name: value for name, value in environment.items() if name.startswith(_PASSED_ON)}
    for name in _KEPT_BACK:
        given.pop(name, None)
    if AUTHORITY in given:  # its text, since a task does not see its file
        given[AUTHORITY] = own_authority(environment)
    if sources:
        given["PYTHONPATH"] = os.pathsep.join(str(source) for source in sources)
    return {
        "environment": given,
        "mounts": [*(_bind(path, False) for path in writable), *(_bind(path, True) for path in [*readable, *sources])],
        "user": f"{os.getuid() or SOMEBODY}:0",
        "read_only": True,
        "tmpfs": {"/tmp": "mode=1777,exec"},
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges"],
        # The store listens on this machine's loopback.
        "network_mode": "host",
        "shm_size": "2g",
        # A recipe's relative paths are relative to here.
        "working_dir": str(Path.cwd()),
    }


def make_writable(folders: Sequence[Path]) -> None:
    """Make `folders`, and what earlier runs left in them, writable for group 0, to which every task belongs."""
    for folder in folders:
        folder.mkdir(parents=True, exist_ok=True)
        for path in [folder, *folder.rglob("*")]:
            if path.stat().st_uid == os.getuid() and not path.is_symlink():
                path.chmod(path.stat().st_mode | 0o060 | (0o010 if path.is_dir() else 0))


def _bind(path: Path, read_only: bool) -> dict[str, Any]:
    """A mount in the Engine API's own words, which docker-py passes on as they are."""
    return {"Target": str(path), "Source": str(path), "Type": "bind", "ReadOnly": read_only}
