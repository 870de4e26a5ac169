"""Bundles in Kubeflow's Model Registry."""
