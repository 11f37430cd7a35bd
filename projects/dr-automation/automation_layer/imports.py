"""What a function's handler imports, read from the sources without running them.

Followed is every import that runs at some time: at the top of a module, inside a function, in a branch. What stands
under ``if TYPE_CHECKING:`` never runs. What cannot be followed is refused: a module left out would be missed only when
the function runs. A package's data comes along with it.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from shared.errors import SettingsError

# They import modules by names that are known only when the code runs.
IMPORTING_BY_NAME = frozenset({"importlib", "pkgutil", "runpy"})

# Certificates. Anything else beside the modules is not the functions'.
DATA_SUFFIXES = frozenset({".pem"})


@dataclass(frozen=True)
class Import:
    """One module that a statement imports.

    Attributes:
        module: its full name.
        statement: the statement, as one would write it.
        place: file and line.
        is_perhaps_a_name: it is the ``b`` of ``from a import b``, which need not be a module.
    """

    module: str
    statement: str
    place: str
    is_perhaps_a_name: bool = False

    @property
    def top(self) -> str:
        """The first part of the module's name."""
        return self.module.partition(".")[0]


@dataclass(frozen=True)
class Imported:
    """What a module imports, directly and through others.

    Attributes:
        files: the functions' own modules with the packages around them, by path below the functions' folder.
        data: what these packages hold beside their modules, likewise.
        outside: what is neither the functions' nor Python's: one import of it, by the first part of its name.
    """

    files: Mapping[str, Path]
    data: Mapping[str, Path]
    outside: Mapping[str, Import]


def imported_by(module: str, functions_folder: Path) -> Imported:
    """Everything a module needs, itself included.

    Args:
        module: one of the functions' modules, such as ``witness.handler``.
        functions_folder: holds the functions' packages.

    Raises:
        SettingsError: a module does not exist, or an import cannot be followed.
    """
    known = _modules(functions_folder)
    if module not in known:
        raise SettingsError("handler", module, f"there is no such module in {functions_folder}")
    tops = {name.partition(".")[0] for name in known}
    files: dict[str, Path] = {}
    outside: dict[str, Import] = {}
    waiting = [Import(module, module, "handler")]
    while waiting:
        each = waiting.pop()
        if each.top in tops:
            for name in _with_packages(each, known):
                path = known[name]
                entry = path.relative_to(functions_folder).as_posix()
                if entry not in files:
                    files[entry] = path
                    waiting += _imports(name, path, entry)
        elif each.top not in sys.stdlib_module_names:
            outside.setdefault(each.top, each)
    return Imported(files, _data(files.values(), functions_folder), outside)


def _data(modules: Iterable[Path], functions_folder: Path) -> Mapping[str, Path]:
    packages = [path.parent for path in modules if path.name == "__init__.py"]
    found = [path for package in packages for path in package.iterdir() if path.suffix in DATA_SUFFIXES]
    return {path.relative_to(functions_folder).as_posix(): path for path in found}


def _modules(functions_folder: Path) -> Mapping[str, Path]:
    """Every module below the folder by its name, in the case that it is stored in: not every file system minds."""
    found = {}
    # A package is taken before a module of the same name, as Python does.
    for path in sorted(functions_folder.rglob("*.py"), key=lambda path: path.name == "__init__.py"):
        parts = path.relative_to(functions_folder).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found[name] = path
    return found


def _with_packages(each: Import, known: Mapping[str, Path]) -> Iterator[str]:
    """The module and the packages around it, outermost first: Python runs them in this order."""
    parts = each.module.split(".")
    names = [".".join(parts[: count + 1]) for count in range(len(parts))]
    for name in names:
        if name in known:
            yield name
        elif not (each.is_perhaps_a_name and name == each.module and _is_bound(parts[-1], known[names[-2]])):
            raise SettingsError(each.place, each.statement, f"there is no module {name} among the functions; write it")


def _is_bound(name: str, path: Path) -> bool:
    """Whether the module has that name. A plain module is a type checker's matter: it has no modules to miss."""
    if path.name != "__init__.py":
        return True
    bound: set[str] = set()
    for node in ast.walk(ast.parse(path.read_bytes())):
        match node:
            case ast.Name(id=found, ctx=ast.Store()):
                bound.add(found)
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                bound.add(node.name)
            case ast.alias():
                bound.add(node.asname or node.name.partition(".")[0])
    return name in bound


def _imports(module: str, path: Path, entry: str) -> Iterator[Import]:
    """What the module's own statements import."""
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    for node in _that_runs(ast.parse(path.read_bytes(), entry)):
        match node:
            case ast.Import():
                found = [_import(alias.name, node, entry) for alias in node.names]
            case ast.ImportFrom():
                found = _from(node, package, entry)
            case ast.Name(id="__import__") | ast.Attribute(attr="__import__"):
                raise _unfollowable(node, entry)
            case _:
                continue
        for each in found:
            if each.top in IMPORTING_BY_NAME:
                raise _unfollowable(node, entry)
            yield each


def _from(node: ast.ImportFrom, package: str, entry: str) -> list[Import]:
    base = node.module or ""
    if node.level:
        parts = package.split(".")
        above = parts[: max(0, len(parts) - node.level + 1)]
        if not package or not above:
            raise SettingsError(
                _place(node, entry), ast.unparse(node), "it leaves the package; name the module in full"
            )
        base = ".".join([*above, *([node.module] if node.module else [])])
    if any(alias.name == "*" for alias in node.names):
        raise SettingsError(_place(node, entry), ast.unparse(node), "name what is imported: a star cannot be followed")
    names = [_import(f"{base}.{alias.name}", node, entry, is_perhaps_a_name=True) for alias in node.names]
    return [_import(base, node, entry), *names]


def _import(module: str, node: ast.Import | ast.ImportFrom, entry: str, *, is_perhaps_a_name: bool = False) -> Import:
    return Import(module, ast.unparse(node), _place(node, entry), is_perhaps_a_name)


def _place(node: ast.expr | ast.stmt, entry: str) -> str:
    return f"{entry}:{node.lineno}"


def _unfollowable(node: ast.expr | ast.stmt, entry: str) -> SettingsError:
    return SettingsError(
        _place(node, entry), ast.unparse(node), "import by an import statement: what this imports cannot be followed"
    )


def _that_runs(node: ast.AST) -> Iterator[ast.AST]:
    """The node and all below it, but for what only a type checker reads."""
    yield node
    for child in _children_that_run(node):
        yield from _that_runs(child)


def _children_that_run(node: ast.AST) -> Iterable[ast.AST]:
    match node:
        case ast.If(test=ast.Name(id="TYPE_CHECKING") | ast.Attribute(attr="TYPE_CHECKING")):
            return node.orelse
        case _:
            return ast.iter_child_nodes(node)
