"""Epochs of many seeds with two configurations, a and b: what samples are drawn from, and what is true of them."""

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

import fastgrok as fg

Epochs = NDArray[np.int64]
_SEEDS = 200_000
_NEVER = 10**9


class Population(NamedTuple):
    """Seeds that are all there are: a sample is drawn with replacement, and what they say is the truth."""

    epochs: Epochs  # (2, n_seeds) of a and of b, -1 where a seed does not converge by the limit
    limit: int

    def sample(self, n: int, rng: np.random.Generator) -> Epochs:
        """Return the epochs of n seeds, (2, n)."""
        return self.epochs[:, rng.integers(0, self.epochs.shape[1], n)]

    @property
    def ends(self) -> Epochs:
        """When each seed converges, those that do not long after the limit."""
        return np.where(self.epochs > 0, self.epochs, _NEVER)

    def quantile(self, share: float) -> list[int]:
        """Return the epochs by which this share of seeds has converged, with a and with b."""
        ordered = np.sort(self.ends, axis=1)
        return [int(x) for x in ordered[:, int(np.ceil(share * ordered.shape[1] - 1e-9)) - 1]]

    def mean(self, until: int) -> float:
        """Return the restricted mean of a."""
        return float(np.minimum(self.ends[0], until).mean())

    def costs(self, k: int) -> NDArray[np.float64]:
        """Return what a success costs with a (0) or b (1) at each cut-off from 1 to the limit."""
        met = np.bincount(self.epochs[k][self.epochs[k] > 0], minlength=self.limit + 1)[1:].cumsum() / _SEEDS
        spent = np.concatenate([[1.0], 1 - met[:-1]]).cumsum()
        return np.divide(spent, met, out=np.full(self.limit, np.inf), where=met > 0)


def _trained(hidden: int) -> Population:
    """Train XOR from Xavier's and from He's initialisation on the same seeds."""
    exp = fg.Experiment(fg.mlp(2, hidden, 1), fg.datasets.xor(), epochs=1000, stop=fg.Converged(loss=0.01))
    result = fg.sweep(exp, _SEEDS, {"init": [fg.XavierNormal(), fg.HeNormal()]}, progress=False)
    epochs = np.stack([output.finished_metrics["epochs_to_converge"] for output in result.outputs])
    return Population(epochs.astype(np.int64), 1000)


def _looked_at_every_ten() -> Population:
    trained = population("XOR 2-4-1")
    return Population(np.where(trained.epochs > 0, -(-trained.epochs // 10) * 10, -1), trained.limit)


def _drawn(limit: int, scale: float) -> Population:
    """Draw epochs of seeds that do alike with both, of which 40 % do not converge by the limit."""
    z = np.random.default_rng(12).standard_normal((2, _SEEDS))
    z[1] = 0.7 * z[0] + np.sqrt(1 - 0.49) * z[1]
    epochs = np.ceil(scale * np.array([[1.0], [1.2]]) * (-np.log1p(-ndtr(z))) ** 1.2).astype(np.int64)
    return Population(np.where(epochs <= limit, epochs, -1), limit)


_MADE: dict[str, Callable[[], Population]] = {
    "XOR 2-4-1": lambda: _trained(4),
    "XOR 2-4-1, looked at every 10 epochs": _looked_at_every_ten,
    "XOR 2-16-1": lambda: _trained(16),
    "ten epochs": lambda: _drawn(10, 11.0),
}
POPULATIONS = tuple(_MADE)
"""Networks, of which 40 % fail, or two in a thousand, and seeds of ten epochs, of which many tie at the limit."""


@cache
def population(name: str) -> Population:
    """Return the population of this name."""
    return _MADE[name]()
