"""What Postgres would do for a statement: the steps of a plan that `EXPLAIN (FORMAT JSON)` tells."""

from __future__ import annotations

from bench.plans import Node, nodes


def scans(plan: Node) -> list[tuple[str, str]]:
    """Each table that is read or changed: how, and which."""
    return [(node["Node Type"], node["Relation Name"]) for node in nodes(plan) if "Relation Name" in node]


def read_whole(plan: Node) -> set[str]:
    """The tables of which every row is read."""
    return {table for how, table in scans(plan) if how == "Seq Scan"}
