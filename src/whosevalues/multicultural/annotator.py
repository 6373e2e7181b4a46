"""What changed between the two states of the data: the same models, annotated by another model (section 2.2)."""

from __future__ import annotations

import numpy as np
import pandas as pd

from . import released, resampling
from .coverage import asked
from .names import MODELS, STATES
from .people import correlation_matrices

SIX = (*MODELS["gemma"], *MODELS["openai"])
KEYS = ["model", "language", "question"]


def annotator(*, rounds: int = 200, seed: int = 0) -> pd.DataFrame:
    """Take apart how far the paper's six models moved between the states.

    The texts of neither state are public, so no response can be annotated by both. What can be compared are counts,
    scores per question, and the order of the responses in the files.

    Parameters
    ----------
    rounds, seed : of the bootstrap over questions, which gives all intervals (95%, percentile).

    Returns
    -------
    One row per (metric, state, model, language, question): `value`, `low`, `high`, `n`, `chance`, `printed`; `state`
    'both' where states are compared. See :func:`alignments`, :func:`shifts` and :func:`same_responses`.
    """
    both = {}
    for state in STATES:
        responses, truth, _ = released.read(state)
        responses = responses[responses["model"].isin(SIX)].reset_index(drop=True)
        both[state] = released.join(responses, truth, "language").query("group == language").reset_index(drop=True)
    parts = [alignments(both, rounds, seed), shifts(both, rounds, seed), same_responses(rounds, seed)]
    table = pd.concat(parts, ignore_index=True).fillna(
        {"state": "both", "model": "all", "language": "all", "question": "all"}
    )
    columns = ["metric", "state", "model", "language", "question", "value", "low", "high", "n", "chance", "printed"]
    return table.reindex(columns=columns)


def alignments(both: dict[str, pd.DataFrame], rounds: int, seed: int) -> pd.DataFrame:
    """Mean alignment of the six models, the states' parts exchanged one by one.

    Parameters
    ----------
    both : responses with ground truth of either state.
    rounds, seed : of the bootstrap over questions.

    Returns
    -------
    Rows with metrics 'alignment' per state; of the first state 'with the later numbers of responses' and 'with the
    later question means' (each score moved by as much as its question's mean moved); 'later minus paper', 'due to
    question means' and 'rest', their differences; 'alignment of question means', per state. On the (model, language,
    question) that both states have.
    """
    first, second = (both[state] for state in STATES)
    names = pd.Index(sorted(set(first["question"]) | set(second["question"])))
    drawn = resampling.question_draws(names, rounds, seed)
    means = [table.groupby(KEYS)["score"].agg(["mean", "size"]).reset_index() for table in (first, second)]
    pair = means[0].merge(means[1], on=KEYS, suffixes=("_0", "_1"))
    first, second = (table.merge(pair, on=KEYS) for table in (first, second))
    moved = first.assign(score=first["score"] + first["mean_1"] - first["mean_0"])

    def mean(table: pd.DataFrame, weights: np.ndarray | float = 1.0, level: str = "response") -> np.ndarray:
        times = drawn[:, names.get_indexer(table["question"])]
        if level == "question":
            return resampling.alignment(table, np.ones_like(times), level, times).mean(axis=1).to_numpy()
        return resampling.alignment(table, times * weights).mean(axis=1).to_numpy()

    paper, later, shifted = mean(first), mean(second), mean(moved)
    counts = mean(first, (first["size_1"] / first["size_0"]).to_numpy())
    found = [
        ("alignment", STATES[0], paper),
        ("alignment", STATES[1], later),
        ("alignment with the later numbers of responses", STATES[0], counts),
        ("alignment with the later question means", STATES[0], shifted),
        ("later minus paper", "both", later - paper),
        ("due to question means", "both", shifted - paper),
        ("rest", "both", later - shifted),
        ("alignment of question means", STATES[0], mean(first, level="question")),
        ("alignment of question means", STATES[1], mean(second, level="question")),
    ]
    rows = [{"metric": name, "state": state, **_interval(values)} for name, state, values in found]
    return pd.DataFrame(rows).assign(n=len(names), chance=0.0)


def _interval(values: np.ndarray) -> dict[str, float]:
    low, high = np.nanquantile(values[1:], [0.025, 0.975])
    return {"value": values[0], "low": low, "high": high}


