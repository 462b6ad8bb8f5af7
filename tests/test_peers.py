"""The peers that fastgrok is timed against do the same work, and the README's tables come from them."""

import dataclasses
import re
import time

import numpy as np
import pytest

from benchmarks.peers import (
    agreement,
    cases,
    cpp_lanes,
    environment,
    fastgrok_run,
    fma_peak,
    numba_prange,
    numpy_book,
    numpy_matmul,
    numpy_vectorised,
    readme,
    registry,
    session,
    tables,
    timing,
    torch_bmm,
)
from benchmarks.peers.peer import Peer
from benchmarks.peers.works import (
    BATCHED,
    INPUTS,
    LEARNING_RATE,
    RELU_32,
    RELU_64,
    SIGMOID_64,
    TARGETS,
    WIDE,
    WIDE_PER_EXAMPLE,
    flops_of,
    initial_params,
    wide,
)

LIGHT = (*numpy_book.PEERS, *numpy_vectorised.PEERS, numba_prange.GENERAL)


def test_light_peers_agree_on_every_seed():
    prepared = cases.prepare(LIGHT, (RELU_64, RELU_32), seeds=8, epochs=15)
    assert len(prepared) == 5
    agreement.check(prepared, share_allowed=0.0)


@pytest.mark.parametrize("compiler", cpp_lanes.COMPILERS)
@pytest.mark.parametrize("work", [RELU_64, RELU_32, SIGMOID_64], ids=["relu-64", "relu-32", "sigmoid-64"])
def test_cpp_agrees_with_any_lanes_that_the_seeds_do_not_fill(compiler, work):
    peer = cpp_lanes.GIVEN[compiler]
    if peer.missing:
        pytest.skip(f"{peer.missing} is not installed")
    reference = agreement.reference_losses(work, 37, 20)
    for lanes in cpp_lanes.LANES:
        code = cpp_lanes.library(compiler, work, known_data=False)
        losses = cpp_lanes.Training(code, work, initial_params(work, 37), 20, lanes)()
        assert agreement.share_differing(losses, reference, work) == 0


@pytest.mark.parametrize("compiler", cpp_lanes.COMPILERS)
def test_cpp_with_the_data_compiled_in_agrees(compiler):
    peer = cpp_lanes.KNOWN[compiler]
    if peer.missing:
        pytest.skip(f"{peer.missing} is not installed")
    prepared = cases.prepare([peer], [RELU_64], seeds=9, epochs=15)
    agreement.check(prepared, share_allowed=0.0)
    assert prepared[0].way == f"{peer.name} ({prepared[0].run.lanes} lanes)"


def test_cpp_that_a_compiler_refuses_is_an_error_that_shows_why(tmp_path, monkeypatch):
    compiler = next((peer.program for peer in cpp_lanes.GIVEN.values() if not peer.missing), None)
    if compiler is None:
        pytest.skip("no C++ compiler is installed")
    source = tmp_path / "broken.cpp"
    source.write_text("#error not today\n")
    monkeypatch.setattr(cpp_lanes, "SOURCE", source)
    with pytest.raises(RuntimeError, match="not today"):
        cpp_lanes.library.__wrapped__(compiler, RELU_64, known_data=False)


NARROW = wide((3, 5, 4, 2))
"""As the wide works are, and light."""


def test_numpy_matmul_is_gradient_descent_on_batches():
    inputs, targets = NARROW.examples()
    (w1, b1, w2, b2, w3, b3) = (p[2].astype(np.float64) for p in initial_params(NARROW, 3))
    for start in range(0, 256, 32):
        x, y = inputs[start : start + 32], targets[start : start + 32]
        a1 = np.maximum(x @ w1 + b1, 0)
        a2 = np.maximum(a1 @ w2 + b2, 0)
        delta_3 = (a2 @ w3 + b3 - y) / 32
        delta_2 = delta_3 @ w3.T * (a2 > 0)
        delta_1 = delta_2 @ w2.T * (a1 > 0)
        for a, w, b, delta in ((a2, w3, b3, delta_3), (a1, w2, b2, delta_2), (x, w1, b1, delta_1)):
            w -= 0.01 * a.T @ delta
            b -= 0.01 * delta.sum(axis=0)
    outputs = np.maximum(np.maximum(inputs @ w1 + b1, 0) @ w2 + b2, 0) @ w3 + b3
    losses = numpy_matmul.prepare(NARROW, initial_params(NARROW, 3), epochs=1)()
    assert losses[2] == pytest.approx(0.5 * np.square(outputs - targets).sum(axis=1).mean(), rel=1e-5)


