"""The tables that the book is made of: computed, or stored from the last full run, and always with their origin."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

import pandas as pd

from . import ROOT, UserError, data

BUILT = ROOT / "_build" / "results"
PRIVATE = ROOT / "_build" / "private"
RUNNER = "WHOSEVALUES_RUNNER"
"""Set by our own runner alone: what papermill or JupyterLab run by hand must not replace the book's tables."""
TRACKED = ROOT / "results"
LIBRARIES = ("numpy", "pandas", "scipy", "statsmodels", "torch", "transformers")


def replay(
    name: str,
    compute: Callable[[], pd.DataFrame],
    needs: Iterable[str] = (),
    parameters: Mapping[str, object] | None = None,
    banks: Iterable[str] = (),
) -> pd.DataFrame:
    """Compute a result and keep it; show the stored one where its data cannot be had.

    Parameters
    ----------
    name : ``<paper>/<question>``.
    compute : makes the tidy table; called only when all of `needs` are there.
    needs : paths in the data registry.
    parameters : what the run was asked for; kept beside the table.
    banks : files of the teaching data that it is made from.

    Returns
    -------
    The table as written (six significant digits). ``attrs["origin"]`` is 'computed' or 'stored'.

    Raises
    ------
    UserError : a data file has the wrong content, or neither data nor a stored table is there.
    """
    needs = list(needs)
    try:
        for path in needs:
            data.load(path)
    except data.DataUnavailable as error:
        table = stored(name)
        if table is None:
            raise
        about = table.attrs["provenance"]
        hashes = ", ".join(f"{Path(p).name} {h[:8]}" for p, h in about["data"].items()) or "none"
        print(f"Stored table, not computed here: {error}.")
        print(f"It was computed on {about['date'][:10]} at commit {about['commit']} from data {hashes}.")
        _write(name, table, about)
        return table
    return save(name, compute(), needs, parameters, banks)


def save(
    name: str,
    table: pd.DataFrame,
    needs: Iterable[str] = (),
    parameters: Mapping[str, object] | None = None,
    banks: Iterable[str] = (),
) -> pd.DataFrame:
    """Write a result with where it came from: to ``_build/results``, or ``_build/private`` in a run by hand.

    Parameters
    ----------
    name : ``<paper>/<question>``.
    table : tidy, one row per figure.
    needs : paths in the data registry that it was computed from.
    parameters : what the run was asked for.
    banks : files of the teaching data that it was made from.

    Returns
    -------
    The table as a reader of the file sees it.
    """
    hashes = {path: data.registry().loc[path, "sha256"] for path in needs}
    hashes |= {f"teaching/{bank}": _sha256(ROOT / "data" / "teaching" / bank) for bank in banks}
    about = {"origin": "computed", "data": hashes, "parameters": dict(parameters or {}), **provenance()}
    return _read(_write(name, table, about))


def load(name: str) -> pd.DataFrame:
    """Read a result: this build's, else the tracked one.

    Parameters
    ----------
    name : ``<paper>/<question>``.

    Returns
    -------
    The table, with ``attrs["origin"]`` and ``attrs["provenance"]``.

    Raises
    ------
    UserError : there is neither; names the results there are.
    """
    if (BUILT / f"{name}.csv").is_file():
        return _read(BUILT / f"{name}.csv")
    table = stored(name)
    if table is None:
        folders = (BUILT, TRACKED)
        known = sorted({str(f.relative_to(d).with_suffix("")) for d in folders for f in d.rglob("*.csv")})
        raise UserError(f"no result '{name}': there are {', '.join(known) or 'none yet'}; `make book` computes them")
    return table


def stored(name: str) -> pd.DataFrame | None:
    """Read the tracked copy of a result, None where there is none.

    Parameters
    ----------
    name : ``<paper>/<question>``.

    Returns
    -------
    The table of the last full run, ``attrs["origin"]`` being 'stored'.
    """
    file = TRACKED / f"{name}.csv"
    if not file.is_file():
        return None
    table = _read(file)
    table.attrs["origin"] = table.attrs["provenance"]["origin"] = "stored"
    return table


def refresh() -> list[str]:
    """Copy the results of a full run to the tracked folder, leaving alone what did not change.

    Returns
    -------
    Names of the results that were new or different.

    Raises
    ------
    UserError : a result of this build has fewer figures than the tracked one, as a book's small run has, or comes
        from another model; nothing is copied then.
    """
    names = [str(file.relative_to(BUILT).with_suffix("")) for file in sorted(BUILT.rglob("*.csv"))]
    changed = [name for name in names if _is_news(name)]
    for name in changed:
        for suffix in (".csv", ".json"):
            target = TRACKED / f"{name}{suffix}"
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes((BUILT / f"{name}{suffix}").read_bytes())
    return changed


def in_words(row: Mapping[str, float], form: str = ".2f") -> str:
    """Write a figure with its interval, in one piece that no table breaks into lines.

    Parameters
    ----------
    row : `value`, `low` and `high`, the last two NaN where there is no interval.
    form : how a number is written.

    Returns
    -------
    The text.

    Examples
    --------
    >>> in_words({"value": 0.7, "low": 0.63, "high": 0.76}).split()
    ['0.70', '(0.63', 'to', '0.76)']
    """
    value, low, high = (format(row[column], form) for column in ("value", "low", "high"))
    return value if pd.isna(row["low"]) else f"{value} ({low} to {high})".replace(" ", "\N{NO-BREAK SPACE}")


