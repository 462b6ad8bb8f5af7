"""What the documents show is what the code does: every Python block runs, and prints the text below it."""

from __future__ import annotations

import functools
import re
import shlex
from pathlib import Path

import pytest

import fastgrok as fg
from docs.run import DOCS, EXAMPLES, blocks, run
from fastgrok.cli import main

ROOT = DOCS.parent
PAGES = [page for page in (ROOT / "README.md", *sorted(DOCS.glob("*.md")), *EXAMPLES) if blocks(page)]
DOCUMENTS = [
    ROOT / "README.md",
    ROOT / "CHANGELOG.md",
    *sorted(DOCS.rglob("*.md")),
    *sorted(page for folder in ("tests", "benchmarks", "fastgrok") for page in (ROOT / folder).rglob("README.md")),
]
COMMANDED = [page for page in DOCUMENTS if "```sh\nfastgrok " in page.read_text()]
ABOUT_SOURCES = [page for page in DOCUMENTS if page.parent.name == "design" or page.stem == "architecture"]
_STEP = re.compile(r"^```(\w+)\n(.*?)^```|`([^`]+)`", re.DOTALL | re.MULTILINE)
SOURCES = [path for room in ("fastgrok", "tests", "benchmarks") for path in (ROOT / room).rglob("*.py*")]
SOURCES += [ROOT / "setup.cfg", ROOT / "pyproject.toml"]


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
    with pytest.raises(SystemExit) as left:
        main(command.split())
    assert left.value.code == 0
    exp = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), epochs=2000)
    axes = {"init": [fg.XavierNormal(), fg.HeNormal()]}
    alike = fg.compare(fg.sweep(exp, 2000, axes, progress=False), "init")
    assert capsys.readouterr().out.strip() == repr(alike).strip("<>")


def steps(page):
    """Return the commands of a page and its TOML files, in order: of blocks, and of what stands between backticks.

    What names other machines, or stands for more than one command, is none.
    """
    found = []
    for language, block, span in _STEP.findall(page.read_text()):
        if language == "toml":
            found.append((language, block))
        lines = block.splitlines() if language == "sh" else [" ".join(span.split())]
        commands = (line.partition("  #")[0].strip() for line in lines if re.match(r"fastgrok [a-z]", line))
        elsewhere = r"://|\.\.\.|DIR" + ("|/shared/" if span else "")
        found += [("sh", command) for command in commands if not re.search(elsewhere, command)]
    return found


def fewer(text, folder):
    """Return a step with fewer seeds, in a folder of its own."""
    text = re.sub(r"(?<=seeds)( | = )([\d_]{5,}|\de\d)\b", r"\g<1>500", text)
    return text.replace("/shared/", f"{folder}/").replace("$SLURM_ARRAY_TASK_ID", "1")


@pytest.mark.parametrize("page", COMMANDED, ids=lambda page: page.stem)
def test_the_commands_of_a_page_run_one_after_the_other(page, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("my.csv").write_text("a,b,y\n0,0,0\n0,1,1\n1,0,1\n1,1,0\n")
    for kind, step in steps(page):
        text = fewer(step, tmp_path)
        if kind == "toml":
            Path("study.toml").write_text(text)
            continue
        words = shlex.split(text)[1:]
        if words[0] == "study" and words[1] != "list":
            words += ["--seeds", "500"]
        with pytest.raises(SystemExit) as left:
            main(words)
        assert left.value.code == 0, f"{step}: {capsys.readouterr().err}"


def spans(page):
    """Return what stands between backticks on a page, outside its blocks of code."""
    return re.findall(r"`([^`]+)`", re.sub(r"^```.*?^```", "", page.read_text(), flags=re.DOTALL | re.MULTILINE))


def name_of(page):
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", DOCUMENTS, ids=name_of)
def test_what_a_page_links_to_is_there(page):
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text()):
        if "://" not in target:
            assert (page.parent / target).exists(), target


def test_each_promise_names_a_test_that_is_there():
    rows = [line for line in (DOCS / "promises.md").read_text().splitlines() if line.startswith("| ")]
    promises = [row.strip("| ").rpartition(" | ") for row in rows if not row.startswith("| what")]
    assert len(promises) > 40
    for promise, _, test in promises:
        path, _, name = test.strip("`").partition("::")
        assert re.search(rf"^def {name}\(", (ROOT / path).read_text(), re.MULTILINE), f"{promise}: {test}"


@pytest.mark.parametrize("page", ABOUT_SOURCES, ids=name_of)
def test_the_files_that_a_page_names_are_there(page):
    for path in (span for span in spans(page) if re.fullmatch(r"[\w./-]+(\.py|\.pyi|/)", span)):
        roots = (ROOT, ROOT / "fastgrok", page.parent)
        assert any((root / path).exists() for root in roots), path


@pytest.mark.parametrize("page", ABOUT_SOURCES, ids=name_of)
def test_the_names_that_a_page_uses_are_in_the_sources(page):
    known = {word for path in SOURCES if path.suffix != ".pyc" for word in words(path)}
    for span in spans(page):
        assert not (missing := set(re.findall(r"[A-Za-z_]\w*", span)) - known), f"{span}: {missing}"


@functools.cache
def words(path):
    """Return the words of a source file, and those of its path."""
    return frozenset(re.findall(r"\w+", f"{path.relative_to(ROOT)} {path.read_text()}"))
