"""Kubeflow's own settings for the runs of a namespace: where its small artifacts go, and with which keys.

Fields: backend/src/v2/config in https://github.com/kubeflow/pipelines
"""

import yaml

from hexad.deployment.cluster.plan import Object
from hexad.pipelines.profile import Profile
from hexad.platform.labels import metadata

NAME = "kfp-launcher"
"""Kubeflow looks for this name."""

KUBEFLOW_SECRET = "mlpipeline-minio-artifact"
"""Keys of the store that Kubeflow comes with, in each namespace of runs."""


def launcher_secret(profile: Profile) -> str:
    """Name of the secret that Kubeflow's driver and launcher read; empty: none, the pod's own identity is enough."""
    return profile.store_secret if profile.artifacts is not None else KUBEFLOW_SECRET


def launcher_objects(profile: Profile) -> list[Object]:
    """A ConfigMap, or nothing where the profile leaves artifacts to Kubeflow's own store."""
    store = profile.artifacts
    if store is None:
        return []
    keys = {"secretName": profile.store_secret, "accessKeyKey": "access_key", "secretKeyKey": "secret_key"}
    provider = {
        "endpoint": store.endpoint,
        "region": store.region,
        "disableSSL": store.endpoint.startswith("http://"),
        "forcePathStyle": store.path_style,
        # Without a secret: the identity that the cloud gives the pod's service account.
        "credentials": {"fromEnv": False, "secretRef": keys} if profile.store_secret else {"fromEnv": True},
    }
    return [
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": metadata(profile, NAME, "pipeline"),
            "data": {
                "defaultPipelineRoot": f"{profile.store.rstrip('/')}/pipelines",
                # No newline at the end: kustomize takes it off where an overlay changes this.
                "providers": yaml.safe_dump({"s3": {"default": provider}}, sort_keys=False).rstrip(),
            },
        }
    ]
