"""The manifests of deploy/kubernetes as data: objects, settings and secrets of the example."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from dotenv import dotenv_values
from jsonschema import Draft202012Validator

FOLDER = Path(__file__).parents[2] / "deploy" / "kubernetes"
EXAMPLE = FOLDER / "example"
SCHEMAS = {
    path.stem: json.loads(path.read_text(encoding="utf-8"))
    for path in (Path(__file__).parent / "data").glob("*.json")
}
Object = dict[str, Any]


def read(path: Path) -> list[Object]:
    """The objects of one file."""
    return list(yaml.load_all(path.read_text(encoding="utf-8"), yaml.CSafeLoader))


def kustomization(folder: str) -> Object:
    """What one folder is made of."""
    return read(FOLDER / folder / "kustomization.yaml")[0]


def resources(folder: str) -> Iterator[Path]:
    """The files of manifests that a folder's kustomization names, and none of other folders."""
    for name in kustomization(folder)["resources"]:
        if (path := FOLDER / folder / name).is_file():
            yield path


def variables(path: Path) -> dict[str, str]:
    """The variables of a file, empty ones too."""
    return {name: value or "" for name, value in dotenv_values(path).items()}


def mistakes(manifest: Object) -> list[str]:
    """What the schemas of Kubernetes and KEDA find wrong."""
    for schema in SCHEMAS.values():
        for name, definition in schema["$defs"].items():
            if _is_of(definition, manifest):
                validator = Draft202012Validator({"$ref": f"#/$defs/{name}", "$defs": schema["$defs"]})
                return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(manifest)]
    return [f"there is no {manifest.get('kind')} in {manifest.get('apiVersion')}"]


def _is_of(definition: Object, manifest: Object) -> bool:
    return all(
        manifest.get(field) in _only(definition.get("properties", {}).get(field, {}))
        for field in ("apiVersion", "kind")
    )


def _only(field: Object) -> list[str]:
    """The values that a field may have: `enum`, or the `const` of an alternative."""
    alternatives = field.get("anyOf", [field])
    return [*field.get("enum", []), *(each["const"] for each in alternatives if "const" in each)]


OBJECTS = [
    each
    for folder in ("base", "keda", "workspace", "example")
    for path in resources(folder)
    for each in read(path)
]


def of_kind(kind: str) -> dict[str, Object]:
    """All objects of a kind by their names."""
    return {each["metadata"]["name"]: each for each in OBJECTS if each["kind"] == kind}
