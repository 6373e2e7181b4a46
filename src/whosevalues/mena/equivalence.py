"""Does a translation still ask the same? What can be seen of it in English, by its back-translation.

What is asked: similarity of sentence embeddings, English against English, as the model is not cross-lingual. How it is
to be answered: the options, their order, the numbers. And whether it is in the language that was wanted.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cache

import numpy as np
import pandas as pd

from .. import embeddings, stats
from ..models.base import DIGITS

THRESHOLD = 0.65
"""Least cosine similarity of question and back-translated question: see `translation_controls.thresholds`."""

MARGIN = 0.1
"""By how much the ends of a scale must be nearer to each other's counterparts to count as swapped."""

PASSED = "passed"
"""What a translation is that did not fail."""

_WESTERN = str.maketrans({mark: str(n) for digits in DIGITS.values() for n, mark in enumerate(digits)})
_OPTION = re.compile(r"\s*(\d{1,2})\s*[.):\-–]\s*(.*\S)?\s*")

Encode = Callable[[Sequence[str]], np.ndarray]


def check(
    answers: pd.DataFrame, backs: pd.DataFrame, threshold: float = THRESHOLD, encode: Encode | None = None
) -> pd.DataFrame:
    """Check translations by their back-translations.

    Parameters
    ----------
    answers : of `elicitation.elicit`: the rows of `experiment` with `text`, `model`.
    backs : of `elicitation.judged`: the rows of `judging` with `text`, `judge`.
    threshold : least similarity of the two questions, in [-1, 1].
    encode : turns texts into rows of unit length; by default the packaged MiniLM, which compares English alone.

    Returns
    -------
    One row per translation asked for: `model`, `judge`, `bank`, `question`, `language`, `source`, `translation`,
    `back`; what `compare` finds, `language_found`, `digits_kept`, and `failed`: the first reason not to use it, missing
    where there is none.
    """
    named = ["bank", "question", "language"]
    second = backs.rename(columns={"text": "back"})[[*named, "judge", "back"]]
    out = answers.rename(columns={"text": "translation"}).merge(second, on=named, how="left")
    out["judge"] = backs["judge"].iloc[0] if len(backs) else None
    out = out[["model", "judge", *named, "source", "translation", "back"]]
    out = out.join(compare(out["source"], out["back"], encode))
    out["language_found"] = [identify(text) for text in out["translation"]]
    pairs = list(zip(out["source"], out["translation"], strict=True))
    out["digits_kept"] = [numbers(one) == numbers(two) for one, two in pairs]
    out["options_kept"] &= pd.Series([_keys(one) == _keys(two) for one, two in pairs], out.index, dtype=bool)
    return out.assign(failed=[_failed(row, threshold) for row in out.to_dict("records")])


def compare(sources: Sequence[str], backs: Sequence[object], encode: Encode | None = None) -> pd.DataFrame:
    """Hold English against English: the original page and the one that came back.

    Parameters
    ----------
    sources, backs : pages, in pairs.
    encode : as for `check`.

    Returns
    -------
    One row per pair: `similarity` of the two questions (cosine, in [-1, 1]; NaN where nothing came back),
    `options_kept` (the same numbers, each with words), `order_kept` (0 where the two ends together are nearer to each
    other's counterparts than to their own, by more than `MARGIN`; else 1, NaN where options are missing).
    """
    pages = [(read_page(one), read_page(two)) for one, two in zip(sources, backs, strict=True)]
    texts = {text for pair in pages for stem, labels in pair for text in (stem, *labels.values()) if text}
    place = {text: number for number, text in enumerate(sorted(texts))}
    vectors = (encode or minilm)(sorted(texts)) if texts else np.empty((0, 1))

    def near(one: str, two: str) -> float:
        return float(vectors[place[one]] @ vectors[place[two]]) if one and two else np.nan

    rows = []
    for (stem, labels), (back, others) in pages:
        kept = set(labels) == set(others) and all(others.values())
        own = [near(labels[key], others[key]) for key in labels] if kept else []
        row = {"similarity": near(stem, back), "options_kept": kept}
        if own:
            first, last = list(labels)[0], list(labels)[-1]
            crossed = near(labels[first], others[last]) + near(labels[last], others[first])
            row["order_kept"] = float(crossed - own[0] - own[-1] < MARGIN)
        rows.append({"order_kept": np.nan} | row)
    columns = ["similarity", "options_kept", "order_kept"]
    return pd.DataFrame(rows, columns=columns, index=sources.index if isinstance(sources, pd.Series) else None)


