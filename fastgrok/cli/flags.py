"""The flags of the command line: those of an experiment are made from the fields of its specifications."""

import functools
import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import typer

from fastgrok.cli import texts
from fastgrok.datasets.missing import MISSING_RULES
from fastgrok.errors import MISSING, InvalidExperiment
from fastgrok.spec import names
from fastgrok.spec.base import Spec
from fastgrok.spec.calls import NONE, FieldDescription, call_name, classes_by_name, describe, integer
from fastgrok.spec.experiment import Experiment
from fastgrok.spec.fields import alternatives
from fastgrok.spec.initializers.base import Initializer
from fastgrok.spec.layers import ACTIVATIONS, MAX_WIDTH, Dropout, Linear
from fastgrok.spec.names import resolved
from fastgrok.spec.optimizers import Optimizer
from fastgrok.spec.recording import DEAD_UNITS, LOG
from fastgrok.spec.stopping import Converged, EarlyStopping, Restart, Stationary
from fastgrok.spec.variables import ACCURACY, OUTCOME_MEANINGS, OUTCOMES
from fastgrok.spec.words import OUTCOME_WORDS, field_words

Values = Mapping[str, Any]
"""The value of each flag by its name: text as it was typed, a bool or an int; None where the flag is not given."""

SEEDS, DATA, NETWORK, INITIALISATION, TRAINING = "Seeds", "Data", "Network", "Initialisation", "Training"
STOPPING, OUTPUT, STORE = "Stopping, validation, restarts", "Output", "Store (--out with a directory)"


def option(name: str) -> str:
    """Return the flag of a name: `--batch-size` of batch_size."""
    return "--" + name.replace("_", "-")


class Flag(NamedTuple):
    """A flag of the command line."""

    name: str  # the key in `Values` and in a TOML file; the flag is `--name` with hyphens
    help: str  # one line
    panel: str  # the group in which the help shows it
    kind: type = str  # str, int, or bool for `--name/--no-name`
    default: Any = None  # where it is not given; of a bool False, there is no `--no-name`
    field: str = ""  # the path in an experiment that it sets; "" where it sets none
    read: Callable[[str, str], Any] | None = None  # (flag, text) -> a value of the field
    words: tuple[str, ...] = ()  # what a shell completes
    takes: str = ""  # what follows it, as the help names that: NUMBER, WIDTHS; nothing after a bool
    shown: str = ""  # the default as the help shows it; nothing where there is none to speak of
    brief: str = ""  # a few words, for a flag that -h shows; nothing for the rest

    @property
    def option(self) -> str:
        """The flag as it is typed."""
        return option(self.name)

    @property
    def _declared(self) -> str:
        """The flag and its opposite, as typer takes them."""
        both = f"{self.option}/--no-{self.option[2:]}"
        return both if self.kind is bool and self.default is not False else self.option

    @property
    def usage(self) -> str:
        """The flag and what follows it, as the help shows them."""
        if self.kind is bool:
            return self._declared.replace("/", ", ")
        return f"{self.option} {self.takes or ('INTEGER' if self.kind is int else 'TEXT')}"

    def entry(self, *, brief: bool = False) -> tuple[str, str]:
        """Return what the help says of it: how it is typed, and what for, with the default."""
        usage, text = (self.usage.removesuffix(f"|{NONE}"), self.brief) if brief else (self.usage, self.help)
        return usage, f"{text} [default: {self.shown}]" if self.shown and "[default" not in text else text

    @property
    def parameter(self) -> inspect.Parameter:
        """The flag as a parameter of a function, as typer reads it."""
        declaration = typer.Option(
            self.default,
            self._declared,
            help=self.help,
            show_default=False,
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
    "bias_init": "distribution of the initial biases, likewise; same: that of the weights",
    "check_every": "epochs from one check of the criteria and of the validation loss to the next",
    "dtype": "precision of the training",
    "order_seed": "seed of the shuffles that --order shared gives every seed alike",
    "optimizer": f"how the gradient of a batch changes the parameters: {', '.join(classes_by_name(Optimizer))}",
    "optimizer.schedule": _SCHEDULE,
    "optimizer.lr_factors": "what the learning rate of each Linear layer is multiplied by, as (1,0.1); 0: frozen",
    "stop.loss": "converged at this mean loss over the examples",
    "stop.max_error": "converged at this largest error of an output",
    "stop.accuracy": f"converged at this accuracy, the {ACCURACY}",
    "restart.after": "new parameters for a seed that has not converged after so many epochs, or none",
    "restart.at_most": "restarts at most",
    "restart.patience": "new parameters for a seed that has not converged, nor improved for so many epochs",
    "restart.monitor": "what has to improve for that: the training loss, or the accuracy",
    "restart.min_delta": "difference beyond which it has improved",
    "restart.gradient_norm": "new parameters for a seed that has not converged where its gradient is so small",
    "stop.gradient_norm": "stop a seed where the norm of its gradient, of the mean loss over the data, is so small",
}
"""Help of fields where the first sentence of the specification's docstring is not enough here."""

