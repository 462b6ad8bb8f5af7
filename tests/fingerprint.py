"""Every bit of a result as one hash; run as a script, the hashes of a few small sweeps as JSON.

`tests/contracts/test_bits.py` runs it under several values of NUMBA_CPU_NAME.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

import numpy as np

import fastgrok as fg

XOR = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), optimizer=fg.SGD(0.2), epochs=120, init=fg.HeNormal())
ODD = fg.Dataset([[0.1, 0.7], [1, -0.3], [-1, 0.2], [0.5, 0.5], [2, 1]], [[0, 1], [1, 0], [0, 1], [1, 0], [0, 1]])
MIXED = fg.Network(fg.Linear(2, 3), fg.Tanh(), fg.Linear(3, 4), fg.LeakyReLU(0.1), fg.Linear(4, 2), fg.Sigmoid())

CURVES = fg.Experiment(
    MIXED, ODD, loss="binary_cross_entropy", batch_size=2, bias_init=fg.Normal(0, 0.3), init=fg.XavierNormal(),
    optimizer=fg.SGD(0.3, 0.9, 0.01, 0.001), epochs=40, stop=fg.Converged(accuracy=1, max_error=0.4),
)  # fmt: skip
ON_EVERY_CPU = {  # and whether specialised, since each is compiled there
    "shuffled": (XOR.replace(order="per_seed"), True),
    "curves": (CURVES, False),
    "curves32": (CURVES.replace(dtype="float32"), True),
}

DRAWN = [  # by every scheme that makes a matrix of its draws
    (fg.Orthogonal(1.3), fg.TruncatedNormal(0.1, 0.5, -0.2, 0.4)), (fg.RAI(), "same"), (fg.NguyenWidrow(), "same"),
    (fg.Sparse(0.4, 1), fg.Zeros()),
]  # fmt: skip


def drawn_fingerprint() -> str:
    digest = hashlib.sha256()
    for init, bias_init in DRAWN:
        for p in fg.initial_params(CURVES.replace(init=init, bias_init=bias_init), seeds=50):
            digest.update(p.tobytes())
    return digest.hexdigest()


def bits(result: Any, rows: Any = slice(None)) -> dict[str, bytes]:
    """Every variable and parameter of some rows, as bytes."""
    found = {name: result.dataset[name].values[rows].tobytes() for name in sorted(result.dataset.data_vars)}
    for place, p in enumerate(result.params):
        found[f"params[{place}]"] = np.ascontiguousarray(p[rows]).tobytes()
    return found


def fingerprint(result: Any) -> str:
    digest = hashlib.sha256()
    for name, value in bits(result).items():
        digest.update(name.encode() + value)
    return digest.hexdigest()


if __name__ == "__main__":
    hashes = {
        name: fingerprint(fg.run(exp, seeds=100, specialize=specialize, keep_params=True, threads=1, progress=False))
        for name, (exp, specialize) in ON_EVERY_CPU.items()
    }
    print(json.dumps(hashes | {"drawn": drawn_fingerprint()}))
