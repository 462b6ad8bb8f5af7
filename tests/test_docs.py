"""What the documents show is what the code does: every Python block runs, and prints the text below it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import fastgrok as fg

ROOT = Path(__file__).resolve().parents[1]
PAGES = [
    page for page in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))) if "```python" in page.read_text()
]
BLOCK = re.compile(r"```python\n(.*?)```\n(?:\n(?:[^`\n]+\n+)*```text\n(.*?)```\n)?", re.DOTALL)  # prose between


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_python_of_a_page_runs_and_prints_what_it_shows(page, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("my.csv").write_text("a,b,y\n0,0,0\n0,1,1\n1,0,1\n1,1,0\n")
    blocks, names = BLOCK.findall(page.read_text()), {}
    assert blocks
    for code, shown in blocks:
        exec(code, names)
        printed = capsys.readouterr().out
        if shown:
            assert printed == shown


def test_the_command_of_the_first_question_answers_it_too(capsys):
    page = (ROOT / "docs" / "first-question.md").read_text()
    command = re.search(r"```sh\nfastgrok (.*)\n```", page)[1].replace("100000", "2000")
    from fastgrok.cli import main

    with pytest.raises(SystemExit) as left:
        main(command.split())
    assert left.value.code == 0
    exp = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), epochs=2000)
    axes = {"init": [fg.XavierNormal(), fg.HeNormal()]}
    alike = fg.compare(fg.sweep(exp, 2000, axes, progress=False), "init")
    assert capsys.readouterr().out.strip() == repr(alike).strip("<>")
