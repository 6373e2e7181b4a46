"""Ground truth from the joint EVS/WVS file 2017-2022: from what respondents said to value polarity scores.

The file is free after registration and may not be passed on: a user brings it. Its items are scored as the authors of
"Multilingual != Multicultural" (Rystrøm, Kirk and Hale, 2025, section 2.1) score them, but by a fixed table of the
codebook's scales, where they took the highest code that occurs, which a partial file would change.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from .. import UserError, microdata_file

NEEDED = ("cntry_AN", "lnge_iso", "gwght", "pwght")
"""Country, language of the interview, weight within the country, weight of the country's population."""

LANGUAGES = ("da", "en", "nl", "pt")
"""Languages of the paper: its ground truth has their speakers, and the countries where they are spoken most."""

LEVELS = ("global", "language", "country")

EXPECTED = (
    "expected is the joint EVS/WVS file 2017-2022 as CSV, SPSS (.sav) or Stata (.dta), for instance "
    "EVS_WVS_Joint_Csv_v5_0.csv, free after registration at worldvaluessurvey.org (data and documentation, joint "
    "EVS/WVS) or europeanvaluesstudy.eu"
)


def codebook() -> pd.DataFrame:
    """List the items that make up the ground truth, and how an answer becomes pro or con.

    Returns
    -------
    One row per item of the joint file: `item` as the file spells it, `question` as the released tables do, `name`;
    `maximum`, the highest code by the codebook; `pro`, whether the 'low' codes (up to half of the maximum, rounded
    down) or the 'high' ones are in favour; `wvs7`, its number in the WVS-7 questionnaire; `basis` of the maximum:
    'WVS-7 list' (the released list of WVS-7 items says the same), 'released scores' (the list has another one, under
    which the released scores make no sense) or 'questionnaire' (in no list at hand); `table1`, whether the paper's
    Table 1 has it.

    Examples
    --------
    >>> codebook().set_index("question").loc["f118", "pro"]
    'high'
    """
    table = pd.read_csv(Path(__file__).with_name("codebook.csv"), keep_default_na=False)
    table.insert(1, "question", table["item"].str.lower())
    return table.assign(table1=table["table1"] == "yes")


def read(path: str | Path) -> pd.DataFrame:
    """Read the joint EVS/WVS file: the items of the ground truth, and nothing else.

    Parameters
    ----------
    path : a .csv, .sav or .dta file with the columns `NEEDED` and all items of `codebook`, in any case.

    Returns
    -------
    One row per respondent: `country` (ISO 3166 alpha-2; NIR is Northern Ireland), `language` of the interview,
    `gwght`, `weight` (gwght x pwght, 0 where one is missing or not positive), and per question the code of the answer,
    NaN where there is none (codes of 0 and below).

    Raises
    ------
    UserError : there is no such file, it is empty, of another kind or cannot be read, columns are missing (all are
        named), a column holds words where codes belong, or there is no respondent, or none with a weight.
    """
    wanted = [*NEEDED, *codebook()["item"]]
    table = microdata_file.read(path, wanted, words=NEEDED[:2], expected=EXPECTED)
    country, language = table["cntry_AN"].str.upper(), table["lnge_iso"].str.lower()
    weight = table["gwght"] * table["pwght"]
    if not (weight > 0).any():
        raise UserError(f"{Path(path).name} has no respondent with a positive weight (gwght x pwght): {EXPECTED}")
    people = {"country": country, "language": language, "gwght": table["gwght"], "weight": weight.where(weight > 0, 0)}
    answers = {item.lower(): table[item].where(table[item] > 0) for item in wanted[len(NEEDED) :]}
    return pd.DataFrame(people | answers)


def check(people: pd.DataFrame) -> pd.DataFrame:
    """Hold the answers against the codebook: a code above its maximum means another file, or an error in our table.

    Parameters
    ----------
    people : as from :func:`read`.

    Returns
    -------
    One row per question: `question`, `maximum` by the codebook, `observed` maximum (NaN without an answer), `n`
    (answers), `verdict`: 'as the codebook', 'lower' (fine in a part of the file), 'higher' or 'no answer'.
    """
    table = codebook()[["question", "maximum"]]
    answers = people[table["question"]]
    table = table.assign(observed=answers.max().to_numpy(), n=answers.notna().sum().to_numpy())
    above, below = table["observed"] > table["maximum"], table["observed"] < table["maximum"]
    kinds = ["no answer", "higher", "lower"]
    return table.assign(verdict=np.select([table["n"] == 0, above, below], kinds, "as the codebook"))


