"""The engine's pod handed to KServe instead of a Deployment; Services, policies and gateway stay as they are.

Pods get the same labels either way, so the Service in front of them does not depend on names that KServe makes.
"""

from typing import Literal

from hexad.deployment.bundle import TARGET
from hexad.deployment.cluster.models import models_pod
from hexad.deployment.cluster.plan import Object, Plan

Kind = Literal["InferenceService", "LLMInferenceService"]


def kserve_engine(plan: Plan, kind: Kind) -> Object:
    """`InferenceService` (v1beta1, plain Deployment mode) or `LLMInferenceService` (v1alpha2)."""
    return _inference_service(plan) if kind == "InferenceService" else _llm_inference_service(plan)


def _inference_service(plan: Plan) -> Object:
    scaling = plan.site.scaling
    metadata = plan.metadata("engine") | {
        "annotations": {
            # Knative would route around long streams and cut them; our own autoscaler, if any, owns the number.
            "serving.kserve.io/deploymentMode": "RawDeployment",
            "serving.kserve.io/autoscalerClass": "none",
        }
    }
    return {
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": metadata,
        "spec": {
            "predictor": {
                "minReplicas": scaling.replicas,
                "maxReplicas": scaling.replicas,
                "labels": plan.metadata("engine")["labels"],
                **_renamed(models_pod(plan), "kserve-container"),
            }
        },
    }


def _llm_inference_service(plan: Plan) -> Object:
    tensor = plan.engine.accelerators if plan.engine.accelerator else 1
    return {
        "apiVersion": "serving.kserve.io/v1alpha2",
        "kind": "LLMInferenceService",
        "metadata": plan.metadata("engine"),
        "spec": {
            "model": {"uri": f"{plan.endpoint.bundle.uri}/{TARGET}", "name": plan.endpoint.name},
            # Our own init container checks every sha256; KServe's would fetch again at each start.
            "storageInitializer": {"enabled": False},
            "replicas": plan.site.scaling.replicas,
            "parallelism": {"tensor": tensor},
            "labels": plan.metadata("engine")["labels"],
            "template": _renamed(models_pod(plan), "main"),
        },
    }


def _renamed(pod: Object, engine: str) -> Object:
    """The pod with its engine container under the name that KServe looks for."""
    containers = [c | {"name": engine} if c["name"] == "engine" else c for c in pod["containers"]]
    return pod | {"containers": containers}
