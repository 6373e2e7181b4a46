"""How well is a value statement told? Readers held against the sentences that were labelled by reading them."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pandas as pd

from .. import stats
from . import statements
from .reader_reference import UNSEEN

Reader = Callable[[str, str], tuple[bool, str]]
"""A sentence and its nation to whether it states a value, and 'quoted' or 'official'."""

BASELINES: dict[str, Callable[[str], bool]] = {
    "all yes": lambda sentence: True,
    "'must' or 'should'": lambda sentence: bool(re.search(r"\b(?:must|should)\b", sentence, re.IGNORECASE)),
}
"""What needs no reading."""


def by_rules(sentence: str, nation: str) -> tuple[bool, str]:
    """Read a sentence by the rules.

    Parameters
    ----------
    sentence, nation : what is read, and whose article it is from.

    Returns
    -------
    Whether it states a value, and its source kind.
    """
    return statements.is_value(sentence), statements.source_kind(sentence, nation)


def told(labelled: pd.DataFrame, reader: Reader = by_rules) -> pd.DataFrame:
    """Have a reader read the labelled sentences.

    Parameters
    ----------
    labelled : of :func:`reader_reference.reference`.
    reader : who reads.

    Returns
    -------
    The rows with `told` (bool) and `told_source`.
    """
    read = [reader(text, nation) for text, nation in zip(labelled["text"], labelled["nation"], strict=True)]
    return labelled.assign(told=[value for value, _ in read], told_source=[kind for _, kind in read])


def screening(rows: pd.DataFrame, reader: str) -> pd.DataFrame:
    """Precision and recall of the value screening, for each corpus and each nation.

    Parameters
    ----------
    rows : of :func:`told`.
    reader : its name.

    Returns
    -------
    One row per `corpus`, `nation` ('all' or one) and `metric` ('precision', 'recall', 'F1'): `reader`, `value`, `low`,
    `high` (95%, articles drawn with replacement; NaN where all or no cases are hits and for fewer than two articles),
    `wilson_low`, `wilson_high` (sentences as if independent; NaN for F1), `n` (sentences that the figure rests on),
    `chance` (of the reader that says yes at random, as often as this one).
    """
    yes = rows["is_value"].astype(bool)
    return _measured(rows.assign(hit=yes & rows["told"], said=rows["told"], true=yes), reader)


def source(rows: pd.DataFrame, reader: str) -> pd.DataFrame:
    """Precision and recall of 'quoted' among the sentences that are value statements by their label.

    Parameters
    ----------
    rows, reader : as for :func:`screening`.

    Returns
    -------
    As :func:`screening` gives them.
    """
    rows = rows[rows["is_value"] == 1]
    said, true = rows["told_source"] == "quoted", rows["source_kind"] == "quoted"
    return _measured(rows.assign(hit=said & true, said=said, true=true), reader)


def measured(labelled: pd.DataFrame) -> pd.DataFrame:
    """Hold the rules and the baselines against the labels, half by half.

    Parameters
    ----------
    labelled : of :func:`reader_reference.reference`.

    Returns
    -------
    `step` ('screening', 'source') and `half` before the columns of :func:`screening`; `printed` is NaN: the paper's
    precision and recall are not known. Of what the rules took ('taken') there is the precision alone.
    """
    readers = {"rules": by_rules} | {
        name: lambda text, _, yes=yes: (yes(text), "official") for name, yes in BASELINES.items()
    }
    tables = []
    for half, part in labelled.groupby("half", sort=False):
        for name in readers if half in UNSEEN else ["rules"]:
            rows = told(part, readers[name])
            found = screening(rows, name)
            found = found[found["metric"] == "precision"] if half == "taken" else found
            tables.append(found.assign(step="screening", half=half))
            if name == "rules":
                tables.append(source(rows, name).assign(step="source", half=half))
    table = pd.concat(tables, ignore_index=True)
    table = table[(table["corpus"] != "both") & table["n"].gt(0)]
    front = ["step", "half", "corpus", "nation", "reader", "metric"]
    return table[[*front, *table.columns.difference(front, sort=False)]].assign(printed=np.nan)


def self_agreement(table: pd.DataFrame, rounds: int = 1000) -> pd.DataFrame:
    """Agreement of the two passes over the same sentences.

    Parameters
    ----------
    table : of :func:`reader_reference.labels`.
    rounds : of the bootstrap, which draws articles.

    Returns
    -------
    One row per `step` ('screening', 'source') and `metric` ('agreement', 'kappa'): `value`, `low`, `high`, `n`
    (sentences labelled twice; for the source those found values both times), `chance`.
    """
    twice = table[table["second"] != ""]
    first = twice["is_value"].astype(int)
    rows = _agreement(twice.assign(a=first, b=twice["second"].astype(int)), "screening", rounds)
    both = twice[(first == 1) & (twice["second"] == "1")]
    kinds = both.assign(a=both["source_kind"] == "quoted", b=both["second_source"] == "quoted")
    return pd.DataFrame(rows + _agreement(kinds, "source", rounds))


def with_rules(labelled: pd.DataFrame) -> pd.DataFrame:
    """Agreement of the rules with the language model that labelled by reading, on the fresh sample.

    Parameters
    ----------
    labelled : of :func:`reader_reference.reference`.

    Returns
    -------
    As :func:`self_agreement` gives it, for the screening.
    """
    rows = told(labelled[labelled["half"] == "fresh"])
    return pd.DataFrame(_agreement(rows.assign(a=rows["is_value"], b=rows["told"]), "screening", 1000))


def _measured(rows: pd.DataFrame, reader: str) -> pd.DataFrame:
    parts = [(("both", "all"), rows)]
    parts += [((corpus, "all"), part) for corpus, part in rows.groupby("corpus")]
    parts += [(names, part) for names, part in rows.groupby(["corpus", "nation"])]
    table = [
        {"corpus": corpus, "nation": nation, "reader": reader, **figure}
        for (corpus, nation), part in parts
        for figure in _figures(part)
    ]
    return pd.DataFrame(table)


def _figures(part: pd.DataFrame) -> list[dict[str, object]]:
    base, said = part["true"].mean(), part["said"].mean()
    figures = []
    for metric, over, chance in (("precision", "said", base), ("recall", "true", said)):
        some, hits = part[part[over]], int(part["hit"].sum())
        bounds = stats.wilson(hits, len(some)) if len(some) else (np.nan, np.nan)
        figure = stats.estimate(some.astype({"hit": float}), "hit", cluster="article")
        figures.append(
            {"metric": metric, **figure, "wilson_low": bounds[0], "wilson_high": bounds[1], "n": len(some)}
            | {"chance": chance}
        )
    numbers = part.astype({"hit": float, "said": float, "true": float})
    f1 = stats.estimate(numbers, ["hit", "said", "true"], _f1, cluster="article")
    chance = 2 * base * said / (base + said) if base + said else np.nan
    return [*figures, {"metric": "F1", **f1, "n": len(part), "chance": chance}]


def _f1(total: np.ndarray) -> np.ndarray:
    return 2 * total[:, 0] / (total[:, 1] + total[:, 2])


def _agreement(pairs: pd.DataFrame, step: str, rounds: int) -> list[dict[str, object]]:
    numbers = pairs.assign(a=pairs["a"].astype(float), b=pairs["b"].astype(float))
    numbers["same"], numbers["one"] = (numbers["a"] == numbers["b"]).astype(float), 1.0
    columns = ["same", "a", "b", "one"]
    figures = {"agreement": lambda total: total[:, 0] / total[:, 3], "kappa": _kappa}
    expected = _expected(numbers[columns].sum().to_numpy()[None])[0] if len(numbers) else np.nan
    return [
        {"step": step, "metric": metric}
        | stats.estimate(numbers, columns, figure, cluster="article", rounds=rounds)
        | {"n": len(numbers), "chance": expected if metric == "agreement" else 0.0}
        for metric, figure in figures.items()
    ]


def _expected(total: np.ndarray) -> np.ndarray:
    a, b = total[:, 1] / total[:, 3], total[:, 2] / total[:, 3]
    return a * b + (1 - a) * (1 - b)


def _kappa(total: np.ndarray) -> np.ndarray:
    expected = _expected(total)
    return (total[:, 0] / total[:, 3] - expected) / (1 - expected)
