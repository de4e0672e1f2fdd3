"""SQL that gives each worker a role with its rights and no other. Safe to repeat, after every migration.

It is one transaction: workers at work beside it never stand without what they had.
"""

from __future__ import annotations

from collections.abc import Iterator

from workers.access.rights import VERSION_TABLE, WORKERS, Rights

_ROLE = """DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') THEN CREATE ROLE {role} LOGIN; END IF;
END $$;"""
_CONNECT = """DO $$ BEGIN
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO {roles}', current_database());
END $$;"""
_CLOSE = """DO $$ BEGIN
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
END $$;
REVOKE ALL ON SCHEMA public FROM PUBLIC;"""
# They make tables, or delete rows: that is their owner's right, and stays so.
_AS_OWNER = """ALTER FUNCTION {function} SECURITY DEFINER SET search_path = public, pg_temp;
REVOKE ALL ON FUNCTION {function} FROM PUBLIC;"""


def grants(prefix: str) -> str:
    """The statements, for the owner of the database; the role of routing is `<prefix>_routing`.

    They set no passwords: `ALTER ROLE … PASSWORD` or a line of pg_hba.conf does.
    """
    roles = {f"{prefix}_{worker}": rights for worker, rights in WORKERS.items() if rights.uses_postgres}
    statements = ["BEGIN;", *(_ROLE.format(role=role) for role in roles)]
    functions = sorted({each for rights in roles.values() for each in rights.functions})
    statements += [_CLOSE, *(_AS_OWNER.format(function=each) for each in functions)]
    statements.append(_CONNECT.format(roles=", ".join(roles)))
    for role, rights in roles.items():
        statements.extend(_of(role, rights))
    return "\n".join([*statements, "\nCOMMIT;"]) + "\n"


def _of(role: str, rights: Rights) -> Iterator[str]:
    yield f"\nREVOKE ALL ON ALL TABLES IN SCHEMA public FROM {role};"
    yield f"GRANT USAGE ON SCHEMA public TO {role};"
    yield f"GRANT SELECT ON {', '.join((VERSION_TABLE, *rights.sees))} TO {role};"
    if rights.adds:
        yield f"GRANT SELECT, INSERT ON {', '.join(rights.adds)} TO {role};"
    if rights.changes:
        yield f"GRANT SELECT, INSERT, UPDATE, DELETE ON {', '.join(rights.changes)} TO {role};"
    for table, columns in rights.sees_columns.items():
        yield f"GRANT SELECT ({', '.join(columns)}) ON {table} TO {role};"
    for function in rights.functions:
        yield f"GRANT EXECUTE ON FUNCTION {function} TO {role};"
