"""URIs and settings that a store can be opened with."""

import json
from pathlib import Path

import pytest

from hexad.storage import BadStoreUri, open_store
from hexad.storage.local import LocalStore
from hexad.storage.s3 import S3Store

KEYS = {"HEXAD_S3_ENDPOINT": "http://127.0.0.1:9", "HEXAD_S3_ACCESS_KEY": "key", "HEXAD_S3_SECRET_KEY": "secret"}
REFUSED = [json.loads(line) for line in (Path(__file__).parent / "refused_uris.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case["uri"] or "empty")
def test_a_uri_that_no_store_serves_is_refused_with_the_mend(case: dict[str, str]) -> None:
    with pytest.raises(BadStoreUri, match=case["mend"]) as error:
        open_store(case["uri"], KEYS)
    assert repr(case["uri"]) in str(error.value)


@pytest.mark.parametrize("uri", ["file:///folder", "file:///folder with space/a%20b", "s3://bucket", "s3://b.c-d/p/q/"])
def test_a_good_uri_opens_without_touching_the_network(uri: str) -> None:
    kind = LocalStore if uri.startswith("file:") else S3Store
    assert isinstance(open_store(uri, KEYS), kind)


def test_all_missing_s3_settings_are_named_at_once() -> None:
    with pytest.raises(BadStoreUri, match="HEXAD_S3_ENDPOINT, HEXAD_S3_SECRET_KEY"):
        open_store("s3://bucket", {"HEXAD_S3_ACCESS_KEY": "key"})


@pytest.mark.parametrize("endpoint", ["127.0.0.1:9000", "ftp://host", "http://", "https://host/bucket"])
def test_an_endpoint_that_is_not_a_server_is_refused(endpoint: str) -> None:
    with pytest.raises(BadStoreUri, match="HEXAD_S3_ENDPOINT"):
        open_store("s3://bucket", {**KEYS, "HEXAD_S3_ENDPOINT": endpoint})