def read_page(text: object) -> tuple[str, dict[str, str]]:
    """Take a translated page apart, whatever digits it uses.

    Parameters
    ----------
    text : as a model wrote it; what is no text has nothing in it.

    Returns
    -------
    The question, and the label of every option by its number in European digits; of a number that stands twice, the
    first.

    Examples
    --------
    >>> read_page("چای یا قهوه؟\\n۱. چای\\n۲. قهوه")
    ('چای یا قهوه؟', {'1': 'چای', '2': 'قهوه'})
    """
    stem, labels = [], {}
    for line in str(text).splitlines() if isinstance(text, str) else []:
        option = _OPTION.fullmatch(line.translate(_WESTERN))
        if option:
            labels.setdefault(str(int(option[1])), (option[2] or "").strip())
        elif line.strip() and not labels:
            stem.append(line.strip())
    return " ".join(stem), labels


def outcomes(checked: pd.DataFrame) -> pd.DataFrame:
    """How many translations passed, and why did the others fail?

    Parameters
    ----------
    checked : of :func:`check`.

    Returns
    -------
    One row per `model`, `judge`, `bank`, `language` and `outcome` ('passed', then the reasons that occur anywhere):
    `value`, a share; `low`, `high` (95%, Wilson), `n` (translations asked for), `chance` and `printed` (NaN).
    """
    told = checked.assign(outcome=checked["failed"].astype(object).where(checked["failed"].notna(), PASSED))
    kinds = [PASSED, *told.loc[told["outcome"] != PASSED, "outcome"].value_counts().index]
    by, rows = ["model", "judge", "bank", "language"], []
    told["judge"] = told["judge"].astype(object).where(told["judge"].notna(), "nobody")
    for key, part in told.groupby(by, sort=False):
        for kind in kinds:
            hits, n = int((part["outcome"] == kind).sum()), len(part)
            low, high = stats.wilson(hits, n)
            figures = {"outcome": kind, "value": hits / n, "low": low, "high": high, "n": n}
            rows.append(dict(zip(by, key, strict=True)) | figures)
    return pd.DataFrame(rows).assign(chance=np.nan, printed=np.nan)


def numbers(text: object) -> list[int]:
    """List the numbers in a text, in ascending order.

    Parameters
    ----------
    text : in any of the three scripts; what is no text has none.

    Returns
    -------
    Whole numbers.

    Examples
    --------
    >>> numbers("من ۱ إلى ١٠") == numbers("1 to 10") == [1, 10]
    True
    """
    return sorted(int(found) for found in re.findall(r"\d+", text.translate(_WESTERN))) if isinstance(text, str) else []


def identify(text: object) -> str | None:
    """Identify the language of a translation with py3langid.

    Parameters
    ----------
    text : of a sentence or more.

    Returns
    -------
    ISO 639 code; None for what has no letter.

    Examples
    --------
    >>> identify("Aile sizin için ne kadar önemli?")
    'tr'
    """
    if not isinstance(text, str) or not any(letter.isalpha() for letter in text):
        return None
    return _identifier().classify(text)[0]


@cache
def _identifier():
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE)


def minilm(texts: Sequence[str]) -> np.ndarray:
    """Embed English texts with the packaged MiniLM: one row of unit length per text."""
    return embeddings.encode(texts)


def _failed(row: dict[str, object], threshold: float) -> str | None:
    """Say why a translation is not used, the first reason only."""
    found = {
        "no translation": not isinstance(row["translation"], str) or not row["translation"].strip(),
        "another language": row["language_found"] != row["language"],
        "no question came back": bool(np.isnan(row["similarity"])),
        "numbers or options lost": not row["digits_kept"] or not row["options_kept"],
        "ends of the scale swapped": row["order_kept"] == 0,
        "another question": row["similarity"] < threshold,
    }
    return next((reason for reason, holds in found.items() if holds), None)


def _keys(text: object) -> list[str]:
    return list(read_page(text)[1])
