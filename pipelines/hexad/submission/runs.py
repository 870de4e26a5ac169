"""Runs of published versions: start one, find it again, stop it."""

import time
from collections.abc import Callable, Mapping
from typing import Any

from hexad.submission.answers import RecurringRun, Run, Version
from hexad.submission.api import Exists, PipelinesApi, Unavailable, equals

_TRIES = 4


def experiment(api: PipelinesApi, name: str, namespace: str) -> str:
    """Id of the experiment, which is made when there is none. Raises ApiError."""
    found = _experiment(api, name, namespace)
    if found:
        return found
    try:
        made = api.post("/experiments", {"display_name": name, "namespace": namespace})
    except Exists:
        found = _experiment(api, name, namespace)
        if found is None:
            raise
        return found
    return str(made["experiment_id"])


def start(
    api: PipelinesApi,
    version: Version,
    name: str,
    experiment_id: str,
    parameters: Mapping[str, Any],
    service_account: str = "",
    sleep: Callable[[float], None] = time.sleep,
) -> Run:
    """A new run. `name` must be new: after an error of the server it is how we know whether the run was made.

    Raises ApiError.
    """
    body = {
        "display_name": name,
        "experiment_id": experiment_id,
        "pipeline_version_reference": _reference(version),
        "runtime_config": {"parameters": dict(parameters)},
    } | ({"service_account": service_account} if service_account else {})
    for attempt in range(_TRIES):
        try:
            return Run.model_validate(api.post("/runs", body, experiment_id=experiment_id))
        except Unavailable:
            # A gateway may give up on a request that the server goes on with; another would be a second run.
            made = named(api, name, experiment_id)
            if made:
                return made
            if attempt == _TRIES - 1:
                raise
            sleep(2.0**attempt)
    raise AssertionError("the last try returns or raises")


def named(api: PipelinesApi, name: str, experiment_id: str) -> Run | None:
    """The run of that name. Raises ApiError."""
    query: dict[str, str | int] = {
        "experiment_id": experiment_id,
        "filter": equals("display_name", name),
        "page_size": 10,
    }
    found = map(Run.model_validate, api.get("/runs", **query).get("runs", []))
    return next((run for run in found if run.display_name == name), None)


def get(api: PipelinesApi, run_id: str) -> Run:
    """Raises ApiError."""
    return Run.model_validate(api.get(f"/runs/{run_id}"))


def newest(api: PipelinesApi, namespace: str, count: int, experiment_name: str = "") -> list[Run]:
    """The newest runs, the latest first. Raises ApiError."""
    query: dict[str, str | int] = {"namespace": namespace, "sort_by": "created_at desc", "page_size": count}
    if experiment_name:
        found = _experiment(api, experiment_name, namespace)
        if not found:
            return []
        query["experiment_id"] = found
    return [Run.model_validate(run) for run in api.get("/runs", **query).get("runs", [])]


def terminate(api: PipelinesApi, run_id: str) -> None:
    """Ask Kubeflow to end the run's pods. Raises ApiError."""
    api.post(f"/runs/{run_id}:terminate", repeat=True)


def schedule(
    api: PipelinesApi, version: Version, name: str, experiment_id: str, cron: str, parameters: Mapping[str, Any],
    service_account: str = "",
) -> RecurringRun:  # fmt: skip
    """Start a run whenever `cron` says so, one at a time; missed times are not made up for. Raises ApiError."""
    body = {
        "display_name": name,
        "experiment_id": experiment_id,
        "pipeline_version_reference": _reference(version),
        "runtime_config": {"parameters": dict(parameters)},
        "trigger": {"cron_schedule": {"cron": cron}},
        "mode": "ENABLE",
        "max_concurrency": "1",
        "no_catchup": True,
    } | ({"service_account": service_account} if service_account else {})
    return RecurringRun.model_validate(api.post("/recurringruns", body))


def schedules(api: PipelinesApi, namespace: str) -> list[RecurringRun]:
    """Raises ApiError."""
    answer = api.get("/recurringruns", namespace=namespace, page_size=100)
    return [RecurringRun.model_validate(found) for found in answer.get("recurringRuns", [])]


def unschedule(api: PipelinesApi, recurring_run_id: str) -> None:
    """Raises ApiError."""
    api.delete(f"/recurringruns/{recurring_run_id}")


def _reference(version: Version) -> dict[str, str]:
    return {"pipeline_id": version.pipeline_id, "pipeline_version_id": version.pipeline_version_id}


def _experiment(api: PipelinesApi, name: str, namespace: str) -> str | None:
    answer = api.get("/experiments", namespace=namespace, filter=equals("display_name", name), page_size=10)
    found = answer.get("experiments", [])
    return next((str(e["experiment_id"]) for e in found if e.get("display_name") == name), None)
