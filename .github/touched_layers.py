"""Which layers a change touches: ``PYTHONPATH=. python3 .github/touched_layers.py BASE`` prints their names as JSON.

BASE is the commit to compare the checkout's with. Only the standard library is needed.
"""

import json
import subprocess
import sys
from collections.abc import Iterable

from shared.layers import LAYERS, REPOSITORY_ROOT

# Every layer's program reads these, so a change here can change what it declares. A change in deployment/, lab/ or
# tests/ cannot.
SHARED_BY_ALL = ("shared/", "environments/", "requirements.lock")


def touched(paths: Iterable[str]) -> list[str]:
    """The layers that a change of these files touches, in the order of deployment.

    Args:
        paths: the files, from the repository's root.
    """
    changed = list(paths)
    return [
        layer.name
        for layer in LAYERS
        if any(path.startswith((f"projects/{layer.name}/", *SHARED_BY_ALL)) for path in changed)
    ]


def changed_since(base: str) -> list[str]:
    """The files that differ between a commit and the one checked out; a renamed file under both its names."""
    listed = subprocess.run(
        ["git", "diff", "--name-only", "--no-renames", "-z", base, "HEAD"],
        cwd=REPOSITORY_ROOT,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return listed.stdout.split("\0")[:-1]


if __name__ == "__main__":
    sys.stdout.write(json.dumps(touched(changed_since(sys.argv[1]))) + "\n")
