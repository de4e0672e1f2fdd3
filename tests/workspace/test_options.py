"""Workspace files: every option of agents, rules and the policy, and each mistake at its place."""

from __future__ import annotations

from datetime import date, time
from pathlib import Path

import pytest

from schemas.definitions import (
    Agent,
    AutoText,
    Conditions,
    Fallback,
    Hours,
    KeywordList,
    Page,
    Policy,
    Reason,
    Rule,
    Stretch,
    Team,
    Window,
)
from workers.workspace.loader import load_workspace
from workers.workspace.mistake import WorkspaceFileError
from workers.workspace.workspace import DeskRoster

FULL = """\
workspace: hoa-sen
agents:
  - {id: lan, name: Lan, capacity: 20, channel_capacity: {zalo: 5, messenger: 9, telegram: 2}}
  - {id: minh, name: Minh, on_leave: true, picture: "https://hoa-sen.vn/minh.jpg"}
departments:
  - {id: sale, name: Bán hàng, agents: [minh]}
pages:
  - {channel: zalo, account: "1", name: Một, admins: [lan], greeting: {vi: Chào}, out_of_hours: {en: Closed}}
policy:
  reasons: [{id: gia, name: Giá cao}, {id: cho, name: Chờ hàng, care: pending_close}]
  keyword_lists: [{id: hoi-gia, words: [giá, bao nhiêu]}]
  silent_after_s: 600
  transfer_timeout_s: 60
  outside_quiet_s: 900
  outside_agents: {"77": lan}
  done_from: [accepted, closed_won]
  former_holders_follow: false
  hours: {stretches: [{days: [sat], begins: 09:00, ends: "12:00"}]}
rules:
  - id: vip
    name: Khách quý
    owner: lan
    channels: [zalo, web, telegram]
    conditions:
      tags: [vip, sỉ]
      lists: [hoi-gia]
      languages: [vi, en_US]
      hours:
        time_zone: Asia/Bangkok
        stretches:
          - {days: [mon, fri], begins: 08:00, ends: "17:30"}
        holidays: [2027-02-06]
    agents: [lan]
    method: self_claim
    fallback: {kind: rule, id: rest}
    online_only: true
    gap_s: 30
    window: {conversations: 5, seconds: 600}
    last_agent_s: 86400
    vip_tags: [vip]
    urgent_after_s: 300
    offer_timeout_s: 45
    next_rings: [{departments: [sale]}, {agents: [lan, minh]}]
    after_refusal: pool
    reply_claims: true
    offline_grace_s: 0
  - {id: rest, name: Còn lại, owner: lan, pages: ["zalo:1"], agents: [lan], fallback: {kind: agent, id: minh}}
"""


def loaded(folder: Path, text: str) -> DeskRoster:
    path = folder / "workspace.yaml"
    path.write_text(text, encoding="utf-8")
    (desk,) = load_workspace(path).desks
    return desk


def test_agents_have_capacity_by_channel_and_leave(tmp_path: Path) -> None:
    lan, minh = loaded(tmp_path, FULL).agents
    assert lan == Agent(
        id="lan",
        name="Lan",
        capacity=20,
        channel_capacity={"zalo": 5, "messenger": 9, "telegram": 2},
        on_leave=False,
    )
    assert "on_leave" not in lan.model_fields_set
    assert minh.on_leave
    assert minh.picture == "https://hoa-sen.vn/minh.jpg"


def test_a_page_says_things_by_itself(tmp_path: Path) -> None:
    (page,) = loaded(tmp_path, FULL).pages
    assert page.greeting == AutoText(vi="Chào")
    assert page.out_of_hours == AutoText(en="Closed")
    assert page.model_fields_set == set(Page.model_fields)


def test_the_policy_is_read(tmp_path: Path) -> None:
    assert loaded(tmp_path, FULL).policy == Policy(
        reasons=(Reason(id="gia", name="Giá cao"), Reason(id="cho", name="Chờ hàng", care="pending_close")),
        keyword_lists=(KeywordList(id="hoi-gia", words=("giá", "bao nhiêu")),),
        silent_after_s=600,
        transfer_timeout_s=60,
        outside_quiet_s=900,
        outside_agents={"77": "lan"},
        done_from=("accepted", "closed_won"),
        former_holders_follow=False,
        hours=Hours(stretches=(Stretch(days=("sat",), begins=time(9), ends=time(12)),)),
    )


def test_every_option_of_a_rule_is_read(tmp_path: Path) -> None:
    vip, rest = loaded(tmp_path, FULL).rules
    assert vip == Rule(
        id="vip",
        name="Khách quý",
        owner="lan",
        channels=("zalo", "web", "telegram"),
        conditions=Conditions(
            tags=("vip", "sỉ"),
            lists=("hoi-gia",),
            languages=("vi", "en_US"),
            hours=Hours(
                time_zone="Asia/Bangkok",
                stretches=(Stretch(days=("mon", "fri"), begins=time(8), ends=time(17, 30)),),
                holidays=(date(2027, 2, 6),),
            ),
        ),
        agents=("lan",),
        method="self_claim",
        fallback=Fallback(kind="rule", id="rest"),
        online_only=True,
        gap_s=30,
        window=Window(conversations=5, seconds=600),
        last_agent_s=86_400,
        vip_tags=("vip",),
        urgent_after_s=300,
        offer_timeout_s=45,
        next_rings=(Team(departments=("sale",)), Team(agents=("lan", "minh"))),
        after_refusal="pool",
        reply_claims=True,
        offline_grace_s=0,
    )
    assert vip.model_fields_set == set(Rule.model_fields)
    assert rest.fallback == Fallback(kind="agent", id="minh")


