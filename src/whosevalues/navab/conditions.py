"""What is trained on: the pipeline's pairs, with conflicts, without them, or with as many others left out."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from .. import embeddings
from ..models.hf import HFModel
from . import aligned, alignment, articles, conflicts, dataset, statements
from . import triples as bank
from .alignment import Training
from .wording import negations

PLAIN, REDUCED, PRUNED = "no reduction", "conflict reduction", "random pruning"
PLANTED = "contradictions planted"
PLANTED_REDUCED, PLANTED_CLEAN, PLANTED_PRUNED = (
    f"planted, {words}" for words in ("conflict reduction", "perfect reduction", "random pruning")
)
ORPO, BEFORE, SMALL = "orpo", "before", "small run"
LEFT_OUT = "teaching, its nation left out"

SPEECHES = "speeches"


def pipeline(source: str = SPEECHES, first_year: int = 2000, share: float = 0.2) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Run the stages before alignment: articles, passages, statements, triples, and the split by article.

    Parameters
    ----------
    source : 'speeches', or triples that are made already, by a name that `dataset.named` knows: 'hub', a folder, a CSV
        file (a column `article` says which of its rows must stay on one side; without it each row is its own).
    first_year : of the speeches that are read.
    share : of each nation's articles that are held out.

    Returns
    -------
    The statements, and the triples with `part`.

    Raises
    ------
    UserError : as for `dataset.named` and `alignment.split`.
    """
    if source != SPEECHES:
        made = _named(source)
        return made, alignment.split(made, share)
    read = articles.load()
    read = read[read["year"].astype(int) >= first_year]
    found = statements.read(articles.passages(read)).reset_index(drop=True)
    return found, alignment.split(bank.build(found), share)


def _named(source: str) -> pd.DataFrame:
    made = dataset.named(source)
    if Path(source).is_file():
        given = pd.read_csv(source, dtype=str)
        made = made.assign(article=given["article"].to_numpy() if "article" in given else made["id"])
    denials = [made[side].map(negations) for side in ("statement", "reverse_statement")]
    made = made if "article" in made else made.assign(article=made["id"])
    return made.assign(statement_id=made["id"], negated=denials[0] > denials[1])


def plant(pairs: pd.DataFrame, number: int, seed: int) -> pd.DataFrame:
    """Contradict some pairs: another article says the reverse, so that S and RS change places.

    Parameters
    ----------
    pairs : triples.
    number : pairs contradicted.
    seed : of the draw.

    Returns
    -------
    The pairs and their contraries, whose `statement_id` and `article` end in '-planted', in a random order.
    """
    chosen = pairs.sample(min(number, len(pairs)), random_state=seed)
    contrary = chosen.assign(
        statement=chosen["reverse_statement"],
        reverse_statement=chosen["statement"],
        **{name: chosen[name] + "-planted" for name in ("id", "statement_id", "article")},
    )
    return pd.concat([pairs, contrary]).sample(frac=1, random_state=seed).reset_index(drop=True)


def dropped(found: pd.DataFrame, pairs: pd.DataFrame, rounds: int) -> set[str]:
    """Run conflict reduction over all statements, the planted ones among them.

    Parameters
    ----------
    found : the corpus's statements.
    pairs : training pairs; those that are not in the corpus join it.
    rounds : of `conflicts.reduce`.

    Returns
    -------
    Ids of the statements that it drops.
    """
    new = pairs[~pairs["statement_id"].isin(found["statement_id"])]
    columns = ["statement_id", "article", "nation", "statement"]
    every = pd.concat([found[columns], new[columns]], ignore_index=True)
    vectors = [embeddings.embed(found["statement"].tolist())]
    vectors += [embeddings.embed(new["statement"].tolist())] if len(new) else []
    left = conflicts.reduce(every, np.vstack(vectors), rounds=rounds)
    return set(left.loc[left["dropped"].notna(), "statement_id"])


def without(pairs: pd.DataFrame, ids: Iterable[str]) -> pd.DataFrame:
    """Leave out the pairs of some statements."""
    return pairs[~pairs["statement_id"].isin(set(ids))].reset_index(drop=True)


def pruned(pairs: pd.DataFrame, number: int, seed: int) -> pd.DataFrame:
    """Leave out as many pairs at random: the control of a reduction of that size."""
    gone = np.random.default_rng(seed).choice(len(pairs), min(number, len(pairs)), replace=False)
    return pairs.drop(index=pairs.index[gone]).reset_index(drop=True)


def plan(
    found: pd.DataFrame, parts: pd.DataFrame, seed: int, per_nation: int, words: int, planted: int, rounds: int = 5
) -> dict[str, pd.DataFrame]:
    """List one seed's ways of training, each with its pairs.

    Parameters
    ----------
    found, parts : of `pipeline`.
    seed : of the draws.
    per_nation : training pairs of each nation.
    words : longest statement, in words.
    planted : pairs that are contradicted.
    rounds : of conflict reduction.

    Returns
    -------
    Condition -> pairs. Ways that come to the same pairs, as where nothing was dropped, are trained once.
    """
    plain = aligned.drawn(parts[parts["part"] == "train"], per_nation, words, seed)
    mixed = plant(plain, planted, seed)
    gone, gone_mixed = dropped(found, plain, rounds), dropped(found, mixed, rounds)
    return {
        PLAIN: plain,
        REDUCED: without(plain, gone),
        PRUNED: pruned(plain, len(plain) - len(without(plain, gone)), seed),
        PLANTED: mixed,
        PLANTED_REDUCED: without(mixed, gone_mixed),
        PLANTED_CLEAN: plain,
        PLANTED_PRUNED: pruned(mixed, len(mixed) - len(plain), seed),
    }


def trained(
    base: HFModel, pairs: pd.DataFrame, training: Training, held: dict[str, pd.DataFrame], metrics=aligned.EVERY
) -> pd.DataFrame:
    """Train, and score the held-out items.

    Parameters
    ----------
    base : the model.
    pairs : to train on; without any the model itself is scored.
    training : how.
    held : of `aligned.items`.
    metrics : of the first and last kind of items; where S denies the completions are enough.

    Returns
    -------
    As of `aligned.score`, all kinds together, with `seed`, `pairs` and the name of the `adapter`.
    """
    model = alignment.Aligned(base, alignment.train(base, pairs, training)) if len(pairs) else base
    scored = [
        aligned.score(model, rows, (aligned.COMPLETION,) if kind == aligned.DENIES else metrics)
        for kind, rows in held.items()
        if len(rows)
    ]
    return pd.concat(scored, ignore_index=True).assign(seed=training.seed, pairs=len(pairs), adapter=model.name)


def left_out(base: HFModel, training: Training, held: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Train on the teaching triples of four nations and score the fifth's, each nation in turn.

    Parameters
    ----------
    base, training, held : as for `trained`.

    Returns
    -------
    As of `trained`, each item scored by the model that saw nothing of its nation.
    """
    own, scored = bank.teaching_triples(), []
    for nation in own["nation"].unique():
        fifth = {aligned.TEACHING: held[aligned.TEACHING].query("nation == @nation")}
        others = own[own["nation"] != nation].sample(frac=1, random_state=training.seed)
        scored.append(trained(base, others, training, fifth, (aligned.COMPLETION,)))
    return pd.concat(scored, ignore_index=True)
