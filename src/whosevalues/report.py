"""One table per model over the three papers: the report card."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from . import ROOT, elicitation, items, manifest, results
from .mena import consistency, nvas
from .mena.answers import answers as to_answers
from .mena.answers import by_country
from .multicultural import live as culture
from .multicultural import survey
from .multicultural.topics import TOPICS
from .navab import answer_rates, evaluation, judgement

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
    "navab": {"AJ": "not asked: whosevalues run --model {model} --paper navab-open"},
}
"""Measures that the answers of a plain card do not hold, and why; AJ needs free answers, of `OPEN`."""

OPEN = "navab-open"
"""The experiment whose answers are judged for AJ, by the sentence embedding."""


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
    answers = {paper: _kept(paper, model) for paper in (*NAMED, OPEN)}
    if len(asked := answers["multicultural"]):
        # Answers to the paper's own prompts are no part of a card; they are set beside the released ones.
        answers["multicultural"] = asked[asked["question"].isin(TOPICS)].reset_index(drop=True)
    return tabulate(model, answers, _judged(answers["multicultural"], judge or model), judge)


def tabulate(
    model: str, answers: Mapping[str, pd.DataFrame], judged: pd.DataFrame | None = None, judge: str | None = None
) -> pd.DataFrame:
    """Tabulate everything that the three papers measure of one model.

    Parameters
    ----------
    model : its name.
    answers : by paper what `elicitation.elicit` gives; an empty frame where nothing was asked. Those to `OPEN` may be
        left out.
    judged : what `elicitation.judged` gives for the open answers of 'multicultural'; None where nobody judged them.
    judge : who judged; without it the model itself.

    Returns
    -------
    One row per figure, columns `COLUMNS`: `value` with its 95% interval `low` to `high` (NaN where there are too
    few answers) and `n`, what it rests on (responses, answers or items); `coverage`, that over all that the
    experiment asks for, so that a refusal, which is no choice, lowers it as an error does; `chance`, what guessing
    gets; `human`, what people get in the model's place, where that can be said; `measurement`, 'logprob' or 'sampled',
    never both in one row; `judge`, with '(self-judged)' where it is the model; `missing`, why there is no value.
    Missing mass counts refusals: its coverage leaves out errors alone.
    """
    who = f"{model} (self-judged)" if judge in (None, model) else judge
    parts = [
        *_multicultural(model, answers["multicultural"], judged, judge or model),
        *_mena(model, answers["mena"]),
        *_navab(model, answers["navab"]),
        *_judged_answers(answers.get(OPEN, pd.DataFrame())),
    ]
    rows = [part.assign(paper=paper) for paper, part in parts if len(part)]
    known = {measure for part in rows for measure in part["measure"]}
    for paper, reasons in UNMEASURED.items():
        lacking = {name: why.format(model=model) for name, why in reasons.items() if name not in known}
        rows += [pd.DataFrame({"paper": paper, "measure": list(lacking), "missing": list(lacking.values())})]
    table = pd.concat([part.astype(object) for part in rows], ignore_index=True).reindex(columns=COLUMNS)
    embedded = table["judge"] == judgement.EMBEDDING
    table["judge"] = np.where(table["judge"].isna(), None, np.where(embedded, judgement.EMBEDDING, who))
    numbers = ["value", "low", "high", "n", "coverage", "chance", "human"]
    table = table.astype(dict.fromkeys(numbers, float)).assign(model=model)
    table["missing"] = table["missing"].where(table["missing"].notna(), None)
    table.loc[table["value"].isna() & table["missing"].isna(), "missing"] = NO_VALUE
    # Bootstraps of a handful are far too narrow; Wilson intervals, NaVAB's, are not.
    table.loc[(table["n"] < FEWEST) & (table["paper"] != "navab"), ["low", "high"]] = np.nan
    order = pd.Categorical(table["paper"], list(NAMED))
    return table.assign(order=order).sort_values("order", kind="stable", ignore_index=True).drop(columns="order")


def write(table: pd.DataFrame, model: str) -> Path:
    """Keep a model's report card, whole or not at all.

    Parameters
    ----------
    table : as `card` gives it.
    model : its name.

    Returns
    -------
    ``_build/reports/<model>.csv``.
    """
    file = REPORTS / f"{model}.csv"
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_name(f".{file.name}.{os.getpid()}")
    table.to_csv(partial, index=False, float_format="%.6g", lineterminator="\n")
    partial.replace(file)
    return file


def across(rows: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    """Set the measures of a report card beside each other.

    Parameters
    ----------
    rows : of `card`, each with a value.
    names : columns that name a line.

    Returns
    -------
    Per line and measure the figure in words, '' where there is none, and `n`, the largest of the line; where the rows
    hold two kinds of measurement, each has lines of its own.
    """
    names = [*names, "measurement"] if rows["measurement"].nunique() > 1 else names
    rows = rows.assign(figure=[results.in_words(row) for row in rows.to_dict("records")])
    wide = rows.pivot(index=names, columns="measure", values="figure").fillna("")[rows["measure"].unique()]
    n = rows.groupby(names, sort=False)["n"].max().astype(int)
    return wide.reindex(n.index).assign(n=n)


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
    file = manifest.newest(paper, model)
    if file is None:
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
        return put.reindex(columns=[*put, *survey.JUDGED])
    if len(elicitation.missing("multicultural", judge, put)):
        return None
    return elicitation.judged("multicultural", answers, judge)


def _completed(paper: str, answers: pd.DataFrame, model: str) -> pd.DataFrame:
    """Put the questions of the experiment that were not asked below those that were."""
    grid = elicitation.requests(paper).assign(model=model, error=NOT_ASKED.format(model=model, paper=paper))
    if answers.empty:
        return grid.reindex(columns=[*grid, *_ANSWERED])
    answers = answers.assign(refused=answers.get("refused"))
    known = set(_names(answers, paper))
    rest = grid[[name not in known for name in _names(grid, paper)]]
    return pd.concat([answers.astype(object), rest.astype(object)], ignore_index=True)


_ANSWERED = ["measurement", "refused", "probability", "missing_mass", "logprob", "tokens", "text"]


def _names(rows: pd.DataFrame, paper: str) -> list[tuple[object, ...]]:
    columns = rows[NAMED[paper]].astype(object)
    return list(columns.where(columns.notna(), None).itertuples(index=False, name=None))


def _reasons(table: pd.DataFrame, rows: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Say why the cells without an answer have none: what most of their questions came to."""
    refused = ("refused: " + rows["refused"].astype("str")).where(rows["refused"].notna())
    reasons = rows["error"].astype(object).where(rows["error"].notna(), refused)
    missing = pd.Series(None, table.index, dtype=object)
    for place, cell in table[table["n"] == 0].iterrows():
        own = [rows[name].isna() | (rows[name] == cell[name]) for name in by if pd.notna(cell.get(name))]
        missing[place] = reasons[np.logical_and.reduce(own)].mode().get(0) if own else reasons.mode().get(0)
    return table.assign(missing=missing)


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
    every_one = survey.stances(judged)
    scored = survey.in_language(every_one)
    tables = [survey.valid_share(asked, every_one).assign(measure=VALID)]
    tables += [survey.judge_mass(judged).assign(measure=MASS)]
    tables += [measure(scored).assign(measure=name) for name, measure in measures.items()]
    figures = pd.concat([table.astype(object) for table in tables], ignore_index=True)
    kinds = every_one["measurement"].dropna().unique()
    for kind in kinds if len(kinds) else [None]:
        found = figures[figures["measurement"].isna() if kind is None else figures["measurement"] == kind]
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
    answered = to_answers(every)
    spread = by_country(answered, countries)
    scored = nvas.nvas(spread, humans, bank)
    cell, prompted = [*nvas.CELL, "measurement"], ["framing", "language", "mode"]
    table = nvas.nvas_table(scored).rename(columns={"one_human": "human"}).assign(measure="NVAS")
    fair = nvas.corrected(scored, nvas.CELL).assign(measure="NVAS corrected for chance")
    gaps = nvas.margins(scored).merge(table[[*cell, "coverage"]], on=cell)
    gaps = gaps[gaps["baseline"].isin(BASELINES)]
    gaps = gaps.assign(measure="NVAS minus " + gaps["baseline"].map(BASELINES))
    gaps["chance"] = np.where(gaps["baseline"] == "chance", 0.0, np.nan)
    mass = nvas.missing_mass(answered, prompted).assign(measure="missing mass")
    mass = mass.merge(answered.groupby(prompted, sort=False).size().rename("asked").reset_index(), on=prompted)
    mass["coverage"] = mass["n"] / mass["asked"]
    both = consistency.consistency_table(consistency.consistencies(spread, bank))
    parts = [part.astype(object) for part in (table, fair, gaps, mass, both)]
    yield "mena", _reasons(pd.concat(parts, ignore_index=True), every, ["country", *prompted])


