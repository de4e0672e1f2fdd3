"""Each log line in words: by its event and its reader, in Vietnamese and in English."""

from __future__ import annotations

from datetime import timedelta

import pytest

from schemas.assignments import (
    Blocked,
    ChainEvent,
    Followed,
    HolderAbsent,
    Muted,
    Offered,
    Queued,
    SessionSilenced,
    SessionWoken,
    TransferEnded,
    Transferring,
    Unblocked,
    Unfollowed,
    Unmuted,
)
from tests.wording.lines import AT, HOA, LAN, MINH, NAMES, assigned, care, event, unassigned
from workers.routing.intake.log_lines import log_line
from workers.wording.names import Names
from workers.wording.word import word

_ROUND_ROBIN = assigned("round_robin")
_CLAIM = assigned("claim", by=MINH)
_APPOINT = assigned("appoint", by=LAN)
_ACCEPT = assigned("transfer", former="lan", by=MINH)
_TAKE_OVER = assigned("take_over", former="minh", holder="lan", by=LAN)
_TAKEN_OFF = unassigned("taken_off", LAN)
_ANSWERABLE = {"agents": ("hoa",), "by": MINH, "command": "k", "expires_at": AT + timedelta(minutes=2)}
_TO_HOA = event(Transferring, to_agent="hoa", to_department=None, **_ANSWERABLE)
_TO_SALES = event(Transferring, to_agent=None, to_department="ban-hang", **_ANSWERABLE)
_HOA_OF_SALES = event(
    Transferring, to_agent=None, to_department="ban-hang", rejected=("hoa",), again="rejected", **_ANSWERABLE
)
_REJECTED = event(TransferEnded, how="rejected", agent="hoa", by=HOA, command="k")
_HOA_OFFLINE = event(TransferEnded, how="target_offline", agent="hoa")
_CLOSED = care("accepted", "closed_won", MINH)
_REFUSED = care("accepted", "refused", MINH, reason="khong-mua")
_WAITS = {"holder": None, "care": "new"}
_QUEUED = event(
    Queued,
    rule="deu",
    rule_version=1,
    passed_over={},
    queued_at=AT,
    queued_offset=1,
    standing="queued",
    **_WAITS,
)


def _offered(audience: str, *, unrouted: bool = False, rule: str | None = None) -> ChainEvent:
    offer = {"audience": audience, "unrouted": unrouted, "rule": rule, "rule_version": rule and 1}
    return event(Offered, standing="offered", **offer, **_WAITS)


