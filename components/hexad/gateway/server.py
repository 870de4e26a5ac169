"""`python -m hexad.gateway.server --config FILE.json`: the gateway as a process."""

import argparse
import gc
import ipaddress
import logging
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import httpx
import uvicorn
import uvloop
from pydantic import SecretStr, ValidationError
from starlette.types import ASGIApp

from hexad.gateway.app import create_app
from hexad.gateway.backends.connections import Connections
from hexad.gateway.config import ENGINE_KEY, SCORER_KEY, GatewayConfig
from hexad.gateway.guard import Guard
from hexad.gateway.telemetry.trace_export import export_traces
from hexad.gateway.telemetry.tracing import add_trace_context
from hexad.grading import group_answers
from hexad.storage import StorageError, Store, open_store

_IDLE_CONNECTION_S = 30
_UNFREED_OBJECTS = 50_000
"""Objects more than at the last collection that start one: about a hundred requests in flight have half as many."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT; exit code 2 for a config that cannot be served."""
    parser = argparse.ArgumentParser(prog="hexad.gateway.server", description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="JSON file with the fields of GatewayConfig")
    parser.add_argument("--host", help="address to listen on, instead of the config's")
    parser.add_argument("--port", type=int, help="port to listen on, instead of the config's")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    # httpx logs every URL at INFO: one line for each candidate says nothing that the metrics do not
    logging.getLogger("httpx").setLevel(logging.WARNING)
    try:
        config = read_config(options.config, options.host, options.port)
        audit_store = open_store(config.audit_store) if config.audit_store else None
    except (OSError, ValueError, StorageError) as error:
        print(f"{options.config}: {error}", file=sys.stderr)  # noqa: T201
        return 2
    uvloop.run(serve(config, audit_store))
    return 0


def read_config(path: Path, host: str | None = None, port: int | None = None) -> GatewayConfig:
    """The file's config with the engines' keys from the environment. Raises ValueError that names each bad field."""
    try:
        config = GatewayConfig.model_validate_json(path.read_bytes())
        over: dict[str, object] = {}
        if host is not None:
            over["host"] = host
        if port is not None:
            over["port"] = port
        for field, variable in (("engine_key", ENGINE_KEY), ("scorer_key", SCORER_KEY)):
            if getattr(config, field) is None and (key := _key_from(os.environ, variable)):
                over[field] = SecretStr(key)
        config = GatewayConfig.model_validate({**dict(config), **over})
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        lines = [f"{'.'.join(str(part) for part in e['loc']) or 'config'}: {e['msg']}" for e in found]
        raise ValueError("; ".join(lines)) from None
    if not (config.api_key_hashes or config.allow_anonymous or _is_loopback(config.host)):
        raise ValueError(
            f"host: {config.host} can be reached from other machines and there are no api_key_hashes; "
            "add one, or set allow_anonymous"
        )
    return config


async def serve(config: GatewayConfig, audit_store: Store | None = None) -> None:
    """Listen until a signal; running requests then get `grace_s` seconds to finish."""
    flush_traces = export_traces(config.otlp_endpoint)
    hooks = {"request": [add_trace_context]}
    async with httpx.AsyncClient(transport=Connections(), event_hooks=hooks) as client:
        app = create_app(config, client, group_answers, audit_store, flush_traces)
        # The collector holds up every stream for its time. What is imported stays, so it need not be looked through;
        # a request is freed by its reference counts, so what comes and goes with requests is no reason to look either.
        gc.collect()
        gc.freeze()
        gc.set_threshold(_UNFREED_OBJECTS)
        await uvicorn.Server(listening(app, config)).serve()


def listening(app: ASGIApp, config: GatewayConfig, guard: type[Guard] = Guard) -> uvicorn.Config:
    """How the gateway's server treats connections."""
    return uvicorn.Config(
        app,
        host=config.host,
        port=config.port,
        http=guard,
        ws="none",
        timeout_graceful_shutdown=max(1, round(config.grace_s)),
        timeout_keep_alive=_IDLE_CONNECTION_S,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        log_config=None,
    )


def _key_from(environment: Mapping[str, str], variable: str) -> str:
    """A key itself, or the content of the file that `variable`_FILE names, such as a mounted Secret; "" for none."""
    if key := environment.get(variable):
        return key
    file = environment.get(f"{variable}_FILE")
    return Path(file).read_text().strip() if file else ""


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


if __name__ == "__main__":
    sys.exit(main())
