"""The flags of `fastgrok sweep`: each once, with its field, its default and a line of help."""

import inspect
from typing import Any, NamedTuple

import typer

from fastgrok.spec.calls import call_names
from fastgrok.spec.initializers import Initializer
from fastgrok.spec.variables import ACCURACY, OUTCOME_MEANINGS


class Flag(NamedTuple):
    """A flag of the command line."""

    name: str  # the name of the value in the command's `values`; the flag is `--name` with hyphens
    kind: Any  # str, int, or bool for `--name/--no-name`; None is the value of what is not given
    default: Any  # what is taken if it is not given
    help: str  # one line
    field: str = ""  # the field of an experiment that it sets; "" for one that sets none
    option: str = ""  # the flag, where it is not `--name`

    @property
    def parameter(self) -> inspect.Parameter:
        """The flag as a parameter of a function, as typer reads it."""
        only = "--" + self.name.replace("_", "-")
        declared = [self.option or only] if self.kind is not bool or self.option else [f"{only}/--no-{only[2:]}"]
        show = self.default is not None and self.default is not False
        option = typer.Option(self.default, *declared, help=self.help, show_default=show)
        kind = inspect.Parameter.KEYWORD_ONLY
        return inspect.Parameter(self.name, kind, default=option, annotation=self.kind | None)


DATA_FLAGS = (
    Flag("data", str, None, "CSV file (a header, then numbers) or NPZ file (X, y) instead of a name", "data"),
    Flag("target", str, None, "column of the target in the CSV file, or several: one output each"),
    Flag("features", str, None, "columns of the inputs; default: all the others"),
    Flag("classes", bool, None, "the target column holds classes: one output each"),
)

_NAMES = ", ".join(call_names(Initializer))
_SCHEDULES = "step_lr(100,gamma=0.5), exponential_lr(0.99), cosine_annealing_lr(1000)"
_SEEDS = "n for seeds 0 to n - 1 (42 means 42 seeds); first:stop (42:43 is seed 42 alone); or seeds as in 3,5,8"

FIELD_FLAGS = (
    Flag("hidden", str, "4", "widths of the hidden layers; 4x4: two of them; none: no hidden layer", "network"),
    Flag("activation", str, "relu", "after each hidden layer: linear, relu, leaky_relu, sigmoid, tanh", "network"),
    Flag("output", str, "linear", "after the last layer, likewise", "network"),
    Flag("bias", bool, True, "whether the layers have biases", "network"),
    Flag("gradient_at_zero", str, None, "gradient of ReLU at exactly 0; default: 0", "network"),
    Flag("slope", str, None, "slope of leaky ReLU; default: 0.01", "network"),
    Flag("loss", str, "half_squared_error", "half_squared_error, squared_error, binary_cross_entropy", "loss"),
    Flag("reduction", str, "mean", "mean or sum of the gradients of a batch", "reduction"),
    Flag(
        "init",
        str,
        "uniform(-1,1)",
        f"of weights: {_NAMES}; with arguments as in uniform(-2,2), he_normal(mode=fan_out)",
        "init",
    ),
    Flag("bias_init", str, "zeros", "of biases, likewise; same: as the weights", "bias_init"),
    Flag("stream", str, "numpy", "numpy: default_rng(seed); numpy_legacy: RandomState(seed)", "stream"),
    Flag("optimizer", str, "sgd", "sgd or adam", "optimizer"),
    Flag("lr", str, None, "learning rate; default: sgd 0.1, adam 0.001", "optimizer.lr"),
    Flag("momentum", str, None, "of sgd; default: 0", "optimizer.momentum"),
    Flag("nesterov", bool, None, "Nesterov's momentum, of sgd", "optimizer.nesterov"),
    Flag("beta1", str, None, "of adam; default: 0.9", "optimizer.beta1"),
    Flag("beta2", str, None, "of adam; default: 0.999", "optimizer.beta2"),
    Flag("eps", str, None, "of adam; default: 1e-8", "optimizer.eps"),
    Flag("weight_decay", str, None, "L2 penalty; default: 0", "optimizer.weight_decay"),
    Flag("l1", str, None, "L1 penalty; default: 0", "optimizer.l1"),
    Flag("clip_norm", str, None, "longest gradient, or none; default: none", "optimizer.clip_norm"),
    Flag("schedule", str, None, f"of the learning rate: {_SCHEDULES}, none; default: none", "optimizer.schedule"),
    Flag("batch_size", str, "1", "examples per update, or full", "batch_size"),
    Flag("order", str, "fixed", "of the examples: fixed, shared, per_seed", "order"),
    Flag("epochs", str, "1000", "epochs at most", "epochs"),
    Flag("stop_loss", str, None, "converged at this mean loss; default 0.01 if no criterion is given", "stop.loss"),
    Flag("stop_max_error", str, None, "converged at this largest error", "stop.max_error"),
    Flag("stop_accuracy", str, None, f"converged at this accuracy, the {ACCURACY}", "stop.accuracy"),
    Flag("keep_training", bool, False, "go on after convergence", "stop.keep_training", "--keep-training"),
    Flag("no_stop", bool, False, "no criterion: run every epoch, unless --patience ends it", "stop", "--no-stop"),
    Flag("check_every", str, "1", "look at the criteria after every k-th epoch", "check_every"),
    Flag(
        "restart_after",
        str,
        None,
        "new parameters for a seed not converged by then, or none",
        "restart.after",
    ),
    Flag("restart_at_most", str, None, "restarts at most; default: as many as fit into --epochs", "restart.at_most"),
    Flag(
        "validation",
        str,
        None,
        "share of the examples, as 0.25, or CSV or NPZ file to validate on",
        "validation",
    ),
    Flag("split_seed", int, None, "seed of that share; default: 0"),
    Flag("stratified", bool, False, "every distinct target has that share", option="--stratified"),
    Flag("patience", str, None, "stop when the validation loss has not improved for so many epochs", "stop.patience"),
    Flag("min_delta", str, None, "smallest improvement; default: any", "stop.min_delta"),
    Flag("restore_best", bool, None, "end with the parameters of the best epoch; default: yes", "stop.restore_best"),
    Flag("dtype", str, "float64", "float64 or float32", "dtype"),
)

