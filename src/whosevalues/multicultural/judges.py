"""Can a model tell pro from con? Judges of the live experiment beside statements that were labelled by reading them.

"Multilingual != Multicultural" (Rystrøm, Kirk and Hale, 2025, section 2.2) has a model find each statement of a
simulated survey pro, con or neither. The statements are those of the authors' released example responses.
"""

from __future__ import annotations

import hashlib
import json

import numpy as np
import pandas as pd

from .. import ROOT, UserError, data, elicitation, items, models, responses
from . import judge_agreement, prompts, survey
from .judge_agreement import LABELS
from .topics import JUDGE, STANCES

BANK = "stance-reference.csv"
EXAMPLES = "multicultural/head-2025-08/responses_example_first100.jsonl"
NEEDS = [EXAMPLES, prompts.POSITIONS]


def labels() -> pd.DataFrame:
    """Read the reference labels: one annotator, two passes, no text.

    Returns
    -------
    One row per statement: `line` of the released file (from 1), `place` in its list (from 1), `hash` (as of
    :func:`fingerprint`), `language`, `question`, `stance` and `second` (first and second pass; of `LABELS`), `remark`
    ('' or why it was hard).

    Raises
    ------
    UserError : a label that is none of the three.
    """
    table = pd.read_csv(ROOT / "data" / "teaching" / BANK, keep_default_na=False, dtype={"hash": str})
    if wrong := sorted({*table["stance"], *table["second"]} - {*LABELS}):
        raise UserError(f"data/teaching/{BANK} has the label '{wrong[0]}': choose {', '.join(LABELS)}")
    return table


def fingerprint(statement: str) -> str:
    """Name a statement without repeating it: twelve hex digits of the sha256 of its words, one space apart.

    Parameters
    ----------
    statement : its text.

    Returns
    -------
    The digits.

    Examples
    --------
    >>> fingerprint("Yes,  always.") == fingerprint("Yes, always.")
    True
    """
    return hashlib.sha256(" ".join(statement.split()).encode()).hexdigest()[:12]


def reference(table: pd.DataFrame | None = None) -> pd.DataFrame:
    """Join the labels to the statements of the released responses.

    A statement is found by its line and its words, not by its place: a better parser may number them otherwise.

    Parameters
    ----------
    table : of :func:`labels`, which is the default.

    Returns
    -------
    The labels whose statement is found, with `text`. ``attrs["lost"]`` is the number of the others.
    """
    table = labels() if table is None else table
    with data.load(EXAMPLES).open(encoding="utf-8") as file:
        answers = [survey.parse(json.loads(line)["response"]) for line in file]
    texts = {(line, fingerprint(text)): text for line, found in enumerate(answers, start=1) for text in found}
    named = zip(table["line"], table["hash"], strict=True)
    out = table.assign(text=[texts.get(name) for name in named]).dropna(subset="text").reset_index(drop=True)
    out.attrs["lost"] = len(table) - len(out)
    return out


def requests(statements: pd.DataFrame) -> pd.DataFrame:
    """Write down what a judge is asked, in the words of the live experiment and with the released definitions.

    Parameters
    ----------
    statements : `question`, `language` and `text`, as of :func:`reference`.

    Returns
    -------
    The statements with `kind` 'option_scores', `prompt` and `options`, as `responses.ask` takes them.
    """
    asked = []
    for row in statements.itertuples():
        pro, con = prompts.positions()[row.question]
        asked.append(JUDGE.format(pro=pro, con=con, language=items.LANGUAGES[row.language], answer=row.text))
    return statements.assign(kind="option_scores", prompt=asked, options=[tuple(STANCES)] * len(statements))


def ask(name: str, statements: pd.DataFrame) -> pd.DataFrame:
    """Have one model judge the statements; what its store has is not asked again.

    Parameters
    ----------
    name : as in models.yml.
    statements : as of :func:`reference`.

    Returns
    -------
    The statements with `judge`, `verdict` (the most probable option; 'null' where options tie, 'unjudged' after an
    error or a refusal) and `missing_mass` in [0, 1].
    """
    store = elicitation.STORE / "multicultural-judges" / name
    rows = responses.ask(models.load(name), requests(statements), store, price=models.price(name))
    found = [survey.stance(shares) for shares in rows["probability"]]
    mass = pd.to_numeric(rows["missing_mass"])
    return statements.reset_index(drop=True).assign(judge=name, verdict=found, missing_mass=mass)


def without_reading(statements: pd.DataFrame) -> pd.DataFrame:
    """Judge without a model: always the commonest label of the first pass; and the labels of the second pass.

    Parameters
    ----------
    statements : as of :func:`reference`.

    Returns
    -------
    As of :func:`ask`, for the judges 'majority' and 'second pass'; `missing_mass` is missing.
    """
    verdicts = {"majority": statements["stance"].mode()[0], "second pass": statements["second"]}
    parts = [statements.assign(judge=judge, verdict=found) for judge, found in verdicts.items()]
    return pd.concat(parts, ignore_index=True).assign(missing_mass=np.nan)


def compare(model: str, rounds: int = 1000, seed: int = 0) -> pd.DataFrame:
    """Hold every judge at hand against the reference.

    Parameters
    ----------
    model : the judge to be tried; name in models.yml.
    rounds, seed : as of :func:`~.judge_agreement.agreement`.

    Returns
    -------
    As of :func:`~.judge_agreement.agreement`: the model; 'uniform', to which all options are alike; 'majority' and
    'second pass', as of :func:`without_reading`; 'random', as of :func:`~.judge_agreement.at_random`.
    """
    statements = reference()
    asked = [ask(name, statements) for name in dict.fromkeys((model, "uniform"))]
    judged = pd.concat([*asked, without_reading(statements)], ignore_index=True)
    parts = [judge_agreement.agreement(judged, rounds, seed), judge_agreement.at_random(statements, rounds, seed)]
    return pd.concat(parts, ignore_index=True)
