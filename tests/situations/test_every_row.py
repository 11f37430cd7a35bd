"""Every command in every situation of the table in docs/deploying.md: the database that takes writes stays as it is.

The rows and columns are those that the document is written from. Each situation is brought about in a running lab by
what brings it about in life, and each command runs as a person runs it. The answer must be the table's, and before and
after it the database that takes writes must be the same instance, in the same state, in the same groups, with the same
parameters, not restarted, and take a row.

It runs with the lab's stand-in for the Pulumi CLI, and with the CLI itself where there is one. The stand-in can decide
what ``./dr`` asks for and refuses, and what the programs declare in each situation; what the engine makes of state,
``protect`` and ``ignore_changes``, only the CLI can. Neither can decide what the AWS provider does, and the lab's
environment is a short-lived one: a bare ``pulumi destroy`` is held here by a protection that a person has set, while
what a program protects in which role is tested in projects/data. A destroy that the table lets go is declined at its
question. Bare Pulumi runs in the data layer alone, which has the databases.
"""

from __future__ import annotations

import pytest

from deployment.arguments import Command
from deployment.verdict import Answer
from deployment.verdict_page import COLUMNS, EXAMPLES, Column
from lab.settings import LAB_STACK
from shared.layers import LAYERS
from tests.pulumi.terminal import answered_at_a_terminal
from tests.pulumi.workplace import Ended, Workplace
from tests.situations.database import seen
from tests.situations.events import QUICKLY
from tests.situations.story import STORY, Scene, Story

pytestmark = pytest.mark.timeout(1500)
UPWARDS = tuple(known.name for known in LAYERS)
FAILED, REFUSED, DECLINED, DRIFTED = 1, 2, 3, 3
WITHOUT_SNAPSHOT = "go without a last snapshot"
BARE = (("up",), ("up", "--refresh"), ("refresh",))
every_scene = pytest.mark.parametrize("scene", STORY, ids=lambda scene: scene.title.partition(":")[0])


def test_every_situation_of_the_table_is_in_the_story() -> None:
    assert sorted(scene.title for scene in STORY) == sorted(EXAMPLES)


@every_scene
@pytest.mark.parametrize("column", COLUMNS, ids=lambda column: column.head)
def test_a_command_does_what_the_table_says_and_nothing_to_the_writer(
    story: Story, scene: Scene, column: Column
) -> None:
    story.reach(scene)
    workplace = story.place.workplace
    before = seen(workplace, scene.writer)
    with workplace.edited(workplace.checkout.stack_file("data", LAB_STACK)):
        if column.command is Command.DESTROY:
            workplace.checkout.configure("data", LAB_STACK, skipFinalSnapshot=column.destruction.is_short_lived)
        ended = _run(workplace, column.command, column.layers)
    assert seen(workplace, scene.writer) == before
    assert _answer(ended, column.command, scene) is column.answer(EXAMPLES[scene.title]), str(ended)


@every_scene
def test_all_layers_are_deployed_where_each_may_be(story: Story, scene: Scene) -> None:
    story.reach(scene)
    workplace = story.place.workplace
    answers = [each.answer(EXAMPLES[scene.title]) for each in COLUMNS if each.command is Command.DEPLOY]
    worst = next(each for each in (Answer.REFUSE, Answer.WARN, Answer.GO) if each in answers)
    if scene.is_dark and worst is not Answer.REFUSE:
        pytest.skip("each was deployed alone, and before each of them the dark region is waited for")
    before = seen(workplace, scene.writer)
    # Without the automation there is none to be deployed, so that this situation lasts.
    layers = () if scene is not STORY[0] else ("network", "data")
    ended = _run(workplace, Command.DEPLOY, layers)
    assert seen(workplace, scene.writer) == before
    assert _answer(ended, Command.DEPLOY, scene) is worst, str(ended)


@every_scene
@pytest.mark.parametrize("words", BARE, ids=" ".join)
def test_bare_pulumi_which_asks_nobody_does_nothing_to_the_writer_either(
    story: Story, scene: Scene, words: tuple[str, ...]
) -> None:
    story.reach(scene)
    workplace = story.place.workplace
    before = seen(workplace, scene.writer)
    ended = _bare(workplace, *words, *QUICKLY)
    assert seen(workplace, scene.writer) == before
    assert scene.is_dark or ended.exit_code == 0, str(ended)


@every_scene
def test_what_is_protected_is_not_destroyed_by_bare_pulumi(story: Story, scene: Scene) -> None:
    story.reach(scene)
    workplace = story.place.workplace
    before, resources = seen(workplace, scene.writer), workplace.resources("data")
    assert _bare(workplace, "state", "protect", "--all", "--yes").exit_code == 0
    ended = _bare(workplace, "destroy", "--yes")
    assert _bare(workplace, "state", "unprotect", "--all", "--yes").exit_code == 0
    assert ended.exit_code != 0
    assert "because it is protected" in ended.out + ended.err
    assert workplace.resources("data") == resources
    assert seen(workplace, scene.writer) == before


def _run(workplace: Workplace, command: Command, layers: tuple[str, ...]) -> Ended:
    words = [*layers, "--stack", LAB_STACK]
    if command is Command.DESTROY:
        # Of all layers: those above stand on the data layer.
        return answered_at_a_terminal(workplace, [command, *words[len(layers) :]], "no")
    if command.changes_state:
        words += QUICKLY
    return workplace.run(workplace.command("deployment", command, *words), workplace.checkout.root)


def _bare(workplace: Workplace, *words: str) -> Ended:
    # The CLI writes a salt into the file.
    with workplace.edited(workplace.checkout.stack_file("data", LAB_STACK)):
        return workplace.pulumi("data", *words, "--stack", LAB_STACK)


def _answer(ended: Ended, command: Command, scene: Scene) -> Answer:
    """What became of a command, by what it says and ends with."""
    told = " ".join((ended.out + ended.err).split())
    if ended.exit_code == REFUSED and "error: layer = " in told:
        assert scene.said in told or WITHOUT_SNAPSHOT in told, str(ended)
        return Answer.REFUSE
    expected = {Command.DESTROY: (DECLINED,), Command.DRIFT: (0, DRIFTED)}.get(command, (0,))
    assert ended.exit_code in (*expected, *([FAILED] if scene.is_dark else [])), str(ended)
    if not ended.out.startswith("WARNING: "):
        return Answer.GO
    assert scene.said in told, str(ended)
    return Answer.WARN
