"""What a store costs besides training: small configurations that share shards or do not, and what reads them."""

import itertools

import pytest

import fastgrok as fg

EXPERIMENT = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), epochs=10, stop=None)
AXES = {"optimizer.lr": [0.01 * k for k in range(1, 65)]}
SEEDS = 500
SHARDS = {"apart": SEEDS, "shared": 32 * SEEDS}


def sweep(folder, shard_size):
    options = {"shard_size": shard_size, "threads": 1, "specialize": False, "progress": False}
    return fg.sweep(EXPERIMENT, SEEDS, AXES, store=folder, **options)


@pytest.fixture(scope="module", params=SHARDS)
def store(request, tmp_path_factory):
    return sweep(tmp_path_factory.mktemp("stores") / "store", SHARDS[request.param])


@pytest.mark.benchmark(group="sweep into a store")
@pytest.mark.parametrize("shards", SHARDS)
def test_sweep(benchmark, shards, tmp_path):
    numbers = itertools.count()
    swept = benchmark(lambda: sweep(tmp_path / f"{next(numbers)}", SHARDS[shards]))
    assert swept.status().n_shards == {"apart": 64, "shared": 2}[shards]


@pytest.mark.benchmark(group="summary of a store")
def test_summary(benchmark, store):
    assert benchmark(store.summary)["n"].sum() == 64 * SEEDS


@pytest.mark.benchmark(group="dataset of one configuration of a store")
def test_dataset(benchmark, store):
    assert benchmark(store.dataset, 40).sizes["seed"] == SEEDS


@pytest.mark.benchmark(group="content hash of a store")
def test_content_hash(benchmark, store):
    assert len(benchmark(store.content_hash)) == 64
