"""Measure operations a second against width, depth and batch size: ``python -m benchmarks.shapes``.

ReLU networks on 256 examples, plain SGD, the general driver, as `fastgrok.compile` runs it. What is counted is what
the algorithm needs (`benchmarks.peers.works.flops_of`); dashed is the machine's FMA peak. The clock changes, so each
run is compared with the peak right before it, and drawn is the median of these shares times the highest peak. Times
are those of the CPU, shared among the threads: what else the machine does costs cache, and no time.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

import fastgrok as fg
from benchmarks.peers.fma_peak import peak_run
from benchmarks.peers.works import flops_of

PICTURE = Path(__file__).resolve().parents[2] / "docs" / "shapes.png"
EXAMPLES = 256
WIDTHS = (4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256)
DEPTHS = (1, 2, 3, 4, 6, 8)
BATCHES = (1, 2, 3, 4, 8, 16, 32, 33, 64, 128, 256)
DTYPES = ("float32", "float64")
SEEDS, WIDE_SEEDS, WIDE = 64, 16, 32  # of each thread, of networks up to a width and beyond it

PAGE = """# How fast networks of any shape train

GFLOP/s against width, depth and batch size, for both dtypes; dashed is the FMA peak of the machine. Made by
`python -m benchmarks.shapes --write`: ReLU networks on 256 examples, the general driver, threads: {threads}. What is
counted is what the algorithm needs: forward, weight gradients, deltas below the last layer, the update. The clock
changes, so each run is compared with the peak right before it; drawn is the median of five such shares, of runs of
{seconds:g} s.

![GFLOP/s by shape](shapes.png)

