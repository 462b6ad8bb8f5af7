"""The command line: errors, exit statuses, pipes, terminals and signals."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from commands import QUICK, Outcome, process, refused
from hypothesis import given, settings
from hypothesis import strategies as st

import fastgrok as fg
import fastgrok.api
from fastgrok.cli import main
from fastgrok.cli.flags import SWEEP_FLAGS
from fastgrok.spec.calls import classes_by_name
from fastgrok.spec.initializers.base import Initializer
from fastgrok.spec.variables import OUTCOME_MEANINGS


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nope"], "No such command"),
        (["swep"], "Did you mean 'sweep'?"),
        (["sweep", "xor", "--alpha", "0.5"], "--elu-alpha, --help, --rmsprop-alpha"),
        (["sweep", "xor", "--elu-alpha", "0.5"], "--elu-alpha = '0.5': expected a network with a elu layer"),
        (["sweep", "xor", "--activation", "elu", "--elu-alpha", "-1"], "--elu-alpha = -1"),
        (["sweep", "xor", "--rmsprop-alpha", "0.5"], "another --optimizer: sgd has none"),
        (["sweep"], "data is missing"),
        (["sweep", "nope"], "data = 'nope': expected a name (xor, and, or, parity3"),
        (["sweep", "my.csv"], "for a file: --data my.csv"),
        (["sweep", "xor.npz"], "for a file: --data xor.npz"),
        (["sweep", "xor(low=-1"], "closing parenthesis"),
        (["sweep", "xor", "--hidden", "0"], "none for no hidden layer"),
        (["sweep", "xor", "--hidden", "100000"], "--hidden = '100000': expected widths from 1 to 4096"),
        (["sweep", "xor", "--hidden", "x".join("2" * 300)], "--hidden = "),
        (["sweep", "xor", "--slope", "0.3"], "--slope = '0.3': expected a network with a leaky_relu layer"),
        (["sweep", "xor", "--activation", "tanh", "--gradient-at-zero", "1"], "--gradient-at-zero = '1'"),
        (["sweep", "xor", "--hidden", "none", "--gradient-at-zero", "1"], "--gradient-at-zero = '1'"),
        (["sweep", "xor", "--seeds", "3,x"], "--seeds = 'x'"),
        (["sweep", "xor", "--epochs", "1.5e0"], "--epochs = '1.5e0': expected an integer"),
        (["sweep", "xor", "and"], "unexpected extra argument"),
        (["sweep", "xor", "--nope"], "No such option"),
        (["sweep", "xor", "--lr"], "requires an argument"),
        (["sweep", "xor", "--threads", "x"], "--threads"),
        (["sweep", "xor", "--threads", "0"], "threads = 0"),
        (["sweep", "xor", "--lanes", "3"], "lanes = 3"),
        (["sweep", "xor", "--lr", "fast"], "--lr = 'fast': expected a finite number greater than 0"),
        (["sweep", "xor", "--lr", "-1"], "lr = -1.0"),
        (["sweep", "xor", "--lr", "0.1,"], "--lr = '0.1,'"),
        (["sweep", "xor", "--lr", "0.1,.1"], "differ"),
        (["sweep", "xor", "--seeds", "0"], "--seeds = '0'"),
        (["sweep", "xor", "--seeds", "-5:5"], "seeds"),
        (["sweep", "xor", "--seeds", "1000000000000"], "memory"),
        (["sweep", "xor", "--hidden", "4y4"], "--hidden = '4y4'"),
        (["sweep", "xor", "--hidden", "4x"], "--hidden = '4x'"),
        (["sweep", "xor", "--optimizer", "lion"], "one of 'sgd', 'adam'"),
        (["sweep", "xor", "--optimizer", "sgd,adam", "--momentum", "0.9"], "another --optimizer: adam has none"),
        (["sweep", "xor", "--schedule", "warmup"], "one of 'step_lr', 'multi_step_lr', 'exponential_lr'"),
        (["sweep", "xor", "--schedule", "step_lr(0)"], "schedule step_lr.step_size = 0"),
        (["sweep", "xor", "--restart-at-most", "3"], "--restart-after or --restart-patience with it"),
        (["sweep", "xor", "--restart-after", "9", "--no-stop"], "--no-stop = True: expected a Converged"),
        (["sweep", "xor", "--min-delta", "0.1"], "--patience with it"),
        (["sweep", "xor", "--seeds", "100,000"], "100_000 for 100,000 seeds"),
        (["sweep", "xor", "--stop-loss", "-1"], "--stop-loss = -1"),
        (["sweep", "xor", "--restart-after", "0"], "--restart-after = 0"),
        (["sweep", "--data", "nofile.csv", "--target", "y"], f"--data = '{Path('nofile.csv').absolute()}'"),
        (
            ["sweep", "xor", "--patience", "9"],
            "--patience = '9': expected --validation 0.25 with it, or --monitor training",
        ),
        (["sweep", "xor", "--tol", "1e-4"], "--patience with it"),
        (["sweep", "xor", "--patience", "9", "--monitor", "loss"], "one of 'validation', 'training'"),
        (["sweep", "xor", "--validation", "0.1"], "a share that leaves some of the 4 examples on either side"),
        (["sweep", "xor,and", "--validation", "0.5"], "one dataset of which it is a share"),
        (["sweep", "xor", "--stratified"], "--validation with a share of the examples"),
        (["sweep", "xor", "--track", "dead_units"], "--out with a file"),
        (["sweep", "xor", "--compare", "init"], "a field whose flag has a list"),
        (["sweep", "xor", "--lr", "0.1,1", "--compare", "init"], "one of 'lr'"),
        (["sweep", "xor", "--lr", "0.1,1", "--compare", "lr", "--no-stop"], "no --no-stop beside it"),
        (["sweep", "xor", "--seeds", "3,5,3"], "--seeds = '3,5,3': expected values that differ from each other"),
        (["sweep", "xor", "--margin", "0.1"], "--margin = 0.1: expected --compare with it"),
        (["sweep", "xor", "--clusters", "lr"], "--clusters = 'lr': expected --compare with it"),
        (["sweep", "xor", "--lr", "0.1,1", "--compare", "lr", "--seeds", "9", "--margin", "0"], "--margin = 0.0"),
        (["sweep", "xor", "--order-seed", "1"], "--order-seed = 1: expected 0, or order='shared' with it"),
        (["compare", "missing.parquet"], "an existing file, or the directory of a store"),
        (["sweep", "xor", "--of", "los"], "one of 'loss', 'accuracy', 'validation_loss'"),
        (["sweep", "xor", "--of", "los"], "did you mean 'loss'?"),
        (["sweep", "xor", "--seeds", "2", "--of", "validation-loss"], "--validation with it, a share or a file"),
        (["sweep", "xor", "--with-rows"], "--with-rows = True: expected --json with it"),
        (["sweep", "xor", "--with-rows", "--json", "--out", "a/"], "its rows are Parquet files"),
        (["sweep", "xor", "--record-at", "-1", "--out", "a.parquet"], "an epoch from 0 to 1000"),
        (["sweep", "xor", "--loss", "binary_cross_entropy"], "--output sigmoid"),
        (["sweep", "xor", "--init", "uniform(1"], "--init"),
        (["sweep", "xor", "--no-stop", "--stop-loss", "1"], "--stop-loss"),
        (["sweep", "xor", "--target", "y"], "a CSV file, by --data or --validation"),
        (["sweep", "parity3", "--validation", "0.5", "--split-seed", "-1"], "--split-seed = -1"),
        (["sweep", "xor", "--data", "my.csv"], "either a name"),
        (["sweep", "--data", "missing.csv"], "--target is missing"),
        (["sweep", "--data", "missing.csv", "--target", "y"], "an existing file"),
        (["sweep", "--data", "missing.npz"], "an existing file"),
        (["sweep", "xor,parity3"], "2 inputs"),
        (["sweep", "xor", "--out", "a.txt"], "ends in .parquet or .nc"),
        (["sweep", "xor", "--out", "missing/a.parquet"], "No such file or directory"),
        (["info", "more"], "unexpected extra argument"),
    ],
)
def test_bad_input_is_one_line_and_status_2(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert words in refused(arguments, capsys)


WORDS = st.one_of(
    st.sampled_from(
        ["xor", "and,or", "parity3", "none", "0", "1", "2,4", "4x4", "full", "same", "-1", "nan", "1e400"]
    ),
    st.sampled_from(
        ["he_normal", "uniform(-2,2),zeros", "normal(", "sigmoid", "sum", "per_seed", "9" * 5000, ",", ""]
    ),
    st.text(max_size=4),
)

OPTIONS = st.sampled_from([flag.parameter.default.param_decls[0].split("/")[0] for flag in SWEEP_FLAGS]).filter(
    lambda option: option not in ("--specialize", "--lanes", "--threads", "--epochs", "--seeds", "--out")
)


@settings(max_examples=150, deadline=None)
@given(st.lists(OPTIONS | WORDS, max_size=6))
def test_whatever_the_command_line_says_it_is_done_or_refused(words: list[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["sweep", "xor", *words, *QUICK])
    assert left.value.code in (0, 2)


def test_help_and_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert Outcome(["--version"], capsys).out == f"fastgrok {fg.__version__}\n"
    shown = Outcome(["sweep", "--help"], capsys)
    assert shown.status == 0
    assert all("--" + flag.name.replace("_", "-") in shown.out for flag in SWEEP_FLAGS)
    words = " ".join(shown.out.split())
    assert all(name in words for name in classes_by_name(Initializer))
    assert all(f"{name} {meaning}" in words for name, meaning in OUTCOME_MEANINGS.items())
    assert "midpoint" in words


def test_a_pipe_gets_whole_lines_and_no_escape_codes() -> None:
    ran = process("sweep", "xor", *QUICK, "--init", "uniform(-1.23456789,1.23456789),he_normal", "--lr", "0.1,0.2")
    out, err = ran.communicate(timeout=60)
    assert ran.returncode == 0
    assert err.startswith("\nNothing, or nearly nothing, converged in ")
    assert len(err.splitlines()) == 3
    assert "\x1b" not in out + err
    assert len({len(line) for line in out.splitlines()}) == 1
    assert len(out.splitlines()[0]) > 100


def test_a_terminal_gets_a_table_and_a_bar() -> None:
    pty = pytest.importorskip("pty")
    master, slave = pty.openpty()
    main = "from fastgrok.cli import main; from fastgrok.engine import notices; notices._PATIENCE = 0; main()"
    command = [sys.executable, "-c", main, "sweep", "xor", *QUICK]
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "200"}
    ran = subprocess.Popen(command, stdout=slave, stderr=slave, env=environment)
    os.close(slave)
    shown = b""
    while chunk := _read(master):
        shown += chunk
    assert ran.wait(timeout=60) == 0
    os.close(master)
    assert "─" in shown.decode()
    assert b"2-4-1 relu/linear" in shown
    assert b"\x1b" in shown


def _read(master: int) -> bytes:
    """Read from a terminal; nothing once it is closed on the other side."""
    try:
        return os.read(master, 4096)
    except OSError:
        return b""


ELSEWHERE = """
import sys, threading
from fastgrok.cli import main

