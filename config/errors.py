"""The errors that end a command, each with its exit code; scripts rely on these numbers."""

from __future__ import annotations

from enum import IntEnum
from typing import ClassVar


class ExitCode(IntEnum):
    """What a command's exit code means. Fixed from the first release."""

    OK = 0
    FAILED = 1
    USAGE = 2
    CONFIGURATION = 3
    FENCED = 4
    DEPENDENCY = 5


class TongdaiError(Exception):
    """Something went wrong in a known way: its text tells a person what, where and what to do."""

    exit_code: ClassVar[ExitCode] = ExitCode.FAILED


class UsageError(TongdaiError):
    """A command was called with arguments that make no sense."""

    exit_code = ExitCode.USAGE


class ConfigurationError(TongdaiError):
    """The settings, or a file that people write, are wrong."""

    exit_code = ExitCode.CONFIGURATION


class FencedError(TongdaiError):
    """A worker was fenced by others again and again (five times within a minute)."""

    exit_code = ExitCode.FENCED


class DependencyError(TongdaiError):
    """Kafka, Postgres or another server that we need cannot be reached or does not answer."""

    exit_code = ExitCode.DEPENDENCY
