"""Genesys Cloud over HTTP: login, limits, retries and one method for each call of the API."""

import sys

# httpx loads its command line, and with it click, rich and pygments, if they are installed: 60 ms and 4 MB in
# each host. Without it, `import httpx` works as well.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]
