"""Statements: the value that a passage states, read out by rules, and whose it is.

NaVAB has GPT-4 screen, extract and judge the source (summary, Method Summary). Rules do it here without a model;
`extraction` has any model do it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

import pandas as pd

from .. import stats
from . import articles, cues

COLUMNS = ["statement_id", "passage", "article", "nation", "year", "statement", "source_kind", "reader"]
PROBLEMS = ["row", "passage", "problem", "what_to_do"]
SHORTEST, LONGEST = 6, 60
"""Words of a statement: a shorter one rarely says what it is about, a longer one says several things."""


def read(passages: pd.DataFrame) -> pd.DataFrame:
    """Read one value statement out of each passage, as the paper takes one of each article: the offline default.

    Parameters
    ----------
    passages : as `articles.passages` gives them; with a column `language` those that are not 'en' are not read.

    Returns
    -------
    One row per passage that states a value: `COLUMNS`; `statement_id` is the passage's id; `source_kind` 'quoted' or
    'official'; `reader` 'rules'. What cannot be read is in `problems`, what was not taken in `left`.
    """
    rows = []
    for item in passages.drop(index=_unusable(passages)).to_dict("records"):
        found = candidates(item["text"])
        if found:
            best = max(found, key=strength)
            kind = source_kind(best, item["nation"])
            named = {key: item[key] for key in ("passage", "article", "nation", "year")}
            rows.append(
                {"statement_id": item["passage"], **named, "statement": best, "source_kind": kind, "reader": "rules"}
            )
    return pd.DataFrame(rows, columns=COLUMNS)


@lru_cache(maxsize=8192)
def candidates(text: str) -> tuple[str, ...]:
    """List the value statements of a passage from which one is taken.

    Parameters
    ----------
    text : of a passage.

    Returns
    -------
    Its value sentences of `SHORTEST` to `LONGEST` words, in order.
    """
    parts = articles.sentences(text)
    return tuple(part for part in parts if SHORTEST <= len(part.split()) <= LONGEST and is_value(part))


def is_value(sentence: str) -> bool:
    """Does a sentence say what ought to be, what its speaker stands for, supports or rejects, by the rules?

    Parameters
    ----------
    sentence : one.

    Returns
    -------
    True or False.

    Examples
    --------
    >>> is_value("Human rights must be respected."), is_value("The session opened in September.")
    (True, False)
    """
    return strength(sentence) > 0


@lru_cache(maxsize=65536)
def strength(sentence: str) -> float:
    """Count the words by which a sentence is known for a value statement.

    Parameters
    ----------
    sentence : one.

    Returns
    -------
    0 for none; per thing demanded 3, per stand taken 2, per value named 1, for a rhetorical question 2; 0 for a
    courtesy whatever else it says.
    """
    if cues.COURTESY.search(sentence) or (sentence.endswith("?") and not cues.RHETORICAL.search(sentence)):
        return 0.0
    asked = 2 if sentence.endswith("?") else 0
    return float(asked + sum(weight * len(pattern.findall(sentence)) for weight, pattern in cues.CUES))


def source_kind(statement: str, nation: str) -> str:
    """Tell whether a statement is somebody else's, by the rules.

    Parameters
    ----------
    statement : as it stands in the passage.
    nation : whose article it is.

    Returns
    -------
    'quoted' where a verb of saying has a person or body for its subject that is not the nation speaking; 'official'
    otherwise.

    Examples
    --------
    >>> source_kind("A union said that wages must rise.", "DE"), source_kind("Germany said that they must rise.", "DE")
    ('quoted', 'official')
    """
    own = rf"\b(?:I|we|our|my|us|{cues.OWN.get(nation, 'our')}{cues.UNION if nation in ('GB', 'FR', 'DE') else ''})\b"
    for pattern in cues.SAYING:
        for found in pattern.finditer(statement):
            who = found["who"]
            named = pattern is not cues.CALLING or cues.BODY.search(who)
            if named and not re.search(own, who, re.IGNORECASE) and not cues.NOBODY.search(who):
                return "quoted"
    return "official"


def words(text: str) -> list[str]:
    """Cut a text into words, in small letters.

    Parameters
    ----------
    text : any.

    Returns
    -------
    Its runs of letters and digits, in order.

    Examples
    --------
    >>> words("“Peace, at last!”")
    ['peace', 'at', 'last']
    """
    return re.findall(r"[^\W_]+", text.casefold())


def left(passages: pd.DataFrame, statements: pd.DataFrame) -> pd.DataFrame:
    """Count what reading one statement per passage leaves behind.

    Parameters
    ----------
    passages : as for `read`.
    statements : that were read out of them by rules.

    Returns
    -------
    One row per nation: `passages`, `without` (state no value), `candidates` (value sentences of a length that can be
    taken), `taken`, `not_taken`.
    """
    usable = passages.drop(index=_unusable(passages))
    counted = usable.assign(candidates=usable["text"].map(lambda text: len(candidates(text))))
    counted["without"] = counted["candidates"] == 0
    table = counted.groupby("nation", sort=False).agg(
        passages=("text", "size"), without=("without", "sum"), candidates=("candidates", "sum")
    )
    table["taken"] = statements.groupby("nation").size().reindex(table.index, fill_value=0)
    return table.assign(not_taken=table["candidates"] - table["taken"]).reset_index()


def shares(passages: pd.DataFrame, statements: pd.DataFrame) -> pd.DataFrame:
    """Count, by nation and decade, how often a passage states a value and how often that is quoted.

    Parameters
    ----------
    passages : as for `read`.
    statements : that were read out of them.

    Returns
    -------
    One row per `nation` and `decade` ('1970s', ...; 'all'; nation 'all' too) and `metric`: 'states a value' (share of
    the passages) and 'quoted' (share of the statements): `value` with its interval `low`, `high` (articles drawn with
    replacement), `hits`, `n` and `articles`.
    """
    said = passages.drop(index=_unusable(passages)).assign(
        decade=lambda rows: (rows["year"] // 10 * 10).astype(str) + "s"
    )
    said["hit"] = said["passage"].isin(statements["passage"]).astype(float)
    quoted = said.merge(statements[["passage", "source_kind"]], on="passage")
    quoted["hit"] = (quoted["source_kind"] == "quoted").astype(float)
    rows = []
    for metric, part in (("states a value", said), ("quoted", quoted)):
        for by in ([], ["nation"], ["decade"], ["nation", "decade"]):
            for names, cell in part.groupby(by) if by else [((), part)]:
                named = {"nation": "all", "decade": "all"} | dict(zip(by, names, strict=True))
                figure = stats.estimate(cell, "hit", cluster="article")
                counts = {"hits": int(cell["hit"].sum()), "n": len(cell), "articles": cell["article"].nunique()}
                rows.append(named | {"metric": metric} | figure | counts)
    return pd.DataFrame(rows)


def problems(passages: pd.DataFrame) -> pd.DataFrame:
    """List the passages that cannot be read, and what to do.

    Parameters
    ----------
    passages : as for `read`.

    Returns
    -------
    One row per problem: `row` (from 1), `passage`, `problem`, `what_to_do`.
    """
    rows, seen = [], set()
    for number, item in enumerate(passages.to_dict("records"), start=1):
        found = list(_faults(item, seen))
        rows += [(number, item["passage"], problem, todo) for problem, todo in found]
        seen.add(item["passage"])
    return pd.DataFrame(rows, columns=PROBLEMS)


def _unusable(passages: pd.DataFrame) -> pd.Index:
    return passages.index[(problems(passages)["row"].unique() - 1).astype(int)]


def _faults(item: dict[str, object], seen: set[object]) -> Iterable[tuple[str, str]]:
    text = item["text"]
    if not isinstance(text, str) or not text.strip():
        yield "the passage has no text", "fetch the article again, or leave it out"
    elif not re.search(r"[^\W\d_]", text):
        yield "the passage has no letters", "fetch the article again, or leave it out"
    if item["passage"] in seen:
        yield "another passage has this id", "give each article an id of its own"
    if (language := item.get("language", "en")) != "en":
        yield f"in '{language}', and the rules read English", "have a model read it"
    if item["nation"] not in cues.OWN:
        yield f"unknown nation '{item['nation']}'", f"choose {', '.join(cues.OWN)}"
