"""What is known of the machine's speed: learned, kept on disk, and never trusted."""

import json
from pathlib import Path

import pytest

import fastgrok as fg
from fastgrok.engine.rates import GENERAL, SPECIALISED, Rates, regime

XOR = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), stop=None)


def test_a_rate_is_what_was_measured_and_moves_with_what_is_measured_later(tmp_path: Path) -> None:
    book = Rates(tmp_path / "rates.json")
    book.trained("a", GENERAL, 4e9, 1.0)
    assert book.rate("a", GENERAL) == 4e9
    for _ in range(50):
        book.trained("a", GENERAL, 1e9, 1.0)
    assert book.rate("a", GENERAL) == pytest.approx(1e9, rel=1e-3)


def test_the_driver_that_was_not_measured_is_as_much_faster_as_elsewhere(tmp_path: Path) -> None:
    book = Rates(tmp_path / "rates.json")
    first = book.rate("a", SPECIALISED) / book.rate("a", GENERAL)
    book.trained("a", GENERAL, 2e9, 1.0)
    book.trained("a", SPECIALISED, 6e9, 1.0)
    book.trained("b", GENERAL, 5e9, 1.0)
    assert first != 3
    assert book.rate("b", SPECIALISED) == pytest.approx(15e9)
    assert book.rate("c", SPECIALISED) == pytest.approx(6e9)


def test_a_moment_is_no_measurement(tmp_path: Path) -> None:
    book = Rates(tmp_path / "rates.json")
    before = book.rate("a", GENERAL)
    book.trained("a", GENERAL, 1.0, 1e-6)
    book.trained("a", GENERAL, 0.0, 1.0)
    assert book.rate("a", GENERAL) == before


def test_another_process_knows_what_was_measured_by_both(tmp_path: Path) -> None:
    path = tmp_path / "rates.json"
    one, other = Rates(path), Rates(path)
    one.trained("a", GENERAL, 2e9, 1.0)
    one.lose("a", 3.0)
    other.trained("b", SPECIALISED, 7e9, 1.0)
    other.compiled(1.5)
    one.save()
    other.save()
    third = Rates(path)
    assert (third.rate("a", GENERAL), third.rate("b", SPECIALISED)) == (2e9, 7e9)
    assert (third.lost("a"), third.lost("b"), third.compile_seconds()) == (3.0, 0.0, 1.5)


def test_what_is_no_news_is_not_written(tmp_path: Path) -> None:
    path = tmp_path / "rates.json"
    book = Rates(path)
    book.trained("a", GENERAL, 2e9, 1.0)
    book.save()
    path.unlink()
    book.trained("a", GENERAL, 2.01e9, 1.0)
    book.lose("a", 1e-3)
    book.save()
    assert not path.exists()
    book.lose("a", 1.0)
    book.save()
    assert Rates(path).lost("a") == pytest.approx(1.001)


NESTED = '{"x":' * 10**5 + "1" + "}" * 10**5


@pytest.mark.parametrize("rubbish", ["", "[]", '{"x": 1}', "broken", "0", "[" * 10**5, NESTED, " " * 2**22 + "{}"])
def test_a_file_that_is_something_else_is_as_if_it_were_not_there(tmp_path: Path, rubbish: str) -> None:
    path = tmp_path / "rates.json"
    path.write_text(rubbish)
    assert Rates(path).rate("a", GENERAL) == Rates(tmp_path / "none.json").rate("a", GENERAL)


def test_what_no_book_has_written_does_not_stay_in_the_file(tmp_path: Path) -> None:
    """JSON is read deeper than it is written."""
    path = tmp_path / "rates.json"
    path.write_text('{"some CPU": {"compile_seconds": 1.5, "own": ' + "[" * 900 + "]" * 900 + "}}")
    book = Rates(path)
    book.trained("a", GENERAL, 2e9, 1.0)
    book.save()
    whole = json.loads(path.read_text())
    assert whole.pop("some CPU") == {"compile_seconds": 1.5, "regimes": {}}
    assert [cpu["regimes"] for cpu in whole.values()] == [{"a": {GENERAL: 2e9}}]


@pytest.mark.parametrize("value", [0.0, 5e-324, -1.0, 1e300, float("nan"), "fast", None, 7, True, [], {}])
def test_a_rate_that_can_be_none_is_not_taken(tmp_path: Path, value: object) -> None:
    path = tmp_path / "rates.json"
    book = Rates(path)
    book.trained("a", GENERAL, 2e9, 1.0)
    book.save()
    whole = json.loads(path.read_text())
    (cpu,) = whole
    whole[cpu]["regimes"]["a"][GENERAL] = value
    path.write_text(json.dumps(whole))
    assert Rates(path).rate("a", GENERAL) == Rates(tmp_path / "none.json").rate("a", GENERAL)


def test_a_place_that_cannot_be_written_costs_the_next_process_what_was_learned(tmp_path: Path) -> None:
    book = Rates(tmp_path / "nowhere" / "rates.json")
    book.trained("a", GENERAL, 2e9, 1.0)
    book.save()
    assert book.rate("a", GENERAL) == 2e9


def test_a_regime_is_what_the_speed_depends_on() -> None:
    assert regime(XOR) == regime(XOR.replace(optimizer=fg.SGD(0.5), epochs=7))
    others = [XOR.replace(dtype="float32"), XOR.replace(optimizer=fg.Adam()), XOR.replace(batch_size=2)]
    others += [XOR.replace(network=fg.mlp(2, 5, 1)), XOR.replace(stop=fg.Converged(loss=0.1))]
    assert len({regime(each) for each in [XOR, *others]}) == 6
