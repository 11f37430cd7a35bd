"""Every import that runs is followed to its module, and what cannot be followed is refused by name."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from automation_layer.imports import imported_by
from shared.errors import SettingsError

HANDLER = "one/handler.py"


def written(folder: Path, sources: Mapping[str, str]) -> Path:
    """A functions' folder: a function ``one``, a package ``two`` beside it, and what else a test puts there."""
    around = {
        "one/__init__.py": "",
        "one/near.py": "",
        "two/__init__.py": "KNOWN = 1\n",
        "two/deep/__init__.py": "",
        "two/deep/down.py": "",
        "two/other.py": "VALUE = 1\n",
    }
    for name, text in {**around, **sources}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def followed(folder: Path, handler: str) -> set[str]:
    """What a handler with this source is archived with, beside itself and its package."""
    found = imported_by("one.handler", written(folder, {HANDLER: handler})).files.keys()
    assert found >= {"one/__init__.py", HANDLER}
    return set(found) - {"one/__init__.py", HANDLER}


@pytest.mark.parametrize(
    ("statement", "files"),
    [
        ("import two.other", {"two/__init__.py", "two/other.py"}),
        ("import two.deep.down as down", {"two/__init__.py", "two/deep/__init__.py", "two/deep/down.py"}),
        ("from two import other", {"two/__init__.py", "two/other.py"}),
        ("from two import KNOWN", {"two/__init__.py"}),
        ("from two.other import VALUE", {"two/__init__.py", "two/other.py"}),
        ("from two.deep import down", {"two/__init__.py", "two/deep/__init__.py", "two/deep/down.py"}),
        ("from . import near", {"one/near.py"}),
        ("from .near import anything", {"one/near.py"}),
        ("def late():\n    import two.other", {"two/__init__.py", "two/other.py"}),
        ("try:\n    import two.other\nexcept ImportError:\n    pass", {"two/__init__.py", "two/other.py"}),
        ("import json, os.path", set()),
        ("import boto3", set()),
    ],
)
def test_an_import_brings_its_module_and_the_packages_around_it(
    tmp_path: Path, statement: str, files: set[str]
) -> None:
    assert followed(tmp_path, statement) == files


def test_what_a_package_itself_imports_comes_along(tmp_path: Path) -> None:
    folder = written(tmp_path, {HANDLER: "import two.other", "two/__init__.py": "from .deep import down"})
    found = imported_by("one.handler", folder).files.keys()
    assert found >= {"two/other.py", "two/deep/__init__.py", "two/deep/down.py"}


def test_certificates_come_along_with_the_package_they_are_in_and_nothing_else_does(tmp_path: Path) -> None:
    beside = ("two/roots.pem", "two/notes.txt", "two/deep/more.pem", "three/__init__.py", "three/a.pem")
    folder = written(tmp_path, {HANDLER: "import two.other", **dict.fromkeys(beside, "")})
    found = imported_by("one.handler", folder)
    assert found.data == {"two/roots.pem": folder / "two/roots.pem"}
    assert not found.data.keys() & found.files.keys()


def test_modules_that_import_each_other_are_followed_once(tmp_path: Path) -> None:
    folder = written(tmp_path, {HANDLER: "import one.near", "one/near.py": "import one.handler"})
    assert set(imported_by("one.handler", folder).files) == {"one/__init__.py", HANDLER, "one/near.py"}


@pytest.mark.parametrize("test", ["TYPE_CHECKING", "typing.TYPE_CHECKING"])
def test_what_only_a_type_checker_reads_is_left_out(tmp_path: Path, test: str) -> None:
    source = f"if {test}:\n    import two.deep, nowhere\nelse:\n    import two.other\n"
    assert followed(tmp_path, source) == {"two/__init__.py", "two/other.py"}


@pytest.mark.parametrize(
    ("statement", "missing"),
    [
        ("import two.othr", "two.othr"),
        ("from two import othr", "two.othr"),
        ("from two.othr import VALUE", "two.othr"),
        ("from two.other.lower import VALUE", "two.other.lower"),
        ("from .nera import anything", "one.nera"),
    ],
)
def test_a_module_that_does_not_exist_is_named(tmp_path: Path, statement: str, missing: str) -> None:
    with pytest.raises(SettingsError) as refused:
        followed(tmp_path, f"\n{statement}")
    assert str(refused.value).startswith(f"one/handler.py:2 = {statement}: there is no module {missing} ")


def test_a_folder_without_an_init_is_no_package(tmp_path: Path) -> None:
    folder = written(tmp_path, {HANDLER: "import two.bare.inner", "two/bare/inner.py": ""})
    with pytest.raises(SettingsError, match=r"there is no module two\.bare among the functions"):
        imported_by("one.handler", folder)


def test_a_handler_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"handler = one\.handlr: there is no such module in "):
        imported_by("one.handlr", written(tmp_path, {}))


@pytest.mark.parametrize(
    ("source", "statement"),
    [
        ("import importlib", "import importlib"),
        ("from importlib import import_module", "from importlib import import_module"),
        ("def late():\n    import importlib.util", "import importlib.util"),
        ("import runpy", "import runpy"),
        ("two = __import__('two')", "__import__"),
        ("import builtins\nbuiltins.__import__('two')", "builtins.__import__"),
    ],
)
def test_an_import_by_name_is_refused(tmp_path: Path, source: str, statement: str) -> None:
    with pytest.raises(SettingsError, match=r"^one/handler\.py:\d = .*: import by an import statement") as refused:
        followed(tmp_path, source)
    assert refused.value.value == statement


@pytest.mark.parametrize(
    ("statement", "remedy"),
    [("from two import *", "name what is imported"), ("from ... import two", "it leaves the package")],
)
def test_what_else_cannot_be_followed_is_refused(tmp_path: Path, statement: str, remedy: str) -> None:
    with pytest.raises(SettingsError, match=remedy):
        followed(tmp_path, statement)


def test_what_is_not_ours_is_known_with_a_place_that_imports_it(tmp_path: Path) -> None:
    folder = written(tmp_path, {HANDLER: "import json\nimport boto3.session\nfrom jmespath import search"})
    outside = imported_by("one.handler", folder).outside
    assert {name: each.place for name, each in outside.items()} == {
        "boto3": "one/handler.py:2",
        "jmespath": "one/handler.py:3",
    }
