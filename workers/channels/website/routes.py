"""Where browsers reach the website channel: the widget's script, and the sockets of visitors."""

from __future__ import annotations

from starlette.routing import BaseRoute, WebSocketRoute

from workers.channels.website.script import widget
from workers.channels.website.socket import VisitorEndpoint
from workers.channels.website.website import Website

PREFIX = "/v1/website"


def website_routes(website: Website) -> list[BaseRoute]:
    """The routes of one ingress's website channel."""
    sockets = WebSocketRoute(f"{PREFIX}/{{site}}/socket", VisitorEndpoint(website).serve)
    return [*widget().routes(PREFIX), sockets]
