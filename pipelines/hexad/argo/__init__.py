"""The pipeline as an Argo WorkflowTemplate, for clusters without Kubeflow: same stages, images and store."""
