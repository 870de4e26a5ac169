"""The corpus pipeline: the sources of a recipe, read in shards side by side, with one pass over all for duplicates."""

import json
from collections.abc import Callable, Collection, Mapping
from typing import Any

from kfp import dsl

from hexad.curation.corpus import components as boxes
from hexad.pipelines.parameters import with_parameters
from hexad.pipelines.profile import Profile
from hexad.pipelines.task_placement import place as place_task
from hexad.pipelines.task_placement import run_time_values
from hexad.stage.boxes import CORPUS_BOXES

NAME = "hexad-corpus"
DESCRIPTION = "From files of real data to tokenized rows without duplicates, in shards."


def corpus_pipeline(settings: Mapping[str, str], profile: Profile, every_run: Collection[str] = ()) -> Any:
    """The KFP pipeline whose parameters default to `settings` (box name to its settings string), and what the profile
    leaves open until a run starts. Its last box's tree goes into a recipe as `curate.corpus.tree`."""
    defaults = {**{name: settings[name] for name in CORPUS_BOXES}, **run_time_values(profile, pools=())}
    reading = json.loads(settings["corpus_parts"])["config"]
    shards = [str(shard) for shard in range(reading["corpus"]["shards"])]

    def pipeline(*values: Any) -> None:
        """Each box's parameter is its settings: JSON with `config` (the recipe's section `curate`) and `context`."""
        given = dict(zip(defaults, values, strict=True))

        def place(name: str, make: Callable[..., dsl.PipelineTask], **inputs: Any) -> dsl.PipelineTask:
            task = make(settings=given[name], **inputs)
            box = CORPUS_BOXES[name]
            if box.section in every_run:
                task.set_caching_options(False)
            return place_task(box.image, box.section, task, profile, given)

        parts = place("corpus_parts", boxes.corpus_parts).outputs["parts"]
        with dsl.ParallelFor(items=shards, parallelism=len(shards), name="clean") as shard:
            cleaning = place("corpus_clean", boxes.corpus_clean, shard=shard, parts=parts)
        cleaned = dsl.Collected(cleaning.outputs["cleaned"])
        finding = place("corpus_duplicates", boxes.corpus_duplicates, parts=parts, cleaned=cleaned)
        found = finding.outputs["duplicates"]
        with dsl.ParallelFor(items=shards, parallelism=len(shards), name="finish") as shard:
            finishing = place("corpus_finish", boxes.corpus_finish, shard=shard, parts=parts, duplicates=found)
        finished = dsl.Collected(finishing.outputs["finished"])
        joined = place("corpus", boxes.corpus, parts=parts, duplicates=found, finished=finished)
        # It tells where the tree is, so it runs every time; the tree is still made once.
        joined.set_caching_options(False)

    return dsl.pipeline(name=NAME, description=DESCRIPTION)(with_parameters(pipeline, defaults))
