"""The meaning of each answer: success, absence, refusal, or not from the API."""

from __future__ import annotations

import json

import httpx
import pytest

from genesys_provider.client.answers import Call, Success, read
from genesys_provider.client.errors import (
    ApiError,
    Conflict,
    GenesysError,
    NotFound,
    ServerError,
    UnexpectedAnswer,
)
from genesys_provider.client.retries import worth_retrying
from genesys_provider.client.settings import Settings
from genesys_provider.client.transport import Answer

HERE = Settings("id", "secret", api_url="https://api.example.com")
LIST = Call("GET", "/targets")
CREATE = Call("POST", "/targets", idempotent=False)
GET, PUT, DELETE = (Call(method, "/targets/1", names_one=True) for method in ("GET", "PUT", "DELETE"))
PAGE = "<html>nginx</html>"


def answer(status: int, body: object = None, **headers: str) -> Answer:
    text = "" if body is None else body if isinstance(body, str) else json.dumps(body)
    return Answer(status, "Reason", httpx.Headers(headers), text.encode())


def envelope(status: int) -> dict[str, object]:
    return {"status": status, "code": "some.code", "message": "No."}


def error_of(call: Call, said: Answer) -> GenesysError:
    with pytest.raises(GenesysError) as caught:
        read(call, said, HERE)
    return caught.value


@pytest.mark.parametrize("call", [CREATE, PUT, DELETE, GET])
@pytest.mark.parametrize("status", [200, 201, 202])
def test_any_success_status_with_an_object_is_accepted(call: Call, status: int) -> None:
    assert read(call, answer(status, {"id": "1"}), HERE) == Success(status, {"id": "1"})


@pytest.mark.parametrize("call", [CREATE, PUT, DELETE])
@pytest.mark.parametrize("status", [200, 202, 204])
def test_a_write_may_be_answered_without_a_body(call: Call, status: int) -> None:
    assert read(call, answer(status), HERE) == Success(status, {})


@pytest.mark.parametrize("call", [CREATE, PUT, DELETE])
def test_null_in_the_answer_to_a_write_is_no_body(call: Call) -> None:
    assert read(call, answer(200, "null"), HERE) == Success(200, {})


@pytest.mark.parametrize("call", [CREATE, PUT, DELETE, GET, LIST])
@pytest.mark.parametrize("status", [400, 404, 500])
def test_an_error_in_a_success_is_no_success(call: Call, status: int) -> None:
    error = error_of(call, answer(200, envelope(status)))
    assert isinstance(error, UnexpectedAnswer)
    assert f"HTTP 200, but the body is an error ({status}): No" in str(error)


@pytest.mark.parametrize("body", [{"status": "FAILED", "message": "x"}, {"status": 200, "message": "x"}])
def test_a_status_that_is_no_error_is_a_success(body: dict[str, object]) -> None:
    assert read(GET, answer(200, body), HERE) == Success(200, body)


@pytest.mark.parametrize("call", [GET, LIST])
def test_a_read_without_a_body_is_an_error(call: Call) -> None:
    assert isinstance(error_of(call, answer(204)), UnexpectedAnswer)


@pytest.mark.parametrize("call", [CREATE, PUT, DELETE, GET, LIST])
@pytest.mark.parametrize("body", [PAGE, "[1]", "{"])
def test_a_success_without_an_object_is_not_from_the_api(call: Call, body: str) -> None:
    error = error_of(call, answer(200, body))
    assert isinstance(error, UnexpectedAnswer)
    assert HERE.api_url in str(error)


@pytest.mark.parametrize("call", [GET, PUT, DELETE])
@pytest.mark.parametrize("status", [404, 410])
def test_an_absence_needs_the_api_error_envelope(call: Call, status: int) -> None:
    error = error_of(call, answer(status, envelope(status)))
    assert isinstance(error, NotFound)
    assert error.in_envelope
    assert not worth_retrying(error, idempotent=True)


def test_a_408_of_a_read_is_retried_before_it_counts_as_an_absence() -> None:
    error = error_of(GET, answer(408, envelope(408)))
    assert isinstance(error, NotFound)
    assert worth_retrying(error, idempotent=True)


@pytest.mark.parametrize("call", [GET, PUT, DELETE])
@pytest.mark.parametrize("status", [404, 410])
@pytest.mark.parametrize("body", [PAGE, {"error": "not_found"}, None])
def test_a_404_of_another_server_is_no_absence(call: Call, status: int, body: object) -> None:
    error = error_of(call, answer(status, body))
    assert isinstance(error, UnexpectedAnswer)
    assert not worth_retrying(error, idempotent=True)


@pytest.mark.parametrize("call", [LIST, CREATE])
@pytest.mark.parametrize("status", [404, 410])
def test_a_404_of_a_call_without_a_target_is_no_absence(call: Call, status: int) -> None:
    error = error_of(call, answer(status, envelope(status)))
    assert type(error) is ApiError
    assert "does not know this call" in str(error)


@pytest.mark.parametrize(
    ("call", "body"), [(GET, PAGE), *((call, envelope(408)) for call in (PUT, DELETE, LIST, CREATE))]
)
def test_any_other_408_is_a_server_error(call: Call, body: object) -> None:
    error = error_of(call, answer(408, body))
    assert isinstance(error, ServerError)
    assert worth_retrying(error, idempotent=call.idempotent) == call.idempotent


@pytest.mark.parametrize("call", [CREATE, PUT, DELETE, GET, LIST])
@pytest.mark.parametrize("status", [409, 412, 423])
def test_whatever_is_in_the_way_is_a_conflict(call: Call, status: int) -> None:
    error = error_of(call, answer(status, envelope(status)))
    assert isinstance(error, Conflict)
    # Only a call that sends a name can be refused because of it.
    assert ("choose another" in str(error)) == (call in (CREATE, PUT))


@pytest.mark.parametrize("call", [CREATE, PUT, DELETE, GET, LIST])
def test_a_request_that_is_too_early_is_retried(call: Call) -> None:
    # The server has not processed it (RFC 8470).
    error = error_of(call, answer(425, envelope(425)))
    assert isinstance(error, ServerError)
    assert worth_retrying(error, idempotent=call.idempotent) == call.idempotent


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_the_retry_after_of_an_error_is_kept(status: int) -> None:
    error = error_of(GET, answer(status, envelope(status), **{"Retry-After": "7"}))
    assert isinstance(error, ApiError)
    assert error.retry_after == 7
    late = error_of(GET, answer(status, envelope(status), **{"Retry-After": "7000"}))
    assert not worth_retrying(late, idempotent=True)


def test_a_redirect_is_not_followed() -> None:
    error = error_of(GET, answer(302, PAGE, Location="https://elsewhere.example"))
    assert "redirect" in str(error)
    assert not worth_retrying(error, idempotent=True)
