"""A store behind the S3 API, over the minio client."""

import io
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Self, TypeVar
from urllib.parse import urlsplit

import urllib3
from minio import Minio
from minio.datatypes import Object
from minio.error import S3Error
from pydantic import Field

from hexad.records import Record
from hexad.storage.certificates import own_authority, trusted
from hexad.storage.disk import clear_disk_errors
from hexad.storage.errors import BadStoreUri, BucketMissing, DiskFull, ObjectMissing, StoreUnreachable
from hexad.storage.hashing import file_sha256
from hexad.storage.ranged import download_parts
from hexad.storage.s3_errors import clear_s3_errors, retried, retry_policy
from hexad.storage.store import TransferProgress

SCHEME = "s3://"
PART_BYTES = 16 * 1024 * 1024
PART_THREADS = 4
SHA256 = "x-amz-meta-sha256"

_CONNECT_SECONDS, _READ_SECONDS, _CONNECTIONS = 2, 60, 32
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")

Result = TypeVar("Result")


class S3Settings(Record):
    """Where an S3 store is, and the keys to it."""

    endpoint: str = Field(description="http://host:port or https://host, without a path.")
    access_key: str
    secret_key: str = Field(repr=False)
    region: str = "us-east-1"
    authority: str = Field("", description="Certificates to trust beside the public ones, in PEM form.")
    folder: str = Field("", description="Where an embedded server keeps its objects on this machine; else empty.")

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """From the HEXAD_S3_* variables. Raises `BadStoreUri` that names all that are missing."""
        needed = ("HEXAD_S3_ENDPOINT", "HEXAD_S3_ACCESS_KEY", "HEXAD_S3_SECRET_KEY")
        missing = [name for name in needed if not environment.get(name)]
        if missing:
            raise BadStoreUri(f"environment: {', '.join(missing)} not set; set them, or use a file:///folder store")
        endpoint, access_key, secret_key = (environment[name] for name in needed)
        parts = urlsplit(endpoint)
        if parts.scheme not in ("http", "https") or not parts.netloc or parts.path not in ("", "/"):
            raise BadStoreUri(f"HEXAD_S3_ENDPOINT={endpoint!r}: write http://host:port or https://host, without a path")
        region = environment.get("HEXAD_S3_REGION") or "us-east-1"
        return cls(
            endpoint=endpoint.rstrip("/"), access_key=access_key, secret_key=secret_key, region=region,
            authority=own_authority(environment), folder=environment.get("HEXAD_S3_FOLDER", ""),
        )  # fmt: skip


