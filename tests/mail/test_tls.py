"""TLS to a real mail server of this machine: what is right is taken, and anything else gets nothing."""

from __future__ import annotations

from pathlib import Path
from ssl import PROTOCOL_TLS_SERVER, SSLContext

import pytest

from tests.idle_time import in_idle_time
from tests.mail.letters import SENDER, written
from tests.mail.mail_server import mail_server
from tests.security.certificates import Issued, issue
from workers.channels.mail.smtp import Server, Timeouts, Tls, give
from workers.channels.outreach.result import Given, NotGiven, Result

MAIL = written()
TIMEOUTS = Timeouts(10.0, 10.0)


@pytest.fixture
def trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Issued:
    """A certificate for 127.0.0.1 of an authority that this process trusts."""
    issued = issue(tmp_path, "right")
    monkeypatch.setenv("SSL_CERT_FILE", str(issued.authority))
    return issued


def context(issued: Issued) -> SSLContext:
    found = SSLContext(PROTOCOL_TLS_SERVER)
    found.load_cert_chain(issued.certificate, issued.key)
    return found


async def given(port: int, tls: Tls, host: str = "127.0.0.1") -> Result:
    return await give(Server(host, port, tls, None), SENDER.address, "lan@example.com", MAIL, TIMEOUTS)


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
@in_idle_time
async def test_a_server_with_a_good_certificate_gets_the_mail_in_secret(trusted: Issued, tls: Tls) -> None:
    async with mail_server(context(trusted), is_implicit=tls == "implicit") as server:
        assert await given(server.port, tls) == Given()
        assert len(server.kept) == 1
        # What is said in the clear is refused by this server, so it was not.
        assert isinstance(await given(server.port, "none"), NotGiven)
        assert len(server.order) == 1


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
async def test_a_server_that_is_not_who_it_says_gets_nothing(
    trusted: Issued, tmp_path: Path, tls: Tls
) -> None:
    stranger = issue(tmp_path, "stranger")
    assert stranger.authority != trusted.authority
    async with mail_server(context(stranger), is_implicit=tls == "implicit") as server:
        found = await given(server.port, tls)
        assert isinstance(found, NotGiven)
        assert (found.reason, found.again) == ("mail_down", True)
        assert (server.commands, server.order) == ([], [])


async def test_a_good_certificate_of_another_host_is_none(trusted: Issued) -> None:
    async with mail_server(context(trusted)) as server:
        found = await given(server.port, "starttls", "localhost")
        assert isinstance(found, NotGiven)
        assert server.commands == []
