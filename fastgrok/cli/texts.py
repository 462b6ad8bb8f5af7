"""What the help says of flags that several commands have: each is described once.

Nothing is imported here: the help of all commands is shown before anything of an experiment is loaded.
"""

JSON = "print one JSON document instead of the table"
COMPARE = "an axis, such as init: compare its values, paired by seed"
OF = "the outcome that the table shows in full, and that --compare compares by, instead of who converges"
OUTCOME = "loss|accuracy|..."
COMPARED_BY = "the outcome that is compared, instead of who converges"
MARGIN = "with it, whether values differ by less: 0.02 is two points of a rate; with --of a difference of means"
CLUSTERS = "another axis whose values are a sample, such as order_seed: what is compared holds for other ones, too"
DRY_RUN = "say how much work it is, and do nothing"
THREADS = "threads that train"
ALL_CPUS = "one for each CPU"
THREADS_OR_ALL = f"{THREADS} [default: {ALL_CPUS}]"
SHARD = "i/n for the i-th of n parts of the work, i from 1, as in a Slurm array"
SCHEDULER = "the address of a Dask scheduler, whose workers do the work"
