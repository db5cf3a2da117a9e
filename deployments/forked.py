"""Imported first in the process that the long runs are forked from, and by nothing else."""

import gc
import os
import signal

# systemd sends SIGTERM to all processes of a service. This one ends with its worker; each fork sets its own handler.
signal.signal(signal.SIGTERM, signal.SIG_IGN)
# Otherwise the first garbage collection of each fork would copy all that is imported.
os.register_at_fork(before=gc.freeze)
