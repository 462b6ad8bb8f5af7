"""The tables of docs/coverage.md: a row for each statistic, a column for each number of seeds."""

from collections.abc import Iterator, Mapping

Figures = Mapping[str, Mapping[str, Mapping[str, float]]]
_KINDS = ("epochs", "values", "logrank", "risk", "power")


def written(page: str, figures: Figures) -> str:
    """Return the page with its tables, each of which follows a comment that names its kind."""
    for kind in _KINDS:
        begin, end = f"<!-- {kind} -->\n", f"<!-- end of {kind} -->"
        before, rest = page.split(begin)
        page = before + begin + "\n".join(_table(kind, figures)) + "\n" + end + rest.split(end)[1]
    return page


def _table(kind: str, figures: Figures) -> Iterator[str]:
    """Yield the lines of a table: percent, before and now where a figure has changed."""
    rows: dict[tuple[str, str], dict[str, str]] = {}
    for name, versions in figures.items():
        this, of, column = name.split(" | ")
        if this == kind:
            for statistic in versions.get("now", {}):
                rows.setdefault((of, statistic), {})[column] = _cell(versions, statistic)
    if not rows:
        yield "Not simulated yet."
        return
    columns = sorted({column for row in rows.values() for column in row}, key=float)
    yield f"| of | {'statistic' if kind != 'logrank' else 'rejected'} | {' | '.join(map(_number, columns))} |"
    yield f"|{'---|' * (len(columns) + 2)}"
    for (of, statistic), row in sorted(rows.items(), key=lambda item: list(rows).index(item[0])):
        yield f"| {of} | {statistic} | {' | '.join(row.get(column, '') for column in columns)} |"


def _cell(versions: Mapping[str, Mapping[str, float]], statistic: str) -> str:
    """Return the figures of one place: of two versions where they differ."""
    texts = [
        _figure(versions[version][statistic])
        for version in ("before", "now")
        if statistic in versions.get(version, {})
    ]
    return texts[-1] if len(set(texts)) == 1 else " → ".join(texts)


def _figure(value: float) -> str:
    """Return a share in percent; what is no share, a number of seeds, as it is."""
    return f"{100 * value:.1f}" if value <= 1 else f"{value:,.0f}"


def _number(column: str) -> str:
    return f"{float(column):,g}" if float(column) < 1e6 else column
