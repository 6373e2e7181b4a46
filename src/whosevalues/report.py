"""One table per model over the three papers: the report card."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from . import ROOT, elicitation, items, manifest, mena, mena_measures, results
from . import multicultural_alignment as culture
from . import multicultural_survey as survey
from .navab import evaluation

REPORTS = ROOT / "_build" / "reports"

COLUMNS = ["model", "paper", "measure", "language", "country", "framing", "mode", "value", "low", "high", "n"]
COLUMNS += ["coverage", "chance", "human", "measurement", "judge", "missing"]

NAMED = {
    "multicultural": ["question", "language", "template", "sample"],
    "mena": ["question", "country", "language", "framing", "mode"],
    "navab": ["id", "protocol", "order", "role"],
}
"""What tells the questions of a paper's experiment apart."""

FEWEST = 5
"""Answers below which there is no bootstrap interval."""

NOT_ASKED = "not asked: whosevalues run --model {model} --paper {paper}"
NOT_JUDGED = "not judged by {judge}: whosevalues run --model {model} --paper multicultural --judge {judge}"
NO_VALUE = "undefined: too few answers, or all alike"

BASELINES = {"chance": "chance", "midpoint": "midpoint", "others": "other countries"}

VALID, MASS = "valid responses", "missing mass of the judge"

UNMEASURED = {
    "multicultural": {"effect of capability (Eq. 1)": "needs two models of a family with capability scores"},
    "mena": {"NVAS, reasoning": "not asked: the experiment is zero-shot"},
    "navab": {"AJ": "not asked: the experiment has no free answers for a judge"},
}
"""Measures of the papers that one model's answers do not hold, and why."""


def card(model: str, judge: str | None = None) -> pd.DataFrame:
    """Tabulate everything that the three papers measure of one model, from the answers that are kept.

    Nothing is asked: what was not asked or judged yet is marked so.

    Parameters
    ----------
    model : name in models.yml.
    judge : of the open answers, a name in models.yml; without it the model itself.

    Returns
    -------
    As `tabulate` gives it.

    Raises
    ------
    UserError : unknown model or judge.
    """
    answers = {paper: _kept(paper, model) for paper in NAMED}
    return tabulate(model, answers, _judged(answers["multicultural"], judge or model), judge)


def tabulate(
    model: str, answers: Mapping[str, pd.DataFrame], judged: pd.DataFrame | None = None, judge: str | None = None
) -> pd.DataFrame:
    """Tabulate everything that the three papers measure of one model.

    Parameters
    ----------
    model : its name.
    answers : by paper what `elicitation.elicit` gives; an empty frame where nothing was asked.
    judged : what `elicitation.judged` gives for the open answers of 'multicultural'; None where nobody judged them.
    judge : who judged; without it the model itself.

    Returns
    -------
    One row per figure, columns `COLUMNS`: `value` with its 95% interval `low` to `high` (NaN where there are too
    few answers) and `n`, what it rests on (responses, answers or items); `coverage`, that over all that the
    experiment asks for; `chance`, what guessing gets; `human`, what people get in the model's place, where that can be
    said; `measurement`, 'logprob' or 'sampled', never both in one row; `judge`, with '(itself)' where it is the model;
    `missing`, why there is no value.
    """
    who = f"{model} (itself)" if judge in (None, model) else judge
    parts = [
        *_multicultural(model, answers["multicultural"], judged, judge or model),
        *_mena(model, answers["mena"]),
        *_navab(model, answers["navab"]),
    ]
    rows = [part.assign(paper=paper) for paper, part in parts if len(part)]
    for paper, reasons in UNMEASURED.items():
        rows += [pd.DataFrame({"paper": paper, "measure": list(reasons), "missing": list(reasons.values())})]
    table = pd.concat([part.astype(object) for part in rows], ignore_index=True).reindex(columns=COLUMNS)
    table["judge"] = np.where(table["judge"].isna(), None, who)
    numbers = ["value", "low", "high", "n", "coverage", "chance", "human"]
    table = table.astype(dict.fromkeys(numbers, float)).assign(model=model)
    table["missing"] = table["missing"].where(table["missing"].notna(), None)
    table.loc[table["value"].isna() & table["missing"].isna(), "missing"] = NO_VALUE
    # Bootstraps of a handful are far too narrow; Wilson intervals, NaVAB's, are not.
    table.loc[(table["n"] < FEWEST) & (table["paper"] != "navab"), ["low", "high"]] = np.nan
    order = pd.Categorical(table["paper"], list(NAMED))
    return table.assign(order=order).sort_values("order", kind="stable", ignore_index=True).drop(columns="order")


def write(model: str, judge: str | None = None) -> Path:
    """Keep a model's report card.

    Parameters
    ----------
    model, judge : as for `card`.

    Returns
    -------
    ``_build/reports/<model>.csv``.
    """
    file = REPORTS / f"{model}.csv"
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_suffix(".partial")
    card(model, judge).to_csv(partial, index=False, float_format="%.6g", lineterminator="\n")
    partial.replace(file)
    return file


