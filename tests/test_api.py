"""The front door: arguments of run, sweep, initial_params and predict, and the result that they give."""

import itertools
import re
from collections.abc import Callable
from typing import Any

import naive
import numpy as np
import pytest
import registry
from hypothesis import given, settings
from hypothesis import strategies as st

import fastgrok as fg
from fastgrok import api
from fastgrok.engine import training
from fastgrok.errors import InvalidExperiment
from fastgrok.spec.losses import any_loss
from fastgrok.spec.variables import NEVER, Outcome

NET = fg.mlp(2, 4, 1)
EXP = fg.Experiment(NET, fg.datasets.xor(), epochs=60)
LEGACY = EXP.replace(stream="numpy_legacy")


def one_line(error: InvalidExperiment) -> None:
    """Check that an error is one line."""
    assert len(str(error).splitlines()) == 1


def test_run_sweep_and_the_rest_are_public_whatever_was_imported_first() -> None:
    assert fg.run is api.run
    assert fg.sweep is api.sweep
    assert fg.initial_params is api.initial_params
    assert fg.predict is api.predict


def test_a_run_that_would_not_fit_into_memory_is_refused() -> None:
    with pytest.raises(InvalidExperiment, match=r": [\d,]+ GB do not fit into [\d.,]+ GB of memory"):
        fg.run(EXP, 10**12)
    with pytest.raises(InvalidExperiment, match="GB of memory"):
        fg.initial_params(EXP, 10**12)


def test_something_to_start_from_is_needed() -> None:
    with pytest.raises(InvalidExperiment, match="seeds"):
        fg.run(EXP)
    with pytest.raises(InvalidExperiment, match="an Experiment"):
        fg.run("xor", 3)  # type: ignore[arg-type]


def test_initial_params_are_numpys() -> None:
    arrays = fg.initial_params(EXP, [3, 2**64 - 1])
    assert [array.shape for array in arrays] == [(2, 2, 4), (2, 4), (2, 4, 1), (2, 1)]
    rng = np.random.default_rng(2**64 - 1)
    np.testing.assert_array_equal(arrays[0][1], rng.uniform(-1, 1, (2, 4)))
    np.testing.assert_array_equal(arrays[2][1], rng.uniform(-1, 1, (4, 1)))


def test_flat_params_of_a_trainer_train_as_the_arrays_do() -> None:
    trainer = fg.compile(EXP)
    flat = trainer.initial_params(6)
    expected = fg.run(EXP, 6, keep_params=True)
    for result in (
        fg.run(EXP, params=flat, keep_params=True),
        fg.sweep(EXP, params=flat, axes={"epochs": [60]}, keep_params=True),
    ):
        assert result.n_finished == 6
        arrays = result.params if not result.axes else result.params[0]
        for ours, theirs in zip(arrays, expected.params, strict=True):
            np.testing.assert_array_equal(ours, theirs)
    assert fg.run(EXP, params=flat[0]).n_finished == 1
    np.testing.assert_array_equal(fg.predict(NET, flat, EXP.data.X), trainer.predict(flat))
    assert fg.predict(NET, flat.astype("float32"), EXP.data.X).dtype == np.float32
    assert fg.replay(EXP, 0, params=flat[0])["loss"][-1] == fg.replay(EXP, 0)["loss"][-1]


@pytest.mark.parametrize("shape", [(6, 16), (0, 17), (16,), (2, 3, 17), (), (17, 1)])
def test_flat_params_of_another_shape_are_refused_in_one_line(shape: tuple[int, ...]) -> None:
    expected = re.escape("expected shape (n_seeds, 17) with at least one seed, or (17,), or a list of 4 arrays")
    with pytest.raises(InvalidExperiment, match=expected) as caught:
        fg.run(EXP, params=np.zeros(shape))
    assert str(caught.value).startswith(f"params = {shape}")
    with pytest.raises(InvalidExperiment, match=r"params = nan: expected finite numbers"):
        fg.run(EXP, params=np.full((2, 17), np.nan))


