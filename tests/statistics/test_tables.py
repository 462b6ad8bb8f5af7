"""Tables of strings as lines of text."""

from fastgrok.statistics.tables import Cells, aligned, cells_as_html, fitted, table

ONE = Cells(["init", "n"], [["Zeros()", "8"]], 1)
TWO = Cells(["init", "n", "rate"], [["Zeros()", "8", "0 %"], ["Ones()", "16", "50 %"]], 1)


def test_labels_stand_to_the_left_and_numbers_to_the_right() -> None:
    assert list(aligned(TWO)) == [
        "init      n  rate",
        "-------  --  ----",
        "Zeros()   8   0 %",
        "Ones()   16  50 %",
    ]
    assert table(*ONE).splitlines() == list(aligned(ONE))
    assert table(["a"], [["two\nlines"]]).splitlines()[-1] == "two lines"


def test_a_table_that_is_too_wide_is_cut_between_columns_and_repeats_its_labels() -> None:
    assert fitted(TWO, 17) == list(aligned(TWO))
    first, second = "\n".join(fitted(TWO, 16)).split("\n\n")
    assert first.splitlines()[0] == "init      n"
    assert second.splitlines()[-1] == "Ones()   50 %"


def test_one_row_or_a_narrow_terminal_makes_a_line_of_each_cell() -> None:
    assert fitted(ONE, 9) == ["init  Zeros()", "n     8"]
    assert fitted(TWO, 8)[:4] == ["init  Zeros()", "n       8", "rate  0 %", ""]


def test_html_is_escaped() -> None:
    html = cells_as_html(Cells(["n"], [["<8"]], 0))
    assert html == "<table><thead><tr><th>n</th></tr></thead><tbody><tr><td>&lt;8</td></tr></tbody></table>"