def in_words(table: pd.DataFrame) -> str:
    """Say in a few lines what a report card holds.

    Parameters
    ----------
    table : as `card` gives it.

    Returns
    -------
    Per paper and measure one line: the figure, or the span of several; how many lie above and below chance by their
    intervals; then what is missing, and why.
    """
    lines = []
    for paper, rows in table.groupby("paper", sort=False):
        lines.append(f"{paper}: {', '.join(sorted(rows['measurement'].dropna().unique())) or 'nothing measured'}")
        measured = rows[rows["value"].notna()]
        lines += [f"  {measure}: {_span(part)}" for measure, part in measured.groupby("measure", sort=False)]
        reasons = rows.loc[rows["value"].isna(), ["measure", "missing"]].groupby("missing", sort=False)["measure"]
        lines += [f"  missing: {', '.join(dict.fromkeys(part))} ({reason})" for reason, part in reasons]
    return "\n".join(lines)


def _span(rows: pd.DataFrame) -> str:
    # Where there is a figure for all countries together, it speaks for them.
    rows = rows[rows["country"].isna()] if rows["country"].isna().any() else rows
    if len(rows) == 1:
        row = rows.iloc[0]
        chance = "" if pd.isna(row["chance"]) else f", chance {row['chance']:.2f}"
        return f"{results.in_words(row)}{chance}, n {row['n']:.0f}".replace("\N{NO-BREAK SPACE}", " ")
    text = f"{rows['value'].min():.2f} to {rows['value'].max():.2f} in {len(rows)} rows"
    # Whether NVAS beats chance is told by its difference, answer by answer, which has a row of its own.
    if rows["chance"].isna().all() or (rows["measure"] == "NVAS").all():
        return text
    above, below = rows["low"] > rows["chance"] + 1e-9, rows["high"] < rows["chance"] - 1e-9
    return f"{text}; above chance in {above.sum()}, below in {below.sum()}"


def _kept(paper: str, model: str) -> pd.DataFrame:
    file = manifest.ANSWERS / paper / f"{model}.parquet"
    if not file.is_file():
        return pd.DataFrame()
    table = pd.read_parquet(file).astype(object)
    for name in {"options", "raw", "probability", "low", "high"} & set(table):
        table[name] = [tuple(value) if isinstance(value, np.ndarray) else None for value in table[name]]
    return table.where(table.notna(), None)


def _judged(answers: pd.DataFrame, judge: str) -> pd.DataFrame | None:
    """Collect the judge's answers if all are kept; None where some are missing."""
    if answers.empty:
        return None
    put = survey.judging(answers)
    if put.empty:
        return put.reindex(
            columns=[*put, "model", "judge", "self_judged", "measurement", "probability", "missing_mass"]
        )
    if len(elicitation.missing("multicultural", judge, put)):
        return None
    return elicitation.judged("multicultural", answers, judge)


def _completed(paper: str, answers: pd.DataFrame, model: str) -> pd.DataFrame:
    """Put the questions of the experiment that were not asked below those that were."""
    grid = elicitation.requests(paper).assign(model=model, error=NOT_ASKED.format(model=model, paper=paper))
    if answers.empty:
        return grid.reindex(columns=[*grid, *_ANSWERED])
    known = set(_names(answers, paper))
    rest = grid[[name not in known for name in _names(grid, paper)]]
    return pd.concat([answers.astype(object), rest.astype(object)], ignore_index=True)


_ANSWERED = ["measurement", "probability", "missing_mass", "logprob", "tokens", "text"]


def _names(rows: pd.DataFrame, paper: str) -> list[tuple[object, ...]]:
    columns = rows[NAMED[paper]].astype(object)
    return list(columns.where(columns.notna(), None).itertuples(index=False, name=None))


def _by_measurement(rows: pd.DataFrame, measure: Callable[[pd.DataFrame], pd.DataFrame]) -> pd.DataFrame:
    """Measure each kind of answers alone, the others standing as unanswered; empty cells of a mixed table go."""
    kinds = rows.loc[rows["error"].isna(), "measurement"].dropna().unique()
    tables = []
    for kind in kinds if len(kinds) else [None]:
        other = rows["error"].isna() & (rows["measurement"] != kind)
        alone = rows.assign(error=rows["error"].astype(object).mask(other, f"not measured as {kind}"))
        tables.append(measure(alone).assign(measurement=kind))
    table = pd.concat(tables, ignore_index=True)
    return table[table["n"] > 0] if len(kinds) > 1 else table


