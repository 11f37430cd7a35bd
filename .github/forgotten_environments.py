"""Find the environments of pull requests that are closed or have lost the label.

``python3 .github/forgotten_environments.py STACKS.json PULL_REQUESTS.json`` prints the names of their stacks as JSON.
Only the standard library is needed.
"""

import json
import re
import sys
from collections.abc import Iterable
from pathlib import Path


def forgotten(stacks: Iterable[str], kept: Iterable[int]) -> list[str]:
    """The stacks of pull requests that no longer want their environment.

    Args:
        stacks: names of all stacks, as ``pulumi stack ls`` gives them; one of another organization is
            ``organization/name``.
        kept: numbers of the pull requests that are open and have the label.
    """
    wanted = {f"pr-{number}" for number in kept}
    names = {stack.rpartition("/")[2] for stack in stacks}
    return sorted(name for name in names if re.fullmatch(r"pr-\d+", name) and name not in wanted)


def main(stacks_file: str, pull_requests_file: str) -> None:
    """Print the stacks to destroy, from these two lists."""
    stacks = json.loads(Path(stacks_file).read_text(encoding="utf-8"))
    pull_requests = json.loads(Path(pull_requests_file).read_text(encoding="utf-8"))
    found = forgotten((stack["name"] for stack in stacks), (each["number"] for each in pull_requests))
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
