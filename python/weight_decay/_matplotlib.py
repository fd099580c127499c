"""Figures drawn by matplotlib: the same points, intervals and lines as the SVG has."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw(figure: Mapping[str, Any], ax: Axes | None) -> Axes:
    """Draw a figure of a page; see :meth:`weight_decay.Answer.plot`."""
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError(
            "plot() needs matplotlib, which is not installed: pip install matplotlib; svg() draws "
            "without it"
        ) from error
    if "HeatMap" in figure:
        place = plt.subplots()[1] if ax is None else ax
        return _heat_map(figure["HeatMap"], place)
    whole = figure["Panels"]
    panels: Sequence[Mapping[str, Any]] = whole["panels"]
    if ax is not None:
        places = [ax]
    else:
        size = (8.0, 2.4 * len(panels) + 0.6)
        drawn, grid = plt.subplots(
            len(panels), 1, sharex=True, squeeze=False, figsize=size, layout="constrained"
        )
        drawn.suptitle(whole["title"])
        places = [row[0] for row in grid]
    for place, panel in zip(places, panels, strict=False):
        _panel(panel, place)
    _horizontal(whole["horizontal"], places[-1])
    return places[0]


def _panel(panel: Mapping[str, Any], ax: Axes) -> None:
    for reference in panel["references"]:
        if math.isfinite(reference["y"]):
            ax.axhline(reference["y"], color="grey", linewidth=0.8, linestyle=":")
    for series in panel["series"]:
        points = series["points"]
        x = [point["x"] for point in points]
        y = [point["y"] for point in points]
        low = [point["low"] for point in points]
        high = [point["high"] for point in points]
        label = series["label"] or None
        if series["mark"] in {"Dots", "Rings"}:
            spread = [
                [a - b if math.isfinite(b) else 0.0 for a, b in zip(y, low, strict=True)],
                [b - a if math.isfinite(b) else 0.0 for a, b in zip(y, high, strict=True)],
            ]
            ax.errorbar(
                x,
                y,
                yerr=spread,
                fmt="o",
                markersize=4,
                capsize=2,
                label=label,
                markerfacecolor="none" if series["mark"] == "Rings" else None,
            )
            continue
        style = "--" if series["mark"] == "Dashes" else "-"
        (line,) = ax.plot(x, y, style, label=label)
        if any(math.isfinite(value) for value in low):
            ax.fill_between(x, low, high, color=line.get_color(), alpha=0.2, linewidth=0)
    ax.set_title(panel["title"], loc="left", fontsize="medium")
    if panel["transform"] == "Log":
        ax.set_yscale("log")
    if len([one for one in panel["series"] if one["label"]]) > 1:
        ax.legend(fontsize="small", frameon=False)


def _horizontal(horizontal: Mapping[str, Any], ax: Axes) -> None:
    (kind, axis), *_ = horizontal.items()
    ax.set_xlabel(axis["label"])
    if kind == "Quantity" and axis["transform"] == "Log":
        ax.set_xscale("log")
    if kind == "Categories":
        ax.set_xticks(range(len(axis["names"])), axis["names"])


def _heat_map(figure: Mapping[str, Any], ax: Axes) -> Axes:
    values = [
        [math.nan if cell is None else cell["value"] for cell in row] for row in figure["cells"]
    ]
    image = ax.imshow(values, aspect="auto", cmap="RdBu_r")
    for row, cells in enumerate(figure["cells"]):
        for column, cell in enumerate(cells):
            if cell is not None and cell["label"]:
                ax.text(column, row, cell["label"], ha="center", va="center", fontsize="small")
    ax.set_xticks(range(len(figure["columns"])), figure["columns"])
    ax.set_yticks(range(len(figure["rows"])), figure["rows"])
    ax.set_xlabel(figure["column_label"])
    ax.set_ylabel(figure["row_label"])
    ax.set_title(figure["title"])
    if (drawn := ax.get_figure()) is not None:
        drawn.colorbar(image, ax=ax)
    return ax
