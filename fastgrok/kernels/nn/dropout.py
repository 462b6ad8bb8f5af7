"""The Dropout layer: z times a mask, which is 0, or 1 / (1 - rate), or 1 where the network is only evaluated.

The masks of an example lie in its acts, those of a layer at `layer.weight`: beyond the targets (block.py).
"""

from fastgrok.kernels.jit import device


@device
def dropout_forward(acts, params, layer):
    """a_i = z_i m_i."""
    for i in range(layer.n_in):
        acts[layer.out + i] = acts[layer.inp + i] * acts[layer.weight + i]


@device
def dropout_backward(deltas, grad_out, params, acts, layer):
    """dz_i = da_i m_i."""
    for i in range(layer.n_in):
        deltas[layer.inp + i] = deltas[layer.out + i] * acts[layer.weight + i]


@device
def dropout_backward_in_place(deltas, acts, layer):
    """dz_i = da_i m_i, in the place of da_i, where `deltas` begins."""
    for i in range(layer.n_in):
        deltas[i] = deltas[i] * acts[layer.weight + i]
