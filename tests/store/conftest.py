"""The same sweep, in a store and in memory."""

import pytest
from swept import AXES, XOR, swept

import fastgrok as fg
from fastgrok.store import Store


@pytest.fixture(scope="package")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return swept(tmp_path_factory.mktemp("stores") / "grid", shard_size=20)


@pytest.fixture(scope="package")
def result() -> fg.Result:
    return fg.sweep(XOR, 50, AXES, progress=False)
