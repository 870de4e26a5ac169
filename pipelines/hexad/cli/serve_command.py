"""serve: a bundle, or what a run left behind."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import typer

from hexad.cli.inputs import refuse, say, summary_of
from hexad.pipelines.run_folder import RunFolder
from hexad.storage import BadStoreUri, StorageError


def serve(bundle: str, target: str, port: int, follow: bool) -> int:
    from hexad.deployment.external import BackendError
    from hexad.deployment.fetch import RefusedBundle
    from hexad.deployment.front import PortTaken
    from hexad.deployment.pointer import NoBundle
    from hexad.engines.vllm_server import EngineError
    from hexad.serving.local import serve as serve_bundle

    try:
        serve_bundle(bundle_uri(bundle), target, port, follow, say)
    except (BackendError, BadStoreUri, NoBundle, RefusedBundle, PortTaken) as error:
        raise refuse(str(error)) from error
    except (StorageError, EngineError, OSError) as error:
        say(str(error), error=True)
        return 1
    return 0


@contextmanager
def bundle_uri(bundle: str) -> Iterator[str]:
    """From what people give to a store URI or a bundle's folder, with a finished run's own store up meanwhile."""
    run = RunFolder(Path(bundle))
    if "://" in bundle or (Path(bundle) / "bundle.json").is_file():
        yield bundle
        return
    if not run.summary.is_file():
        unfinished = run.root.is_dir() and run.compiled.is_file()
        raise refuse(
            f"{bundle}: this run has not finished; go on with: hexad run RECIPE --out {bundle}"
            if unfinished
            else f"{bundle}: neither a bundle nor a finished run; give a store URI, or a folder such as runs/NAME"
        )
    stage = summary_of(run.summary).stages.get("serve")
    if stage is None or not stage.manifest:
        raise refuse(f"{run.summary}: names no bundle; run the recipe to its end, with the serve stage on")
    if not run.store.is_dir():
        yield stage.manifest
        return
    from hexad.storage.embedded import EmbeddedS3

    with ExitStack() as stack:
        try:
            server = stack.enter_context(EmbeddedS3(run.store))
        except StorageError as error:
            say(str(error), error=True)
            raise typer.Exit(1) from error
        os.environ.update(server.environment())
        yield stage.manifest
