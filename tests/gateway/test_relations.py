"""How a person stands to a conversation, from the roster and the conversation's row."""

from __future__ import annotations

from uuid import UUID

import pytest

from schemas.definitions import Department, Page, Rule, Team
from workers.channels.closing import TOO_MANY
from workers.gateway.connection import Connection
from workers.gateway.conversations import Conversation, agent_relations, relations
from workers.gateway.hub import Hub
from workers.gateway.identity import Identity, Role
from workers.gateway.mentions import strangers
from workers.gateway.notices import Noted, recipients, workspace_of
from workers.gateway.queries.scope import scope_of
from workers.gateway.rights import Call, may
from workers.gateway.roster import Roster

PAGE = "zalo:7"
ADMINS = (("ha", "nga"), ("nga",), ("ha", "nga"))
"""Of three pages."""
ROSTER = Roster(
    {**dict.fromkeys(("lan", "minh", "ha", "nga", "binh"), "main"), "xa": "far"},
    [
        ("main", Department(id="night", name="night", agents=("minh", "gone"))),
        ("far", Department(id="night", name="n", agents=("xa",))),
    ],
    [("main", Page(id=PAGE, name="p", admins=("ha",))), ("far", Page(id="web:1", name="w", admins=("xa",)))],
    [
        (
            "main",
            Rule(
                id="vip",
                name="v",
                owner="ha",
                channels=("zalo",),
                agents=("lan",),
                departments=("night",),
                next_rings=(Team(agents=("nga",)),),
            ),
        ),
        ("main", Rule(id="web", name="w", owner="ha", pages=("web:9",), agents=("binh",))),
        ("far", Rule(id="vip", name="v", owner="xa", pages=("web:1",), agents=("xa",))),
    ],
    gone=("gone", "gone admin"),
)


def conversation(**known: object) -> Conversation:
    return Conversation(UUID(int=1), f"{PAGE}:u", "main", PAGE)._replace(**known)  # type: ignore[arg-type]


def test_a_page_s_agents_are_those_of_every_ring_of_its_rules_and_its_admins() -> None:
    assert ROSTER.works_for(PAGE) == {"lan", "minh", "nga", "ha"}
    assert ROSTER.works_for("web:1") == {"xa"}
    assert ROSTER.works_for("messenger:unknown") == frozenset()


@pytest.mark.parametrize(
    ("name", "agents"),
    [
        ("rule:vip/0", {"lan", "minh"}),
        ("rule:vip/1", {"nga"}),
        ("rule:vip/2", set()),
        ("rule:vip/x", set()),
        ("rule:gone/0", set()),
        (f"page:{PAGE}", {"lan", "minh", "nga", "ha"}),
        (f"admins:{PAGE}", {"ha"}),
        ("unheard:of", set()),
    ],
)
def test_an_audience_is_of_its_own_desk(name: str, agents: set[str]) -> None:
    assert ROSTER.audience(name, PAGE) == agents
    if name == "rule:vip/0":
        assert ROSTER.audience(name, "web:1") == {"xa"}


def test_relations_say_all_that_holds() -> None:
    mine = conversation(holder="lan", followers=frozenset({"nga"}), asked=frozenset({"minh"}))
    assert relations("lan", mine, ROSTER) == {"holder", "member", "deskmate"}
    assert relations("minh", mine, ROSTER) == {"asked", "member", "deskmate"}
    assert relations("nga", mine, ROSTER) == {"follower", "member", "deskmate"}
    assert relations("ha", mine, ROSTER) == {"administrator", "member", "deskmate"}
    assert relations("binh", mine, ROSTER) == {"deskmate"}
    assert relations("xa", mine, ROSTER) == relations(None, mine, ROSTER) == frozenset()
    assert "offered" in relations("lan", conversation(audience="rule:vip/0"), ROSTER)
    assert "offered" not in relations("nga", conversation(audience="rule:vip/0"), ROSTER)


def test_who_had_it_sees_it_as_long_as_he_follows_it() -> None:
    """He follows it by having had it; that ends when he refuses or unfollows it, or by the policy."""
    minh = Identity("shop", "agent", "minh", "minh")
    given_on = conversation(holder="lan", followers=frozenset({"lan", "minh"}))
    assert may(minh, relations("minh", given_on, ROSTER), "see")
    ended = relations("minh", given_on._replace(followers=frozenset({"lan"})), ROSTER)
    calls: tuple[Call, ...] = ("see", "write_note", "mark_read", "follow")
    assert not any(may(minh, ended, call) for call in calls)


def test_all_of_a_department_are_asked_who_may_take_over_what_is_offered_to_it() -> None:
    """Also who came online since; the event names those who were."""
    offered = conversation(holder="lan", asked=frozenset({"binh"}), asked_department="night")
    assert "asked" in relations("minh", offered, ROSTER)
    assert "asked" not in relations("minh", offered._replace(rejected=frozenset({"minh"})), ROSTER)
    assert "asked" not in relations("xa", offered, ROSTER)
    assert "asked" not in relations("minh", offered._replace(asked_department="day"), ROSTER)


