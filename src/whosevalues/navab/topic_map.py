"""The map of topics: a picture in which near passages say alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ..figures import PALETTE, theme
from . import topics

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Picture
    from plotly.graph_objects import Figure

COLOURED = 8
"""Topics with a colour of their own, the largest; nobody tells more apart."""
OTHERS, OUTSIDE = "other topics", "in no topic"


def points(passages: pd.DataFrame, placed: np.ndarray, shown: int, seed: int = 0) -> pd.DataFrame:
    """Lay passages out on a map.

    Parameters
    ----------
    passages : as `topics.find` gives them, with `topic`.
    placed : as `topics.vectors` gives them.
    shown : how many of the passages the map shows, drawn by lot; all of them are laid out.
    seed : of UMAP and of the lot.

    Returns
    -------
    One row per passage shown, in the corpus's order: `passage`, `nation`, `year`, `topic`, `x`, `y`.
    """
    flat = topics.flatten(placed, 2, seed, apart=0.1).round(2)
    table = passages.assign(x=flat[:, 0], y=flat[:, 1])[["passage", "nation", "year", "topic", "x", "y"]]
    return table.sample(min(shown, len(table)), random_state=seed).sort_index().reset_index(drop=True)


def picture(table: pd.DataFrame, words: dict[int, str]) -> Figure:
    """Draw the map; the pointer names a passage, the legend hides topics.

    Parameters
    ----------
    table : as `points` gives it.
    words : what a topic is called, by its number.

    Returns
    -------
    The figure; show it with :func:`~whosevalues.figures.interactive`.
    """
    import plotly.graph_objects as go
    import seaborn as sns

    colours = sns.color_palette(PALETTE, 10).as_hex()
    del colours[7]  # the grey, which here is for what has no colour
    figure = go.Figure()
    groups = table["topic"].map(lambda topic: OUTSIDE if topic < 0 else topic if topic < COLOURED else OTHERS)
    order = [OUTSIDE, OTHERS, *range(COLOURED)]
    for group in (group for group in order if (groups == group).any()):
        rows = table[groups == group]
        plain = {OUTSIDE: "#dddddd", OTHERS: "#999999"}
        figure.add_trace(
            go.Scattergl(
                x=rows["x"],
                y=rows["y"],
                mode="markers",
                marker={"size": 5, "color": plain.get(group) or colours[group]},
                name=group if group in plain else words.get(group, str(group)),
                customdata=rows[["passage", "nation", "year", "topic"]].to_numpy(),
                hovertemplate="%{customdata[0]}<br>%{customdata[1]}, %{customdata[2]}<br>topic %{customdata[3]}"
                "<extra></extra>",
            )
        )
    hidden = {"showticklabels": False, "zeroline": False, "showgrid": False}
    figure.update_layout(
        template="plotly_white",
        height=620,
        margin={"l": 5, "r": 5, "t": 10, "b": 10},
        legend={"orientation": "h", "y": -0.02, "yanchor": "top", "font": {"size": 11}, "itemsizing": "constant"},
        xaxis=hidden,
        yaxis=hidden | {"scaleanchor": "x"},
    )
    return figure


def leanings(table: pd.DataFrame, words: dict[int, str]) -> Picture:
    """Show which nations speak more, and which less, of a topic than all do.

    Parameters
    ----------
    table : rows of `topics.by_nation`.
    words : what a topic is called, by its number.

    Returns
    -------
    The figure: share of the nation's passages minus share of all, in hundredths; a star where the interval of the
    former leaves out the latter.
    """
    import matplotlib.pyplot as plt
    import seaborn as sns

    theme()
    outside = (table["low"] > table["chance"]) | (table["high"] < table["chance"])
    gap = 100 * (table["value"] - table["chance"])
    marked = table.assign(
        gap=gap, text=[f"{one:+.1f}{'*' if star else ''}" for one, star in zip(gap, outside, strict=True)]
    )
    order = list(dict.fromkeys(table["nation"]))
    wide = marked.pivot(index="topic", columns="nation", values="gap")[order]
    text = marked.pivot(index="topic", columns="nation", values="text")[order]
    wide.index = [words.get(topic, str(topic)) for topic in wide.index]
    figure, axis = plt.subplots(figsize=(6.2, 0.42 * len(wide) + 0.6), layout="constrained")
    most = float(np.abs(wide).max().max())
    look = {"cmap": "RdBu", "center": 0, "vmin": -most, "vmax": most, "linewidths": 1, "cbar": False}
    sns.heatmap(wide, annot=text, fmt="", annot_kws={"size": 10}, ax=axis, **look)
    axis.set(xlabel="", ylabel="")
    axis.tick_params(axis="x", top=True, labeltop=True, bottom=False, labelbottom=False)
    return figure
