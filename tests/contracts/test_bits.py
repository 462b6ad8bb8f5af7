"""A seed's bits depend on the experiment and the seed, and on nothing else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from fingerprint import MIXED, ODD, ON_EVERY_CPU, XOR, bits, drawn_fingerprint, fingerprint
from llvmlite import binding

import fastgrok as fg

LANES = (1, 2, 4, 8, 16, 32, 64)
SEEDS = 150  # more than two blocks of the widest, and no multiple of any
DTYPES = ("float64", "float32")
# Early stopping with a shuffled order meets refill, the streams in the lanes and every column of the result.
BY_ORDER = {order: XOR.replace(order=order) for order in ("fixed", "shared", "per_seed")}
BATCHES = fg.Experiment(
    MIXED, ODD, order="per_seed", stream="numpy_legacy", batch_size=2, init=fg.Normal(0, 1), epochs=30,
    optimizer=fg.SGD(0.3, 0.9, 0.01, 0.001), stop=fg.Converged(accuracy=1),
)  # fmt: skip

both_drivers = pytest.mark.parametrize("specialize", [False, True])
any_dtype = pytest.mark.parametrize("dtype", DTYPES)


def run(exp, seeds=SEEDS, **options):
    options = {"keep_params": True, "threads": 1, "progress": False} | options
    return fg.run(exp, seeds=seeds, **options)


def assert_same(one, other, rows=slice(None), other_rows=slice(None)):
    first, second = bits(one, rows), bits(other, other_rows)
    assert [name for name in first if first[name] != second[name]] == []


# Each lane count is a compilation: all of them for one dtype of each driver, a few for the other.
@pytest.mark.parametrize(
    ("specialize", "dtype", "lane_counts"),
    [(False, "float64", LANES), (True, "float32", LANES), (False, "float32", (1, 64)), (True, "float64", (1, 64))],
)
def test_the_result_is_the_same_for_any_lane_count(specialize, dtype, lane_counts):
    exp = XOR.replace(dtype=dtype)
    expected = run(exp, lanes=8, specialize=False)
    assert 10 < (expected.dataset.epochs_to_converge > 0).sum() < SEEDS - 10
    for lanes in lane_counts:
        assert_same(expected, run(exp, lanes=lanes, specialize=specialize))


@any_dtype
@pytest.mark.parametrize("order", ["shared", "per_seed"])
def test_the_result_with_shuffled_examples_is_the_same_for_any_lane_count(order, dtype):
    exp = BY_ORDER[order].replace(dtype=dtype)
    expected = run(exp, lanes=8, specialize=False)
    for lanes in (1, 64):
        assert_same(expected, run(exp, lanes=lanes, specialize=False))


@any_dtype
def test_the_result_is_the_same_for_both_drivers(dtype):
    for exp in BY_ORDER.values():
        exp = exp.replace(dtype=dtype)
        assert_same(run(exp, lanes=8, specialize=False), run(exp, lanes=8, specialize=True))


@any_dtype
@pytest.mark.parametrize("order", BY_ORDER)
def test_the_result_is_the_same_for_any_threads_and_chunks(order, dtype):
    exp = BY_ORDER[order].replace(dtype=dtype)
    expected = run(exp, lanes=8, specialize=False)
    for threads in (1, 2, 5):
        for chunk_size in (None, 1, 7, 64, 1000):
            assert_same(expected, run(exp, lanes=8, specialize=False, threads=threads, chunk_size=chunk_size))


def test_the_result_is_the_same_for_whatever_is_chosen():
    for exp in (*BY_ORDER.values(), BATCHES):
        assert_same(run(exp, lanes=8, specialize=False), run(exp, threads=None))


@both_drivers
@pytest.mark.parametrize("order", BY_ORDER)
def test_a_seed_has_the_same_bits_alone_and_among_others_in_any_order(order, specialize):
    exp, options = BY_ORDER[order], {"lanes": 8, "specialize": specialize}
    expected = run(exp, **options)
    for seed in (0, 7, 8, 149):
        assert_same(run(exp, seeds=[seed], **options), expected, other_rows=[seed])
    shuffled = np.random.default_rng(0).permutation(SEEDS)
    assert_same(run(exp, seeds=shuffled, **options), expected, other_rows=shuffled)
    backwards = np.arange(SEEDS)[::-2]
    assert_same(run(exp, seeds=backwards, **options), expected, other_rows=backwards)


@both_drivers
@pytest.mark.parametrize("dtype", DTYPES)
def test_batches_and_legacy_streams_have_the_same_bits_too(specialize, dtype):
    exp = BATCHES.replace(dtype=dtype)
    expected = run(exp, lanes=8, specialize=False)
    for lanes, threads, chunk_size in ((32, 1, None), (32, 5, 7), (32, 2, 33)):
        options = {"lanes": lanes, "threads": threads, "chunk_size": chunk_size}
        assert_same(expected, run(exp, specialize=specialize, **options))
    assert_same(run(exp, seeds=[149], lanes=8, specialize=False), expected, other_rows=[149])


@pytest.mark.parametrize("order", ["fixed", "shared"])
def test_from_params_of_ones_own_the_bits_are_those_of_the_seeds(order):
    exp = BY_ORDER[order]
    params = fg.initial_params(exp, seeds=range(SEEDS))
    given = fg.run(exp, params=params, keep_params=True, progress=False)
    assert_same(run(exp), given)


def test_training_in_two_runs_is_training_in_one():
    """Without momentum and with a fixed order an epoch depends on nothing but the parameters."""
    exp = XOR.replace(stop=None)
    half = run(exp.replace(epochs=60))
    again = fg.run(exp.replace(epochs=60), params=half.params, keep_params=True, progress=False)
    for whole, parts in zip(run(exp).params, again.params, strict=True):
        np.testing.assert_array_equal(whole, parts)


def test_the_fingerprint_notices_one_bit():
    result = run(XOR, seeds=3)
    before = fingerprint(result)
    result.params[0][1, 0, 0] = np.nextafter(result.params[0][1, 0, 0], 1)
    assert fingerprint(result) != before


# Other CPUs: fastgrok compiled for each of them, in a process of its own.
CPUS = ("haswell", "skylake-avx512", "x86-64-v2")


@pytest.fixture(scope="module")
def found_on(tmp_path_factory):
    """The hashes of every CPU that this one can stand for; the processes run side by side."""
    script = Path(__file__).parents[1] / "fingerprint.py"
    running = {}
    for cpu in CPUS:
        if cpu == "skylake-avx512" and not binding.get_host_cpu_features().get("avx512dq"):
            continue
        # Without the features Numba takes the host's, and the name alone would change little.
        chosen = {
            "NUMBA_CPU_NAME": cpu,
            "NUMBA_CPU_FEATURES": "",
            "FASTGROK_CACHE_DIR": str(tmp_path_factory.mktemp(cpu)),
            "PYTHONPATH": str(Path(fg.__file__).parents[1]),
        }
        running[cpu] = subprocess.Popen(
            [sys.executable, "-W", "error", str(script)],
            env=os.environ | chosen,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
    said = {cpu: process.communicate(timeout=300) for cpu, process in running.items()}
    assert [stderr for _, stderr in said.values()] == [""] * len(said)
    return {cpu: json.loads(stdout) for cpu, (stdout, _) in said.items()}


@pytest.mark.parametrize("cpu", CPUS)
def test_the_result_is_the_same_for_any_cpu_target(cpu, found_on):
    if cpu not in found_on:
        pytest.skip("this CPU has no AVX-512")
    here = {name: fingerprint(run(exp, seeds=100, lanes=8)) for name, (exp, _) in ON_EVERY_CPU.items()}
    assert found_on[cpu] == here | {"drawn": drawn_fingerprint()}
