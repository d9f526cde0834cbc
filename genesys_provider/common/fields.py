"""What the models of targets and sources have in common: how objects look on the wire, kinds of fields."""

from __future__ import annotations

import unicodedata
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

MAX_NAME_CHARACTERS = 100

_UNPRINTABLE = frozenset({"Cc", "Cf", "Zl", "Zp"})
"""Categories of Unicode: control and format characters, ends of lines and paragraphs."""
_JOINERS = "\u200c\u200d"
"""Format characters that names are written with: in Persian, in Hindi, in emoji."""


def _printable(text: str) -> str:
    # What can't be seen can't be told apart, nor typed again where somebody looks the name up.
    if text != text.strip():
        raise PydanticCustomError("white_space", "must have no white space around it")
    if any(unicodedata.category(each) in _UNPRINTABLE and each not in _JOINERS for each in text):
        raise PydanticCustomError("unprintable", "must hold no control or other invisible characters")
    return text


def _a_number(value: object) -> object:
    # Neither true nor "5": what is written is what is meant.
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise PydanticCustomError("number", "must be a number")
    return value


Number = Annotated[float, BeforeValidator(_a_number)]
WholeNumber = Annotated[int, BeforeValidator(_a_number)]
NonEmpty = Annotated[str, Field(min_length=1)]
Printable = AfterValidator(_printable)


class ApiModel(BaseModel):
    """What all objects of the API share: camelCase on the wire, no input in an error (it may be a secret)."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
    )
