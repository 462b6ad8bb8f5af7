"""`fastgrok compare`: two results, or the values of an axis of one, as `fg.compare` has them."""

import json
from pathlib import Path

import pytest

import fastgrok as fg
from fastgrok.cli import main

EXP = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), epochs=200)


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[fg.Result]:
    monkeypatch.chdir(tmp_path)
    made = [fg.run(EXP, 60, progress=False), fg.run(EXP.replace(init="he_normal"), range(60, 130), progress=False)]
    made.append(fg.sweep(EXP, 60, {"lr": [0.1, 0.2]}, progress=False))
    for name, result in zip("abc", made, strict=True):
        result.save(f"{name}.parquet")
    return made


def out(capsys: pytest.CaptureFixture[str], *arguments: str, status: int = 0) -> str:
    with pytest.raises(SystemExit) as left:
        main(["compare", *arguments])
    assert left.value.code == status
    captured = capsys.readouterr()
    return captured.err if status else captured.out


def test_two_files_are_compared(files: list[fg.Result], capsys: pytest.CaptureFixture[str]) -> None:
    a, b, _ = files
    names = ("a.parquet", "b.parquet")
    wanted = fg.compare(a, b, margin=0.3, names=names)
    assert out(capsys, *names, "--margin", "0.3").strip() == wanted.as_text()
    plain = json.loads(out(capsys, *names, "--margin", "0.3", "--json"))
    assert plain["files"] == list(names)
    assert plain["verdicts"] == wanted.verdicts
    assert "two samples" in plain["notes"][0]
    losses = fg.compare(a, b, of="loss", names=names)
    assert out(capsys, *names, "--of", "loss").strip() == losses.as_text()


def test_the_axis_of_one_file_is_compared(files: list[fg.Result], capsys: pytest.CaptureFixture[str]) -> None:
    wanted = fg.compare(files[2], "lr").as_text()
    assert out(capsys, "c.parquet").strip() == wanted
    assert out(capsys, "c.parquet", "--axis", "lr").strip() == wanted


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["a.parquet"], "--axis is missing: expected another result to compare with"),
        (["a.parquet", "b.parquet", "--axis", "lr"], "--axis = 'lr': expected one result beside it"),
        (["c.parquet", "--axis", "init"], "--axis = 'init': expected one of 'lr'"),
        (["c.parquet", "--margin", "-1"], "--margin = -1"),
        (["c.parquet", "--clusters", "init"], "--clusters = 'init': expected another axis"),
        (["a.parquet", "c.parquet"], "a run beside a run"),
        (["a.parquet", "b.parquet", "--of", "los"], "--of = 'los'"),
    ],
)
def test_what_cannot_be_compared_is_one_line(
    files: list[fg.Result], arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert words in out(capsys, *arguments, status=2)
