"""The HTTP ingress: takes the channels' webhooks and answers 200 once Kafka has what they say.

Visitors of websites, who come by sockets, are served beside: see workers.channels.website.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import cache
from typing import NamedTuple

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from config.ingress import IngressSettings
from config.logging import get_logger
from config.settings import Settings
from config.topics import DEADLETTER, INBOUND, RECEIPTS
from schemas.base import Json
from workers.channels.address_limit import AddressLimit
from workers.channels.admission import Admission
from workers.channels.body import BodyReader
from workers.channels.channel import Acknowledgement, Channel, Skipped
from workers.channels.fchat import FORM, Fchat
from workers.channels.health import health_routes
from workers.channels.mail.door import MailDoor
from workers.channels.messenger import Messenger
from workers.channels.metrics import IngressMetrics
from workers.channels.page_limit import PageLimit
from workers.channels.phone.door import PhoneDoor
from workers.channels.problem import (
    NotStoredError,
    RequestRefusedError,
    http_problem,
    internal_problem,
    problem_response,
)
from workers.channels.publisher import RETRY_AFTER_S, OnFailure, Publisher, UnpublishedError
from workers.channels.rate_limit import RateLimit
from workers.channels.records import Outgoing, Webhook, outgoing
from workers.channels.seldom import LOGGED_BURST, LOGGED_PER_S
from workers.channels.shedding import Shedding
from workers.channels.short_way import Endpoint, ShortWay
from workers.channels.website.routes import website_routes
from workers.channels.website.website import Website
from workers.channels.zalo import Zalo
from workers.files.files import PUBLIC_PATH, Files, open_files
from workers.files.serving import file_response
from workers.runtime.postgres import new_pool
from workers.runtime.side_tasks import side_tasks

PATH = "/v1/webhooks/"
NO_SNIFFING = {"x-content-type-options": "nosniff"}
QUERY_HEADERS = {"content-type": FORM}
Complete = Callable[[Json], Awaitable[Json]]
TICKET_CONNECTIONS_MAX = 2
"""To look up to which ticket it belongs what comes back by other means."""
CLIENT_GONE = 499
"""Counted when the platform hung up before its body was whole; nobody reads the answer."""

_log = get_logger(__name__)


class Ingress(NamedTuple):
    """What a server needs to have: the ASGI application, and what says when it is too much."""

    app: ASGIApp
    shedding: Shedding


def create_app(settings: Settings, on_failure: OnFailure) -> Ingress:
    """The ingress; its application's lifespan connects to Kafka in the background."""
    ingress = settings.ingress
    metrics = IngressMetrics()
    topics = (INBOUND, RECEIPTS, DEADLETTER)
    publisher = Publisher(settings.kafka, topics, ingress.publish_deadline_s, metrics, on_failure)
    channels: tuple[Channel, ...] = (Messenger(ingress.messenger_apps), Zalo(ingress.zalo_apps))
    fchat = Fchat(ingress.fchat_bots)
    intake = WebhookIntake(ingress, publisher, metrics)
    shedding = Shedding(lambda: intake.waiting, publisher.waited_s, metrics.shed.inc)

    files = open_files(settings)
    website = Website(settings, publisher, metrics, on_failure, files) if settings.website.sites else None

    comes_back = settings.mail.door_key is not None or settings.phone.accounts
    pool = new_pool(settings, "tongdai ingress tickets", TICKET_CONNECTIONS_MAX) if comes_back else None
    mail = None if pool is None or settings.mail.door_key is None else MailDoor(settings.mail, pool, files)
    phone = None if pool is None or not settings.phone.accounts else PhoneDoor(settings.phone, pool)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(publisher)
            await stack.enter_async_context(side_tasks({"shedding": shedding.run()}, on_failure))
            if pool is not None:
                await stack.enter_async_context(pool)
            if website is not None:
                await stack.enter_async_context(website.running())
            yield

    endpoints = {PATH + each.name: _endpoint(intake, each) for each in channels}
    others = Starlette(
        routes=[
            *(Route(path, endpoint, methods=["GET", "POST"]) for path, endpoint in endpoints.items()),
            Route(PATH + "fchat/{token}", _fchat_endpoint(intake, fchat), methods=["GET", "POST"]),
            *((Route(PATH + "mail", _mail_endpoint(intake, mail), methods=["POST"]),) if mail else ()),
            *(
                (Route(PATH + "phone/{account}", _phone_endpoint(intake, phone), methods=["POST"]),)
                if phone
                else ()
            ),
            *(website_routes(website, files) if website is not None else ()),
            *([Route(PUBLIC_PATH + "/{token}", _file_endpoint(files), methods=["GET"])] if files else ()),
            *health_routes(publisher, metrics),
        ],
        exception_handlers={HTTPException: _http_problem, Exception: _internal_problem},
        lifespan=lifespan,
    )
    return Ingress(AddressLimit(ShortWay(endpoints, others), ingress, metrics), shedding)


