"""An agent begins a chat: his message waits for the desk, which opens the session by giving it to him."""

from __future__ import annotations

from schemas.asks import ReplyClaim
from schemas.ids import conversation_id_text
from tests.intake.chat import Chat
from tests.intake.in_memory import Intake, PageAndSite
from tests.intake.log import SITE, key_of

VISITOR = "a.one"
KEY = key_of(VISITOR, SITE)


class Visit(Chat):
    """One with a visitor of the website."""

    def __init__(self) -> None:
        super().__init__(intake=Intake(pages=PageAndSite()))

    def start(self, text: str = "Em cần hỏi gì ạ?", by: str | None = "lan") -> None:
        self.apply(self.log.act(VISITOR, "start_chat", page=SITE, by=by, text=text))

    def told(self, what: str, session: int = 1, **fields: object) -> None:
        self.seq += 1
        said = {"session": session, **fields}
        self.apply(self.log.decide(VISITOR, self.seq, what, page=SITE, **said))

    def begun(self, agent: str = "lan", session: int = 1) -> None:
        """The desk lets `agent` begin."""
        opened = {"facts": {"channel": "web"}}
        self.told("session_opened", session, **opened)
        self.told("assigned", session, holder=agent, standing="held")

    def writes(self, text: str = "xin chào") -> None:
        self.messages += 1
        self.apply(self.log.say(VISITOR, f"m{self.messages}", page=SITE, text=text))

    @property
    def codes(self) -> list[str | None]:
        return [value.get("code") for _, value in self.intake.outcomes]


def test_a_visitor_who_never_wrote_is_spoken_to_once_the_desk_says_so() -> None:
    chat = Visit()
    chat.start()
    found = chat.intake.conversations.get(("acme", KEY.encode()))
    assert found is not None
    assert (found.id, found.position, found.session_open) == (conversation_id_text(KEY), 0, False)
    ((what, value),) = chat.intake.commands
    claim = ReplyClaim.model_validate(value)
    assert (what, claim.by, claim.key) == ("reply_claim", "lan", KEY)
    assert claim.begins is not None
    assert (claim.begins.page, claim.begins.session, claim.begins.position) == (SITE, 1, 0)
    assert chat.said() == []
    chat.begun()
    assert (found.session, found.session_open, found.session_agent_messages) == (1, True, 1)
    assert (chat.said(), chat.codes) == (["Em cần hỏi gì ạ?"], [None])
    chat.writes()
    assert chat.commands() == ["reply_claim", "touched"], "who answers is known"
    assert len(chat.intake.openings) == 1


def test_two_begin_at_once_and_one_is_told_who_was_first() -> None:
    chat = Visit()
    chat.start(by="lan")
    chat.start(by="minh")
    claim = chat.intake.commands[0][1]["idempotency_key"]
    chat.begun("minh")
    fields = {"command": claim, "code": "taken", "sentence": "minh took it 3 ms earlier"}
    chat.apply(chat.log.decide(VISITOR, 0, "reply_refused", page=SITE, **fields))
    assert (chat.said(), sorted(chat.codes, key=str)) == (["Em cần hỏi gì ạ?"], [None, "taken"])
    chat.start(by="lan")
    assert chat.codes[-1] == "taken"


def test_a_chat_that_is_over_is_resumed_by_who_has_it() -> None:
    chat = Visit()
    chat.start()
    chat.begun()
    chat.apply(chat.log.act(VISITOR, "end_session", page=SITE))
    chat.told(
        "session_closed",
        holder="lan",
        standing="held",
        ended_by="agent",
        customer_messages=0,
        agent_messages=1,
    )
    chat.start("Mình quay lại nhé")
    begins = chat.intake.commands[-1][1]["begins"]
    assert begins["session"] == 2
    chat.told("followed", holder="lan", standing="held", agent="minh")  # no word of its session
    assert chat.said() == ["Em cần hỏi gì ạ?"]
    chat.told("session_opened", 2, holder="lan", standing="held", facts={"channel": "web"})
    assert chat.said()[-1] == "Mình quay lại nhé"
    assert [one.session for one in chat.intake.openings] == [1, 2]


def test_when_the_customer_writes_first_one_session_is_opened() -> None:
    chat = Visit()
    chat.start()
    chat.writes()
    assert chat.commands() == ["reply_claim", "route"]
    chat.begun()
    assert (chat.said(), len(chat.intake.openings)) == (["Em cần hỏi gì ạ?"], 1)


def test_on_other_channels_in_nobodys_name_and_on_others_pages_nothing_begins() -> None:
    chat = Chat()
    chat.customer()
    assert chat.refusal("start_chat", text="a") == "wrong_channel"
    assert chat.refusal("start_chat", text="a", by=None) == "forbidden"
    chat.desk("blocked", until=None, by="agent:acme/lan", command="c")
    strangers = Visit()
    strangers.apply(strangers.log.act("a.two", "start_chat", page="web:other", text="a"))
    assert strangers.codes == ["unknown_conversation"]
    assert strangers.intake.find("a.two") is None
