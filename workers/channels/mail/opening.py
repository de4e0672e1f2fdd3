"""Opens one mail, in a process of its own: `python -m workers.channels.mail.opening < MAIL`.

A few bytes can be a million parts, lines or attributes for who takes them apart: here they can take no more
than this process has. What is printed: a line of JSON, then the attachments one behind the other.
"""

from __future__ import annotations

import sys

import orjson

from workers.channels.mail.head import UnreadableMailError
from workers.channels.mail.reading import Content, read_content
from workers.runtime.confined import confine

REFUSED = 65
MEMORY_BYTES_MIN = 201_326_592
MEMORY_FACTOR = 10
"""Of addresses, for each byte of the mail: 26 MB in attachments take 7 bytes for each."""
PROCESSOR_S_MAX = 10
"""26 MB in attachments take one."""


def main() -> int:
    """Print what the mail of the standard input holds; the exit code is REFUSED when it cannot be read."""
    raw = sys.stdin.buffer.read()
    confine(MEMORY_BYTES_MIN + MEMORY_FACTOR * len(raw), PROCESSOR_S_MAX)
    try:
        content = read_content(raw)
        sys.stdout.buffer.write(_index(content) + b"\n")
        for one in content.attached:
            sys.stdout.buffer.write(one.data)
    except UnreadableMailError as error:
        return _refused(str(error))
    except MemoryError:
        return _refused("it takes too much memory to read")
    return 0


def _index(content: Content) -> bytes:
    attached = [(one.name, len(one.data)) for one in content.attached]
    return orjson.dumps(
        {"text": content.text, "attached": attached, "bounce": content.bounce and [*content.bounce]}
    )


def _refused(why: str) -> int:
    print(why, file=sys.stderr)  # noqa: T201 - it is how it answers
    return REFUSED


if __name__ == "__main__":
    sys.exit(main())
