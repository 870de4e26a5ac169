"""One corpus of so many rows, cleaned, deduplicated and tokenized in this process: seconds by step and peak memory.

`python -m benchmarks.curation.growth ROWS WORDS`: a process of its own, so that its peak is its own. Prints JSON.
"""

import json
import resource
import sys
import tempfile
import time
from pathlib import Path
from random import Random

from benchmarks.curation.texts import benchmark_item, words, write_source


def main(rows: int, length: int) -> None:
    from hexad.curation.corpus.config import CorpusConfig
    from hexad.curation.corpus.run import open_corpus
    from hexad.curation.readers import SourceConfig
    from hexad.curation.tokenize import TokenFiles, pack, write_packed
    from hexad.pretraining.tokenizer import train_tokenizer
    from hexad.records import Prompt

    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        write_source(root / "math.jsonl", rows, length, seed=rows)
        train_tokenizer([" ".join(words(Random(4), 300_000))], 8000).save_pretrained(root / "base")
        items = [
            Prompt.model_validate(
                {"id": str(n), "domain": "math", "source": "b", "revision": "1", "grader": "math", "gold": {"value": 1},
                 "prompt": [{"role": "user", "content": benchmark_item(Random(n))}]}
            )
            for n in range(500)
        ]  # fmt: skip
        source = SourceConfig(id="made", revision="1", path=str(root / "math.jsonl"), kind="am_thinking")
        seconds: dict[str, float] = {}

        def clean() -> None:
            corpus.clean({"bench": items}, lambda done, note: None)

        def tokens() -> None:
            corpus.finish(root / "base", 32768, lambda done, note: None)

        def packed() -> None:
            found = TokenFiles(corpus.tokens())
            write_packed(root / "train", pack(found.lengths, 32768), found)

        corpus = open_corpus([source], CorpusConfig(part_mib=16), root / "work")
        for step in (clean, tokens, packed):
            began = time.process_time()
            step()
            seconds[step.__name__] = round(time.process_time() - began, 2)
        print(json.dumps({  # noqa: T201 - the parent reads it
            "rows": rows,
            "megabytes": round((root / "math.jsonl").stat().st_size / 1e6, 1),
            "tokens": int(TokenFiles(corpus.tokens()).lengths.sum()),
            "cpu_seconds": seconds,
            "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        }))  # fmt: skip


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