class WebhookIntake:
    """What all channels' webhooks have in common: limits, metrics, Kafka."""

    def __init__(self, settings: IngressSettings, publisher: Publisher, metrics: IngressMetrics) -> None:
        self._body_limit_bytes = settings.body_limit_bytes
        self._page_limit = PageLimit(settings.page_rate_per_s, settings.page_rate_burst)
        self._log_limit = RateLimit(LOGGED_PER_S, LOGGED_BURST)
        self._admission = Admission()
        self._bodies = BodyReader()
        self._publisher = publisher
        self._metrics = metrics
        # A metric looks for its labels under a lock each time: what every webhook counts is looked up once.
        self._requests_of = cache(metrics.requests.labels)
        self._seconds_of = cache(metrics.request_seconds.labels)
        self._records_of = cache(metrics.records.labels)
        metrics.waiting.set_function(lambda: self.waiting)

    @property
    def waiting(self) -> int:
        """Requests that are being read or wait for Kafka."""
        return self._admission.requests

    async def answer(
        self,
        channel: Channel,
        request: Request,
        complete: Complete | None = None,
        body_limit_bytes: int | None = None,
    ) -> Response:
        """The answer to one request; refusals are counted by their reason.

        `complete` adds to an opened document what has to be looked up. Without `body_limit_bytes` the usual
        limit holds.
        """
        begun_s = time.perf_counter()
        try:
            limit_bytes = body_limit_bytes or self._body_limit_bytes
            response = await self._answer(channel, request, complete, limit_bytes)
        except RequestRefusedError as error:
            response = self._refuse(channel, request, error)
        except ClientDisconnect:
            response = Response(status_code=CLIENT_GONE)
        self._requests_of(channel.name, response.status_code).inc()
        self._seconds_of(channel.name).observe(time.perf_counter() - begun_s)
        return response

    def _refuse(self, channel: Channel, request: Request, error: RequestRefusedError) -> Response:
        self._metrics.refused.labels(channel.name, error.slug).inc()
        if not self._log_limit.take(error.slug, time.monotonic()):
            address = request.client.host if request.client else ""
            _log.info(
                "webhook_refused", channel=channel.name, reason=error.slug, why=error.detail, address=address
            )
        return problem_response(error)

    async def _answer(
        self, channel: Channel, request: Request, complete: Complete | None, body_limit_bytes: int
    ) -> Response:
        is_query = request.method == "GET" and channel.takes_queries
        if request.method != "POST" and not is_query:
            # The challenge is the caller's own text: no browser may take it for a page.
            return PlainTextResponse(channel.challenge(request.query_params), headers=NO_SNIFFING)
        with self._admission.enter() as held:
            body = await self._bodies.read(request, held, body_limit_bytes)
            if is_query:
                body = request.url.query.encode()
            document = channel.open(QUERY_HEADERS if is_query else request.headers, body)
            if complete is not None:
                document = await complete(document)
            webhook = Webhook(channel.name, body, time.time_ns() // 1_000_000)
            await self._keep(channel, webhook, document)
        return acknowledge(channel.acknowledgement)

    async def _keep(self, channel: Channel, webhook: Webhook, document: Json) -> None:
        """Have Kafka confirm every event; only then they count.

        Raises RequestRefusedError when all of it is to come again.
        """
        items = list(channel.items(document))
        self._page_limit.admit(items, time.monotonic())
        records = [outgoing(webhook, item) for item in items if not isinstance(item, Skipped)]
        try:
            await self._publisher.publish(records)
        except UnpublishedError as error:
            raise NotStoredError(str(error), retry_after_s=RETRY_AFTER_S) from error
        self._count(channel.name, records, [item.event for item in items if isinstance(item, Skipped)])

    def _count(self, channel: str, records: Sequence[Outgoing], skipped: Sequence[str]) -> None:
        for record in records:
            if record.topic == DEADLETTER.name:
                self._metrics.deadlettered.labels(channel, record.what).inc()
            else:
                self._records_of(channel, record.what).inc()
        for event in skipped:
            self._metrics.skipped.labels(channel, event).inc()


@cache
def acknowledge(said: Acknowledgement) -> Response:
    """The answer to what Kafka has, the same each time."""
    return Response(said.text, media_type=said.media_type)


def _endpoint(intake: WebhookIntake, channel: Channel) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        return await intake.answer(channel, request)

    return endpoint


def _fchat_endpoint(intake: WebhookIntake, fchat: Fchat) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        return await intake.answer(fchat.at(request.path_params["token"]), request)

    return endpoint


def _file_endpoint(files: Files) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        return await file_response(files, request, request.path_params["token"])

    return endpoint


def _mail_endpoint(intake: WebhookIntake, door: MailDoor) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        return await intake.answer(door, request, door.complete, door.body_limit_bytes)

    return endpoint


def _phone_endpoint(intake: WebhookIntake, door: PhoneDoor) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        caller = door.at(request.path_params["account"])
        return await intake.answer(caller, request, caller.complete)

    return endpoint


async def _http_problem(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - starlette calls it with no other
    return http_problem(error)


async def _internal_problem(_: Request, __: Exception) -> Response:
    return internal_problem()
