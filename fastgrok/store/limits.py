"""What cannot be done of a sweep is refused before anything of it is written: by files, by space, by time."""

from fastgrok.engine.kernel_params import flops_per_epoch
from fastgrok.errors import InvalidExperiment
from fastgrok.store.manifest import ALL, Specification, row_bytes
from fastgrok.store.missing import n_shards
from fastgrok.store.storage import Storage

MOST_SHARDS = 1_000_000
"""Of a store. Each is two files, one of which is read by whoever asks how far the store is."""

_MOST_FLOPS = 1e21  # a thousand years of a thread that does 3e10 a second: machines must agree, so none is measured
_LEFT = 0.1  # of the bytes of rows in memory, which Parquet needs at the least


def check_shards(n: int, n_seeds: int, otherwise: str) -> None:
    """Raise if there are too many shards of so many seeds; otherwise: what would do besides fewer seeds."""
    if n > MOST_SHARDS:
        expected = f"fewer, {otherwise}: {n:,} shards are more than the {MOST_SHARDS:,} that a store may have"
        raise InvalidExperiment("seeds", n_seeds, expected)


def check_growth(storage: Storage, held: Specification | None, wanted: Specification) -> None:
    """Raise if what a store is to hold, besides what it is asked for by now, cannot be made."""
    n_seeds = len(wanted.seeds)
    check_shards(n_shards(wanted), n_seeds, "or a larger shard_size")
    flops = _flops(wanted)
    if flops > _MOST_FLOPS:
        expected = f"fewer, or fewer epochs: {flops:.0e} operations take a thread more than a thousand years"
        raise InvalidExperiment("seeds", n_seeds, expected)
    free = storage.free_bytes()
    size = _LEFT * (_bytes(wanted) - (0 if held is None else _bytes(held)))
    if free is not None and size > free:
        expected = (
            f"fewer, or rows='failures', or a store on another disk: {size / 1e9:,.1f} GB of rows, and more, "
            f"do not fit into the {free / 1e9:,.1f} GB that are free at {storage.root}"
        )
        raise InvalidExperiment("seeds", n_seeds, expected)


def _flops(specification: Specification) -> float:
    """Return about how many operations a sweep takes if no seed stops early."""
    experiments = [each.experiment for each in specification.configurations]
    return len(specification.seeds) * sum(flops_per_epoch(each) * each.epochs for each in experiments)


def _bytes(specification: Specification) -> int:
    """Return the bytes of the rows of a sweep in memory, 0 where nobody knows how many are kept."""
    if specification.rows != ALL:
        return 0
    return len(specification.seeds) * sum(
        row_bytes(specification, each.experiment) for each in specification.configurations
    )
