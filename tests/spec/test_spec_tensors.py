"""`fastgrok.spec.initializers.tensors`: its functions one by one."""

import fastgrok as fg
from fastgrok.spec.initializers.tensors import initial_tensors


def test_example_of_initial_tensors():
    tensors = initial_tensors(fg.HeNormal(), "same", [fg.Linear(2, 4), fg.Linear(4, 1, bias=False)])
    assert [tensor.shape for tensor in tensors] == [(2, 4), (4,), (4, 1)]
