"""An endpoint as Kubernetes objects: plain dicts, made by pure functions from one typed spec."""
