"""Officials beside people: what speeches say on the questions of value surveys, and what people answered.

The second open question of NaVAB (arXiv 2504.12911): how far do values taken from official sources diverge from those
of the population? The sentences of official speeches are matched to survey questions, a sample of them is labelled by
reading, and the share in favour stands beside that of the people of the same nation.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import numpy as np
import pandas as pd

from .. import UserError, data, embeddings, microdata_file, stats
from ..items import TEACHING
from . import articles
from .triples import NATIONS

TRUTH = "multicultural/head-2025-08/ground_truth_every_country.csv"
OLDER = "multicultural/head-2025-08/ground_truth_all_countries.csv"
LABELS = TEACHING / "official-stances.csv"
STANCES = ("pro", "con", "neither", "off")
"""In the survey's direction; 'neither' is on the topic without a side, 'off' is on another topic."""

NEAREST = 20
"""Sentences per nation and topic from which the sample was drawn: those nearest to the topic's wording."""

DRAWN = {"GB": 4, "US": 4, "CN": 2, "FR": 2, "DE": 2}
"""Sentences per topic: more for the two nations whose people are in the released figures."""

EXPECTED = (
    "expected is the joint EVS/WVS file 2017-2022, free after registration at worldvaluessurvey.org or "
    "europeanvaluesstudy.eu"
)


def topics() -> pd.DataFrame:
    """List the survey questions that speeches at the United Nations can touch.

    Returns
    -------
    One row per topic: `topic`; `question`, its code in the released polarity scores; `item`, `maximum` and `pro`, its
    column in the joint EVS/WVS file, the highest code and the side ('low' or 'high') that is in favour; `wording`, ours
    and without a side; `in_favour`, what counts as pro; `keywords`, a pattern that finds sentences on it.
    """
    return pd.read_csv(Path(__file__).with_name("survey_topics.csv"))


def fingerprint(sentence: str) -> str:
    """Name a sentence without repeating it: twelve hex digits of its words' sha256.

    Examples
    --------
    >>> fingerprint("Peace  is our aim.") == fingerprint("Peace is our aim.")
    True
    """
    return hashlib.sha256(" ".join(sentence.split()).encode()).hexdigest()[:12]


def sentences(table: pd.DataFrame) -> pd.DataFrame:
    """Cut articles into sentences.

    Parameters
    ----------
    table : as `articles.load` gives it.

    Returns
    -------
    One row per sentence: `article`, `nation`, `year`, `sentence`.
    """
    rows = [
        (item["article"], item["nation"], item["year"], text)
        for item in table.to_dict("records")
        for text in articles.sentences(item["text"])
    ]
    return pd.DataFrame(rows, columns=["article", "nation", "year", "sentence"])


def matched(cut: pd.DataFrame) -> pd.DataFrame:
    """Find the sentences that use a topic's words.

    Parameters
    ----------
    cut : as `sentences` gives them.

    Returns
    -------
    One row per topic and sentence of 8 to 60 words: `topic` and the columns of `cut`. A sentence may match several.
    """
    long = cut["sentence"].str.split().str.len().between(8, 60)
    parts = []
    for topic in topics().to_dict("records"):
        pattern = re.compile(topic["keywords"], re.IGNORECASE)
        found = cut[long & cut["sentence"].map(lambda text, found=pattern: bool(found.search(text)))]
        parts.append(found.assign(topic=topic["topic"]))
    return pd.concat(parts, ignore_index=True)[["topic", *cut.columns]]


def sample(found: pd.DataFrame, seed: int = 6) -> pd.DataFrame:
    """Draw the sentences that were labelled: of the `NEAREST` ones per nation and topic, at most one an article.

    Parameters
    ----------
    found : as `matched` gives them. All are embedded: a minute or two.
    seed : of the draw.

    Returns
    -------
    The drawn rows with `similarity` to the topic's wording and `hash`.
    """
    wording = topics().set_index("topic")["wording"]
    texts = list(dict.fromkeys([*wording, *found["sentence"]]))
    vectors = dict(zip(texts, embeddings.embed(texts), strict=True))
    near = [
        float(vectors[wording[topic]] @ vectors[text])
        for topic, text in zip(found["topic"], found["sentence"], strict=True)
    ]
    ranked = found.assign(similarity=near).sort_values("similarity", ascending=False, kind="stable")
    rng = np.random.default_rng(seed)
    parts = []
    for (_, nation), rows in ranked.groupby(["topic", "nation"]):
        rows = rows.head(NEAREST).sample(frac=1, random_state=rng).drop_duplicates("article")
        parts.append(rows.head(DRAWN[nation]))
    drawn = pd.concat(parts, ignore_index=True).drop_duplicates(["topic", "sentence"])
    return drawn.assign(hash=[fingerprint(text) for text in drawn["sentence"]])


