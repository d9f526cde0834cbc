"""What all calls of the API share: the behaviour, the answers, and the pages of Genesys Cloud [G]."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from starlette.responses import JSONResponse, Response

from genesys_provider.emulator import extras
from genesys_provider.emulator.errors import BrokenRule, ErrorResponse

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.requests import Request

    from genesys_provider.emulator.behaviour import Behaviour

DEFAULT_PAGE_SIZE = 25
MAX_PAGE_NUMBER = 10**9


def behaviour_of(request: Request) -> Behaviour:
    """The behaviour that applies to the request."""
    behaviour: Behaviour = request.state.behaviour
    return behaviour


def answer(body: dict[str, Any], behaviour: Behaviour, status: int = 200) -> Response:
    """A success answer, without the fields that the behaviour omits."""
    return JSONResponse({name: body[name] for name in body if name not in behaviour.omit}, status)


def replaced(view: dict[str, Any], part: Sequence[str], behaviour: Behaviour) -> Response:
    """The answer to a PUT; `part` names the fields of a partial answer, if the behaviour asks for one."""
    if behaviour.put_answer == "none":
        return Response(status_code=204)
    return answer(
        view if behaviour.put_answer == "object" else {name: view[name] for name in part}, behaviour
    )


def deleted(view: dict[str, Any], usual: int, behaviour: Behaviour) -> Response:
    """The answer to a DELETE, with the usual status unless the behaviour sets one."""
    status = behaviour.delete_answer if "delete_answer" in behaviour.model_fields_set else usual
    if status == 200:
        return answer(view, behaviour)
    return Response(status_code=status)


@dataclass(frozen=True)
class PageAsked:
    """The page that a request asks for.

    Attributes:
        path: The list's path.
        size: Entities per page.
        number: The page number, counted from 1.
        query: The remaining query parameters, which the link to the next page repeats.
    """

    path: str
    size: int
    number: int
    query: Mapping[str, str]

    def of(self, listed: Sequence[Any]) -> Sequence[Any]:
        """The part of the list that is on the page."""
        return listed[(self.number - 1) * self.size : self.number * self.size]

    def answer(self, entities: list[dict[str, Any]], total: int, behaviour: Behaviour) -> Response:
        """The answer with this page, of a list with `total` entities."""
        pages = math.ceil(total / self.size)
        body = {
            "entities": entities,
            "pageSize": self.size,
            "pageNumber": self.number,
            "total": total,
            "pageCount": pages,
            "selfUri": self._uri(self.number),
            **({"nextUri": self._uri(self.number + 1)} if self.number < pages else {}),
            **(extras.OF_A_PAGE if behaviour.extra_fields else {}),
        }
        return answer(body, behaviour)

    def _uri(self, number: int) -> str:
        return f"{self.path}?{urlencode({'pageSize': self.size, 'pageNumber': number, **self.query})}"


def page_asked(
    request: Request, path: str, kept: Sequence[str], *, max_size: int, max_number: int = MAX_PAGE_NUMBER
) -> PageAsked:
    """The page that the request asks for; `kept` names the other query parameters that count.

    Raises:
        ErrorResponse: 400 if the number or the size is not valid.
    """
    query = request.query_params
    return PageAsked(
        path,
        _whole_number(query.get("pageSize"), "pageSize", DEFAULT_PAGE_SIZE, max_size),
        _whole_number(query.get("pageNumber"), "pageNumber", 1, max_number),
        {name: query[name] for name in kept if name in query},
    )


def _whole_number(text: str | None, name: str, default: int, maximum: int) -> int:
    if text is None:
        return default
    number = int(text) if text.isascii() and text.isdecimal() and len(text) < 12 else 0
    if not 1 <= number <= maximum:
        reason = f"must be a whole number from 1 to {maximum}"
        raise ErrorResponse(400, "The page request is not valid", broken=[BrokenRule(name, reason)])
    return number
