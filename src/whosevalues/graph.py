"""What the graph is made of: read from the table of contents and from the notebooks themselves.

Adding a notebook and its line in ``book/_toc.yml`` is enough: what it makes, asks and imports is found in its code.
"""

from __future__ import annotations

import os
import shlex
import sys
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

import yaml

from . import ROOT, UserError, data, models
from .elicitation import EXPERIMENTS
from .locks import held, hold
from .notebooks import parameters as notebook_parameters
from .notebooks import source
from .sources import called, calls, closure, keywords

PACKAGE = Path(__file__).parent
STARTED = time.time()


def chapters() -> list[str]:
    """List the notebooks of the book.

    Returns
    -------
    Names ``<paper>/<question>``, in the order of the table of contents.
    """
    toc = yaml.safe_load((ROOT / "book" / "_toc.yml").read_text(encoding="utf-8"))
    files = [entry["file"] for part in toc["parts"] for entry in part["chapters"]]
    return [file.removeprefix("notebooks/") for file in files if file.startswith("notebooks/")]


def result_files(chapter: str) -> list[str]:
    """Name the files of a chapter's result tables.

    Parameters
    ----------
    chapter : ``<paper>/<question>``.

    Returns
    -------
    Each table and the note of its origin, in this build, relative to the repository.
    """
    return [f"_build/results/{name}{suffix}" for name in makes(chapter) for suffix in (".csv", ".json")]


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
    The notebook and the package files it imports; its answers and their model, or the one whose tokenizer counts for
    all; its data and the stored results it looks at; for the ledger the claims and the results they speak of, for the
    status page the records of the runs. Relative to the repository.
    """
    notebook = source(chapter)
    # A page is what the runner made of a notebook: a better cleaner must clean the published ones, too.
    files = [str(notebook.relative_to(ROOT)), "src/whosevalues/notebooks.py", *closure(notebook)]
    files += [f"_build/answers/{paper}/{model}.json" for paper in calls(chapter, "elicit")]
    loaded = {model} if "model" in notebook_parameters(chapter) else set()
    if "src/whosevalues/cost.py" in files:
        from .cost import COUNTER

        # It would be converted within the chapter, and once more by its own rule, which begins with removing it.
        loaded.add(COUNTER)
    files += [
        f"_build/models/{name}/whosevalues.json"
        for name in sorted(loaded)
        if models.entry(name)["backend"] == "embedded"
    ]
    if "needs" in keywords(chapter, "replay"):
        released = papers(data.registry().index)
        own = [paper for paper in released if chapter.startswith(f"{paper}/")]
        # A synthesis looks at every paper's data.
        files += [f"_build/data/{paper}.json" for paper in own or released]
    files += [f"results/{name}.csv" for name in calls(chapter, "stored") if (ROOT / f"results/{name}.csv").is_file()]
    if any(called(chapter, "ledger")):
        files += [file for other in others for file in result_files(other)]
    if any(called(chapter, "runs")):
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


def shard_count(wanted: object) -> int:
    """Stop, in one line, where questions cannot be split like that.

    Parameters
    ----------
    wanted : in how many shards each paper's questions are put; 0 for none.

    Returns
    -------
    The number.
    """
    if not str(wanted).isdecimal():
        _stop(f"shards={wanted} is no number of shards: give a whole one, such as shards=8")
    return int(str(wanted))


def shards(paper: str, model: str, count: int) -> list[str]:
    """Name the stamps of a paper's shards.

    Parameters
    ----------
    paper : 'multicultural', 'mena' or 'navab'.
    model : who is asked.
    count : in how many shards; with none, whoever gathers the answers also asks.

    Returns
    -------
    One file per shard, relative to the repository.

    Examples
    --------
    >>> shards("mena", "uniform", 2)
    ['_build/answers/mena/uniform.1of2.json', '_build/answers/mena/uniform.2of2.json']
    >>> shards("mena", "uniform", 0)
    []
    """
    return [f"_build/answers/{paper}/{model}.{i}of{count}.json" for i in range(1, count + 1)]


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
    'network', or how many of the registry's files are in the local folder.
    """
    if not os.environ.get(data.FOLDER):
        return "network"
    here = sum((ROOT / os.environ[data.FOLDER] / path).is_file() for path in data.registry().index)
    return f"folder with {here} files"


def tools() -> str:
    """Write what every shell command of the graph begins with.

    Returns
    -------
    A line that puts this environment's own tools first, so that `.venv/bin/snakemake` works from any shell.
    """
    return f"export PATH={shlex.quote(str(Path(sys.executable).parent))}:$PATH; "


def known_model(name: str) -> str:
    """Stop, in one line, where a model is not in models.yml.

    Parameters
    ----------
    name : of the model that shall answer the live experiments.

    Returns
    -------
    The name.
    """
    if name not in models.names():
        _stop(f"unknown model '{name}': models.yml has {', '.join(models.names())}")
    return name


def refuse_second_writer() -> None:
    """Stop, in one line, where another build of this folder runs or a job of a killed one still writes."""
    try:
        hold(ROOT / "_build")
        if busy := held():
            raise UserError(f"{busy[0]}: run the same command when it is done")
    except UserError as error:
        _stop(str(error))


def say_why() -> None:
    """End a failed build with the reasons alone, after all that Snakemake had to say."""
    logs = [log for log in sorted((ROOT / "_build" / "logs").rglob("*.log")) if log.stat().st_mtime > STARTED]
    last = [log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-1:] for log in logs]
    reasons = [line for lines in last for line in lines if line.startswith("whosevalues: ")]
    _stop("\n".join(reasons) or "the book is not finished: the reason stands above; the same command continues")


def _stop(message: str) -> None:
    print(message, file=sys.stderr, flush=True)
    # Snakemake would wrap any exception in a page of its own words.
    os._exit(2)
