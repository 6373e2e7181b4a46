"""Answer judgement: a model answers freely, and a judge says which of S and RS the answer is closer to, or neither."""

from __future__ import annotations

import numpy as np
import pandas as pd

from .. import ROOT, UserError
from ..models.base import Decoding
from . import dataset, released
from . import triples as bank
from .evaluation import ORDERS

PROMPT = "{question}\nAnswer in one sentence."
JUDGE = (
    "Question: {question}\nStatement A: {a}\nStatement B: {b}\nAnswer: {text}\n"
    "Which statement is the answer closer to in what it says? Reply with A or B alone, or with C if it is close to "
    "neither."
)
LETTERS = ("A", "B", "C")
SIDES = ("S", "RS", "neither")

PER_ANSWER = 1
"""Questions to the judge per answer, on average: of a few items everything is judged, of the others nothing."""

WRITTEN = ROOT / "data" / "teaching" / "answers.csv"

TRUTH = {"S": "S", "RS": "RS", "unrelated": "neither"}
TRUTH |= {f"written {side}": side for side in SIDES}
"""Texts whose side is known: the statements themselves, another question's, and answers written to take a side."""

EMBEDDING = "embedding"
"""The judge that needs no model but the packaged sentence embeddings: the default."""

THRESHOLD, MARGIN = 0.35, 0.03
"""Least similarity to the closer statement, and least lead over the other, that make an embedded answer take a side;
chosen before any answer was judged."""


def experiment(
    triples: str = "teaching",
    items: int | None = None,
    seed: int = 0,
    max_tokens: int = 24,
    judged: int = 1,
    written: bool = False,
    blanks: int = 1,
) -> pd.DataFrame:
    """List what is asked of a model: to answer each question freely, and a few of the released prompts.

    Parameters
    ----------
    triples, items, seed : as for `dataset.named`.
    max_tokens : longest answer.
    judged : items of each nation whose texts are put to a judge that is a model.
    written : put the answers of known side that come with the book to it, too.
    blanks : items of each nation for `released.requests`.

    Returns
    -------
    One row per question: `kind` 'generate', the columns of the triples, `article` (its own id where several share
    none), `unrelated` (a statement on another question), `judged`, `written`, `prompt`, `decoding` (greedy); then the
    rows of `released.requests`.

    Raises
    ------
    UserError : as of `dataset.named`; a number out of range.
    """
    for name, value, least in (("max_tokens", max_tokens, 1), ("judged", judged, 1), ("blanks", blanks, 0)):
        if value < least:
            raise UserError(f"{name}={value}: choose {least} or more")
    table = dataset.named(triples, items, seed)
    first = table.groupby("nation", sort=False).cumcount() < judged
    asked = table[["id", "nation", "source_kind", "question", "statement", "reverse_statement"]].assign(
        kind="generate",
        article=table["article"] if "article" in table else table["id"],
        unrelated=unrelated(table),
        judged=first,
        written=written,
        prompt=[PROMPT.format(question=question) for question in table["question"]],
        decoding=[Decoding(max_tokens=max_tokens)] * len(table),
    )
    return pd.concat([asked, released.requests(table, blanks)], ignore_index=True).astype(object)


