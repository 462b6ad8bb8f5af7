"""Seed-epochs per second, drawing the parameters and measuring them included.

Each driver is asked for by name: what is chosen by itself depends on the work ahead and on what the cache holds, so
that one commit could be timed with one and the next with the other. The general driver is compiled once for each
dtype, lane count and kind of update, in `setup`, and comes from the disk cache in later processes; the specialised
one is compiled for every network, and therefore timed on few.
"""

from __future__ import annotations

import time

import fastgrok as fg

from .work import DTYPES, EPOCHS, SEEDS, experiment, train

_REPEATS = 3


class _Throughput:
    """One shape, dtype and batch size; all threads."""

    param_names = ("shape", "dtype", "batch_size")
    timeout = 120
    number = 1
    warmup_time = 0
    specialize = False

    def setup(self, shape: str, dtype: str, batch_size: int | str) -> None:
        """Compile."""
        self.experiment, self.seeds = experiment(shape, dtype=dtype, batch_size=batch_size), SEEDS[shape]
        train(self.experiment, 1, specialize=self.specialize)

    def time_run(self, *_: object) -> None:
        train(self.experiment, self.seeds, specialize=self.specialize)

    def track_seed_epochs_per_second(self, *_: object) -> float:
        """The best of a few runs."""
        seconds = []
        for _repeat in range(_REPEATS):
            start = time.perf_counter()
            self.time_run()
            seconds.append(time.perf_counter() - start)
        return self.seeds * EPOCHS / min(seconds)

    track_seed_epochs_per_second.unit = "seed-epochs/s"  # type: ignore[attr-defined]


class General(_Throughput):
    """Every shape, per example, in mini-batches and in full batches."""

    params = (list(SEEDS), DTYPES, [1, 2, "full"])


_REGIMES = {
    "adam": {"optimizer": fg.Adam(0.01)},
    "nesterov_clipped": {"optimizer": fg.SGD(0.1, momentum=0.9, nesterov=True, clip_norm=1)},
    "schedule": {"optimizer": fg.SGD(0.1, schedule=fg.ExponentialLR(0.999))},
    "restarts": {"stop": fg.Converged(loss=0), "restart": fg.Restart(100)},
    "validation": {"validation": fg.datasets.xor()},
}


class Regimes(_Throughput):
    """What training may do besides plain SGD, on 2-4-1."""

    params = (list(_REGIMES),)
    param_names = ("regime",)

    def setup(self, regime: str) -> None:  # type: ignore[override]
        """Compile."""
        self.experiment, self.seeds = experiment("2-4-1", **_REGIMES[regime]), SEEDS["2-4-1"]
        train(self.experiment, 1)


class Specialised(_Throughput):
    """Networks whose parameters stay in registers."""

    params = (["2-2-1", "2-4-1", "2-8-1"], DTYPES, [1])
    specialize = True
