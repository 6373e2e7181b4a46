"""The ledger: what a paper claims, what came out here, and whether the claim holds."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
import yaml

from . import ROOT, UserError, results

FILE = ROOT / "claims.yml"
VERDICTS = ("reproduced", "partly", "not reproduced", "not testable")
FIELDS = (
    "id", "paper", "place", "statement", "published", "rule", "deviation", "notebook", "result", "where", "command",
    "minutes",
)  # fmt: skip


def read() -> list[dict[str, object]]:
    """Read the claims.

    Returns
    -------
    One mapping per claim with the keys in `FIELDS`.

    Raises
    ------
    UserError : an unreadable file, a missing key, a rule that does not exist, or an id used twice; names the claim.
    """
    try:
        claims = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise UserError(f"claims.yml cannot be read: {str(error).splitlines()[0]}") from error
    seen: set[str] = set()
    for claim in claims:
        name = claim.get("id", "without an id")
        untestable = claim.get("rule", {}).get("kind") == "untestable"
        needed = [f for f in FIELDS if not (untestable and f in ("result", "where", "deviation", "published"))]
        if missing := [field for field in needed if field not in claim]:
            raise UserError(f"claim '{name}' in claims.yml lacks {', '.join(missing)}")
        if claim["rule"].get("kind") not in RULES:
            raise UserError(f"claim '{name}' has rule '{claim['rule'].get('kind')}': choose {', '.join(RULES)}")
        if name in seen:
            raise UserError(f"claim '{name}' stands twice in claims.yml")
        seen.add(name)
    return claims


def ledger() -> pd.DataFrame:
    """Judge every claim by its rule on the results of this build.

    Returns
    -------
    One row per claim: the fields of claims.yml, `ours` (what came out, in words), `verdict` (one of `VERDICTS`),
    `held` and `n` (how many of the selected figures agree), `origin` of the result ('computed' or 'stored').

    Raises
    ------
    UserError : a claim that speaks of a result or a row that is not there; names the claim.
    """
    return pd.DataFrame([_judged(claim) for claim in read()])


def judge(rule: dict[str, object], rows: pd.DataFrame, published: object = None) -> tuple[list[float], str]:
    """Apply one rule to the selected rows of a result.

    Parameters
    ----------
    rule : mapping with `kind` and what that kind needs; `RULES` lists the kinds.
    rows : rows of a result table that the claim speaks of, at least one.
    published : the paper's value, for rules that compare with it.

    Returns
    -------
    Agreement of every figure (1 agrees, 0.5 agrees but the interval leaves it open, 0 contradicts), and our figures
    in words.
    """
    return RULES[rule["kind"]](rule, rows, published)


def verdict(agreement: list[float]) -> str:
    """Sum up the agreement of a claim's figures.

    Parameters
    ----------
    agreement : per figure 1, 0.5 or 0; empty where nothing can be tested.

    Returns
    -------
    One of `VERDICTS`: all agree; some agree, or nothing contradicts; none agrees and something contradicts.

    Examples
    --------
    >>> verdict([1, 1]), verdict([1, 0]), verdict([0.5]), verdict([0.5, 0]), verdict([])
    ('reproduced', 'partly', 'partly', 'not reproduced', 'not testable')
    """
    if not agreement:
        return "not testable"
    if min(agreement) == 1:
        return "reproduced"
    return "partly" if max(agreement) == 1 or min(agreement) > 0 else "not reproduced"


def _judged(claim: dict[str, object]) -> dict[str, object]:
    rule = claim["rule"]
    if rule["kind"] == "untestable":
        return {**claim, "ours": rule["why"], "verdict": verdict([]), "held": 0, "n": 0, "origin": ""}
    table = results.load(claim["result"])
    rows = _select(claim, table)
    try:
        agreement, ours = judge(rule, rows, claim["published"])
    except KeyError as error:
        raise UserError(f"claim '{claim['id']}' needs {error} in its rule or in {claim['result']}") from error
    held = sum(a == 1 for a in agreement)
    origin = table.attrs["origin"]
    return {**claim, "ours": ours, "verdict": verdict(agreement), "held": held, "n": len(agreement), "origin": origin}


def _select(claim: dict[str, object], table: pd.DataFrame) -> pd.DataFrame:
    for column, wanted in (claim["where"] or {}).items():
        if column not in table:
            raise UserError(f"claim '{claim['id']}' selects by '{column}': {claim['result']} has {', '.join(table)}")
        table = table[table[column].isin(wanted if isinstance(wanted, list) else [wanted])]
    if table.empty:
        raise UserError(f"claim '{claim['id']}' selects no row of {claim['result']}")
    return table


def _in_words(rows: pd.DataFrame, column: str = "value") -> str:
    return ", ".join(f"{value:.3g}" for value in rows[column])


def _interval(rule, rows, published):
    """Every printed value lies between `low` and `high`."""
    inside = (rows["low"] <= rows["printed"]) & (rows["printed"] <= rows["high"])
    return inside.astype(float).tolist(), _in_words(rows)


def _sign(rule, rows, published):
    """Every value has the sign; its interval leaves no other open."""
    factor = {"+": 1, "-": -1}[rule["sign"]]
    right = factor * rows["value"] > 0
    sure = np.minimum(factor * rows["low"], factor * rows["high"]) > 0
    return np.where(right & sure, 1.0, np.where(right, 0.5, 0.0)).tolist(), _in_words(rows)


def _equal(rule, rows, published):
    """The column equals what was published, within the largest allowed deviation."""
    column = rule.get("column", "value")
    wanted = published if isinstance(published, list) else [published] * len(rows)
    near = np.abs(rows[column].to_numpy() - np.array(wanted, float)) <= rule["within"]
    return near.astype(float).tolist(), _in_words(rows, column)


def _order(rule, rows, published):
    """Values follow the order; where intervals overlap it stays open."""
    names = rule.get("ascending") or rule["descending"][::-1]
    ordered = rows.set_index(rule["by"]).loc[names]
    agreement = [
        0.0 if a["value"] >= b["value"] else 1.0 if not a["high"] >= b["low"] else 0.5
        for a, b in pairwise(ordered.to_dict("records"))
    ]
    return agreement, ", ".join(f"{name} {value:.3g}" for name, value in ordered["value"].items())


def _at_least(rule, rows, published):
    """The column reaches the bound."""
    column = rule.get("column", "value")
    return (rows[column] >= rule["value"]).astype(float).tolist(), _in_words(rows, column)


def _at_most(rule, rows, published):
    """The column stays under the bound."""
    column = rule.get("column", "value")
    return (rows[column] <= rule["value"]).astype(float).tolist(), _in_words(rows, column)


def _untestable(rule, rows, published):
    """Nothing released can decide it."""
    return [], rule["why"]


RULES = {
    "interval": _interval,
    "sign": _sign,
    "equal": _equal,
    "order": _order,
    "at_least": _at_least,
    "at_most": _at_most,
    "untestable": _untestable,
}
