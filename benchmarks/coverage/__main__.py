"""Fill figures.json and write the tables of docs/coverage.md.

`python -m benchmarks.coverage now [pattern]` simulates the pieces whose name has the pattern in it and that are not
there yet, and `before` does so with another version of the package on the path; `again` does what is there once more.
`python -m benchmarks.coverage write` writes the tables.
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks.coverage import cases, epochs, tables
from benchmarks.coverage.populations import POPULATIONS

FIGURES = Path(__file__).parent / "figures.json"
PAGE = Path(__file__).parents[2] / "docs" / "coverage.md"
SEEDS = {5: 400, 12: 400, 50: 400, 200: 400, 1_000: 400, 10_000: 100, 100_000: 60}
"""Seeds of a sample -> samples."""

NULL_SEEDS = (2, 3, 5, 10, 15, 20, 25, 50, 100, 200)
"""Of the paired logrank test, 500 samples each."""


def pieces() -> dict[str, Callable[[], dict[str, float]]]:
    """Return what is simulated, by names: the kind, of what, and the number of seeds."""
    found: dict[str, Callable[[], dict[str, float]]] = {}
    for n, repeats in SEEDS.items():
        for name in POPULATIONS:
            found[f"epochs | {name} | {n}"] = lambda name=name, n=n, repeats=repeats: epochs.coverage(
                name, n, repeats
            )
    for name in ("XOR 2-4-1", "XOR 2-16-1"):
        for n in NULL_SEEDS:
            found[f"logrank | {name} | {n}"] = lambda name=name, n=n: epochs.rejected(name, n, 500)
    for name in cases.OUTCOMES:
        for n in (5, 10, 30, 100, 1000):
            found[f"values | {name} | {n}"] = lambda name=name, n=n: cases.coverage(name, n, 400)._asdict()
    for n in (10, 30, 100, 1000):
        found[f"risk | 30 % exposed, risks 0.6 and 0.3 | {n}"] = lambda n=n: cases.relative_risks(n, 4000)
    for power in (0.8, 0.9):
        found[f"power | rates 0.6 and 0.5, 30 % discordant | {power}"] = lambda power=power: cases.power(power)
    return found


def simulate(version: str, pattern: str = "", *, again: bool = False) -> None:
    """Simulate the pieces whose name has the pattern in it, and keep what each says as soon as it is done."""
    for name, piece in pieces().items():
        if pattern in name and (again or version not in _figures().get(name, {})):
            shares, figures = piece(), _figures()
            figures.setdefault(name, {})[version] = {key: round(float(share), 4) for key, share in shares.items()}
            FIGURES.write_text(json.dumps(figures, indent=1) + "\n")
            print(name, figures[name][version], flush=True)


def _figures() -> dict[str, dict[str, dict[str, float]]]:
    """Return what has been simulated: piece -> version -> shares."""
    return json.loads(FIGURES.read_text()) if FIGURES.exists() else {}  # type: ignore[no-any-return]


def main(version: str, pattern: str = "") -> None:
    """Simulate, or write the tables."""
    if version == "write":
        PAGE.write_text(tables.written(PAGE.read_text(), _figures()))
    else:
        simulate("now" if version == "again" else version, pattern, again=version == "again")


if __name__ == "__main__":
    main(*sys.argv[1:])
