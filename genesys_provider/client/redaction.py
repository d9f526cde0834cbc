"""Redacts the secrets that this process knows from everything that it shows.

A server may repeat what it was sent: the client secret in a login error, an endpoint's password in the reason for a
failed verification. Such text is shown to the user, stored in the state and written to the audit trail. So every
secret is registered here as soon as it is known, and redacted from all output.

**How a secret is found.** In plain text and in percent-, JSON-, HTML- and base64-encoding, also nested, with or
without white space and invisible characters in it. A secret that is a URL is also found by its path and query
alone.

**Which words are left alone.** A secret may be an everyday word, such as `error` or `target`: one with fewer than 8
characters, or fewer than 16 that are all letters. In other people's text it is redacted only as a whole word, so
that `targets` remains; in our own sentences only in quotes, which we put around every value. A secret with fewer
than 4 characters is not redacted: it would match everywhere, and protects nothing.
"""

from __future__ import annotations

import base64
import re
import threading
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from typing import Any
from urllib.parse import SplitResult, parse_qsl, urlsplit

from genesys_provider.client.decoding import LONGEST_ESCAPE, Decoded, without_gaps

SHORTEST = 4
"""Minimum number of characters of a secret."""
SHORT = 8
SHORT_LETTERS = 16
"""A shorter text may be an everyday word; this limit applies to letters only, `SHORT` to all characters."""

HIDDEN = "[secret]"

SHOWN_CHARACTERS = 300
"""The maximum length of a server's text that is shown, since a whole HTML page is useless."""

SECRET_FIELDS = ("password", "clientSecret")
"""The fields of a target's `authConfig` that the API never returns [C]."""

OWNER_HEADER = "X-Pulumi-Resource"
"""The header that carries the owner mark, and the only header that is not a secret. The API has no tags, so the
configuration itself must name its owner."""

_QUOTES = "'\"`"


class _Needles:
    """Texts to search for. The time of a search does not depend on their number."""

    def __init__(self) -> None:
        self._needles: set[str] = set()
        self._lengths: dict[str, tuple[int, ...]] = {}
        """The lengths of the needles, by their first `SHORTEST` characters."""

    def add(self, needle: str) -> None:
        self._needles.add(needle)
        start, length = needle[:SHORTEST], len(needle)
        lengths = self._lengths.get(start, ())
        if length not in lengths:
            # Many needles have the same lengths and can share one tuple.
            self._lengths[start] = _the_same((*lengths, length))

    def candidates(self, text: str) -> Iterator[tuple[int, int]]:
        """Positions at which a needle may stand: the text begins like one and is long enough."""
        lengths_of = self._lengths.get
        for start in range(len(text) - SHORTEST + 1):
            for length in lengths_of(text[start : start + SHORTEST], ()):
                if start + length <= len(text):
                    yield start, start + length

    def found(self, text: str) -> Iterator[tuple[int, int]]:
        """The positions of needles."""
        return ((start, end) for start, end in self.candidates(text) if text[start:end] in self._needles)


@cache
def _the_same(lengths: tuple[int, ...]) -> tuple[int, ...]:
    return lengths


class _Noted:
    """Secrets in all the forms in which they may be repeated. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: set[str] = set()
        self._long = _Needles()
        self._words = _Needles()
        self.longest = 0
        """The number of characters of the longest secret."""

    def add(self, secrets: Iterable[str]) -> None:
        new = {secret for secret in secrets if len(secret) >= SHORTEST} - self._known
        for secret in new:
            needles = {needle for form in _forms(secret) for needle in _written(form)}
            with self._lock:
                for needle in needles:
                    if _may_be_a_word(needle):
                        _add(self._words, needle.strip())
                    else:
                        _add(self._long, without_gaps(needle))
                self.longest = max(self.longest, len(secret))
                # Last, so that whoever finds the secret here can rely on its needles.
                self._known.add(secret)

    def found(self, layer: Decoded, word: Callable[[str, int, int], bool]) -> Iterator[tuple[int, int]]:
        """Positions of secrets in the original text; short words only where `word` accepts their surroundings."""
        closed = layer.without_gaps
        for start, end in self._long.found(closed.text):
            yield closed.place(start, end)
        for start, end in self._words.found(layer.text):
            if word(layer.text, start, end):
                yield layer.place(start, end)


def _add(needles: _Needles, needle: str) -> None:
    if len(needle) >= SHORTEST:
        needles.add(needle)


_secrets = _Noted()
_suspects = _Noted()
"""Values that may be secret, although they are not marked. Our own sentences never contain them."""


def hide(*secrets: str) -> None:
    """Registers secrets."""
    _secrets.add(secrets)


def _known(target: Mapping[str, Any], name: str) -> dict[str, str]:
    value = target.get(name)
    items = value.items() if isinstance(value, Mapping) else ()
    return {key: text for key, text in items if isinstance(text, str)}


def hide_secrets_of(target: Mapping[str, Any]) -> None:
    """Registers the secrets of a target's configuration.

    Every header may be secret, except our own. Values that a preview does not know yet are skipped.
    """
    auth = _known(target, "authConfig")
    hide(*(auth[name] for name in SECRET_FIELDS if name in auth))
    if "username" in auth and "password" in auth:
        hide(f"{auth['username']}:{auth['password']}")
    headers = _known(target, "headers")
    _suspects.add(value for name, value in headers.items() if name != OWNER_HEADER)


def redacted(text: str) -> str:
    """Somebody else's text, with every secret replaced by `[secret]`."""
    return _without(text, (_secrets, _suspects), _stands_alone)


