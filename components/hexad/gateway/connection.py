"""The client's side of the wire: bounded bodies, noticing that a client left, server-sent events with keep-alive."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from hexad.gateway.errors import ApiError
from hexad.gateway.reply import DONE, data

_log = logging.getLogger(__name__)
_Result = TypeVar("_Result")
Write = Callable[[bytes], None]


class ClientGoneError(Exception):
    """The client closed its connection before the answer."""


class Json(Response):
    """JSON with everything beyond ASCII escaped, so that lone surrogates in a model's text can be sent."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        return json.dumps(content).encode()


async def read_body(request: Request, limit: int, timeout_s: float) -> bytes:
    """The body, never holding more than `limit` bytes. Raises ApiError 413, or 408 for a body that does not arrive."""
    body = bytearray()
    try:
        async with asyncio.timeout(timeout_s):
            async for piece in request.stream():
                body += piece
                if len(body) > limit:
                    raise ApiError(413, f"the body is longer than this server's limit of {limit} bytes")
    except TimeoutError as error:
        raise ApiError(408, f"the body did not arrive within {timeout_s:g} s") from error
    return bytes(body)


async def until_disconnect(receive: Receive, work: Coroutine[Any, Any, _Result]) -> _Result:
    """`work`'s result; when the client leaves first, cancels `work`, waits for its end and raises ClientGoneError."""
    task, gone = asyncio.ensure_future(work), asyncio.ensure_future(_disconnected(receive))
    try:
        await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise ClientGoneError
        return task.result()
    finally:
        task.cancel()
        gone.cancel()
        await asyncio.gather(task, gone, return_exceptions=True)


class EventStream(Response):
    """Server-sent events that `produce` writes; comments keep proxies from closing a quiet stream.

    `produce` is cancelled when the client leaves; `close` is called at the end in any case. An ApiError from `produce`
    becomes an error event, since the status is sent by then.
    """

    def __init__(
        self,
        produce: Callable[[Write], Awaitable[None]],
        close: Callable[[], None],
        keepalive_s: float,
        headers: dict[str, str],
    ) -> None:
        super().__init__(
            media_type="text/event-stream", headers=headers | {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
        )
        del self.headers["content-length"]
        self._produce = produce
        self._close = close
        self._keepalive_s = keepalive_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await until_disconnect(receive, self._run(send))
        except ClientGoneError:
            return
        finally:
            self._close()

    async def _run(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        queue: asyncio.Queue[bytes] = asyncio.Queue()
        producer = asyncio.ensure_future(self._guarded(queue.put_nowait))
        try:
            while True:
                try:
                    async with asyncio.timeout(self._keepalive_s):
                        piece = await queue.get()
                except TimeoutError:
                    piece = b": keep-alive\n\n"
                # what is waiting goes out in one write: each costs a system call
                pieces = [piece, *(queue.get_nowait() for _ in range(queue.qsize()))]
                more = all(pieces)
                await send({"type": "http.response.body", "body": b"".join(pieces), "more_body": more})
                if not more:
                    return
        finally:
            producer.cancel()
            await asyncio.gather(producer, return_exceptions=True)

    async def _guarded(self, write: Write) -> None:
        """Run `produce`; whatever happens, the stream ends with an empty piece."""
        try:
            await self._produce(write)
        except ApiError as error:
            write(data(error.body()) + DONE)
        except Exception:
            _log.exception("a stream failed")
            write(data(ApiError(500, "internal error").body()) + DONE)
            raise
        finally:
            write(b"")


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