class S3Store:
    """`Store` over s3://bucket/key URIs. The bucket is created at the first write when it is missing."""

    def __init__(self, settings: S3Settings, part_bytes: int = PART_BYTES) -> None:
        self._endpoint = settings.endpoint
        self._folder = settings.folder
        self._part_bytes = part_bytes
        parts = urlsplit(settings.endpoint)
        http = urllib3.PoolManager(
            timeout=urllib3.Timeout(connect=_CONNECT_SECONDS, read=_READ_SECONDS),
            maxsize=_CONNECTIONS, retries=retry_policy(), ssl_context=trusted(settings.authority),
        )  # fmt: skip
        self._client = Minio(
            parts.netloc, access_key=settings.access_key, secret_key=settings.secret_key, region=settings.region,
            secure=parts.scheme == "https", http_client=http,
        )  # fmt: skip

    def read_bytes(self, uri: str) -> bytes:
        return self._read(uri)

    def read_range(self, uri: str, offset: int, length: int) -> bytes:
        return self._read(uri, offset, length)

    def _read(self, uri: str, offset: int = 0, length: int = 0) -> bytes:
        """From `offset` on; length 0: to the end."""
        bucket, key = bucket_and_key(uri)

        def read() -> bytes:
            response = self._client.get_object(bucket, key, offset=offset, length=length)
            try:
                data: bytes = response.read()
                return data
            finally:
                response.close()
                response.release_conn()

        with self._clear(uri):
            return retried(read)

    def write_bytes(self, uri: str, data: bytes) -> None:
        bucket, key = bucket_and_key(uri)
        with self._clear_full(uri, len(data)), self._clear(uri):
            self._creating_bucket(bucket, lambda: self._client.put_object(bucket, key, io.BytesIO(data), len(data)))

    def exists(self, uri: str) -> bool:
        try:
            self._stat(uri)
        except ObjectMissing:
            return False
        return True

    def list(self, uri_prefix: str) -> list[str]:
        bucket, key = bucket_and_key(f"{uri_prefix.rstrip('/')}/")
        try:
            with self._clear(uri_prefix):
                objects = self._client.list_objects(bucket, prefix=key, recursive=True)
                return sorted(f"{SCHEME}{bucket}/{o.object_name}" for o in objects if not o.is_dir)
        except BucketMissing:
            return []

    def size(self, uri: str) -> int:
        return self._stat(uri).size or 0

    def download(self, uri: str, path: Path, progress: TransferProgress | None = None) -> None:
        bucket, key = bucket_and_key(uri)
        stat = self._stat(uri)

        def read_range(offset: int, length: int) -> urllib3.BaseHTTPResponse:
            response: urllib3.BaseHTTPResponse = self._client.get_object(
                bucket, key, offset=offset, length=length, request_headers={"If-Match": stat.etag or ""}
            )
            return response

        with self._clear(uri), clear_disk_errors(path):
            download_parts(
                read_range,
                stat.size or 0,
                stat.etag or "",
                path,
                self._part_bytes,
                threads=PART_THREADS,
                progress=progress,
            )

    def upload(self, path: Path, uri: str, progress: TransferProgress | None = None, sha256: str | None = None) -> None:
        bucket, key = bucket_and_key(uri)
        with clear_disk_errors(path):
            size, digest = path.stat().st_size, sha256 or file_sha256(path)
        if not self._holds(uri, size, digest):
            with self._clear_full(uri, size), self._clear(uri), clear_disk_errors(path):
                self._creating_bucket(bucket, lambda: self._put_file(bucket, key, path, digest, progress))
        if progress:
            progress(size, size)

    def delete(self, uri: str) -> None:
        bucket, key = bucket_and_key(uri)
        with self._clear(uri):
            self._client.remove_object(bucket, key)

    def _stat(self, uri: str) -> Object:
        bucket, key = bucket_and_key(uri)
        with self._clear(uri):
            return self._client.stat_object(bucket, key)

    def _holds(self, uri: str, size: int, sha256: str) -> bool:
        try:
            stat = self._stat(uri)
        except ObjectMissing:
            return False
        return stat.size == size and (stat.metadata or {}).get(SHA256) == sha256

    def _put_file(self, bucket: str, key: str, path: Path, sha256: str, progress: TransferProgress | None) -> None:
        size = path.stat().st_size
        try:
            with path.open("rb") as file:
                self._client.put_object(
                    bucket, key, _Counted(file, size, progress), size, metadata={"sha256": sha256},
                    part_size=self._part_bytes, num_parallel_uploads=PART_THREADS,
                )  # fmt: skip
        except S3Error as error:
            # The upload was completed, the reply was lost, and the second try found no upload to complete.
            if error.code != "NoSuchUpload" or not self._holds(f"{SCHEME}{bucket}/{key}", size, sha256):
                raise

    def _creating_bucket(self, bucket: str, write: Callable[[], Result]) -> None:
        try:
            write()
        except S3Error as error:
            if error.code != "NoSuchBucket":
                raise
            self._make_bucket(bucket)
            write()

    def _make_bucket(self, bucket: str) -> None:
        try:
            self._client.make_bucket(bucket)
        except S3Error as error:
            if error.code not in ("BucketAlreadyOwnedByYou", "BucketAlreadyExists"):
                raise

    @contextmanager
    def _clear_full(self, uri: str, size: int) -> Iterator[None]:
        """Tell apart a full disk of an embedded server, to which the gateway answers 500 as to a passing fault."""
        self._check_space(uri, size)
        try:
            yield
        except StoreUnreachable:
            self._check_space(uri, size)
            raise

    def _check_space(self, uri: str, size: int) -> None:
        if self._folder and (free := shutil.disk_usage(self._folder).free) < size:
            raise DiskFull(
                f"{uri}: {size:,} bytes do not fit, {free:,} are free in the store's folder {self._folder}; "
                "free space there, then run again: it goes on from here"
            )

    @contextmanager
    def _clear(self, uri: str) -> Iterator[None]:
        with clear_s3_errors(uri, self._endpoint):
            yield


class _Counted(io.RawIOBase):
    """A file that reports how much of it was handed to the client."""

    def __init__(self, file: io.BufferedReader, size: int, progress: TransferProgress | None) -> None:
        self._file, self._size, self._progress = file, size, progress
        self._done = 0

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        self._done += len(data)
        if self._progress and data:
            self._progress(self._done, self._size)
        return data


def bucket_and_key(uri: str) -> tuple[str, str]:
    """The parts of an s3://bucket/key URI; the key may be empty. Raises `BadStoreUri`."""
    bucket, _, key = uri.removeprefix(SCHEME).partition("/")
    if not uri.startswith(SCHEME) or not _BUCKET.fullmatch(bucket):
        raise BadStoreUri(f"{uri!r}: not an S3 URI; write s3://bucket/prefix, the bucket 3-63 of a-z, 0-9, '.' and '-'")
    return bucket, key
