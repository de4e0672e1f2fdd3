"""Every language has every sentence, and a sentence for every word of the contract."""

from __future__ import annotations

from string import Formatter
from typing import get_args

import pytest

from schemas.assignments import CareStatus, DoneOutcome, Means, TransferEnded, Unassigned
from workers.wording.en import ENGLISH
from workers.wording.language import Language
from workers.wording.vi import VIETNAMESE

both = pytest.mark.parametrize("language", [VIETNAMESE, ENGLISH], ids=["vi", "en"])


def _slots(sentence: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(sentence) if name}


def test_the_languages_have_the_same_sentences() -> None:
    assert VIETNAMESE.sentences.keys() == ENGLISH.sentences.keys()


@pytest.mark.parametrize("key", VIETNAMESE.sentences)
def test_a_sentence_says_the_same_things_in_both(key: str) -> None:
    vietnamese, english = (
        {name.lower() for name in _slots(language.sentences[key])} for language in (VIETNAMESE, ENGLISH)
    )
    assert vietnamese == english


@both
def test_who_begins_a_sentence_is_capitalised_and_nobody_else(language: Language) -> None:
    for sentence in language.sentences.values():
        for before, name, _, _ in Formatter().parse(sentence):
            assert name is None or name[0].isupper() == (not before and sentence.startswith("{")), sentence


@both
def test_every_word_of_the_contract_has_its_own(language: Language) -> None:
    assert set(language.care) == set(get_args(CareStatus))
    assert set(language.outcomes) == set(get_args(DoneOutcome))
    assert {f"assigned.{method}" for method in get_args(Means)} <= language.sentences.keys()
    for code, model in (("unassigned", Unassigned), ("transfer_ended", TransferEnded)):
        ways = get_args(model.model_fields["how"].annotation)
        assert {f"{code}.{how}" for how in ways} <= language.sentences.keys()
