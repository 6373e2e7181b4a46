"""What a notebook's or a module's code says of itself: whom it calls, and what it stands on."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from . import ROOT, UserError
from .notebooks import source

PACKAGE = Path(__file__).parent


def keywords(chapter: str, function: str) -> set[str]:
    """Find the keyword arguments with which a notebook calls a function.

    Parameters
    ----------
    chapter : ``<paper>/<question>``.
    function : the function's last name.

    Returns
    -------
    Names of keywords.
    """
    return {keyword.arg for call in called(chapter, function) for keyword in call.keywords if keyword.arg}


def calls(chapter: str, function: str) -> list[str]:
    """Find the names that a notebook hands to a function, such as the results it makes.

    Parameters
    ----------
    chapter : ``<paper>/<question>``.
    function : the function's last name, such as ``replay`` or ``elicit``.

    Returns
    -------
    First arguments that are plain strings, in order of appearance.
    """
    first = [call.args[0] for call in called(chapter, function) if call.args]
    return list(dict.fromkeys(a.value for a in first if isinstance(a, ast.Constant)))


def called(chapter: str, function: str) -> Iterator[ast.Call]:
    """Find the calls of a function in a notebook.

    Parameters
    ----------
    chapter : ``<paper>/<question>``.
    function : the function's last name.

    Yields
    ------
    The calls, as Python's parser sees them.
    """
    yield from (call for name, call in _calls(source(chapter)) if name == function)


def closure(file: Path) -> list[str]:
    """List the files that a notebook or a module stands on: what it imports, and the tables and banks named there.

    Parameters
    ----------
    file : a notebook, or a module of the package.

    Returns
    -------
    Paths relative to the repository, sorted; what another part of the package does changes nothing for this file.
    """
    seen: set[Path] = set()
    todo = [file]
    while todo:
        current = todo.pop()
        for module in _imported(current):
            if module not in seen:
                seen.add(module)
                todo += [module] if module.suffix == ".py" else []
    return sorted(str(module.relative_to(ROOT)) for module in seen)


@cache
def _calls(notebook: Path) -> tuple[tuple[str | None, ast.Call], ...]:
    calls = [node for node in ast.walk(ast.parse(_code(notebook))) if isinstance(node, ast.Call)]
    functions = [call.func for call in calls]
    names = [f.attr if isinstance(f, ast.Attribute) else getattr(f, "id", None) for f in functions]
    return tuple(zip(names, calls, strict=True))


@cache
def _imported(file: Path) -> tuple[Path, ...]:
    code = _code(file) if file.suffix == ".ipynb" else file.read_text(encoding="utf-8")
    inside = file.parent.relative_to(PACKAGE).parts if file.is_relative_to(PACKAGE) else ()
    found: list[Path] = []
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = ["whosevalues", *inside[: len(inside) + 1 - node.level]] if node.level else []
            stem = ".".join([*base, *([node.module] if node.module else [])])
            names = [stem, *(f"{stem}.{alias.name}" for alias in node.names)]
        else:
            found += _named(node, file)
            continue
        found += [file for name in names for file in _files(name)]
    return tuple(found)


def _named(node: ast.AST, file: Path) -> list[Path]:
    text = node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
    if not text.endswith((".csv", ".yml")) or "/" in text:
        return []
    folders = (file.parent, ROOT, ROOT / "data" / "teaching", ROOT / "benchmarks" / "results")
    return [folder / text for folder in folders if (folder / text).is_file()]


def _files(name: str) -> Iterator[Path]:
    first, *rest = name.split(".")
    if first != "whosevalues":
        return
    for depth in range(len(rest) + 1):
        place = PACKAGE.joinpath(*rest[:depth])
        for file in (place.with_suffix(".py"), place / "__init__.py"):
            if file.is_file():
                yield file


def _code(notebook: Path) -> str:
    try:
        cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
        return "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"{notebook.relative_to(ROOT)} is no notebook ({error}): restore it from the repository"
        ) from error
