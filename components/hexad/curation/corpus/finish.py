"""Last step of a part: the rows that stay, tokenized, and a reject for each that does not."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from hexad.curation.corpus.duplicates import Drop, PartRows
from hexad.curation.corpus.layout import DROPS, REJECTS, ROWS, TOKENS
from hexad.curation.tokenize import TokenFile, Tokenized, tokenize
from hexad.records import Prompt, Reject, Trace
from hexad.records.shards import RowWriter, iter_rows, read_rows

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


def finish(part: PartRows, drops: Path, tokenizer: "PreTrainedTokenizerBase", max_tokens: int, out: Path) -> None:
    """Write rows, tokens (of traces) and rejects into `out`. `drops`: folder of the part's drops."""
    dropped = {drop.row: drop for drop in read_rows(drops / DROPS, Drop)}
    with RowWriter(out / ROWS, part.kind) as rows, RowWriter(out / REJECTS, Reject) as rejects:

        def stays() -> Iterator[Trace | Prompt]:
            for number, row in enumerate(iter_rows(part.folder / ROWS, part.kind)):
                if drop := dropped.get(number):
                    rejects.write(Reject(row=row.id, stage=drop.stage, reason=drop.reason, detail=drop.detail))
                else:
                    yield row

        def tokenized() -> Iterator[Tokenized]:
            for found in tokenize((row for row in stays() if isinstance(row, Trace)), tokenizer, max_tokens):
                if isinstance(found, Reject):
                    rejects.write(found)
                else:
                    rows.write(found[1])
                    yield found[0]

        if part.kind is Trace:
            TokenFile(out / TOKENS).write(tokenized())
        else:
            for row in stays():
                rows.write(row)
