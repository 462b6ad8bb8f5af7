"""Everything that fixes a training run but the seed."""

import dataclasses
import hashlib
import json
from collections.abc import Collection
from functools import cached_property
from typing import Annotated, Any, Literal, NoReturn, Self, TypeVar, cast, get_args

import numpy as np
from pydantic import BeforeValidator, Field, InstanceOf, ValidationInfo

from fastgrok.datasets import Dataset
from fastgrok.datasets.names import by_name
from fastgrok.errors import InvalidExperiment, one_line
from fastgrok.spec import names
from fastgrok.spec.base import Spec, canonical, spec
from fastgrok.spec.calls import from_call, named
from fastgrok.spec.fields import Integer
from fastgrok.spec.initializers.base import BiasWord, Initializer, Uniform
from fastgrok.spec.initializers.custom import as_initializer
from fastgrok.spec.initializers.tensors import bias_scheme
from fastgrok.spec.losses import LOSSES, Loss, Reduction, check_last_layer, check_targets
from fastgrok.spec.names import resolved
from fastgrok.spec.network import Network
from fastgrok.spec.optimizers import SGD, Optimizer
from fastgrok.spec.paths import paths, replaced
from fastgrok.spec.precision import check_data, check_initial, check_numbers
from fastgrok.spec.schedules import MAX_EPOCHS as MAX_SCHEDULED
from fastgrok.spec.stopping import Converged, EarlyStopping, Restart, Stationary
from fastgrok.spec.words import hint_of_place

MAX_COUNT = 10**9
"""Epochs, and examples of a batch, at most."""

MAX_ORDER_SEED = 2**32 - 1
"""The largest seed of shuffles, which every stream takes."""


def _dtype_name(value: Any) -> Any:
    """Return the name of a NumPy dtype; anything else as it is."""
    if value is np.float64 or value is np.float32 or isinstance(value, np.dtype):
        return np.dtype(value).name
    return value


STOPPING = (Converged, EarlyStopping, Stationary)
"""The stopping rules, in the order in which several stand."""


def _criteria_first(value: Any) -> Any:
    """Read names, and put several rules in one order, so that equal experiments have equal JSON."""
    if isinstance(value, str):
        return from_call("stop", STOPPING, value)
    if isinstance(value, tuple | list):
        value = tuple(_criteria_first(rule) if isinstance(rule, str) else rule for rule in value)
        if all(isinstance(rule, STOPPING) for rule in value):
            return tuple(sorted(value, key=lambda rule: STOPPING.index(type(rule))))
    return value


def _scheme(value: Any, info: ValidationInfo) -> Any:
    """Make an initializer of a name, of a function or of arrays."""
    if isinstance(value, str) and value in get_args(BiasWord) and info.field_name == "bias_init":
        return value
    return as_initializer(str(info.field_name), value)


def _loss(value: Any, info: ValidationInfo) -> Any:
    """Return our name of a loss that another library names."""
    if not isinstance(value, str) or value in LOSSES or "network" not in info.data:
        return value
    return resolved("loss", value, LOSSES, names.LOSSES, info.data["network"].n_out)


