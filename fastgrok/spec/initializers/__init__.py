"""Initializers: fan_in, fan_out -> the distribution of a layer's initial parameters.

Every scheme says which distribution the weights of a layer have, and so which NumPy calls draw them from the
seed's stream `rng` (`numpy.random.default_rng(seed)`, or `numpy.random.RandomState(seed)` for
`stream="numpy_legacy"`), in float64 and row by row. For a bias `shape` is (fan_out,) instead of
(fan_in, fan_out); fan_in and fan_out are still the layer's. The book's `2 * random(shape) - 1` is `Uniform(-1, 1)`.
A parameter that is out of bounds raises `InvalidExperiment`, with its name.

- `base`: `Distribution`, and the schemes that are the same for every layer; `fans`: those that the fans scale;
  `matrices`: those whose numbers depend on each other; `custom`: functions and arrays.
- `tensors`: what is drawn for each layer of a network, by which of `init` and `bias_init`.

A further scheme is one class here, named in `fastgrok/__init__.pyi`: the command line and the tests find it by that.
If its distribution is one of `Kind` and `Form`, kernels draw it already; a new form has a place in `kernels/init`.
"""

from fastgrok.spec.initializers import custom, fans, matrices  # noqa: F401 (makes their classes known by name)
