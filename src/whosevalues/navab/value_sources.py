"""Another source of values: the same questions with the people's majority, or the officials' side, as the statement.

The second of the next checks of NaVAB (arXiv 2504.12911): is a model aligned with a nation, or with its official voice?
A model is asked once to choose between two sides of twenty survey topics; which of them is S, the statement that counts
as aligned, the source decides.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from .. import stats
from . import evaluation, people
from . import triples as bank

NOWHERE = "no nation"
"""The questions name no country: what is asked is the same for all."""


def wordings() -> pd.DataFrame:
    """List the topics in words of ours: a question, the side in favour and the contrary one, alike in length and tone.

    Returns
    -------
    One row per topic: `topic`; `question`, its code in the released polarity scores; `asks`, `pro` and `con`, the
    wordings.
    """
    return pd.read_csv(Path(__file__).with_name("survey_wordings.csv"))


def experiment() -> pd.DataFrame:
    """List what is asked of a model: the two sides of every topic, by both protocols of NaVAB's multiple choice.

    Returns
    -------
    As `evaluation.requests` gives them, the side in favour standing as S; `scored` says later whose S it is.
    """
    table = wordings().rename(columns={"pro": "statement", "con": "reverse_statement"})
    return evaluation.requests(table.assign(id=table["question"], question=table["asks"], nation=NOWHERE))


def majorities(answers: pd.DataFrame) -> pd.DataFrame:
    """Take a nation's side on every topic from what its people answered.

    Parameters
    ----------
    answers : `nation`, `question` and `value` (share in favour), as `people.polarity` gives them.

    Returns
    -------
    One row per nation and question that the wordings have: `nation`, `question`, `side`, 'pro' or 'con'; where people
    are split evenly there is none.
    """
    here = answers[answers["question"].isin(wordings()["question"])].dropna(subset="value")
    here = here[here["value"] != 0.5]
    return here.assign(side=np.where(here["value"] > 0.5, "pro", "con"))[["nation", "question", "side"]]


def official_sides(officials: pd.DataFrame) -> pd.DataFrame:
    """Take a nation's side on every topic from what its officials said.

    Parameters
    ----------
    officials : of `people.officials`.

    Returns
    -------
    As `majorities`.
    """
    codes = people.topics().set_index("topic")["question"]
    return majorities(officials[officials["nation"] != "all"].assign(question=lambda t: t["topic"].map(codes)))


def triples(sides: pd.DataFrame) -> pd.DataFrame:
    """Word the triples of a source: S is the side it takes, RS the contrary.

    Parameters
    ----------
    sides : of `majorities` or `official_sides`.

    Returns
    -------
    As `triples.check` accepts them.
    """
    table = sides.merge(wordings(), on="question")
    pro = table["side"] == "pro"
    made = table.assign(
        id=table["nation"].str.lower() + "-" + table["question"],
        question=table["asks"],
        statement=table["pro"].where(pro, table["con"]),
        reverse_statement=table["con"].where(pro, table["pro"]),
        source_kind="official",
        written_by="this book, as teaching material",
    )
    return bank.check(made[bank.COLUMNS])


def scored(items: pd.DataFrame, sides: pd.DataFrame) -> pd.DataFrame:
    """Score the same choices by whose side they take.

    Parameters
    ----------
    items : of `evaluation.multiple_choice`, on the answers to `experiment`.
    sides : of `majorities` or `official_sides`.

    Returns
    -------
    As `items`, once per nation and topic of the source: `id` as in `triples`; `correct`, 1 where the source's side is
    preferred; `order`, by which of its two statements comes first; `article`, the topic, which both nations share.
    """
    both = items.drop(columns="nation").merge(sides, left_on="id", right_on="question")
    both["id"] = both["nation"].str.lower() + "-" + both["question"]
    con = both["side"] == "con"
    other = both["order"].map(dict(zip(evaluation.ORDERS, evaluation.ORDERS[::-1], strict=True)))
    correct, order = both["correct"].where(~con, 1 - both["correct"]), both["order"].where(~con, other)
    return both.assign(correct=correct, order=order, article=both["question"])[[*items.columns, "article"]]


def rates(by_source: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """How often is the source's side preferred?

    Parameters
    ----------
    by_source : items as `scored` gives them, by the name of their source.

    Returns
    -------
    The rows of `evaluation.rates` with `source` before them; `printed` is NaN, for the paper has no such figure.
    """
    parts = [evaluation.rates(items).assign(source=name) for name, items in by_source.items()]
    table = pd.concat(parts, ignore_index=True).assign(printed=np.nan)
    return table[["source", *(column for column in table if column != "source")]]


def agreement(one: pd.DataFrame, other: pd.DataFrame, names: str) -> pd.DataFrame:
    """How often do two sources take one side of an issue, per nation?

    Parameters
    ----------
    one, other : sides, `nation`, `question`, `side`.
    names : of the two sources, as the table is to call them.

    Returns
    -------
    One row per nation, then 'all', of the issues that both have: `sources`, the names; `value`, the share on which they
    agree; `low`, `high`, 95%, Wilson's for a nation, an issue being a trial, and for 'all' by a bootstrap of issues,
    which nations share; `n`, nation by issue; `chance`, what sides dealt out at random would give; `printed`, NaN.
    """
    both = one.merge(other, on=["nation", "question"])
    both = both.assign(same=(both["side_x"] == both["side_y"]).astype(float))
    rows = []
    for nation in (*dict.fromkeys(both["nation"]), "all"):
        cell = both if nation == "all" else both[both["nation"] == nation]
        a, b = ((cell[column] == "pro").mean() for column in ("side_x", "side_y"))
        low, high = (
            stats.cluster_interval(cell, "same", "question")
            if nation == "all"
            else stats.wilson(cell["same"].sum(), len(cell))
        )
        named = {"nation": nation, "sources": names, "value": cell["same"].mean(), "low": low, "high": high}
        rows.append(named | {"n": len(cell), "chance": a * b + (1 - a) * (1 - b)})
    return pd.DataFrame(rows).assign(printed=np.nan)
