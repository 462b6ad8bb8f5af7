"""The names of other libraries: those that mean the same are taken, and of others the error says what is meant here.

One table for Python, TOML files and the command line. How a name is written makes no difference: HeNormal, he-normal
and `he_normal_` are he_normal. Meanings are those of PyTorch 2, Keras 3 and scikit-learn 1.
"""

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from fastgrok.errors import InvalidExperiment, hint, one_of


class Names(NamedTuple):
    """What other libraries call the things of one kind."""

    same: Mapping[str, str] = {}  # another's name, and ours: they mean the same
    for_one_output: Mapping[str, str] = {}  # likewise, where the network has one output
    other: Mapping[str, str] = {}  # another's name of what is not here, and what to say instead


_CUT = "which Keras cuts off at two standard deviations"
INITIALIZERS = Names(
    same={
        "kaiming_uniform": "he_uniform",  # torch.nn.init, whose defaults are a=0 and fan_in
        "kaiming_normal": "he_normal",
        "glorot_uniform": "xavier_uniform",  # keras.initializers
        "trunc_normal": "truncated_normal",  # torch.nn.init, bounds and defaults included
        "eye": "identity",
        "ones": "constant(1)",
    },
    other={
        "glorot_normal": f"'xavier_normal' for the same variance, {_CUT}",
        "random_uniform": "'uniform(-0.05, 0.05)', which is Keras's default",
        "random_normal": "'normal(0, 0.05)', which is Keras's default",
    },
)
ACTIVATIONS = Names(
    same={
        "swish": "silu",  # keras.activations
        "hard_sigmoid": "hardsigmoid",  # Keras 3's is PyTorch's; Keras 2 had another slope
        "hard_tanh": "hardtanh",
        "identity": "linear",  # scikit-learn
        "logistic": "sigmoid",
    },
    other={"hard_swish": "another activation: there is no hard swish, and silu is the smooth one"},
)
LOSSES = Names(
    same={
        "categorical_crossentropy": "cross_entropy",  # Keras; of one-hot targets, after a Softmax
        "sparse_categorical_crossentropy": "cross_entropy",  # Keras; the same of labels
        "cross_entropy_loss": "cross_entropy",  # torch.nn, of what comes before a Softmax
    },
    # Keras and PyTorch take the mean over outputs, here it is the sum.
    for_one_output={
        **dict.fromkeys(("mse", "mse_loss", "mean_squared_error"), "squared_error"),
        **dict.fromkeys(("mae", "l1", "l1_loss", "mean_absolute_error"), "absolute_error"),
        **dict.fromkeys(("bce", "bce_loss", "bce_with_logits_loss", "binary_crossentropy"), "binary_cross_entropy"),
        **dict.fromkeys(("huber_loss", "smooth_l1", "smooth_l1_loss"), "huber"),
    },
    other=dict.fromkeys(("nll", "nll_loss"), "'cross_entropy' after a Softmax, which takes the logarithm itself"),
)
OPTIMIZERS = Names(
    other={
        "momentum": "'sgd(momentum=0.9)'",
        "nesterov": "'sgd(momentum=0.9, nesterov=true)'",
        "lbfgs": "'rprop' for full batches, or 'adam': there is no optimizer with a line search",
    },
)


def plain(name: str) -> str:
    """Return a name without what may be written in several ways: capitals, hyphens, underscores."""
    return re.sub(r"[\W_]", "", name).lower()


def resolved(field: str, name: object, known: Iterable[str], names: Names, n_out: int | None = None) -> str:
    """Return our name or call for a name, one of those that are known here; raise where it is none.

    n_out: the outputs of the network; None: not known yet, and a name for one output is left to the experiment, which
    knows them: the first of those that mean the same is returned
    """
    choices = list(known)
    if isinstance(name, str) and name in choices:
        return name
    key = plain(name) if isinstance(name, str) else ""
    for theirs, meant in _known(names.same, choices).items():
        if key == plain(theirs):
            return meant
    for_one_output = _known(names.for_one_output, choices)
    for theirs, meant in for_one_output.items():
        if key == plain(theirs):
            if n_out is None:
                return next(name for name, same in for_one_output.items() if same == meant)
            if n_out == 1:
                return meant
            expected = f"{meant!r}, a sum over the outputs: elsewhere {name} is their mean, the same for one output"
            raise InvalidExperiment(field, name, expected)
    for theirs, meant in names.other.items():
        if key == plain(theirs):
            raise InvalidExperiment(field, name, meant)
    for choice in choices:
        if key == plain(choice):
            return choice
    words = [*choices, *_known(names.same, choices)]
    raise InvalidExperiment(field, name, one_of(choices) + hint(name, words))


def _known(synonyms: Mapping[str, str], choices: Iterable[str]) -> dict[str, str]:
    """Return the synonyms of what is known."""
    return {theirs: meant for theirs, meant in synonyms.items() if meant.partition("(")[0] in choices}
