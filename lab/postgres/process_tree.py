"""Stopping, resuming and killing a server with all its backends.

PostgreSQL puts each backend into a session of its own, so a process group alone does not hold them.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import psutil

Tree = Callable[[], list[psutil.Process]]
"""Looks at a server's processes: its first one first, none where it is gone."""


def tree_of(pid: int) -> list[psutil.Process]:
    """A process and all its descendants; none where it is gone."""
    try:
        head = psutil.Process(pid)
        return [head, *head.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def freeze_tree(tree: Tree) -> None:
    """Stop every process (SIGSTOP), the first one first: from then on it starts no other."""
    for head in tree()[:1]:
        with contextlib.suppress(psutil.NoSuchProcess):
            head.suspend()
    for process in tree()[1:]:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.suspend()


def thaw_tree(tree: Tree) -> None:
    """Let every process go on."""
    for process in reversed(tree()):
        with contextlib.suppress(psutil.NoSuchProcess):
            process.resume()


def kill_tree(tree: Tree) -> list[psutil.Process]:
    """Kill every process (SIGKILL); they may take a moment to be gone.

    Returns:
        The processes it was done to.
    """
    for head in tree()[:1]:
        with contextlib.suppress(psutil.NoSuchProcess):
            # Stopped first, it cannot start another backend between the look and the kill.
            head.suspend()
    doomed = tree()
    for process in reversed(doomed):
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    return doomed
