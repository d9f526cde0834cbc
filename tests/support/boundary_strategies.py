"""Bodies of a POST or PUT near every boundary of every rule."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import strategies as st

from tests.support import property_strategies as drawn

POLICY = {"maxRetries": 5, "backoffStrategy": "EXPONENTIAL", "initialDelaySeconds": 2}
DEFAULTS: dict[str, Any] = {"authType": "NONE", "authConfig": {}, "retryPolicy": POLICY, "headers": {}}
VALID = {"name": "orders", "endpointUrl": "https://localhost/", **DEFAULTS, "eventTypes": ["A"]}


def _words(*lines: str) -> list[str]:
    return [word for line in lines for word in line.split(" ")]


# Texts.

_SPACES = "\t\n\r\x0b\x1c\x1f \x85\xa0\u1680\u2003\u2028\u3000"
_UNSEEN = "\x00\x07\x7f\x9f\xad\u200b\u200e\u2029\u202e\ufeff\U000e0001"
_SEEN = "\u200c\u200d\ue000\u0378\u0301\xdf\u0130\u2100\N{GRINNING FACE}"
characters = st.sampled_from(f"{_SPACES}{_UNSEEN}{_SEEN}abAB01.-_/?#@:[]%\\\"'")
odd_texts = st.text(st.one_of(characters, st.sampled_from("abc"), st.characters(codec="utf-8")), max_size=6)
names = odd_texts | st.builds(
    "{}{}{}".format,
    characters,
    st.sampled_from([0, 1, 97, 98, 99, 100]).map("x".__mul__),
    st.sampled_from(["", "b", " ", "\n", "\N{GRINNING FACE}"]),
)

# URLs.

HOSTS = [
    *_words(
        "localhost a.localhost localhost. LOCALHOST notlocalhost 127.0.0.1 127.1 127.0.0.1. 0127.0.0.1 1.2.3.256",
        "1.2.3 1.2.3.4.5 2130706433 0x7f.1 a.1 1.a 1 [::1] [::] [::1 ::1] [] [::1]] [[::1] [1.2.3.4] [v1.x] [v1.1]",
        "[::ffff:127.0.0.1] [fe80::1%25eth0] [fe80::1%eth0] [::1%] [::g] [a] [::1]a a[::1] ::1 [::1]. [:]",
        "a a. . .. a..b .a -a- _a_ a,b a!b $(x) a%41 %zz a\\b a;b a?b a#b a:b a::b /a a/b a--b",
        "b\xfccher.example B\xdcCHER.example \u2603.net \u4f8b\u3048.jp a\u3002b fa\xdf.de \u017f \u212a",
        "\u2100.example a\uff0eb a\uff0fb \u0661.\u0662.\u0663.\u0664 \u0661 1\xfc \xfc1 ab--\xfc ab\u0301 \u0301a",
        "xn--bcher-kva.example xn--a a.xn--a xn-- a.xn-- XN--A xn--bcher-kva a.xn--bcher-kva axn--a xn--\xfc",
        "\xfc.xn--a xn--\u2603 e\u0301.example a\u200db.example \u0646\u200c\u0645.example \ue000.example a\xadb",
        "user@a user:pw@a @a a@ :@a a@b@c \xfc@a",
    ),
    *(
        "",
        "a b",
        "a" * 63,
        "a" * 64,
        "a" * 63 + ".b",
        "a" * 64 + ".b",
        "\xfc" * 57,
        "\xfc" * 60,
        "\xfc." * 30,
    ),
    *(
        "a." * 126 + "b",
        "a." * 126 + "b.",
        "a." * 126 + "bc",
        "a." * 127 + "b",
        "\xfc." * 50,
        "1." * 126 + "b",
    ),
]
PORTS = [
    *_words(": :0 :1 :80 :443 :65535 :65536 :00443 :00 :-1 :+1 :1_0 :a :\u0661 :\xb2 :443:443 :1.0 :4a"),
    *("", ": 1", ":1000000443", ":" + "0" * 5000 + "1", ":" + "9" * 5000),
]
SCHEMES = [
    *_words(
        "https:// http:// HTTPS:// hTTps:// HTTP:// https:/ https: https:/// // https// ftp:// 1https://",
        "http\u017f:// https+a:// a.b-c+1:// https:\\\\ :// https\xad://",
    ),
    *("", " https://", "https ://", "https:// ", "https\n://", "\x00https://"),
]
PATHS = [
    *_words(
        "/ /\xad ? ?a # #a /@ ?@ #@ /% /%zz /\xfc // //a /[ /] ?[ ?]:0 :0 /:0 /\ue000 /\u0378 \\ \\@a /;a"
    ),
    *("", "/a b", "/\x7f", "/\u2028", "/\n", "/ ", "/\x85"),
]
urls = st.one_of(
    *[
        st.builds(
            "{}{}{}{}".format,
            st.just("https://") | st.just("http://") | st.sampled_from(SCHEMES),
            st.sampled_from(HOSTS) | odd_texts,
            st.just("") | st.sampled_from(PORTS),
            st.sampled_from(PATHS),
        )
    ]
    * 6,
    odd_texts,
)

# Values that may have other types.

_numbers = [
    *(-1, 0, 1, 2, 5, 9, 10, 11, 29, 30, 31, 10**30, 2**63, -0.0, 0.5, 1.0, 1.5, 10.0, 10.000001, 30.0, 31.0),
    *(1e20, 1e308, 2.0**63, -1e-9, True, False, "5", "5.0", "", None, [], [5], {}, {"a": 5}),
]
numbers = st.sampled_from(_numbers)
odd = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-1, 31), st.floats(allow_nan=False), odd_texts),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(odd_texts, inner, max_size=2),
    max_leaves=3,
)
_not_text: st.SearchStrategy[Any] = st.sampled_from([None, True, 1, [], {}])
auth_types = st.one_of(
    *[st.sampled_from(["NONE", "BASIC", "OAUTH2", "JWT"])] * 3,
    st.sampled_from(["basic", "BASIC ", ""]),
    _not_text,
)
auth_texts: st.SearchStrategy[Any] = (
    st.sampled_from(["u", " ", "\x00", "\n", "\xfc", "x" * 1000, "", "", None, None, 0, [], {}]) | odd
)
token_urls = st.one_of(urls, drawn.token_urls, _not_text)
auth_configs = st.fixed_dictionaries(
    {}, optional={name: token_urls if name == "tokenUrl" else auth_texts for name in drawn.AUTH_FIELDS}
)
back_offs = (
    st.sampled_from(["EXPONENTIAL", "LINEAR", "LINEAR", "linear", "LINEAR ", "", ["LINEAR"]]) | _not_text
)
policies = st.fixed_dictionaries(
    {}, optional={"maxRetries": numbers, "backoffStrategy": back_offs, "initialDelaySeconds": numbers}
)

# Headers.

_reserved = st.sampled_from(
    _words(
        "Connection Content-Encoding Content-Length Content-Type Expect Host HTTP2-Settings Keep-Alive Upgrade",
        "Proxy-Authorization Proxy- Proxy TE Trailer Trailers Transfer-Encoding Authorization Authorization-X",
        "Cookie Content Hosts X-Host",
    )
)
_odd_names = [
    *_words("X x X-Y x.y \xe9 X: \u212aeep-alive !#$%&'*+-.^_`|~"),
    "",
    "X Y",
    "X\n",
    "\nX",
    "a" * 9000,
]
header_names = st.one_of(
    _reserved,
    _reserved.map(str.lower),
    _reserved.map(str.upper),
    st.builds("{}{}".format, _reserved, characters),
    st.sampled_from(_odd_names),
    odd_texts,
)
_around = st.sampled_from(["", *_SPACES])
header_values = st.one_of(
    st.sampled_from(["", "a", "a\tb", "a\nb", "\xe9", "\x7f", "\x80", "\xff", "\u0100", "a\x00"]),
    st.builds("{}a{}".format, _around, _around),
    odd_texts,
    odd,
)
headers = st.dictionaries(header_names, header_values, max_size=4)

_event_types = st.sampled_from(["A", "B", "A", "", " ", " A", "A\n", "\u200c", "\u200b"])
event_types = st.lists(st.one_of(_event_types, _event_types, names, _not_text), max_size=4)

fields: dict[str, st.SearchStrategy[Any]] = {
    "name": names,
    "endpointUrl": urls,
    "authType": auth_types,
    "authConfig": auth_configs,
    "retryPolicy": policies,
    "headers": headers,
    "eventTypes": event_types,
}
_KNOWN = {*fields, *drawn.AUTH_FIELDS, *drawn.POLICY_FIELDS, "owner"}
_unknown_keys = drawn.unknown_keys.filter(lambda key: key not in _KNOWN)


@st.composite
def bodies(draw: st.DrawFn) -> dict[str, Any]:
    """A valid body in which a few fields are near a boundary, odd, left out or misspelled."""
    body = draw(st.just(VALID) | drawn.valid_targets())
    body = {name: copy.deepcopy(body[name]) for name in fields if name in body}
    for name in draw(st.lists(st.sampled_from(list(fields)), max_size=3, unique=True)):
        body[name] = draw(fields[name])
    if draw(st.booleans()):
        body["authConfig"] = draw(auth_configs)
    if draw(st.integers(0, 5)) == 0:
        body[draw(st.sampled_from(list(fields)))] = draw(odd)
    if draw(st.integers(0, 5)) == 0:
        body.pop(draw(st.sampled_from(list(fields))), None)
    if draw(st.integers(0, 3)) == 0:
        where = draw(st.sampled_from([body, body.get("authConfig"), body.get("retryPolicy")]))
        if isinstance(where, dict):
            where[draw(_unknown_keys)] = draw(odd)
    return body
