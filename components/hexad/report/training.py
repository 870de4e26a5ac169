"""Curves of the two training stages, the verifier and the draft model."""

import math
from collections.abc import Sequence

from hexad.markup.html import Html, figure, join, missing, table, tag
from hexad.report.charts import Series, diagonal, dots, line_chart, share_bar
from hexad.report.overview import totals
from hexad.report.sources import CurvePoint, LosslessTest, Sources
from hexad.report.wording import CI95, NBSP, cell_name, number, p_phrase, p_value, percent, points, signed_interval


def curves(sources: Sources) -> Html:
    sft = _present([
        _curve(sources.sft_curve, "SFT loss", "loss per token", {"loss": "train", "eval_loss": "validation"}),
        _curve(sources.sft_curve, "SFT token accuracy", "share of tokens right", {"mean_token_accuracy": "train"}),
    ])  # fmt: skip
    rl = _present([
        _reward(sources.rl_curve),
        _curve(sources.rl_curve, "RLVR validation", "accuracy", {"validation": "validation"},
               note="On the validation split."),
        _curve(sources.rl_curve, "RLVR entropy", "nats per token", {"entropy": "policy"},
               note="A fall towards zero means that sampling has little left to choose from."),
        _curve(sources.rl_curve, "RLVR completion length", "tokens", {"completion_length": "mean"}),
        _curve(sources.rl_curve, "RLVR groups without signal", "share of groups", {"frac_reward_zero_std": "share"},
               note="Groups in which all samples got the same reward teach nothing."),
        _domain_rewards(sources.rl_curve),
    ])  # fmt: skip
    return tag(
        "section", tag("h2", "Training"),
        tag("h3", "Supervised fine-tuning"), _grid(sft, "No SFT curve.", _why(sources, "sft")),
        tag("h3", "RL with verifiable rewards"), _grid(rl, "No RLVR curve.", _why(sources, "policy")), id="training",
    )  # fmt: skip


def verifier(sources: Sources) -> Html:
    chart = _calibration(sources)
    summary = sources.scores.verifier
    bars = None
    if summary is not None:
        rows = [("majority vote", summary.majority, "base"), ("verifier’s choice", summary.selected, "scaffold"),
                ("oracle", summary.oracle, "rlvr")]  # fmt: skip
        found = totals(sources)
        if "rlvr" in found:
            rows.insert(0, ("one sample", found["rlvr"].mean, "base"))
        content = [[name, percent(value), share_bar(value, colour)] for name, value, colour in rows]
        bars = table("Accuracy by the way one of three candidates is chosen", ["Chosen by", "Accuracy", ""], content,
                     plot=2)  # fmt: skip
        bars = figure("What choosing is worth", bars, "The oracle is the best of three: no chooser can pass it.")
    facts = []
    if summary is not None:
        facts.append(f"In candidates for one question it puts the right one above the wrong one in "
                     f"{percent(summary.pair_accuracy)} of pairs.")  # fmt: skip
    if sources.calibration.pair_accuracy is not None:
        facts.append(f"Pair accuracy on held-out rollouts: {percent(sources.calibration.pair_accuracy)}.")
    if sources.calibration.auc is not None:
        facts.append(f"AUC: {sources.calibration.auc:.3f}.")
    if facts:
        facts.append(f"A coin has 50{NBSP}%.")
    shown = _present([chart, bars])
    content_ = [tag("p", " ".join(facts))] if facts else []
    return tag("section", tag("h2", "The verifier"), *content_,
               _grid(shown, "No verifier numbers.", _why(sources, "verifier")), id="verifier")  # fmt: skip


def speculation(sources: Sources) -> Html:
    lossless = sources.lossless
    parts: list[str] = []
    setting = sources.bundle.speculation if sources.bundle is not None else None
    length = lossless.acceptance_length if lossless.acceptance_length is not None else (
        setting.acceptance_length if setting is not None else None)  # fmt: skip
    facts = []
    if setting is not None:
        facts.append(("Method", f"{setting.method}, {setting.num_speculative_tokens} proposed tokens"))
        facts.append(("Served with speculation", "yes" if setting.lossless else "no: not shown to be lossless"))
    if length is not None:
        facts.append(("Acceptance length", f"{length:.2f} tokens per step of the target model"))
    if lossless.speedup is not None:
        facts.append(("Speed-up", f"{lossless.speedup:.2f} times"))
    if lossless.seconds_plain is not None and lossless.seconds_speculative is not None:
        facts.append(
            ("Wall time", f"{lossless.seconds_plain:.1f} s without, {lossless.seconds_speculative:.1f} s with")
        )
    facts += [(name.replace("_", " ").capitalize(), number(value)) for name, value in sources.acceptance.items()
              if isinstance(value, int | float) and not isinstance(value, bool)]  # fmt: skip
    if facts:
        parts.append(_facts(facts))
    if lossless.per_position:
        accepted = enumerate(lossless.per_position, 1)
        rows = [[f"token {i}", percent(value), share_bar(value, "rlvr")] for i, value in accepted]
        bars = table("Share of proposed tokens accepted, by position", ["Position", "Accepted", ""], rows,
                     plot=2)  # fmt: skip
        parts.append(figure("Acceptance by position", bars))
    tests = [_lossless_row(test) for test in lossless.temperatures]
    if tests:
        head = ["Temperature", "Prompts", "Equal outputs", "Without", "With", "Difference", CI95, "p",
                "Result"]  # fmt: skip
        parts.append(table("Does speculation change the answers? Paired by prompt", head, tests))
        note = "Passing means that no loss was found at this number of prompts, not that there is none."
        parts.append(tag("p", note, class_="muted"))
    for delta in sources.scores.deltas:
        if delta.to.endswith("+spec") and delta.benchmark == "all":
            evidence = f"({CI95} {signed_interval(*delta.ci95)}, {p_phrase(delta.p)})"
            told = f"In the evaluation, {cell_name(delta.to)} scored {points(delta.delta)} points against"
            parts.append(tag("p", f"{told} {cell_name(delta.from_)} {evidence}."))
    if not parts:
        parts.append(missing("No speculation numbers.", _why(sources, "bundle")))
    return tag("section", tag("h2", "Speculative decoding"), *parts, id="speculation")


