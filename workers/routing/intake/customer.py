"""What is known of a customer, and what an action, his channel or his own words make of it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from schemas.actions import LABELS_MAX, SetLabels, SetProfile
from schemas.inbound import Introduced, Profile
from schemas.phones import find_phone, same_phone
from workers.routing.outcomes import Refusal

PROFILE = ("name", "phone", "email", "birthday", "gender", "address")
HAS_PHONE = "Có sdt"
"""The tag of those who have told a phone number."""


class Customer(NamedTuple):
    """A customer's profile, tags and groups as people have written them down, and what was told beside."""

    profile: dict[str, str] = {}  # noqa: RUF012 replaced, never changed
    """What is known of PROFILE."""
    tags: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    suggested_phone: str | None = None
    picture: str | None = None
    follows: bool | None = None
    referral: dict[str, Any] | None = None
    """The last one, as schemas.inbound.Referral."""
    verified_phone: str | None = None
    """A number that his channel vouches for, whatever people have written down."""


def labelled(customer: Customer, action: SetLabels) -> Customer | Refusal:
    """The customer with tags and groups added and taken away; one that is in both goes."""
    tags = _changed(customer.tags, action.add_tags, action.remove_tags)
    groups = _changed(customer.groups, action.add_groups, action.remove_groups)
    if max(len(tags), len(groups)) > LABELS_MAX:
        return Refusal("too_many", f"a customer has at most {LABELS_MAX} tags and {LABELS_MAX} groups")
    return customer._replace(tags=tags, groups=groups)


def profiled(customer: Customer, action: SetProfile) -> Customer:
    """The customer with the given fields changed; an empty text clears one.

    A number that was suggested is none any more once it is taken over.
    """
    given = {name: value for name in PROFILE if (value := getattr(action, name)) is not None}
    profile = customer.profile | {name: str(value) for name, value in given.items()}
    known = customer._replace(profile={name: value for name, value in profile.items() if value})
    taken = same_phone(known.profile.get("phone"), customer.suggested_phone)
    return known._replace(suggested_phone=None) if taken else known


def with_phone(customer: Customer, phone: str) -> Customer:
    """The customer who has written this number: suggested and tagged, unless it is known."""
    known = (customer.profile.get("phone"), customer.suggested_phone)
    if any(same_phone(phone, each) for each in known):
        return customer
    return _tagged(customer)._replace(suggested_phone=phone)


def is_introduced(said: Introduced) -> bool:
    """Whether it tells of its customer what is kept beside his name."""
    return said.customer_picture is not None or said.referral is not None


def introduced(customer: Customer, said: Introduced) -> Customer:
    """The customer with the picture that the channel shows, and with what has brought him."""
    if said.customer_picture is not None:
        customer = customer._replace(picture=said.customer_picture)
    if said.referral is not None:
        customer = customer._replace(referral=said.referral.model_dump(exclude_none=True))
    return customer


def told(customer: Customer, said: Profile) -> Customer:
    """The customer with what he, or the channel, tells: only what is not known is filled.

    Another phone number than the known one is suggested.
    """
    phone = said.phone and (find_phone(said.phone) or said.phone)
    given = {name: str(value) for name in PROFILE if (value := getattr(said, name)) is not None}
    if phone:
        given["phone"] = phone
        known = customer.profile.get("phone")
        customer = with_phone(customer, phone) if known else _tagged(customer)._replace(suggested_phone=None)
        if said.phone_verified:
            customer = customer._replace(verified_phone=phone)
    follows = customer.follows if said.follows is None else said.follows
    return introduced(customer, said)._replace(profile=given | customer.profile, follows=follows)


def _tagged(customer: Customer) -> Customer:
    if len(customer.tags) >= LABELS_MAX:
        return customer
    return customer._replace(tags=_changed(customer.tags, (HAS_PHONE,), ()))


def _changed(labels: Iterable[str], added: Iterable[str], removed: Iterable[str]) -> tuple[str, ...]:
    gone = set(removed)
    return tuple(label for label in dict.fromkeys((*labels, *added)) if label not in gone)
