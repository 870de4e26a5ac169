"""The grader's own processes are killed on purpose: verdicts stay the same, and what cannot be judged is an error."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from hexad.grading import GraderReward, child, close, grade, grade_many, pool, sandbox
from hexad.grading.child import package_roots
from hexad.records import Gold, Message, Prompt


def _prompt(value: object, domain: str = "math", **gold: object) -> Prompt:
    return Prompt.model_validate(
        {
            "id": "q",
            "domain": domain,
            "source": "t",
            "revision": "1",
            "prompt": [Message(role="user", content="?")],
            "grader": domain,
            "gold": Gold.model_validate({"value": value, **gold}),
        }
    )


ROOT = _prompt("\\sqrt{8}")
ITEMS = [
    (ROOT, f"<answer>{a}</answer>", "stop") for a in ("2\\sqrt2", "\\sqrt 2", "\\frac{4}{\\sqrt2}", "3\\sqrt2")
] * 20


def _children(pid: int) -> list[int]:
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        found += map(int, (task / "children").read_text().split())
    return found


def test_killed_workers_change_no_verdict() -> None:
    calm = [v.status for v in grade_many(ITEMS)]
    for _ in range(3):
        workers = [p for p in _children(os.getpid()) if b"grading.worker" in Path(f"/proc/{p}/cmdline").read_bytes()]
        assert workers
        os.kill(workers[0], signal.SIGKILL)
        assert [v.status for v in grade_many(ITEMS)] == calm


def test_a_worker_killed_in_the_middle_of_a_batch_changes_no_verdict() -> None:
    items = [(_prompt(f"\\sqrt{{{n}}}"), f"<answer>\\sqrt{{{n + n % 2}}}</answer>", "stop") for n in range(2, 400)]
    calm = [v.status for v in grade_many(items)]
    killed: list[int] = []

    def kill() -> None:
        for pid in _children(os.getpid()):
            if b"grading.worker" in Path(f"/proc/{pid}/cmdline").read_bytes():
                os.kill(pid, signal.SIGKILL)
                killed.append(pid)

    killer = threading.Timer(0.02, kill)
    killer.start()
    assert [v.status for v in grade_many(items)] == calm
    killer.join()
    assert killed


def test_a_batch_with_five_percent_worker_deaths_has_the_same_verdicts(monkeypatch: pytest.MonkeyPatch) -> None:
    items = [(_prompt(f"\\sqrt{{{n}}}"), f"<answer>\\sqrt{{{n + n % 2}}}</answer>", "stop") for n in range(2, 200)]
    calm = grade_many(items)
    close()
    monkeypatch.setattr(pool, "WORKER", "dying_worker")
    monkeypatch.setattr(child, "package_roots", lambda: f"{package_roots()}{os.pathsep}{Path(__file__).parent}")
    try:
        assert grade_many(items) == calm
    finally:
        close()


def test_one_worker_and_sixteen_give_the_same_verdicts(monkeypatch: pytest.MonkeyPatch) -> None:
    items = [(_prompt(f"\\sqrt{{{n}}}"), f"<answer>\\sqrt{{{n + n % 3}}}</answer>", "stop") for n in range(2, 80)]
    found = []
    for workers in ("1", "16"):
        close()
        monkeypatch.setenv("HEXAD_GRADING_WORKERS", workers)
        found.append(grade_many(items))
    close()
    assert found[0] == found[1]


def test_a_pool_that_cannot_start_gives_errors_never_wrong_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    close()
    monkeypatch.setattr(pool, "WORKER", "hexad.grading.no_such_module")
    judged = grade(*ITEMS[0])
    assert (judged.status, judged.score) == ("error", None)
    assert GraderReward()([""], [ITEMS[0][1]], row=[ROOT.model_dump_json()]) == [None]
    close()


def test_a_sandbox_that_cannot_start_gives_errors_never_wrong_answers(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    close()
    monkeypatch.setattr(sandbox, "CHILD", tmp_path / "missing.py")
    judged = grade(
        _prompt([[[1], 1]], "code", type="function", options={"name": "f"}), "<answer>def f(a): return a</answer>"
    )
    assert (judged.status, judged.score) == ("error", None)


def test_a_killed_sandbox_is_replaced() -> None:
    question = _prompt([[[1], 1]], "code", type="function", options={"name": "f"})
    program = "<answer>def f(a): return a</answer>"
    assert grade(question, program).status == "correct"
    for pid in _children(os.getpid()):
        if b"sandbox_child.py" in Path(f"/proc/{pid}/cmdline").read_bytes():
            os.kill(pid, signal.SIGKILL)
    assert grade(question, program).status == "correct"


def test_helpers_end_with_a_killed_parent_and_survive_the_thread_that_started_them() -> None:
    script = (
        "import threading, time\nfrom hexad.grading import grade\nfrom hexad.records import *\n"
        "def p(d, g): return Prompt(id='q', domain=d, source='', revision='', prompt=[], gold=Gold(**g), grader=d)\n"
        "def go():\n"
        "    grade(p('math', {'value': '\\\\sqrt{8}'}), '<answer>2\\\\sqrt2</answer>')\n"
        "    suite = {'type': 'function', 'value': [[[1], 1]], 'options': {'name': 'f'}}\n"
        "    grade(p('code', suite), '<answer>def f(a): return a</answer>')\n"
        "t = threading.Thread(target=go); t.start(); t.join()\n"
        "print('ready', flush=True)\ntime.sleep(60)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": package_roots()}
    )
    assert process.stdout is not None and process.stdout.readline() == b"ready\n"
    helpers = _children(process.pid)
    assert len(helpers) >= 2
    process.kill()
    process.wait()
    deadline = time.monotonic() + 10
    while any(Path(f"/proc/{pid}").exists() for pid in helpers) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not any(Path(f"/proc/{pid}").exists() for pid in helpers)
