"""Does explaining an answer first change it? Zero-shot against reasoning, on questions of value and of fact."""

from __future__ import annotations

import pandas as pd

from .. import UserError, items, prompts
from ..models.base import Decoding
from ..stats import estimate, wilson
from . import nvas, parsing, protocol
from .reasoning_released import tidy

TOKENS = {"zero-shot": 16, "reasoning": 100}
"""Longest answer in each mode unless a number is given."""

FEW = 6
"""With fewer questions a bootstrap has no interval worth the name."""


def experiment(country: str = "IR", max_tokens: int = TOKENS["reasoning"]) -> pd.DataFrame:
    """List what is asked of a model: every question twice, once for the number only and once with an explanation first.

    The questions of value are the teaching bank's, put to an average person of one country; those of fact are the
    24 factual controls, put as they are. All are in English and answered in text, greedily.

    Parameters
    ----------
    country : whose average person is imagined, ISO 3166 alpha-2, with human figures in the bank.
    max_tokens : longest reasoned answer; a zero-shot one has 16 tokens, for a number.

    Returns
    -------
    One row per question and mode: the columns of `prompts.grid` with `kind` 'generate', `decoding`, `labels` (wording
    of the options), `type` ('value' or 'fact'). The questions of fact name no country.

    Raises
    ------
    UserError : not one country, or one that is unknown or has no human figures; too few tokens.
    """
    if max_tokens < TOKENS["zero-shot"]:
        raise UserError(
            f"max_tokens={max_tokens} leaves no room for an explanation: give {TOKENS['zero-shot']} or more"
        )
    people = protocol.people(items.human_distributions(), country)
    if people["country"].nunique() != 1:
        raise UserError(f"one country at a time, not {country!r}: choose from {', '.join(items.NATIVE)}")
    place, asked = people["country"].iloc[0], set(people["question"])
    bank, controls = [q for q in items.teaching_questions() if q.id in asked], items.factual_controls()
    how = {"languages": ("en",), "modes": prompts.MODES}
    value = prompts.grid(bank, [place], ("persona",), **how).assign(type="value")
    fact = prompts.grid(controls, [place], ("neutral",), **how).assign(type="fact")
    grid = pd.concat([value, fact], ignore_index=True)
    labels = {q.id: q.labels["en"] for q in (*bank, *controls)}
    longest = TOKENS | {"reasoning": max_tokens}
    grid["decoding"] = [Decoding(max_tokens=longest[mode]) for mode in grid["mode"]]
    return grid.assign(kind="generate", labels=grid["question"].map(labels))


def score(parsed: pd.DataFrame) -> pd.DataFrame:
    """Score the answers: of value by NVAS, of fact by whether they are right.

    Parameters
    ----------
    parsed : the rows of `experiment` with the model's answers and `answer` (an option, missing where the text holds
        none), as of `parsing.parse_answers`.

    Returns
    -------
    The same rows with `score` in [0, 1] (missing without an answer) and `chance` (expected for an answer drawn evenly
    from the options).
    """
    out, right = parsed.reset_index(drop=True), {q.id: q.right for q in items.factual_controls()}
    fact, value = out[out["type"] == "fact"], out[out["type"] == "value"]
    given = fact["answer"].notna()
    hit = (fact["answer"] == fact["question"].map(right)).astype(float).where(given)
    out.loc[fact.index, "score"], out.loc[fact.index, "chance"] = hit, 1 / fact["options"].map(len)
    scored = nvas.nvas(value.reset_index(), items.human_distributions(), items.teaching_questions())
    scored = scored.set_index("index")
    out.loc[scored.index, "score"], out.loc[scored.index, "chance"] = scored["nvas"], scored["chance"]
    return out


def scores(scored: pd.DataFrame, seed: int = 0) -> pd.DataFrame:
    """Average the scores by type of question and mode.

    Parameters
    ----------
    scored : as of `score`.
    seed : of the bootstrap.

    Returns
    -------
    One row per `model`, `type` ('value', 'fact') and `mode`: `value` (mean NVAS, or share of right answers, of those
    given), `low`, `high` (95%: bootstrap of questions for values, NaN with fewer than `FEW`; Wilson's for facts), `n`
    (answers), `chance` (on the same questions), `printed` (NaN), `coverage` (answers over questions), `corrected`
    ((value - chance) over (1 - chance)).
    """
    rows = []
    for key, cell in scored.groupby(["model", "type", "mode"], sort=False):
        part = cell.dropna(subset="score")
        chance = part["chance"].mean()
        figure = estimate(part.astype({"score": float}), "score", seed=seed)
        if key[1] == "fact" and len(part):
            figure["low"], figure["high"] = wilson(part["score"].sum(), len(part))
        elif len(part) < FEW:
            figure["low"] = figure["high"] = float("nan")
        figure |= {"n": len(part), "chance": chance, "coverage": len(part) / len(cell)}
        figure["corrected"] = (figure["value"] - chance) / (1 - chance)
        rows.append(dict(zip(("model", "type", "mode"), key, strict=True)) | figure)
    return tidy(rows)


