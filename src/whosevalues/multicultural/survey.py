"""The live experiment of "Multilingual != Multicultural": ten imagined citizens, judged pro or con, beside real ones.

The method is the paper's (Rystrøm, Kirk and Hale, 2025, sections 2 and 3): a model writes down what ten citizens might
say on a topic, a judge finds each statement pro, con or neither, and the share of pro is the response's value polarity
score. Topics and wording are this package's own, or the released ones of the paper. A response in another language than
its prompt's has a score and a flag, and is not valid (section 3).
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from .. import UserError, items, stats
from ..models.base import Decoding
from . import languages as spoken
from . import prompts as released
from .lists import parse
from .topics import JUDGE, STANCES, TEMPLATES, TOPICS

JUDGED = ["model", "judge", "self_judged", "measurement", "error", "refused", "probability", "missing_mass"]
"""What a judge's answers add to the rows of `judging`."""

_USUAL = {
    "teaching": {"questions": 6, "samples": 2, "max_tokens": 120, "most": len(TOPICS)},
    "paper": {"questions": 37, "samples": 1, "max_tokens": 600, "most": 37},
}
"""What is asked unless a number is given, and how many questions there are."""

STEPS = ("asked", "list of one or more", "in the prompt's language", "judged with a side")
"""What a response must pass to be valid."""

_PROMPT = ["language", "question", "template"]
_RESPONSE = ["model", "judge", "self_judged", "measurement", *_PROMPT, "response"]


def experiment(
    languages: str | Iterable[str] = tuple(TEMPLATES),
    questions: int | None = None,
    samples: int | None = None,
    max_tokens: int | None = None,
    prompts: str = "teaching",
) -> pd.DataFrame:
    """List what is asked of a model: a survey of ten imagined citizens on each topic, in each language.

    Decoding is the paper's: temperature 0.7, top_p 0.95, and a stop before an eleventh item.

    Parameters
    ----------
    languages : some of 'en', 'da', 'nl', 'pt'.
    questions : how many of the questions. Of the teaching topics 1 to 18, by default 6; of the paper's 1 to 37, by
        default all.
    samples : responses to each prompt. Self-consistency needs 2 to the teaching prompts, the default; by default 1 to
        each of the paper's, which ask about most questions more than once.
    max_tokens : longest response: by default 120 tokens of the teaching prompts, for a short run of a small model; the
        paper's 600 of its own.
    prompts : 'teaching', this package's topics; or 'paper', the released prompts, 300 per language.

    Returns
    -------
    One row per response: `kind` 'generate', `question`, `language`, `template` (number of the wording), `sample`
    (number of the response among those with the same question, language and template), `prompt`, `decoding`. Of the
    paper's prompts also `topic`, as it stands in the prompt, and `question` is the survey's code in lower case.

    Raises
    ------
    UserError : an unknown language or kind of prompts, or a number out of range.
    DataUnavailable : the released prompts can be had nowhere.
    """
    if prompts not in _USUAL:
        raise UserError(f"unknown prompts '{prompts}': choose {' or '.join(_USUAL)}")
    codes, usual, paper = _languages(languages), _USUAL[prompts], prompts == "paper"
    numbers = {"questions": questions, "samples": samples, "max_tokens": max_tokens}
    numbers = {name: usual[name] if value is None else value for name, value in numbers.items()}
    for name, value in numbers.items():
        most = usual["most"] if name == "questions" else None
        if value < 1 or (most and value > most):
            raise UserError(f"{name}={value}: choose {f'1 to {most}' if most else '1 or more'}")
    rows = (_paper if paper else _teaching)(codes, numbers["questions"], numbers["samples"])
    decoding = Decoding(temperature=0.7, top_p=0.95, max_tokens=numbers["max_tokens"], stop=("11.",))
    return pd.DataFrame(rows).assign(decoding=[decoding] * len(rows))


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
        (pro, con), language = _positions(row["question"]), items.LANGUAGES[row["language"]]
        for place, answer in enumerate(parse(row["text"]), start=1):
            prompt = JUDGE.format(pro=pro, con=con, language=language, answer=answer)
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
    where no answer is pro or con; `answered_in`, the language of its answers together, missing where the rows hold no
    `answer`; `foreign`, whether that is another one than the prompt's.
    """
    table = judged.assign(stance=[stance(shares) for shares in judged["probability"]], measurement=_measured(judged))
    counts = [(table["stance"] == name).rename(name) for name in (*STANCES.values(), "unjudged")]
    by = table.assign(**{count.name: count for count in counts}).groupby(_RESPONSE, sort=False, dropna=False)
    out = by[[count.name for count in counts]].sum().reset_index()
    texts = by["answer"].agg("\n".join).to_numpy() if "answer" in table and len(table) else [""] * len(out)
    own = pd.Series([spoken.identify(text) for text in texts], out.index, dtype=object)
    taken = out["pro"] + out["con"]
    score = out["pro"] / taken.where(taken > 0)
    return out.assign(score=score, answered_in=own, foreign=own.notna() & (own != out["language"]))


def in_language(scored: pd.DataFrame) -> pd.DataFrame:
    """Leave out the responses in another language than their prompt's, as the paper does (section 3).

    Parameters
    ----------
    scored : as `stances` gives them.

    Returns
    -------
    The rows that are not `foreign`.
    """
    return scored[~scored["foreign"].astype(bool)]


def valid_share(answers: pd.DataFrame, scored: pd.DataFrame) -> pd.DataFrame:
    """How many responses are valid: in the prompt's language, and with a value polarity score?

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
    kinds, scored = scored["measurement"].dropna().unique(), in_language(scored)
    parts = []
    for kind in kinds if len(kinds) else [None]:
        own = scored[scored["measurement"] == kind].dropna(subset="score")
        valid = own.groupby("language").size().reindex(asked.index, fill_value=0)
        bounds = [stats.wilson(good, n) for good, n in zip(valid, asked, strict=True)]
        columns = {"value": valid / asked, "low": [low for low, _ in bounds], "high": [high for _, high in bounds]}
        parts.append(pd.DataFrame(columns | {"n": asked}).reset_index().assign(measurement=kind))
    return pd.concat(parts, ignore_index=True)


