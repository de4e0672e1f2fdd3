"""What happens on Zalo beside words: reactions, who follows the account, what a form tells of a customer."""

from __future__ import annotations

from typing import Any, Literal

from schemas.base import Json
from schemas.inbound import Profile, Reaction, Referral
from workers.channels import fields
from workers.channels.channel import required_id, required_object
from workers.channels.fields import mapping

TAKEN_BACK = "/-remove"
_SIGNS = {"/-heart": "❤️", "/-strong": "👍", ":>": "😆", ":o": "😮", ":-((": "😭", ":-h": "😡"}
"""Zalo's own words for the signs that it offers; others are kept as they come."""
_GENDERS: dict[str, Literal["female", "male"]] = {
    **dict.fromkeys(("female", "nữ", "2"), "female"),
    **dict.fromkeys(("male", "nam", "1"), "male"),
}
_ADDRESS = ("address", "ward", "district", "city")


def reaction(who: dict[str, Any], by: Literal["customer", "page"], event: dict[str, Any]) -> Reaction:
    """A reaction, put or taken back. Raises UnreadableError or ValidationError."""
    said = required_object(event.get("message"), "message")
    sign = required_id(said.get("react_icon"), "message.react_icon")
    of = required_id(said.get("msg_id"), "message.msg_id")
    emoji = None if sign == TAKEN_BACK else _SIGNS.get(sign) or fields.cut(sign, 64)
    return Reaction(**who, of=of, by=by, emoji=emoji)


def followed(who: dict[str, Any], event: dict[str, Any], *, follows: bool) -> Profile:
    """A customer follows the account from now on, or does not any more."""
    source = fields.cut(event.get("source"), 100)
    brought = Referral(source=source) if follows and source else None
    return Profile(**who, follows=follows, referral=brought, interaction=follows)


def submitted(who: dict[str, Any], event: dict[str, Any]) -> Profile:
    """What a customer has filled in. Raises UnreadableError or ValidationError."""
    said = required_object(event.get("info"), "info")
    phone = fields.cut(fields.identifier(said.get("phone")), 40)
    phone = None if phone == "0" else phone
    return Profile(
        **who,
        name=fields.name(said.get("name")),
        phone=phone,
        phone_verified=phone is not None,
        address=_address(said),
        birthday=fields.day(said.get("user_dob")),
        gender=_gender(said.get("gender")),
    )


def _gender(value: Json) -> Literal["female", "male"] | None:
    return _GENDERS.get((fields.identifier(value) or "").strip().lower())


def _address(said: dict[str, Any]) -> str | None:
    """The newer form has an object of its own for it, the older one has fields."""
    places = mapping(said.get("full_address")) or said
    found = [text for name in _ADDRESS if (text := fields.cut(places.get(name), 500))]
    return ", ".join(found)[:500] or None
