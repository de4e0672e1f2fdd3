"""What visitors of a website have been through."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class VisitorLedger:
    """Counts of one run.

    Attributes:
        came: visitors who came for the first time.
        returned: how often one came back who had left.
        online: who is there now.
        pictures: those that they sent.
        cut: how often a connection went before it was known whether something was taken.
        conversations: the keys of theirs: others on the website are not invented.
        misshown: messages that their widget was shown twice, out of order or, in the end, not at all.
    """

    came: int = 0
    returned: int = 0
    online: int = 0
    pictures: int = 0
    cut: int = 0
    misshown: int = 0
    conversations: set[str] = field(default_factory=set)

    def summary(self) -> dict[str, int]:
        """The counts that a report names."""
        return {"came": self.came, "returned": self.returned, "pictures": self.pictures, "cut": self.cut}