def run(*words):
    try:
        main(list(words))
    except SystemExit as left:
        codes.append(left.code)

codes = []
for line in ("sweep xor --seeds 3 --epochs 2 --out store", "verify store", "status none"):
    thread = threading.Thread(target=run, args=line.split())
    thread.start()
    thread.join()
sys.stdout = sys.stderr = None
run("sweep", "xor", "--seeds", "3", "--epochs", "2")
sys.stdout = sys.stderr = None
run("sweep", "nonsense")
open("codes", "w").write(repr(codes))
"""


def test_the_command_works_in_a_thread_and_without_streams(tmp_path: Path) -> None:
    """A thread gets no signals; a service has no streams, and what is printed to None comes out elsewhere."""
    done = subprocess.run(
        [sys.executable, "-c", ELSEWHERE], capture_output=True, text=True, cwd=tmp_path, timeout=200
    )
    assert (tmp_path / "codes").read_text() == "[0, 0, 2, 0, 2]"
    assert "Traceback" not in done.stderr
    assert "nonsense" not in done.stdout + done.stderr


def test_a_broken_pipe_is_quiet() -> None:
    ran = process("sweep", "xor", *QUICK)
    assert ran.stdout is not None
    assert ran.stderr is not None
    ran.stdout.close()
    assert ran.stderr.read() == ""
    assert ran.wait(timeout=60) == 0
    ran.stderr.close()


def test_a_closed_stdout_and_a_full_disk_are_survived() -> None:
    command = f"{sys.executable} -m fastgrok sweep xor {' '.join(QUICK)}"
    assert subprocess.run(["sh", "-c", f"{command} >&-"], check=False, timeout=60).returncode == 0
    full = subprocess.run(
        ["sh", "-c", f"{command} > /dev/full"], check=False, timeout=60, capture_output=True, text=True
    )
    assert full.returncode == 1
    assert full.stderr.count("\n") == 1
    assert "No space left" in full.stderr


TOLD = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored by background jobs
from fastgrok.engine import program
from fastgrok.cli import main
train = program.Program.train
def told(*args):
    sys.stderr.write("training\\n")  # whole lines, of each thread
    sys.stderr.flush()
    return train(*args)
program.Program.train = told
main(sys.argv[1:])
"""


