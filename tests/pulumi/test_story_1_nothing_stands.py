"""The story's beginning: nothing is deployed, and nothing is by a command that cannot do what it was asked for.

Each test here and in the files after it finds what those before it left behind; see conftest.py.
"""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from shared.layers import LAYERS
from tests.pulumi.workplace import Workplace

pytestmark = pytest.mark.timeout(600)
ABOVE = [known for known in LAYERS if known.reads]


def test_a_preview_shows_the_first_layer_and_says_of_each_other_what_it_lacks(
    workplace: Workplace, stack_files: Mapping[str, bytes]
) -> None:
    told = workplace.dr("preview").told
    assert list(told) == [known.name for known in LAYERS]
    assert told["network"].endswith("to create; there is no stack yet")
    for known in ABOVE:
        assert told[known.name].startswith("not previewed: it reads network")
        assert told[known.name].endswith("stack lab of network is not deployed")
    assert workplace.stacks() == {}
    assert workplace.checkout.contents() == stack_files
    assert not workplace.checkout.flat_outputs.exists()


@pytest.mark.parametrize("name", [known.name for known in ABOVE])
def test_a_layer_above_nothing_is_refused_in_one_line(workplace: Workplace, name: str) -> None:
    ended = workplace.dr("deploy", name, "--yes", exit_code=2)
    assert ended.out == ""
    (line,) = ended.errors
    assert line.startswith(f"error: layer = {name}: it reads network")
    assert workplace.stacks() == {}


@pytest.mark.parametrize("command", [("deploy", "--yes"), ("preview",)], ids=lambda words: words[0])
def test_a_key_that_no_layer_knows_is_refused_before_the_first_layer_is_touched(
    workplace: Workplace, command: tuple[str, ...]
) -> None:
    with workplace.edited(workplace.checkout.stack_file("data", "lab")):
        workplace.checkout.configure("data", "lab", noSuchKey="1")
        ended = workplace.dr(*command, exit_code=2)
    assert ended.out == ""
    (line,) = ended.errors
    assert line.startswith("error: data: noSuchKey = 1: no such setting; known are: ")
    assert workplace.stacks() == {}


def test_what_is_not_in_this_backend_is_no_success_to_destroy_or_to_look_at(workplace: Workplace) -> None:
    for words in (("destroy", "--yes"), ("refresh", "--yes"), ("drift",)):
        (line,) = workplace.dr(*words, exit_code=2).errors
        assert line.startswith("error: stack = lab: no layer has it in the backend file://")
    assert workplace.dr("outputs", exit_code=2).errors[0].startswith("error: stack = lab: nothing is deployed there")
    assert workplace.stacks() == {}
