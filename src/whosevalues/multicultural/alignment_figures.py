"""Pictures of self-consistency and alignment: figures 3, 4, 6, 7 and 8."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from .. import figures
from .capability import LANGUAGES
from .groups import FAMILY, SHORT

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SPOKEN = {code: name for name, code in LANGUAGES.items()}
KINDS = {"questions": 1.2, "responses": 4.0}
"""Width of the line of each interval."""


def called(name: str) -> str:
    """Name a model or a group of people as a picture does.

    Parameters
    ----------
    name : of a model, a country or a language; 'global'.

    Returns
    -------
    The name.

    Examples
    --------
    >>> called("gemma-2-2b-it"), called("da"), called("NIR"), called("global")
    ('Gemma 2B', 'Danish speakers', 'NIR', 'everybody')
    """
    people = {"global": "everybody"} | {code: f"{language} speakers" for code, language in SPOKEN.items()}
    return SHORT.get(name) or people.get(name, name)


def _colours(names: list[str]) -> dict[str, tuple[float, ...]]:
    import seaborn as sns

    return dict(zip(names, sns.color_palette(figures.PALETTE, len(names)), strict=True))


def _both(axis, rows: pd.DataFrame, at: np.ndarray, colour, label: str) -> None:
    """Dots, with the interval over questions as a thin line and that over responses as a thick one."""
    for kind, width in KINDS.items():
        part = rows[(rows["resampled"] == kind).to_numpy()]
        axis.hlines(at[: len(part)], part["low"], part["high"], color=colour, lw=width, alpha=0.9)
    axis.plot(part["value"], at[: len(part)], "o", ms=5, color=colour, mec="white", label=label)


def _key(figure: Figure, band) -> None:
    """Say above a picture what its lines and its grey band are."""
    from matplotlib.lines import Line2D

    lines = [Line2D([], [], color="0.35", lw=width) for width in KINDS.values()]
    names = [*(f"interval over {kind}" for kind in KINDS), "95% of random models"]
    figure.legend([*lines, band], names, loc="outside upper center", ncols=2, frameon=False)


def aligned(table: pd.DataFrame, y: str, hue: str) -> Figure:
    """Raw alignment with both intervals (figures 6, 7 and 8).

    Parameters
    ----------
    table : rows of one state and prompt language from :func:`~whosevalues.multicultural.groups.groups_table`.
    y, hue : 'model' and 'group' or the other way round.

    Returns
    -------
    The figure: thick lines are the bootstrap of responses, thin ones that of questions; in the grey band lie 95% of
    models with random scores. The first legend names the colours, the second the lines and the band.
    """
    import matplotlib.pyplot as plt

    figures.theme()
    lines, groups = (list(dict.fromkeys(table[column])) for column in (y, hue))
    size = (7.0, 0.3 * len(lines) * max(len(groups), 2) ** 0.6 + 1.6)
    figure, axis = plt.subplots(figsize=size, layout="constrained")
    band = table["chance_high"].median()
    grey = axis.axvspan(-band, band, color="0.9", zorder=0)
    for k, (group, colour) in enumerate(_colours(groups).items()):
        rows = table[table[hue] == group].sort_values(y, key=lambda c: c.map(lines.index), kind="stable")
        at = rows.loc[rows["resampled"] == "responses", y].map(lines.index) + (k + 0.5) / len(groups) * 0.76 - 0.38
        _both(axis, rows, at.to_numpy(), colour, called(group))
    axis.set(yticks=range(len(lines)), yticklabels=map(called, lines), xlabel="alignment (Spearman correlation)")
    axis.invert_yaxis()
    figure.legend(*axis.get_legend_handles_labels(), loc="outside lower center", ncols=3, frameon=False)
    _key(figure, grey)
    return figure


def consistent(table: pd.DataFrame, people: pd.DataFrame) -> Figure:
    """Self-consistency of models beside that of people (figure 3).

    Parameters
    ----------
    table : rows of one state from :func:`~whosevalues.multicultural.groups.consistency_table`, without people.
    people : as from :func:`~whosevalues.multicultural.groups.people`.

    Returns
    -------
    The figure, a panel per language: open circles count copies, filled ones distinct pairs; short ticks are chance,
    dashed lines people of a country.
    """
    import matplotlib.pyplot as plt

    figures.theme()
    table = table.astype({"model": object})
    lines = [model for model in dict.fromkeys([*SHORT, *table["model"]]) if model in set(table["model"])]
    figure, axes = plt.subplots(
        len(SPOKEN), 1, figsize=(7.0, 4 * (0.3 * len(lines) + 0.7) + 0.8), sharex=True, layout="constrained"
    )
    styles = {"copies counted": ("o", "none", -0.17), "distinct pairs": ("o", None, 0.17)}
    for axis, (language, name) in zip(axes, SPOKEN.items(), strict=True):
        for value in people.loc[people["language"] == language, "value"]:
            axis.axvline(value, color="0.45", lw=1.2, ls="--", label="people of a country")
        for colour, (metric, (marker, fill, off)) in zip(("C0", "C1"), styles.items(), strict=True):
            rows = table[(table["language"] == language) & (table["metric"] == metric)]
            at = rows["model"].map(lines.index) + off
            axis.hlines(at, rows["low"], rows["high"], color=colour, lw=1.8)
            axis.plot(rows["value"], at, marker, color=colour, mfc=fill or colour, ls="none", label=metric)
            axis.plot(rows["chance"], at, "|", color="0.25", ms=9, mew=2, ls="none", label="chance")
        axis.set(title=name, yticks=range(len(lines)), yticklabels=map(called, lines))
        axis.invert_yaxis()
    axes[-1].set(xlabel="self-consistency")
    handles, labels = axes[0].get_legend_handles_labels()
    shown = dict(zip(labels, handles, strict=True))
    figure.legend(shown.values(), shown.keys(), loc="outside lower center", ncols=2, frameon=False)
    return figure


def _slopes(axis, lines: pd.DataFrame, colour) -> None:
    """The slopes of RQ1, with a star over the middle of those that are positive in nearly all seeds."""
    for row in lines.itertuples():
        ends = np.array([row.x_low, row.x_high])
        axis.plot(ends, row.y + row.slope * (ends - row.x), color=colour, lw=1.6)
        if row.star >= 0.95:
            axis.annotate("*", (ends.mean(), row.y + row.slope * (ends.mean() - row.x)), color=colour, size=22)


def _steps(models: list[str]) -> dict[str, int]:
    """The place of every model in its family: 0, 1 and 2; a reader's own models are counted on."""
    families = [FAMILY.get(model, "own") for model in models]
    return {model: families[:k].count(families[k]) for k, model in enumerate(models)}


