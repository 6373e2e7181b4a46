"""Run one notebook safely, clean it, and hand it to the book."""

from __future__ import annotations

import ast
import html
import json
import os
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from . import ROOT, UserError, results
from .data import FOLDER
from .locks import only_writer

SOURCES = ROOT / "notebooks"
PUBLISHED = ROOT / "book" / "notebooks"
EXECUTED = ROOT / "_build" / "executed"
RUNS = ROOT / "_build" / "runs"


def source(name: str) -> Path:
    """Find a notebook by its name.

    Parameters
    ----------
    name : ``<paper>/<question>``, such as ``multicultural/rq1``.

    Returns
    -------
    The output-free source.

    Raises
    ------
    UserError : no such notebook; lists them.
    """
    file = SOURCES / f"{name}.ipynb"
    if not file.is_file():
        known = sorted(str(f.relative_to(SOURCES).with_suffix("")) for f in SOURCES.glob("*/*.ipynb"))
        raise UserError(f"unknown notebook '{name}': there are {', '.join(known)}")
    return file


def parameters(name: str) -> dict[str, object]:
    """Read a notebook's parameters.

    Parameters
    ----------
    name : ``<paper>/<question>``.

    Returns
    -------
    Default value by name, from the cell tagged ``parameters``.
    """
    import papermill

    known = papermill.inspect_notebook(str(source(name)))
    return {key: ast.literal_eval(about["default"]) for key, about in known.items()}


def check_parameters(name: str, given: Mapping[str, object]) -> None:
    """Refuse parameters that a notebook does not know or that have another type than its own.

    Parameters
    ----------
    name : ``<paper>/<question>``.
    given : value by parameter name.

    Raises
    ------
    UserError : an unknown name or a wrong type; lists the known ones.
    """
    known = parameters(name)
    listed = ", ".join(f"{key} ({type(value).__name__})" for key, value in known.items()) or "none"
    for key, value in given.items():
        if key not in known:
            raise UserError(f"unknown parameter '{key}': {name} takes {listed}")
        wanted = type(known[key])
        # A whole number is a fine float; True is a number to Python, but to nobody else.
        if not (type(value) is wanted or (wanted is float and type(value) is int)):
            raise UserError(f"parameter '{key}' of {name} must be {wanted.__name__}, not {value!r}: it takes {listed}")


def run(name: str, given: Mapping[str, object] | None = None, timeout: int = 1800) -> Path:
    """Execute a notebook in a process of its own and publish it to the book if, and only if, it succeeds.

    Parameters
    ----------
    name : ``<paper>/<question>``.
    given : parameters that differ from the notebook's own.
    timeout : seconds that one cell may take.

    Returns
    -------
    The published page. What a failed run left lies in ``_build/executed``, for reading.

    Raises
    ------
    UserError : unknown notebook or parameter; another run writes it; a cell failed, ran too long, or its kernel died.
    """
    import nbformat
    import papermill

    given = dict(given or {})
    check_parameters(name, given)
    executed, page = EXECUTED / f"{name}.ipynb", PUBLISHED / f"{name}.ipynb"
    executed.parent.mkdir(parents=True, exist_ok=True)
    with only_writer(executed):
        started = time.time()
        os.environ[results.RUNNER] = "1"
        try:
            papermill.execute_notebook(
                str(source(name)), str(executed), given, cwd=str(source(name).parent), execution_timeout=timeout,
                progress_bar=sys.stderr.isatty(), log_output=True, kernel_name="python3",
            )  # fmt: skip
        except Exception as error:
            kept = executed.relative_to(ROOT)
            raise UserError(f"{name} failed ({_reason(error)}); its partial output is in {kept}") from error
        _publish(clean(nbformat.read(executed, as_version=4)), page)
        record = {"notebook": name, "parameters": parameters(name) | given, "seconds": round(time.time() - started, 1)}
        _replace(RUNS / f"{name}.json", json.dumps(record | results.provenance(), indent=1) + "\n")
    return page


def clean(notebook):
    """Strip from an executed notebook what a reader must not see.

    Parameters
    ----------
    notebook : an nbformat notebook.

    Returns
    -------
    The notebook without papermill's metadata and execution times, machine paths shortened and keys blotted out.
    """
    import nbformat

    for thing in (notebook, *notebook.cells):
        thing.metadata.pop("papermill", None)
        thing.metadata.pop("execution", None)
    return nbformat.from_dict(_everywhere(notebook, _scrub()))


def _everywhere(value, change: Callable[[str], str]):
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list):
        return [_everywhere(item, change) for item in value]
    return {key: _everywhere(item, change) for key, item in value.items()} if isinstance(value, dict) else value


def _scrub() -> Callable[[str], str]:
    secrets = {form for secret in _secrets() for form in (secret, html.escape(secret), repr(secret)[1:-1])}
    machine = {str(ROOT): ".", sys.prefix: "[environment]", tempfile.gettempdir(): "[tmp]", str(Path.home()): "~"}
    if folder := os.environ.get(FOLDER):
        machine[str((ROOT / folder).resolve())] = "[data]"
    # The longest path first, as one may lie in another. A path of one part, such as a home of /, is no secret.
    paths = sorted((path for path in machine if len(Path(path).parts) > 1), key=len, reverse=True)
    # Not in the middle of a longer name or of an address: https://example.org/tmp is nobody's machine.
    patterns = [re.escape(secret) for secret in secrets]
    patterns += [rf"(?<![\w.~-]){re.escape(path)}(?![\w-])" for path in paths]
    return lambda text: re.sub("|".join(patterns), lambda found: machine.get(found[0], "[secret]"), text)


def _reason(error: Exception) -> str:
    # papermill repeats the whole traceback; a time-out or a dead kernel is told in the first line.
    text = f"{error.ename}: {error.evalue}" if hasattr(error, "evalue") else str(error)
    lines = text.strip().splitlines() or [type(error).__name__]
    return lines[0]


def _secrets() -> Iterator[str]:
    for name, value in os.environ.items():
        if re.search(r"key|token|secret|passw|credential|_pat$", name, re.IGNORECASE) and len(value) >= 8:
            yield value


def _publish(notebook, page: Path) -> None:
    import nbformat

    _replace(page, nbformat.writes(notebook) + "\n")


def _replace(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_name(f".{file.name}.{os.getpid()}")
    partial.write_text(text, encoding="utf-8")
    partial.replace(file)
