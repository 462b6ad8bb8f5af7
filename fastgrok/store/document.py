"""What is in store.json: its fields and their types, and a checksum by which one that has rotted is known."""

from __future__ import annotations

import hashlib
import json
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from fastgrok.errors import MISSING, InvalidExperiment

FORMAT = 2
"""Of the files of a store; another one is refused."""

ALL, FAILURES = "all", "failures"
"""Which rows are kept: those of every seed, or of the seeds that did not converge."""

_DIGEST = "sha256"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class AxisDocument(_Part):
    """An axis: its path, and its values as `to_plain` has them."""

    path: str
    values: list[Any] = Field(min_length=1)


class SeedsDocument(_Part):
    """Seeds in a row."""

    first: int = Field(ge=0)
    stop: int

    @model_validator(mode="after")
    def _some(self) -> Self:
        if self.stop <= self.first:
            raise ValueError("no seeds: `stop` must be greater than `first`")
        return self


class Document(_Part):
    """Everything that store.json says, but its checksum."""

    format: Literal[2]
    fastgrok: str
    experiment: dict[str, Any]
    axes: list[AxisDocument]
    seeds: SeedsDocument
    keep_params: bool
    rows: Literal["all", "failures"]
    record_at: list[int] | None
    track: Literal["dead_units"] | None
    shard_size: int = Field(ge=1)


def written(plain: dict[str, Any]) -> str:
    """Return fields as JSON, and beside them the SHA-256 of what they hold."""
    return json.dumps({**plain, _DIGEST: _digest(plain)}, indent=1, allow_nan=False)


def read(text: str | bytes) -> Document:
    """Return what `written` wrote."""
    try:
        plain = json.loads(text)
    except ValueError as error:  # neither JSON nor UTF-8
        raise InvalidExperiment("store.json", text, f"JSON ({error})") from None
    if not isinstance(plain, dict):
        raise InvalidExperiment("store.json", plain, "what a sweep writes into it")
    if plain.get("format", MISSING) != FORMAT:
        raise InvalidExperiment("store.json: format", plain.get("format", MISSING), f"{FORMAT}")
    digest = plain.pop(_DIGEST, MISSING)
    if digest != (expected := _digest(plain)):
        raise InvalidExperiment(f"store.json: {_DIGEST}", digest, f"{expected}, that of the fields beside it")
    try:
        return Document.model_validate(plain)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(map(str, first["loc"]))
        expected = f"what a sweep writes ({first['msg']})"
        raise InvalidExperiment(f"store.json: {field}", first["input"], expected) from None


def _digest(plain: dict[str, Any]) -> str:
    """Return the SHA-256 of fields, however they are laid out."""
    return hashlib.sha256(json.dumps(plain, separators=(",", ":")).encode()).hexdigest()
