"""The noxfile's sessions, by the name one calls them by."""

from __future__ import annotations

import ast

from shared.layers import REPOSITORY_ROOT

NOXFILE = ast.parse((REPOSITORY_ROOT / "noxfile.py").read_text(encoding="utf-8"))


def sessions() -> dict[str, ast.FunctionDef]:
    """Every function that is a session; its name is the function's, unless the decorator says another."""
    found = {}
    for function in (node for node in NOXFILE.body if isinstance(node, ast.FunctionDef)):
        for decorator in function.decorator_list:
            if ast.unparse(decorator).startswith("nox.session"):
                keywords = decorator.keywords if isinstance(decorator, ast.Call) else []
                named = [ast.literal_eval(word.value) for word in keywords if word.arg == "name"]
                found[str(named[0]) if named else function.name] = function
    return found
