"""What one call costs besides its work: one network on XOR, one epoch, everything compiled before."""

from __future__ import annotations

from typing import Any

import fastgrok as fg

from .work import DTYPES, experiment, train


class OneRun:
    """`fg.run` for one seed and one epoch."""

    def setup(self) -> None:
        """Compile."""
        self.experiment = experiment("2-4-1", epochs=1)
        train(self.experiment, 1)

    def time_run(self) -> None:
        train(self.experiment, 1)


class Trainer:
    """The calls of `fg.compile` for one network."""

    params = (["train", "loss", "gradients", "predict"], DTYPES)
    param_names = ("call", "dtype")

    def setup(self, call: str, dtype: str) -> None:
        """Compile."""
        trainer = fg.compile(experiment("2-4-1", dtype=dtype, epochs=1), specialize=False)
        self.call, self.network = getattr(trainer, call), trainer.initial_params([3])
        self.call(self.network)

    def time_call(self, *_: Any) -> None:
        self.call(self.network)


class Compile:
    """`fg.compile` where everything is compiled, or read, already."""

    def setup(self) -> None:
        """Compile."""
        self.experiment = experiment("2-4-1", epochs=1)
        fg.compile(self.experiment, specialize=False)

    def time_compile(self) -> None:
        fg.compile(self.experiment, specialize=False)
