"""The way to an engine: what kinds there are, how they differ from vLLM, their limits, and the connections to them."""