def _reasons(table: pd.DataFrame, rows: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Say why the cells without an answer have none: the most frequent error of their questions."""
    if not by:
        return table.assign(missing=np.where(table["n"] > 0, None, rows["error"].mode().get(0)))
    reason = rows.groupby(by)["error"].agg(lambda errors: errors.mode().get(0)).rename("missing").reset_index()
    found = table.merge(reason, on=by, how="left")
    return found.assign(missing=found["missing"].astype(object).where(found["n"] == 0, None))


def _multicultural(
    model: str, answers: pd.DataFrame, judged: pd.DataFrame | None, judge: str
) -> Iterator[tuple[str, pd.DataFrame]]:
    every = _completed("multicultural", answers, model)
    size = every.groupby("language", sort=False).size()
    asked = every[every["measurement"].notna()]
    texts = asked[asked["error"].isna()]
    measures = {
        "self-consistency": culture.self_consistency,
        "alignment": culture.alignment,
        "US minus own alignment": culture.us_difference,
    }
    cells = [(name, language) for name in (VALID, *measures, MASS) for language in size.index]
    cells = pd.DataFrame(cells, columns=["measure", "language"])
    cells = cells[(cells["measure"] != "US minus own alignment") | (cells["language"] != "en")]
    if judged is None or texts.empty:
        reason = NOT_JUDGED.format(model=model, judge=judge) if len(texts) else every["error"].mode().get(0)
        yield "multicultural", cells.assign(n=0, missing=reason)
        return
    judged = judged.reindex(columns=[*dict.fromkeys([*judged, *survey.JUDGED])])
    unasked = ~cells["language"].isin(asked["language"])
    cells["missing"] = np.where(unasked, NOT_ASKED.format(model=model, paper="multicultural"), "no valid response")
    for kind in judged["measurement"].dropna().unique() if len(judged) else [None]:
        rows = judged[judged["measurement"] == kind]
        scored = survey.stances(rows)
        tables = [survey.valid_share(asked, scored).assign(measure=VALID)]
        tables += [measure(scored).assign(measure=name) for name, measure in measures.items()]
        tables += [survey.judge_mass(rows).assign(measure=MASS)]
        found = pd.concat([table.astype(object) for table in tables], ignore_index=True)
        out = cells.merge(found.drop(columns=["model", "judge", "measurement"]), on=["measure", "language"], how="left")
        out["n"] = out["n"].astype(float).fillna(0)
        out["missing"] = out["missing"].astype(object).mask(out["n"] > 0, None)
        # The judge reads statements, of which no experiment says how many there are.
        out["coverage"] = (out["n"] / out["language"].map(size)).where(out["measure"] != MASS)
        yield "multicultural", out.assign(measurement=kind, judge=judge)


def _mena(model: str, answers: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    every = _completed("mena", answers, model)
    bank, humans = items.teaching_questions(), items.human_distributions()
    countries = every["country"].dropna().unique().tolist()

    def measure(rows: pd.DataFrame) -> pd.DataFrame:
        answered = mena.answers(rows)
        # An error has no mass to average.
        answered["missing_mass"] = answered["missing_mass"].mask(answered["abstained"])
        spread = mena.by_country(answered, countries)
        scored = mena.nvas(spread, humans, bank)
        table = mena.nvas_table(scored).rename(columns={"one_human": "human"}).assign(measure="NVAS")
        fair = mena_measures.corrected(scored, mena.CELL).assign(measure="NVAS corrected for chance")
        gaps = mena.margins(scored).merge(table[[*mena.CELL, "coverage"]], on=mena.CELL)
        gaps = gaps[gaps["baseline"].isin(BASELINES)]
        gaps = gaps.assign(measure="NVAS minus " + gaps["baseline"].map(BASELINES))
        gaps["chance"] = np.where(gaps["baseline"] == "chance", 0.0, np.nan)
        mass = mena.missing_mass(answered, ["framing", "language", "mode"]).assign(measure="missing mass")
        asked = answered.groupby(["framing", "language", "mode"], sort=False).size().rename("asked").reset_index()
        mass = mass.merge(asked, on=["framing", "language", "mode"])
        mass["coverage"] = mass["n"] / mass["asked"]
        both = mena_measures.consistency_table(mena_measures.consistencies(spread, bank))
        parts = [table, fair, gaps, mass, both]
        return _reasons(pd.concat([part.astype(object) for part in parts], ignore_index=True), rows, [])

    yield "mena", _by_measurement(every, measure)


def _navab(model: str, answers: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    every = _completed("navab", answers, model)

    def measure(rows: pd.DataFrame) -> pd.DataFrame:
        # What stands in for an unasked question must not be taken for an answer.
        table = evaluation.rates(evaluation.multiple_choice(rows.where(rows.notna(), None)))
        table["measure"] = [name if name == evaluation.BIAS else f"MC, {name}" for name in table["metric"]]
        table["protocol"] = np.where(table["metric"] == "completion", "completion", "letter")
        table["coverage"] = table["n"] / (table["n"] + table["unanswered"])
        table["country"] = table["nation"].where(table["nation"] != "all")
        return _reasons(table, rows, ["protocol"])

    yield "navab", _by_measurement(every, measure)