def test_who_was_removed_from_the_workspace_stands_in_no_relation() -> None:
    """His account may live on for a while; he followed it, or was the page's admin."""
    his = conversation(holder="gone", followers=frozenset({"gone"}), asked=frozenset({"gone"}))
    assert relations("gone", his, ROSTER) == frozenset()
    removed = Roster({"lan": "main"}, [], [("main", Page(id=PAGE, name="p", admins=("ha",)))], [])
    assert relations("ha", conversation(), removed) == agent_relations("ha", "lan", removed) == frozenset()
    scope = scope_of(Identity("shop", "page_admin", "ha", "ha"), removed)
    assert (scope.agent, scope.pages, scope.audiences) == ("", frozenset(), frozenset())
    assert scope_of(Identity("shop", "admin", "ha", "ha"), removed).agent == "ha"


def test_a_note_names_only_those_who_may_see_its_conversation() -> None:
    """A notice with its words is pushed to each of them."""
    given_on = conversation(holder="lan", followers=frozenset({"nga"}), asked=frozenset({"binh"}))
    everybody = ("lan", "minh", "ha", "nga", "binh", "xa", "gone", "nobody", "minh")
    named = strangers(everybody, given_on, "shop", ROSTER, [("ha", "page_admin")])
    assert named == ["minh", "xa", "gone", "nobody"]
    assert strangers(("ha", "xa"), given_on, "shop", ROSTER, [("xa", "admin")]) == ["ha"]


def test_relations_to_an_agent() -> None:
    assert agent_relations("lan", "lan", ROSTER) == {"self", "deskmate"}
    assert agent_relations("ha", "nga", ROSTER) == {"supervisor", "deskmate"}
    assert agent_relations("ha", "binh", ROSTER) == {"deskmate"}
    assert agent_relations("xa", "lan", ROSTER) == frozenset()


def test_who_administers_one_of_an_agent_s_pages_but_not_all_is_no_supervisor_of_his() -> None:
    """Or whoever names him in a rule of his own could send him away from customers of others' pages."""
    pages = [("main", Page(id=f"zalo:{n}", name="p", admins=admins)) for n, admins in enumerate(ADMINS)]
    rules = [
        ("main", Rule(id=f"r{n}", name="r", owner="ha", pages=(f"zalo:{n}",), agents=agents))
        for n, agents in enumerate((("lan", "minh"), ("minh",), ()))
    ]
    everybody = dict.fromkeys(("lan", "minh", "ha", "nga"), "main")
    roster = Roster(everybody, [], pages, rules)
    assert [agent for agent in everybody if roster.supervises("ha", agent)] == ["lan", "ha"]
    assert [agent for agent in everybody if roster.supervises("nga", agent)] == list(everybody)


@pytest.mark.parametrize(
    ("key", "kind", "told"),
    [
        ("agent:shop/lan", "message", {"lan"}),
        ("agent:other/lan", "message", {"lan of other"}),
        ("agent:shop/gone", "message", set()),
        ("agent:shop/gone admin", "mention", {"gone admin"}),
        ("audience:shop/rule:vip/0", "offered", {"lan", "chu", "gone admin"}),
        (f"audience:shop/page:{PAGE}", "offered", {"lan", "ha", "nga", "chu", "gone admin"}),
        (f"audience:shop/page:{PAGE}", "conversation_changed", {"ha", "chu", "gone admin"}),
        (f"audience:shop/admins:{PAGE}", "offered", {"ha", "chu", "gone admin"}),
        (f"audience:shop/admins:{PAGE}", "page_paused", {"ha", "chu", "gone admin"}),
        ("audience:shop/rule:web/0", "offered", {"chu", "gone admin"}),
    ],
)
def test_a_notification_reaches_those_it_is_for_and_nobody_else(key: str, kind: str, told: set[str]) -> None:
    hub = Hub(100, 10)
    roles: dict[str, Role] = {
        "lan": "agent",
        "ha": "page_admin",
        "nga": "agent",
        "chu": "admin",
        "xa": "agent",
    }
    people = {name: _connection("shop", name, role) for name, role in roles.items()}
    people["gone"] = _connection("shop", "gone", "page_admin")
    people["gone admin"] = _connection("shop", "gone admin", "admin")
    people["lan of other"] = _connection("other", "lan", "agent")
    people["chu of other"] = _connection("other", "chu", "admin")
    for connection in people.values():
        hub.add(connection)
    one = Noted(0, 0, key, kind, f'{{"page":"{PAGE}"}}', 0)
    assert workspace_of(one) == key.partition(":")[2].partition("/")[0]
    found = recipients(one, ROSTER)
    reached = list(hub.reached(found))
    assert {name for name, connection in people.items() if connection in reached} == told
    assert len(reached) == len(told)
    assert all(hub.is_reached(each, found) == (name in told) for name, each in people.items())


def test_services_of_a_workspace_have_their_connections_each_for_itself() -> None:
    hub = Hub(100, 2)
    crm, shop = (
        [
            Connection(Identity("shop", "service", None, name), "", None, 1_000, lambda _: None)
            for _ in range(3)
        ]
        for name in ("crm", "web")
    )
    for connection in (*crm[:2], *shop):
        hub.add(connection)
    assert [one.closing for one in crm[:2]] == [None, None]
    assert [one.closing for one in shop] == [TOO_MANY, None, None]
    hub.add(crm[2])
    assert [one.closing for one in crm] == [TOO_MANY, None, None]
    for connection in (*crm, *shop):
        hub.remove(connection)
    assert (hub.count, hub.all()) == (0, [])


def _connection(workspace: str, agent: str, role: Role) -> Connection:
    return Connection(Identity(workspace, role, agent, agent), "", None, 1_000, lambda _: None)
