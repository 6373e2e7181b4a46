"""How well responses are read: the list parser, the language identifier, and what the authors' own filter left."""

from __future__ import annotations

import json
import re

import numpy as np
import pandas as pd

from .. import ROOT, UserError, data, stats
from . import prompts
from .languages import identify
from .lists import parse
from .names import MODELS, STATES
from .released import read

EXAMPLES = prompts.FOLDER + "responses_example_first100.jsonl"
LABELS = ROOT / "data" / "teaching" / "example-lists.csv"
OF = ("all prompts", "prompts on questions that are left")
"""What the share that is left is of."""


def labels() -> pd.DataFrame:
    """What the first hundred example responses hold, as one reader wrote it down.

    Returns
    -------
    One row per response: `line` of the released file, from 1; `language`; `items`, statements that say something;
    `first` and `last`, the lines of the text, empty ones not counted, that the list takes up; `cut`, where the text
    breaks off ('no' where it does not); `closing`, 1 where a remark follows the list.
    """
    return pd.read_csv(LABELS)


def examples() -> list[str]:
    """Read the example responses that the authors released.

    Returns
    -------
    The texts, in the order of the file.

    Raises
    ------
    UserError : the file is not what it should be.
    DataUnavailable : it can be had nowhere.
    """
    lines = data.load(EXAMPLES).read_text(encoding="utf-8").splitlines()
    try:
        return [str(json.loads(line)["response"]) for line in lines]
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"{EXAMPLES} is not what it should be: {error!r}; fetch it anew") from error


def read_right() -> pd.DataFrame:
    """Hold the parser against the reader, response by response.

    A response is read right if the parser finds as many statements as the reader, and every letter of the list and no
    other letter: no heading, no closing remark, nothing left out.

    Returns
    -------
    One row per response: `line`, `language`, `items`, `cut`, `found` (statements that the parser finds), `characters`
    (length of the text), and `value`, 1 if it is read right, 0 if not.
    """
    rows = []
    for row, text in zip(labels().to_dict("records"), examples(), strict=True):
        lines = [line for line in text.split("\n") if line.strip()]
        answers, wanted = parse(text), " ".join(lines[row["first"] - 1 : row["last"]])
        right = len(answers) == row["items"] and _letters(" ".join(answers)) == _letters(wanted)
        rows.append(
            {key: row[key] for key in ("line", "language", "items", "cut")}
            | {"found": len(answers), "characters": len(text.strip())}
        )
        rows[-1]["value"] = int(right)
    return prompts.tidy(pd.DataFrame(rows))


def right_share(read: pd.DataFrame) -> pd.DataFrame:
    """Sum up how responses are read.

    Parameters
    ----------
    read : as from `read_right`.

    Returns
    -------
    One row per `measure` ('read right', 'ten statements', 'cut off') and language, 'all' first: `value` in [0, 1],
    `low`, `high` (Wilson, 95%), `n`.
    """
    measures = {
        "read right": read["value"] == 1,
        "ten statements": read["items"] == 10,
        "cut off": read["cut"] != "no",
    }
    rows = [
        {"measure": measure, "language": language} | _share(held[where])
        for measure, held in measures.items()
        for language, where in _each(read["language"])
    ]
    return prompts.tidy(pd.DataFrame(rows))


def _texts() -> pd.DataFrame:
    asked, read = prompts.read(), list(zip(labels()["language"], examples(), strict=True))
    templates = asked.drop_duplicates(["language", "wording"])
    whole, topics = asked.drop_duplicates(["language", "prompt"]), asked.drop_duplicates(["language", "topic"])
    parts = {
        "template": zip(templates["language"], templates["wording"].str.replace("{topic}", ""), strict=True),
        "prompt": zip(whole["language"], whole["prompt"], strict=True),
        "response": ((language, "\n".join(parse(text))) for language, text in read),
        "single answer": ((language, answer) for language, text in read for answer in parse(text)),
        "topic": zip(topics["language"], topics["topic"], strict=True),
    }
    rows = [(kind, *pair) for kind, pairs in parts.items() for pair in pairs]
    return pd.DataFrame(rows, columns=["kind", "language", "text"])


def identified() -> pd.DataFrame:
    """Identify the language of texts whose language is known: released prompts, and the example responses.

    Returns
    -------
    One row per (kind of text, language, identified language): `value`, how many; `n`, texts of the kind and language.
    """
    table = _texts()
    table["identified"] = [identify(text) for text in table["text"]]
    out = table.groupby(["kind", "language", "identified"], sort=False).size().rename("value").reset_index()
    return prompts.tidy(out.assign(n=out.groupby(["kind", "language"])["value"].transform("sum")))