_SHOWN = {
    "bias_init": "zeros, but with torch_linear as PyTorch's Linear has them",
    "stop.loss": "0.01 if no criterion is given",
    "restart.at_most": "as many as fit into --epochs",
}
"""Defaults of fields that go with something else."""

_BRIEF = {
    "stop.patience": "stop when the validation loss no longer improves",
    "init": "he_normal, ... [default: uniform(-1,1)]",
    "loss": "cross_entropy, ... [default: half_squared_error]",
    "optimizer": "adam, adamw, rmsprop, ... [default: sgd(0.1)]",
    "optimizer.lr": "learning rate [default: 0.1, of adam 0.001]",
    "batch_size": "examples per update",
    "epochs": "passes over the examples at most",
    "stop.loss": "converged at this loss [default: 0.01]",
    "stop.accuracy": "converged at this accuracy",
}
"""A few words on the fields whose flags are common."""

_PANELS = {
    **dict.fromkeys(("init", "bias_init", "stream"), INITIALISATION),
    **dict.fromkeys(("stop", "restart", "check_every"), STOPPING),
    "network": NETWORK,
}


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
    sentence = field.help.removesuffix(".").replace('"', "")
    text = _HELP.get(path, sentence[:1].lower() + sentence[1:])
    if len(fields) < n_kinds:
        text = f"of {', '.join(fields)}: {text}"
    kind = bool if isinstance(field.default, bool) else str
    panel, shown = _PANELS.get(path.partition(".")[0], TRAINING), _SHOWN.get(path, _defaults(fields))
    takes, brief = "" if kind is bool else _takes(field.annotation), _BRIEF.get(path, "")
    return Flag(name, text, panel, kind, None, path, field.parse, field.words, takes, shown, brief)


def _defaults(fields: Mapping[str, FieldDescription]) -> str:
    """Return the default of a field as it is typed, or those of the specifications that have it; "" for none."""
    known = {kind: each.default for kind, each in fields.items() if each.default not in (MISSING, None)}
    defaults = {kind: _written(default) for kind, default in known.items()}
    if len(set(defaults.values())) > 1:
        return ", ".join(f"{kind} {default}" for kind, default in defaults.items())
    return next(iter(defaults.values()), "")


def _takes(annotation: Any) -> str:
    """Return what the help calls the values of a field: NUMBER, INTEGER|full, NAME."""
    types = list(alternatives(annotation))
    words = [each for each in types if isinstance(each, str)]
    listed = "|".join(words)
    names = [listed] if words and len(listed) <= _LONGEST else ["NAME"] * bool(words)
    kinds = {int: "INTEGER", float: "NUMBER", type(None): NONE}
    named = [kinds.get(each, "NAME") for each in types if isinstance(each, type)]
    if float in types:
        named = [name for name in named if name != "INTEGER"]
    return "|".join(sorted(dict.fromkeys([*named, *names]), key=str.islower))


_LONGEST = 22  # of words that the help shows beside a flag


def _kind_flags(place: str, kinds: Mapping[str, type[Spec]], prefix: str = "") -> Iterator[Flag]:
    """Yield a flag for each field of the specifications that may stand in one place of an experiment."""
    described = {kind: describe(cls) for kind, cls in kinds.items()}
    for name, word in field_words(place, kinds, prefix).items():
        fields = {kind: fields[name] for kind, fields in described.items() if name in fields}
        yield _field_flag(f"{place}.{name}", word, fields, len(kinds))


ACTIVATION_KINDS = {kind: cls for kind, cls in ACTIVATIONS.items() if cls is not None}
"""The activations that are layers, by their words."""

ACTIVATION_WORDS = field_words("network", ACTIVATION_KINDS)
"""For each field of an activation the name of its flag."""


def _experiment_flags() -> Iterator[Flag]:
    """Yield the flags of an experiment, field by field in the order of its declaration."""
    for name, field in describe(Experiment).items():
        match name:
            case "data":
                yield from DATA_FLAGS
            case "network":
                yield from _NETWORK_FLAGS
                yield from (flag._replace(field=name) for flag in _kind_flags(name, ACTIVATION_KINDS))
            case "optimizer":
                yield _field_flag(name, name, {"": field})
                yield from _kind_flags(name, classes_by_name(Optimizer))
            case "stop":
                yield from _kind_flags(name, classes_by_name(Converged), "stop_")
                text = "no criterion: run every epoch, unless --patience or --gradient-norm ends it"
                yield Flag("no_stop", text, STOPPING, bool, False, "stop", brief="run every epoch")
                yield from _kind_flags(name, classes_by_name(EarlyStopping))
                yield from _kind_flags(name, classes_by_name(Stationary))
            case "restart":
                yield from _kind_flags(name, classes_by_name(Restart), "restart_")
            case "validation":
                yield from _VALIDATION_FLAGS
            case _:
                yield _field_flag(name, name, {"": field})


