"""The streams give NumPy's numbers, bit for bit. NumPy itself is the naive twin."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable
from typing import NamedTuple

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numba.np.random._constants import ziggurat_nor_r as TAIL_START

from fastgrok.kernels.rng import mt19937, pcg64
from fastgrok.kernels.rng.streams import STREAMS, interval

NAMES = tuple(STREAMS)
NUMPY = {"numpy": np.random.default_rng, "numpy_legacy": np.random.RandomState}
LARGEST_SEED = {"numpy": 2**64 - 1, "numpy_legacy": 2**32 - 1}
EDGES = [0, 1, 2, 2**31 - 1, 2**31, 2**32 - 1, 2**32, 2**32 + 1, 2**53 + 1, 2**63 - 1, 2**63, 2**64 - 1]

# A program is a list of draws: one of these, or a positive n for a permutation of range(n).
RANDOM, UNIFORM, NORMAL = 0, -1, -2
LOW, HIGH = -0.3, 0.7

any_stream = pytest.mark.parametrize("name", NAMES)
programs = st.lists(st.sampled_from([RANDOM, UNIFORM, NORMAL, 1, 2, 3, 4, 5, 12]), min_size=1, max_size=40)


class Compiled(NamedTuple):
    start: Callable  # start(states, seeds): seed every row
    run: Callable  # run(draws, order, states, program): a program's numbers for every row


@pytest.fixture(autouse=True, scope="module")
def numba_knows_device_functions():
    """Numba learns of them when the first is compiled, which may be here."""
    assert pcg64.seed.dispatcher


@functools.cache
def compiled(name: str) -> Compiled:
    seed, random, standard_normal, permute, *_ = STREAMS[name]

    @numba.njit
    def start(states, seeds):
        for row in range(seeds.shape[0]):
            seed(states[row], seeds[row])

    @numba.njit
    def run(draws, order, states, program):
        for row in range(states.shape[0]):
            state, place = states[row], 0
            for draw in program:
                if draw > 0:
                    permute(state, order[:draw])
                    draws[row, place : place + draw] = order[:draw]
                    place += draw
                    continue
                if draw == NORMAL:
                    draws[row, place] = standard_normal(state)
                elif draw == UNIFORM:
                    draws[row, place] = LOW + (HIGH - LOW) * random(state)
                else:
                    draws[row, place] = random(state)
                place += 1

    return Compiled(start, run)


def new_states(name: str, seeds: list[int]) -> np.ndarray:
    states = np.full((len(seeds), STREAMS[name].words), 2**64 - 1, dtype=np.uint64)
    compiled(name).start(states, np.array(seeds, dtype=np.uint64))
    return states


def drawn(name: str, states: np.ndarray, program: list[int]) -> np.ndarray:
    """What the streams give, (rows, numbers); the order buffer is a strided view."""
    plan = np.array(program, dtype=np.int64)
    draws = np.full((len(states), np.maximum(plan, 1).sum()), np.nan)
    order = np.full((max(plan.max(), 1), 2), -1, dtype=np.int64)
    compiled(name).run(draws, order[:, 1], states, plan)
    assert (order[:, 0] == -1).all()
    return draws


def numpy_draws(generator, program: list[int]) -> np.ndarray:
    """What NumPy gives: equal draws that follow each other are one call."""
    parts = []
    for draw, group in itertools.groupby(program):
        count = len(list(group))
        if draw > 0:
            parts += [generator.permutation(draw) for _ in range(count)]
        elif draw == NORMAL:
            parts.append(generator.standard_normal(count))
        elif draw == UNIFORM:
            parts.append(generator.uniform(LOW, HIGH, count))
        else:
            parts.append(generator.random(count))
    return np.concatenate(parts).astype(np.float64)


def assert_same_bits(ours: np.ndarray, numpys: np.ndarray) -> None:
    np.testing.assert_array_equal(ours.view(np.uint64), numpys.view(np.uint64))


def check(name: str, seeds: list[int], program: list[int]) -> None:
    expected = np.stack([numpy_draws(NUMPY[name](s), program) for s in seeds])
    assert_same_bits(drawn(name, new_states(name, seeds), program), expected)


def edge_seeds(name: str) -> list[int]:
    return [s for s in EDGES if s <= LARGEST_SEED[name]]


def some_seeds(name: str, count: int) -> list[int]:
    """Edges and random seeds of every size in bits."""
    rng = np.random.default_rng(20240)
    width = LARGEST_SEED[name].bit_length()
    sizes = rng.integers(1, width, count, endpoint=True)
    return edge_seeds(name) + [int.from_bytes(rng.bytes(8), "big") >> (64 - int(k)) for k in sizes]


@any_stream
@pytest.mark.parametrize("draw", [RANDOM, UNIFORM, NORMAL])
def test_many_seeds_give_numpys_numbers(name, draw):
    check(name, some_seeds(name, 400), [draw] * 41)


@any_stream
@pytest.mark.parametrize("draw", [RANDOM, NORMAL])
def test_long_run_gives_numpys_numbers(name, draw):
    count = 2_000_000
    ours = drawn(name, new_states(name, [7]), [draw] * count)
    assert_same_bits(ours[0], numpy_draws(NUMPY[name](7), [draw] * count))
    if draw == NORMAL:  # about 510 of them; on both sides
        assert (ours > TAIL_START).sum() > 100
        assert (ours < -TAIL_START).sum() > 100


@any_stream
@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 100, 1000])
def test_permutations_are_numpys(name, size):
    check(name, some_seeds(name, 20), [size] * 5)


@any_stream
def test_long_permutation_is_numpys(name):
    check(name, [11], [3, 300_000, RANDOM, 4])


@any_stream
def test_interleaved_draws_are_numpys(name):
    """An odd number of 32-bit draws leaves one in the buffer; an odd number of normals, one waiting."""
    program = [2, RANDOM, NORMAL, 4, NORMAL, NORMAL, 1, 2, UNIFORM, 5, RANDOM, 2, NORMAL, 100, 3, RANDOM]
    check(name, some_seeds(name, 100), program * 3)


@any_stream
@given(data=st.data(), program=programs)
@settings(deadline=None, max_examples=150)
def test_any_seed_and_program_give_numpys_numbers(name, data, program):
    seeds = data.draw(st.lists(st.integers(0, LARGEST_SEED[name]), min_size=1, max_size=4))
    check(name, seeds, program)


@any_stream
@given(program=programs, cut=st.integers(1, 39))
@settings(deadline=None, max_examples=60)
def test_copied_state_continues_where_it_was(name, program, cut):
    seeds = edge_seeds(name)
    states = new_states(name, seeds)
    whole = drawn(name, states.copy(), program)
    parts = [drawn(name, states, program[:cut])]
    if program[cut:]:
        moved = states[::-1].copy()
        states[:] = 0
        parts.append(drawn(name, moved, program[cut:])[::-1])
    assert_same_bits(np.concatenate(parts, axis=1), whole)


@any_stream
def test_state_may_be_a_column(name):
    program = [3, RANDOM, NORMAL, 2, NORMAL]
    rows = new_states(name, edge_seeds(name))
    columns = np.array(rows, order="F")
    assert_same_bits(drawn(name, columns, program), drawn(name, rows, program))
    np.testing.assert_array_equal(columns, rows)


def test_state_words_are_numpys_pcg64_state():
    program = [NORMAL, 4, RANDOM]
    for s in some_seeds("numpy", 50):
        rng = np.random.default_rng(s)
        numpy_draws(rng, program)
        expected = rng.bit_generator.state
        states = new_states("numpy", [s])
        drawn("numpy", states, program)
        high, low, inc_high, inc_low, filled, buffer = (int(word) for word in states[0])
        assert {"state": high << 64 | low, "inc": inc_high << 64 | inc_low} == expected["state"]
        assert (filled, buffer) == (expected["has_uint32"], expected["uinteger"])


@functools.cache
def intervals(module):
    """Return a compiled function (largest, n) -> n bounded draws of a generator with seed 5."""
    seed, draw = module.seed, interval(module.next_uint32)

    @numba.njit
    def run(largest, n):
        state = np.zeros(module.WORDS, np.uint64)
        seed(state, np.uint64(5))
        return np.array([draw(state, largest) for _ in range(n)])

    return run


def test_a_device_function_cannot_be_called_from_python():
    with pytest.raises(TypeError, match="seed is a device function"):
        pcg64.seed(np.zeros(pcg64.WORDS, np.uint64), np.uint64(5))


@pytest.mark.parametrize("largest", [1, 2, 1000, 2**31 - 1, 2**31, 2**31 + 12345, 3 * 2**30, 2**32 - 2, 2**32 - 1])
def test_interval_is_numpys_random_interval(largest):
    # RandomState draws masked integers from any bit generator.
    legacy = np.random.RandomState
    for module, generator in ((pcg64, legacy(np.random.PCG64(5))), (mt19937, legacy(5))):
        ours = intervals(module)(np.uint64(largest), 301)
        numpys = generator.randint(largest + 1, size=301, dtype=np.uint32)
        assert ours.tolist() == numpys.tolist()


@functools.cache
def samples(name: str) -> Callable:
    """Return a compiled function (order, states): fill each row with a sample, after one 32-bit draw."""
    sample = STREAMS[name].sample

    @numba.njit
    def run(order, states):
        for row in range(len(order)):
            sample(states[row], order[row])

    return run


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 7, 100, 1437, 4097])
def test_samples_are_numpys_draws_with_replacement(n):
    seeds = [0, 3, 2**31 + 7]
    for name in STREAMS:
        states, order = new_states(name, seeds), np.full((len(seeds), n), -1)
        generators = [np.random.default_rng(s) if name == "numpy" else np.random.RandomState(s) for s in seeds]
        for _ in range(3):  # an odd number leaves half of 64 bits for the next
            samples(name)(order, states)
            for row, rng in zip(order, generators, strict=True):
                expected = rng.integers(n, size=n) if name == "numpy" else rng.randint(n, size=n)
                np.testing.assert_array_equal(row, expected)


def test_a_draw_that_is_one_of_too_many_is_made_again():
    """With n = 3 * 2**30 a quarter of the draws: no array is so long, but the rule is the same."""
    from fastgrok.kernels.rng.streams import _multiplied

    draw = _multiplied(pcg64.next_uint32)

    @numba.njit
    def run(state, largest, n):
        return np.array([draw(state, largest) for _ in range(n)])

    for largest in (3 * 2**30 - 1, 2**31, 2**32 - 2):
        (state,) = new_states("numpy", [5])
        expected = np.random.default_rng(5).integers(largest + 1, size=301)
        np.testing.assert_array_equal(run(state, np.uint64(largest), 301), expected)


@numba.njit
def compiled_multiply_high(a, b):
    return pcg64.multiply_high(a, b)


def multiply_high(a, b):
    return int(compiled_multiply_high(np.uint64(a), np.uint64(b)))


@given(a=st.integers(0, 2**64 - 1), b=st.integers(0, 2**64 - 1))
@settings(deadline=None, max_examples=300)
def test_multiply_high_is_exact(a, b):
    assert multiply_high(a, b) == a * b >> 64


def test_multiply_high_carries():
    for a, b in itertools.product([0, 1, 2**32 - 1, 2**32, 2**63, 2**64 - 1], repeat=2):
        assert multiply_high(a, b) == a * b >> 64