def test_no_seeds_or_examples_are_said_to_be_too_few() -> None:
    trainer = fg.compile(EXP)
    with pytest.raises(InvalidExperiment, match=r"params = \(0, 17\): .*with at least one seed"):
        trainer.loss(np.zeros((0, 17)))
    with pytest.raises(InvalidExperiment, match=r"X = \(0, 2\): .*with at least one example"):
        trainer.predict(np.zeros(17), np.zeros((0, 2)))
    with pytest.raises(InvalidExperiment, match=r"params\[0\] = \(0, 2, 4\): .*with at least one seed"):
        fg.run(EXP, params=[array[:0] for array in fg.initial_params(EXP, 1)])


def test_masked_entries_are_refused_wherever_numbers_are_taken() -> None:
    def masked(shape: tuple[int, ...]) -> Any:
        array = np.ma.array(np.ones(shape), mask=np.zeros(shape, bool))
        array.mask.flat[-1] = True
        return array

    flat, X, y = masked((3, 17)), masked((4, 2)), masked((4, 1))
    trainer, whole = fg.compile(EXP), np.zeros(17)
    arrays = [masked((2, *shape)) for shape in NET.param_shapes]
    calls: list[tuple[str, Callable[[], object]]] = [
        ("params", lambda: trainer.loss(flat)),
        ("params", lambda: trainer.gradients(arrays)),
        ("params", lambda: fg.run(EXP, params=flat)),
        ("params", lambda: fg.run(EXP, params=arrays)),
        ("params", lambda: fg.predict(NET, flat, EXP.data.X)),
        ("X", lambda: fg.predict(NET, whole, X)),
        ("X", lambda: trainer.predict(whole, X)),
        ("X", lambda: trainer.predict(whole, list(X))),
        ("y", lambda: trainer.loss(whole, EXP.data.X, y)),
        ("X", lambda: fg.Dataset(X, EXP.data.y)),
        ("y", lambda: fg.Dataset(EXP.data.X, y)),
        ("seeds", lambda: fg.run(EXP, np.ma.array([1, 2], mask=[False, True]))),
        ("arrays", lambda: fg.FromArrays(masked((2, 4)))),
    ]
    for field, call in calls:
        with pytest.raises(InvalidExperiment, match="a value for every entry, and some are masked") as caught:
            call()
        assert caught.value.field.startswith(field)
    assert trainer.loss(np.ma.array(whole)) == trainer.loss(whole)  # nothing of it is masked


def test_a_number_of_seeds_may_be_a_whole_float(tmp_path: Any) -> None:
    assert fg.run(EXP, 1e1).seeds.tolist() == list(range(10))
    assert fg.compile(EXP).initial_params(np.float64(3)).shape == (3, 17)
    assert len(fg.sweep(EXP, 1e1, {"epochs": [5]}, store=tmp_path / "store").specification.seeds) == 10
    for seeds in (1.5, float("nan"), float("inf"), -1.0, [1.0]):
        with pytest.raises(InvalidExperiment, match="seeds"):
            fg.run(EXP, seeds)


