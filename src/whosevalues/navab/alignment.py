"""Alignment: preference optimisation with LoRA on (Q, S, RS), on articles that nothing held out comes from."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path

import numpy as np
import pandas as pd

from .. import ROOT, UserError, models
from ..locks import only_writer
from ..models.base import digest
from ..models.hf import HFModel

STORE = ROOT / "_build" / "alignment"

LIBRARIES = ("torch", "transformers", "trl", "peft")
"""Another version of one of these may train another adapter."""

RECORD = "record.json"


@dataclass(frozen=True)
class Training:
    """How an adapter is trained. The paper's own settings are unpublished: these are ours.

    Attributes
    ----------
    method : 'dpo' (Rafailov et al., 2023) or 'orpo' (Hong et al., 2024), the second without a reference model.
    epochs : passes over the pairs, > 0.
    batch : pairs per step.
    learning_rate : of AdamW, falling linearly to 0.
    beta : for DPO what holds the model to its reference, for ORPO the weight of the odds ratio (its lambda).
    rank, alpha : of the LoRA matrices on the queries and values of every layer.
    max_tokens : longer pairs are cut off at their end.
    seed : of the adapter's first weights and of the order of the pairs.
    """

    method: str = "dpo"
    epochs: int = 1
    batch: int = 2
    learning_rate: float = 2e-3
    beta: float = 0.1
    rank: int = 8
    alpha: int = 16
    max_tokens: int = 192
    seed: int = 0


class Aligned(HFModel):
    """A model with an adapter merged into its weights: any question can be put to it as to any other model.

    Parameters
    ----------
    base : the model that was aligned.
    adapter : folder with `adapter_model.safetensors`, as `train` gives it.
    """

    def __init__(self, base: HFModel, adapter: Path):
        digits = hashlib.sha256((adapter / "adapter_model.safetensors").read_bytes()).hexdigest()
        weights = f"{base.weights} + adapter sha256:{digits}"
        name = f"{base.name}+{adapter.parent.name}"
        super().__init__(name, base.path, weights, base.revision, base.wanted, base.memory)
        self.adapter = adapter

    def _loaded(self, dtype: str, device: str):
        from peft import PeftModel

        plain = super()._loaded(dtype, device)
        return PeftModel.from_pretrained(plain, str(self.adapter)).merge_and_unload().eval()


def split(triples: pd.DataFrame, share: float = 0.2, seed: int = 0) -> pd.DataFrame:
    """Split triples by article, nation by nation, so that no article is on both sides.

    Parameters
    ----------
    triples : columns `nation` and `article`.
    share : of each nation's articles that are held out, in (0, 1).
    seed : of the draw.

    Returns
    -------
    The same rows with `part`, 'train' or 'test'.

    Raises
    ------
    UserError : a share outside (0, 1); a row without an article; a nation with fewer than two; an article that two
        nations share.

    Examples
    --------
    >>> table = pd.DataFrame({"nation": "FR", "article": ["a", "a", "b", "b"]})
    >>> split(table, share=0.5).groupby("article")["part"].nunique().to_dict()
    {'a': 1, 'b': 1}
    """
    if not 0 < share < 1:
        raise UserError(f"a share of {share} cannot be held out: give a number between 0 and 1, such as 0.2")
    if triples["article"].isna().any():
        row = triples.index[triples["article"].isna()][0]
        raise UserError(f"triples, row {row}: no article, so it cannot be split by article; give its source")
    articles = triples[["nation", "article"]].drop_duplicates().sort_values(["nation", "article"])
    if articles["article"].duplicated().any():
        shared = articles["article"][articles["article"].duplicated()].iloc[0]
        raise UserError(f"article '{shared}' belongs to two nations: give each article an id of its own")
    rng, held = np.random.default_rng(seed), set()
    for nation, own in articles.groupby("nation"):
        if len(own) < 2:
            raise UserError(f"{nation} has one article only, which cannot be in training and held out: give it more")
        size = min(max(1, round(share * len(own))), len(own) - 1)
        held |= set(rng.choice(own["article"], size, replace=False))
    return triples.assign(part=np.where(triples["article"].isin(held), "test", "train"))


def split_by_item(triples: pd.DataFrame, share: float = 0.2, seed: int = 0) -> pd.DataFrame:
    """Split triples item by item, as the released code does (7_DPO/construct_dpo_data.py: shuffled, then 80 to 20).

    Parameters
    ----------
    triples, share, seed : as for `split`; the released code sets no seed.

    Returns
    -------
    The same rows with `part`.
    """
    order = np.random.default_rng(seed).permutation(len(triples))
    return triples.assign(part=np.where(order < round(share * len(triples)), "test", "train"))


def straddling(parts: pd.DataFrame) -> pd.DataFrame:
    """Count what a split leaves on both sides.

    Parameters
    ----------
    parts : columns `article` and `part`.

    Returns
    -------
    One row: `articles`, those with an item held out; `straddling`, those of them with an item in training as well;
    `items`, held out; `leaked`, those of them whose article is in training as well.
    """
    training = set(parts.loc[parts["part"] == "train", "article"])
    held = parts[parts["part"] == "test"]
    leaked = held["article"].isin(training)
    counts = {"articles": held["article"].nunique(), "straddling": held.loc[leaked, "article"].nunique()}
    return pd.DataFrame([counts | {"items": len(held), "leaked": int(leaked.sum())}])


def trainable(name: str) -> bool:
    """Say whether a model's weights can be had, so that it can be trained: not those of an endpoint or a script."""
    return isinstance(models.load(name), HFModel)


def train(base: HFModel, pairs: pd.DataFrame, training: Training, stop_after: int | None = None) -> Path | None:
    """Train an adapter, continue one that was interrupted, or find the one that was trained before.

    Parameters
    ----------
    base : as `models.load` gives it; where there is a GPU it is trained there.
    pairs : columns `question` (prompt), `statement` (chosen), `reverse_statement` (rejected).
    training : how.
    stop_after : for tests: end after so many steps in all, as if interrupted.

    Returns
    -------
    Folder of the adapter (safetensors) below ``_build/alignment/<key>``, beside ``record.json``: the settings, the
    loss of each step and the seconds. The key is a hash of the model's fingerprint, the pairs in their order, the
    settings and the versions of the libraries. None where it was stopped.

    Raises
    ------
    UserError : no pair; another process trains the same adapter.
    """
    from . import preference

    if pairs.empty:
        raise UserError("no pair to train on: the split or the conflict reduction left none; give more articles")
    columns = ["question", "statement", "reverse_statement"]
    listed = pairs[columns].values.tolist()
    versions = {library: metadata.version(library).split("+")[0] for library in LIBRARIES}
    folder = STORE / digest([base.fingerprint, listed, asdict(training), versions])[:20]
    adapter = folder / "adapter"
    with only_writer(folder, wait=60):
        if not (adapter / "adapter_config.json").is_file():
            found = preference.fit(base, listed, training, folder, stop_after)
            if found is None:
                return None
            about = {"training": asdict(training), "model": base.fingerprint, "versions": versions, "pairs": len(pairs)}
            (folder / RECORD).write_text(json.dumps(about | found, indent=1) + "\n")
            (folder / "partial").replace(adapter)
            for checkpoint in folder.glob("checkpoint-*"):
                shutil.rmtree(checkpoint)
    return adapter
