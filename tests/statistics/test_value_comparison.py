"""`compare(..., of=)`: continuous outcomes with the values of an axis."""

import json
from pathlib import Path

import numpy as np
import pytest

import fastgrok as fg
from fastgrok.errors import InvalidExperiment

EXP = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), epochs=100, validation=fg.datasets.xor(), stop=None)
AXES = {"init": [fg.XavierNormal(), fg.HeNormal()], "optimizer.lr": [0.05, 0.1]}
RESULT = fg.sweep(EXP, 200, AXES, progress=False)


def test_every_pair_is_compared_within_each_stratum() -> None:
    pairs = fg.compare(RESULT, "init", of="loss_final").pairs
    assert pairs["optimizer.lr"].tolist() == [0.05, 0.1]
    for k, row in pairs.iterrows():
        a, b = (RESULT.dataset["loss_final"].values[place, k] for place in (0, 1))
        assert row["probability_better"] == pytest.approx(((a < b).sum() + (a == b).sum() / 2) / 200)
        assert row["mean_difference"] == pytest.approx((a - b).mean())
        medians = (np.quantile(x, 0.5, method="inverted_cdf") for x in (a, b))
        assert row["median_difference"] == pytest.approx(next(medians) - next(medians))


def test_strata_are_pooled_by_seed() -> None:
    comparison = fg.compare(RESULT, "optimizer.lr", of="accuracy_validation_final")
    a, b = (RESULT.dataset["accuracy_validation_final"].values[:, place] for place in (0, 1))
    pooled = comparison.pooled.iloc[0]
    assert (pooled["n"], pooled["strata"]) == (200, 2)
    assert pooled["mean_difference"] == pytest.approx((a - b).mean())
    assert pooled["probability_better"] == pytest.approx(((a > b) + (a == b) / 2).mean())
    assert len(comparison.verdicts) == 1


def test_it_is_printed_and_is_json() -> None:
    comparison = fg.compare(RESULT, "init", of="loss_validation_final")
    document = json.loads(json.dumps(comparison.to_dict(), allow_nan=False))
    assert (document["axis"], document["of"], len(document["pairs"])) == ("init", "loss_validation_final", 2)
    for text in (comparison.as_text(100), repr(comparison), comparison._repr_html_()):
        for words in ("smaller is better", "a better [95 %]", "interquartile mean", "HeNormal()", "sign test"):
            assert words in text
    assert max(map(len, comparison.as_text(100).splitlines())) <= 100


def test_the_better_value_is_named_first() -> None:
    exp = EXP.replace(epochs=1)
    result = fg.sweep(exp, 300, {"epochs": [1, 200]}, progress=False)
    verdict = fg.compare(result, "epochs", of="loss_final").verdicts[0]
    assert verdict.startswith("a seed does better with epochs=200 than with epochs=1 in ")


def test_a_store_says_the_same_as_a_result(tmp_path: Path) -> None:
    store = fg.sweep(EXP, 200, AXES, store=tmp_path / "store", progress=False)
    for of in ("loss_final", "accuracy_validation_final"):
        in_memory, on_disk = (fg.compare(each, "init", of=of) for each in (RESULT, store))
        assert on_disk.to_dict() == in_memory.to_dict()


def test_what_diverges_is_worse_than_all_others() -> None:
    result = fg.sweep(EXP, 50, {"optimizer.lr": [0.1, 1e9]}, progress=False)
    comparison = fg.compare(result, "optimizer.lr", of="loss_final")
    assert comparison.pairs["probability_better"].tolist() == [1.0]
    assert comparison.pairs["mean_difference"].isna().all()
    assert "not finite" in repr(comparison)
    assert json.dumps(comparison.to_dict(), allow_nan=False)


@pytest.mark.parametrize("of", ["rate", "plateau", "outcome", ""])
def test_what_is_no_continuous_outcome_is_named(of: str) -> None:
    with pytest.raises(InvalidExperiment, match=r"'loss', 'accuracy', 'validation_loss', 'validation_accuracy'"):
        fg.compare(RESULT, "init", of=of)


def test_without_validation_data_there_is_nothing_to_compare_on_them() -> None:
    result = fg.sweep(EXP.replace(validation=None), 8, AXES, progress=False)
    with pytest.raises(InvalidExperiment, match="validation data"):
        fg.compare(result, "init", of="loss_validation_final")
