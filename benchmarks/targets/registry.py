"""The table of DESIGN §7: each figure, what it must reach, and how it is measured."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.peers import cpp_lanes, jax_scan, numba_prange, torch_bmm
from benchmarks.peers.fastgrok_run import DEFAULT, GENERAL, SPECIALISED
from benchmarks.peers.works import BATCHED, RELU_32, RELU_64, SIGMOID_64, WIDE_PER_EXAMPLE
from benchmarks.targets import measures
from benchmarks.targets.first_calls import COMBINATIONS
from benchmarks.targets.measures import Measure, faster, memory, share_of_peak


@dataclass(frozen=True)
class Target:
    """One line of the table."""

    name: str
    target: float
    unit: str  # x: how many times faster
    measure: Measure
    at_least: bool = True

    def reached(self, measured: float) -> bool:
        return measured >= self.target if self.at_least else measured <= self.target


def _at_most(name: str, target: float, unit: str, measure: Measure) -> Target:
    return Target(name, target, unit, measure, at_least=False)


_GCC, _CLANG = ([cpp_lanes.GIVEN[compiler]] for compiler in ("g++", "clang++"))
_OTHERS = (*jax_scan.PEERS, torch_bmm.BMM)

TARGETS: tuple[Target, ...] = (
    Target("against C++ by hand, g++, float64", 1.5, "x", faster(DEFAULT, _GCC, RELU_64)),
    Target("against C++ by hand, g++, float32", 1.4, "x", faster(DEFAULT, _GCC, RELU_32)),
    Target("against C++ by hand, clang++, float64", 1.15, "x", faster(DEFAULT, _CLANG, RELU_64)),
    Target("against C++ by hand, clang++, float32", 1.15, "x", faster(DEFAULT, _CLANG, RELU_32)),
    Target("third call of `fg.run`, empty cache, over the fastest driver", 0.95, "x", measures.third_call),
    Target("general driver over specialised, float64", 0.6, "x", faster(GENERAL, [SPECIALISED], RELU_64)),
    Target("general driver over specialised, float32", 0.6, "x", faster(GENERAL, [SPECIALISED], RELU_32)),
    *(Target(f"share of the FMA peak, {work.name}", 55, "%", share_of_peak(work)) for work in BATCHED),
    *(
        Target(f"against the better of JAX and bmm, {work.name}", 1.8, "x", faster(DEFAULT, _OTHERS, work, 2))
        for work in BATCHED
    ),
    *(Target(f"against JAX, {w.name}", 4, "x", faster(DEFAULT, jax_scan.PEERS, w, 2)) for w in WIDE_PER_EXAMPLE),
    Target("`Converged(loss=0.01)` against no criterion, float64", 0.85, "x", measures.stopping(0.01)),
    Target(
        "against plain Numba, sigmoid 2-2-1, float64", 12, "x",
        faster(DEFAULT, [numba_prange.GENERAL], SIGMOID_64, fewer_seeds=4),
    ),
    _at_most("`fastgrok sweep xor --seeds 1000`, warm cache", 0.6, "s", measures.first_result(warm=True)),
    _at_most("`fastgrok sweep xor --seeds 1000`, empty cache", 4, "s", measures.first_result(warm=False)),
    *(_at_most(f"first call, empty cache: {name}", 3, "s", measures.combination(name)) for name in COMBINATIONS),
    _at_most("one seed, one epoch, through `fg.compile`", 50, "µs", measures.one_call(compiled=True)),
    _at_most("one seed, one epoch, through `fg.run`", 300, "µs", measures.one_call(compiled=False)),
    _at_most("1,000 configurations to a store, over the kernels' own time", 15, "%", measures.many_configurations),
    _at_most("10 million seeds to a store, memory above start", 300, "MB", memory(10_000_000)),
    _at_most("the same, less that of 1 million seeds", 50, "MB", memory(10_000_000, less=1_000_000)),
)  # fmt: skip
BY_NAME = {target.name: target for target in TARGETS}


def chosen(words: str | None) -> tuple[Target, ...]:
    """Return the targets whose names have one of some words, with commas between; all of them for None."""
    if words is None:
        return TARGETS
    return tuple(t for t in TARGETS if any(word.strip() in t.name for word in words.split(",")))
