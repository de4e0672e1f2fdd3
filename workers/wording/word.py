"""Words a log line from the point of view of its reader. Pure: the caller has resolved the names."""

from __future__ import annotations

from typing import Literal

from workers.wording.choice import Params, owner_of, sentence_key
from workers.wording.en import ENGLISH
from workers.wording.language import UNKNOWN, Language
from workers.wording.names import Names
from workers.wording.vi import VIETNAMESE

LanguageCode = Literal["vi", "en"]
LANGUAGES: dict[LanguageCode, Language] = {"vi": VIETNAMESE, "en": ENGLISH}
_PEOPLE = ("agent", "former", "by", "to_agent")


def word(line_code: str, params: Params, reader: str | None, names: Names, language: LanguageCode) -> str:
    """The line as `reader` is told it: an agent's id, or none for somebody who is no agent.

    A line of a later version than this one, which has no sentence here, is told as a change.
    """
    words = LANGUAGES[language]
    sentence = words.sentences.get(sentence_key(line_code, params, names), words.sentences[UNKNOWN])
    return sentence.format_map(_people(params, reader, names, words) | _things(params, names, words))


def _people(params: Params, reader: str | None, names: Names, words: Language) -> dict[str, str]:
    """Everybody of the line, twice: `agent` within a sentence, `Agent` at its beginning."""
    people = {role: params.get(role) for role in _PEOPLE}
    people["owner"] = owner_of(params, names)
    found = {}
    for role, who in people.items():
        called = _pronoun(who, reader, words)
        found[role] = called or names.agents.get(str(who), str(who))
        found[role.capitalize()] = _capital(called) or found[role]
    return found


def _pronoun(who: str | None, reader: str | None, words: Language) -> str:
    """What somebody is called who is not called by name; empty for an agent who is not the reader."""
    if who is None:
        return words.system
    kind, colon, id_ = who.partition(":")
    if colon:
        return words.service.format(id=id_) if kind == "service" else words.operator
    return words.you if who == reader else ""


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _things(params: Params, names: Names, words: Language) -> dict[str, object]:
    rule, department = params.get("rule", ""), params.get("to_department", "")
    former_care = params.get("former_care", "")
    return {
        "rule": names.rules.get(rule, rule),
        "department": names.departments.get(department, department),
        "former_care": words.care.get(former_care, former_care),
        "care": _care(params, names, words),
        "days": params.get("days"),
        "round": params.get("round"),
    }


def _care(params: Params, names: Names, words: Language) -> str:
    """The new care status, with its outcome and its reason: `Hoàn tất (thành công): Đã giao hàng`."""
    care, outcome, reason = (params.get(name) for name in ("care", "outcome", "reason"))
    told = words.care.get(str(care), str(care))
    if outcome is not None:
        told += f" ({words.outcomes.get(outcome, outcome)})"
    return told if reason is None else f"{told}: {names.reasons.get(reason, reason)}"
