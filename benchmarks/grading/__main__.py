"""`python -m benchmarks.grading`: wrong verdicts and speed of graders on the same rows in one run, as tables."""

import statistics
import time
from collections.abc import Sequence

from benchmarks.grading.graders import GRADERS, label
from benchmarks.grading.judged import Judged, judge_all
from benchmarks.grading.livecodebench import compare
from benchmarks.grading.rows import Row, integer_rows, latex_rows, table_rows
from rich.console import Console
from rich.table import Table

LATEX_ROWS = 450
INTEGERS = 50_000
PROGRAMS = 300
PEER = "math-verify"


def wrong_verdicts(console: Console, rows: Sequence[Row]) -> None:
    """Accepted though wrong, rejected though right, troubles; and the same without rows that a policy decides."""
    table = Table("grader", "wrong", "paid for nothing", "right unpaid", "raised or hung", "wrong, policy rows aside",
                  title=f"verdicts on {len(rows)} rows of the research tables", title_justify="left")  # fmt: skip
    for name in GRADERS:
        judged = judge_all(name, rows)
        wrong = [row for row, said in zip(rows, judged, strict=True) if said.accepted != row.right]
        troubles = sum(bool(said.trouble) for said in judged)
        plain = [row for row in wrong if not row.policy]
        paid = sum(not row.right for row in wrong)
        figures = (len(wrong), paid, len(wrong) - paid, troubles, len(plain))
        table.add_row(label(name), *map(str, figures))
    console.print(table)


def latex_speed(console: Console, rows: Sequence[Row], title: str) -> None:
    """Rows per second of one process of each grader, one row a call, first-call costs left out."""
    table = Table("grader", "rows/s", "median ms", "slowest ms", "wrong", title=title, title_justify="left")
    rates = {}
    for name in ("hexad", PEER):
        judged = judge_all(name, rows)
        rates[name] = len(rows) / sum(said.seconds for said in judged)
        table.add_row(label(name), f"{rates[name]:.0f}", *_milliseconds(judged), str(_wrong(rows, judged)))
    console.print(table)
    console.print(f"hexad / {PEER}: {rates['hexad'] / rates[PEER]:.1f} times the rows per second")


def _milliseconds(judged: Sequence[Judged]) -> tuple[str, str]:
    times = [1000 * said.seconds for said in judged]
    return f"{statistics.median(times):.2f}", f"{max(times):.1f}"


def _wrong(rows: Sequence[Row], judged: Sequence[Judged]) -> int:
    return sum(said.accepted != row.right for row, said in zip(rows, judged, strict=True))


def own_speed(console: Console) -> None:
    """Batches through `grade_many`: integer answers, and programs in the sandbox."""
    from hexad.grading import grade_many, is_correct
    from hexad.records import Gold, Message, Prompt

    def prompt(domain: str, gold: Gold) -> Prompt:
        asked = [Message(role="user", content="?")]
        return Prompt(id="", domain=domain, source="", revision="", prompt=asked, gold=gold, grader=domain)  # type: ignore[arg-type]

    rows = integer_rows(INTEGERS)
    items = [(prompt("math", Gold(value=int(row.gold))), row.response, "stop") for row in rows]
    rates = []
    for _ in range(3):
        began = time.perf_counter()
        verdicts = grade_many(items)
        rates.append(len(items) / (time.perf_counter() - began))
    assert [is_correct(v) for v in verdicts] == [row.right for row in rows]
    console.print(f"integer answers: {statistics.median(rates):,.0f} verdicts/s (median of 3 batches of {INTEGERS:,})")

    suite = Gold(value=[[[2], 4], [[5], 25]], type="function", options={"name": "square"})
    programs = [f"def square(x):\n    return x * x  # {i}" for i in range(PROGRAMS)]
    batch = [(prompt("code", suite), f"<answer>```python\n{text}\n```</answer>", "stop") for text in programs]
    assert is_correct(grade_many(batch[:1])[0])
    rates = []
    for _ in range(3):
        began = time.perf_counter()
        verdicts = grade_many(batch)
        rates.append(len(batch) / (time.perf_counter() - began))
    assert all(map(is_correct, verdicts))
    console.print(f"sandboxed programs: {statistics.median(rates):.0f} runs/s (median of 3 batches of {PROGRAMS})")


def main() -> None:
    console = Console(width=140)
    rows = table_rows()
    wrong_verdicts(console, rows)
    own_speed(console)
    latex_speed(console, [row for row in rows if not row.bomb], "speed on the tables' rows, the bombs left out")
    latex_speed(console, latex_rows(LATEX_ROWS), f"speed on {LATEX_ROWS} generated LaTeX rows of nine shapes")
    compare(console)


if __name__ == "__main__":
    main()
