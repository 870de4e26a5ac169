"""One address in front of gateways that come and go: new requests go to the newest, running ones end where they began.

The gateways are ASGI applications in this process, so the switch is one assignment: no connection is closed by it, and
a keep-alive client is served by the new gateway from its next request on.
"""

import asyncio
import socket
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx
import uvicorn
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hexad.gateway.app import create_app
from hexad.gateway.backends.connections import Connections
from hexad.gateway.config import GatewayConfig
from hexad.gateway.telemetry.tracing import add_trace_context
from hexad.grading import group_answers

BUNDLE_HEADER = "x-hexad-bundle"
"""Response header that names the bundle that answered."""

_IDLE_CONNECTION_S = 30
_Result = TypeVar("_Result")


class Behind:
    """A gateway of one bundle, with the number of its requests in flight."""

    def __init__(self, digest: str, app: ASGIApp, client: httpx.AsyncClient) -> None:
        self.digest, self.running = digest, 0
        self.app, self.client = app, client

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def named(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)[BUNDLE_HEADER] = self.digest
            await send(message)

        self.running += 1
        try:
            await self.app(scope, receive, named)
        finally:
            self.running -= 1


class Front:
    """Context manager: an event loop in a thread of its own, in which gateways and listening sockets live."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="hexad-front", daemon=True)
        self._current: Behind | None = None

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        if not self._thread.is_alive():
            self._loop.close()

    def mount(self, digest: str, config: GatewayConfig) -> Behind:
        """A gateway that answers nobody yet."""

        async def make() -> Behind:
            client = httpx.AsyncClient(transport=Connections(), event_hooks={"request": [add_trace_context]})
            return Behind(digest, create_app(config, client, group_answers), client)

        return self._run(make())

    def switch(self, behind: Behind) -> None:
        """Send every further request to `behind`."""
        self._current = behind

    def unmount(self, behind: Behind) -> None:
        """Close its connections to the engine. What still runs is cut, so wait until `running` is 0."""
        self._run(behind.client.aclose())

    @contextmanager
    def listening(self, host: str, port: int, behind: Behind | None = None, grace_s: float = 30.0) -> Iterator[str]:
        """Serve `behind`, or whatever was switched to last, on host:port (0: a free one); yields the URL.

        At the end, requests in flight get `grace_s` seconds to finish. Raises OSError when the port is taken.
        """

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            chosen = behind or self._current
            assert chosen is not None, "nothing was switched to before listening"
            await chosen(scope, receive, send)

        config = uvicorn.Config(
            app, host=host, port=port, lifespan="off", access_log=False, server_header=False, proxy_headers=False,
            log_config=None, timeout_graceful_shutdown=max(1, round(grace_s)), timeout_keep_alive=_IDLE_CONNECTION_S,
        )  # fmt: skip
        bound = _bind(host, port)
        bound.listen()  # now, not when the event loop comes to it: who knows the URL may connect
        server = uvicorn.Server(config)
        serving = asyncio.run_coroutine_threadsafe(server.serve(sockets=[bound]), self._loop)
        try:
            yield f"http://{host}:{bound.getsockname()[1]}"
        finally:
            server.should_exit = True
            serving.result(grace_s + 10)
            bound.close()

    def _run(self, work: Coroutine[Any, Any, _Result]) -> _Result:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)


def _bind(host: str, port: int) -> socket.socket:
    bound = socket.socket()
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
    except OSError:
        bound.close()
        raise
    return bound


class PortTaken(OSError):
    """Nothing can listen on the port. The message names it and the mend."""


def check_port(host: str, port: int) -> None:
    """Raise PortTaken; asked before the minutes that a start takes."""
    try:
        _bind(host, port).close()
    except OSError as error:
        mend = "stop what listens there, or choose another with --port"
        raise PortTaken(f"port {port} of {host}: {error.strerror}; {mend}") from error
