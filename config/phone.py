"""SMS and calls out of tickets: the accounts at phone providers, and how much, how long and whereto."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field, model_validator
from pydantic_settings import NoDecode

from config.ingress import parse_list
from config.keys import Key, split
from config.retry import RetrySection
from config.section import PositiveInt, PositiveSeconds, Section, Token

ACCOUNTS_MAX = 100


class PhoneAccount(Section):
    """An account at a provider: where its API is, and the secrets of both directions."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
    """In the address to which the provider calls back: `/v1/webhooks/phone/<name>`."""
    url: Annotated[str, Field(pattern=r"^https?://[^\s?#]+[^\s?#/]$", max_length=500)]
    """Before `/messages` and `/calls`."""
    token: Token
    """Proves to the provider who asks."""
    callback_key: Key
    """Signs what the provider calls back."""


class PhoneSettings(RetrySection):
    """Of the delivery worker, which asks, of the ingress, which is called back, and of `tongdai pages`."""

    accounts: Annotated[
        tuple[PhoneAccount, ...], NoDecode, BeforeValidator(parse_list), Field(max_length=ACCOUNTS_MAX)
    ] = ()
    """A JSON list of [accounts](phone.md)."""
    prefixes: Annotated[
        tuple[Annotated[str, Field(pattern=r"^\+[1-9][0-9]{0,14}$")], ...],
        NoDecode,
        BeforeValidator(split),
        Field(max_length=300),
    ] = ("+84",)
    """Numbers that begin otherwise are not reached: calls to far away are how stolen accounts are emptied."""
    request_timeout_s: Annotated[PositiveSeconds, Field(le=60)] = 10.0
    """For the provider's answer."""
    page_parallel_max: Annotated[PositiveInt, Field(le=100)] = 4
    """SMS and calls of one page under way at once, in each worker."""
    retry_first_s: PositiveSeconds = 2.0
    """The waits between attempts double from this one."""
    retry_last_s: PositiveSeconds = 300.0
    """To this one."""
    attempts_max: Annotated[PositiveInt, Field(le=1_000)] = 12
    """Attempts in a row, then it has failed."""
    sms_late_s: PositiveSeconds = 3_600.0
    """An SMS that was asked for so long ago is not begun any more."""
    call_late_s: PositiveSeconds = 60.0
    """The same of a call: nobody sits by the phone."""
    agent_hourly_max: PositiveInt = 60
    """SMS and calls that one agent may ask for in an hour."""
    page_hourly_max: PositiveInt = 1_000
    """The same of all agents, for one page."""

    @model_validator(mode="after")
    def _has_names_once(self) -> PhoneSettings:
        names = [one.name for one in self.accounts]
        if len(names) != len(set(names)):
            raise ValueError("two accounts have one name")
        return self
