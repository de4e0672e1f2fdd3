"""The demo's website: a page with our chat window on it, on which whoever watches can be a customer."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import orjson
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

from config.problem import variable
from config.settings import Settings
from config.website import Site, WebsiteSettings
from workers.local.ports import LOOPBACK, free_port
from workers.local.simulator.platform.serving import serving
from workers.local.simulator.visitors.tab import Place

SITE = "hoa-sen"
GRACE_S = 20.0
"""So soon somebody who was only away for a moment has left: who watches is to see it."""
ROOM = 8
"""Beside each message a visitor says that he types, moves and reads."""
_LIMITS = ("grace_s", "address_rate_per_s", "address_rate_burst")
PAGE = f"web:{SITE}"
GOODS = {
    "/": ("Áo dài Hoa Sen", "Lụa tơ tằm, may đo trong ba ngày, giao tận nơi."),
    "/ao-dai-lua": ("Áo dài lụa", "Lụa Vạn Phúc, bảy màu, từ 850.000 ₫."),
    "/khan-choang": ("Khăn choàng", "Dệt tay, mỗi chiếc một hoa văn, 320.000 ₫."),
}
"""By path: what is sold there, and a word on it."""
STYLE = (
    "body{font:18px/1.6 system-ui,sans-serif;max-width:44rem;margin:3rem auto;padding:0 1rem;color:#1e293b}"
    "nav a{margin-right:1rem;color:#0f766e}h1{font-size:2rem}"
)


def invent_website(rate_per_s: float) -> WebsiteSettings:
    """Settings of an ingress that takes the visitors of this demo's website; its key is of this run alone.

    Args:
        rate_per_s: at which invented visitors write, all from one address.
    """
    origin = f"http://{LOOPBACK}:{free_port()}"
    site = Site(
        site=SITE,
        origins=(origin,),
        title="Hoa Sen",
        greeting="Chào bạn! Hoa Sen có thể giúp gì cho bạn?",
        quick_replies=("Áo này giá bao nhiêu?", "Shop có giao hàng không?", "Mình muốn đổi size"),
    )
    usual = WebsiteSettings()
    limit = max(usual.address_rate_per_s, ROOM * rate_per_s)
    return WebsiteSettings(
        sites=(site,),
        keys=(SecretStr(secrets.token_urlsafe(48)),),
        grace_s=GRACE_S,
        address_rate_per_s=limit,
        address_rate_burst=max(usual.address_rate_burst, int(2 * limit)),
    )


def website_variables(website: WebsiteSettings) -> dict[str, str]:
    """Return the environment variables of an ingress with these settings."""
    sites = [site.model_dump(exclude_none=True) for site in website.sites]
    return {
        variable("website", "sites"): orjson.dumps(sites).decode(),
        variable("website", "keys"): ",".join(key.get_secret_value() for key in website.keys),
        **{variable("website", name): str(getattr(website, name)) for name in _LIMITS},
    }


def place_of(settings: Settings) -> Place:
    """Where invented visitors are."""
    url = f"http://{settings.ingress.host}:{settings.ingress.port}"
    return Place(url, SITE, website_url(settings), [(path, title) for path, (title, _) in GOODS.items()])


def website_url(settings: Settings) -> str:
    """Where the website is."""
    return settings.website.sites[0].origins[0]


@asynccontextmanager
async def open_website(settings: Settings) -> AsyncIterator[None]:
    """Serve the website for as long as the block lasts."""
    script = f"http://{settings.ingress.host}:{settings.ingress.port}/widget/v1/tongdai.js"

    async def page(request: Request) -> HTMLResponse:
        return HTMLResponse(_page(request.url.path, script))

    app = Starlette(routes=[Route(path, page) for path in GOODS])
    async with serving(app, int(website_url(settings).rpartition(":")[2])):
        yield


def _page(path: str, script: str) -> str:
    title, word = GOODS[path]
    links = "".join(f'<a href="{other}">{name}</a>' for other, (name, _) in GOODS.items())
    return (
        f'<!doctype html><html lang="vi"><head><meta charset="utf-8"><title>{title}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<link rel="icon" href="data:,"><style>{STYLE}</style></head>'
        f"<body><nav>{links}</nav><main><h1>{title}</h1><p>{word}</p></main>"
        f'<script async src="{script}" data-site="{SITE}"></script></body></html>'
    )
