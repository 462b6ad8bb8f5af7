"""Initial parameters bit for bit, and the streams that they leave behind."""

from __future__ import annotations

from typing import Any

import naive
import numpy as np
import pytest
from initial import ARRAYS, DATA, WEIGHTS, experiment, laplace, one_layer, shuffled

import fastgrok as fg
from fastgrok.engine import initial_params
from fastgrok.engine.draws import (
    FORMS,
    KINDS,
    distributions,
    drawn_kinds,
    initial,
    scratch_size,
    state_words,
    tensors,
)
from fastgrok.engine.params import joined, split
from fastgrok.kernels.init.initialise import make_draw_on
from fastgrok.kernels.rng.streams import STREAMS

NAMES = tuple(STREAMS)


SEEDS = np.array([0, 1, 2**31, 2**32 - 1, 123456789], np.uint64)


SCHEMES: dict[str, tuple[Any, Any]] = {
    "he_fan_out": (fg.HeNormal("fan_out", 0.2), fg.HeUniform("fan_out", 0.5)),
    "lecun": (fg.LeCunNormal(), fg.LeCunUniform()),
    "keras": (fg.KerasDense(), "same"),
    "torch": (fg.TorchLinear(), "default"),
    "truncated": (fg.TruncatedNormal(0.1, 0.5, -0.2, 0.7), "same"),
    "truncated_tail": (fg.TruncatedNormal(0, 1, 2, 4), fg.TruncatedNormal(std=3, low=-1, high=1)),
    "orthogonal": (fg.Orthogonal(1.7), fg.Uniform(-1, 1)),
    "sparse": (fg.Sparse(0.4, 1.3), fg.Normal(0, 1)),
    "all_zero": (fg.Sparse(1), fg.Normal(0, 1)),
    "identity": (fg.Identity(-0.7), fg.Uniform(0, 1)),
    "nguyen_widrow": (fg.NguyenWidrow(), "same"),
    "nguyen_widrow_biases": (fg.HeNormal(), fg.NguyenWidrow()),
    "rai": (fg.RAI(), "same"),
    "rai_said_twice": (fg.RAI(0.5), fg.RAI(0.5)),
    "rai_weights": (fg.RAI(), fg.Uniform(0, 1)),
    "function": (laplace, fg.Zeros()),
    "function_first": (laplace, fg.Normal(0, 1)),
    "function_last": (fg.Orthogonal(), shuffled),
    "two_functions": (laplace, shuffled),
    "arrays": (WEIGHTS, fg.Uniform(-1, 1)),
    "arrays_with_biases": (ARRAYS, "same"),
    "arrays_and_function": (WEIGHTS, shuffled),
}


any_scheme = pytest.mark.parametrize("scheme", SCHEMES)


any_stream = pytest.mark.parametrize("stream", NAMES)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@any_stream
@any_scheme
def test_parameters_and_the_stream_after_them_are_numpys_in_every_bit(scheme: str, stream: Any, dtype: Any) -> None:
    init, bias_init = SCHEMES[scheme]
    exp = experiment(init, bias_init, stream=stream, dtype=dtype, order="per_seed")
    params = np.empty((len(SEEDS), exp.n_params), dtype)
    states = np.empty((len(SEEDS), state_words(exp)), np.uint64)
    initial_params.Initialiser(exp)(params, states, SEEDS)
    twins = [naive.initial(exp, int(seed)) for seed in SEEDS]
    expected = np.stack([np.concatenate([p.ravel() for p in drawn]) for drawn, _ in twins])
    assert expected.dtype == dtype
    np.testing.assert_array_equal(params.view(np.uint8), expected.view(np.uint8))
    for ours, (_, rng) in zip(initial_params.generators_from_words(stream, states), twins, strict=True):
        np.testing.assert_array_equal(ours.standard_normal(3), rng.standard_normal(3))
        np.testing.assert_array_equal(ours.permutation(700), rng.permutation(700))
        np.testing.assert_array_equal(ours.random(700), rng.random(700))


