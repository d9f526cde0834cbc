"""The key of webhook signatures, for those who sign and those who verify.

In Standard Webhooks a secret is `whsec_` and the base64 key. Any other string is also accepted, as it is.
"""

from __future__ import annotations

import base64
import binascii

PREFIX = "whsec_"


def signing_key(secret: str) -> bytes:
    """Derives the key from a signing secret.

    A secret that begins with `whsec_` is base64 after the prefix (with or without padding, decoded as the
    reference library does). Of any other string, the key is its UTF-8 bytes.

    Raises:
        ValueError: The secret is empty, or not base64 after `whsec_`. The message does not contain it.
    """
    if not secret.startswith(PREFIX):
        key = secret.encode()
    else:
        try:
            key = base64.b64decode(secret.removeprefix(PREFIX) + "==")
        except (binascii.Error, ValueError) as error:
            raise ValueError("the signing secret is not base64 after whsec_") from error
    if not key:
        raise ValueError("the signing secret is empty")
    return key
