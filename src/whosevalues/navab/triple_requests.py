"""The same triples through a language model: what it is asked, and what can be wrong with its answer."""

from __future__ import annotations

import pandas as pd

from .. import UserError
from . import articles, statements
from .triple_checks import contradicts
from .triples import _judged, _named

SCHEMA = {
    "type": "object",
    "properties": {"question": {"type": "string"}, "reverse_statement": {"type": "string"}},
    "required": ["question", "reverse_statement"],
    "additionalProperties": False,
}
"""What an answer must look like."""

PROMPT = """Below is a statement of values. Write two things in the language of the statement.
1. question: a question to which the statement is one answer. It must not show which answer is meant: ask \
"Should nuclear weapons be abolished?", not "Why must nuclear weapons be abolished?".
2. reverse_statement: a statement on the same topic that contradicts it, of like length and tone, that someone could \
hold in earnest. Do not merely add "not".

Statement: {statement}"""


def experiment(first_year: int = 2000, items: int | None = 5) -> pd.DataFrame:
    """List what a model is asked: triples of the statements that the rules read out of the speeches.

    Parameters
    ----------
    first_year : of the speeches.
    items : statements, evenly over the years; None for all.

    Returns
    -------
    As `requests` gives them.
    """
    if items is not None and items < 1:
        raise UserError(f"items={items}: choose 1 or more, or None for all")
    texts = articles.load()
    found = statements.read(articles.passages(texts[texts["year"] >= first_year]))
    step = max(1, len(found) // items) if items else 1
    return requests(found.iloc[::step].head(items or len(found)))


def requests(statements: pd.DataFrame) -> pd.DataFrame:
    """Write down what a model is asked: one triple per statement.

    Parameters
    ----------
    statements : as for `triples.build`.

    Returns
    -------
    One row per statement: its columns, `kind` 'structured', `prompt`, `schema`.
    """
    prompts = [PROMPT.format(statement=" ".join(text.split())) for text in statements["statement"]]
    return statements.assign(kind="structured", prompt=prompts, schema=[SCHEMA] * len(statements)).reset_index(
        drop=True
    )


def read_answers(answers: pd.DataFrame, written_by: str) -> pd.DataFrame:
    """Read a model's questions and reverse statements, and say which cannot be used.

    Parameters
    ----------
    answers : the rows of `requests` with `value` (None where there is none), `refused` and `error`.
    written_by : the model's name.

    Returns
    -------
    One row per statement: the columns of `triples.build` but those of the rules, and `problem`: no answer, an empty
    field, RS equal to S, RS in another language than S, or a polarity that is the same: then nothing shows that the two
    contradict each other, and a person has to look. None where the triple can be used. `triples.usable` and
    `triples.problems` part them.
    """
    values = [value if isinstance(value, dict) else {} for value in answers["value"]]
    tried = _named(answers, written_by).assign(
        question=[str(value.get("question", "")).strip() for value in values],
        reverse_statement=[str(value.get("reverse_statement", "")).strip() for value in values],
    )
    silent = [error or refused or "" for error, refused in zip(answers["error"], answers["refused"], strict=True)]
    reasons = [f"no answer: {why}" if why else "" for why in silent]
    judged = _judged(tried, reasons)
    late = [problem or _deeper(row) for problem, row in zip(judged["problem"], judged.to_dict("records"), strict=True)]
    return judged.assign(problem=pd.Series(late, index=judged.index, dtype=object))


def _deeper(row: dict[str, str]) -> str | None:
    s, rs = row["statement"], row["reverse_statement"]
    ours, theirs = articles.identify(s), articles.identify(rs)
    if ours and theirs and ours != theirs:
        return f"RS is in another language ({theirs}) than S ({ours}): ask another model"
    if not row["question"].rstrip().endswith(("?", "？")):
        return "Q is no question: it does not end with a question mark"
    if not contradicts(s, rs):
        return "nothing shows that RS contradicts S: no denial, no contrary verb; have a person look"
    return None
