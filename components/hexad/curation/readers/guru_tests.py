"""Guru's functional tests, which are Python programs, as suites that the grader can judge.

The three forms that Guru's preprocessing writes, read from the syntax tree; nothing is run:
    leetcode2k                      def check(candidate): assert candidate(1) == 2 …, then check(Solution().f)
    livecodebench, primeintellect   def check_f(): assert f(1) == 2 …, then check_f()
    taco                            _inputs = […]; _outputs = […]; for i, o in …: assert _deep_eq(f(*i), o) (or o[0])
"""

import ast

from hexad.curation.readers.errors import RowError
from hexad.records import Gold


def functional_gold(code: str) -> Gold:
    """A gold of type asserts ([line, …]) or function ([[arguments, expected], …] with the name). Raises RowError."""
    try:
        body = ast.parse(code).body
        pairs = _pairs(body)
        lines = [] if pairs else _assert_lines(body)
    except (SyntaxError, ValueError, TypeError, LookupError, RecursionError, MemoryError) as error:
        raise RowError("bad ground_truth", f"unreadable tests: {error}") from error
    if pairs:
        return pairs
    if not lines:
        raise RowError("no tests", "`functional` has none of the known forms")
    return Gold(value=list(lines), type="asserts")


def _assert_lines(body: list[ast.stmt]) -> list[str]:
    """The asserts of the check function that the program calls, with its argument put in place of its parameter."""
    functions = {node.name: node for node in body if isinstance(node, ast.FunctionDef)}
    lines: list[str] = []
    for node in body:
        call = node.value if isinstance(node, ast.Expr) else None
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name) or call.func.id not in functions:
            continue
        check = functions[call.func.id]
        if not all(isinstance(line, ast.Assert) for line in check.body) or len(check.args.args) != len(call.args):
            return []
        names = dict(zip((parameter.arg for parameter in check.args.args), call.args, strict=True))
        lines += [ast.unparse(_Replace(names).visit(line)) for line in check.body]
    return lines


def _pairs(body: list[ast.stmt]) -> Gold | None:
    values = {
        target.id: ast.literal_eval(node.value)
        for node in body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name) and target.id in {"_inputs", "_outputs"}
    }
    call, first = next((_loop(node) for node in body if isinstance(node, ast.For)), (None, False))
    if call is None or set(values) != {"_inputs", "_outputs"}:
        return None
    inputs, outputs = values["_inputs"], values["_outputs"]
    if not inputs or len(inputs) != len(outputs):
        raise ValueError(f"{len(inputs)} inputs and {len(outputs)} outputs")
    tests = [[list(i), o[0] if first else o] for i, o in zip(inputs, outputs, strict=True)]
    return Gold.model_validate(
        {"value": tests, "type": "function", "options": {"name": call, "tolerance": 1e-5}}  # the one of _deep_eq
    )


def _loop(node: ast.For) -> tuple[str | None, bool]:
    """The function that the loop calls, and whether it compares with the first output only."""
    test = node.body[0].test if isinstance(node.body[0], ast.Assert) else None
    if not isinstance(test, ast.Call) or len(test.args) != 2 or not isinstance(test.args[0], ast.Call):
        return None, False
    return ast.unparse(test.args[0].func), isinstance(test.args[1], ast.Subscript)


class _Replace(ast.NodeTransformer):
    def __init__(self, names: dict[str, ast.expr]) -> None:
        self._names = names

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return self._names.get(node.id, node)
