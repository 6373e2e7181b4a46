"""One notebook run safely: wrong parameters, failures, dead kernels, secrets."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest
from conftest import REPOSITORY, write_notebook

from whosevalues import UserError, cli, notebooks


def chapter(compendium, code: str, parameters: str = "n = 1  # how often\nshare = 0.5  # of all\n") -> Path:
    """Replace the second chapter; gives the page it would be published as."""
    write_notebook(compendium.root / "notebooks" / "toy" / "second.ipynb", code, parameters)
    return compendium.root / "book" / "notebooks" / "toy" / "second.ipynb"


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ("rounds=3", "unknown parameter 'rounds': toy/second takes n (int), share (float)"),
        ("n=many", "parameter 'n' of toy/second must be int, not 'many'"),
        ("n=True", "parameter 'n' of toy/second must be int, not True"),
        ("share=[0.5]", "parameter 'share' of toy/second must be float, not [0.5]"),
        ("n", "'n' is no parameter: write name=value"),
    ],
)
def test_a_wrong_parameter_is_refused_before_anything_runs(tmp_path, monkeypatch, capsys, given, complaint):
    """papermill only logs an unknown parameter: a typing error would silently give the default's numbers."""
    for name in ("SOURCES", "PUBLISHED", "EXECUTED", "RUNS"):
        monkeypatch.setattr(notebooks, name, tmp_path / name)
    parameters = "n = 1  # how often\nshare = 0.5  # of all\n"
    write_notebook(tmp_path / "SOURCES" / "toy" / "second.ipynb", "raise SystemExit('it ran')", parameters)
    monkeypatch.setattr(sys, "argv", ["whosevalues", "notebook", "toy/second", "-p", given])
    with pytest.raises(SystemExit) as end:
        cli.main()
    said = capsys.readouterr()
    assert end.value.code == 2 and said.out == ""
    assert [complaint in line for line in said.err.splitlines()] == [True]
    assert [file.name for file in tmp_path.iterdir()] == ["SOURCES"]


def test_right_parameters_arrive(compendium):
    """A whole number is a fine share, and what was asked for is recorded."""
    page = chapter(compendium, "print(n + 1, share)")
    done = compendium.run("whosevalues", "notebook", "toy/second", "-p", "n=41", "-p", "share=1")
    assert done.returncode == 0, done.stdout
    assert "42 1" in page.read_text()
    assert compendium.record("toy/second")["parameters"] == {"n": 41, "share": 1}


@pytest.mark.parametrize(
    ("code", "options", "complaint"),
    [
        ("print('begun')\n1 / 0", (), "ZeroDivisionError"),
        ("import time\nprint('begun', flush=True)\ntime.sleep(600)", ("--timeout", "6"), "6 seconds"),
        ("import os\nprint('begun', flush=True)\nimport time; time.sleep(3)\nos._exit(1)", (), "died"),
    ],
    ids=["error", "timeout", "dead kernel"],
)
def test_a_run_that_did_not_end_well_is_not_published_and_can_be_read(compendium, code, options, complaint):
    """A timed-out notebook calls itself completed and a dead kernel leaves a file: neither may become a page."""
    page = chapter(compendium, code)
    page.parent.mkdir(parents=True)
    page.write_text("the page of an earlier run")
    done = compendium.run("whosevalues", "notebook", "toy/second", *options)
    assert done.returncode == 2
    last = done.stdout.strip().splitlines()[-1]
    assert last.startswith("whosevalues: toy/second failed") and complaint in last, done.stdout
    assert page.read_text() == "the page of an earlier run"
    assert "begun" in (compendium.root / "_build" / "executed" / "toy" / "second.ipynb").read_text()
    assert not (compendium.root / "_build" / "runs" / "toy" / "second.json").exists()


def test_a_killed_run_is_not_published(compendium):
    """SIGKILL in the middle of a notebook must leave no page and no lock behind."""
    page = chapter(
        compendium, "from pathlib import Path\nimport time\nPath('../../started').touch()\ntime.sleep(n)", "n = 60\n"
    )
    process = compendium.start("whosevalues", "notebook", "toy/second")
    while not (compendium.root / "started").exists():
        assert process.poll() is None, process.stdout.read()
        time.sleep(0.1)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert not page.exists()
    assert compendium.run("whosevalues", "notebook", "toy/second", "-p", "n=0").returncode == 0
    assert page.exists()


def test_pages_carry_no_paths_secrets_or_run_metadata(compendium):
    """Keys and the layout of somebody's machine must not be published, whether printed, warned of or given."""
    code = (
        "import os, sys, warnings, pathlib\n"
        "warnings.warn('careful')\n"
        "print(os.environ['TOY_API_KEY'], pathlib.Path.home() / 'x', sys.prefix, pathlib.Path('../..').resolve())\n"
    )
    page = chapter(compendium, code)
    done = compendium.run("whosevalues", "notebook", "toy/second", TOY_API_KEY="sk-very-secret-indeed")
    assert done.returncode == 0, done.stdout
    text = page.read_text()
    assert "careful" in text and "[secret]" in text
    for leak in ("sk-very-secret-indeed", str(Path.home()) + "/", sys.prefix, str(compendium.root), "papermill"):
        assert leak not in text
    nbformat.validate(nbformat.read(page, as_version=4))