def test_ctrl_c_prints_what_is_finished_and_leaves_with_130() -> None:
    flags = ["sweep", "xor", "--no-stop", "--epochs", "100000", "--json", "--no-specialize", "--seeds", "100000"]
    ran = subprocess.Popen(
        [sys.executable, "-c", TOLD, *flags], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert ran.stderr is not None
    assert ran.stderr.readline() == "training\n"
    time.sleep(1)
    ran.send_signal(signal.SIGINT)
    out, err = ran.communicate(timeout=60)
    assert ran.returncode == 130
    assert "Traceback" not in err
    if out:
        document = json.loads(out)
        assert document["interrupted"] is True
        assert 0 < document["configurations"][0]["n"] < 100_000


def test_the_start_is_light() -> None:
    script = "import sys; from fastgrok.cli import main\ntry: main(sys.argv[1:])\nfinally: print(*sys.modules)"
    command = [sys.executable, "-c", script, "sweep", "xor", "--quiet", *QUICK]
    loaded = subprocess.run(command, check=True, timeout=60, capture_output=True, text=True).stdout.split()
    assert not {"pandas", "xarray", "pyarrow", "matplotlib", "rich"} & set(loaded)


def test_a_shell_completes_the_words_of_a_list() -> None:
    words = {
        "_FASTGROK_COMPLETE": "complete_bash",
        "COMP_WORDS": "fastgrok sweep xor --optimizer sgd,a",
        "COMP_CWORD": "4",
    }
    ran = process(env={**os.environ, **words})
    assert ran.communicate(timeout=60)[0].split() == ["sgd,adam", "sgd,adamw", "sgd,adagrad"]
    assert ran.returncode == 0


def test_help_of_the_commands_imports_no_specification() -> None:
    script = "import sys; from fastgrok.cli import main\ntry: main(['--help'])\nfinally: print(*sys.modules)"
    command = [sys.executable, "-c", script]
    loaded = subprocess.run(command, check=True, timeout=60, capture_output=True, text=True).stdout.split()
    assert not {"numpy", "pydantic", "fastgrok.spec"} & set(loaded)
