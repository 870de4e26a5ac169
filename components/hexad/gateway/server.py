"""`python -m hexad.gateway.server --config FILE.json`: the gateway as a process."""

import argparse
import asyncio
import ipaddress
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import httpx
import uvicorn
from pydantic import SecretStr, ValidationError

from hexad.gateway.app import create_app
from hexad.gateway.config import ENGINE_KEY, GatewayConfig
from hexad.gateway.pools import Pools
from hexad.grading import group_answers

_IDLE_CONNECTION_S = 30


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
    except (OSError, ValueError) as error:
        print(f"{options.config}: {error}", file=sys.stderr)  # noqa: T201
        return 2
    asyncio.run(serve(config))
    return 0


def read_config(path: Path, host: str | None = None, port: int | None = None) -> GatewayConfig:
    """The file's config with the engine's key from the environment. Raises ValueError that names each bad field."""
    try:
        config = GatewayConfig.model_validate_json(path.read_bytes())
        over: dict[str, object] = {}
        if host is not None:
            over["host"] = host
        if port is not None:
            over["port"] = port
        if config.engine_key is None and os.environ.get(ENGINE_KEY):
            over["engine_key"] = SecretStr(os.environ[ENGINE_KEY])
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


async def serve(config: GatewayConfig) -> None:
    """Listen until a signal; running requests then get `grace_s` seconds to finish."""
    async with httpx.AsyncClient(transport=Pools(config.concurrency)) as client:
        server = uvicorn.Server(
            uvicorn.Config(
                create_app(config, client, group_answers),
                host=config.host,
                port=config.port,
                timeout_graceful_shutdown=max(1, round(config.grace_s)),
                timeout_keep_alive=_IDLE_CONNECTION_S,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                log_config=None,
            )
        )
        await server.serve()


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


if __name__ == "__main__":
    sys.exit(main())
