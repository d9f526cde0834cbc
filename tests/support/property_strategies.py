"""Properties of targets, sources and syncs that a program might give: valid, invalid, and marked as secret.

Every secret text contains `CANARY`, so that a search finds it wherever it should not be.
"""

from __future__ import annotations

import copy
import math
import re
import string
from collections.abc import Iterator, Mapping
from typing import Any

from hypothesis import strategies as st
from pulumi import StringAsset
from pulumi.output import Unknown

CANARY = "canary-b7e2"
SECRET_MARK = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270"}

Place = tuple[Any, ...]
"""A place in properties: keys and indices, from the top."""

AUTH_FIELDS = ("username", "password", "clientId", "clientSecret", "tokenUrl")
POLICY_FIELDS = ("maxRetries", "backoffStrategy", "initialDelaySeconds")
TARGET_FIELDS = (
    *("name", "endpointUrl", "authType", "authConfig", "retryPolicy", "headers", "eventTypes"),
    *("verificationTimeout", "healthCheck", "owner"),
)
SOURCE_FIELDS = (
    *("name", "awsAccountId", "awsRegion", "eventSourceSuffix", "topics", "notes", "enabled"),
    *("activationTimeout", "owner"),
)
SYNC_FIELDS = ("targetId", "revision", "webhookUrl", "signingSecret", "required")


def texts(min_size: int = 1, max_size: int = 30) -> st.SearchStrategy[str]:
    """Any Unicode that can be written as UTF-8."""
    return st.text(st.characters(codec="utf-8"), min_size=min_size, max_size=max_size)


def printable_texts() -> st.SearchStrategy[str]:
    """Valid names and event types."""
    visible = st.characters(codec="utf-8", exclude_categories=["Cc", "Cf", "Zl", "Zp"])
    return st.text(visible, min_size=1, max_size=30).filter(lambda text: text == text.strip())


def secrets() -> st.SearchStrategy[str]:
    return texts(0, 5).map(lambda text: CANARY + text)


# Valid values.

_HOSTS = st.sampled_from(
    [
        "127.0.0.1",
        "[::1]",
        "localhost",
        "gateway.example.com",
        "GATEWAY.example.com.",
        "bücher.example",
        "a_b.io",
    ]
)
_PORTS = st.sampled_from(["", ":1", ":443", ":65535"])
_PATHS = st.one_of(
    st.sampled_from(["", "/", "/v1/genesys/events", "/ünï?q=ö&x=%20#part", "//", "/%", "/a;b=c", "?", "#"]),
    texts(0, 8)
    .map(lambda text: "/" + "".join(each for each in text if each.isprintable() and not each.isspace()))
    .filter(lambda path: not path.startswith("//")),
)
https_urls = st.builds(
    "{}://{}{}{}".format, st.sampled_from(["https", "HTTPS", "hTTps"]), _HOSTS, _PORTS, _PATHS
)
token_urls = https_urls | st.sampled_from(["http://127.0.0.1:1/token", "http://localhost/oauth/token"])

_names = printable_texts() | st.sampled_from(
    ["x", "x" * 100, "\N{GRINNING FACE}" * 100, "e\u0301" * 50, "a\xa0b", "\u0646\u200c\u0645"]
)
_whole = {"maxRetries": st.integers(0, 10), "initialDelaySeconds": st.integers(1, 30)}
retry_policies = st.fixed_dictionaries(
    {},
    optional={
        # The engine sends numbers as doubles.
        **{name: numbers | numbers.map(float) for name, numbers in _whole.items()},
        "backoffStrategy": st.sampled_from(["EXPONENTIAL", "LINEAR"]),
    },
)
_token = st.text("!#$%&'*+-.^_`|~" + string.digits + string.ascii_letters, min_size=1, max_size=12)
_RESERVED = re.compile(
    "x-pulumi-resource|authorization|connection|content-(encoding|length|type)|expect|host|http2-settings"
    "|keep-alive|proxy-.*|te|trailer|transfer-encoding|upgrade",
    re.IGNORECASE,
)
header_names = (_token | st.sampled_from(["Accept-Encoding", "Cookie", "Tea", "A.b", "__proto__"])).filter(
    lambda name: not _RESERVED.fullmatch(name)
)
_latin = st.text(
    st.characters(min_codepoint=0x20, max_codepoint=0xFF, exclude_categories=["Cc"]), max_size=20
)
header_values = st.one_of(
    _latin.map(str.strip), st.just("a\tb"), st.just("x" * 8000), st.just(CANARY), st.just("\x85".join("ab"))
)
headers = st.lists(
    st.tuples(header_names, header_values), max_size=4, unique_by=lambda pair: pair[0].lower()
).map(dict)
event_types = st.lists(
    printable_texts() | st.sampled_from(["CONVERSATION_STARTED", "B"]), min_size=1, max_size=5
)


def _auth(auth_type: str) -> st.SearchStrategy[dict[str, Any]]:
    fields: dict[str, st.SearchStrategy[str]] = {
        "username": texts(),
        "password": secrets(),
        "clientId": texts(),
        "clientSecret": secrets(),
        "tokenUrl": token_urls,
    }
    needed = {"BASIC": ("username", "password"), "OAUTH2": ("clientId", "clientSecret", "tokenUrl")}.get(
        auth_type, ()
    )
    config = st.fixed_dictionaries(
        {name: fields[name] for name in needed},
        optional={name: values for name, values in fields.items() if name not in needed},
    )
    given = st.fixed_dictionaries({"authType": st.just(auth_type), "authConfig": config})
    return given if needed else given | st.fixed_dictionaries({}, optional={"authType": st.just(auth_type)})


