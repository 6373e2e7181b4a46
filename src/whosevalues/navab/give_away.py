"""What gives a statement away: rules that know no values, and words learned from other articles' triples.

If S can be told from RS by its wording, a model can score without any values. The paper reports no such baseline; its
triples are said to make a controlled comparison (summary, Mechanism 2).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from .rates import rate
from .wording import heuristics, positive

ARTICLE = "more words of the article"
UNITS = {
    "words": {"token_pattern": r"\w+"},
    "words and pairs of words": {"token_pattern": r"\w+", "ngram_range": (1, 2)},
    "characters and pairs of them": {"analyzer": "char", "ngram_range": (1, 2)},
}
"""What the learned give-away counts; characters are for languages that put no space between words."""
FLAGGED = "gives itself away"
SURE = 0.75
"""From this probability on, learned from other articles, S counts as given away by its words."""


def rates(triples: pd.DataFrame, texts: Mapping[str, str] | None = None, folds: int = 10) -> pd.DataFrame:
    """How often is S found without knowing any values?

    Parameters
    ----------
    triples : `id`, `nation`, `question`, `statement`, `reverse_statement`; `article` where several share one.
    texts : by article what it says; without it the overlap with the article is left out.
    folds : of the cross-validation of what is learned, whole articles being left out.

    Returns
    -------
    One row per way (`metric`): `value`, the share of triples in which it picks S, ties counting one half; `low`, `high`
    (Wilson, by the number of articles); `n`; `chance`, 0.5; `printed`, NaN. Last, as `FLAGGED`, the share of triples
    that `flagged` marks, for which there is no chance level.
    """
    rules = heuristics(triples.assign(nation="all"))
    rows = rules.drop_duplicates("metric").to_dict("records")
    picks = {} if texts is None else {ARTICLE: article_overlap(triples, texts)}
    sure = {unit: learned(triples, unit, folds) for unit in ("words", "words and pairs of words")}
    picks |= {f"learned: {unit}": positive(found - 0.5) for unit, found in sure.items()}
    groups = article_of(triples)
    rows += [{"metric": name, **share(value, groups), "chance": 0.5} for name, value in picks.items()]
    rows.append({"metric": FLAGGED, **share((sure["words"] >= SURE).astype(float), groups)})
    return pd.DataFrame(rows)[["metric", "value", "low", "high", "n", "chance"]].assign(printed=np.nan)


def learned(triples: pd.DataFrame, unit: str = "words", folds: int = 10) -> pd.Series:
    """How sure is a logistic regression on words which of the two is S, not having seen the article?

    It is trained on the words by which S and RS of other articles' triples differ. Both orders of each are shown, so it
    cannot prefer one for its place.

    Parameters
    ----------
    triples : `id`, `statement`, `reverse_statement`; `article` where several share one.
    unit : what is counted, of `UNITS`.
    folds : of the cross-validation; fewer where there are fewer articles.

    Returns
    -------
    The probability that S is the statement, per row.

    Raises
    ------
    ValueError : fewer than two articles: nothing could be held back.
    """
    groups = article_of(triples)
    return pd.Series(_held_out(_differences(triples, unit), groups, folds), index=triples.index)


def luck(triples: pd.DataFrame, swaps: int = 100, seed: int = 0, folds: int = 10) -> pd.DataFrame:
    """How often would learned words find S if a coin had decided which of the two is called S?

    What is learned for one triple rests on the others, so the picks are no independent trials and Wilson's interval is
    too narrow; the coin shows how far luck goes.

    Parameters
    ----------
    triples, folds : as for `learned`.
    swaps : how often the coin is thrown for all triples.
    seed : of the coin.

    Returns
    -------
    One row, `metric` 'learned: words': `value`, the share in which S is found; `low`, `high`, the middle 95% of the
    shares found after the coin; `n`; `chance`, 0.5; `printed`, NaN.
    """
    gap, groups = _differences(triples, "words"), article_of(triples)
    rng = np.random.default_rng(seed)
    signs = rng.choice([-1.0, 1.0], size=(swaps, len(triples)))
    drawn = [_found(_held_out(gap.multiply(sign[:, None]).tocsr(), groups, folds)) for sign in signs]
    low, high = np.quantile(drawn, [0.025, 0.975])
    value = _found(_held_out(gap, groups, folds))
    row = {"metric": "learned: words", "value": value, "low": low, "high": high, "n": len(triples), "chance": 0.5}
    return pd.DataFrame([row | {"printed": np.nan}])


def share(values: pd.Series, articles: pd.Series) -> dict[str, float]:
    """Average over triples, with Wilson's interval.

    Parameters
    ----------
    values : in [0, 1], one per triple; NaN is left out.
    articles : what each triple comes from; triples of one article resemble each other, and count for less.

    Returns
    -------
    `value`, `low`, `high` (95%), `n`, and `chance` and `printed` (NaN).
    """
    found = rate(
        pd.DataFrame({"id": np.arange(len(values)), "article": articles.to_numpy(), "value": values.to_numpy()})
    )
    return {key: found[key] for key in ("value", "low", "high", "n")} | {"chance": np.nan, "printed": np.nan}


def article_of(triples: pd.DataFrame) -> pd.Series:
    """Name the article that each triple comes from; where none is known, each is its own."""
    return triples["article"] if "article" in triples else triples["id"]


def flagged(triples: pd.DataFrame, folds: int = 10) -> pd.DataFrame:
    """Mark the triples whose statement is given away by its words.

    Parameters
    ----------
    triples, folds : as for `learned`.

    Returns
    -------
    The same rows with `sureness`, of `learned` on words, and `gives_away`, whether it is at least `SURE`.
    """
    sure = learned(triples, folds=folds)
    return triples.assign(sureness=sure, gives_away=sure >= SURE)


def flags(triples: pd.DataFrame) -> pd.DataFrame:
    """List which triples give themselves away.

    Parameters
    ----------
    triples : as for `learned`, with `id`.

    Returns
    -------
    One row per triple: `id` (the statement's, which begins with its article's), `nation`, `value` (the `sureness` of
    `flagged`, in [0, 1]) and `gives_away`.
    """
    marked = flagged(triples).rename(columns={"sureness": "value"})
    return marked[["id", "nation", "value", "gives_away"]].reset_index(drop=True)


def article_overlap(triples: pd.DataFrame, texts: Mapping[str, str]) -> pd.Series:
    """Pick the one of S and RS of whose words more stand in the article.

    Parameters
    ----------
    triples : `article`, `statement`, `reverse_statement`.
    texts : by article what it says.

    Returns
    -------
    1 where that is S, 0 where it is RS, 0.5 where neither; NaN where the article is not among the texts.
    """
    gaps = []
    for row in triples.to_dict("records"):
        text = texts.get(row["article"])
        gaps.append(
            np.nan if text is None else _covered(row["statement"], text) - _covered(row["reverse_statement"], text)
        )
    return positive(pd.Series(gaps, index=triples.index, dtype=float))


def _covered(statement: str, text: str) -> float:
    # Repeating a sentence word for word is what counts, so pairs of neighbouring words are looked up.
    words = statement.lower().split()
    pairs = [" ".join(pair) for pair in zip(words, words[1:], strict=False)]
    flat = " ".join(text.lower().split())
    return float(np.mean([pair in flat for pair in pairs])) if pairs else 0.0


def _differences(triples: pd.DataFrame, unit: str):
    """Sparse: which words stand in S alone (1), in RS alone (-1), in both or neither (0)."""
    from sklearn.feature_extraction.text import CountVectorizer

    words = CountVectorizer(binary=True, **UNITS[unit])
    counts = words.fit_transform([*triples["statement"], *triples["reverse_statement"]]).astype(float)
    return counts[: len(triples)] - counts[len(triples) :]


def _held_out(gap, groups: pd.Series, folds: int) -> np.ndarray:
    """The probability of each row's sign, learned from other groups; both signs of each row are shown."""
    from scipy.sparse import vstack
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GroupKFold

    sure = np.full(gap.shape[0], np.nan)
    for seen, held in GroupKFold(min(folds, groups.nunique())).split(gap, groups=groups):
        model = LogisticRegression(fit_intercept=False, solver="liblinear", tol=1e-6)
        model.fit(vstack([gap[seen], -gap[seen]]), np.repeat([1, 0], len(seen)))
        sure[held] = model.predict_proba(gap[held])[:, 1]
    return sure


def _found(sure: np.ndarray) -> float:
    return float(positive(pd.Series(sure - 0.5)).mean())
