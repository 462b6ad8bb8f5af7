"""What `fg.compile` gives: the numbers of `run`, `replay` and `predict`, for arrays, from any number of threads."""

import contextlib
import os
import pickle
import signal
import tempfile
import threading
from typing import Any

import naive
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from registry import ALIKE, LOSSES, ONCE, OPTIMIZERS, ORDERED, REDUCTIONS, experiment
from samples import one_line

import fastgrok as fg
from fastgrok.engine import calls, left, notices
from fastgrok.errors import InvalidExperiment
from fastgrok.kernels.jit import Kernel

XOR = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), epochs=60, stop=None)
OWN_X = np.array([[0.5, -1.0, 2.0], [1.5, 0.25, -0.5]])
OWN_Y = dict.fromkeys(LOSSES, np.array([[0.25, 1.0], [0.0, 0.75]])) | {
    "cross_entropy": np.array([[0.25, 0.75], [0.0, 1.0]])  # probabilities
}
HELD_OUT = fg.Dataset([[0.5, 0.5], [1, 0.25]], [0, 1])
REGIMES: dict[str, dict[str, Any]] = {
    "converged": {"stop": fg.Converged(loss=0.05)},
    "keep_training": {"stop": fg.Converged(max_error=0.4, keep_training=True), "check_every": 7},
    "schedule": {"optimizer": fg.SGD(0.1, schedule=fg.ExponentialLR(0.99))},
    "validation": {"validation": HELD_OUT},
    "early_stopping": {"validation": HELD_OUT, "stop": fg.EarlyStopping(patience=3)},
    "training_loss": {"stop": fg.EarlyStopping(patience=2, tol=3e-3, monitor="training"), "batch_size": 2},
    "restart": {"stop": fg.Converged(loss=0.02), "restart": fg.Restart(20)},
    "restart_at_most": {"stop": fg.Converged(loss=0.02), "restart": fg.Restart(7, at_most=2), "order": "shared"},
    "legacy": {"order": "per_seed", "stream": "numpy_legacy"},
    "function": {"order": "per_seed", "init": lambda rng, fan_in, fan_out: rng.uniform(-1, 1, (fan_in, fan_out))},
    "no_epochs": {"epochs": 0},
}


def make(exp: fg.Experiment, **options: Any) -> fg.Trainer:
    return fg.compile(exp, **{"specialize": False} | options)


@pytest.fixture(scope="module")
def trainer() -> fg.Trainer:
    return make(XOR)


def assert_trains_as_run(exp: fg.Experiment, seeds: Any = 40, **options: Any) -> None:
    """Compare a trainer with `run`, in every bit."""
    trainer = make(exp, **options)
    params = trainer.initial_params(seeds)
    names = None if exp.order != "per_seed" and exp.restart is None else seeds
    trained = trainer.train(params, seeds=names)
    result = fg.run(exp, names, params=trainer.unflatten(params), keep_params=True, specialize=False, progress=False)
    np.testing.assert_array_equal(trained.params, trainer.flatten(result.params))
    np.testing.assert_array_equal(trained.epochs_run, result.dataset.epochs_run)
    np.testing.assert_array_equal(trained.epochs_to_converge, result.dataset.epochs_to_converge)
    np.testing.assert_array_equal(trainer.loss(trained.params).astype(float), result.dataset.loss_final)
    np.testing.assert_array_equal(trainer.loss(params).astype(float), fg.run(
        exp.replace(epochs=0, restart=None), params=trainer.unflatten(params), progress=False
    ).dataset.loss_final)  # fmt: skip


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("regime", REGIMES)
def test_a_trainer_trains_as_run_does(regime, dtype):
    assert_trains_as_run(XOR.replace(dtype=dtype, **REGIMES[regime]))


@pytest.mark.parametrize(("optimizer", "batch_size", "order"), ORDERED)
def test_every_optimizer_trains_as_in_run(optimizer, batch_size, order):
    exp = experiment("relu", optimizer=OPTIMIZERS[optimizer], batch_size=batch_size, order=order)
    assert_trains_as_run(exp, seeds=[5, 2, 2**40])


