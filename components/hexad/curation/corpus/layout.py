"""Names of the files that the steps hand to each other, below the folder of a part."""

CLEAN, DUPLICATES, FINISHED, BENCHMARKS = "clean", "duplicates", "finished", "benchmarks"
ROWS, REJECTS, HITS, INDEX = "rows.parquet", "rejects.parquet", "hits.parquet", "index.npz"
QUESTION_BANDS, RESPONSE_BANDS = "question_bands.npy", "response_bands.npy"
DROPS, TOKENS = "drops.parquet", "tokens.bin"
PLAN = "plan.json"
