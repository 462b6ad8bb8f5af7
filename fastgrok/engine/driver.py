"""The choice of driver: how many lanes, general or specialised, and its key."""

import functools
from typing import Any, NamedTuple

import numpy as np

from fastgrok.engine.activations import ACTIVATIONS
from fastgrok.engine.arguments import MAX_LANES
from fastgrok.engine.binding import make_binding
from fastgrok.engine.draws import distributions, drawn_kinds, own_words, tensors
from fastgrok.engine.kernel_params import driver_features, is_batched, is_deferred, is_fused, is_long, n_state
from fastgrok.engine.layout import functions, kinds
from fastgrok.engine.optimizers import OPTIMIZERS
from fastgrok.engine.workspace import block_vectors, evaluation_vectors
from fastgrok.kernels.cache import identity
from fastgrok.kernels.init.draw import Distributions, make_draw
from fastgrok.kernels.jit import Kernel
from fastgrok.kernels.nn.batched import batched
from fastgrok.kernels.nn.deferred import deferred
from fastgrok.kernels.nn.passes import Functions, general
from fastgrok.kernels.rng.streams import STREAMS
from fastgrok.kernels.target import operation_bytes, register_count, vector_bytes
from fastgrok.kernels.train.driver import make_train
from fastgrok.kernels.train.parameters import DriverConfig, DriverFeatures
from fastgrok.spec.experiment import Experiment
from fastgrok.spec.layers import Activation, Layer
from fastgrok.spec.recording import NOTHING, Recording

_UNROLLED_VECTORS = 128  # 2-8-1 gains a half from it, 2-16-16-1 nothing

_SPILLED = 2.5  # times the registers are parameters at most: beyond, spilling them costs more than lanes gain
_SPILLED_BY_CURVE, _SPILLED_BY_CURVES = 3.3, 5.0  # likewise where the last units are curves, and where others are

_BLOCK_BYTES = 24 * 1024  # half of a first-level cache of 48 KiB

_LARGE_BYTES = 2**21  # of a block that no cache holds

_MOST_BYTES = 2**29  # of any block, where fewer lanes avoid it

_ORDERS = {"fixed": "", "shared": "permute", "per_seed": "permute", "with_replacement": "sample"}