def funnel(answers: pd.DataFrame, scored: pd.DataFrame) -> pd.DataFrame:
    """Where are responses lost on the way to a value polarity score?

    Parameters
    ----------
    answers : as for `judging`, of one model.
    scored : as `stances` gives them, of these answers; measured in two ways, a response counts once.

    Returns
    -------
    One row per language and step, each of those that passed the steps before: 'asked', 'list of one or more',
    'in the prompt's language', 'judged with a side'. `value`, their share of those asked, in [0, 1]; `low`, `high`
    (Wilson, 95%), `n` (responses asked for), `count` (how many passed).
    """
    rows = []
    # Measured in two ways, a response has a side where either finds one.
    passed = scored.groupby([*_PROMPT, "response"], dropna=False)
    passed = passed.agg(foreign=("foreign", "first"), sided=("score", "count")).reset_index()
    for language, asked in answers.groupby("language", sort=False):
        listed = int(sum(bool(parse(text)) for text in asked["text"].dropna()))
        own = passed[(passed["language"] == language) & ~passed["foreign"].astype(bool)]
        counts = (len(asked), listed, len(own), int((own["sided"] > 0).sum()))
        for step, count in zip(STEPS, counts, strict=True):
            low, high = stats.wilson(count, len(asked))
            figures = {"value": count / len(asked), "low": low, "high": high, "n": len(asked), "count": count}
            rows.append({"language": language, "step": step, **figures})
    return released.tidy(pd.DataFrame(rows))


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


def _teaching(codes: tuple[str, ...], questions: int, samples: int) -> list[dict[str, object]]:
    return [
        {"kind": "generate", "question": question, "language": language, "template": number, "sample": sample,
         "prompt": template.format(topic=getattr(topic, language))}
        for language in codes
        for question, topic in list(TOPICS.items())[:questions]
        for number, template in enumerate(TEMPLATES[language])
        for sample in range(samples)
    ]  # fmt: skip


def _paper(codes: tuple[str, ...], questions: int, samples: int) -> pd.DataFrame:
    table, asked = released.read(), list(released.positions())[:questions]
    table = table[table["question"].isin(asked)]
    table = pd.concat([table[table["language"] == code] for code in codes for _ in range(samples)], ignore_index=True)
    table["sample"] = table.groupby(["language", "question", "template"]).cumcount()
    columns = ["kind", "question", "language", "template", "sample", "prompt", "topic"]
    return table.assign(kind="generate")[columns]


def _positions(question: str) -> tuple[str, str]:
    """What pro and con mean: the teaching bank's words, or the released ones."""
    if question in TOPICS:
        return TOPICS[question].pro, TOPICS[question].con
    return released.positions()[question]


def _measured(judged: pd.DataFrame) -> pd.Series:
    """How each answer was judged; a failed one as the others of its response, or else as most."""
    failed = judged["error"].notna() if "error" in judged else pd.Series(False, judged.index)
    kinds = judged["measurement"].astype(object).where(~failed, None)
    same = kinds.groupby([judged[name] for name in _RESPONSE if name != "measurement"]).transform("first")
    most = kinds.mode()
    return kinds.fillna(same).fillna(most[0]) if len(most) else kinds


def stance(shares: tuple[float, ...] | None) -> str:
    """Take a judge's verdict from the probabilities of its three options.

    Parameters
    ----------
    shares : in the order of `STANCES`; None or not finite where the judge failed.

    Returns
    -------
    The most probable stance; 'null' where options tie, 'unjudged' after a failure.

    Examples
    --------
    >>> stance((0.2, 0.7, 0.1)), stance((0.4, 0.4, 0.2)), stance(None)
    ('con', 'null', 'unjudged')
    """
    if not isinstance(shares, tuple) or not np.isfinite(shares).all():
        return "unjudged"
    best = [name for name, share in zip(STANCES.values(), shares, strict=True) if np.isclose(share, max(shares))]
    return best[0] if len(best) == 1 else "null"
