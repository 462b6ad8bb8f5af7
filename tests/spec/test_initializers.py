"""Initializers: their distributions, and what they refuse."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from initial import ARRAYS, WEIGHTS, experiment, laplace, one_layer
from scipy import stats

import fastgrok as fg
from fastgrok.cli.experiment import request
from fastgrok.cli.flags import SWEEP_FLAGS
from fastgrok.errors import InvalidExperiment
from fastgrok.spec.base import registered
from fastgrok.spec.calls import classes_by_name
from fastgrok.spec.initializers.base import Distribution, Initializer


@pytest.mark.parametrize(
    ("scheme", "kind", "a", "b"),
    [
        (fg.Uniform(-2, 3), "uniform", -2, 3),
        (fg.Normal(1, 2), "normal", 1, 2),
        (fg.XavierUniform(2), "uniform", -2 * math.sqrt(6 / 24), 2 * math.sqrt(6 / 24)),
        (fg.XavierNormal(2), "normal", 0, 2 * math.sqrt(2 / 24)),
        (fg.HeUniform(), "uniform", -math.sqrt(6 / 8), math.sqrt(6 / 8)),
        (fg.HeNormal(), "normal", 0, math.sqrt(2 / 8)),
        (fg.HeUniform("fan_out"), "uniform", -math.sqrt(6 / 16), math.sqrt(6 / 16)),
        (fg.HeNormal("fan_out"), "normal", 0, math.sqrt(2 / 16)),
        (fg.HeNormal(slope=0.5), "normal", 0, math.sqrt(2 / 1.25 / 8)),
        (fg.LeCunUniform(), "uniform", -math.sqrt(3 / 8), math.sqrt(3 / 8)),
        (fg.LeCunNormal(), "normal", 0, math.sqrt(1 / 8)),
        (fg.Zeros(), "constant", 0, 0),
        (fg.Constant(3), "constant", 3, 0),
        (fg.TorchLinear(), "uniform", -1 / math.sqrt(8), 1 / math.sqrt(8)),
        (fg.KerasDense(), "uniform", -math.sqrt(6 / 24), math.sqrt(6 / 24)),
    ],
    ids=repr,
)
def test_distribution_of_a_scheme(scheme: Any, kind: Any, a: float, b: float) -> None:
    assert scheme.distribution(8, 16) == Distribution(kind, a, b)
    biases = scheme.bias_distribution(8, 16)
    assert biases == (Distribution("constant", 0, 0) if scheme == fg.KerasDense() else Distribution(kind, a, b))


def test_he_with_the_slope_of_pytorchs_default_is_pytorchs_default() -> None:
    """`Linear.reset_parameters` calls kaiming_uniform_ with a = sqrt(5)."""
    ours = fg.HeUniform(slope=math.sqrt(5)).distribution(7, 3)
    np.testing.assert_allclose(ours[1:3], fg.TorchLinear().distribution(7, 3)[1:3], rtol=1e-15)


# Law of the single weights of a layer of 6 inputs and 8 units, by scipy.
LAWS = {
    "uniform": (fg.Uniform(-1, 3), stats.uniform(-1, 4)),
    "normal": (fg.Normal(1, 2), stats.norm(1, 2)),
    "xavier_uniform": (fg.XavierUniform(2), stats.uniform(-2 * math.sqrt(6 / 14), 4 * math.sqrt(6 / 14))),
    "xavier_normal": (fg.XavierNormal(2), stats.norm(0, 2 * math.sqrt(2 / 14))),
    "he_uniform": (fg.HeUniform("fan_out", 1), stats.uniform(-math.sqrt(3 / 8), 2 * math.sqrt(3 / 8))),
    "he_normal": (fg.HeNormal("fan_in", 0.5), stats.norm(0, math.sqrt(1.6 / 6))),
    "lecun_uniform": (fg.LeCunUniform(), stats.uniform(-math.sqrt(0.5), 2 * math.sqrt(0.5))),
    "lecun_normal": (fg.LeCunNormal(), stats.norm(0, math.sqrt(1 / 6))),
    "torch": (fg.TorchLinear(), stats.uniform(-math.sqrt(1 / 6), 2 * math.sqrt(1 / 6))),
    "keras": (fg.KerasDense(), stats.uniform(-math.sqrt(6 / 14), 2 * math.sqrt(6 / 14))),
    "truncated": (fg.TruncatedNormal(1, 2, -2, 2), stats.truncnorm(-1.5, 0.5, 1, 2)),
    "truncated_tail": (fg.TruncatedNormal(0, 1, 2, 5), stats.truncnorm(2, 5)),
    # A coordinate x of a random unit vector in n dimensions: (x + 1)/2 is Beta((n - 1)/2, (n - 1)/2); rows have 8.
    "orthogonal": (fg.Orthogonal(), stats.beta(3.5, 3.5, -1, 2)),
}


@pytest.mark.parametrize("name", LAWS)
def test_weights_follow_their_law(name: str) -> None:
    """Range, mean, variance, and the whole distribution: one weight of a network, so that draws are independent."""
    scheme, law = LAWS[name]
    weights = one_layer(scheme, 6, 8, seeds=4000)[0]
    low, high = law.support()
    assert low <= weights.min() <= weights.max() <= high
    for place in ((0, 0), (5, 7), (2, 3)):
        drawn = weights[:, *place]
        assert abs(drawn.mean() - law.mean()) < 4 * law.std() / math.sqrt(4000)
        assert abs(drawn.var() / law.var() - 1) < 0.12
        assert stats.kstest(drawn, law.cdf).pvalue > 1e-3


@pytest.mark.parametrize("fan_in", [2, 16])
def test_torch_linear_has_the_biases_of_pytorch(fan_in: int) -> None:
    weights, biases = one_layer(fg.TorchLinear(), fan_in, 64, seeds=50, bias_init="default")
    law = stats.uniform(-1 / math.sqrt(fan_in), 2 / math.sqrt(fan_in))
    for drawn in (weights, biases):
        assert stats.kstest(drawn.ravel(), law.cdf).pvalue > 0.01


def test_xor_converges_from_pytorchs_default_as_often_as_it_is_known_to() -> None:
    torch = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), init=fg.TorchLinear(), epochs=2000)
    for exp, known in ((torch, 0.769), (torch.replace(bias_init=fg.Zeros()), 0.631)):
        seen = fg.run(exp, 2000, progress=False).summaries[0].rate
        assert abs(seen - known) < 3 * math.sqrt(known * (1 - known) / 2000)


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (7, 7), (40, 64), (64, 40), (128, 128)])
def test_orthogonal_is_orthogonal_and_the_q_of_qr(shape: tuple[int, int]) -> None:
    """Q times the sign of R's diagonal, as PyTorch's; of the transpose where there are fewer inputs than units."""
    ours = one_layer(fg.Orthogonal(), *shape, seeds=[5])[0][0]
    tall = ours if shape[0] >= shape[1] else ours.T
    np.testing.assert_allclose(tall.T @ tall, np.eye(min(shape)), atol=1e-14)
    a = np.random.default_rng(5).standard_normal(shape)
    q, r = np.linalg.qr(a if shape[0] >= shape[1] else a.T)
    np.testing.assert_allclose(tall, q * np.sign(np.diag(r)), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(one_layer(fg.Orthogonal(3), *shape, seeds=[5])[0][0], 3 * ours, rtol=1e-15)


def test_orthogonal_stays_so_where_columns_nearly_agree() -> None:
    """Once is not enough: of 2x2 draws some are nearly singular, and lose digits in a single pass."""
    weights = one_layer(fg.Orthogonal(), 2, 2, seeds=200_000)[0]
    dots = np.abs((weights[:, :, 0] * weights[:, :, 1]).sum(axis=1))
    assert dots.max() < 1e-15


@pytest.mark.parametrize(("sparsity", "zeros"), [(0, 0), (0.1, 1), (0.25, 2), (0.26, 3), (1, 8)])
def test_sparse_leaves_so_many_weights_of_each_input(sparsity: float, zeros: int) -> None:
    weights = one_layer(fg.Sparse(sparsity, 0.1), 3, 8, seeds=500)[0]
    assert ((weights == 0).sum(axis=2) == zeros).all()
    if 0 < zeros < 8:
        share = (weights == 0).mean(axis=(0, 1))
        np.testing.assert_allclose(share, zeros / 8, atol=4 * math.sqrt(zeros / 8 / 1500))
        assert abs(weights[weights != 0].std() / 0.1 - 1) < 0.05


def test_identity_passes_inputs_on() -> None:
    for shape in ((3, 5), (5, 3), (4, 4)):
        np.testing.assert_array_equal(one_layer(fg.Identity(2), *shape)[0][0], 2 * np.eye(*shape))


@pytest.mark.parametrize(("fan_in", "fan_out"), [(1, 6), (2, 4), (7, 30)])
def test_nguyen_widrow_has_units_of_one_norm_and_biases_within(fan_in: int, fan_out: int) -> None:
    weight, bias = one_layer(fg.NguyenWidrow(), fan_in, fan_out, seeds=2000, bias_init="same")
    norm = 0.7 * fan_out ** (1 / fan_in)
    np.testing.assert_allclose(np.linalg.norm(weight, axis=1), norm, rtol=1e-14)
    assert stats.kstest(bias[:, 0], stats.uniform(-norm, 2 * norm).cdf).pvalue > 1e-3
    assert abs(weight.mean() / norm) < 0.02


@pytest.mark.parametrize("bias", [True, False])
def test_rai_has_one_number_of_each_unit_from_beta(bias: bool) -> None:
    """The others are normal; which one it is, is uniform; it may be the bias."""
    network = fg.Network(fg.Linear(3, 5, bias=bias))
    drawn = fg.initial_params(experiment(fg.RAI(), network=network), seeds=4000)
    values = drawn[0] if not bias else np.concatenate([drawn[0], drawn[1][:, None, :]], axis=1)
    n = 3 + bias
    normal = stats.norm(0, 0.6007 / math.sqrt(3))
    # Of each number: a mixture, Beta(2, 1) with the weight 1/n.
    for row in range(n):
        cdf = lambda x: (1 - 1 / n) * normal.cdf(x) + stats.beta(2, 1).cdf(x) / n  # noqa: E731
        assert stats.kstest(values[:, row, 2], cdf).pvalue > 1e-3
    assert abs((values > 0).mean() - (1 + 1 / n) / 2) < 0.01


def test_rai_with_biases_of_another_scheme_is_of_weights_alone() -> None:
    with pytest.raises(InvalidExperiment, match=r"bias_init = RAI.*init=RAI"):
        experiment(fg.HeNormal(), fg.RAI())
    with pytest.raises(InvalidExperiment, match="bias_init = RAI"):
        experiment(fg.RAI(0.5), fg.RAI(0.6))


@pytest.mark.parametrize("scheme", [fg.Orthogonal(), fg.Sparse(0.5), fg.Identity()], ids=repr)
def test_schemes_of_matrices_draw_no_biases(scheme: Initializer) -> None:
    for init in (scheme, fg.HeNormal()):
        with pytest.raises(InvalidExperiment, match=r"bias_init = .*such as Zeros\(\)"):
            experiment(init, scheme)
    with pytest.raises(InvalidExperiment, match="bias_init"):
        experiment(scheme, "same")
    assert experiment(scheme, "same", fg.mlp(2, 3, 1, bias=False)).n_params == 9


@pytest.mark.parametrize(
    ("make", "field"),
    [
        (lambda: fg.TruncatedNormal(low=2, high=2), "high"),
        (lambda: fg.TruncatedNormal(low=2, high=-2), "high"),
        (lambda: fg.TruncatedNormal(low=3, high=9), "high"),
        (lambda: fg.TruncatedNormal(0, 1, -1e-3, 1e-3), "high"),
        (lambda: fg.TruncatedNormal(std=0), "std"),
        (lambda: fg.TruncatedNormal(1e300, 1e-300, -1, 1), "high"),
        (lambda: fg.HeNormal("fan_avg"), "mode"),
        (lambda: fg.HeUniform(slope=-0.1), "slope"),
        (lambda: fg.Orthogonal(0), "gain"),
        (lambda: fg.Sparse(1.1), "sparsity"),
        (lambda: fg.Sparse(), "sparsity"),
        (lambda: fg.RAI(0), "sigma"),
        (lambda: fg.Identity(math.nan), "gain"),
        (lambda: fg.FromFunction("laplace"), "function"),
        (lambda: fg.FromFunction(np.float64), "function"),
        (lambda: fg.FromArrays(), "arrays"),
        (lambda: fg.FromArrays([[1, math.inf]]), "arrays[0]"),
        (lambda: fg.FromArrays([[1]], [["a"]]), "arrays[1]"),
        (lambda: fg.FromArrays([[1, 2], [3]]), "arrays[0]"),
        (lambda: fg.FromArrays(1.0), "arrays[0]"),
        (lambda: fg.FromArrays([[[1.0]]]), "arrays[0]"),
        (lambda: fg.FromArrays([True]), "arrays[0]"),
        (lambda: experiment([[[1, 2]]]), "init"),
        (lambda: experiment(fg.Zeros(), [[1, None]]), "bias_init.arrays[0]"),
        (lambda: experiment(WEIGHTS, "same"), "init"),
        (lambda: experiment(ARRAYS, fg.Zeros()), "init"),
        (lambda: experiment(WEIGHTS[::-1], fg.Zeros()), "init"),
        (lambda: experiment(WEIGHTS, [[1, 2]]), "bias_init"),
        (lambda: experiment(laplace, "same"), "bias_init"),
        (lambda: experiment(fg.HeNormal, "same"), "init"),
        (lambda: experiment([1e39 * w + 1e39 for w in WEIGHTS], fg.Zeros(), dtype="float32"), "init"),
        (lambda: experiment(fg.Identity(1e39), fg.Zeros(), dtype="float32"), "init"),
        (lambda: experiment(fg.TruncatedNormal(0, 1, -1e39, 1e39), dtype="float32"), "init"),
    ],
)
def test_what_will_not_do_is_named(make: Any, field: str) -> None:
    with pytest.raises(InvalidExperiment) as caught:
        make()
    assert caught.value.field == field
    assert len(str(caught.value).splitlines()) == 1


def test_every_scheme_says_whether_a_kernel_can_draw_it() -> None:
    own = {name for name, cls in registered(Initializer).items() if not cls.in_kernel}
    assert own == {"FromFunction", "FromArrays"}
    assert len(classes_by_name(Initializer)) == len(registered(Initializer)) - 2


def test_the_command_line_takes_words_and_no_functions() -> None:
    values = {flag.name: flag.default for flag in SWEEP_FLAGS}
    made = request("xor", values | {"init": "he_normal(mode=fan_out),orthogonal(gain=2),rai,sparse(0.5,std=1)"})
    assert made.axes["init"] == [fg.HeNormal("fan_out"), fg.Orthogonal(2), fg.RAI(), fg.Sparse(0.5, 1)]
    for text in ("from_function(math:hypot)", "from_function(abs)", "from_arrays(1)"):
        with pytest.raises(InvalidExperiment, match="init"):
            request("xor", values | {"init": text})
