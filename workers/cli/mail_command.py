"""`tongdai mail`: what a mail server runs for each reply that has come to it."""

from __future__ import annotations

import sys
from http import HTTPStatus
from typing import Annotated

import httpx
import typer

from config.errors import UsageError
from config.reference import resolve_reference
from workers.channels.mail.signature import SIGNATURE, signature
from workers.cli.group import command_app

AGAIN, REFUSED = 75, 65
"""EX_TEMPFAIL and EX_DATAERR of sysexits.h: what mail servers know."""
TIMEOUT_S = 60.0

app = command_app()


@app.command()
def mail(
    url: Annotated[str, typer.Argument(help="As https://ingress.example.com/v1/webhooks/mail.")],
    key: Annotated[
        str, typer.Option(help="The door's key, as env:NAME or file:PATH; never itself.")
    ] = "env:TONGDAI_MAIL_DOOR_KEY",
) -> None:
    """Give the reply on standard input to the ingress, signed. Exits with 75 when it is to be tried again."""
    if not key.startswith(("env:", "file:")):
        raise UsageError("name the key with env:NAME or file:PATH: arguments are seen by everybody here")
    try:
        secret = str(resolve_reference(key))
    except ValueError as error:
        raise UsageError(f"the key {error}") from error
    body = sys.stdin.buffer.read()
    try:
        answer = httpx.post(
            url, content=body, headers={SIGNATURE: signature(secret, body)}, timeout=TIMEOUT_S
        )
    except httpx.InvalidURL as error:
        raise UsageError(f"{url!r} is no URL: {error}") from error
    except httpx.HTTPError as error:
        typer.echo(f"the ingress does not answer: {type(error).__name__}", err=True)
        raise typer.Exit(AGAIN) from error
    if answer.status_code == HTTPStatus.OK:
        return
    typer.echo(f"the ingress says {answer.status_code}: {answer.text[:500]}", err=True)
    # A wrong key is mended by an operator; what is too large, or no mail, never gets another answer.
    is_final = answer.status_code in (HTTPStatus.BAD_REQUEST, HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    raise typer.Exit(REFUSED if is_final else AGAIN)
