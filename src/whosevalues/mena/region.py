"""The same benchmark for any region: built from the World Values Survey's wave-7 file, for any of its countries.

The second open question of MENAValues (arXiv 2510.13154) is whether its findings hold outside its region. The survey
file is free after registration and may not be passed on: a user brings it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from .. import UserError, microdata_file
from ..items import as_codes
from . import workbook

NEEDED = ("B_COUNTRY_ALPHA", "W_WEIGHT")
"""Country (ISO 3166 alpha-3; NIR is Northern Ireland) and weight within the country."""

EXPECTED = (
    "expected is the World Values Survey's wave-7 file as CSV, SPSS (.sav) or Stata (.dta), for instance "
    "WVS_Cross-National_Wave_7_csv_v6_0.csv, free after registration at worldvaluessurvey.org (data and "
    "documentation, wave 7)"
)

ASKED = ("item", "low", "high", "scale", "text")
"""Columns of a user's own table of questions."""

SCALES = {"ordinal": "y", "nominal": "n"}


@cache
def _places() -> pd.DataFrame:
    return pd.read_csv(Path(__file__).with_name("wvs_countries.csv"), keep_default_na=False)


def places() -> pd.DataFrame:
    """List the countries and territories of wave 7.

    Returns
    -------
    One row each: `alpha3` (as the file has it), `country` (ISO 3166 alpha-2; NIR is Northern Ireland), `name`,
    `nationality` (in English, as the prompts need it).

    Examples
    --------
    >>> places().set_index("country").loc["KE", "nationality"]
    'Kenyan'
    """
    return _places().copy()


def codes(countries: str | Iterable[str]) -> tuple[str, ...]:
    """Turn countries into ISO 3166 alpha-2 codes.

    Parameters
    ----------
    countries : one or several, alpha-2 or alpha-3.

    Raises
    ------
    UserError : no country, or one that wave 7 does not have; names those it has.

    Examples
    --------
    >>> codes(["KEN", "NG"])
    ('KE', 'NG')
    """
    table = places()
    known = dict(zip(table["alpha3"], table["country"], strict=True)) | {code: code for code in table["country"]}
    named = dict(zip(table["name"], table["country"], strict=True))
    listed = as_codes(countries)
    if not listed:
        raise UserError(f"no country in {countries!r}: wave 7 has {', '.join(table['country'])}")
    for country in listed:
        if str(country) not in known:
            hint = f" ({country} is {named[country]})" if country in named else ""
            raise UserError(f"unknown country '{country}': wave 7 has {', '.join(table['country'])}{hint}")
    return tuple(dict.fromkeys(known[country] for country in listed))


def questions(table: pd.DataFrame | None = None) -> pd.DataFrame:
    """List what is asked: a user's questions, or those of the MENAValues workbook that the survey's main file has.

    Parameters
    ----------
    table : columns `ASKED`: the survey's number ('Q1'), the first and the last option, 'ordinal' or 'nominal', and the
        question with its options in the form '1: Yes, 2: No', or with the words of the two ends ("With '1' being
        'Often' and '4' being 'Never'."). Others (`category`) are kept. Without it the workbook's, in English.

    Returns
    -------
    As the questions of :func:`~whosevalues.mena.workbook.read`, with the survey's number as `question`.

    Raises
    ------
    UserError : a column is missing, or a row does not make sense; names it.
    DataUnavailable : no table, and the workbook cannot be had.
    """
    if table is None:
        asked = workbook.read()[0]
        asked = asked[asked["item"].fillna("").str.startswith("Q")]
        return asked.assign(question=asked["item"]).reset_index(drop=True)
    if missing := [column for column in ASKED if column not in table]:
        raise UserError(f"the table of questions lacks {', '.join(missing)}: it needs {', '.join(ASKED)}")
    for row in table.to_dict("records"):
        if why := _amiss(row):
            raise UserError(f"question '{row['item']}' of the table: {why}")
    if len(twice := table.loc[table["item"].duplicated(), "item"]):
        raise UserError(f"question '{twice.iloc[0]}' stands twice in the table")
    ends = {name: table[name].astype(int) for name in ("low", "high")}
    named = {"question": table["item"], "source": "WVS", "marked": table["scale"].map(SCALES)}
    blank = {name: None for name in ("category", "subcategory", "label") if name not in table}
    return table.assign(**named, **ends, **blank).reset_index(drop=True)


def _amiss(row: Mapping[str, object]) -> str | None:
    ends = [row["low"], row["high"]]
    if not all(isinstance(end, int | float | np.integer) and float(end).is_integer() for end in ends):
        return f"low and high must be whole numbers, not {ends[0]!r:.20} and {ends[1]!r:.20}"
    if not 0 <= ends[0] < ends[1] <= ends[0] + workbook.WIDEST:
        return f"low {ends[0]} and high {ends[1]} must be 0 or more, rising, and no more than {workbook.WIDEST} apart"
    if row["scale"] not in SCALES:
        return f"scale '{row['scale']}' is none of {', '.join(SCALES)}"
    return None if isinstance(row["text"], str) and row["text"].strip() else "its text is missing"


