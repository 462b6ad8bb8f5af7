"""fastgrok: train a small network once for every random seed, and say what the seed decides.

Importing the package compiles nothing and loads no other library; each name is fetched when it is first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fastgrok import datasets as datasets
    from fastgrok import explain as explain
    from fastgrok import plots as plots
    from fastgrok import statistics as statistics
    from fastgrok import studies as studies
    from fastgrok.api import Result as Result
    from fastgrok.api import Store as Store
    from fastgrok.api import initial_params as initial_params
    from fastgrok.api import open_store as open_store
    from fastgrok.api import predict as predict
    from fastgrok.api import run as run
    from fastgrok.api import sweep as sweep
    from fastgrok.comparison import Comparison as Comparison
    from fastgrok.comparison import compare as compare
    from fastgrok.datasets import Dataset as Dataset
    from fastgrok.errors import InvalidExperiment as InvalidExperiment
    from fastgrok.errors import StoreError as StoreError
    from fastgrok.experiment import Experiment as Experiment
    from fastgrok.initializers import RAI as RAI
    from fastgrok.initializers import Constant as Constant
    from fastgrok.initializers import FromArrays as FromArrays
    from fastgrok.initializers import FromFunction as FromFunction
    from fastgrok.initializers import HeNormal as HeNormal
    from fastgrok.initializers import HeUniform as HeUniform
    from fastgrok.initializers import Identity as Identity
    from fastgrok.initializers import KerasDense as KerasDense
    from fastgrok.initializers import LeCunNormal as LeCunNormal
    from fastgrok.initializers import LeCunUniform as LeCunUniform
    from fastgrok.initializers import NguyenWidrow as NguyenWidrow
    from fastgrok.initializers import Normal as Normal
    from fastgrok.initializers import Orthogonal as Orthogonal
    from fastgrok.initializers import Sparse as Sparse
    from fastgrok.initializers import TorchLinear as TorchLinear
    from fastgrok.initializers import TruncatedNormal as TruncatedNormal
    from fastgrok.initializers import Uniform as Uniform
    from fastgrok.initializers import XavierNormal as XavierNormal
    from fastgrok.initializers import XavierUniform as XavierUniform
    from fastgrok.initializers import Zeros as Zeros
    from fastgrok.network import LeakyReLU as LeakyReLU
    from fastgrok.network import Linear as Linear
    from fastgrok.network import Network as Network
    from fastgrok.network import ReLU as ReLU
    from fastgrok.network import Sigmoid as Sigmoid
    from fastgrok.network import Tanh as Tanh
    from fastgrok.network import mlp as mlp
    from fastgrok.optimizers import SGD as SGD
    from fastgrok.optimizers import Adam as Adam
    from fastgrok.schedules import CosineAnnealingLR as CosineAnnealingLR
    from fastgrok.schedules import ExponentialLR as ExponentialLR
    from fastgrok.schedules import StepLR as StepLR
    from fastgrok.stopping import Converged as Converged
    from fastgrok.stopping import EarlyStopping as EarlyStopping
    from fastgrok.stopping import Restart as Restart
    from fastgrok.trace import replay as replay

__version__ = "0.1.0"

_HOME = {
    "Dataset": "datasets",
    "InvalidExperiment": "errors",
    "StoreError": "errors",
    "Experiment": "experiment",
    **dict.fromkeys(
        ["Uniform", "Normal", "XavierUniform", "XavierNormal", "HeUniform", "HeNormal", "Zeros", "Constant"],
        "initializers",
    ),
    **dict.fromkeys(
        ["TruncatedNormal", "LeCunUniform", "LeCunNormal", "TorchLinear", "KerasDense", "Orthogonal", "Sparse"],
        "initializers",
    ),
    **dict.fromkeys(["Identity", "NguyenWidrow", "RAI", "FromFunction", "FromArrays"], "initializers"),
    **dict.fromkeys(["Linear", "ReLU", "LeakyReLU", "Sigmoid", "Tanh", "Network", "mlp"], "network"),
    **dict.fromkeys(["SGD", "Adam"], "optimizers"),
    **dict.fromkeys(["StepLR", "ExponentialLR", "CosineAnnealingLR"], "schedules"),
    **dict.fromkeys(["Result", "Store", "run", "sweep", "open_store", "initial_params", "predict"], "api"),
    **dict.fromkeys(["Comparison", "compare"], "comparison"),
    **dict.fromkeys(["Converged", "EarlyStopping", "Restart"], "stopping"),
    "replay": "trace",
}
_MODULES = ("datasets", "explain", "plots", "statistics", "studies")

__all__ = [*_HOME, *_MODULES]


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return importlib.import_module(f"fastgrok.{name}")
    if name not in _HOME:
        raise AttributeError(f"module 'fastgrok' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"fastgrok.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*__all__, *(name for name in globals() if name.startswith("__"))})