def lane_count(experiment: Experiment, *, specialize: bool, n_seeds: int = MAX_LANES) -> int:
    """Return the lane count that suits a driver on this CPU; no result depends on it.

    Specialised: four operations a value, four registers where sigmoids make the latency of the arithmetic long, or
    fewer where parameters would spill too much; one where the update stands by itself. General: as many as keep a
    block in half of the first-level cache, from one register to four. Fewer where a block is larger than any cache
    and there are fewer seeds, or where it would take half a gigabyte.
    """
    itemsize = np.dtype(experiment.dtype).itemsize
    register = vector_bytes() // itemsize
    lane_bytes = block_vectors(experiment) * itemsize
    if specialize:
        most = _most_specialised(experiment, register)
    elif is_batched(experiment) and experiment.batch_rows > 1:
        most = register
    else:
        most = min(_BLOCK_BYTES // lane_bytes, 4 * register)
    best = register
    while best * 2 <= most:
        best *= 2
    return _bounded(best, lane_bytes, n_seeds)


def evaluation_lane_count(experiment: Experiment, *, n_seeds: int = MAX_LANES) -> int:
    """Return the lane count that suits evaluation: batched passes hide latency in one register a value."""
    if not is_batched(experiment):
        return lane_count(experiment, specialize=False, n_seeds=n_seeds)
    itemsize = np.dtype(experiment.dtype).itemsize
    return _bounded(vector_bytes() // itemsize, evaluation_vectors(experiment) * itemsize, n_seeds)


def _most_specialised(experiment: Experiment, register: int) -> float:
    """Return the lanes of a specialised driver at most: see `lane_count`."""
    *inner, last = map(_is_curve, experiment.network.layers)
    spilled, widest = _SPILLED, 4 * register
    if any(inner) or last:
        spilled = _SPILLED_BY_CURVES if any(inner) else _SPILLED_BY_CURVE
    elif is_fused(experiment):
        widest = 4 * operation_bytes() * register // vector_bytes()
    else:
        widest = register
    return min(widest, spilled * register_count() * register / (experiment.n_params + n_state(experiment)))


def _bounded(lanes: int, lane_bytes: int, n_seeds: int) -> int:
    """Return fewer lanes where a block is too large."""
    while lanes > 1 and (
        lanes * lane_bytes > _MOST_BYTES or (lanes >= 2 * n_seeds and lanes * lane_bytes > _LARGE_BYTES)
    ):
        lanes //= 2
    return lanes


def _is_curve(layer: Layer) -> bool:
    return isinstance(layer, Activation) and bool(ACTIVATIONS[type(layer)].is_curve)


def is_faster_specialised(experiment: Experiment) -> bool:
    """Whether the specialised driver is the faster one: LLVM unrolls the loops over so few parameters."""
    return not is_batched(experiment) and block_vectors(experiment) <= _UNROLLED_VECTORS


class _Key(NamedTuple):
    """What a driver's key consists of."""

    lanes: int
    fused: bool
    single: bool
    long_epochs: bool
    batched: bool
    deferred: bool
    order: str  # "permute" or "sample", by which the stream draws it, or ""
    order_word: int
    drops: bool
    stream: str | None  # None where nothing is drawn
    distributions: Distributions | None  # of the draws of a restart
    dtype: str
    features: DriverFeatures
    functions: Functions
    update: Any  # the optimizer's, as compiled


@functools.lru_cache(maxsize=256)
def _driver(key: _Key) -> Kernel:
    stream = None if key.stream is None else STREAMS[key.stream]
    draw = (
        make_draw(key.stream, key.distributions) if key.stream is not None and key.distributions is not None else None
    )
    config = DriverConfig(
        lanes=key.lanes,
        fused=key.fused,
        single=key.single,
        long_epochs=key.long_epochs,
        reorder=getattr(stream, key.order) if key.order else None,
        order_word=key.order_word,
        random=stream.random if stream is not None and key.drops else None,
        draw=draw,
        features=key.features,
        passes=general(key.functions),
        batched=batched(key.functions) if key.batched else None,
        deferred=deferred(key.functions) if key.deferred else None,
        update=key.update,
    )
    names = {
        "functions": key.functions.identity,
        "update": identity(key.update),
        "distributions": None if key.distributions is None else key.distributions.identity,
    }
    driver: Kernel = make_train(config, tuple((key._asdict() | names).values()))
    return driver


def make_driver(experiment: Experiment, lanes: int, *, specialize: bool, recording: Recording = NOTHING) -> Kernel:
    """Return the training kernel, to be compiled or read from the cache when it is first called."""
    features = driver_features(experiment, recording)
    order, drops = _ORDERS[experiment.order], bool(experiment.network.dropout_rates)
    key = _Key(
        lanes=lanes,
        fused=is_fused(experiment),
        single=experiment.batch_rows == 1,
        long_epochs=is_long(experiment),
        batched=not specialize and is_batched(experiment),
        deferred=not specialize and not (features.steps or features.holds) and is_deferred(experiment),
        order=order,
        order_word=own_words(experiment) if experiment.order == "shared" else 0,
        drops=drops,
        stream=experiment.stream if order or drops or features.restarts else None,
        distributions=distributions() if features.restarts else None,
        dtype=experiment.dtype,
        features=features,
        functions=functions(),
        update=OPTIMIZERS[type(experiment.optimizer)].update,
    )
    binding = kinds(experiment.network, experiment.loss)
    if features.restarts:
        binding += drawn_kinds(tensors(experiment))
    if specialize:
        binding += make_binding(experiment, recording)
    return _driver(key).bound_to(binding)