def in_favour(people: pd.DataFrame) -> pd.DataFrame:
    """Turn every answer into pro or con.

    Up to half of a scale's maximum, rounded down, is its low side: the first of three answers, two of four or five
    (who stands in the middle of five counts as con), five of ten.

    Parameters
    ----------
    people : as from :func:`read`.

    Returns
    -------
    One row per respondent, one column per question: 1 pro, 0 con, NaN no answer.
    """
    sides = {}
    for row in codebook().itertuples():
        codes = people[row.question]
        low = codes <= row.maximum // 2
        sides[row.question] = (low if row.pro == "low" else ~low).astype(float).where(codes.notna())
    return pd.DataFrame(sides)


def spoken(people: pd.DataFrame) -> pd.Series:
    """Name every country's language: that of most interviews there, weighted by `gwght`.

    Parameters
    ----------
    people : as from :func:`read`.

    Returns
    -------
    Language by country; of languages with equal weight the first in the alphabet.
    """
    weight = people.groupby(["country", "language"])["gwght"].sum().reset_index()
    return weight.sort_values("gwght", ascending=False, kind="stable").groupby("country")["language"].first()


def truth(people: pd.DataFrame, languages: Iterable[str] | None = LANGUAGES) -> pd.DataFrame:
    """Value polarity scores of the world, of every language's speakers and of every country (section 2.1).

    The share in favour among those who answered, each with weight gwght x pwght. A language pools all who were
    interviewed in it, in whatever country; the world pools everybody.

    Parameters
    ----------
    people : as from :func:`read`.
    languages : the languages, and the countries that speak them; None for all.

    Returns
    -------
    As the second table of :func:`~whosevalues.multicultural.released.read`: `level`, `group`, `group_language`,
    `question`, `human` in [0, 1]; without questions that nobody in a group answered.
    """
    home = spoken(people)
    pro = in_favour(people)
    keys = {"global": pd.Series("global", people.index), "language": people["language"], "country": people["country"]}
    parts = []
    for level in LEVELS:
        table = _polarity(pro, people["weight"], keys[level])
        own = {"global": None, "language": table["group"], "country": table["group"].map(home)}[level]
        parts.append(table.assign(level=level, group_language=own))
    table = pd.concat(parts, ignore_index=True)[["level", "group", "group_language", "question", "human"]]
    if languages is None:
        return table
    return table[(table["level"] == "global") | table["group_language"].isin(list(languages))].reset_index(drop=True)


def _polarity(pro: pd.DataFrame, weight: pd.Series, group: pd.Series) -> pd.DataFrame:
    by = pd.DataFrame({"group": group, "weight": weight})
    scores = {}
    for question in pro:
        answered = pro[question].notna()
        sums = by[answered].assign(pro=pro[question] * weight).groupby("group")[["pro", "weight"]].sum()
        scores[question] = sums["pro"] / sums["weight"]
    wide = pd.DataFrame(scores).rename_axis("group")
    return wide.reset_index().melt("group", var_name="question", value_name="human").dropna(subset="human")


def beside(own: pd.DataFrame, released: pd.DataFrame) -> pd.DataFrame:
    """Compare a truth that was computed from the file with the released one.

    Parameters
    ----------
    own, released : as from :func:`truth`.

    Returns
    -------
    One row per level: `value`, the largest absolute difference; `n`, scores that both have; `only_own` and
    `only_released`, scores that one lacks.
    """
    keys = ["level", "group", "question"]
    both = own[[*keys, "human"]].merge(released[[*keys, "human"]], "outer", on=keys, suffixes=("_own", "_released"))
    both["value"] = (both["human_own"] - both["human_released"]).abs()
    both["only_own"], both["only_released"] = both["human_released"].isna(), both["human_own"].isna()
    counted = {"value": ("value", "max"), "n": ("value", "count")}
    counted |= {name: (name, "sum") for name in ("only_own", "only_released")}
    return both.groupby("level").agg(**counted).loc[list(LEVELS)].reset_index()
