"""Experiments that differ in their optimizers alone are trained together, to the bits of each alone."""

from typing import Any

import numpy as np
import pytest

import fastgrok as fg
from fastgrok.engine import alike, choice
from fastgrok.engine.alike import train_each
from fastgrok.engine.arguments import ExecutionOptions
from fastgrok.engine.kernel_params import n_state
from fastgrok.engine.program import Program
from fastgrok.engine.training import train
from fastgrok.kernels.jit import Kernel
from fastgrok.spec.recording import Recording

XOR = fg.datasets.xor()
EXP = fg.Experiment(fg.mlp(2, 3, 1), XOR, epochs=40, init=fg.Uniform(-2, 2), optimizer=fg.SGD(0.1))
SEEDS = np.array([3, 0, 5, 1, 4, 2**40, 7], np.uint64)
RATES = [0.01, 0.3, 3.0, 40.0]  # the last of which diverges
REGIMES: dict[str, dict[str, Any]] = {
    "per example": {},
    "momentum": {"optimizer": fg.SGD(0.1, momentum=0.9, nesterov=True)},
    "Adam, mini-batches": {"optimizer": fg.Adam(0.05), "batch_size": 3},
    "decay, clipped": {"optimizer": fg.SGD(0.1, weight_decay=0.01, l1=0.001, clip_norm=1.0), "batch_size": "full"},
    "schedule": {"optimizer": fg.SGD(0.1, schedule=fg.StepLR(10))},
    "order of each seed": {"order": "per_seed", "dtype": "float32"},
    "shared order": {"order": "shared", "stream": "numpy_legacy"},
    "stops": {"stop": fg.Converged(loss=0.1)},
    "restarts": {"stop": fg.Converged(loss=0.1), "restart": fg.Restart(7), "order": "per_seed"},
    "early": {"validation": XOR, "stop": fg.EarlyStopping(patience=3, restore_best=True), "check_every": 2},
    "training loss": {"stop": fg.EarlyStopping(3, tol=1e-3, monitor="training")},
    "no epoch": {"epochs": 0},
    "function": {"init": fg.FromFunction(lambda rng, *fans: rng.normal(size=fans))},
}


