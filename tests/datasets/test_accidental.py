"""Data with accidental correlation."""

import numpy as np
import pytest

import fastgrok as fg


def test_accidental_data_are_as_described():
    training, validation = fg.datasets.accidental(20, 30, 1000, flipped=0.2, seed=7)
    assert (training.X.shape, validation.X.shape) == ((20, 31), (1000, 31))
    for data, n in ((training, 20), (validation, 1000)):
        assert data.X[:, 0].sum() == n / 2
        assert (data.X[:, 0] != data.y[:, 0]).sum() == 0.2 * n
        assert set(np.unique(data.X)) == {0, 1}
    again = fg.datasets.accidental(20, 30, 1000, flipped=0.2, seed=7)
    assert again == (training, validation)
    assert fg.datasets.accidental(20, 30, 1000, flipped=0.2, seed=8)[0] != training

    def largest(data):
        return np.abs(np.corrcoef(data.X.T, data.y.T)[-1, 1:-1]).max()

    assert largest(training) > 0.4 > 0.2 > largest(validation)


@pytest.mark.parametrize(
    "given",
    [{"n_examples": 1}, {"n_noise": 0}, {"n_validation": 1.5}, {"flipped": 0.5}, {"seed": -1}, {"seed": True}],
    ids=str,
)
def test_accidental_data_that_cannot_be_made_are_refused(given):
    (field,) = given
    with pytest.raises(fg.InvalidExperiment, match=f"^{field} = "):
        fg.datasets.accidental(**given)