def test_the_bits_of_a_docstring_in_plain_numpy() -> None:
    """No twin: what a reader of the docstrings would write."""
    rng = np.random.default_rng(77)
    a = rng.standard_normal((5, 3))
    q, r = np.linalg.qr(a)
    np.testing.assert_allclose(
        one_layer(fg.Orthogonal(2), 5, 3, seeds=[77])[0][0], 2 * q * np.sign(np.diag(r)), rtol=1e-12
    )

    rng = np.random.default_rng(77)
    weight = 0.5 * rng.standard_normal((3, 7))
    for row in weight:
        row[rng.permutation(7)[:4]] = 0
    np.testing.assert_array_equal(one_layer(fg.Sparse(0.5, 0.5), 3, 7, seeds=[77])[0][0], weight)

    rng = np.random.default_rng(77)
    v = 0.6007 / np.sqrt(3) * rng.standard_normal((4, 7))
    for unit in range(7):
        k = int(rng.random() * 4)
        v[k, unit] = np.sqrt(rng.random())
    weight, bias = one_layer(fg.RAI(), 3, 7, seeds=[77], bias_init="same")
    np.testing.assert_array_equal(np.vstack([weight[0], bias]), v)


def test_runs_go_on_in_the_stream_that_python_drew_from() -> None:
    """The order of the examples comes from the seed's stream where the function left it."""
    for init in (laplace, fg.FromArrays([[1, 0.5], [1, 0.4]], [[0.5], [-1]]), fg.RAI()):
        exp = fg.Experiment(fg.mlp(2, 2, 1), DATA, init=init, order="per_seed", epochs=3, stop=None)
        params = fg.run(exp, seeds=[3, 4], keep_params=True, progress=False).params
        for row, seed in enumerate((3, 4)):
            for ours, twins in zip(params, naive.run(exp, seed)[0], strict=True):
                np.testing.assert_allclose(ours[row], twins, rtol=1e-12, atol=1e-14)


def test_more_seeds_than_python_takes_at_a_time() -> None:
    exp = experiment(laplace, fg.Normal(0, 1))
    many = fg.initial_params(exp, seeds=1100)
    for seed in (0, 511, 512, 1023, 1024, 1099):
        for ours, twins in zip(many, naive.initial(exp, seed)[0], strict=True):
            np.testing.assert_array_equal(ours[seed], twins)


@any_stream
@pytest.mark.parametrize("count", [0, 1, 226, 227, 228, 311, 312, 313, 396, 397, 623, 624, 625, 1247, 1248, 2000])
def test_generators_and_words_are_the_same_stream(stream: Any, count: int) -> None:
    """Kernels twist a word of the Mersenne twister when it is due, NumPy all of them at once."""
    rngs = initial_params.new_generators(stream, SEEDS)
    for k, rng in enumerate(rngs):
        for _ in range(count + k):
            rng.permutation(2)  # takes one word
        rng.standard_normal(k)
    words = initial_params.words_of_generators(stream, rngs)
    again = initial_params.generators_from_words(stream, words)
    np.testing.assert_array_equal(initial_params.words_of_generators(stream, again), words)
    drawn = np.empty((len(SEEDS), 700))
    table = tensors(experiment(fg.Normal(0, 1), network=fg.Network(fg.Linear(1, 700, bias=False))))
    buffers = initial_params.draw_buffers(stream, 700, 1)
    make_draw_on(stream, "float64", distributions())(drawn, words, buffers, table)
    for rng, other, kernels in zip(rngs, again, drawn, strict=True):
        numbers = rng.standard_normal(700)
        np.testing.assert_array_equal(other.standard_normal(700), numbers)
        np.testing.assert_array_equal(kernels, numbers)
        np.testing.assert_array_equal(other.permutation(700), rng.permutation(700))


def test_draws_are_linked_with_what_they_need() -> None:
    def needed(*init: Any) -> dict[str, tuple[int, ...]]:
        return dict(drawn_kinds(tensors(experiment(*init))))

    normal, uniform = KINDS.place("normal"), KINDS.place("uniform")
    free, truncated = FORMS.place("free"), FORMS.place("truncated")
    assert needed(fg.HeNormal()) == {"kind.distribution": (normal,), "kind.form": (free,)}
    assert needed(fg.Uniform(-1, 1), fg.HeNormal()) == {"kind.distribution": (uniform, normal), "kind.form": (free,)}
    assert needed(fg.TruncatedNormal(), fg.Uniform(-1, 1))["kind.form"] == (free, truncated)


def test_forms_need_memory_of_their_own() -> None:
    assert scratch_size(initial(experiment(fg.HeNormal()))) == 1
    assert scratch_size(initial(experiment(fg.Sparse(0.5), fg.Zeros()))) == 5


def test_example_of_split():
    value = [array.shape for array in split(fg.mlp(2, 4, 1), np.zeros((8, 17)))]
    assert value == [(8, 2, 4), (8, 4), (8, 4, 1), (8, 1)]


def test_example_of_joined():
    value = " ".join(repr(joined(fg.mlp(2, 1), [[[0.5], [0.25]], [1]], "float64")).split())
    assert value == "array([[0.5 , 0.25, 1. ]])"
