"""The same storage in a bucket, before a server that speaks as Amazon's S3 does."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from config.attachments import AttachmentsSettings
from workers.files.storage import Range, Storage, StorageDownError, open_storage

KEY = "acme/ab/abab"


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    # Here, since every test process reads every test, and this takes longer than most to be read.
    from moto.server import ThreadedMotoServer  # noqa: PLC0415

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    httpx.put(f"http://{host}:{port}/chat-files", trust_env=False).raise_for_status()
    yield f"http://{host}:{port}"
    server.stop()


def bucket(endpoint: str, name: str = "chat-files") -> Storage:
    secrets = {"s3_access_key": "an id", "s3_secret_key": "a secret"}
    return open_storage(
        AttachmentsSettings.model_validate({"s3_bucket": name, "s3_endpoint": endpoint, **secrets})
    )


async def test_a_bucket_keeps_files_and_gives_them_back_whole_and_in_part(s3: str, tmp_path: Path) -> None:
    storage, file = bucket(s3), tmp_path / "file"
    data = bytes(range(256)) * 30_000  # more than one part of an upload
    file.write_bytes(data)
    assert await storage.read(KEY) is None
    assert await storage.size_bytes(KEY) is None
    await storage.keep(KEY, file)
    whole, part = await storage.read(KEY), await storage.read(KEY, Range(1_000, 1_010))
    assert whole is not None
    assert part is not None
    assert b"".join([chunk async for chunk in whole.chunks]) == data
    assert (whole.size_bytes, part.size_bytes) == (len(data), len(data))
    assert b"".join([chunk async for chunk in part.chunks]) == data[1_000:1_010]
    await storage.remove(KEY)
    await storage.remove(KEY)
    assert await storage.read(KEY) is None


async def test_a_bucket_that_cannot_be_used_is_told_as_such(s3: str, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"x")
    with pytest.raises(StorageDownError):
        await bucket(s3, "another-bucket").keep(KEY, file)
