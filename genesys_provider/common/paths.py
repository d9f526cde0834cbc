"""Pulumi's notation for property paths."""

from __future__ import annotations

import json
import re


def property_path(path: tuple[str | int, ...]) -> str:
    """A Pulumi property path: `eventTypes[0]`, `authConfig.password`, `headers["X-Source.System"]`."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        elif re.fullmatch(r"[A-Za-z_][\w-]*", step):
            text += f".{step}" if text else step
        else:
            text += f"[{json.dumps(step, ensure_ascii=False)}]"
    return text
