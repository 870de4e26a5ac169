"""The commands from end to end: a real compile, real HTTP, a stub of Kubeflow behind it."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import Result
from stub_kubeflow import TOKEN, Fault, StubKubeflow
from typer.testing import CliRunner

from hexad.cli.main import app
from hexad.images.plan import source_digest
from hexad.stage.context import RUN_LABEL
from hexad.submission.api import PipelinesApi
from hexad.submission.follow import follow

SOURCE = Path(__file__).parents[2] / "components" / "hexad"
V2 = "/apis/v2beta1"
NODE = "workflows.argoproj.io/node-name"
PODS = "/api/v1/namespaces/kubeflow/pods"


def task(name: str, state: str) -> dict[str, Any]:
    return {"display_name": name, "state": state, "start_time": "2026-01-01T00:00:00Z"}


def moment(state: str, *tasks: dict[str, Any]) -> dict[str, Any]:
    ended = {"finished_at": "2026-01-01T00:01:05Z"} if state in ("SUCCEEDED", "FAILED", "CANCELED") else {}
    return {"state": state, "run_details": {"task_details": list(tasks)}, **ended}


@pytest.fixture(autouse=True)
def surroundings(
    stub: StubKubeflow, kubeconfig: Callable[[], Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    prepare(stub, kubeconfig, monkeypatch, tmp_path)


def prepare(
    stub: StubKubeflow, kubeconfig: Callable[[], Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A folder of its own, with a kubeconfig and the token in the environment."""
    recipe = {"name": "test", "seed": 7, "curate": {"base": {"kind": "random"}}}
    (tmp_path / "recipe.yaml").write_text(yaml.safe_dump(recipe))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HEXAD_KFP_HOST", stub.host)
    monkeypatch.setenv("HEXAD_KFP_TOKEN", TOKEN)
    monkeypatch.setattr("kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION", str(kubeconfig()))
    # By their own parameter: a default is bound before any test could exchange time.sleep.
    no_wait = {"sleep": lambda _: None}
    monkeypatch.setattr("hexad.cli.connection.PipelinesApi", partial(PipelinesApi, **no_wait))
    monkeypatch.setattr("hexad.cli.submit_command.follow", partial(follow, **no_wait))


def hexad(*arguments: str) -> Result:
    done = CliRunner().invoke(app, arguments)
    assert TOKEN not in done.output
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done


def submit(*more: str) -> Result:
    return hexad("submit", "recipe.yaml", "--profile", "kind", *more)


def test_submit_makes_pipeline_version_experiment_and_run(stub: StubKubeflow) -> None:
    done = submit()
    assert done.exit_code == 0
    assert f"run run-0: {stub.host}/#/runs/details/run-0" in done.output
    assert [p["display_name"] for p in stub.pipelines.values()] == ["hexad-test-kind"]
    assert [e["display_name"] for e in stub.experiments.values()] == ["hexad"]
    version = stub.versions[stub.runs["run-0"]["pipeline_version_reference"]["pipeline_version_id"]]
    assert "sft" in version["pipeline_spec"]["pipeline_spec"]["root"]["inputDefinitions"]["parameters"]


def test_the_corpus_pipeline_is_submitted_under_a_name_of_its_own(stub: StubKubeflow) -> None:
    source = {"id": "a/b", "revision": "1", "path": "s3://bucket/a.parquet", "kind": "guru"}
    recipe = {"name": "test", "curate": {"base": {"kind": "random"}, "sources": [source], "corpus": {"shards": 3}}}
    Path("recipe.yaml").write_text(yaml.safe_dump(recipe))
    assert submit("--pipeline", "corpus").exit_code == 0
    assert [p["display_name"] for p in stub.pipelines.values()] == ["hexad-test-corpus-kind"]


def test_the_corpus_of_a_recipe_without_sources_is_not_submitted(stub: StubKubeflow) -> None:
    done = submit("--pipeline", "corpus")
    assert done.exit_code == 2
    assert "curate.sources is empty" in done.output


def test_submitting_twice_uploads_once(stub: StubKubeflow) -> None:
    first, second = submit(), submit()
    assert "uploaded" in first.output
    assert "was there already" in second.output
    assert len(stub.versions) == 1
    assert list(stub.runs) == ["run-0", "run-1"]


