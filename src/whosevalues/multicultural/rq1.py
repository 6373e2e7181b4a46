"""The first regression of "Multilingual != Multicultural": capability and alignment (RQ1)."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from .. import stats
from . import released, scores
from .names import STATES

if TYPE_CHECKING:
    from statsmodels.regression.mixed_linear_model import MixedLMResults

FORMULA = {
    "seed-2025-06": "alignment ~ 0 + consistency + multilingual:family:language",
    "head-2025-08": "alignment ~ 0 + consistency:language + multilingual:family:language",
}


def rq1_rows(
    joined: pd.DataFrame, capability: pd.DataFrame, state: str, *, rounds: int = 100, seed: int = 0
) -> pd.DataFrame:
    """The observations of Eq. 1: bootstrap rounds of the alignment with the prompt language's own speakers.

    Every round draws as many joined rows as there are, all models and baselines together; those without a
    capability score (the baselines, the Mistral family) go out afterwards.

    Parameters
    ----------
    joined : responses and ground truth per language, as from :func:`~whosevalues.multicultural.released.join`.
    capability : as from :func:`~whosevalues.multicultural.capability.multilingual`.
    state : decides how consistency is measured.
    rounds, seed : of the bootstrap.

    Returns
    -------
    One row per (round, model, language): `alignment`, `consistency`, `multilingual`, `family`.
    """
    counts = stats.bootstrap_counts(len(joined), rounds, seed)
    own = (joined["group"] == joined["language"]).to_numpy()
    rows = scores.alignment(joined[own], counts[:, own]).merge(capability, on=["model", "language"])
    rows = rows.merge(scores.consistency(joined, counts, state), on=["round", "model", "language"])
    return rows.merge(joined[["model", "family"]].drop_duplicates(), on="model")


def rq1_fit(rows: pd.DataFrame, state: str) -> MixedLMResults:
    """Fit Eq. 1: a linear mixed model with a random intercept per model, by REML.

    Parameters
    ----------
    rows : as from :func:`rq1_rows`.
    state : decides the formula, see `FORMULA`.

    Returns
    -------
    The fitted model of statsmodels.
    """
    import statsmodels.formula.api as smf

    return smf.mixedlm(FORMULA[state], rows, groups="model").fit()


def rq1_draws(seeds: Iterable[int], *, rounds: int = 100) -> pd.DataFrame:
    """Repeat the whole of RQ1, bootstrap and regression, once per seed and state.

    Parameters
    ----------
    seeds : of the bootstrap.
    rounds : bootstrap rounds within a seed.

    Returns
    -------
    One row per (state, term, seed): `value` and `p_value`. Terms are those of Eq. 1, written 'consistency',
    'consistency:da' or 'gemma:da' (the slope of multilingual capability), and 'residual variance', 'intercept
    variance', 'log-likelihood' and 'observations', which have no p-value.

    Raises
    ------
    UserError : no seed at all.
    """
    seeds, parts = stats.at_least_one(seeds), []
    for state in STATES:
        responses, truth, capability = released.read(state)
        joined = released.join(responses, truth, "language")
        for seed in seeds:
            fit = rq1_fit(rq1_rows(joined, capability, state, rounds=rounds, seed=seed), state)
            parts.append(_terms(fit).assign(state=state, seed=seed))
    return pd.concat(parts, ignore_index=True)[["state", "term", "seed", "value", "p_value"]]


def _terms(fit: MixedLMResults) -> pd.DataFrame:
    names = fit.fe_params.index.str.replace("multilingual:", "").str.replace(r"\w+\[(\w+)\]", r"\1", regex=True)
    slopes = pd.DataFrame({"term": names, "value": fit.fe_params.to_numpy()})
    slopes["p_value"] = fit.pvalues[fit.fe_params.index].to_numpy()
    rest = {
        "residual variance": fit.scale,
        "intercept variance": fit.cov_re.iloc[0, 0],
        "log-likelihood": fit.llf,
        "observations": fit.nobs,
    }
    return pd.concat([slopes, pd.DataFrame({"term": rest.keys(), "value": rest.values()})], ignore_index=True)


def rq1_table(draws: pd.DataFrame) -> pd.DataFrame:
    """Set every coefficient of RQ1 beside the printed one.

    Parameters
    ----------
    draws : as from :func:`rq1_draws`.

    Returns
    -------
    One row per (state, term): `value` (mean over seeds), `sd`, `low` and `high` (Monte-Carlo interval of a single
    run, see :func:`stats.monte_carlo_interval`), `n` (seeds), `chance`, `printed`, `place`; `call`, what the paper
    says of significance ('+', '-' or '0' at the 5% level); the share of seeds with p < .05 (`significant`), with p <
    .05 and above 0 (`positive`), and with the paper's call (`holds`). 'consistency minus largest slope' compares,
    within a seed, the consistency coefficient with the largest slope of capability (at HEAD within the language);
    'joint test' is the p-value of all printed slopes together.
    """
    printed = printed_figures("rq1")
    table = stats.monte_carlo_interval(pd.concat([draws, _lead(draws)]), ["state", "term"])
    table = table.merge(printed, on=["state", "term"], how="left")
    slopes = draws.dropna(subset="p_value").merge(printed, on=["state", "term"])
    made = np.where(slopes["p_value"] < 0.05, np.where(slopes["value"] > 0, "+", "-"), "0")
    slopes = slopes.assign(significant=made != "0", positive=made == "+", holds=made == slopes["call"], chance=0.0)
    shares = ["significant", "positive", "holds"]
    shares = slopes.groupby(["state", "term"])[[*shares, "chance"]].mean().reset_index()
    joint = jointly(draws.dropna(subset="p_value"), "term", printed[["state", "term", "printed"]])
    table = pd.concat([table.merge(shares, how="left"), joint], ignore_index=True)
    columns = ["value", "sd", "low", "high", "n", "chance", "printed", "place", "call"]
    return table[["state", "term", *columns, "significant", "positive", "holds"]]


def _lead(draws: pd.DataFrame) -> pd.DataFrame:
    terms = draws.dropna(subset="p_value")
    of = np.where(terms["state"] == STATES[0], "", terms["term"].str.extract(":(.*)", expand=False))
    terms = terms.assign(of=of, cons=terms["term"].str.startswith("consistency"))
    best = terms.groupby(["state", "of", "seed", "cons"])["value"].max().unstack()
    table = (best[True] - best[False]).rename("value").reset_index()
    suffix = np.where(table["of"] == "", "", ":" + table["of"])
    return table.assign(term="consistency minus largest slope" + pd.Series(suffix)).drop(columns="of")


def jointly(draws: pd.DataFrame, figure: str, printed: pd.DataFrame) -> pd.DataFrame:
    """Test all printed figures of a state at once, see :func:`stats.joint_test`.

    Parameters
    ----------
    draws : one row per (state, `figure`, `seed`), with `value`.
    figure : column that names the figure.
    printed : `printed` by `state` and what else `draws` shares with it.

    Returns
    -------
    One row per state that has printed figures: `figure` 'joint test', `value` (the p-value), `n` (seeds).
    """
    rows = []
    for state, part in draws.merge(printed.dropna(subset="printed")).groupby("state", sort=False):
        wide = part.pivot(index="seed", columns=figure, values="value")
        test = stats.joint_test(wide.to_numpy(), part.groupby(figure)["printed"].first()[wide.columns].to_numpy())
        rows.append({"state": state, figure: "joint test", "value": test["p_value"], "n": test["n"]})
    return pd.DataFrame(rows)


def printed_figures(question: str) -> pd.DataFrame:
    """Read the paper's figures and those of the regression tables that the authors published with their code.

    Parameters
    ----------
    question : 'rq1' or 'rq2'.

    Returns
    -------
    One row per figure: `state`, `place`, `term`, `printed`, and what else names it.
    """
    table = pd.read_csv(Path(__file__).with_name("printed.csv"))
    return table[table["question"] == question].drop(columns="question").dropna(axis=1, how="all")
