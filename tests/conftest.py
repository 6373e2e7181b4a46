"""A small compendium in a folder of its own: real graph, real runner, two short notebooks."""

import json
import os
import shutil
import signal
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

REPOSITORY = Path(__file__).parents[1]
METADATA = {"kernelspec": {"name": "python3", "display_name": "Python 3"}, "language_info": {"name": "python"}}
KEPT = ("Snakefile", "profiles", "models.yml", "src", "data", "_config.yml", "book/_ext", "book/_static", "results")


def write_notebook(file: Path, code: str, parameters: str = "n = 1  # how often\n", title: str = "# A question?"):
    """Write an output-free notebook: title, parameters, one code cell."""
    cells = [new_markdown_cell(title), new_code_cell(parameters), new_code_cell(code)]
    cells[1].metadata["tags"] = ["parameters"]
    for i, cell in enumerate(cells):
        cell.id = f"cell-{i}"
    notebook = new_notebook(cells=cells, metadata=METADATA)
    file.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, file)


class Compendium:
    """A folder with the project's own graph and package; commands run in it as a user would run them."""

    def __init__(self, root: Path):
        self.root = root
        tools = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        self.environment = {**os.environ, "PATH": tools, "PYTHONPATH": str(root / "src"), "OMP_NUM_THREADS": "1"}

    def start(self, *command: str, out: str | None = None, **environment: str) -> subprocess.Popen:
        """Start a command in a process group of its own, with Ctrl-C as a terminal gives it.

        What it prints goes into a pipe, which somebody has to empty, or into the file `out`.
        """
        with nullcontext(subprocess.PIPE) if out is None else (self.root / out).open("w") as output:
            return subprocess.Popen(
                command,
                cwd=self.root,
                env=self.environment | environment,
                text=True,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
            )

    def run(self, *command: str, **environment: str) -> subprocess.CompletedProcess:
        """Run a command to its end; what it printed is in `stdout`."""
        process = self.start(*command, **environment)
        out, _ = process.communicate(timeout=900)
        return subprocess.CompletedProcess(command, process.returncode, out)

    def make(self, **environment: str) -> subprocess.CompletedProcess:
        """Do what `make book` does."""
        return self.run("snakemake", "book", **environment)

    def record(self, chapter: str) -> dict:
        """Read what a chapter's last run recorded."""
        return json.loads((self.root / "_build" / "runs" / f"{chapter}.json").read_text())


def link(source: str, target: str) -> None:
    """Share a large file, where one disk holds both."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


@pytest.fixture
def compendium(tmp_path: Path) -> Compendium:
    """Two chapters: `toy/first` makes a result, `toy/second` reads it not; both take under a second of computing."""
    for name in KEPT:
        source, target = REPOSITORY / name, tmp_path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
        else:
            shutil.copy(source, target)
    # Whatever counts tokens would convert the model again.
    models = REPOSITORY / "_build" / "models"
    if models.is_dir():
        hidden = shutil.ignore_patterns(".*")
        shutil.copytree(models, tmp_path / "_build" / "models", copy_function=link, ignore=hidden)
    (tmp_path / "book" / "_toc.yml").write_text(
        "format: jb-book\nroot: index\nparts:\n  - caption: Toy\n    chapters:\n"
        "      - file: notebooks/toy/first\n      - file: notebooks/toy/second\n"
    )
    (tmp_path / "book" / "index.md").write_text("# Toy\n\nA book of two chapters.\n")
    (tmp_path / "book" / "references.bib").write_text("")
    write_notebook(
        tmp_path / "notebooks" / "toy" / "first.ipynb",
        "import pandas as pd\nfrom whosevalues import results\n"
        "results.replay('toy/first', lambda: pd.DataFrame({'value': [n / 3]}))\n",
    )
    write_notebook(
        tmp_path / "notebooks" / "toy" / "second.ipynb",
        "import time\nfrom whosevalues import stats\nwait = 0\ntime.sleep(wait)\nstats.wilson(n, 2)\n",
    )
    return Compendium(tmp_path)
