"""The public functions with arguments that are valid; one that has none here is a name that a test asks for."""

import atexit
import functools
import inspect
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import fastgrok as fg
from fastgrok import explain, plots, statistics, studies

Values = dict[str, list[Any]]


class Call(NamedTuple):
    """A function, and for each of its parameters values that are valid together with the first of every other."""

    function: Callable[..., Any]
    valid: Values


class Things(NamedTuple):
    """Results that arguments are made of."""

    experiment: fg.Experiment
    result: fg.Result
    kept: fg.Result
    trace: Any
    trainer: fg.Trainer
    folder: Path


@functools.cache
def things() -> Things:
    """Train what all examples share, once."""
    experiment = fg.Experiment(fg.mlp(2, 3, 1), fg.datasets.xor(), epochs=30)
    folder = Path(tempfile.mkdtemp(prefix="fastgrok-fuzz-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    (folder / "data.csv").write_text("a,b,word,y\n0,0,x,0\n0,1,y,1\n1,0,x,1\n1,1,y,0\n")
    np.savez(folder / "data.npz", X=np.eye(2), y=[0, 1])
    axes = {"lr": [0.1, 0.5], "init": ["he_normal", "xavier_normal"]}
    result = fg.sweep(experiment, 12, axes, progress=False, specialize=False)
    kept = fg.run(experiment, 12, keep_params=True, record_at="log", track="dead_units", progress=False)
    kept.save(folder / "result.parquet")
    fg.sweep(experiment, 12, {"lr": [0.1, 0.5]}, store=folder / "store", progress=False, specialize=False)
    trace = fg.replay(experiment.replace(validation="xor"), 1, progress=False)
    return Things(experiment, result, kept, trace, fg.compile(experiment, specialize=False), folder)


_SHARE = [0.5, 0.9, np.float64(0.25)]


def _values() -> Values:
    """Return valid values by the name of a parameter, wherever it means the same."""
    all_, counts = things(), things().kept.counts[0]
    experiment, trace = all_.experiment, all_.trace
    epochs = np.array([3, -1, 5, 7])
    paired = statistics.PairedCounts.of(epochs, epochs[::-1])
    return {
        "experiment": [experiment],
        "network": [experiment.network],
        "seeds": [[1, 2], 3, range(2), np.array([5])],
        "seed": [0],
        "params": [[np.zeros(shape) for shape in experiment.network.param_shapes]],
        "masks": [None, [np.ones(shape) for shape in experiment.network.param_shapes]],
        "measures": [None, {"largest": lambda outputs: outputs.max(axis=(1, 2))}],
        "X": [[[0, 1], [1, 1]], np.eye(2)],
        "y": [[0, 1]],
        "trace": [trace],
        "source": [trace],
        "settle": [0, 3],
        "spectrum": [fg.hessian_spectrum(experiment, all_.kept.params)],
        "result": [all_.result, all_.kept],
        "axis": ["lr"],
        "of": [None, "accuracy"],
        "margin": [None, 0.1],
        "clusters": [None],
        "confidence": _SHARE,
        "counts": [counts],
        "a": [counts],
        "b": [counts],
        "cutoffs": [(None, None), (10, 10)],
        "curve": [statistics.survival_curve(counts)],
        "survival": [statistics.survival_curve(counts)],
        "columns": [dict(all_.kept.outputs[0].metrics)],
        "table": [paired.table],
        "paired": [statistics.PairedCounts.of(*[all_.kept.outputs[0].metrics["epochs_to_converge"]] * 2)],
        "configurations": [[counts, counts]],
        "share": _SHARE,
        "shares": [[0.5], 0.5, [0.1, 0.9]],
        "successes": [1, [1, 2]],
        "n": [3],
        **{f"{name}_{side}": [number] for name, number in _OF_SIDES.items() for side in "ab"},
        "method": ["wilson"],
        "band": ["pointwise", "simultaneous"],
        "layer": [1, np.int64(1)],
        "at": [0, None],
        "ax": [None],
        "config": [0, {"lr": 0.1}],
        "rows": [None, "lr"],
        "output": [0],
        "frames": [5],
        "loss": ["half_squared_error"],
        "data": [experiment.data],
        "path": [str(all_.folder / "data.csv")],
        "name": ["xor"],
        "low": [0, -1],
        "high": [1.0],
        "text": ["L0N0 -> L1N0 = 0.66"],
        "progress": [False],
        "specialize": [False],
        "threads": [1],
        "lanes": [8, None],
        "chunk_size": [8, None],
        "keep_params": [True, False],
        "record_at": [None, "log", [0, 3]],
        "track": [None, "dead_units"],
        "every": ["epoch"],
        "epochs": [None, 3],
        "out": [None],
        "other": [experiment.data],
        "example": [0],
        "examples": [None, [0, 1]],
        "least": _SHARE,
        "found": [explain.pressure(trace)],
        "flow": [explain.sign_flow(trace, at=0)],
        "row": [0],
        "cutoff": [None, 10],
        "until": [None, 10],
        "values": [np.array([0.1, 0.2, 0.5])],
        "plateaus": [statistics.plateaus(experiment.data, "half_squared_error")],
        "tolerance": [0.05],
        "when": ["initial", "final"],
        "at_least": [1],
        "target": ["y"],
        "features": [None, ["a", "b"]],
        "classes": [None, True],
        "one_hot": [False],
        "categorical": ["word"],
        "missing": [None, "drop", "mean"],
        "delimiter": [None, ","],
        "decimal": [None, "."],
        "encoding": [None, "utf-8"],
        "header": [None, True],
        "like": [None],
        "validation": [0.25, 0.5],
        "stratified": [False],
    }


_OF_SIDES = {"converged": 1, "cases": 1, "n": 5}
_TWO_SAMPLES = {"a": [np.array([0.1, 0.2])], "b": [np.array([0.3, 0.1])]}


def _own() -> dict[str, Values]:
    """Return, by function, valid values of parameters that mean something else there than elsewhere."""
    all_ = things()
    own_data: Values = {"X": [None], "y": [None]}
    grid: Values = {"columns": [None, "init"]}
    one = {"params": [[array[0] for array in all_.kept.params]], "at": [None], "target": [None]}
    kept = {"result": [all_.kept], "config": [None, 0]}
    many = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), epochs=500)
    soon = fg.run(many, 300, progress=False, specialize=False).outputs[0].finished_metrics
    clusters = [statistics.PooledCounts.of_sums([k, 0, -k, k], pairs=[k] * 4) for k in (1, 1, 1, 3)]
    pooled = {"seeds": clusters[3:], "clusters": [clusters[:3]]}
    table = statistics.Table(both=80, only_a=5, only_b=5, neither=10)
    found = {
        "correlation": [explain.correlation(all_.trace)],
        "overfitting": [explain.overfitting(all_.trace)],
        "worked_pass": [explain.worked_pass(all_.trace, example=0, at=0)],
    }
    drawn = {"correlation_table": "correlation", "overfitting_curves": "overfitting", "pass_graph": "worked_pass"}
    return {
        "Dataset": {"name": ["data"]},
        "Dataset.from_frame": {"frame": [_frame()]},
        "Dataset.from_npz": {"path": [str(all_.folder / "data.npz")], "X": ["X"], "y": ["y"]},
        "Dataset.scaled": {"low": [0.0]},
        "Result.save": {"path": [str(all_.folder / "saved.parquet")]},
        "Trainer.train": {"seeds": [None], "lr": [None, 0.2]},
        "Trainer.loss": own_data,
        "Trainer.gradients": own_data,
        "Trainer.loss_and_gradients": own_data,
        "Trainer.predict": own_data,
        "mlp": {"hidden": ["relu"], "output": ["linear"], "bias": [True], "dropout": [0.0]},
        "fastgrok.load": {"path": [str(all_.folder / "result.parquet")]},
        "fastgrok.ntk_spectrum": {"params": [None]},
        "fastgrok.open_store": {"path": [str(all_.folder / "store")]},
        "fastgrok.replay": {"params": [None], "seed": [1, [1, 2], range(2)]},
        "fastgrok.run": {"params": [None], "seeds": [2, [0, 1]]},
        "fastgrok.sweep": {
            "axes": [{"lr": [0.1, 0.2]}, [{"lr": 0.1}], None],
            "rows": ["all"],
            "params": [None],
            "measures": [None],
        },
        "fastgrok.datasets.parity": {"n_bits": [2, 3]},
        "fastgrok.datasets.sklearn": {"name": ["iris"]},
        "fastgrok.explain.curvature": {"params": [None]},
        "fastgrok.explain.listing": one,
        "fastgrok.explain.read_listing": {"network": [None, all_.experiment.network]},
        "fastgrok.explain.sign_flow": one,
        "fastgrok.explain.worked_pass": one,
        "fastgrok.plots.animate": {"path": [str(all_.folder / "film.gif")], "frames": [2], "frames_per_second": [5]},
        "fastgrok.plots.brick_boxes": {"bricks": [explain.algebra(all_.experiment.network).bricks]},
        "fastgrok.plots.initial_and_final": kept,
        "fastgrok.plots.initial_final_weights": kept,
        "fastgrok.plots.rate_table": grid,
        "fastgrok.plots.rates": grid,
        **{f"fastgrok.plots.{name}": {"found": values} for name, values in found.items()},
        **{f"fastgrok.plots.{name}": {"found": found[of]} for name, of in drawn.items()},
        "fastgrok.studies.by_name": {"name": ["init-schemes"]},
        "fastgrok.statistics.clustered_difference": pooled,
        "fastgrok.statistics.clustered_rate": pooled,
        "fastgrok.statistics.equivalence": {
            "interval": [lambda confidence: statistics.risk_difference(table, confidence)],
            "margin": [0.03],
        },
        "fastgrok.statistics.holm": {"p_values": [[0.1, 0.01]]},
        **{
            f"fastgrok.statistics.{prefix}{name}": _TWO_SAMPLES
            for prefix in ("", "independent_")
            for name in ("mean_difference", "median_difference")
        },
        "fastgrok.statistics.independent_probability_better": _TWO_SAMPLES,
        "fastgrok.statistics.kaplan_meier": {
            "epochs_to_converge": [np.array([3, -1, 5, 7])],
            "epochs_run": [[10] * 4],
        },
        "fastgrok.statistics.nearest_plateau": {"losses": [[0.1, 0.25]]},
        "fastgrok.statistics.order_quantile": {"counts": [np.array([3, 4, 5])]},
        "fastgrok.statistics.pooled_rate": pooled,
        "fastgrok.statistics.rate": {"successes": [1]},
        "fastgrok.statistics.seeds_needed": {
            "rate_a": [0.5],
            "rate_b": [0.7],
            "discordant": [None, 0.4],
            "power": [0.9],
        },
        "fastgrok.statistics.band_quantile": {"shares": [(0.05, 0.95)]},
        "fastgrok.statistics.simultaneous_band": {"shares": [(0.05, 0.95)]},
        "fastgrok.statistics.spread": {"counts": [np.array([3, 4, 5])], "larger_is_better": [True]},
        "fastgrok.statistics.starting_effects": {"columns": [soon], "experiment": [many]},
        "fastgrok.statistics.summarise": {"seconds": [1.0]},
    }


