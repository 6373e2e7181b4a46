"""What does the check of translations catch? Back-translations of which it is known whether they are right."""

from __future__ import annotations

import numpy as np
import pandas as pd

from .. import items, stats
from . import equivalence, translation, wording, workbook
from .equivalence import Encode

FILE = items.TEACHING / "back-translations.csv"

KINDS = ("faithful", "another question", "options dropped", "ends swapped", "meaning shifted")
"""The first should pass, the others should not."""

NEIGHBOUR = "questions with such a neighbour"


def controls() -> pd.DataFrame:
    """Put together back-translations that are right, and such as are wrong in a known way.

    The faithful ones and those of a shifted meaning (a negation, a reversed claim, an opposite) were written by the
    makers of the teaching bank, a language model and no person. The others are made from the faithful ones: with the
    last option left out, with the labels of the two ends swapped, or set beside another question of the bank.

    Returns
    -------
    One row per pair: `kind`, `question` (whose back-translation it is), `other` (the question that it is held against),
    `language`, `source` (the English page), `back` (the back-translation).
    """
    bank = {question.id: translation.page(question) for question in items.teaching_questions()}
    given = pd.read_csv(FILE, dtype=str, keep_default_na=False).rename(columns={"text": "back"})
    given["kind"] = given["kind"].map({"faithful": "faithful", "shifted": "meaning shifted"})
    given = given.assign(other=given["question"], source=given["question"].map(bank))
    right = given[given["kind"] == "faithful"]
    parts = [given]
    parts.append(right.assign(kind="options dropped", back=[_dropped(text) for text in right["back"]]))
    parts.append(right.assign(kind="ends swapped", back=[_swapped(text) for text in right["back"]]))
    every = pd.DataFrame(list(bank.items()), columns=["other", "source"])
    strange = right.drop(columns=["other", "source"]).merge(every, "cross")
    parts.append(strange[strange["question"] != strange["other"]].assign(kind="another question"))
    out = pd.concat(parts, ignore_index=True)
    order = out["kind"].map({kind: place for place, kind in enumerate(KINDS)})
    columns = ["kind", "question", "other", "language", "source", "back"]
    return out.iloc[order.argsort(kind="stable")].reset_index(drop=True)[columns]


def compared(table: pd.DataFrame, encode: Encode | None = None) -> pd.DataFrame:
    """Compare every pair.

    Parameters
    ----------
    table : of `controls`.
    encode : as for `equivalence.check`.

    Returns
    -------
    The rows with what `equivalence.compare` finds.
    """
    return table.join(equivalence.compare(table["source"], table["back"], encode))


def caught(found: pd.DataFrame, threshold: float = equivalence.THRESHOLD) -> pd.DataFrame:
    """How many of each kind does the check stop, and which part of it does?

    Parameters
    ----------
    found : of `compared`.
    threshold : least similarity of the questions.

    Returns
    -------
    One row per kind and `part` ('any', 'options', 'order', 'similarity'; the parts by themselves): `value`, the share
    stopped, `low`, `high` (95%, Wilson, with as many cases as there are questions: pairs of one question are no
    independent cases), `n` (pairs), `questions`, `chance` and `printed` (NaN).
    """
    stops = {
        "options": ~found["options_kept"].astype(bool),
        "order": found["order_kept"] == 0,
        "similarity": found["similarity"] < threshold,
    }
    stops = {"any": np.logical_or.reduce(list(stops.values())), **stops}
    rows = []
    for kind, pairs in found.groupby("kind", sort=False):
        for part, stopped in stops.items():
            share = float(pd.Series(stopped, found.index)[pairs.index].mean())
            rows.append({"kind": kind, "part": part, **_share(share, pairs)})
    return pd.DataFrame(rows).assign(chance=np.nan, printed=np.nan)


def thresholds(found: pd.DataFrame, steps: int = 19) -> pd.DataFrame:
    """Which share of each kind passes at which threshold?

    Parameters
    ----------
    found : of `compared`.
    steps : thresholds from 0.05 on.

    Returns
    -------
    One row per threshold and kind, those made from the faithful ones by their options left out: `value`, the share
    with at least that similarity, `low`, `high`, `n`, `questions` as in `caught`.
    """
    rows = []
    for kind in ("faithful", "another question", "meaning shifted"):
        pairs = found[found["kind"] == kind]
        for threshold in np.arange(1, steps + 1) / (steps + 1):
            share = float((pairs["similarity"] >= threshold).mean())
            rows.append({"threshold": threshold, "kind": kind, **_share(share, pairs)})
    return pd.DataFrame(rows).assign(chance=np.nan, printed=np.nan)


