"""What the project promises about its own sources: commands in the README, one jit decorator, documented names."""

import ast
import functools
import importlib
import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

import fastgrok

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = Path(fastgrok.__file__).parent
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted(PACKAGE.rglob("*.py"))
}
KERNELS = [name for name in MODULES if name.startswith("fastgrok.kernels")]
ROOMS = {
    "cli",
    "datasets",
    "engine",
    "explain",
    "kernels",
    "plots",
    "results",
    "spec",
    "statistics",
    "store",
    "studies",
}
LISTING = (
    "datasets",
    "explain",
    "plots",
    "statistics",
    "studies",
)  # the public modules, which say with __all__ what is
OF_LLVM = {f"fastgrok.kernels.{name}" for name in ("environment", "machine", "target")}
COMPILERS = {"njit", "jit", "jit_module", "vectorize", "guvectorize", "cfunc", "stencil", "CPUDispatcher"}

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


@functools.cache
def tree(module):
    """Return what a module of fastgrok parses to."""
    return ast.parse(MODULES[module].read_text())


def identifiers(module):
    """Yield every name, attribute and imported name of a module."""
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.alias):
            yield node.name.split(".")[-1]


def imported(module):
    """Yield every module that a module imports: at its head, inside a function, for type checkers alone."""
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: relative imports are not counted"
            inner = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from (name if name in MODULES else node.module for name in inner)


def test_top_level_holds_the_rooms_and_nothing_else():
    files = {path.stem for path in PACKAGE.glob("*.py")}
    assert files == {"__init__", "__main__", "api", "errors"}
    assert {path.parent.name for path in PACKAGE.glob("*/__init__.py")} == ROOMS


def test_tests_mirror_the_rooms():
    paths = list((ROOT / "tests").rglob("test_*.py"))
    assert {path.parent.name for path in paths} == ROOMS | {"tests", "contracts"}
    assert len({path.name for path in paths}) == len(paths)


def test_only_the_pipeline_compiles():
    assert {name for name in MODULES if COMPILERS & set(identifiers(name))} == {"fastgrok.kernels.pipeline"}


@pytest.mark.parametrize("module", KERNELS)
def test_kernels_import_numpy_numba_and_llvmlite_alone(module):
    libraries = {name.split(".")[0] for name in imported(module)} - sys.stdlib_module_names
    is_of_llvm = module.startswith("fastgrok.kernels.lanes") or module in OF_LLVM
    allowed = {"llvmlite"} if is_of_llvm else {"platformdirs"} if module == "fastgrok.kernels.cache" else set()
    assert libraries <= {"numpy", "numba", "fastgrok"} | allowed


@pytest.mark.parametrize("folder", ["fastgrok", "benchmarks"])
def test_the_rule_below_a_section_stands_alone(folder):
    """A formatter that fills paragraphs joins a section's name, its rule and its text to one line."""
    joined = re.compile(r"^\s*(?:[A-Z]\w+ )?-{5,}[ \t]+\w", re.MULTILINE)
    assert joined.search("    Notes ----- A seed")
    assert not joined.search("  -----  ----------")
    for path in (ROOT / folder).rglob("*.py"):
        assert not joined.search(path.read_text()), path


def public():
    """Return the public names and what each is: those of the package, and those that its public modules list."""
    names = {f"fastgrok.{name}": getattr(fastgrok, name) for name in fastgrok.__all__ if hasattr(fastgrok, name)}
    for room in LISTING:
        module = importlib.import_module(f"fastgrok.{room}")
        names |= {f"fastgrok.{room}.{name}": getattr(module, name) for name in module.__all__}
    return {name: thing for name, thing in names.items() if not inspect.ismodule(thing)}


PUBLIC = public()
SECTION = re.compile(r"^(\w[\w ]*)\n-{3,}\n", re.MULTILINE)


def sections(docstring):
    """Return the text of each section of a docstring, and its summary as the section ""."""
    pieces = SECTION.split(docstring)
    return {"": pieces[0].strip(), **dict(zip(pieces[1::2], pieces[2::2], strict=True))}


def parameters(thing):
    """Return the names of what a function, or a class, is called with."""
    try:
        return [name for name in inspect.signature(thing).parameters if name != "self"]
    except ValueError:  # an exception, whose signature is built in
        return []


def test_every_public_name_of_the_stub_is_there():
    stub = ast.parse((PACKAGE / "__init__.pyi").read_text())
    named = [alias.name for node in stub.body if isinstance(node, ast.ImportFrom) for alias in node.names]
    assert sorted(named) == sorted(fastgrok.__all__)
    assert len(named) == len(set(named))
    for name in named:
        assert hasattr(fastgrok, name), name


@pytest.mark.parametrize("name", PUBLIC)
def test_public_name_is_documented(name):
    """A summary, every parameter by name and, for what people call, an example. A record may leave examples out."""
    thing = inspect.unwrap(PUBLIC[name])
    found = sections(inspect.cleandoc(thing.__doc__ or ""))
    assert re.match(r"[A-Z`\d].*[.:]$", found[""].split("\n\n")[0], re.DOTALL), "a summary, in a sentence"
    if not callable(thing) or not (inspect.isclass(thing) or inspect.isfunction(thing)):
        return  # a study, whose class says how it is called
    described = re.findall(r"^(\S.*?)(?: : .*)?$", found.get("Parameters", ""), re.MULTILINE)
    described = {part.strip("* ") for line in described for part in line.split(",")}
    assert described == set(parameters(thing))
    if inspect.isfunction(thing) or (name.count(".") == 1 and not issubclass(thing, Exception)):
        assert ">>> " in found.get("Examples", ""), "an example"


def documented(node, prefix=(), visible=True):
    """Yield each class and function of a tree with its qualified name, and whether an underscore hides it."""
    for child in node.body:
        if isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            path, seen = (*prefix, child.name), visible and not child.name.startswith("_")
            yield ".".join(path), child, seen
            yield from documented(child, path, seen and isinstance(child, ast.ClassDef))


def test_docstrings_of_internals_have_no_sections():
    """What is not public says what it does in a line, and shapes: its parameters have names and types."""
    classes = {base for thing in PUBLIC.values() if inspect.isclass(thing) for base in thing.__mro__}
    things = [*map(inspect.unwrap, PUBLIC.values()), *classes]
    known = {(thing.__module__, thing.__qualname__) for thing in things if hasattr(thing, "__qualname__")}
    too_much = []
    for module in MODULES:
        for name, node, seen in documented(tree(module)):
            own = (module, name) in known
            inside = seen and (module, name.rpartition(".")[0]) in known  # a method of a public class
            if not (own or inside) and {"Parameters", "Returns", "Raises"} & set(
                sections(ast.get_docstring(node) or "")
            ):
                too_much.append(f"{module}.{name}")
    assert not too_much