@pytest.mark.parametrize("work", [*BATCHED, WIDE_PER_EXAMPLE[0]], ids=lambda work: work.name)
def test_fastgrok_does_the_wide_work(work):
    prepared = cases.prepare([fastgrok_run.DEFAULT], [work], seeds=3, epochs=2)
    agreement.check(prepared, share_allowed=0.0)


@pytest.mark.parametrize("output", ["linear", "softmax"])
@pytest.mark.parametrize("own_threads", [True, False])
def test_torch_ensemble_agrees_whatever_its_blocks_and_threads(own_threads, output):
    torch = pytest.importorskip("torch")
    work = dataclasses.replace(NARROW, output=output)
    params = initial_params(work, 5)
    tensors = tuple(torch.from_numpy(p if p.ndim == 3 else p[:, None]) for p in params)
    losses = torch_bmm.Training(work, tensors, 2, block=2, own_threads=own_threads)()
    assert agreement.share_differing(losses, agreement.reference_losses(work, 5, 2), work) == 0


def test_operations_are_counted_by_hand():
    assert flops_of((2, 4, 1), batch_size=1, n_examples=4) == 244
    # forward 2 * 20, weight gradients 2 * 20, hidden deltas 2 * 8, bias gradients 6; two updates of 2 * 26
    assert flops_of((3, 4, 2), batch_size=2, n_examples=4) == 4 * (2 * 20 + 2 * 20 + 2 * 8 + 6) + 2 * 2 * 26


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
    page = tables.report(ENVIRONMENT, [absent], {}, [], {})
    assert "Missing: absent (no_such_library is not installed)." in page
    without_compiler = dataclasses.replace(LIGHT[0], program="no-such-compiler")
    assert without_compiler.missing == "no-such-compiler"


def test_command_is_shown_without_this_machines_paths(tmp_path):
    shown = environment.describe(["--json", str(tmp_path / "peers.json"), "--quick"])["command"]
    assert shown == "python -m benchmarks.peers --json PATH --quick"


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


def measured(peer, work, rate):
    """Return the measurement of one seed-epoch at a rate."""
    return cases.Measurement(cases.Case(peer, work, 1, 1, lambda: None), 1 / rate)


ENVIRONMENT = {"date": "today", "cpu": "a CPU", "threads": 2, "versions": {}, "command": "python"}


def test_headline_is_five_lines_against_the_best_of_each_kind():
    measurements = [
        measured(fastgrok_run.DEFAULT, RELU_64, 6e6),
        measured(cpp_lanes.GIVEN["g++"], RELU_64, 2e6),
        measured(cpp_lanes.GIVEN["clang++"], RELU_64, 3e6),
        *(measured(fastgrok_run.DEFAULT, work, rate) for work, rate in zip(WIDE, (2, 4, 6), strict=True)),
        *(measured(torch_bmm.BMM, work, 2) for work in WIDE),
    ]
    page = tables.headline(ENVIRONMENT, measurements)
    lines = [line for line in page.splitlines() if line.startswith("|")][2:]
    assert len(lines) == 5
    assert lines[0] == "| the book's NumPy loop | – | – |"
    assert lines[3] == "| C++ by hand, one seed a SIMD lane | 2 | – |"
    assert lines[4] == "| wide layers: JAX, or a PyTorch ensemble by hand | – | 1 to 3 |"


def test_fastest_of_many_seeds_is_found_by_a_trial_and_few_are_not_tried():
    ways = [lambda: time.sleep(0.02), lambda: None]
    assert timing.fastest(ways, timing.TRIAL_SEEDS) is ways[1]
    assert timing.fastest(ways, timing.TRIAL_SEEDS - 1) is ways[0]


def test_peer_that_fails_is_told_and_the_others_are_timed(monkeypatch):
    def prepare(work, params, epochs):
        raise RuntimeError("no such luck")

    broken = Peer("broken", "broken", (RELU_64,), prepare)
    monkeypatch.setattr(registry, "PEERS", (broken, *numpy_vectorised.PEERS))
    found = session.run(ENVIRONMENT, ["broken", "numpy_vectorised"], seeds=4, epochs=3, repeats=1)
    assert {m.case.peer for m in found.measurements} == set(numpy_vectorised.PEERS)
    assert "Not timed: broken: RuntimeError: no such luck" in found.markdown()
    assert found.as_json()["failed"] == {"broken": "RuntimeError: no such luck"}


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
