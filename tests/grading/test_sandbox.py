"""Model code is confined: attacks end as wrong answers, harm nothing, and the sandbox goes on working."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from grading_cases import prompt, rows

from hexad.grading import close, grade, is_correct, layers, sandbox
from hexad.grading.child import package_roots
from hexad.grading.sandbox import Limits, run_code
from hexad.records import Verdict

SECRET = "HEXAD_TEST_SECRET"
ESCAPE = os.path.join(os.sep, "tmp", "hexad-escape")  # where the attack "writes outside" writes
ADD = {
    "type": "function",
    "value": [[[1, 2], 3], [[5, 5], 10]],
    "options": {"name": "f", "time_limit": 1, "memory_mb": 256},
}

# Each program returns the right sums only if its attack succeeds, or tries to do harm before it answers wrongly.
ATTACKS = {case["name"]: case["code"] for case in rows("sandbox_attacks.jsonl")}


def judge(code: str) -> Verdict:
    return grade(prompt("code", ADD), f"<answer>```python\n{code}\n```</answer>")


@pytest.fixture(autouse=True)
def _secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SECRET, "s3cret")


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_is_contained_and_not_paid(name: str) -> None:
    start = time.monotonic()
    judged = judge(ATTACKS[name])
    assert judged.status == "incorrect", judged
    assert time.monotonic() - start < 20
    assert is_correct(judge("def f(a, b): return a + b")), "the sandbox no longer works"
    assert not os.path.exists(ESCAPE)


def test_the_environment_of_a_program_holds_no_secret() -> None:
    run = run_code({"mode": "stdio", "code": "import os\nprint(sorted(os.environ))"}, limits=Limits(cpu=1))
    assert (
        run.stdout.decode().strip() == "['HOME', 'LANG', 'OMP_NUM_THREADS', 'OPENBLAS_NUM_THREADS', 'PATH', 'TMPDIR']"
    )


def test_a_program_may_import_numpy_and_no_other_package() -> None:
    code = (
        "import numpy\nprint(numpy.arange(4).sum())\ntry:\n    import pydantic\nexcept ImportError:\n    print('none')"
    )
    assert run_code({"mode": "stdio", "code": code}, limits=Limits(cpu=5)).stdout == b"6\nnone\n"


def test_a_program_may_write_in_its_own_folder_which_is_empty_again_next_time() -> None:
    code = "import os\nprint(os.listdir('.'))\nopen('a', 'w').write('x')\nprint(open('a').read())"
    for _ in range(2):
        assert run_code({"mode": "stdio", "code": code}, limits=Limits(cpu=1)).stdout == b"[]\nx\n"


def test_ten_megabytes_of_stdin_arrive_whole() -> None:
    run = run_code(
        {"mode": "stdio", "code": "import sys\nprint(len(sys.stdin.read()))"}, b"x" * (10 << 20), Limits(cpu=5)
    )
    assert run.stdout == b"10485760\n"


def test_the_layers_of_this_machine_are_named() -> None:
    assert set(layers()) == {"rlimits", "own_user", "namespaces", "tmpfs", "landlock", "seccomp"}
    assert layers()["rlimits"]


def test_nothing_of_a_run_is_left_behind() -> None:
    judge("import threading, time\nthreading.Thread(target=time.sleep, args=(30,)).start()\ndef f(a, b): return 0")
    sandboxes = [pid for pid in _children(os.getpid()) if b"sandbox_child" in Path(f"/proc/{pid}/cmdline").read_bytes()]
    assert sandboxes
    assert [pid for sandbox in sandboxes for pid in _children(sandbox)] == []


def _children(pid: int) -> list[int]:
    return [int(p) for t in Path(f"/proc/{pid}/task").iterdir() for p in (t / "children").read_text().split()]


def test_without_a_required_layer_no_program_is_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "REQUIRED", ("landlock", "a layer of the future"))
    close()
    judged = judge("def f(a, b): return a + b")
    assert (judged.status, judged.score) == ("error", None)
    assert "no a layer of the future on this kernel" in judged.detail
    monkeypatch.setenv(sandbox.UNSAFE, "1")
    assert is_correct(judge("def f(a, b): return a + b"))


UNPRIVILEGED = """
import json, sys
from hexad.grading import close, layers
from hexad.grading.code import run_suite
from hexad.records import Gold
gold = Gold.model_validate(json.loads(sys.argv[1]))
attacks = json.loads(sys.stdin.read())
print(json.dumps({"layers": layers(), "right": run_suite(gold, "def f(a, b): return a + b").status,
                  "numpy": run_suite(gold, "import numpy\\ndef f(a, b): return numpy.add(a, b)").status,
                  "attacks": {name: run_suite(gold, code).status for name, code in attacks.items()}}))
close()
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="the other tests run without privileges already")
def test_without_any_capability_every_attack_is_contained_too() -> None:
    """As in a pod that drops all: no other user to change to, no namespace, no new privileges."""
    slow = {"fork bomb", "busy loop", "sleep", "ignores signals"}  # the same bounds hold them, at seconds each
    idle = {"becomes root"}  # it has that number already, and no capability to go with it
    attacks = {name: code for name, code in ATTACKS.items() if name not in slow | idle}
    done = subprocess.run(
        ["setpriv", "--no-new-privs", "--bounding-set=-all", "--inh-caps=-all",
         sys.executable, "-c", UNPRIVILEGED, json.dumps(ADD)],
        input=json.dumps(attacks), capture_output=True, text=True, timeout=300, check=False,
        env={"PYTHONPATH": package_roots(), "PATH": os.environ["PATH"], SECRET: "s3cret"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["layers"]["landlock"] and found["layers"]["seccomp"]
    assert not found["layers"]["own_user"] and not found["layers"]["namespaces"]
    assert found["right"] == found["numpy"] == "correct"
    assert set(found["attacks"].values()) == {"incorrect"}, found["attacks"]
