"""The page at `/`: ask, and watch plan, candidates, scores and choice. Static files over the same API as everybody."""

from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

_FILES = Path(__file__).with_name("web")
_TYPES = {"index.html": "text/html", "page.css": "text/css", "page.js": "text/javascript"}
_HEADERS = {
    # No script, style or connection but our own: a model's text can start nothing even if it got into the markup.
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}


def page_routes() -> list[Route]:
    """`/`, `/page.css` and `/page.js`. They hold nothing secret, so no key is asked for."""
    return [_route("/" if name == "index.html" else f"/{name}", name) for name in _TYPES]


def _route(path: str, name: str) -> Route:
    content = (_FILES / name).read_bytes()

    async def serve(_: Request) -> Response:
        return Response(content, media_type=_TYPES[name], headers=_HEADERS)

    return Route(path, serve)
