"""The flags of the command line: those of an experiment are made from the fields of its specifications."""

import functools
import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import typer

from fastgrok.datasets.missing import MISSING_RULES
from fastgrok.errors import MISSING, InvalidExperiment
from fastgrok.spec import names
from fastgrok.spec.base import Spec
from fastgrok.spec.calls import NONE, FieldDescription, call_name, classes_by_name, describe, integer
from fastgrok.spec.experiment import Experiment
from fastgrok.spec.initializers.base import Initializer
from fastgrok.spec.layers import ACTIVATIONS, MAX_WIDTH, Linear
from fastgrok.spec.names import resolved
from fastgrok.spec.optimizers import Optimizer
from fastgrok.spec.recording import DEAD_UNITS, LOG
from fastgrok.spec.stopping import Converged, EarlyStopping, Restart
from fastgrok.spec.variables import ACCURACY, OUTCOME_MEANINGS, OUTCOMES

Values = Mapping[str, Any]
"""The value of each flag by its name: text as it was typed, a bool or an int; None where the flag is not given."""

DATA, NETWORK, INITIALISATION, TRAINING = "Data", "Network", "Initialisation", "Training"
STOPPING, OUTPUT, STORE = "Stopping, validation, restarts", "Output", "Store (--out with a directory)"


def option(name: str) -> str:
    """Return the flag of a name: `--batch-size` of batch_size."""
    return "--" + name.replace("_", "-")


class Flag(NamedTuple):
    """A flag of the command line."""

    name: str  # the key in `Values` and in a TOML file; the flag is `--name` with hyphens
    help: str  # one line
    panel: str | None  # the group in which `--help` shows it; None: beside --help
    kind: type = str  # str, int, or bool for `--name/--no-name`
    default: Any = None  # where it is not given; of a bool False, there is no `--no-name`
    field: str = ""  # the path in an experiment that it sets; "" where it sets none
    read: Callable[[str, str], Any] | None = None  # (flag, text) -> a value of the field
    words: tuple[str, ...] = ()  # what a shell completes

    @property
    def option(self) -> str:
        """The flag as it is typed."""
        return option(self.name)

    @property
    def parameter(self) -> inspect.Parameter:
        """The flag as a parameter of a function, as typer reads it."""
        both = f"{self.option}/--no-{self.option[2:]}"
        declared = both if self.kind is bool and self.default is not False else self.option
        declaration = typer.Option(
            self.default,
            declared,
            help=self.help,
            show_default=False,
            rich_help_panel=self.panel,
            autocompletion=self._complete if self.words else None,
        )
        kind = inspect.Parameter.KEYWORD_ONLY
        return inspect.Parameter(self.name, kind, default=declaration, annotation=self.kind | None)

    def _complete(self, incomplete: str) -> list[str]:
        """Return the words that the last item of a comma list may become."""
        done, comma, begun = incomplete.rpartition(",")
        return [f"{done}{comma}{word}" for word in self.words if word.startswith(begun)]

    def values(self, value: Any) -> list[Any]:
        """Return the values of a comma list: several span an axis."""
        if not isinstance(value, str) or self.read is None:
            return [value]
        return [self.read(self.option, item) for item in items(self.option, value)]


def items(flag: str, text: str) -> list[str]:
    """Split a comma list, leaving commas in parentheses alone."""
    parts, depth = [""], 0
    for character in text:
        depth += (character == "(") - (character == ")")
        if character == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    parts = [part.strip() for part in parts]
    if depth:
        expected = "a closing parenthesis: one is not closed" if depth > 0 else "an opening parenthesis for each )"
        raise InvalidExperiment(flag, text, expected)
    if not all(parts):
        raise InvalidExperiment(flag, text, "one value, or several with a comma between two")
    if len(set(parts)) < len(parts):
        raise InvalidExperiment(flag, text, "values that differ from each other")
    return parts


def _activation(flag: str, text: str) -> str:
    """Return the name of an activation."""
    return resolved(flag, text, ACTIVATIONS, names.ACTIVATIONS)


def whole_number(flag: str, text: str, expected: str = "an integer") -> int:
    """Read an integer; an error names the flag."""
    try:
        return integer(text)
    except ValueError as error:
        raise InvalidExperiment(flag, text, expected) from error


