"""Versions are uploaded once, runs are started once, whatever the server does in between."""

from pathlib import Path

import pytest
from stub_kubeflow import Fault, StubKubeflow

from hexad.submission import pipeline_versions, runs
from hexad.submission.answers import Version
from hexad.submission.api import Exists, PipelinesApi, Unavailable

V2 = "/apis/v2beta1"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "pipeline.yaml"
    path.write_text("root: {dag: {}}\n---\nplatforms: {}\n")
    return path


@pytest.fixture
def version(api: PipelinesApi, file: Path) -> Version:
    return pipeline_versions.publish(api, file, "hexad-tiny-gke", "team")[0]


def test_a_version_is_named_by_the_digest_of_its_file(version: Version, file: Path) -> None:
    assert version.display_name == pipeline_versions.version_name(file)
    assert version.display_name.startswith("sha256-")
    assert version.pipeline_spec["pipeline_spec"] == {"root": {"dag": {}}}


def test_the_same_file_is_not_uploaded_again(
    version: Version, api: PipelinesApi, file: Path, stub: StubKubeflow
) -> None:
    again, uploaded = pipeline_versions.publish(api, file, "hexad-tiny-gke", "team")
    assert (again, uploaded) == (version, False)
    assert len(stub.asked("POST", f"{V2}/pipelines/upload_version")) == 1


def test_another_file_is_another_version_of_the_same_pipeline(version: Version, api: PipelinesApi, file: Path) -> None:
    file.write_text("root: {dag: {tasks: {}}}\n")
    other, uploaded = pipeline_versions.publish(api, file, "hexad-tiny-gke", "team")
    assert uploaded
    assert other.pipeline_id == version.pipeline_id
    assert other.pipeline_version_id != version.pipeline_version_id


def test_who_uploads_second_gets_the_version_of_who_was_first(
    version: Version, api: PipelinesApi, file: Path, stub: StubKubeflow
) -> None:
    versions = f"{V2}/pipelines/{version.pipeline_id}/versions"
    # The list is older than the other's upload.
    hidden = stub.versions.copy()
    stub.versions.clear()
    original = stub._upload_version

    def late(query: dict[str, str], body: object) -> tuple[int, object]:
        stub.versions.update(hidden)
        return original(query, body)

    stub._upload_version = late  # type: ignore[method-assign]
    again, uploaded = pipeline_versions.publish(api, file, "hexad-tiny-gke", "team")
    assert (again, uploaded) == (version, False)
    assert len(stub.asked("GET", versions)) == 3


def test_an_upload_that_was_answered_with_an_error_but_done_is_found(
    api: PipelinesApi, file: Path, stub: StubKubeflow
) -> None:
    stub.faults.append(Fault("POST", f"{V2}/pipelines/upload_version", 1, 502, after=True))
    version, _ = pipeline_versions.publish(api, file, "hexad-tiny-gke", "team")
    assert list(stub.versions) == [version.pipeline_version_id]


def test_a_name_that_another_namespace_took_is_told(api: PipelinesApi, file: Path, stub: StubKubeflow) -> None:
    stub.faults.append(Fault("POST", f"{V2}/pipelines/upload", 1, 409, "The name hexad-tiny-gke already exist"))
    with pytest.raises(Exists, match="The name hexad-tiny-gke already exist"):
        pipeline_versions.publish(api, file, "hexad-tiny-gke", "team")


def test_an_experiment_is_made_once(api: PipelinesApi, stub: StubKubeflow) -> None:
    first, second = (runs.experiment(api, "hexad", "team") for _ in range(2))
    assert first == second == "experiment-0"
    assert stub.experiments[first]["namespace"] == "team"


def test_an_experiment_that_is_there_and_cannot_be_found_is_told(api: PipelinesApi, stub: StubKubeflow) -> None:
    stub.faults.append(Fault("POST", f"{V2}/experiments", 1, 409, "The name hexad already exist"))
    with pytest.raises(Exists, match="The name hexad already exist"):
        runs.experiment(api, "hexad", "team")


def test_a_run_knows_its_version_and_parameters(version: Version, api: PipelinesApi, stub: StubKubeflow) -> None:
    run = runs.start(api, version, "tiny 1", "experiment-0", {"store_secret": "other"})
    made = stub.runs[run.run_id]
    assert made["pipeline_version_reference"]["pipeline_version_id"] == version.pipeline_version_id
    assert made["runtime_config"] == {"parameters": {"store_secret": "other"}}


def test_a_run_that_was_made_before_the_gateway_gave_up_is_not_made_twice(
    version: Version, api: PipelinesApi, stub: StubKubeflow
) -> None:
    stub.faults.append(Fault("POST", f"{V2}/runs", 1, 504, after=True))
    run = runs.start(api, version, "tiny 1", "experiment-0", {}, sleep=lambda _: None)
    assert list(stub.runs) == [run.run_id]
    assert len(stub.asked("POST", f"{V2}/runs")) == 1


def test_a_run_that_was_not_made_is_asked_for_again(version: Version, api: PipelinesApi, stub: StubKubeflow) -> None:
    stub.faults.append(Fault("POST", f"{V2}/runs", 2, 503))
    run = runs.start(api, version, "tiny 1", "experiment-0", {}, sleep=lambda _: None)
    assert list(stub.runs) == [run.run_id]
    assert len(stub.asked("POST", f"{V2}/runs")) == 3


def test_a_server_that_makes_no_runs_is_given_up_on(version: Version, api: PipelinesApi, stub: StubKubeflow) -> None:
    stub.faults.append(Fault("POST", f"{V2}/runs", 99, 500, "etcd is full"))
    with pytest.raises(Unavailable, match="etcd is full"):
        runs.start(api, version, "tiny 1", "experiment-0", {}, sleep=lambda _: None)


def test_a_schedule_runs_one_at_a_time_and_makes_up_for_nothing(
    version: Version, api: PipelinesApi, stub: StubKubeflow
) -> None:
    made = runs.schedule(api, version, "tiny-evaluate", "experiment-0", "0 0 3 * * 1", {})
    kept = stub.schedules[made.recurring_run_id]
    assert (kept["max_concurrency"], kept["no_catchup"], kept["mode"]) == ("1", True, "ENABLE")
    assert [s.trigger for s in runs.schedules(api, "team")] == [{"cron_schedule": {"cron": "0 0 3 * * 1"}}]
    runs.unschedule(api, made.recurring_run_id)
    assert runs.schedules(api, "team") == []
