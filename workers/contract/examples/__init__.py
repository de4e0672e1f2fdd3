"""One realistic record of every kind: the first day of a customer of the shop Hoa Sen."""

from __future__ import annotations

from schemas.envelope import Kind
from workers.contract.examples import asked, chain, heard, roster, told
from workers.contract.examples.example import Example

EXAMPLES: dict[Kind, Example] = {
    one.kind: one
    for one in (*heard.EXAMPLES, *asked.EXAMPLES, *chain.EXAMPLES, *roster.EXAMPLES, *told.EXAMPLES)
}
"""By kind; a test fails when the catalogue has a kind without an example."""
