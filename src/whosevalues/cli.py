"""The command line: ``whosevalues run | cost | notebook | data | models | claims | results | html``.

An error that the user can mend is one line and exit code 2; ``--debug`` shows where it came from.
"""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from . import ROOT, UserError

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)
Parameters = Annotated[list[str] | None, typer.Option("--parameter", "-p", help="name=value; repeat it.")]
Named = Annotated[str, typer.Option(help="A name in models.yml.")]
Judge = Annotated[str | None, typer.Option(help="Model that judges open answers; by default the model itself.")]
Papers = Annotated[
    list[str] | None,
    typer.Option(help="multicultural, mena, navab, ...; repeat it. By default all but the largest."),
]
Stamp = Annotated[Path | None, typer.Option(help="Also write what was done to this JSON file.")]
INTERRUPTED = "interrupted: the same command continues"


@app.command()
def run(
    model: Named = "smollm2-135m",
    paper: Papers = None,
    limit: Annotated[int | None, typer.Option(help="For a taste: so many questions of each paper.")] = None,
    judge: Annotated[
        str | None, typer.Option(help="Model that judges open answers; by default the model itself.")
    ] = None,
    max_cost: Annotated[
        float | None, typer.Option(help="Stop before the run costs more, in the price's money.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before the first question is put.")] = False,
    shard: Annotated[str | None, typer.Option(help="i/n: only the i-th of n parts, for a cluster.")] = None,
    card: Annotated[bool, typer.Option(help="Also work out the report card.")] = True,
    parameter: Parameters = None,
    stamp: Stamp = None,
) -> None:
    """Put the papers' questions to a model; what is answered already is not asked again."""
    from . import elicitation, report
    from .responses import Purse

    given, purse, papers = _pairs(parameter), Purse(max_cost), paper or elicitation.usual()
    _agree(papers, model, judge, limit, shard, given, yes)
    for name in papers:
        about = elicitation.run(name, model, judge=judge, limit=limit, shard=shard, purse=purse, **given)
        counts = f"{about['new']} of them new, {about['errors']} errors, {about['refused']} refused"
        _tell(f"{name}: {about['asked']} questions, {counts}", about, stamp)
    # What is asked on request alone is in no report card.
    if card and shard is None and not set(papers) <= set(elicitation.ON_REQUEST):
        table = report.card(model, judge)
        file = report.write(table, model)
        typer.echo(f"{report.in_words(table)}\nreport card: {file.relative_to(ROOT)}")


@app.command()
def cost(
    model: Named = "smollm2-135m", paper: Papers = None, judge: Judge = None, parameter: Parameters = None
) -> None:
    """Say what a run takes: questions, tokens, money, time."""
    from . import elicitation
    from .cost import cost, in_words

    given = _pairs(parameter)
    for name in paper or elicitation.usual():
        typer.echo(in_words(cost(name, model, judge, **given)))


@app.command()
def notebook(
    name: str,
    parameter: Parameters = None,
    timeout: Annotated[int, typer.Option(min=1, help="Seconds that one cell may take.")] = 1800,
) -> None:
    """Execute one notebook and publish it to the book."""
    from . import notebooks

    page = notebooks.run(name, _pairs(parameter), timeout)
    typer.echo(f"{name}: published as {page.relative_to(ROOT)}")


@app.command()
def data(paper: str) -> None:
    """Fetch and check the released data of one paper; the next `make book` computes from what is here now."""
    from .data import fetch

    found = fetch(paper)
    stamp = ROOT / "_build" / "data" / f"{paper}.json"
    have = sum(value is not None for value in found.values())
    _tell(f"{paper}: {have} files of the registry are here and unharmed", found, stamp)
    if None in found.values():
        typer.echo(f"{paper}: not all can be had here; its chapters show their stored tables", err=True)


@app.command()
def models(prepare: Annotated[str | None, typer.Option(help="Make this model ready for use.")] = None) -> None:
    """List the models that can be asked."""
    from .models import names
    from .models import prepare as make_ready

    if prepare:
        typer.echo(make_ready(prepare))
        return
    for name in names():
        typer.echo(name)


@app.command()
def claims() -> None:
    """Print every claim with its verdict."""
    from .claims import ledger

    for row in ledger().to_dict("records"):
        typer.echo(f"{row['verdict']:<15} {row['id']:<28} {row['statement']}")


@app.command()
def results() -> None:
    """Copy the results of a full run to the tracked folder."""
    from .results import refresh

    changed = refresh()
    typer.echo(f"results: {', '.join(changed) or 'nothing'} changed")


@app.command()
def html() -> None:
    """Build the book's pages from what is published."""
    from .locks import only_writer

    command = "jupyter-book build book --config _config.yml --path-output . -W -n --keep-going"
    with only_writer(ROOT / "_build" / "html"):
        tool = Path(sys.executable).with_name("jupyter-book")
        done = subprocess.run([str(tool), *command.split()[1:]], cwd=ROOT)
    if done.returncode:
        raise UserError("the book has warnings or errors: they stand above")


def _pairs(texts: list[str] | None) -> dict[str, object]:
    pairs = {}
    for text in texts or []:
        name, equals, value = text.partition("=")
        if not equals:
            raise UserError(f"'{text}' is no parameter: write name=value")
        try:
            pairs[name] = ast.literal_eval(value)
        except (ValueError, SyntaxError):
            pairs[name] = value
    return pairs


def _agree(papers, model: str, judge: str | None, limit: int | None, shard: str | None, given, yes: bool) -> None:
    """Say what a run takes, its judge's part included, and ask once before the first question."""
    from .cost import cost, in_words

    todo = 0
    for paper in papers:
        estimate = cost(paper, model, judge, limit=limit, shard=shard, **given)
        typer.echo(in_words(estimate))
        todo += int(estimate["questions"].sum() - estimate["answered"].sum())
    if todo and not yes and not _confirmed():
        raise UserError("nothing was asked; --yes answers for you")


def _confirmed() -> bool:
    try:
        return typer.confirm("Go on?")
    except typer.Abort:
        return False


def _tell(line: str, about: object, stamp: Path | None) -> None:
    if stamp:
        stamp.parent.mkdir(parents=True, exist_ok=True)
        # A job that was given up may still write the stamp of its successor: each writes a whole one.
        partial = stamp.with_name(f".{stamp.name}.{os.getpid()}")
        partial.write_text(json.dumps(about, indent=1, sort_keys=True) + "\n")
        partial.replace(stamp)
    typer.echo(line)


def main() -> None:
    """Run a command; what the user can mend ends in one line and exit code 2."""
    debug = "--debug" in sys.argv
    arguments = [argument for argument in sys.argv[1:] if argument != "--debug"]
    try:
        code = app(arguments, standalone_mode=False)
        if code == 130:
            # What Typer makes of the interruption of a command.
            print(f"whosevalues: {INTERRUPTED}", file=sys.stderr)
        sys.exit(code)
    except (UserError, typer.Exit, typer.Abort, KeyboardInterrupt) as error:
        if debug:
            raise
        code = error.exit_code if isinstance(error, typer.Exit) else 2
        message = INTERRUPTED if isinstance(error, KeyboardInterrupt) else str(error)
        if not isinstance(error, typer.Exit):
            print(f"whosevalues: {message}", file=sys.stderr)
        sys.exit(code)
    except typer.TyperException as error:
        print(f"whosevalues: {error.format_message()}", file=sys.stderr)
        sys.exit(2)
