"""What is drawn from a seed's stream, and what of the stream is kept."""

from collections.abc import Sequence

import numpy as np

from fastgrok.engine.records import Records
from fastgrok.kernels.init import draw, forms
from fastgrok.kernels.init.draw import Distributions, Tensors
from fastgrok.kernels.lanes.binding import Binding
from fastgrok.kernels.rng.streams import STREAMS
from fastgrok.spec.experiment import Experiment
from fastgrok.spec.initializers.base import Distribution
from fastgrok.spec.initializers.tensors import InitialTensor, initial_tensors

KINDS = Records(
    "kind of distribution",
    "fastgrok/engine/draws.py",
    {"constant": draw.constant, "uniform": draw.uniform, "normal": draw.normal},
)
"""What numbers are drawn from, by `Distribution.kind`; kernels know one by its place here."""

FORMS = Records(
    "form of initial parameters",
    "fastgrok/engine/draws.py",
    {
        "free": forms.free,
        "truncated": forms.truncated,
        "orthogonal": forms.orthogonal,
        "sparse": forms.sparse,
        "identity": forms.identity,
        "nguyen_widrow": forms.nguyen_widrow,
        "rai": forms.rai,
    },
)
"""What form the drawn numbers of a tensor are brought into, by `Distribution.form`; kernels know one by its place."""


def distributions() -> Distributions:
    """Return what kernels draw from and make."""
    return Distributions(tuple(KINDS.values()), tuple(FORMS.values()))


def drawn_kinds(tensors: Tensors) -> Binding:
    """Return what kernels are bound to that draw such tensors alone."""
    found = {"kind.distribution": tensors.kinds, "kind.form": tensors.forms}
    return tuple((what, tuple(sorted(set(places.tolist())))) for what, places in found.items())


def initial(experiment: Experiment) -> list[InitialTensor]:
    """Return the tensors of initial parameters, in the order of the parameters."""
    return initial_tensors(experiment.init, experiment.bias_init, experiment.network.linears)


def table(parts: Sequence[InitialTensor]) -> Tensors:
    """Return what kernels draw, tensor by tensor; Python makes the others."""
    drawn = [(part.shape, part.source) for part in parts if isinstance(part.source, Distribution)]
    sources, numbers = [source for _, source in drawn], [(*source.numbers, 0.0, 0.0) for _, source in drawn]
    return Tensors(
        rows=np.array([1 if len(shape) == 1 else shape[0] for shape, _ in drawn], np.int64),
        columns=np.array([shape[-1] for shape, _ in drawn], np.int64),
        kinds=np.array([KINDS.place(source.kind) for source in sources], np.int64),
        a=np.array([source.a for source in sources], np.float64),
        b=np.array([source.b for source in sources], np.float64),
        forms=np.array([FORMS.place(source.form) for source in sources], np.int64),
        form_a=np.array([number[0] for number in numbers], np.float64),
        form_b=np.array([number[1] for number in numbers], np.float64),
    )


def tensors(experiment: Experiment) -> Tensors:
    """Return what to draw where kernels draw everything, in the order of the parameters."""
    return table(initial(experiment))


def restart_tensors(experiment: Experiment) -> Tensors | None:
    """Return what a restart draws, None where none is possible."""
    return tensors(experiment) if experiment.restart is not None else None


def scratch_size(parts: Sequence[InitialTensor]) -> int:
    """Return how many numbers drawing keeps beside the parameters: one a unit or input of a matrix, at least 1."""
    have_forms = any(isinstance(part.source, Distribution) and part.source.form != "free" for part in parts)
    return max(max(part.shape) for part in parts) if have_forms else 1


def own_words(experiment: Experiment) -> int:
    """Return the words of a seed's own stream that outlast its initial parameters, 0 if nothing else is drawn."""
    draws_order, drops = experiment.order in ("per_seed", "with_replacement"), experiment.network.dropout_rates
    draws_on = draws_order or drops or experiment.restart is not None
    return STREAMS[experiment.stream].words if draws_on else 0


def state_words(experiment: Experiment) -> int:
    """Return the words of a lane's streams: the seed's own, then the one that shuffles alike for every seed."""
    return own_words(experiment) + (STREAMS[experiment.stream].words if experiment.order == "shared" else 0)
