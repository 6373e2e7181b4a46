"""Any model as the reader: is a value stated, in which sentence, and whose is it?

The three steps that NaVAB leaves to GPT-4 (summary, Method Summary: value screening, extraction and source judgement),
put as one question with a JSON schema. Prompt and schema are this package's own. What a model says it copied is looked
for in the passage.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from .. import UserError, data, stats
from ..models.base import Decoding
from ..models.structured import instruct, parse
from . import articles, reader_reference
from . import statements as rules

PROMPT = (
    "Does this text from {nation} say what its speaker holds to be right or wrong, wants, supports or rejects? If so, "
    "copy the one sentence that says it best, word for word, and say who speaks in it: 'official' for the author or "
    "the author's government, 'quoted' for another person or body that is named. If not, leave the last three "
    "empty.\n\nText: {text}"
)
SCHEMA = {
    "type": "object",
    "properties": {
        "value": {"type": "boolean"},
        "statement": {"type": "string"},
        "source_kind": {"enum": ["official", "quoted", ""]},
        "speaker": {"type": "string"},
    },
    "required": ["value", "statement", "source_kind", "speaker"],
    "additionalProperties": False,
}
NAMES = {"CN": "China", "US": "the United States", "GB": "the United Kingdom", "FR": "France", "DE": "Germany"}
CORPORA = ("teaching", "speeches", "reference")
USUAL = {"teaching": {"items": 3, "max_tokens": 48}}
"""What is asked unless a number is given: little, for a short run of a small model; of the other corpora all."""

_TODO = {
    "not answered": "run the same command again",
    "no valid answer": "try a larger model, or read the passage by rules",
    "no statement given": "read the passage by rules",
    "no source given": "judge the source by rules",
    "a fragment": "read the passage by rules",
    "an invention": "the passage does not say it: leave it out, and do not mend it by hand",
}
FRAGMENT = 3
"""Words that a copied statement needs at least."""
OUTCOMES = ("taken", "no value", *_TODO)


def experiment(
    corpus: str = "teaching", items: int | None = None, first_year: int = 2000, max_tokens: int | None = None
) -> pd.DataFrame:
    """List what is asked of a reading model.

    Parameters
    ----------
    corpus : 'teaching', the passages of the teaching articles; 'speeches'; or 'reference', the labelled sentences that
        the rules were not made on, each as a text of its own.
    items : how many, spread over all; by default 3 of the teaching articles and all of the others.
    first_year : of the speeches.
    max_tokens : longest answer, which is then read once as it stands; by default 48 tokens for the teaching articles.
        Of the others the model's layer asks for valid JSON, with one repair.

    Returns
    -------
    One row per text: `kind` 'structured', or 'generate' where `max_tokens` is given, `corpus`, `passage`, `article`,
    `nation`, `year`, `content` (the text), `prompt`, and `schema` or `decoding`.

    Raises
    ------
    UserError : an unknown corpus, or a number out of range.
    DataUnavailable : the speeches are asked for and can be had nowhere.
    """
    if corpus not in CORPORA:
        raise UserError(f"unknown corpus '{corpus}': choose {', '.join(CORPORA)}")
    numbers = {"items": items, "max_tokens": max_tokens}
    if wrong := [name for name, value in numbers.items() if value is not None and value < 1]:
        raise UserError(f"{wrong[0]}={numbers[wrong[0]]}: choose 1 or more")
    numbers = {name: USUAL.get(corpus, {}).get(name) if value is None else value for name, value in numbers.items()}
    texts = _texts(corpus, first_year).rename(columns={"text": "content"}).reset_index(drop=True)
    spread = np.linspace(0, len(texts) - 1, min(numbers["items"] or len(texts), len(texts)))
    texts = texts.iloc[np.unique(spread.astype(int))].reset_index(drop=True).assign(corpus=corpus)
    prompts = [PROMPT.format(nation=NAMES[row.nation], text=row.content) for row in texts.itertuples()]
    if numbers["max_tokens"]:
        decoding = [Decoding(max_tokens=numbers["max_tokens"])] * len(texts)
        return texts.assign(kind="generate", prompt=[instruct(put, SCHEMA) for put in prompts], decoding=decoding)
    return texts.assign(kind="structured", prompt=prompts, schema=[SCHEMA] * len(texts))


def given(answer: Mapping[str, object]) -> dict[str, object] | None:
    """Take the answer in the form of `SCHEMA` out of what a model said.

    Parameters
    ----------
    answer : a row of `elicit`.

    Returns
    -------
    The object; None where there is none that fits.
    """
    if answer["kind"] == "structured":
        return answer["value"] if isinstance(answer["value"], dict) else None
    try:
        return parse(answer["text"], SCHEMA) if isinstance(answer["text"], str) else None
    except ValueError:
        return None


def outcome(answer: Mapping[str, object]) -> str:
    """Tell what became of one passage.

    Parameters
    ----------
    answer : a row of `elicit`: `content`, and `kind` 'structured' with `value`, or 'generate' with `text`; `error`.

    Returns
    -------
    One of `OUTCOMES`.

    Examples
    --------
    >>> said = {"value": True, "statement": "Peace must last.", "source_kind": "official", "speaker": "us"}
    >>> outcome({"kind": "structured", "content": "We met. Peace must last.", "value": said})
    'taken'
    >>> outcome({"kind": "structured", "content": "We met. Peace may last.", "value": said})
    'an invention'
    """
    said = given(answer)
    if said is None:
        return "not answered" if isinstance(answer.get("error"), str) else "no valid answer"
    if not said["value"]:
        return "no value"
    if not rules.words(said["statement"]):
        return "no statement given"
    if not stands_in(said["statement"], answer["content"]):
        return "an invention"
    if len(rules.words(said["statement"])) < FRAGMENT:
        return "a fragment"
    return "taken" if said["source_kind"] else "no source given"


def stands_in(statement: str, passage: str) -> bool:
    """Does a passage say this, word for word? Capitals, punctuation and spaces do not matter.

    Parameters
    ----------
    statement, passage : texts.

    Returns
    -------
    Whether the statement's words stand in the passage in a row.

    Examples
    --------
    >>> stands_in("peace must last", "“Peace — must last.”"), stands_in("peace must", "Peace mustn't")
    (True, False)
    """
    wanted, whole = rules.words(statement), rules.words(passage)
    return bool(wanted) and f" {' '.join(wanted)} " in f" {' '.join(whole)} "


def read(answers: pd.DataFrame) -> pd.DataFrame:
    """Take the value statements that a model read out of passages, without its inventions.

    Parameters
    ----------
    answers : of `elicit`.

    Returns
    -------
    As `statements.read` gives them, with the model's name as `reader` and a column `speaker`.
    """
    rows = [
        {
            "statement_id": row["passage"],
            **{key: row[key] for key in ("passage", "article", "nation", "year")},
            **{key: given(row)[key] for key in ("statement", "source_kind", "speaker")},
            "reader": row["model"],
        }
        for row in answers.to_dict("records")
        if outcome(row) == "taken"
    ]
    return pd.DataFrame(rows, columns=[*rules.COLUMNS, "speaker"])


def problems(answers: pd.DataFrame) -> pd.DataFrame:
    """List the passages that a model gave nothing usable for.

    Parameters
    ----------
    answers : of `elicit`.

    Returns
    -------
    One row per problem: `row` (of the answers, from 1), `passage`, `problem`, `what_to_do`, and `said` (what the model
    gave as the statement, or the reason why there is none).
    """
    rows = []
    for number, row in enumerate(answers.to_dict("records"), start=1):
        if (found := outcome(row)) in _TODO:
            reasons = [row.get(key) for key in ("error", "refused", "text")]
            spoken = next((one for one in reasons if isinstance(one, str)), "")
            why = (given(row) or {"statement": spoken})["statement"]
            rows.append((number, row["passage"], found, _TODO[found], why))
    return pd.DataFrame(rows, columns=[*rules.PROBLEMS, "said"])


def outcomes(answers: pd.DataFrame) -> pd.DataFrame:
    """Count what became of the passages.

    Parameters
    ----------
    answers : of `elicit`.

    Returns
    -------
    One row per outcome (of `OUTCOMES`): `value`, the share of the passages, with its Wilson interval `low`, `high`, and
    `n`, the passages asked about.
    """
    found = pd.Series([outcome(row) for row in answers.to_dict("records")], dtype=object)
    rows = []
    for name in OUTCOMES:
        hits = int((found == name).sum())
        low, high = stats.wilson(hits, len(found))
        rows.append({"outcome": name, "value": hits / len(found), "low": low, "high": high, "n": len(found)})
    return pd.DataFrame(rows)


def told(answers: pd.DataFrame) -> pd.DataFrame:
    """Set a model's reading of the labelled sentences beside their labels.

    Parameters
    ----------
    answers : of `elicit` with ``corpus="reference"``.

    Returns
    -------
    The labels as `reader_scores.told` gives them. A sentence without a valid answer counts as not told: it lowers
    recall; `outcomes` says how many there are.
    """
    labelled = reader_reference.labels().rename(columns={"sentence": "passage"}).drop(columns=["article", "nation"])
    rows = answers.drop(columns="corpus").merge(labelled, on="passage", validate="one_to_one")
    valid = [given(row) or {} for row in rows.to_dict("records")]
    return rows.assign(
        told=[bool(value.get("value")) for value in valid],
        told_source=[value.get("source_kind") or "official" for value in valid],
    )


def agreement(answers: pd.DataFrame) -> pd.DataFrame:
    """Agreement of a model's reading with that of the rules, passage by passage.

    Parameters
    ----------
    answers : of `elicit`, of passages.

    Returns
    -------
    One row per `step`: 'screening' (both find a value, or both none; passages with a valid answer), 'extraction' (the
    model's statement lies in the one the rules took, or the other way round) and 'source' (the same kind), the last two
    where both took one: `value` with its interval `low`, `high` (articles drawn with replacement), and `n`.
    """
    said = [given(row) for row in answers.to_dict("records")]
    asked = answers[[one is not None for one in said]]
    by_model = read(asked)
    by_rules = rules.read(asked.drop(columns="text", errors="ignore").rename(columns={"content": "text"}))
    both = by_model.merge(by_rules, on=["passage", "article"], suffixes=("", "_rules"))
    same = [
        stands_in(one, other) or stands_in(other, one)
        for one, other in zip(both["statement"], both["statement_rules"], strict=True)
    ]
    found = [bool(one["value"]) for one in said if one is not None]
    steps = {
        "screening": asked.assign(same=np.equal(found, asked["passage"].isin(by_rules["passage"]))),
        "extraction": both.assign(same=same),
        "source": both.assign(same=both["source_kind"] == both["source_kind_rules"]),
    }
    return pd.DataFrame(
        {"step": step, **stats.estimate(rows.astype({"same": float}), "same", cluster="article"), "n": len(rows)}
        for step, rows in steps.items()
    )


def _texts(corpus: str, first_year: int) -> pd.DataFrame:
    columns = ["passage", "article", "nation", "year", "text"]
    if corpus == "reference":
        found, _ = reader_reference.reference()
        found = found[found["half"].isin(reader_reference.UNSEEN)].rename(columns={"sentence": "passage"})
        return found[columns]
    if corpus == "teaching":
        return articles.passages(articles.checked(articles.read())[0])
    data.load(articles.SPEECHES)
    speeches = articles.speeches()
    return articles.passages(speeches[speeches["year"] >= first_year])
