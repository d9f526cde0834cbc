"""The key of a webhook's signature: one rule for those who sign and those who check.

Standard Webhooks writes a secret as `whsec_` and the key in base64. Any other string is taken too, as it is.
"""

from __future__ import annotations

import base64
import binascii

SECRET_PREFIX = "whsec_"  # noqa: S105 - a prefix


def signing_key(secret: str) -> bytes:
    """The key that a signing secret stands for.

    A secret that begins with `whsec_` is base64 after the prefix (with or without padding, decoded as the
    reference library does); of any other string the key is its UTF-8 bytes.

    Raises:
        ValueError: The secret is empty, or not base64 after `whsec_`. The message does not hold it.
    """
    if not secret.startswith(SECRET_PREFIX):
        key = secret.encode()
    else:
        try:
            key = base64.b64decode(secret.removeprefix(SECRET_PREFIX) + "==")
        except (binascii.Error, ValueError) as error:
            raise ValueError("the signing secret is not base64 after whsec_") from error
    if not key:
        raise ValueError("the signing secret is empty")
    return key
