"""Numbers, lists and estimates as text."""

import math

import pytest

from fastgrok.errors import one_line
from fastgrok.statistics import Estimate
from fastgrok.statistics import text as words

OPEN = Estimate(1.5, 1.1, None)
SHARE = Estimate(0.0312, 0.0257, 0.0367)
NONE = Estimate(None, None, None)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (one_line("two\nlines\x1b[31m"), "two lines\\x1b[31m"),
        (words.axis_value("optimizer.lr", 0.1), "lr=0.1"),
        (words.axis_value("init", "HeNormal()"), "HeNormal()"),
        (words.axis_value("loss", "squared_error"), "loss=squared_error"),
        (words.plural(1, "unit"), "1 unit"),
        (words.plural(0, "unit"), "0 units"),
        (words.plural(1200, "unit"), "1,200 units"),
        (words.listed([]), ""),
        (words.listed([1]), "1"),
        (words.listed([1, 2, 3]), "1, 2 and 3"),
        (words.listed(range(8)), "0, 1, 2, 3, 4, 5, 6 and 7"),
        (words.listed(range(10)), "0, 1, 2, 3, 4, 5, 6 and 3 more"),
        (words.number(0.123456), "0.1235"),
        (words.number(-0.0), "0"),
        (words.number(2), "2"),
        (words.number(0.1 + 0.2, 6), "0.3"),
        (words.fixed(-0.001, 2), "0.00"),
        (words.fixed(1234.5, 0), "1,234"),
        (words.fixed(math.nan, 2), "nan"),
        (words.short(-0.5), "-0.50"),
        (words.short(-0.001), "0.00"),
        (words.short(123.4), "1e+02"),
        (words.short(-2e200), "-2e+200"),
        (words.duration(0.01234), "0.0123 s"),
        (words.duration(12.34), "12.3 s"),
        (words.duration(4000), "1:06:40"),
        (words.speed(123_456_789), "123 M"),
        (words.speed(950), "950"),
        (words.speed(None), "-"),
        (words.probability(0.01234), "0.012"),
        (words.probability(0.01234, "= "), "= 0.012"),
        (words.probability(1e-300, "= "), "< 1e-10"),
        (words.percent(Estimate(199 / 200, 0.9722, 0.9991)), "99.5 % [97.2, 99.9]"),
        (words.percent(Estimate(1 / 200, 0.0009, 0.0278)), "0.5 % [0.1, 2.8]"),
        (words.percent(Estimate(1.0, 0.981, 1.0)), "100 % [98, 100]"),
        (words.percent(Estimate(0.0, 0.0, 0.019)), "0 % [0, 2]"),
        (words.plain_percent(199_999_999 / 200_000_000), "99.9999995 %"),
        (words.plain_percent(1 / 3000), "0.03 %"),
        (words.plain_percent(1.0), "100 %"),
        (words.plain_percent(0.5), "50 %"),
        (words.quantity(Estimate(0.01253, 0.01209, None)), "0.0125 [0.0121, open]"),
        (words.quantity_of(19_999 / 20_000), "0.99995"),
        (words.quantity_of(1.0), "1"),
        (words.quantity(NONE), "not finite [open, open]"),
        (words.percent(Estimate(0.5, 0.5, 0.5)), "50 % [50, 50]"),
        (words.percent(Estimate(None, 0, 1)), "-"),
        (words.points(SHARE, " points"), "3.1 points [2.6, 3.7]"),
        (words.epochs(Estimate(1234.4, 1200.2, None)), "1,234 [1,200, not reached]"),
        (words.epochs(Estimate(None, 12, None), beyond="not bounded"), "not reached [12, not bounded]"),
        (words.epochs(NONE, none="-"), "-"),
        (words.ratio(Estimate(0.8123, 0.8012, 0.8234)), "0.812 [0.801, 0.823]"),
        (words.ratio(OPEN), "1.50 [1.10, open]"),
        (words.ratio(NONE), "-"),
    ],
)
def test_text_is(written: str, expected: str) -> None:
    assert written == expected


def test_decimals_follow_the_width_of_an_interval() -> None:
    assert [words.decimals_of(width) for width in (30, 0.3, 0.03, 1e-9)] == [0, 1, 2, 6]
    assert words.decimals_of(0.03, more=1) == 3
