"""The code domain: which program an answer holds, and whether it passes its suite. Programs run in the sandbox only.

Suites: `function` [[args, expected], ...] with options {"name"}, `stdio` [[stdin, stdout], ...], `asserts` [line, ...].
Expected values stay in this process; what comes out of the sandbox is compared here.
"""

# ruff: noqa: PLR0911 - one return a case reads as a table

import ast
import math
import re
from dataclasses import replace
from typing import Any

from pydantic import JsonValue

from hexad.grading.sandbox import Limits, Run, SandboxError, run_code
from hexad.grading.values import equal_values
from hexad.grading.verdicts import CORRECT, Outcome, failed, incorrect
from hexad.records import Gold

MAX_PROGRAM = 200_000  # characters
FLOAT_TOLERANCE = 1e-9  # relative; sums of floats in another order differ by about 1e-15 a term
_FENCE = re.compile(r"^[ \t]*(`{3,}|~{3,})[ \t]{0,8}([A-Za-z0-9_+.-]{0,32})[^\n`]{0,200}$")
_PYTHON = {"", "python", "python3", "py", "py3"}


def program_of(answer: str) -> str | None:
    """The last fenced Python (or unmarked) block, else the whole answer. None when its fence never closes."""
    blocks: list[tuple[str, str]] = []
    fence, language = "", ""
    lines: list[str] = []
    for line in answer.splitlines():
        match = _FENCE.match(line)
        if not fence and match:
            fence, language, lines = match[1], match[2].casefold(), []
        elif fence and match and match[1][0] == fence[0] and len(match[1]) >= len(fence) and not match[2]:
            blocks.append((language, "\n".join(lines)))
            fence = ""
        elif fence:
            lines.append(line)
    if fence:
        return None
    if not blocks:
        return answer
    return next((body for language, body in reversed(blocks) if language in _PYTHON), blocks[-1][1])


def run_suite(gold: Gold, program: str) -> Outcome:
    """Whether a program passes every test. The first failure ends the suite."""
    type_ = gold.type or ("asserts" if _is_asserts(gold.value) else "function")
    broken = verify_suite(gold, type_)
    if broken:
        return failed(broken)
    if len(program) > MAX_PROGRAM:
        return incorrect(f"a program of {len(program)} characters; at most {MAX_PROGRAM} are run")
    tests: list[Any] = gold.value if isinstance(gold.value, list) else []
    limits = _limits(gold.options)
    job: dict[str, Any]
    try:
        if type_ == "stdio":
            return _stdio(tests, program, gold.options, limits)
        if type_ == "asserts":
            parsed = [_assertion(line) for line in tests]
            job = {"mode": "expressions", "code": program, "cases": [expression for expression, _ in parsed]}
            return _values(run_code(job, limits=limits), [expected for _, expected in parsed], exact=True)
        cases = [arguments for arguments, _ in tests]
        job = {"mode": "function", "code": program, "name": str(gold.options["name"]), "cases": cases}
        return _values(run_code(job, limits=limits), [expected for _, expected in tests], exact=False)
    except (SandboxError, OSError) as error:
        return failed(f"sandbox: {error}")


def verify_suite(gold: Gold, type_: str) -> str | None:
    """Why a suite cannot judge anything, or None. A gold's `options.solution`, where given, must pass it."""
    tests = gold.value
    if not isinstance(tests, list) or not tests:
        return "the suite has no tests; drop the row"
    if type_ == "function" and not (isinstance(gold.options.get("name"), str) and gold.options["name"]):
        return "options.name, the function to call, is missing"
    for number, test in enumerate(tests, 1):
        if type_ == "asserts":
            try:
                _assertion(test)
            except ValueError as error:
                return f"test {number}: {error}"
        elif not (isinstance(test, list) and len(test) == 2):
            return f"test {number} is no pair"
        elif type_ == "stdio" and not (isinstance(test[0], str) and isinstance(test[1], str)):
            return f"test {number} is no pair of texts"
        elif type_ == "function" and not isinstance(test[0], list):
            return f"test {number}: the arguments are no list"
    solution = gold.options.get("solution")
    if isinstance(solution, str):
        outcome = run_suite(
            gold.model_copy(update={"options": {k: v for k, v in gold.options.items() if k != "solution"}}), solution
        )
        return None if outcome.status == "correct" else f"its own solution is {outcome.status}: {outcome.reason}"
    return None


def _limits(options: dict[str, JsonValue]) -> Limits:
    """`options.time_limit` (CPU seconds of the whole suite, or of each test for stdio) and `options.memory_mb`."""
    limits, seconds, memory = Limits(), options.get("time_limit"), options.get("memory_mb")
    if isinstance(seconds, (int, float)) and 0 < seconds <= 600:
        limits = replace(limits, cpu=math.ceil(seconds), wall=3.0 * seconds + 2.0)
    if isinstance(memory, int) and 16 <= memory <= 16_384:
        limits = replace(limits, memory=memory << 20)
    return limits


def ending(run: Run) -> str:
    if run.stopped:
        return run.stopped
    if run.exit in (-24, -9):  # SIGXCPU, then SIGKILL by the hard limit
        return "CPU time limit"
    return f"ended by signal {-run.exit}" if run.exit < 0 else ""


