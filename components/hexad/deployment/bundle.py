"""Put target, draft and verifier side by side, with what the engine needs to know of them."""

import hashlib
import shutil
from pathlib import Path

from hexad.deployment.settings import EngineConfig, GatewayPolicy
from hexad.records import Bundle, Speculation

BUNDLE_LABEL = "hexad.dev/bundle"
"""Kubernetes label of everything that serves one bundle: the short form of its digest."""
TARGET, DRAFT, VERIFIER, BUNDLE = "target", "draft", "verifier", "bundle.json"


def assemble(out: Path, target: Path, draft: Path | None, verifier: Path | None) -> None:
    """Copy the models' folders under `out`. A folder that does not exist is left out: that pillar is off."""
    for name, source in ((TARGET, target), (DRAFT, draft), (VERIFIER, verifier)):
        if source is not None and source.is_dir():
            shutil.copytree(source, out / name)


def describe(
    name: str,
    engine: EngineConfig,
    policy: GatewayPolicy,
    out: Path,
    digests: dict[str, str],
    speculation: Speculation | None,
) -> Bundle:
    """The bundle's record. `digests`: manifest digests of the trees that target, draft and verifier came from."""
    template = (out / TARGET / "chat_template.jinja").read_bytes()
    return Bundle(
        name=name,
        target=digests["target"],
        draft=digests.get("draft") if (out / DRAFT).is_dir() else None,
        verifier=digests.get("verifier") if (out / VERIFIER).is_dir() else None,
        chat_template_sha256=hashlib.sha256(template).hexdigest(),
        max_model_len=engine.max_model_len,
        engine={**engine.model_dump(mode="json"), **policy.model_dump(mode="json")},
        speculation=speculation,
    )


def read_bundle(folder: Path) -> Bundle:
    return Bundle.model_validate_json((folder / BUNDLE).read_bytes())


def engine_of(bundle: Bundle) -> EngineConfig:
    return EngineConfig.model_validate({k: v for k, v in bundle.engine.items() if k in EngineConfig.model_fields})


def policy_of(bundle: Bundle) -> GatewayPolicy:
    return GatewayPolicy.model_validate({k: v for k, v in bundle.engine.items() if k in GatewayPolicy.model_fields})


def speculation_of(bundle: Bundle) -> dict[str, object] | None:
    """vLLM's speculative settings of a bundle; None where speculation was refused or switched off."""
    return (
        speculative_settings(bundle.speculation.method, bundle.speculation.num_speculative_tokens)
        if bundle.speculation
        else None
    )


def speculative_settings(method: str, tokens: int) -> dict[str, object]:
    """vLLM's `--speculative-config`, without the draft's path."""
    lookup = {"prompt_lookup_max": 4, "prompt_lookup_min": 2} if method == "ngram" else {}
    return {"method": method, "num_speculative_tokens": tokens, **lookup}
