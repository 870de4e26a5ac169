"""The `hexad` command. Bodies import what they need when they run, so that `--help` needs neither kfp nor torch.

Exit codes: 0 done, 1 the work failed, 2 bad input.
"""

import sys
from pathlib import Path
from typing import Annotated

import typer

from hexad.cli.options import (
    BuiltImages,
    Format,
    Host,
    ImagesInstead,
    KubeContext,
    Namespace,
    Pipeline,
    ProfileName,
    RecipeFile,
    RunId,
    Runner,
    Target,
    TokenFile,
    Watch,
)
from hexad.pipelines.pipeline_kinds import PipelineKind

app = typer.Typer(
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None,
    help="From an open base model to a served reasoning system, with proof of what every step is worth.",
)  # fmt: skip


@app.command()
def validate(recipe: RecipeFile) -> None:
    """Show every error of a recipe, with its line and its mend."""
    from hexad.cli.pipeline_commands import validate as body

    raise typer.Exit(body(recipe))


@app.command()
def plan(
    recipe: RecipeFile,
    profile: ProfileName = "local",
    assume: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="Another assumption, e.g. gpu=H200 or training_utilisation=0.4."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For tools, with every assumption.")] = False,
) -> None:
    """Estimate GPUs, memory, tokens and hours of each stage, and name what would not fit."""
    from hexad.cli.plan_command import plan as body

    raise typer.Exit(body(recipe, profile, assume or [], as_json))


@app.command("compile")
def compile_(
    recipe: RecipeFile,
    profile: ProfileName = "local",
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder for the YAML.")] = Path("build"),
    images: ImagesInstead = None,
    format_: Annotated[Format, typer.Option("--format", help="Kubeflow's, or an Argo WorkflowTemplate.")] = Format.KFP,
    pipeline: Pipeline = PipelineKind.POST_TRAINING,
) -> None:
    """Write the pipeline of a recipe for a cluster's profile."""
    from hexad.cli.pipeline_commands import compile_recipe as body

    raise typer.Exit(body(recipe, profile, out, images, pipeline, argo=format_ is Format.ARGO))


@app.command()
def run(
    recipe: RecipeFile,
    runner: Annotated[Runner, typer.Option(help="Tasks as processes or as containers.")] = Runner.SUBPROCESS,
    from_: Annotated[str, typer.Option("--from", metavar="STAGE", help="Compute again from this stage on.")] = "",
    out: Annotated[Path | None, typer.Option(help="Folder of the run; default runs/<recipe's name>.")] = None,
    store: Annotated[str, typer.Option(help="s3://… or file:///…; default: a server under the run's folder.")] = "",
    profile: ProfileName = "local",
    images: BuiltImages = Path("images.lock.json"),
    mount_source: Annotated[bool, typer.Option("--mount-source", help="Containers run this source.")] = False,
    pipeline: Pipeline = PipelineKind.POST_TRAINING,
) -> None:
    """Run a recipe on this machine, or go on with it."""
    from hexad.cli.run_command import run as body

    raise typer.Exit(body(recipe, runner.value, from_, out, store, profile, images, mount_source, pipeline))


@app.command()
def submit(
    recipe: RecipeFile,
    profile: ProfileName,
    host: Host,
    namespace: Namespace = "kubeflow",
    experiment: Annotated[str, typer.Option(help="Experiment that the run belongs to.")] = "hexad",
    watch: Watch = False,
    token_file: TokenFile = None,
    context: KubeContext = "",
    images: ImagesInstead = None,
    pipeline: Pipeline = PipelineKind.POST_TRAINING,
) -> None:
    """Start a run on a Kubeflow cluster."""
    from hexad.cli.connection import Target
    from hexad.cli.submit_command import submit as body

    target = Target(host, namespace, token_file, context)
    raise typer.Exit(body(recipe, profile, target, experiment, watch, images, pipeline))


