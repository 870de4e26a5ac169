"""Arguments and options that several commands take."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from hexad.pipelines.pipeline_kinds import PipelineKind

RecipeFile = Annotated[Path, typer.Argument(metavar="RECIPE", help="Recipe, e.g. recipes/quickstart.yaml.")]
ProfileName = Annotated[str, typer.Option("--profile", help="A name in profiles/, or a file.")]
Host = Annotated[str, typer.Option(envvar="HEXAD_KFP_HOST", help="URL of the Kubeflow Pipelines API.")]
Namespace = Annotated[str, typer.Option(envvar="HEXAD_KFP_NAMESPACE", help="Namespace of the runs.")]
TokenFile = Annotated[Path | None, typer.Option(help="File with a service account's token; see docs/cluster.md.")]
KubeContext = Annotated[str, typer.Option(help="Context of your kubeconfig; default: the current one.")]
Watch = Annotated[bool, typer.Option("--watch", help="Show the stages until the run ends.")]
RunId = Annotated[str, typer.Argument(metavar="RUN", help="Id of a run.")]
BuiltImages = Annotated[Path, typer.Option("--images", help="Lock of images that `make images` wrote.")]
ImagesInstead = Annotated[
    Path | None, typer.Option("--images", help="Lock of images to take instead of the profile's images.")
]
Pipeline = Annotated[PipelineKind, typer.Option(help="'corpus' prepares the recipe's sources alone, in shards.")]


class Runner(StrEnum):
    """How local tasks run."""

    SUBPROCESS = "subprocess"
    DOCKER = "docker"


class Format(StrEnum):
    """What a pipeline is compiled to."""

    KFP = "kfp"
    ARGO = "argo"


class Target(StrEnum):
    """What an endpoint runs on."""

    CPU = "cpu"
    CEREBRAS = "cerebras"
