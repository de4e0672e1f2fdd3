"""Files: sent by agents before the messages that name them, and read by their links."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from schemas.ids import channel_of
from schemas.messages import MessageAttachment
from workers.channels.delivery.senders import TAKING_LITTLE
from workers.files.file import File
from workers.files.files import FilesBusyError, TooManyUnusedError
from workers.files.refusal import FileRefusedError
from workers.files.serving import file_response
from workers.files.storage import StorageDownError
from workers.gateway.asking import Who, address_of, gateway_of, refuse
from workers.gateway.attachments import KeptFile, attachment_of, available, kept
from workers.gateway.gateway import Gateway
from workers.gateway.identity import Identity
from workers.gateway.problem import ApiError, answering, refusals, unavailable
from workers.gateway.rights import may

REFUSED = refusals(401, 403, 404, 408, 409, 413, 415, 422, 429, 503)
BODY = {
    "requestBody": {
        "required": True,
        "description": "The bytes of the file, whatever its content-type says.",
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}
Name = Annotated[str | None, Query(max_length=500, description="What it is called where it comes from.")]
_STATUSES = {
    "empty": HTTPStatus.UNPROCESSABLE_ENTITY,
    "too_large": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "too_slow": HTTPStatus.REQUEST_TIMEOUT,
    "kind_not_taken": HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
}

router = APIRouter(tags=["files"])


class Sent(BaseModel):
    """A file that was taken. It is forgotten after a day unless a message names it."""

    attachment: MessageAttachment = Field(description="To be put into a message as it is.")
    kept: KeptFile


@router.post(
    "/conversations/{conversation}/files",
    operation_id="send_file",
    status_code=HTTPStatus.CREATED,
    responses=REFUSED,
    openapi_extra=BODY,
)
async def send_file(request: Request, identity: Who, conversation: UUID, name: Name = None) -> Sent:
    """Send a file for a message of this conversation; who may answer there may."""
    gateway = gateway_of(request)
    async with gateway.queries.view(identity) as view:
        found = await gateway.queries.conversation(view, conversation, address_of(request), "say")
    smaller = channel_of(found.page) in TAKING_LITTLE
    return await _take(gateway, request, identity, conversation, name, smaller=smaller)


@router.post(
    "/files",
    operation_id="send_quick_reply_file",
    status_code=HTTPStatus.CREATED,
    responses=REFUSED,
    openapi_extra=BODY,
)
async def send_quick_reply_file(request: Request, identity: Who, name: Name = None) -> Sent:
    """Send a file for quick replies; who may write them may."""
    if not may(identity, (), "manage_quick_replies"):
        raise refuse(request, identity, "manage_quick_replies", "files")
    return await _take(gateway_of(request), request, identity, None, name, smaller=True)


@router.get(
    "/files/{token}",
    operation_id="file",
    response_class=Response,
    responses={
        200: {"content": {"application/octet-stream": {}}, "description": "The file."},
        206: {"content": {"application/octet-stream": {}}, "description": "The part that `range` asks for."},
        **refusals(404, 410, 416, 503),
    },
)
async def read_file(request: Request, token: str) -> Response:
    """Read a file by its link: whoever has one may, until it ends."""
    return await file_response(available(gateway_of(request).files), request, token)


async def _take(
    gateway: Gateway,
    request: Request,
    identity: Identity,
    conversation: UUID | None,
    name: str | None,
    *,
    smaller: bool,
) -> Sent:
    """`smaller`: it may go where little is taken. Raises ApiError."""
    files = available(gateway.files)
    with answering():
        try:
            file: File = await files.take(
                gateway.pool,
                identity.workspace,
                conversation,
                identity.actor,
                request.stream(),
                name,
                smaller=smaller,
            )
        except FileRefusedError as error:
            raise ApiError(_STATUSES[error.code], error.code, str(error)) from error
        except TooManyUnusedError as error:
            sentence = "This conversation has many files that no message has named: send them first."
            raise ApiError(HTTPStatus.CONFLICT, "too_many_files", sentence) from error
        except FilesBusyError as error:
            raise unavailable("files_busy", "Many files come at once. Send it again.", 2.0) from error
        except StorageDownError as error:
            raise unavailable("storage_down", "The store of files does not answer. Send it again.") from error
        except ClientDisconnect as error:
            raise ApiError(
                HTTPStatus.BAD_REQUEST, "cut_short", "The file has not come to its end."
            ) from error
    return Sent(attachment=attachment_of(file), kept=kept(files, file))
