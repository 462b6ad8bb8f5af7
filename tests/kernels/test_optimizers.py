"""Optimizers step by step: PyTorch's numbers, and closed forms."""

import numpy as np
import pytest

import fastgrok as fg
from fastgrok.errors import InvalidExperiment

DATA = fg.Dataset([[1, -2], [0.5, 1], [-1, 0.25]], [[1], [-0.5], [2]])
START = [np.array([[[0.5], [-1.0]]]), np.array([[0.25]])]

# The weights and the bias of one Linear layer after 1, 2, 3 and 6 steps from START on the mean of half the squared
# errors, as torch.optim of PyTorch 2.13.0 gave them in float64.
STEPS = (1, 2, 3, 6)
PYTORCH = [
    (fg.AdamW(0.1), [
        (0.3995000007058824, -0.8990000007272727, 0.3497499960000002),
        (0.29941991500556175, -0.7988375786522642, 0.44788324279609226),
        (0.20001744977318114, -0.7002248059517007, 0.5426321974729488),
        (-0.09094702098348827, -0.42451849155895954, 0.778893323054621),
    ]),
    (fg.AdamW(0.1, beta1=0.5, beta2=0.9, eps=1e-3, weight_decay=0.5), [
        (0.3750705384434516, -0.8500726744186046, 0.337101593625498),
        (0.2583424142689709, -0.7119049871165553, 0.41792656287572794),
        (0.15063570255546083, -0.5884485335021545, 0.4915883122016303),
        (-0.11479936258220105, -0.3347364679690252, 0.6638333595222865),
    ]),
    (fg.RMSprop(), [
        (0.40000000705882305, -0.9000000072727268, 0.34999996000001593),
        (0.332204034175614, -0.834912783542682, 0.41103561058753446),
        (0.2782893323800675, -0.7847831443660152, 0.4562080317613588),
        (0.1562546117882398, -0.6776587259847934, 0.5475981748245765),
    ]),
    (fg.RMSprop(0.05, alpha=0.9, eps=1e-3, momentum=0.5, weight_decay=0.1), [
        (0.34222629263033805, -0.8422243748456453, 0.40592246028452456),
        (0.15708555316994255, -0.6636483762255688, 0.5600018465051797),
        (-0.014426991520106945, -0.5109409493169131, 0.6539163414414085),
        (-0.3787956221430652, -0.3045118359551528, 0.7316136007902853),
    ]),
    (fg.RMSprop(0.05, alpha=0.9, momentum=0.5, centered=True), [
        (0.33333333725490183, -0.8333333373737373, 0.41666664444444745),
        (0.1318756739856262, -0.6408440699627739, 0.5945167517231978),
        (-0.06063151016528035, -0.47616573696054004, 0.7202689175659996),
        (-0.49057337533195744, -0.2949663560659524, 0.8329810975093477),
    ]),
    (fg.Adagrad(), [
        (0.49000000000070587, -0.9900000000007273, 0.259999999996),
        (0.48295822892764495, -0.9829814708044531, 0.2669871114154458),
        (0.47722326554373207, -0.977277237296432, 0.2726501398968653),
        (0.4638048841633433, -0.9639684380934922, 0.2858132971071961),
    ]),
    (fg.Adagrad(0.5, lr_decay=0.5, initial_accumulator_value=0.25, eps=1e-3, weight_decay=0.1), [
        (0.027050123099582712, -0.5267709105455036, 0.4548087995668507),
        (-0.12917837889447714, -0.443045333823884, 0.5672472665280093),
        (-0.2171389758652023, -0.4134835816278441, 0.6176530259156624),
        (-0.3522189419029378, -0.394040633467727, 0.6782544496910438),
    ]),
    (fg.Rprop(0.1), [
        (0.4, -0.9, 0.35),
        (0.28, -0.78, 0.47),
        (0.13600000000000004, -0.636, 0.614),
        (-0.4929919999999999, -0.25584000000000007, 0.8732),
    ]),
    (fg.Rprop(0.5, eta_minus=0.25, eta_plus=1.5, step_size_min=0.2, step_size_max=0.7), [
        (0.0, -0.5, 0.75),
        (-0.7, 0.19999999999999996, 0.75),
        (-0.7, 0.19999999999999996, 0.95),
        (-0.7, -0.7500000000000002, 1.05),
    ]),
    (fg.Adam(0.1, weight_decay=0.5), [
        (0.4000000006, -0.9000000005333333, 0.34999999200000065),
        (0.30041222890031427, -0.8006334279123648, 0.42625707661693474),
        (0.2016055714412408, -0.7025234520818722, 0.4540219135068952),
        (-0.08473564971263368, -0.4259166607647725, 0.4525538240764468),
    ]),
    (fg.SGD(0.1, 0.9, nesterov=True, weight_decay=0.5), [
        (0.18333333333333332, -0.64375, 0.27375),
        (-0.15439270833333327, -0.31766050347222224, 0.32780590277777777),
        (-0.45040431199363423, -0.10288271088324649, 0.4103557198350694),
        (-0.8789582205228786, -0.18724919956743072, 0.6881900147020334),
    ]),
]  # fmt: skip


def trained(optimizer, steps, data=DATA, start=None, specialize=False, **fields):
    """Return the parameters after so many steps, weights first."""
    fields = {"batch_size": "full", "epochs": steps, "stop": None} | fields
    exp = fg.Experiment(fg.mlp(data.n_in, 1, bias=start is None), data, optimizer=optimizer, **fields)
    params = START if start is None else [np.array([[[float(start)]]])]
    result = fg.run(exp, params=params, keep_params=True, specialize=specialize, threads=1, lanes=8, progress=False)
    return np.concatenate([p.ravel() for p in result.params])


