"""Which rule a conversation is for: the first that names its page or channel and whose conditions hold."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from checker.facts.desk_state import DeskState
from checker.record import Json

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY = timedelta(days=1)
TIME_ZONE = "Asia/Ho_Chi_Minh"


def first_rule(state: DeskState, page: str, facts: Json | None) -> str | None:
    """The first rule, in the order of rules, that matches now; none: no rule does."""
    fitting = (
        (rule.order, name)
        for name, rule in state.rules.items()
        if rule.is_for(page) and matches(rule.definition.get("conditions") or {}, facts or {}, state.at_ms)
    )
    return min(fitting, default=(0, None))[1]


def matches(conditions: Json, facts: Json, at_ms: int) -> bool:
    """Whether each condition that is given holds."""
    for name in ("tags", "lists"):
        asked = conditions.get(name)
        if asked and not set(asked) & set(facts.get(name, ())):
            return False
    languages, hours = conditions.get("languages"), conditions.get("hours")
    if languages and not any(_speaks(one, facts.get("language") or "") for one in languages):
        return False
    return not hours or is_open(hours, at_ms)


def is_open(hours: Json, at_ms: int) -> bool:
    """Whether a stretch that began today or yesterday, neither on a holiday, holds; never on a holiday."""
    zone = ZoneInfo(hours.get("time_zone") or TIME_ZONE)
    here = datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(zone).replace(tzinfo=None)
    holidays = hours.get("holidays", ())
    if here.date().isoformat() in holidays:
        return False
    for day in (here.date(), here.date() - DAY):
        since = here - datetime.combine(day, time())
        for stretch in hours["stretches"] if day.isoformat() not in holidays else ():
            if DAYS[day.weekday()] in stretch["days"] and _holds(stretch, since):
                return True
    return False


def _holds(stretch: Json, since_midnight: timedelta) -> bool:
    begins, ends = _of_day(stretch["begins"]), _of_day(stretch["ends"])
    return begins <= since_midnight < (ends if ends > begins else ends + DAY)


def _of_day(text: str) -> timedelta:
    at = time.fromisoformat(text)
    return timedelta(hours=at.hour, minutes=at.minute, seconds=at.second, microseconds=at.microsecond)


def _speaks(asked: str, said: str) -> bool:
    """`en` asks for `en_US`, too."""
    one, other = (text.replace("_", "-").lower() for text in (asked, said))
    return other == one or other.startswith(one + "-")
