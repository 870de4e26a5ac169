"""`python -m benchmarks.curation`: near duplicates against peers, planted leaks, tokens per second, memory and cost."""

import argparse
import json
import os
import subprocess
import sys
import time
from random import Random

from benchmarks.curation.finders import FINDERS, THRESHOLD
from benchmarks.curation.texts import LEAKS, benchmark_item, jaccard, true_pairs, with_near_duplicates, words
from rich.console import Console
from rich.table import Table

CORPORA = ((1500, 60), (600, 800))  # texts, words of each: questions and long traces
TRACES = 1_890_000  # AM-Thinking-v1-Distilled


def near_duplicates(console: Console) -> None:
    """Documents per second of process time, one process each, and what was found of the true pairs."""
    for count, length in CORPORA:
        texts = with_near_duplicates(count, length, share=0.3, seed=length)
        wanted = true_pairs(texts, THRESHOLD)
        title = f"{count} texts of about {length} words, {len(wanted)} pairs of Jaccard similarity {THRESHOLD} or more"
        table = Table("finder", "documents/s", "recall", "precision", title=title, title_justify="left")
        rates: dict[str, float] = {}
        for name, find in FINDERS.items():
            try:
                find(texts[:20])
            except ImportError as error:
                table.add_row(name, f"not installed: {error}")
                continue
            began = time.process_time()
            found = find(texts)
            rates[name] = len(texts) / (time.process_time() - began)
            right = sum(jaccard(texts[i], texts[j]) >= THRESHOLD for i, j in found)
            table.add_row(name, f"{rates[name]:,.0f}", f"{len(wanted & found) / len(wanted):.4f}",
                          f"{right / max(1, len(found)):.4f}")  # fmt: skip
        console.print(table)
        for peer in rates.keys() - {"hexad"}:
            console.print(f"hexad / {peer}: {rates['hexad'] / rates[peer]:.1f} times the documents per second")


def leaks(console: Console) -> None:
    """Planted leaks of items of 20 words and more, by spelling; and clean questions wrongly taken for items."""
    from hexad.curation.contamination import Decontaminator

    rng = Random(11)
    items = [benchmark_item(rng) for _ in range(300)]
    judge = Decontaminator((str(number), text) for number, text in enumerate(items))
    table = Table("spelling of the leak", "found", "planted", "by", title="planted leaks", title_justify="left")
    for name, spell in LEAKS.items():
        hits = [judge.check(spell(rng, text)) for text in items]
        found = [hit for number, hit in enumerate(hits) if hit and hit.item == str(number)]
        methods = sorted({hit.method for hit in found})
        table.add_row(name, str(len(found)), str(len(items)), ", ".join(methods))
    console.print(table)
    clean = [benchmark_item(rng) for _ in range(3000)]
    began = time.process_time()
    wrong = sum(judge.check(text) is not None for text in clean)
    rate = len(clean) / (time.process_time() - began)
    console.print(
        f"{wrong} of {len(clean)} other questions taken for items; {rate:,.0f} questions/s against {len(items)} items"
    )


def tokens(console: Console) -> None:
    """Tokenize and pack with a vocabulary of 8,000, in one process; wall time and process time."""
    from pathlib import Path
    from tempfile import TemporaryDirectory

    from hexad.curation.tokenize import TokenFile, TokenFiles, pack, tokenize, write_packed
    from hexad.pretraining.tokenizer import train_tokenizer
    from hexad.records import Message, Reject, Trace

    tokenizer = train_tokenizer([" ".join(words(Random(4), 300_000))], 8000)
    rng = Random(5)
    traces = [
        Trace(id=str(n), domain="math", source="made", revision="1", messages=[
            Message(role="user", content=" ".join(words(rng, 40))),
            Message(role="assistant", content=f"<think>{' '.join(words(rng, 2500))}</think><answer>{n}</answer>"),
        ])
        for n in range(2000)
    ]  # fmt: skip
    with TemporaryDirectory() as folder:
        file = TokenFile(Path(folder) / "tokens.bin")
        wall, cpu = time.perf_counter(), time.process_time()
        file.write(found[0] for found in tokenize(traces, tokenizer, 32768) if not isinstance(found, Reject))
        found = TokenFiles([file])
        rows = pack(found.lengths, 32768)
        write_packed(Path(folder) / "train", rows, found)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    total = int(found.lengths.sum())
    load = os.getloadavg()[0]
    console.print(
        f"tokenize and pack: {total:,} tokens, {total / wall / 1e6:.2f} M tokens/s of wall time (load {load:.0f} on "
        f"{os.cpu_count()} cores), {total / cpu / 1e6:.2f} M tokens per second of one core; "
        f"fill {total / (32768 * len(rows)):.3f}"
    )
    lengths = [max(200, min(32768, int(rng.lognormvariate(8.8, 0.8)))) for _ in range(200_000)]
    began = time.process_time()
    rows = pack(lengths, 32768)
    console.print(
        f"packing alone: {len(lengths) / (time.process_time() - began):,.0f} traces/s, fill "
        f"{sum(lengths) / (32768 * len(rows)):.4f} of rows of 32,768"
    )


def growth(console: Console, sizes: list[int], length: int) -> None:
    """The whole job at several sizes, each in a process of its own; and what follows for 1.89 M long traces."""
    table = Table("rows", "MB", "tokens", "clean s", "tokenize s", "pack s", "peak MiB",
                  title=f"corpus job, traces of {length} words, seconds of one core", title_justify="left")  # fmt: skip
    found = []
    for rows in sizes:
        command = [sys.executable, "-m", "benchmarks.curation.growth", str(rows), str(length)]
        one = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1])
        found.append(one)
        seconds = [f"{one['cpu_seconds'][step]:.1f}" for step in ("clean", "tokens", "packed")]
        table.add_row(f"{rows:,}", str(one["megabytes"]), f"{one['tokens']:,}", *seconds, str(one["peak_mib"]))
    console.print(table)
    first, last = found[0], found[-1]
    console.print(
        f"memory from {first['rows']:,} to {last['rows']:,} rows: {last['peak_mib'] / first['peak_mib']:.3f} times"
    )
    per_row = [{k: v / one["rows"] for k, v in one["cpu_seconds"].items()} for one in (first, last)]
    projected = Table("step", "ms a row, first", "ms a row, last", f"core hours for {TRACES:,} such rows")
    for step in per_row[0]:
        hours = per_row[-1][step] * TRACES / 3600
        projected.add_row(step, f"{1000 * per_row[0][step]:.3f}", f"{1000 * per_row[-1][step]:.3f}", f"{hours:.2f}")
    console.print(projected)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.curation", description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[100_000, 400_000], help="sizes of the growth table")
    parser.add_argument("--words", type=int, default=60, help="words of a trace in the growth table")
    parser.add_argument("--only", choices=["duplicates", "leaks", "tokens", "growth"], help="one part alone")
    chosen = parser.parse_args()
    console = Console(width=120)
    parts = {
        "duplicates": lambda: near_duplicates(console),
        "leaks": lambda: leaks(console),
        "tokens": lambda: tokens(console),
        "growth": lambda: growth(console, chosen.rows, chosen.words),
    }
    for name, part in parts.items():
        if chosen.only in (None, name):
            part()


if __name__ == "__main__":
    main()
