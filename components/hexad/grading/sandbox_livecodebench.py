"""A suite run as LiveCodeBench's own harness runs it, inside the sandbox: one process, a stand-in for standard input.

Written from the behaviour of LiveCodeBench's lcb_runner/evaluation/testing_util.py, whose published verdicts depend on
it: a stdin program becomes the body of a function, every name of eighteen modules is there unimported, tests share
the module's state, and `sys.stdin` is an object that knows read, readline, readlines and half of a buffer. Comparison
with the expected values is not done here: see `hexad.grading.livecodebench`.
"""

# ruff: noqa: BLE001 - model code may raise anything

import ast
import builtins
import contextlib
import io
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

from sandbox_values import plain  # type: ignore[import-not-found]

_STARRED = (
    "string re datetime collections heapq bisect copy math random statistics itertools functools operator io sys json "
    "builtins typing"
)
_NAMED = "string re datetime collections heapq bisect copy math random statistics itertools functools operator io sys"
PRELUDE = "\n".join(
    [
        *(f"from {name} import *" for name in _STARRED.split()),
        *(f"import {name}" for name in [*_NAMED.split(), "json"]),
        "sys.setrecursionlimit(50000)",
        "",
    ]
)
for _name in [*_STARRED.split(), "decimal", "fractions"]:
    __import__(_name)

_ABSENT = {
    os: "kill system putenv remove removedirs rmdir fchdir setuid fork forkpty killpg rename renames truncate replace "
    "unlink fchmod fchown chmod chown chroot lchflags lchmod lchown getcwd chdir",
    shutil: "rmtree move chown",
    subprocess: "Popen",
}
_NO_MODULES = ("ipdb", "joblib", "resource", "psutil", "tkinter")
Send = Callable[[list[Any]], None]


class OutOfTime(Exception):
    """The alarm. An ordinary exception, as in the original: a program that catches all exceptions survives it."""


class _Buffer:
    """`sys.stdin.buffer`: every readline gives the first line again."""

    def __init__(self, text: str) -> None:
        self._data = text.encode()

    def read(self, *_: Any) -> bytes:
        return self._data

    def readline(self, *_: Any) -> bytes:
        return self._data.split(b"\n")[0] + b"\n"


class _Stdin:
    """`sys.stdin` as looked up while the program runs: no iterator; read and readlines always give everything."""

    def __init__(self, text: str) -> None:
        self._stream = io.StringIO(text)
        self.buffer = _Buffer(text)
        self.read = lambda *_: text
        self.readlines = lambda *_: text.split("\n")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class _ImportedStdin:
    """What `from sys import stdin` gives, since imports come first: lines without their ends, then StopIteration."""

    def __init__(self) -> None:
        self._stream = io.StringIO()
        self.buffer = io.BytesIO()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def give(self, text: str) -> None:
        lines = iter(text.split("\n"))
        self.read = lambda *_: text
        self.readline = lambda *_: next(lines)
        self.readlines = lambda *_: text.split("\n")


def run(job: dict[str, Any], send: Send) -> int:
    """{"code", "name" or None, "inputs", "seconds"}: one message a test, and it ends at the first that raises."""
    if "numpy" in job["code"]:
        with contextlib.suppress(ImportError):
            __import__("numpy")  # as in the original, before what it needs is taken away
    _take_away()
    signal.signal(signal.SIGALRM, _ring)
    seconds = job["seconds"]
    try:
        if job["name"]:
            target = _load(PRELUDE + "\n\n" + job["code"], job["name"], seconds)
            tests = [[json.loads(line) for line in text.split("\n")] for text in job["inputs"]]
            return _each(tests, lambda arguments: _called(target, arguments), seconds, send)
        imported = _ImportedStdin()
        sys.stdin = imported
        target = _load(_as_function(_without_guard(job["code"])), "wrapped_function", seconds)
        return _each(job["inputs"], lambda text: _printed(target, text, imported), seconds, send)
    except Exception as error:
        send(["raised", f"{type(error).__name__}: {error}"[:300]])
    return 0


def _each(tests: list[Any], one: Callable[[Any], list[Any]], seconds: int, send: Send) -> int:
    for test in tests:
        signal.alarm(seconds)
        try:
            message = one(test)
        except Exception as error:
            message = ["raised", f"{type(error).__name__}: {error}"[:300]]
        finally:
            signal.alarm(0)
        send(message)
        if message[0] == "raised":
            break
    return 0


def _load(code: str, name: str, seconds: int) -> Callable[..., Any]:
    signal.alarm(seconds)
    try:
        module = ModuleType("tmp_sol", "")
        exec(code, module.__dict__)
        # In a program for standard input the class stands inside the function, and this raises.
        owner = module.Solution() if "class Solution" in code else module
    finally:
        signal.alarm(0)
    target: Callable[..., Any] = getattr(owner, name)
    return target


def _called(target: Callable[..., Any], arguments: list[Any]) -> list[Any]:
    value = target(*arguments)
    return ["value", plain(list(value) if isinstance(value, tuple) else value)]


def _printed(target: Callable[..., Any], text: str, imported: _ImportedStdin) -> list[Any]:
    stdout, opener = sys.stdout, builtins.open
    imported.give(text)
    captured = io.StringIO()
    captured.close = lambda *_: None  # type: ignore[method-assign]
    sys.stdin, sys.stdout = _Stdin(text), captured
    builtins.open = lambda *_, **__: io.StringIO(text)  # type: ignore[assignment]
    try:
        target()
    except SystemExit:
        pass
    finally:
        sys.stdin, sys.stdout, builtins.open = imported, stdout, opener
    return ["value", captured.getvalue()]


def _without_guard(code: str) -> str:
    """The body of a last `if __name__ == '__main__':` in its place; elsewhere the guard stays, and is false."""
    try:
        *before, last = ast.parse(code).body
        if isinstance(last, ast.If) and ast.unparse(last.test).strip() == "__name__ == '__main__'":
            return f"{ast.unparse(ast.Module(before, []))}\n{ast.unparse(ast.Module(last.body, []))}"
    except Exception:
        return code
    return code


def _as_function(code: str) -> str:
    """Imports of the top level first, behind the prelude; all else as the body of one function."""
    try:
        body = ast.parse(code).body
        imports: list[ast.stmt] = [node for node in body if isinstance(node, ast.Import | ast.ImportFrom)]
        rest = [node for node in body if node not in imports]
        nothing = ast.arguments(posonlyargs=[], args=[], kwonlyargs=[], kw_defaults=[], defaults=[])
        function = ast.FunctionDef("wrapped_function", nothing, rest, [], lineno=-1)
        return f"{PRELUDE}\n{ast.unparse(ast.Module(imports, []))}\n{ast.unparse(function)}"
    except Exception:
        return code


def _ring(*_: Any) -> None:
    raise OutOfTime


def _take_away() -> None:
    """What the original's guard takes from programs: some of them meet it by accident."""
    builtins.quit = None  # type: ignore[assignment]
    builtins.help = None  # type: ignore[assignment]
    for module, names in _ABSENT.items():
        for name in names.split():
            setattr(module, name, None)
    for name in _NO_MODULES:
        sys.modules[name] = None  # type: ignore[assignment]
