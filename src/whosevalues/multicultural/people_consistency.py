"""How consistent people are: surveys of ten drawn again and again (dashed lines of Figure 3, sections 3.2 and 4.1).

The authors of "Multilingual != Multicultural" (Rystrøm, Kirk and Hale, 2025) draw ten respondents per country and
question, take their weighted value polarity, do so a hundred times, and correlate all pairs of draws.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from .. import data
from . import microdata, people, released, resampling
from .live import human_consistency
from .names import MODELS, STATES

OWN = "multicultural/head-2025-08/gt_self_consistency.csv"
PEOPLE, REPEATS = 10, 100
PRINTED = {"lowest": 0.66, "highest": 0.84}


def all_pairs(draws: np.ndarray) -> float:
    """Pearson correlation over all ordered pairs of draws, a draw with itself included, as the authors take it.

    Parameters
    ----------
    draws : polarity by draw and question, shape (draws, questions), NaN where a draw has none.

    Returns
    -------
    In [-1, 1], NaN where nothing varies. With r over different draws only and n draws of every question, it is
    (1 + (n - 1) r) / n.

    Examples
    --------
    >>> round(all_pairs(np.array([[0.0, 1.0], [0.5, 0.5]])), 3)
    0.5
    """
    n = (~np.isnan(draws)).sum(axis=0)
    away = draws - np.nansum(n * draws) / (n @ n)
    squares = np.nansum(n * away**2)
    return float((np.nansum(away, axis=0) ** 2).sum() / squares) if squares > 0 else float("nan")


def drawn(pro: np.ndarray, weight: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw ten of those who answered, for every question anew, and take their weighted polarity; a hundred times.

    Parameters
    ----------
    pro : 1 pro, 0 con, NaN no answer, shape (respondents, questions).
    weight : of each respondent, 0 or more.
    rng : where chance comes from.

    Returns
    -------
    Shape (`REPEATS`, questions), in [0, 1]; where fewer than ten answered, they all are drawn; NaN where nobody did.
    """
    out = np.full((REPEATS, pro.shape[1]), np.nan)
    for question, answers in enumerate(pro.T):
        there = np.flatnonzero(~np.isnan(answers))
        if weight[there].sum() == 0:
            continue
        some = min(PEOPLE, len(there))
        order = rng.random((REPEATS, len(there)))
        taken = there[order.argpartition(some - 1, axis=1)[:, :some]]
        total = weight[taken].sum(axis=1)
        with np.errstate(invalid="ignore"):
            out[:, question] = (weight * answers)[taken].sum(axis=1) / total
    return out


def from_microdata(respondents: pd.DataFrame, rounds: int = 1, seed: int = 0) -> pd.DataFrame:
    """Self-consistency of surveys of ten, from the respondents themselves: the authors' recipe.

    Parameters
    ----------
    respondents : as from :func:`~whosevalues.multicultural.microdata.read`.
    rounds : runs of the recipe.
    seed : of the draws.

    Returns
    -------
    One row per `country` whose language is one of the paper's: `value` (mean over the runs), `low`, `high` (95% range
    of a single run, NaN with one run only), `n` (questions).
    """
    home = microdata.spoken(respondents)
    pro, rows = microdata.in_favour(respondents), []
    for k, country in enumerate(sorted(home.index[home.isin(microdata.LANGUAGES)])):
        own = (respondents["country"] == country).to_numpy()
        answers, weight = pro[own].to_numpy(), respondents.loc[own, "weight"].to_numpy()
        rng = np.random.default_rng([seed, k])
        runs = [all_pairs(drawn(answers, weight, rng)) for _ in range(rounds)]
        rows.append({"country": country, **_range(runs), "n": int((~np.isnan(answers)).any(axis=0).sum())})
    return pd.DataFrame(rows)


def from_polarity(polarity: np.ndarray, rng: np.random.Generator, spread: float = 0.0) -> tuple[np.ndarray, float]:
    """Draw surveys of ten from polarity alone: everybody says pro with that probability, and weighs something.

    Parameters
    ----------
    polarity : share in favour per question, shape (questions,).
    rng : where chance comes from.
    spread : coefficient of variation of the weights, which are lognormal; 0 gives all the same, a binomial draw.

    Returns
    -------
    The draws' polarity, shape (`REPEATS`, questions), and how many people of equal weight ten of them are worth, as
    :func:`effective_people` has it.
    """
    shape = (REPEATS, len(polarity), PEOPLE)
    weight = _weights(rng.normal(size=shape), spread)
    pro = rng.random(shape) < polarity[:, None]
    return (weight * pro).sum(axis=2) / weight.sum(axis=2), effective_people(weight)


def effective_people(weight: np.ndarray) -> float:
    """How many people of equal weight vary as much as these: Kish's (1965) effective number, averaged over surveys.

    The variance of a weighted share is p (1 - p) times the sum of squared weights over the square of their sum, so it
    is this ratio that is averaged.

    Parameters
    ----------
    weight : of each respondent, those of a survey in the last axis.

    Returns
    -------
    Between 1 and the respondents of a survey.

    Examples
    --------
    >>> effective_people(np.array([[1.0, 1.0, 1.0, 1.0]])), effective_people(np.array([[1.0, 0.0, 0.0, 0.0]]))
    (4.0, 1.0)
    """
    return float(1 / ((weight**2).sum(axis=-1) / weight.sum(axis=-1) ** 2).mean())


def spread_of_weights(effective: float, rng: np.random.Generator) -> float:
    """Coefficient of variation that lognormal weights need for ten respondents to be worth so many.

    Parameters
    ----------
    effective : number of people, as from :func:`equal_people`.
    rng : where chance comes from.

    Returns
    -------
    0 where the ten are worth ten or more.
    """
    from scipy.optimize import brentq

    if effective >= PEOPLE:
        return 0.0
    normal = rng.normal(size=(20_000, PEOPLE))
    return float(brentq(lambda spread: effective_people(_weights(normal, spread)) - effective, 0, 20, xtol=1e-4))


def _weights(normal: np.ndarray, spread: float) -> np.ndarray:
    return np.exp(normal * np.sqrt(np.log1p(spread**2)))


def equal_people(consistency: float | np.ndarray, polarity: np.ndarray) -> float | np.ndarray:
    """Number of equally weighted people per survey that would be as consistent, by the closed form.

    Parameters
    ----------
    consistency : over different surveys, below 1.
    polarity : share in favour per question, in the last axis.

    Returns
    -------
    0 or more; the inverse of :func:`~whosevalues.multicultural.live.human_consistency`.

    Examples
    --------
    >>> shares = np.array([0.1, 0.5, 0.7])
    >>> print(round(equal_people(human_consistency(shares, 7), shares), 6))
    7.0
    """
    within, between = (polarity * (1 - polarity)).mean(axis=-1), polarity.var(axis=-1)
    return np.maximum(consistency, 0) * within / (between * (1 - consistency))


def table(truth: pd.DataFrame, asked: list[str], rounds: int = 20, seed: int = 0) -> pd.DataFrame:
    """Set the authors' self-consistency of ten people beside what polarity alone gives.

    Parameters
    ----------
    truth : as from :func:`~whosevalues.multicultural.released.read`.
    asked : questions that models are asked.
    rounds : runs of the simulations.
    seed : of the draws.

    Returns
    -------
    One row per `country` and `term`. 'released': the authors' figure. 'closed form', for ten people; 'closed form,
    asked', on the questions that models are asked; 'survey of 1000', for a thousand. 'ten, different draws' and 'ten,
    all pairs': simulated with equal weights. 'equal people': how many people of equal weight give the released figure.
    'spread of weights': the coefficient of variation with which ten people are worth so many, and 'ten of unequal
    weight', all pairs, simulated with it. `country` 'lowest' and 'highest' have the extremes of 'released' with the
    printed values. `value`; `low`, `high`: the 95% range of a single run (of 'equal people', by the noise of the
    authors' single run); `n` (questions), `chance`, `printed`.
    """
    wide = people.scores(truth)["country"]
    own = data.read_csv(OWN, {"cntry_AN": str, "self_consistency": float}).set_index("cntry_AN")["self_consistency"]
    parts = []
    for k, (country, released_value) in enumerate(own.items()):
        shares = wide[country].dropna()
        part = _country(shares.to_numpy(), released_value, rounds, np.random.default_rng([seed, k]))
        some = shares[shares.index.isin(asked)]
        part.append({"term": "closed form, asked", "value": human_consistency(some), "n": len(some)})
        parts.append(pd.DataFrame(part).assign(country=country).fillna({"n": len(shares)}))
    extremes = {"lowest": own.min(), "highest": own.max()}
    ends = [
        {"country": k, "term": "released", "value": v, "n": len(own), "printed": PRINTED[k]}
        for k, v in extremes.items()
    ]
    out = pd.concat([*parts, pd.DataFrame(ends)], ignore_index=True).assign(chance=0.0)
    out.loc[out["term"].isin(["equal people", "effective people"]), "chance"] = np.nan
    return out[["country", "term", "value", "low", "high", "n", "chance", "printed"]]


