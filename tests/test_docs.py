"""What the documents show is what the code does: every Python block runs, and prints the text below it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import fastgrok as fg
from docs.run import DOCS, EXAMPLES, blocks, run

PAGES = [page for page in (DOCS.parent / "README.md", *sorted(DOCS.glob("*.md")), *EXAMPLES) if blocks(page)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_python_of_a_page_runs_and_prints_what_it_shows(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "Agg")
    Path("my.csv").write_text("a,b,y\n0,0,0\n0,1,1\n1,0,1\n1,1,0\n")
    for block, printed in zip(blocks(page), run(page), strict=True):
        if block.shown:
            assert printed == block.shown


@pytest.mark.parametrize("page", EXAMPLES, ids=lambda page: page.stem)
def test_a_page_shows_the_pictures_that_its_code_draws_and_they_are_there(page):
    shown = re.findall(r"!\[[^]]+\]\(([^)]+)\)", page.read_text())
    drawn = [name for block in blocks(page) for name in re.findall(r'"([^"]+\.(?:png|gif))"', block.code)]
    assert shown
    assert sorted(shown) == sorted(drawn)
    for name in shown:
        assert (page.parent / name).is_file()


def test_the_command_of_the_first_question_answers_it_too(capsys):
    page = (DOCS / "first-question.md").read_text()
    command = re.search(r"```sh\nfastgrok (.*)\n```", page)[1].replace("100000", "2000")
    from fastgrok.cli import main

    with pytest.raises(SystemExit) as left:
        main(command.split())
    assert left.value.code == 0
    exp = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), epochs=2000)
    axes = {"init": [fg.XavierNormal(), fg.HeNormal()]}
    alike = fg.compare(fg.sweep(exp, 2000, axes, progress=False), "init")
    assert capsys.readouterr().out.strip() == repr(alike).strip("<>")
