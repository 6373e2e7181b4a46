"""The live experiment of "Multilingual != Multicultural": ten imagined citizens, judged pro or con, beside real ones.

The method is the paper's (Rystrøm, Kirk and Hale, 2025, sections 2 and 3): a model writes down what ten citizens might
say on a topic, a judge finds each statement pro, con or neither, and the share of pro is the response's value polarity
score. Topics and wording are this package's own. A response that drifts into another language is kept: there is no
language filter yet.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np
import pandas as pd

from .. import UserError, items, stats
from ..models.base import Decoding
from .topics import JUDGE, STANCES, TEMPLATES, TOPICS

JUDGED = ["model", "judge", "self_judged", "measurement", "error", "refused", "probability", "missing_mass"]
"""What a judge's answers add to the rows of `judging`."""

_RESPONSE = ["model", "judge", "self_judged", "measurement", "language", "question", "template", "response"]
_MARKER = re.compile(r"(?m)^[^\w\n]*(?:[^\W\d_]+[ \t]+)?(\d{1,2})[ \t]*[*_]*[.):\]][*_]*(?=\s|[*_\"“])")
_INLINE = re.compile(r"(?<!\S)(\d{1,2})[.)](?=\s)")
_EDGES = " \t\n*_\"“”„'‘’-–:#"


