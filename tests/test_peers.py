"""The peers that fastgrok is timed against do the same work, and the README's tables come from them."""

import dataclasses
import re

import numpy as np
import pytest

from benchmarks.peers import (
    agreement,
    cases,
    fma_peak,
    numba_prange,
    numpy_book,
    numpy_vectorised,
    readme,
    tables,
)
from benchmarks.peers.peer import Peer
from benchmarks.peers.works import (
    INPUTS,
    LEARNING_RATE,
    RELU_32,
    RELU_64,
    SIGMOID_64,
    TARGETS,
    initial_params,
)

LIGHT = (*numpy_book.PEERS, *numpy_vectorised.PEERS, numba_prange.GENERAL)


def test_light_peers_agree_on_every_seed():
    prepared = cases.prepare(LIGHT, (RELU_64, RELU_32), seeds=8, epochs=15)
    assert len(prepared) == 5
    agreement.check(prepared, share_allowed=0.0)


def test_peer_that_trains_an_epoch_too_many_is_found_out():
    def prepare(work, params, epochs):
        def run():
            arrays = [np.moveaxis(p, 0, -1).copy() for p in params]
            w1, b1, w2, b2 = arrays[0], arrays[1], arrays[2][:, 0], arrays[3][0]
            return numpy_vectorised.train(w1, b1, w2, b2, INPUTS, TARGETS, epochs + 1)

        return run

    impostor = Peer("one epoch too many", "impostor", (RELU_64,), prepare)
    with pytest.raises(agreement.Disagreement, match="one epoch too many"):
        agreement.check(cases.prepare([impostor], [RELU_64], seeds=8, epochs=15), share_allowed=0.0)


def test_loss_that_is_not_a_number_differs():
    assert agreement.share_differing(np.array([np.nan, 1.0]), np.ones(2), RELU_64) == 0.5


def test_plain_numba_sigmoid_is_gradient_descent():
    epochs = 5
    params = initial_params(SIGMOID_64, 3)
    losses = numba_prange.prepare(SIGMOID_64, params, epochs)()
    for seed in range(3):
        assert losses[seed] == pytest.approx(sigmoid_loss([p[seed] for p in params], epochs), rel=1e-12)


def sigmoid_loss(params, epochs):
    """Return the final loss of one sigmoid network trained by NumPy, gradients written out."""

    def sigmoid(z):
        return 1 / (1 + np.exp(-z))

    w1, b1, w2, b2 = (p.copy() for p in params)
    for _ in range(epochs):
        for x, target in zip(INPUTS, TARGETS, strict=True):
            hidden = sigmoid(x @ w1 + b1)
            output = sigmoid(hidden @ w2 + b2)
            delta_2 = (output - target) * output * (1 - output)
            delta_1 = (w2 @ delta_2) * hidden * (1 - hidden)
            w2 -= LEARNING_RATE * np.outer(hidden, delta_2)
            b2 -= LEARNING_RATE * delta_2
            w1 -= LEARNING_RATE * np.outer(x, delta_1)
            b1 -= LEARNING_RATE * delta_1
    outputs = sigmoid(sigmoid(INPUTS @ w1 + b1) @ w2 + b2)[:, 0]
    return 0.5 * np.mean((outputs - TARGETS) ** 2)


def test_starting_points_are_numpys():
    rng = np.random.default_rng(2)
    w1, b1, w2, b2 = initial_params(RELU_32, 3)
    np.testing.assert_array_equal(w1[2], rng.uniform(-1, 1, (2, 4)).astype(np.float32))
    np.testing.assert_array_equal(w2[2], rng.uniform(-1, 1, (4, 1)).astype(np.float32))
    assert not b1.any()
    assert not b2.any()


def test_peer_that_is_not_installed_is_named():
    absent = dataclasses.replace(LIGHT[0], name="absent", requires="no_such_library")
    assert absent.missing
    environment = {"date": "today", "cpu": "a CPU", "threads": 2, "versions": {}, "command": "python"}
    page = tables.report(environment, [absent], [], {}, [])
    assert "Missing: absent (no_such_library is not installed)." in page


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_fma_peak_keeps_its_chains_in_the_widest_registers(dtype):
    register = {64: "zmm", 32: "ymm"}.get(fma_peak.register_bytes())
    if register is None:
        pytest.skip("no AVX on this machine")
    (assembly,) = fma_peak.compiled(dtype).inspect_asm().values()
    loops = re.findall(r"(\.LBB\d+_\d+):\n((?:\t.*\n)+?)\tj\w+\t\1\n", assembly)
    bodies = [body for _, body in loops if "vfmadd" in body]
    assert bodies
    for body in bodies:
        fused = [line for line in body.splitlines() if "vfmadd" in line]
        assert len(fused) % fma_peak.CHAINS == 0
        assert all(line.count(register) == 3 for line in fused)
        assert "(%rsp)" not in body


OPENING, CLOSING = "<!-- peers:begin -->", "<!-- peers:end -->"


def test_readme_keeps_everything_outside_the_markers(tmp_path):
    page = tmp_path / "README.md"
    page.write_text(f"before\n{OPENING}\nold\n{CLOSING}\nafter\n")
    readme.write(page, "new")
    readme.write(page, "newer")
    assert page.read_text() == f"before\n{OPENING}\n\nnewer\n\n{CLOSING}\nafter\n"


def test_readme_without_markers_is_refused():
    with pytest.raises(ValueError, match="peers:begin"):
        readme.replace_between_markers(f"{CLOSING} {OPENING}", "new")