def test_watch_tells_stages_and_why_pods_wait_and_ends_with_the_run(stub: StubKubeflow) -> None:
    waiting = {"conditions": [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable",
                               "message": "0/3 nodes are available: 3 Insufficient nvidia.com/gpu."}]}  # fmt: skip
    stub.add(f"{PODS}/sft-a", {"pipeline/runid": "run-0"}, annotations={NODE: "w.root.sft.executor"}, status=waiting)
    stub.stories.append([
        moment("RUNNING", task("curate", "RUNNING")),
        moment("RUNNING", task("curate", "SUCCEEDED"), task("sft", "PENDING")),
        moment("SUCCEEDED", task("curate", "SUCCEEDED")),
    ])  # fmt: skip
    done = submit("--watch")
    assert done.exit_code == 0
    lines = done.output.splitlines()
    assert any(line.startswith("curate     running") for line in lines)
    assert any("Unschedulable: 0/3 nodes are available: 3 Insufficient nvidia.com/gpu." in line for line in lines)
    assert "run run-0: SUCCEEDED in 1:05" in lines


def test_watch_of_a_run_that_fails_names_stage_cause_and_log(stub: StubKubeflow) -> None:
    dead = {"containerStatuses": [{"state": {"terminated": {"reason": "OOMKilled", "exitCode": 137}}}]}
    stub.add(f"{PODS}/sft-a", {"pipeline/runid": "run-0"}, annotations={NODE: "w.root.sft.executor"}, status=dead)
    stub.stories.append([moment("FAILED", task("sft", "FAILED"))])
    done = submit("--watch")
    assert done.exit_code == 1
    assert "sft failed: OOMKilled; raise the memory of its image role" in done.output
    assert "hexad logs run-0 sft" in done.output


def test_watch_of_a_run_that_somebody_cancels_ends(stub: StubKubeflow) -> None:
    stub.stories.append([moment("CANCELING", task("sft", "RUNNING")), moment("CANCELED", task("sft", "CANCELED"))])
    done = submit("--watch")
    assert done.exit_code == 1
    assert "sft        stopped" in done.output
    assert "run run-0: CANCELED" in done.output


def test_watch_goes_on_over_errors_of_the_server(stub: StubKubeflow) -> None:
    stub.stories.append([moment("RUNNING", task("sft", "RUNNING")), moment("SUCCEEDED", task("sft", "SUCCEEDED"))])
    stub.faults.append(Fault("GET", f"{V2}/runs/run-0", 3, 503))
    assert submit("--watch").exit_code == 0


def test_watch_that_loses_the_server_says_that_the_run_goes_on(stub: StubKubeflow) -> None:
    stub.faults.append(Fault("GET", f"{V2}/runs/run-0", 99, 503))
    done = submit("--watch")
    assert done.exit_code == 1
    assert "the run goes on; look at it with: hexad runs run-0" in done.output


