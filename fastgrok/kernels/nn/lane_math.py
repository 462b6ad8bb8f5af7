"""exp, log, sigmoid, tanh and more on lanes: our own polynomials, so that every CPU gives the same bits.

Error bounds, over the whole range and against a reference of 40 digits (tests/kernels/test_lane_math.py):

==========  ==========================  ==========================
function    float64, units in the last  float32, units in the last
            place                       place
==========  ==========================  ==========================
exp         1                           1
expm1       2 (x <= 0)                  2 (x <= 0)
log         1                           1
log1p       1.5 (x >= 0)                1.5 (x >= 0)
normal_cdf  4                           4
sigmoid     2                           2
softplus    2.5                         2.5
tanh        2.5                         2.5
==========  ==========================  ==========================

`normal_density` is within 4 units, too.

Infinities and NaN give what NumPy gives; subnormal arguments and results are rounded like the others. The
polynomials are near-minimax fits (Chebyshev, mpmath's `chebyfit`) on the reduced range.
"""

from fastgrok.kernels.jit import device
from fastgrok.kernels.lanes import (
    absolute,
    by_dtype,
    copysign,
    exponent,
    fma,
    like,
    low_bits_as_exponent,
    power_of_two,
    select,
    significand,
)


@device
def _nearest(x):
    """Return x rounded to a whole number, for |x| below 2**51 (float32: 2**22)."""
    magic = by_dtype(x, 6755399441055744.0, 12582912.0)  # 1.5 * 2**52, 1.5 * 2**23: no room for a fraction
    return (x + magic) - magic


@device
def _split(x):
    """Return (n, p) with x = n ln 2 + r, |r| <= ln(2)/2 and p = e**r - 1."""
    n = _nearest(x * like(x, 1.4426950408889634))
    return n, _expm1_of_rest(x, n)


@device
def _expm1_of_rest(x, n):
    """Return e**r - 1 with r = x - n ln 2, |r| <= ln(2)/2."""
    r = fma(n, by_dtype(x, -0.6931471805599453, -0.6931471824645996), x)
    r = fma(n, by_dtype(x, -2.3190468138462996e-17, 1.904654299957768e-09), r)
    # q = (e**r - 1 - r) / r**2: degree 9 for float64 (error 1e-16), 4 for float32 (7e-8).
    q = by_dtype(x, 2.510038549551032e-08, 0.0)
    q = fma(q, r, by_dtype(x, 2.7620088445409746e-07, 0.0))
    q = fma(q, r, by_dtype(x, 2.7557268459997064e-06, 0.0))
    q = fma(q, r, by_dtype(x, 2.4801521295954376e-05, 0.0))
    q = fma(q, r, by_dtype(x, 0.00019841269863053618, 0.0))
    q = fma(q, r, by_dtype(x, 0.0013888888917213717, 0.0013926183587713494))
    q = fma(q, r, by_dtype(x, 0.008333333333330062, 0.008363179052722578))
    q = fma(q, r, by_dtype(x, 0.04166666666662413, 0.041666554617204574))
    q = fma(q, r, by_dtype(x, 0.16666666666666669, 0.16666576989698775))
    q = fma(q, r, like(x, 0.5))
    return fma(r * r, q, r)


@device
def exp(x):
    """Return e**x."""
    top = by_dtype(x, 710.0, 89.0)  # the result is infinite from here on
    bottom = by_dtype(x, -746.0, -104.0)  # and zero from here on
    x = select(x > top, top, x)
    x = select(x < bottom, bottom, x)
    n, p = _split(x)
    # Two factors, since 2**n itself leaves the range of normal numbers before the result does.
    half = _nearest(n * like(x, 0.5))
    return ((like(x, 1.0) + p) * power_of_two(half)) * power_of_two(n - half)


