"""The report stage: one HTML page and `summary.json`, from whatever the run left behind."""

from collections.abc import Mapping

from hexad.records import Manifest, SpeculativeSummary, StageSummary, Summary
from hexad.report.config import ReportConfig
from hexad.report.overview import best_scaffold, stage_seconds, totals
from hexad.report.page import recipe_name, render
from hexad.report.sources import Sources, read_sources
from hexad.stage import Context, Product, StageResult, Workspace, execute

PAGE, SUMMARY = "report.html", "summary.json"


def run(config: ReportConfig, context: Context, inputs: dict[str, str]) -> StageResult:
    """Write the report. `inputs`: any of data, sft, policy, verifier, draft, bundle, scores → manifest folder."""

    def body(workspace: Workspace) -> Product:
        sources = read_sources(workspace.inputs, workspace.manifests)
        (workspace.out / PAGE).write_text(render(sources, config, context), encoding="utf-8", errors="replace")
        (workspace.out / SUMMARY).write_text(summarise(sources, config, context).to_json(), encoding="utf-8")
        return Product(metrics=headline_metrics(sources), card=_card(sources))

    return execute("report", config, context, inputs, body)


def summarise(sources: Sources, config: ReportConfig, context: Context) -> Summary:
    """The run's numbers for tools. Stages are those that hand their tree to the report; the runner completes them."""
    return Summary(
        recipe=recipe_name(config, context),
        seed=context.seed,
        git=context.git,
        stages=_stages(sources.manifests),
        scores=sources.scores.scores,
        deltas=sources.scores.deltas,
        verifier=sources.scores.verifier,
        speculative=_speculative(sources),
        contamination=sources.scores.contamination or sources.card.contamination,
    )


def headline_metrics(sources: Sources) -> dict[str, float]:
    """Total accuracy of the main cells, for the Kubeflow UI."""
    found = totals(sources)
    metrics = {f"accuracy_{cell}": found[cell].mean for cell in ("base", "sft", "rlvr") if cell in found}
    best = best_scaffold(found)
    return {**metrics, "accuracy_best_scaffold": found[best].mean} if best else metrics


def _stages(manifests: Mapping[str, Manifest]) -> dict[str, StageSummary]:
    return {
        m.provenance.stage: StageSummary(seconds=stage_seconds(m.metadata), status="done", manifest=m.uri)
        for m in manifests.values()
    }


def _speculative(sources: Sources) -> SpeculativeSummary | None:
    setting = sources.bundle.speculation if sources.bundle is not None else None
    if setting is None:
        return None
    length, speedup = sources.lossless.acceptance_length, sources.lossless.speedup
    return SpeculativeSummary(
        acceptance_length=setting.acceptance_length if length is None else length,
        speedup=setting.speedup if speedup is None else speedup,
        method=setting.method,
    )


def _card(sources: Sources) -> str:
    rows = [f"| {cell} | {100 * s.mean:.1f} | {100 * s.ci95[0]:.1f} to {100 * s.ci95[1]:.1f} | {s.questions} |"
            for cell, s in totals(sources).items()]  # fmt: skip
    if not rows:
        return "# Report\n\nThe evaluation left no scores; the page says what is missing.\n"
    head = ["# Report", "", f"The page is `{PAGE}` in this tree, the numbers `{SUMMARY}`.", "",
            "| cell | accuracy, % | 95 % interval | questions |", "|---|---|---|---|"]  # fmt: skip
    return "\n".join([*head, *rows]) + "\n"
