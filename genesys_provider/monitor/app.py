"""What the monitor serves: the page, JSON, a stream of changes, metrics.

| path | content |
|---|---|
| `/` | the page |
| `/api/targets`, `/api/sources` | all of them, as a list |
| `/api/targets/{id}`, `/api/sources/{id}` | a single one, with its timeline |
| `POST /api/targets/{id}/health` | checks its health now; the only action of this server |
| `/api/fleet` | all rows with their bars, and the state of reading |
| `/api/events` | the same as server-sent events: `fleet` once, then `changes` |
| `/metrics` | for Prometheus |
| `/healthz` | whether the monitor is running |
"""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from genesys_provider.client.errors import Cancelled
from genesys_provider.monitor.fleet import FIRST_READING_SECONDS
from genesys_provider.monitor.guard import HEALTH_PATH
from genesys_provider.monitor.health import MOST_REQUESTED, TooManyChecks
from genesys_provider.monitor.history import DAY
from genesys_provider.monitor.views import iso
from genesys_provider.sources.vocabulary import ACTIVE
from genesys_provider.targets.vocabulary import VERIFIED

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.requests import Request

    from genesys_provider.monitor.audit_file import AuditFile
    from genesys_provider.monitor.fleet import Fleet, Kind, Row
    from genesys_provider.monitor.health import HealthChecks
    from genesys_provider.monitor.history import History
    from genesys_provider.monitor.metrics import Metrics

_STATIC = Path(__file__).parent / "static"
SHARES = {"24h": 1, "7d": 7, "30d": 30}
"""The periods, in days, for which the share of healthy time is shown."""
HEARTBEAT_SECONDS = 15.0
"""The maximum time between two messages of a stream, so that either side notices a broken connection."""


class Site:
    """The application and its data."""

    def __init__(
        self, fleet: Fleet, metrics: Metrics, audit: AuditFile, history: History, health: HealthChecks
    ) -> None:
        self._fleet = fleet
        self._metrics = metrics
        self._audit = audit
        self._history = history
        self._health = health
        self._loop: asyncio.AbstractEventLoop | None = None
        self._news = asyncio.Event()
        self._closed = False
        self._whole: tuple[int, bool, bytes] = (-1, False, b"")
        fleet.listen(self._ring)

    def app(self) -> Starlette:
        """The application."""
        return Starlette(
            routes=[
                Route("/", self._page),
                Route("/api/targets", self._list_targets),
                Route("/api/sources", self._list_sources),
                Route("/api/targets/{id:path}/health", self._check_health, methods=["POST"]),
                Route("/api/targets/{id:path}", self._target),
                Route("/api/sources/{id:path}", self._source),
                Route("/api/fleet", self._all),
                Route("/api/events", self._stream),
                Route("/metrics", self._scrape),
                Route(HEALTH_PATH, self._alive),
                Mount("/static", StaticFiles(directory=_STATIC)),
            ],
            lifespan=self._lifespan,
        )

    @asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        self._loop = asyncio.get_running_loop()
        yield
        self._loop = None

    def close(self) -> None:
        """Ends all streams; called from another thread."""
        self._closed = True
        self._ring()

    def _ring(self) -> None:
        loop = self._loop
        if loop is not None:
            # The loop may end at this moment, and then nobody is left to be woken.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(self._wake)

    def _wake(self) -> None:
        self._news.set()
        self._news = asyncio.Event()

    async def _first_reading(self) -> None:
        """Waits until there was one, but no longer than a client would wait."""
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._until_tried(), FIRST_READING_SECONDS)

    async def _until_tried(self) -> None:
        while not self._fleet.tried.is_set():
            await self._news.wait()

    async def _page(self, _: Request) -> Response:
        return FileResponse(_STATIC / "index.html")

    async def _list_targets(self, _: Request) -> Response:
        return await self._list("target")

    async def _list_sources(self, _: Request) -> Response:
        return await self._list("source")

    async def _list(self, kind: Kind) -> Response:
        await self._first_reading()
        reading = self._fleet.reading
        if reading.read_at is None:
            error = reading.error or f"{self._fleet.api_url} was not read yet"
            return JSONResponse({"error": error}, 503)
        return JSONResponse([row.as_json() for row in self._fleet.rows(kind)])

    async def _target(self, request: Request) -> Response:
        return await self._one("target", request.path_params["id"])

    async def _source(self, request: Request) -> Response:
        return await self._one("source", request.path_params["id"])

    async def _one(self, kind: Kind, id_: str) -> Response:
        row = self._fleet.row((kind, id_))
        if row is None:
            return JSONResponse({"error": f"there is no {kind} {id_}"}, 404)
        return JSONResponse(await run_in_threadpool(self._detail, row))

    def _detail(self, row: Row) -> dict[str, Any]:
        key, now = (row.kind, row.id), time.time()
        wanted = VERIFIED if row.kind == "target" else ACTIVE
        return {
            **row.for_page(),
            "shares": {
                name: self._history.share(key, wanted, now - days * DAY, now) for name, days in SHARES.items()
            },
            "timeline": [
                {
                    "at": iso(each.at),
                    "what": each.what,
                    "before": each.before,
                    "after": each.after,
                    "reason": each.reason,
                }
                for each in self._history.timeline(key)
            ],
            "audit": self._audit.entries(row.id),
        }

    async def _check_health(self, request: Request) -> Response:
        id_: str = request.path_params["id"]
        if self._fleet.row(("target", id_)) is None:
            return JSONResponse({"error": f"there is no target {id_}"}, 404)
        try:
            health, reason = await asyncio.wrap_future(self._health.request(id_))
        except TooManyChecks:
            error = f"{MOST_REQUESTED} health checks are running. Try again when one has ended."
            return JSONResponse({"error": error}, 429)
        except Cancelled as error:
            return JSONResponse({"error": error.message}, 503)
        return JSONResponse({"id": id_, "health": health, "reason": reason})

    async def _all(self, _: Request) -> Response:
        return Response(self._everything()[1], media_type="application/json")

    def _everything(self) -> tuple[int, bytes]:
        """All rows, serialized once for all clients."""
        # Data grows old without a new version.
        if self._whole[:2] != (self._fleet.version, self._fleet.is_old()):
            version, picture = self._fleet.picture()
            self._whole = version, picture["reading"]["old"], _written(picture)
        return self._whole[0], self._whole[2]

    async def _stream(self, _: Request) -> Response:
        # Otherwise nginx keeps messages back until it has many.
        unbuffered = {"X-Accel-Buffering": "no"}
        return StreamingResponse(self._events(), media_type="text/event-stream", headers=unbuffered)

    async def _events(self) -> AsyncIterator[bytes]:
        version, everything = self._everything()
        yield b"event: fleet\ndata: " + everything + b"\n\n"
        while True:
            news = self._news
            if self._fleet.version == version:
                # The page hears that nothing is new, too: it takes silence for a broken connection.
                with suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(news.wait(), HEARTBEAT_SECONDS)
            if self._closed:
                return
            version, picture = self._fleet.picture(after=version)
            yield b"event: changes\ndata: " + _written(picture) + b"\n\n"

    async def _scrape(self, request: Request) -> Response:
        await self._first_reading()
        text, content_type = self._metrics.text(request.headers.get("accept", ""))
        return Response(text, headers={"Content-Type": content_type})

    async def _alive(self, _: Request) -> Response:
        return JSONResponse({"status": "ok"})


def _written(picture: dict[str, Any]) -> bytes:
    return json.dumps(picture, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "backslashreplace")
