"""The calls for targets: what they answer, and what they refuse."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.emulator.emulated import BASIC, PENDING, TARGETS, Api, body
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

ANYWHERE = "https://127.0.0.1:1/in"
OAUTH2 = {
    "clientId": "orders",
    "clientSecret": "very-secret",
    "tokenUrl": "https://127.0.0.1:1/token",
}


def test_a_target_is_created_read_changed_and_deleted(api: Api) -> None:
    created = api.create(ANYWHERE)
    path = created["selfUri"]

    assert path == f"{TARGETS}/{created['id']}"
    assert created == {
        "id": created["id"],
        "name": "orders",
        "endpointUrl": ANYWHERE,
        "authType": "NONE",
        "authConfig": {},
        "retryPolicy": {"maxRetries": 5, "backoffStrategy": "EXPONENTIAL", "initialDelaySeconds": 2},
        "headers": {},
        "eventTypes": ["CONVERSATION_STARTED"],
        "status": PENDING,
        "selfUri": path,
    }
    assert api.get(path).json() | {"status": PENDING} == created

    changed = api.put(path, json=body(ANYWHERE, "invoices", eventTypes=["A", "B"]))
    assert changed.status_code == 200
    assert (changed.json()["name"], changed.json()["eventTypes"]) == ("invoices", ["A", "B"])
    assert api.get(path).json()["name"] == "invoices"

    deleted = api.delete(path)
    assert (deleted.status_code, deleted.content) == (204, b"")
    assert api.get(path).status_code == 404


def test_headers_and_event_types_come_back_as_they_were_sent(api: Api) -> None:
    headers = {"X-Pulumi-Resource": "shop/dev/orders", "x-Source-System": "GenesysCloud", "X-Empty": ""}

    created = api.create(ANYWHERE, headers=headers, eventTypes=["B", "A", "B"])

    assert api.get(created["selfUri"]).json()["headers"] == headers
    assert api.get(created["selfUri"]).json()["eventTypes"] == ["B", "A", "B"]


@pytest.mark.parametrize(
    ("auth_type", "auth", "shown"),
    [
        ("BASIC", BASIC["authConfig"], {"username": "relay"}),
        ("OAUTH2", OAUTH2, {"clientId": "orders", "tokenUrl": "https://127.0.0.1:1/token"}),
        ("JWT", {"clientId": "orders", "clientSecret": "very-secret"}, {"clientId": "orders"}),
    ],
)
def test_no_answer_contains_a_secret(
    api: Api, auth_type: str, auth: dict[str, str], shown: dict[str, str]
) -> None:
    sent = body(ANYWHERE, authType=auth_type, authConfig=auth)
    created = api.post(TARGETS, json=sent)
    path = created.json()["selfUri"]
    answers = [created, api.get(path), api.put(path, json=sent), api.get(TARGETS)]
    answers += [api.get(f"{path}/verify"), api.post(f"{path}/health"), api.get("/emulator/deliveries")]

    assert created.json()["authConfig"] == shown
    assert not [each for each in answers if "secret" in each.text or "sesame" in each.text]


def test_all_broken_rules_are_named_together(api: Api) -> None:
    sent = {
        "name": "",
        "endpointUrl": "http://a.example",
        "authType": "BASIC",
        "authConfig": {"username": "relay", "pin": "1234"},
        "retryPolicy": {"maxRetries": 11, "backoffStrategy": "RANDOM", "initialDelaySeconds": 0},
        "eventTypes": [],
        "colour": "red",
        "endpoint_url": "https://a.example",
    }

    answer = api.post(TARGETS, json=sent)

    assert answer.status_code == 400
    assert {detail["fieldName"] for detail in answer.json()["details"]} == {
        "name",
        "endpointUrl",
        "authConfig.password",
        "retryPolicy.maxRetries",
        "retryPolicy.backoffStrategy",
        "retryPolicy.initialDelaySeconds",
        "eventTypes",
    }
    said = answer.json()
    assert all(set(detail) == {"errorCode", "fieldName"} for detail in said["details"])
    assert [error["details"] for error in said["errors"]] == [[detail] for detail in said["details"]]
    assert all(error["message"] in said["message"] for error in said["errors"])
    assert "1234" not in answer.text
    assert api.get(TARGETS).json()["total"] == 0


@pytest.mark.parametrize("given", ["left out", "null"])
@pytest.mark.parametrize(
    "path",
    [
        *(("name",), ("endpointUrl",), ("authType",), ("authConfig",), ("retryPolicy",), ("eventTypes",)),
        *(("retryPolicy", "maxRetries"), ("retryPolicy", "backoffStrategy")),
        ("retryPolicy", "initialDelaySeconds"),
    ],
)
def test_a_request_has_no_defaults(api: Api, path: tuple[str, ...], given: str) -> None:
    sent = body(ANYWHERE)
    place = sent[path[0]] if len(path) > 1 else sent
    if given == "null":
        place[path[-1]] = None
    else:
        del place[path[-1]]

    answer = api.post(TARGETS, json=sent)

    assert answer.status_code == 400
    assert [detail["fieldName"] for detail in answer.json()["details"]] == [".".join(path)]


def test_unknown_fields_are_accepted_and_ignored(api: Api) -> None:
    created = api.create(ANYWHERE)
    policy = {**created["retryPolicy"], "maxRetries": 5.0, "colour": "red"}
    odd: dict[str, Any] = {"id": 5, "status": None, "selfUri": [], "colour": "red", "retryPolicy": policy}

    answer = api.put(
        created["selfUri"], json=body(ANYWHERE, **odd, authConfig={"username": None, "pin": "1234"})
    )

    assert answer.status_code == 200
    assert answer.json() | {"status": PENDING} == created


def test_a_put_breaks_the_same_rules_and_changes_nothing(api: Api) -> None:
    created = api.create(ANYWHERE)

    answer = api.put(created["selfUri"], json=body("nowhere"))

    assert answer.status_code == 400
    assert [detail["fieldName"] for detail in answer.json()["details"]] == ["endpointUrl"]
    assert api.get(created["selfUri"]).json()["endpointUrl"] == ANYWHERE


def test_a_target_that_was_read_can_be_put_back(api: Api) -> None:
    created = api.create(ANYWHERE)

    answer = api.put(created["selfUri"], json=api.get(created["selfUri"]).json())

    assert answer.status_code == 200
    assert answer.json()["id"] == created["id"]


def test_a_put_whose_body_arrives_slowly_is_compared_with_what_is_there_by_then(
    api: Api, endpoint: str
) -> None:
    created = api.create(endpoint, **BASIC)
    api.verdict(created)
    sent = json.dumps(body(endpoint, **BASIC)).encode()

    def in_two_parts() -> Iterator[bytes]:
        yield sent[:10]
        with Api(str(api.base_url)) as other:
            eventually(lambda: ("PUT", created["selfUri"], None) in other.log())
            other.put(created["selfUri"], json=body(f"{endpoint}/elsewhere", **BASIC)).raise_for_status()
            assert other.verdict(created)["status"] == "VERIFIED"
        yield sent[10:]

    answer = api.put(created["selfUri"], content=in_two_parts())

    assert answer.json()["endpointUrl"] == endpoint
    assert answer.json()["status"] == PENDING, "nobody has verified this endpoint since it was changed"


@pytest.mark.parametrize(
    "raw",
    [b"", b"{", b"[]", b"null", b'"text"', b"\xff", b'{"name": "\\ud800"}', b'{"name": NaN}', b"[" * 99_999],
)
def test_a_body_that_is_not_a_json_object_is_refused(api: Api, raw: bytes) -> None:
    answer = api.post(TARGETS, content=raw)

    assert answer.status_code == 400
    assert answer.json()["code"] == "invalid.json"


@pytest.mark.parametrize("chunked", [False, True])
def test_the_body_size_is_limited(api: Api, chunked: bool) -> None:
    def sent(size: int) -> Any:
        raw = json.dumps(body(ANYWHERE)).encode().ljust(size)
        return iter([raw[:1000], raw[1000:]]) if chunked else raw

    assert api.post(TARGETS, content=sent(512_000)).status_code == 201
    refused = api.post(TARGETS, content=sent(512_001))
    assert (refused.status_code, refused.json()["code"]) == (413, "request.too.large")


def test_names_are_unique(api: Api) -> None:
    api.create(ANYWHERE)
    other = api.create(ANYWHERE, "invoices")

    posted = api.post(TARGETS, json=body(ANYWHERE))
    put = api.put(other["selfUri"], json=body(ANYWHERE))

    assert (posted.status_code, put.status_code) == (409, 409)
    assert posted.json()["entityName"] == "orders"
    assert api.get(other["selfUri"]).json()["name"] == "invoices"
    assert api.put(other["selfUri"], json=body(ANYWHERE, "invoices")).status_code == 200


def test_the_name_of_a_deleted_target_is_free_again(api: Api) -> None:
    first = api.create(ANYWHERE)
    api.delete(first["selfUri"])

    assert api.create(ANYWHERE)["id"] != first["id"]


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", ""), ("PUT", ""), ("DELETE", ""), ("GET", "/verify"), ("POST", "/health")],
)
def test_a_missing_target_is_404(api: Api, method: str, path: str) -> None:
    answer = api.request(method, f"{TARGETS}/nothing{path}", json=body(ANYWHERE))

    assert answer.status_code == 404
    assert answer.json()["contextId"] == answer.headers["inin-correlation-id"]
    assert set(answer.json()) == {
        "message",
        "code",
        "status",
        "contextId",
        "entityId",
        "entityName",
        "messageWithParams",
        "messageParams",
        "details",
        "errors",
    }


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("GET", TARGETS + "/", 404),
        ("GET", "/api/v2/users", 404),
        ("PATCH", TARGETS, 405),
        ("DELETE", TARGETS, 405),
        ("POST", TARGETS + "/x/verify", 405),
        ("GET", "/oauth/token", 405),
        ("GET", "/emulator/nothing", 404),
    ],
)
def test_an_unknown_path_has_an_error_body_too(api: Api, method: str, path: str, status: int) -> None:
    answer = api.request(method, path)

    assert answer.status_code == status
    assert answer.json()["status"] == status


def test_pages_contain_every_target_once(api: Api) -> None:
    names = [f"t{number}" for number in range(7)]
    for name in names:
        api.create(ANYWHERE, name)

    found, uri, pages = [], f"{TARGETS}?pageSize=3", []
    while uri:
        page = api.get(uri).json()
        pages.append({key: page[key] for key in ("pageSize", "pageNumber", "total", "pageCount")})
        found += [target["name"] for target in page["entities"]]
        uri = page.get("nextUri")

    assert found == names
    assert pages == [
        {"pageSize": 3, "pageNumber": number, "total": 7, "pageCount": 3} for number in (1, 2, 3)
    ]
    beyond = api.get(TARGETS, params={"pageNumber": 9}).json()
    assert (beyond["entities"], beyond["total"]) == ([], 7)


def test_a_list_without_targets(api: Api) -> None:
    assert api.get(TARGETS).json() == {
        "entities": [],
        "pageSize": 25,
        "pageNumber": 1,
        "total": 0,
        "pageCount": 0,
        "selfUri": f"{TARGETS}?pageSize=25&pageNumber=1",
    }


def test_the_name_filter_matches_the_whole_name(api: Api) -> None:
    for name in ("orders", "orders-2", "Orders", "a b&c=ü"):
        api.create(ANYWHERE, name)

    for name in ("orders", "a b&c=ü"):
        page = api.get(TARGETS, params={"name": name}).json()
        assert [target["name"] for target in page["entities"]] == [name]
        assert api.get(page["selfUri"]).json()["entities"][0]["id"] == page["entities"][0]["id"]
    assert api.get(TARGETS, params={"name": "order"}).json()["total"] == 0


@pytest.mark.parametrize(
    "query",
    [
        {"pageSize": "0"},
        {"pageSize": "101"},
        {"pageSize": "x"},
        {"pageNumber": "-1"},
        {"pageNumber": "9" * 99},
    ],
)
def test_an_invalid_page_is_refused(api: Api, query: dict[str, str]) -> None:
    answer = api.get(TARGETS, params=query)

    assert answer.status_code == 400
    assert [detail["fieldName"] for detail in answer.json()["details"]] == list(query)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.floats(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=4,
)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(changes=st.dictionaries(st.sampled_from([*BASIC, "retryPolicy", *body("")]), VALUES, min_size=1))
def test_no_body_crashes_the_emulator(api: Api, changes: dict[str, Any]) -> None:
    answer = api.post(TARGETS, content=json.dumps(body(ANYWHERE) | changes))

    assert answer.status_code in {201, 400, 409}
    if answer.status_code == 201:
        assert api.get(answer.json()["selfUri"]).status_code == 200
    if answer.status_code == 400:
        assert answer.json()["details"] or answer.json()["code"] == "invalid.json"
