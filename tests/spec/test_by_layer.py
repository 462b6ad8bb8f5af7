"""A distribution of its own for each layer."""

from __future__ import annotations

import numpy as np
import pytest

import fastgrok as fg

NET = fg.mlp(2, 4, 3, 1)
EXP = fg.Experiment(NET, fg.datasets.xor())


def drawn(exp: fg.Experiment, seeds: int = 5) -> list[np.ndarray]:
    return fg.initial_params(exp, seeds)


def test_schemes_that_are_all_one_draw_what_the_one_draws() -> None:
    for scheme in ("he_normal", "torch_linear", "rai", "orthogonal"):
        both = [drawn(EXP.replace(init=init, bias_init="default")) for init in (scheme, fg.ByLayer(*[scheme] * 3))]
        for one, other in zip(*both, strict=True):
            np.testing.assert_array_equal(one, other)


def test_layers_draw_from_the_seeds_one_stream_in_turn() -> None:
    exp = EXP.replace(init=fg.ByLayer(fg.Uniform(-1, 1), "torch_linear", "zeros"), bias_init="default")
    params = drawn(exp)
    for seed in range(5):
        rng = np.random.default_rng(seed)
        np.testing.assert_array_equal(params[0][seed], rng.uniform(-1, 1, (2, 4)))
        np.testing.assert_array_equal(params[1][seed], 0)
        np.testing.assert_array_equal(params[2][seed], rng.uniform(-0.5, 0.5, (4, 3)))
        np.testing.assert_array_equal(params[3][seed], rng.uniform(-0.5, 0.5, 3))
        assert not params[4][seed].any()
    same = drawn(exp.replace(bias_init="same"))
    assert same[1].any()
    assert not same[5].any()
    biases = drawn(exp.replace(bias_init=fg.ByLayer("zeros", "zeros", fg.Constant(0.5))))
    np.testing.assert_array_equal(biases[5], 0.5)


def test_it_is_read_as_text_and_from_json_and_restarts() -> None:
    wanted = fg.ByLayer(fg.HeNormal(), fg.Uniform(-0.1, 0.1), fg.Zeros())
    exp = EXP.replace(init="by_layer(he_normal, uniform(-0.1, 0.1), zeros)", restart=fg.Restart(5), epochs=40)
    assert exp.init == wanted
    assert fg.Experiment.from_json(exp.to_json()) == exp
    assert eval(repr(wanted), vars(fg)) == wanted
    assert fg.run(exp, 20, progress=False).dataset.restarts.max() > 1


@pytest.mark.parametrize(
    ("init", "message"),
    [
        (lambda: fg.ByLayer(), "schemes: expected one scheme or more, and it is missing|schemes"),
        (lambda: fg.ByLayer("he_norml"), r"schemes\[0\] = 'he_norml'.*did you mean 'he_normal'"),
        (lambda: fg.ByLayer("zeros", [[1.0]]), r"schemes\[1\] = .*expected an initializer that draws from"),
        (lambda: EXP.replace(init=fg.ByLayer("zeros", "zeros")), "init = .*one scheme for each of 3 Linear layers"),
        (lambda: EXP.replace(bias_init=fg.ByLayer("zeros")), "bias_init = .*one scheme for each of 3 Linear layers"),
    ],
)
def test_what_does_not_fit_is_refused(init, message) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(fg.InvalidExperiment, match=message):
        init()
