"""The account of an exported pipeline's pods: what clusters take, with no right that Argo's container does not use."""

from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from hexad.argo.workflow_template import SERVICE_ACCOUNT

FOLDER = Path("manifests/argo")


@pytest.fixture(scope="module")
def objects() -> dict[str, dict[str, Any]]:
    return {made["kind"]: made for made in yaml.safe_load_all((FOLDER / "service-account.yaml").read_text())}


def test_kubernetes_knows_every_field(objects: dict[str, dict[str, Any]]) -> None:
    assert set(objects) == {"ServiceAccount", "Secret", "Role", "RoleBinding"}
    for made in objects.values():
        kubernetes_validate.validate(made, "1.37", strict=True)


def test_the_account_is_the_one_that_templates_name(objects: dict[str, dict[str, Any]]) -> None:
    assert objects["ServiceAccount"]["metadata"]["name"] == SERVICE_ACCOUNT
    assert objects["RoleBinding"]["subjects"] == [{"kind": "ServiceAccount", "name": SERVICE_ACCOUNT}]
    assert objects["RoleBinding"]["roleRef"]["name"] == objects["Role"]["metadata"]["name"]


def test_argo_finds_the_token_by_its_name(objects: dict[str, dict[str, Any]]) -> None:
    secret = objects["Secret"]
    assert secret["metadata"]["name"] == f"{SERVICE_ACCOUNT}.service-account-token"
    assert secret["metadata"]["annotations"]["kubernetes.io/service-account.name"] == SERVICE_ACCOUNT
    assert "data" not in secret


def test_its_one_right_is_to_report_a_stage_s_outputs(objects: dict[str, dict[str, Any]]) -> None:
    assert objects["Role"]["rules"] == [
        {"apiGroups": ["argoproj.io"], "resources": ["workflowtaskresults"], "verbs": ["create", "patch"]}
    ]