@device
def exp_of_negative(x):
    """Return exp(x) for x <= 0: the same bits in fewer steps."""
    bottom = by_dtype(x, -746.0, -104.0)
    x = select(x < bottom, bottom, x)
    # With 55 (float32: 25) more in the exponent every result is normal: only the last product rounds. _nearest's
    # number plus that and the bias is even, too, and rounds halves alike; low bits of its sum with n are the
    # exponent.
    magic = by_dtype(x, 6755399441056822.0, 12583064.0)
    total = x * like(x, 1.4426950408889634) + magic
    scale = low_bits_as_exponent(total)
    p = _expm1_of_rest(x, total - magic)
    return fma(scale, p, scale) * by_dtype(x, 2.7755575615628914e-17, 2.9802322387695312e-08)  # 2**-55, 2**-25


@device
def log(x):
    """Return the natural logarithm of x: -inf at zero, NaN below."""
    smallest = by_dtype(x, 2.2250738585072014e-308, 1.1754943508222875e-38)
    tiny = x < smallest
    y = select(tiny, x * by_dtype(x, 18014398509481984.0, 33554432.0), x)  # 2**54, 2**25
    n = exponent(y) - select(tiny, by_dtype(x, 54.0, 25.0), like(x, 0.0))
    m = significand(y)
    large = m > like(x, 1.4142135623730951)
    n = select(large, n + like(x, 1.0), n)
    f = select(large, m * like(x, 0.5), m) - like(x, 1.0)
    # log(1 + f) = 2 atanh(s), s = f / (2 + f): odd in s, here 2s + s z (c0 + c1 z + ...), z = s**2.
    s = f / (like(x, 2.0) + f)
    z = s * s
    c = by_dtype(x, 0.14616721179861816, 0.0)
    c = fma(c, z, by_dtype(x, 0.15331699633543858, 0.0))
    c = fma(c, z, by_dtype(x, 0.18182889786191042, 0.0))
    c = fma(c, z, by_dtype(x, 0.2222221112572281, 0.2333069667245578))
    c = fma(c, z, by_dtype(x, 0.28571428626031065, 0.28550812382590146))
    c = fma(c, z, by_dtype(x, 0.3999999999989938, 0.4000012191414928))
    c = fma(c, z, by_dtype(x, 0.666666666666667, 0.6666666655440618))
    square = like(x, 0.5) * f * f
    small = fma(s, fma(c, z, square), n * by_dtype(x, 2.3190468138462996e-17, -1.904654299957768e-09))
    value = fma(n, by_dtype(x, 0.6931471805599453, 0.6931471824645996), f - (square - small))
    infinity = like(x, float("inf"))
    value = select(x < infinity, value, x)
    value = select(x == like(x, 0.0), -infinity, value)
    return select(x >= like(x, 0.0), value, like(x, float("nan")))


@device
def log1p(x):
    """Return log(1 + x) for x >= 0."""
    one = like(x, 1.0)
    total = one + x
    lost = x - (total - one)  # what rounding 1 + x took away
    return log(total) + select(total < like(x, float("inf")), lost / total, like(x, 0.0))


@device
def sigmoid(x):
    """Return 1 / (1 + e**-x), computed from e**-|x| so that neither tail overflows."""
    e = exp_of_negative(-absolute(x))
    one = like(x, 1.0)
    return select(x < like(x, 0.0), e, one) / (one + e)


@device
def tanh(x):
    """Return the hyperbolic tangent as t / (t + 2) with t = e**(2|x|) - 1, kept exact near zero."""
    top = by_dtype(x, 44.0, 20.0)  # the result is 1 from half of this on
    y = absolute(x) + absolute(x)
    n, p = _split(select(y > top, top, y))
    scale = power_of_two(n)
    t = fma(scale, p, scale - like(x, 1.0))
    return copysign(t / (t + like(x, 2.0)), x)


@device
def expm1(x):
    """Return e**x - 1 for x <= 0."""
    bottom = by_dtype(x, -40.0, -20.0)  # the result is -1 from here on
    n, p = _split(select(x < bottom, bottom, x))
    scale = power_of_two(n)
    return fma(scale, p, scale - like(x, 1.0))


