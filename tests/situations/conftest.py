"""A lab for the stand-in for the Pulumi CLI, and one for the CLI where there is one."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator

import pytest

from lab.settings import LAB_STACK
from shared.sites import Site
from tests.pulumi.running_lab import free_database_port, running_lab
from tests.pulumi.workplace import Workplace, copy_of_repository, variables_without_an_account
from tests.situations.breakable_lab import PROGRAM, STAND_IN
from tests.situations.events import Place
from tests.situations.story import STORY, Story

ENGINES = ("stand-in", "CLI")
PERSON = "who-deploys"
ALL_RIGHTS = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The story goes one way: all that happens in one situation, then what happens in the next."""
    # Other folders' tests have stories, too.
    ours = [index for index, item in enumerate(items) if "scene" in getattr(item, "fixturenames", ())]
    in_order = sorted((items[index] for index in ours), key=_when)
    for index, item in zip(ours, in_order, strict=True):
        items[index] = item


def _when(item: pytest.Item) -> tuple[int, int, bool]:
    params = item.callspec.params  # type: ignore[attr-defined]
    scene, column = params["scene"], params.get("column")
    # This brings the automation, without which the first situation is.
    ends_it = scene is STORY[0] and column is not None and "dr-automation" in column.layers
    return ENGINES.index(params["story"]), STORY.index(scene), ends_it


@pytest.fixture(scope="session", params=ENGINES)
def story(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """A copy of the repository with nothing deployed, and its lab."""
    is_real = request.param == "CLI"
    if is_real and shutil.which("pulumi") is None:
        pytest.skip("pulumi is not on PATH: install the Pulumi CLI (https://www.pulumi.com/docs/install/)")
    folder = tmp_path_factory.mktemp("situations")
    checkout = copy_of_repository(folder / "checkout")
    checkout.configure("network", LAB_STACK, databasePort=free_database_port())
    # Commands that take all of the machine's processors must not look like a dead writer: a person is asked first.
    checkout.configure("dr-automation", LAB_STACK, mode="manual")
    variables = variables_without_an_account(checkout.root)
    with running_lab(checkout.root, folder / "lab.log", variables, PROGRAM) as lab:
        given = {**variables, **lab.variables}
        if not is_real:
            given["PATH"] = f"{given[STAND_IN]}{os.pathsep}{given['PATH']}"
        yield Story(Place(lab, _of_a_person(Workplace(checkout, given, folder / "states" if is_real else None))))


def _of_a_person(roots: Workplace) -> Workplace:
    """The same with the keys of somebody who has all rights: to the root user the lab's dark regions answer."""
    iam = roots.client("iam", roots.environment.regions[Site.RECOVERY])
    iam.create_user(UserName=PERSON)
    iam.put_user_policy(UserName=PERSON, PolicyName="all", PolicyDocument=json.dumps(ALL_RIGHTS))
    key = iam.create_access_key(UserName=PERSON)["AccessKey"]
    roots.variables["AWS_ACCESS_KEY_ID"] = key["AccessKeyId"]
    roots.variables["AWS_SECRET_ACCESS_KEY"] = key["SecretAccessKey"]
    return roots
