"""Files that customers and agents send each other: where they are kept, how large, of what kinds."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_settings import NoDecode

from config.delivery import Url
from config.keys import Keys, split
from config.networks import Networks
from config.retry import RetrySection
from config.section import PositiveInt, PositiveSeconds, Secret

MIB = 1_048_576
DAY_S = 24 * 60 * 60.0

KINDS: dict[str, tuple[str, tuple[str, ...]]] = {
    "image/jpeg": ("image", (".jpg", ".jpeg")),
    "image/png": ("image", (".png",)),
    "image/gif": ("image", (".gif",)),
    "image/webp": ("image", (".webp",)),
    "image/heic": ("image", (".heic", ".heif")),
    "audio/mpeg": ("audio", (".mp3",)),
    "audio/ogg": ("audio", (".ogg", ".oga", ".opus")),
    "audio/mp4": ("audio", (".m4a",)),
    "audio/aac": ("audio", (".aac",)),
    "audio/amr": ("audio", (".amr",)),
    "audio/wav": ("audio", (".wav",)),
    "video/mp4": ("video", (".mp4",)),
    "video/webm": ("video", (".webm",)),
    "video/quicktime": ("video", (".mov",)),
    "application/pdf": ("file", (".pdf",)),
    "application/zip": ("file", (".zip", ".docx", ".xlsx", ".pptx", ".odt", ".ods", ".odp")),
    "application/x-ole-storage": ("file", (".doc", ".xls", ".ppt")),
    "text/plain": ("file", (".txt", ".csv", ".log", ".md")),
}
"""What a file may be by its content, its type in a message, and how its name may end, the usual way first.

Documents of office programs are archives or OLE containers: which one is told by the name alone.
"""


def _known(kinds: tuple[str, ...]) -> tuple[str, ...]:
    unknown = [kind for kind in kinds if kind not in KINDS]
    if unknown:
        raise ValueError(f"names {unknown[0]!r}, which is not known: known are {', '.join(KINDS)}")
    return kinds


class AttachmentsSettings(RetrySection):
    """Of all workers that take files, fetch them or give them away: the same in each."""

    RETRY: ClassVar = ("fetch_retry_first_s", "fetch_retry_last_s")

    keys: Keys = ()
    """Sign the links to files, separated by commas: the first signs, all are taken. Production keeps no
    files without any."""
    folder: Path = Path(".tongdai/attachments")
    """Where files are kept, unless a bucket is named; shared by all workers."""
    s3_bucket: Annotated[str, Field(min_length=3, max_length=63, pattern=r"^[a-z0-9.\-]+$")] | None = None
    """Keep them in this bucket instead, of Amazon's S3 or any store that speaks as it does."""
    s3_endpoint: Url | None = None
    """Of a store that is not Amazon's."""
    s3_region: Annotated[str, Field(min_length=1, max_length=63)] = "us-east-1"
    """The bucket's."""
    s3_access_key: Secret | None = None
    """Opens the bucket; unset, what the machine itself may."""
    s3_secret_key: Secret | None = None
    """Goes with the access key."""
    public_url: Url | None = None
    """Of the ingress, as platforms reach it: they fetch agents' files there. Without it agents' files reach
    visitors of websites and Zalo only."""
    kinds: Annotated[
        tuple[str, ...], NoDecode, BeforeValidator(split), AfterValidator(_known), Field(min_length=1)
    ] = tuple(KINDS)
    """What is taken, by its content, separated by commas."""
    file_bytes_max: Annotated[int, Field(ge=1_024, le=200 * MIB)] = 25 * MIB
    """Of one file."""
    message_files_max: Annotated[PositiveInt, Field(le=32)] = 10
    """Files of one message."""
    message_bytes_max: Annotated[int, Field(ge=1_024, le=1_024 * MIB)] = 50 * MIB
    """Of all files of one message together."""
    upload_timeout_s: PositiveSeconds = 120.0
    """So long the bytes of one file may take to come."""
    parallel_max: Annotated[PositiveInt, Field(le=1_000)] = 8
    """Files that one worker takes or fetches at once: each lies in its temporary folder meanwhile."""
    pixels_max: Annotated[int, Field(ge=10_000, le=200_000_000)] = 40_000_000
    """A picture with more is not opened: it has no thumbnail, and is a file to be saved."""
    link_s: Annotated[float, Field(ge=60, le=7 * DAY_S)] = 3_600.0
    """A link is good for so long at most, and for half of it at least."""
    unused_keep_s: Annotated[float, Field(ge=600, le=30 * DAY_S)] = DAY_S
    """A file that no message has named is forgotten after so long."""
    fetch_timeout_s: PositiveSeconds = 60.0
    """From the beginning of connecting to the last byte."""
    fetch_attempts_max: Annotated[PositiveInt, Field(le=100)] = 8
    """Failures to fetch a customer's file, then it is given up."""
    fetch_retry_first_s: PositiveSeconds = 2.0
    """The waits between them double from this one."""
    fetch_retry_last_s: PositiveSeconds = 600.0
    """To this one."""
    fetch_networks: Networks = ()
    """Networks that are not public and may be fetched from all the same, separated by commas."""
