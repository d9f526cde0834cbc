"""Redaction: secrets are found in every encoding, while common words stay."""

from __future__ import annotations

import base64
import html
import json
import unicodedata
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from genesys_provider.client import redaction
from genesys_provider.client.errors import ApiError
from genesys_provider.client.redaction import OWNER_HEADER, hide, hide_secrets_of, redacted, shortened, shown

KEY = 'c4nary "k<e>y" & it\'s\\100%'
SPACES = "canary with  two spaces-1"
BEYOND_ASCII = "kanärie-schlüssel-ß1"
EMOJI = "canary-\U0001f511-key-7"
TOKEN_URL = "https://hooks.example.com/v1/events/T0KEN-9f2c?sig=S1GNATURE-7&env=prod"


@pytest.fixture(autouse=True)
def _no_secrets_of_other_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("_secrets", "_suspects"):
        monkeypatch.setattr(redaction, name, redaction._Noted())


def in_base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _of_windows(byte: int) -> str:
    """The character that a browser reads for a byte of windows-1252."""
    try:
        return bytes([byte]).decode("cp1252")
    except UnicodeDecodeError:
        return chr(byte)


WAYS: dict[str, Callable[[str], str]] = {
    "raw": str,
    "percent": lambda text: quote(text, safe=""),
    "percent, small": lambda text: quote(text, safe="/").replace("%C3", "%c3"),
    "form": quote_plus,
    "json": lambda text: json.dumps(text)[1:-1],
    "raw json": lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    "json in json": lambda text: json.dumps(json.dumps(text))[1:-1],
    "html": html.escape,
    "html, numbers": lambda text: "".join(f"&#{ord(each)};" for each in text),
    "html of json": lambda text: html.escape(json.dumps(text)),
    "base64": in_base64,
    "base64 for urls": lambda text: base64.urlsafe_b64encode(text.encode()).decode().rstrip("="),
    "base64 in lines": lambda text: base64.encodebytes((text * 4).encode()).decode(),
    "inside base64, 1": lambda text: in_base64(f"a{text}z"),
    "inside base64, 2": lambda text: in_base64(f"ab{text}zz"),
    "repr": repr,
    "ascii": ascii,
    "python, long": lambda text: "".join(f"\\U{ord(each):08x}" for each in text),
    "decomposed": lambda text: unicodedata.normalize("NFD", text),
    "windows": lambda text: "".join(_of_windows(byte) for byte in text.encode()),
    "two lines": lambda text: f"{text[:7]}\n   {text[7:]}",
    "soft hyphens": "&shy;".join,
    "zero width": "\u200b".join,
    "colours": lambda text: f"{text[:3]}\x1b{text[3:]}",
}


@pytest.mark.parametrize("secret", [KEY, SPACES, BEYOND_ASCII, EMOJI], ids=["key", "spaces", "ä", "emoji"])
@pytest.mark.parametrize("way", WAYS.values(), ids=list(WAYS))
def test_a_secret_is_found_in_every_encoding(secret: str, way: Callable[[str], str]) -> None:
    hide(secret)
    said = shortened(f"before <{way(secret)}> after")
    assert "[secret]" in said
    assert said.startswith("before <")
    assert said.endswith("> after")
    # Of base64 only the ends remain, which also encode the neighbouring bytes.
    assert len(said) < len("before <> after") + 4 * len("[secret]") + 16
    assert secret not in said


ESCAPES = ("percent", "percent, small", "json", "raw json", "html", "html, numbers")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(secret="canary-\ufdd0-canary-canary", ways=["html, numbers"])
@given(
    secret=st.text(
        st.characters(codec="utf-8", exclude_categories=("Cc", "Cf", "Zs", "Zl", "Zp")), min_size=16
    ),
    ways=st.lists(st.sampled_from(ESCAPES), max_size=3),
)
def test_a_secret_is_found_in_nested_encodings(secret: str, ways: list[str]) -> None:
    hide(secret)
    said = secret
    for name in ways:
        said = WAYS[name](said)
    assert redacted(f"<{said}>") == "<[secret]>"


def test_a_user_and_password_are_found_as_http_basic() -> None:
    hide("genesys:canary-password-7c1")
    assert redacted(f"Authorization: Basic {in_base64('genesys:canary-password-7c1')}") == (
        "Authorization: Basic [secret]"
    )


@pytest.mark.parametrize("said", ["latin-1 as utf-8", "utf-8 as latin-1"])
def test_a_secret_in_the_wrong_character_set(said: str) -> None:
    hide(BEYOND_ASCII)
    text = (
        BEYOND_ASCII.encode("latin-1").decode("utf-8", "replace")
        if said == "latin-1 as utf-8"
        else BEYOND_ASCII.encode().decode("latin-1")
    )
    assert redacted(f"no {text}!") == "no [secret]!"


