"""How long training takes, drawing the parameters and measuring them included: all threads, the work of `work.SEEDS`.

Each driver is asked for by name: what is chosen by itself depends on the work ahead and on what the cache holds, so
that one commit could be timed with one and the next with the other. The general driver is compiled once for each
dtype, lane count and kind of update, in `setup`, and comes from the disk cache in later processes; the specialised
one is compiled for every network, and therefore timed on few. `benchmarks.history` shows the times as rates.
"""

from __future__ import annotations

import numpy as np

import fastgrok as fg

from .work import DTYPES, SEEDS, WIDE_SEEDS, experiment, train, wide_experiment


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


class General(_Throughput):
    """Every shape, per example and in full batches."""

    params = (list(SEEDS), DTYPES, [1, "full"])


class Wide(_Throughput):
    """Wide layers, per example, in mini-batches and in full batches of 256."""

    params = (list(WIDE_SEEDS), ["float32"], [1, 32, "full"])

    def setup(self, shape: str, dtype: str, batch_size: int | str) -> None:
        """Compile."""
        self.experiment, self.seeds = wide_experiment(shape, dtype, batch_size), WIDE_SEEDS[shape]
        train(self.experiment.replace(epochs=1), 64)


class Predict:
    """Outputs of 10,000 examples, by the networks of a hundred seeds."""

    params = (["2-4-1", "64-128-10"], DTYPES)
    param_names = ("shape", "dtype")
    timeout = 120
    number = 1
    warmup_time = 0

    def setup(self, shape: str, dtype: str) -> None:
        """Draw the parameters, and compile."""
        exp = wide_experiment(shape, dtype, 32)
        self.network, self.params = exp.network, fg.initial_params(exp, 100)
        self.inputs = np.random.default_rng(1).standard_normal((10_000, len(exp.data.X[0]))).astype(dtype)
        self.time_predict(shape, dtype)

    def time_predict(self, *_: str) -> None:
        fg.predict(self.network, self.params, self.inputs)


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
