"""One look for every picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PALETTE = "colorblind"


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
