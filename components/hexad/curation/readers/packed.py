"""Columns packed as base64 of gzipped JSON, as LLM360/guru-RL-92k-extra-info-compressed has them."""

import base64
import binascii
import io
import json
import zlib
from gzip import BadGzipFile, GzipFile
from typing import Any

from hexad.curation.readers.errors import RowError

MAX_UNPACKED = 256 * 1024 * 1024  # bytes, as a line of JSONL at most; a few bytes can claim to be gigabytes

_MAGIC = "H4sI"  # base64 of the first three bytes of any gzip file


def is_packed(value: Any) -> bool:
    return isinstance(value, str) and value.startswith(_MAGIC)


def unpack(value: str, name: str, limit: int = MAX_UNPACKED) -> Any:
    """The JSON value behind the packed text. Raises RowError that names the column."""
    try:
        with GzipFile(fileobj=io.BytesIO(base64.b64decode(value, validate=True))) as file:
            data = file.read(limit + 1)
        if len(data) > limit:
            raise RowError(f"bad {name}", f"unpacks to more than {limit} bytes")
        return json.loads(data)
    except (binascii.Error, BadGzipFile, EOFError, zlib.error, ValueError, RecursionError) as error:
        if isinstance(error, RowError):
            raise
        raise RowError(f"bad {name}", f"packed column cannot be read: {error}") from error
