"""Studies run on general drivers here."""

import functools

import pytest

import fastgrok.api


@pytest.fixture(autouse=True)
def _general_drivers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few compilations serve all studies; the bits are the same."""
    monkeypatch.setattr(fastgrok.api, "run", functools.partial(fastgrok.api.run, specialize=False))