Layers of at least 8 units on both sides are trained in batches as register tiles of examples and units
([design note 14](design/0014-batched.md)); others one example after the other. Single examples go through wide layers
with updates that are written every third example. Small networks have a faster driver that is not shown, the
specialised one.
"""


class Series(NamedTuple):
    """A line of a picture: networks, one for each x."""

    label: str
    sizes: dict[int, tuple[int, ...]]  # of the layers, by x
    batch_sizes: dict[int, int]  # by x


def panels() -> dict[str, list[Series]]:
    """Return what is drawn, by what varies in it."""
    widths = {w: (w, w, w, w) for w in WIDTHS}
    thin = {w: (2, w, 1) for w in WIDTHS}
    deep = {width: {d: (width,) * (d + 2) for d in DEPTHS} for width in (8, 64)}
    return {
        "width": [
            *(Series(f"w-w-w-w, batches of {b}", widths, dict.fromkeys(WIDTHS, b)) for b in (1, 4, 32, EXAMPLES)),
            Series("2-w-1, batches of 32", thin, dict.fromkeys(WIDTHS, 32)),
        ],
        "hidden layers": [
            Series(f"width {w}, batches of 32", sizes, dict.fromkeys(DEPTHS, 32)) for w, sizes in deep.items()
        ],
        "batch size": [
            Series("-".join(map(str, sizes)), dict.fromkeys(BATCHES, sizes), {b: b for b in BATCHES})
            for sizes in ((2, 4, 1), (2, 16, 16, 1), (2, 64, 64, 1), (64, 128, 10))
        ],
    }


def share(sizes: tuple[int, ...], batch_size: int, dtype: str, threads: int, seconds: float) -> float:
    """Return the share of the FMA peak, the median of five runs of about so many seconds."""
    rng = np.random.default_rng(0)
    data = fg.Dataset(rng.standard_normal((EXAMPLES, sizes[0])), rng.standard_normal((EXAMPLES, sizes[-1])))
    exp = fg.Experiment(
        fg.mlp(*sizes, hidden="relu"), data, batch_size=batch_size, optimizer=fg.SGD(lr=1e-5), stop=None, dtype=dtype
    )
    trainer = fg.compile(exp, specialize=False, threads=threads)
    seeds = threads * (SEEDS if max(sizes) <= WIDE else WIDE_SEEDS)
    params = trainer.initial_params(seeds)
    flops, epochs, shares = flops_of(sizes, batch_size, EXAMPLES) * seeds, 1, []
    for attempt in range(6):
        top = peak(dtype, threads)
        start = time.process_time()
        trainer.train(params, epochs=epochs)
        taken = (time.process_time() - start) / threads
        if attempt == 0:
            epochs = max(1, int(seconds / taken))
        else:
            shares.append(flops * epochs / taken / 1e9 / top)
    return statistics.median(shares)


def peak(dtype: str, threads: int) -> float:
    """Return the FMA peak, timed in the same way."""
    run, flops = peak_run(dtype, threads, rounds=2_000_000)
    best = 0.0
    for _ in range(4):
        start = time.process_time()
        run()
        best = max(best, flops * threads / (time.process_time() - start) / 1e9)
    return best


def measured(threads: int, seconds: float) -> Iterator[tuple[str, str, str, dict[int, float]]]:
    """Yield what varies, the dtype, the label of a line, and its points, shares of the peak."""
    for varied, series in panels().items():
        for dtype in DTYPES:
            for line in series:
                yield (
                    varied,
                    dtype,
                    line.label,
                    {
                        x: share(sizes, line.batch_sizes[x], dtype, threads, seconds)
                        for x, sizes in line.sizes.items()
                    },
                )


def draw(lines: list[tuple[str, str, str, dict[int, float]]], peaks: dict[str, float], path: Path) -> None:
    """Draw a row of panels for each dtype, and the peak in each."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import ScalarFormatter

    varied = list(dict.fromkeys(line[0] for line in lines))
    figure = Figure(figsize=(5 * len(varied), 4.6 * len(DTYPES)), layout="constrained")
    axes = figure.subplots(len(DTYPES), len(varied), sharey="row", squeeze=False)
    for i, dtype in enumerate(DTYPES):
        for k, name in enumerate(varied):
            ax = axes[i, k]
            for _, _, label, points in (line for line in lines if line[:2] == (name, dtype)):
                rates = [part * peaks[dtype] for part in points.values()]
                ax.plot(list(points), rates, marker="o", markersize=3, label=label)
            ax.axhline(peaks[dtype], color="black", linestyle="--", linewidth=1, label="FMA peak")
            ax.set(xscale="log", ylim=(0, None), xlabel=name, title=dtype)
            ticks = sorted({x for line in lines if line[0] == name for x in line[3]} & {2**p for p in range(9)})
            ax.set_xticks(ticks)
            ax.xaxis.set_major_formatter(ScalarFormatter())
            ax.minorticks_off()
            ax.legend(fontsize=8, ncols=2, loc="upper center", bbox_to_anchor=(0.5, -0.16), frameon=False)
        axes[i, 0].set_ylabel("GFLOP/s")
    figure.savefig(path, dpi=110)


def parser() -> argparse.ArgumentParser:
    """Return the command line."""
    result = argparse.ArgumentParser(prog="python -m benchmarks.shapes", description=__doc__)
    result.add_argument("--threads", type=int, default=1, help="(default %(default)s)")
    result.add_argument("--seconds", type=float, default=0.2, help="of a run, of which there are five a point")
    result.add_argument("--out", type=Path, metavar="FILE", help="a picture")
    result.add_argument("--write", action="store_true", help="docs/shapes.md and its picture")
    return result


def main(options: argparse.Namespace) -> None:
    """Measure, print and draw."""
    peaks = {dtype: max(peak(dtype, options.threads) for _ in range(5)) for dtype in DTYPES}
    print("FMA peak:", ", ".join(f"{dtype} {top:.0f} GFLOP/s" for dtype, top in peaks.items()), flush=True)
    lines = []
    for line in measured(options.threads, options.seconds):
        varied, dtype, label, points = line
        print(f"{dtype}, {varied}, {label}:", " ".join(f"{x}:{y:.0%}" for x, y in points.items()), flush=True)
        lines.append(line)
    if options.out is not None:
        draw(lines, peaks, options.out)
    if options.write:
        draw(lines, peaks, PICTURE)
        PICTURE.with_suffix(".md").write_text(PAGE.format(threads=options.threads, seconds=options.seconds))


if __name__ == "__main__":
    main(parser().parse_args())