def whole_numbers(flag: str, text: str, expected: str = "an integer") -> list[int]:
    """Read a comma list of integers."""
    return [whole_number(flag, item, expected) for item in items(flag, text)]


def epochs_or_log(text: str | None) -> str | list[int] | None:
    """Read `--record-at`: epochs, or the word for round numbers of them."""
    return text if text is None or text == LOG else whole_numbers("--record-at", text, f"an integer or {LOG!r}")


def widths(flag: str, text: str) -> tuple[int, ...]:
    """Read the widths of hidden layers: `4`, `4x4`, or `none`."""
    if text == NONE:
        return ()
    expected = "a width such as 4, several as in 4x4, or none"
    try:
        sizes = tuple(integer(width) for width in text.split("x"))
    except ValueError as error:
        raise InvalidExperiment(flag, text, expected) from error
    if not all(1 <= width <= MAX_WIDTH for width in sizes):
        raise InvalidExperiment(flag, text, f"widths from 1 to {MAX_WIDTH}, or none for no hidden layer")
    return sizes


_INIT = "distribution of the initial weights; with arguments as in uniform(-2,2), he_normal(mode=fan_out)"
_SCHEDULE = (
    "how the learning rate changes, as step_lr(100,gamma=0.5), multi_step_lr([300,800]), exponential_lr(0.99), "
    "cosine_annealing_lr(1000), linear_lr(0.1,total_iters=50), sequential_lr([linear_lr(0.1),step_lr(100)],[5])"
)

_HELP = {
    "init": f"{_INIT}: {', '.join(classes_by_name(Initializer))}",
    "bias_init": "distribution of the initial biases, likewise; same: that of the weights; default: zeros, "
    "but with torch_linear as PyTorch's Linear has them",
    "check_every": "epochs from one check of the criteria and of the validation loss to the next",
    "dtype": "float64 or float32",
    "optimizer": f"how the gradient of a batch changes the parameters: {', '.join(classes_by_name(Optimizer))}",
    "optimizer.schedule": _SCHEDULE,
    "stop.loss": "converged at this mean loss over the examples; default: 0.01 if no criterion is given",
    "stop.max_error": "converged at this largest error of an output",
    "stop.accuracy": f"converged at this accuracy, the {ACCURACY}",
    "restart.after": "new parameters for a seed that has not converged after so many epochs, or none",
    "restart.at_most": "restarts at most; default: as many as fit into --epochs",
}
"""Help of fields where the first sentence of the specification's docstring is not enough here."""

_PANELS = {
    **dict.fromkeys(("init", "bias_init", "stream"), INITIALISATION),
    **dict.fromkeys(("stop", "restart", "check_every"), STOPPING),
    "network": NETWORK,
}
_NAMES = {"stop.keep_training": "keep_training"}


def _written(value: Any) -> str:
    """Write a default as it is typed."""
    if isinstance(value, Spec):
        fields = type(value).__pydantic_fields__.items()
        arguments = [_written(getattr(value, name)) for name, info in fields if info.repr]
        return call_name(type(value)) + (f"({','.join(arguments)})" if arguments else "")
    if value is None or isinstance(value, bool):
        return {None: NONE, True: "yes", False: "no"}[value]
    return f"{value:g}" if isinstance(value, float) else str(value)


def _field_flag(path: str, name: str, fields: Mapping[str, FieldDescription], n_kinds: int = 1) -> Flag:
    """Return the flag of a field that some of `n_kinds` specifications have, by the names of these."""
    field = next(iter(fields.values()))
    text = _HELP.get(path, field.help[:1].lower() + field.help[1:].removesuffix(".").replace('"', ""))
    if len(fields) < n_kinds:
        text = f"of {', '.join(fields)}: {text}"
    defaults = {kind: _written(described.default) for kind, described in fields.items()}
    if field.default is not MISSING and "default:" not in text:
        by_kind = [f"{kind} {default}" for kind, default in defaults.items()]
        text += f"; default: {', '.join(by_kind if len(set(defaults.values())) > 1 else set(defaults.values()))}"
    kind = bool if isinstance(field.default, bool) else str
    panel = _PANELS.get(path.partition(".")[0], TRAINING)
    return Flag(name, text, panel, kind, None, path, field.parse, field.words)