def test_every_field_of_the_models_can_be_written(tmp_path: Path) -> None:
    desk = loaded(tmp_path, FULL)
    said = desk.policy.model_fields_set
    assert said == set(Policy.model_fields)
    assert desk.agents[0].model_fields_set | desk.agents[1].model_fields_set == set(Agent.model_fields)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("{zalo: 5", "{zalo: 0", "3:65: the zalo capacity of the agent lan is '0'"),
        ("{zalo: 5", "{zallo: 5", "did you mean zalo?"),
        ("on_leave: true", "on_leave: maybe", "4:38: on_leave of the agent minh is 'maybe': expected true"),
        ("greeting: {vi: Chào}", "greeting: Chào", "greeting of the page 1 names no language"),
        ("{vi: Chào}", "{}", "greeting of the page 1 names no language: expected vi"),
        ("{en: Closed}", "{fr: Fermé}", "'fr' is no field of out_of_hours of the page 1"),
        ("en: Closed", 'en: ""', "en of out_of_hours of the page 1 is ''"),
        (
            "[sat], begins: 09:00",
            "[sat], begins: 9",
            "the begin of a stretch of the hours of the policy is '9'",
        ),
        ("{id: cho,", "{id: gia,", "the reason 'gia' stands twice"),
        ("care: pending_close", "care: pending", "the care status of a reason is 'pending': did you mean"),
        ("[giá, bao nhiêu]", "[]", "the words of the keyword list hoi-gia has 0 members"),
        ("silent_after_s: 600", "silent_after_s: ten", "12:19: silent_after_s of the policy, in seconds, is"),
        ('{"77": lan}', '{"77": lann}', "15:26: the policy names the agent 'lann', which is not in agents"),
        ('{"77": lan}', "[lan]", "15:19: outside_agents of the policy is no mapping"),
        ("[accepted, closed_won]", "[acepted]", "one of done_from of the policy is 'acepted': did you mean"),
        ("follow: false", "follow: no", "former_holders_follow of the policy is 'no'"),
        (
            "channels: [zalo, web",
            "channels: [zallo",
            "one of channels of the rule vip is 'zallo': did you mean",
        ),
        ("https://hoa-sen.vn", "http://hoa-sen.vn", "the picture of the agent minh is 'http://hoa-sen.vn"),
        ("telegram: 2}", "2: 2}", "a channel in the channel_capacity of the agent lan is '2': expected"),
        ("telegram: 2}", "telegram: 2, telegram: 3}", "the channel 'telegram' stands twice"),
        ("telegram: 2}", "telegram: 0}", "the telegram capacity of the agent lan is '0'"),
        (
            "    channels: [zalo, web, telegram]\n",
            "",
            "the rule vip names no page: add pages: […] or channels",
        ),
        ("tags: [vip, sỉ]", "tags: [[vip]]", "25:14: one of the tags of the conditions of the rule vip is"),
        ("lists: [hoi-gia]", "lists: [hoi]", "names the keyword list 'hoi', which is not in keyword lists"),
        ("Asia/Bangkok", "Asia/Bangkog", "29:20: the time zone of the hours of the rule vip is"),
        ("[mon, fri]", "[monday]", "one of the days of a stretch of the hours of the rule vip is 'monday'"),
        ("begins: 08:00", "begins: 25:00", "is '25:00': expected a time such as 08:30"),
        ("begins: 08:00, ", "", "a stretch of the hours of the rule vip has no begins"),
        ("[2027-02-06]", "[6/2/2027]", "32:20: a holiday of the hours of the rule vip is '6/2/2027'"),
        (
            "id: rest}",
            "id: rst}",
            "35:32: the fallback of the rule vip names the rule 'rst', which is not in rules",
        ),
        (
            "{kind: rule, id: rest}",
            "{kind: rule}",
            "the fallback of the rule vip has no id: add id: … of the rule",
        ),
        (
            "{kind: rule, id: rest}",
            "{kind: wait, id: rest}",
            "the fallback of the rule vip waits, and has an id",
        ),
        ("{kind: agent, id: minh}", "{kind: agent, id: min}", "did you mean minh?"),
        ("gap_s: 30", "gap_s: 0", "gap_s of the rule vip, in seconds, is '0'"),
        ("conversations: 5, ", "", "the window of the rule vip has no conversations"),
        ("departments: [sale]}", "departments: [sales]}", "a next ring of the rule vip names the department"),
        ("after_refusal: pool", "after_refusal: wait", "after_refusal of the rule vip is 'wait'"),
        ("offline_grace_s: 0", "offline_grace_s: 86401", "expected a whole number from 0 to 86400"),
    ],
)
def test_a_mistake_is_told_at_its_place(tmp_path: Path, old: str, new: str, told: str) -> None:
    assert old in FULL
    with pytest.raises(WorkspaceFileError) as caught:
        loaded(tmp_path, FULL.replace(old, new, 1))
    found = [str(mistake) for mistake in caught.value.mistakes]
    assert any(told in mistake for mistake in found), found
