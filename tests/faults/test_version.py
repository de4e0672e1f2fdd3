"""A run says which version it has tried, and what a campaign records of it makes no other one."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from bench.checkout import UNKNOWN, checked_out
from config.errors import UsageError
from faults.version import commit_of, is_since, version


class Checkout:
    """A repository in which a test changes and commits files."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.git("init", "--quiet")

    def git(self, *arguments: str) -> None:
        somebody = ("-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false")
        subprocess.run(["git", *somebody, *arguments], cwd=self.root, check=True, capture_output=True)

    def write(self, name: str, text: str) -> None:
        (self.root / name).parent.mkdir(parents=True, exist_ok=True)
        (self.root / name).write_text(text)

    def commit(self, name: str, text: str) -> str:
        self.write(name, text)
        self.git("add", name)
        self.git("commit", "--quiet", "-m", f"Change {name}")
        return version(self.root)


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


def test_a_version_is_a_commit_and_says_whether_files_differ_from_it(checkout: Checkout) -> None:
    first = checkout.commit("code.py", "1")
    assert len(first) == 12
    checkout.write("code.py", "2")
    assert version(checkout.root) == f"{first}+"


def test_results_make_no_other_version_whether_they_are_committed_or_not(checkout: Checkout) -> None:
    first = checkout.commit("code.py", "1")
    assert checkout.commit("docs/reliability/a-run.json", "{}") == first
    assert checkout.commit("docs/reliability.md", "a table") == first
    checkout.write("docs/reliability/a-run.json", "{ }")
    checkout.write("docs/reliability.md", "another one")
    assert version(checkout.root) == first
    assert checkout.commit("docs/desk.md", "a page") != first


def test_who_names_no_paths_is_told_the_newest_commit_of_all(checkout: Checkout) -> None:
    first = checkout.commit("code.py", "1")
    assert checked_out(checkout.root) == first
    checkout.commit("docs/reliability/a-run.json", "{}")
    second = checked_out(checkout.root)
    assert (len(second), second != first) == (12, True)
    checkout.write("docs/reliability/a-run.json", "{ }")
    assert checked_out(checkout.root) == f"{second}+"


def test_outside_of_a_checkout_nobody_knows_the_version(tmp_path: Path) -> None:
    assert version(tmp_path) == UNKNOWN


def test_a_version_is_since_a_commit_when_it_has_all_of_it(checkout: Checkout) -> None:
    first, second = checkout.commit("code.py", "1"), checkout.commit("code.py", "2")
    assert is_since(second, first, checkout.root)
    assert is_since(f"{second}+", second, checkout.root)
    assert not is_since(first, second, checkout.root)
    assert not is_since(UNKNOWN, first, checkout.root)


def test_what_was_tried_before_its_result_was_committed_is_since_then(checkout: Checkout) -> None:
    tried = checkout.commit("code.py", "1")
    checkout.commit("docs/reliability/a-run.json", "{}")
    assert is_since(tried, commit_of("HEAD", checkout.root), checkout.root)


@pytest.mark.parametrize("name", ["nowhere", "--all"])
def test_a_commit_that_is_not_there_is_told(checkout: Checkout, name: str) -> None:
    checkout.commit("code.py", "1")
    with pytest.raises(UsageError, match="no such commit"):
        commit_of(name, checkout.root)
