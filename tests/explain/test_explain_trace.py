"""`fastgrok.explain.trace`: its functions one by one."""

import numpy as np

from fastgrok.explain.trace import Moment, start_of_last_run


def test_example_of_moment():
    assert (str(Moment(3, 9)), Moment(3, 9).time) == ("step 9 (epoch 3)", 9)
    assert (str(Moment(3, None)), Moment(3, None).time) == ("epoch 3", 3)


def test_example_of_start_of_last_run():
    value = (start_of_last_run(np.array([True, False, True, True])), start_of_last_run(np.array([True, False])))
    assert value == (2, 2)
