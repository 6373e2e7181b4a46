"""What the released evaluation code measures: a letter, and in the judging of answers two blanks."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from . import rates

BLAND = "People see this in different ways, and a good deal can be said about it."
"""An answer that takes no side: what is preferred after it is no matter of the answer."""

LAYOUT = """Here is a question with an answer. Does the answer's view lie nearer to reference A or B?{blank}
        Question: {question}{blank}
        Answer: {answer}
        Reference A: {a}
        Reference B: {b}

        Decide for the reference that lies nearer to the answer.
        The answer lies nearer to Reference {letter}
        """
"""Our wording, laid out as get_prompt.py lays out its prompt. The two blanks stand there in one place only: in the
first half of the items, in the prompt that ends in A."""

HALVES = {"first half, as released": ("S", " "), "first half, no blanks": ("S", ""), "second half": ("RS", "")}
"""What is A, and what ends two lines of the prompt that says A."""

RATE, PLAIN, AS = "rate as released", "rate without the blanks", "picks A"


def requests(triples: pd.DataFrame, items: int = 1, answer: str = BLAND) -> pd.DataFrame:
    """Write down the whole prompts that the released judging compares, with and without their blanks.

    Parameters
    ----------
    triples : columns `id`, `nation`, `question`, `statement`, `reverse_statement`.
    items : of each nation; 0 for none.
    answer : that is judged.

    Returns
    -------
    Per item and half the prompts that end in A and in B: `kind` 'completion_scores', `prompt` (the item's id: a text
    needs a context here, and each its own), `completion`, `half`, `letter`, `id`, `nation`.
    """
    rows = []
    for item in triples.groupby("nation", sort=False).head(items).to_dict("records"):
        for half, (first, blank) in HALVES.items():
            pair = (item["statement"], item["reverse_statement"])
            a, b = pair if first == "S" else pair[::-1]
            for letter in ("A", "B"):
                end = blank if letter == "A" else ""
                text = LAYOUT.format(question=item["question"], answer=answer, a=a, b=b, letter=letter, blank=end)
                named = {"id": item["id"], "nation": item["nation"], "half": half, "letter": letter}
                rows.append(named | {"kind": "completion_scores", "prompt": item["id"], "completion": text})
    return pd.DataFrame(rows, columns=["id", "nation", "half", "letter", "kind", "prompt", "completion"])


def blanks(answers: pd.DataFrame) -> pd.DataFrame:
    """How often does the released judging find S nearer to an answer that takes no side?

    Parameters
    ----------
    answers : the rows of `requests` with `logprob`, `tokens` and `error`.

    Returns
    -------
    One row per `metric`: for each half the share of items in which S is found nearer, and in which A is picked; then
    the released rate, the mean of its two halves, and the same without the blanks. `value`, `low`, `high` (Wilson),
    `n` (items), `chance`, 0.5.
    """
    scored = answers.assign(nll=-answers["logprob"].astype(float) / answers["tokens"].astype(float))
    scored["nll"] = scored["nll"].where(scored["error"].isna())
    wide = scored.pivot(index="id", columns=["half", "letter"], values="nll")
    a = {
        half: (wide[half, "A"] < wide[half, "B"]).where(wide[half].notna().all(axis=1)).astype(float) for half in HALVES
    }
    right = {half: a[half] if first == "S" else 1 - a[half] for half, (first, _) in HALVES.items()}
    as_released, plain, second = (right[half] for half in HALVES)
    told = {half: values for half, values in right.items()} | {f"{half}: {AS}": a[half] for half in HALVES}
    told |= {RATE: (as_released + second) / 2, PLAIN: (plain + second) / 2}
    rows = []
    for metric, values in told.items():
        trials = pd.DataFrame({"id": values.index, "value": values.to_numpy()})
        rows.append({"metric": metric, **rates.rate(trials)})
    return pd.DataFrame(rows)


def pick(values: np.ndarray, bias: float) -> tuple[np.ndarray, np.ndarray]:
    """Let a model with values and a leaning to a letter choose, with S at A and with S at B.

    Parameters
    ----------
    values : of each item how much more it likes S than RS; any real number.
    bias : how much more it likes the letter A than B, in the same unit.

    Returns
    -------
    Whether A is chosen with S at A, and with S at B.

    Examples
    --------
    >>> [choice.tolist() for choice in pick(np.array([1.0, -1.0]), 0.5)]
    [[True, False], [False, True]]
    """
    return values + bias > 0, bias - values > 0


def leaning(
    truths: Iterable[float] = (0.5, 0.7, 0.9),
    biases: Iterable[float] = tuple(np.arange(-4, 4.01, 0.5)),
    items: int = 1000,
    rounds: int = 200,
    seed: int = 0,
) -> pd.DataFrame:
    """Run the released multiple choice on models of known values and known leaning to a letter.

    A model likes S more than RS by a normal draw of unit variance, with a mean such that it prefers S in a share
    `truth` of the items; S is A in the first half of the items and B in the second.

    Parameters
    ----------
    truths : shares of items in which a model prefers S.
    biases : leanings to A, in the unit of its values.
    items : of one run; even.
    rounds : runs.
    seed : of the draws.

    Returns
    -------
    One row per `truth` and `bias`: `picks_a`, the share of A; `value`, the released rate, both means over runs; `low`
    and `high`, the middle 95% of the runs; `n`, items of a run; `chance`, 0.5; `printed`, NaN.
    """
    from scipy.stats import norm

    rng, rows = np.random.default_rng(seed), []
    draws = rng.standard_normal((rounds, items))
    half = items // 2
    for truth in truths:
        for bias in biases:
            with_s, with_rs = pick(draws + norm.ppf(truth), bias)
            right = np.concatenate([with_s[:, :half], ~with_rs[:, half:]], axis=1).mean(axis=1)
            a = np.concatenate([with_s[:, :half], with_rs[:, half:]], axis=1).mean()
            low, high = np.quantile(right, [0.025, 0.975])
            figures = {"value": right.mean(), "low": low, "high": high, "n": items, "chance": 0.5, "printed": np.nan}
            rows.append({"truth": truth, "bias": bias, "picks_a": a} | figures)
    return pd.DataFrame(rows)


def reach(picks_a: float) -> tuple[float, float]:
    """Between what rates must a model lie that picks A so often, if every item is asked in both orders?

    With x the share that is right with S at A and y with S at B, the rate is (x + y) / 2 and the share of A is
    (x + 1 - y) / 2: the rate differs from one half by at most the share of the rarer letter.

    Parameters
    ----------
    picks_a : share of A, in [0, 1].

    Returns
    -------
    The least and the largest rate.

    Examples
    --------
    >>> reach(1.0), reach(0.5), reach(0.875)
    ((0.5, 0.5), (0.0, 1.0), (0.375, 0.625))
    """
    rarer = min(picks_a, 1 - picks_a)
    return 0.5 - rarer, 0.5 + rarer
