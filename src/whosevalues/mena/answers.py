"""From option probabilities to answers, and to the countries that they can be held against."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import pandas as pd

from .. import items
from ..items import NATIVE

CELL = ["model", "country", "framing", "language", "mode"]
"""What names a figure."""


def answers(elicited: pd.DataFrame) -> pd.DataFrame:
    """Reduce a model's option probabilities to one answer per row: the most probable option, or several in a tie.

    A row is an abstention where there is no probability to go by: the model's answer is an error or a refusal, or its
    probabilities are not finite. An error says nothing of the model, so it has neither missing mass nor measurement; a
    refusal has both. A large missing mass (the model would rather have said something else) is no abstention by
    itself; it is kept beside the answer, to be reported.

    Parameters
    ----------
    elicited : columns `model`, `question`, `country`, `language`, `framing`, `mode`, `options` (tuple of str),
        `probability` (tuple in [0, 1]; None after an error or a refusal), `missing_mass` (in [0, 1]; a lower bound
        where a refusal listed no option), `measurement` ('logprob' or 'sampled'), `error` and, where refusals are told
        apart, `refused` (the reason, else None).

    Returns
    -------
    One row per row: `question`, `model`, `country`, `framing`, `language`, `mode`, `answer` (an option, missing for an
    abstention or a tie), `best` (tuple of the most probable options: several in a tie, none in an abstention),
    `abstained`, `refused` (the reason, else missing), `tied`, `missing_mass`, `measurement`.
    """
    out = elicited[["question", *CELL]].reset_index(drop=True)
    failed = elicited["error"].notna().to_numpy()
    usable = [not bad and _finite(p) for bad, p in zip(failed, elicited["probability"], strict=True)]
    best = [
        _most_probable(options, p) if ok else ()
        for ok, options, p in zip(usable, elicited["options"], elicited["probability"], strict=True)
    ]
    out["answer"] = pd.Series([b[0] if len(b) == 1 else None for b in best], dtype="str")
    out["best"] = pd.Series(best, dtype=object)
    out["abstained"] = ~np.array(usable, dtype=bool)
    out["refused"] = pd.Series(elicited.get("refused"), elicited.index, dtype=object).mask(failed).to_numpy()
    out["tied"] = pd.Series([len(b) > 1 for b in best], dtype=bool)
    out["missing_mass"] = pd.to_numeric(elicited["missing_mass"].reset_index(drop=True)).mask(failed)
    out["measurement"] = elicited["measurement"].astype(object).mask(failed).to_numpy()
    return out


def by_country(answered: pd.DataFrame, countries: str | Iterable[str]) -> pd.DataFrame:
    """Give the answers of the neutral framing to every country that they can be held against.

    Parameters
    ----------
    answered : `answers`, in which neutral rows have no `country`.
    countries : one or several, ISO 3166 alpha-2.

    Returns
    -------
    The same columns without a missing `country`: an English neutral answer stands once for every country, one in
    another language once for every country whose native language that is.
    """
    pairs = [(c, language) for c in items.check_countries(countries) for language in ("en", NATIVE[c])]
    neutral = answered["country"].isna()
    speakers = pd.DataFrame(pairs, columns=["country", "language"])
    spread = answered[neutral].drop(columns="country").merge(speakers, on="language")
    return pd.concat([spread[answered.columns], answered[~neutral]], ignore_index=True)


def by_measurement(cell: pd.DataFrame, figures: Iterable[str]) -> Iterator[tuple[str | None, pd.DataFrame]]:
    """Take probabilities that were read and shares that were counted apart, so that no figure mixes them.

    Parameters
    ----------
    cell : rows of one figure, with `measurement` (missing after an error).
    figures : columns that a row of another kind must not contribute.

    Yields
    ------
    Each kind of measurement with all rows, those of the other kinds unanswered; once None where nothing was answered.
    """
    kinds = cell["measurement"].dropna().unique()
    for kind in kinds if len(kinds) else [None]:
        own = cell["measurement"].isna() | (cell["measurement"] == kind)
        yield kind, cell.assign(**{name: cell[name].where(own) for name in figures if name in cell})


def _finite(probability: Sequence[float] | None) -> bool:
    # A missing answer stands as None or NaN, a measured one as a tuple.
    return isinstance(probability, tuple) and bool(np.isfinite(probability).all())


def _most_probable(options: Sequence[str], probability: Sequence[float]) -> tuple[str, ...]:
    # Options that a model cannot tell apart may differ in the last bits of a sum.
    top = np.isclose(probability, max(probability), rtol=1e-9, atol=0)
    return tuple(option for option, is_top in zip(options, top, strict=True) if is_top)
