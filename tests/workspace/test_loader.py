"""Workspace files: what is read, and every mistake with its line and column."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.definitions import Agent, Page, Rule
from workers.workspace import nodes
from workers.workspace.loader import load_workspace
from workers.workspace.mistake import UnreadableFileError, WorkspaceFileError

SAMPLE = Path(__file__).parents[2] / "workers" / "local" / "sample.yaml"

SMALL = """\
workspace: hoa-sen
agents:
  - {id: lan, name: Nguyễn Thị Lan, capacity: 20}
  - {id: minh, name: Trần Văn Minh}
departments:
  - {id: ban-hang, name: Bán hàng, agents: [minh]}
pages:
  - {channel: messenger, account: 0104, name: Hoa Sen, admins: [lan, minh], secrets: {token: env:TOKEN}}
rules:
  - {id: deu, name: Chia đều, owner: lan, pages: ["messenger:0104"], agents: [lan], departments: [ban-hang]}
"""


@pytest.fixture(params=["libyaml", "python"])
def loader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both of PyYAML's parsers: wheels have the one written in C, other builds may not."""
    if request.param == "python":
        monkeypatch.setattr(nodes, "_LOADER", yaml.SafeLoader)


def _mistakes(folder: Path, text: str | bytes) -> list[str]:
    path = folder / "workspace.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(WorkspaceFileError) as caught:
        load_workspace(path)
    assert str(path) in str(caught.value)
    return [str(mistake) for mistake in caught.value.mistakes]


def _replaced(old: str, new: str) -> str:
    assert old in SMALL
    return SMALL.replace(old, new, 1)


@pytest.mark.usefixtures("loader")
def test_a_file_gives_its_desks_with_agents_pages_and_rules(tmp_path: Path) -> None:
    path = tmp_path / "workspace.yaml"
    path.write_text(SMALL, encoding="utf-8")
    workspace = load_workspace(path)
    assert workspace.id == "hoa-sen"
    (desk,) = workspace.desks
    assert desk.id == "main"
    assert desk.agents[0] == Agent(id="lan", name="Nguyễn Thị Lan", capacity=20)
    assert desk.agents[1].capacity is None
    assert desk.departments[0].agents == ("minh",)
    # An account is text, also when it looks like a number with a leading zero.
    assert desk.pages == (Page(id="messenger:0104", name="Hoa Sen", admins=("lan", "minh")),)
    assert desk.rules == (
        Rule(
            id="deu",
            name="Chia đều",
            owner="lan",
            pages=("messenger:0104",),
            agents=("lan",),
            departments=("ban-hang",),
            method="round_robin",
        ),
    )


def test_the_sample_of_the_demo_is_what_the_demo_promises() -> None:
    (desk,) = load_workspace(SAMPLE).desks
    assert (len(desk.pages), len(desk.departments), len(desk.agents)) == (5, 2, 12)
    channels = sorted(page.id.split(":")[0] for page in desk.pages)
    assert channels == ["fchat", "messenger", "messenger", "web", "zalo"]
    assert [rule.method for rule in desk.rules] == ["self_claim", *("round_robin",) * 5]
    assert {reason.care for reason in desk.policy.reasons} == {"refused", "pending_close"}
    assert {page for rule in desk.rules for page in rule.pages} == {page.id for page in desk.pages}


def test_several_desks_share_no_agent_and_no_page(tmp_path: Path) -> None:
    text = """\
workspace: hoa-sen
desks:
  - id: main
    agents: [{id: lan, name: Lan}]
    pages: [{channel: zalo, account: "1", name: Một, admins: [lan]}]
  - id: bac
    agents: [{id: lan, name: Lan}, {id: mai, name: Mai}]
    pages: [{channel: zalo, account: "1", name: Một, admins: [mai]}]
"""
    assert _mistakes(tmp_path, text) == [
        "7:19: the agent 'lan' stands twice: keep one; the first is in line 4",
        "8:38: the page 'zalo:1' stands twice: keep one; the first is in line 5",
    ]


