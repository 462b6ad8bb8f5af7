"""`fastgrok.spec.fields`: its functions one by one."""

from typing import Annotated

from pydantic import Field

from fastgrok.spec.fields import Number, accepted


def test_example_of_accepted():
    value = accepted(Annotated[Number, Field(ge=0, lt=1)] | None)
    assert value == "a finite number at least 0 and less than 1, or None"
