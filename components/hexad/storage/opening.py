"""From a URI to the store that serves it."""

import os
from collections.abc import Mapping

from hexad.storage.errors import BadStoreUri
from hexad.storage.local import LocalStore, local_path
from hexad.storage.store import Store


def open_store(uri: str, environment: Mapping[str, str] | None = None) -> Store:
    """The store of a file:///folder or s3://bucket/prefix URI. Sends nothing: a missing store shows on first use.

    S3 takes HEXAD_S3_ENDPOINT (http://host:port or https://host), HEXAD_S3_ACCESS_KEY, HEXAD_S3_SECRET_KEY,
    HEXAD_S3_REGION (default us-east-1) and HEXAD_S3_CA (a certificate authority of the company's own) from
    `environment` (default: the process's own).
    Raises `BadStoreUri` for another scheme or missing settings.
    """
    scheme = uri.partition("://")[0]
    if scheme == "file":
        local_path(uri)
        return LocalStore()
    if scheme == "s3":
        # minio is slow to import, and compiling or asking for help opens no store.
        from hexad.storage.s3 import S3Settings, S3Store, bucket_and_key

        bucket_and_key(uri)
        return S3Store(S3Settings.from_environment(os.environ if environment is None else environment))
    if scheme == "hf":
        raise BadStoreUri(f"{uri!r}: the hub cannot hold trees; download it first, then give file:///folder")
    raise BadStoreUri(f"{uri!r}: not a store; write file:///folder or s3://bucket/prefix")
