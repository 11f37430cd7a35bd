"""The story's end: everything is destroyed, also after a failover, and nothing of it is left.

Each test finds what those before it left behind; see conftest.py.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from shared.layers import LAYERS
from tests.pulumi.workplace import Workplace

pytestmark = pytest.mark.timeout(600)
DOWNWARDS = [known.name for known in reversed(LAYERS)]


def test_after_a_failover_a_short_lived_environment_is_destroyed_and_nothing_is_left(
    workplace: Workplace, present_at_first: Mapping[tuple[str, str], set[str]]
) -> None:
    made = workplace.present()
    unseen = {
        service for _, service in made if all(made[at] == present_at_first[at] for at in made if at[1] == service)
    }
    assert unseen == set(), "a listing that sees nothing proves nothing"
    told = workplace.dr("destroy", "--yes", "--skip-preview").told
    assert list(told) == DOWNWARDS
    assert workplace.all_resources() == {name: {} for name in DOWNWARDS}
    left = {at: found - present_at_first[at] for at, found in workplace.present().items()}
    assert {at: names for at, names in left.items() if names} == {}
    assert not workplace.checkout.flat_outputs.exists()


def test_there_are_no_outputs_then(workplace: Workplace) -> None:
    ended = workplace.dr("outputs", exit_code=2)
    assert ended.errors[-1].startswith("error: stack = lab: nothing is deployed there")
    assert not workplace.checkout.flat_outputs.exists()


def test_destroying_again_does_nothing_and_leaves_another_stacks_outputs_alone(workplace: Workplace) -> None:
    file = workplace.checkout.flat_outputs
    file.write_text(json.dumps({"stackName": "prod", "accountId": "111122223333"}))
    before = file.read_bytes()
    words = ("observability", "--yes", "--skip-preview")
    assert workplace.dr("destroy", *words, "--remove").told == {"observability": "0 changes, stack removed"}
    assert set(workplace.stacks()) == {"network", "data", "dr-automation"}
    assert workplace.dr("destroy", *words).told == {"observability": "no stack lab, nothing to destroy"}
    assert file.read_bytes() == before
