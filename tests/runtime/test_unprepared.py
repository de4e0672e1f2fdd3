"""A database that is not what the program expects: no record is to blame, and the worker says what to do."""

from __future__ import annotations

import asyncpg
import pytest

from config.errors import ExitCode
from tests.runtime.test_patience import Bench, Slow
from workers.cli.exits import expected_error
from workers.runtime.batch import Batch


class Refused(Slow):
    """A handler for which the database lacks something."""

    def __init__(self, error: Exception) -> None:
        super().__init__([])
        self.error = error

    async def handle(self, _: object, batch: Batch) -> None:
        raise self.error


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (asyncpg.InsufficientPrivilegeError("permission denied for table message"), ExitCode.CONFIGURATION),
        (asyncpg.UndefinedTableError('relation "message" does not exist'), ExitCode.DEPENDENCY),
        (asyncpg.UndefinedColumnError('column "bot" does not exist'), ExitCode.DEPENDENCY),
        (asyncpg.UndefinedFunctionError("function f() does not exist"), ExitCode.DEPENDENCY),
        (asyncpg.InvalidSchemaNameError('schema "public" does not exist'), ExitCode.DEPENDENCY),
    ],
)
async def test_the_worker_ends_and_names_the_remedy(error: asyncpg.PostgresError, code: ExitCode) -> None:
    for records in (1, 3):
        bench = Bench(Refused(error), [records])
        with pytest.raises(type(error)) as raised:
            await bench.step()
        assert bench.refused == []
        assert len(bench.left()) == records
    told = expected_error(raised.value)
    assert told is not None
    assert told.exit_code == code
    said = str(told)
    assert said.index("tongdai migrate") < said.index("tongdai access postgres")


async def test_a_value_that_the_database_refuses_is_its_record_s_fault() -> None:
    bench = Bench(Refused(asyncpg.CheckViolationError("new row violates check")), [3])
    await bench.step()
    assert bench.refused == [0, 1, 2]
