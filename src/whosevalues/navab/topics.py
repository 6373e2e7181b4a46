"""Topics: which passages speak of the same, found without a list of what there is to speak of.

NaVAB (arXiv 2504.12911, summary, Method Summary): sentence embeddings, UMAP to five dimensions, HDBSCAN, and per topic
the words of greatest c-TF-IDF. Settings are those of the authors' released code.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from .. import UserError, embeddings, stats

NEIGHBOURS = 15
COMPONENTS = 5
SMALLEST = 50
"""Passages that make a topic, in the released code; a corpus of a few hundred passages needs fewer."""
OUTLIER = -1
SVD, RANDOM = "tf-idf + svd", "random"
"""Ways to place a text that need no model: counted words in 100 dimensions, and a place drawn by lot."""
DIMENSIONS = 100


def find(
    passages: pd.DataFrame,
    points: np.ndarray,
    *,
    smallest: int = SMALLEST,
    components: int = COMPONENTS,
    seed: int = 0,
) -> pd.DataFrame:
    """Sort passages into topics.

    Parameters
    ----------
    passages : as `articles.passages` gives them.
    points : one row of unit length per passage, as `vectors` gives them.
    smallest : passages that make a topic, at least 2.
    components : dimensions after UMAP, at least 2; 0 leaves UMAP out.
    seed : of UMAP.

    Returns
    -------
    The passages with `topic`, numbered from 0, the largest first; `OUTLIER` (-1) for what fits none.
    """
    if len(points) != len(passages):
        raise UserError(f"{len(points)} points for {len(passages)} passages: embed these very passages")
    return passages.assign(topic=cluster(flatten(points, components, seed) if components else points, smallest))


def vectors(texts: Sequence[str], model: str = embeddings.PACKAGED, seed: int = 0) -> np.ndarray:
    """Give each text a place.

    Parameters
    ----------
    texts : to be placed.
    model : `SVD`, `RANDOM`, or a model that `embeddings.embed` knows.
    seed : of what is drawn; the embedding models draw nothing.

    Returns
    -------
    float32, one row of unit length per text.
    """
    if model == RANDOM:
        return _unit(np.random.default_rng(seed).normal(size=(len(texts), DIMENSIONS)))
    if model != SVD:
        return embeddings.embed(texts, model)
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfVectorizer

    table = TfidfVectorizer(stop_words="english", sublinear_tf=True, min_df=2).fit_transform(texts)
    wide = min(DIMENSIONS, min(table.shape) - 1)
    return _unit(TruncatedSVD(wide, random_state=seed).fit_transform(table))


def flatten(points: np.ndarray, components: int = COMPONENTS, seed: int = 0, apart: float = 0.0) -> np.ndarray:
    """Bring points into few dimensions with UMAP, near ones staying near.

    Parameters
    ----------
    points : one row per text.
    components : dimensions of the result.
    seed : the same seed gives the same result on the same machine.
    apart : UMAP's `min_dist`; 0 packs what is alike, as clustering wants it, a map is easier to read at 0.1.

    Returns
    -------
    One row per text.

    Raises
    ------
    UserError : too few texts for their `NEIGHBOURS`.
    """
    if len(points) <= NEIGHBOURS:
        raise UserError(f"{len(points)} passages are too few for UMAP with {NEIGHBOURS} neighbours: give more of them")
    from umap.umap_ import UMAP

    how = {"n_neighbors": NEIGHBOURS, "n_components": components, "min_dist": apart, "metric": "cosine"}
    return UMAP(**how, random_state=seed, n_jobs=1).fit_transform(points)


def cluster(points: np.ndarray, smallest: int = SMALLEST) -> np.ndarray:
    """Find where points lie densely, with HDBSCAN (euclidean, excess of mass).

    Parameters
    ----------
    points : one row per text.
    smallest : points that make a cluster.

    Returns
    -------
    Cluster of each point, numbered from 0 by size, ties by the first point; `OUTLIER` for points between clusters.
    """
    from sklearn.cluster import HDBSCAN

    found = HDBSCAN(min_cluster_size=smallest, cluster_selection_method="eom", copy=True).fit_predict(points)
    return ranked(found)


def ranked(labels: np.ndarray) -> np.ndarray:
    """Number clusters by size, the largest 0, ties by the first point; outliers stay.

    Examples
    --------
    >>> ranked(np.array([4, -1, 2, 2, -1, 4, 4])).tolist()
    [0, -1, 1, 1, -1, 0, 0]
    """
    names, first, sizes = np.unique(labels, return_index=True, return_counts=True)
    inside = names != OUTLIER
    order = names[inside][np.lexsort((first[inside], -sizes[inside]))]
    place = {int(name): number for number, name in enumerate(order)} | {OUTLIER: OUTLIER}
    return np.array([place[int(label)] for label in labels])


def counts(texts: Sequence[str], longest: int = 2):
    """Count the words of texts, and their pairs, without English stop words.

    Parameters
    ----------
    texts : one or more.
    longest : 1 for words alone, 2 for pairs of neighbours as well.

    Returns
    -------
    Sparse counts, (texts, terms), and the terms.
    """
    from sklearn.feature_extraction.text import CountVectorizer

    # Numbers and the rests of OCR are no topics: a word has three letters.
    counter = CountVectorizer(ngram_range=(1, longest), stop_words="english", token_pattern=r"(?u)\b[^\W\d_]{3,}\b")
    return counter.fit_transform(texts), counter.get_feature_names_out()


def words(topic: Sequence[int], counted, terms: np.ndarray, top: int = 10) -> pd.DataFrame:
    """Give each topic the words of greatest c-TF-IDF.

    With f(t, c) how often term t stands in class c, and A the mean number of terms per class, the weight is
    f(t, c) * log(1 + A / f(t)), f(t) being the sum over classes. The outliers are a class like the others.

    Parameters
    ----------
    topic : of each text.
    counted, terms : as `counts` gives them.
    top : words per topic.

    Returns
    -------
    One row per topic and word: `topic`, `rank` (from 1), `word`, `weight`; ties in the order of `terms`.
    """
    from scipy.sparse import csr_matrix

    classes, place = np.unique(np.asarray(topic), return_inverse=True)
    member = csr_matrix((np.ones(len(place)), (place, np.arange(len(place)))), shape=(len(classes), len(place)))
    often = (member @ counted).tocsr()
    rare = np.log1p(often.sum() / len(classes) / np.asarray(often.sum(axis=0)).ravel())
    rows = []
    for number, name in enumerate(classes):
        row = often[number]
        weight = row.data * rare[row.indices]
        best = np.lexsort((row.indices, -weight))[:top]
        rows += [(int(name), k, terms[row.indices[i]], weight[i]) for k, i in enumerate(best, start=1)]
    return pd.DataFrame(rows, columns=["topic", "rank", "word", "weight"])


def sizes(sorted_in: pd.DataFrame, named: pd.DataFrame) -> pd.DataFrame:
    """How much is said of each topic?

    Parameters
    ----------
    sorted_in : as `find` gives them.
    named : as `words` gives them.

    Returns
    -------
    One row per topic, outliers last: `topic`, `words` (in the order of their weight), `value` (share of the
    passages), `low`, `high` (95%, bootstrap of whole articles), `n` (passages), `chance` and `printed` (NaN).
    """
    said = named.groupby("topic")["word"].agg(", ".join)
    rows = []
    for topic in [*sorted(set(sorted_in["topic"]) - {OUTLIER}), OUTLIER]:
        share = stats.estimate(sorted_in.assign(hit=sorted_in["topic"] == topic), "hit", cluster="article")
        rows.append(
            {"topic": topic, "words": said.get(topic, ""), **share, "n": int((sorted_in["topic"] == topic).sum())}
        )
    return pd.DataFrame(rows).assign(chance=np.nan, printed=np.nan)


def by_nation(sorted_in: pd.DataFrame) -> pd.DataFrame:
    """How much does each nation speak of each topic?

    Parameters
    ----------
    sorted_in : as `find` gives them.

    Returns
    -------
    One row per topic (outliers too) and nation: `value`, the share of the nation's passages, in [0, 1]; `low`, `high`
    (95%, bootstrap of whole articles; where it gives none, Wilson's over articles); `n` (the nation's passages);
    `chance`, the share of all passages, which a nation without leanings would have; `printed` (NaN).
    """
    rows = []
    for topic in [*sorted(set(sorted_in["topic"]) - {OUTLIER}), OUTLIER]:
        hits = sorted_in.assign(hit=sorted_in["topic"] == topic)
        for nation, part in hits.groupby("nation", sort=False):
            share = stats.estimate(part, "hit", cluster="article")
            if not share["low"] < share["high"]:
                # No bootstrap knows how rare the never seen is: Wilson's interval, an article being one trial.
                trials = part["article"].nunique()
                share["low"], share["high"] = stats.wilson(share["value"] * trials, trials)
            rows.append({"topic": topic, "nation": nation, **share, "n": len(part), "chance": hits["hit"].mean()})
    return pd.DataFrame(rows).assign(printed=np.nan)


def _unit(points: np.ndarray) -> np.ndarray:
    length = np.linalg.norm(points, axis=1, keepdims=True)
    return (points / np.where(length == 0, 1, length)).astype(np.float32)