@app.command()
def runs(
    host: Host,
    run_id: Annotated[str, typer.Argument(metavar="[RUN]", help="Id of a run; default: the newest ones.")] = "",
    namespace: Namespace = "kubeflow",
    experiment: Annotated[str, typer.Option(help="Only runs of this experiment.")] = "",
    count: Annotated[int, typer.Option(min=1, max=200, help="How many runs.")] = 20,
    watch: Watch = False,
    token_file: TokenFile = None,
    context: KubeContext = "",
) -> None:
    """Show the newest runs of a cluster and its schedules, or the stages of one run."""
    from hexad.cli.connection import Target
    from hexad.cli.runs_command import show as body

    raise typer.Exit(body(run_id, Target(host, namespace, token_file, context), experiment, count, watch))


@app.command()
def logs(
    run_id: RunId,
    host: Host,
    stage: Annotated[str, typer.Argument(metavar="[STAGE]", help="Default: the stage that runs or failed.")] = "",
    namespace: Namespace = "kubeflow",
    lines: Annotated[int, typer.Option(min=1, help="Lines of each pod.")] = 200,
    token_file: TokenFile = None,
    context: KubeContext = "",
) -> None:
    """Show the end of a stage's log on a cluster."""
    from hexad.cli.connection import Target
    from hexad.cli.runs_command import logs as body

    raise typer.Exit(body(run_id, stage, Target(host, namespace, token_file, context), lines))


@app.command()
def stop(
    run_id: RunId, host: Host, namespace: Namespace = "kubeflow", token_file: TokenFile = None,
    context: KubeContext = "",
) -> None:  # fmt: skip
    """End a run on a cluster with all that its tasks started, or delete a schedule."""
    from hexad.cli.connection import Target
    from hexad.cli.runs_command import stop as body

    raise typer.Exit(body(run_id, Target(host, namespace, token_file, context)))


@app.command()
def retry(
    run_id: RunId,
    host: Host,
    from_: Annotated[str, typer.Option("--from", metavar="STAGE", help="Compute again from this stage on.")] = "",
    namespace: Namespace = "kubeflow",
    watch: Watch = False,
    token_file: TokenFile = None,
    context: KubeContext = "",
) -> None:
    """Start a run again on a cluster: what is done is kept, but for what --from names."""
    from hexad.cli.connection import Target
    from hexad.cli.submit_command import retry as body

    raise typer.Exit(body(run_id, Target(host, namespace, token_file, context), from_, watch))


@app.command()
def schedule(
    recipe: RecipeFile,
    profile: ProfileName,
    host: Host,
    cron: Annotated[str, typer.Option(help="Six fields, seconds first, e.g. '0 0 3 * * 1'.")],
    namespace: Namespace = "kubeflow",
    experiment: Annotated[str, typer.Option(help="Experiment that the runs belong to.")] = "hexad-schedules",
    token_file: TokenFile = None,
    images: ImagesInstead = None,
) -> None:
    """Evaluate a recipe's models again and again on a cluster."""
    from hexad.cli.connection import Target
    from hexad.cli.submit_command import schedule as body

    raise typer.Exit(body(recipe, profile, Target(host, namespace, token_file), experiment, cron, images))


@app.command()
def job(
    stage: Annotated[str, typer.Argument(metavar="STAGE", help="A stage of the pipeline, e.g. sft.")],
    config: Annotated[Path | None, typer.Option(help="YAML or JSON: the stage's section, or a whole recipe.")] = None,
    out: Annotated[str, typer.Option(help="Store URI or folder under which the tree is committed.")] = "",
    in_: Annotated[
        list[str] | None, typer.Option("--in", metavar="NAME=TREE", help="Store URI or folder with a manifest.json.")
    ] = None,
    group: Annotated[str, typer.Option(help="Evaluation group, for evaluate.")] = "",
    seed: Annotated[int, typer.Option(help="Seed of the run.")] = 0,
    settings: Annotated[
        str,
        typer.Option(metavar="JSON", help="What a pipeline gives a stage, in place of --config, --out, --seed."),
    ] = "",
    result: Annotated[Path | None, typer.Option(help="Folder for two files: the tree's URI, and the figures.")] = None,
    state: Annotated[str, typer.Option(help="How the run ended, for cleanup.")] = "",
    failures: Annotated[str, typer.Option(help="What failed in it, for cleanup.")] = "",
) -> None:
    """Run one stage by hand, as its container does."""
    from hexad.cli.inputs import refuse
    from hexad.cli.job_command import ByHand
    from hexad.cli.job_command import job as body

    given = settings or (ByHand(config, out, seed) if config and out else "")
    if not given:
        raise refuse("give --config and --out, or --settings")
    raise typer.Exit(body(stage, given, in_ or [], group, result, state, failures))


