"""Freezing, thawing and killing a server with all its backends.

PostgreSQL puts each backend into a session of its own, so the server's process group does not hold them.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import psutil

Tree = Callable[[], list[psutil.Process]]
"""Looks up a server's processes: the postmaster first; none where it is gone."""


def tree_of(pid: int) -> list[psutil.Process]:
    """A process and all its descendants; none where it is gone."""
    try:
        head = psutil.Process(pid)
        return [head, *head.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def freeze_tree(tree: Tree) -> list[psutil.Process]:
    """Stop every process (SIGSTOP) and return them. The postmaster first: from then on it starts no backend."""
    for head in tree()[:1]:
        _send(head.suspend)
    frozen = tree()
    for process in frozen[1:]:
        _send(process.suspend)
    return frozen


def thaw_tree(tree: Tree) -> None:
    """Let every process go on (SIGCONT)."""
    for process in reversed(tree()):
        _send(process.resume)


def kill_tree(tree: Tree) -> list[psutil.Process]:
    """Kill every process (SIGKILL) and return them; it may take a moment until they are dead."""
    doomed = freeze_tree(tree)
    for process in reversed(doomed):
        _send(process.kill)
    return doomed


def _send(signal: Callable[[], None]) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        signal()
