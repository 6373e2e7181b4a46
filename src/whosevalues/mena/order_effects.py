"""Whether the order in which options are shown moves an answer, beside the framing and the language."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import product

import numpy as np
import pandas as pd

from .. import prompts
from ..items import NATIVE, Question
from ..stats import cluster_interval, percentile_interval, wilson
from .answers import answers, by_country
from .nvas import nvas, nvas_table
from .order import ORDERS, by_meaning

PAIR = ["model", "question", "country", "framing", "language", "mode"]
MEASURES = ("changed", "shift", "distance")
"""Share of changed first choices, how far they move on the scale, total variation distance of the probabilities."""


def pairs(forward: pd.DataFrame, backward: pd.DataFrame, questions: Iterable[Question]) -> pd.DataFrame:
    """Set answers beside each other that differ in one thing: order, framing or language.

    Parameters
    ----------
    forward, backward : answers of one model to 'mena' and to 'mena-order', as `elicitation.elicit` gives them.
    questions : the bank, for scales and options.

    Returns
    -------
    One row per pair that both got an answer, measured alike: `varied` ('order', 'numbering': order and numbers,
    'framing', 'language'), `contrast` (what the two are), `question`, `country` (missing where none is named),
    `changed` (1 where the most probable option differs, 0 where not; in a tie the expectation), `shift` (distance of
    these options over the scale's length, in [0, 1]; NaN on nominal items), `distance` (total variation distance, in
    [0, 1]), and `changed_chance`, `shift_chance`: expected if both options were drawn evenly.
    """
    shown = [_shares(rows) for rows in (forward, *(by_meaning(backward, order) for order in ORDERS))]
    english, native = (shown[0][shown[0]["language"].eq("en") == is_english] for is_english in (True, False))
    framed = {framing: english[english["framing"] == framing] for framing in prompts.FRAMINGS}
    parts = [
        _paired(framed[framing], shown[1], PAIR).assign(varied="order", contrast=f"order, {framing}")
        for framing in ("persona", "observer", "neutral")
    ]
    parts.append(_paired(framed["neutral"], shown[2], PAIR).assign(varied="numbering", contrast="numbers, neutral"))
    for other, by in (("observer", ["question", "country", "mode"]), ("neutral", ["question", "mode"])):
        both = _paired(framed["persona"], framed[other], ["model", *by])
        parts.append(both.assign(varied="framing", contrast=f"persona or {other}"))
    for framing in ("persona", "observer", "neutral"):
        parts += [
            _paired(
                own, native[native["language"] == language], ["model", "question", "country", "framing", "mode"]
            ).assign(varied="language", contrast=f"en or {language}, {framing}")
            for language in native["language"].unique()
            for own in [_of_language(framed[framing], language)]
        ]
    table = pd.concat(parts, ignore_index=True)
    return pd.concat([table, _measured(table, {q.id: q for q in questions})], axis=1)[
        ["varied", "contrast", "question", "country", *MEASURES, "changed_chance", "shift_chance"]
    ]


def _of_language(rows: pd.DataFrame, language: str) -> pd.DataFrame:
    return rows[rows["country"].isna() | (rows["country"].map(NATIVE) == language)]


def _shares(elicited: pd.DataFrame) -> pd.DataFrame:
    """The usable rows: `best` and `share` (dict of option -> probability) beside what names them."""
    answered = answers(elicited)[[*PAIR, "best", "abstained", "measurement"]]
    answered["share"] = [
        dict(zip(o, p, strict=True)) if isinstance(p, tuple) else None
        for o, p in zip(elicited["options"], elicited["probability"], strict=True)
    ]
    return answered[~answered["abstained"]].drop(columns="abstained")


def _paired(first: pd.DataFrame, second: pd.DataFrame, on: list[str]) -> pd.DataFrame:
    columns = [*on, "best", "share", "measurement"]
    keep = first[[*columns, "country"] if "country" not in on else columns]
    both = keep.merge(second[columns], on=on, suffixes=("", "_other"))
    return both[both["measurement"] == both["measurement_other"]]


def _measured(table: pd.DataFrame, bank: dict[str, Question]) -> pd.DataFrame:
    rows = []
    for row in table.to_dict("records"):
        question, one, other = bank[row["question"]], row["best"], row["best_other"]
        ordinal = question.scale == "ordinal"
        apart = sum(abs(p - row["share_other"][option]) for option, p in row["share"].items()) / 2
        rows.append((
            _differ(one, other),
            _moved(one, other, question.options) if ordinal else np.nan,
            apart,
            _differ(question.options, question.options),
            _moved(question.options, question.options, question.options) if ordinal else np.nan,
        ))  # fmt: skip
    return pd.DataFrame(rows, columns=[*MEASURES, "changed_chance", "shift_chance"])


def _differ(one: Sequence[str], other: Sequence[str]) -> float:
    return float(np.mean([a != b for a, b in product(one, other)]))


def _moved(one: Sequence[str], other: Sequence[str], options: Sequence[str]) -> float:
    width = abs(float(options[-1]) - float(options[0]))
    return float(np.mean([abs(float(a) - float(b)) / width for a, b in product(one, other)]))


def effects(paired: pd.DataFrame, seed: int = 0) -> pd.DataFrame:
    """Average what a change of order, framing or language does.

    Parameters
    ----------
    paired : of `pairs`.
    seed : of the bootstrap.

    Returns
    -------
    One row per `varied`, `contrast` and `measure` (of `MEASURES`): `value`, `low`, `high` (95% bootstrap of questions;
    Wilson's where all pairs are alike), `n` (pairs), `questions`, `chance` (two even draws; NaN for `distance`).
    """
    rows = []
    for (varied, contrast), part in paired.groupby(["varied", "contrast"], sort=False):
        for measure in MEASURES:
            told = part.dropna(subset=[measure])
            low, high = cluster_interval(told, measure, "question", seed=seed)
            count = told["question"].nunique()
            if count > 1 and low == high:
                # Where all pairs are alike a bootstrap has no width, as if a few questions could settle it.
                low, high = _alike(told[measure].mean(), count)
            chance = told[f"{measure}_chance"].mean() if measure != "distance" else np.nan
            figures = (told[measure].mean(), low, high, len(told), count, chance)
            rows.append((varied, contrast, measure, *figures))
    names = ["varied", "contrast", "measure", "value", "low", "high", "n", "questions", "chance"]
    return pd.DataFrame(rows, columns=names)


def _alike(mean: float, count: int) -> tuple[float, float]:
    low, high = wilson(mean * count, count)
    return min(low, mean), max(high, mean)


def differences(paired: pd.DataFrame, rounds: int = 1000, seed: int = 0) -> pd.DataFrame:
    """Is the order's effect larger than the framing's, on the same questions?

    Parameters
    ----------
    paired : of `pairs`.
    rounds, seed : of the bootstrap, which draws questions.

    Returns
    -------
    One row per `contrast` of framings and `measure`: `value` (mean over the order's pairs of the persona, minus that of
    the framings' pairs), `low`, `high` (95%, questions drawn; NaN where nothing differs between them), `n` (questions),
    `verdict` ('order more', 'framing more' or 'undecided').
    """
    rows = []
    order = paired[paired["contrast"] == "order, persona"]
    for contrast in paired.loc[paired["varied"] == "framing", "contrast"].unique():
        framing = paired[paired["contrast"] == contrast]
        for measure in MEASURES:
            both = pd.concat(
                {k: part.groupby("question")[measure].agg(["sum", "count"]) for k, part in enumerate((order, framing))},
                axis=1,
            ).dropna()
            sums = both.to_numpy()
            draws = np.random.default_rng(seed).integers(len(sums), size=(rounds, len(sums)))
            total = np.vstack([sums.sum(axis=0), sums[draws].sum(axis=1)])
            # A round may draw no question with both; it counts as having no value.
            with np.errstate(invalid="ignore", divide="ignore"):
                gap = total[:, 0] / total[:, 1] - total[:, 2] / total[:, 3]
            low, high = percentile_interval(gap[1:])
            if low == high == gap[0]:
                low = high = np.nan
            verdict = "order more" if low > 0 else "framing more" if high < 0 else "undecided"
            rows.append((contrast, measure, gap[0], low, high, int((both[(0, "count")] > 0).sum()), verdict))
    return pd.DataFrame(rows, columns=["contrast", "measure", "value", "low", "high", "n", "verdict"])


def places(forward: pd.DataFrame, backward: pd.DataFrame, seed: int = 0) -> pd.DataFrame:
    """Does a model hold on to an option, or to a place in the list?

    Parameters
    ----------
    forward, backward : as for `pairs`.
    seed : of the bootstrap.

    Returns
    -------
    One row per `framing` and `measure`: 'same option' (the first choice is the same option in both orders), 'same
    place' (it stands at the same place of the list), 'first place, forward' and 'first place, backward' (the option
    shown first is chosen): `value`, `low`, `high` (as in `effects`), `n`, `chance` (even draws). Ties count as their
    average.
    """
    both = _paired(_shares(forward), _shares(by_meaning(backward, "backward")), PAIR)
    listed = [tuple(share) for share in both["share"]]
    one, other = both["best"], both["best_other"]
    turned = [tuple(o[len(o) - 1 - o.index(x)] for x in b) for o, b in zip(listed, other, strict=True)]
    measured = both[["framing", "question"]].assign(
        **{
            "same option": [1 - _differ(a, b) for a, b in zip(one, other, strict=True)],
            "same place": [1 - _differ(a, b) for a, b in zip(one, turned, strict=True)],
            "first place, forward": [1 - _differ(a, o[:1]) for a, o in zip(one, listed, strict=True)],
            "first place, backward": [1 - _differ(b, o[-1:]) for b, o in zip(other, listed, strict=True)],
        },
        chance=[1 / len(o) for o in listed],
    )
    rows = []
    for framing, part in measured.groupby("framing", sort=False):
        for measure in measured.columns[2:-1]:
            low, high = cluster_interval(part, measure, "question", seed=seed)
            if low == high:
                low, high = _alike(part[measure].mean(), part["question"].nunique())
            rows.append((framing, measure, part[measure].mean(), low, high, len(part), part["chance"].mean()))
    return pd.DataFrame(rows, columns=["framing", "measure", "value", "low", "high", "n", "chance"])


def averaged(forward: pd.DataFrame, backward: pd.DataFrame) -> pd.DataFrame:
    """Average a model's probabilities over the two orders, so that no place in the list is favoured.

    Parameters
    ----------
    forward, backward : as for `pairs`.

    Returns
    -------
    The rows of `forward` that were asked in both orders, as `answers.answers` takes them: `probability` (tuple in the
    order of `options`) and `missing_mass` are means; None where one of the two has no probability or the two were
    measured differently, with the reason in `error`.
    """
    columns = [*PAIR, "options", "probability", "missing_mass", "measurement", "error"]
    both = forward[columns].merge(by_meaning(backward, "backward")[columns], on=PAIR, suffixes=("", "_other"))
    rows = []
    for row in both.to_dict("records"):
        one, other = row["probability"], row["probability_other"]
        usable = isinstance(one, tuple) and isinstance(other, tuple) and row["measurement"] == row["measurement_other"]
        if not usable:
            rows.append((None, None, "not answered in both orders"))
            continue
        turned = dict(zip(row["options_other"], other, strict=True))
        mean = tuple((p + turned[option]) / 2 for option, p in zip(row["options"], one, strict=True))
        rows.append((mean, (row["missing_mass"] + row["missing_mass_other"]) / 2, None))
    found = pd.DataFrame(rows, columns=["probability", "missing_mass", "error"], dtype=object)
    return pd.concat([both[[*PAIR, "options", "measurement"]], found], axis=1)


def scores(
    versions: Mapping[str, pd.DataFrame],
    humans: pd.DataFrame,
    questions: Sequence[Question],
    countries: Sequence[str],
    seed: int = 0,
) -> pd.DataFrame:
    """Score several versions of the same English answers against people.

    Parameters
    ----------
    versions : name and answers, as `elicitation.elicit` or `averaged` gives them; the others are compared with the
        first.
    humans : of `items.human_distributions`.
    questions : the bank.
    countries : that the answers are held against.
    seed : of the bootstrap.

    Returns
    -------
    One row per `version` and `framing`: NVAS with `low`, `high`, `n`, `coverage`, `chance`, `midpoint`, `missing_mass`
    (as `nvas.nvas_table`), and `gain` over the first version on the same answers, with `gain_low` and `gain_high` (95%
    bootstrap of questions; NaN where no score differs).
    """
    scored = {
        name: nvas(by_country(answers(rows[rows["language"] == "en"]), countries), humans, questions)
        for name, rows in versions.items()
    }
    first, on = next(iter(scored.values())), ["question", "country", "framing"]
    parts = []
    for name, rows in scored.items():
        table = nvas_table(rows, ["framing"], seed).assign(version=name)
        both = rows[[*on, "nvas"]].merge(first[[*on, "nvas"]], on=on, suffixes=("", "_first"))
        both["gain"] = both["nvas"] - both["nvas_first"]
        for k, framing in enumerate(table["framing"]):
            part = both[both["framing"] == framing]
            bounds = cluster_interval(part, "gain", "question", seed=seed) if part["gain"].any() else (np.nan, np.nan)
            table.loc[k, ["gain", "gain_low", "gain_high"]] = part["gain"].mean(), *bounds
        parts.append(table)
    kept = ["version", "framing", "value", "low", "high", "n", "coverage", "chance", "midpoint", "missing_mass"]
    return pd.concat(parts, ignore_index=True)[[*kept, "gain", "gain_low", "gain_high"]]