_data_flag = functools.partial(Flag, panel=DATA)
COLUMN_FLAGS = (
    _data_flag(
        "target",
        "column of the target in the CSV file, or several: one output each",
        takes="COLUMNS",
        brief="column of the target in a CSV file",
    ),
    _data_flag("features", "columns of the inputs", takes="COLUMNS", shown="all the others"),
    _data_flag(
        "classes", "the target holds classes", kind=bool, shown="words do, and 0 to k - 1, each twice or more"
    ),
    _data_flag("regression", "the target holds numbers", kind=bool, default=False),
    _data_flag(
        "one_hot", "two classes are two outputs, as for softmax", kind=bool, default=False, shown="one, 0 or 1"
    ),
    _data_flag("categorical", "columns of the inputs that hold categories, words or numbers", takes="COLUMNS"),
    _data_flag(
        "missing",
        "of blank values: drop leaves rows out, mean takes the column's mean",
        words=MISSING_RULES,
        takes="|".join(MISSING_RULES),
        shown="an error",
    ),
    _data_flag("delimiter", "between values: a character, tab or blank", takes="CHARACTER", shown="found"),
    _data_flag("decimal", "the decimal mark, . or a comma", takes="CHARACTER", shown="found"),
    _data_flag("encoding", "of the text, such as cp1252", takes="NAME", shown="utf-8, or utf-16 by its mark"),
    _data_flag(
        "header", "whether the first row has names; without: x0, x1, ..., or 0, 1, ..., -1 the last", kind=bool
    ),
)
"""The flags that say how a CSV file is read."""

DATA_FLAGS = (
    _data_flag(
        "data",
        "CSV file (a header, then values) or NPZ file (X, y) instead of a name",
        field="data",
        takes="FILE",
        brief="CSV or NPZ file instead of a name",
    ),
    *COLUMN_FLAGS,
    _data_flag(
        "standardize",
        "inputs to mean 0 and deviation 1, by the training rows",
        kind=bool,
        default=False,
        brief="inputs to mean 0 and deviation 1",
    ),
    _data_flag("min_max", "inputs to 0 to 1, by the training rows", kind=bool, default=False),
)

_WIDTHS = "widths of the hidden layers; 4x4: two of them; none: no hidden layer"
_AFTER_HIDDEN = f"after each hidden layer: {', '.join(ACTIVATIONS)}"
_DROPOUT = "probability that a hidden unit is 0 in an update: rate of a Dropout after each hidden layer"
_SKIP = "whether a hidden layer as wide as the one before it adds that one's output to its own: a Skip around it"
_network_flag = functools.partial(Flag, panel=NETWORK, field="network")
_activation_flag = functools.partial(_network_flag, takes="NAME", read=_activation, words=tuple(ACTIVATIONS))
_NETWORK_FLAGS = (
    _network_flag(
        "hidden", _WIDTHS, default="4", read=widths, takes="WIDTHS", shown="4", brief="hidden layers: 8, 8x8, none"
    ),
    _activation_flag("activation", _AFTER_HIDDEN, default="relu", shown="relu", brief="after them: tanh, gelu, ..."),
    _activation_flag(
        "output",
        "after the last layer, likewise",
        default="linear",
        shown="linear",
        brief="at the end: sigmoid, softmax, ...",
    ),
    _network_flag(
        "bias",
        "whether the layers have biases",
        kind=bool,
        default=True,
        read=describe(Linear)["bias"].parse,
        shown="yes",
    ),
    _network_flag(
        "dropout", _DROPOUT, default="0", read=describe(Dropout)["rate"].parse, takes="RATE", shown="0, none"
    ),
    _network_flag("skip", _SKIP, kind=bool, default=False, read=describe(Linear)["bias"].parse, shown="no"),
)

_validation_flag = functools.partial(Flag, panel=STOPPING)
_VALIDATION_FLAGS = (
    _validation_flag(
        "validation",
        "share of the examples, as 0.25, or CSV or NPZ file to validate on",
        field="validation",
        takes="SHARE|FILE",
        brief="share of the examples, as 0.25, or a file",
    ),
    _validation_flag("split_seed", "seed of that share", kind=int, shown="0"),
    _validation_flag("stratified", "every distinct target has that share", kind=bool, default=False),
)

_ORDER = (DATA, NETWORK, INITIALISATION, TRAINING, STOPPING)
EXPERIMENT_FLAGS = tuple(sorted(_experiment_flags(), key=lambda flag: _ORDER.index(flag.panel)))
"""The flags of an experiment."""

