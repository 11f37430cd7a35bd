"""What a lab leaves on the machine: its folder, with a lock and a register of its processes, and how both go away.

The rest of the lab uses what is named here.
"""

from lab.home.children import ChildProcesses
from lab.home.folder import LabHome
from lab.home.mounts import unmount_below
from lab.home.postmaster import read_pid_file, release_shared_memory
from lab.home.processes import is_alive, wait_until_dead

__all__ = [
    "ChildProcesses",
    "LabHome",
    "is_alive",
    "read_pid_file",
    "release_shared_memory",
    "unmount_below",
    "wait_until_dead",
]