def contrasts(scored: pd.DataFrame, seed: int = 0) -> pd.DataFrame:
    """Reasoning minus zero-shot by type of question, and the difference between the types.

    Parameters
    ----------
    scored : as of `score`.
    seed : of the bootstrap.

    Returns
    -------
    One row per `model`, `type` ('value', 'fact', 'value minus fact'), `cells` and `metric`. `cells`: 'answered in
    both' modes, or 'all', a question without an answer getting what chance gets. `metric`: 'score' (NVAS or share of
    right answers), or 'corrected', on the scale on which guessing gets 0 and the best score is 1, which both types
    share. `value`, `low`, `high` (95%, bootstrap of questions; NaN with fewer than `FEW` of a type), `n` (questions),
    `chance` (0), `printed` (NaN).
    """
    rows = []
    for model, cell in scored.groupby("model", sort=False):
        for cells in ("answered in both", "all"):
            wide = _wide(cell if cells != "all" else cell.assign(score=cell["score"].fillna(cell["chance"])))
            for metric, columns in (("score", "gain"), ("corrected", ["gain", "room"])):
                for kind in ("value", "fact"):
                    part = wide[wide["type"] == kind]
                    row = {"model": model, "type": kind, "cells": cells, "metric": metric}
                    rows.append(row | estimate(part, columns, seed=seed) | {"n": len(part)})
            rows.append(
                {"model": model, "type": "value minus fact", "cells": cells, "metric": "corrected"}
                | _between(wide, seed)
                | {"n": len(wide)}
            )
    out = tidy([row | {"chance": 0.0} for row in rows])
    few = out["n"] < FEW
    for _, same in out.groupby(["model", "cells"]):
        few[same.index] |= (same["type"] == "value minus fact") & few[same.index].any()
    return out.assign(low=out["low"].mask(few), high=out["high"].mask(few))


def kinds(parsed: pd.DataFrame) -> pd.DataFrame:
    """Count what the texts are: answers, and the kinds of text that hold none.

    Parameters
    ----------
    parsed : as for `score`, with `kind` and `reason` of `parsing.parse_answers` and `finish_reason`.

    Returns
    -------
    One row per `model`, `type`, `mode` and `outcome`: 'answer'; a kind of missing answer with its reason; 'error';
    'at the limit', the texts that ended at the largest number of tokens, whatever their kind. `value` (share of the
    texts), `low`, `high` (Wilson, 95%), `n` (texts), `chance`, `printed` (NaN), `count`.
    """
    rows = []
    told = parsed["kind"].astype(object) + ": " + parsed["reason"].astype(object)
    told = told.where(parsed["kind"] != "answer", "answer").where(parsed["kind"].notna(), "error")
    found = sorted(told.unique(), key=lambda name: (name != "answer", name))
    for key, cell in parsed.groupby(["model", "type", "mode"], sort=False):
        counts = {name: int((told[cell.index] == name).sum()) for name in found}
        counts["at the limit"] = int((cell["finish_reason"] == "length").sum())
        for outcome, count in counts.items():
            low, high = wilson(count, len(cell))
            row = dict(zip(("model", "type", "mode"), key, strict=True)) | {"outcome": outcome}
            figure = {"value": count / len(cell), "low": round(low, 12), "high": high, "n": len(cell)}
            rows.append(row | figure | {"chance": float("nan"), "count": count})
    return tidy(rows)


def rules(parsed: pd.DataFrame) -> pd.DataFrame:
    """Read the same texts by our rule and by the authors', which takes the first option of the scale that it finds.

    Parameters
    ----------
    parsed : as for `score`, with `text`.

    Returns
    -------
    One row per `model`, `type`, `mode`, `rule` ('ours', "the authors'": `parsing.longest_first`) and `measure`:
    'answered' (share of the texts in which an option is found) or 'lowest' (share of those answers that are the lowest
    option); `value`, `low`, `high` (Wilson, 95%), `n`, `chance` (of 'lowest': of an even draw), `printed` (NaN).
    """
    theirs = [
        parsing.longest_first(text, options) if isinstance(text, str) else None
        for text, options in zip(parsed["text"], parsed["options"], strict=True)
    ]
    read = {"ours": parsed["answer"], "the authors'": pd.Series(theirs, parsed.index, dtype=object)}
    lowest, even = parsed["options"].str[0], 1 / parsed["options"].map(len)
    rows = []
    for key, cell in parsed.groupby(["model", "type", "mode"], sort=False):
        for rule, answers in read.items():
            found = answers[cell.index].dropna()
            first = int((found == lowest[found.index]).sum())
            counts = {"answered": (len(found), len(cell)), "lowest": (first, len(found))}
            for measure, (count, n) in counts.items():
                row = dict(zip(("model", "type", "mode"), key, strict=True)) | {"rule": rule, "measure": measure}
                low, high = wilson(count, n) if n else (float("nan"),) * 2
                figure = {"value": count / n if n else float("nan"), "low": round(low, 12), "high": high, "n": n}
                chance = even[found.index].mean() if measure == "lowest" else float("nan")
                rows.append(row | figure | {"chance": chance})
    return tidy(rows)


def _wide(cell: pd.DataFrame) -> pd.DataFrame:
    """One row per question answered in both modes: the gain, and the room above chance."""
    both = cell.pivot(index=["type", "question"], columns="mode", values="score").reindex(columns=list(prompts.MODES))
    both = both.astype(float).dropna().reset_index()
    chance = cell.drop_duplicates("question").set_index("question")["chance"]
    both["gain"] = both["reasoning"] - both["zero-shot"]
    return both.assign(room=1 - both["question"].map(chance).astype(float))


def _between(wide: pd.DataFrame, seed: int) -> dict[str, float]:
    """Gain over room of values minus that of facts; both kinds of questions are drawn anew in every round."""
    sums = pd.DataFrame({"question": wide["question"]})
    for kind in ("value", "fact"):
        own = wide["type"] == kind
        sums[f"{kind} gain"], sums[f"{kind} room"] = wide["gain"].where(own, 0.0), wide["room"].where(own, 0.0)
    columns = [name for name in sums if name != "question"]
    return estimate(sums, columns, lambda s: s[:, 0] / s[:, 1] - s[:, 2] / s[:, 3], seed=seed)