@pytest.mark.usefixtures("loader")
@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("hoa-sen", "Hoa Sen", "1:12: the workspace's id is 'Hoa Sen': expected 1 to 63 of a-z"),
        ("agents:", "agnts:", "2:1: 'agnts' is no field of the file: did you mean agents?"),
        ("capacity: 20", "capasity: 20", "3:37: 'capasity' is no field of an agent: did you mean capacity?"),
        (
            "capacity: 20",
            "capacity: 0",
            "3:47: the capacity of the agent lan is '0': expected a whole number",
        ),
        ("capacity: 20", "capacity: 1e1", "expected a whole number from 1 to 1000"),
        ("id: minh,", "id: lan,", "4:10: the agent 'lan' stands twice: keep one; the first is in line 3"),
        ("Trần Văn Minh", "~", "4:22: the name of the agent minh is empty: expected 1 to 200 characters"),
        ("[minh]", "[mihn]", "6:45: the department ban-hang names the agent 'mihn', which is not in agents"),
        ("[minh]", "[mihn]", "did you mean minh?"),
        ("[minh]", "[minh, minh]", "6:51: the agent 'minh' stands twice"),
        ("[minh]", "minh", "6:44: agents of the department ban-hang is 'minh': expected a list"),
        (
            "channel: messenger",
            "channel: mesenger",
            "8:15: the channel of a page is 'mesenger': did you mean",
        ),
        ("account: 0104", 'account: "a:b"', "expected the page's id on its channel"),
        ("[lan, minh]", "[]", "8:64: admins of the page 0104 has 0 members: expected 1 to 100"),
        (", admins: [lan, minh]", "", "8:5: a page has no admins: add admins"),
        (
            "env:TOKEN",
            "abc123",
            "a secret of the page 0104 is not a reference: expected env:NAME or file:PATH",
        ),
        ("{token: env:TOKEN}", "abc123", "secrets of the page 0104 are no mapping"),
        (" owner: lan,", "", "10:5: a rule has no owner: add owner"),
        ("owner: lan", "owner: lann", "the owner of the rule deu names the agent 'lann'"),
        ("messenger:0104", "messenger:104", "which is not in pages: did you mean messenger:0104?"),
        ("departments: [ban-hang]", "method: roundrobin", "is 'roundrobin': did you mean round_robin?"),
        (", agents: [lan], departments: [ban-hang]", "", "10:5: the rule deu names nobody who could answer"),
        ("- {id: deu", "- oops\n  - {id: deu", "10:5: a rule is 'oops': expected a mapping with id, name"),
        ("workspace: hoa-sen\n", "", "1:1: the file has no workspace: add workspace"),
        ("name: Hoa Sen", "name: Hoa Sen, name: Hoa", "name stands twice in a page"),
        ("rules:", "desks:", "agents stand beside desks: write agents under the desk"),
    ],
)
def test_a_mistake_is_told_at_its_place(tmp_path: Path, old: str, new: str, told: str) -> None:
    found = _mistakes(tmp_path, _replaced(old, new))
    assert any(told in mistake for mistake in found), found


@pytest.mark.usefixtures("loader")
def test_all_mistakes_are_told_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = (
        _replaced("capacity: 20", "capacity: x").replace("[minh]", "[mihn]").replace("owner: lan", "owner: x")
    )
    lines = [int(mistake.split(":")[0]) for mistake in _mistakes(tmp_path, text)]
    assert lines == [3, 6, 10]


def test_a_secret_that_is_written_out_is_not_repeated(tmp_path: Path) -> None:
    assert "EAAG-secret" not in str(_mistakes(tmp_path, _replaced("env:TOKEN", "EAAG-secret")))


@pytest.mark.usefixtures("loader")
@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "1:1: the file is empty"),
        ("workspace: [a", "this is not YAML"),
        ("workspace: a\n\tagents: []", "2:1: this is not YAML"),
        ("a: 1\n---\nb: 2\n", "a second document begins: one file, one workspace"),
        ("a: &x [*x]\n", "this is an alias: write the value out"),
        ("a: " + "[" * 100_000, "this is nested too deeply: at most 12 levels"),
        ("- a\n", "1:1: the file is a list: expected a mapping with workspace"),
        (b"workspace: a\nname: \xff\n", "2:1: this is not UTF-8: save the file as UTF-8"),
        ("workspace: a\x00b", "this is not YAML"),
        ("a: x\n" * 1_000_000, "the file is too large: at most 4194304 bytes"),
    ],
)
def test_what_is_no_workspace_file_is_refused(tmp_path: Path, text: str | bytes, told: str) -> None:
    found = _mistakes(tmp_path, text)
    assert any(told in mistake for mistake in found), found


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFileError) as raised:
        load_workspace(tmp_path / "absent.yaml")
    assert str(raised.value) == f"{tmp_path / 'absent.yaml'} cannot be read: No such file or directory"


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.one_of(st.text(), st.text(alphabet="ab:-[]{}, \n&*'\"#|>~")))
def test_no_text_makes_the_loader_fail_otherwise(tmp_path: Path, text: str) -> None:
    path = tmp_path / "workspace.yaml"
    path.write_text(text, encoding="utf-8", errors="replace")
    with pytest.raises(WorkspaceFileError):
        load_workspace(path)
