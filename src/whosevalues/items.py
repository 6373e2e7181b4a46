"""What was asked and what people answered: the question bank of the teaching data."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from . import ROOT, UserError

if TYPE_CHECKING:
    import pandas as pd

TEACHING = ROOT / "data" / "teaching"

LANGUAGES = {
    "en": "English",
    "ar": "Arabic",
    "fa": "Persian",
    "tr": "Turkish",
    "da": "Danish",
    "nl": "Dutch",
    "pt": "Portuguese",
}
"""Language codes (ISO 639-1) and English names."""

# fmt: off
COUNTRIES = {
    "AU": "Australia", "BR": "Brazil", "CA": "Canada", "DK": "Denmark", "DZ": "Algeria", "EG": "Egypt",
    "GB": "United Kingdom", "IQ": "Iraq", "IR": "Iran", "JO": "Jordan", "KE": "Kenya", "KW": "Kuwait",
    "LB": "Lebanon", "LY": "Libya", "MA": "Morocco", "MR": "Mauritania", "NG": "Nigeria",
    "NIR": "Northern Ireland", "NL": "Netherlands", "NZ": "New Zealand", "PS": "Palestine", "PT": "Portugal",
    "QA": "Qatar", "SA": "Saudi Arabia", "SD": "Sudan", "SG": "Singapore", "TN": "Tunisia", "TR": "Turkey",
    "US": "United States",
}
# fmt: on
"""Countries of the studies (ISO 3166 alpha-2; NIR, Northern Ireland, as the surveys have it) and English names."""

_ARABIC = ("DZ", "EG", "IQ", "JO", "KW", "LB", "LY", "MA", "MR", "PS", "QA", "SA", "SD", "TN")
NATIVE = dict.fromkeys(_ARABIC, "ar") | {"IR": "fa", "TR": "tr"}
"""Native language of each country of MENAValues."""

# What people write when they mean one of ours, beside the names above.
_ALIASES = {"UK": "GB", "EN": "GB", "England": "GB", "Great Britain": "GB", "USA": "US", "Türkiye": "TR"}
_ALIASES |= {"America": "US", "Holland": "NL", "DA": "DK"}


@dataclass(frozen=True)
class Question:
    """One survey question in several languages.

    Attributes
    ----------
    id : short name, stable, e.g. `trust-press`.
    scale : 'ordinal' (options in order, distances mean something) or 'nominal'.
    options : answer keys as a model sees them, e.g. ('1', '2', '3', '4').
    text : question by language code.
    labels : wording of each option, in the order of `options`, by language code. Scales of ten have a wording for
        both ends only, and '' between.
    sources : where its human figures come from: 'wvs' (question number of WVS wave 7), 'joint' (variable of the
        EVS/WVS joint file), 'mena' (code at the head of a column of the MENAValues workbook); a missing key means
        no figures there.
    """

    id: str
    scale: str
    options: tuple[str, ...]
    text: dict[str, str]
    labels: dict[str, tuple[str, ...]]
    sources: dict[str, str]


@dataclass(frozen=True)
class FactualControl(Question):
    """One question with a known right answer, in English only, beside the value questions.

    Attributes
    ----------
    right : key of the right option.
    area : 'history', 'institutions', 'geography' or 'culture'.
    difficulty : 'easy', 'medium' or 'hard', as its author judged it.
    fact : what makes it right, and where that can be checked.
    """

    right: str
    area: str
    difficulty: str
    fact: str


def teaching_questions() -> tuple[Question, ...]:
    """Read the question bank.

    Returns
    -------
    The questions in the order of the file, each in every language of `LANGUAGES`.

    Raises
    ------
    UserError : the file is missing or broken; names the file, the question and the field.

    Examples
    --------
    >>> press = next(q for q in teaching_questions() if q.id == "trust-press")
    >>> press.text["en"], press.options
    ('How far do you trust the press?', ('1', '2', '3', '4'))
    >>> press.labels["da"][0]
    'Meget stor tillid'
    """
    file = TEACHING / "questions.yml"
    bank = _read_yaml(file)
    for field, kind in (("answers", dict), ("questions", list)):
        if not isinstance(bank.get(field), kind) or not bank[field]:
            raise _broken(file, "", field, f"it must be a {kind.__name__} with something in it")
    questions = tuple(_question(file, entry, bank["answers"]) for entry in bank["questions"])
    ids = [question.id for question in questions]
    twice = sorted({name for name in ids if ids.count(name) > 1})
    if twice:
        raise _broken(file, twice[0], "id", "it stands twice")
    return questions


def factual_controls() -> tuple[FactualControl, ...]:
    """Read the factual controls: questions of Western-centric content that nobody's values decide.

    Returns
    -------
    The questions in the order of the file, in English, each with four options: a guess is right in one of four.

    Raises
    ------
    UserError : the file is missing or broken; names the file, the question and the field.

    Examples
    --------
    >>> hamlet = next(q for q in factual_controls() if q.id == "fact-hamlet")
    >>> hamlet.text["en"], hamlet.labels["en"][int(hamlet.right) - 1]
    ('Who wrote the play Hamlet?', 'William Shakespeare')
    """
    file = TEACHING / "controls.yml"
    entries = _read_yaml(file).get("controls")
    if not isinstance(entries, list) or not entries:
        raise _broken(file, "", "controls", "it must be a list with something in it")
    controls = tuple(_control(file, entry) for entry in entries)
    ids = [control.id for control in controls]
    if twice := sorted({name for name in ids if ids.count(name) > 1}):
        raise _broken(file, twice[0], "id", "it stands twice")
    return controls


def translations() -> pd.DataFrame:
    """Which translations of the question bank a native speaker has checked.

    Returns
    -------
    One row per language but English, in which the bank was written: `language` and `native_checked` (bool).

    Raises
    ------
    UserError : the file is missing or broken; names the file and the field.

    Examples
    --------
    >>> translations()["language"].tolist()
    ['ar', 'fa', 'tr', 'da', 'nl', 'pt']
    """
    import pandas as pd

    file = TEACHING / "questions.yml"
    checked = _mapping(_read_yaml(file).get("native_checked"))
    languages = [code for code in LANGUAGES if code != "en"]
    for code in languages:
        if not isinstance(checked.get(code), bool):
            raise _broken(file, "", f"native_checked.{code}", "it must be true or false")
    return pd.DataFrame({"language": languages, "native_checked": [checked[code] for code in languages]})


def human_distributions() -> pd.DataFrame:
    """What people answered, option by option.

    Returns
    -------
    One row per question, country and option: `question`, `country`, `option` (str), `probability` in [0, 1]
    (0 where nobody chose the option; they add up to 1), `source` (short citation).

    Raises
    ------
    UserError : the file is missing or broken; names the file and the column.

    Examples
    --------
    >>> human_distributions().query("question == 'trust-press' and country == 'EG'").probability.sum().round(3)
    np.float64(1.0)
    """
    return _read_table(TEACHING / "humans.csv", "probability", ["question", "country", "option"])


def human_polarity() -> pd.DataFrame:
    """Share of people in favour: the value polarity score of the EVS/WVS joint file.

    Returns
    -------
    One row per question and country: `question`, `country`, `polarity` in [0, 1] (Rystrøm et al. 2025,
    section 2.1), `source` (short citation). Questions without a 'joint' source have none.

    Raises
    ------
    UserError : the file is missing or broken; names the file and the column.

    Examples
    --------
    >>> sorted(human_polarity().columns)
    ['country', 'polarity', 'question', 'source']
    """
    return _read_table(TEACHING / "polarity.csv", "polarity", ["question", "country"])


def check_countries(codes: str | Iterable[str]) -> tuple[str, ...]:
    """Return one or several country codes as a tuple, each once, if the studies have them all.

    Raises
    ------
    UserError : no code, or one that is not in `COUNTRIES`; names the choices and the likely meaning.

    Examples
    --------
    >>> check_countries(["GB", "NIR"])
    ('GB', 'NIR')
    """
    listed = as_codes(codes)
    if not listed:
        raise UserError(f"no country in {codes!r}: the item bank has {', '.join(COUNTRIES)}")
    for code in listed:
        if code not in list(COUNTRIES):
            meant = _meant(str(code))
            hint = f" ({COUNTRIES[meant]} is {meant})" if meant else ""
            raise UserError(f"unknown country '{code}': the item bank has {', '.join(COUNTRIES)}{hint}")
    return listed


def as_codes(codes: object) -> tuple[object, ...]:
    """Return one code or several as a tuple, each once; an empty one for what is neither.

    Examples
    --------
    >>> as_codes("EG"), as_codes(["EG", "IR", "EG"]), as_codes(5)
    (('EG',), ('EG', 'IR'), ())
    """
    if isinstance(codes, str):
        return (codes,) if codes.strip() else ()
    codes = list(codes) if isinstance(codes, Iterable) else []
    return tuple(code for place, code in enumerate(codes) if code not in codes[:place])


def _meant(written: str) -> str | None:
    """Guess the code behind an alias, another letter case, or a name, slightly misspelt or not."""
    folded = {name.casefold(): code for code, name in COUNTRIES.items()}
    folded |= {code.casefold(): code for code in COUNTRIES}
    folded |= {name.casefold(): code for name, code in _ALIASES.items()}
    long = [name for name in folded if len(name) > 3]
    near = difflib.get_close_matches(written.casefold(), long, n=1, cutoff=0.75)
    return folded.get(written.casefold()) or (folded[near[0]] if near else None)


def _question(file: Path, entry: object, answers: Mapping[str, dict]) -> Question:
    if not isinstance(entry, dict) or not isinstance(entry.get("id"), str):
        raise _broken(file, "", "id", f"every question needs one, {entry!r:.60} has none")
    answer = answers.get(str(entry.get("answers")))
    if not isinstance(answer, dict):
        raise _broken(file, entry["id"], "answers", f"choose one of {', '.join(map(str, answers))}")
    for field, holds, rule in _rules(entry, answer):
        if not holds:
            raise _broken(file, entry["id"], field, rule)
    return Question(
        id=entry["id"],
        scale=answer["scale"],
        options=tuple(str(key) for key in range(1, answer["options"] + 1)),
        text={code: entry["text"][code] for code in LANGUAGES},
        labels={code: _spread(answer["labels"][code], answer["options"]) for code in LANGUAGES},
        sources=entry["sources"],
    )


def _control(file: Path, entry: object) -> FactualControl:
    if not isinstance(entry, dict) or not isinstance(entry.get("id"), str):
        raise _broken(file, "", "id", f"every question needs one, {entry!r:.60} has none")
    keys, labels = ("1", "2", "3", "4"), entry.get("options")
    for field in ("text", "area", "difficulty", "fact"):
        if not _is_text(entry.get(field)):
            raise _broken(file, entry["id"], field, "it must be there, as text (in quotes if need be)")
    if not (isinstance(labels, list) and len(labels) == len(keys) and all(map(_is_text, labels))):
        raise _broken(file, entry["id"], "options", "it must be a list of 4 texts")
    if entry.get("right") not in keys:
        raise _broken(file, entry["id"], "right", f"it must be one of {', '.join(keys)}, in quotes")
    about = {field: entry[field] for field in ("right", "area", "difficulty", "fact")}
    return FactualControl(entry["id"], "nominal", keys, {"en": entry["text"]}, {"en": tuple(labels)}, {}, **about)


def _rules(entry: dict, answer: dict) -> Iterator[tuple[str, bool, str]]:
    """What must hold of a question: field, whether it does, the rule in words."""
    text, labels = _mapping(entry.get("text")), _mapping(answer.get("labels"))
    count, sources = answer.get("options"), _mapping(entry.get("sources"))
    yield "scale", answer.get("scale") in ("ordinal", "nominal"), "it must be 'ordinal' or 'nominal'"
    yield "options", isinstance(count, int) and count > 1, "it must be the number of options, at least 2"
    known = {"wvs", "joint", "mena"}
    holds = bool(sources) and set(sources) <= known and all(isinstance(v, str) for v in sources.values())
    yield "sources", holds, "it must have one or more of wvs, joint, mena"
    for code in LANGUAGES:
        yield f"text.{code}", _is_text(text.get(code)), "it must be there, as text (in quotes if need be)"
        given = labels.get(code)
        holds = isinstance(given, list) and len(given) in (2, count) and all(map(_is_text, given))
        yield f"labels.{code}", holds, f"it must be a list of {count} texts, or of 2 for the ends of the scale"


def _mapping(value: object) -> dict:
    return value if isinstance(value, dict) else {}


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _spread(labels: list[str], count: int) -> tuple[str, ...]:
    """Put the labels of the two ends at the ends."""
    return (labels[0], *labels[1:-1], *[""] * (count - len(labels)), labels[-1])


def _read_yaml(file: Path) -> dict:
    import yaml

    try:
        # libyaml reads ten times as fast, where it is there.
        bank = yaml.load(_text(file), getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.YAMLError as error:
        raise UserError(f"{_short(file)} is no YAML ({' '.join(str(error).split())}): restore it") from error
    if not isinstance(bank, dict):
        raise _broken(file, "", "questions", "the file has no such field")
    return bank


def _read_table(file: Path, value: str, names: list[str]) -> pd.DataFrame:
    import io

    import pandas as pd
    import pandera.pandas as pa

    columns = {name: pa.Column(str) for name in names}
    columns |= {value: pa.Column(float, pa.Check.in_range(0, 1)), "source": pa.Column(str)}
    columns["country"] = pa.Column(str, pa.Check.isin(list(COUNTRIES)))
    schema = pa.DataFrameSchema(columns, strict=True, ordered=True, unique=names)
    types = {name: str for name in columns} | {value: float}
    try:
        # 'NA' would be Namibia, never a missing value.
        return schema.validate(pd.read_csv(io.StringIO(_text(file)), dtype=types, keep_default_na=False))
    except (ValueError, pa.errors.SchemaError) as error:
        reason = str(error).splitlines()[0]
        raise UserError(f"{_short(file)} is not the table it should be: {reason}; restore it") from error


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise UserError(f"{_short(file)} is missing: restore it from the repository") from error
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{_short(file)} cannot be read ({error}): restore it") from error


def _broken(file: Path, question: str, field: str, why: str) -> UserError:
    where = f"question '{question}', field '{field}'" if question else f"field '{field}'"
    return UserError(f"{_short(file)}, {where}: {why}")


def _short(file: Path) -> str:
    return f"data/teaching/{file.name}"
