"""Do two statements contradict each other? A rule for near-duplicates that reads negations and opposite words."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from functools import partial

import numpy as np
import pandas as pd

from .. import ROOT, UserError, stats
from . import articles, triples, wording

BANK = "contradictions-reference.csv"
LABELS = ("contradicts", "consistent", "unrelated")
THRESHOLD = 0.8
"""Least cosine of the embeddings at which the rule reads a pair: of the values tried, the most precise on the tuning
half."""

OVERLAP = 0.3
"""Least share of words in common, over the words of both, at which two statements are of one matter."""

_OPPOSITES = [
    ("support endors favour favor back", "oppos resist combat"),
    ("accept agre approv adopt", "reject refus declin disapprov"),
    ("welcom prais applaud", "deplor condemn regret denounc"),
    ("increas rais expand enlarg wid", "reduc cut lower decreas narrow shrink"),
    ("strengthen reinforc", "weaken undermin"),
    ("join enter", "withdraw leav quit"),
    ("maintain keep preserv uphold retain continu", "lift abolish abandon remov dismantl scrap stop end"),
    ("recognis recogniz acknowledg", "deny denies denied"),
    ("protect defend safeguard", "threaten endanger attack violat"),
    ("allow permit legalis legaliz", "forbid prohibit ban prevent"),
    ("open", "clos"),
    ("legitimat lawful legal just justifi", "illegitimat unlawful illegal unjust unjustifi"),
    ("acceptabl", "unacceptabl"),
    ("necessari", "unnecessari"),
    ("possibl", "impossibl"),
    ("always", "never"),
    ("more", "less"),
]
_FUNCTION = frozenset(
    re.findall(
        r"\w+",
        "a an the of to in on at by for with from and or but that this these those it its is are was were be been "
        "being have has had do does did will shall would should must may might can could we our us i they their he his "
        "as also all any there which who what than then so such ought upon into own",
    )
)
_NEGATORS = frozenset(["refuse", "refuses", "refused", "fail", "fails", "failed"])
_NO_NEGATION = re.compile(r"\bnot (?:only|just|merely|least)\b|\bno (?:doubt|less|matter)\b", re.IGNORECASE)


def sign(pairs: pd.DataFrame, threshold: float = THRESHOLD, overlap: float = OVERLAP) -> np.ndarray:
    """Sign pairs of statements: -1 contradictory, +1 consistent, 0 left unsigned.

    Only near-duplicates are read: statements whose embeddings are near and that share words. One that negates what
    the other says, or has the opposite word, contradicts it; two such turns cancel out.

    Parameters
    ----------
    pairs : columns `first`, `second` (texts) and `cosine` (of their embeddings, in [-1, 1]).
    threshold : least cosine, in [-1, 1].
    overlap : least share of words in common, in [0, 1].

    Returns
    -------
    One of -1, 0, 1 per pair.

    Examples
    --------
    >>> rows = [("We support the treaty.", "We oppose the treaty."), ("We support the treaty.", "Peace is near.")]
    >>> sign(pd.DataFrame(rows, columns=["first", "second"]).assign(cosine=0.9)).tolist()
    [-1, 0]
    """
    out = np.zeros(len(pairs), dtype=np.int8)
    read: dict[str, tuple[int, frozenset[str], frozenset[tuple[int, int]]]] = {}
    near = np.flatnonzero(pairs["cosine"].to_numpy() >= threshold)
    for k, first, second in zip(near, pairs["first"].iloc[near], pairs["second"].iloc[near], strict=True):
        one, other = (read.setdefault(text, _read(text)) for text in (first, second))
        out[k] = _compare(one, other, overlap)
    return out


def rule(threshold: float = THRESHOLD, overlap: float = OVERLAP) -> Callable[[pd.DataFrame], np.ndarray]:
    """Give :func:`sign` at a setting, as `conflicts.graph` takes it."""
    return partial(sign, threshold=threshold, overlap=overlap)


def turns(first: str, second: str) -> int:
    """Count the turns between two statements: a negation that one has and the other not, and each opposite word.

    Examples
    --------
    >>> turns("We support the treaty.", "We do not oppose the treaty."), turns("It is so.", "It is not so.")
    (2, 1)
    """
    return _turns(_read(first), _read(second))


def _read(text: str) -> tuple[int, frozenset[str], frozenset[tuple[int, int]]]:
    """How many negations, which words that carry matter (no opposites among them), which sides of which opposites."""
    text = _NO_NEGATION.sub(" ", text.replace("’", "'"))
    words = re.findall(r"[a-z]+(?:'t)?", text.lower())
    negations = wording.negations(text) + sum(word in _NEGATORS for word in words)
    poles, matter = set(), set()
    for word in words:
        if found := _pole(word):
            poles.add(found)
        elif word not in _FUNCTION and word not in wording.NEGATIONS and not word.endswith("n't"):
            matter.add(_stem(word))
    return negations, frozenset(matter), frozenset(poles)


def _stem(word: str) -> str:
    return re.sub(r"(?:ing|ed|es|s|e|ly|y)$", "", word) if len(word) > 4 else word


_POLES = {stem: (k, side) for k, pair in enumerate(_OPPOSITES) for side in (0, 1) for stem in pair[side].split()}


def _pole(word: str) -> tuple[int, int] | None:
    return _POLES.get(word) or _POLES.get(_stem(word))


def _turns(one, other) -> int:
    crossed = {pair for pair, side in one[2] if (pair, 1 - side) in other[2]}
    # Where a statement has both sides of a pair, neither is what it turns on.
    both = {pair for poles in (one[2], other[2]) for pair, side in poles if (pair, 1 - side) in poles}
    return (one[0] - other[0]) % 2 + len(crossed - both)


def _compare(one, other, overlap: float) -> int:
    either = len(one[1] | other[1])
    if len(one[1] & other[1]) < overlap * either:
        return 0
    return -1 if _turns(one, other) % 2 else 1


def fingerprint(statement: str) -> str:
    """Name a statement without repeating it: twelve hex digits of the sha256 of its letters, in lower case.

    Spaces, hyphens and digits are passed over: a better repair of what was read from paper changes those.

    Examples
    --------
    >>> fingerprint("Peace- keeping first.") == fingerprint("Peace-keeping first.")
    True
    """
    return hashlib.sha256(re.sub(r"[\W\d_]", "", statement.lower()).encode()).hexdigest()[:12]


def labels() -> pd.DataFrame:
    """Read the reference: pairs of statements, labelled before the rule was written but for those of kind 'flagged'.

    Returns
    -------
    One row per pair: `kind` ('speeches', drawn from them; 'written' for this; 'triples', a statement and its reverse;
    'flagged', what the rule signed -1 in the speeches, labelled afterwards; 'teaching', of the teaching articles),
    `nation`, `first` and `second` (ids), `first_hash` and `second_hash` (of :func:`fingerprint`), `first_text` and
    `second_text` (of written pairs alone), `stratum`, `of` (pairs in it) and `drawn`, `label` (of `LABELS`), `remark`,
    `half` ('tuning', 'reporting', 'after' for those flagged, '' for teaching), `cosine` (of the embeddings by the
    packaged model).

    Raises
    ------
    UserError : a label that is none of the three.
    """
    table = pd.read_csv(ROOT / "data" / "teaching" / BANK, keep_default_na=False)
    if wrong := sorted({*table["label"]} - {*LABELS}):
        raise UserError(f"data/teaching/{BANK} has the label '{wrong[0]}': choose {', '.join(LABELS)}")
    return table


def reference(speeches: pd.DataFrame | None = None) -> pd.DataFrame:
    """Join the labels to the texts.

    A sentence of a speech is found by its article and its words, not by its place.

    Parameters
    ----------
    speeches : articles, as of `articles.load`, which is the default.

    Returns
    -------
    The labels whose texts are found, without those of the teaching articles; `first` and `second` are texts.
    ``attrs["lost"]`` is the number of the others.
    """
    table = labels().query("kind != 'teaching'")
    texts = _texts(table, articles.load() if speeches is None else speeches)
    for side in ("first", "second"):
        table = table.assign(**{side: table[f"{side}_hash"].map(texts)})
    found = table[table[["first", "second"]].notna().all(axis=1)].reset_index(drop=True)
    found.attrs["lost"] = len(table) - len(found)
    return found.drop(columns=["first_text", "second_text"])


def _texts(table: pd.DataFrame, speeches: pd.DataFrame) -> dict[str, str]:
    bank = triples.teaching_triples()
    known = [*table["first_text"], *table["second_text"], *bank["statement"], *bank["reverse_statement"]]
    ours = table[table["kind"].isin(["speeches", "flagged"])]
    wanted = {name.rpartition("-")[0] for name in (*ours["first"], *ours["second"])}
    for text in speeches.loc[speeches["article"].isin(wanted), "text"]:
        known += articles.sentences(text)
    return {fingerprint(text): text for text in known}


def accuracy(table: pd.DataFrame, found: np.ndarray) -> pd.DataFrame:
    """How often is the rule right? Precision and recall of 'contradicts', and how much it signs at all.

    Parameters
    ----------
    table : as of :func:`reference`.
    found : sign per pair, as of :func:`sign`.

    Returns
    -------
    One row per `half`, `kind` and `metric`: 'precision' (of pairs signed -1, those that contradict), 'recall' (of
    those that contradict, the ones signed -1), 'false alarms' (of those that do not, the ones signed -1), 'signed' (of
    all pairs, those signed), 'agreement' (of pairs signed +1, those labelled consistent); `value`, `low`, `high`
    (Wilson, 95%), `n`. NaN where there is no such pair.
    """
    rows, table = [], table.assign(found=np.asarray(found))
    for (half, kind), part in _parts(table):
        flagged, bad = part["found"] == -1, part["label"] == "contradicts"
        good, plus = part["label"] == "consistent", part["found"] == 1
        shares = {
            "precision": bad[flagged],
            "recall": flagged[bad],
            "false alarms": flagged[~bad],
            "signed": part["found"] != 0,
            "agreement": good[plus],
        }
        rows += [{"half": half, "kind": kind, "metric": name, **_share(hits)} for name, hits in shares.items()]
    return pd.DataFrame(rows)


def _parts(table: pd.DataFrame):
    for half in ("tuning", "reporting", "after"):
        part = table[table["half"] == half]
        if half != "after":
            yield (half, "all"), part
        yield from (((half, kind), rows) for kind, rows in part.groupby("kind", sort=False))


def _share(hits: pd.Series) -> dict[str, float]:
    if not len(hits):
        return {"value": np.nan, "low": np.nan, "high": np.nan, "n": 0}
    low, high = stats.wilson(hits.sum(), len(hits))
    return {"value": float(hits.mean()), "low": low, "high": high, "n": len(hits)}
