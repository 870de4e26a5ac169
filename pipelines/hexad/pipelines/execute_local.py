"""Execute a compiled pipeline with kfp.local: `python -m hexad.pipelines.execute_local YAML ROOT RUNNER`.

A process of its own, so that KFP's chatter has its own output and stopping a run is stopping a process.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from hexad.stage.lifeline import die_with_parent, hold_lifeline


def execute(compiled: Path, root: Path, runner: object) -> bool:
    """Whether the pipeline succeeded. Outputs and KFP's cache lie under `root`."""
    from kfp import components, local

    # workspace_root stays unset: KFP deletes that folder after every run, whatever else is in it.
    local.init(runner, pipeline_root=str(root), enable_caching=True, raise_on_error=True)
    try:
        components.load_component_from_file(str(compiled))()
    except RuntimeError as failed:
        print(failed, file=sys.stderr)  # noqa: T201  this process's output is the run's log
        return False
    return True


def _docker(root: Path, readable: Sequence[Path], mount_source: bool) -> object:
    """Containers that see the run's folders, and this source when asked, under the paths that they have here."""
    from kfp import local

    from hexad.pipelines.containers import container_arguments, make_writable
    from hexad.pipelines.run_folder import RunFolder

    os.umask(0o002)
    folder = RunFolder(root.parent)
    make_writable([folder.kfp, folder.work, folder.progress])
    # vLLM inspects a model's class in a process of its own, half a minute long, where it finds no note of it.
    os.environ.setdefault("VLLM_CACHE_ROOT", str(folder.work / "vllm"))
    # KFP itself mounts its root.
    writable = [folder.work, folder.progress]
    return local.DockerRunner(**container_arguments(os.environ, writable, readable, mount_source))


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="hexad.pipelines.execute_local", description=__doc__)
    parser.add_argument("compiled", type=Path)
    parser.add_argument("root", type=Path)
    parser.add_argument("runner", choices=("subprocess", "docker"))
    parser.add_argument("--mount-source", action="store_true", help="containers run this source, not the image's")
    parser.add_argument("--readable", type=Path, action="append", default=[], help="a folder that containers may read")
    given = parser.parse_args(arguments)
    die_with_parent()
    lifeline = hold_lifeline(given.root / "runner.lock")
    if given.runner == "docker":
        runner = _docker(given.root, given.readable, given.mount_source)
    else:
        from kfp import local

        runner = local.SubprocessRunner(use_venv=False)
    with lifeline:
        succeeded = execute(given.compiled, given.root, runner)
    sys.exit(0 if succeeded else 1)


if __name__ == "__main__":
    main()