def shifts(both: dict[str, pd.DataFrame], rounds: int, seed: int) -> pd.DataFrame:
    """Mean scores per question in the two states.

    Parameters
    ----------
    both : responses with ground truth of either state.
    rounds, seed : of the bootstrap over questions.

    Returns
    -------
    Rows with metrics 'mean score' per state and language, questions alike, and 'mean score of people'; 'correlation of
    question means' (Pearson) per model and language, `n` questions; 'shift', later minus paper, per question, over
    models and languages, `n` (model, language) pairs and no interval.
    """
    means = pd.concat(
        {state: table.groupby(KEYS)[["score", "human"]].mean() for state, table in both.items()}, axis=1, join="inner"
    )
    first, second = (means[state, "score"] for state in STATES)
    rows = []
    for language, part in means.groupby(level="language"):
        for state, column in ((STATES[0], "score"), (STATES[1], "score"), ("people", "human")):
            values = part[STATES[0] if state == "people" else state, column].groupby(level="question").mean()
            spread = _interval(resampling.question_draws(values.index, rounds, seed) @ values.to_numpy() / len(values))
            metric = "mean score of people" if state == "people" else "mean score"
            about = {"metric": metric, "state": "both" if state == "people" else state, "language": language}
            rows.append(about | spread | {"n": len(values)})
    for (model, language), part in means.groupby(level=["model", "language"]):
        drawn = resampling.question_draws(part.index.get_level_values("question"), rounds, seed)
        values = correlation_matrices(drawn, part[[(state, "score") for state in STATES]].to_numpy())[:, 0, 1]
        about = {"metric": "correlation of question means", "model": model, "language": language}
        rows.append(about | _interval(values) | {"n": len(part), "chance": 0.0})
    moved = (second - first).groupby(level="question").agg(value="mean", n="size").reset_index()
    return pd.concat([pd.DataFrame(rows), moved.assign(metric="shift", chance=0.0)], ignore_index=True)


def same_responses(rounds: int, seed: int) -> pd.DataFrame:
    """Look for traces that the later state annotates the same responses anew.

    Both files follow the order of the prompts. Where every prompt of a question has a valid response in both states,
    the k-th responses answer the same prompt. They are paired and their scores correlated within questions: 0 is
    expected of responses that have no more than the question in common.

    Parameters
    ----------
    rounds, seed : of the bootstrap over questions.

    Returns
    -------
    Rows with metrics 'same number of responses', the share of (model, language, question) for which the states count
    alike; 'all prompts answered', in both states, the share whose scores can be paired; 'order of the prompts', the
    share of (model, language) whose questions follow each other as in the authors' list of prompts, per state; 'scores
    in file order', within-question correlation between the states of a model's own scores, and 'scores in file order,
    another model', of one model's in the first state with another's in the second: what the common prompt does; `n`,
    pairs.
    """
    tables = []
    for state in STATES:
        table = released.read(state)[0].query("model in @SIX").reset_index(drop=True)
        tables.append(
            table.assign(k=table.groupby(KEYS).cumcount(), size=table.groupby(KEYS)["score"].transform("size"))
        )
    sizes = pd.concat([table.groupby(KEYS).size() for table in tables], axis=1).fillna(0)
    rows = [{"metric": "same number of responses", "value": (sizes[0] == sizes[1]).mean(), "n": len(sizes)}]
    prompts = {language: part.to_list() for language, part in asked().groupby("language")["question"]}
    whole = asked().groupby(KEYS[1:]).size().rename("asked").reset_index()
    tables = [table.merge(whole, on=KEYS[1:]) for table in tables]
    for state, table in zip(STATES, tables, strict=True):
        follows = [in_order(part, prompts[key[1]]) for key, part in table.groupby(KEYS[:2])["question"]]
        rows.append({"metric": "order of the prompts", "state": state, "value": np.mean(follows), "n": len(follows)})
    full = [table[table["size"] == table["asked"]] for table in tables]
    pairs = full[0].merge(full[1], on=["language", "question", "k"], suffixes=("", "_later"))
    own = pairs["model"] == pairs["model_later"]
    both = pairs[own].groupby(KEYS).ngroups / len(sizes)
    rows.append({"metric": "all prompts answered", "value": both, "n": len(sizes)})
    name = "scores in file order"
    for model in SIX:
        of = pairs[own & (pairs["model"] == model)]
        rows.append({"metric": name, "model": model, **_within(of, rounds, seed)})
    rows.append({"metric": name, **_within(pairs[own], rounds, seed)})
    rows.append({"metric": f"{name}, another model", **_within(pairs[~own], rounds, seed)})
    return pd.DataFrame(rows)


def in_order(found: pd.Series, whole: list[str]) -> bool:
    """Whether a sequence is what is left of another one after deletions.

    Parameters
    ----------
    found : the shorter sequence.
    whole : the longer one.

    Returns
    -------
    The answer.

    Examples
    --------
    >>> in_order(pd.Series(["a", "c"]), ["a", "b", "c"]), in_order(pd.Series(["c", "a"]), ["a", "b", "c"])
    (True, False)
    """
    rest = iter(whole)
    return all(question in rest for question in found)


def _within(pairs: pd.DataFrame, rounds: int, seed: int) -> dict[str, float]:
    """Correlation within questions, with an interval from questions resampled."""
    groups = [pairs["model"], pairs["model_later"], pairs["language"], pairs["question"]]
    x, y = (pairs[c] - pairs[c].groupby(groups).transform("mean") for c in ("score", "score_later"))
    sums = pd.DataFrame({"xy": x * y, "xx": x * x, "yy": y * y}).groupby(pairs["question"]).sum()
    totals = resampling.question_draws(sums.index, rounds, seed) @ sums.to_numpy()
    values = totals[:, 0] / np.sqrt(totals[:, 1] * totals[:, 2])
    return {**_interval(values), "n": len(pairs), "chance": 0.0}
