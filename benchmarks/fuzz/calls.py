"""The public functions with arguments that are valid; one that has none here is a name that a test asks for."""

import functools
import inspect
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import fastgrok as fg
from fastgrok import explain, plots, statistics, studies


class Call(NamedTuple):
    """A function, and for each of its parameters values that are valid together with the first of every other."""

    function: Callable[..., Any]
    valid: dict[str, list[Any]]


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
    (folder / "data.csv").write_text("a,b,word,y\n0,0,x,0\n0,1,y,1\n1,0,x,1\n1,1,y,0\n")
    np.savez(folder / "data.npz", X=np.eye(2), y=[0, 1])
    axes = {"lr": [0.1, 0.5], "init": ["he_normal", "xavier_normal"]}
    result = fg.sweep(experiment, 12, axes, progress=False, specialize=False)
    kept = fg.run(experiment, 12, keep_params=True, record_at="log", track="dead_units", progress=False)
    kept.save(folder / "result.parquet")
    fg.sweep(experiment, 12, {"lr": [0.1, 0.5]}, store=folder / "store", progress=False, specialize=False)
    trace = fg.replay(experiment.replace(validation="xor"), 1, progress=False)
    return Things(experiment, result, kept, trace, fg.compile(experiment, specialize=False), folder)


_COUNT = [3, 1, np.int64(2)]
_SHARE = [0.5, 0.9, np.float64(0.25)]
_LABELS = [None, "x"]


