"""The whole benchmark for any model: the workbook's questions, wherever a survey asked them, in every framing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pandas as pd

from .. import UserError, manifest, prompts
from ..items import NATIVE, Question, as_codes
from ..models.base import Decoding, digest
from . import equivalence, wording, workbook
from .answers import CELL, by_country
from .answers import answers as to_answers
from .equivalence import read_page
from .nvas import nvas
from .order import backwards
from .parsing import parse_answers
from .translation import page

ORDERS = ("forward", "backward")
"""The options as the survey lists them, or from the last to the first; each keeps its number."""

ROOM = 200
"""Tokens for a reasoned answer."""

NAMED = ["question", "country", "framing", "language", "mode", "order"]


def experiment(
    countries: str | Iterable[str] = tuple(NATIVE),
    framings: str | Iterable[str] = prompts.FRAMINGS,
    modes: str | Iterable[str] = ("zero-shot",),
    orders: str | Iterable[str] = ("forward",),
    translator: str | None = None,
    judge: str | None = None,
) -> pd.DataFrame:
    """List what is asked of a model: each question about each country in which people were asked it.

    Parameters
    ----------
    countries : one or several of the sixteen, ISO 3166 alpha-2.
    framings : some of 'neutral', 'persona', 'observer'.
    modes : some of 'zero-shot' (the options are scored) and 'reasoning' (a text is written, at most 200 tokens).
    orders : some of 'forward' and 'backward'.
    translator : a model of models.yml that has answered 'mena-translation' with `bank=workbook`: its translations that
        passed the check are asked as well. Without one, all is in English.
    judge : the model that translated back; without it the translator itself.

    Returns
    -------
    One row per prompt: `kind`, `question`, `country`, `language`, `framing`, `mode`, `order`, `prompt`, `options`, and
    `decoding` where a text is wanted. First the neutral framing, which names no country and is asked once per language,
    then country by country, so that neighbouring shards are neighbouring countries.

    Raises
    ------
    UserError : an unknown country, framing, mode or order, or a translator whose translations are not there.
    DataUnavailable : the workbook can be had nowhere.
    """
    chosen = {"country": countries, "framing": framings, "mode": modes, "order": orders}
    known = {"country": tuple(NATIVE), "framing": prompts.FRAMINGS, "mode": prompts.MODES, "order": ORDERS}
    chosen = {name: _chosen(name, values, known[name]) for name, values in chosen.items()}
    questions, cells = workbook.read()
    bank = {question.id: question for question in wording.bank(questions)}
    if translator is not None:
        bank = spoken(bank, passed(translator, judge))
    asked = cells[cells["shares"].map(bool) & cells["country"].isin(chosen["country"])]
    rows = pd.DataFrame(_rows(bank, asked, chosen), columns=[*NAMED, "prompt", "options"])
    written = rows["mode"] == "reasoning"
    if written.any():
        rows["decoding"] = [Decoding(max_tokens=ROOM) if text else None for text in written]
    return rows.assign(kind=written.map({True: "generate", False: "option_scores"}))


def score(answered: pd.DataFrame, questions: pd.DataFrame, cells: pd.DataFrame) -> pd.DataFrame:
    """Score option probabilities against the workbook's people: NVAS, and what the baselines get on the same rows.

    Parameters
    ----------
    answered : of `elicitation.elicit`: the rows of `experiment` with `model` and the model's answers. Of a reasoned
        answer the text is parsed (`parsing.parse`); its `measurement` is 'text', and it has no missing mass.
    questions, cells : of `workbook.read`.

    Returns
    -------
    One row per answer and country with human figures, neutral answers standing once for each country that was asked
    about, or, where none was, for each of the sixteen: the columns of `answers.answers` with `order`, and of
    `nvas.nvas` (`human`, `nvas`, `chance`, `midpoint`, `others`, `one_human`). The people's mean or mode is taken from
    the cell's shares between Min and MAX, the range is MAX less Min; `nvas.nvas_table` averages the rows.
    """
    whole = [_ranged(row) for row in questions.to_dict("records")]
    asked = set(answered["question"])
    people = workbook.people(questions, cells[cells["question"].isin(asked)])
    countries = list(answered["country"].dropna().unique()) or list(NATIVE)
    parts = []
    for (order, kind), part in answered.groupby(["order", "kind"], sort=False):
        reduced = to_answers(part) if kind == "option_scores" else _parsed(part)
        parts.append(nvas(by_country(reduced, countries), people, whole).assign(order=order))
    return pd.concat(parts, ignore_index=True)


def sizes(questions: pd.DataFrame, cells: pd.DataFrame) -> pd.DataFrame:
    """Count the prompts of the whole benchmark, for one model, zero-shot, options in one order.

    The persona and the observer are asked per question and country, the neutral framing, which names no country, per
    question; each in English and in the country's language.

    Parameters
    ----------
    questions, cells : of `workbook.read`.

    Returns
    -------
    One row per `cells` ('every question everywhere', 'filled': the workbook has a cell, 'with figures': the survey has
    an answer there, which is what `experiment` asks), `framing` ('all' too) and `languages` ('English', 'native',
    'both'): `value`, a count, `n` (pairs of a question and a country), `low`, `high`, `chance`, `printed` (NaN).
    """
    every = pd.MultiIndex.from_product([questions["question"], NATIVE], names=["question", "country"])
    usable = cells[cells["shares"].map(bool)]
    kinds = {"every question everywhere": every.to_frame(index=False), "filled": cells, "with figures": usable}
    rows = []
    for kind, asked in kinds.items():
        spoken = asked.assign(country=asked["country"].map(NATIVE))[["question", "country"]].drop_duplicates()
        counts = pd.DataFrame({"English": asked["question"].nunique(), "native": len(spoken)}, index=["neutral"])
        counts.loc["persona"] = counts.loc["observer"] = len(asked)
        counts.loc["all"] = counts.sum()
        counts["both"] = counts.sum(axis=1)
        out = counts.rename_axis("framing").reset_index().melt("framing", var_name="languages")
        rows.append(out.assign(cells=kind, n=len(asked)))
    table = pd.concat(rows, ignore_index=True)[["cells", "framing", "languages", "value", "n"]]
    return table.assign(low=float("nan"), high=float("nan"), chance=float("nan"), printed=float("nan"))


def passed(translator: str, judge: str | None = None) -> pd.DataFrame:
    """Check a model's translations of the workbook, as its last run left them, once, and keep what was found.

    Parameters
    ----------
    translator : name in models.yml.
    judge : who translated back; without it the translator.

    Returns
    -------
    The rows of `equivalence.check` that did not fail.

    Raises
    ------
    UserError : no translations are kept, or none passed; says how to get them.
    """
    folder, second = manifest.ANSWERS / "mena-translation", judge or translator
    # A run of the workbook is one with a parameter, and kept as a part.
    pairs = [
        (folder / f"{translator}{part}.parquet", folder / f"{translator}{part}.judged-by-{second}.parquet")
        for part in (".part", "")
    ]
    tables = [tuple(map(pd.read_parquet, pair)) for pair in pairs if all(file.is_file() for file in pair)]
    tables = [pair for pair in tables if "workbook" in set(pair[0]["bank"])]
    if not tables:
        raise UserError(
            f"no translations by {translator} that {second} translated back: whosevalues run --paper mena-translation "
            f"--model {translator}{f' --judge {judge}' if judge else ''} -p bank=workbook"
        )
    texts = digest([list(table["text"].astype(str)) for table in tables[0]])[:8]
    kept = folder / f"{translator}.checked-by-{second}.{texts}.parquet"
    if not kept.is_file():
        manifest.write(equivalence.check(*tables[0]), kept)
    found = pd.read_parquet(kept)
    good = found[(found["bank"] == "workbook") & found["failed"].isna()]
    if good.empty:
        reasons = found["failed"].value_counts().to_dict()
        raise UserError(f"none of {translator}'s {len(found)} translations passed as the workbook's: {reasons}")
    return good


def spoken(bank: Mapping[str, Question], translations: pd.DataFrame) -> dict[str, Question]:
    """Put checked translations beside the English.

    Parameters
    ----------
    bank : the English questions by id.
    translations : `question`, `language`, `source`, `translation`.

    Returns
    -------
    The bank, each question with its text and labels in every language that it has a translation in. A translation of
    another wording than the bank's is left out.
    """
    out = dict(bank)
    for row in translations.to_dict("records"):
        question = out.get(row["question"])
        if question is None or page(question) != row["source"]:
            continue
        stem, labels = read_page(row["translation"])
        words = tuple(
            labels.get(key, own if own == key else "")
            for key, own in zip(question.options, question.labels["en"], strict=True)
        )
        text, label = question.text | {row["language"]: stem}, question.labels | {row["language"]: words}
        out[question.id] = Question(question.id, question.scale, question.options, text, label, question.sources)
    return out


def _rows(bank: Mapping[str, Question], asked: pd.DataFrame, chosen: Mapping[str, tuple[str, ...]]):
    """One tuple per prompt: the neutral ones, then country by country."""
    if "neutral" in chosen["framing"]:
        native = asked["country"].map(NATIVE)
        for language in ("en", *dict.fromkeys(native)):
            own = asked if language == "en" else asked[native == language]
            ids = sorted(own["question"].unique(), key=int)
            yield from _cells(bank, ids, None, language, ("neutral",), chosen)
    framings = tuple(framing for framing in chosen["framing"] if framing != "neutral")
    for country in chosen["country"]:
        ids = asked.loc[asked["country"] == country, "question"].tolist()
        for language in ("en", NATIVE[country]):
            yield from _cells(bank, ids, country, language, framings, chosen)


def _cells(bank, ids: list[str], country: str | None, language: str, framings, chosen):
    for framing in framings:
        for mode in chosen["mode"]:
            for order in chosen["order"]:
                for question in (bank[name] for name in ids if language in bank[name].text):
                    shown = question if order == "forward" else backwards(question)
                    text = prompts.render(shown, language, framing, country, mode)
                    yield question.id, country, framing, language, mode, order, text, shown.options


def _parsed(part: pd.DataFrame) -> pd.DataFrame:
    """Bring answers in text into the form of `answers.answers`."""
    found = parse_answers(part)
    out = found[["question", *CELL, "answer"]].assign(measurement="text", missing_mass=float("nan"), tied=False)
    out["best"] = [(answer,) if isinstance(answer, str) else () for answer in out["answer"]]
    refused = found["reason"].where(found["kind"] == "refusal")
    return out.assign(abstained=~out["best"].map(bool), refused=refused).reset_index(drop=True)


def _ranged(row: Mapping[str, object]) -> Question:
    """The scale alone, from Min to MAX: what a question's score goes by."""
    options = tuple(str(number) for number in range(row["low"], row["high"] + 1))
    return Question(row["question"], row["scale"], options, {}, {}, {})


def _chosen(what: str, given: object, known: tuple[str, ...]) -> tuple[str, ...]:
    codes = as_codes(given)
    wrong = [code for code in codes if code not in known]
    if wrong or not codes:
        raise UserError(f"unknown {what} {wrong[0]!r}: choose from {', '.join(known)}" if wrong else f"no {what} given")
    return codes
