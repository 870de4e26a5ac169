"""Execute a compiled pipeline with kfp.local: `python -m hexad.pipelines.execute_local YAML ROOT RUNNER`.

A process of its own, so that KFP's chatter has its own output and stopping a run is stopping a process.
"""

import os
import sys
from pathlib import Path

import hexad
from hexad.stage.lifeline import RUNNER, die_with_parent

_PASSED_ON = ("HEXAD_", "HF_HUB_", "VLLM_", "DO_NOT_TRACK", "OMP_", "TOKENIZERS_")


def execute(compiled: Path, root: Path, runner: str) -> bool:
    """Whether the pipeline succeeded. Outputs and KFP's cache lie under `root`."""
    from kfp import components, local

    # workspace_root stays unset: KFP deletes that folder after every run, whatever else is in it.
    local.init(
        _docker(root) if runner == "docker" else local.SubprocessRunner(use_venv=False),
        pipeline_root=str(root), enable_caching=True, raise_on_error=True,
    )  # fmt: skip
    try:
        components.load_component_from_file(str(compiled))()
    except RuntimeError as failed:
        print(failed, file=sys.stderr)  # noqa: T201  this process's output is the run's log
        return False
    return True


def _docker(root: Path) -> object:
    """Containers that see this source and the run's folder under the paths that they have here."""
    from docker.types import Mount
    from kfp import local

    sources = [str(Path(folder).parent) for folder in hexad.__path__]
    run = str(root.parent)
    environment = {k: v for k, v in os.environ.items() if k.startswith(_PASSED_ON)}
    return local.DockerRunner(
        mounts=[*(Mount(s, s, type="bind", read_only=True) for s in sources), Mount(run, run, type="bind")],
        environment={**environment, "PYTHONPATH": os.pathsep.join(sources)},
        network_mode="host", shm_size="2g", user=f"{os.getuid()}:{os.getgid()}",
    )  # fmt: skip


def main() -> None:
    compiled, root, runner = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
    die_with_parent()
    if runner == "subprocess":
        os.environ[RUNNER] = str(os.getpid())
    sys.exit(0 if execute(compiled, root, runner) else 1)


if __name__ == "__main__":
    main()
