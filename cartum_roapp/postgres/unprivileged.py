"""Runs a program as another user: PostgreSQL refuses to run as root.

    python -I unprivileged.py UID CAPABILITIES PROGRAM [ARGUMENT …]

CAPABILITIES are the capabilities of root that the program keeps, joined by commas; may be empty (Linux: DAC_OVERRIDE,
DAC_READ_SEARCH). They are needed if the home is below a directory that only root may enter, such as /root. PostgreSQL
checks its programs with access(2), which ignores capabilities unless the secure bit NO_SETUID_FIXUP is set.
Uses the standard library only. Exits with 126 if the change of user is refused.
"""

import ctypes
import os
import struct
import sys

CAPABILITIES = {"DAC_OVERRIDE": 1, "DAC_READ_SEARCH": 2}
REFUSED = 126

_PR_SET_KEEPCAPS, _PR_SET_NO_NEW_PRIVS, _PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE = 8, 38, 47, 2
_PR_GET_SECUREBITS, _PR_SET_SECUREBITS, _SECBIT_NO_SETUID_FIXUP = 27, 28, 4
_CAPABILITY_VERSION_3 = 0x20080522


def _check(libc: ctypes.CDLL, result: int, what: str) -> None:
    if result != 0:
        raise OSError(ctypes.get_errno(), what)


def become(uid: int, names: list[str]) -> None:
    """Changes this process to the user and group `uid`, with only the named capabilities."""
    libc = ctypes.CDLL(None, use_errno=True) if sys.platform.startswith("linux") else None
    if libc and names:
        # Refused if root lacks CAP_SETPCAP. Then it still works if access(2) needs no capability.
        libc.prctl(_PR_SET_SECUREBITS, libc.prctl(_PR_GET_SECUREBITS, 0, 0, 0, 0) | _SECBIT_NO_SETUID_FIXUP, 0, 0, 0)
        _check(libc, libc.prctl(_PR_SET_KEEPCAPS, 1, 0, 0, 0), "keep capabilities")
    os.setgroups([])
    os.setregid(uid, uid)
    os.setreuid(uid, uid)
    if libc is None:
        return
    if names:
        mask = sum(1 << CAPABILITIES[name] for name in names)
        header = struct.pack("=Ii", _CAPABILITY_VERSION_3, 0)
        data = struct.pack("=6I", mask, mask, mask, 0, 0, 0)
        _check(libc, libc.capset(header, data), "set capabilities")
        for name in names:
            raised = libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, CAPABILITIES[name], 0, 0)
            _check(libc, raised, "hand on capabilities")
    _check(libc, libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "forbid new privileges")


def main() -> None:
    uid, names, program = int(sys.argv[1]), sys.argv[2], sys.argv[3:]
    try:
        become(uid, [name for name in names.split(",") if name])
    except OSError as error:
        print(f"can't become user {uid}: {error}", file=sys.stderr)
        sys.exit(REFUSED)
    os.umask(0o077)
    os.execv(program[0], program)  # noqa: S606 - no shell is wanted


if __name__ == "__main__":
    main()
