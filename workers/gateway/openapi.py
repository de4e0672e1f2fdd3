"""The OpenAPI document of the gateway, from its code."""

from __future__ import annotations

from typing import Any

import orjson
from fastapi import FastAPI

from workers.channels.problem import MEDIA_TYPE

PROBLEM = {"content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}}


class Api(FastAPI):
    """FastAPI, that describes errors as they are answered here: all in one shape, of a type of their own."""

    def openapi(self) -> dict[str, Any]:
        """The document; made once."""
        if self.openapi_schema is None:
            document = super().openapi()
            for methods in document["paths"].values():
                for operation in methods.values():
                    _describe_errors(operation["responses"])
            for unused in ("HTTPValidationError", "ValidationError"):
                document["components"]["schemas"].pop(unused, None)
        return self.openapi_schema or {}


def text_of(api: Api) -> str:
    """The document as JSON, the same for the same code."""
    options = orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE
    return orjson.dumps(api.openapi(), option=options).decode()


def _describe_errors(responses: dict[str, dict[str, Any]]) -> None:
    for status, answer in responses.items():
        if int(status) >= 400:
            responses[status] = {"description": answer["description"], **PROBLEM}