SENTENCES = [
    (_ROUND_ROBIN, "minh", "Lan đã chia hội thoại cho bạn", "Lan gave the conversation to you"),
    (_ROUND_ROBIN, "hoa", "Lan đã chia hội thoại cho Minh", "Lan gave the conversation to Minh"),
    (_ROUND_ROBIN, "lan", "Bạn đã chia hội thoại cho Minh", "You gave the conversation to Minh"),
    (_ROUND_ROBIN, None, "Lan đã chia hội thoại cho Minh", "Lan gave the conversation to Minh"),
    (
        assigned("round_robin", owner="hoa"),
        "minh",
        "Hoa đã chia hội thoại cho bạn",
        "Hoa gave the conversation to you",
    ),
    (
        assigned("round_robin", holder="lan"),
        "lan",
        "Quy tắc “Messenger chia đều” đã chia hội thoại cho bạn",
        "The rule “Messenger chia đều” gave the conversation to you",
    ),
    (
        assigned("least_busy"),
        "minh",
        "Lan đã chia hội thoại cho bạn, người đang ít việc nhất",
        "Lan gave the conversation to you, the least busy",
    ),
    (
        assigned("last_agent"),
        "minh",
        "Lan đã chia hội thoại cho bạn, người đã chăm sóc khách lần trước",
        "Lan gave the conversation to you, who had this customer before",
    ),
    (
        assigned("fallback"),
        "hoa",
        "Lan đã chia hội thoại cho Minh, vì không còn ai khác nhận được",
        "Lan gave the conversation to Minh, as nobody else could take it",
    ),
    (_CLAIM, "minh", "Bạn đã nhận hội thoại", "You claimed the conversation"),
    (_CLAIM, "lan", "Minh đã nhận hội thoại", "Minh claimed the conversation"),
    (
        assigned("reply", by=MINH),
        "minh",
        "Bạn đã nhận hội thoại bằng cách trả lời khách",
        "You claimed the conversation by answering",
    ),
    (
        assigned("start", by=MINH),
        "lan",
        "Minh đã chủ động chat với khách",
        "Minh began a chat with the visitor",
    ),
    (_APPOINT, "minh", "Lan đã chỉ định bạn", "Lan appointed you"),
    (_APPOINT, "lan", "Bạn đã chỉ định Minh", "You appointed Minh"),
    (_APPOINT, "hoa", "Lan đã chỉ định Minh", "Lan appointed Minh"),
    (
        assigned("appoint", by=MINH),
        "hoa",
        "Minh đã tự chỉ định mình",
        "Minh took the conversation without being asked",
    ),
    (
        assigned("appoint", by="service:crm"),
        "minh",
        "Dịch vụ crm đã chỉ định bạn",
        "The service crm appointed you",
    ),
    (assigned("appoint", by="cli:1"), "minh", "Người vận hành đã chỉ định bạn", "An operator appointed you"),
    (
        _ACCEPT,
        "minh",
        "Lan đã chuyển hội thoại cho bạn",
        "Lan transferred the conversation to you",
    ),
    (_ACCEPT, "lan", "Bạn đã chuyển hội thoại cho Minh", "You transferred the conversation to Minh"),
    (_ACCEPT, "hoa", "Lan đã chuyển hội thoại cho Minh", "Lan transferred the conversation to Minh"),
    (
        _TAKE_OVER,
        "minh",
        "Lan đã tiếp quản hội thoại từ bạn",
        "Lan took the conversation over from you",
    ),
    (_TAKE_OVER, "lan", "Bạn đã tiếp quản hội thoại từ Minh", "You took the conversation over from Minh"),
    (
        assigned("take_over", holder="lan", by=LAN),
        "hoa",
        "Lan đã tiếp quản hội thoại",
        "Lan took the conversation over",
    ),
    (
        assigned("reopened"),
        "minh",
        "Khách nhắn lại, hội thoại trở về với bạn",
        "The customer wrote again: the conversation went back to you",
    ),
    (
        assigned("outside"),
        "minh",
        "Bạn đã trả lời khách ngoài hệ thống và nhận hội thoại",
        "You answered the customer outside and got the conversation",
    ),
    (
        _QUEUED,
        None,
        "Hội thoại chờ nhân viên theo quy tắc “Messenger chia đều”",
        "The conversation waits for an agent of the rule “Messenger chia đều”",
    ),
    (
        _offered("page:messenger:1", unrouted=True),
        None,
        "Không quy tắc nào phù hợp, hội thoại chờ nhân viên của trang nhận",
        "No rule matched: the conversation waits for an agent of the page to claim it",
    ),
    (
        _offered("page:messenger:1"),
        None,
        "Hội thoại chờ nhân viên của trang nhận",
        "The conversation waits for an agent of the page to claim it",
    ),
    (
        _offered("rule:deu/0", rule="deu"),
        None,
        "Hội thoại chờ nhân viên của quy tắc “Messenger chia đều” nhận",
        "The conversation waits for an agent of the rule “Messenger chia đều” to claim it",
    ),
    (
        _offered("admins:messenger:1"),
        None,
        "Hội thoại chờ quản trị trang chỉ định",
        "The conversation waits for a page admin to appoint somebody",
    ),
    (
        unassigned("released", MINH),
        "minh",
        "Bạn đã trả lại hội thoại",
        "You released the conversation",
    ),
    (unassigned("released", MINH), "lan", "Minh đã trả lại hội thoại", "Minh released the conversation"),
    (_TAKEN_OFF, "minh", "Lan đã gỡ bạn khỏi hội thoại", "Lan took you off the conversation"),
    (_TAKEN_OFF, "lan", "Bạn đã gỡ Minh khỏi hội thoại", "You took Minh off the conversation"),
    (unassigned("taken_off", MINH), "minh", "Bạn đã tự rời hội thoại", "You left the conversation"),
    (
        unassigned("refused", LAN),
        "minh",
        "Bạn thôi phụ trách vì khách bị từ chối",
        "You left the conversation, as the customer was refused",
    ),
    (
        unassigned("on_leave"),
        "lan",
        "Minh nghỉ phép nên thôi phụ trách",
        "Minh went on leave and left the conversation",
    ),
    (
        unassigned("agent_removed"),
        "lan",
        "Minh rời bàn phân công nên thôi phụ trách",
        "Minh left the desk, and the conversation with it",
    ),
    (
        unassigned("offline"),
        "minh",
        "Bạn vắng mặt khi khách nhắn nên thôi phụ trách",
        "You lost the conversation: offline when the customer wrote",
    ),
    (
        unassigned("outside"),
        "minh",
        "Có người đã trả lời khách ngoài hệ thống, bạn thôi phụ trách",
        "Somebody answered the customer outside: you left the conversation",
    ),
    (
        _TO_HOA,
        "hoa",
        "Minh muốn chuyển hội thoại cho bạn",
        "Minh offered to transfer the conversation to you",
    ),
    (
        _TO_HOA,
        "minh",
        "Bạn muốn chuyển hội thoại cho Hoa",
        "You offered to transfer the conversation to Hoa",
    ),
    (
        _TO_SALES,
        "hoa",
        "Minh muốn chuyển hội thoại cho phòng ban Bán hàng",
        "Minh offered to transfer the conversation to the department Bán hàng",
    ),
    (
        _HOA_OF_SALES,
        "minh",
        "Hoa không nhận chuyển cho phòng ban Bán hàng",
        "Hoa rejected the transfer to the department Bán hàng",
    ),
    (
        _REJECTED,
        "minh",
        "Hoa không nhận chuyển, hội thoại vẫn do bạn phụ trách",
        "Hoa rejected the transfer: the conversation stays with you",
    ),
    (
        _REJECTED,
        "hoa",
        "Bạn không nhận chuyển, hội thoại vẫn do Minh phụ trách",
        "You rejected the transfer: the conversation stays with Minh",
    ),
    (
        event(TransferEnded, how="cancelled", by=MINH, command="k"),
        "hoa",
        "Minh đã hủy chuyển hội thoại",
        "Minh cancelled the transfer",
    ),
    (
        event(TransferEnded, how="expired"),
        "minh",
        "Không ai nhận chuyển kịp lúc, hội thoại vẫn do bạn phụ trách",
        "Nobody accepted the transfer in time: the conversation stays with you",
    ),
    (
        _HOA_OFFLINE,
        "minh",
        "Hoa đã ngoại tuyến, hội thoại vẫn do bạn phụ trách",
        "Hoa went offline: the conversation stays with you",
    ),
    (
        event(TransferEnded, how="target_offline"),
        "minh",
        "Không còn ai trực tuyến để nhận chuyển, hội thoại vẫn do bạn phụ trách",
        "Nobody who could accept the transfer is online: the conversation stays with you",
    ),
    (
        event(TransferEnded, how="target_left", agent="hoa"),
        "minh",
        "Hoa không còn trực, hội thoại vẫn do bạn phụ trách",
        "Hoa is not on duty any more: the conversation stays with you",
    ),
    (
        event(TransferEnded, how="target_left"),
        "minh",
        "Không còn ai để nhận chuyển, hội thoại vẫn do bạn phụ trách",
        "Nobody is left who could accept the transfer: the conversation stays with you",
    ),
    (
        event(TransferEnded, how="overtaken"),
        "minh",
        "Việc chuyển hội thoại không còn hiệu lực",
        "The transfer lapsed",
    ),
    (
        _CLOSED,
        "minh",
        "Bạn đã chuyển trạng thái từ Đã tiếp nhận sang Đã chốt",
        "You changed the status from Accepted to Closed won",
    ),
    (
        _REFUSED,
        "lan",
        "Minh đã chuyển trạng thái từ Đã tiếp nhận sang Từ chối: Khách không mua",
        "Minh changed the status from Accepted to Refused: Khách không mua",
    ),
    (
        care("closed_won", "done", LAN, outcome="won"),
        "minh",
        "Lan đã chuyển trạng thái từ Đã chốt sang Hoàn tất (thành công)",
        "Lan changed the status from Closed won to Done (won)",
    ),
    (
        care("done", "waiting", round=2),
        "minh",
        "Khách nhắn lại, bắt đầu lần chăm sóc thứ 2",
        "The customer wrote again: round 2 of care began",
    ),
    (
        care("done", "waiting", MINH, round=2),
        "lan",
        "Minh chủ động nhắn lại khách, bắt đầu lần chăm sóc thứ 2",
        "Minh wrote to the customer again: round 2 of care began",
    ),
    (
        care("refused", "waiting"),
        "minh",
        "Trạng thái tự chuyển từ Từ chối sang Chờ chia lại",
        "The status changed by itself from Refused to Waiting",
    ),
    (
        event(Blocked, until=AT + timedelta(days=7), by=LAN, command="k"),
        "lan",
        "Bạn đã chặn khách hàng này trong 7 ngày",
        "You blocked this customer for 7 days",
    ),
    (
        event(Blocked, until=None, by=LAN, command="k"),
        "minh",
        "Lan đã chặn khách hàng này",
        "Lan blocked this customer",
    ),
    (event(Unblocked, by=LAN), "minh", "Lan đã bỏ chặn khách hàng này", "Lan unblocked this customer"),
    (
        event(Unblocked),
        "minh",
        "Khách hàng này đã hết thời hạn bị chặn",
        "The time for which this customer was blocked is over",
    ),
]


