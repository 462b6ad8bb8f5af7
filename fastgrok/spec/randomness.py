"""What of an experiment depends on the seed."""

from fastgrok.spec.experiment import Experiment
from fastgrok.spec.initializers.base import Distribution
from fastgrok.spec.initializers.custom import FromFunction
from fastgrok.spec.initializers.tensors import initial_tensors


def depends_on_seed(experiment: Experiment) -> bool:
    """Say whether two seeds may do differently: whether parameters, examples or masks are drawn from their streams.

    Examples
    --------
    >>> import fastgrok as fg
    >>> exp = fg.Experiment(fg.mlp(2, 1), fg.datasets.and_(), init="zeros")
    >>> depends_on_seed(exp), depends_on_seed(exp.replace(order="per_seed"))
    (False, True)
    """
    if experiment.order in ("per_seed", "with_replacement") or experiment.network.dropout_rates:
        return True
    parts = initial_tensors(experiment.init, experiment.bias_init, experiment.network.linears)
    return any(isinstance(part.source, FromFunction) or _draws(part.source) for part in parts)


def _draws(source: object) -> bool:
    """Say whether what parameters are drawn from is no constant."""
    return isinstance(source, Distribution) and source.kind != "constant"