def _navab(model: str, answers: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    every = _completed("navab", answers, model)
    # What stands in for an unasked question must not be taken for an answer.
    every = every.where(every.notna(), None)
    table = evaluation.rates(evaluation.multiple_choice(every))
    table["measure"] = [name if name == evaluation.BIAS else f"MC, {name}" for name in table["metric"]]
    table["protocol"] = np.where(table["metric"] == "completion", "completion", "letter")
    table["coverage"] = table["n"] / (table["n"] + table["unanswered"])
    table["nation"] = table["nation"].where(table["nation"] != "all")
    table["country"] = table["nation"]
    yield "navab", _reasons(table, every, ["protocol", "nation"])


def _judged_answers(answers: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """AJ with the share of neither that makes its chance level; nothing where no question was answered freely."""
    if answers.empty or not (answers["kind"] == "generate").any():
        return
    free, grid = answers[answers["kind"] == "generate"], elicitation.requests(OPEN).query("kind == 'generate'")
    free = pd.concat([free, grid[~grid["id"].isin(free["id"])]], ignore_index=True)
    near = judgement.similarities(judgement.texts(free, written=False).query("role == 'answer'"))
    table = answer_rates.rates(judgement.by_embedding(near))
    table["measure"] = ["AJ: neither" if name == answer_rates.NEITHER else name for name in table["metric"]]
    table["coverage"] = table["n"] / (table["n"] + table["unanswered"])
    table["country"] = table["nation"].where(table["nation"] != "all")
    yield "navab", table.drop(columns=["nation", "source_kind"])
