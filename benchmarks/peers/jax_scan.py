"""JAX: `jit(vmap(scan))`, an update per example or batch, gradients by `jax.grad`."""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np

from benchmarks.peers.peer import THREADS, Peer, Run
from benchmarks.peers.works import BATCHED, RELU_32, RELU_64, WIDE_PER_EXAMPLE, Params, Work

# Seeds per call and device, of 512 to 65,536 the fastest: beyond 2,048 the parameters leave the cache.
# Of wide layers, of 16 to 256.
BLOCK, WIDE_BLOCK = 1024, 16


@functools.cache
def configured():
    """Return the module jax with float64 enabled and one CPU device for each thread."""
    import jax

    jax.config.update("jax_enable_x64", True)
    jax.config.update("jax_num_cpu_devices", THREADS)
    return jax


def compiled(work: Work, epochs: int) -> Callable:
    """Return a function from `Params` of many seeds to their final losses."""
    jax = configured()
    jnp = jax.numpy
    batches = tuple(jnp.asarray(a) for a in (work.examples() if work.batch_size == 1 else work.batches()))

    def loss(params, x, target):
        *below, (weight, bias) = zip(params[::2], params[1::2], strict=True)
        a = x
        for w, b in below:
            a = jax.nn.relu(a @ w + b)
        z = a @ weight + bias
        if work.is_softmax:
            return -jnp.sum(target * jax.nn.log_softmax(z)) / work.batch_size
        return 0.5 * jnp.sum((z - target) ** 2) / work.batch_size

    def step(params, batch):
        gradient = jax.grad(loss)(params, *batch)
        return jax.tree.map(lambda p, g: p - work.learning_rate * g, params, gradient), None

    def epoch(params, _):
        return jax.lax.scan(step, params, batches, unroll=work.is_xor)

    def train(params):
        params, _ = jax.lax.scan(epoch, params, None, length=epochs)
        return jnp.mean(jax.vmap(loss, in_axes=(None, 0, 0))(params, *batches))

    return jax.jit(jax.vmap(train))


def placement(n_devices: int):
    """Return a sharding that splits the seeds over the first n devices."""
    jax = configured()
    mesh = jax.sharding.Mesh(np.array(jax.devices("cpu")[:n_devices]), ("seed",))
    return jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec("seed"))


def prepare(work: Work, params: Params, epochs: int, *, n_devices: int = 1) -> Run:
    """Cut the seeds into blocks of equal shape (so that there is one compile), each on its devices.

    A last short block is filled up with seed 0, again; at the sizes that are timed there is none.
    """
    jax = configured()
    train = compiled(work, epochs)
    n_seeds = len(params[0])
    block = min((BLOCK if work.is_xor else WIDE_BLOCK) * n_devices, -(-n_seeds // n_devices) * n_devices)
    rows = np.zeros(-(-n_seeds // block) * block, int)
    rows[:n_seeds] = np.arange(n_seeds)
    blocks = [
        jax.device_put(tuple(p[chosen] for p in params), placement(n_devices)) for chosen in rows.reshape(-1, block)
    ]

    def run() -> np.ndarray:
        return np.concatenate([np.asarray(train(b)) for b in blocks])[:n_seeds]

    return run


_WORKS = (RELU_64, RELU_32, *BATCHED, *WIDE_PER_EXAMPLE)
ONE_DEVICE = Peer("JAX jit(vmap(scan))", "jax", _WORKS, prepare, requires="jax", most_seeds=16384)
SHARDED = Peer(
    "JAX jit(vmap(scan)), sharded over two devices",
    "jax",
    _WORKS,
    functools.partial(prepare, n_devices=THREADS),
    requires="jax",
    most_seeds=16384,
)
PEERS = (ONE_DEVICE, SHARDED)
