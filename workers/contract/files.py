"""The files of the contract: what they should say, and what a folder has of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

import yaml

from schemas.catalogue import RECORDS
from workers.contract.asyncapi import asyncapi_document
from workers.contract.channels import message_name
from workers.contract.examples import EXAMPLES
from workers.contract.record_schemas import record_schema
from workers.contract.release import RECORDED

ASYNCAPI_FILE = "asyncapi.yaml"
_WIDTH = 110


class Difference(NamedTuple):
    """A file, by its path in the folder, and what is wrong: `missing`, `stale` or `of no record`."""

    path: str
    what: str


@cache
def contract_files() -> Mapping[str, str]:
    """Return the text of every file, by its path in the contract's folder. Once: it takes seconds."""
    files = {ASYNCAPI_FILE: _yaml(asyncapi_document())}
    for kind in RECORDS:
        files[f"schemas/{message_name(kind)}.v1.json"] = _json(record_schema(kind))
        files[f"examples/{message_name(kind)}.v1.json"] = _json(EXAMPLES[kind].document())
    return files


def differences(folder: Path) -> list[Difference]:
    """Return where `folder` is not what it should be; releases in it are not looked at."""
    files = contract_files()
    found = [Difference(path, what) for path, text in files.items() if (what := _state(folder / path, text))]
    return found + [Difference(path, "of no record") for path in _superfluous(folder, files)]


def write(folder: Path) -> list[Difference]:
    """Make `folder` what it should be; returns what was not."""
    files = contract_files()
    found = differences(folder)
    for path, what in found:
        target = folder / path
        if what == "of no record":
            target.unlink()
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(files[path], encoding="utf-8")
    return found


def _state(path: Path, text: str) -> str | None:
    if not path.is_file():
        return "missing"
    return None if path.read_text(encoding="utf-8") == text else "stale"


def _superfluous(folder: Path, files: Mapping[str, str]) -> list[str]:
    there = (path.relative_to(folder).as_posix() for part in RECORDED for path in (folder / part).glob("*"))
    return sorted(path for path in there if path not in files)


def _json(document: object) -> str:
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


class _Dumper(yaml.SafeDumper):
    """Long texts as blocks, no anchors: a document that people read."""

    def ignore_aliases(self, data: object) -> bool:
        return data is not None or super().ignore_aliases(data)


def _text(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)


def _yaml(document: object) -> str:
    head = "# Made by `tongdai schema export` from the models in schemas/; do not edit.\n"
    return head + yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=_WIDTH)
