"""Write the table of docs/outcomes.md: `python -m benchmarks.outcomes --write`; with words, print those cases."""

import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np

import fastgrok as fg
from benchmarks.outcomes.cases import cases
from fastgrok.spec.variables import Outcome

PAGE = Path(__file__).resolve().parents[2] / "docs" / "outcomes.md"
BEGIN, END = "<!-- table -->", "<!-- end of the table -->"
EPOCHS = (300, 1000, 3000)
LATER = (2, 3, 5, 10)  # times as many epochs
MOVED = 0.05  # share by which the loss of a seed that moves on falls later


class Row(NamedTuple):
    """What becomes later of the seeds that did not converge, die or diverge."""

    case: str
    epochs: int
    n: int
    trapped: int
    moved: int  # of those that are trapped, so many move on later
    unfinished: int
    stay: int  # of those that are unfinished, so many do not


def measured(case: str, experiment: fg.Experiment, n: int, epochs: int) -> Row:
    """Train some seeds, and again ten times as long."""
    rows = fg.run(experiment.replace(epochs=epochs), n, progress=False).dataset
    at = [factor * epochs for factor in LATER]
    later = fg.run(experiment.replace(epochs=at[-1]), n, progress=False, record_at=at).dataset
    losses = np.median(later["loss_recorded"].values, axis=1)  # those of shuffled examples scatter
    moves = (later["outcome"].values == Outcome.CONVERGED) | (losses < (1 - MOVED) * rows["loss_final"].values)
    trapped, unfinished = (rows["outcome"].values == code for code in (Outcome.TRAPPED, Outcome.UNFINISHED))
    counts = [trapped, trapped & moves, unfinished, unfinished & ~moves]
    return Row(case, epochs, n, *(int(seeds.sum()) for seeds in counts))


def table(rows: list[Row]) -> str:
    """Return the rows as Markdown."""
    columns = ("experiment", "epochs", "seeds", "trapped", "of these move on", "unfinished", "of these stay")
    body = [[row.case, *(f"{count:,}" for count in row[1:])] for row in rows]
    lines = [columns, ["---", *["---:"] * (len(columns) - 1)], *body]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def main() -> None:
    """Measure every case; print the table, or write it into the page."""
    words = [word for word in sys.argv[1:] if word != "--write"]
    rows = []
    for case, experiment, n in cases():
        if words and not any(word in case for word in words):
            continue
        for epochs in EPOCHS:
            rows.append(measured(case, experiment, n, epochs))
            print(*rows[-1], sep="\t", file=sys.stderr, flush=True)
    text = table(rows)
    if "--write" not in sys.argv:
        print(text)
        return
    page = PAGE.read_text()
    first, last = page.index(BEGIN) + len(BEGIN), page.index(END)
    PAGE.write_text(f"{page[:first]}\n\n{text}\n\n{page[last:]}")


if __name__ == "__main__":
    main()
