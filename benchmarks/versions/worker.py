"""Time cases with the fastgrok that PYTHONPATH leads to: a case a line of standard input, its seconds as the answer.

Only the public interface is used, so that any version can be timed. Run by path, never as a module, so that the other
checkout's `benchmarks` stays out of the way. The first line of output is the folder of the checkout.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import fastgrok as fg


def experiment(
    hidden: list[int], activation: str, output: str, dtype: str, epochs: int, **fields: Any
) -> fg.Experiment:
    """Return XOR on a network, by default per-example SGD without a criterion."""
    network = fg.mlp(2, *hidden, 1, hidden=activation, output=output)
    momentum = fields.pop("momentum", 0.0)
    optimizer = fg.Adam(lr=0.01) if fields.pop("adam", False) else fg.SGD(lr=0.1, momentum=momentum)
    loss = fields.pop("stop_loss", None)
    stop = None if loss is None else fg.Converged(loss=loss)
    fields = {"batch_size": 1, "stop": stop, "dtype": dtype, "optimizer": optimizer} | fields
    return fg.Experiment(network, fg.datasets.xor(), init=fg.Uniform(-1, 1), bias_init=fg.Zeros(), **fields)


def seconds(case: dict[str, Any]) -> float:
    """Return how long one `fg.run` takes, by the clock that the case names."""
    exp, clock = experiment(**case["experiment"]), getattr(time, case.get("clock", "perf_counter"))
    start = clock()
    result = fg.run(exp, seeds=case["seeds"], progress=False, **case["options"])
    result.dataset["loss_final"].values.sum()
    return clock() - start


if __name__ == "__main__":
    print(Path(fg.__file__).parents[1], flush=True)
    for line in sys.stdin:
        print(json.dumps(seconds(json.loads(line))), flush=True)
