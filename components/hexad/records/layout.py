"""Names of files inside the trees that boxes hand to each other."""

BASE = "base"
MODEL = "model"
TRAIN_TOKENS = "train.parquet"
VALIDATION_TOKENS = "validation.parquet"
TRACES = "traces.parquet"
REJECTS = "rejects.parquet"
CONTAMINATION = "contamination.parquet"
BENCHMARKS = "benchmarks.json"
BENCHMARK_ITEMS = "benchmark_items.parquet"
PROMPTS = {split: f"prompts_{split}.parquet" for split in ("train", "validation", "test")}
ROLLOUTS = "rollouts.parquet"
CURVE = "curve.jsonl"
