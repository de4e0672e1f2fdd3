"""The ASGI application of the gateway."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import JSONResponse, Response
from starlette.routing import WebSocketRoute

from config.logging import get_logger
from config.settings import Settings
from workers.channels.publisher import OnFailure
from workers.gateway import (
    account_routes,
    audit_routes,
    command_routes,
    erasure,
    event_routes,
    file_routes,
    leave_routes,
    webhook_routes,
)
from workers.gateway.answers import API
from workers.gateway.asking import address_of, gateway_of
from workers.gateway.blacklist import routes as blacklist_routes
from workers.gateway.desks import change_routes
from workers.gateway.desks import routes as desk_routes
from workers.gateway.gateway import Gateway
from workers.gateway.history import routes as history_routes
from workers.gateway.limits import Limits
from workers.gateway.openapi import Api
from workers.gateway.problem import ApiError, internal, invalid, of_framework
from workers.gateway.queries import routes as query_routes
from workers.gateway.quick_replies import routes as quick_reply_routes
from workers.gateway.socket import socket

TITLE = "Tongdai"
VERSION = "1"
DESCRIPTION = (
    "The gateway of agents and page admins. Every error has one shape (RFC 9457). Every command has an "
    "idempotency key and exactly one outcome. See docs/api.md for the socket."
)


_log = get_logger(__name__)


def create_app(settings: Settings, on_failure: OnFailure) -> FastAPI:
    """The application; its lifespan connects to Kafka and Postgres. Raises ConfigurationError."""
    gateway = Gateway(settings, on_failure)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with gateway.running():
            yield

    app = api(lifespan)
    app.state.gateway = gateway
    app.add_middleware(Limits, settings=settings.gateway)
    app.add_middleware(
        CORSMiddleware,
        allow_origins=settings.gateway.origins,
        allow_methods=["GET", "POST", "PUT", "DELETE"],
        allow_headers=["authorization", "content-type", "idempotency-key", "if-match", "last-event-id"],
        expose_headers=["etag", "location", "retry-after"],
    )
    return app


def _operation_id(route: APIRoute) -> str:
    """What clients call it: the name of its function, which is one word for one thing."""
    return route.name


def api(lifespan: object = None) -> Api:
    """The paths, and how errors are answered; enough for the OpenAPI document."""
    app = Api(
        title=TITLE,
        version=VERSION,
        description=DESCRIPTION,
        openapi_url=f"{API}/openapi.json",
        docs_url=None,
        redoc_url=None,
        generate_unique_id_function=_operation_id,
        lifespan=lifespan,  # type: ignore[arg-type]
        exception_handlers={
            ApiError: _refused,
            RequestValidationError: _invalid,
            HTTPException: _of_framework,
            Exception: _internal,
        },
    )
    app.include_router(account_routes.router, prefix=API)
    app.include_router(command_routes.router, prefix=API)
    app.include_router(query_routes.router, prefix=API)
    app.include_router(event_routes.router, prefix=API)
    app.include_router(file_routes.router, prefix=API)
    app.include_router(webhook_routes.router, prefix=API)
    app.include_router(quick_reply_routes.router, prefix=API)
    app.include_router(blacklist_routes.router, prefix=API)
    app.include_router(audit_routes.router, prefix=API)
    app.include_router(history_routes.router, prefix=API)
    app.include_router(erasure.router, prefix=API)
    app.include_router(leave_routes.router, prefix=API)
    app.include_router(desk_routes.router, prefix=API)
    app.include_router(change_routes.router, prefix=API)
    app.router.routes.append(WebSocketRoute(f"{API}/ws", socket))
    app.add_api_route("/healthz", _healthz, include_in_schema=False)
    app.add_api_route("/readyz", _readyz, include_in_schema=False)
    app.add_api_route("/metrics", _metrics, include_in_schema=False)
    return app


async def _healthz() -> Response:
    return JSONResponse({"status": "ok"})


async def _readyz(request: Request) -> Response:
    problems = await gateway_of(request).problems()
    return JSONResponse({"ready": not problems, "problems": problems}, 503 if problems else 200)


async def _metrics(request: Request) -> Response:
    return Response(generate_latest(gateway_of(request).metrics.registry), media_type=CONTENT_TYPE_LATEST)


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, ApiError)  # noqa: S101 - starlette calls it with no other
    is_guess = error.code == "too_many_attempts"
    if error.status == HTTPStatus.UNAUTHORIZED or is_guess:
        call = request.url.path.removeprefix(API + "/").partition("/")[0]
        gateway_of(request).audit.noted(error.noted, address_of(request), call)
    return error.response()


async def _invalid(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - as above
    return invalid(error.errors()).response()


async def _of_framework(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - as above
    return of_framework(error).response()


async def _internal(_: Request, error: Exception) -> Response:
    _log.error("request_failed", exc_info=error)
    return internal().response()
