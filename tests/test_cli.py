"""Bad input: one clear line that names the thing and the choices, exit code 2, nothing half-written."""

import io
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import REPOSITORY

from whosevalues import UserError, cli

TOOL = str(Path(sys.executable).with_name("whosevalues"))


@pytest.fixture
def tool(tmp_path, monkeypatch, capsys):
    """The command line in this process, writing into a folder of its own: exit code, what it printed, what it told."""
    for name in ("cli.ROOT", "elicitation.STORE", "manifest.ANSWERS"):
        monkeypatch.setattr(f"whosevalues.{name}", tmp_path / name)
    for name in ("EXECUTED", "PUBLISHED", "RUNS"):
        monkeypatch.setattr(f"whosevalues.notebooks.{name}", tmp_path / name)

    def run(*command: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["whosevalues", *command])
        with pytest.raises(SystemExit) as end:
            cli.main()
        said = capsys.readouterr()
        return end.value.code, said.out, said.err

    return run


@pytest.mark.parametrize(
    ("command", "line"),
    [
        (("run", "--paper", "mena", "--model", "gpt-5"), "unknown model 'gpt-5': models.yml has smollm2-135m, uniform"),
        (("run", "--paper", "polls"), "unknown paper 'polls': choose multicultural, mena, navab"),
        (
            ("run", "--paper", "mena", "--model", "uniform", "-p", "countries=['UK']"),
            "unknown country 'UK': the item bank has",
        ),
        (
            ("run", "--paper", "mena", "--model", "uniform", "-p", "country=['EG']"),
            "unknown parameter 'country': mena takes countries",
        ),
        (("run", "--paper", "mena", "-p", "countries"), "'countries' is no parameter: write name=value"),
        (("notebook", "mena/align"), "unknown notebook 'mena/align': there are mena/alignment"),
        (
            ("notebook", "mena/alignment", "-p", "langs=['xx']"),
            "unknown parameter 'langs': mena/alignment takes model (str)",
        ),
        (("data", "opinions"), "unknown paper 'opinions': the registry has files of mena, multicultural, navab"),
        (("modells",), "No such command 'modells'"),
    ],
)
def test_what_is_unknown_is_named_with_the_choices(tool, tmp_path, command, line):
    """A typing error must cost one glance, not a traceback; scripts must see that it failed."""
    code, printed, told = tool(*command)
    assert code == 2 and printed == ""
    (said,) = told.splitlines()
    assert said.startswith("whosevalues: ") and line.split(": ")[0] in said
    assert line[:60] in said
    assert list(tmp_path.iterdir()) == []


def test_a_process_of_its_own_says_no_more_than_that():
    """What Python adds at its own end, and the code that a script sees, only a process of its own can show."""
    done = subprocess.run([TOOL, "run", "--paper", "polls"], capture_output=True, text=True)
    assert done.returncode == 2 and done.stdout == ""
    (said,) = done.stderr.splitlines()
    assert said.startswith("whosevalues: unknown paper 'polls'")


def test_debug_shows_where_an_error_came_from(tool):
    """Whoever mends our code needs the traceback that users are spared."""
    with pytest.raises(UserError, match="unknown paper 'polls'"):
        tool("run", "--paper", "polls", "--debug")


def test_a_country_that_a_chapter_cannot_serve_is_named_from_within_the_notebook(compendium):
    """An error inside a kernel must reach the user as the same one line."""
    target = compendium.root / "notebooks" / "mena" / "alignment.ipynb"
    target.parent.mkdir(parents=True)
    target.write_text((REPOSITORY / "notebooks" / "mena" / "alignment.ipynb").read_text())
    done = compendium.run("whosevalues", "notebook", "mena/alignment", "-p", "model=uniform", "-p", "countries=['UK']")
    assert done.returncode == 2
    last = done.stdout.strip().splitlines()[-1]
    assert "mena/alignment failed" in last and "unknown country 'UK'" in last and "GB" in last


def test_a_run_of_no_seeds_is_named(compendium):
    """Nothing to average must end in one line that says what is missing."""
    target = compendium.root / "notebooks" / "multicultural" / "rq1.ipynb"
    target.parent.mkdir(parents=True)
    target.write_text((REPOSITORY / "notebooks" / "multicultural" / "rq1.ipynb").read_text())
    done = compendium.run("whosevalues", "notebook", "multicultural/rq1", "-p", "seeds=0")
    last = done.stdout.strip().splitlines()[-1]
    # Without data there is nothing to run, whatever the number of seeds: the stored table is shown.
    assert (done.returncode, "`seeds` must be 1 or more" in last) in [(2, True), (0, False)]


@pytest.mark.parametrize("content", ["", "questions: [", "\x00\x01"], ids=["empty", "torn", "binary"])
def test_a_broken_question_bank_is_named(compendium, content):
    """An empty or corrupt data file must be named, and nothing written from it."""
    (compendium.root / "data" / "teaching" / "questions.yml").write_text(content)
    done = compendium.run("whosevalues", "run", "--paper", "mena", "--model", "uniform", "--yes")
    assert done.returncode == 2
    (said,) = done.stdout.strip().splitlines()
    assert "questions.yml" in said
    assert not (compendium.root / "_build" / "responses").exists()


def test_a_model_that_answers_nothing_usable_is_counted(compendium):
    """A model that refuses everything is a finding: the run must say so, and must not ask it all again."""
    scripted = compendium.root / "src" / "whosevalues" / "models" / "scripted.py"
    scripted.write_text(scripted.read_text().replace("1 / len(names) for name", "0.0 for name"))
    run = ("whosevalues", "run", "--paper", "mena", "--model", "uniform", "--limit", "5", "--yes")
    first, second = compendium.run(*run), compendium.run(*run)
    assert "mena: 5 questions, 5 of them new, 0 errors, 5 refused" in first.stdout
    assert "mena: 5 questions, 0 of them new, 0 errors, 5 refused" in second.stdout


def test_nobody_is_asked_without_consent(tool, tmp_path, monkeypatch):
    """A closed terminal must end a run before its first question, with the way out."""
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    code, _, told = tool("run", "--paper", "mena", "--model", "uniform", "-p", "countries=['EG']", "--limit", "3")
    assert code == 2 and "nothing was asked; --yes answers for you" in told
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_command_says_how_to_go_on(monkeypatch, capsys):
    """Whoever stops a run of hours must read that nothing is lost; Typer swallows the interruption."""

    def stopped(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("whosevalues.elicitation.usual", stopped)
    monkeypatch.setattr(sys, "argv", ["whosevalues", "cost"])
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert end.value.code == 130 and "interrupted: the same command continues" in capsys.readouterr().err