def shown(text: str) -> str:
    """Our own sentence, with every value that is a secret replaced by `[secret]`."""
    return _without(text, (_secrets,), _is_quoted)


def shortened(text: str) -> str:
    """A server's text as one short line: redacted, and without control characters."""
    words = " ".join(text.split())
    longest = max(_secrets.longest, _suspects.longest)
    # Only the start of a long page, but never cut in the middle of a secret.
    words = redacted(words[: LONGEST_ESCAPE * (SHOWN_CHARACTERS + longest)])
    line = "".join(character if character.isprintable() else "\ufffd" for character in words)
    return line if len(line) <= SHOWN_CHARACTERS else line[: SHOWN_CHARACTERS - 1] + "…"


def _forms(secret: str) -> Iterator[str]:
    """The secret itself, and those of its parts that identify it."""
    yield secret
    parts = _url(secret)
    if parts is None:
        return
    yield secret.partition("#")[0].partition("?")[0]
    if parts.path.strip("/") or parts.query:
        yield parts.netloc + parts.path
        yield parts.path
        yield f"{parts.path}?{parts.query}"
    else:
        yield parts.netloc
    details = [*parts.path.split("/"), *(value for _, value in parse_qsl(parts.query)), parts.fragment]
    yield parts.query
    # A token among the parts is secret, but a word such as `events` is not.
    yield from (detail for detail in details if not _may_be_a_word(detail))


def _url(text: str) -> SplitResult | None:
    try:
        parts = urlsplit(text)
    except ValueError:
        return None
    return parts if parts.scheme in ("http", "https") and parts.netloc else None


def _written(form: str) -> Iterator[str]:
    """How a form may appear in a text after decoding."""
    yield form
    yield unicodedata.normalize("NFC", form)
    yield unicodedata.normalize("NFD", form)
    yield Decoded.of(form).innermost
    yield re.sub(r"\s", "+", form)
    as_bytes = [form.encode("utf-8", "surrogatepass")]
    # Headers are Latin-1; a server that mixes that up with UTF-8 repeats them in the other encoding.
    yield as_bytes[0].decode("latin-1")
    yield "".join(_in_windows(byte) for byte in as_bytes[0])
    if not form.isascii() and all(character <= "\xff" for character in form):
        as_bytes.append(form.encode("latin-1"))
        yield as_bytes[1].decode("utf-8", "replace")
    for text in (text for each in as_bytes for text in _base64(each)):
        yield text
        yield text.replace("+", "-").replace("/", "_")


def _in_windows(byte: int) -> str:
    """The character of a byte in windows-1252, which browsers read in place of Latin-1."""
    return bytes([byte]).decode("cp1252", "ignore") or chr(byte)


def _base64(form: bytes) -> Iterator[str]:
    whole = base64.b64encode(form).decode()
    yield whole
    yield whole.rstrip("=")
    if len(form) < SHORT:
        return
    # Inside a longer base64 text a secret appears in one of three forms, depending on its offset. The characters at
    # both ends also depend on its neighbours.
    for offset, shared in enumerate((0, 2, 3)):
        text = base64.b64encode(b"\0" * offset + form).decode().rstrip("=")
        yield text[shared:-1] if (offset + len(form)) % 3 else text[shared:]


def _may_be_a_word(text: str) -> bool:
    text = text.strip()
    return len(text) < SHORT or (len(text) < SHORT_LETTERS and text.isalpha())


def _stands_alone(text: str, start: int, end: int) -> bool:
    before, after = text[start - 1 : start], text[end : end + 1]
    return not (before.isalnum() and text[start].isalnum()) and not (
        after.isalnum() and text[end - 1].isalnum()
    )


def _is_quoted(text: str, start: int, end: int) -> bool:
    before, after = text[start - 1 : start], text[end : end + 1]
    return before == after and before != "" and before in _QUOTES


def _without(text: str, noted: Iterable[_Noted], word: Callable[[str, int, int], bool]) -> str:
    found = [
        place for layer in Decoded.of(text).layers() for each in noted for place in each.found(layer, word)
    ]
    for start, end in reversed(_merged(found)):
        text = text[:start] + HIDDEN + text[end:]
    return text


def _merged(found: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The sections in order, with overlapping ones merged."""
    merged: list[tuple[int, int]] = []
    for start, end in sorted(found):
        if merged and start < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged
