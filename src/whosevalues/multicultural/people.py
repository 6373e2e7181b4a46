"""What people think: the released value polarity scores, and how alike countries are in them.

Sections 2.1 and 3 and Figure 2 of "Multilingual != Multicultural" (Rystrøm, Kirk and Hale, 2025).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from .. import data, stats
from . import released
from .microdata import codebook
from .names import STATES

TRUTHS = released.files(STATES[1])[2:]
OLDER = "multicultural/head-2025-08/ground_truth_all_countries.csv"

USUAL = (0.7, 0.95)
"""Where most correlations between countries lie, as the caption of Figure 2 says."""


def scores(truth: pd.DataFrame) -> pd.DataFrame:
    """Lay the value polarity scores out, a row per question and a column per group of people.

    Parameters
    ----------
    truth : as from :func:`~whosevalues.multicultural.released.read`.

    Returns
    -------
    Columns (`level`, `group`): countries, then languages, then the world; in [0, 1], NaN where a question has none.
    """
    wide = truth.pivot(index="question", columns=["level", "group"], values="human")
    return wide[sorted(wide, key=lambda column: (["country", "language", "global"].index(column[0]), column[1]))]


def groups(truth: pd.DataFrame) -> pd.DataFrame:
    """Count for whom there is ground truth, and on how many questions.

    Parameters
    ----------
    truth : as from :func:`~whosevalues.multicultural.released.read`.

    Returns
    -------
    One row per `level`, `group` and `term`: 'questions' with a score, and of a language its 'countries'. `language` of
    the group; `value`, `low`, `high`, `n` (questions of all groups together), `chance`, `printed`.
    """
    questions = truth.groupby(["level", "group", "group_language"], dropna=False)["question"].nunique()
    questions = questions.rename("value").reset_index().assign(term="questions")
    spoken = truth[truth["level"] == "country"].groupby("group_language")["group"].nunique()
    countries = spoken.rename("value").rename_axis("group").reset_index().assign(level="language", term="countries")
    countries["group_language"] = countries["group"]
    table = pd.concat([questions, countries], ignore_index=True).rename(columns={"group_language": "language"})
    table = table.assign(low=np.nan, high=np.nan, n=truth["question"].nunique(), chance=np.nan, printed=np.nan)
    return table[["level", "group", "language", "term", "value", "low", "high", "n", "chance", "printed"]]


def correlations(truth: pd.DataFrame, rounds: int = 1000, seed: int = 0) -> pd.DataFrame:
    """Correlate the value polarity scores of all groups of people with each other (Figure 2).

    Parameters
    ----------
    truth : as from :func:`~whosevalues.multicultural.released.read`.
    rounds, seed : of the bootstrap, which draws questions.

    Returns
    -------
    One row per pair: `level`, `group`, `other_level`, `other`; `value`, the Pearson correlation over the questions that
    both have; `low`, `high` (95% percentile interval over the questions), `n` (questions), `chance`, `printed`.
    """
    wide = scores(truth)
    drawn = _bootstrap_correlations(wide.to_numpy(), rounds, seed)
    values = correlation_matrices(np.ones((1, len(wide))), wide.to_numpy())[0]
    known = wide.notna().to_numpy().astype(int)
    first, second = np.triu_indices(wide.shape[1], 1)
    low, high = np.nanquantile(drawn[:, first, second], [0.025, 0.975], axis=0)
    names = wide.columns.to_frame(index=False)
    return pd.DataFrame(
        {
            "level": names["level"].to_numpy()[first],
            "group": names["group"].to_numpy()[first],
            "other_level": names["level"].to_numpy()[second],
            "other": names["group"].to_numpy()[second],
            "value": values[first, second],
            "low": low,
            "high": high,
            "n": (known.T @ known)[first, second],
            "chance": 0.0,
            "printed": np.nan,
        }
    )


def correlation_matrices(counts: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Pearson correlations between columns, pairwise over the rows that both have, for rows drawn several times.

    Parameters
    ----------
    counts : how often each row is drawn, shape (rounds, rows).
    scores : shape (rows, columns), NaN where missing.

    Returns
    -------
    Shape (rounds, columns, columns).

    Examples
    --------
    >>> correlation_matrices(np.ones((1, 3)), np.array([[1, 2], [2, 4], [3, 9.0]])).round(3)[0, 0].tolist()
    [1.0, 0.971]
    """
    known, filled = ~np.isnan(scores), np.nan_to_num(scores)
    rows, columns = scores.shape

    def sums(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        products = (a[:, :, None] * b[:, None, :]).reshape(rows, -1)
        return (counts @ products).reshape(len(counts), columns, columns)

    n, both = sums(known, known), sums(filled, filled)
    one, square = sums(filled, known), sums(filled**2, known)
    other, other_square = one.swapaxes(1, 2), square.swapaxes(1, 2)
    with np.errstate(invalid="ignore", divide="ignore"):
        return (n * both - one * other) / np.sqrt((n * square - one**2) * (n * other_square - other**2))


def _bootstrap_correlations(scores: np.ndarray, rounds: int, seed: int) -> np.ndarray:
    """Correlate columns in resamples of the rows: :func:`correlation_matrices` of a flat bootstrap."""
    return correlation_matrices(stats.bootstrap_counts(len(scores), rounds, seed), scores)


def pairs(truth: pd.DataFrame, prompted: pd.DataFrame, rounds: int = 1000, seed: int = 0) -> pd.DataFrame:
    """Count the correlations of Figure 2 by where they lie.

    Parameters
    ----------
    truth : as from :func:`~whosevalues.multicultural.released.read`.
    prompted : as from :func:`~whosevalues.multicultural.asked.prompted`.
    rounds, seed : of the bootstrap, which draws questions.

    Returns
    -------
    One row per set of `questions` ('all', or 'asked': those that models are asked), `groups` ('countries', or
    'countries and world') and `term`: the share of pairs that are 'positive', '.7 to .95', 'above .95' and 'below .7';
    'share less half', how far the share at .7 to .95 lies above one half; and the 'lowest', 'middle' and 'highest'
    correlation. `value`, `low`, `high` (95% over questions), `n` (pairs), `chance`, `printed`.
    """
    wide = scores(truth).drop(columns="language", level="level")
    rows = []
    for questions, part in (("all", wide), ("asked", wide[wide.index.isin(prompted.index)])):
        for groups, table in (("countries", part.drop(columns="global", level="level")), ("countries and world", part)):
            upper = np.triu_indices(table.shape[1], 1)
            own = correlation_matrices(np.ones((1, len(table))), table.to_numpy())[:, *upper]
            drawn = _bootstrap_correlations(table.to_numpy(), rounds, seed)[:, *upper]
            for term, function in _PLACES.items():
                low, high = np.quantile(function(drawn), [0.025, 0.975])
                figure = {"value": function(own)[0], "low": low, "high": high, "n": own.shape[1]}
                rows.append({"questions": questions, "groups": groups, "term": term} | figure)
    return pd.DataFrame(rows).assign(chance=np.nan, printed=np.nan)


_PLACES = {
    "positive": lambda r: (r > 0).mean(axis=1),
    ".7 to .95": lambda r: ((r >= USUAL[0]) & (r <= USUAL[1])).mean(axis=1),
    "above .95": lambda r: (r > USUAL[1]).mean(axis=1),
    "below .7": lambda r: (r < USUAL[0]).mean(axis=1),
    "share less half": lambda r: ((r >= USUAL[0]) & (r <= USUAL[1])).mean(axis=1) - 0.5,
    "lowest": lambda r: r.min(axis=1),
    "middle": lambda r: np.median(r, axis=1),
    "highest": lambda r: r.max(axis=1),
}


def distinct(truth: pd.DataFrame, rounds: int = 1000, seed: int = 0) -> pd.DataFrame:
    """How distinct Brazil, Portugal and the US are from each other (section 3).

    Parameters
    ----------
    truth : as from :func:`~whosevalues.multicultural.released.read`.
    rounds, seed : of the bootstrap, which draws questions.

    Returns
    -------
    One row per pair and `term`: 'correlation'; 'correlation less middle', with the median over all pairs of countries
    taken off; 'mean difference', between their scores, in absolute value. `group`, `other`, `value`, `low`, `high`
    (95% over questions), `n` (questions), `chance`, `printed`.
    """
    wide = scores(truth)["country"]
    counts = stats.bootstrap_counts(len(wide), rounds, seed)
    counts = np.vstack([np.ones((1, len(wide))), counts])
    drawn, upper = correlation_matrices(counts, wide.to_numpy()), np.triu_indices(wide.shape[1], 1)
    middle = np.median(drawn[:, *upper], axis=1)
    rows = []
    for one, other in (("BR", "PT"), ("BR", "US"), ("PT", "US")):
        r = drawn[:, wide.columns.get_loc(one), wide.columns.get_loc(other)]
        away = (wide[one] - wide[other]).abs()
        known = away.notna().to_numpy()
        mean = counts[:, known] @ away[known] / counts[:, known].sum(axis=1)
        for term, values in (("correlation", r), ("correlation less middle", r - middle), ("mean difference", mean)):
            low, high = np.quantile(values[1:], [0.025, 0.975])
            figure = {"value": values[0], "low": low, "high": high, "n": int(known.sum())}
            rows.append({"group": one, "other": other, "term": term} | figure)
    return pd.DataFrame(rows).assign(chance=np.nan, printed=np.nan)


def older(truth: pd.DataFrame) -> pd.DataFrame:
    """Hold the authors' older ground truth against the one in use.

    Parameters
    ----------
    truth : as from :func:`~whosevalues.multicultural.released.read`.

    Returns
    -------
    One row per `term`: 'e035' (income equality), 'e035 turned round' (one less the older score), '3-point' to
    '10-point' scales (without E035), 'all'. `value`, the mean absolute difference over the countries and questions
    that both have; `low`, `high`, its 95% interval over questions (NaN for a single one); `n` (scores); `chance`,
    `printed`.
    """
    table = data.read_csv(OLDER, {"cntry_an": str, "question_key": str, "pro_score": float})
    table = table.rename(columns={"cntry_an": "group", "question_key": "question"})
    both = truth[truth["level"] == "country"].merge(table, on=["group", "question"])
    both["away"] = (both["human"] - both["pro_score"]).abs()
    points = both["question"].map(codebook().set_index("question")["maximum"])
    income = both["question"] == "e035"
    turned = both[income].assign(away=(both["human"] + both["pro_score"] - 1).abs())
    parts = {"all": both, "e035": both[income], "e035 turned round": turned}
    parts |= {f"{k}-point": both[(points == k) & ~income] for k in sorted(points.unique())}
    rows = []
    for term, part in parts.items():
        low, high = stats.cluster_interval(part, "away", "question")
        rows.append({"term": term, "value": part["away"].mean(), "low": low, "high": high, "n": len(part)})
    return pd.DataFrame(rows).assign(chance=np.nan, printed=np.nan)
