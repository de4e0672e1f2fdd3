"""An invented customer of one page."""

from __future__ import annotations

from dataclasses import dataclass

from schemas.ids import conversation_key, page_id


@dataclass
class Customer:
    """Who writes to which page, and how many messages so far."""

    channel: str
    account: str
    user: str
    name: str
    said: int = 0

    @property
    def page(self) -> str:
        return page_id(self.channel, self.account)

    @property
    def conversation(self) -> str:
        return conversation_key(self.channel, self.account, self.user)