def _values() -> dict[str, list[Any]]:
    """Return valid values by the name of a parameter, wherever it means the same."""
    all_, counts = things(), things().kept.counts[0]
    experiment, trace = all_.experiment, all_.trace
    epochs = np.array([3, -1, 5, 7])
    return {
        "experiment": [experiment],
        "network": [experiment.network],
        "seeds": [[1, 2], 3, range(2), np.array([5])],
        "seed": [1, [1, 2], range(2)],
        "params": [[np.zeros(shape) for shape in experiment.network.param_shapes]],
        "X": [[[0, 1], [1, 1]], np.eye(2)],
        "y": [[0, 1]],
        "trace": [trace],
        "result": [all_.result, all_.kept],
        "axis": ["lr"],
        "of": [None, "accuracy"],
        "confidence": _SHARE,
        "counts": [counts],
        "curve": [statistics.survival_curve(counts)],
        "survival": [statistics.survival_curve(counts)],
        "table": [statistics.PairedCounts.of(epochs, epochs[::-1]).table],
        "paired": [statistics.PairedCounts.of(epochs, epochs[::-1])],
        "configurations": [[counts, counts]],
        "share": _SHARE,
        "shares": [[0.5], 0.5, [0.1, 0.9]],
        "method": ["wilson"],
        "layer": [1, np.int64(1)],
        "at": [0, None],
        "ax": [None],
        "config": [0, {"lr": 0.1}],
        "rows": [None, "lr"],
        "columns": [None, "init"],
        "output": [0],
        "frames": [5],
        "loss": ["half_squared_error"],
        "data": [experiment.data],
        "path": [str(all_.folder / "data.csv")],
        "name": ["xor"],
        "low": [0, -1],
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


def _own(name: str) -> dict[str, list[Any]]:
    """Return valid values of parameters that mean something else in one function."""
    all_ = things()
    numbers = [np.array([3, 4, 5])]
    epochs, until = [np.array([3, -1, 5, 7])], [[10, 10, 10, 10]]
    weights = all_.kept.params
    own: dict[str, dict[str, list[Any]]] = {
        "fastgrok.load": {"path": [str(all_.folder / "result.parquet")]},
        "fastgrok.sweep": {
            "axes": [{"lr": [0.1, 0.2]}, [{"lr": 0.1}], None],
            "rows": ["all"],
            **{key: [None] for key in ("store", "executor", "part_of", "shard_size", "params")},
        },
        "fastgrok.run": {
            "params": [None, [np.stack([w, w]) for w in (np.zeros(s) for s in _shapes())]],
            "seeds": [2],
        },
        "fastgrok.replay": {"params": [None], "seed": [1]},
        "fastgrok.datasets.accidental": {
            "n_examples": [12],
            "n_noise": [3],
            "n_validation": [20],
            "flipped": [0.15],
            "seed": [0],
        },
        "fastgrok.studies.by_name": {"name": ["init-schemes"]},
        "fastgrok.datasets.parity": {"n_bits": [2, 3]},
        "fastgrok.datasets.sklearn": {"name": ["iris"]},
        "fastgrok.explain.sign_flow": {"params": [[w[0] for w in weights]], "at": [None]},
        "fastgrok.explain.worked_pass": {"params": [[w[0] for w in weights]], "at": [None]},
        "fastgrok.plots.initial_and_final": {"result": [all_.kept], "config": [None, 0]},
        "fastgrok.plots.initial_final_weights": {"result": [all_.kept], "config": [None, 0]},
        "fastgrok.open_store": {"path": [str(all_.folder / "store")]},
        "fastgrok.explain.listing": {"params": [[w[0] for w in weights]]},
        "fastgrok.explain.read_listing": {"network": [None, all_.experiment.network]},
        "fastgrok.plots.bricks": {"network": [all_.experiment.network]},
        "fastgrok.plots.brick_boxes": {"bricks": [explain.algebra(all_.experiment.network).bricks]},
        "fastgrok.plots.animate": {"path": [str(all_.folder / "film.gif")], "frames": [2], "frames_per_second": [5]},
        "fastgrok.statistics.by_live_units": {"columns": [dict(all_.kept.outputs[0].metrics)]},
        "fastgrok.statistics.clopper_pearson": {"successes": [1, [1, 2]], "n": [3]},
        "fastgrok.statistics.wilson": {"successes": [1, [1, 2]], "n": [3]},
        "fastgrok.statistics.rate": {"successes": [1], "n": [3]},
        "fastgrok.statistics.holm": {"p_values": [[0.1, 0.01]]},
        "fastgrok.statistics.kaplan_meier": {"epochs_to_converge": epochs, "epochs_run": until},
        "fastgrok.statistics.nearest_plateau": {"losses": [[0.1, 0.25]], "loss": [0.1]},
        "fastgrok.statistics.order_quantile": {"counts": numbers},
        "fastgrok.statistics.spread": {"counts": numbers, "larger_is_better": [True]},
        "fastgrok.statistics.mean_difference": {"a": [np.array([0.1, 0.2])], "b": [np.array([0.3, 0.1])]},
        "fastgrok.statistics.median_difference": {"a": [np.array([0.1, 0.2])], "b": [np.array([0.3, 0.1])]},
        "fastgrok.statistics.relative_risk": {"cases_a": [1], "n_a": [5], "cases_b": [2], "n_b": [5]},
        "fastgrok.statistics.seeds_needed": {
            "rate_a": [0.5],
            "rate_b": [0.7],
            "discordant": [None, 0.4],
            "power": [0.9],
        },
        "fastgrok.statistics.summarise": {"seconds": [1.0]},
        "fastgrok.plots.conflict": {"found": [explain.pressure(all_.trace)]},
        "fastgrok.plots.correlation": {"found": [explain.correlation(all_.trace)]},
        "fastgrok.plots.overfitting": {"found": [explain.overfitting(all_.trace)]},
        "fastgrok.plots.worked_pass": {"found": [explain.worked_pass(all_.trace, example=0, at=0)]},
    }
    for drawn, computed in (
        ("correlation", "correlation_table"),
        ("overfitting", "overfitting_curves"),
        ("worked_pass", "pass_graph"),
    ):
        own[f"fastgrok.plots.{computed}"] = own[f"fastgrok.plots.{drawn}"]
    return own.get(name, {})


def _shapes() -> list[tuple[int, ...]]:
    return things().experiment.network.param_shapes


def _two_counts(name: str) -> dict[str, list[Any]]:
    """Return two counts for functions that compare two."""
    counts = things().kept.counts[0]
    epochs = things().kept.outputs[0].metrics["epochs_to_converge"]
    paired = statistics.PairedCounts.of(epochs, epochs)
    return {"a": [counts], "b": [counts], "paired": [paired], "cutoffs": [(None, None)]}


def _methods() -> dict[str, Callable[..., Any]]:
    """Return what people call of objects."""
    all_ = things()
    dataset, trainer, result = all_.experiment.data, all_.trainer, all_.kept
    methods: dict[str, Callable[..., Any]] = {
        f"Trainer.{name}": getattr(trainer, name)
        for name in (
            "initial_params",
            "train",
            "loss",
            "gradients",
            "loss_and_gradients",
            "predict",
            "flatten",
            "unflatten",
        )
    }
    methods |= {f"Result.{name}": getattr(result, name) for name in ("predict", "save")}
    methods |= {f"Dataset.{name}": getattr(dataset, name) for name in ("split", "inputs", "scaled", "scaled_as")}
    methods |= {f"Dataset.{name}": getattr(fg.Dataset, name) for name in ("from_csv", "from_npz", "from_frame")}
    return methods | {
        "Dataset": fg.Dataset,
        "mlp": lambda hidden, output, bias, dropout: fg.mlp(
            2, 3, 1, hidden=hidden, output=output, bias=bias, dropout=dropout
        ),
    }


_OF_METHODS: dict[str, dict[str, list[Any]]] = {
    "Result.save": {"path": ["/tmp/fastgrok-fuzz.parquet"]},
    "Dataset.scaled": {"low": [0.0], "high": [1.0]},
    "Dataset.from_npz": {"X": ["X"], "y": ["y"]},
    "mlp": {"hidden": ["relu"], "output": ["linear"], "bias": [True], "dropout": [0.0]},
}


@functools.cache
def calls() -> dict[str, Call]:
    """Return the functions by their names, each with valid arguments."""
    import pandas as pd

    common, made = _values(), {}
    functions = {f"fastgrok.{name}": getattr(fg, name) for name in fg.__all__ if hasattr(fg, name)}
    for room in (fg.datasets, explain, plots, statistics, studies):
        functions |= {f"{room.__name__}.{name}": getattr(room, name) for name in room.__all__}
    functions = {name: each for name, each in functions.items() if inspect.isfunction(inspect.unwrap(each))}
    extra = {
        "fuzz": {"out": [None], "epochs": [None, 3], "other": [things().experiment.data], "seed": [0]},
        "Dataset": {
            "name": ["data"],
            "feature_names": [None],
            "target_names": [None],
            "categories": [None],
            "fill": [None],
            "shift": [None],
            "scale": [None],
        },
        "Dataset.from_frame": {
            "frame": [pd.DataFrame({"a": [0.0, 1], "b": [1, 0], "word": ["u", "v"], "y": [0, 1]})]
        },
        "Dataset.from_npz": {"path": [str(things().folder / "data.npz")]},
        "Dataset.split": {"seed": [0]},
        "Trainer.train": {"seeds": [None], "lr": [None, 0.2]},
        "Trainer.loss": {"X": [None], "y": [None]},
    }
    for name in ("gradients", "loss_and_gradients", "predict"):
        extra[f"Trainer.{name}"] = extra["Trainer.loss"]
    for name, function in (functions | _methods()).items():
        own = (
            common | extra["fuzz"] | (_two_counts(name) if "paired" in inspect.signature(function).parameters else {})
        )
        own |= _own(name) | _OF_METHODS.get(name, {}) | extra.get(name, {})
        parameters = [
            p
            for p in inspect.signature(function).parameters.values()
            if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)
        ]
        made[name] = Call(function, {p.name: own.get(p.name, [p.default]) for p in parameters})
    return {name: call for name, call in made.items() if name != "fastgrok.mlp"}