def count(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list of how many experiments each training together has."""
    found: list[int] = []
    together = Program.train_alike

    def counted(self: Program, others: Any, *args: Any) -> Any:
        found.append(1 + len(others))
        return together(self, others, *args)

    monkeypatch.setattr(Program, "train_alike", counted)
    return found


def assert_as_alone(experiments: list[fg.Experiment], specialize: bool | None = False, **kept: Any) -> None:
    kept = {"keep_params": True, "recording": Recording(), **kept}
    outputs = list(train_each(experiments, SEEDS, ExecutionOptions(threads=1, specialize=specialize), **kept))
    assert len(outputs) == len(experiments)
    for experiment, output in zip(experiments, outputs, strict=True):
        alone = train(experiment, SEEDS, ExecutionOptions(threads=1, specialize=False), **kept)
        assert output.metrics.keys() == alone.metrics.keys()
        for name, values in alone.metrics.items():
            assert output.metrics[name].dtype == values.dtype
            np.testing.assert_array_equal(output.metrics[name], values, err_msg=name)
        assert (output.params is None) == (alone.params is None)
        if alone.params is not None:
            assert np.ascontiguousarray(output.params).tobytes() == alone.params.tobytes()
        assert output.drivers.keys() == alone.drivers.keys() or specialize is not False
        assert sum(output.drivers.values()) == len(SEEDS)


@pytest.mark.parametrize("regime", REGIMES)
def test_bits_are_those_of_each_alone(regime: str, monkeypatch: pytest.MonkeyPatch) -> None:
    together = count(monkeypatch)
    experiment = EXP.replace(**REGIMES[regime])
    assert_as_alone([experiment.replace_at("optimizer.lr", rate) for rate in RATES])
    assert together == [4]


def test_what_is_recorded_is_that_of_each_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    together = count(monkeypatch)
    experiments = [EXP.replace_at("optimizer.lr", rate) for rate in RATES]
    assert_as_alone(experiments, recording=Recording(at=(0, 1, 7, 40), dead_units=True), keep_params=False)
    assert together == [4]


def test_a_specialised_driver_is_shared_too(monkeypatch: pytest.MonkeyPatch) -> None:
    together = count(monkeypatch)
    assert_as_alone([EXP.replace_at("optimizer.lr", rate) for rate in RATES], specialize=True)
    assert together == [4]


def test_experiments_that_differ_otherwise_are_not_trained_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither by another field, nor by an optimizer for which other code is compiled or more is remembered."""
    together = count(monkeypatch)
    slow, fast = EXP, EXP.replace_at("optimizer.lr", 0.3)
    others = [
        EXP.replace(epochs=30),
        EXP.replace(init=fg.HeNormal()),
        EXP.replace(network=fg.mlp(2, 2, 1)),
        EXP.replace(data=fg.datasets.and_()),
        EXP.replace(optimizer=fg.SGD(0.1, momentum=0.9)),
        EXP.replace(optimizer=fg.SGD(0.1, weight_decay=0.1)),
        EXP.replace(optimizer=fg.Adam(0.1)),
        EXP.replace(dtype="float32"),
    ]
    experiments = [each for other in others for each in (slow, fast, other)]
    assert_as_alone(experiments)
    assert together == [2] * len(others)


def test_what_is_trained_together_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    together = count(monkeypatch)
    row = alike.chunk_row_bytes(EXP, Recording())
    monkeypatch.setattr(alike, "CHUNK_BYTES", 3 * row * len(SEEDS))
    assert_as_alone([EXP.replace_at("optimizer.lr", 0.1 * k) for k in range(1, 8)])
    assert together == [3, 3]


OPTIMIZERS = [
    fg.SGD(0.1),
    fg.SGD(0.2),
    fg.SGD(0.1, momentum=0.9),
    fg.SGD(0.1, momentum=0.5, nesterov=True),
    fg.SGD(0.1, weight_decay=0.01),
    fg.SGD(0.1, l1=0.01),
    fg.SGD(0.1, clip_norm=1.0),
    fg.SGD(0.1, schedule=fg.StepLR(10)),
    fg.SGD(0.2, schedule=fg.StepLR(5)),
    fg.Adam(0.05),
    fg.Adam(0.05, beta1=0.5, eps=1e-6),
]


@pytest.mark.parametrize("batch_size", [1, 3])
@pytest.mark.parametrize("specialize", [False, True])
@pytest.mark.parametrize("first", OPTIMIZERS)
def test_those_with_one_driver_are_alike_and_read_what_they_would_read_alone(
    first: fg.SGD | fg.Adam, specialize: bool, batch_size: int
) -> None:
    experiments = [EXP.replace(optimizer=each, batch_size=batch_size) for each in [first, *OPTIMIZERS]]
    of_first, *others = [Program(each, specialize=specialize, lanes=4, n_seeds=7) for each in experiments]
    for alone in others:
        found, whole = of_first.alike(alone.experiment), alone._kernel_params
        same_state = n_state(alone.experiment) == n_state(of_first.experiment)
        assert (found is not None) == (alone.driver is of_first.driver and same_state)
        assert found is None or repr(found._kernel_params) == repr(whole)


def test_where_the_specialised_driver_cannot_be_compiled_the_general_one_trains_all(monkeypatch):
    compile_driver, together, trained = Program.compile_driver, Program.train_alike, []

    def refuse(self: Program, memory: Any = None) -> None:
        if self.specialize:
            raise RuntimeError("LLVM said no")
        compile_driver(self, memory)

    def watched(self: Program, others: Any, *args: Any) -> Any:
        trained.append([each.specialize for each in (self, *others)])
        return together(self, others, *args)

    monkeypatch.setattr(Program, "compile_driver", refuse)
    monkeypatch.setattr(Program, "train_alike", watched)
    monkeypatch.setattr(Kernel, "is_loaded", False)
    monkeypatch.setattr(choice, "_failed", set())
    monkeypatch.setattr(choice.Choice, "_begins_specialised", lambda self: True)
    with pytest.warns(RuntimeWarning, match="LLVM said no") as warned:
        assert_as_alone([EXP.replace(optimizer=fg.SGD(rate)) for rate in RATES], specialize=None)
    assert len(warned) == 1
    assert trained == [[False] * len(RATES)]