@device
def softplus(x):
    """Return log(1 + e**x), computed from e**-|x| so that nothing overflows."""
    tail = log1p(exp_of_negative(-absolute(x)))
    return select(x > like(x, 0.0), x + tail, tail)


@device
def _scaled_erfc(y):
    """Return (1 + 2y) e**(y**2) erfc(y) for y >= 0, as a polynomial of (y - a) / (y + a) with a = 4 (float32: 2)."""
    a = by_dtype(y, 4.0, 2.0)
    t = select(y < like(y, 1e9), (y - a) / (y + a), like(y, 1.0))
    # Degree 23 for float64 (error 5e-17), 11 for float32 (2e-8).
    p = by_dtype(y, 9.655408225482863e-10, 0.0)
    p = fma(p, t, by_dtype(y, 1.5712153638319064e-09, 0.0))
    p = fma(p, t, by_dtype(y, -1.2544825403855518e-08, 0.0))
    p = fma(p, t, by_dtype(y, -1.6357383982124768e-08, 0.0))
    p = fma(p, t, by_dtype(y, 1.0683442926744586e-07, 0.0))
    p = fma(p, t, by_dtype(y, 7.111912428010423e-08, 0.0))
    p = fma(p, t, by_dtype(y, -8.218020654813044e-07, 0.0))
    p = fma(p, t, by_dtype(y, 2.980596055322769e-07, 0.0))
    p = fma(p, t, by_dtype(y, 5.707239573693257e-06, 0.0))
    p = fma(p, t, by_dtype(y, -1.1225140354449658e-05, 0.0))
    p = fma(p, t, by_dtype(y, -2.439811794207995e-05, 0.0))
    p = fma(p, t, by_dtype(y, 0.0001506231178516207, 0.0))
    p = fma(p, t, by_dtype(y, -0.00019925700412184815, 6.807514728279784e-05))
    p = fma(p, t, by_dtype(y, -0.0007577737141838885, 0.00016084033995866776))
    p = fma(p, t, by_dtype(y, 0.005031970032548695, -0.0003709284064825624))
    p = fma(p, t, by_dtype(y, -0.01619773397992426, -0.0013958050403743982))
    p = fma(p, t, by_dtype(y, 0.0371675155318432, 0.001230503199622035))
    p = fma(p, t, by_dtype(y, -0.06633036582050367, 0.00868925265967846))
    p = fma(p, t, by_dtype(y, 0.09373283499865172, -0.008024739101529121))
    p = fma(p, t, by_dtype(y, -0.10103906603585294, -0.054211996495723724))
    p = fma(p, t, by_dtype(y, 0.0680970542546862, 0.16405050456523895))
    p = fma(p, t, by_dtype(y, 0.015379652102610162, -0.1660310924053192))
    p = fma(p, t, by_dtype(y, -0.1396211168405625, -0.09276381880044937))
    p = fma(p, t, by_dtype(y, 1.2329951186255526, 1.2769783735275269))
    return p


@device
def _exp_of_half_square(x):
    """Return e**(-x**2 / 2)."""
    square = x * x
    lost = fma(x, x, -square)  # what rounding the square took away
    e = exp_of_negative(square * like(x, -0.5))
    return fma(select(square < like(x, float("inf")), lost * like(x, -0.5), like(x, 0.0)), e, e)


@device
def normal_cdf(x):
    """Return the standard normal distribution function, erfc(-x / sqrt(2)) / 2, kept exact in its lower tail."""
    one, y = like(x, 1.0), absolute(x) * like(x, 0.7071067811865476)
    tail = like(x, 0.5) * _exp_of_half_square(x) * _scaled_erfc(y) / fma(like(x, 2.0), y, one)
    return select(x < like(x, 0.0), tail, one - tail)


@device
def normal_density(x):
    """Return e**(-x**2 / 2) / sqrt(2 pi)."""
    return _exp_of_half_square(x) * like(x, 0.3989422804014327)
