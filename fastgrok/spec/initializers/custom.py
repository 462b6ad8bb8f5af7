"""Initial parameters that a function or a list of arrays gives. Python makes them, before training."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BeforeValidator, Field

from fastgrok.datasets.arrays import check_unmasked
from fastgrok.errors import MISSING, InvalidExperiment
from fastgrok.spec.base import VariadicSpec, register, spec
from fastgrok.spec.calls import from_call
from fastgrok.spec.initializers.base import Initializer, Scheme

_MAX_NUMBERS = 32  # in a repr
Nested = tuple[float, ...] | tuple[tuple[float, ...], ...]


def _function(value: Any) -> Any:
    if isinstance(value, type) or not callable(value):
        raise ValueError("not a function")
    return value


@spec
class FromFunction(Initializer):
    """The values that a function draws from the seed's generator: f(rng, fan_in, fan_out).

    Parameters
    ----------
    function
        Called for every seed and layer with the seed's own generator, which is `numpy.random.default_rng(seed)` or
        `numpy.random.RandomState(seed)` for `stream="numpy_legacy"` and goes on from layer to layer, and with the
        fans of the layer. As `init` it returns the weights, (fan_in, fan_out); as `bias_init` the biases, (fan_out,).

    Raises
    ------
    InvalidExperiment
        If it is not a function; when it is called, if it returns anything but finite numbers of that shape.

    Notes
    -----
    It must draw from `rng` alone, or a seed is not the same twice, and several threads may call it at once. It is
    called from Python: 50 microseconds or more for a seed, where a kernel takes a tenth of one. JSON holds its name
    only, `module:qualified.name`, and reading that back is refused: nothing is ever imported by name. Two functions
    of one name, such as two lambdas of a module, give experiments of one id.

    Examples
    --------
    >>> import fastgrok as fg
    >>> exp = fg.Experiment(fg.mlp(2, 1), fg.datasets.xor(), init=lambda rng, *fans: rng.laplace(size=fans))
    >>> fg.initial_params(exp, seeds=3)[0].shape
    (3, 2, 1)
    """

    in_kernel = False
    from_text = False
    function: Annotated[
        Callable[..., Any],
        BeforeValidator(_function),
        Field(description="a function f(rng, fan_in, fan_out); one is not read back from its name: give it again"),
    ]

    @property
    def name(self) -> str:
        """Where the function is: module:qualified.name."""
        owner = self.function if hasattr(self.function, "__qualname__") else type(self.function)
        return f"{owner.__module__}:{owner.__qualname__}"

    def to_dict(self) -> dict[str, Any]:
        """Return the function's name, from which it cannot be rebuilt.

        Examples
        --------
        >>> import math
        >>> FromFunction(math.hypot).to_dict()
        {'type': 'FromFunction', 'function': 'math:hypot'}
        """
        return {"type": type(self).__name__, "function": self.name}

    def draw(
        self, field: str, rng: Any, fans: tuple[int, int], shape: tuple[int, ...], dtype: str
    ) -> NDArray[np.float64]:
        """Return the function's numbers for `init` or `bias_init` (`field`), of this shape and held by the dtype.

        Examples
        --------
        >>> FromFunction(lambda rng, *fans: [[1, 2]]).draw("init", None, (1, 2), (1, 2), "float32")
        array([[1., 2.]])
        """
        drawn = self.function(rng, *fans)
        try:
            array = _numbers(drawn)
        except (TypeError, ValueError):
            returned = type(drawn).__name__
        else:
            with np.errstate(over="ignore"):
                held = np.isfinite(array.astype(dtype)).all()
            if array.shape == shape and held:
                return array
            returned = f"shape {array.shape}" if held else f"numbers that {dtype} does not hold"
        expected = f"finite numbers of shape {shape} for fans {fans}, and the function gave {returned}"
        raise InvalidExperiment(field, self, expected)

    def __repr__(self) -> str:
        return f"FromFunction({self.name})"


def _numbers(value: Any) -> NDArray[np.float64]:
    """Return an array of finite real numbers; raise a ValueError or TypeError if it is none."""
    array = np.asarray(value)
    if array.dtype.kind not in "iuf":
        raise ValueError("not an array of real numbers")
    array = array.astype(np.float64)
    if not np.isfinite(array).all():
        raise ValueError("not finite")
    return array


@register
@dataclass(frozen=True, init=False, repr=False)
class FromArrays(VariadicSpec, Initializer):
    """The same start for every seed: arrays, layer by layer.

    Draws nothing from the stream.

    Parameters
    ----------
    *arrays
        As `init` the weights, one (fan_in, fan_out) a Linear layer; with `bias_init="same"` weights and biases, in
        the order of `params`. As `bias_init` the biases, one (fan_out,) a Linear layer that has them.

    Raises
    ------
    InvalidExperiment
        If one is not an array of finite numbers with one or two axes; in an experiment, if shapes do not fit.

    Notes
    -----
    JSON holds every number. For a start of its own for every seed there is `fg.run(exp, params=...)`.

    Examples
    --------
    >>> import fastgrok as fg
    >>> fg.FromArrays([[1, 1], [1, 1]], [[1], [-2]])
    FromArrays(((1.0, 1.0), (1.0, 1.0)), ((1.0,), (-2.0,)))
    """

    in_kernel = False
    arrays: tuple[Nested, ...]

    def __init__(self, *arrays: Any) -> None:
        nested = [_nested(f"arrays[{index}]", array) for index, array in enumerate(arrays)]
        if not nested:
            raise InvalidExperiment("arrays", MISSING, "one array or more")
        object.__setattr__(self, "arrays", tuple(nested))

    def fitting(self, field: str, shapes: list[tuple[int, ...]]) -> list[NDArray[np.float64]]:
        """Return the arrays, if these are their shapes.

        Examples
        --------
        >>> FromArrays([[1, 2]]).fitting("init", [(1, 2)])
        [array([[1., 2.]])]
        """
        arrays = [np.array(array) for array in self.arrays]
        if [array.shape for array in arrays] != shapes:
            more = "; with the biases among them, bias_init='same'" if field == "init" else ""
            raise InvalidExperiment(field, self, f"arrays of the shapes {', '.join(map(str, shapes))}{more}")
        return arrays

    def __repr__(self) -> str:
        count = sum(np.size(array) for array in self.arrays)
        if count <= _MAX_NUMBERS:
            return f"FromArrays({', '.join(map(repr, self.arrays))})"
        return f"FromArrays(<{len(self.arrays)} arrays of {count:,} numbers>)"


@register
@dataclass(frozen=True, init=False, repr=False)
class ByLayer(VariadicSpec, Initializer):
    """A distribution of its own for each Linear layer.

    Parameters
    ----------
    *schemes
        As many as the network has Linear layers, in their order: initializers that draw from a distribution, or names
        such as "he_normal". As `bias_init` those of the biases, of a layer without biases too, which has no use for
        its own.

    Raises
    ------
    InvalidExperiment
        If one is no such scheme; in an experiment, if there are more or fewer than layers.

    Notes
    -----
    All draw from the seed's one stream, layer by layer, as they do alone. With `bias_init="default"` the biases of
    each layer are what goes with its weights.

    Examples
    --------
    >>> import fastgrok as fg
    >>> fg.ByLayer("he_normal", fg.Uniform(-0.1, 0.1))
    ByLayer(HeNormal(), Uniform(low=-0.1, high=0.1))
    """

    in_kernel = True
    from_text = True
    schemes: tuple[Scheme, ...]

    def __init__(self, *schemes: Any) -> None:
        read = tuple(as_initializer(f"schemes[{k}]", scheme) for k, scheme in enumerate(schemes))
        if not read:
            raise InvalidExperiment("schemes", MISSING, "one scheme or more")
        for k, scheme in enumerate(read):
            if not isinstance(scheme, Scheme):
                expected = "an initializer that draws from a distribution, such as HeNormal(), or its name"
                raise InvalidExperiment(f"schemes[{k}]", scheme, expected)
        object.__setattr__(self, "schemes", read)

    @property
    def default_biases(self) -> Initializer:
        """Those that go with the weights of each layer."""
        return ByLayer(*(scheme.default_biases for scheme in self.schemes))

    def __repr__(self) -> str:
        return f"ByLayer({', '.join(map(repr, self.schemes))})"


def _nested(field: str, value: Any) -> Nested:
    """Return an array as tuples, which are equal, hashed and written to JSON by their numbers."""
    check_unmasked(field, value)
    try:
        array = _numbers(value)
    except (TypeError, ValueError, OverflowError):
        array = None
    if array is None or array.ndim not in (1, 2) or array.size == 0:
        raise InvalidExperiment(
            field, value, "an array of finite numbers: weights (fan_in, fan_out) or biases (fan_out,)"
        )
    return tuple(tuple(row) if array.ndim == 2 else row for row in (array + 0.0).tolist())


def as_initializer(field: str, value: object) -> object:
    """Read a name, wrap a function or a list of arrays; return everything else as it is."""
    if isinstance(value, str):
        return from_call(field, Initializer, value)
    if isinstance(value, list | tuple):
        try:
            return FromArrays(*value)
        except InvalidExperiment as error:
            raise error.within(field) from None
    if isinstance(value, Initializer | type) or not callable(value):
        return value
    return FromFunction(value)
