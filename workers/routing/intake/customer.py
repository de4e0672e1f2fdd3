"""What is known of a customer, and what an action makes of it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from schemas.actions import LABELS_MAX, SetLabels, SetProfile
from workers.routing.outcomes import Refusal

PROFILE = ("name", "phone", "email", "birthday", "gender", "address")


class Customer(NamedTuple):
    """A customer's profile, tags and groups: what people have written down, not what the channel says."""

    profile: dict[str, str] = {}  # noqa: RUF012 replaced, never changed
    """What is known of PROFILE."""
    tags: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()


def labelled(customer: Customer, action: SetLabels) -> Customer | Refusal:
    """The customer with tags and groups added and taken away; one that is in both goes."""
    tags = _changed(customer.tags, action.add_tags, action.remove_tags)
    groups = _changed(customer.groups, action.add_groups, action.remove_groups)
    if max(len(tags), len(groups)) > LABELS_MAX:
        return Refusal("too_many", f"a customer has at most {LABELS_MAX} tags and {LABELS_MAX} groups")
    return customer._replace(tags=tags, groups=groups)


def profiled(customer: Customer, action: SetProfile) -> Customer:
    """The customer with the given fields changed; an empty text clears one."""
    given = {name: value for name in PROFILE if (value := getattr(action, name)) is not None}
    profile = customer.profile | {name: str(value) for name, value in given.items()}
    return customer._replace(profile={name: value for name, value in profile.items() if value})


def _changed(labels: Iterable[str], added: Iterable[str], removed: Iterable[str]) -> tuple[str, ...]:
    gone = set(removed)
    return tuple(label for label in dict.fromkeys((*labels, *added)) if label not in gone)
