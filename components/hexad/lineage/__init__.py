"""Where a tree came from: from the served bundle back to datasets and base model, read from manifests alone."""
