"""`fastgrok explain`: a text and a picture of every topic, of flags, of a store, of a file."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import pytest
from matplotlib.figure import Figure

import fastgrok as fg
from fastgrok.cli import main
from fastgrok.cli.explain import TOPICS

FLAGS = ("--hidden", "4", "--epochs", "60")
VALIDATED = (*FLAGS, "--validation", "0.25")
SEEN = {
    "failure": "Dead: from epoch ",
    "algebra": "l_2 = relu(l_0 W_0 + b_1) W_1 + b_2",
    "worked-pass": "Example 0 of xor through 2-4-1 relu/linear: ",
    "pressure": "pressure",
    "correlation": "Layer 1 has found, since epoch ",
    "sign-flow": "blocks the flow",
    "overfitting": "validation",
}


def ran(*words: str) -> int:
    with pytest.raises(SystemExit) as left:
        main([*words])
    return int(left.value.code or 0)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = str(tmp_path_factory.mktemp("stores") / "xor")
    assert ran("sweep", "xor", *VALIDATED, "--seeds", "200", "--quiet", "--out", path) == 0
    return path


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = str(tmp_path_factory.mktemp("traces") / "dead.nc")
    assert ran("replay", "xor", *VALIDATED, "--seed", "dead", "--every", "step", "--out", path) == 0
    return path


def explained(capsys: pytest.CaptureFixture[str], target: Path, *words: str) -> str:
    """Explain with a picture, and return the text."""
    capsys.readouterr()
    assert ran("explain", *words, "--picture", str(target)) == 0
    assert target.read_bytes().startswith(b"\x89PNG")
    assert plt.imread(target).std() > 0.05  # it is not empty
    assert plt.get_fignums() == []
    said = capsys.readouterr()
    assert said.err == ""
    return said.out


@pytest.mark.parametrize("topic", TOPICS)
def test_every_topic_has_a_text_and_a_picture_of_flags(
    topic: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = VALIDATED if topic == "overfitting" else FLAGS
    text = explained(capsys, tmp_path / "why.png", topic, "xor", *flags, "--seed", "dead")
    assert SEEN[topic] in text


@pytest.mark.parametrize("topic", TOPICS)
def test_every_topic_has_a_text_and_a_picture_of_a_store(
    topic: str, store: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = explained(capsys, tmp_path / "why.png", topic, store, "--seed", "dead")
    assert ran("explain", topic, "xor", *VALIDATED, "--seed", "dead") == 0
    assert capsys.readouterr().out == text


@pytest.mark.parametrize("topic", TOPICS)
def test_every_topic_has_a_text_and_a_picture_of_a_trace_on_disk(
    topic: str, file: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = explained(capsys, tmp_path / "why.png", topic, file)
    assert ran("explain", topic, "xor", *VALIDATED, "--seed", "dead", "--every", "step") == 0
    assert capsys.readouterr().out == text


def test_a_time_and_an_example_are_those_that_are_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    exp = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), init=fg.Uniform(-1, 1), epochs=60)
    assert ran("explain", "worked-pass", "xor", *FLAGS, "--seed", "7", "--at", "5", "--example", "2") == 0
    assert capsys.readouterr().out == f"{fg.explain.worked_pass(fg.replay(exp, 7), at=5, example=2)}\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["why", "xor"], "topic = 'why': expected one of 'failure'"),
        (["algebra", "xor", "--at", "3"], "--at = 3: expected another topic beside it than algebra"),
        (["correlation", "xor", "--seed", "1", "--at", "3"], "--at = 3: expected another topic beside it"),
        (["pressure", "xor", "--seed", "1", "--example", "1"], "--example = 1: expected another topic beside it"),
        (["worked-pass", "xor", "--seed", "1", "--example", "4"], "example = 4: expected a number from 0 to 3"),
        (
            ["failure", "xor", "--seed", "1", "--picture", "x.gif"],
            "--picture = 'x.gif': expected a path",
        ),
        (["failure", "xor", "--seed", "1", "--picture", "no/x.png"], "in a directory that exists"),
        (["overfitting", "xor", "--seed", "1"], "loss_validation"),
        (["failure", "xor"], "--seed is missing"),
    ],
)
def test_bad_words_end_with_one_line(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert ran("explain", *words) == 2
    shown = capsys.readouterr()
    assert said in shown.err
    assert shown.err.count("\n") == 1
    assert shown.out == ""


@pytest.mark.parametrize("ending", ["png", "svg", "pdf"])
def test_a_picture_is_written_whole_or_not_at_all(
    ending: str, file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    target, savefig = tmp_path / f"a.{ending}", Figure.savefig
    assert ran("explain", "failure", file, "--picture", str(target)) == 0
    whole = target.read_bytes()

    def half(figure: Figure, path: Path, **options: Any) -> None:
        savefig(figure, path, **options)
        path.write_bytes(path.read_bytes()[:100])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Figure, "savefig", half)
    for path in (target, tmp_path / f"new.{ending}"):
        capsys.readouterr()
        assert ran("explain", "failure", file, "--picture", str(path)) == 1
        assert capsys.readouterr().err == "fastgrok: error: [Errno 28] No space left on device\n"
    assert [path.name for path in tmp_path.iterdir()] == [target.name]
    assert target.read_bytes() == whole
    assert plt.get_fignums() == []
