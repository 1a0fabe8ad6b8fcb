"""The picture that the demo ends with: what each read cost in requests."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

os.environ.setdefault("MPLBACKEND", "Agg")  # files only, on machines without a screen too

from matplotlib.figure import Figure

COLOURS = ("#1f6f8b", "#b8c4cc")


def draw_requests(path: Path, reads: Sequence[str], groups: Mapping[str, Sequence[int | None]]) -> None:
    """Draw a PNG: for each read a bar for each group of streams; None where the group wasn't read again."""
    figure = Figure(figsize=(8, 4.5), dpi=120, layout="constrained")
    axes = figure.subplots()
    width = 0.8 / len(groups)
    for number, (group, requests) in enumerate(groups.items()):
        places = [place + (number - (len(groups) - 1) / 2) * width for place in range(len(reads))]
        known = {place: value for place, value in zip(places, requests, strict=True) if value is not None}
        bars = axes.bar(list(known), list(known.values()), width=width, label=group, color=COLOURS[number])
        axes.bar_label(bars, fmt="{:,.0f}", padding=2)
        for place in (place for place in places if place not in known):
            axes.text(
                place, 0, " not repeated", rotation=90, ha="center", va="bottom", color="#5b6b7a", size=9
            )
    axes.set_xticks(range(len(reads)), reads)
    axes.set_ylabel("requests to Codat")
    axes.set_title("What a read costs: the lower, the better", loc="left")
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_xlim(-0.6, len(reads) - 0.4)
    axes.margins(y=0.12)
    figure.legend(loc="outside lower center", ncols=len(groups), frameon=False)
    figure.savefig(path)
