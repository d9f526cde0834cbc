"""The gateway's side of a sync: refuses requests without the stack's signature, and logs the others."""

import base64
import hashlib
import hmac
import os
import time
from typing import Any

MAX_AGE_SECONDS = 300


def handler(event: dict[str, Any], _context: object) -> dict[str, int]:
    """Checks the signature according to the Standard Webhooks specification."""
    headers = event["headers"]
    body = event.get("body") or ""
    if event.get("isBase64Encoded"):
        body = base64.b64decode(body).decode()
    message = ".".join((headers.get("webhook-id", ""), headers.get("webhook-timestamp", ""), body))
    expected = "v1," + base64.b64encode(hmac.digest(_key(), message.encode(), hashlib.sha256)).decode()
    age = abs(time.time() - float(headers.get("webhook-timestamp") or 0))
    given = headers.get("webhook-signature", "").split(" ")
    if age > MAX_AGE_SECONDS or not any(hmac.compare_digest(expected, each) for each in given):
        return {"statusCode": 401}
    print(body)  # noqa: T201 (the log of the function)
    return {"statusCode": 200}


def _key() -> bytes:
    """The key of the signing secret: base64 after `whsec_`, otherwise the text itself."""
    secret = os.environ["SIGNING_SECRET"]
    if secret.startswith("whsec_"):
        return base64.b64decode(secret.removeprefix("whsec_") + "==")
    return secret.encode()
