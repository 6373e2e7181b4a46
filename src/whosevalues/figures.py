"""One look for every picture."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from . import results

if TYPE_CHECKING:
    from IPython.display import HTML
    from matplotlib.figure import Figure
    from plotly.graph_objects import Figure as Interactive

PALETTE = "colorblind"
SIDES = {"above 0": 0, "below 0": 1, "includes 0": 7}
"""Where an interval lies, and the number of its colour in the palette."""


def theme() -> None:
    """Set the look of all figures: white ground, light grid, colours that the colour-blind can tell apart."""
    import matplotlib.pyplot as plt
    import seaborn as sns

    sns.set_theme(style="whitegrid", context="notebook", palette=PALETTE)
    plt.rcParams.update({"figure.dpi": 110, "axes.spines.top": False, "axes.spines.right": False})


def intervals(
    table: pd.DataFrame,
    y: str,
    *,
    hue: str | None = None,
    col: str | None = None,
    xlabel: str = "",
    reference: float | None = None,
) -> Figure:
    """Dots with intervals from a result table, the printed values and the chance level beside them.

    Parameters
    ----------
    table : columns `y`, `value`, `low`, `high`; `printed` and `chance` where there are any.
    y : column on the vertical axis, one line per value in order of appearance.
    hue, col : columns that colour the dots and split the panels.
    xlabel : what `value` is, with its unit or range.
    reference : a vertical line, 0 for a coefficient.

    Returns
    -------
    The figure: filled dots are ours, open diamonds the printed values, short vertical ticks chance levels.
    """
    import matplotlib.pyplot as plt
    import seaborn as sns

    theme()
    lines = list(dict.fromkeys(table[y]))
    panels = list(dict.fromkeys(table[col])) if col else [None]
    groups = list(dict.fromkeys(table[hue])) if hue else [None]
    colours = dict(zip(groups, sns.color_palette(PALETTE, len(groups)), strict=True))
    # A page is about nine inches wide: wider pictures would be shrunk until nobody can read them.
    size = (min(9.0, 3.0 * len(panels) + 4.0), 0.34 * len(lines) * len(colours) ** 0.5 + 1.6)
    figure, axes = plt.subplots(
        1, len(panels), figsize=size, sharex=True, sharey=True, squeeze=False, layout="constrained"
    )
    for axis, panel in zip(axes[0], panels, strict=True):
        part = table if panel is None else table[table[col] == panel]
        for k, (group, colour) in enumerate(colours.items()):
            rows = part if group is None else part[part[hue] == group]
            at = rows[y].map(lines.index) + (k + 1) / (len(colours) + 1) * 0.7 - 0.35
            _dots(axis, rows, at, colour, str(group) if group is not None else "ours")
        if reference is not None:
            axis.axvline(reference, color="0.4", lw=1)
        axis.set(title=panel or "", xlabel=xlabel, yticks=range(len(lines)), yticklabels=lines)
        axis.invert_yaxis() if axis is axes[0][0] else None
    shown, names = axes[0][-1].get_legend_handles_labels()
    handles = dict(zip(names, shown, strict=True))
    if len(handles) > 1:
        figure.legend(
            handles.values(), handles.keys(), loc="outside lower center", ncols=min(len(handles), 5), frameon=False
        )
    return figure


def _dots(axis, rows, at, colour, label):
    span = [
        (rows["value"] - rows["low"]).clip(lower=0).fillna(0),
        (rows["high"] - rows["value"]).clip(lower=0).fillna(0),
    ]
    axis.errorbar(rows["value"], at, xerr=span, fmt="o", ms=5, lw=1.6, color=colour, label=label)
    for column, marker, name in (("printed", "D", "printed"), ("chance", "|", "chance")):
        if column in rows and rows[column].notna().any():
            style = {"mfc": "none"} if marker == "D" else {"ms": 11, "mew": 2}
            axis.plot(rows[column], at, marker, color="0.25", ls="none", label=name, **style)


def specification_curve(
    table: pd.DataFrame, choices: Mapping[str, str], *, ylabel: str = "", own: Mapping[str, str] | None = None
) -> Figure:
    """All analyses of one figure, sorted, above the choices that each of them made (Simonsohn et al., 2020).

    Parameters
    ----------
    table : one row per analysis: the columns of `choices`, `value`, `low`, `high`, and `own` where `own` is given.
    choices : column and how the picture calls it; columns without any value are left out, options stand in the order
        of their category.
    ylabel : what `value` is.
    own : values of the column `own` to be marked, and what the legend calls them.

    Returns
    -------
    The figure: an interval is blue where it lies above 0, orange below, grey where it includes 0.
    """
    import matplotlib.pyplot as plt
    import seaborn as sns

    theme()
    table = table.sort_values("value", kind="stable").reset_index(drop=True)
    colours = sns.color_palette(PALETTE, 8)
    shade = [colours[SIDES[side]] for side in _side(table)]
    made = [(column, name) for column in choices for name in table[column].dropna().sort_values().unique()]
    rows = [(choices[column], name) for column, name in made]
    figure, (top, bottom) = plt.subplots(
        2,
        1,
        figsize=(7, 3.2 + 0.21 * len(rows)),
        sharex=True,
        layout="constrained",
        height_ratios=[3, 0.21 * len(rows)],
    )
    top.vlines(table.index, table["low"], table["high"], colors=shade, lw=1)
    top.scatter(table.index, table["value"], c=shade, s=9, zorder=3)
    top.axhline(0, color="0.3", lw=1)
    for (name, words), marker in zip((own or {}).items(), ("*", "P", "X"), strict=False):
        mine = table[table["own"] == name]
        top.plot(mine.index, mine["value"], marker, ms=13, mec="k", mfc="w", ls="none", label=words, zorder=4)
    for side, number in SIDES.items():
        top.plot([], [], "o", ms=4, color=colours[number], label=f"interval {side}")
    top.legend(fontsize=9, frameon=False, loc="upper left")
    top.set(ylabel=ylabel)
    for height, (column, name) in enumerate(made):
        at = table.index[table[column] == name]
        bottom.scatter(at, np.full(len(at), height), marker="|", s=22, lw=0.8, c=[shade[k] for k in at])
    labels = [
        str(name) if k and rows[k - 1][0] == words else f"{words}: {name}" for k, (words, name) in enumerate(rows)
    ]
    bottom.set(yticks=range(len(rows)), xlabel="analyses, sorted by their estimate", ylim=(len(rows) - 0.5, -0.5))
    top.grid(axis="x", visible=False)
    bottom.set_yticklabels(labels, fontsize=9)
    bottom.grid(axis="x", visible=False)
    for k in range(1, len(rows)):
        if rows[k][0] != rows[k - 1][0]:
            bottom.axhline(k - 0.5, color="0.75", lw=0.8)
    return figure


def specification_explorer(
    table: pd.DataFrame,
    choices: Mapping[str, str],
    *,
    term: str = "term",
    split: str = "state",
    own: Mapping[str, str] | None = None,
) -> Interactive:
    """The specification curves of many figures in one picture: a menu picks the figure, the legend filters.

    Parameters
    ----------
    table : one row per figure and analysis: `term`, `split`, the columns of `choices`, `value`, `low`, `high`, `own`.
    choices : column and what the label under the pointer calls it.
    term, split : columns that the menu and the legend pick by.
    own : as in :func:`specification_curve`.

    Returns
    -------
    The figure; show it with :func:`interactive`.
    """
    import plotly.graph_objects as go
    import seaborn as sns

    colours = sns.color_palette(PALETTE, 8).as_hex()
    terms, groups = list(dict.fromkeys(table[term])), list(table[split].sort_values().unique())
    symbols = dict(zip(groups, ("circle", "diamond", "square", "x"), strict=False))
    figure = go.Figure()
    owner = []
    for name in terms:
        part = table[table[term] == name].sort_values("value", kind="stable").reset_index(drop=True)
        part = part.assign(side=_side(part))
        for group in groups:
            for side, number in SIDES.items():
                of = part[(part[split] == group) & (part["side"] == side)]
                figure.add_trace(_points(of, f"{group}: {side}", choices, symbol=symbols[group], color=colours[number]))
        for (who, words), symbol in zip((own or {}).items(), ("star", "cross", "x"), strict=False):
            of = part[part["own"] == who]
            figure.add_trace(_points(of, words, choices, symbol=symbol, color="#000000", size=13))
        owner += [name] * (len(figure.data) - len(owner))
    for trace, name in zip(figure.data, owner, strict=True):
        trace.visible = name == terms[0]
    buttons = [
        {"label": name, "method": "restyle", "args": [{"visible": [other == name for other in owner]}]}
        for name in terms
    ]
    menu = {"buttons": buttons, "x": 0, "xanchor": "left", "y": 1.02, "yanchor": "bottom", "pad": {"b": 4}}
    figure.update_layout(
        updatemenus=[menu],
        template="plotly_white",
        height=560,
        margin={"l": 45, "r": 10, "t": 50, "b": 40},
        legend={"orientation": "h", "y": -0.14, "yanchor": "top", "font": {"size": 11}},
        hoverlabel={"align": "left", "bgcolor": "white", "font": {"size": 11, "color": "#222222"}},
        xaxis={"title": {"text": "analyses, sorted"}, "zeroline": False},
        yaxis={"zerolinecolor": "#444444"},
    )
    return figure


def points_explorer(table: pd.DataFrame, *, menu: str, picture: str, hue: str, symbol: str, name: str) -> Interactive:
    """Many small scatter plots in one place: a menu picks the picture, the pointer names the point.

    Parameters
    ----------
    table : one row per point: `first`, `second` (where it lies; both axes in the same unit), `label` (two or three
        letters beside the point), and the columns named below.
    menu, picture : columns of the menus and of the pictures that each of them offers.
    hue, symbol : columns that colour and shape the points, at most six values each.
    name : column that the pointer shows.

    Returns
    -------
    The figure; show it with :func:`interactive`.
    """
    import plotly.graph_objects as go
    import seaborn as sns

    colours = dict(zip(dict.fromkeys(table[hue]), sns.color_palette(PALETTE, 8).as_hex(), strict=False))
    marks = ("circle", "diamond", "square", "x", "star", "cross")
    symbols = dict(zip(dict.fromkeys(table[symbol]), marks, strict=False))
    figure, owner = go.Figure(), []
    pictures = list(table[[menu, picture]].drop_duplicates().itertuples(index=False, name=None))
    for of in pictures:
        part = table[(table[menu] == of[0]) & (table[picture] == of[1])]
        for who, points in part.groupby(hue, sort=False):
            marker = {"size": 9, "color": colours[who], "symbol": points[symbol].map(symbols).tolist()}
            figure.add_trace(
                go.Scatter(
                    x=points["first"].round(3),
                    y=points["second"].round(3),
                    mode="markers+text",
                    text=points["label"],
                    textposition="top center",
                    textfont={"size": 10, "color": colours[who]},
                    marker=marker,
                    name=who,
                    customdata=points[[name]].to_numpy(),
                    hovertemplate=f"%{{customdata[0]}}<br>{who}<extra></extra>",
                    visible=of == pictures[0],
                )
            )
            owner.append(of)
    menus = []
    for row, group in enumerate(dict.fromkeys(of[0] for of in pictures)):
        buttons = [
            {
                "label": f"{group}: {of[1]}",
                "method": "update",
                "args": [{"visible": [other == of for other in owner]}, {"title.text": f"{group}: {of[1]}"}],
            }
            for of in pictures
            if of[0] == group
        ]
        at = {"x": 0, "xanchor": "left", "y": 1.16 + 0.1 * row, "yanchor": "bottom", "pad": {"b": 2}}
        menus.append({"buttons": buttons, "font": {"size": 11}, **at})
    figure.update_layout(
        updatemenus=menus,
        title={
            "text": ": ".join(pictures[0]),
            "font": {"size": 13},
            "y": 0.74,
            "yanchor": "bottom",
            "yref": "container",
        },
        template="plotly_white",
        height=580,
        margin={"l": 45, "r": 10, "t": 160, "b": 40},
        legend={"orientation": "h", "y": -0.12, "yanchor": "top", "font": {"size": 11}},
        hoverlabel={"align": "left", "bgcolor": "white", "font": {"size": 11, "color": "#222222"}},
        xaxis={"title": {"text": "first component"}, "zeroline": False},
        yaxis={"title": {"text": "second component"}, "zeroline": False, "scaleanchor": "x", "constrain": "domain"},
    )
    return figure


def interactive(figure: Interactive, name: str) -> HTML:
    """Show an interactive figure in the book, or, run by hand, in the notebook.

    Parameters
    ----------
    figure : of plotly.
    name : unique in the book; the same name gives the same bytes.

    Returns
    -------
    What a cell displays. The book's pages share one script; a notebook run by hand gets its own copy of it (some 5
    MB), since nothing is loaded from elsewhere.
    """
    from IPython.display import HTML

    script = "../../vendor/plotly.min.js" if os.environ.get(results.RUNNER) else True
    # A page gets its final width after the figure was drawn: without this it keeps the first one and is cut off.
    fit = "new ResizeObserver(() => Plotly.Plots.resize('{plot_id}')).observe(document.getElementById('{plot_id}'));"
    return HTML(
        figure.to_html(
            full_html=False,
            include_plotlyjs=script,
            div_id=name,
            default_width="100%",
            config={"responsive": True, "displayModeBar": False},
            post_script=fit,
        )
    )


def _side(table: pd.DataFrame) -> np.ndarray:
    return np.select([table["low"] > 0, table["high"] < 0], ["above 0", "below 0"], "includes 0")


def _points(table: pd.DataFrame, name: str, choices: Mapping[str, str], **marker: object):
    import plotly.graph_objects as go

    made = {column: words for column, words in choices.items() if table[column].notna().any()}
    lines = [f"{words}: %{{customdata[{k}]}}" for k, words in enumerate(["95% interval", *made.values()])]
    span = [f"{low:.2f} to {high:.2f}" for low, high in zip(table["low"], table["high"], strict=True)]
    reach = {"array": table["high"] - table["value"], "arrayminus": table["value"] - table["low"]}
    return go.Scatter(
        x=table.index,
        y=table["value"],
        error_y={
            "type": "data",
            "symmetric": False,
            "thickness": 1,
            "width": 0,
            "visible": "size" not in marker,
            **reach,
        },
        mode="markers",
        marker={"size": 6, **marker},
        name=name,
        customdata=list(zip(span, *(table[column].astype(str) for column in made), strict=True)),
        hovertemplate="<br>".join(["%{y:.2f}", *lines]) + "<extra></extra>",
    )