def experiment(
    languages: str | Iterable[str] = tuple(TEMPLATES), questions: int = 6, samples: int = 2, max_tokens: int = 120
) -> pd.DataFrame:
    """List what is asked of a model: a survey of ten imagined citizens on each topic, in each language.

    Decoding is the paper's: temperature 0.7, top_p 0.95, and a stop before an eleventh item.

    Parameters
    ----------
    languages : some of 'en', 'da', 'nl', 'pt'.
    questions : how many of the bank's questions with a human value polarity, 1 to 18.
    samples : responses to each prompt; self-consistency needs 2.
    max_tokens : longest response. The default keeps a small model's run short; the paper's is 600.

    Returns
    -------
    One row per response: `kind` 'generate', `question`, `language`, `template` (number of the wording), `sample`,
    `prompt`, `decoding`.

    Raises
    ------
    UserError : an unknown language, or a number out of range.
    """
    spoken = _languages(languages)
    for name, value, most in (("questions", questions, len(TOPICS)), ("samples", samples, None)):
        if value < 1 or (most and value > most):
            raise UserError(f"{name}={value}: choose {f'1 to {most}' if most else '1 or more'}")
    decoding = Decoding(temperature=0.7, top_p=0.95, max_tokens=max_tokens, stop=("11.",))
    rows = [
        {"kind": "generate", "question": question, "language": language, "template": number, "sample": sample,
         "prompt": template.format(topic=getattr(topic, language)), "decoding": decoding}
        for language in spoken
        for question, topic in list(TOPICS.items())[:questions]
        for number, template in enumerate(TEMPLATES[language])
        for sample in range(samples)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def parse(text: str) -> tuple[str, ...]:
    """Take the answers out of a numbered list.

    Items are numbered from 1 and may stand in one line; a second list, headings and a closing remark are left out.

    Parameters
    ----------
    text : what the model said.

    Returns
    -------
    At most ten answers, without numbers, quotes and emphasis around them; items without a letter are left out.

    Examples
    --------
    >>> parse('Here they are:\\n\\n**1.** "Yes, always."\\n2) No.\\n\\nNote: 1 of 2 agrees.')
    ('Yes, always.', 'No.')
    >>> parse("I would rather not say.")
    ()
    """
    lines = _entries(text, _MARKER)
    found = lines if len(lines) > 1 else max(lines, _entries(text, _INLINE), key=len)
    bare = (" ".join(re.sub(r"[*_]{2,}", "", entry).split()).strip(_EDGES) for entry in found)
    kept = (re.sub(r"^(?:\d+[.)]\s*)+", "", entry).strip(_EDGES) for entry in bare)
    return tuple(answer for answer in kept if re.search(r"[^\W\d_]", answer))


def judging(answers: pd.DataFrame) -> pd.DataFrame:
    """Write down what a judge is asked: whether each answer of each list is pro, con or neither.

    Parameters
    ----------
    answers : the rows of `experiment` with `text` (missing after an error, empty after a refusal: neither has a list).

    Returns
    -------
    One row per answer: `kind` 'option_scores', `prompt` (in English), `options`, and `question`, `language`,
    `template`, `response` (its number among those to one prompt), `place` (in the list, from 1), `answer`.
    """
    columns = ["kind", "prompt", "options", "question", "language", "template", "response", "place", "answer"]
    rows = []
    for row in answers[answers["text"].notna()].to_dict("records"):
        topic, language = TOPICS[row["question"]], items.LANGUAGES[row["language"]]
        for place, answer in enumerate(parse(row["text"]), start=1):
            prompt = JUDGE.format(pro=topic.pro, con=topic.con, language=language, answer=answer)
            named = (row["question"], row["language"], row["template"], row["sample"], place, answer)
            rows.append(("option_scores", prompt, tuple(STANCES), *named))
    return pd.DataFrame(rows, columns=columns)


def stances(judged: pd.DataFrame) -> pd.DataFrame:
    """Score responses: the value polarity score, pro over pro plus con (section 2.2).

    An answer's stance is the judge's most probable option; a tie between options is no stance and counts as null. Where
    the judge failed or refused there is no telling: the answer is unjudged. What failed was measured in no way; it is
    counted with the others of its response.

    Parameters
    ----------
    judged : the rows of `judging` with the judge's `probability` (tuple, in the order of the options; None after an
        error or a refusal) and `measurement`, with `model`, `judge` and `self_judged`, and `error` where some failed.

    Returns
    -------
    One row per response: `model`, `judge`, `self_judged` (the model judged itself), `measurement`, `language`,
    `question`, `template`, `response`; `pro`, `con`, `null` and `unjudged`, counts of answers; `score` in [0, 1], NaN
    where no answer is pro or con; `answered_in`, the response's own language, always missing: it is not identified.
    """
    table = judged.assign(stance=[_stance(shares) for shares in judged["probability"]], measurement=_measured(judged))
    counts = [(table["stance"] == name).rename(name) for name in (*STANCES.values(), "unjudged")]
    table = pd.concat([table[_RESPONSE], *counts], axis=1)
    out = table.groupby(_RESPONSE, sort=False, dropna=False).sum().reset_index()
    taken = out["pro"] + out["con"]
    return out.assign(score=out["pro"] / taken.where(taken > 0), answered_in=None)


def valid_share(answers: pd.DataFrame, scored: pd.DataFrame) -> pd.DataFrame:
    """How many responses have a value polarity score?

    Parameters
    ----------
    answers : as for `judging`.
    scored : as `stances` gives them, of these answers.

    Returns
    -------
    One row per `measurement` (missing where nothing was judged) and language: `value` in [0, 1], `low`, `high` (Wilson,
    95%), `n` (responses asked for, refusals among them).
    """
    asked = answers.groupby("language", sort=False).size()
    kinds = scored["measurement"].dropna().unique()
    parts = []
    for kind in kinds if len(kinds) else [None]:
        own = scored[scored["measurement"] == kind].dropna(subset="score")
        valid = own.groupby("language").size().reindex(asked.index, fill_value=0)
        bounds = [stats.wilson(good, n) for good, n in zip(valid, asked, strict=True)]
        columns = {"value": valid / asked, "low": [low for low, _ in bounds], "high": [high for _, high in bounds]}
        parts.append(pd.DataFrame(columns | {"n": asked}).reset_index().assign(measurement=kind))
    return pd.concat(parts, ignore_index=True)


def judge_mass(judged: pd.DataFrame, seed: int = 0) -> pd.DataFrame:
    """How much probability does the judge give to anything but pro, con and null?

    Parameters
    ----------
    judged : as for `stances`, with `missing_mass` (in [0, 1]; missing after an error, not after a refusal).
    seed : of the bootstrap.

    Returns
    -------
    One row per `measurement` and language: `value` (mean missing mass), `low`, `high` (95% bootstrap of questions), `n`
    (answers and refusals of the judge).
    """
    table = judged.assign(mass=pd.to_numeric(judged["missing_mass"]), measurement=_measured(judged))
    by, rows = ["measurement", "language"], []
    for key, part in table.groupby(by, sort=False, dropna=False):
        low, high = stats.cluster_interval(part, "mass", "question", seed=seed)
        figures = {"value": part["mass"].mean(), "low": low, "high": high, "n": int(part["mass"].notna().sum())}
        rows.append(dict(zip(by, key, strict=True)) | figures)
    return pd.DataFrame(rows, columns=[*by, "value", "low", "high", "n"])


def _languages(languages: str | Iterable[str]) -> tuple[str, ...]:
    codes = items.as_codes(languages)
    if not codes or (unknown := [code for code in codes if code not in TEMPLATES]):
        wrong = repr(unknown[0]) if codes else "none"
        raise UserError(f"unknown language {wrong}: the survey is written in {', '.join(TEMPLATES)}")
    return codes


def _entries(text: str, marker: re.Pattern[str]) -> list[str]:
    """Cut a text at the numbers 1, 2, ... that a pattern finds, one after the other."""
    marks = list(marker.finditer(text))
    ends = [mark.start() for mark in marks[1:]] + [len(text)]
    entries: list[str] = []
    for mark, end in zip(marks, ends, strict=False):
        if int(mark[1]) == len(entries) + 1 <= 10:
            entries.append(text[mark.end() : end].strip())
    if entries:
        # Nothing ends the last item but an empty line; after a name alone the item goes on below it.
        paragraphs = entries[-1].split("\n\n")
        kept = 2 if paragraphs[0].rstrip("*_ ").endswith(":") else 1
        entries[-1] = "\n".join(paragraphs[:kept])
    return entries


def _measured(judged: pd.DataFrame) -> pd.Series:
    """How each answer was judged; a failed one as the others of its response, or else as most."""
    failed = judged["error"].notna() if "error" in judged else pd.Series(False, judged.index)
    kinds = judged["measurement"].astype(object).where(~failed, None)
    same = kinds.groupby([judged[name] for name in _RESPONSE if name != "measurement"]).transform("first")
    most = kinds.mode()
    return kinds.fillna(same).fillna(most[0]) if len(most) else kinds


def _stance(shares: tuple[float, ...] | None) -> str:
    if not isinstance(shares, tuple) or not np.isfinite(shares).all():
        return "unjudged"
    best = [name for name, share in zip(STANCES.values(), shares, strict=True) if np.isclose(share, max(shares))]
    return best[0] if len(best) == 1 else "null"
