"""NVAS on the authors' project page, beside what the released files say of the answers that it pools."""

from __future__ import annotations

from itertools import chain

import numpy as np
import pandas as pd

from ..items import NATIVE
from ..stats import percentile_interval
from . import native, nvas_released, workbook
from .nvas_published import ROUNDING
from .nvas_released import FILE, ROUNDS, drawn

PAGE = {
    ("llama-3.1-8b", "zero-shot"): 0.7575,
    ("llama-3.1-8b", "reasoning"): 0.6879,
    ("mistral-7b", "zero-shot"): 0.6915,
    ("mistral-7b", "reasoning"): 0.6563,
    ("aya-8b", "zero-shot"): 0.7012,
    ("aya-8b", "reasoning"): 0.6992,
}
"""NVAS by model and mode on the authors' project page, Model Comparison."""


def page_table(rounds: int = ROUNDS, seed: int = 0) -> pd.DataFrame:
    """Hold the project page's NVAS by model and mode against what the released files say of it.

    The page's figures pool all framings and both languages, weighted by rows. English persona and observer answers are
    known; of the other answers the released consistencies leave one, or two, whose NVAS bound what they can have got.

    Parameters
    ----------
    rounds, seed : of the bootstrap.

    Returns
    -------
    One row per `model`, `mode` and `pool`: 'English' (persona and observer), 'with native' (and these in the native
    languages), 'with neutral' (and the neutral framing in both languages, held against every country): `value` (NVAS,
    where several answers are possible the mean of theirs), `least` and `most` (of the possible answers), `low`, `high`
    (95%, questions drawn, from the lower bound of `least` to the upper one of `most`), `n` (rows), `unsure` (share of
    rows with several possible scores), `printed`, `inside` (1 where `least` and `most` enclose it).
    """
    english = nvas_released.scored()[[*FILE, "question", "country", "value", "lowest", "highest"]]
    rest = _possible_scores()
    neutral = rest["framing"] == "neutral"
    pools = {"English": english, "with native": [english, rest[~neutral]], "with neutral": [english, rest]}
    parts = []
    for name, pool in pools.items():
        rows = pool if isinstance(pool, pd.DataFrame) else pd.concat(pool, ignore_index=True)
        figures = {
            c: drawn(rows, ["model", "mode"], c, rounds=rounds, seed=seed) for c in ("value", "lowest", "highest")
        }
        out = figures["value"][0].assign(pool=name)
        out["least"], out["most"] = (figures[c][0]["value"] for c in ("lowest", "highest"))
        out["low"] = percentile_interval(figures["lowest"][1])[0]
        out["high"] = percentile_interval(figures["highest"][1])[1]
        unsure = (rows["highest"] > rows["lowest"] + 1e-9).groupby([rows["model"], rows["mode"]], sort=False).mean()
        parts.append(out.assign(unsure=unsure.to_numpy()))
    out = pd.concat(parts, ignore_index=True)
    out["printed"] = [PAGE[key] for key in zip(out["model"], out["mode"], strict=True)]
    within = (out["least"] - ROUNDING <= out["printed"]) & (out["printed"] <= out["most"] + ROUNDING)
    out = out.assign(inside=within.astype(int))
    order = ["model", "mode", "pool", "value", "least", "most", "low", "high", "n", "unsure", "printed", "inside"]
    return out[order]


def _possible_scores() -> pd.DataFrame:
    """NVAS of the answers that are known but for the side: native ones, and the neutral ones in both languages."""
    questions, cells = workbook.read()
    known = native.english_sets(nvas_released.recovered(), nvas_released.consistency("SPD"), questions)
    natives = native.possible(nvas_released.consistency("CLCS"), known, questions)
    plain = known[known["framing"] == "neutral"].merge(questions[["question", "low"]], on="question")
    plain = plain.assign(candidates=native.options(plain["set"].to_numpy(), plain["low"]), language="en")
    every = [(place, language) for place in NATIVE for language in ("en", NATIVE[place])]
    spread = pd.DataFrame(every, columns=["country", "language"])
    own = natives["framing"] == "neutral"
    columns = [*FILE, "question", "candidates"]
    neutral = pd.concat([plain, natives[own]])[[*columns, "language"]].merge(spread, on="language")
    rows = pd.concat([natives.loc[~own, [*columns, "country"]], neutral[[*columns, "country"]]], ignore_index=True)
    facts = nvas_released.benchmark().index[["question", "country", "human", "low", "high"]]
    rows = rows[rows["candidates"].str.len() > 0].merge(facts, on=["question", "country"])
    return rows.drop(columns="candidates").assign(**_ends(rows))


def _ends(rows: pd.DataFrame) -> dict[str, np.ndarray]:
    lengths = rows["candidates"].str.len().to_numpy()
    starts = np.r_[0, np.cumsum(lengths)[:-1]]
    answer = np.fromiter(chain.from_iterable(rows["candidates"]), float, lengths.sum())
    human, width = (np.repeat(c.to_numpy(float), lengths) for c in (rows["human"], rows["high"] - rows["low"]))
    score = 1 - np.abs(answer - human) / width
    ends = {"lowest": np.minimum.reduceat(score, starts), "highest": np.maximum.reduceat(score, starts)}
    return {"value": np.add.reduceat(score, starts) / lengths, **ends}
