"""What intervals hold for, where that is not any seed and any order of the examples."""

from collections.abc import Sequence

from fastgrok.spec.axes import Configuration
from fastgrok.spec.experiment import FIELDS, Experiment
from fastgrok.spec.randomness import depends_on_seed
from fastgrok.spec.words import word_of_path
from fastgrok.statistics.text import plural

ORDER_SEED = "order_seed"
"""The axis of shuffles."""


def scope(
    configurations: Sequence[Configuration], axis: str | None = None, clusters: str | None = None
) -> tuple[str, ...]:
    """Return a sentence for each thing that all seeds have in common, so that intervals hold for it alone.

    axis: what is compared; clusters: the axis that intervals are clustered by

    Examples
    --------
    >>> import fastgrok as fg
    >>> exp = fg.Experiment(fg.mlp(2, 1), fg.datasets.and_(), init="zeros")
    >>> scope([Configuration({}, exp)])[0][:42]
    'nothing here depends on the seed: all seed'
    """
    experiments = [configuration.experiment for configuration in configurations]
    said = []
    alike = sum(not depends_on_seed(each) for each in experiments)
    if alike:
        where = "nothing here" if alike == len(experiments) else f"in {plural(alike, 'configuration')} nothing"
        said.append(
            f"{where} depends on the seed: all seeds are the same run, one observation, and no interval holds"
        )
    shuffles = {each.order_seed for each in experiments if each.order == "shared"}
    if clusters is not None:
        word = word_of_path(clusters)
        said.append(f"in the mean intervals and p hold for other seeds and other values of {word}: clustered by both")
    elif shuffles and axis != ORDER_SEED:
        said.append(_shared_order(len(shuffles)))
    return tuple(said)


def _shared_order(n: int) -> str:
    """Say what holds where all seeds have the same shuffles."""
    which = f"one {ORDER_SEED}" if n == 1 else f"these {n:,} values of {ORDER_SEED}"
    more = f"an axis {ORDER_SEED} of some ten values, as clusters, shows how much another shuffle would change"
    return f'with order="shared" all seeds have the same shuffles: intervals hold for {which}; {more}'


def whose_seeds(n_common: int, *, independent: bool) -> str:
    """Say on which seeds two results are compared."""
    if independent:
        return "no seed is common to both: they are compared as two samples; the same seeds for both would need fewer"
    return f"both are compared on the {plural(n_common, 'seed')} that they have in common, paired"


def what_differs(pairs: Sequence[tuple[Experiment, Experiment]]) -> str:
    """Say by which fields the experiments of two results differ, to which what is found is due."""
    fields = [name for name in FIELDS if any(getattr(a, name) != getattr(b, name) for a, b in pairs)]
    if not fields:
        return "both are the same experiment"
    said = f"the experiments differ in {', '.join(fields)}"
    if "epochs" in fields:
        horizons = next((a.epochs, b.epochs) for a, b in pairs if a.epochs != b.epochs)
        said += ": how often seeds converge is by epoch {:,} and by epoch {:,}".format(*horizons)
    return said + ("; what is found may be due to any of these" if len(fields) > 1 else "")
