"""How long the public calls take; everything that is compiled is compiled before the clock starts.

With the other tests each of them runs once, untimed. To time them:

    pytest benchmarks/calls --benchmark-enable --benchmark-group-by=group --benchmark-json=calls.json
"""

import numpy as np
import pytest

import fastgrok as fg

SEEDS = 10_000
EXPERIMENT = fg.Experiment(
    fg.mlp(2, 4, 1, hidden="relu"),
    fg.datasets.xor(),
    optimizer=fg.SGD(lr=0.1),
    epochs=100,
    stop=fg.Converged(loss=0.01),
)
INITS = {"uniform": fg.Uniform(-1, 1), "normal": fg.Normal(0, 1)}
by_dtype = pytest.mark.parametrize("dtype", ["float64", "float32"])


def train(exp, seeds=SEEDS, **options):
    return fg.run(exp, seeds, specialize=False, progress=False, **options)


@pytest.fixture(scope="module")
def result():
    return train(EXPERIMENT)


@pytest.mark.benchmark(group="run")
@by_dtype
@pytest.mark.parametrize("stop", [None, fg.Converged(loss=0.01)], ids=["every epoch", "early stop"])
def test_run(benchmark, dtype, stop):
    exp = EXPERIMENT.replace(dtype=dtype, stop=stop)
    train(exp, seeds=1)
    assert benchmark(train, exp).seeds.size == SEEDS


@pytest.mark.benchmark(group="run")
def test_run_one_seed(benchmark):
    """What a call costs before any work."""
    train(EXPERIMENT, seeds=1)
    assert benchmark(train, EXPERIMENT, seeds=1).seeds.size == 1


@pytest.mark.benchmark(group="one call")
def test_run_one_seed_of_one_epoch(benchmark):
    """At most 0.3 ms."""
    exp = EXPERIMENT.replace(epochs=1, stop=None)
    train(exp, seeds=1)
    assert benchmark(train, exp, seeds=1).seeds.size == 1


TRAINER_CALLS = {
    "train": lambda trainer, params: trainer.train(params).params,
    "loss": lambda trainer, params: trainer.loss(params),
    "gradients": lambda trainer, params: trainer.gradients(params),
    "gradients of own examples": lambda trainer, params: trainer.gradients(params, trainer.X, trainer.y),
    "predict": lambda trainer, params: trainer.predict(params),
}


@pytest.fixture(scope="module")
def trainer():
    compiled = fg.compile(EXPERIMENT.replace(epochs=1, stop=None), specialize=False)
    compiled.X, compiled.y = EXPERIMENT.data.X.copy(), EXPERIMENT.data.y.copy()
    return compiled


@pytest.mark.benchmark(group="one call")
@pytest.mark.parametrize("call", TRAINER_CALLS)
def test_trainer_one_seed(benchmark, trainer, call):
    """One network, and for `train` one epoch: at most 50 us."""
    params = trainer.initial_params([3])
    assert len(benchmark(TRAINER_CALLS[call], trainer, params)) == 1


@pytest.mark.benchmark(group="one call")
def test_trainer_layer_by_layer(benchmark, trainer):
    """Parameters as a list of arrays."""
    params = fg.initial_params(EXPERIMENT, [3])
    assert len(benchmark(trainer.gradients, params)) == 4


@pytest.mark.benchmark(group="run")
def test_trainer_many_seeds(benchmark):
    """As `test_run` without a stop, but for the statistics."""
    compiled = fg.compile(EXPERIMENT.replace(stop=None), specialize=False)
    params = compiled.initial_params(SEEDS)
    assert len(benchmark(compiled.train, params).params) == SEEDS


@pytest.mark.benchmark(group="compile")
def test_compile_again(benchmark):
    """What compiling takes where everything is compiled already."""
    exp = EXPERIMENT.replace(epochs=1, stop=None)
    assert benchmark(fg.compile, exp, specialize=False).n_params == 17


