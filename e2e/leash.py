"""Become another program that the kernel kills as soon as its parent is gone.

Usage: python leash.py PARENT_PID PROGRAM [ARGUMENT ...]

`processes.py` starts every child through this file, so that not even SIGKILL of the
demo leaves an Envoy behind. The kernel looks at the parent's *thread*: start children
from a thread that lives as long as they should.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main() -> None:
    parent = int(sys.argv[1])
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before the leash was on
        raise SystemExit(1)
    os.execv(sys.argv[2], sys.argv[2:])


if __name__ == "__main__":
    main()
