"""What the project promises about its own sources: two commands in the README, one jit decorator, few imports."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import fastgrok

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = Path(fastgrok.__file__).parent
KERNELS = sorted((PACKAGE / "kernels").glob("*.py"))
COMPILERS = {"njit", "jit", "jit_module", "vectorize", "guvectorize", "cfunc", "stencil"}

BLOCK = "```sh\nfastgrok info\n```\n"
MARKER = "<!-- ci:main -->\n"


def printed(name, readme):
    return subprocess.run(
        ["bash", str(ROOT / ".ci" / "run"), "print", name, str(readme)], capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("name", ["main", "test"])
def test_ci_runs_the_commands_that_the_readme_prints(name):
    readme = (ROOT / "README.md").read_text()
    done = printed(name, ROOT / "README.md")
    assert done.returncode == 0
    assert len(done.stdout.splitlines()) == 1
    assert f"<!-- ci:{name} -->\n```sh\n{done.stdout}```\n" in readme


@pytest.mark.parametrize(
    "text",
    [
        "",
        BLOCK,
        MARKER,
        MARKER + "```sh\n```\n",
        MARKER + "words\n" + BLOCK,
        MARKER + "```sh\nls\n",
        2 * (MARKER + BLOCK),
    ],
    ids=["empty", "no marker", "no block", "empty block", "words between", "block not closed", "marker twice"],
)
def test_ci_stops_where_the_readme_does_not_print_a_command(text, tmp_path):
    readme = tmp_path / "README.md"
    readme.write_text(text)
    done = printed("main", readme)
    assert done.returncode != 0
    assert "<!-- ci:main -->" in done.stderr


def identifiers(path):
    """Yield every name, attribute and imported name of a source file."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.alias):
            yield node.name.split(".")[-1]


def test_only_jit_compiles():
    compiling = {path for path in PACKAGE.rglob("*.py") if COMPILERS & set(identifiers(path))}
    assert compiling == {PACKAGE / "kernels" / "jit.py"}


@pytest.mark.parametrize("folder", ["fastgrok", "benchmarks"])
def test_the_rule_below_a_section_stands_alone(folder):
    """A formatter that fills paragraphs joins a section's name, its rule and its text to one line."""
    joined = re.compile(r"^\s*(?:[A-Z]\w+ )?-{5,}[ \t]+\w", re.MULTILINE)
    assert joined.search("    Notes ----- A seed")
    assert not joined.search("  -----  ----------")
    for path in (ROOT / folder).rglob("*.py"):
        assert not joined.search(path.read_text()), path


def imported(path):
    """Yield the top-level package of every import of a source file."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield (node.module or "").split(".")[0]


@pytest.mark.parametrize("path", KERNELS, ids=lambda path: path.stem)
def test_kernels_import_numpy_numba_and_llvmlite_alone(path):
    libraries = set(imported(path)) - sys.stdlib_module_names
    assert libraries <= {"numpy", "numba", "fastgrok"} | ({"llvmlite"} if path.stem == "lanes" else set())
