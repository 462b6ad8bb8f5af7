"""The networks whose outcomes are checked."""

from collections.abc import Iterator

import numpy as np

import fastgrok as fg


def _data() -> dict[str, fg.Dataset]:
    """Return data that have no plateaus that are known, the same every time."""
    rng = np.random.default_rng(0)
    corners = rng.integers(0, 2, (100, 2))
    differ = (corners[:, 0] != corners[:, 1]).astype(float)
    points = corners + 0.2 * rng.standard_normal(corners.shape)
    flipped = np.where(rng.random(100) < 0.1, 1 - differ, differ)
    x = np.linspace(-2, 2, 32)[:, None]
    k = np.repeat(np.arange(3), 50)
    return {
        "corners": fg.Dataset(points, differ, name="100 points around XOR's corners"),
        "flipped": fg.Dataset(points, flipped, name="the same, 10 % of them with the other target"),
        "sine": fg.Dataset(x, np.sin(2 * x), name="32 points of a sine"),
        "blobs": fg.Dataset(1.5 * np.eye(4)[k] + rng.standard_normal((150, 4)), np.eye(3)[k], name="three clouds"),
    }


def cases() -> Iterator[tuple[str, fg.Experiment, int]]:
    """Yield what each experiment is, the experiment, and how many seeds of it are checked."""
    xor, data, mlp, exp = fg.datasets.xor(), _data(), fg.mlp, fg.Experiment
    goal, half = {"stop": fg.Converged(loss=0.01)}, fg.SGD(0.5)
    bce = {"loss": "binary_cross_entropy", **goal}
    full = {"batch_size": "full", "optimizer": half}
    shuffled = {"order": "per_seed", "optimizer": fg.SGD(0.1)}
    relu, sigmoid = mlp(2, 4, 1, output="sigmoid"), mlp(2, 4, 1, hidden="sigmoid", output="sigmoid")
    yield "XOR, 2-4-1 ReLU, each example", exp(mlp(2, 4, 1), xor, **goal), 2000
    yield "XOR, 2-4-1 ReLU, shuffled", exp(mlp(2, 4, 1), xor, order="per_seed", **goal), 2000
    momentum = fg.SGD(0.05, momentum=0.9)
    yield "XOR, the same with momentum", exp(mlp(2, 4, 1), xor, order="per_seed", optimizer=momentum, **goal), 2000
    yield "XOR, 2-4-1 ReLU, full batch, lr 0.5", exp(mlp(2, 4, 1), xor, **full, **goal), 2000
    adam = {"optimizer": fg.Adam(0.01), "batch_size": "full"}
    yield "XOR, 2-4-1 ReLU, Adam, full batch", exp(mlp(2, 4, 1), xor, **adam, **goal), 2000
    yield "XOR, 2-4-1 ReLU + Sigmoid, cross-entropy", exp(relu, xor, **bce), 2000
    yield "XOR, 2-4-1 ReLU + Sigmoid, squared error", exp(relu, xor, optimizer=half, **goal), 2000
    yield "XOR, 2-4-1 Sigmoid, cross-entropy", exp(sigmoid, xor, optimizer=half, **bce), 2000
    yield "XOR, 2-4-1 Sigmoid, squared error", exp(sigmoid, xor, optimizer=half, **goal), 2000
    tanh, small = mlp(2, 4, 1, hidden="tanh"), {"init": fg.Normal(0.01), "batch_size": "full"}
    yield (
        "XOR, 2-4-1 Tanh from near 0, full batch",
        exp(tanh, xor, **small, **goal),
        1000,
    )
    yield "XOR, 2-4-4-1 ReLU", exp(mlp(2, 4, 4, 1), xor, optimizer=fg.SGD(0.05), **goal), 1000
    yield "parity of 3 bits, 3-6-1 ReLU", exp(mlp(3, 6, 1), fg.datasets.parity(3), **goal), 1000
    yield f"{data['corners'].name}, full batch", exp(relu, data["corners"], **full, **bce), 500
    yield f"{data['corners'].name}, batches of 10", exp(relu, data["corners"], batch_size=10, **shuffled, **bce), 500
    wide = mlp(2, 8, 1, output="sigmoid")
    yield f"{data['flipped'].name}, full batch", exp(wide, data["flipped"], **full, **bce), 500
    yield f"{data['flipped'].name}, batches of 10", exp(wide, data["flipped"], batch_size=10, **shuffled, **bce), 500
    sine = {"optimizer": fg.SGD(0.05), "stop": fg.Converged(loss=0.001)}
    yield "32 points of a sine, 1-8-1 ReLU", exp(mlp(1, 8, 1), data["sine"], batch_size="full", **sine), 500
    clouds = mlp(4, 8, 3, output="softmax")
    softmax = {"loss": "cross_entropy", "batch_size": 16, **shuffled, **goal}
    yield "three clouds, 4-8-3 softmax, batches of 16", exp(clouds, data["blobs"], **softmax), 200
    street = {"optimizer": fg.SGD(0.2), "stop": fg.Converged(max_error=0.1)}
    yield (
        "deep streetlights, 3-4-1 ReLU",
        exp(mlp(3, 4, 1, bias=False), fg.datasets.deep_streetlights(), **street),
        2000,
    )