@pytest.mark.benchmark(group="run")
def test_sweep(benchmark):
    axes = {"optimizer.lr": [0.05, 0.1, 0.2, 0.5]}
    train(EXPERIMENT, seeds=1)
    swept = benchmark(fg.sweep, EXPERIMENT, SEEDS // 4, axes, specialize=False, progress=False)
    assert len(swept.rows()) == 4


@pytest.mark.benchmark(group="initial_params")
@by_dtype
def test_initial_params(benchmark, dtype):
    exp = EXPERIMENT.replace(dtype=dtype)
    fg.initial_params(exp, 1)
    assert len(benchmark(fg.initial_params, exp, SEEDS)[0]) == SEEDS


@pytest.mark.benchmark(group="predict")
@by_dtype
def test_predict(benchmark, dtype):
    exp = EXPERIMENT.replace(dtype=dtype)
    params = fg.initial_params(exp, SEEDS)
    fg.predict(exp.network, params, exp.data.X)
    assert benchmark(fg.predict, exp.network, params, exp.data.X).shape == (SEEDS, 4, 1)


@pytest.mark.benchmark(group="streams")
@pytest.mark.parametrize("init", INITS)
@pytest.mark.parametrize("stream", ["numpy", "numpy_legacy"])
def test_stream(benchmark, stream, init):
    """A thousand seeds' parameters, as for the generators of NumPy below."""
    exp = EXPERIMENT.replace(stream=stream, init=INITS[init])
    fg.initial_params(exp, 1)
    assert len(benchmark(fg.initial_params, exp, 1000)[0]) == 1000


@pytest.mark.benchmark(group="streams")
@pytest.mark.parametrize("generator", [np.random.default_rng, np.random.RandomState])
def test_reference_numpy(benchmark, generator):
    """A thousand of NumPy's own generators, which draw 12 uniform numbers each."""
    drawn = benchmark(lambda: [generator(seed).uniform(-1, 1, 12) for seed in range(1000)])
    assert len(drawn) == 1000


@pytest.mark.benchmark(group="summary")
def test_summary(benchmark, result):
    """Anew each time: a result keeps the summaries that it has made."""

    def forget():
        result.__dict__.pop("summaries", None)

    frame = benchmark.pedantic(result.summary, setup=forget, rounds=20, warmup_rounds=1)
    assert frame["n"].tolist() == [SEEDS]


@pytest.mark.benchmark(group="summary")
def test_dataset(benchmark, result):
    def forget():
        result.__dict__.pop("dataset", None)

    made = benchmark.pedantic(lambda: result.dataset, setup=forget, rounds=20, warmup_rounds=1)
    assert made.sizes["seed"] == SEEDS


@pytest.mark.benchmark(group="to_json")
def test_to_json(benchmark):
    assert benchmark(EXPERIMENT.to_json).startswith("{")


@pytest.mark.benchmark(group="to_json")
def test_from_json(benchmark):
    assert benchmark(fg.Experiment.from_json, EXPERIMENT.to_json()) == EXPERIMENT


@pytest.mark.benchmark(group="to_json")
def test_id(benchmark):
    """Of an experiment just made: it keeps its id."""
    name = benchmark.pedantic(lambda exp: exp.id, setup=lambda: ((EXPERIMENT.replace(),), {}), rounds=100)
    assert name == EXPERIMENT.id


@pytest.mark.benchmark(group="replay")
@pytest.mark.parametrize("every", ["epoch", "step"])
def test_replay(benchmark, every):
    """One seed, 1,000 epochs, everything recorded: at most 50 ms."""
    exp = EXPERIMENT.replace(epochs=1000, stop=None)
    fg.replay(exp, 3, every=every)
    trace = benchmark(fg.replay, exp, 3, every=every)
    assert trace.sizes[every] == {"epoch": 1001, "step": 4001}[every]