def _frame() -> Any:
    import pandas as pd

    return pd.DataFrame({"a": [0.0, 1], "b": [1, 0], "word": ["u", "v"], "y": [0, 1]})


def _methods() -> dict[str, Callable[..., Any]]:
    """Return what people call of objects, and `mlp` with the sizes that it needs."""
    all_ = things()
    of = {
        "Trainer": (all_.trainer, "initial_params train loss gradients loss_and_gradients predict flatten unflatten"),
        "Result": (all_.kept, "predict save"),
        "Dataset": (all_.experiment.data, "split inputs scaled scaled_as from_csv from_npz from_frame"),
    }
    methods: dict[str, Callable[..., Any]] = {
        f"{kind}.{name}": getattr(thing, name) for kind, (thing, names) in of.items() for name in names.split()
    }

    def mlp(hidden: Any, output: Any, bias: Any, dropout: Any) -> fg.Network:
        return fg.mlp(2, 3, 1, hidden=hidden, output=output, bias=bias, dropout=dropout)

    return methods | {"Dataset": fg.Dataset, "mlp": mlp}


def _public() -> dict[str, Callable[..., Any]]:
    """Return the public functions but `mlp` by their names."""
    found = {f"fastgrok.{name}": getattr(fg, name) for name in fg.__all__ if hasattr(fg, name)}
    for room in (fg.datasets, explain, plots, statistics, studies):
        found |= {f"{room.__name__}.{name}": getattr(room, name) for name in room.__all__}
    del found["fastgrok.mlp"]
    return {name: each for name, each in found.items() if inspect.isfunction(inspect.unwrap(each))}


@functools.cache
def calls() -> dict[str, Call]:
    """Return the functions by their names, each with valid arguments."""
    common, own, made = _values(), _own(), {}
    for name, function in (_public() | _methods()).items():
        values = common | own.get(name, {})
        parameters = inspect.signature(function).parameters.values()
        named = [each for each in parameters if each.kind not in (each.VAR_KEYWORD, each.VAR_POSITIONAL)]
        made[name] = Call(function, {each.name: values.get(each.name, [each.default]) for each in named})
    return made