def _kind_flags(place: str, kinds: Mapping[str, type[Spec]], prefix: str = "") -> Iterator[Flag]:
    """Yield a flag for each field of the specifications that may stand in one place of an experiment."""
    described = {kind: describe(cls) for kind, cls in kinds.items()}
    for name in dict.fromkeys(name for fields in described.values() for name in fields):
        path = f"{place}.{name}"
        fields = {kind: fields[name] for kind, fields in described.items() if name in fields}
        yield _field_flag(path, _NAMES.get(path, prefix + name), fields, len(kinds))


def _experiment_flags() -> Iterator[Flag]:
    """Yield the flags of an experiment, field by field in the order of its declaration."""
    for name, field in describe(Experiment).items():
        match name:
            case "data":
                yield from DATA_FLAGS
            case "network":
                yield from _NETWORK_FLAGS
                activations = {kind: cls for kind, cls in ACTIVATIONS.items() if cls is not None}
                yield from (flag._replace(field=name) for flag in _kind_flags(name, activations))
            case "optimizer":
                yield _field_flag(name, name, {"": field})
                yield from _kind_flags(name, classes_by_name(Optimizer))
            case "stop":
                yield from _kind_flags(name, classes_by_name(Converged), "stop_")
                text = "no criterion: run every epoch, unless --patience ends it"
                yield Flag("no_stop", text, STOPPING, bool, False, "stop")
                yield from _kind_flags(name, classes_by_name(EarlyStopping))
            case "restart":
                flag, *others = _kind_flags(name, classes_by_name(Restart), "restart_")
                after = describe(Restart)["after"]
                after = after._replace(annotation=after.annotation | None, accepted=f"{after.accepted}, or None")
                yield from (flag._replace(read=after.parse), *others)
            case "validation":
                yield from _VALIDATION_FLAGS
            case _:
                yield _field_flag(name, name, {"": field})


COLUMN_FLAGS = (
    Flag("target", "column of the target in the CSV file, or several: one output each", DATA),
    Flag("features", "columns of the inputs; default: all the others", DATA),
    Flag("classes", "the target holds classes; default: words do, and 0 to k - 1, each twice or more", DATA, bool),
    Flag("regression", "the target holds numbers", DATA, bool, False),
    Flag("one_hot", "two classes are two outputs, as for softmax; default: one, 0 or 1", DATA, bool, False),
    Flag("categorical", "columns of the inputs that hold categories, words or numbers", DATA),
    Flag("missing", "of blank values: drop leaves rows out, mean takes the column's mean", DATA, words=MISSING_RULES),
    Flag("delimiter", "between values: a character, tab or blank; default: found", DATA),
    Flag("decimal", "the decimal mark, . or a comma; default: found", DATA),
    Flag("encoding", "of the text, such as cp1252; default: utf-8, or utf-16 by its mark", DATA),
    Flag("header", "whether the first row has names; without: x0, x1, ..., or 0, 1, ..., -1 the last", DATA, bool),
)
"""The flags that say how a CSV file is read."""

DATA_FLAGS = (
    Flag("data", "CSV file (a header, then values) or NPZ file (X, y) instead of a name", DATA, field="data"),
    *COLUMN_FLAGS,
    Flag("standardize", "inputs to mean 0 and deviation 1, by the training rows", DATA, bool, False),
    Flag("min_max", "inputs to 0 to 1, by the training rows", DATA, bool, False),
)

_HIDDEN = "widths of the hidden layers; 4x4: two of them; none: no hidden layer; default: 4"
_AFTER_HIDDEN = f"after each hidden layer: {', '.join(ACTIVATIONS)}; default: relu"
_AFTER_LAST, _BIAS = "after the last layer, likewise; default: linear", "whether the layers have biases; default: yes"
_network_flag = functools.partial(Flag, panel=NETWORK, field="network")
_NETWORK_FLAGS = (
    _network_flag("hidden", _HIDDEN, default="4", read=widths),
    _network_flag("activation", _AFTER_HIDDEN, default="relu", read=_activation, words=tuple(ACTIVATIONS)),
    _network_flag("output", _AFTER_LAST, default="linear", read=_activation, words=tuple(ACTIVATIONS)),
    _network_flag("bias", _BIAS, kind=bool, default=True, read=describe(Linear)["bias"].parse),
)

