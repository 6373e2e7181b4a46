"""The paper's own prompts, from the released files: template x topic variation x language (appendix B)."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from functools import cache

import pandas as pd

from .. import UserError, data

FOLDER = "multicultural/head-2025-08/"
PROMPTS = FOLDER + "translated_prompts_with_english_no_controversy.csv"
TEMPLATES = FOLDER + "prompt_templates.txt"
VARIATIONS = FOLDER + "topic_variations_en.json"
POSITIONS = FOLDER + "stance_labels.json"
FILES = (PROMPTS, TEMPLATES, VARIATIONS, POSITIONS)

COUNTRIES = {
    "US": r"USA|U\.S\.A?\.?|VS|EUA|United States|Verenigde Staten|Estados Unidos|[Aa]merik\w+|American\w*",
    "DK": r"Danmark\w*|[Dd]ansk\w*|Denmark|Danish",
    "NL": r"[Nn]ederland\w*|Netherlands|Dutch",
    "BR": r"[Bb]rasil\w*|Brazil\w*",
    "PT": r"[Pp]ortug\w+",
}
"""Words by which a prompt names a country that responses are held against, in the four languages."""

SHOWN = "f121"
"""The question whose prompts are shown: whether divorce can be justified."""

BASE = "ed93d9287fcc0a49e70515707016cc98c52896edbebc7592e2945a694bb65eb2"
"""sha256 of the letters and digits of the base template as appendix B prints it."""

EXAMPLES = {
    "8fac3372060d5dad723c714c76fb23b06f73f091fbb41508deb8ecd205c52dbe",
    "830cbfc9b7f95708885169728d8f9660c6fa0645d252f074192c4298b77474ee",
}
"""The same of the variations of a topic that appendix B gives for examples."""


def read() -> pd.DataFrame:
    """Read the prompts of the hypothetical survey, 300 in each language.

    Returns
    -------
    One row per prompt, in the released order: `language`, `question` (the survey's code in lower case), `template`
    (number of the wording among the language's), `topic`, `wording` (the template with '{topic}') and `prompt`.

    Raises
    ------
    UserError : the file is not the table it should be.
    DataUnavailable : it can be had nowhere.
    """
    names = ("language", "template_type", "prompt", "topic", "question_key")
    table = data.read_csv(PROMPTS, dict.fromkeys(names, str))
    table = table[table["template_type"] == "survey_hypothetical"].reset_index(drop=True)
    numbers = table.groupby("language")["prompt"].transform(lambda wordings: pd.factorize(wordings)[0])
    texts = [row.prompt.replace("{topic}", row.topic) for row in table.itertuples()]
    return pd.DataFrame(
        {
            "language": table["language"],
            "question": table["question_key"].str.lower(),
            "template": numbers.astype(int),
            "topic": table["topic"],
            "wording": table["prompt"],
            "prompt": texts,
        }
    )


def shown(languages: Iterable[str] = ("en", "da", "nl", "pt")) -> str:
    """Show what a prompt is made of and what comes out, word for word.

    Parameters
    ----------
    languages : of the prompts, in this order.

    Returns
    -------
    The base template, the variations of one topic, and the first prompt on it in each language, an empty line between
    them; where the released files cannot be had, why not.
    """
    try:
        table, texts = read(), [f"template: {templates()[0]}"]
        texts += [f"{SHOWN}: {', '.join(variations()[SHOWN])}"]
    except data.DataUnavailable as error:
        return f"The released prompts cannot be shown: {error}"
    first = table[table["question"] == SHOWN].drop_duplicates("language").set_index("language")["prompt"]
    return "\n\n".join(texts + [f"{language}: {first[language]}" for language in languages])


@cache
def positions() -> dict[str, tuple[str, str]]:
    """Read what pro and con mean for each question, as a judge of the authors' later state was told.

    Returns
    -------
    By question a sentence for pro and one for con, without their full stops; in the order of the file.

    Raises
    ------
    UserError : the file is not what it should be.
    DataUnavailable : it can be had nowhere.
    """
    found = _json(POSITIONS)
    if any(len(pair) != 2 for pair in found.values()):
        raise UserError(f"{POSITIONS} is not what it should be: each question needs two sentences; fetch it anew")
    return {question.lower(): (pro.strip(" ."), con.strip(" .")) for question, (pro, con) in found.items()}


def variations() -> dict[str, tuple[str, ...]]:
    """Read the English variations of each topic.

    Returns
    -------
    Variations by question.

    Raises
    ------
    UserError : the file is not what it should be.
    DataUnavailable : it can be had nowhere.
    """
    return {question.lower(): tuple(texts) for question, texts in _json(VARIATIONS).items()}


def templates() -> tuple[str, ...]:
    """Read the English templates.

    Returns
    -------
    The base template first, then its variations, with repetitions as released.

    Raises
    ------
    DataUnavailable : the file can be had nowhere.
    """
    text = data.load(TEMPLATES).read_text(encoding="utf-8")
    return tuple(line.strip() for line in text.splitlines() if line.strip())


def construction() -> pd.DataFrame:
    """Hold the released prompts against what appendix B says of their making.

    Returns
    -------
    One row per (part, language), 'all' where it is of no one language: `value`, a count; `printed`, the paper's, NaN
    where it prints none.
    """
    table, lines, topics = read(), templates(), variations()
    sizes = [len(variants) for variants in topics.values()]
    different, wordings = len(set(lines)), table["wording"].unique()
    texts = {text for variants in topics.values() for text in variants}
    whole = [
        ("templates, lines of the file", len(lines), None),
        ("templates, first is the printed base", int(_digest(lines[0]) == BASE), 1),
        ("templates, different variations of the base", different - 1, 10),
        ("templates without a numbered format", sum("1." not in line or "2." not in line for line in wordings), 0),
        ("templates that name a country", sum(bool(named(line)) for line in wordings), 0),
        ("topics with variations", len(topics), 35),
        ("variations of a topic, fewest", min(sizes), 5),
        ("variations of a topic, most", max(sizes), 5),
        ("printed example variations in the file", len(EXAMPLES & {_digest(text) for text in texts}), 2),
        ("different prompts that can be made", different * len(texts), 1750),
        ("questions asked, in any language", table["question"].nunique(), 35),
        ("questions asked, in every language", _shared(table), None),
    ]
    rows = [(part, "all", value, printed) for part, value, printed in whole]
    english = table.loc[table["language"] == "en", "question"].to_numpy()
    for language, own in table.groupby("language", sort=False):
        rows += [
            ("prompts", language, len(own), 300),
            ("different prompts", language, own["prompt"].nunique(), None),
            ("templates used", language, own["template"].nunique(), None),
            ("questions asked", language, own["question"].nunique(), 35),
            ("same question as English in that place", language,
             int((own["question"].to_numpy() == english).sum()), 300),
            ("prompts that name a country", language, int(own["topic"].map(named).astype(bool).sum()), None),
        ]  # fmt: skip
    return tidy(pd.DataFrame(rows, columns=["part", "language", "value", "printed"]))


def countries() -> pd.DataFrame:
    """List the prompts that name a country.

    Returns
    -------
    One row per (language, question, country): `value`, the number of prompts, and `n`, all of the language.
    """
    table = read().assign(country=lambda rows: rows["topic"].map(named)).explode("country").dropna(subset="country")
    out = table.groupby(["language", "question", "country"]).size().rename("value").reset_index()
    return tidy(out.assign(n=out["language"].map(read().groupby("language").size())))


def tidy(table: pd.DataFrame) -> pd.DataFrame:
    """Give a table the columns of a result.

    Parameters
    ----------
    table : names in the columns before `value`.

    Returns
    -------
    The names, then `value`, `low`, `high`, `n`, `chance` and `printed`, NaN where there is none, then the rest.
    """
    figures = ["value", "low", "high", "n", "chance", "printed"]
    names = list(table.loc[:, :"value"].columns[:-1])
    rest = [column for column in table if column not in [*names, *figures]]
    out = table.reindex(columns=[*names, *figures, *rest])
    return out.astype(dict.fromkeys(figures, float))


def named(text: str) -> tuple[str, ...]:
    """Say which of `COUNTRIES` a text names.

    Parameters
    ----------
    text : in one of the four languages.

    Returns
    -------
    Country codes, in the order of `COUNTRIES`.

    Examples
    --------
    >>> named("De staat verzamelt heimelijk gegevens over inwoners in de VS")
    ('US',)
    """
    return tuple(country for country, words in COUNTRIES.items() if re.search(rf"(?<!\w)(?:{words})(?!\w)", text))


def _digest(text: str) -> str:
    return hashlib.sha256(re.sub(r"[\W_]+", "", text.replace("{topic}", "topic")).encode()).hexdigest()


def _shared(table: pd.DataFrame) -> int:
    return len(set.intersection(*(set(own) for _, own in table.groupby("language")["question"])))


def _json(path: str) -> dict[str, list[str]]:
    try:
        found = json.loads(data.load(path).read_text(encoding="utf-8"))
    except ValueError as error:
        raise UserError(f"{path} is no JSON: {error}; fetch it anew") from error
    if not isinstance(found, dict) or not all(isinstance(texts, list) for texts in found.values()):
        raise UserError(f"{path} is not what it should be: lists of sentences by question; fetch it anew")
    return found
