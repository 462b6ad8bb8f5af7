"""The sign-flow article's tables."""

import pytest

import fastgrok as fg
from fastgrok.explain import sign_rules

ARTICLE = fg.Network(fg.Linear(3, 1, bias=False), fg.ReLU(gradient_at_zero=1))


def test_the_articles_update_table():
    assert [rule[1:] for rule in sign_rules(ARTICLE).updates] == [
        ("delta^3 = 0", "as expected", "keep same w^2", 0),
        ("delta^3 < 0 and o^1 >= 0", "lower than expected", "increase w^2", 1),
        ("delta^3 < 0 and o^1 < 0", "lower than expected", "decrease w^2", -1),
        ("delta^3 > 0 and o^1 >= 0", "higher than expected", "decrease w^2", -1),
        ("delta^3 > 0 and o^1 < 0", "higher than expected", "increase w^2", 1),
    ]


def test_the_articles_flow_through_every_layer():
    assert [rule[1:] for rule in sign_rules(ARTICLE).flow] == [
        ("loss", "output = target", "delta^4 = 0"),
        ("loss", "output < target", "delta^4 < 0"),
        ("loss", "output > target", "delta^4 > 0"),
        ("relu", "delta^4 = 0", "delta^3 = 0"),
        ("relu", "delta^4 < 0 and o^2 >= 0", "delta^3 < 0"),
        ("relu", "delta^4 < 0 and o^2 < 0", "delta^3 = 0, blocked (leaky: delta^3 < 0)"),
        ("relu", "delta^4 > 0 and o^2 >= 0", "delta^3 > 0"),
        ("relu", "delta^4 > 0 and o^2 < 0", "delta^3 = 0, blocked (leaky: delta^3 > 0)"),
        ("linear", "delta^3 = 0", "delta^2 = 0"),
        ("linear", "delta^3 < 0", "sign(delta^2) = -sign(w^2)"),
        ("linear", "delta^3 > 0", "sign(delta^2) = sign(w^2)"),
        ("input", "delta^2 = 0", "delta^1 = 0"),
        ("input", "delta^2 < 0", "delta^1 < 0"),
        ("input", "delta^2 > 0", "delta^1 > 0"),
    ]
    assert [rule.layer for rule in sign_rules(ARTICLE).flow] == [4] * 3 + [3] * 5 + [2] * 3 + [1] * 3


def test_rules_of_what_is_none_are_refused():
    with pytest.raises(fg.InvalidExperiment, match="network = 1"):
        sign_rules(1)
    with pytest.raises(fg.InvalidExperiment, match="loss = 'mse'"):
        sign_rules(ARTICLE, "mse")
    with pytest.raises(fg.InvalidExperiment, match="a Sigmoid at the end"):
        sign_rules(ARTICLE, "binary_cross_entropy")