@pytest.mark.parametrize(
    "said",
    [
        TOKEN_URL,
        "https://hooks.example.com/v1/events/T0KEN-9f2c",
        "hooks.example.com/v1/events/T0KEN-9f2c",
        "/v1/events/T0KEN-9f2c",
        "/v1/events/T0KEN-9f2c?sig=S1GNATURE-7&env=prod",
        "sig=S1GNATURE-7&env=prod",
        "T0KEN-9f2c",
        "S1GNATURE-7",
    ],
)
def test_a_secret_url_is_found_by_its_parts(said: str) -> None:
    hide(TOKEN_URL)
    assert redacted(f"cannot POST {said} now") == "cannot POST [secret] now"
    assert redacted(f"cannot POST {quote(said, safe='')} now") == "cannot POST [secret] now"


def test_common_parts_of_a_secret_url_stay() -> None:
    hide(TOKEN_URL)
    told = "hooks.example.com has no events for prod: see https://hooks.example.com/v1/help"
    assert redacted(told) == told


def test_a_secret_that_is_a_common_word_hides_nothing_around_it() -> None:
    hide("error", "target", "queue")
    assert redacted("error: bad targets, Basic dXNlcjplcnJvcg==, an Error in queue_1") == (
        "[secret]: bad targets, Basic dXNlcjplcnJvcg==, an Error in [secret]_1"
    )
    assert shown("target 'orders' (https://gw.example/queue/target) is FAILED: no error") == (
        "target 'orders' (https://gw.example/queue/target) is FAILED: no error"
    )
    assert shown("target 'queue' (id-1) is gone") == "target [secret] (id-1) is gone".replace(
        "[secret]", "'[secret]'"
    )


def test_our_own_messages_hide_secret_values() -> None:
    hide(TOKEN_URL, "billing-eu-7", "Ürün'ler-42")
    assert shown(f"target 'billing-eu-7' ({TOKEN_URL}) is FAILED") == "target '[secret]' ([secret]) is FAILED"
    assert str(ApiError(f"{'billing-eu-7'!r} is taken", status=409, hint="Drop 'billing-eu-7'")) == (
        "'[secret]' is taken (HTTP 409). Drop '[secret]'"
    )
    assert shown(f"target {chr(220) + 'rün' + chr(39) + 'ler-42'!r}") == 'target "[secret]"'


def test_a_header_that_is_not_marked_secret_shows_in_our_own_messages() -> None:
    hide_secrets_of({"headers": {"X-Team": "billing-eu-7"}, "authConfig": {"password": "billing-us-8"}})
    assert redacted("billing-eu-7, billing-us-8") == "[secret], [secret]"
    assert shown("'billing-eu-7', 'billing-us-8'") == "'billing-eu-7', '[secret]'"


def test_secrets_shorter_than_four_characters_are_not_searched() -> None:
    hide("abc", "")
    assert redacted("abc") == "abc"


def test_a_large_page_is_shortened_after_redaction() -> None:
    hide(KEY)
    page = shortened(f"{'x' * 290} {KEY} {'y' * 10_000_000}")
    assert len(page) == 300
    assert page.startswith("x" * 290 + " [secret]")


def test_the_search_time_does_not_grow_with_the_number_of_secrets() -> None:
    text = "cannot POST https://hooks.example.com/v1/events/T0KEN-000 as user:canary-00000 with canary-1"

    def candidates() -> int:
        return len(list(redaction._secrets._long.candidates(text)))

    hide(*(f"https://hooks.example.com/v1/events/T0KEN-{number:05}" for number in range(10)))
    hide(*(f"user:canary-{number:05}" for number in range(10, 20)))
    few = candidates()
    assert few > 0
    hide(*(f"https://hooks.example.com/v1/events/T0KEN-{number:05}" for number in range(3000)))
    hide(*(f"user:canary-{number:05}" for number in range(10, 3000)))
    # With 3,000 tokens there are more prefixes, but not more lengths.
    assert candidates() == few
    assert redacted("T0KEN-02999 of user:canary-02999") == "[secret] of [secret]"


def test_the_redaction_mark_is_not_a_secret() -> None:
    mark = "urn:pulumi:dev::shop::pulumi-python:dynamic:EventBridgeTarget::orders"
    hide_secrets_of({"headers": {OWNER_HEADER: mark, "X-Key": "billing-eu-7"}})
    assert redacted(f"{mark} has billing-eu-7") == f"{mark} has [secret]"


def test_white_space_in_a_secret_does_not_match_everywhere() -> None:
    hide("a          b")
    assert redacted("about absence") == "about absence"


def test_a_secret_that_is_a_prefix_of_another() -> None:
    hide("T0KEN-9f2c", "T0KEN-9f2c-and-more")
    assert redacted("no T0KEN-9f2c") == "no [secret]"
    assert redacted("no T0KEN-9f2c-and-more") == "no [secret]"
