"""Are the triples that rules make any good? A sample of them that was read, held against what the rules make now."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import pandas as pd

from .. import ROOT
from . import articles, triples
from .give_away import share
from .triple_checks import contradicts, hides_answer

FILE = ROOT / "data" / "teaching" / "triple-labels.csv"

QUALITIES = {
    "contrary": "RS is an English sentence and says the contrary of S",
    "question": "Q is a whole English question that leaves the answer open",
    "refers": "Q says what it is about, without the words before it",
}
"""What was asked of every triple, by the column of its label."""


def labels() -> pd.DataFrame:
    """Read the labels: 60 triples of the speeches since 2000, drawn at random after the rules were last changed.

    Returns
    -------
    One row per triple: `statement_id`, `article`, `hash` (of :func:`fingerprint`), `contrary`, `question`, `refers`
    (1 or 0, as in `QUALITIES`), `labelled_by`. No text: a language model read them once, no person did.
    """
    return pd.read_csv(FILE, dtype={"statement_id": str, "article": str, "hash": str})


def fingerprint(triple: Mapping[str, str]) -> str:
    """Name a triple by its words.

    Parameters
    ----------
    triple : `statement`, `reverse_statement`, `question`.

    Returns
    -------
    16 hexadecimal digits, the same however letters are capitalised.
    """
    words = "\n".join(triple[column].casefold() for column in ("statement", "reverse_statement", "question"))
    return hashlib.sha256(words.encode()).hexdigest()[:16]


def rated(passages: pd.DataFrame) -> pd.DataFrame:
    """Find the labelled triples again: what the rules make of the same passages now.

    Parameters
    ----------
    passages : of `articles.passages`, those of the labels among them.

    Returns
    -------
    One row per labelled triple that the rules still make, with its labels and `contradicts` and `hides`, what the
    checks say of it. A triple that they make otherwise now was not read, and is left out.
    """
    wanted = labels()
    own = passages[passages["passage"].isin(wanted["statement_id"])]
    rows = [
        {"statement_id": f"{row['passage']}-{number}", "statement": text, "source_kind": "official", **row}
        for row in own.to_dict("records")
        for number, text in enumerate(articles.sentences(row["text"]))
    ]
    made = triples.usable(triples.attempt(pd.DataFrame(rows)))
    made = made.assign(hash=[fingerprint(row) for row in made.to_dict("records")]).drop_duplicates("hash")
    found = wanted.merge(
        made[["hash", "nation", "question", "statement", "reverse_statement"]], on="hash", suffixes=("", "_text")
    )
    texts = found.rename(columns={"question_text": "question", "question": "whole"}).to_dict("records")
    return found.assign(
        contradicts=[contradicts(row["statement"], row["reverse_statement"]) for row in texts],
        hides=[hides_answer(row) for row in texts],
    )


def quality(found: pd.DataFrame) -> pd.DataFrame:
    """Count the good ones among the triples that were read.

    Parameters
    ----------
    found : of `rated`.

    Returns
    -------
    One row per quality, one for all three, and one for the share of contraries among those that the check of
    contradiction passes: `quality`, `value`, `low`, `high` (Wilson, by the number of articles), `n`, `chance` and
    `printed` (NaN).
    """
    seen = {name: found[name].astype(float) for name in QUALITIES}
    seen["all three"] = (found[list(QUALITIES)].sum(axis=1) == len(QUALITIES)).astype(float)
    seen["contrary, of those the check passes"] = found["contrary"].where(found["contradicts"]).astype(float)
    return pd.DataFrame([{"quality": name, **share(value, found["article"])} for name, value in seen.items()])
