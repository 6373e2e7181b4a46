"""Ask a model about any region: the prompts of a benchmark that `region` built, and the scores of the answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pandas as pd

from .. import UserError, elicitation, models, prompts, responses
from ..items import Question, as_codes
from ..models.base import Decoding
from . import answers as given
from . import nvas, region, region_example, wording, workbook

ROOM = 200
"""Tokens for a reasoned answer."""


def experiment(
    countries: str | Iterable[str] = ("KE", "NG"),
    wordings: str = "bank",
    framings: str | Iterable[str] = prompts.FRAMINGS,
    modes: str | Iterable[str] = ("zero-shot",),
    microdata: str = "",
) -> pd.DataFrame:
    """List what is asked of a model about a region; prompts need no people, so no file is needed until the scoring.

    Parameters
    ----------
    countries : of the survey, alpha-2 or alpha-3, one or several; in one text with commas between.
    wordings : 'bank' (this package's own words), 'workbook' (the benchmark's) or a CSV file of one's own, as
        `region.questions` takes it.
    framings, modes : as for :func:`requests`.
    microdata : the survey's file; with it only what people of a country answered is asked about it.

    Returns
    -------
    As :func:`requests`.

    Raises
    ------
    UserError : as `region.questions`, `region.codes` and `region.read`.
    """
    if isinstance(countries, str):
        countries = [code.strip() for code in countries.split(",")]
    asked, wanted = questions(wordings), region.codes(countries)
    if microdata:
        named = None if wordings == "workbook" else list(asked["item"])
        asked, cells = region.benchmark(region.read(microdata, wanted, named), asked)
    else:
        pairs = [(question, country, {"": 1.0}) for question in asked["question"] for country in wanted]
        cells = pd.DataFrame(pairs, columns=["question", "country", "shares"])
    return requests(asked, cells, as_codes(framings), as_codes(modes))


def questions(wordings: str) -> pd.DataFrame:
    """Find the questions by where their words come from, as :func:`experiment` names it.

    Raises
    ------
    UserError : a file that is not there or is no table, or does not make sense.
    """
    if wordings == "bank":
        return region.questions(region_example.bank())
    if wordings == "workbook":
        return region.questions()
    try:
        return region.questions(pd.read_csv(wordings))
    except (OSError, UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        why = str(error).splitlines()[0]
        raise UserError(f"no questions in '{wordings}' ({why}): choose bank, workbook or a CSV file") from error


def requests(
    asked: pd.DataFrame,
    cells: pd.DataFrame,
    framings: Iterable[str] = prompts.FRAMINGS,
    modes: Iterable[str] = ("zero-shot",),
    nationalities: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """Write the prompts, in English: each question about each country where people answered it.

    Parameters
    ----------
    asked, cells : of `region.benchmark`.
    framings : some of 'neutral', 'persona', 'observer'.
    modes : some of 'zero-shot', 'reasoning'.
    nationalities : by country, for an 'average ... person'; others are those of `region.places`.

    Returns
    -------
    As `prompts.grid`, with `kind`, and `decoding` where a text is wanted: what `responses.ask` takes. The neutral
    framing names nobody: it stands once, with a missing `country`.

    Raises
    ------
    UserError : an unknown framing or mode, or a country without a nationality, where one is needed.
    """
    bank = {question.id: question for question in wording.bank(asked)}
    full = cells[cells["shares"].map(bool)]
    rows = []
    for framing in framings:
        pairs = full[["country", "question"]].drop_duplicates()
        if framing == "neutral":
            pairs = pairs.assign(country=None).drop_duplicates("question")
        for country, question in pairs.itertuples(index=False, name=None):
            for mode in modes:
                text = prompt(bank[question], framing, country, mode, nationalities)
                rows.append((question, country, "en", framing, mode, text, bank[question].options))
    names = ["question", "country", "language", "framing", "mode", "prompt", "options"]
    table = pd.DataFrame(rows, columns=names)
    written = table["mode"] == "reasoning"
    if written.any():
        table["decoding"] = [Decoding(max_tokens=ROOM) if text else None for text in written]
    return table.assign(kind=written.map({True: "generate", False: "option_scores"}))


def prompt(
    question: Question,
    framing: str,
    country: str | None = None,
    mode: str = "zero-shot",
    nationalities: Mapping[str, str] | None = None,
) -> str:
    """Write one prompt in English, as `prompts.render` does, for a country of any region.

    Parameters
    ----------
    question : of `wording.as_question`.
    framing, country, mode, nationalities : as for :func:`requests`; one country.

    Raises
    ------
    UserError : an unknown framing or mode, or a country without a nationality.
    """
    alone = prompts.render(question, "en", "neutral", mode=mode)
    if framing == "neutral":
        return alone
    if framing not in prompts.OPENINGS:
        raise UserError(f"unknown framing '{framing}': choose from {', '.join(prompts.FRAMINGS)}")
    table = region.places()
    known = dict(zip(table["country"], table["nationality"], strict=True)) | prompts.NATIONALITIES["en"]
    known |= dict(nationalities or {})
    if not known.get(country):
        raise UserError(
            f"no nationality for '{country}', which the {framing} framing needs: give one, as in "
            f"nationalities={{'{country}': 'Kenyan'}}"
        )
    return f"{prompts.OPENINGS[framing]['en'].format(nationality=known[country])}\n\n{alone}"


def score(answered: pd.DataFrame, asked: pd.DataFrame, cells: pd.DataFrame) -> pd.DataFrame:
    """Score a model's option probabilities against these people.

    Parameters
    ----------
    answered : of `responses.ask` on the rows of :func:`requests` with `model`; reasoned answers, texts, are left out.
    asked, cells : of `region.benchmark`.

    Returns
    -------
    As `nvas.nvas`: one row per answer and country, a neutral answer once for each; `nvas.nvas_table` averages them.
    """
    reduced = given.answers(answered[answered["kind"] == "option_scores"])
    alone = reduced["country"].isna()
    people = workbook.people(asked, cells)
    pairs = people[["question", "country"]].drop_duplicates()
    spread = reduced[alone].drop(columns="country").merge(pairs, on="question")
    whole = pd.concat([spread[reduced.columns], reduced[~alone]], ignore_index=True)
    return nvas.nvas(whole, people, wording.bank(asked))


def ask(model: str, put: pd.DataFrame) -> pd.DataFrame:
    """Ask a model, and keep its answers as those of the other experiments are kept.

    Parameters
    ----------
    model : name in models.yml.
    put : of :func:`requests`.

    Returns
    -------
    As `elicitation.elicit`: the requests with the answers and `model`.

    Raises
    ------
    UserError : an unknown model, or nothing usable was answered.
    """
    store = elicitation.STORE / "mena-region" / model
    return responses.ask(models.load(model), put, store, price=models.price(model)).assign(model=model)