def _values(run: Run, expected: list[Any], exact: bool) -> Outcome:
    for number, wanted in enumerate(expected, 1):
        message = run.results[number - 1] if number <= len(run.results) else None
        if not isinstance(message, list) or len(message) != 2:
            return incorrect(f"test {number} of {len(expected)}: {ending(run) or 'no result'}")
        if message[0] != "value":
            return incorrect(f"test {number} of {len(expected)}: {str(message[1])[:200]}")
        try:
            value = decoded(message[1], exact)
        except (ValueError, TypeError, RecursionError):
            return incorrect(f"test {number} of {len(expected)}: a result that is no JSON value")
        if not equal_values(wanted, value, FLOAT_TOLERANCE) or (exact and type(wanted) is not type(value)):
            return incorrect(f"test {number} of {len(expected)}: another value")
    return CORRECT


def decoded(data: Any, exact: bool) -> Any:
    """Back from the child's tagged JSON. `exact` keeps tuples apart from lists, as Python's == does."""
    if not isinstance(data, list):
        return data
    kind, items = data[0], data[1:]
    if kind == "dict":
        pairs = [(decoded(k, exact), decoded(v, exact)) for k, v in items]
        return dict(pairs) if exact else {k if isinstance(k, str) else str(k): v for k, v in pairs}
    values = [decoded(item, exact) for item in items]
    if kind == "list":
        return values
    if kind == "tuple":
        return tuple(values) if exact else values
    if kind in {"set", "frozenset"}:
        return set(values)
    raise ValueError(f"a result of type {items[:1]}")


def _stdio(tests: list[Any], program: str, options: dict[str, JsonValue], limits: Limits) -> Outcome:
    tolerance = options.get("tolerance")
    for number, (stdin, expected) in enumerate(tests, 1):
        bound = replace(limits, output=len(expected.encode()) * 2 + (64 << 10))
        run = run_code({"mode": "stdio", "code": program}, stdin.encode(), bound)
        place = f"test {number} of {len(tests)}"
        if run.stopped or run.exit != 0:
            raised = run.results[0][1] if run.results and isinstance(run.results[0], list) else ""
            return incorrect(f"{place}: {ending(run) or str(raised)[:200] or f'exit code {run.exit}'}")
        try:
            printed = run.stdout.decode()
        except UnicodeDecodeError:
            return incorrect(f"{place}: output is no UTF-8")
        if not same_output(expected, printed, float(tolerance) if isinstance(tolerance, (int, float)) else 0.0):
            return incorrect(f"{place}: another output")
    return CORRECT


def same_output(expected: str, printed: str, tolerance: float = 0.0) -> bool:
    """Line by line; line ends, blanks at line ends and empty lines at the end do not count.

    With a tolerance (relative or absolute), tokens that are numbers on both sides are compared as numbers.
    """
    left, right = ([line.rstrip() for line in text.rstrip().splitlines()] for text in (expected, printed))
    if left == right:
        return True
    if not tolerance or len(left) != len(right):
        return False
    return all(_close_line(g, a, tolerance) for g, a in zip(left, right, strict=True))


def _close_line(expected: str, printed: str, tolerance: float) -> bool:
    left, right = expected.split(), printed.split()
    if len(left) != len(right):
        return False
    for g, a in zip(left, right, strict=True):
        if g != a:
            try:
                if not math.isclose(float(g), float(a), rel_tol=tolerance, abs_tol=tolerance):
                    return False
            except ValueError:
                return False
    return True


def _is_asserts(value: JsonValue) -> bool:
    return isinstance(value, list) and any(isinstance(test, str) for test in value)


def _assertion(line: Any) -> tuple[str, Any]:
    """(expression, expected value) of `assert f(1) == 2`, `assert f(1) is True`, `assert f(1)`, `assert not f(1)`.

    The expression is evaluated in the sandbox and its value compared here, so that a program which replaces
    `assert`, or gives its results an agreeable __eq__, gains nothing. Suites are trusted text, parsed but not run.
    """
    form = "write it as `assert CALL == LITERAL`"
    if not isinstance(line, str):
        raise ValueError(f"{line!r} is no assert line; {form}")
    try:
        statement = ast.parse(line.strip()).body
    except SyntaxError as error:
        raise ValueError(f"{line!r} is no Python: {error.msg}; {form}") from error
    if len(statement) != 1 or not isinstance(statement[0], ast.Assert):
        raise ValueError(f"{line!r} is no assert statement; {form}")
    test = statement[0].test
    if isinstance(test, ast.Compare) and len(test.ops) == 1 and isinstance(test.ops[0], (ast.Eq, ast.Is)):
        for side, other in ((test.left, test.comparators[0]), (test.comparators[0], test.left)):
            try:
                return ast.unparse(side), ast.literal_eval(other)
            except ValueError:
                continue
        raise ValueError(f"{line!r} compares with no literal; {form}")
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        return f"bool({ast.unparse(test.operand)})", False
    return f"bool({ast.unparse(test)})", True
