"""`fastgrok.results.table`: its functions one by one."""

from fastgrok.results.table import cells


def test_example_of_cells():
    assert cells([]).header == ["n", "converged [95 %]", "median epochs", "time", "seed-epochs/s"]


def test_losses_and_accuracies_stand_in_every_table():
    import fastgrok as fg

    exp = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), epochs=100, validation=fg.datasets.xor())
    result = fg.run(exp, seeds=200)
    kinds = ("loss", "accuracy", "validation loss", "validation accuracy")
    wanted = [f"{kind}, {which}" for kind in kinds for which in ("median [95 %]", "5 % [95 %]", "95 % [95 %]")]
    assert [name for name in cells(result.rows()).header if name.endswith("% [95 %]") or "median [" in name] == wanted
    frame = result.summary()
    accuracy = result.dataset["accuracy_final"].values
    assert frame["accuracy_final_worst"].tolist() == [accuracy.min()]
    assert frame["accuracy_final_q05_low"][0] <= frame["accuracy_final_q05"][0] <= frame["accuracy_final_median"][0]
    assert str(frame.dtypes["loss_final_median"]) == "float64"
    for line in ("loss: median", "validation accuracy: median"):
        assert line in repr(result)
