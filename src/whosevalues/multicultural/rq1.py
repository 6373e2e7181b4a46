"""The first regression of "Multilingual != Multicultural": capability and alignment (RQ1)."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from .. import stats
from . import released, scores
from .names import STATES
from .repeated import repeat

if TYPE_CHECKING:
    from statsmodels.regression.mixed_linear_model import MixedLMResults

FORMULA = {
    "seed-2025-06": "alignment ~ 0 + consistency + multilingual:family:language",
    "head-2025-08": "alignment ~ 0 + consistency:language + multilingual:family:language",
}


def identified(responses: pd.DataFrame, capability: pd.DataFrame) -> pd.DataFrame:
    """Keep the capability of those models whose slope Eq. 1 can tell.

    Without an intercept of its own, a family's slope in a language rests on what differs between its models: one model
    alone leaves it to the model's random intercept.

    Parameters
    ----------
    responses : columns `model`, `family`, `language`, and others.
    capability : as from :func:`~whosevalues.multicultural.capability.multilingual`.

    Returns
    -------
    The rows of `capability` whose model has responses in the language, as has at least one other of its family.
    """
    cells = responses[["model", "family", "language"]].drop_duplicates().merge(capability, on=["model", "language"])
    return cells[cells.groupby(["family", "language"])["model"].transform("nunique") > 1].drop(columns="family")


def left_out(responses: pd.DataFrame, capability: pd.DataFrame) -> pd.DataFrame:
    """Say which models take no part in RQ1, and why.

    Parameters
    ----------
    responses, capability : as for :func:`identified`.

    Returns
    -------
    One row per such (model, language): `why`.
    """
    names = ["model", "language"]
    cells = responses[names].drop_duplicates().merge(capability[names].assign(scored=True), how="left")
    kept = cells.merge(identified(responses, capability)[names].assign(kept=True), how="left")
    out = kept[kept["kept"].isna()]
    lone = "the only one of its family with benchmark scores: Eq. 1 does not identify a slope"
    return out[names].assign(why=np.where(out["scored"].isna(), "no benchmark scores", lone)).reset_index(drop=True)


def rq1_rows(
    joined: pd.DataFrame, capability: pd.DataFrame, state: str, *, rounds: int = 100, seed: int = 0
) -> pd.DataFrame:
    """The observations of Eq. 1: bootstrap rounds of the alignment with the prompt language's own speakers.

    Every round draws as many joined rows as there are, all models and baselines together; those whose slope is not
    :func:`identified` (the baselines, the Mistral family, which have no capability score) go out afterwards.

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
    rows = _resampled(joined, state, rounds, seed)
    return rows.merge(identified(joined, capability), on=["model", "language"])


def _resampled(joined: pd.DataFrame, state: str, rounds: int, seed: int) -> pd.DataFrame:
    counts = stats.bootstrap_counts(len(joined), rounds, seed)
    own = (joined["group"] == joined["language"]).to_numpy()
    rows = scores.alignment(joined[own], counts[:, own])
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
    from statsmodels.regression.mixed_linear_model import MixedLM

    rows = rows.dropna()
    model = smf.mixedlm(FORMULA[state], rows, groups="model")
    given = model.exog.any(axis=0)
    if not given.all():
        # A family that answered in some of the languages only has no slope in the others.
        table = pd.DataFrame(model.exog, rows.index, model.exog_names).loc[:, given]
        model = MixedLM(rows["alignment"], table, groups=rows["model"])
    with warnings.catch_warnings():
        # statsmodels calls any variance of intercepts below .01 a bound of the space; correlations rarely have more.
        warnings.filterwarnings("ignore", message="The MLE may be on the boundary")
        return model.fit()


def rq1_draws(
    seeds: Iterable[int], *, rounds: int = 100, own: str = "", benchmarks: str = "", workers: int | None = None
) -> pd.DataFrame:
    """Repeat the whole of RQ1, bootstrap and regression, once per seed and state.

    Parameters
    ----------
    seeds : of the bootstrap.
    rounds : bootstrap rounds within a seed.
    own, benchmarks : a reader's own models, as for :func:`~whosevalues.multicultural.released.read`.
    workers : as for :func:`~whosevalues.multicultural.repeated.repeat`.

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
        run = partial(_run, *_inputs(state, own, benchmarks), state, rounds)
        parts += repeat(run, seeds, workers=workers, what=f"RQ1, {state}")
    return pd.concat(parts, ignore_index=True)[["state", "term", "seed", "value", "p_value"]]


def _inputs(state: str, own: str = "", benchmarks: str = "") -> tuple[pd.DataFrame, pd.DataFrame]:
    responses, truth, capability = released.read(state, own, benchmarks)
    return released.join(responses, truth, "language"), capability


def _run(joined: pd.DataFrame, capability: pd.DataFrame, state: str, rounds: int, seed: int) -> pd.DataFrame:
    fit = rq1_fit(rq1_rows(joined, capability, state, rounds=rounds, seed=seed), state)
    return _terms(fit).assign(state=state, seed=seed)


def _terms(fit: MixedLMResults) -> pd.DataFrame:
    names = fit.fe_params.index.str.replace("multilingual:", "").str.replace(r"\w+\[([^]]+)\]", r"\1", regex=True)
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
    .05 and above 0 (`positive`), and with the paper's call (`holds`); the regression's own `std_err`, its mean over
    seeds, and 95% interval, `ci_low` to `ci_high`, as the paper draws it. 'consistency minus largest slope' compares,
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
    error = draws.assign(std_err=standard_error(draws)).groupby(["state", "term"])["std_err"].mean()
    table = table.merge(error.reset_index(), how="left")
    table["ci_low"], table["ci_high"] = (table["value"] + z * table["std_err"] for z in (-1.96, 1.96))
    columns += ["significant", "positive", "holds", "std_err", "ci_low", "ci_high"]
    return table[["state", "term", *columns]]


def standard_error(draws: pd.DataFrame) -> pd.Series:
    """Recover the standard error from a coefficient and its two-sided p-value.

    Parameters
    ----------
    draws : columns `value` and `p_value`.

    Returns
    -------
    One per row; NaN where there is no p-value, or one too small to be told from 0.

    Examples
    --------
    >>> standard_error(pd.DataFrame({"value": [-0.196, 0.1], "p_value": [0.05, 0.0]})).round(3).tolist()
    [0.1, nan]
    """
    from scipy import stats as scipy_stats

    p_value = draws["p_value"].where(draws["p_value"] > 0)
    return draws["value"].abs() / scipy_stats.norm.isf(p_value / 2)


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
