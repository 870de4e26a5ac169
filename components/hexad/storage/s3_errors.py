"""Errors of the S3 client in the words of `hexad.storage.errors`, and the one retry policy."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from minio.error import InvalidResponseError, MinioException, S3Error, ServerError
from urllib3.exceptions import HTTPError, MaxRetryError
from urllib3.util import Retry

from hexad.storage.certificates import AUTHORITY
from hexad.storage.errors import AccessRefused, BucketMissing, DiskFull, ObjectMissing, StorageError, StoreUnreachable

Result = TypeVar("Result")

TRIES = "HEXAD_STORE_TRIES"
"""Environment variable: how often one request is sent before it counts as failed, default 5."""

_TRANSIENT = (500, 502, 503, 504)
_OTHER_REGION = "AuthorizationHeaderMalformed"
_REFUSED = {"InvalidAccessKeyId", "SignatureDoesNotMatch", "AccessDenied", _OTHER_REGION}
_FULL = {"XMinioStorageFull", "QuotaExceeded", "XMinioAdminBucketQuotaExceeded"}


def retry_policy() -> Retry:
    """Five tries with exponential backoff and jitter: 0, 0.5, 1, 2 s apart, under 10 s when nothing answers.

    Connection errors, broken replies and 500/502/503/504 (S3's SlowDown is a 503) are tried again. POST too: S3 uses
    it to start and complete a multipart upload, and both may be repeated.
    """
    tries = int(os.environ.get(TRIES, "5"))
    return Retry(
        total=tries - 1, connect=min(tries - 1, 3), redirect=False, backoff_factor=0.25, backoff_max=4.0,
        backoff_jitter=0.25, status_forcelist=_TRANSIENT, allowed_methods=None, raise_on_status=False,
        respect_retry_after_header=False,
    )  # fmt: skip


def retried(read: Callable[[], Result]) -> Result:
    """Call `read` again when a reply breaks off in its body, which the connection pool's own retries do not see."""
    retry = retry_policy()
    while True:
        try:
            return read()
        except MaxRetryError:  # the pool has used up its tries
            raise
        except HTTPError as error:
            retry = retry.increment("GET", error=error)
            retry.sleep()


@contextmanager
def clear_s3_errors(uri: str, endpoint: str) -> Iterator[None]:
    """Turn an error of the client or its connection into one `StorageError` about `uri`."""
    try:
        yield
    except S3Error as error:
        raise s3_error(uri, endpoint, error) from error
    except (InvalidResponseError, ServerError) as error:
        raise StoreUnreachable(
            f"{uri}: {endpoint} does not answer as an S3 store ({_one_line(error)}); check HEXAD_S3_ENDPOINT"
        ) from error
    except MinioException as error:
        raise StorageError(f"{uri}: {_one_line(error)}") from error
    except HTTPError as error:
        cause = _cause(error)
        mend = "start the store or check HEXAD_S3_ENDPOINT"
        if cause.startswith("SSLError"):
            mend = f"check HEXAD_S3_ENDPOINT, and {AUTHORITY} for a certificate of the company's own"
        raise StoreUnreachable(f"{uri}: no answer from {endpoint} ({cause}); {mend}") from error


def s3_error(uri: str, endpoint: str, error: S3Error) -> StorageError:
    """What this reply of the store means for the person who has to mend it."""
    code, status = error.code, error.response.status
    if code in _REFUSED:
        mend = "check HEXAD_S3_ACCESS_KEY and HEXAD_S3_SECRET_KEY, and that they may use this bucket"
        if code == _OTHER_REGION:  # AWS names the one that it expects
            mend = f"set HEXAD_S3_REGION: {error.message}"
        return AccessRefused(f"{uri}: {endpoint} refused the keys ({code}); {mend}")
    if code == "NoSuchBucket":
        bucket = uri.removeprefix("s3://").partition("/")[0]
        return BucketMissing(f"{uri}: no bucket {bucket!r} at {endpoint}; create it or correct the store URI")
    if code in ("NoSuchKey", "NoSuchObject"):
        return ObjectMissing(f"{uri}: no such object at {endpoint}")
    if code in _FULL or status == 507:
        return DiskFull(f"{uri}: {endpoint} has no space left ({code}); free space there, then run again: it goes on")
    if status in _TRANSIENT:
        return StoreUnreachable(f"{uri}: {endpoint} still answers {status} {code} after all tries; try again later")
    return StorageError(f"{uri}: {endpoint} answered {status} {code}: {error.message}")


def _cause(error: BaseException) -> str:
    reason = error.args[-1] if error.args and isinstance(error.args[-1], BaseException) else error.__cause__
    return _one_line(reason if isinstance(reason, BaseException) else error)


def _one_line(error: BaseException) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())[:300]
