"""Parameters of many networks: one flat row each inside, a list of arrays outside."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastgrok.datasets.arrays import check_unmasked
from fastgrok.errors import MISSING, InvalidExperiment
from fastgrok.spec.network import Network


def split(network: Network, flat: NDArray[Any]) -> list[NDArray[Any]]:
    """Return the parameters layer by layer, as views.

    flat: shape (n_seeds, n_params).
    """
    arrays, start = [], 0
    for shape in network.param_shapes:
        end = start + math.prod(shape)
        arrays.append(flat[:, start:end].reshape(len(flat), *shape))
        start = end
    return arrays


class Start(NamedTuple):
    """What is given of the seeds of a configuration besides what they draw."""

    params: NDArray[Any] | None = None  # initial parameters (n_seeds, n_params)
    masks: NDArray[np.bool_] | None = None  # (n_seeds, n_params) or (1, n_params), False for what is cut out

    def cut(self, params: NDArray[Any], rows: slice = slice(None)) -> NDArray[Any]:
        """Return parameters of some seeds, 0 where they are cut out."""
        if self.masks is None:
            return params
        masks = self.masks if len(self.masks) == 1 else self.masks[rows]
        return np.where(masks, params, params.dtype.type(0))


def joined(network: Network, params: Any, dtype: str, *, finite: bool = True) -> NDArray[Any]:
    """Return parameters as one flat row for each network, checked; numbers must be finite unless said otherwise.

    params: a list of arrays, layer by layer, or one array that is flat already.
    """
    if not isinstance(network, Network):
        raise InvalidExperiment("network", network, "a Network, such as mlp(2, 4, 1)")
    shapes = network.param_shapes
    if hasattr(params, "__array__"):
        return _rows(network, params, dtype, finite)
    if not isinstance(params, Sequence) or isinstance(params, str | bytes | range):
        raise InvalidExperiment("params", params, f"a list of {len(shapes)} arrays: {_named(shapes)}")
    if len(params) != len(shapes):
        value = params if len(params) > len(shapes) else MISSING
        raise InvalidExperiment(
            f"params[{min(len(params), len(shapes))}]", value, f"as many arrays as {_named(shapes)}"
        )
    arrays = [_array(f"params[{k}]", array, dtype, finite) for k, array in enumerate(params)]
    alone = arrays[0].ndim == len(shapes[0])
    n = 1 if alone else len(arrays[0]) if arrays[0].ndim else 0
    for k, (array, shape) in enumerate(zip(arrays, shapes, strict=True)):
        if array.shape != (shape if alone else (n, *shape)) or not n:
            expected = f"shape {shape}" if alone and k else f"shape {(n, *shape) if k else ('n_seeds', *shape)}"
            some = "" if k else ", with at least one seed"
            raise InvalidExperiment(f"params[{k}]", array.shape, expected.replace("'", "") + some)
    return np.concatenate([array.reshape(n, -1) for array in arrays], axis=1)


def joined_masks(network: Network, masks: Any, n: int) -> NDArray[np.bool_]:
    """Return masks as flat rows, (n, n_params) or (1, n_params) where all networks have the same, checked.

    masks: as parameters are given, of 0 and 1 or False and True; None in a list: nothing is cut out of that array.
    """
    try:
        flat = joined(network, _filled(network, masks), "float64")
    except InvalidExperiment as error:
        raise InvalidExperiment(error.field.replace("params", "masks", 1), error.value, error.accepted) from None
    if len(flat) not in (1, n):
        raise InvalidExperiment("masks", masks, f"those of {n} networks, one for each seed, or of one for all")
    other = (flat != 0) & (flat != 1)
    if other.any():
        raise InvalidExperiment(
            "masks", float(flat[other][0]), "0 or False for what is cut out, 1 or True for the rest"
        )
    return np.asarray(flat == 1)


def _filled(network: Network, masks: Any) -> Any:
    """Return masks as numbers, with ones in place of None."""
    if not isinstance(masks, list | tuple):
        return _number_array(masks)
    shapes = network.param_shapes
    if len(masks) != len(shapes) or all(mask is None for mask in masks):
        return masks
    arrays = [None if mask is None else _number_array(mask) for mask in masks]
    known = next((a, s) for a, s in zip(arrays, shapes, strict=True) if a is not None)
    lead = np.shape(known[0])[: -len(known[1])]
    return [np.ones((*lead, *s)) if a is None else a for a, s in zip(arrays, shapes, strict=True)]


def _number_array(mask: Any) -> Any:
    """Return an array of bools as one of numbers; anything else as it is."""
    try:
        array = np.asarray(mask)
    except ValueError:
        return mask
    return array.astype(np.int8) if array.dtype.kind == "b" else mask


def expected_shapes(network: Network) -> str:
    """Say which arrays parameters may be."""
    n, shapes = network.n_params, network.param_shapes
    return f"shape (n_seeds, {n}) with at least one seed, or ({n},), or a list of {len(shapes)} arrays"


def _rows(network: Network, params: Any, dtype: str, finite: bool) -> NDArray[Any]:
    """Return flat parameters, (n_seeds, n_params) or (n_params,) for one network, as rows."""
    array = _array("params", params, dtype, finite)
    if array.shape == (network.n_params,):
        return array[np.newaxis]
    if array.ndim != 2 or array.shape[1] != network.n_params or not len(array):
        raise InvalidExperiment("params", array.shape, expected_shapes(network))
    return array


def _named(shapes: Sequence[tuple[int, ...]]) -> str:
    return ", ".join(map(str, shapes)) + ", or with a leading axis n_seeds"


def _array(field: str, values: ArrayLike, dtype: str, finite: bool) -> NDArray[Any]:
    """Return an array of numbers, finite ones if that is asked for."""
    check_unmasked(field, values)
    try:
        array = np.asarray(values)
    except Exception as error:  # ragged lists, and whatever the `__array__` of others raises
        raise InvalidExperiment(field, values, "an array of finite numbers") from error
    if array.dtype.kind not in "iuf":
        raise InvalidExperiment(field, values, "an array of finite numbers")
    with np.errstate(over="ignore"):
        rounded = array.astype(dtype)
    if finite and not np.isfinite(rounded).all():
        value = array[~np.isfinite(rounded)][0].item()
        raise InvalidExperiment(field, value, f"finite numbers, in {dtype} too")
    return rounded