def test_a_seed_counts_once(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for seeds in ([0] * 1000, (3, 1, 3), np.array([7, 7]), [np.uint8(2), 2]):
        with pytest.raises(InvalidExperiment, match=r"each seed once: it occurs [0-9,]+ times") as caught:
            fg.run(EXP, seeds)
        assert (caught.value.field, caught.value.value) == ("seeds", int(sorted(seeds)[-1]))
        with pytest.raises(InvalidExperiment, match="each seed once"):
            fg.sweep(EXP, seeds, {"epochs": [5]})
    assert fg.initial_params(EXP, [3, 3])[0].shape[0] == 2  # no statistics are made of them
    own = fg.run(EXP, [3, 3], params=fg.initial_params(EXP, [1, 2]))  # two starts
    assert own.counts[0].n == 2
    own.save(tmp_path / "own.parquet")
    assert fg.load(tmp_path / "own.parquet").seeds.tolist() == [3, 3]
    with pytest.raises(InvalidExperiment, match="a result with each seed once"):
        fg.compare(own, fg.run(EXP, 3))
    twice = fg.run(EXP, [5, 6])
    twice._all_seeds[:] = 5  # as versions that ran seeds as often as they came could make it
    twice.save(tmp_path / "twice.parquet")
    with pytest.raises(InvalidExperiment, match=r"twice\.parquet: seeds = 5: expected each seed once"):
        fg.load(tmp_path / "twice.parquet")


def test_params_of_ones_own_train_as_those_of_the_seeds() -> None:
    seeds = [5, 1, 9]
    drawn = fg.run(EXP, seeds, keep_params=True)
    own = fg.run(EXP, params=fg.initial_params(EXP, seeds), keep_params=True)
    assert own.seeds.tolist() == [0, 1, 2]
    for ours, theirs in zip(own.params, drawn.params, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert own.dataset.attrs["initial_params"] == "given"
    named = fg.run(EXP, seeds, params=fg.initial_params(EXP, seeds))
    assert named.seeds.tolist() == seeds


def test_one_network_needs_no_leading_axis() -> None:
    one = [array[0] for array in fg.initial_params(EXP, 1)]
    assert fg.run(EXP, params=one).dataset.sizes["seed"] == 1


GOOD = fg.initial_params(EXP, 2)


@pytest.mark.parametrize(
    "params",
    [
        *(3, "params", [], [1], GOOD[:3], [*GOOD, GOOD[0]], [*GOOD[:3], GOOD[3][:1]], [GOOD[0][0], *GOOD[1:]]),
        *([array[:0] for array in GOOD], [*GOOD[:3], GOOD[3] * np.nan], [*GOOD[:3], GOOD[3].astype(str)]),
        *([*GOOD[:3], GOOD[3] > 0], [*GOOD[:3], GOOD[3] * 1j], [*GOOD[:3], [[1], [2, 3]]], np.zeros(4)),
    ],
)
def test_params_that_do_not_fit_are_rejected(params: Any) -> None:
    with pytest.raises(InvalidExperiment, match="params"):
        fg.run(EXP, params=params)


def test_params_must_fit_the_dtype_and_the_seeds() -> None:
    with pytest.raises(InvalidExperiment, match="float32"):
        fg.run(EXP.replace(dtype="float32"), params=[*GOOD[:3], GOOD[3] + 1e300])
    with pytest.raises(InvalidExperiment, match="one for each of the 2 networks"):
        fg.run(EXP, 3, params=GOOD)


def test_predictions_follow_from_the_params() -> None:
    X = EXP.data.X
    (w1, b1, w2, b2) = GOOD
    expected = np.maximum(X @ w1 + b1[:, None], 0) @ w2 + b2[:, None]
    np.testing.assert_allclose(fg.predict(NET, GOOD, X), expected, rtol=1e-12)
    single = fg.predict(NET, [array.astype(np.float32) for array in GOOD], X)
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("output", [*registry.ACTIVATIONS, "softmax"])
def test_a_network_that_ends_in_anything_predicts(output: str) -> None:
    net = fg.mlp(2, 3, 2, output=output)
    exp = fg.Experiment(net, fg.Dataset([[0, 1], [2, 3]], [[0, 1], [1, 0]]), loss=any_loss(net.layers[-1]), epochs=1)
    result = fg.run(exp, 3, keep_params=True, progress=False)
    X = np.array([[0.5, -1.0], [2.0, 0.25], [0.0, 0.0]])
    expected = [naive.forward(net, [array[k] for array in result.params], X)[-1] for k in range(3)]
    np.testing.assert_allclose(result.predict(X), expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    "X", [3, [1, 2], [[1, 2, 3]], [[1, np.nan]], [["a", "b"]], [[1, 2], [3]], [], [[[1, 2]]], None]
)
def test_inputs_of_predict_are_checked(X: Any) -> None:
    with pytest.raises(InvalidExperiment, match="X"):
        fg.predict(NET, GOOD, X)


def test_the_trained_params_give_the_reported_loss() -> None:
    result = fg.run(EXP, 8, keep_params=True)
    errors = fg.predict(NET, result.params, EXP.data.X) - EXP.data.y
    np.testing.assert_allclose((errors**2).sum(axis=2).mean(axis=1) / 2, result.dataset["loss_final"], rtol=1e-12)


def test_params_that_were_not_kept_are_said_to_be() -> None:
    result = fg.run(EXP, 2)
    said = []
    for call in (lambda: result.params, lambda: result.predict(EXP.data.X)):
        with pytest.raises(InvalidExperiment, match="keep_params = False: expected True, when it is run") as caught:
            call()
        said.append(str(caught.value))
    assert said[0] == said[1]


def test_a_sweep_keeps_the_params_of_each_configuration() -> None:
    result = fg.sweep(EXP, 3, {"network": [NET, fg.mlp(2, 1)]}, keep_params=True)
    assert [[array.shape for array in params] for params in result.params] == [
        [(3, 2, 4), (3, 4), (3, 4, 1), (3, 1)],
        [(3, 2, 1), (3, 1)],
    ]


def test_fields_that_only_fit_each_other_are_changed_together() -> None:
    axes = {"data": [fg.datasets.parity(3)], "network": [fg.mlp(3, 4, 1), fg.mlp(3, 1)], "optimizer.lr": [0.5]}
    result = fg.sweep(EXP, 2, axes)
    assert [one.experiment.network.n_in for one in result.configurations] == [3, 3]


@pytest.mark.parametrize(
    "axes",
    [
        *(None, {}, [], {"rate": [1]}, {1: [1]}, {"optimizer.lr": 0.1}, {"optimizer.lr": []}, {"loss": "sum"}),
        *({"optimizer.lr": [0.1, 0.1]}, {"optimizer.lr": [0.1, -1]}, {"epochs": [1, True]}, {"seed": [1]}),
        *({"optimizer.beta": [1]}, {"network": [fg.mlp(3, 1)]}, {"epochs": range(10**6)}, {"self": [1]}),
    ],
)
def test_axes_are_checked_before_anything_is_trained(axes: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "train", lambda *_, **__: pytest.fail("trained"))
    with pytest.raises(InvalidExperiment):
        fg.sweep(EXP, 2, axes)


def test_a_summary_has_one_row_for_each_configuration() -> None:
    frame = fg.sweep(EXP, 50, {"optimizer.lr": [0.1, 1e-6], "batch_size": [1]}).summary()
    assert frame["optimizer.lr"].tolist() == [0.1, 1e-6]
    assert frame["n"].tolist() == [50, 50]
    assert frame["epochs_median"].isna().tolist()[1]
    assert (frame["rate_low"] <= frame["rate"]).all()
    counts = frame[[name for name in frame if name.startswith("n_")]].sum(axis=1)
    assert counts.tolist() == [50, 50]


def test_a_repr_says_what_happened() -> None:
    text = repr(fg.run(EXP, 50))
    assert text.startswith("<fastgrok.Result: 2-4-1 relu/linear on xor, 50 seeds")
    for words in ("converged", "95 % interval", "median epochs", "outcomes", "seed-epochs per second"):
        assert words in text
    assert "95 % interval" not in repr(fg.run(EXP.replace(stop=None), 3))  # without criteria no rate, but outcomes


def test_html_is_escaped() -> None:
    data = fg.Dataset(EXP.data.X, EXP.data.y, name="<b>&\n")
    html = fg.run(EXP.replace(data=data), 2)._repr_html_()
    assert "<b>" not in html
    assert "&lt;b&gt;&amp;" in html


def test_progress_is_shown_where_it_is_asked_for(capfd: pytest.CaptureFixture[str]) -> None:
    fg.run(EXP, 8)
    assert capfd.readouterr() == ("", "")
    fg.run(EXP, 8, progress=True)
    assert capfd.readouterr().out == ""


def interrupted_after(calls: int, rows: int) -> Any:
    """Return a `train` that is interrupted in one of its calls, when some rows are finished."""
    counter = itertools.count(1)

    def train(experiment: fg.Experiment, seeds: np.ndarray, *args: Any, **options: Any) -> training.TrainingOutput:
        trained = training.train(experiment, seeds, *args, **options)
        if next(counter) == calls:
            trained.finished[rows:] = False
            trained.metrics["epochs_run"][rows:] = NEVER
            trained.interrupted = True
        return trained

    return train


def test_an_interrupted_run_returns_what_is_finished(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = fg.run(EXP, 8)
    monkeypatch.setattr(api, "train", interrupted_after(1, 5))
    with pytest.warns(UserWarning, match="interrupted: 5 of 8 runs are finished"):
        result = fg.run(EXP, 8, keep_params=True)
    assert result.interrupted
    assert result.seeds.tolist() == [0, 1, 2, 3, 4]
    assert result.params[0].shape == (5, 2, 4)
    assert result.dataset.equals(whole.dataset.isel(seed=slice(5)))
    assert "8 seeds, interrupted: 5 of 8 runs" in repr(result)


def test_an_interrupted_sweep_tells_its_rows_apart(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    import pyarrow.parquet as pq

    monkeypatch.setattr(api, "train", interrupted_after(2, 3))
    with pytest.warns(UserWarning, match="interrupted: 11 of 24 runs"):
        result = fg.sweep(EXP, 8, {"epochs": [10, 20, 30]})
    assert result.dataset["finished"].sum(dim="seed").to_numpy().tolist() == [8, 3, 0]
    assert (result.dataset["outcome"].where(~result.dataset["finished"], -1) == -1).all()
    assert np.isnan(result.dataset["loss_final"].to_numpy()).sum() == 13
    assert result.summary()["n"].tolist() == [8, 3, 0]
    result.save(tmp_path / "part.parquet")
    assert pq.read_metadata(tmp_path / "part.parquet").num_rows == 11


@pytest.mark.parametrize(
    "call",
    [
        lambda: fg.run(EXP, 8),
        lambda: fg.run(EXP, params=fg.initial_params(EXP, 8)),
        lambda: fg.sweep(EXP, 8, {"epochs": [10]}),
    ],
    ids=["run", "run from parameters", "sweep"],
)
def test_the_warning_of_an_interruption_points_at_the_callers_line(
    monkeypatch: pytest.MonkeyPatch, call: Callable[[], object]
) -> None:
    monkeypatch.setattr(api, "train", interrupted_after(1, 5))
    with pytest.warns(UserWarning, match="interrupted") as said:
        call()
    assert [(each.filename, each.lineno) for each in said] == [(__file__, call.__code__.co_firstlineno)]


def test_an_interruption_before_anything_is_finished_is_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "train", interrupted_after(1, 0))
    with pytest.raises(KeyboardInterrupt):
        fg.run(EXP, 4)


@pytest.mark.parametrize("experiment", [EXP.replace(epochs=0), EXP.replace(optimizer=fg.SGD(lr=1e300))])
def test_edges_have_an_outcome(experiment: fg.Experiment) -> None:
    dataset = fg.run(experiment, 4).dataset
    if experiment.epochs == 0:
        assert (dataset["epochs_run"] == 0).all()
    else:
        assert (dataset["outcome"] == Outcome.DIVERGED).any()


ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 9)
    | st.sampled_from([2**32, 2**64 - 1, 2**64, 10**400])
    | st.floats()
    | st.text(max_size=3)
    | st.sampled_from(
        [np.float32(3), np.zeros(3), np.arange(3), np.array([[1]]), GOOD, fg.SGD(), NET, EXP, range(3)]
    ),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=4,
)
NAMES = ["seeds", "params", "keep_params", "specialize", "lanes", "threads", "chunk_size", "progress"]


@settings(max_examples=150)
@given(st.sampled_from([EXP, LEGACY]), st.dictionaries(st.sampled_from(NAMES), ANYTHING, max_size=3))
def test_whatever_is_thrown_at_run_gives_a_result_or_says_why(
    experiment: fg.Experiment, thrown: dict[str, Any]
) -> None:
    thrown = {"seeds": 4, **thrown}
    if thrown.get("specialize") is True or thrown.get("lanes") is not None:
        thrown.pop("specialize", None)  # compiles: tested elsewhere
        thrown["lanes"] = thrown.get("lanes") if not isinstance(thrown.get("lanes"), int) else 3
    try:
        result = fg.run(experiment, **thrown)
    except InvalidExperiment as error:
        one_line(error)
    else:
        assert len(result.seeds) == result.dataset.sizes["seed"]


@settings(max_examples=100)
@given(ANYTHING, ANYTHING)
def test_whatever_is_thrown_at_predict_gives_numbers_or_says_why(params: Any, X: Any) -> None:
    try:
        assert fg.predict(NET, params, X).ndim == 3
    except InvalidExperiment as error:
        one_line(error)


@settings(max_examples=100)
@given(st.dictionaries(st.sampled_from(["epochs", "optimizer.lr", "init", "x"]) | st.text(max_size=3), ANYTHING))
def test_whatever_the_axes_are_gives_a_result_or_says_why(axes: Any) -> None:
    try:
        fg.sweep(EXP, 2, axes)
    except InvalidExperiment as error:
        one_line(error)


def test_axes_in_the_place_of_the_seeds_are_an_invalid_experiment() -> None:
    axes = {"epochs": [10, 20]}
    for call in (
        lambda: fg.sweep(EXP, axes, seeds=3),  # type: ignore[misc]
        lambda: fg.sweep(EXP, axes),  # type: ignore[arg-type]
        lambda: fg.sweep(EXP, seeds=axes),  # type: ignore[arg-type]
    ):
        with pytest.raises(fg.InvalidExperiment, match=r"seeds before axes: sweep\(experiment, seeds, axes\)"):
            call()


def test_a_result_predicts_with_the_params_that_were_kept() -> None:
    result = fg.run(EXP, 5, keep_params=True)
    np.testing.assert_array_equal(result.predict(EXP.data.X), fg.predict(NET, result.params, EXP.data.X))
    several = fg.sweep(EXP, 3, {"epochs": [1, 2]}, keep_params=True)
    assert [outputs.shape for outputs in several.predict([[0, 1]])] == [(3, 1, 1)] * 2
    with pytest.raises(fg.InvalidExperiment, match="inputs of shape"):
        result.predict([[1, 2, 3]])
    with pytest.raises(fg.InvalidExperiment, match="keep_params"):
        fg.run(EXP, 5).predict(EXP.data.X)


def test_a_summary_begins_with_what_matters() -> None:
    columns = fg.sweep(EXP, 5, {"epochs": [1, 2]}).summary().columns.tolist()
    first = ["n", "converged", "rate", "rate_low", "rate_high", "epochs_median"]
    assert columns[:9] == ["network", "data", "epochs", *first]
    assert len(set(columns)) == len(columns)


def test_the_package_shows_its_public_names_alone() -> None:
    shown = {name for name in dir(fg) if not name.startswith("__")}
    assert shown == set(fg.__all__)
    assert dir(fg.datasets) == sorted(fg.datasets.__all__)
