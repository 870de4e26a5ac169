"""Makes the small base model that recipes/quickstart.yaml starts from (`make base-model`)."""
