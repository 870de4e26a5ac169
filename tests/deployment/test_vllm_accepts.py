"""vLLM's own parser takes the command line of every cluster's engine."""

import json
import subprocess
import sys

import pytest

from hexad.deployment.endpoint import engine_command

from .plans import CLUSTERS, plan

_PARSE = """
import json, sys
from vllm.entrypoints.launchers.cli_args import make_arg_parser
from vllm.utils.argparse_utils import FlexibleArgumentParser
parser = make_arg_parser(FlexibleArgumentParser())
fields = ("model", "tensor_parallel_size", "shutdown_timeout", "speculative_config", "max_model_len", "host")
for line in sys.stdin:
    found = parser.parse_args(json.loads(line))
    print("parsed " + json.dumps([getattr(found, field) for field in fields]))
"""


@pytest.mark.engine
def test_every_engine_s_command_line_is_parsed_to_what_was_meant() -> None:
    plans = [found for found in map(plan, CLUSTERS) if found.own_engine]
    commands = [engine_command(found.endpoint, found.engine, found.site, found.timing) for found in plans]
    assert {tuple(command[:3]) for command in commands} == {("python", "-m", "vllm.entrypoints.openai.api_server")}
    lines = "".join(json.dumps(command[3:]) + "\n" for command in commands)
    done = subprocess.run([sys.executable, "-c", _PARSE], input=lines, capture_output=True, text=True, check=True)
    parsed = [
        json.loads(line.removeprefix("parsed ")) for line in done.stdout.splitlines() if line.startswith("parsed ")
    ]
    draft = {"method": "draft_model", "num_speculative_tokens": 3, "model": "/bundles/0000000000000000/draft"}
    for found, values in zip(plans, parsed, strict=True):
        tensor = found.engine.accelerators if found.engine.accelerator else 1
        drain = values[2]
        assert values == ["/bundles/0000000000000000/target", tensor, drain, draft, 69632, "0.0.0.0"]
        assert found.timing.generation_s <= drain < found.timing.engine_grace_s
