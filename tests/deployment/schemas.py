"""Schemas for every kind that our manifests may consist of; `schema_errors` is [] for a valid object.

Kubernetes' own kinds: kubernetes-validate, strict (no unknown field). KEDA's, the Prometheus operator's and Kubeflow
Trainer's: pydantic models of cloudcoil and of Trainer itself, which drop unknown fields, so an object must come back as
it went in. InferenceService: the field tables of KServe's SDK. LLMInferenceService and ExternalSecret: no package has
their schemas, so the fields that we write stand here (KServe, pkg/apis/serving/v1alpha2/llm_inference_service_types.go;
External Secrets, apis/externalsecrets/v1/externalsecret_types.go). Pod specs inside others' kinds are checked as pods.
"""

import ast
import json
from functools import cache
from importlib import metadata
from typing import Any

import kubernetes_validate
from cloudcoil.models.keda.v1alpha1 import ScaledObject
from cloudcoil.models.prometheus_operator.v1 import PrometheusRule, ServiceMonitor
from kubeflow_trainer_api.models import TrainerV1alpha1ClusterTrainingRuntime, TrainerV1alpha1TrainJob
from pydantic import BaseModel, ValidationError

OLDEST, NEWEST = "1.30", "1.37"
"""Kubernetes versions: the first with the preStop action `sleep` on by default, and the last with schemas."""

_MODELS: dict[str, type[BaseModel]] = {
    "ScaledObject": ScaledObject,
    "ServiceMonitor": ServiceMonitor,
    "PrometheusRule": PrometheusRule,
    "ClusterTrainingRuntime": TrainerV1alpha1ClusterTrainingRuntime,
    "TrainJob": TrainerV1alpha1TrainJob,
}
_LLM_SPEC: dict[str, Any] = {
    "model": {"uri": str, "name": str},
    "storageInitializer": {"enabled": bool},
    "replicas": int,
    "parallelism": {"tensor": int, "pipeline": int, "data": int},
    "labels": dict,
    "annotations": dict,
    "template": dict,
}
_EXTERNAL_SECRET: dict[str, Any] = {
    "refreshInterval": str,
    "secretStoreRef": {"kind": str, "name": str},
    "target": {"name": str, "creationPolicy": str, "template": {"type": str}},
    "data": [{"secretKey": str, "remoteRef": {"key": str, "property": str}}],
}


def schema_errors(made: dict[str, Any]) -> list[str]:
    kind = made["kind"]
    if kind == "ClusterTrainingRuntime":
        pods = runtime_pods(made)
        return [*_model_errors(_without_pods(made)), *(error for pod in pods for error in _pod_errors(pod, set()))]
    if kind in _MODELS:
        return _model_errors(made)
    if kind == "ExternalSecret":
        return _shape_errors(made["spec"], _EXTERNAL_SECRET, "spec")
    if kind == "InferenceService":
        extras = set(made["spec"]["predictor"]) & {"minReplicas", "maxReplicas", "labels"}
        return [*_kserve_errors(made, "V1beta1InferenceService"), *_pod_errors(made["spec"]["predictor"], extras)]
    if kind == "LLMInferenceService":
        return [*_shape_errors(made["spec"], _LLM_SPEC, "spec"), *_pod_errors(made["spec"]["template"], set())]
    return [error for version in (OLDEST, NEWEST) for error in _kubernetes_errors(made, version)]


def runtime_pods(made: dict[str, Any]) -> list[dict[str, Any]]:
    """The pod specs of a ClusterTrainingRuntime."""
    jobs = made["spec"]["template"]["spec"]["replicatedJobs"]
    return [job["template"]["spec"]["template"]["spec"] for job in jobs]


def _without_pods(made: dict[str, Any]) -> dict[str, Any]:
    """Trainer's model of a pod takes no quantities as text, which is how everybody writes them."""
    made = json.loads(json.dumps(made))
    for job in made["spec"]["template"]["spec"]["replicatedJobs"]:
        job["template"]["spec"]["template"]["spec"] = {"containers": []}
    return made


def _kubernetes_errors(made: dict[str, Any], version: str) -> list[str]:
    return _remembered_errors(json.dumps(made), version)


@cache
def _remembered_errors(text: str, version: str) -> list[str]:
    made = json.loads(text)
    try:
        kubernetes_validate.validate(made, version, strict=True)
    except kubernetes_validate.ValidationError as error:
        return [f"{version}: {made['kind']}: {'.'.join(map(str, error.path))}: {error.message}"]
    return []


def _pod_errors(pod: dict[str, Any], besides: set[str]) -> list[str]:
    spec = {key: value for key, value in pod.items() if key not in besides}
    return _kubernetes_errors({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}, "spec": spec}, NEWEST)


def _model_errors(made: dict[str, Any]) -> list[str]:
    try:
        parsed = _MODELS[made["kind"]].model_validate(made)
    except ValidationError as error:
        return [f"{made['kind']}: {'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()]
    back = parsed.model_dump(mode="json", by_alias=True, exclude_unset=True)
    return [] if back == made else [f"{made['kind']}: unknown fields: {made} came back as {back}"]


def _shape_errors(value: Any, shape: Any, place: str) -> list[str]:
    if isinstance(shape, type):
        return [] if type(value) is shape else [f"{place} is {value!r}, no {shape.__name__}"]
    if isinstance(shape, list):
        return [e for i, item in enumerate(value) for e in _shape_errors(item, shape[0], f"{place}[{i}]")]
    unknown = [f"{place}.{key} is unknown" for key in value if key not in shape]
    return unknown + [
        e for key in value if key in shape for e in _shape_errors(value[key], shape[key], f"{place}.{key}")
    ]


def _kserve_errors(value: Any, kind: str, place: str = "") -> list[str]:
    """Unknown fields and wrong types by the tables of KServe's generated classes, without Kubernetes' own types."""
    if kind.startswith("list["):
        return [e for i, item in enumerate(value) for e in _kserve_errors(item, kind[5:-1], f"{place}[{i}]")]
    simple = {"str": str, "int": int, "bool": bool}.get(kind)
    if simple is not None:
        return [] if type(value) is simple else [f"{place} is {value!r}, no {kind}"]
    tables = _kserve_tables(kind)
    if tables is None:
        return []
    types, names = tables
    by_json = {names[attribute]: types[attribute] for attribute in types}
    unknown = [f"{place}.{key} is unknown to {kind}" for key in value if key not in by_json]
    return unknown + [
        error for key in value if key in by_json for error in _kserve_errors(value[key], by_json[key], f"{place}.{key}")
    ]


@cache
def _kserve_tables(kind: str) -> tuple[dict[str, str], dict[str, str]] | None:
    """`openapi_types` and `attribute_map` of a class, read without importing KServe; None for Kubernetes' own types."""
    for file in metadata.files("kserve") or []:
        if file.parent.name == "models" and file.name.removesuffix(".py").replace("_", "") == kind.lower():
            body = next(n for n in ast.parse(file.read_text()).body if isinstance(n, ast.ClassDef)).body
            tables = {
                node.targets[0].id: ast.literal_eval(node.value)
                for node in body
                if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
            }
            return tables["openapi_types"], tables["attribute_map"]
    return None
