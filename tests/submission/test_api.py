"""Requests to Kubeflow: repeated where that is safe, bounded in time, explained when refused, silent about who asks."""

import traceback
from pathlib import Path

import pytest
from stub_kubeflow import TOKEN, Fault, StubKubeflow, client

from hexad.submission import runs
from hexad.submission.api import ApiError, Exists, Missing, PipelinesApi, Refused, Unavailable
from hexad.submission.credentials import BadCredentials, from_environment

RUNS = "/apis/v2beta1/runs"


def test_an_answer_comes_back_as_data(api: PipelinesApi, stub: StubKubeflow) -> None:
    assert api.get("/runs", namespace="team") == {"runs": []}
    assert stub.seen[0].headers["Authorization"] == f"Bearer {TOKEN}"
    assert stub.seen[0].query == {"namespace": "team"}


def test_requests_are_logged_by_what_kfps_client_is_made_of(
    api: PipelinesApi, stub: StubKubeflow, logged: list[str]
) -> None:
    api.get("/runs")
    assert any("GET /apis/v2beta1/runs HTTP/1.1" in line for line in logged)
    assert any("response body" in line for line in logged)


def test_a_wrong_token_is_refused_at_once_and_the_message_names_the_kind_not_the_value(stub: StubKubeflow) -> None:
    with pytest.raises(Refused) as refused:
        client(stub, "wrong-token-8a7d").get("/runs")
    assert "401" in str(refused.value)
    assert "the token in HEXAD_KFP_TOKEN" in str(refused.value)
    assert len(stub.seen) == 1


def test_a_server_that_repeats_the_token_cannot_put_it_into_a_traceback(stub: StubKubeflow) -> None:
    wrong = "wrong-token-8a7d"
    with pytest.raises(Refused) as refused:
        client(stub, wrong).get("/runs")
    told = "".join(traceback.format_exception(refused.value))
    assert "who is ***?" in told
    assert wrong not in told
    assert "a-session-of-the-server" not in told


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault("GET", RUNS, 1, 403, "user is not authorized"), Refused),
        (Fault("GET", RUNS, 1, 302, page=True), Refused),
        (Fault("GET", RUNS, 1, 200, page=True), Refused),
        (Fault("GET", RUNS, 1, 404, "no such run"), Missing),
        (Fault("GET", RUNS, 1, 409, "name exists"), Exists),
        (Fault("GET", RUNS, 1, 400, "Already exist error: the name"), Exists),
        (Fault("GET", RUNS, 1, 400, "bad filter"), ApiError),
    ],
    ids=["forbidden", "login redirect", "login page", "missing", "exists", "exists as 400", "bad request"],
)
def test_a_refusal_is_told_apart_and_not_repeated(
    fault: Fault, error: type[ApiError], api: PipelinesApi, stub: StubKubeflow
) -> None:
    stub.faults.append(fault)
    with pytest.raises(error) as raised:
        api.get("/runs")
    assert raised.type is error
    assert stub.host in str(raised.value)
    assert len(stub.seen) == 1


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_an_error_of_the_server_is_asked_again_until_it_is_over(
    status: int, api: PipelinesApi, stub: StubKubeflow
) -> None:
    stub.faults.append(Fault("GET", RUNS, 3, status))
    assert api.get("/runs") == {"runs": []}
    assert len(stub.seen) == 4


def test_a_server_that_stays_broken_is_given_up_on_after_five_tries(api: PipelinesApi, stub: StubKubeflow) -> None:
    stub.faults.append(Fault("GET", RUNS, 99, 503, "no healthy upstream"))
    with pytest.raises(Unavailable, match=r"503 .*no healthy upstream; try again later"):
        api.get("/runs")
    assert len(stub.seen) == 5


def test_tries_are_further_and_further_apart(stub: StubKubeflow) -> None:
    waits: list[float] = []
    stub.faults.append(Fault("GET", RUNS, 4))
    patient = PipelinesApi(stub.host, from_environment({"HEXAD_KFP_TOKEN": TOKEN}), sleep=waits.append)
    patient.get("/runs")
    assert waits == [1.0, 2.0, 4.0, 8.0]


