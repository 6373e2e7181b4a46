"""The graph as a user meets it: nothing twice, nothing lost, nothing by hand."""

import json
import os
import re
import signal
import subprocess
import time

import pandas as pd
import pytest
from conftest import Compendium, write_notebook

from whosevalues import elicitation, graph, sources


def ran(done) -> list[str]:
    """Which rules Snakemake ran, from its own words."""
    return re.findall(r"Finished jobid: \d+ \(Rule: (.+)\)", done.stdout)


def would_run(compendium: Compendium) -> list[str]:
    """Which rules `make book` would run now."""
    done = compendium.run("snakemake", "book", "--dry-run")
    assert done.returncode == 0, done.stdout
    return sorted(set(re.findall(r"^(\S+) +\d+$", done.stdout, re.M)) - {"total"})


def wait_for(condition, seconds: float = 240) -> None:
    """Wait until something is so."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never came to be"
        time.sleep(0.05)


def test_a_second_build_does_nothing_and_each_change_only_what_depends_on_it(compendium):
    """A reader who types `make book` twice, or edits one thing, must not wait for everything again."""
    first = compendium.make()
    assert first.returncode == 0, first.stdout
    assert (compendium.root / "_build" / "html" / "notebooks" / "toy" / "first.html").is_file()

    (compendium.root / "Snakefile").touch()
    notebook = compendium.root / "notebooks" / "toy" / "first.ipynb"
    notebook.touch()
    assert would_run(compendium) == []

    stats = compendium.root / "src" / "whosevalues" / "stats.py"
    text = stats.read_text()
    stats.write_text(f"{text}\n# a change\n")
    assert would_run(compendium) == ["book", "html", "toy/second"]
    stats.write_text(text)

    result = compendium.root / "_build" / "results" / "toy" / "first.csv"
    result.unlink()
    assert "toy/first" in would_run(compendium)

    notebook.write_text(notebook.read_text().replace("n / 3", "n / 4"))
    assert sorted(ran(compendium.make())) == ["book", "html", "toy/first"]
    assert result.is_file()
    again = compendium.make()
    assert again.returncode == 0 and ran(again) == [], again.stdout


PAGE = "book/notebooks/toy/second.ipynb"


def begin(compendium: Compendium) -> subprocess.Popen:
    """Start a build whose second chapter computes until a file named `end` is there; comes back when it computes."""
    write_notebook(
        compendium.root / "notebooks" / "toy" / "second.ipynb",
        "import time\nfrom pathlib import Path\nhere = Path('../..')\n(here / 'started').touch()\n"
        "while not (here / 'end').exists():\n    time.sleep(0.05)\n",
    )
    process = compendium.start("snakemake", PAGE)
    wait_for((compendium.root / "started").exists)
    return process


def end(compendium: Compendium) -> None:
    """Let the second chapter come to its end."""
    (compendium.root / "end").touch()


def refused(compendium: Compendium) -> str:
    """Why another build stepped back, from its one line."""
    done = compendium.run("snakemake", PAGE)
    said = [line for line in done.stdout.splitlines() if "still being written by process" in line]
    assert done.returncode == 2 and len(said) == 1, done.stdout
    return said[0]


@pytest.mark.parametrize("victim", ["ctrl-c", "all", "snakemake"])
def test_an_interrupted_build_is_finished_by_the_same_command(compendium, victim):
    """After Ctrl-C, SIGKILL of all or of Snakemake alone, plain `make book` finishes or says who still writes."""
    process = begin(compendium)
    if victim == "ctrl-c":
        os.killpg(process.pid, signal.SIGINT)
    elif victim == "all":
        os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
    process.communicate(timeout=120) if victim != "snakemake" else process.wait(timeout=120)

    if victim == "snakemake":
        assert "toy/second" in refused(compendium)
        end(compendium)
        # Its lines end when the last process that the dead Snakemake has left behind does.
        process.stdout.read()
        assert (compendium.root / PAGE).exists()
    end(compendium)
    done = compendium.run("snakemake", PAGE)
    assert done.returncode == 0, done.stdout
    assert (compendium.root / PAGE).is_file()


def test_two_builds_of_one_folder_do_not_meet(compendium):
    """A second `make book` beside a running one must step back in one line, not write the same files."""
    process = begin(compendium)
    assert refused(compendium)
    end(compendium)
    said, _ = process.communicate(timeout=120)
    assert process.returncode == 0, said


@pytest.mark.skipif(not os.environ.get("WHOSEVALUES_DATA"), reason="WHOSEVALUES_DATA names no released data")
def test_data_that_come_back_are_used(compendium, tmp_path):
    """A book built from stored tables must compute them as soon as its data can be had, by plain `make book`."""
    (compendium.root / "book" / "_toc.yml").write_text(
        "format: jb-book\nroot: index\nparts:\n  - caption: Toy\n    chapters:\n"
        "      - file: notebooks/multicultural/toy\n"
    )
    write_notebook(
        compendium.root / "notebooks" / "multicultural" / "toy.ipynb",
        "import pandas as pd\nfrom whosevalues import results\n"
        "results.replay('multicultural/responses', lambda: pd.DataFrame({'value': [n]}),\n"
        "    needs=['multicultural/head-2025-08/ground_truth_global.csv'])\n",
    )
    (tmp_path / "empty").mkdir()
    origins = []
    for folder in (tmp_path / "empty", os.environ["WHOSEVALUES_DATA"]):
        done = compendium.run("snakemake", "multicultural", WHOSEVALUES_DATA=str(folder))
        assert done.returncode == 0, done.stdout
        kept = compendium.root / "_build" / "results" / "multicultural" / "responses.json"
        origins.append(json.loads(kept.read_text())["origin"])
    assert origins == ["stored", "computed"]


def test_a_failing_notebook_never_reaches_the_book(compendium):
    """A page with half its numbers is worse than no page: the failed run stops the book and keeps its output."""
    write_notebook(
        compendium.root / "notebooks" / "toy" / "second.ipynb",
        "print('as far as here')\nraise ValueError('no such luck')\n",
    )
    done = compendium.make()
    assert done.returncode == 2
    last = done.stdout.strip().splitlines()[-1]
    assert last.startswith("whosevalues: toy/second failed (ValueError: no such luck)")
    assert not (compendium.root / "book" / "notebooks" / "toy" / "second.ipynb").exists()
    assert not (compendium.root / "_build" / "html" / "index.html").exists()
    assert "as far as here" in (compendium.root / "_build" / "executed" / "toy" / "second.ipynb").read_text()


def test_an_unknown_model_is_named_before_anything_runs(compendium):
    """A misspelt model must cost one line, not a page of Snakemake's words per chapter."""
    done = compendium.run("snakemake", "book", "--config", "model=nope")
    assert done.returncode == 2
    assert done.stdout.strip().splitlines()[-1].startswith("unknown model 'nope': models.yml has smollm2-135m, uniform")
    assert not (compendium.root / "_build" / "runs").exists()


