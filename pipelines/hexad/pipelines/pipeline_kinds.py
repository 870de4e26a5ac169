"""Which pipelines a recipe can be compiled to."""

from enum import StrEnum


class PipelineKind(StrEnum):
    """`corpus` prepares the recipe's sources alone; its tree goes into the recipe as `curate.corpus.tree`."""

    POST_TRAINING = "post-training"
    CORPUS = "corpus"