def against_capability(table: pd.DataFrame, lines: pd.DataFrame) -> Figure:
    """Adjusted and raw alignment against multilingual capability (figure 4).

    Parameters
    ----------
    table : rows of one state from :func:`~whosevalues.multicultural.adjusted.adjusted_table`.
    lines : rows of that state from :func:`~whosevalues.multicultural.adjusted.lines`.

    Returns
    -------
    The figure, a panel per language: filled marks are adjusted, with their intervals, open ones raw; colour tells the
    family and shape the model; marks of one family are moved apart by up to 0.01. Lines are the slopes of RQ1, and a
    star marks those that are positive with p < .05 in at least 95 of 100 seeds.
    """
    import matplotlib.pyplot as plt

    figures.theme()
    there = set(table["model"]) - {"all"}
    models = [model for model in [*SHORT, *sorted(there - set(SHORT))] if model in there]
    steps = _steps(models)
    colours = _colours(list(dict.fromkeys(FAMILY.get(model, "own") for model in models)))
    figure, axes = plt.subplots(2, 2, figsize=(7.0, 7.5), sharex=True, sharey=True, layout="constrained")
    for axis, (language, name) in zip(axes.flat, SPOKEN.items(), strict=True):
        part = table[table["language"] == language]
        for model in models:
            colour, shape = colours[FAMILY.get(model, "own")], "os^Dvp*"[steps[model] % 7]
            for metric, fill in (("raw", "none"), ("adjusted", colour)):
                rows = part[(part["metric"] == metric) & (part["model"] == model)]
                at = rows["multilingual"] + 0.01 * (min(steps[model], 2) - 1)
                label = called(model) if metric == "adjusted" else None
                axis.plot(at, rows["value"], shape, color=colour, mfc=fill, ms=7, label=label)
            axis.vlines(at, rows["low"], rows["high"], color=colour, lw=1.4)
        for family, colour in colours.items():
            _slopes(axis, lines[(lines["language"] == language) & (lines["family"] == family)], colour)
        axis.axhline(0, color="0.7", lw=1, zorder=0)
        axis.set(title=name)
    for axis in axes[1]:
        axis.set(xlabel="multilingual capability")
    for axis in axes[:, 0]:
        axis.set(ylabel="alignment")
    figure.legend(
        *axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=len(colours), frameon=False
    )
    (whole,) = axes[0, 0].plot([], [], "o", color="0.35")
    (hollow,) = axes[0, 0].plot([], [], "o", color="0.35", mfc="none")
    names = ["adjusted, with 95% interval", "raw"]
    figure.legend([whole, hollow], names, loc="outside upper center", ncols=2, frameon=False)
    return figure