def test_cleaning_finds_every_form_and_leaves_the_rest_alone(monkeypatch, tmp_path):
    """A key inside an HTML table or a folder of data must go; addresses, code and figures must stay as they are."""
    from nbformat.v4 import new_code_cell, new_notebook, new_output

    monkeypatch.setenv("toy_credentials", "pä$$<word>&more")
    monkeypatch.setenv("WHOSEVALUES_DATA", str(tmp_path))
    monkeypatch.setenv("HOME", "/")
    shown = f"<td>pä$$&lt;word&gt;&amp;more</td> PosixPath('{tmp_path}/x.csv') [{notebooks.ROOT}] {sys.prefix}/bin"
    kept = f"https://example.org{notebooks.tempfile.gettempdir()}/x https://x.org/a 1/2 b{notebooks.ROOT}"
    cell = new_code_cell("x = 1 / 2  # /", outputs=[new_output("stream", text=f"{shown}\n{kept}")])
    cleaned = notebooks.clean(new_notebook(cells=[cell])).cells[0]
    assert cleaned.source == "x = 1 / 2  # /"
    first, second = cleaned.outputs[0].text.split("\n")
    assert first == "<td>[secret]</td> PosixPath('[data]/x.csv') [.] [environment]/bin"
    assert second == kept


def test_unknown_notebook_lists_those_there_are():
    """A misspelt chapter must show what could have been meant."""
    with pytest.raises(UserError, match="unknown notebook 'mena/alignement': there are .*mena/alignment"):
        notebooks.run("mena/alignement")


CHAPTERS = [
    str(f.relative_to(REPOSITORY / "notebooks").with_suffix("")) for f in (REPOSITORY / "notebooks").glob("*/*.ipynb")
]


@pytest.mark.parametrize("name", CHAPTERS)
def test_sources_have_no_outputs_and_their_functions_are_short(name):
    """Readers open the sources: outputs would go stale there, and long functions belong where tests are."""
    import ast

    notebook = json.loads(notebooks.source(name).read_text())
    for cell in notebook["cells"]:
        assert not cell.get("outputs") and not cell.get("execution_count")
        if cell["cell_type"] == "code":
            for node in ast.walk(ast.parse("".join(cell["source"]))):
                if isinstance(node, ast.FunctionDef):
                    assert node.end_lineno - node.lineno < 10, f"{node.name} is longer than ten lines"


PARTS = [
    "What the paper says",
    "The data",
    "The run",
    "Beside the paper",
    "What holds, what does not",
    "Try it",
    "Colophon",
]


@pytest.mark.parametrize("name", [name for name in CHAPTERS if not name.startswith("synthesis/")])
def test_chapters_have_the_fixed_shape(name):
    """A reader of one chapter knows where to look in all: same parts, one parameters cell, one solution."""
    cells = json.loads(notebooks.source(name).read_text())["cells"]
    text = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown"]
    assert text[0].splitlines()[0].startswith("# ") and text[0].splitlines()[0].endswith("?")
    headings = [line[3:] for block in text for line in block.splitlines() if line.startswith("## ")]
    assert [h for h in headings if h in PARTS] == PARTS
    tags = [tag for cell in cells for tag in cell["metadata"].get("tags", [])]
    assert tags.count("parameters") == 1 and tags.count("solution") == 1
    parameters = next(c for c in cells if "parameters" in c["metadata"].get("tags", []))
    for line in "".join(parameters["source"]).splitlines():
        assert "#" in line, f"the parameter in '{line}' needs a comment that says why"


@pytest.mark.parametrize(
    ("name", "start", "given"),
    [
        ("mena/alignment", "own folder", {"model": "uniform", "countries": ["EG", "TR"]}),
        ("multicultural/responses", "repository", {"model": "uniform"}),
        ("multicultural/people", "repository", {"rounds": 2}),
    ],
    ids=["options read", "answers written and judged", "released data"],
)
def test_plain_papermill_runs_a_chapter_from_anywhere(compendium, name, start, given):
    """A researcher runs `papermill notebook out -p model name` without our runner; solutions run with it."""
    source = compendium.root / "notebooks" / f"{name}.ipynb"
    source.parent.mkdir(parents=True, exist_ok=True)
    source.write_text(notebooks.source(name).read_text())
    folder = compendium.root if start == "repository" else source.parent
    options = [option for key, value in given.items() for option in ("-y", f"{key}: {json.dumps(value)}")]
    done = subprocess.run(
        ["papermill", os.path.relpath(source, folder), str(compendium.root / "out.ipynb"), *options],
        cwd=folder, env=compendium.environment, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    cells = nbformat.read(compendium.root / "out.ipynb", as_version=4).cells
    solution = next(cell for cell in cells if "solution" in cell.metadata.get("tags", []))
    assert solution.execution_count
