"""vLLM's command line: what a client leaves out comes from us, and speculation names its draft."""

import json
from itertools import pairwise

from hexad.engines.vllm_server import Gpus, engine_arguments


def arguments(draft: str | None = None, speculation: dict[str, object] | None = None) -> list[str]:
    return engine_arguments(
        "models/target", "hexad", 8001, max_model_len=512, max_num_seqs=64, dtype="bfloat16", kv_cache_gib=0.5,
        draft=draft, speculation=speculation,
    )  # fmt: skip


def value(found: list[str], name: str) -> str:
    return next(after for before, after in pairwise(found) if before == name)


def test_the_model_s_own_generation_config_fills_in_nothing() -> None:
    assert value(arguments(), "--generation-config") == "vllm"


def test_the_server_is_reached_from_this_machine_only() -> None:
    assert value(arguments(), "--host") == "127.0.0.1"


def test_sizes_have_the_unit_that_vllm_reads() -> None:
    assert value(arguments(), "--kv-cache-memory-bytes") == str(2**29)
    assert value(arguments(), "--max-model-len") == "512"


def test_a_prompt_is_never_cut_in_two() -> None:
    # A CPU generator cannot be rewound, so a seeded request whose prompt comes in chunks ends the engine.
    assert "--no-enable-chunked-prefill" in arguments()
    assert int(value(arguments(), "--max-num-batched-tokens")) >= 512


def test_accelerators_get_what_only_they_need_and_nothing_of_the_cpu_engine_s() -> None:
    found = engine_arguments(
        "models/target", "hexad", 8001, max_model_len=512, max_num_seqs=64, dtype="bfloat16", kv_cache_gib=0.5,
        gpus=Gpus(tensor_parallel=4, memory_utilization=0.85),
    )  # fmt: skip
    assert value(found, "--tensor-parallel-size") == "4"
    assert value(found, "--gpu-memory-utilization") == "0.85"
    assert not {"--kv-cache-memory-bytes", "--block-size", "--enforce-eager"} & set(found)


def test_requests_are_cut_at_the_end_unless_there_is_time_to_drain() -> None:
    assert "--shutdown-timeout" not in arguments()
    found = engine_arguments(
        "models/target", "hexad", 8001, max_model_len=512, max_num_seqs=64, dtype="auto", kv_cache_gib=1, drain_s=90
    )
    assert value(found, "--shutdown-timeout") == "90"


def test_speculation_is_off_unless_asked_for() -> None:
    assert "--speculative-config" not in arguments(draft="models/draft")


def test_a_draft_model_is_named_in_the_speculative_config() -> None:
    asked = {"method": "draft_model", "num_speculative_tokens": 3}
    found = json.loads(value(arguments("models/draft", asked), "--speculative-config"))
    assert found == {**asked, "model": "models/draft"}


def test_lookup_in_the_prompt_needs_no_draft_model() -> None:
    asked = {"method": "ngram", "num_speculative_tokens": 3, "prompt_lookup_max": 4}
    assert json.loads(value(arguments(None, asked), "--speculative-config")) == asked


def test_settings_given_are_left_as_they_are() -> None:
    asked: dict[str, object] = {"method": "draft_model"}
    arguments("models/draft", asked)
    assert asked == {"method": "draft_model"}