@st.composite
def valid_targets(draw: st.DrawFn) -> dict[str, Any]:
    """Properties of a target that break no rule."""
    rest = st.fixed_dictionaries(
        {"name": _names, "endpointUrl": https_urls, "eventTypes": event_types},
        optional={
            "retryPolicy": retry_policies,
            "headers": headers,
            "verificationTimeout": st.floats(0.01, 86400) | st.integers(1, 86400),
            "healthCheck": st.booleans(),
            "owner": texts(),
        },
    )
    auth = draw(st.sampled_from(["NONE", "BASIC", "OAUTH2", "JWT"]).flatmap(_auth))
    return {**draw(rest), **auth}


_STEPS = st.sampled_from(["{id}", "users", "routingStatus", "no_longer_subscribed", "a"])
topics = st.lists(_STEPS, min_size=1, max_size=6).map(lambda steps: ".".join(["v2", *steps]))
valid_sources = st.fixed_dictionaries(
    {
        "name": _names,
        "awsAccountId": st.text(string.digits, min_size=12, max_size=12),
        "awsRegion": st.sampled_from(
            ["us-east-1", "us-gov-west-1", "cn-north-1", "eusc-de-east-1", "aa-b-10"]
        ),
        "eventSourceSuffix": st.text(string.ascii_letters + string.digits + "._-", min_size=1, max_size=64),
        "topics": st.lists(topics, min_size=1, max_size=5, unique=True),
    },
    optional={
        "notes": texts(0) | st.sampled_from(["two\nlines", "\n", " ", "Pulumi: ours", "node"]),
        "enabled": st.booleans(),
        "activationTimeout": st.floats(0.01, 86400) | st.integers(1, 86400),
        "owner": texts().map(lambda name: f"urn:pulumi:dev::house::t::{name}"),
    },
)
"""Properties of a source that break no rule."""

valid_syncs = st.fixed_dictionaries(
    {"targetId": texts(), "revision": st.integers(0, 10**6), "webhookUrl": https_urls},
    optional={
        "signingSecret": secrets() | st.lists(secrets(), min_size=1, max_size=3),
        "required": st.booleans(),
    },
)


# Values that are, or may be, invalid.

_numbers = st.sampled_from(
    [
        0,
        -1,
        1,
        10,
        11,
        30,
        31,
        2.5,
        86400,
        86401,
        1e308,
        10**400,
        -(10**40),
        math.nan,
        math.inf,
        -math.inf,
        5e-324,
    ]
)
_odd_texts = st.sampled_from(
    [
        *("", " ", "\x00", "\n", "x" * 101, "\N{GRINNING FACE}" * 101, "\ud800", "NaN", "true", "5", CANARY),
        *("http://example.com", "https://", "https://user:canary-b7e2@example.com", "https://example.com:0"),
        *("https://example.com:99999", "https://[::1", "https://[v1.x]/", "ftp://x", "//x", "https:///path"),
        *(
            "https://☃/",
            "https://a..b/",
            "https://-a.example/",
            "https://" + "a" * 64 + ".com",
            "https://%zz/",
        ),
        *(
            "https://exa\u00admple.com",
            "https://1.2.3.999",
            "https://xn--a/",
            "https://\u2028x/",
            "https://x" * 9000,
        ),
        *("whsec_!", "whsec_", "whsec_é", "basic", "OAUTH2 ", "exponential"),
    ]
)
_scalars = st.one_of(st.none(), st.booleans(), _numbers, _odd_texts, texts(0))
junk = st.recursive(
    st.one_of(_scalars, _scalars, st.builds(StringAsset, texts())),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(texts(0, 8) | st.sampled_from(TARGET_FIELDS + AUTH_FIELDS), inner, max_size=3),
        inner.map(lambda value: {**SECRET_MARK, "value": value}),
    ),
    max_leaves=5,
)
unknown_keys = st.one_of(
    st.sampled_from(
        [
            *(
                "endpoint_url",
                "event_types",
                "max_retries",
                "client_id",
                "Name",
                "",
                "a.b",
                'a"b',
                "[0]",
                "__x",
            ),
            *("X-Pulumi-Resource", "target_id", "__defaults"),
        ]
    ),
    texts(0, 8),
)


def places(value: Any, place: Place = ()) -> Iterator[Place]:
    """Every place in a value, including that of the value itself."""
    yield place
    items = (
        value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    )
    for step, inner in items:
        yield from places(inner, (*place, step))


def at(value: Any, place: Place) -> Any:
    for step in place:
        value = value[step]
    return value


def replaced(properties: dict[str, Any], place: Place, value: Any) -> dict[str, Any]:
    """The properties, with a different value at a place."""
    result = copy.deepcopy(properties)
    at(result, place[:-1])[place[-1]] = value
    return result


@st.composite
def mutated(draw: st.DrawFn, valid: st.SearchStrategy[dict[str, Any]]) -> dict[str, Any]:
    """Properties with up to four changes that may make them invalid."""
    properties = draw(valid)
    for _ in range(draw(st.integers(0, 4))):
        place = draw(st.sampled_from(list(places(properties))))
        what = draw(st.sampled_from(["replace", "remove", "add", "unknown"]))
        inner = at(properties, place)
        if what == "add" and isinstance(inner, dict):
            properties = replaced(
                {"": properties},
                ("", *place, draw(unknown_keys | st.sampled_from(TARGET_FIELDS))),
                draw(junk),
            )[""]
        elif place and what == "remove":
            properties = copy.deepcopy(properties)
            del at(properties, place[:-1])[place[-1]]
        elif place:
            properties = replaced(properties, place, Unknown() if what == "unknown" else draw(junk))
    return properties


def holds_unknown(value: Any) -> bool:
    return any(isinstance(at(value, place), Unknown) for place in places(value))