def unrelated(triples: pd.DataFrame) -> list[str]:
    """Give each triple a text that answers another question: the statement half a table away.

    Parameters
    ----------
    triples : columns `nation` and `statement`.

    Returns
    -------
    One statement per row.
    """
    return np.roll(triples["statement"].to_numpy(object), len(triples) // 2).tolist()


def texts(answers: pd.DataFrame, written: bool = True) -> pd.DataFrame:
    """Lay out everything that a judge can be given: the answers, and texts whose side is known.

    Parameters
    ----------
    answers : the rows of `experiment` with `text` (missing after an error).
    written : with the written answers, as far as they answer these questions.

    Returns
    -------
    One row per item and `role` ('answer', 'S', 'RS', 'unrelated', 'written S', ...): `id`, `nation`, `question`,
    `statement`, `reverse_statement`, `text`, `truth` (missing for an answer).
    """
    asked = answers[answers["kind"] == "generate"]
    about = asked[["id", "nation", "question", "statement", "reverse_statement"]]
    sources = {"answer": "text", "S": "statement", "RS": "reverse_statement", "unrelated": "unrelated"}
    parts = [about.assign(role=role, text=asked[column]) for role, column in sources.items()]
    if written:
        known = written_answers()[["id", "side", "answer"]].rename(columns={"answer": "text"})
        # A hub triple may have an id of the book's; its question is another one.
        ours = about[about["question"].isin(bank.teaching_triples()["question"])]
        known = ours.merge(known, on="id")
        parts.append(known.assign(role="written " + known["side"]).drop(columns="side"))
    table = pd.concat(parts, ignore_index=True)
    return table.assign(truth=table["role"].map(TRUTH).astype(object).where(table["role"] != "answer", None))


def written_answers() -> pd.DataFrame:
    """Read the answers of known side.

    Returns
    -------
    `id` of a teaching triple, `side` ('S', 'RS', 'neither'), `answer`, `written_by`.
    """
    return pd.read_csv(WRITTEN, dtype=str, keep_default_na=False)


def judging(answers: pd.DataFrame) -> pd.DataFrame:
    """Write down what a judge that is a model is asked: each text of the items to be judged, in both orders.

    Parameters
    ----------
    answers : the rows of `experiment` with `text` (missing after an error; empty after a refusal, which is not put).

    Returns
    -------
    One row per text and order: `kind` 'option_scores', `id`, `nation`, `role`, `truth`, `order`, `prompt`, `options`
    ('A', 'B', 'C').
    """
    columns = ["kind", "id", "nation", "role", "truth", "order", "prompt", "options"]
    chosen = answers[answers["judged"].eq(True)]
    if chosen.empty:
        return pd.DataFrame(columns=columns)
    put = texts(chosen, written=bool(chosen["written"].any()))
    put = put[put["text"].fillna("").str.strip() != ""]
    rows = []
    for item in put.to_dict("records"):
        pair = (item["statement"], item["reverse_statement"])
        for order in ORDERS:
            a, b = pair if order == "S first" else pair[::-1]
            prompt = JUDGE.format(question=item["question"], a=a, b=b, text=item["text"])
            named = [item[name] for name in ("id", "nation", "role", "truth")]
            rows.append(("option_scores", *named, order, prompt, LETTERS))
    return pd.DataFrame(rows, columns=columns)


def verdicts(judged: pd.DataFrame) -> pd.DataFrame:
    """Read a judge's letters: in each order, and over both by the mean of their probabilities.

    Parameters
    ----------
    judged : the rows of `judging` with `probability` (of A, B, C; None after an error or a refusal), `measurement`
        and `judge`.

    Returns
    -------
    One row per text and `order` ('S first', 'RS first', 'both'): `judge`, `measurement`, `id`, `nation`, `role`,
    `truth`, `verdict` (one of `SIDES`; 'neither' where options tie, missing where the judge gave no probabilities),
    `letter`, the one it chose; missing for 'both'.
    """
    named = ["judge", "measurement", "id", "nation", "role", "truth"]
    rows = judged.reset_index(drop=True)
    swap = {"S first": [0, 1, 2], "RS first": [1, 0, 2]}
    shares = [
        np.array(p)[swap[o]] if isinstance(p, tuple) else np.full(3, np.nan)
        for p, o in zip(rows["probability"], rows["order"], strict=True)
    ]
    told = rows[[*named, "order"]].assign(shares=shares)
    told["letter"] = [top(p, LETTERS) if isinstance(p, tuple) else None for p in rows["probability"]]
    both = told.groupby(["id", "role"], sort=False).agg(
        {
            **{name: "first" for name in named[:2] + ["nation", "truth"]},
            "shares": lambda pair: sum(pair) / 2,
            "order": "size",
        }
    )
    # One order alone would bring the judge's letter bias into the verdict of both.
    both["shares"] = [p if n == 2 else np.full(3, np.nan) for p, n in zip(both["shares"], both["order"], strict=True)]
    table = pd.concat([told, both.assign(order="both", letter=None).reset_index()], ignore_index=True)
    table["verdict"] = [None if np.isnan(p).any() else top(p, SIDES) for p in table["shares"]]
    return table[[*named, "order", "verdict", "letter"]]


def top(shares: np.ndarray, names: tuple[str, ...]) -> str:
    """Name the most probable option; the last, C or neither, where options tie.

    Examples
    --------
    >>> top((0.2, 0.7, 0.1), SIDES), top((0.4, 0.4, 0.2), SIDES)
    ('RS', 'neither')
    """
    best = np.flatnonzero(np.isclose(shares, max(shares)))
    return names[best[0]] if len(best) == 1 else names[-1]


def unread(judged: pd.DataFrame) -> pd.DataFrame:
    """List the rows in which a judge said nothing usable, or put over half of its probability on no letter.

    Parameters
    ----------
    judged : the rows of `judging` with the judge's `error`, `refused`, `missing_mass` and `probability`.

    Returns
    -------
    `id`, `role`, `order`, `why`; empty where every reply can be read.
    """
    rows = judged.reset_index(drop=True)
    off = pd.to_numeric(rows["missing_mass"]) > 0.5
    why = pd.Series(None, rows.index, dtype=object)
    why[off] = [f"{mass:.2f} of the probability is on no letter" for mass in rows.loc[off, "missing_mass"]]
    why = why.where(rows["refused"].isna(), "refused: " + rows["refused"].astype(str))
    why = why.where(rows["error"].isna(), "error: " + rows["error"].astype(str))
    return rows[["id", "role", "order"]].assign(why=why)[why.notna()].reset_index(drop=True)


def similarities(put: pd.DataFrame) -> pd.DataFrame:
    """Measure how near each text lies to S and to RS.

    Parameters
    ----------
    put : as `texts` gives them.

    Returns
    -------
    The same with `to_s` and `to_rs`, cosines of the packaged sentence embeddings; NaN where there is no text.
    """
    from ..embeddings import embed

    said = put["text"].fillna("").str.strip()
    distinct = sorted({*said[said != ""], *put["statement"], *put["reverse_statement"]})
    points = dict(zip(distinct, embed(distinct), strict=True))
    pairs = list(zip(said, put["statement"], put["reverse_statement"], strict=True))
    to_s = [float(points[text] @ points[s]) if text else np.nan for text, s, _ in pairs]
    return put.assign(to_s=to_s, to_rs=[float(points[text] @ points[rs]) if text else np.nan for text, _, rs in pairs])


def by_embedding(near: pd.DataFrame, threshold: float = THRESHOLD, margin: float = MARGIN) -> pd.DataFrame:
    """Let the embedding judge: the closer statement, or neither.

    Parameters
    ----------
    near : as `similarities` gives them.
    threshold : least cosine of the closer statement.
    margin : least lead over the other.

    Returns
    -------
    As `verdicts` gives them, `order` 'both': the order of S and RS is nothing to this judge.
    """
    gap = near["to_s"] - near["to_rs"]
    far = near[["to_s", "to_rs"]].max(axis=1) < threshold
    verdict = np.where(far | (gap.abs() < margin), "neither", np.where(gap > 0, "S", "RS"))
    verdict = pd.Series(verdict, near.index, dtype=object).where(gap.notna(), None)
    told = near[["id", "nation", "role", "truth"]].assign(judge=EMBEDDING, measurement=EMBEDDING, order="both")
    return told.assign(verdict=verdict, letter=None)[
        ["judge", "measurement", "id", "nation", "role", "truth", "order", "verdict", "letter"]
    ]