def read(path: str | Path, countries: str | Iterable[str], items: Iterable[str] | None = None) -> pd.DataFrame:
    """Read the respondents of some countries.

    Parameters
    ----------
    path : the wave-7 file as .csv, .sav or .dta.
    countries : one or several, alpha-2 or alpha-3.
    items : the survey's numbers ('Q1'); without them those of :func:`questions` that the file has.

    Returns
    -------
    One row per respondent: `country` (alpha-2), `weight` (W_WEIGHT; 0 where missing or not positive), and per item the
    code of the answer, NaN where there is none (negative codes). ``attrs["lacking"]``: items that the file has not.

    Raises
    ------
    UserError : the file cannot be read or lacks a column that was named (all are listed), has none of the items, or
        none of a country's respondents with a weight; names the countries that it has.
    """
    wanted = codes(countries)
    named = list(items) if items is not None else []
    usual = list(questions()["item"]) if items is None else []
    table = microdata_file.read(path, [*NEEDED, *named], words=NEEDED[:1], optional=usual, expected=EXPECTED)
    asked = [column for column in table if column not in NEEDED]
    if not asked:
        raise UserError(f"{Path(path).name} has none of the items {', '.join(usual[:5])}, ...: {EXPECTED}")
    short = places().set_index("alpha3")["country"]
    country = table["B_COUNTRY_ALPHA"].str.upper().map(short)
    weight = table["W_WEIGHT"].where(table["W_WEIGHT"] > 0, 0.0)
    there = sorted(country[weight > 0].dropna().unique())
    if lost := [code for code in wanted if code not in there]:
        raise UserError(f"{Path(path).name} has nobody with a weight in {', '.join(lost)}: it has {', '.join(there)}")
    answered = table[asked].where(table[asked] >= 0)
    out = pd.concat([country.rename("country"), weight.rename("weight"), answered], axis=1)
    out = out[out["country"].isin(wanted)].reset_index(drop=True)
    out.attrs["lacking"] = [item for item in usual if item not in asked]
    return out


def benchmark(
    respondents: pd.DataFrame, asked: pd.DataFrame, weighted: bool = True
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Build the benchmark: what was asked, and what people answered.

    Parameters
    ----------
    respondents : of :func:`read`.
    asked : of :func:`questions`; those that the respondents have no column for are left out.
    weighted : by W_WEIGHT, as the survey means its data to be used; without weights everybody counts alike, as in the
        MENAValues workbook.

    Returns
    -------
    questions, cells : exactly as :func:`~whosevalues.mena.workbook.read` gives them, so that everything that takes the
        workbook's takes these; :func:`~whosevalues.mena.workbook.people` makes the tidy table. Shares are not rounded.
        Answers outside the question's range count as none (:func:`check` lists them).
    """
    asked = asked[asked["item"].isin(respondents.columns)].reset_index(drop=True)
    weight = respondents["weight"] if weighted else (respondents["weight"] > 0) * 1.0
    cells = []
    for row in asked.itertuples():
        code = respondents[row.item]
        good = code.between(row.low, row.high) & (code % 1 == 0) & (weight > 0)
        sums = weight[good].groupby([respondents.loc[good, "country"], code[good].astype(int)]).sum()
        for country in respondents["country"].unique():
            found = sums[country] if country in sums.index else pd.Series(dtype=float)
            cells.append((row.question, country, *_cell(found, row.scale)))
    return asked, pd.DataFrame(cells, columns=["question", "country", "centre", "shares", "note"])


def _cell(sums: pd.Series, scale: str) -> tuple[float, dict[str, float], str]:
    if sums.empty:
        return float("nan"), {}, "No data"
    share = sums / sums.sum()
    centre = share.index.to_numpy() @ share.to_numpy() if scale == "ordinal" else share.idxmax()
    return float(centre), {str(option): 100 * value for option, value in share.items()}, ""


def check(respondents: pd.DataFrame, asked: pd.DataFrame) -> pd.DataFrame:
    """Count answers and those outside a question's range: many mean another file, or a wrong range.

    Parameters
    ----------
    respondents, asked : of :func:`read` and :func:`questions`.

    Returns
    -------
    One row per question of both: `question`, `n` (answers), `outside` (answers outside the range), `least` and `most`
    (of the codes).
    """
    rows = []
    for row in asked[asked["item"].isin(respondents.columns)].itertuples():
        code = respondents[row.item].dropna()
        outside = ~(code.between(row.low, row.high) & (code % 1 == 0))
        rows.append((row.question, len(code), int(outside.sum()), code.min(), code.max()))
    return pd.DataFrame(rows, columns=["question", "n", "outside", "least", "most"])


def beside(cells: pd.DataFrame) -> pd.DataFrame:
    """Compare with the MENAValues workbook, where it has the same question and country.

    Parameters
    ----------
    cells : of :func:`benchmark`, on the workbook's questions.

    Returns
    -------
    One row per country of both: `value` (mean absolute difference of two shares), `largest`, `centre` (largest
    difference of two means or modes), `n` (shares compared), `cells`.

    Raises
    ------
    UserError : the two have no question and country in common.
    """
    asked, theirs = workbook.read()
    theirs = theirs.merge(asked[["question", "item"]], on="question")
    theirs = theirs.drop(columns="question").rename(columns={"item": "question"}).dropna(subset="question")
    keys = ["question", "country"]
    both = cells[[*keys, "centre", "shares"]].merge(theirs[[*keys, "centre", "shares"]], on=keys, suffixes=("", "_2"))
    both = both[both["shares"].map(bool) & both["shares_2"].map(bool)]
    if both.empty:
        raise UserError("the workbook has no question and country in common with these: it has WVS in nine countries")
    rows = []
    for row in both.itertuples():
        gaps = [abs(row.shares.get(o, 0.0) - row.shares_2.get(o, 0.0)) / 100 for o in {*row.shares, *row.shares_2}]
        rows.append((row.country, sum(gaps), max(gaps), abs(row.centre - row.centre_2), len(gaps)))
    table = pd.DataFrame(rows, columns=["country", "value", "largest", "centre", "n"])
    grouped = table.groupby("country").agg(
        value=("value", "sum"),
        largest=("largest", "max"),
        centre=("centre", "max"),
        n=("n", "sum"),
        cells=("n", "size"),
    )
    return grouped.assign(value=grouped["value"] / grouped["n"]).reset_index()