@pytest.mark.parametrize("fields", [{}, REGIMES["converged"], {"optimizer": fg.Adam(0.01), "batch_size": "full"}])
def test_the_specialised_driver_gives_the_same(fields):
    assert_trains_as_run(XOR.replace(**fields), specialize=True)


@pytest.mark.parametrize(("network", "loss"), [(name, loss) for name, loss in ONCE if name not in ALIKE])
def test_losses_and_gradients_are_the_twins(network, loss):
    exp = experiment(network, loss=loss)
    trainer = make(exp)
    params = trainer.initial_params([5, 6])
    own = (OWN_X, OWN_Y[loss])
    for X, y, examples in ((*naive.examples(exp), ()), (*own, own)):
        losses, gradients = trainer.loss_and_gradients(params, *examples)
        for row, one in enumerate(params):
            arrays = trainer.unflatten(one)
            values = naive.forward(exp.network, arrays, X)
            np.testing.assert_allclose(losses[row], naive.example_losses(loss, values, y).mean(), rtol=1e-12)
            expected = [g / len(X) for g in naive.gradients(exp, arrays, X, y)]
            flat = trainer.flatten(expected)
            np.testing.assert_allclose(gradients[row], flat, rtol=1e-11, atol=1e-12 * np.abs(flat).max())


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("network", ["mixed", "sigmoid_output", "depth_5", "some_biases"])
def test_gradients_are_central_differences(network, loss):
    trainer, h = make(experiment(network, loss=loss)), 2.0**-18
    params = trainer.initial_params([5])[0]
    moves = h * np.eye(params.size)
    for examples in ((), (OWN_X, OWN_Y[loss])):
        differences = (trainer.loss(params + moves, *examples) - trainer.loss(params - moves, *examples)) / (2 * h)
        np.testing.assert_allclose(trainer.gradients(params, *examples), differences, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_gradients_are_those_of_a_replay_and_predictions_those_of_predict(reduction, dtype):
    exp = experiment("mixed", dtype=dtype, reduction=reduction, optimizer=fg.SGD(0.1, weight_decay=0.1, clip_norm=1))
    trainer, seeds = make(exp), [3, 1, 4]
    params = trainer.initial_params(seeds)
    trace = fg.replay(exp, seeds).isel(epoch=0)
    names = [f"gradient_{kind}_{k}" for k in range(1, 5) for kind in ("weight", "bias")]
    for gradient, name in zip(trainer.unflatten(trainer.gradients(params)), names, strict=True):
        np.testing.assert_array_equal(gradient, trace[name])
    np.testing.assert_array_equal(trainer.loss(params).astype(float), trace["loss"])
    outputs = fg.predict(exp.network, trainer.unflatten(params), OWN_X)
    np.testing.assert_array_equal(trainer.predict(params, OWN_X), outputs)
    np.testing.assert_array_equal(trainer.predict(params), fg.predict(
        exp.network, trainer.unflatten(params), exp.data.X
    ))  # fmt: skip


def test_own_examples_that_are_those_of_the_experiment_give_its_loss(trainer):
    params = trainer.initial_params(5)
    own = (XOR.data.X, XOR.data.y)
    for ours, theirs in zip(
        trainer.loss_and_gradients(params, *own), trainer.loss_and_gradients(params), strict=True
    ):
        np.testing.assert_array_equal(ours, theirs)
    np.testing.assert_array_equal(trainer.loss(params, XOR.data.X, XOR.data.y[:, 0]), trainer.loss(params))


PLAIN, MOMENTUM = {}, {"optimizer": fg.SGD(0.1, momentum=0.5)}


@pytest.mark.parametrize(
    ("fields", "specialize"),
    [
        *((PLAIN, False), (PLAIN, True), (MOMENTUM, False), (MOMENTUM, True), ({"dtype": "float32"}, False)),
        *(({"batch_size": 3}, False), ({"reduction": "sum", "batch_size": 3}, False)),
        *(({"loss": "squared_error"}, False), ({"optimizer": fg.Adam(0.1), "batch_size": "full"}, False)),
    ],
)
def test_epochs_and_lr_may_be_others_in_each_call(fields, specialize):
    exp = XOR.replace(**fields)
    trainer = make(exp, specialize=specialize)
    params = trainer.initial_params(5)
    for epochs, lr in ((0, None), (7, None), (200, 0.03), (None, 0.5)):
        changed = exp.replace(epochs=exp.epochs if epochs is None else epochs)
        changed = changed if lr is None else changed.replace_at("optimizer.lr", lr)
        expected = make(changed).train(params)
        for ours, theirs in zip(trainer.train(params, epochs=epochs, lr=lr), expected, strict=True):
            np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("at_most", [None, 3, 60])
def test_more_epochs_leave_room_for_more_restarts(at_most):
    fields = {"stop": fg.Converged(loss=1e-9), "restart": fg.Restart(20, at_most=at_most), "epochs": 60}
    exp = XOR.replace(**fields)
    params = make(exp).initial_params(5)
    ours = make(exp).train(params, epochs=150)
    theirs = make(exp.replace(epochs=150)).train(params)
    np.testing.assert_array_equal(ours.params, theirs.params)


def test_a_schedule_is_followed_from_its_beginning_and_not_beyond_its_end():
    exp = XOR.replace(optimizer=fg.SGD(0.1, schedule=fg.StepLR(10, gamma=0.5)))
    trainer = make(exp)
    params = trainer.initial_params(5)
    expected = make(exp.replace(epochs=30)).train(params)
    np.testing.assert_array_equal(trainer.train(params, epochs=30).params, expected.params)
    with pytest.raises(InvalidExperiment, match="those of the schedule"):
        trainer.train(params, epochs=61)
    with pytest.raises(InvalidExperiment, match="the optimizer has a schedule"):
        trainer.train(params, lr=0.1)


def test_each_call_begins_without_momentum():
    trainer = make(XOR.replace(optimizer=fg.Adam(0.05)))
    params = trainer.initial_params(3)
    trainer.train(params + 1)
    np.testing.assert_array_equal(trainer.train(params).params, make(trainer.experiment).train(params).params)


def test_what_comes_back_has_the_form_of_what_was_given(trainer):
    many = trainer.initial_params([3, 4])
    one = many[0]
    lists, alone = trainer.unflatten(many), trainer.unflatten(one)
    assert [a.shape for a in lists] == [(2, 2, 4), (2, 4), (2, 4, 1), (2, 1)]
    assert [a.shape for a in alone] == [(2, 4), (4,), (4, 1), (1,)]
    for method in (lambda p: trainer.train(p).params, trainer.gradients):
        expected = method(many)
        assert expected.shape == (2, 17)
        np.testing.assert_array_equal(method(one), expected[0])
        np.testing.assert_array_equal(trainer.flatten(method(lists)), expected)
        np.testing.assert_array_equal(trainer.flatten(method(alone)), expected[0])
        assert [a.shape for a in method(alone)] == [(2, 4), (4,), (4, 1), (1,)]
    assert trainer.loss(many).shape == (2,)
    assert np.ndim(trainer.loss(one)) == 0 == np.ndim(trainer.loss(alone))
    assert trainer.predict(many).shape == (2, 4, 1)
    assert trainer.predict(one).shape == (4, 1) == trainer.predict(alone).shape
    assert np.ndim(trainer.train(one).epochs_run) == 0
    assert trainer.train(many).epochs_to_converge.tolist() == [-1, -1]
    assert trainer.loss(one.tolist()) == trainer.loss(one)


def test_parameters_are_laid_out_layer_by_layer_and_unflatten_is_a_view(trainer):
    flat = np.arange(17.0)
    w1, b1, w2, b2 = trainer.unflatten(flat)
    assert w1.tolist() == [[0, 1, 2, 3], [4, 5, 6, 7]]
    assert b1.tolist() == [8, 9, 10, 11]
    assert w2.tolist() == [[12], [13], [14], [15]]
    b2[0] = 99
    assert flat[16] == 99
    assert trainer.flatten(flat) is not None
    assert np.shares_memory(trainer.flatten(flat), flat)


def test_arguments_are_never_written_but_out(trainer):
    params = trainer.initial_params(70)
    X, y = XOR.data.X.copy(), XOR.data.y.copy()
    for array in (params, X, y):
        array.flags.writeable = False
    expected, out = trainer.train(params).params, np.empty_like(params)
    assert trainer.train(params, out=out).params is out
    np.testing.assert_array_equal(out, expected)
    assert trainer.gradients(params, X, y, out=out) is out
    np.testing.assert_array_equal(out, trainer.gradients(params))
    outputs = np.empty((70, 4, 1))
    assert trainer.predict(params, X, out=outputs) is outputs
    np.testing.assert_array_equal(outputs, trainer.predict(params))
    for n in (1, 70):
        own = params[:n].copy()
        trainer.train(own, out=own)
        np.testing.assert_array_equal(own, expected[:n])
        own = params[:n].copy()
        trainer.gradients(own, out=own)
        np.testing.assert_array_equal(own, trainer.gradients(params[:n]))


def in_file(values: np.ndarray) -> np.memmap:
    """Return the values in a file."""
    with tempfile.TemporaryFile() as file:
        array = np.memmap(file, values.dtype, shape=values.shape)
    array[...] = values
    return array


class Own(np.ndarray):
    """Arrays of a class of the caller's own."""


@pytest.mark.parametrize("convert", [in_file, lambda values: values.view(Own), np.ma.array])
def test_arrays_of_other_classes_are_read_and_written_as_any(trainer, convert):
    plain, X, y = trainer.initial_params(5), XOR.data.X, XOR.data.y
    params = convert(plain)
    calls = {
        "train": (lambda params, **out: trainer.train(params, **out).params, plain.shape),
        "gradients": (lambda params, **out: trainer.gradients(params, convert(X), convert(y), **out), plain.shape),
        "predict": (lambda params, **out: trainer.predict(params, convert(X), **out), (5, 4, 1)),
    }
    for name, (call, shape) in calls.items():
        expected, out = call(plain), convert(np.zeros(shape))
        assert type(call(params)) is np.ndarray, name
        np.testing.assert_array_equal(call(params), expected, err_msg=name)
        assert call(params, out=out) is out, name
        np.testing.assert_array_equal(out, expected, err_msg=name)
    own = convert(plain.copy())
    trainer.train(own[0], out=own[0])
    np.testing.assert_array_equal(own[0], trainer.train(plain[0]).params)


def test_masked_entries_are_refused(trainer):
    params = trainer.initial_params(5)
    masked, before = np.ma.array(params, mask=params > 0), params.copy()
    for call, field in {
        lambda: trainer.train(masked): "params",
        lambda: trainer.predict(params, np.ma.array(XOR.data.X, mask=True)): "X",
        lambda: trainer.train(params, out=masked): "out",
    }.items():
        with pytest.raises(InvalidExperiment, match=f"^{field}"):
            call()
    np.testing.assert_array_equal(params, before)


def test_out_that_overlaps_params_is_written_as_if_it_did_not(trainer):
    memory = np.concatenate([trainer.initial_params(70), np.zeros((1, 17))])
    expected = trainer.gradients(memory[:70].copy()), trainer.train(memory[:70].copy()).params
    shifted = memory.copy()
    trainer.gradients(shifted[:70], out=shifted[1:])
    np.testing.assert_array_equal(shifted[1:], expected[0])
    shifted = memory.copy()
    trainer.train(shifted[:70], out=shifted[1:])
    np.testing.assert_array_equal(shifted[1:], expected[1])


@pytest.mark.parametrize(
    "convert",
    [
        *(lambda p: p.astype(np.float32), lambda p: p.astype(">f8"), lambda p: np.round(p).astype(int)),
        *(np.asfortranarray, lambda p: p[::-1], lambda p: p[::2], lambda p: p[:0:-1, :]),
    ],
)
def test_other_numbers_are_rounded_and_other_layouts_copied(trainer, convert):
    given_ = convert(trainer.initial_params(5))
    plain = np.array(given_, np.float64, order="C")
    np.testing.assert_array_equal(trainer.train(given_).params, trainer.train(plain).params)
    np.testing.assert_array_equal(trainer.gradients(given_), trainer.gradients(plain))
    assert trainer.predict(given_).dtype == np.float64


def test_an_unaligned_array_is_copied(trainer):
    params = trainer.initial_params(3)
    raw = np.zeros(params.nbytes + 1, np.uint8)
    unaligned = raw[1:].view(np.float64).reshape(params.shape)
    unaligned[:] = params
    np.testing.assert_array_equal(trainer.loss(unaligned), trainer.loss(params))
    with pytest.raises(InvalidExperiment, match="out"):
        trainer.gradients(params, out=unaligned)


def test_single_precision_gives_single_precision():
    trainer = make(XOR.replace(dtype="float32"))
    params = trainer.initial_params(2)
    assert params.dtype == trainer.dtype == np.float32
    for value in (
        trainer.train(params).params,
        trainer.gradients(params),
        trainer.loss(params),
        trainer.predict(params),
    ):
        assert value.dtype == np.float32
    np.testing.assert_array_equal(trainer.loss(params.astype(np.float64)), trainer.loss(params))
    assert np.isinf(trainer.flatten([np.full(shape, 1e300) for shape in XOR.network.param_shapes])).all()


def test_numbers_that_are_not_finite_are_no_error(trainer):
    params = trainer.initial_params(3)
    params[1, 0] = np.nan
    params[2, 16] = np.inf
    assert np.isfinite(trainer.loss(params)).tolist() == [True, False, False]
    assert np.isnan(trainer.gradients(params)[1]).any()
    np.testing.assert_array_equal(trainer.loss(params)[0], trainer.loss(params[0]))
    assert np.isnan(trainer.train([np.full(s, np.nan) for s in XOR.network.param_shapes]).params[0]).all()


PARAMS = np.zeros((2, 17))
LIST = [np.zeros(shape) for shape in XOR.network.param_shapes]


@pytest.mark.parametrize(
    ("call", "field"),
    [
        *((lambda t, p=p: t.train(p), "params") for p in (3, "params", None, PARAMS[:, :16], PARAMS[:0])),
        *((lambda t, p=p: t.train(p), "params") for p in (PARAMS[None], np.zeros(34), object())),
        *((lambda t, p=p: t.loss(p), "params") for p in (PARAMS.astype(str), PARAMS * 1j, PARAMS > 0, LIST[:3], [])),
        (lambda t: t.gradients([*LIST[:3], np.zeros(2)]), r"params\[3\]"),
        *((lambda t, X=X: t.predict(PARAMS, X), "X") for X in ([0, 1], [[0, 1, 2]], [["a", "b"]], [[1], [2, 3]], [])),
        (lambda t: t.loss(PARAMS, XOR.data.X), "y"),
        (lambda t: t.loss(PARAMS, None, XOR.data.y), "X"),
        *((lambda t, y=y: t.loss(PARAMS, XOR.data.X, y), "y") for y in ([1, 2], np.zeros((4, 2)), "y", np.zeros(()))),
        *((lambda t, out=out: t.gradients(PARAMS, out=out), "out") for out in (
            3, PARAMS[:1].copy(), PARAMS.astype(np.float32), np.zeros((17, 2)).T, np.zeros(34), LIST,
        )),
        (lambda t: t.train(LIST, out=np.zeros(17)), "out"),
        (lambda t: t.train(PARAMS, out=np.broadcast_to(0.0, (2, 17))), "out"),
        (lambda t: t.predict(PARAMS, out=np.zeros((2, 4))), "out"),
        *((lambda t, e=e: t.train(PARAMS, epochs=e), "epochs") for e in (-1, 1.0, True, "1", 10**10)),
        *((lambda t, lr=lr: t.train(PARAMS, lr=lr), "lr") for lr in (0, -1, np.inf, np.nan, "0.1", True, 1j)),
        *((lambda t, s=s: t.train(PARAMS, seeds=s), "seeds") for s in (3, [1], [1, -1], "12")),
        (lambda t: t.initial_params(0), "seeds"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_with_its_name(trainer, call, field):
    with pytest.raises(InvalidExperiment, match=field) as caught:
        call(trainer)
    assert len(str(caught.value).splitlines()) == 1


def test_nothing_is_written_where_an_argument_is_refused(trainer):
    out = np.full((2, 17), 7.0)
    for call in (
        lambda: trainer.train(PARAMS, epochs=-1, out=out),
        lambda: trainer.train(PARAMS, seeds=[1], out=out),
        lambda: trainer.gradients(PARAMS, XOR.data.X, [1], out=out),
    ):
        with pytest.raises(InvalidExperiment):
            call()
    assert (out == 7).all()


def test_targets_of_cross_entropy_are_probabilities():
    trainer = make(XOR.replace(network=fg.mlp(2, 4, 1, output="sigmoid"), loss="binary_cross_entropy"))
    assert trainer.loss(np.zeros(17), [[0, 1]], [0.5]) == np.log(2)
    for y in ([1.5], [-0.1]):
        with pytest.raises(InvalidExperiment, match="from 0 to 1"):
            trainer.loss(np.zeros(17), [[0, 1]], y)


@pytest.mark.parametrize(("fields", "field"), [
    ({"specialize": 1}, "specialize"), ({"threads": 0}, "threads"), ({"threads": True}, "threads"),
])  # fmt: skip
def test_what_compile_is_called_with_is_checked(fields, field):
    with pytest.raises(InvalidExperiment, match=field):
        fg.compile(XOR, **fields)
    with pytest.raises(InvalidExperiment, match="experiment"):
        fg.compile(XOR.network)  # type: ignore[arg-type]


@pytest.mark.parametrize("threads", [1, 3])
def test_work_that_is_divided_among_threads_has_the_same_bits(monkeypatch, threads):
    exp = XOR.replace(order="per_seed", stop=fg.Converged(loss=0.05))
    whole = make(exp)
    params = whole.initial_params(1000)
    seeds = range(5, 1005)
    expected = [*whole.train(params, seeds=seeds), *whole.loss_and_gradients(params), whole.predict(params)]
    monkeypatch.setattr(calls, "_AT_ONCE_FLOPS", 0.0)
    divided, workers = make(exp, threads=threads), set()
    rows = calls.Calls._train_rows

    def watched(self, *args):
        workers.add(threading.current_thread())
        return rows(self, *args)

    monkeypatch.setattr(calls.Calls, "_train_rows", watched)
    parts = [*divided.train(params, seeds=seeds), *divided.loss_and_gradients(params), divided.predict(params)]
    for part, all_rows in zip(parts, expected, strict=True):
        np.testing.assert_array_equal(part, all_rows)
    assert 1 <= len(workers) <= threads
    assert threading.main_thread() not in workers


def test_calls_from_several_threads_at_once_are_right(trainer):
    params = trainer.initial_params(64)
    expected = [trainer.train(row).params for row in params], trainer.gradients(params)
    wrong = []

    def work(first: int) -> None:
        for k in range(first, 64, 4):
            right = np.array_equal(trainer.train(params[k]).params, expected[0][k])
            right &= np.array_equal(trainer.gradients(params[k]), expected[1][k])
            right &= np.array_equal(trainer.predict(params[k : k + 2], [[0, 1]])[:, 0, 0].shape, [min(2, 64 - k)])
            if not right:
                wrong.append(k)

    workers = [threading.Thread(target=work, args=[first]) for first in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert not wrong


def test_ctrl_c_in_much_work_is_raised_and_the_trainer_still_works(trainer, monkeypatch):
    params = trainer.initial_params(100)
    expected = trainer.train(params).params
    monkeypatch.setattr(calls, "in_threads", lambda *args, cancel, **_: cancel() is None)
    monkeypatch.setattr(calls, "_AT_ONCE_FLOPS", 0.0)
    with pytest.raises(KeyboardInterrupt):
        trainer.train(params)
    monkeypatch.undo()
    np.testing.assert_array_equal(trainer.train(params).params, expected)


@pytest.mark.usefixtures("sigint")
@pytest.mark.parametrize("threads", [None, 1])
def test_ctrl_c_ends_a_call_that_takes_long(threads):
    trainer = make(XOR.replace(epochs=3 * 10**7), threads=threads)
    params = trainer.initial_params(1)
    timer = threading.Timer(0.5, os.kill, [os.getpid(), signal.SIGINT])
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        trainer.train(params)
    np.testing.assert_array_equal(trainer.train(params, epochs=60).params, make(XOR).train(params).params)


@pytest.mark.usefixtures("sigint")
def test_ctrl_c_ends_a_prediction_of_many_examples():
    trainer = make(XOR.replace(network=fg.mlp(2, 64, 64, 1)))
    params, X, out = trainer.initial_params(1)[0], np.ones((2_000_000, 2)), np.full((2_000_000, 1), np.nan)
    threading.Timer(0.2, os.kill, [os.getpid(), signal.SIGINT]).start()
    with pytest.raises(KeyboardInterrupt):
        trainer.predict(params, X, out=out)
    assert np.isnan(out[-1])  # the kernel has not come so far


def test_a_wide_network_gives_the_same_for_one_as_for_many():
    exp = fg.Experiment(fg.mlp(2, 300, 300, 1), fg.datasets.xor(), epochs=1, stop=None)
    trainer = make(exp)
    assert trainer._has_few
    params = trainer.initial_params(64)
    many = trainer.train(params).params, trainer.gradients(params)
    np.testing.assert_array_equal(trainer.train(params[3]).params, many[0][3])
    np.testing.assert_array_equal(trainer.gradients(params[3]), many[1][3])


def test_a_trainer_can_be_pickled(trainer):
    again = pickle.loads(pickle.dumps(trainer))
    assert again.experiment == trainer.experiment
    params = trainer.initial_params(3)
    np.testing.assert_array_equal(again.train(params).params, trainer.train(params).params)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 20) | st.floats() | st.text(max_size=3)
    | st.sampled_from([PARAMS, PARAMS[0], LIST, XOR.data.X, XOR.data.y, np.zeros(0), np.array("a"), object()]),
    lambda inner: st.lists(inner, max_size=4),
    max_leaves=4,
)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(ANYTHING, ANYTHING, ANYTHING)
def test_whatever_is_thrown_at_a_trainer_gives_numbers_or_says_why(params, X, y):
    trainer = make(XOR)
    for call in (lambda: trainer.loss(params, X, y), lambda: trainer.predict(params, X), lambda: trainer.train(
        params, epochs=1, seeds=X, out=y
    )):  # fmt: skip
        try:
            call()
        except InvalidExperiment as error:
            one_line(error)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_trainer_works_after_a_fork(monkeypatch):
    """Its threads stay behind, and the child makes new ones."""
    monkeypatch.setattr(calls, "_AT_ONCE_FLOPS", 0.0)
    trainer = make(XOR, threads=2)
    params = trainer.initial_params(100)
    expected = trainer.train(params).params
    child = os.fork()
    if not child:
        try:
            os._exit(not np.array_equal(trainer.train(params).params, expected))
        finally:
            os._exit(2)
    assert os.waitpid(child, 0)[1] == 0


def test_while_kernels_are_compiled_progress_bars_say_so(monkeypatch, tmp_path):
    shown = []

    @contextlib.contextmanager
    def compiling(what):
        shown.append(what)
        yield

    monkeypatch.setattr(notices, "compiling", compiling)
    monkeypatch.setattr(Kernel, "is_cached", lambda kernel: False)
    make(XOR)
    assert shown == ["the general driver, float64", "losses and gradients, float64", "predictions, float64"]
    monkeypatch.undo()
    make(XOR)
    assert len(shown) == 3


def test_the_general_driver_that_a_diverging_network_needs_is_said_to_be_compiled(monkeypatch):
    said = []

    def announced(what, *kernels):
        said.append(what)
        return contextlib.nullcontext()

    monkeypatch.setattr(left, "announced", announced)
    trainer = make(XOR, specialize=True)
    trainer.train(np.ones(17))
    assert said == []
    trainer.train(np.full(17, 1e300))
    assert said == ["the general driver, float64"]
