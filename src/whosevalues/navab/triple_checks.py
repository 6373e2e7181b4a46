"""Is a triple what it should be? Checks of every triple, whoever wrote it."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from .. import embeddings
from ..stats import wilson
from .contradiction import turns
from .give_away import article_of, share
from .wording import negations

CHECKS = ("contradicts", "same topic", "S is not RS", "Q is a question", "Q hides the answer", "like lengths")
LENGTHS = 0.5
"""The shorter of S and RS is at least so long, as a share of the longer."""

_LEADING = re.compile(
    r"(?:why|how come|isn't|aren't|don't|shouldn't|mustn't|is it not|do we not|should we not)\b", re.I
)


def contradicts(statement: str, reverse: str) -> bool:
    """Tell by words alone whether two sentences say the contrary: a denial more in one, or an opposite word.

    The words are read as for the conflicts of the corpus (`contradiction.turns`); a denial more counts once, however
    many verbs of the sentence it denies.

    Parameters
    ----------
    statement, reverse : English.

    Returns
    -------
    True where the shorter shares at least half of its words with the longer, and one of the two denies more than the
    other or has an odd number of opposite words. False is no proof that they agree: contraries in other words are
    beyond this rule.

    Examples
    --------
    >>> contradicts("Trade must be free.", "Trade must not be free.")
    True
    >>> contradicts("We support reform.", "We oppose reform."), contradicts("We support reform.", "We back reform.")
    (True, False)
    """
    ours, theirs = _words(statement), _words(reverse)
    if not ours or not theirs or 2 * len(ours & theirs) < min(len(ours), len(theirs)):
        return False
    denied = negations(statement) - negations(reverse)
    return (turns(statement, reverse) - denied % 2 + (denied != 0)) % 2 == 1


def topic_threshold(triples: pd.DataFrame) -> dict[str, float]:
    """Find the similarity above which S and RS are of one topic, on triples that are.

    Every RS is held against its own S, and against the S of all others, which are of other topics.

    Parameters
    ----------
    triples : `statement`, `reverse_statement`; no two of one topic.

    Returns
    -------
    `threshold`, at which the mean of the two shares is the highest: `own`, of own pairs that pass, and `strange`, of
    strange pairs that do not; `area`, the probability that an own pair is nearer than a strange one; `error`, the
    share of own pairs that fail a threshold found without their triple.
    """
    s, rs = _vectors(triples)
    near = s @ rs.T
    own, strange = np.diag(near), near[~np.eye(len(near), dtype=bool)]
    left = [own[i] < _best(np.delete(own, i), _without(near, i)) for i in range(len(own))]
    threshold = _best(own, strange)
    area = (own[:, None] > strange).mean() + (own[:, None] == strange).mean() / 2
    shares = {"own": (own >= threshold).mean(), "strange": (strange < threshold).mean()}
    return {"threshold": threshold, **shares, "area": area, "error": np.mean(left), "n": len(own)}


def topic_reach(triples: pd.DataFrame) -> pd.DataFrame:
    """Tabulate how well similarity tells one topic from another.

    Parameters
    ----------
    triples : as for `topic_threshold`.

    Returns
    -------
    One row per `metric` (the threshold itself, and the shares of `topic_threshold`): `value`; `low`, `high` (Wilson,
    as many trials as triples, for the pairs of one triple are no independent ones; NaN for the threshold and the area);
    `n`, triples; `chance`; `printed` (NaN).
    """
    found = topic_threshold(triples)
    n = found["n"]
    rows = [
        {"metric": "threshold", "value": found["threshold"]},
        {"metric": "an own pair is nearer than a strange one", "value": found["area"], "chance": 0.5},
    ]
    named = {
        "own": "own pairs that pass",
        "strange": "strange pairs that do not",
        "error": "own pairs that fail, unseen",
    }
    for key, name in named.items():
        low, high = wilson(found[key] * n, n)
        rows.append({"metric": name, "value": found[key], "low": low, "high": high})
    table = pd.DataFrame(rows, columns=["metric", "value", "low", "high", "n", "chance", "printed"])
    return table.assign(n=n, printed=np.nan)


def examine(triples: pd.DataFrame, threshold: float) -> pd.DataFrame:
    """Check every triple.

    Parameters
    ----------
    triples : the columns of `triples.COLUMNS`; `article` where they have one.
    threshold : least similarity of one topic, of `topic_threshold`.

    Returns
    -------
    The same rows with `similarity` (cosine of the embeddings of S and RS), a column of True and False per check
    (`CHECKS`), and `problem`: the checks that a triple fails, None where it passes all.
    """
    rows = triples.to_dict("records")
    s, rs = _vectors(triples)
    near = (s * rs).sum(axis=1)
    found = pd.DataFrame(
        {
            "contradicts": [contradicts(row["statement"], row["reverse_statement"]) for row in rows],
            "same topic": near >= threshold,
            "S is not RS": [_plain(row["statement"]) != _plain(row["reverse_statement"]) for row in rows],
            "Q is a question": [row["question"].rstrip().endswith(("?", "？")) for row in rows],
            "Q hides the answer": [hides_answer(row) for row in rows],
            "like lengths": [_ratio(row["statement"], row["reverse_statement"]) >= LENGTHS for row in rows],
        },
        index=triples.index,
    )
    failed = [", ".join(f"not: {name}" for name in CHECKS if not row[name]) for row in found.to_dict("records")]
    problem = pd.Series([reason or None for reason in failed], index=triples.index, dtype=object)
    return triples.assign(similarity=near).join(found).assign(problem=problem)


def shares(examined: pd.DataFrame) -> pd.DataFrame:
    """Count how many triples pass each check.

    Parameters
    ----------
    examined : of `examine`.

    Returns
    -------
    One row per check and one for 'all checks': `value`, `low`, `high` (Wilson, by the number of articles they come
    from), `n`, `chance` and `printed` (NaN: the paper prints none).
    """
    passed = {name: examined[name].astype(float) for name in CHECKS}
    passed["all checks"] = examined["problem"].isna().astype(float)
    groups = article_of(examined)
    return pd.DataFrame([{"check": name, **share(value, groups)} for name, value in passed.items()])


def outcomes(attempts: pd.DataFrame) -> pd.DataFrame:
    """Count what the rules made of statements, and why of some nothing.

    Parameters
    ----------
    attempts : of `triples.attempt`.

    Returns
    -------
    One row per `nation` (first 'all') and `outcome`: 'triple', the share that gave one; 'S denies', the share of the
    triples in which S is the one that denies; for all nations also every reason why there is none, as a share of the
    statements. `value`, `low`, `high` (Wilson, by the number of articles), `n`, `chance` and `printed` (NaN).
    """
    rows = []
    for nation in ("all", *attempts["nation"].unique()):
        part = attempts if nation == "all" else attempts[attempts["nation"] == nation]
        made = part["problem"].isna()
        held = {"triple": made, "S denies": part.loc[made, "negated"]}
        reasons = sorted(part["problem"].dropna().unique()) if nation == "all" else []
        held |= {reason: part["problem"] == reason for reason in reasons}
        for name, value in held.items():
            groups = part.loc[value.index, "article"]
            rows.append({"nation": nation, "outcome": name, **share(value.astype(float), groups)})
    return pd.DataFrame(rows)


def hides_answer(triple: dict[str, str]) -> bool:
    """Tell whether a question leaves open which of S and RS is meant.

    Parameters
    ----------
    triple : `question`, `statement`, `reverse_statement`.

    Returns
    -------
    False where it asks 'why', expects a yes ('Should we not ...?'), or has S or RS in it word for word.

    Examples
    --------
    >>> pair = {"statement": "Trade must be free.", "reverse_statement": "Trade must not be free."}
    >>> [hides_answer(pair | {"question": text}) for text in ("Should trade be free?", "Why must trade be free?")]
    [True, False]
    """
    question = _plain(triple["question"])
    last = re.split(r"(?<=[.!])\s+", triple["question"].strip())[-1]
    said = any(_plain(triple[column]) in question for column in ("statement", "reverse_statement"))
    return not said and not _LEADING.match(last)


def _vectors(triples: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    texts = [*triples["statement"], *triples["reverse_statement"]]
    vectors = embeddings.embed(texts)
    return vectors[: len(triples)], vectors[len(triples) :]


def _best(own: np.ndarray, strange: np.ndarray) -> float:
    """The middle of the gap between two similarities at which most pairs fall on their own side."""
    values = np.unique(np.concatenate([own, strange]))
    cuts = (values[1:] + values[:-1]) / 2
    gain = [(own >= cut).mean() + (strange < cut).mean() for cut in cuts]
    return float(cuts[int(np.argmax(gain))])


def _without(near: np.ndarray, i: int) -> np.ndarray:
    rest = np.delete(np.delete(near, i, 0), i, 1)
    return rest[~np.eye(len(rest), dtype=bool)]


def _plain(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.casefold()))


def _words(text: str) -> set[str]:
    return set(_plain(text).split())


def _ratio(a: str, b: str) -> float:
    short, long = sorted((len(a), len(b)))
    return short / max(long, 1)
