"""Listings: the weights notebook's own, and those of every network, read back bit for bit."""

import numpy as np
import pytest
import registry

import fastgrok as fg
from fastgrok.explain import listing, read_listing

PRINTED = """
0B -> L1N0: 1.3025760914331386e-08
0B -> L1N1: -1.4192625741316078e-08
L0N0                   -> L1N0 = 0.659289538860321
L0N0                   -> L1N1 = -0.9533336758613586
L0N1                   -> L1N0 = -0.659289538860321
L0N1                   -> L1N1 = 0.9533336758613586
1B -> L2N0: -1.9757269598130733e-08
L1N0                   -> L2N0 = 1.5167843103408813
L1N1                   -> L2N0 = 1.0489506721496582
"""

OF_PYTORCH = """
1B -> L2N0: -0.34139105677604675
L0N0               -> L1N0 = -2.822441339492798
L0N0               -> L1N1 = 2.410576105117798
L0N1               -> L1N0 = 4.310168266296387
L0N1               -> L1N1 = -4.205879211425781
L1N0               -> L2N0 = 1.5188194513320923
L1N0               -> L2N1 = 1.6310256719589233
"""


def test_the_printed_listing_is_read_and_written_again():
    network, params = read_listing(PRINTED)
    assert network is None
    assert params[0].tolist() == [[0.659289538860321, -0.9533336758613586], [-0.659289538860321, 0.9533336758613586]]
    assert params[1].tolist() == [1.3025760914331386e-08, -1.4192625741316078e-08]
    assert params[2].tolist() == [[1.5167843103408813], [1.0489506721496582]]
    assert params[3].tolist() == [-1.9757269598130733e-08]
    lines = [" ".join(line.split()) for line in PRINTED.strip().splitlines()]
    assert listing(fg.mlp(2, 2, 1, output="relu"), params).splitlines() == lines


def test_the_printed_network_computes_xor():
    network, params = read_listing(PRINTED, fg.mlp(2, 2, 1))
    assert np.round(fg.predict(network, params, fg.datasets.xor().X)[0, :, 0], 4).tolist() == [0, 1, 1, 0]


@pytest.mark.parametrize("dtype", registry.DTYPES)
@pytest.mark.parametrize("name", registry.NETWORKS)
def test_a_listing_reads_back_bit_for_bit(name, dtype):
    network = registry.NETWORKS[name]
    rng = np.random.default_rng(5)
    sizes = [(shape, 10.0 ** rng.integers(-30, 30)) for shape in network.param_shapes]
    params = [(rng.standard_normal(shape) * size).astype(dtype) for shape, size in sizes]
    text = "\n".join(reversed(listing(network, params).splitlines()))
    for read in (read_listing(text, network)[1], read_listing(text)[1]):
        for array, expected in zip(read, params, strict=True):
            assert array.astype(dtype).tobytes() == expected.tobytes()


def test_without_bias_lines_there_is_no_bias_or_it_is_zero():
    text = "\n".join(line for line in PRINTED.splitlines() if "B" not in line)
    assert [array.shape for array in read_listing(f"```\n{text}\n```")[1]] == [(2, 2), (2, 1)]
    assert [array.shape for array in read_listing(text, fg.mlp(2, 2, 1, output="relu", bias=False))[1]] == [
        (2, 2),
        (2, 1),
    ]
    assert read_listing(text, fg.mlp(2, 2, 1))[1][1].tolist() == [0, 0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "text = '': expected a line such as"),
        ("L0N0 -> L1N0 = 1\nwhat", "text line 2 = 'what': expected a line such as"),
        ("L0N0 -> L1N0: 1", "text line 1 = 'L0N0 -> L1N0: 1': expected a line such as"),
        ("0B -> L1N0 = 1", "text line 1 = '0B -> L1N0 = 1': expected a line such as"),
        ("L0N0 -> L1N0 = x", "text line 1 = .*expected a finite number, and not 'x'"),
        ("L0N0 -> L1N0 = nan", "text line 1 = .*expected a finite number"),
        ("L0N0 -> L2N0 = 1", "text line 1 = .*expected a weight or bias from layer 0 to layer 1"),
        ("L0N9999 -> L1N0 = 1", "text line 1 = .*expected at most 256 layers"),
        ("\nL0N0 -> L1N0 = 1\nL0N0 -> L1N0 = 2", "text line 3 = .*line 2 has it already"),
        ("L1N0 -> L2N0 = 1", "nothing of layer 0"),
        ("0B -> L1N1: 1\nL0N0 -> L1N0 = 1\nL0N0 -> L1N1 = 1", "expected a line '0B -> L1N0: ...'"),
        ("L0N0 -> L1N0 = 1\nL0N1 -> L1N1 = 1", "expected a line 'L0N0 -> L1N1 = ...'"),
        (OF_PYTORCH, "expected a line 'L1N1 -> L2N0 = ...'; PyTorch's layer.weight"),
    ],
)
def test_the_line_that_will_not_do_is_named(text, message):
    with pytest.raises(fg.InvalidExperiment, match=message):
        read_listing(text)


def test_a_line_that_the_network_has_not_is_named():
    with pytest.raises(fg.InvalidExperiment, match=r"text line 2 = .*expected units of a network 2-1, counted"):
        read_listing("L0N0 -> L1N0 = 1\nL0N2 -> L1N0 = 1", fg.mlp(2, 1))
    with pytest.raises(fg.InvalidExperiment, match=r"text line 3 = .*expected no bias: Linear layer 1"):
        read_listing("L0N0 -> L1N0 = 1\nL0N1 -> L1N0 = 1\n0B -> L1N0: 1", fg.mlp(2, 1, bias=False))
    with pytest.raises(fg.InvalidExperiment, match="network = 3"):
        read_listing("L0N0 -> L1N0 = 1", 3)
    with pytest.raises(fg.InvalidExperiment, match="text = 3"):
        read_listing(3)