def test_a_slow_server_is_not_waited_for_beyond_the_limit(stub: StubKubeflow) -> None:
    stub.faults.append(Fault("GET", RUNS, 1, 0, seconds=2.0))
    hasty = client(stub, TOKEN, timeout_s=0.3)
    assert hasty.get("/runs") == {"runs": []}
    assert len(stub.seen) == 2


def test_a_host_that_does_not_answer_is_named() -> None:
    nobody = PipelinesApi("http://127.0.0.1:9", from_environment({}), sleep=lambda _: None)
    with pytest.raises(Unavailable, match=r"http://127\.0\.0\.1:9: no answer to GET /runs; .*refused"):
        nobody.get("/runs")


def test_a_certificate_that_nobody_vouches_for_is_told_with_the_mend(stub: StubKubeflow) -> None:
    secure = PipelinesApi(stub.host.replace("http", "https"), from_environment({}), sleep=lambda _: None)
    with pytest.raises(Unavailable, match=r"SSL.*; check the host, and HEXAD_KFP_CA for a certificate"):
        secure.get("/runs")


def test_a_host_with_a_password_is_refused_without_repeating_it() -> None:
    with pytest.raises(ValueError, match="holds credentials, which no option may") as refused:
        PipelinesApi(f"https://me:{TOKEN}@kubeflow.example", from_environment({}))
    assert TOKEN not in str(refused.value)


def test_a_post_that_may_not_happen_twice_is_sent_once(api: PipelinesApi, stub: StubKubeflow) -> None:
    stub.faults.append(Fault("POST", RUNS, 1))
    with pytest.raises(Unavailable):
        api.post("/runs", {})
    assert len(stub.seen) == 1


def test_a_server_that_repeats_a_part_of_the_cookie_cannot_show_it_either(stub: StubKubeflow) -> None:
    cookie = from_environment({"HEXAD_KFP_COOKIE": "session=wrong-8a7d; other=second-91c2"})
    assert cookie.redact("who is wrong-8a7d, and second-91c2?") == "who is ***, and ***?"


def test_a_cookie_takes_the_place_of_a_token(stub: StubKubeflow) -> None:
    stub.token, stub.cookie = "", f"authservice_session={TOKEN}"
    api = PipelinesApi(stub.host, from_environment({"HEXAD_KFP_COOKIE": stub.cookie}))
    assert runs.newest(api, "team", 5) == []
    assert "Authorization" not in stub.seen[0].headers


def test_a_token_file_is_read_for_every_request_because_the_kubelet_renews_it(
    stub: StubKubeflow, tmp_path: Path
) -> None:
    file = tmp_path / "token"
    file.write_text("old\n")
    api = PipelinesApi(stub.host, from_environment({}, file))
    with pytest.raises(Refused, match="the service account token in"):
        api.get("/runs")
    file.write_text(f"{TOKEN}\n")
    assert api.get("/runs") == {"runs": []}


@pytest.mark.parametrize(
    ("environment", "says"),
    [
        ({"HEXAD_KFP_TOKEN": "one", "HEXAD_KFP_COOKIE": "two"}, "are both given; keep one"),
        ({"HEXAD_KFP_TOKEN": f"{TOKEN}\nX-Evil: 1"}, "holds line breaks"),
        ({"HEXAD_KFP_TOKEN": f"“{TOKEN}”"}, "no header can hold"),
        ({"KF_PIPELINES_SA_TOKEN_PATH": "/nowhere/token"}, "cannot be read"),
    ],
)
def test_credentials_that_cannot_be_used_are_explained_without_repeating_them(
    environment: dict[str, str], says: str
) -> None:
    with pytest.raises(BadCredentials, match=says) as bad:
        from_environment(environment).headers()
    assert TOKEN not in "".join(traceback.format_exception(bad.value))


def test_the_text_form_of_credentials_holds_none() -> None:
    assert TOKEN not in repr(from_environment({"HEXAD_KFP_TOKEN": TOKEN}))
    assert TOKEN not in str(from_environment({"HEXAD_KFP_COOKIE": TOKEN}))