_SHARE = "share of the examples, as 0.25, or CSV or NPZ file to validate on"
_VALIDATION_FLAGS = (
    Flag("validation", _SHARE, STOPPING, field="validation"),
    Flag("split_seed", "seed of that share; default: 0", STOPPING, int),
    Flag("stratified", "every distinct target has that share", STOPPING, bool, False),
)

_ORDER = (DATA, NETWORK, INITIALISATION, TRAINING, STOPPING)
EXPERIMENT_FLAGS = tuple(sorted(_experiment_flags(), key=lambda flag: _ORDER.index(flag.panel or "")))
"""The flags of an experiment."""

_SEEDS = "n for seeds 0 to n - 1 (42 means 42 seeds); first:stop (42:43 is seed 42 alone); or seeds as in 3,5,8"
_OUT = "write to a .parquet or .nc file (.nc needs h5netcdf and h5py), or to a store: a directory"
_TRACK = "dead_units: the epoch since which each ReLU is dead; needs --out"
_ROWS = "all, or failures for the rows of seeds that did not converge; default: all"

SWEEP_FLAGS = (
    Flag("seeds", f"{_SEEDS}; default: 1000", None, default="1000"),
    Flag("threads", "threads; default: one for each CPU", None, int),
    Flag("lanes", "seeds in a vector: a power of two up to 64", None, int),
    Flag("specialize", "compile for this very network; default: where it saves time", None, bool),
    Flag("dry_run", "say how much work it is, and do nothing", None, bool, False),
    *EXPERIMENT_FLAGS,
    Flag("out", _OUT, OUTPUT),
    Flag("compare", "a field with a list, such as init: compare its values, paired by seed", OUTPUT),
    Flag("record_at", "epochs at which loss, accuracy, dead units are recorded, or log; needs --out", OUTPUT),
    Flag("track", _TRACK, OUTPUT, words=(DEAD_UNITS,)),
    Flag("json", "print one JSON document instead of the table", OUTPUT, bool, False),
    Flag("quiet", "no table and no progress bar", OUTPUT, bool, False),
    Flag("shard_size", "training runs of a shard at most; default: what suits", STORE, int),
    Flag("rows", _ROWS, STORE, default="all", words=("all", "failures")),
    Flag("keep_params", "keep the trained parameters", STORE, bool, False),
    Flag("shard", "i/n for the i-th of n parts of the work, i from 1, as in a Slurm array", STORE),
    Flag("scheduler", "the address of a Dask scheduler, whose workers do the work", STORE),
)
"""The flags of `fastgrok sweep`."""

_CONFIG = "of a store: the configuration, by its place in the table or as in init=HeNormal()"
_EVERY = "recorded after every epoch, or every step; default: epoch"
_TRACE_FLAGS = (
    Flag("seed", "the seed, or an outcome, such as converged, for the first seed that has it", None, words=OUTCOMES),
    Flag("config", _CONFIG, None),
    Flag("every", _EVERY, None, default="epoch", words=("epoch", "step")),
    Flag("record_at", "only these epochs, or log; default: all", None),
)

OF_COMMANDS = {
    "sweep": SWEEP_FLAGS,
    "replay": (
        *_TRACE_FLAGS,
        Flag("out", "write everything to a .nc file (needs h5netcdf and h5py)", None),
        Flag("json", "print one JSON document instead of the table", None, bool, False),
        *EXPERIMENT_FLAGS,
    ),
    "explain": (
        *_TRACE_FLAGS,
        Flag("at", "the epoch, or the step with --every step; default: the last", None, int),
        Flag("example", "the example of a worked pass, from 0; default: 0", None, int, 0),
        Flag("picture", "draw it to this file, such as why.png", None),
        *EXPERIMENT_FLAGS,
    ),
}
"""The flags of the commands about an experiment."""

_DATA = "xor, and, or, parity3, streetlights, deep_streetlights; iris, wine, digits; xor(low=-1) has inputs -1 and 1"
SWEPT = f"{_DATA}; or a TOML file"
TRACED = f"a store's directory; a .nc file of fastgrok replay; or data: {_DATA}"

EPILOG = "\n\n".join(
    ["The outcome of a seed is the first of these that applies:"]
    + [f"{name:10}  {meaning}" for name, meaning in OUTCOME_MEANINGS.items()]
)
"""What stands below the flags in the help of `fastgrok sweep`."""