@app.command()
def grade(
    domain: Annotated[str | None, typer.Option(help="Domain of rows that name none.")] = None,
) -> None:
    """Grade rows from standard input.

    Rows {id, domain, gold: {value, type?}, response} in; {id, status, score, extracted, detail, version} out.
    """
    from hexad.grading.cli import grade_stream

    # Bytes: rows are UTF-8 whatever the locale, and a line that is not is one row's error.
    for verdict in grade_stream(sys.stdin.buffer, domain):
        sys.stdout.buffer.write(verdict)
    sys.stdout.flush()


@app.command()
def serve(
    bundle: Annotated[str, typer.Argument(metavar="BUNDLE", help="Store URI of a bundle, or a run's folder.")],
    target: Annotated[Target, typer.Option(help="What the engine runs on.")] = Target.CPU,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port of the gateway.")] = 8000,
    follow: Annotated[
        bool, typer.Option("--follow", help="BUNDLE is <store>/bundles/NAME: change over when its pointer moves.")
    ] = False,
) -> None:
    """Start engine and gateway over a bundle."""
    from hexad.cli.serve_command import serve as body

    raise typer.Exit(body(bundle, target.value, port, follow))


@app.command()
def rollout(
    name: Annotated[str, typer.Option(help="Name under <store>/bundles.")],
    store: Annotated[str, typer.Option(help="s3://… or file:///…: where served bundles and their pointer lie.")],
    bundle: Annotated[
        str | None, typer.Argument(metavar="BUNDLE", help="Store URI of a bundle, or a run's folder.")
    ] = None,
    back: Annotated[bool, typer.Option("--back", help="Return to the bundle before the current one.")] = False,
    url: Annotated[str, typer.Option(help="Server that follows the pointer.")] = "http://127.0.0.1:8000",
    watch: Annotated[float, typer.Option(min=0, help="Seconds for which its error rate is watched.")] = 30.0,
    objects: Annotated[
        Path | None, typer.Option(help="YAML of the bundle's Kubernetes objects: roll out on that cluster.")
    ] = None,
    service: Annotated[
        str, typer.Option(help="Kubernetes Service that clients use; default: NAME with - for each dot.")
    ] = "",
    namespace: Annotated[str, typer.Option(help="Kubernetes namespace.")] = "hexad",
    gateway_url: Annotated[
        str, typer.Option(help="URL of a bundle's own gateway, {digest} for its digest; default: its own Service.")
    ] = "",
) -> None:
    """Prove a new bundle, send clients to it, and return to the old one when it fails."""
    from hexad.cli.rollout_command import GATEWAY_URL, Cluster
    from hexad.cli.rollout_command import rollout as body

    service = service or name.replace(".", "-")
    cluster = Cluster(objects, service, namespace, gateway_url or GATEWAY_URL) if objects else None
    raise typer.Exit(body(bundle, name, store, back, url, watch, cluster))


@app.command()
def manifests(
    bundle: Annotated[str | None, typer.Argument(metavar="[BUNDLE]", help="Store URI of a bundle, s3://….")] = None,
    spec: Annotated[Path | None, typer.Option(help="Endpoint spec instead, as in manifests/examples.")] = None,
    profile: ProfileName = "kind",
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder for the YAML.")] = Path("build/manifests"),
    images: ImagesInstead = None,
) -> None:
    """Write the Kubernetes objects that serve a bundle, or without one those that runs need, for `kubectl apply -k`."""
    from hexad.cli.manifests_command import manifests as body

    raise typer.Exit(body(bundle, spec, profile, out, images))


