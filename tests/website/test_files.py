"""Visitors send files before the messages that name them, and see those of agents."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from config.settings import Settings
from tests.files.test_kind import picture
from tests.gateway.ground import SHOP
from tests.gateway.test_files import keeping
from tests.waiting import until
from tests.website.ground import ORIGIN, Visitor, site, visiting, with_site

KEPT = "SELECT 1 FROM file WHERE workspace_id = $1 AND file_id = $2 AND message_id IS NOT NULL"


async def send(
    ingress: httpx.AsyncClient, token: str, data: bytes, name: str = "x.png", **headers: str
) -> httpx.Response:
    """Send a file as the widget does."""
    return await ingress.post(
        "/v1/website/shop/files",
        params={"name": name},
        content=data,
        headers={"authorization": f"Bearer {token}", "origin": ORIGIN, **headers},
    )


async def name(visitor: Visitor, file: str, became: str) -> dict[str, Any]:
    """Say something that names a file; what is answered."""
    id_ = uuid4().hex
    await visitor.do("say", id=id_, files=[file], at_ms=int(time.time() * 1000))
    return await visitor.until(became, id=id_)


@pytest.mark.servers
async def test_a_visitor_s_file_is_in_his_message_and_no_other_s(
    settings: Settings, topics: dict[str, str], tmp_path: Path
) -> None:
    own = keeping(with_site(settings), tmp_path / "kept", file_bytes_max=10_000)
    async with site(own) as (ingress, database), visiting(ingress) as an, visiting(ingress) as binh:
        await _preflight(ingress)
        sent = await send(ingress, an.token, picture("PNG"), "Ảnh váy.png")
        assert sent.status_code == httpx.codes.CREATED, sent.text
        assert sent.headers["access-control-allow-origin"] == ORIGIN
        file = sent.json()
        assert (file["type"], file["name"]) == ("image", "Ảnh váy.png")
        await _refuse(ingress, an)
        assert (await name(binh, file["file"], "refused"))["code"] == "unknown_file"
        await name(an, file["file"], "taken")
        await until(database, KEPT, SHOP, file["file"])
        (attachment,) = (await an.message(""))["attachments"]
        assert (attachment["type"], attachment["name"]) == ("image", "Ảnh váy.png")
        assert (await ingress.get(attachment["url"])).content == picture("PNG")
        assert (await ingress.get(attachment["thumbnail"])).headers["content-type"] == "image/jpeg"
        bent = await ingress.get(attachment["url"][:-2])
        assert (bent.status_code, bent.headers["content-type"]) == (404, "application/problem+json")


async def _preflight(ingress: httpx.AsyncClient) -> None:
    """Only pages of the site may send."""
    asked = {"access-control-request-method": "POST", "access-control-request-headers": "authorization"}
    allowed = await ingress.options("/v1/website/shop/files", headers={"origin": ORIGIN, **asked})
    assert (allowed.status_code, allowed.headers["access-control-allow-origin"]) == (204, ORIGIN)
    other = await ingress.options("/v1/website/shop/files", headers={"origin": "https://x.example", **asked})
    assert (other.status_code, other.headers.get("access-control-allow-origin")) == (403, None)


async def _refuse(ingress: httpx.AsyncClient, an: Visitor) -> None:
    for data, status in ((b"MZ\x90\0" + bytes(99), 415), (bytes(20_000), 413), (b"", 400)):
        refused = await send(ingress, an.token, data)
        assert (refused.status_code, refused.headers["access-control-allow-origin"]) == (status, ORIGIN)
    assert (await send(ingress, "x" + an.token, picture("PNG"))).status_code == httpx.codes.FORBIDDEN
