"""serve: a bundle, or what a run left behind."""

import os
from contextlib import nullcontext
from pathlib import Path

from hexad.cli.inputs import refuse, say
from hexad.pipelines.run_folder import RunFolder
from hexad.records import Summary
from hexad.storage import StorageError


def serve(bundle: str, target: str, port: int) -> int:
    run = RunFolder(Path(bundle))
    if "://" not in bundle and not run.summary.is_file() and not (Path(bundle) / "bundle.json").is_file():
        raise refuse(f"{bundle}: neither a bundle nor a finished run; give a store URI, or a folder such as runs/NAME")
    from hexad.deployment.external import BackendError
    from hexad.engines.vllm_server import EngineError
    from hexad.serving.local import serve as serve_bundle
    from hexad.storage.embedded import EmbeddedS3

    finished = "://" not in bundle and run.summary.is_file()
    server = EmbeddedS3(run.store) if finished and run.store.is_dir() else nullcontext()
    try:
        with server as embedded:
            if embedded is not None:
                os.environ.update(embedded.environment())
            uri = Summary.model_validate_json(run.summary.read_bytes()).stages["serve"].manifest if finished else bundle
            return serve_bundle(uri, target, port)
    except BackendError as error:
        raise refuse(str(error)) from error
    except (EngineError, StorageError, OSError) as error:
        say(str(error), error=True)
        return 1