@pytest.mark.parametrize(("dtype", "rtol", "specialize"), [("float64", 1e-14, False), ("float32", 2e-6, True)])
@pytest.mark.parametrize(("optimizer", "table"), PYTORCH, ids=[repr(optimizer) for optimizer, _ in PYTORCH])
def test_steps_are_those_of_pytorch(optimizer, table, dtype, rtol, specialize):
    for steps, expected in zip(STEPS, table, strict=True):
        found = trained(optimizer, steps, specialize=specialize, dtype=dtype)
        np.testing.assert_allclose(found, expected, rtol=rtol, atol=rtol)


# One weight w with inputs 1 and targets y: the gradient of half the squared error is w - y.
FAR = fg.Dataset([[1]], [[1000]])
NEAR = fg.Dataset([[1]], [[0]])


@pytest.mark.parametrize("specialize", [False, True])
def test_adamw_decays_where_there_is_no_gradient(specialize):
    """With a gradient of 0, Adam's step is 0, and w is multiplied by 1 - lr weight_decay."""
    nothing = fg.Dataset([[0]], [[0]])
    for steps in (1, 2, 50):
        weight = trained(fg.AdamW(0.1, weight_decay=0.5), steps, nothing, 3, specialize=specialize)
        np.testing.assert_allclose(weight, 3 * 0.95**steps, rtol=1e-14)


def test_adamw_without_decay_is_adam_bit_for_bit():
    adam, adamw = fg.Adam(0.1, l1=0.05, clip_norm=0.5), fg.AdamW(0.1, weight_decay=0, l1=0.05, clip_norm=0.5)
    np.testing.assert_array_equal(trained(adam, 20), trained(adamw, 20))


def test_the_first_step_of_rmsprop_is_lr_over_the_root_of_what_is_fresh():
    for alpha in (0.0, 0.5, 0.99):
        weight = trained(fg.RMSprop(0.1, alpha=alpha), 1, FAR, 0)
        np.testing.assert_allclose(weight, 0.1 / np.sqrt(1 - alpha), rtol=1e-9)


def test_a_variance_that_rounding_makes_negative_is_zero():
    """A gradient that hardly changes has none: but for the clamp a third of these variances would be negative."""
    far = fg.Dataset([[1]], [[1e9]])
    for dtype in ("float64", "float32"):
        optimizer = fg.RMSprop(1e-9, alpha=0.5, eps=1.0, centered=True)
        assert np.isfinite(trained(optimizer, 2000, far, 0, dtype=dtype)).all()


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_adagrad_with_one_gradient_steps_by_the_harmonic_roots(dtype):
    """Steps of lr / sqrt(t) while the gradient stays, and with lr_decay 1 of lr / t**1.5."""
    t = np.arange(1, 101)
    for decay, expected in ((0.0, (1 / np.sqrt(t)).sum()), (1.0, (t**-1.5).sum())):
        weight = trained(fg.Adagrad(1e-6, lr_decay=decay), 100, FAR, 0, dtype=dtype)
        np.testing.assert_allclose(weight, 1e-6 * expected, rtol=1e-5)


def test_rprop_grows_its_steps_to_the_largest_and_never_beyond():
    sizes, farther = np.minimum(0.1 * 1.2 ** np.arange(60), 50), fg.Dataset([[1]], [[1e6]])
    for steps in (1, 5, 60):
        np.testing.assert_allclose(trained(fg.Rprop(0.1), steps, farther, 0), sizes[:steps].sum(), rtol=1e-13)


def test_rprop_halves_its_step_where_the_sign_changes_and_waits_once():
    """From 0.25, to the minimum at 0: 0.1 0.12, past it 0.144, back by 0.072 only after a step of none."""
    expected = [0.15, 0.03, -0.114, -0.114, -0.042]
    for steps, weight in enumerate(expected, 1):
        np.testing.assert_allclose(trained(fg.Rprop(0.1), steps, NEAR, 0.25), weight, rtol=1e-12)


def test_the_first_step_of_rprop_is_kept_within_its_bounds():
    assert trained(fg.Rprop(0.1, step_size_min=0.25), 1, FAR, 0) == 0.25
    assert trained(fg.Rprop(0.1, step_size_max=0.0625), 1, FAR, 0) == 0.0625


def test_rprop_takes_the_full_batch_alone():
    xor = {"network": fg.mlp(2, 1), "data": fg.datasets.xor(), "optimizer": fg.Rprop()}
    for size in (1, 3):
        with pytest.raises(
            InvalidExperiment, match=f"batch_size = {size}: expected 'full' with Rprop, which compares"
        ):
            fg.Experiment(**xor, batch_size=size)
    for size in (4, 99, "full"):
        fg.Experiment(**xor, batch_size=size)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: fg.Rprop(eta_minus=1), "eta_minus = 1: expected a finite number greater than 0 and less than 1"),
        (lambda: fg.Rprop(eta_plus=1), "eta_plus = 1: expected a finite number greater than 1"),
        (lambda: fg.Rprop(step_size_min=60), "step_size_max = 50.0: expected a number at least step_size_min"),
        (lambda: fg.Rprop(schedule=fg.StepLR(3)), "schedule = .*: expected None: lr is the first step size"),
        (lambda: fg.RMSprop(alpha=1), "alpha = 1: expected a finite number at least 0 and less than 1"),
        (lambda: fg.Adagrad(lr_decay=-1), "lr_decay = -1: expected a finite number at least 0"),
    ],
)
def test_what_an_optimizer_does_not_accept(make, message):
    with pytest.raises(InvalidExperiment, match=message):
        make()
