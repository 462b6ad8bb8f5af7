"""A driver that knows its examples gives the bits of the general one, whatever numbers turn up."""

import numpy as np
import pytest
from fingerprint import bits

import fastgrok as fg
from fastgrok.engine.binding import knows_examples, make_binding
from fastgrok.engine.program import Program
from fastgrok.kernels.train.workspace import LEFT

XOR = fg.datasets.xor()
BASE = fg.Experiment(fg.mlp(2, 4, 1), XOR, init=fg.Uniform(-1, 1), optimizer=fg.SGD(0.1), batch_size=1, epochs=40)
STOP = fg.Converged(loss=0.02)
OR = fg.Dataset([[0, 1], [1, 0], [1, 1]], [[1], [1], [1]])  # no example has zeros alone
SCALED = fg.Dataset([[0.25, -1.5], [0.0, 2.0], [-0.0, 1.0]], [[0], [1], [0.5]])

EXPERIMENTS = {
    "plain": BASE,
    "stopped": BASE.replace(stop=STOP, epochs=300),
    "kept on": BASE.replace(stop=fg.Converged(loss=0.02, max_error=0.3, accuracy=1, keep_training=True), epochs=300),
    "every seventh": BASE.replace(stop=STOP, check_every=7, epochs=300),
    "scheduled": BASE.replace(optimizer=fg.SGD(0.1, schedule=fg.StepLR(10, 0.5))),
    "without biases": BASE.replace(network=fg.mlp(2, 4, 1, bias=False)),
    "without biases and zeros": BASE.replace(network=fg.mlp(2, 4, 1, bias=False), data=OR),
    "any numbers": BASE.replace(data=SCALED),
    "deep": BASE.replace(network=fg.mlp(2, 4, 4, 1, hidden="leaky_relu")),
    "sigmoid": BASE.replace(network=fg.mlp(2, 2, 1, hidden="sigmoid", output="sigmoid")),
    "cross-entropy": BASE.replace(
        network=fg.mlp(2, 3, 1, hidden="tanh", output="sigmoid"), loss="binary_cross_entropy"
    ),
    "full batch": BASE.replace(batch_size="full", optimizer=fg.SGD(0.5)),
    "short last batch": BASE.replace(batch_size=3, optimizer=fg.SGD(0.5, 0.9, 0.01), stop=STOP),
    "Adam": BASE.replace(batch_size=2, optimizer=fg.Adam(0.01)),
    "clipped": BASE.replace(batch_size=1, optimizer=fg.SGD(0.5, clip_norm=0.1, l1=0.001)),
    "restarted": BASE.replace(stop=STOP, restart=fg.Restart(after=30), epochs=90),
    "validated on others": BASE.replace(validation=SCALED, stop=fg.EarlyStopping(5)),
    "validated": BASE.replace(validation=XOR, stop=(STOP, fg.EarlyStopping(5))),
}

DTYPES = ("float64", "float32")

# Each is a compilation: one dtype in turns.
any_experiment = pytest.mark.parametrize(
    ("name", "dtype"), [(name, DTYPES[k % 2]) for k, name in enumerate(EXPERIMENTS)] + [("plain", "float32")]
)


def is_binary(exp):
    return "binary" in dict(make_binding(exp))


def both_drivers(exp, **of):
    return [fg.run(exp, **of, keep_params=True, specialize=s, lanes=8, progress=False) for s in (False, True)]


def assert_same(one, other):
    first, second = bits(one), bits(other)
    assert [name for name in first if first[name] != second[name]] == []


def odd_params(exp, odd):
    """Initial parameters of 99 seeds; in each of all but the first some are replaced by odd numbers."""
    params, rng = fg.initial_params(exp, seeds=range(99)), np.random.default_rng(0)
    for array in params:
        flat = array[1:].reshape(len(array) - 1, -1)
        chosen = rng.random(flat.shape) < rng.choice([0.05, 0.5, 1], (len(flat), 1))
        flat[chosen] = rng.choice(np.array(odd, exp.dtype), chosen.sum())
    return params


ODD = {
    "zeros with a sign": lambda limits: (0.0, -0.0),
    "huge": lambda limits: (limits.max, -limits.max, np.sqrt(limits.max), -(limits.max**0.25), 1.0),
    "tiny": lambda limits: (-0.0, limits.smallest_subnormal, -limits.smallest_subnormal, -np.sqrt(limits.tiny), 0.0),
}


@any_experiment
def test_a_driver_that_knows_its_examples_gives_the_same_bits(name, dtype):
    exp = EXPERIMENTS[name].replace(dtype=dtype)
    assert knows_examples(exp)
    assert_same(*both_drivers(exp, seeds=99))


@pytest.mark.filterwarnings("ignore:overflow")
@any_experiment
def test_whatever_the_parameters_are_the_bits_are_the_same(name, dtype):
    exp = EXPERIMENTS[name].replace(dtype=dtype)
    for odd in ODD.values():
        assert_same(*both_drivers(exp, params=odd_params(exp, odd(np.finfo(dtype)))))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("lr", [3, 30, 1e4, 1e20])
def test_seeds_that_diverge_have_the_same_bits(lr, dtype):
    for stop in (None, STOP):
        exp = BASE.replace(optimizer=fg.SGD(lr), init=fg.Uniform(-2, 2), stop=stop, dtype=dtype)
        general, specialised = both_drivers(exp, seeds=150)
        assert_same(general, specialised)


def left(exp, params, monkeypatch):
    """How many seeds the specialised driver leaves."""
    rows = []
    monkeypatch.setattr("fastgrok.engine.program.train_left", lambda _, outputs, *__: rows.append(outputs.epochs_run))
    program = Program(exp, specialize=True, lanes=8, n_seeds=len(params))
    program.train(np.arange(len(params), dtype=np.uint64), params, program.memory())
    return sum((epochs_run == LEFT).sum() for epochs_run in rows)


def test_only_seeds_whose_bits_could_differ_are_left(monkeypatch):
    ordinary = fg.initial_params(BASE, seeds=range(99))
    flat = np.concatenate([array.reshape(99, -1) for array in ordinary], axis=1)
    assert left(BASE, flat, monkeypatch) == 0
    flat[3, 5] = -0.0  # a weight of the first layer
    flat[4, 14] = -0.0  # of the second, which has products
    flat[5, 0] = 1e200  # its deltas soon are not finite
    assert left(BASE, flat, monkeypatch) == 2
    assert left(BASE.replace(data=SCALED), flat, monkeypatch) == 0


def test_examples_are_known_to_small_epochs_in_fixed_order():
    assert is_binary(BASE)
    assert knows_examples(EXPERIMENTS["without biases"])
    assert not is_binary(EXPERIMENTS["without biases"])
    assert is_binary(EXPERIMENTS["without biases and zeros"])
    assert not is_binary(EXPERIMENTS["any numbers"])
    assert not knows_examples(BASE.replace(order="shared"))
    assert not knows_examples(BASE.replace(data=fg.datasets.parity(6), network=fg.mlp(6, 8, 1)))