def _is_news(name: str) -> bool:
    built, tracked = _read(BUILT / f"{name}.csv"), stored(name)
    parameters = built.attrs["provenance"]["parameters"]
    # What was made with a file of the reader's own is nobody else's result.
    if built.attrs["origin"] == "stored" or {"own", "benchmarks"} & {*parameters}:
        return False
    if tracked is None:
        return True
    if len(built) < len(tracked):
        raise UserError(f"{name} has fewer figures here than in results/: `make results` makes the full run")
    if tracked.attrs["provenance"]["parameters"].get("model") != parameters.get("model"):
        raise UserError(f"{name} was answered by another model than the tracked table: nothing was copied")
    return (BUILT / f"{name}.csv").read_bytes() != (TRACKED / f"{name}.csv").read_bytes()


def provenance() -> dict[str, object]:
    """State when, by which code and with which libraries something is computed.

    Returns
    -------
    `date` (UTC), `commit` (with '-dirty' where files were changed), `versions` by library.
    """
    versions = {"python": platform.python_version()}
    for library in LIBRARIES:
        versions[library] = metadata.version(library).split("+")[0]
    return {"date": datetime.now(UTC).isoformat(timespec="seconds"), "commit": commit(), "versions": versions}


def commit() -> str:
    """Name the commit that the code stands at.

    Returns
    -------
    Short hash, with '-dirty' where tracked files differ from it; 'unknown' outside a repository.
    """
    command = ["git", "-C", str(ROOT), "describe", "--always", "--dirty", "--exclude=*"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return done.stdout.strip()


def colophon(
    model: Mapping[str, str] | None = None, needs: Iterable[str] = (), started: float | None = None
) -> pd.DataFrame:
    """Say what a chapter was made with: the last cell of every chapter.

    Parameters
    ----------
    model : what `models.describe` says, for chapters that asked one.
    needs : paths in the data registry.
    started : `time.time()` at the chapter's start.

    Returns
    -------
    One row per fact, columns `what` and `value`.
    """
    about = provenance()
    rows = [("commit", about["commit"])]
    rows += [(f"model: {key}", value) for key, value in (model or {}).items()]
    rows += [(f"data: {path}", f"sha256 {data.registry().loc[path, 'sha256'][:12]}") for path in needs]
    rows += [(f"version: {library}", version) for library, version in about["versions"].items()]
    if started is not None:
        rows.append(("duration", f"{time.time() - started:.0f} s"))
    return pd.DataFrame(rows, columns=["what", "value"])


def glue(name: str, value: object) -> None:
    """Keep a value for the chapter's sentences, where ``{glue:text}`` shows it.

    Parameters
    ----------
    name : unique in the chapter.
    value : a number or a text; numpy's numbers become Python's, which alone can be formatted on the page.
    """
    from myst_nb import glue as keep

    keep(name, value.item() if hasattr(value, "item") else value, display=False)


def _listed(parameters: Mapping[str, object]) -> str:
    return ", ".join(f"{name} {value}" for name, value in parameters.items())


def _sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _write(name: str, table: pd.DataFrame, about: Mapping[str, object]) -> Path:
    file = (BUILT if os.environ.get(RUNNER) else PRIVATE) / f"{name}.csv"
    file.parent.mkdir(parents=True, exist_ok=True)
    # The table comes last: a run killed in between leaves no table without its origin.
    for target, text in (
        (file.with_suffix(".json"), json.dumps(about, indent=1, sort_keys=True) + "\n"),
        (file, table.to_csv(index=False, float_format="%.6g", lineterminator="\n")),
    ):
        partial = target.with_name(f".{target.name}.{os.getpid()}")
        partial.write_text(text, encoding="utf-8")
        partial.replace(target)
    return file


def _read(file: Path) -> pd.DataFrame:
    table = pd.read_csv(file, keep_default_na=False, na_values=[""])
    about = json.loads(file.with_suffix(".json").read_text())
    table.attrs.update(origin=about["origin"], provenance=about)
    return table


def runs() -> pd.DataFrame:
    """List the notebooks of this build that ran, as their records say.

    Returns
    -------
    One row per notebook: `notebook`, the `parameters` it ran with, `seconds`, `date`, `commit`.
    """
    records = [json.loads(file.read_text()) for file in sorted((ROOT / "_build" / "runs").rglob("*.json"))]
    rows = [{**record, "parameters": _listed(record["parameters"])} for record in records]
    return pd.DataFrame(rows, columns=["notebook", "parameters", "seconds", "date", "commit"])


def origins() -> pd.DataFrame:
    """List the results of this build and where each came from.

    Returns
    -------
    One row per result and file it was made from: `result`, `origin` ('computed' or 'stored'), `date`, `commit`,
    `data`, `sha256`; the last two missing where a result was made from other results alone.
    """
    rows = []
    for file in sorted(BUILT.rglob("*.csv")):
        name = str(file.relative_to(BUILT).with_suffix(""))
        about = load(name).attrs["provenance"]
        made = {"result": name, **{key: about[key] for key in ("origin", "date", "commit")}}
        rows += [made | {"data": path, "sha256": sha} for path, sha in (about["data"] or {None: None}).items()]
    return pd.DataFrame(rows, columns=["result", "origin", "date", "commit", "data", "sha256"])
