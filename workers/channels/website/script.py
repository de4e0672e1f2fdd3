"""The widget as browsers fetch it: one file, kept by caches, the same under its hash for ever."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Awaitable, Callable
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

PREFIX = "/widget/v1"
NAME = "tongdai"
FORMER_PATH = "/v1/website/widget.js"
"""Where it was before: tags that name it go on."""
FRESH_S = 600
"""So long browsers use it without asking; then they ask whether it is still the same."""
YEAR_S = 31_536_000

Endpoint = Callable[[Request], Awaitable[Response]]


class Script:
    """The widget's file, with what answers about it need."""

    def __init__(self, source: bytes) -> None:
        self.digest = hashlib.sha256(source).hexdigest()
        self.source = source
        self._packed = gzip.compress(source, mtime=0)

    def routes(self) -> list[Route]:
        """`tongdai.js`, which may change, and `tongdai-<hash>.js`, which never does."""
        fresh, pinned = f"public, max-age={FRESH_S}", f"public, max-age={YEAR_S}, immutable"
        return [
            Route(f"{PREFIX}/{NAME}.js", self._endpoint(fresh)),
            Route(FORMER_PATH, self._endpoint(fresh)),
            Route(f"{PREFIX}/{NAME}-{self.digest[:16]}.js", self._endpoint(pinned)),
        ]

    def _endpoint(self, keeping: str) -> Endpoint:
        async def endpoint(request: Request) -> Response:
            headers = {
                "cache-control": keeping,
                "etag": f'"{self.digest}"',
                "vary": "accept-encoding",
                "x-content-type-options": "nosniff",
                # For integrity= on the script tag, which needs crossorigin.
                "access-control-allow-origin": "*",
                "cross-origin-resource-policy": "cross-origin",
            }
            if self.digest in request.headers.get("if-none-match", ""):
                return Response(status_code=304, headers=headers)
            body = self.source
            if "gzip" in request.headers.get("accept-encoding", ""):
                body, headers["content-encoding"] = self._packed, "gzip"
            return Response(body, headers=headers, media_type="text/javascript")

        return endpoint


def widget() -> Script:
    """The one that comes with this version."""
    return Script((Path(__file__).parent / "widget.js").read_bytes())