def left_out(found: pd.DataFrame) -> pd.DataFrame:
    """Would a threshold set on the other questions do for one that it has not seen?

    For each question the threshold is set half-way between the least similar faithful pair and the most similar pair of
    two questions, both among the other questions alone, and then applied to this one.

    Parameters
    ----------
    found : of `compared`.

    Returns
    -------
    One row per kind, 'faithful' and 'another question': `value`, the share that is judged wrongly, `low`, `high`, `n`,
    `questions` as in `caught`; `least` and `most`, the lowest and the highest threshold set.
    """
    right, strange = (found[found["kind"] == kind] for kind in KINDS[:2])
    wrong, used = {"faithful": [], "another question": []}, []
    for question in right["question"].unique():
        unseen = (strange["question"] == question) | (strange["other"] == question)
        ends = right.loc[right["question"] != question, "similarity"].min(), strange.loc[~unseen, "similarity"].max()
        used.append(sum(ends) / 2)
        wrong["faithful"].append(right.loc[right["question"] == question, "similarity"] < used[-1])
        wrong["another question"].append(strange.loc[strange["question"] == question, "similarity"] >= used[-1])
    ends = {"least": min(used), "most": max(used), "chance": np.nan, "printed": np.nan}
    pairs = {"faithful": right, "another question": strange}
    return pd.DataFrame([{"kind": k, **_share(float(pd.concat(v).mean()), pairs[k]), **ends} for k, v in wrong.items()])


def neighbours(threshold: float = equivalence.THRESHOLD, encode: Encode | None = None) -> pd.DataFrame:
    """How many of the workbook's questions could be taken for one another?

    Two questions with the same options, each at or above the threshold of the other, would pass for translations of
    each other: a wrong one of the same battery is then not caught.

    Parameters
    ----------
    threshold : least similarity.
    encode : as for `equivalence.check`.

    Returns
    -------
    One row per source ('WVS', 'AOI', 'all') and `metric`: 'questions with such a neighbour' and 'pairs': `value`, a
    share; `low`, `high` (Wilson; NaN for pairs, which are all there are), `n`.
    """
    questions, _ = workbook.read()
    bank = wording.bank(questions)
    vectors = (encode or equivalence.minilm)([question.text["en"] for question in bank])
    options = pd.factorize(pd.Series([repr((q.options, q.labels["en"])) for q in bank]))[0]
    same = options[:, None] == options[None, :]
    near = (vectors @ vectors.T >= threshold) & same & ~np.eye(len(bank), dtype=bool)
    rows = []
    for source in ("WVS", "AOI", "all"):
        own = ((questions["source"] == source) | (source == "all")).to_numpy()
        part = near[np.ix_(own, own)]
        with_one, n = int(part.any(axis=1).sum()), len(part)
        low, high = stats.wilson(with_one, n)
        rows.append({"source": source, "metric": NEIGHBOUR, "value": with_one / n, "low": low, "high": high, "n": n})
        pairs = n * (n - 1) // 2
        rows.append({"source": source, "metric": "pairs", "value": part.sum() / 2 / pairs, "n": pairs})
    return pd.DataFrame(rows).assign(chance=np.nan, printed=np.nan)


def languages() -> pd.DataFrame:
    """Is each question of the teaching bank, in each language, taken for what it is?

    Returns
    -------
    One row per language: `value`, the share identified rightly, `low`, `high` (Wilson), `n`.
    """
    rows = []
    for code in ("ar", "fa", "tr"):
        pages = [translation.page(question, code) for question in items.teaching_questions()]
        good = sum(equivalence.identify(text) == code for text in pages)
        low, high = stats.wilson(good, len(pages))
        rows.append({"language": code, "value": good / len(pages), "low": low, "high": high, "n": len(pages)})
    return pd.DataFrame(rows).assign(chance=np.nan, printed=np.nan)


def _share(share: float, pairs: pd.DataFrame) -> dict[str, float]:
    questions = pairs["question"].nunique()
    low, high = stats.wilson(share * questions, questions)
    return {"value": share, "low": low, "high": high, "n": len(pairs), "questions": questions}


def _lines(page: str) -> list[tuple[str, str]]:
    return [tuple(line.split(". ", 1)) for line in page.splitlines()[1:]]


def _dropped(page: str) -> str:
    return page.rsplit("\n", 1)[0]


def _swapped(page: str) -> str:
    options = _lines(page)
    keys, labels = zip(*options, strict=True)
    labels = (labels[-1], *labels[1:-1], labels[0])
    return "\n".join([page.splitlines()[0], *(f"{k}. {label}" for k, label in zip(keys, labels, strict=True))])
