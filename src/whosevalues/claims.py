"""The ledger: what a paper claims, what came out here, and whether the claim holds."""

from __future__ import annotations

from itertools import pairwise, product

import numpy as np
import pandas as pd
import yaml

from . import ROOT, UserError, results

FILE = ROOT / "claims.yml"
VERDICTS = ("reproduced", "partly", "not reproduced", "not testable")
ABOUT = ("paper", "later data")
"""What a claim speaks of: the paper's own data, or what the authors added later."""
MANY = 6
"""More figures than these are summed up instead of listed."""
MEASURES = ("metric", "measure", "statement")
"""Columns that say what a figure measures; a lone figure is named by them."""
NOTHING = 1e-12
"""What lies closer to 0 is what the computer's arithmetic left of it."""
FIELDS = (
    "id", "paper", "about", "place", "statement", "published", "rule", "deviation", "notebook", "result", "where",
    "command", "minutes",
)  # fmt: skip


def read() -> list[dict[str, object]]:
    """Read the claims.

    Returns
    -------
    One mapping per claim with the keys in `FIELDS`.

    Raises
    ------
    UserError : an unreadable file, one that is no list of claims, a missing key, a rule that does not exist, or an id
        used twice; names the claim.
    """
    try:
        # libyaml reads several times as fast, where it is there.
        claims = yaml.load(FILE.read_text(encoding="utf-8"), getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (OSError, yaml.YAMLError) as error:
        raise UserError(f"claims.yml cannot be read: {str(error).splitlines()[0]}") from error
    if not isinstance(claims, list) or not claims:
        raise UserError(f"claims.yml holds no list of claims: each begins with '- id:' and has {', '.join(FIELDS)}")
    seen: set[str] = set()
    for claim in claims:
        _check(claim)
        if claim["id"] in seen:
            raise UserError(f"claim '{claim['id']}' stands twice in claims.yml")
        seen.add(claim["id"])
    return claims


def _check(claim: object) -> None:
    if not isinstance(claim, dict):
        raise UserError(f"claims.yml has '{claim}' where a claim belongs: it needs {', '.join(FIELDS)}")
    name, rule = claim.get("id", "without an id"), claim.get("rule") or {}
    kind = rule.get("kind") if isinstance(rule, dict) else rule
    needed = [f for f in FIELDS if not (kind == "untestable" and f in ("result", "where", "deviation", "published"))]
    if missing := [field for field in needed if field not in claim]:
        raise UserError(f"claim '{name}' in claims.yml lacks {', '.join(missing)}")
    if kind not in RULES or not isinstance(rule, dict):
        raise UserError(f"claim '{name}' has rule '{kind}': choose a kind of {', '.join(RULES)}")
    if claim["about"] not in ABOUT:
        raise UserError(f"claim '{name}' is about '{claim['about']}': choose {' or '.join(ABOUT)}")


def ledger() -> pd.DataFrame:
    """Judge every claim by its rule on the results of this build.

    Returns
    -------
    One row per claim: the fields of claims.yml with `published` in words, `ours` (what came out, in words), `verdict`
    (one of `VERDICTS`), `held` and `n` (how many of the selected figures agree), `origin` of the result ('computed'
    or 'stored').

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
    published : the paper's value, for rules that compare with it: a number, a list in the order of the rows, or a
        mapping from the names in the column `by` of the rule.

    Returns
    -------
    Agreement of every figure (1 agrees, 0.5 agrees but the interval leaves it open, 0 contradicts), and our figures
    in words, each with its interval and named by the columns that tell the rows apart, a lone one by its measure
    where the table has one (`MEASURES`); of many only how they fall.
    Where a figure or a bound that the rule compares is missing, no agreement, and the reason in words.
    """
    agreement = RULES[rule["kind"]](rule, rows, published)
    ours = _ours(rule, rows, published, agreement)
    if lacking := int(np.isnan(agreement).sum()):
        return [], f"{lacking} of {len(agreement)} figures or their bounds are missing: {ours}"
    return agreement, ours


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
    rule, published = claim["rule"], claim.get("published")
    told = {**claim, "published": _published_in_words(published)}
    if rule["kind"] == "untestable":
        return {**told, "ours": rule["why"], "verdict": verdict([]), "held": 0, "n": 0, "origin": ""}
    table = results.load(claim["result"])
    rows = _select(claim, table)
    try:
        agreement, ours = judge(rule, rows, published)
    except KeyError as error:
        raise UserError(f"claim '{claim['id']}' needs {error} in its rule or in {claim['result']}") from error
    except (ValueError, TypeError) as error:
        raise UserError(f"claim '{claim['id']}' does not fit the {len(rows)} rows it selects: {error}") from error
    held = sum(a == 1 for a in agreement)
    origin = table.attrs["origin"]
    return {**told, "ours": ours, "verdict": verdict(agreement), "held": held, "n": len(agreement), "origin": origin}


def _select(claim: dict[str, object], table: pd.DataFrame) -> pd.DataFrame:
    """The rows that the claim speaks of, in the order in which it lists them."""
    for column, wanted in reversed((claim["where"] or {}).items()):
        if column not in table:
            raise UserError(f"claim '{claim['id']}' selects by '{column}': {claim['result']} has {', '.join(table)}")
        wanted = wanted if isinstance(wanted, list) else [wanted]
        table = table[table[column].isin(wanted)].sort_values(
            column, key=lambda c, w=wanted: c.map(w.index), kind="stable"
        )
    if table.empty:
        raise UserError(f"claim '{claim['id']}' selects no row of {claim['result']}")
    return table


def _ours(rule, rows, published, agreement) -> str:
    if len(rows) > MANY and rule["kind"] == "mixed":
        above, below = (int(_sides({"sign": sign}, rows)[1].sum()) for sign in "+-")
        return f"of {len(rows)} intervals {above} above 0, {below} below, {len(rows) - above - below} on both sides"
    if len(rows) > MANY:
        return f"{sum(a == 1 for a in agreement)} of {len(agreement)} agree"
    if isinstance(published, dict):
        rows = rows.set_index(rule["by"], drop=False).loc[list(published)]
    column = rule.get("column", "value")
    named = [c for c in rows.loc[:, :"value"].select_dtypes(exclude="number") if rows[c].nunique() > 1]
    labels = _short([" ".join(map(str, names)) for names in rows[named].itertuples(index=False)])
    bounds = [rows[c] if column == "value" and c in rows else rows[column] for c in ("low", "high")]
    figures = [_figure(*figure) for figure in zip(rows[column], *bounds, strict=True)]
    listed = "; ".join(f"{label} {figure}".strip() for label, figure in zip(labels, figures, strict=True))
    about = [rows[c].iloc[0] for c in MEASURES if c in rows and len(rows) == 1 and isinstance(rows[c].iloc[0], str)]
    return ": ".join([*about, *([] if column == "value" else [column]), listed])


def _figure(value: float, low: float, high: float) -> str:
    """Three significant digits, and the interval where there is one."""
    if low == high or np.isnan(low) or np.isnan(high):
        return _digits(value)
    return f"{_digits(value)} ({_digits(low)} to {_digits(high)})"


def _digits(value: float) -> str:
    if abs(value) < NOTHING:
        return "0"
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def _short(labels: list[object]) -> list[str]:
    """Labels without what all have in common: 'da' and 'nl' for 'gemma:da' and 'gemma:nl'."""
    heads = {str(label).rpartition(":")[0] for label in labels}
    return [str(label).rpartition(":")[2] if len(heads) == 1 else str(label) for label in labels]


def _published_in_words(published: object) -> str:
    if isinstance(published, dict):
        return "; ".join(f"{k} {v:g}" for k, v in zip(_short(published), published.values(), strict=True))
    if isinstance(published, list):
        return "; ".join(f"{value:g}" for value in published)
    return "" if published is None else f"{published:g}"


def _published(rule, rows, published) -> np.ndarray:
    """The paper's value of every row; where the claim gives none, the one in the result's column `printed`."""
    if published is None:
        return rows["printed"].to_numpy(float)
    if isinstance(published, dict):
        if amiss := sorted({*published} ^ {*rows[rule["by"]]}, key=str):
            raise KeyError(amiss[0])
        published = [published[name] for name in rows[rule["by"]]]
    values = np.array(published, float)
    if values.ndim and len(values) != len(rows):
        raise ValueError(f"{len(values)} values are published")
    return np.broadcast_to(values, len(rows))


def _marks(agreement, *compared) -> list[float]:
    """The agreement of every figure, NaN where something that was compared is missing."""
    missing = np.any([np.isnan(np.asarray(figures, float)) for figures in compared], axis=0)
    return np.where(missing, np.nan, np.asarray(agreement, float)).tolist()


def _interval(rule, rows, published):
    """Every published value lies between `low` and `high`."""
    wanted = _published(rule, rows, published)
    inside = (rows["low"] <= wanted) & (wanted <= rows["high"])
    return _marks(inside, rows["low"], rows["high"], wanted)


def _sides(rule, rows) -> tuple[pd.Series, pd.Series]:
    """Whether every value lies on the rule's side of 0, and whether its interval does."""
    factor = {"+": 1, "-": -1}[rule["sign"]]
    right = factor * rows["value"] > 0
    return right, right & (np.minimum(factor * rows["low"], factor * rows["high"]) > 0)


def _sign(rule, rows, published):
    """Every value has the sign; its interval leaves no other open."""
    right, sure = _sides(rule, rows)
    return _marks((right * 1.0 + sure) / 2, rows["value"], rows["low"], rows["high"])


def _mixed(rule, rows, published):
    """Some values lie above 0 and some below; without an interval on either side it stays open."""
    sides = [_sides({"sign": sign}, rows) for sign in "+-"]
    right, sure = (all(side[k].any() for side in sides) for k in (0, 1))
    return _marks([(right + sure) / 2], *([rows[c].sum(skipna=False)] for c in ("value", "low", "high")))


def _equal(rule, rows, published):
    """The column equals what was published, within the largest allowed deviation."""
    column = rule.get("column", "value")
    wanted = _published(rule, rows, published)
    near = np.abs(rows[column].to_numpy() - wanted) <= rule["within"]
    return _marks(near, rows[column], wanted)


def _order(rule, rows, published):
    """Values follow the order, all of a group before all of the next; where intervals overlap it stays open."""
    groups = [g if isinstance(g, list) else [g] for g in rule.get("ascending") or rule["descending"][::-1]]
    ordered = rows.set_index(rule["by"]).loc[sum(groups, [])]
    figures = ordered.to_dict("index")
    pairs = [(figures[a], figures[b]) for lower, upper in pairwise(groups) for a, b in product(lower, upper)]
    agreement = [0.0 if a["value"] >= b["value"] else 1.0 if a["high"] < b["low"] else 0.5 for a, b in pairs]
    compared = [[pair[k][c] for pair in pairs] for k, c in ((0, "value"), (0, "high"), (1, "value"), (1, "low"))]
    return _marks(agreement, *compared)


def _at_least(rule, rows, published):
    """The column reaches what was published, or the rule's `value`; it stays open above `open`, or where the column
    of that name is 1."""
    column, bound = _bound(rule, rows, published)
    left = rule.get("open", np.inf)
    leaves_open = rows[left] == 1 if isinstance(left, str) else column > left
    return _marks(_steps(column >= bound, leaves_open), column, bound)


def _at_most(rule, rows, published):
    """The column does not exceed what was published, or the rule's `value`; below `open` it stays open."""
    column, bound = _bound(rule, rows, published)
    return _marks(_steps(column <= bound, column < rule.get("open", -np.inf)), column, bound)


def _steps(agrees: pd.Series, leaves_open: pd.Series) -> np.ndarray:
    return np.where(agrees, 1.0, np.where(leaves_open, 0.5, 0.0))


def _bound(rule, rows, published) -> tuple[pd.Series, np.ndarray]:
    return rows[rule.get("column", "value")], _published(rule, rows, rule["value"] if published is None else published)


def _untestable(rule, rows, published):
    """Nothing released can decide it."""
    return []


RULES = {
    "interval": _interval,
    "sign": _sign,
    "mixed": _mixed,
    "equal": _equal,
    "order": _order,
    "at_least": _at_least,
    "at_most": _at_most,
    "untestable": _untestable,
}
