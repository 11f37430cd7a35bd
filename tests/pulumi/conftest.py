"""The real Pulumi CLI over a lab. Without the CLI everything here is skipped, and says so: nothing passes unrun.

The tests in ``test_story_*.py`` are one story, told in the order of the files: each builds on what those before it have
deployed. After the first that fails, the rest is skipped.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping

import pytest

from tests.pulumi.running_lab import free_database_port, running_lab
from tests.pulumi.workplace import Workplace, copy_of_repository, variables_without_an_account

NOT_ON_PATH = (
    "pulumi is not on PATH: install the Pulumi CLI (https://www.pulumi.com/docs/install/), then run this again"
)
BROKEN = pytest.StashKey[str]()


def _is_of_the_story(item: pytest.Item) -> bool:
    return item.path.name.startswith("test_story_")


def pytest_runtest_setup(item: pytest.Item) -> None:
    broken = item.session.stash.get(BROKEN, None)
    if broken is not None and _is_of_the_story(item):
        pytest.skip(f"it builds on {broken}, which failed")


def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> None:
    failed = call.excinfo is not None and not call.excinfo.errisinstance(pytest.skip.Exception)
    if failed and _is_of_the_story(item):
        item.session.stash.setdefault(BROKEN, item.name)


@pytest.fixture(scope="session", autouse=True)
def the_real_cli() -> None:
    if shutil.which("pulumi") is None:
        pytest.skip(NOT_ON_PATH)


@pytest.fixture(scope="session")
def workplace(the_real_cli: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workplace]:
    """A copy of the repository with nothing deployed, and its lab."""
    folder = tmp_path_factory.mktemp("engine")
    checkout = copy_of_repository(folder / "checkout")
    checkout.configure("network", "lab", databasePort=free_database_port())
    # Commands that take all of the machine's processors must not look like a dead writer: a person is asked first.
    checkout.configure("dr-automation", "lab", mode="manual")
    variables = variables_without_an_account(checkout.root)
    with running_lab(checkout.root, folder / "lab.log", variables) as lab:
        yield Workplace(checkout, {**variables, **lab.variables}, folder / "states")


@pytest.fixture(scope="session")
def stack_files(workplace: Workplace) -> Mapping[str, bytes]:
    """Every file that configures a stack, as it was before the first command."""
    return workplace.checkout.contents()


@pytest.fixture(scope="session")
def present_at_first(workplace: Workplace) -> Mapping[tuple[str, str], set[str]]:
    """What an account has in which nothing was deployed yet."""
    return workplace.present()


@pytest.fixture(scope="session", autouse=True)
def at_first(request: pytest.FixtureRequest, the_real_cli: None) -> None:
    """Both are taken before the first test, whichever asks for them."""
    request.getfixturevalue("stack_files")
    request.getfixturevalue("present_at_first")
