"""What the serve container does: bundle, real engines, the losslessness test, the gateway, a smoke test."""

import json
from collections.abc import Mapping
from typing import Any

from hexad.deployment.bundle import BUNDLE, DRAFT, TARGET, VERIFIER, assemble, describe, speculative_settings
from hexad.deployment.settings import ENGINE_MODEL
from hexad.deployment.smoke import smoke_test
from hexad.deployment.stack import engine, scaffold
from hexad.engines.cores import usable_cores
from hexad.engines.gpus import SIDE_BY_SIDE
from hexad.engines.http_engine import HttpEngine
from hexad.engines.speculation_counters import acceptance
from hexad.engines.vllm_server import VllmServer
from hexad.records import Prompt, Speculation
from hexad.records.layout import MODEL, PROMPTS
from hexad.records.shards import read_rows
from hexad.serving.config import ServeConfig
from hexad.serving.lossless import compare
from hexad.stage import Context, Product, StageResult, Workspace, execute

"""Of each accelerator's memory, for each of the two engines that are compared."""


def run(config: ServeConfig, context: Context, inputs: Mapping[str, str]) -> StageResult:
    """Tree, under bundles/<name>: target/, draft/, verifier/, bundle.json, lossless.json."""
    place = f"bundles/{config.name}"
    return execute("serve", config, context, inputs, lambda space: _serve(config, space), by_digest=place)


def _serve(config: ServeConfig, space: Workspace) -> Product:
    given = {TARGET: space.inputs["policy"], DRAFT: space.inputs["draft"], VERIFIER: space.inputs["verifier"]}
    assemble(space.out, given[TARGET] / MODEL, given[DRAFT] / MODEL, given[VERIFIER] / MODEL)
    validation = read_rows(space.inputs["data"] / PROMPTS["validation"], Prompt)
    logs = space.scratch / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    wanted = _speculation(config, (space.out / DRAFT).is_dir())
    plain = engine(space.out, config.engine, logs / "engine.log", None, threads=usable_cores(), gpu_share=SIDE_BY_SIDE)
    proven: Speculation | None = None
    lossless: dict[str, Any] = {"temperatures": [], "lossless": False, "method": "none"}
    space.progress.update(0.05, "starting engines")
    plain.start()
    try:
        if wanted:
            speculative = engine(
                space.out,
                config.engine,
                logs / "speculative.log",
                wanted,
                threads=usable_cores(),
                gpu_share=SIDE_BY_SIDE,
            )
            with speculative as drafting:
                plain.wait_ready()
                lossless = _test(config, space, plain.base_url, drafting, validation) | {"method": wanted["method"]}
            proven = _proven(wanted, lossless) if lossless["lossless"] else None
        plain.wait_ready()
        space.progress.update(0.9, "smoke test")
        with scaffold(
            space.out, config.name, config.gateway, plain.base_url, logs, max_tokens=config.lossless.max_tokens
        ) as gateway:
            spent = smoke_test(
                gateway.url, config.name, config.lossless.max_tokens, [question.prompt for question in validation]
            )
    finally:
        plain.stop()
    digests = {
        name: space.manifests[key].digest
        for name, key in (("target", "policy"), ("draft", "draft"), ("verifier", "verifier"))
    }
    bundle = describe(config.name, config.engine, config.gateway, space.out, digests, proven)
    (space.out / BUNDLE).write_text(bundle.model_dump_json(indent=1))
    (space.out / "lossless.json").write_text(json.dumps(lossless, indent=1))
    metrics = {
        "acceptance_length": float(lossless.get("acceptance_length", 1.0)),
        "speedup": float(lossless.get("speedup", 1.0)),
        "lossless": float(lossless["lossless"]),
    }
    return Product(metrics, _card(lossless, spent), dict(metrics))


def _speculation(config: ServeConfig, has_draft: bool) -> dict[str, object] | None:
    """vLLM's speculative settings; ngram lookup where there is no draft model; None when switched off."""
    wanted = config.speculation
    if wanted.method == "none":
        return None
    method = "ngram" if wanted.method == "draft_model" and not has_draft else wanted.method
    return speculative_settings(method, wanted.num_speculative_tokens)


def _test(
    config: ServeConfig, space: Workspace, plain_url: str, drafting: VllmServer, validation: list[Prompt]
) -> dict[str, Any]:
    settings = config.lossless
    prompts = validation[: settings.prompts]
    before = drafting.counters()
    plain, speculative = (
        HttpEngine(url, ENGINE_MODEL, concurrency=settings.prompts) for url in (plain_url, drafting.base_url)
    )
    report = lambda fraction, note: space.progress.update(0.3 + 0.6 * fraction, f"losslessness at {note}")  # noqa: E731
    found = compare(
        plain,
        speculative,
        prompts,
        settings.samples,
        settings.tolerance,
        settings.max_tokens,
        space.context.seed,
        report,
    )
    counted = acceptance(before, drafting.counters())
    return found | {
        "acceptance_length": counted.length,
        "acceptance_rate": counted.rate,
        "per_position": counted.per_position,
    }


def _proven(settings: Mapping[str, object], lossless: Mapping[str, Any]) -> Speculation:
    return Speculation(
        method=str(settings["method"]),
        num_speculative_tokens=int(str(settings["num_speculative_tokens"])),
        acceptance_length=lossless["acceptance_length"],
        speedup=lossless["speedup"],
        lossless=True,
    )


def _card(lossless: Mapping[str, Any], spent: Mapping[str, int]) -> str:
    lines = [
        "# Serve",
        "",
        "| temperature | prompts | plain | speculative | delta | p | passed |",
        "|---|---|---|---|---|---|---|",
    ]
    for e in lossless["temperatures"]:
        lines.append(
            f"| {e['temperature']:g} | {e['prompts']} | {e['plain']:.3f} | {e['speculative']:.3f} | "
            f"{e['delta']:+.3f} | {e['p']:.3f} | {'yes' if e['passed'] else 'NO: speculation is refused'} |"
        )
    lines += [
        "",
        f"Acceptance length {lossless.get('acceptance_length', 1.0):.2f}, speed-up {lossless.get('speedup', 1.0):.2f}.",
    ]
    lines += ["", "| alias | tokens of the smoke test |", "|---|---|", *(f"| {a} | {n} |" for a, n in spent.items())]
    return "\n".join(lines) + "\n"
