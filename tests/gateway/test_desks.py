"""Desks are looked into and changed through any gateway, by who may, and never over what was not seen."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from config.settings import Settings
from schemas.commands import Removed, RosterParts
from schemas.definitions import Agent, Department, Page, Policy, Rule
from tests.gateway.ground import OTHER_PAGE, PAGE, Client, customer_writes, gateway, shop, sign_in
from tests.waiting import until
from workers.gateway.desks.changing import call_of, named
from workers.gateway.problem import ApiError

RULE = Rule(id="r", name="r", owner="an", pages=("zalo:1",), agents=("an",))


@pytest.mark.parametrize(
    ("parts", "call"),
    [
        (RosterParts(rules=(RULE,), before="s"), "change_rules"),
        (RosterParts(order=("s", "r")), "change_rules"),
        (RosterParts(removed=Removed(rules=("r",))), "change_rules"),
        (RosterParts(rules=(RULE,), policy=Policy()), "change_desk"),
        (RosterParts(agents=(Agent(id="an", name="An"),)), "change_desk"),
        (RosterParts(departments=(Department(id="d", name="D", agents=()),)), "change_desk"),
        (RosterParts(pages=(Page(id="zalo:1", name="Z", admins=("an",)),)), "change_desk"),
        (RosterParts(removed=Removed(agents=("an",))), "change_desk"),
        (RosterParts(removed=Removed(departments=("d",))), "change_desk"),
    ],
)
def test_only_rules_are_the_affair_of_pages_admins(parts: RosterParts, call: str) -> None:
    assert call_of(parts) == call


def test_what_is_written_is_what_the_path_names() -> None:
    assert named(RULE, "r") is RULE
    assert named(Policy(), "r") == Policy()
    with pytest.raises(ApiError, match="body/id"):
        named(RULE, "s")


async def change(
    client: Client, path: str, version: int, body: dict[str, Any] | None = None, **more: str
) -> httpx.Response:
    """Ask for a change of the desk as it was at `version`."""
    return await client.ask(f"desks/main/{path}", body, **{"method": "PUT", **more}, version=version)


def dealt_to(agent: str, *, page: str = PAGE, **more: object) -> dict[str, Any]:
    """A rule of a page that deals to one agent."""
    return {"name": agent, "owner": "chu", "pages": [page], "agents": [agent], **more}


@pytest.mark.servers
async def test_an_admin_and_a_pages_admin_change_a_desk_through_two_gateways(
    settings: Settings, topics: dict[str, str]
) -> None:
    async with shop(settings) as rows, gateway(settings) as one, gateway(settings) as two:
        chu, ha, lan = await sign_in(one, "chu"), await sign_in(two, "ha"), await sign_in(two, "lan")
        seen = await chu.get("desks/main/rules")
        assert [rule["id"] for rule in seen.json()["rules"]] == ["first", "second"]
        read = seen.json()["version"]
        assert seen.headers["etag"] == f'"{read}"'
        assert [rule["id"] for rule in (await ha.get("desks/main/rules")).json()["rules"]] == ["first"]
        assert (await ha.get("desks")).json() == {"desks": {"main": read}}
        assert (await lan.get("desks")).json() == {"desks": {}}
        assert (await lan.get("desks/main/rules")).status_code == 403
        assert (await chu.get("desks/other/policy")).status_code == 404
        for part in ("agents", "departments", "pages", "policy"):
            assert (await ha.get(f"desks/main/{part}")).json()["version"] == read

        # What a change would do is told before: to whom a conversation would be offered instead.
        waits = await customer_writes(settings, topics, "u0")
        await until(
            rows, "SELECT FROM desk_conversation WHERE conversation_id = $1 AND rule_id = 'first'", waits
        )
        without = {"removed": {"rules": ["first"]}}
        told = (await ha.ask("desks/main/amend/preview", without)).json()
        assert (told["version"], told["foreseen"]["offered"], told["foreseen"]["given"]) == (read, 1, {})
        assert told["foreseen"]["changes"]["rules"]["removed"] == 1
        (moved,) = told["foreseen"]["moved"]
        assert (moved["conversation"], moved["was"], moved["rule"]) == (str(waits), "offered", None)
        refused = await ha.ask("desks/main/amend/preview", {"removed": {"rules": ["second"]}})
        assert (refused.status_code, refused.json()["code"]) == (409, "forbidden")
        assert (await ha.ask("desks/main/amend/preview", {"policy": {}})).status_code == 403
        assert (await lan.ask("desks/main/amend/preview", without)).status_code == 403
        assert (await chu.get("desks/main/rules")).json()["version"] == read

        # An admin adds a rule before all others; the same request again, elsewhere, is the same request.
        moi = {"id": "moi", **dealt_to("nga")}
        done = await change(chu, "rules/moi?before=first", read, moi, key="k1")
        assert done.status_code == 200, done.text
        version = done.json()["result"]["version"]
        again = await change(chu._replace(http=two), "rules/moi?before=first", read, moi, key="k1")
        assert (again.status_code, again.json()) == (200, done.json())
        assert (await chu.get("desks/main/rules")).json()["version"] == version
        conversation = await customer_writes(settings, topics, "u1")
        dealt = "SELECT FROM desk_conversation WHERE conversation_id = $1 AND holder = $2 AND rule_id = $3"
        await until(rows, dealt, conversation, "nga", "moi")

        # A page's admin changes his own rules, for the roster that there is, and nobody else's.
        own = {"id": "first", **dealt_to("minh")}
        stale = await change(ha, "rules/first", read, own)
        assert (stale.status_code, stale.json()["code"]) == (412, "moved")
        assert stale.json()["details"]["version"] == version
        done = await change(ha, "rules/first?before=moi", version, own)
        assert done.status_code == 200, done.text
        version = done.json()["result"]["version"]
        theirs = {"id": "second", **dealt_to("minh", page=OTHER_PAGE)}
        refused = await change(ha, "rules/second", version, theirs)
        assert (refused.status_code, refused.json()["code"]) == (409, "forbidden")
        assert (await change(ha, "rules/second", version, method="DELETE")).status_code == 409
        assert (await change(ha, "agents/lan", version, {"id": "lan", "name": "Lan"})).status_code == 403
        assert (await change(lan, "rules/first", version, own)).status_code == 403
        conversation = await customer_writes(settings, topics, "u2")
        await until(rows, dealt, conversation, "minh", "first")

        # What is mistyped, however deep, or names what there is not, is told by its name.
        mistyped = {**own, "conditions": {"tag": ["vip"]}}
        told = await change(chu, "rules/first", version, mistyped)
        assert told.status_code == 422
        assert told.json()["details"]["errors"][0]["at"] == "body/conditions/tag"
        unknown = await change(chu, "rules/first", version, {**own, "agents": ["ma"]})
        assert (unknown.status_code, unknown.json()["code"]) == (409, "unknown_agent")
        assert "'ma'" in unknown.json()["detail"]
        assert (await chu.ask("desks/main/rules/first", own, method="PUT")).status_code == 422

        # Several things at once: a new agent with a department that deals, in one act or not at all.
        act = {
            "agents": [{"id": "yen", "name": "Yến"}],
            "departments": [{"id": "ban-hang", "name": "Bán hàng", "agents": ["yen"]}],
            "rules": [{"id": "second", **dealt_to("nga", page=OTHER_PAGE), "departments": ["ban-hang"]}],
            "removed": {"rules": ["moi"]},
        }
        done = await change(chu, "amend", version, act, method="POST")
        assert done.status_code == 200, done.text
        version = done.json()["result"]["version"]
        await until(rows, "SELECT FROM agent_registry WHERE agent_id = 'yen' AND desk_id = 'main'")
        assert [one["id"] for one in (await chu.get("desks/main/rules")).json()["rules"]] == [
            "first",
            "second",
        ]
        policy = {"reasons": [{"id": "gia-cao", "name": "Giá cao"}]}
        assert (await change(chu, "policy", version, policy)).status_code == 200
        assert (await ha.get("desks/main/policy")).json()["policy"]["reasons"][0]["id"] == "gia-cao"
