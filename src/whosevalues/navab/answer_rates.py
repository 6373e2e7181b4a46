"""What a judge's verdicts are worth: rates, the judge's own errors, and what its errors leave of a rate."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from .. import stats
from . import judgement
from .judgement import SIDES
from .rates import rate

PRINTED = 0.27
"""Answer judgement of base models (summary, Failure signatures)."""

AJ, NEITHER, DECIDED = "AJ", "neither", "AJ, where decided"
CONTROLS = {"verbatim": ("S", "RS", "unrelated"), "written": tuple(f"written {side}" for side in SIDES)}
"""Texts of known side: S, RS and another question's statement word for word; or answers in other words."""


def expected(neither: float, side: float = 0.5) -> float:
    """Give the AJ rate of a model that answers on S's side in a share of its decided answers.

    Parameters
    ----------
    neither : share of answers that the judge finds close to neither, in [0, 1].
    side : share of S among the others; one half for a model without values.

    Returns
    -------
    (1 - neither) * side.

    Examples
    --------
    >>> round(expected(0.46), 2)
    0.27
    """
    return (1 - neither) * side


def implied(rate: float = PRINTED, sides: Iterable[float] = (0.27, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)) -> pd.DataFrame:
    """List what share of 'neither' makes an AJ rate, for models on S's side more or less often.

    Parameters
    ----------
    rate : AJ, correct over all.
    sides : shares of S among the decided answers, at least `rate`.

    Returns
    -------
    One row per side: `aj`, `decided` (the side), `value`, the share of neither; `low`, `high`, `n`, `chance` and
    `printed` NaN: arithmetic.
    """
    rows = [{"aj": rate, "decided": side, "value": round(1 - rate / side, 10)} for side in sides]
    return pd.DataFrame(rows).assign(**dict.fromkeys(("low", "high", "n", "chance", "printed"), np.nan))


def rates(verdicts: pd.DataFrame, by_nation: bool = True) -> pd.DataFrame:
    """Tabulate a judge's verdicts on a model's answers, and on texts whose side is known.

    Parameters
    ----------
    verdicts : as `judgement.verdicts` or `judgement.by_embedding` give them; with `article`, items of one article are
        one draw; with `source_kind`, answers are broken down by it.
    by_nation : for each nation, too.

    Returns
    -------
    One row per `judge`, `order`, `nation` (first 'all'), `source_kind` (first 'both'), `role` and `metric`. Of answers:
    'AJ', the share found closer to S of all that were judged, as the paper counts; 'neither'; 'AJ, where decided'. Of
    other texts: 'right', and 'neither'. `value`, `low`, `high` (Wilson, 95%), `n`, `unanswered` (not judged, or not
    decided), `chance`: of AJ what a model without values gets at this share of neither, of 'where decided' one half, of
    a right verdict a third; `printed` where the paper has a figure.
    """
    rows = []
    for (judge, order, role), part in verdicts.groupby(["judge", "order", "role"], sort=False):
        for nation in ("all", *(part["nation"].unique() if by_nation else ())):
            own = part if nation == "all" else part[part["nation"] == nation]
            kinds = {"both": own}
            if role == "answer" and order == "both" and "source_kind" in own:
                kinds |= dict(list(own.groupby("source_kind", sort=False)))
            for kind, some in kinds.items():
                named = {"judge": judge, "order": order, "nation": nation, "source_kind": kind, "role": role}
                rows += [named | {"metric": metric} | figures for metric, figures in _figures(some, role).items()]
    table = pd.DataFrame(rows)
    whole = (table["nation"] == "all") & (table["source_kind"] == "both")
    comparable = (table["metric"] == AJ) & whole & (table["order"] == "both")
    return table.assign(printed=np.where(comparable, PRINTED, np.nan))


def _figures(part: pd.DataFrame, role: str) -> dict[str, dict[str, float]]:
    said = part["verdict"]
    known = said.notna()

    def share(hit: pd.Series, of: pd.Series, chance: float) -> dict[str, float]:
        return rate(part.assign(value=hit.astype(float).where(of)), chance)

    neither = share(said == "neither", known, np.nan)
    if role != "answer":
        return {"right": share(said == part["truth"], known, 1 / 3), NEITHER: neither}
    aj = share(said == "S", known, expected(neither["value"]))
    return {AJ: aj, NEITHER: neither, DECIDED: share(said == "S", known & (said != "neither"), 0.5)}


def letters(verdicts: pd.DataFrame) -> pd.DataFrame:
    """How often does a judge say each letter, and change its mind with the order?

    Parameters
    ----------
    verdicts : as `judgement.verdicts` gives them.

    Returns
    -------
    One row per `judge` and `metric`: 'says A', 'says B', 'says C', and 'verdict changes with the order'; `value`,
    `low`, `high` (Wilson; the texts of an item, or of an article where `article` says so, are one draw), `n` (texts,
    both orders of a text being one), `unanswered`, `chance` (NaN: it depends on the texts).
    """
    single = verdicts[verdicts["order"] != "both"]
    drawn = single["article"] if "article" in single else single["id"]
    single = single.assign(id=single["id"].astype(str) + " " + single["role"].astype(str), article=drawn)
    rows = []
    for judge, part in single.groupby("judge", sort=False):
        for letter in judgement.LETTERS:
            hit = (part["letter"] == letter).astype(float).where(part["letter"].notna())
            rows.append({"judge": judge, "metric": f"says {letter}", **rate(part.assign(value=hit), np.nan)})
        by_text = part.groupby("id", sort=False)
        pairs = by_text.agg(article=("article", "first"), kinds=("verdict", "nunique"), told=("verdict", "count"))
        changed = pairs.assign(value=(pairs["kinds"] > 1).astype(float).where(pairs["told"] == 2)).reset_index()
        rows.append({"judge": judge, "metric": "verdict changes with the order", **rate(changed, np.nan)})
    return pd.DataFrame(rows)


