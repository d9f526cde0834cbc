"""The secrets that this process has sent, kept out of what it shows.

A server may say back what it was sent: the client's secret in the error of a login, an endpoint's password in
the reason of a failed verification. Such words are shown to the user, stored in the state and audited; so every
secret is named here when it is sent, and taken out of a server's words before they go anywhere.
"""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

SHORTEST = 4
"""Characters: what is shorter would be found in every other word, and keeps no secret."""

HIDDEN = "[secret]"

_lock = threading.Lock()
_forms: set[str] = set()


def hide(*secrets: str) -> None:
    """Takes note of secrets, as they are and as JSON, a URL or HTTP Basic writes them."""
    forms: set[str] = set()
    for secret in secrets:
        if len(secret) >= SHORTEST:
            forms |= {
                secret,
                quote(secret, safe=""),
                json.dumps(secret)[1:-1],
                base64.b64encode(secret.encode()).decode(),
            }
    with _lock:
        _forms.update(forms)


def secrets_in(target: Mapping[str, Any]) -> list[str]:
    """What a target's configuration holds that is to be shown nowhere; any header may hold a secret."""
    auth = target.get("authConfig") or {}
    hidden = [auth[name] for name in ("password", "clientSecret") if name in auth]
    if "username" in auth and "password" in auth:
        hidden.append(f"{auth['username']}:{auth['password']}")
    return [*hidden, *(target.get("headers") or {}).values()]


def redacted(text: str) -> str:
    """The text with `[secret]` in the place of every secret that was noted."""
    with _lock:
        found = [form for form in _forms if form in text]
    for form in sorted(found, key=len, reverse=True):
        text = text.replace(form, HIDDEN)
    return text