@pytest.mark.parametrize(("told", "reader", "vietnamese", "english"), SENTENCES)
def test_a_line_is_worded_for_its_reader(
    told: ChainEvent, reader: str | None, vietnamese: str, english: str
) -> None:
    line = log_line(told)
    assert line is not None
    assert word(line.code, line.params, reader, NAMES, "vi") == vietnamese
    assert word(line.code, line.params, reader, NAMES, "en") == english


@pytest.mark.parametrize(
    "told",
    [
        *(event(model, agent="minh") for model in (Followed, Unfollowed, Muted, Unmuted)),
        event(SessionSilenced),
        event(SessionWoken),
        event(HolderAbsent, until=AT),
    ],
)
def test_what_concerns_one_list_or_the_load_gives_no_line(told: ChainEvent) -> None:
    assert log_line(told) is None


def test_what_has_no_name_is_called_by_its_id() -> None:
    line = log_line(_APPOINT)
    assert line is not None
    assert word(line.code, line.params, "hoa", Names(), "vi") == "lan đã chỉ định minh"


def test_a_rule_whose_owner_is_unknown_speaks_for_itself() -> None:
    line = log_line(_ROUND_ROBIN)
    assert line is not None
    assert word(line.code, line.params, "minh", Names(), "vi") == "Quy tắc “deu” đã chia hội thoại cho bạn"


