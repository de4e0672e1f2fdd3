"""Where browsers reach the website channel: the widget's script, and the sockets of visitors."""

from __future__ import annotations

from starlette.routing import BaseRoute, Route, WebSocketRoute

from workers.channels.website.script import widget
from workers.channels.website.socket import VisitorEndpoint
from workers.channels.website.uploads import UploadEndpoint
from workers.channels.website.website import Website
from workers.files.files import Files

PREFIX = "/v1/website"


def website_routes(website: Website, files: Files | None) -> list[BaseRoute]:
    """The routes of one ingress's website channel; without files none are taken."""
    sockets = WebSocketRoute(f"{PREFIX}/{{site}}/socket", VisitorEndpoint(website).serve)
    routes: list[BaseRoute] = [*widget().routes(), sockets]
    if files is not None:
        uploads = UploadEndpoint(website, files).serve
        routes.append(Route(f"{PREFIX}/{{site}}/files", uploads, methods=["POST", "OPTIONS"]))
    return routes
