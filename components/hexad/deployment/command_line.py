"""vLLM's command line for a bundle: the same for a process on this machine and for a container on a cluster."""

from collections.abc import Mapping

from hexad.deployment.bundle import DRAFT, TARGET
from hexad.deployment.settings import ENGINE_MODEL, EngineConfig
from hexad.engines.vllm_server import Gpus, engine_arguments


def bundle_arguments(
    folder: str,
    settings: EngineConfig,
    speculation: Mapping[str, object] | None,
    port: int,
    *,
    host: str = "127.0.0.1",
    gpus: Gpus | None = None,
    drain_s: int = 0,
) -> list[str]:
    """Arguments without the program. `folder`: where the engine finds target/ and draft/; the rest as for vLLM."""
    drafting = speculation is not None and speculation["method"] == "draft_model"
    return engine_arguments(
        f"{folder}/{TARGET}",
        ENGINE_MODEL,
        port,
        max_model_len=settings.max_model_len,
        max_num_seqs=settings.max_num_seqs,
        dtype=settings.dtype,
        kv_cache_gib=settings.kv_cache_gib,
        stream_interval=settings.stream_interval,
        tool_call_parser=settings.tool_call_parser,
        draft=f"{folder}/{DRAFT}" if drafting else None,
        speculation=speculation,
        host=host,
        gpus=gpus,
        drain_s=drain_s,
    )
