"""An endpoint elsewhere, from the environment's variables."""

import pytest

from hexad.deployment.external import BackendError, cerebras_from, without_models
from hexad.gateway.config import GatewayConfig
from hexad.records import FileEntry, Manifest, Provenance

SET = {"CEREBRAS_BASE_URL": "https://engine.example", "CEREBRAS_MODEL": "m", "HEXAD_ENGINE_KEY": "csk-secret"}


def test_the_variables_become_settings_that_the_gateway_takes_and_the_key_is_not_among_them() -> None:
    found = cerebras_from(SET | {"CEREBRAS_TOKENS_PER_MINUTE": "60000", "CEREBRAS_MAX_TOKENS": "4000"})
    config = GatewayConfig.model_validate({"model": "k", "engine_url": found.base_url, **found.settings})
    assert (config.backend, config.engine_model, config.limits.tokens_per_minute) == ("cerebras", "m", 60000)
    assert found.max_tokens == 4000
    assert "csk-secret" not in found.model_dump_json()


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"CEREBRAS_BASE_URL": ""}, "CEREBRAS_BASE_URL"),
        ({"CEREBRAS_MODEL": ""}, "CEREBRAS_MODEL"),
        ({"HEXAD_ENGINE_KEY": ""}, "HEXAD_ENGINE_KEY or HEXAD_ENGINE_KEY_FILE"),
        ({"CEREBRAS_REQUESTS_PER_DAY": "many"}, "CEREBRAS_REQUESTS_PER_DAY: 'many'"),
        ({"CEREBRAS_MAX_TOKENS": "0"}, "CEREBRAS_MAX_TOKENS: '0'"),
    ],
)
def test_what_is_missing_or_wrong_is_named(change: dict[str, str], named: str) -> None:
    with pytest.raises(BackendError, match=named):
        cerebras_from(SET | change)


def test_only_the_record_and_the_verifier_of_a_bundle_are_fetched() -> None:
    paths = ["bundle.json", "target/model.safetensors", "draft/model.safetensors", "verifier/model.safetensors"]
    files = [FileEntry(path=path, bytes=1, sha256="0" * 64) for path in paths]
    manifest = Manifest.model_construct(uri="file:///x", files=files, provenance=Provenance.model_construct())
    assert [f.path for f in without_models(manifest).files] == ["bundle.json", "verifier/model.safetensors"]
