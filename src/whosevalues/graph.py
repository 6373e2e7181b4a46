"""What the graph is made of: read from the table of contents and from the notebooks themselves.

Adding a notebook and its line in ``book/_toc.yml`` is enough: what it makes, asks and imports is found in its code.
"""

from __future__ import annotations

import ast
import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path

import yaml

from . import ROOT, UserError, data
from .elicitation import EXPERIMENTS
from .locks import held, hold
from .notebooks import parameters as notebook_parameters
from .notebooks import source

PACKAGE = Path(__file__).parent


def chapters() -> list[str]:
    """List the notebooks of the book.

    Returns
    -------
    Names ``<paper>/<question>``, in the order of the table of contents.
    """
    toc = yaml.safe_load((ROOT / "book" / "_toc.yml").read_text(encoding="utf-8"))
    files = [entry["file"] for part in toc["parts"] for entry in part["chapters"]]
    return [file.removeprefix("notebooks/") for file in files if file.startswith("notebooks/")]


def result(name: str) -> str:
    """Name the file of a result table.

    Parameters
    ----------
    name : ``<paper>/<question>``.

    Returns
    -------
    Its path in this build, relative to the repository.
    """
    return f"_build/results/{name}.csv"


def makes(chapter: str) -> list[str]:
    """List the result tables that a chapter writes.

    Parameters
    ----------
    chapter : ``<paper>/<question>``.

    Returns
    -------
    Names of results.
    """
    return [*calls(chapter, "replay"), *calls(chapter, "save")]


def papers(names: Iterable[str]) -> list[str]:
    """List the papers of some chapters.

    Parameters
    ----------
    names : of chapters.

    Returns
    -------
    First parts of the names, in order of appearance.
    """
    return list(dict.fromkeys(name.split("/")[0] for name in names))


def needs(chapter: str, model: str, others: Iterable[str]) -> list[str]:
    """List what must be there before a chapter runs.

    Parameters
    ----------
    chapter : ``<paper>/<question>``.
    model : who answers the live experiments.
    others : the chapters that a synthesis looks back on.

    Returns
    -------
    The notebook and the package files it imports; its answers, its data and the stored results it looks at; for
    the ledger the claims and the results they speak of, for the status page the records of the runs. Relative to the
    repository.
    """
    notebook = source(chapter)
    files = [str(notebook.relative_to(ROOT)), *closure(notebook)]
    files += [f"_build/answers/{experiment}.{model}.json" for experiment in calls(chapter, "elicit")]
    if "needs" in keywords(chapter, "replay"):
        files.append(f"_build/data/{chapter.split('/')[0]}.json")
    files += [f"results/{name}.csv" for name in calls(chapter, "stored") if (ROOT / f"results/{name}.csv").is_file()]
    if any(_called(chapter, "ledger")):
        files += [*(result(name) for other in others for name in makes(other))]
    if any(_called(chapter, "runs")):
        files += [f"_build/runs/{other}.json" for other in others]
    return files


def pages() -> list[str]:
    """List what the book is built from beside its executed chapters.

    Returns
    -------
    Pages, settings, and the package whose docstrings make the API page, relative to the repository.
    """
    kept = [*(ROOT / "book").rglob("*"), *(ROOT / "src" / "whosevalues").rglob("*.py"), ROOT / "_config.yml"]
    built = {"notebooks", "_extra", "__pycache__", ".ipynb_checkpoints"}
    files = [file.relative_to(ROOT) for file in kept if file.is_file()]
    return sorted(str(file) for file in files if not built & set(file.parts))


def asks(experiment: str) -> list[str]:
    """List what an experiment's questions are made of.

    Parameters
    ----------
    experiment : 'mena' or 'navab'.

    Returns
    -------
    Package files and the banks that they name, relative to the repository.
    """
    if experiment not in EXPERIMENTS:
        raise UserError(f"unknown experiment '{experiment}': choose {', '.join(EXPERIMENTS)}")
    modules = [PACKAGE / "elicitation.py", PACKAGE.joinpath(*EXPERIMENTS[experiment].split(".")).with_suffix(".py")]
    itself = [str(module.relative_to(ROOT)) for module in modules]
    return sorted({*itself, *(file for module in modules for file in closure(module))})


def options(chapter: str, model: str, full: Mapping[str, object]) -> str:
    """Write the command-line options that a chapter is run with.

    Parameters
    ----------
    chapter : ``<paper>/<question>``.
    model : who answers the live experiments.
    full : what a full run asks for beyond the chapter's own parameters.

    Returns
    -------
    ``-p name=value`` for every parameter that differs from the chapter's own.
    """
    own = notebook_parameters(chapter)
    wanted = {**({"model": model} if "model" in own else {}), **full}
    return " ".join(f"-p {name}={value}" for name, value in wanted.items() if own.get(name) != value)


def data_source() -> str:
    """Say where released data come from, without a path: a clone elsewhere must not run again.

    Returns
    -------
    'folder' or 'network'.
    """
    return "folder" if os.environ.get(data.FOLDER) else "network"


def refuse_second_writer() -> None:
    """Stop, in one line, where another build of this folder runs or a job of a killed one still writes."""
    try:
        hold(ROOT / "_build")
        if busy := held():
            raise UserError(f"{busy[0]}: run the same command when it is done")
    except UserError as error:
        print(error, file=sys.stderr, flush=True)
        # Snakemake would wrap any exception in a page of its own words.
        os._exit(2)


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
    return {keyword.arg for call in _called(chapter, function) for keyword in call.keywords if keyword.arg}


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
    first = [call.args[0] for call in _called(chapter, function) if call.args]
    return list(dict.fromkeys(a.value for a in first if isinstance(a, ast.Constant)))


def _called(chapter: str, function: str) -> Iterator[ast.Call]:
    for node in ast.walk(ast.parse(_code(source(chapter)))):
        if isinstance(node, ast.Call):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", None)
            if called == function:
                yield node


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
    return [folder / text for folder in (file.parent, ROOT, ROOT / "data" / "teaching") if (folder / text).is_file()]


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
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    return "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
