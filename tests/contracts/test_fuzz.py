"""Whatever public functions are given: they do it, or say in a line what is wrong. benchmarks/fuzz does more."""

import inspect
import itertools
from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from test_project import PUBLIC

import fastgrok as fg
from benchmarks.fuzz.calls import calls
from benchmarks.fuzz.strategies import DONE, REFUSED, Example, examples, one_hostile, outcome
from fastgrok.cli import main

ESCAPE = "\x1b[31mred\r\n\x07"
DATA = fg.datasets.xor()
EVERY = 5  # of the calls with one hostile argument: their kinds are no multiple of it, so that each place has others


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch, tmp_path_factory):
    """Write files by names of chance elsewhere."""
    monkeypatch.chdir(tmp_path_factory.mktemp("fuzz"))


def test_every_public_function_is_called():
    functions = {name for name, thing in PUBLIC.items() if inspect.isfunction(inspect.unwrap(thing))}
    assert functions - set(calls()) == {"fastgrok.mlp"}  # which is there with the sizes that it needs


def test_arguments_that_are_valid_are_taken():
    refused = []
    for name, call in calls().items():
        if outcome(Example(name, dict.fromkeys(call.valid, 0))) != DONE:
            refused.append(name)
    assert not refused


def test_each_argument_may_be_anything():
    wrong = []
    for example in itertools.islice(one_hostile(), 0, None, EVERY):
        try:
            outcome(example)
        except Exception as error:
            wrong.append(f"{example}: {type(error).__name__}: {error}")
    assert not wrong, "\n".join(wrong)


def test_whatever_a_public_function_is_given_it_is_done_or_refused_in_one_line():
    """Most are done: else nothing behind the first check would be tried."""
    counts: Counter[str] = Counter()

    @settings(max_examples=1000, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    @given(examples())
    def call(example):
        counts[outcome(example)] += 1

    call()
    assert counts[DONE] > counts[REFUSED] > 100


def texts(folder):
    """Yield what is shown of data whose names a terminal would obey, each with what it is."""
    x, y = f"{ESCAPE}x", f"{ESCAPE}y"
    data = fg.Dataset(DATA.X, [x, y, y, x], f"{ESCAPE}data", [f"{x}0", f"{x}1"])
    numbers = fg.Dataset(DATA.X, DATA.y, f"{ESCAPE}numbers", [f"{x}0", f"{x}1"], [f"{y}"])
    exp = fg.Experiment(fg.mlp(2, 3, 1), numbers, epochs=10, validation=numbers)
    result = fg.run(exp, 4, progress=False)
    axes = {"data": [numbers, data], "lr": [0.1, 0.2]}
    swept = fg.sweep(exp.replace(validation=None), 4, axes, progress=False)
    trace = fg.replay(exp, 1, progress=False)
    yield "data", repr(data)
    yield "experiment", repr(exp)
    yield "result", repr(result)
    yield "sweep", repr(swept)
    yield "comparison", repr(fg.compare(swept, "data"))
    yield "comparison of losses", repr(fg.compare(swept, "data", of="loss"))
    yield "trainer", repr(fg.compile(exp, specialize=False))
    yield "store", repr(fg.sweep(exp, 4, {"lr": [0.1, 0.2]}, store=folder / "store", progress=False))
    for topic in ("correlation", "failure", "overfitting", "pressure"):
        found = getattr(fg.explain, topic)(trace)
        yield topic, f"{found}{found!r}" if topic == "failure" else str(found)
    yield "worked_pass", str(fg.explain.worked_pass(trace, example=0, at=0))
    yield "sign_flow", str(fg.explain.sign_flow(trace, at=0))
    path = folder / f"{ESCAPE.strip()}.csv"
    path.write_text("a,b,y\n1,2,3\n1,word,4\n")
    for call in (
        lambda: fg.Dataset.from_csv(path, "y"),
        lambda: fg.Dataset.from_csv(path, ESCAPE),
        lambda: fg.load(f"{folder}/{ESCAPE}"),
        lambda: fg.compare(swept, ESCAPE),
        lambda: exp.replace(**{ESCAPE: 1}),
        lambda: fg.open_store(f"{folder}/{ESCAPE}"),
        lambda: data.labels([[ESCAPE]]),
    ):
        with pytest.raises((fg.InvalidExperiment, fg.StoreError)) as caught:
            call()
        yield "error", str(caught.value)


def test_no_control_character_of_a_name_is_shown(tmp_path):
    for what, text in texts(tmp_path):
        assert text.replace("\n", "").isprintable(), (what, text)


def test_no_control_character_of_a_name_reaches_the_terminal_by_a_command(tmp_path, capsys):
    path = tmp_path / "\x1b[31mdata.csv"
    path.write_text("a,\x1b[32mb,y\n0,0,no\n0,1,yes\n1,0,yes\n1,1,no\n")
    for words in (
        ["sweep", str(path), "--target", "y", "--hidden", "2", "--seeds", "3", "--epochs", "5", "--quiet"],
        ["explain", "failure", str(path), "--target", "y", "--hidden", "2", "--seed", "3", "--epochs", "5"],
        ["replay", str(path), "--target", "y", "--hidden", "2", "--seed", "3", "--epochs", "5"],
        ["sweep", str(path), "--target", "\x1b[31m"],
        ["status", "\x1b[31m"],
    ):
        with pytest.raises(SystemExit):
            main(words)
        said = capsys.readouterr()
        assert (said.out + said.err).replace("\n", "").isprintable(), (words, said)
