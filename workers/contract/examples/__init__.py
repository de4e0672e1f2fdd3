"""One realistic record of every kind: the first day of a customer of the shop Hoa Sen."""

from __future__ import annotations

from schemas.envelope import Kind
from workers.contract.examples import acted, asked, chain, changes, heard, roster, sent, told, wanted
from workers.contract.examples.example import Example

EXAMPLES: dict[Kind, Example] = {
    one.kind: one
    for part in (heard, acted, sent, asked, wanted, chain, changes, roster, told)
    for one in part.EXAMPLES
}
"""By kind; a test fails when the catalogue has a kind without an example."""