def test_a_token_that_is_refused_ends_with_1_and_what_to_do(
    stub: StubKubeflow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEXAD_KFP_TOKEN", "another-token-0d2e")
    done = submit()
    assert done.exit_code == 1
    assert "asked with the token in HEXAD_KFP_TOKEN; give one that is valid" in done.output
    assert "another-token-0d2e" not in done.output
    assert stub.runs == {}


def test_two_credentials_at_once_end_with_2(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEXAD_KFP_COOKIE", "session=1")
    done = submit()
    assert done.exit_code == 2
    assert "HEXAD_KFP_TOKEN and HEXAD_KFP_COOKIE are both given; keep one" in done.output


def test_a_profile_without_real_images_is_not_submitted(stub: StubKubeflow) -> None:
    done = hexad("submit", "recipe.yaml", "--profile", "gke")
    assert done.exit_code == 2
    assert "images of base, data, train, serve, gateway, eval are placeholders" in done.output
    assert stub.seen == []


def lock_of_images(source: str) -> str:
    """A file as `make images` writes it after a push, of images that hold this source."""
    built = {"id": "sha256:1", "git": "g", "source": source, "requirements": "", "sbom": "", "bytes": 1, "layers": []}
    names = ("base", "data", "train-gpu", "serve-gpu", "gateway", "eval")
    images = {name: {"reference": f"registry.test/{name}@sha256:{'1' * 64}", **built} for name in names}
    Path("images.lock.json").write_text(json.dumps({"images": images}))
    return "images.lock.json"


def test_such_a_profile_is_submitted_with_the_images_that_were_built(stub: StubKubeflow) -> None:
    lock = lock_of_images(source_digest(SOURCE))
    done = hexad("submit", "recipe.yaml", "--profile", "gke", "--images", lock)
    assert done.exit_code == 0, done.output
    [version] = stub.versions.values()
    tasks = version["pipeline_spec"]["pipeline_spec"]["deploymentSpec"]["executors"]
    assert f"registry.test/train-gpu@sha256:{'1' * 64}" in {task["container"]["image"] for task in tasks.values()}


def test_images_of_other_source_are_not_submitted(stub: StubKubeflow) -> None:
    done = hexad("submit", "recipe.yaml", "--profile", "gke", "--images", lock_of_images("other"))
    assert done.exit_code == 2
    assert "built from other source; run make images" in done.output
    assert stub.seen == []


def test_a_pipeline_with_findings_is_not_submitted(stub: StubKubeflow) -> None:
    source = Path(__file__).parents[2] / "profiles" / "kind.yaml"
    (Path.cwd() / "bad.yaml").write_text(source.read_text().replace("mutable_images: true", "mutable_images: false"))
    done = hexad("submit", "recipe.yaml", "--profile", "bad.yaml")
    assert done.exit_code == 1
    assert "can move under its tag" in done.output
    assert stub.seen == []


def test_runs_lists_runs_and_schedules(stub: StubKubeflow) -> None:
    submit()
    hexad("schedule", "recipe.yaml", "--profile", "kind", "--cron", "0 0 3 * * 1")
    done = hexad("runs")
    assert done.exit_code == 0
    assert "run-0" in done.output
    assert "PENDING" in done.output
    assert "schedule schedule-0  ENABLED" in done.output


def test_runs_of_one_run_shows_its_stages_and_the_running_ones_log(stub: StubKubeflow) -> None:
    submit()
    stub.add(f"{PODS}/sft-a", {"pipeline/runid": "run-0"}, annotations={NODE: "w.root.sft.executor"}, log="step 7\n")
    stub.runs["run-0"]["story"] = [moment("RUNNING", task("sft", "RUNNING"))]
    done = hexad("runs", "run-0")
    assert "sft        running" in done.output
    assert "step 7" in done.output


def test_logs_without_a_stage_are_those_of_the_one_that_failed(stub: StubKubeflow) -> None:
    submit()
    for stage in ("sft", "rlvr"):
        node = {NODE: f"w.root.{stage}.executor"}
        stub.add(f"{PODS}/{stage}-a", {"pipeline/runid": "run-0"}, annotations=node, log=f"{stage} one\n{stage} two\n")
    stub.runs["run-0"]["story"] = [moment("FAILED", task("sft", "SUCCEEDED"), task("rlvr", "FAILED"))]
    done = hexad("logs", "run-0", "--lines", "1")
    assert done.output == "== rlvr: rlvr-a\nrlvr two\n"
    assert hexad("logs", "run-0", "sft").output == "== sft: sft-a\nsft one\nsft two\n"
    gone = hexad("logs", "run-0", "verifier")
    assert gone.exit_code == 1
    assert "verifier: has no pods any more" in gone.output


def test_logs_of_a_task_after_the_stages_are_found(stub: StubKubeflow) -> None:
    stub.stories.append([moment("FAILED", task("register", "FAILED"))])
    submit()
    stub.add(
        f"{PODS}/register-a", {"pipeline/runid": "run-0"}, annotations={NODE: "w.root.register.executor"}, log="401\n"
    )
    for asked in (["logs", "run-0"], ["logs", "run-0", "register"]):
        done = hexad(*asked)
        assert (done.exit_code, "== register: register-a\n401" in done.output) == (0, True), done.output


def test_stop_ends_the_run_and_deletes_what_it_started(stub: StubKubeflow) -> None:
    submit()
    stub.kinds.add("trainjobs")
    job = "/apis/trainer.kubeflow.org/v1alpha1/namespaces/kubeflow/trainjobs/sft-1"
    stub.add(job, {RUN_LABEL: "run-0"})
    done = hexad("stop", "run-0")
    assert done.output.splitlines() == ["run run-0: told to end", "deleted trainjobs/sft-1"]
    assert job not in stub.objects
    assert stub.runs["run-0"]["state"] == "CANCELING"


def test_stop_clears_up_after_a_run_that_is_over(stub: StubKubeflow) -> None:
    submit()
    stub.runs["run-0"]["state"] = "FAILED"
    stub.add("/apis/apps/v1/namespaces/kubeflow/deployments/engine-1", {RUN_LABEL: "run-0"})
    done = hexad("stop", "run-0")
    assert done.output.splitlines() == ["run run-0: is over already (FAILED)", "deleted deployments/engine-1"]
    assert stub.asked("POST", f"{V2}/runs/run-0:terminate") == []


def test_stop_of_a_schedule_deletes_it(stub: StubKubeflow) -> None:
    hexad("schedule", "recipe.yaml", "--profile", "kind", "--cron", "0 0 3 * * 1")
    assert hexad("stop", "schedule-0").output == "schedule schedule-0: deleted\n"
    assert stub.schedules == {}


def test_stop_of_nothing_ends_with_1(stub: StubKubeflow) -> None:
    done = hexad("stop", "run-9")
    assert done.exit_code == 1
    assert "Run run-9 not found; check the id and the host" in done.output


def test_retry_from_a_stage_computes_it_and_what_follows_and_nothing_before(stub: StubKubeflow) -> None:
    submit()
    done = hexad("retry", "run-0", "--from", "verifier")
    assert done.exit_code == 0
    old, new = stub.runs["run-0"], stub.runs["run-1"]
    assert new["pipeline_version_reference"] == old["pipeline_version_reference"]
    assert new["display_name"] != old["display_name"]
    attempts = {
        name: json.loads(value)["context"]["attempt"]
        for name, value in new["runtime_config"]["parameters"].items()
        if value.startswith("{")
    }
    changed = {name for name, attempt in attempts.items() if attempt}
    assert changed == {"verifier", "drafter", "serve", "evaluate", "scores", "gate", "report"}
    assert len({attempts[name] for name in changed}) == 1


def test_retry_without_a_stage_starts_the_same_again(stub: StubKubeflow) -> None:
    submit()
    hexad("retry", "run-0")
    parameters = stub.runs["run-1"]["runtime_config"]["parameters"]
    assert {json.loads(v)["context"]["attempt"] for v in parameters.values() if v.startswith("{")} == {0}


def test_retry_keeps_what_the_run_was_given(stub: StubKubeflow) -> None:
    submit()
    stub.runs["run-0"]["runtime_config"] = {"parameters": {"store_secret": "another"}}
    hexad("retry", "run-0", "--from", "gate")
    assert stub.runs["run-1"]["runtime_config"]["parameters"]["store_secret"] == "another"


def test_retry_from_no_stage_ends_with_2() -> None:
    done = hexad("retry", "run-0", "--from", "stf")
    assert done.exit_code == 2
    assert "--from stf: no such stage; stages are preflight, curate, sft" in done.output


def test_a_schedule_evaluates_anew_in_every_run(stub: StubKubeflow) -> None:
    done = hexad("schedule", "recipe.yaml", "--profile", "kind", "--cron", "0 0 3 * * 1")
    assert done.exit_code == 0
    made = stub.schedules["schedule-0"]
    assert made["trigger"] == {"cron_schedule": {"cron": "0 0 3 * * 1"}}
    spec = stub.versions[made["pipeline_version_reference"]["pipeline_version_id"]]["pipeline_spec"]["pipeline_spec"]
    parameters = spec["root"]["inputDefinitions"]["parameters"]
    anew = {
        name
        for name, parameter in parameters.items()
        if parameter["defaultValue"].startswith("{")
        and json.loads(parameter["defaultValue"])["context"].get("every_run")
    }
    assert anew == {"evaluate", "scores"}


def test_a_schedule_in_five_fields_ends_with_2() -> None:
    done = hexad("schedule", "recipe.yaml", "--profile", "kind", "--cron", "0 3 * * 1")
    assert done.exit_code == 2
    assert "Kubeflow wants six fields, seconds first" in done.output