@app.command()
def ask(
    question: str,
    base_url: Annotated[str, typer.Option(help="URL of the endpoint.")] = "http://127.0.0.1:8000/v1",
    model: Annotated[str | None, typer.Option(help="Model name; default: the first one served.")] = None,
    key: Annotated[str | None, typer.Option(envvar="HEXAD_API_KEY", help="API key.")] = None,
) -> None:
    """Ask an endpoint and watch it plan, answer and choose."""
    from hexad.gateway.ask import run_ask

    raise typer.Exit(run_ask(question, base_url, model, key))


@app.command()
def report(
    run_folder: Annotated[Path, typer.Argument(metavar="RUN", help="A run's folder, e.g. runs/quickstart.")],
    open_: Annotated[bool, typer.Option("--open", help="Open the page in a browser.")] = False,
) -> None:
    """Show a finished run's numbers and where its page is."""
    from hexad.cli.run_command import report as body

    raise typer.Exit(body(run_folder, open_))


@app.command()
def put(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="A transformers model, or files of data.")],
    uri: Annotated[str, typer.Argument(metavar="URI", help="Where to, e.g. s3://hexad/models/qwen2.5-7b.")],
    id_: Annotated[str, typer.Option("--id", help="Its id on the hub; default: the folder's name.")] = "",
    revision: Annotated[str, typer.Option(help="Revision (commit) that the files are of.")] = "local",
) -> None:
    """Put a base model or data into the store, where recipes name it by its URI."""
    from hexad.cli.put_command import put as body

    raise typer.Exit(body(folder, uri, id_, revision))


@app.command()
def lineage(
    place: Annotated[str, typer.Argument(metavar="BUNDLE|RUN", help="Store URI of a tree, or a run's folder.")],
    svg: Annotated[Path | None, typer.Option(help="Draw it into this file.")] = None,
    html: Annotated[Path | None, typer.Option(help="Write a page with drawing and table into this file.")] = None,
) -> None:
    """Walk from a bundle or a run back to its datasets and base model."""
    from hexad.cli.lineage_command import lineage as body

    raise typer.Exit(body(place, svg, html))


@app.command()
def register(
    bundle: Annotated[str, typer.Argument(metavar="BUNDLE", help="Store URI of a bundle, or a run's folder.")],
    registry: Annotated[str, typer.Option(envvar="HEXAD_REGISTRY", help="URL of Kubeflow's Model Registry.")],
    scores: Annotated[str, typer.Option(help="Store URI of the run's scores; a run's folder knows them.")] = "",
    run_id: Annotated[str, typer.Option(help="Id of the Kubeflow run that made it.")] = "",
    namespace: Namespace = "kubeflow",
    held: Annotated[bool, typer.Option("--held", help="Register it although the gate holds it back.")] = False,
) -> None:
    """Register a bundle as a version of its model; the same bundle again changes nothing."""
    from hexad.cli.register_command import register as body

    raise typer.Exit(body(bundle, registry, scores, run_id, namespace, held))


@app.command()
def doctor(
    profile: Annotated[str, typer.Option(help="Check the cluster of this profile instead of this machine.")] = "",
    namespace: Namespace = "kubeflow",
    recipe: Annotated[Path | None, typer.Option(help="Check what this recipe asks for, too.")] = None,
    context: KubeContext = "",
    pull: Annotated[bool, typer.Option("--pull", help="Ask the image registry for every image.")] = False,
    images: ImagesInstead = None,
) -> None:
    """Check this machine, or a cluster with --profile: every failure with its mend."""
    from hexad.cli.doctor_command import doctor as body

    raise typer.Exit(body(profile, namespace, recipe, context, pull, images))


def main() -> None:
    """Entry point of the `hexad` script."""
    app()


if __name__ == "__main__":
    main()