def accuracy(found: pd.DataFrame) -> pd.DataFrame:
    """Sum up how often the language is identified right.

    Parameters
    ----------
    found : as from `identified`.

    Returns
    -------
    One row per kind of text and language, 'all' first: `value` in [0, 1], `low`, `high` (Wilson, 95%), `n`.
    """
    rows = []
    for kind, part in found.groupby("kind", sort=False):
        for language, where in _each(part["language"]):
            own = part[where]
            held = np.repeat((own["identified"] == own["language"]).to_numpy(), own["value"].astype(int))
            rows.append({"kind": kind, "language": language} | _share(held))
    return prompts.tidy(pd.DataFrame(rows))


def kept() -> pd.DataFrame:
    """What the authors' own filter left of 300 responses per model and language (section 3).

    Questions of which no model has a response in a language fell out for another reason than the filter.

    Returns
    -------
    One row per (state, of, family, model, language): `value`, the share that is left, `of` 'all prompts' or 'prompts on
    questions that are left'; `low`, `high` (Wilson, 95%), `n`, so many prompts. With family and model 'all' the mean of
    the models analysed, its interval a bootstrap of models, and `n`, how many models.
    """
    asked, rows = prompts.read().groupby(["language", "question"]).size(), []
    for state in STATES:
        responses = _of_models(state)
        left = asked[asked.index.isin(set(zip(responses["language"], responses["question"], strict=True)))]
        sizes = {OF[0]: asked.groupby("language").sum(), OF[1]: left.groupby("language").sum()}
        for key, count in responses.groupby(["family", "model", "language"]).size().items():
            for of, prompted in sizes.items():
                n = int(prompted[key[2]])
                named = dict(zip(("state", "of", "family", "model", "language"), (state, of, *key), strict=True))
                rows.append(named | _wilson(count, n))
    table = pd.DataFrame(rows)
    analysed, means = table[table["model"].isin(sum(MODELS.values(), ()))], []
    for (state, of, language), part in analysed.groupby(["state", "of", "language"], sort=False):
        low, high = stats.cluster_interval(part, "value", "model")
        named = {"state": state, "of": of, "family": "all", "model": "all", "language": language}
        means.append(named | {"value": part["value"].mean(), "low": low, "high": high, "n": len(part)})
    return prompts.tidy(pd.concat([table, pd.DataFrame(means)], ignore_index=True))


def left_out() -> pd.DataFrame:
    """Count the prompts on questions of which the released responses have none in that language, from any model.

    Returns
    -------
    One row per (state, language, question), 'all' first: `value`, prompts; `n`, all of the language; `models`, those
    without a response.
    """
    asked, rows = prompts.read().groupby(["language", "question"]).size(), []
    for state in STATES:
        responses = _of_models(state)
        gone = asked[~asked.index.isin(set(zip(responses["language"], responses["question"], strict=True)))]
        for language, n in asked.groupby("language").sum().items():
            own = gone[gone.index.get_level_values("language") == language].droplevel("language")
            for question, count in {"all": own.sum(), **own.to_dict()}.items():
                named = {"state": state, "language": language, "question": question}
                rows.append(named | {"value": int(count), "n": int(n), "models": responses["model"].nunique()})
    return prompts.tidy(pd.DataFrame(rows))


def sides() -> pd.DataFrame:
    """What the released scores tell of the stances behind them: a score is pro over pro plus con, two whole numbers.

    Returns
    -------
    One row per (state, measure), over all models: 'more than ten took a side', responses whose score is no fraction of
    ten statements or fewer, which is a lower bound; 'all on one side', scores of 0 or 1. `value` in [0, 1], `low`,
    `high` (Wilson, 95%), `n` (responses).
    """
    rows = []
    for state in STATES:
        score = _of_models(state)["score"].to_numpy()
        few = np.min([np.abs(score * k - np.round(score * k)) for k in range(1, 11)], axis=0) < 1e-6
        rows.append({"state": state, "measure": "more than ten took a side"} | _share(~few))
        rows.append({"state": state, "measure": "all on one side"} | _share(np.isin(score, (0, 1))))
    return prompts.tidy(pd.DataFrame(rows))


def _of_models(state: str) -> pd.DataFrame:
    responses = read(state)[0]
    return responses[~responses["model"].str.startswith("Baseline")]


def _each(languages: pd.Series) -> list[tuple[str, pd.Series]]:
    return [("all", languages.notna()), *((code, languages == code) for code in sorted(languages.unique()))]


def _share(held: pd.Series | np.ndarray) -> dict[str, float]:
    return _wilson(int(np.sum(held)), len(held))


def _wilson(count: int, n: int) -> dict[str, float]:
    low, high = stats.wilson(count, n)
    return {"value": count / n, "low": low, "high": high, "n": n}


def _letters(text: str) -> str:
    return re.sub(r"[\W\d_]+", "", text)
