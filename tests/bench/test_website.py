"""Visitors and webhooks as the benchmarks send them: what is asked is signed, what is answered is told."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
import pytest
from rich.console import Console

from bench.ingress import IngressLoad, IngressPlan, Posted
from bench.machine import Machine
from bench.posts.poster import Answered, Line, Post, Poster, PostsPlan, _post
from bench.visitors import VisitorsLoad, VisitorsPlan
from bench.visits.crowd import Crowd, CrowdPlan
from bench.website_tables import ingress_tables, visitors_tables
from config.ingress import MessengerApp
from workers.channels.messenger import Messenger

PLAN = PostsPlan("run", 8080, "a secret", "1048", 10, 100.0, 1.0, 4)
ANSWERS = (
    b"HTTP/1.1 200 OK\r\ncontent-length: 14\r\n\r\nEVENT_RECEIVED",
    b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 2\r\ncontent-length: 2\r\n\r\n{}",
    b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n",
)


class Sent(asyncio.Transport):
    """Keeps what is written to it."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""

    def write(self, data: Any) -> None:  # noqa: ANN401 - as the standard library has it
        self.written += data

    def is_closing(self) -> bool:
        return False


def test_each_post_is_a_signed_message_of_its_own() -> None:
    posts = [_post(PLAN, number) for number in range(2)]
    assert posts[0].id != posts[1].id
    head, _, body = posts[0].request.partition(b"\r\n\r\n")
    headers = dict(line.lower().split(": ", 1) for line in head.decode().split("\r\n")[1:])
    assert int(headers["content-length"]) == len(body)
    app = MessengerApp.model_validate({"app_secret": PLAN.secret, "verify_token": "v"})
    channel = Messenger((app,))
    (item,) = channel.items(channel.open(headers, body))
    assert getattr(item, "channel_message_id", None) == posts[0].id


@pytest.mark.parametrize("cut", [1, 20, 1_000], ids=["byte by byte", "in pieces", "whole"])
def test_an_answer_is_told_once_and_frees_its_connection(cut: int) -> None:
    told: list[Answered] = []
    free: list[Line] = []
    line, wire = Line(free.append, told.append), Sent()
    line.connection_made(wire)
    for number, answer in enumerate(ANSWERS):
        line.post(Post(str(number), b"request"), 0.0)
        for start in range(0, len(answer), cut):
            line.data_received(answer[start : start + cut])
    line.post(Post("lost", b"request"), 0.0)
    line.connection_lost(None)
    assert [(one.id, one.status, one.retries_after) for one in told] == [
        *(("0", 200, False), ("1", 503, True), ("2", 503, False)),
        ("lost", 0, False),
    ]
    assert (len(free), wire.written) == (4, b"request" * 4)


async def test_what_became_of_all_posts_adds_up() -> None:
    poster = Poster(PLAN)
    poster.answers = [Answered("a", 1.0, 1.25, 200, retries_after=False), Answered("b", 1.0, 1.5, 503, True)]
    found = poster._found(0.5, 1.0)
    assert (found["statuses"], found["accepted"], found["without_retry_after"]) == (
        {"200": 1, "503": 1},
        ["a"],
        0,
    )
    assert (found["accepted_ms"], found["refused_ms"]) == ([250.0], [500.0])


async def test_a_notice_counts_for_what_was_said_and_a_second_one_is_seen() -> None:
    crowd = Crowd(CrowdPlan(1, 1, 1.0, 1.0, 1, 2, "shop", "https://shop.example", []))
    crowd.sent_s["said-1"] = 0.0
    notice = {"conversation": "a", "message": {"text": "said-1"}}
    for event in ("message", "assigned", "offered"):
        crowd._tell("token", event, notice)
    crowd._tell("token", "message", {"conversation": "b", "message": {"text": "of somebody else"}})
    assert (list(crowd.told_s), crowd._again, crowd._holders) == (["said-1"], 1, {"a": "token"})


def test_the_tables_say_what_was_found() -> None:
    machine = Machine("cpu", 2, 1_024, "Linux", "3.11", "18", "4.2", 0.0)
    posted = Posted(4, 100.0, [10.0, 20.0], [5.0], {"0": 1}, 4_321.0, 0.5, 0.1)
    console = Console(record=True, width=150)
    console.print(*ingress_tables(IngressLoad(IngressPlan(), posted, posted, machine)))
    load = VisitorsLoad(VisitorsPlan(), [1.0], [200.0], [543.0], [876.0], 0.5, 90.0, 0.1, machine)
    console.print(*visitors_tables(load))
    shown = console.export_text()
    for expected in ("50.0%", "4,321", "5,000 visitors", "200", "543", "876", "generator 10%"):
        assert expected in shown
    assert orjson.loads(orjson.dumps(posted.report()))["accepted"] == 0.5
