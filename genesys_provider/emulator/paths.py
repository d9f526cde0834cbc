"""The paths of objects. An id may contain any character; in a path it is percent-encoded."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

if TYPE_CHECKING:
    from starlette.requests import Request

INTEGRATIONS_PATH = "/api/v2/integrations"
TARGETS_PATH = f"{INTEGRATIONS_PATH}/eventbridge/targets"


def integration_path(integration_id: str) -> str:
    """The path of one integration."""
    return f"{INTEGRATIONS_PATH}/{quote(integration_id, safe='')}"


def target_path(target_id: str) -> str:
    """The path of one target."""
    return f"{TARGETS_PATH}/{quote(target_id, safe='')}"


def id_of(request: Request) -> str:
    """The id in the path `…/{id}…` of a request, which is routed by its encoded path."""
    return unquote(request.path_params["id"])
