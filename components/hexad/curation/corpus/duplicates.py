"""The one step that sees all parts: which rows are duplicates of a better one, and which are over a domain's cap.

Questions first, by equal normalised text and then by near duplicates; then the responses of what is left. Of a cluster
one row stays: a verified trace or a prompt of measured difficulty before others, then the earlier source in the recipe,
then the earlier row. Near means: connected by pairs of at least the configured Jaccard similarity.

Held in memory are a few numbers for each row and one band of keys; texts are read again for candidates only.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq

from hexad.curation.corpus.config import CorpusConfig
from hexad.curation.corpus.layout import DROPS, INDEX, QUESTION_BANDS, RESPONSE_BANDS, ROWS
from hexad.curation.filters import question_of, response_of
from hexad.curation.neardup import BANDS, candidate_pairs, clusters, shingle, similar
from hexad.curation.neardup.shingles import Index, Words64
from hexad.records import DOMAINS, Prompt, Record, Trace
from hexad.records.shards import RowWriter, iter_rows

Text = Callable[[Trace | Prompt], str]


class Drop(Record):
    """A row of a part, by its number there, that goes no further."""

    row: int
    stage: str
    reason: str
    detail: str


@dataclass(frozen=True)
class PartRows:
    """The folder of a cleaned part, and the kind of its rows."""

    folder: Path
    kind: type[Trace] | type[Prompt]


def find_duplicates(parts: Sequence[PartRows], config: CorpusConfig, out: Path) -> None:
    """Write for each part its drops, as `out/<part>.parquet`."""
    rows = _Rows(parts)
    by_key = _exact(rows)
    _drop(rows, by_key, "dedupe", "duplicate question")
    _drop(rows, _near(rows, QUESTION_BANDS, question_of, config, out), "dedupe", "near-duplicate question")
    if config.dedupe.responses:
        _drop(rows, _near(rows, RESPONSE_BANDS, response_of, config, out), "dedupe", "near-duplicate response")
    _cap(rows, config)
    _write(rows, out)


class _Rows:
    def __init__(self, parts: Sequence[PartRows]) -> None:
        self.parts = parts
        found = [np.load(part.folder / INDEX) for part in parts]
        counts = [len(one["domain"]) for one in found]
        self.first = np.concatenate(([0], np.cumsum(counts))).astype(np.int64)
        self.count = int(self.first[-1])
        self.is_trace = np.repeat([part.kind is Trace for part in parts], counts)
        self.key = np.concatenate([one["key"].reshape(-1, 2) for one in found]).astype(np.uint64)
        self.lot = np.concatenate([one["lot"] for one in found]).astype(np.uint64)
        self.domain = np.concatenate([one["domain"] for one in found]).astype(np.uint8)
        preferred = np.concatenate([one["preferred"] for one in found]).astype(np.int64)
        self.rank = (preferred << 48) + np.arange(self.count)  # rows stand in the order of sources, files and places
        self.keeper = np.full(self.count, -1, np.int64)
        self.why = np.zeros(self.count, np.uint8)
        self.reasons: list[tuple[str, str]] = [("", "")]

    @property
    def alive(self) -> npt.NDArray[np.bool_]:
        return np.equal(self.why, 0)

    def bands(self, name: str) -> Iterator[Words64]:
        for band in range(BANDS):
            columns = [np.load(part.folder / name, mmap_mode="r") for part in self.parts]
            keys = np.concatenate([np.array(one[band]) if one.size else np.zeros(0, np.uint64) for one in columns])
            keys[~self.alive] = 0
            yield keys


def _exact(rows: _Rows) -> Mapping[int, int]:
    """Rows with the key of another: to the best of them."""
    order = np.lexsort((rows.rank, rows.key[:, 1], rows.key[:, 0]))
    key = rows.key[order]
    new = np.concatenate(([True], (key[1:] != key[:-1]).any(axis=1))) if len(order) else np.zeros(0, bool)
    best = order[np.flatnonzero(new)][np.cumsum(new) - 1]
    return dict(zip(order[~new].tolist(), best[~new].tolist(), strict=True))


def _near(rows: _Rows, bands: str, text: Text, config: CorpusConfig, scratch: Path) -> Mapping[int, int]:
    pairs = candidate_pairs(rows.bands(bands))
    spilled = _Spill(scratch / ".shingles", rows, np.unique(pairs), text)
    label = clusters(((i, j) for i, j, _ in similar(pairs, spilled.get, config.dedupe.jaccard)), rows.count)
    spilled.remove()
    members = np.flatnonzero(np.bincount(label, minlength=rows.count)[label] > 1)
    best: dict[int, int] = {}
    for row in sorted(members.tolist(), key=lambda row: int(rows.rank[row])):
        best.setdefault(int(label[row]), row)
    return {row: best[int(label[row])] for row in members.tolist() if best[int(label[row])] != row}


def _drop(rows: _Rows, keeper_of: Mapping[int, int], stage: str, reason: str) -> None:
    rows.reasons.append((stage, reason))
    for row, keeper in keeper_of.items():
        rows.why[row], rows.keeper[row] = len(rows.reasons) - 1, keeper


def _cap(rows: _Rows, config: CorpusConfig) -> None:
    """Of each domain the rows with the smallest hash of their id stay: a choice that no order or sharding moves."""
    rows.reasons.append(("mix", "over the domain's cap"))
    for is_trace, caps in ((True, config.trace_caps), (False, config.prompt_caps)):
        for domain, cap in caps.items():
            found = np.flatnonzero(rows.alive & (rows.is_trace == is_trace) & (rows.domain == DOMAINS.index(domain)))
            over = found[np.argsort(rows.lot[found], kind="stable")][cap:]
            rows.why[over] = len(rows.reasons) - 1


def _write(rows: _Rows, out: Path) -> None:
    names = dict(_ids(rows, np.unique(rows.keeper[rows.keeper >= 0])))
    for number, (first, end) in enumerate(zip(rows.first[:-1].tolist(), rows.first[1:].tolist(), strict=True)):
        (out / f"{number:06d}").mkdir()
        with RowWriter(out / f"{number:06d}" / DROPS, Drop) as drops:
            for row in np.flatnonzero(rows.why[first:end]).tolist():
                stage, reason = rows.reasons[rows.why[first + row]]
                detail = f"of {names[keeper]}" if (keeper := int(rows.keeper[first + row])) >= 0 else ""
                drops.write(Drop(row=row, stage=stage, reason=reason, detail=detail))


def _ids(rows: _Rows, wanted: Index) -> Iterator[tuple[int, str]]:
    for first, end, part in zip(rows.first[:-1].tolist(), rows.first[1:].tolist(), rows.parts, strict=True):
        here = wanted[(wanted >= first) & (wanted < end)]
        if len(here):
            found = pq.read_table(part.folder / ROWS, columns=["id"]).column(0)
            yield from ((row, found[row - first].as_py()) for row in here.tolist())


class _Spill:
    """Shingles of some rows, in a file: read back row by row."""

    def __init__(self, path: Path, rows: _Rows, wanted: Index, text: Text) -> None:
        self._path = path
        self._at: dict[int, tuple[int, int]] = {}
        place = 0
        with path.open("wb") as file:
            for row, found in _texts(rows, wanted, text):
                shingles = shingle([found]).distinct(0)
                file.write(shingles.tobytes())
                self._at[row] = (place, len(shingles))
                place += shingles.nbytes

    def get(self, row: int) -> Words64:
        offset, count = self._at[row]
        return np.fromfile(self._path, "<u8", count, offset=offset).astype(np.uint64, copy=False)

    def remove(self) -> None:
        self._path.unlink()


def _texts(rows: _Rows, wanted: Index, text: Text) -> Iterator[tuple[int, str]]:
    for first, end, part in zip(rows.first[:-1].tolist(), rows.first[1:].tolist(), rows.parts, strict=True):
        here = set(wanted[(wanted >= first) & (wanted < end)].tolist())
        if here:
            kind = part.kind
            for row, record in enumerate(iter_rows(part.folder / ROWS, kind), start=first):
                if row in here:
                    yield row, text(record)
