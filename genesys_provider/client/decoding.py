"""Decodes a text layer by layer, and knows for each character where it stands in the original.

Percent-, JSON- and HTML-encoding may be nested: a proxy quotes an error that quotes a URL.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterator
from functools import cached_property

LAYERS = 4
"""How many nested encodings are decoded."""
LONGEST_ESCAPE = 12
"""Maximum characters that encode a single one: a percent-encoded four-byte character, or two `\\uXXXX`."""

_ESCAPE = re.compile(
    r"""
    (?P<percent>(?:%[0-9A-Fa-f]{2})+)
    | \\u(?P<high>[dD][89abAB][0-9A-Fa-f]{2})\\u(?P<low>[dD][c-fC-F][0-9A-Fa-f]{2})
    | \\(?:u(?P<code>[0-9A-Fa-f]{4})|x(?P<byte>[0-9A-Fa-f]{2})|(?P<letter>[\\/"'bfnrt]))
    | \\U00(?P<long>(?:0[0-9A-Fa-f]|10)[0-9A-Fa-f]{4})
    | (?P<entity>&(?:\#\d{1,7}|\#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});)
    """,
    re.VERBOSE,
)
_LETTERS = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}


class Decoded:
    """A text with the position of each character in the original text."""

    def __init__(self, text: str, places: list[tuple[int, int]]) -> None:
        self.text = text
        self.places = places

    @classmethod
    def of(cls, text: str) -> Decoded:
        """The text as it is."""
        return cls(text, [(at, at + 1) for at in range(len(text))])

    @property
    def innermost(self) -> str:
        """The completely decoded text."""
        return [*self.layers()][-1].text

    def layers(self) -> Iterator[Decoded]:
        """The text itself, then decoded once, twice and so on."""
        reading = self
        yield reading
        for _ in range(LAYERS):
            if not _ESCAPE.search(reading.text):
                return
            reading = reading._unescaped()
            yield reading

    @cached_property
    def without_gaps(self) -> Decoded:
        """The text without white space and invisible characters, such as the soft hyphens of an HTML page."""
        kept = [at for at, character in enumerate(self.text) if _is_seen(character)]
        return Decoded("".join(self.text[at] for at in kept), [self.places[at] for at in kept])

    def place(self, start: int, end: int) -> tuple[int, int]:
        """The position in the original text of a section of this one."""
        return self.places[start][0], self.places[end - 1][1]

    def _unescaped(self) -> Decoded:
        pieces: list[str] = []
        places: list[tuple[int, int]] = []
        at = 0
        for match in _ESCAPE.finditer(self.text):
            pieces.append(self.text[at : match.start()])
            places += self.places[at : match.start()]
            at = match.start()
            for characters, length in _meaning(match):
                pieces.append(characters)
                place = (self.places[at][0], self.places[at + length - 1][1])
                places += [place] * len(characters)
                at += length
        return Decoded("".join([*pieces, self.text[at:]]), places + self.places[at:])


def without_gaps(text: str) -> str:
    """The text as `Decoded.without_gaps` has it."""
    return "".join(filter(_is_seen, text))


def _is_seen(character: str) -> bool:
    return not character.isspace() and unicodedata.category(character) not in ("Cc", "Cf")


def _meaning(escape: re.Match[str]) -> list[tuple[str, int]]:
    """What an escape stands for, with the number of characters that each part of it takes."""
    whole = escape[0]
    if escape["percent"]:
        run = bytes.fromhex(whole.replace("%", ""))
        try:
            return [(character, 3 * len(character.encode())) for character in run.decode()]
        except UnicodeDecodeError:
            return [(character, 3) for character in run.decode("latin-1")]
    if escape["high"]:
        pair = bytes.fromhex(escape["high"] + escape["low"])
        return [(pair.decode("utf-16-be"), len(whole))]
    if escape["entity"]:
        # `html.unescape` drops numbers that are not valid in HTML, but Python prints such characters.
        return [(html.unescape(whole) or _numbered(whole), len(whole))]
    if code := escape["long"] or escape["code"] or escape["byte"]:
        return [(chr(int(code, 16)), len(whole))]
    return [(_LETTERS.get(escape["letter"], escape["letter"]), len(whole))]


def _numbered(entity: str) -> str:
    digits = entity[2:-1]
    return chr(int(digits[1:], 16) if digits[0] in "xX" else int(digits))