_BRACES = "{Owner} {0.__class__} {agent.__init__.__globals__} {{ {"


@pytest.mark.parametrize(
    ("told", "names", "sentence"),
    [
        (_CLAIM, Names(agents={"minh": _BRACES}), f"{_BRACES} claimed the conversation"),
        (
            _QUEUED,
            Names(rules={"deu": _BRACES}),
            f"The conversation waits for an agent of the rule “{_BRACES}”",
        ),
        (
            _TO_SALES,
            Names(departments={"ban-hang": _BRACES}),
            f"minh offered to transfer the conversation to the department {_BRACES}",
        ),
        (
            _REFUSED,
            Names(reasons={"khong-mua": _BRACES}),
            f"minh changed the status from Accepted to Refused: {_BRACES}",
        ),
        (assigned("appoint", by=f"service:{_BRACES}"), Names(), f"The service {_BRACES} appointed minh"),
    ],
)
def test_braces_in_what_people_have_written_are_letters_like_others(
    told: ChainEvent, names: Names, sentence: str
) -> None:
    line = log_line(told)
    assert line is not None
    assert word(line.code, line.params, None, names, "en") == sentence


@pytest.mark.parametrize(
    ("code", "params"), [("praised", {"agent": "minh"}), ("unassigned", {"agent": "minh", "how": "bored"})]
)
def test_a_line_of_a_later_version_is_told_as_a_change(code: str, params: dict[str, str]) -> None:
    assert word(code, params, "minh", NAMES, "vi") == "Hội thoại có thay đổi"
    assert word(code, params, "minh", NAMES, "en") == "The conversation changed"