def _country(shares: np.ndarray, own: float, rounds: int, rng: np.random.Generator) -> list[dict[str, object]]:
    plain = [from_polarity(shares, rng)[0] for _ in range(rounds)]
    whole = [all_pairs(draws) for draws in plain]
    # The authors' figure is a single run: its noise is that of our runs.
    bounds = own + np.array([0, -1.96, 1.96]) * np.std(whole, ddof=1)
    equal, low, high = equal_people((bounds * REPEATS - 1) / (REPEATS - 1), shares)
    spread = spread_of_weights(equal, rng)
    uneven = [all_pairs(from_polarity(shares, rng, spread)[0]) for _ in range(rounds)]
    return [
        {"term": "released", "value": own},
        {"term": "closed form", "value": human_consistency(shares)},
        {"term": "survey of 1000", "value": human_consistency(shares, 1000)},
        {"term": "ten, different draws", **_range([(run * REPEATS - 1) / (REPEATS - 1) for run in whole])},
        {"term": "ten, all pairs", **_range(whole)},
        {"term": "equal people", "value": equal, "low": low, "high": high},
        {"term": "spread of weights", "value": spread},
        {"term": "ten of unequal weight", **_range(uneven)},
    ]


def _range(runs: list[float]) -> dict[str, float]:
    low, high = np.quantile(runs, [0.025, 0.975]) if len(runs) > 1 else (np.nan, np.nan)
    return {"value": float(np.mean(runs)), "low": low, "high": high}


def models(rounds: int = 200, seed: int = 0) -> pd.DataFrame:
    """How many real people a survey needs to be as consistent as a model's answers: the paper's own state of the data.

    Parameters
    ----------
    rounds : rounds of the bootstrap, which draws questions.
    seed : of the bootstrap.

    Returns
    -------
    One row per `model`, `language` and `term`: 'self-consistency' (Pearson, different responses only) and 'people',
    the number by :func:`equal_people` among the speakers of the language, on the same questions. `value`, `low`,
    `high` (95% over questions), `n` (responses), `chance`, `printed`.
    """
    responses, truth, _ = released.read(STATES[0])
    joined = released.join(responses, truth, "language")
    joined = joined[joined["group"] == joined["language"]]
    order = [model for family in MODELS.values() for model in family]
    rows = []
    for (model, language), cell in joined[joined["model"].isin(order)].groupby(["model", "language"]):
        times = resampling.question_draws(cell["question"], rounds, seed)
        found = resampling.consistency(cell, np.ones_like(times), "pearson", "distinct", times).to_numpy()[:, 0]
        first = ~cell["question"].duplicated().to_numpy()
        human = [np.repeat(cell.loc[first, "human"], line) for line in times[:, first].astype(int)]
        number = equal_people(found, np.array(human))
        for term, values in (("self-consistency", found), ("people", number)):
            low, high = np.nanquantile(values[1:], [0.025, 0.975])
            figure = {"value": values[0], "low": low, "high": high, "n": len(cell)}
            rows.append({"model": model, "language": language, "term": term} | figure)
    out = pd.DataFrame(rows).assign(printed=np.nan)
    out["chance"] = np.where(out["term"] == "people", np.nan, 0.0)
    return out.sort_values("model", key=lambda m: m.map(order.index), kind="stable", ignore_index=True)