def labels() -> pd.DataFrame:
    """Read the labels of the sample, frozen before anything was computed from them.

    Labelled once by one annotator, a language model and no person, without sight of nation and year. A sentence counts
    as on the topic also where it speaks of other countries or of the gap between countries.

    Returns
    -------
    One row per topic and sentence: `topic`, `article`, `nation`, `year`, `hash` (as `fingerprint`), `similarity` to the
    topic's wording when it was drawn, `stance` (one of `STANCES`), `side`: 1 pro, 0 con, NaN without one.

    Raises
    ------
    UserError : a topic or stance that there is not, or a row that stands twice; names the row.
    """
    table = pd.read_csv(LABELS)
    known = table["topic"].isin(topics()["topic"]) & table["stance"].isin(STANCES)
    if len(bad := table[~known | table.duplicated(["topic", "article", "hash"])]):
        raise UserError(f"{LABELS.name}, row {bad.index[0] + 1}: {' '.join(map(str, bad.iloc[0]))} cannot be used")
    named = table["article"].str.split("-", expand=True)
    side = table["stance"].map({"pro": 1.0, "con": 0.0})
    return table.assign(nation=named[0], year=named[1].astype(int), side=side)


def lost(table: pd.DataFrame, cut: pd.DataFrame) -> pd.DataFrame:
    """Which labels belong to no sentence of the speeches at hand?

    Parameters
    ----------
    table : of `labels`.
    cut : of `sentences`.

    Returns
    -------
    The labels without their sentence, with `problem` and `remedy`.
    """
    cut = cut[cut["article"].isin(table["article"])]
    there = set(zip(cut["article"], map(fingerprint, cut["sentence"]), strict=True))
    gone = [pair not in there for pair in zip(table["article"], table["hash"], strict=True)]
    problem = "no sentence of this article has these words"
    return table[gone].assign(problem=problem, remedy="restore the corpus, or how sentences are cut")


def officials(table: pd.DataFrame) -> pd.DataFrame:
    """How far do official sentences take the survey's side, by nation and topic?

    Parameters
    ----------
    table : of `labels`.

    Returns
    -------
    One row per nation, then 'all', and topic: `value`, pro over pro plus con, NaN where nobody took a side; `low` and
    `high`, Wilson's 95%, a sentence being a trial, which it can be because no two of a cell are of one article (of
    'all', none of one nation's); `n`, sentences with a side; `read`, all that were labelled; `on_topic`, those of them
    on the topic; `chance`, 0.5; `printed`, NaN.
    """
    every = pd.concat([table, table.assign(nation="all")])
    rows = []
    for nation in (*NATIONS, "all"):
        for topic in topics()["topic"]:
            cell = every[(every["nation"] == nation) & (every["topic"] == topic)]
            sided = cell["side"].dropna()
            low, high = stats.wilson(sided.sum(), len(sided)) if len(sided) else (np.nan, np.nan)
            counts = {"n": len(sided), "read": len(cell), "on_topic": int((cell["stance"] != "off").sum())}
            rows.append({"nation": nation, "topic": topic, "value": sided.mean(), "low": low, "high": high, **counts})
    return pd.DataFrame(rows).assign(chance=0.5, printed=np.nan)


def polarity(path: str = TRUTH) -> pd.DataFrame:
    """Read what people of the five nations answered, as far as it is released: Britain and the United States.

    Parameters
    ----------
    path : `TRUTH`, or `OLDER`, the same surveys scored otherwise.

    Returns
    -------
    One row per nation and question: `nation`, `question`, `value` (value polarity score, in [0, 1]).
    """
    table = data.read_csv(path, {"cntry_an": str, "question_key": str, "pro_score": float})
    table = table.assign(question=table["question_key"].str.lower(), nation=table["cntry_an"], value=table["pro_score"])
    return table.loc[table["nation"].isin(NATIONS), ["nation", "question", "value"]].reset_index(drop=True)


def released(path: str = TRUTH) -> pd.DataFrame:
    """Take from `polarity` what belongs to a topic.

    Parameters
    ----------
    path : as for `polarity`.

    Returns
    -------
    One row per nation and topic: `nation`, `topic`, `value` (share in favour, in [0, 1]).
    """
    return polarity(path).merge(topics()[["topic", "question"]], on="question")[["nation", "topic", "value"]]


def own(path: str | Path) -> pd.DataFrame:
    """Work out what people of the five nations answered from a reader's own copy of the joint EVS/WVS file.

    Parameters
    ----------
    path : a .csv, .sav or .dta file with `cntry_AN`, `gwght` and the items of `topics`.

    Returns
    -------
    As `released`, of those of the five nations that the file has: the share in favour, weighted by `gwght`, up to half
    of a scale's highest code, rounded down, being its low side.

    Raises
    ------
    UserError : the file cannot be used, or none of the five nations is in it.
    """
    bank = topics()
    wanted = ["cntry_AN", "gwght", *bank["item"]]
    table = microdata_file.read(path, wanted, words=wanted[:1], expected=EXPECTED)
    table = table[table["cntry_AN"].isin(NATIONS) & (table["gwght"] > 0)]
    if table.empty:
        raise UserError(f"{Path(path).name} has nobody of {', '.join(NATIONS)} with a weight: {EXPECTED}")
    rows = []
    for nation, people in table.groupby("cntry_AN", sort=False):
        for topic in bank.to_dict("records"):
            code = people[topic["item"]]
            low, weight = code <= topic["maximum"] // 2, people["gwght"].where(code > 0, 0)
            favour = weight[low if topic["pro"] == "low" else ~low].sum()
            value = favour / weight.sum() if weight.sum() else np.nan
            rows.append({"nation": nation, "topic": topic["topic"], "value": value})
    return pd.DataFrame(rows).dropna(ignore_index=True)
