"""The frozen base of everything an analysis file can say."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints


class Frozen(BaseModel):
    """A value that cannot change once read; unknown keys are refused."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True
    )


Name = Annotated[
    str,
    StringConstraints(
        pattern=r"^[A-Za-z][A-Za-z0-9_-]*$", min_length=1, max_length=60, strip_whitespace=True
    ),
]
"""A name that can stand in a file path: letters, digits, ``-`` and ``_``."""

Column = Annotated[str, StringConstraints(min_length=1)]
"""The name of a column of the data, original or derived."""

Probability = Annotated[float, Field(ge=0.0, le=1.0)]
OpenProbability = Annotated[float, Field(gt=0.0, lt=1.0)]
Positive = Annotated[float, Field(gt=0.0)]
NonNegative = Annotated[float, Field(ge=0.0)]
Scalar = str | int | float | bool