_SEEDS = "n for seeds 0 to n - 1 (42 means 42 seeds); first:stop (42:43 is seed 42 alone); or seeds as in 3,5,8"
_OUT = "write to a .parquet or .nc file (.nc needs h5netcdf and h5py), or to a store: a directory"
_RECORDED = "epochs at which loss, accuracy, dead units are recorded, or log; needs --out"
_seed_flag, _output_flag = functools.partial(Flag, panel=SEEDS), functools.partial(Flag, panel=OUTPUT)
_store_flag = functools.partial(Flag, panel=STORE)
_OF_WORDS = tuple(word.replace("_", "-") for word in OUTCOME_WORDS)
_JSON = _output_flag("json", texts.JSON, kind=bool, default=False, brief=texts.JSON)

SWEEP_FLAGS = (
    _seed_flag("seeds", _SEEDS, default="1000", takes="SEEDS", shown="1000", brief="N, FIRST:STOP, or a list"),
    _seed_flag("threads", texts.THREADS, kind=int, shown=texts.ALL_CPUS),
    _seed_flag("lanes", "seeds in a vector: a power of two up to 64", kind=int, shown="what suits"),
    _seed_flag("specialize", "compile for this very network", kind=bool, shown="where it saves time"),
    _seed_flag("dry_run", texts.DRY_RUN, kind=bool, default=False, brief=texts.DRY_RUN),
    *EXPERIMENT_FLAGS,
    _output_flag("out", _OUT, takes="PATH", brief="a .parquet or .nc file, or a directory"),
    _output_flag("compare", texts.COMPARE, takes="AXIS", brief="an axis, as init: its values, paired by seed"),
    _output_flag(
        "of",
        f"{texts.OF}: {', '.join(_OF_WORDS)}",
        words=_OF_WORDS,
        takes=texts.OUTCOME,
        brief="show and compare that",
    ),
    _output_flag("margin", f"with --compare: {texts.MARGIN}", kind=float, takes="NUMBER"),
    _output_flag("clusters", f"with --compare: {texts.CLUSTERS}", takes="AXIS"),
    _output_flag("record_at", _RECORDED, takes="EPOCHS|log"),
    _output_flag(
        "track",
        "dead_units: the epoch since which each ReLU is dead; needs --out",
        words=(DEAD_UNITS,),
        takes=DEAD_UNITS,
    ),
    _JSON,
    _output_flag("with_rows", "with --json: the rows of all seeds, too", kind=bool, default=False),
    _output_flag("quiet", "no table and no progress bar", kind=bool, default=False),
    _store_flag("shard_size", "training runs of a shard at most", kind=int, shown="what suits"),
    _store_flag(
        "rows",
        "all, or failures for the rows of seeds that did not converge",
        default="all",
        words=("all", "failures"),
        takes="all|failures",
        shown="all",
    ),
    _store_flag("keep_params", "keep the trained parameters", kind=bool, default=False),
    _store_flag("shard", texts.SHARD, takes="I/N"),
    _store_flag("scheduler", texts.SCHEDULER, takes="ADDRESS"),
)
"""The flags of `fastgrok sweep`."""

_CONFIG = "of a store: the configuration, by its place in the table, from 0, or as in init=he_normal,lr=0.1"
_SEED = "the seed, or an outcome, such as converged, for the first seed that has it"
_TRACE_FLAGS = (
    _seed_flag("seed", _SEED, words=OUTCOMES, takes="SEED|OUTCOME"),
    _seed_flag("config", _CONFIG, takes="CONFIGURATION"),
    _seed_flag(
        "every",
        "recorded after every epoch, or every step",
        default="epoch",
        words=("epoch", "step"),
        takes="epoch|step",
        shown="epoch",
    ),
    _seed_flag("record_at", "only these epochs, or log", takes="EPOCHS|log", shown="all"),
)

OF_COMMANDS = {
    "sweep": SWEEP_FLAGS,
    "replay": (
        *_TRACE_FLAGS,
        _output_flag("out", "write everything to a .nc file (needs h5netcdf and h5py)", takes="FILE"),
        _JSON,
        *EXPERIMENT_FLAGS,
    ),
    "explain": (
        *_TRACE_FLAGS,
        _seed_flag("at", "the epoch, or the step with --every step", kind=int, shown="the last"),
        _seed_flag("example", "the example of a worked pass, from 0", kind=int, default=0, shown="0"),
        _output_flag("picture", "draw it to this file, such as why.png", takes="FILE"),
        *EXPERIMENT_FLAGS,
    ),
}
"""The flags of the commands about an experiment."""

OUTCOME_ENTRIES = list(OUTCOME_MEANINGS.items())
"""The outcomes of a seed with their meanings, which stand below the flags of `fastgrok sweep`."""
