"""What a recipe needs on a cluster: GPUs, memory, tokens and hours of each stage, computed before anything runs."""
