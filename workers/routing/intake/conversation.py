"""One conversation as intake knows it while its lane is here."""

from __future__ import annotations

from dataclasses import dataclass, field

from schemas.assignments import Standing
from schemas.ids import desk_key
from workers.routing.intake import copy_format


@dataclass(slots=True)
class Conversation:
    """The state that only the owner of `lane` changes; a row of `conversation`. Times in ms since 1970."""

    workspace: str
    desk: str
    id: str
    """A UUID as text, as ids are everywhere here: most go into JSON."""
    lane: int
    key: str
    page: str
    position: int = 0
    """Of the transcript's last line; 0: none yet."""
    seq: int = 0
    """The last assignment event applied."""
    epoch: int = 0
    standing: Standing = "idle"
    holder: str | None = None
    route_unanswered: bool = False
    session: int = 0
    """The number of the last session; 0 before the first."""
    session_open: bool = False
    session_customer_messages: int = 0
    session_agent_messages: int = 0
    last_at_ms: int = 0
    """Of the customer's last message; when the conversation began, before the first."""
    timer_at_ms: int | None = None
    """When the session's silence timer falls due; none: not armed, or on its way."""
    customer_name: str | None = None
    """The customer's name on the channel, as last told."""

    channel: str = field(init=False)
    facts: dict[str, str] = field(init=False)
    """What every record about it says; kept because each of its messages needs it."""
    id_fields: bytes = field(init=False)
    """Workspace and id as COPY takes them."""
    is_stored: bool = False
    """Whether Postgres has it."""

    def __post_init__(self) -> None:
        self.channel = self.page.partition(":")[0]
        self.id_fields = copy_format.text(self.workspace) + copy_format.uuid(self.id)
        self.facts = {
            "workspace": self.workspace,
            "desk": self.desk,
            "conversation": self.id,
            "key": self.key,
        }

    @property
    def user(self) -> str:
        """The customer's id on the page."""
        return self.key[len(self.page) + 1 :]

    @property
    def command_key(self) -> bytes:
        """The Kafka key of what its desk is asked."""
        return desk_key(self.workspace, self.desk).encode()
