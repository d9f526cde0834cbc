"""What the models of targets and sources share: the wire format and the types of fields."""

from __future__ import annotations

import re
import unicodedata
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from genesys_provider.client.naming import camel

MAX_NAME_CHARACTERS = 100

_UNPRINTABLE = frozenset({"Cc", "Cf", "Zl", "Zp"})
"""Unicode categories: control and format characters, line and paragraph separators."""
_JOINERS = "\u200c\u200d"
"""Format characters that are part of names in Persian, in Hindi and in emoji."""


def _printable(text: str) -> str:
    # Nobody could see or retype an invisible character when looking up the name.
    if text != text.strip():
        raise PydanticCustomError("white_space", "must have no white space around it")
    if any(unicodedata.category(each) in _UNPRINTABLE and each not in _JOINERS for each in text):
        raise PydanticCustomError("unprintable", "must hold no control or other invisible characters")
    return text


def _a_number(value: object) -> object:
    # Neither True nor "5" is accepted as a number.
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise PydanticCustomError("number", "must be a number")
    return value


Number = Annotated[float, BeforeValidator(_a_number)]
WholeNumber = Annotated[int, BeforeValidator(_a_number)]
NonEmpty = Annotated[str, Field(min_length=1)]
Printable = AfterValidator(_printable)


class ApiModel(BaseModel):
    """Base of all API models: camelCase on the wire, and no input in errors, since it may be secret."""

    model_config = ConfigDict(
        alias_generator=camel,
        populate_by_name=True,
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
    )


def matching(pattern: str, form: str) -> AfterValidator:
    """A validator for texts that match the pattern as a whole; `form` is the reason of one that does not."""

    def check(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise PydanticCustomError("form", form)
        return text

    return AfterValidator(check)
