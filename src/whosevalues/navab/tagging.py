"""Tags for passages that no topic took in: proposed by a model, brought together, and given out again.

NaVAB (arXiv 2504.12911, summary, component map) has GPT-4 tag HDBSCAN's outliers, in three steps: propose tags for
each, consolidate them into a list, assign each outlier to one of the list. The released code does not do it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from .. import UserError, elicitation, models, responses, stats
from ..models.base import Decoding
from ..models.structured import instruct, parse
from . import topic_runs

PROPOSE, CONSOLIDATE, ASSIGN = "propose", "consolidate", "assign"
NONE = "none of these"
LONGEST = 40
"""Characters of a tag: what is longer is no tag but a sentence."""

_TAG = {"type": "string", "minLength": 2, "maxLength": LONGEST}
PROPOSED = {"type": "object", "properties": {"tags": {"type": "array", "items": _TAG, "minItems": 1, "maxItems": 3}}}
PROPOSED |= {"required": ["tags"], "additionalProperties": False}

ASK_PROPOSE = "Name what this passage is about, in one to three tags of one to three words each.\n\nPassage: {text}"
ASK_CONSOLIDATE = (
    "Here are tags that were given to passages, with how often each was given. Merge those that mean the same, drop "
    "those that say nothing, and list at most {most} tags that cover the rest.\n\n{tags}"
)
ASK_ASSIGN = "Which one of these tags fits the passage best?\n\nTags: {tags}\n\nPassage: {text}"


def experiment(passages: int = 6, first_year: int = 2010, words: int = 40, max_tokens: int = 40) -> pd.DataFrame:
    """List what is asked of a model in the first step: tags for a few passages.

    Parameters
    ----------
    passages : how many, drawn by lot; always the same.
    first_year : of their articles.
    words : of each, about.
    max_tokens : longest answer; a small model that finds no end would fill any room.

    Returns
    -------
    As `propose` gives them.

    Raises
    ------
    UserError : a number below 1, or no article since that year.
    """
    for name, value in (("passages", passages), ("words", words), ("max_tokens", max_tokens)):
        if value < 1:
            raise UserError(f"{name}={value}: choose 1 or more")
    found = topic_runs.corpus(first_year, words)
    drawn = found.sample(min(passages, len(found)), random_state=0).sort_values("passage")
    return propose(drawn, max_tokens)


def tag(outliers: pd.DataFrame, model: str, most: int = 20) -> pd.DataFrame:
    """Have a model tag passages, in all three steps; what its store has is not asked again.

    Parameters
    ----------
    outliers : as `topics.find` gives them: those in no topic.
    model : name in models.yml.
    most : tags in all, at most.

    Returns
    -------
    The passages with `tag`: one of the list, `NONE`, or missing where the model's answer was none.

    Raises
    ------
    UserError : an unknown model, or one that proposed no usable tag or gave no answer at all.
    """

    def ask(put: pd.DataFrame) -> pd.DataFrame:
        store = elicitation.STORE / "navab-tags" / model
        return responses.ask(models.load(model), put, store, price=models.price(model))

    tags = proposed(ask(propose(outliers)))
    listed = consolidated(ask(consolidate(tags, most)), tags)
    return outliers.assign(tag=outliers["passage"].map(assigned(ask(assign(outliers, listed)))))


def propose(outliers: pd.DataFrame, max_tokens: int = 80) -> pd.DataFrame:
    """Write down the first step: tags for each passage.

    Parameters
    ----------
    outliers : columns `passage`, `article`, `nation`, `year`, `text`.
    max_tokens : longest answer.

    Returns
    -------
    One row per passage: `passage`, `article`, `nation`, `year`, `kind` 'generate', `step`, `prompt` (which asks for
    JSON of the form `PROPOSED`), `decoding` (greedy).
    """
    prompts = [instruct(ASK_PROPOSE.format(text=text), PROPOSED) for text in outliers["text"]]
    decoding = [Decoding(max_tokens=max_tokens)] * len(prompts)
    return _named(outliers).assign(kind="generate", step=PROPOSE, prompt=prompts, decoding=decoding)


def proposed(answers: pd.DataFrame) -> pd.DataFrame:
    """Read the tags of the first step; nonsense is dropped here and counted by `fate`.

    Parameters
    ----------
    answers : the rows of `propose` with `text`, `error` and `refused`.

    Returns
    -------
    One row per passage and distinct tag: `passage`, `tag` (lower case, one space between words).
    """
    rows = []
    for row in answers.to_dict("records"):
        tags = dict.fromkeys(_plain(tag) for tag in _tags(row) or [] if is_tag(tag))
        rows += [(row["passage"], tag) for tag in tags]
    return pd.DataFrame(rows, columns=["passage", "tag"])


def is_tag(tag: object) -> bool:
    """Can a text be a tag: one to three words with a letter, none of them said twice?

    Examples
    --------
    >>> is_tag("climate change"), is_tag("The passage is about the climate"), is_tag("string string")
    (True, False, False)
    """
    if not isinstance(tag, str) or len(tag) > LONGEST or not any(letter.isalpha() for letter in tag):
        return False
    parts = _plain(tag).split()
    # Models that cannot do it hand the words of the schema or the task back.
    return len(parts) <= 3 and len(set(parts)) == len(parts) and not {"tag", "tags", "string", "passage"} & set(parts)


def consolidate(tags: pd.DataFrame, most: int = 20) -> pd.DataFrame:
    """Write down the second step: one list of tags out of many.

    Parameters
    ----------
    tags : as `proposed` gives them.
    most : tags of the list, at most.

    Returns
    -------
    One row: `kind` 'structured', `step`, `prompt`, `schema`.

    Raises
    ------
    UserError : no tags.
    """
    if tags.empty:
        raise UserError("no usable tag was proposed, so there is nothing to consolidate: ask a more capable model")
    counted = tags["tag"].value_counts().sort_index().sort_values(ascending=False, kind="stable")
    lines = "\n".join(f"{tag} ({count})" for tag, count in counted.items())
    array = {"type": "array", "items": _TAG, "minItems": 1, "maxItems": most, "uniqueItems": True}
    schema = {"type": "object", "properties": {"tags": array}, "required": ["tags"], "additionalProperties": False}
    prompt = ASK_CONSOLIDATE.format(most=most, tags=lines)
    return pd.DataFrame([{"kind": "structured", "step": CONSOLIDATE, "prompt": prompt, "schema": schema}])


def consolidated(answers: pd.DataFrame, tags: pd.DataFrame) -> list[str]:
    """Read the list of the second step.

    Parameters
    ----------
    answers : the row of `consolidate` with `value`, `error` and `refused`.
    tags : as `proposed` gives them.

    Returns
    -------
    The list's tags; where the answer was none, or all of it nonsense, the proposed tags by how often they were given.
    """
    row = answers.iloc[0].to_dict()
    found = [_plain(tag) for tag in row["value"]["tags"] if is_tag(tag)] if _usable(row) else []
    most = row["schema"]["properties"]["tags"]["maxItems"]
    return list(dict.fromkeys(found)) or tags["tag"].value_counts().index[:most].tolist()


def assign(outliers: pd.DataFrame, listed: Sequence[str]) -> pd.DataFrame:
    """Write down the third step: each passage gets one tag of the list, or none.

    Parameters
    ----------
    outliers : as for `propose`.
    listed : as `consolidated` gives them.

    Returns
    -------
    One row per passage as from `propose`, with `kind` 'structured' and a `schema` that allows the list's tags and
    `NONE` alone.

    Raises
    ------
    UserError : an empty list.
    """
    if not listed:
        raise UserError("no tags to choose from: propose and consolidate first")
    choices = [*listed, NONE]
    schema = {"type": "object", "properties": {"tag": {"enum": choices}}, "required": ["tag"]}
    prompts = [ASK_ASSIGN.format(tags=", ".join(choices), text=text) for text in outliers["text"]]
    schemas = [schema | {"additionalProperties": False}] * len(prompts)
    return _named(outliers).assign(kind="structured", step=ASSIGN, prompt=prompts, schema=schemas)


def assigned(answers: pd.DataFrame) -> pd.Series:
    """Read the tag of each passage; None where the answer was no tag of the list.

    Parameters
    ----------
    answers : the rows of `assign` with `value`, `error` and `refused`.

    Returns
    -------
    Tag by passage.
    """
    rows = {
        row["passage"]: row["value"]["tag"]
        if _usable(row) and row["value"]["tag"] in row["schema"]["properties"]["tag"]["enum"]
        else None
        for row in answers.to_dict("records")
    }
    return pd.Series(rows, dtype=object, name="tag")


def fate(answers: pd.DataFrame) -> pd.DataFrame:
    """What became of the answers of the first step?

    Parameters
    ----------
    answers : the rows of `propose` with `text`, `error` and `refused`, of one model.

    Returns
    -------
    One row per `outcome` ('tags', 'nonsense': the form holds but no tag does; 'no valid answer', 'error'): `value`, a
    share of the passages; `low`, `high` (95%, Wilson); `n`; `chance` and `printed` (NaN).
    """
    tagged = set(proposed(answers)["passage"])
    outcomes = []
    for row in answers.to_dict("records"):
        if _given(row["error"]):
            outcomes.append("error")
        elif _tags(row) is None:
            outcomes.append("no valid answer")
        else:
            outcomes.append("tags" if row["passage"] in tagged else "nonsense")
    rows, n = [], len(outcomes)
    for outcome in ("tags", "nonsense", "no valid answer", "error"):
        hits = outcomes.count(outcome)
        low, high = stats.wilson(hits, n) if n else (np.nan, np.nan)
        rows.append({"outcome": outcome, "value": hits / n if n else np.nan, "low": low, "high": high, "n": n})
    return pd.DataFrame(rows).assign(chance=np.nan, printed=np.nan)


def _named(outliers: pd.DataFrame) -> pd.DataFrame:
    return outliers[["passage", "article", "nation", "year"]].reset_index(drop=True)


def _tags(row: dict[str, object]) -> list[str] | None:
    """What an answer of the first step lists; None where it is none of the form asked for."""
    if _given(row["error"]) or _given(row["refused"]) or not isinstance(row["text"], str):
        return None
    try:
        return parse(row["text"], PROPOSED)["tags"]
    except ValueError:
        return None


def _usable(row: dict[str, object]) -> bool:
    return not _given(row["error"]) and not _given(row["refused"]) and isinstance(row["value"], dict)


def _given(reason: object) -> bool:
    return isinstance(reason, str) and bool(reason)


def _plain(tag: str) -> str:
    return " ".join(tag.split()).casefold()
