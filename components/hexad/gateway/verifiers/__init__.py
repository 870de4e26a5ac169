"""Who scores candidates: the trained verifier as a service, or an engine that judges."""