def test_what_a_chapter_depends_on_is_found_in_its_code():
    """Editing one paper's module must not run another paper's chapters; editing a shared one must run all."""
    closure = sources.closure(sources.ROOT / "src" / "whosevalues" / "mena" / "nvas.py")
    assert "src/whosevalues/stats.py" in closure
    assert not any("navab" in file or "multicultural" in file for file in closure)


def test_the_model_that_counts_tokens_is_made_by_its_own_rule():
    """A chapter that converts it on the way has it converted twice, or taken from under another chapter."""
    made = "_build/models/smollm2-135m/whosevalues.json"
    assert made in graph.needs("synthesis/cost", "uniform", [])
    assert made not in graph.needs("multicultural/rq1", "uniform", [])
    needed = graph.needs("mena/alignment", "smollm2-135m", [])
    assert needed.count(made) == 1 and made not in graph.needs("mena/alignment", "uniform", [])


def test_shards_are_asked_one_by_one_and_gathered(compendium):
    """What a cluster asks in parts must come out as one whole table, in order, and be asked once."""
    target = "_build/answers/navab/uniform.parquet"
    done = compendium.run("snakemake", "--config", "model=uniform", "shards=2", "--", target)
    assert done.returncode == 0 and sorted(ran(done)) == ["answers", "shard", "shard"], done.stdout
    answers = compendium.root / "_build" / "answers" / "navab"
    parts = [json.loads((answers / f"uniform.{i}of2.json").read_text()) for i in (1, 2)]
    whole = json.loads((answers / "uniform.json").read_text())
    assert sum(part["new"] for part in parts) == whole["asked"] and whole["new"] == 0
    asked = elicitation.requests("navab")
    assert list(pd.read_parquet(compendium.root / target)["prompt"]) == list(asked["prompt"])

    again = compendium.run("snakemake", "--config", "model=uniform", "shards=2", "--", target)
    assert again.returncode == 0 and ran(again) == [], again.stdout


def test_shards_that_are_no_number_cost_one_line(compendium):
    """A slip on the command line must not be explained by Snakemake."""
    done = compendium.run("snakemake", "book", "--config", "shards=many")
    assert done.returncode == 2
    assert done.stdout.strip().splitlines()[-1].startswith("shards=many is no number of shards: give a whole one")
