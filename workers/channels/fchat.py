"""FChat: its JSON API block calls an address that nobody can guess, and wants a flat JSON object back.

FChat documents no webhook and no signature: the block is the only way out, and what it sends is what
somebody has written into it. So the names of its attributes are a setting, and the token in the path is all
that proves who calls. See fchat_event for what is made of a call.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import parse_qsl

from config.ingress import FchatBot
from schemas.base import Json
from workers.channels.channel import Acknowledgement, Item
from workers.channels.document import parse_document
from workers.channels.fchat_event import items_of
from workers.channels.problem import MalformedError, WrongTokenError
from workers.channels.signature import same

ATTRIBUTES_MAX = 200
FORM = "application/x-www-form-urlencoded"


class Fchat:
    """The bots whose blocks may call, known by the tokens of their paths."""

    def __init__(self, bots: Sequence[FchatBot]) -> None:
        self._bots = [(bot.path_token.get_secret_value(), bot) for bot in bots]

    def at(self, token: str) -> FchatCaller:
        """Whoever calls the address that ends with `token`."""
        # All are compared, so that the time does not tell which one came close.
        found = [bot for secret, bot in self._bots if same(token, secret)]
        return FchatCaller(found[0] if found else None)


class FchatCaller:
    """One bot as a channel: see workers.channels.channel.Channel.

    Args:
        bot: none: the token is no bot's.
    """

    name = "fchat"
    takes_queries = True
    acknowledgement = Acknowledgement('{"status":"ok"}', "application/json")

    def __init__(self, bot: FchatBot | None) -> None:
        self._bot = bot

    def challenge(self, query: Mapping[str, str]) -> str:
        """FChat has no handshake; a HEAD tells whether the address is right. Raises WrongTokenError."""
        del query
        self._known()
        return "ok"

    def open(self, headers: Mapping[str, str], body: bytes) -> Json:
        """See Channel.open: the attributes of one call. Raises WrongTokenError, MalformedError."""
        bot = self._known()
        is_form = headers.get("content-type", "").partition(";")[0].strip().lower() == FORM
        said = _form(body) if is_form else parse_document(body)
        if not isinstance(said, dict):
            raise MalformedError("The body is not a JSON object.")
        # A call has no id: one that is made twice cannot be told from two that say the same.
        return {"account": bot.account, "id": uuid.uuid4().hex, "names": bot.attributes, "said": said}

    def items(self, document: Json) -> Iterator[Item]:
        """See Channel.items."""
        yield from items_of(document)

    def _known(self) -> FchatBot:
        if self._bot is None:
            raise WrongTokenError("The path's token is no configured FChat bot's.")
        return self._bot


def _form(body: bytes) -> dict[str, str]:
    """Raises MalformedError."""
    try:
        return dict(parse_qsl(body.decode(), max_num_fields=ATTRIBUTES_MAX))
    except ValueError as error:
        raise MalformedError(f"The body is no form of at most {ATTRIBUTES_MAX} fields in UTF-8.") from error
