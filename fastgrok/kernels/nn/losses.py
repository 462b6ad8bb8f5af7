"""The losses of one example and their gradients, and what the stop criteria ask of an example."""

from typing import NamedTuple

from fastgrok.kernels.jit import device
from fastgrok.kernels.lanes import absolute, both, either, fma, like, select
from fastgrok.kernels.nn import lane_math


class Loss(NamedTuple):
    """A loss as kernels see it: its kind, and where the network's output lies."""

    kind: int  # place among the losses that the driver was compiled with
    n_out: int
    out: int  # offset in acts of the network's outputs
    delta: int  # offset in deltas where backward starts: the outputs, or the inputs of the last layer
    target: int  # offset in acts of the targets
    one_hot: bool  # accuracy by argmax
    midpoint: float  # accuracy by side: halfway between the smallest and the largest target


@device
def error_backward(deltas, acts, scale, loss):
    """delta_k = (output_k - target_k) * scale; scale holds a loss's own 1 or 2."""
    for k in range(loss.n_out):
        deltas[loss.delta + k] = (acts[loss.out + k] - acts[loss.target + k]) * scale


@device
def add_squares(total, acts, loss):
    """Return total + sum_k (output_k - target_k)**2."""
    for k in range(loss.n_out):
        error = acts[loss.out + k] - acts[loss.target + k]
        total = fma(error, error, total)
    return total


@device
def sign_backward(deltas, acts, scale, loss):
    """delta_k = sign(output_k - target_k) * scale, and 0 where they are equal."""
    zero = like(scale, 0.0)
    for k in range(loss.n_out):
        output, target = acts[loss.out + k], acts[loss.target + k]
        deltas[loss.delta + k] = select(
            output > target, scale, select(output < target, -scale, (output - target) * zero)
        )


@device
def add_absolute(total, acts, loss):
    """Return total + sum_k |output_k - target_k|."""
    for k in range(loss.n_out):
        total = total + absolute(acts[loss.out + k] - acts[loss.target + k])
    return total


@device
def huber_backward(deltas, acts, scale, loss):
    """delta_k = (output_k - target_k) * scale, of an error between -1 and 1, those beyond."""
    one = like(scale, 1.0)
    for k in range(loss.n_out):
        error = acts[loss.out + k] - acts[loss.target + k]
        error = select(error > one, one, select(error < -one, -one, error))
        deltas[loss.delta + k] = error * scale


@device
def add_huber(total, acts, loss):
    """Return total + sum_k e**2 / 2 of errors e between -1 and 1, |e| - 1/2 beyond."""
    one, half = like(total, 1.0), like(total, 0.5)
    for k in range(loss.n_out):
        size = absolute(acts[loss.out + k] - acts[loss.target + k])
        total = total + select(size > one, size - half, half * size * size)
    return total


@device
def add_cross_entropy(total, acts, loss):
    """Return total + the cross-entropy of sigmoid(z) and the targets, max(z, 0) - z t + log(1 + e**-|z|) each."""
    for k in range(loss.n_out):
        z = acts[loss.delta + k]
        linear = fma(-z, acts[loss.target + k], select(z < like(z, 0.0), like(z, 0.0), z))
        total = total + (linear + lane_math.log1p(lane_math.exp(-absolute(z))))
    return total


@device
def add_softmax_cross_entropy(total, acts, loss):
    """Return total + the cross-entropy of softmax(z) and targets that sum to 1: sum_k t_k (log sum_j e**z_j - z_k).

    With the largest z apart: log sum_j e**z_j is that plus log(1 + the others' e**(z_j - largest)).
    """
    zero, largest = like(total, 0.0), acts[loss.delta]
    for k in range(1, loss.n_out):
        largest = select(acts[loss.delta + k] > largest, acts[loss.delta + k], largest)
    others, seen = zero, zero
    for k in range(loss.n_out):
        below = acts[loss.delta + k] - largest
        is_first = both(below == zero, seen == zero)
        others = others + select(is_first, zero, lane_math.exp_of_negative(below))
        seen = select(is_first, like(total, 1.0), seen)
    rest = lane_math.log1p(others)
    for k in range(loss.n_out):
        total = fma(acts[loss.target + k], (largest - acts[loss.delta + k]) + rest, total)
    return total


@device
def larger_error(largest, acts, loss):
    """Return the larger of `largest` and the example's |output - target|."""
    for k in range(loss.n_out):
        error = absolute(acts[loss.out + k] - acts[loss.target + k])
        largest = select(error > largest, error, largest)
    return largest


@device
def add_correct(n_correct, acts, loss):
    """Return n_correct + 1 in the lanes that have the example right.

    By argmax the first of equal outputs counts, and of NaN the first, as in `np.argmax`.
    """
    one = like(n_correct, 1.0)
    if loss.one_hot:
        best, chosen = acts[loss.out], acts[loss.target]
        for k in range(1, loss.n_out):
            output = acts[loss.out + k]
            better = output > best
            best = select(better, output, best)
            chosen = select(better, acts[loss.target + k], chosen)
        right = chosen > like(n_correct, loss.midpoint)
    else:
        right = one == one
        for k in range(loss.n_out):
            output, target = acts[loss.out + k], acts[loss.target + k]
            middle = like(output, loss.midpoint)
            above = both(output > middle, target > middle)
            below = both(output < middle, target < middle)
            right = both(right, either(either(above, below), both(output == middle, target == middle)))
    return select(right, n_correct + one, n_correct)
