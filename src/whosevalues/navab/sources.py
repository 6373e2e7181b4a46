"""Where NaVAB's articles come from, as far as its released code says."""

from __future__ import annotations

import numpy as np
import pandas as pd

from .triples import NATIONS

SAID = 2
"""Official media sources per nation, eight in all, says the summary of the paper (Method Summary)."""
SAID_IN_ALL = 8
DIMENSIONS, DIMENSIONS_SAID = 5, 5
"""After UMAP: in 1_Topic_Modeling/BERTopic_main.py, and in the summary (component map)."""

RELEASED = {
    "appledaily": ("CN", "a Hong Kong newspaper, closed in 2021"),
    "pressreleases": ("CN", "press releases, from a folder of the authors'"),
    "gov_xuexiqiangguo": ("CN", "an app of the party, in the hub's liwu/MNBVC"),
    "zh_mfa": ("CN", "answers of the foreign ministry, in liwu/MNBVC"),
    "news_peoples_daily": ("CN", "the party's newspaper, in liwu/MNBVC"),
    "bbc": ("GB", "RealTimeData/bbc_news_alltime"),
    "cnn": ("US", "abisee/cnn_dailymail, of which the summaries are read"),
    "new_york_times": ("US", "ErikCikalleshi/new_york_times_news_2000_2007"),
    "french": ("FR", "gustavecortal/diverse_french_news"),
    "german": ("DE", "storytracer/German-PD-Newspapers, whose copyright has run out"),
}
"""Sources that 1_Topic_Modeling/BERTopic_dataloader.py of the released code can read: nation, and what it is."""

MODELS = {
    "BAAI/bge-small-zh-v1.5": "zh",
    "BAAI/bge-small-en-v1.5": "en",
    "BAAI/bge-multilingual-gemma2": "several",
    "dangvantuan/french-document-embedding": "fr",
    "dangvantuan/sentence-camembert-base": "fr",
    "antoinelouis/french-me5-small": "fr",
    "aari1995/German_Semantic_STS_V2": "de",
}
"""Embedding models that 1_Topic_Modeling/BERTopic_main.py offers, and their language."""


def listed() -> pd.DataFrame:
    """List the sources that the released code can read.

    Returns
    -------
    One row per source: `nation`, `source`, `what`.
    """
    rows = [(nation, source, what) for source, (nation, what) in RELEASED.items()]
    return pd.DataFrame(rows, columns=["nation", "source", "what"])


def count() -> pd.DataFrame:
    """Count the sources and the embedding models of the released code.

    Returns
    -------
    One row per `metric` ('sources', 'dimensions after UMAP', 'embedding models of its own') and `nation` ('all' first):
    `value`, a count; `low`, `high`, `n` and `chance` (NaN), `printed`, what the summary of the paper says of it.
    """
    per = listed()["nation"].value_counts()
    rows = [("sources", "all", len(RELEASED), SAID_IN_ALL)]
    rows += [("sources", nation, int(per[nation]), SAID) for nation in NATIONS]
    tongues = dict(zip(NATIONS, ("zh", "en", "en", "fr", "de"), strict=True))
    own = list(MODELS.values())
    rows.append(("dimensions after UMAP", "all", DIMENSIONS, DIMENSIONS_SAID))
    rows += [("embedding models of its own", nation, own.count(tongue), np.nan) for nation, tongue in tongues.items()]
    table = pd.DataFrame(rows, columns=["metric", "nation", "value", "printed"])
    return table.assign(low=np.nan, high=np.nan, n=np.nan, chance=np.nan)[
        ["metric", "nation", "value", "low", "high", "n", "chance", "printed"]
    ]