RUN_FLAGS = (
    Flag("seeds", str, "1000", _SEEDS),
    Flag(
        "out", str, None, "write to a .parquet or .nc file (.nc needs h5netcdf and h5py), or to a store: a directory"
    ),
    Flag("shard_size", int, None, "of a store: seeds of a shard at most; default: what suits"),
    Flag("rows", str, "all", "of a store: all, or failures for the rows of seeds that did not converge"),
    Flag("keep_params", bool, False, "of a store: keep the trained parameters", option="--keep-params"),
    Flag("shard", str, None, "of a store: i/n for the i-th of n parts of the work, i from 1, as in a Slurm array"),
    Flag("scheduler", str, None, "of a store: the address of a Dask scheduler, whose workers do the work"),
    Flag("dry_run", bool, False, "say how much work it is, and do nothing", option="--dry-run"),
    Flag("compare", str, None, "a field with a list, such as init: compare its values, paired by seed"),
    Flag("record_at", str, None, "epochs at which loss, accuracy, dead units are recorded, or log; needs --out"),
    Flag("track", str, None, "dead_units: the epoch since which each ReLU is dead; needs --out"),
    Flag("threads", int, None, "threads; default: one for each CPU"),
    Flag("lanes", int, None, "seeds in a vector: a power of two up to 64"),
    Flag("specialize", bool, None, "compile for this very network; default: where it saves time"),
    Flag("json", bool, False, "print one JSON document instead of the table", option="--json"),
    Flag("quiet", bool, False, "no table and no progress bar", option="--quiet"),
)

FLAGS = (*DATA_FLAGS, *FIELD_FLAGS, *RUN_FLAGS)
"""Every flag of `fastgrok sweep`."""

_TRACE_FLAGS = (
    Flag("seed", str, None, "the seed, or an outcome, such as converged, for the first seed that has it"),
    Flag("config", str, None, "of a store: the configuration, by its place in the table or as in init=HeNormal()"),
    Flag("every", str, "epoch", "recorded after every epoch, or every step"),
    Flag("record_at", str, None, "only these epochs, or log; default: all"),
)

REPLAY_FLAGS = (
    *DATA_FLAGS,
    *FIELD_FLAGS,
    *_TRACE_FLAGS,
    Flag("out", str, None, "write everything to a .nc file (needs h5netcdf and h5py)"),
    Flag("json", bool, False, "print one JSON document instead of the table", option="--json"),
)
"""Every flag of `fastgrok replay`."""

TOPICS = ("failure", "algebra", "worked-pass", "pressure", "correlation", "sign-flow", "overfitting")
"""What `fastgrok explain` explains."""

EXPLAIN_FLAGS = (
    *DATA_FLAGS,
    *FIELD_FLAGS,
    *_TRACE_FLAGS,
    Flag("at", int, None, "the epoch, or the step with --every step; default: the last"),
    Flag("example", int, 0, "the example of a worked pass, from 0"),
    Flag("picture", str, None, "draw it to this file, such as why.png"),
)
"""Every flag of `fastgrok explain`."""

EPILOG = "\n".join(
    ["\b", "The outcome of a seed is the first of these that applies:"]
    + [f"  {name:10}  {meaning}" for name, meaning in OUTCOME_MEANINGS.items()]
)
"""What stands below the flags in the help of `fastgrok sweep`."""
