"""First step of a part: read, filter, decontaminate; leave the good rows and what deduplication needs of them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from hexad.curation.canonical import canonical_words, numbers_of
from hexad.curation.contamination import Decontaminator, Method
from hexad.curation.corpus.config import CorpusConfig
from hexad.curation.corpus.layout import HITS, INDEX, QUESTION_BANDS, REJECTS, RESPONSE_BANDS, ROWS
from hexad.curation.corpus.parts import Part
from hexad.curation.dedupe import question_key
from hexad.curation.filters import agreements, question_of, refusal, repetitions, response_of
from hexad.curation.neardup import band_keys, shingle
from hexad.curation.neardup.shingles import Words64, mix
from hexad.curation.readers import TRACE_KINDS, SourceConfig, Sourced, interpret
from hexad.curation.readers.files import File, read_rows
from hexad.curation.splits import split_of
from hexad.curation.structure import check_trace
from hexad.grading import verify_gold
from hexad.records import DOMAINS, Prompt, Record, Reject, Trace
from hexad.records.shards import RowWriter

BATCH = 64  # rows judged and sketched at once
RESPONSE_WORDS = 50  # shorter responses are alike by chance


class ContaminationHit(Record):
    """A training row that is a benchmark item. The row is dropped."""

    benchmark: str
    item: str
    row: str
    method: Method
    score: float


@dataclass(frozen=True)
class Cleaned:
    """A good row. `verified`: its answer was compared with a reference and agrees."""

    row: Trace | Prompt
    verified: bool


def clean(
    part: Part, source: SourceConfig, config: CorpusConfig, judges: Mapping[str, Decontaminator], out: Path
) -> None:
    """Write the part's rows, rejects, hits and index into `out`."""
    kind = Trace if source.kind in TRACE_KINDS else Prompt
    index = _Index()
    with (
        RowWriter(out / ROWS, kind) as rows,
        RowWriter(out / REJECTS, Reject) as rejects,
        RowWriter(out / HITS, ContaminationHit) as hits,
    ):
        found = iter(_read(part, source))
        while batch := list(islice(found, BATCH)):
            kept = []
            for one in _filtered(batch, config, judges):
                if isinstance(one, Reject):
                    rejects.write(one)
                elif isinstance(one, ContaminationHit):
                    hits.write(one)
                else:
                    kept.append(one)
                    rows.write(one.row)
            index.add(kept)
    index.save(out)


def _read(part: Part, source: SourceConfig) -> Iterator[Sourced | Reject]:
    if part.stop is None:
        return interpret(islice(read_rows(part.file), source.limit), source)
    return interpret(File(part.file, part.name).read(part.start, part.stop), source)


def _filtered(
    batch: Sequence[Sourced | Reject], config: CorpusConfig, judges: Mapping[str, Decontaminator]
) -> Iterator[Cleaned | Reject | ContaminationHit]:
    good: list[Sourced] = []
    repeated = iter(repetitions([response_of(one.row) for one in batch if not isinstance(one, Reject)]))
    for one in batch:
        if isinstance(one, Reject):
            yield one
        elif (reject := _refused(one.row, config, next(repeated))) is not None:
            yield reject
        else:
            good.append(one)
    to_check = [one for one in good if isinstance(one.row, Trace) and one.reference and one.row.domain != "code"]
    verdicts = agreements([(one.row, one.reference) for one in to_check]) if config.filters.references else []  # type: ignore[misc]
    agrees = {one.row.id: verdict for one, verdict in zip(to_check, verdicts, strict=False)}
    for one in good:
        if agrees.get(one.row.id) is False:
            yield Reject(row=one.row.id, stage="reference", reason="answer is not the reference's",
                         detail=str(one.reference and one.reference.value))  # fmt: skip
            continue
        found = [
            ContaminationHit(benchmark=name, row=one.row.id, **hit.model_dump())
            for name, judge in judges.items()
            for hit in judge.hits(question_of(one.row))
        ]
        if found:
            yield Reject(row=one.row.id, stage="decontaminate", reason=f"benchmark question ({found[0].method})",
                         detail=f"{found[0].benchmark}: {found[0].item}")  # fmt: skip
            yield from found
        else:
            yield Cleaned(one.row, agrees.get(one.row.id) is True)


def _refused(row: Trace | Prompt, config: CorpusConfig, repeated: float) -> Reject | None:
    if isinstance(row, Trace) and (reason := check_trace(row)):
        return Reject(row=row.id, stage="structure", reason=reason)
    if split_of(question_of(row)) != "train":
        return Reject(row=row.id, stage="split", reason="question falls into a held-out split")
    if (reject := refusal(row, config.filters, repeated)) is not None:
        return reject
    if isinstance(row, Prompt) and (detail := verify_gold(row)):
        return Reject(row=row.id, stage="gold", reason="gold not accepted as an answer", detail=detail)
    return None


class _Index:
    """What deduplication and caps need of each row, as arrays."""

    def __init__(self) -> None:
        self._columns: dict[str, list[np.ndarray]] = {name: [] for name in ("key", "preferred", "domain", "lot")}
        self._bands: dict[str, list[Words64]] = {QUESTION_BANDS: [], RESPONSE_BANDS: []}

    def add(self, kept: list[Cleaned]) -> None:
        questions = [question_of(one.row) for one in kept]
        keys = np.frombuffer(b"".join(map(question_key, questions)), "<u8").reshape(-1, 2)
        lots = np.frombuffer(b"".join(question_key(one.row.id) for one in kept), "<u8").reshape(-1, 2)[:, 0]
        self._columns["key"].append(keys)
        self._columns["lot"].append(lots)
        self._columns["preferred"].append(np.array([_preferred(one) for one in kept], np.uint8))
        self._columns["domain"].append(np.array([DOMAINS.index(one.row.domain) for one in kept], np.uint8))
        numbers = np.frombuffer(b"".join(question_key(_numbers(text)) for text in questions), "<u8")[::2]
        with np.errstate(over="ignore"):
            # Questions with other numbers are other questions: they never meet.
            bands = band_keys(shingle(questions))
            self._bands[QUESTION_BANDS].append(np.where(bands == 0, bands, mix(bands + numbers[:, None])))
        found = shingle([response_of(one.row) for one in kept])
        long = np.diff(found.offsets) >= RESPONSE_WORDS
        self._bands[RESPONSE_BANDS].append(np.where(long[:, None], band_keys(found), np.uint64(0)))

    def save(self, out: Path) -> None:
        np.savez(out / INDEX, **{name: np.concatenate(found or [np.zeros(0)]) for name, found in self._columns.items()})
        for name, found in self._bands.items():
            # Transposed: deduplication reads one band of all rows at a time.
            np.save(out / name, np.ascontiguousarray(np.concatenate(found).T) if found else np.zeros((0, 0), np.uint64))


def _preferred(one: Cleaned) -> int:
    """0 for the rows that a cluster keeps first: a verified trace, or a prompt whose difficulty was measured."""
    return 0 if one.verified or (isinstance(one.row, Prompt) and one.row.difficulty) else 1


def _numbers(text: str) -> str:
    return " ".join(numbers_of(canonical_words(text)))