def _why(sources: Sources, name: str) -> str:
    if name in sources.idle:
        return "The stage took no step: it was switched off, or had nothing to learn from."
    return "The stage left no such file." if name in sources.manifests else "The stage left nothing."


def _curve(
    points_: Sequence[CurvePoint], title: str, y_label: str, fields: dict[str, str], *, note: str = ""
) -> Html | None:
    colours = ("sft", "scaffold", "rlvr")
    series = []
    for (field, name), colour in zip(fields.items(), colours, strict=False):
        found = _column(points_, field)
        if found:
            series.append(Series(name, *_unzip(found), colour=colour, dots=len(found) < 30))
    if not series:
        return None
    return figure(title, line_chart(series, "step", y_label, _spoken(title, series)), note)


def _reward(points_: Sequence[CurvePoint]) -> Html | None:
    found = _column(points_, "reward")
    if not found:
        return None
    spreads = dict(_column(points_, "reward_std"))
    x, y = _unzip(found)
    spread = [spreads.get(step, 0.0) for step in x] if spreads else None
    series = [Series("reward", x, y, "rlvr", spread)]
    note = (
        "Mean over the batch; the band is one standard deviation within a group." if spread else "Mean over the batch."
    )
    return figure("RLVR reward", line_chart(series, "step", "reward", _spoken("RLVR reward", series)), note)


def _domain_rewards(points_: Sequence[CurvePoint]) -> Html | None:
    domains = sorted({domain for point in points_ for domain in point.domain_reward})
    series = []
    for i, domain in enumerate(domains[:8]):
        rows = [(p.step, p.domain_reward[domain]) for p in points_
                if domain in p.domain_reward and math.isfinite(p.domain_reward[domain])]  # fmt: skip
        if rows:
            series.append(Series(domain, *_unzip(_smoothed(rows)), colour=f"line-{i}"))
    if not series:
        return None
    drawing = line_chart(series, "step", "reward", _spoken("RLVR reward by domain", series))
    return figure("RLVR reward by domain", drawing, "Running mean over a tenth of the steps.")


def _calibration(sources: Sources) -> Html | None:
    bins = [b for b in sources.calibration.bins if math.isfinite(b.score) and math.isfinite(b.accuracy)]
    if not bins:
        return None
    bins = sorted(bins, key=lambda b: b.score)
    x, y = [b.score for b in bins], [b.accuracy for b in bins]
    series = [Series("verifier", x, y, "scaffold")]
    extra = join([diagonal(), dots(x, y, [max(0, b.count) for b in bins], "scaffold")])
    spoken = _spoken("Calibration", series)
    drawing = line_chart(series, "verifier’s score", "share correct", spoken, unit_square=True, extra=extra)
    note = "On the dashed line a score of 0.7 means 70 % right. Larger dot: more rollouts."
    return figure("Calibration", drawing, note)


def _lossless_row(test: LosslessTest) -> list[str]:
    equal = "–"
    if test.equal is not None:
        equal = percent(test.equal) if test.equal <= 1 else number(test.equal)
    return [
        f"{test.temperature:g}",
        number(test.prompts) if test.prompts is not None else "–",
        equal,
        percent(test.plain) if test.plain is not None else "–",
        percent(test.speculative) if test.speculative is not None else "–",
        points(test.delta) if test.delta is not None else "–",
        signed_interval(*test.ci95) if test.ci95 is not None else "–",
        p_value(test.p),
        "not decided" if test.passed is None else "no loss found" if test.passed else "answers changed",
    ]


def _column(points_: Sequence[CurvePoint], field: str) -> list[tuple[float, float]]:
    rows = [(point.step, getattr(point, field)) for point in points_]
    return sorted((x, y) for x, y in rows if y is not None and math.isfinite(x) and math.isfinite(y))


def _unzip(rows: Sequence[tuple[float, float]]) -> tuple[list[float], list[float]]:
    return [x for x, _ in rows], [y for _, y in rows]


def _smoothed(rows: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Running mean over about a tenth of the points."""
    half = len(rows) // 20
    windows = [rows[max(0, i - half) : i + half + 1] for i in range(len(rows))]
    return [(x, sum(y for _, y in window) / len(window)) for (x, _), window in zip(rows, windows, strict=True)]


def _spoken(title: str, series: Sequence[Series]) -> str:
    told = [f"{s.name} from {number(s.y[0])} to {number(s.y[-1])}" for s in series]
    return f"{title}: {'; '.join(told)}."


def _facts(facts: Sequence[tuple[str, str]]) -> Html:
    return tag("dl", *(tag("div", tag("dt", name), tag("dd", value)) for name, value in facts), class_="facts")


def _present(figures: Sequence[Html | None]) -> list[Html]:
    return [f for f in figures if f is not None]


def _grid(figures: Sequence[Html], what: str, why: str) -> Html:
    return tag("div", *figures, class_="figures") if figures else missing(what, why)
