"""Run the steps over all parts: clean each, find duplicates among all, finish each.

Every step leaves a folder below `work` when it is done, so a run that was killed goes on where it stood. With several
shards the parts of a step are dealt to that many processes; rows keep the order of the sources in any case.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, islice
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hexad.curation.contamination import Decontaminator
from hexad.curation.corpus.clean import ContaminationHit, clean
from hexad.curation.corpus.config import CorpusConfig
from hexad.curation.corpus.duplicates import PartRows, find_duplicates
from hexad.curation.corpus.finish import finish
from hexad.curation.corpus.folders import once
from hexad.curation.corpus.judges import judges_of, read_benchmark_items, write_benchmarks
from hexad.curation.corpus.layout import BENCHMARKS, CLEAN, DUPLICATES, FINISHED, HITS, REJECTS, ROWS, TOKENS
from hexad.curation.corpus.parts import Part, list_parts
from hexad.curation.readers import TRACE_KINDS, SourceConfig
from hexad.curation.tokenize import TokenFile
from hexad.records import Prompt, Reject, Trace
from hexad.records.shards import iter_rows
from hexad.stage.lifeline import die_with_parent

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

Progress = Callable[[float, str], None]
SAMPLE = 20_000  # traces of the sources that the tokenizer of a random base learns from


@dataclass(frozen=True)
class Corpus:
    """The sources' rows in `work`. Iterators stream; their order is that of sources, files and places in files."""

    sources: tuple[SourceConfig, ...]
    config: CorpusConfig
    work: Path
    parts: tuple[Part, ...]

    def clean(self, benchmarks: Mapping[str, Sequence[Prompt]], progress: Progress) -> None:
        """Read, filter and decontaminate all parts, then find their duplicates."""
        if not self.parts:
            return
        once(self.work / BENCHMARKS, lambda folder: write_benchmarks(benchmarks, folder))
        tasks = [(_clean, part, self.sources[part.source], self.config, self.work) for part in self.parts]
        self._each(tasks, lambda done: progress(0.6 * done, f"cleaned {done:.0%} of the parts"))
        progress(0.6, "finding duplicates")
        once(self.work / DUPLICATES, lambda folder: find_duplicates(list(self._cleaned()), self.config, folder))

    def finish(self, base: Path, max_tokens: int, progress: Progress) -> None:
        """Tokenize what stays, with the tokenizer in `base`."""
        tasks = [(_finish, part, rows, self.work, base, max_tokens)
                 for part, rows in zip(self.parts, self._cleaned(), strict=True)]  # fmt: skip
        self._each(tasks, lambda done: progress(0.7 + 0.3 * done, f"tokenized {done:.0%} of the parts"))

    def sample(self) -> Iterator[str]:
        """Conversations of clean traces, duplicates among them, for a tokenizer to learn from."""
        files = (part.folder / ROWS for part in self._cleaned() if part.kind is Trace)
        # A corpus that was made elsewhere has as many of these files as the sample needs.
        rows = (iter_rows(file, Trace) for file in files if file.is_file())
        return map(text_of, islice(chain.from_iterable(rows), SAMPLE))

    def traces(self) -> Iterator[Trace]:
        return chain.from_iterable(iter_rows(self._finished(p) / ROWS, Trace) for p in self._of(Trace))

    def prompts(self) -> Iterator[Prompt]:
        return chain.from_iterable(iter_rows(self._finished(p) / ROWS, Prompt) for p in self._of(Prompt))

    def tokens(self) -> list[TokenFile]:
        return [TokenFile(self._finished(part) / TOKENS) for part in self._of(Trace)]

    def rejects(self) -> Iterator[Reject]:
        for part in self.parts:
            yield from iter_rows(self.work / CLEAN / part.folder / REJECTS, Reject)
            yield from iter_rows(self._finished(part) / REJECTS, Reject)

    def hits(self) -> Iterator[ContaminationHit]:
        for part in self.parts:
            yield from iter_rows(self.work / CLEAN / part.folder / HITS, ContaminationHit)

    def _cleaned(self) -> Iterator[PartRows]:
        for part in self.parts:
            yield PartRows(self.work / CLEAN / part.folder, kind_of(self.sources[part.source]))

    def _of(self, kind: type[Trace] | type[Prompt]) -> Iterator[Part]:
        return (part for part in self.parts if kind_of(self.sources[part.source]) is kind)

    def _finished(self, part: Part) -> Path:
        return self.work / FINISHED / part.folder

    def _each(self, tasks: Sequence[tuple[Any, ...]], report: Callable[[float], None]) -> None:
        workers = min(self.config.shards, len(tasks))
        if workers <= 1:
            for number, (step, *arguments) in enumerate(tasks, start=1):
                step(*arguments)
                report(number / len(tasks))
            return
        # A fork of this process would take over the threads of tokenizers and Arrow; the server has imports alone.
        context = get_context("forkserver")
        context.set_forkserver_preload([__name__, "transformers.models.auto.tokenization_auto"])
        with ProcessPoolExecutor(workers, context, initializer=die_with_parent) as pool:
            waiting = [pool.submit(step, *arguments) for step, *arguments in tasks]
            try:
                for number, one in enumerate(waiting, start=1):
                    one.result()
                    report(number / len(tasks))
            except BrokenProcessPool as error:
                raise RuntimeError(
                    "curate.corpus: a process was killed, for lack of memory most likely; lower corpus.shards or "
                    "corpus.part_mib, or give it more, and run again: finished parts are kept"
                ) from error
            finally:
                pool.shutdown(cancel_futures=True)


def open_corpus(sources: Sequence[SourceConfig], config: CorpusConfig, work: Path) -> Corpus:
    """Find the parts of the sources. Raises SourceError when a source has no file or a broken one."""
    return Corpus(tuple(sources), config, work, tuple(list_parts(sources, config.part_mib << 20)))


def kind_of(source: SourceConfig) -> type[Trace] | type[Prompt]:
    """What the rows of a source are."""
    return Trace if source.kind in TRACE_KINDS else Prompt


def text_of(trace: Trace) -> str:
    """The whole conversation."""
    return "\n".join(m.content for m in trace.messages)


def _clean(part: Part, source: SourceConfig, config: CorpusConfig, work: Path) -> None:
    judges = _judges(work / BENCHMARKS)
    once(work / CLEAN / part.folder, lambda out: clean(part, source, config, judges, out))


def _finish(part: Part, rows: PartRows, work: Path, base: Path, max_tokens: int) -> None:
    drops = work / DUPLICATES / part.folder
    once(work / FINISHED / part.folder, lambda out: finish(rows, drops, _tokenizer(base), max_tokens, out))


@lru_cache(maxsize=1)
def _judges(folder: Path) -> dict[str, Decontaminator]:
    """Built once in each process."""
    return judges_of(read_benchmark_items(folder))


@lru_cache(maxsize=1)
def _tokenizer(base: Path) -> "PreTrainedTokenizerBase":
    from transformers import AutoTokenizer  # seconds of import, which cleaning processes do without

    return AutoTokenizer.from_pretrained(base)
