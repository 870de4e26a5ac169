"""Runs on a Kubeflow cluster: submit, watch, stop, start again, repeat on a schedule."""