AnyNetwork = Annotated[InstanceOf[Network], Field(description="a Network, such as mlp(2, 4, 1)")]
_NamedData = BeforeValidator(lambda value: by_name(value) if isinstance(value, str) else value)
AnyDataset = Annotated[
    InstanceOf[Dataset],
    _NamedData,
    Field(description="a Dataset, such as datasets.xor()"),
]
AnyLoss = Annotated[Loss, BeforeValidator(_loss)]
Init = Annotated[
    InstanceOf[Initializer],
    BeforeValidator(_scheme),
    Field(description="an initializer, such as Uniform(-1, 1), its name, a function, or a list of arrays"),
]
BiasInit = Annotated[
    BiasWord | InstanceOf[Initializer],
    BeforeValidator(_scheme),
    Field(
        description="an initializer, such as Zeros(), its name, a function, arrays, 'default' for what goes with "
        "init, or 'same' for that of the weights"
    ),
]
AnyOptimizer = Annotated[
    InstanceOf[Optimizer],
    named(Optimizer),
    Field(description="an optimizer, such as SGD(lr=0.1) or Adam(), or its name"),
]
BatchSize = Annotated[
    Literal["full"] | Annotated[Integer, Field(ge=1, le=MAX_COUNT)],
    Field(description=f"an integer at least 1 and at most {MAX_COUNT}, or 'full'"),
]
Validation = Annotated[
    InstanceOf[Dataset] | None,
    _NamedData,
    Field(description="None, or a Dataset, such as one of those that data.split() gives"),
]
Rule = InstanceOf[Converged] | InstanceOf[EarlyStopping] | InstanceOf[Stationary]
Stop = Annotated[
    Rule | tuple[Rule, Rule] | tuple[Rule, Rule, Rule] | None,
    BeforeValidator(_criteria_first),
    Field(
        description="None, a stopping rule such as Converged(loss=0.01), EarlyStopping(patience=20) or "
        "Stationary(1e-6), or a tuple of several, each of its kind"
    ),
]
Restarts = Annotated[
    InstanceOf[Restart] | None, named(Restart), Field(description="None, or a Restart, such as Restart(after=1000)")
]
_Rule = TypeVar("_Rule", Converged, EarlyStopping, Stationary)
DType = Annotated[Literal["float64", "float32"], BeforeValidator(_dtype_name)]


