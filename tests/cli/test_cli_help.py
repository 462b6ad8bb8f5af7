"""The help: whole at any width, in groups, and each flag described once."""

import os
import re

import pytest
from commands import Outcome, process

import fastgrok as fg
import fastgrok.api
from fastgrok.cli.flags import EXPERIMENT_FLAGS, OF_COMMANDS, SWEEP_FLAGS
from fastgrok.cli.help import listing, wrapped

COMMANDS = ("sweep", "replay", "explain", "study", "resume", "status", "verify", "summary", "merge", "info")
SCREEN = 40  # lines of a terminal


def test_the_command_alone_and_its_short_flags(capsys: pytest.CaptureFixture[str]) -> None:
    alone = Outcome([], capsys)
    assert (alone.status, alone.err) == (0, "")
    assert alone.out == Outcome(["-h"], capsys).out == Outcome(["--help"], capsys).out
    for command in COMMANDS:
        assert re.search(rf"^  {command} +[A-Z]", alone.out, re.MULTILINE)
    assert "--install-completion" in alone.out
    assert Outcome(["-V"], capsys).out == f"fastgrok {fg.__version__}\n"


@pytest.mark.parametrize("width", [80, 120, 200])
@pytest.mark.parametrize("command", [(), *((name,) for name in COMMANDS)])
def test_nothing_is_cut_and_lines_are_as_wide_as_the_terminal(
    command: tuple[str, ...], width: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    page = Outcome([*command, "--help"], capsys).out
    lines = page.splitlines()
    assert max(map(len, lines)) <= width
    assert "\x1b" not in page
    assert "\N{HORIZONTAL ELLIPSIS}" not in page
    assert max(map(len, lines)) > (width - 20 if command == ("sweep",) else 0)
    for flag in OF_COMMANDS.get("".join(command), ()):
        assert flag.option in page


def test_the_common_flags_are_one_screen_a_line_each(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    lines = Outcome(["sweep", "-h"], capsys).out.splitlines()
    assert len(lines) <= SCREEN
    assert lines[-1] == f"These are the common flags. All {len(SWEEP_FLAGS)}: fastgrok sweep --help"
    for flag in SWEEP_FLAGS:
        assert sum(line.startswith(f"  {flag.option} ") for line in lines) == bool(flag.brief)
    assert sum(line.startswith("  ") for line in lines) == sum(bool(flag.brief) for flag in SWEEP_FLAGS) + 2


def test_flags_have_types_defaults_and_groups(capsys: pytest.CaptureFixture[str]) -> None:
    page = Outcome(["sweep", "--help"], capsys).out
    words = " ".join(page.split())
    assert "--lr NUMBER learning rate" in words
    assert "--batch-size INTEGER|full examples per update, or full [default: 1]" in words
    assert "--order NAME order of the examples: fixed, as in the data; shared" in words
    assert "--reduction mean|sum " in words
    assert "--restart-after INTEGER|none" in words
    assert "[default: sgd 0.1, adam 0.001" in words
    titles = re.findall(r"^([A-Z][^:\n]*):$", page, re.MULTILINE)
    assert titles[: len(dict.fromkeys(flag.panel for flag in SWEEP_FLAGS))] == list(
        dict.fromkeys(flag.panel for flag in SWEEP_FLAGS)
    )


@pytest.mark.parametrize("command", ["replay", "explain"])
def test_flags_of_an_experiment_are_described_once(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    page = Outcome([command, "-h"], capsys).out
    assert "fastgrok sweep, whose --help describes these flags" in " ".join(page.split())
    described = [flag for flag in EXPERIMENT_FLAGS if f"  {flag.option} " in page]
    assert described == []
    shared = {flag.name: flag.help for flag in SWEEP_FLAGS}
    for flag in OF_COMMANDS[command]:
        if flag.name in shared and flag.name not in ("out", "record_at"):  # these say something of their own
            assert flag.help == shared[flag.name]


def test_completion_can_be_installed() -> None:
    shown = {"_FASTGROK_COMPLETE": "source_bash", "_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}
    ran = process("--show-completion", "bash", env={**os.environ, **shown})
    out, _ = ran.communicate(timeout=60)
    assert ran.returncode == 0
    assert "_fastgrok_completion" in out


def test_a_shell_completes_commands_and_flags() -> None:
    for words, wanted in {"fastgrok su": ["summary"], "fastgrok sweep xor --restart": ["--restart-after"]}.items():
        asked = {
            "_FASTGROK_COMPLETE": "complete_bash",
            "COMP_WORDS": words,
            "COMP_CWORD": str(len(words.split()) - 1),
        }
        ran = process(env={**os.environ, **asked})
        assert ran.communicate(timeout=60)[0].split()[:1] == wanted
        assert ran.returncode == 0


def test_example_of_listing():
    assert listing([("-h", "help"), ("--long", "two words")], 20) == ["  -h      help", "  --long  two words"]


def test_no_flag_is_broken_at_its_hyphens():
    assert wrapped("with --restart-at-most 3", 12) == ["with", "--restart-at-most", "3"]
