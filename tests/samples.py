"""Values that tests feed to what checks its input: a specification of each kind, and anything."""

import numpy as np
from hypothesis import strategies as st

import fastgrok as fg
from fastgrok.errors import InvalidExperiment

NET = fg.Network(fg.Linear(2, 4), fg.ReLU(), fg.Linear(4, 1), fg.Sigmoid())


SPECS = [
    fg.Linear(2, 4, bias=False),
    fg.ReLU(1),
    fg.LeakyReLU(0.2),
    fg.Sigmoid(),
    fg.Tanh(),
    fg.Dropout(0.5),
    fg.Skip(2),
    NET,
    fg.Uniform(-2, 0.5),
    fg.Normal(1, 2),
    fg.XavierUniform(2),
    fg.XavierNormal(),
    fg.HeUniform("fan_out", 0.1),
    fg.HeNormal(),
    fg.Zeros(),
    fg.Constant(0.1),
    fg.TorchLinear(),
    fg.TruncatedNormal(0.5, 2, -1, 3),
    fg.LeCunUniform(),
    fg.LeCunNormal(),
    fg.KerasDense(),
    fg.Orthogonal(2),
    fg.Sparse(0.3, 1),
    fg.Identity(-1),
    fg.NguyenWidrow(),
    fg.RAI(0.5),
    fg.FromArrays([[1, 0.1]], [3, 4]),
    fg.ByLayer(fg.HeNormal(), fg.Uniform(-0.1, 0.1)),
    fg.SGD(0.2, 0.9, 0.1, 0.01),
    fg.SGD(lr_factors=[0, 1]),
    fg.Converged(max_error=0.5, keep_training=True),
    fg.Stationary(0.01),
    fg.Restart(patience=5, monitor="accuracy"),
]


ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.binary(max_size=3)
    | st.complex_numbers()
    | st.sampled_from([np.float32(0.5), np.int64(3), np.bool_(True), np.timedelta64(1, "s"), 10**400, int, *SPECS]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=5,
)


def one_line(error: InvalidExperiment) -> None:
    """Check that an error is one line that names a field and what would be accepted."""
    assert error.field
    assert error.accepted
    assert len(str(error).splitlines()) == 1
