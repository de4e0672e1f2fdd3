"""Run as a script: becomes a server that cannot outlive the process that started it.

`python -I -S leash.py PARENT_PID SIGNAL UID GID COMMAND…`: drops to the user (unless UID is -1), asks the
kernel to send SIGNAL when the starting thread ends, then replaces itself with the command, so that its pid
is the server's.
It imports nothing of the project: it runs before the server on every start.
"""

from __future__ import annotations

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1


def main(parent_pid: int, death_signal: int, uid: int, gid: int, command: list[str]) -> None:
    """Drops privileges, ties itself to the parent and becomes the command.

    Raises:
        OSError: the user could not be changed, the kernel refused, or the command is not there.
    """
    if uid >= 0:
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)  # before prctl: a change of user clears the signal
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, death_signal, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    if os.getppid() != parent_pid:
        sys.exit("the process that started this server has ended")
    os.execv(command[0], command)  # noqa: S606 - no shell is wanted


if __name__ == "__main__":
    parent, number, user, group = (int(argument) for argument in sys.argv[1:5])
    main(parent, number, user, group, sys.argv[5:])
