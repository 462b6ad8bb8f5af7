"""A seed's bits are those of every version and architecture before: hashes that were written once.

They were written at 0.1.0 by the general driver on x86-64; `.ci/aarch64` runs this module on aarch64.
"""

from __future__ import annotations

import json

import numpy as np
import pytest
from frozen import EXPERIMENTS, GOLDEN, SEEDS, digest, names

import fastgrok as fg

HASHES = json.loads(GOLDEN.read_text())


def test_every_experiment_has_its_hash():
    assert list(HASHES) == [f"{name}, {dtype}" for name, dtype in names()]


@pytest.mark.parametrize(("name", "dtype"), names())
def test_the_general_driver_gives_the_bits_that_it_gave(name, dtype):
    assert digest(EXPERIMENTS[name].replace(dtype=dtype), False) == HASHES[f"{name}, {dtype}"]


# Each is compiled for itself: of wide layers that takes a minute and more.
@pytest.mark.parametrize(("name", "dtype"), [pair for pair in names() if EXPERIMENTS[pair[0]].n_params < 100])
def test_the_specialised_driver_gives_them_too(name, dtype):
    assert digest(EXPERIMENTS[name].replace(dtype=dtype), True) == HASHES[f"{name}, {dtype}"]


def test_values_that_are_not_finite_and_denormals_are_among_them():
    def params(name):
        exp = EXPERIMENTS[name].replace(dtype="float32")
        return np.concatenate([p.ravel() for p in fg.run(exp, SEEDS, keep_params=True, progress=False).params])

    assert np.isnan(params("diverging")).any()
    small = params("denormals")
    assert ((small != 0) & (np.abs(small) < np.finfo(np.float32).tiny)).any()