@spec
class Experiment(Spec):
    """A network, its data and everything else that training needs, but the seed.

    Parameters
    ----------
    network
        Layers whose parameters are trained. As many inputs and outputs as the data.
    data
        Examples to train on.
    loss
        What is minimised: "half_squared_error", "squared_error", "absolute_error", "huber", "binary_cross_entropy",
        which needs a Sigmoid as the last layer and targets from 0 to 1, or "cross_entropy", which needs a Softmax and
        targets that are probabilities of classes, such as one-hot rows.
    reduction
        What an update takes of the gradients of a batch's examples: their "mean" or their "sum".
    init
        Distribution of the initial weights: an initializer, or a name such as "he_normal". A function becomes
        `FromFunction`, a list of arrays `FromArrays`.
    bias_init
        Distribution of the initial biases, "same" for that of the weights, or "default": zeros, and PyTorch's where
        `init` is `TorchLinear`. Functions and arrays as for `init`; see `bias_initializer`.
    stream
        Generator of a seed: "numpy" is `numpy.random.default_rng(seed)`, "numpy_legacy" is
        `numpy.random.RandomState(seed)`.
    optimizer
        How the gradient of a batch changes the parameters; also a name such as "adam".
    batch_size
        Examples per update, or "full". A last short batch is a batch, and a size beyond the number of
        examples is the full batch, as in PyTorch (see `batch_rows`).
    order
        Order of the examples: "fixed", as in the data; "shared", shuffled each epoch, alike for every seed;
        "per_seed", shuffled from the seed's own stream; "with_replacement", as many as there are drawn each epoch
        from the seed's own stream, some of them several times.
    order_seed
        Seed of the stream from which order="shared" shuffles. All seeds have these shuffles in common, and what is
        found holds for them: an axis of order seeds says how much depends on that.
    epochs
        Passes over the examples at most, 0 to 10**9; 0 only initialises.
    stop
        When training stops: `Converged`, `EarlyStopping`, `Stationary`, or a tuple of several. None: every epoch is
        run.
    validation
        Examples that are not trained on. `data.split` makes them. Their loss is taken after every epoch, for the
        best one; accuracy is by the midpoint of the training targets.
    check_every
        Epochs of a seed (of an attempt, with `restart`) from one check to the next: of the criteria of `stop`, the
        validation loss and what `run` tracks. The last epoch is checked too. A criterion that held between two
        checks and no longer holds has not been met.
    restart
        When a seed that has not converged begins anew. None: never.
    dtype
        "float64" or "float32", also as NumPy's type or dtype. It must hold every number of the experiment.

    Raises
    ------
    InvalidExperiment
        If the value of a field is not accepted, or two fields do not fit each other.

    Examples
    --------
    >>> import fastgrok as fg
    >>> fg.Experiment(fg.mlp(2, 4, 1, output="sigmoid"), fg.datasets.xor(), epochs=500)
    <Experiment 2-4-1 relu/sigmoid on xor: epochs=500>
    """

    optional_fields = ("order_seed",)

    network: AnyNetwork
    data: AnyDataset
    _: dataclasses.KW_ONLY
    loss: AnyLoss = "half_squared_error"
    reduction: Reduction = "mean"
    init: Init = Uniform(-1, 1)
    bias_init: BiasInit = "default"
    stream: Literal["numpy", "numpy_legacy"] = "numpy"
    optimizer: AnyOptimizer = SGD(lr=0.1)
    batch_size: BatchSize = 1
    order: Literal["fixed", "shared", "per_seed", "with_replacement"] = "fixed"
    order_seed: Annotated[Integer, Field(ge=0, le=MAX_ORDER_SEED)] = 0
    epochs: Annotated[Integer, Field(ge=0, le=MAX_COUNT)] = 1000
    stop: Stop = Converged(loss=0.01)
    validation: Validation = None
    check_every: Annotated[Integer, Field(ge=1, le=MAX_COUNT)] = 1
    restart: Restarts = None
    dtype: DType = "float64"

    @classmethod
    def _hint(cls, name: Any, names: Collection[str]) -> str:
        """Return the end of a sentence about a field that there is not: which one, or where, may be meant."""
        return hint_of_place(name, names)

    def _with(self, values: dict[str, Any]) -> Self:
        """Return a copy with other values of some fields.

        Where a specification takes the place of one of its class, that was checked when it was made, and it remains
        how the fields go together: a sweep makes thousands of such copies.
        """
        if not all(isinstance(v, Spec) and type(v) is type(getattr(self, name, None)) for name, v in values.items()):
            return super()._with(values)
        made = object.__new__(type(self))
        made.__dict__.update(self._values() | values)
        made.__post_init__()
        return made

    def __post_init__(self) -> None:
        for field, data in self._datasets():
            self._check_widths(field, data)
        check_last_layer("loss", self.loss, self.network.layers[-1])
        for field, data in self._datasets():
            check_targets(f"{field}.y", self.loss, data.y)
        self._check_combinations()
        self._check_precision()

    def _datasets(self) -> list[tuple[str, Dataset]]:
        """Return the datasets by their fields."""
        return [("data", self.data)] + ([] if self.validation is None else [("validation", self.validation)])

    def _check_widths(self, field: str, data: Dataset) -> None:
        """Raise unless a dataset fits the network."""
        for width, needed, ends in (
            (self.network.n_in, data.n_in, "inputs"),
            (self.network.n_out, data.n_out, "outputs"),
        ):
            if width != needed:
                expected = f"a network with the {needed} {ends} of {field} {data.name!r}, and it has {width}"
                raise InvalidExperiment("network", self.network, expected)
        for name in ("feature_names", "target_names"):
            if getattr(data, name) != getattr(self.data, name):
                wanted = f"the {name} of data, {', '.join(getattr(self.data, name))}"
                raise InvalidExperiment(f"{field}.{name}", getattr(data, name), wanted)
        if (data.shift, data.scale) != (self.data.shift, self.data.scale):
            scaled = None if data.shift is None else "another scaling"
            raise InvalidExperiment(f"{field}.shift", scaled, f"the scaling of data: {field}.scaled_as(data)")
        if data.classes != self.data.classes and None not in (data.classes, self.data.classes):
            raise InvalidExperiment(f"{field}.classes", data.classes, f"those of data, {self.data.classes}")

    def _check_combinations(self) -> None:
        """Raise unless stopping rules, restarts, validation and schedule go together."""
        if isinstance(self.stop, tuple) and len({type(rule) for rule in self.stop}) < len(self.stop):
            expected = "a tuple of one Converged, one EarlyStopping and one Stationary at most"
            raise InvalidExperiment("stop", self.stop, expected)
        early = self.early_stopping
        if early is not None and early.monitor == "validation" and self.validation is None:
            expected = "a Dataset: stop has an EarlyStopping, which watches its loss, or that with monitor='training'"
            raise InvalidExperiment("validation", None, expected)
        if self.restart is not None and self.criteria is None:
            raise InvalidExperiment("stop", self.stop, "a Converged: restart is for seeds that have not converged")
        for rule in (early, self.stationary) if self.restart is not None else ():
            if rule is not None:
                own = "patience" if isinstance(rule, EarlyStopping) else "gradient_norm"
                expected = (
                    f"None with {type(rule).__name__}, which ends a seed for good: Restart({own}=) ends an attempt"
                )
                raise InvalidExperiment("restart", self.restart, expected)
        for field in ("init", "bias_init") if self.restart is not None else ():
            scheme = getattr(self, field)
            if isinstance(scheme, Initializer) and not scheme.in_kernel:
                raise InvalidExperiment(field, scheme, "a scheme that a kernel can draw again, with restart")
        if self.optimizer.full_batch_only and self.batch_rows < self.data.n_examples:
            name = type(self.optimizer).__name__
            expected = f"'full' with {name}, which compares one gradient of all examples with the next"
            raise InvalidExperiment("batch_size", self.batch_size, expected)
        if self.optimizer.full_batch_only and self.order == "with_replacement":
            expected = f"another order with {type(self.optimizer).__name__}, which needs every example in each epoch"
            raise InvalidExperiment("order", self.order, expected)
        if self.order_seed and self.order != "shared":
            expected = "0, or order='shared' with it: no other order shuffles alike for every seed"
            raise InvalidExperiment("order_seed", self.order_seed, expected)
        factors, n_layers = self.optimizer.lr_factors, len(self.network.linears)
        if factors is not None and len(factors) != n_layers:
            expected = f"a number for each of the {n_layers} Linear layers of the network"
            raise InvalidExperiment("optimizer.lr_factors", factors, expected)
        if self.optimizer.schedule is not None and self.epochs > MAX_SCHEDULED:
            raise InvalidExperiment("epochs", self.epochs, f"at most {MAX_SCHEDULED} with a schedule")

    def _check_precision(self) -> None:
        """Raise unless the dtype holds every number."""
        check_initial(self.init, self.bias_init, self.network.linears, self.dtype)
        if self.dtype == "float64":
            return  # the numbers of a specification and of a dataset are float64
        for field, data in self._datasets():
            check_data(field, data, self.dtype)
        for field in ("optimizer", "network", "stop", "restart"):
            check_numbers(field, getattr(self, field), self.dtype)

    def _rule(self, kind: type[_Rule]) -> _Rule | None:
        """Return the stopping rule of a kind."""
        rules = self.stop if isinstance(self.stop, tuple) else (self.stop,)
        return next((rule for rule in rules if isinstance(rule, kind)), None)

    @cached_property
    def criteria(self) -> Converged | None:
        """The criteria of convergence in `stop`, or None."""
        return self._rule(Converged)

    @cached_property
    def early_stopping(self) -> EarlyStopping | None:
        """The early stopping in `stop`, or None."""
        return self._rule(EarlyStopping)

    @cached_property
    def stationary(self) -> Stationary | None:
        """The rule on the gradient in `stop`, or None."""
        return self._rule(Stationary)

    @property
    def gradient_norm(self) -> float | None:
        """The norm of the gradient at which a seed ends, or starts again; None: its gradient is not looked at."""
        rule = self.stationary if self.restart is None else self.restart
        return None if rule is None else rule.gradient_norm

    @property
    def frozen_layers(self) -> tuple[int, ...]:
        """The Linear layers, from 0, that are not trained: `lr_factors` is 0 there."""
        return tuple(k for k, factor in enumerate(self.optimizer.lr_factors or ()) if factor == 0)

    @property
    def bias_initializer(self) -> Initializer:
        """The scheme that draws the biases: `bias_init`, or what its word stands for beside `init`."""
        return bias_scheme(self.init, self.bias_init)

    @property
    def n_params(self) -> int:
        """Weights and biases of the network."""
        return self.network.n_params

    @property
    def batch_rows(self) -> int:
        """Examples of a batch, a last short one aside: `batch_size`, at most the number of examples."""
        n = self.data.n_examples
        return n if isinstance(self.batch_size, str) else min(self.batch_size, n)

    def to_json(self) -> str:
        """Return the canonical JSON: whole data, sorted keys, no spaces, the shortest decimals that read back.

        Examples
        --------
        >>> import fastgrok as fg
        >>> exp = fg.Experiment(fg.mlp(2, 1), fg.datasets.and_())
        >>> exp.to_json()[:40]
        '{"batch_size":1,"bias_init":"default","c'
        """
        return self._json(self._values())

    def _json(self, values: dict[str, Any]) -> str:
        """Return the canonical JSON of an experiment with these fields."""
        texts = {name: canonical(value) for name, value in values.items() if not self._is_left_out(name, value)}
        texts["type"] = canonical(type(self).__name__)
        return "{" + ",".join(f'"{name}":{texts[name]}' for name in sorted(texts)) + "}"

    def _is_left_out(self, name: str, value: Any) -> bool:
        """Say whether JSON has no such field: one of later versions, with its default."""
        return name in self.optional_fields and value == self.__pydantic_fields__[name].default

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Rebuild what `to_json` wrote.

        Parameters
        ----------
        text
            JSON with every field of the experiment and of what it is made of; no default is filled in.

        Raises
        ------
        InvalidExperiment
            If it is not JSON, or a field is missing, unknown or invalid.

        Examples
        --------
        >>> import fastgrok as fg
        >>> exp = fg.Experiment(fg.mlp(2, 1), fg.datasets.and_())
        >>> fg.Experiment.from_json(exp.to_json()) == exp
        True
        """
        if not isinstance(text, str):
            raise InvalidExperiment("json", text, "a string of JSON")
        try:
            plain = json.loads(text, object_pairs_hook=_object, parse_constant=_not_finite)
            if isinstance(plain, dict):
                return cls.from_dict(plain)
        except InvalidExperiment:
            raise
        except (ValueError, RecursionError) as error:
            raise InvalidExperiment("json", text, f"valid JSON ({error})") from error
        raise InvalidExperiment("json", plain, "a JSON object with the fields of an experiment")

    @cached_property
    def id(self) -> str:
        """The first 16 hexadecimal digits of the SHA-256 of the canonical JSON, with default biases written out."""
        values = self._values()
        if self.bias_init == "default":
            values["bias_init"] = self.bias_initializer
        return hashlib.sha256(self._json(values).encode("ascii")).hexdigest()[:16]

    def replace_at(self, path: str, value: Any) -> Self:
        """Return the experiment with one field changed, however deep, validated anew.

        Parameters
        ----------
        path
            A field, or a dotted path such as "optimizer.lr" or "network.layers[1].gradient_at_zero".
        value
            Its new value.

        Raises
        ------
        InvalidExperiment
            If there is no such path (the error lists all), or the value is not accepted.

        Examples
        --------
        >>> import fastgrok as fg
        >>> exp = fg.Experiment(fg.mlp(2, 1), fg.datasets.and_())
        >>> exp.replace_at("optimizer.lr", 0.01).optimizer
        SGD(lr=0.01)
        """
        return cast(Self, replaced(self, path, value))

    def paths(self) -> list[str]:
        """Return every path that `replace_at` takes.

        Examples
        --------
        >>> import fastgrok as fg
        >>> fg.Experiment(fg.mlp(2, 1), fg.datasets.and_()).paths()[:4]
        ['network', 'network.layers', 'network.layers[0]', 'network.layers[0].fan_in']
        """
        return list(paths(self))

    def __repr__(self) -> str:
        changed = [
            f"{field.name}={getattr(self, field.name)!r}"
            for field in dataclasses.fields(self)
            if field.kw_only and getattr(self, field.name) != field.default
        ]
        fields = f": {', '.join(changed)}" if changed else ""
        return f"<Experiment {self.network} on {one_line(self.data.name)}{fields}>"


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return the dict of a JSON object, if its keys differ."""
    plain = dict(pairs)
    if len(plain) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise InvalidExperiment("json", twice, "keys that differ, and this one is there twice")
    return plain


def _not_finite(constant: str) -> NoReturn:
    raise InvalidExperiment("json", constant, "finite numbers")


FIELDS = tuple(field.name for field in dataclasses.fields(cast(Any, Experiment)))
"""The fields of an experiment."""