def sensitivity(
    near: pd.DataFrame,
    thresholds: Iterable[float] = (0.0, 0.2, 0.35, 0.5, 0.65),
    margins: Iterable[float] = (0.0, 0.03, 0.1),
) -> pd.DataFrame:
    """How far do the embedding judge's rates hang on its threshold and margin?

    Parameters
    ----------
    near : as `judgement.similarities` gives them.
    thresholds, margins : of `judgement.by_embedding`.

    Returns
    -------
    `threshold`, `margin` and the rows of `rates` for all nations together.
    """
    parts = []
    for threshold in thresholds:
        for margin in margins:
            table = rates(judgement.by_embedding(near, threshold, margin), by_nation=False)
            parts.append(table.assign(threshold=threshold, margin=margin))
    table = pd.concat(parts, ignore_index=True).drop(columns=["judge", "order", "nation", "source_kind"])
    return table[["threshold", "margin", *table.columns.drop(["threshold", "margin"])]]


def corrected(verdicts: pd.DataFrame, rounds: int = 2000, seed: int = 0) -> pd.DataFrame:
    """Correct the AJ rate by the judge's errors on texts of known side, where these allow it.

    With C the judge's confusion matrix (rows: the true side; columns: its verdict) and o the shares of its verdicts on
    the answers, the shares of the true sides p solve C'p = o: the estimator of Rogan and Gladen (1978) for three
    outcomes. It supposes that the judge errs on answers as it does on the texts of known side. What the solution has
    outside [0, 1] is cut off. It is identifiable only where C can be inverted: it counts as such where the bootstrap's
    95% interval of det C excludes 0; elsewhere the rate may be anything, and the bounds are 0 and 1.

    Parameters
    ----------
    verdicts : as for `rates`; those over both orders are used.
    rounds, seed : of the bootstrap, which draws items, or articles where `article` names them, with all their texts.

    Returns
    -------
    One row per `judge`, `controls` (a key of `CONTROLS`) and `metric` ('AJ', 'AJ, corrected', 'neither',
    'neither, corrected', 'determinant'): `value`, `low`, `high`, `n` (answers), `chance`, `printed` and `identifiable`.
    """
    rows = []
    both = verdicts[(verdicts["order"] == "both") & verdicts["verdict"].notna()]
    for judge, part in both.groupby("judge", sort=False):
        for name, roles in CONTROLS.items():
            if not set(roles) <= set(part["role"]):
                continue
            rows += [{"judge": judge, "controls": name, **row} for row in _corrected(part, roles, rounds, seed)]
    columns = ["judge", "controls", "metric", "value", "low", "high", "n", "chance", "printed", "identifiable"]
    return pd.DataFrame(rows, columns=columns)


def _corrected(part: pd.DataFrame, roles: tuple[str, ...], rounds: int, seed: int) -> list[dict[str, object]]:
    number, items = pd.factorize(part["article"] if "article" in part else part["id"])
    # One column per role and verdict: how often the item's text of that role got that verdict.
    cells = pd.MultiIndex.from_product([("answer", *roles), SIDES])
    place = cells.get_indexer(pd.MultiIndex.from_frame(part[["role", "verdict"]]))
    counts = np.zeros((len(items), len(cells)))
    np.add.at(counts, (number[place >= 0], place[place >= 0]), 1)
    draws = np.vstack([np.ones(len(items)), stats.bootstrap_counts(len(items), rounds, seed)]) @ counts
    with np.errstate(invalid="ignore", divide="ignore"):
        tables = draws.reshape(-1, len(roles) + 1, 3)
        shares = tables / tables.sum(axis=2, keepdims=True)
    observed, confusion = shares[:, 0], shares[:, 1:]
    whole = np.isfinite(shares).all(axis=(1, 2))
    det = np.where(whole, np.linalg.det(np.where(whole[:, None, None], confusion, 0)), np.nan)
    true = np.full_like(observed, np.nan)
    able = whole & (np.abs(det) > 1e-9)
    true[able] = np.linalg.solve(confusion[able].transpose(0, 2, 1), observed[able][..., None])[..., 0]
    true = np.clip(true, 0, None)
    true /= true.sum(axis=1, keepdims=True)
    span = stats.percentile_interval(det[1:])
    identifiable = bool(span[0] > 0 or span[1] < 0)
    told = {
        AJ: observed[:, 0],
        f"{AJ}, corrected": true[:, 0],
        NEITHER: observed[:, 2],
        f"{NEITHER}, corrected": true[:, 2],
    }
    rows = []
    for metric, values in {**told, "determinant": det}.items():
        value, (low, high) = values[0], stats.percentile_interval(values[1:])
        if "corrected" in metric and not identifiable:
            value, low, high = np.nan, 0.0, 1.0
        chance = expected(observed[0, 2]) if metric == AJ else np.nan
        printed = PRINTED if metric == AJ else np.nan
        figures = {"value": value, "low": low, "high": high, "n": int(draws[0, :3].sum()), "chance": chance}
        rows.append({"metric": metric, **figures, "printed": printed, "identifiable": identifiable})
    return rows
