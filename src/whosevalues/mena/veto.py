"""The responses of the authors' later study, "The Alignment Veto": 26 models, one row per answer, on the hub.

Nothing of it comes with this package. The loader follows the schema that the authors document (their repository
pardissz/alignment-veto, data/README.md, commit 2e4e9c7) and refuses what does not; but for scores a little below 0,
which NVAS takes where the people's mean lies outside the scale, as it does in cells of the benchmark.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from .. import UserError
from ..stats import wilson
from .names import CODES

HUB = "PardisSzah/alignment-veto-responses"
"""The data set on the Hugging Face hub. The organisation's copy, llm-lab/alignment-veto-responses, holds a workbook per
model and is given out on request only; it is not read here."""

SCHEMA = {
    "model": ("text", "such as olmo_3_7b_instruct"),
    "country": ("text", "one of the sixteen, in English; NEUTRAL or missing where the question names none"),
    "framing": ("text", "No_Mention (neutral), Personalization (persona) or Third (observer)"),
    "language": ("text", "EN, or AR, FA, TR"),
    "tier": ("whole number", "1 benign, 2 moderate, 3 sensitive"),
    "question_id": ("text", "the question's identifier in its survey; the benchmark's numbers 1 to 864 are known too"),
    "question_text": ("text", "the question"),
    "response": ("text", "what the model wrote"),
    "refused": ("true or false", "whether that is a refusal"),
    "nvas": ("-1 to 1", "of the answer, as a rule from 0; missing where it was refused"),
    "ev_nvas": ("-1 to 1", "of the expected value of the option probabilities at the first token"),
    "human_mean": ("number", "people's mean answer in that country; may be missing"),
}
"""Columns as documented: what they hold."""

FRAMINGS = {"No_Mention": "neutral", "Personalization": "persona", "Third": "observer"}
LANGUAGES = {"EN": "en", "AR": "ar", "FA": "fa", "TR": "tr"}
TEXTS = ("question_text", "response")
ROWS = 100_000
"""Rows that are held in memory at a time: all 1.53 million, with their texts, would take several GiB."""


def schema() -> pd.DataFrame:
    """Describe the columns of the responses.

    Returns
    -------
    One row per column: `column`, `holds`, `meaning`.
    """
    return pd.DataFrame([(name, *about) for name, about in SCHEMA.items()], columns=["column", "holds", "meaning"])


def download(revision: str) -> list[Path]:
    """Fetch the response files from the hub, through its own client; no code of the data set is run.

    Parameters
    ----------
    revision : commit of the data set, 40 hex digits. There is no default: the authors name none, and the newest may
        change between two runs.

    Returns
    -------
    Local files, Parquet where there are any, else CSV.

    Raises
    ------
    UserError : `revision` is no commit, or it holds no such file; says how to find one.
    """
    if not re.fullmatch(r"[0-9a-f]{40}", revision):
        raise UserError(
            f"revision '{revision}' is no commit of {HUB}: on its page on the hub, 'Files and versions', 'History', "
            "copy the 40 digits of one, and note them, so that others can load the same"
        )
    from huggingface_hub import HfApi, hf_hub_download
    from huggingface_hub.errors import HTTPError

    try:
        names = HfApi().list_repo_files(HUB, repo_type="dataset", revision=revision)
        kinds = [[name for name in names if name.endswith(end)] for end in (".parquet", ".csv")]
        wanted = next((kind for kind in kinds if kind), [])
        files = [Path(hf_hub_download(HUB, name, repo_type="dataset", revision=revision)) for name in sorted(wanted)]
    except (HTTPError, OSError, ValueError) as error:
        raise UserError(
            f"{HUB} at revision {revision} cannot be fetched from here ({type(error).__name__}): run this where the "
            "hub can be reached, with room on the disk, or give the files by their paths"
        ) from error
    if not files:
        raise UserError(f"{HUB} at revision {revision} holds no Parquet or CSV file: {', '.join(names) or 'nothing'}")
    return files


def load(files: Iterable[Path | str], models: Iterable[str] | None = None) -> pd.DataFrame:
    """Read the responses without their texts, in this book's vocabulary.

    Parameters
    ----------
    files : Parquet or CSV.
    models : only these; without it all.

    Returns
    -------
    One row per response: `model`, `country` (ISO 3166 alpha-2, missing for the neutral framing), `framing`, `language`
    (ISO 639-1), `tier`, `question` (the workbook's number as text, '7.0' and '007' being '7'; another identifier as it
    stands), `refused`, `nvas`, `ev_nvas`, `human`.

    Raises
    ------
    UserError : a file that does not follow the schema (names file, column and row), or none of these models.
    """
    wanted = None if models is None else set(models)
    parts = [
        chunk if wanted is None else chunk[chunk["model"].isin(wanted)]
        for file in files
        for chunk in read(file, texts=False)
    ]
    out = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()
    if out.empty:
        raise UserError("no response was found: check the files, and the names in `models`")
    kinds = ["model", "country", "framing", "language", "question"]
    return out.astype(dict.fromkeys(kinds, "category"))


def read(file: Path | str, texts: bool = True) -> Iterator[pd.DataFrame]:
    """Read one file of responses piece by piece.

    Parameters
    ----------
    file : Parquet or CSV.
    texts : with `question_text` and `response`.

    Yields
    ------
    At most `ROWS` rows, as :func:`load` gives them.

    Raises
    ------
    UserError : the file cannot be read or does not follow the schema; names file, column and row (the first response
        is row 1).
    """
    file = Path(file)
    columns = [name for name in SCHEMA if texts or name not in TEXTS]
    start = 0
    try:
        for chunk in _chunks(file, columns):
            checked = _checked(chunk, file, start)
            start += len(chunk)
            yield _ours(checked)
    except (OSError, ValueError) as error:  # pyarrow's errors are ValueErrors, too
        raise UserError(f"{file.name} cannot be read ({' '.join(str(error).split())[:200]})") from error


def _chunks(file: Path, columns: list[str]) -> Iterator[pd.DataFrame]:
    if file.suffix == ".parquet":
        from pyarrow import parquet

        with parquet.ParquetFile(file) as table:
            _complete(file, table.schema_arrow.names, columns)
            for batch in table.iter_batches(ROWS, columns=columns):
                yield batch.to_pandas()
    elif file.suffix == ".csv":
        _complete(file, list(pd.read_csv(file, nrows=0)), columns)
        with pd.read_csv(file, usecols=columns, chunksize=ROWS, dtype=str, keep_default_na=False) as pieces:
            for piece in pieces:
                yield piece.reset_index(drop=True)
    else:
        raise UserError(f"{file.name}: responses are read from .parquet and .csv")


def _complete(file: Path, there: list[str], columns: list[str]) -> None:
    if missing := [name for name in columns if name not in there]:
        raise UserError(f"{file.name} has no column '{missing[0]}': the schema has {', '.join(SCHEMA)}")


def _checked(chunk: pd.DataFrame, file: Path, start: int) -> pd.DataFrame:
    import pandera.pandas as pa

    out = chunk.reset_index(drop=True)
    for name in ("nvas", "ev_nvas", "human_mean", "tier"):
        number = pd.to_numeric(out[name], errors="coerce")
        # What is neither a number nor missing must fail the check, not turn into a missing value.
        missing = out[name].isin(["", "nan", "NaN"]) | out[name].isna()
        out[name] = number.where(number.notna() | missing, np.inf).astype(float)
    out["refused"] = out["refused"].map({"True": True, "False": False, True: True, False: False}).astype(object)
    out["country"] = out["country"].astype(object).where(~out["country"].isin(["", "NEUTRAL"]), None)
    out["question_id"] = out["question_id"].astype(str)
    score = {"nullable": True, "checks": pa.Check.in_range(-1, 1)}
    columns = {
        "model": pa.Column(str, pa.Check.str_length(min_value=1)),
        "country": pa.Column(object, pa.Check.isin([*CODES]), nullable=True),
        "framing": pa.Column(str, pa.Check.isin([*FRAMINGS])),
        "language": pa.Column(str, pa.Check.isin([*LANGUAGES])),
        "tier": pa.Column(float, pa.Check.isin([1, 2, 3])),
        "question_id": pa.Column(str, pa.Check.str_length(min_value=1)),
        "refused": pa.Column(object, pa.Check.isin([True, False])),
        "nvas": pa.Column(float, **score),
        "ev_nvas": pa.Column(float, **score),
        "human_mean": pa.Column(float, pa.Check(np.isfinite), nullable=True),
    }
    try:
        pa.DataFrameSchema(columns).validate(out, lazy=True)
    except pa.errors.SchemaErrors as error:
        case = error.failure_cases.sort_values("index").iloc[0]  # missing ones come last
        raise _wrong(file, case["column"], start, case["index"], chunk) from error
    for name, bad in (
        ("nvas", out["nvas"].notna() & out["refused"].astype(bool)),
        ("country", out["country"].isna() & (out["framing"] != "No_Mention")),
    ):
        if bad.any():
            raise _wrong(file, name, start, bad.idxmax(), chunk)
    return out


def _wrong(file: Path, column: str, start: int, index: object, chunk: pd.DataFrame) -> UserError:
    if pd.isna(index):
        return UserError(f"{file.name}, column '{column}': {SCHEMA[column][0]} was expected ({SCHEMA[column][1]})")
    found = chunk[column].iloc[int(index)]
    where = f"{file.name}, column '{column}', row {start + int(index) + 1}"
    return UserError(f"{where}: {found!r:.60} stands there, {SCHEMA[column][0]} was expected ({SCHEMA[column][1]})")


def _ours(table: pd.DataFrame) -> pd.DataFrame:
    out = table.assign(
        country=table["country"].map(CODES).where(table["framing"] != "No_Mention"),
        framing=table["framing"].map(FRAMINGS),
        language=table["language"].map(LANGUAGES),
        tier=table["tier"].astype(int),
        question=table["question_id"].map(_number),
        refused=table["refused"].astype(bool),
    ).rename(columns={"human_mean": "human"})
    named = ["model", "country", "framing", "language", "tier", "question", "refused", "nvas", "ev_nvas", "human"]
    return out[[*named, *(name for name in TEXTS if name in out)]]


def _number(name: str) -> str:
    """The workbook's number without what a spreadsheet adds to it; another identifier as it stands."""
    found = re.fullmatch(r"0*(\d{1,3})(\.0)?", name.strip())
    return found[1] if found else name.strip()


def numbering(responses: pd.DataFrame, cells: pd.DataFrame) -> pd.DataFrame:
    """Check that the question numbers are the workbook's: people's mean must be the same in both.

    Parameters
    ----------
    responses : of :func:`load`.
    cells : of `workbook.read`.

    Returns
    -------
    One row: `value` (share of question and country pairs with both whose means agree to two decimals), `low`, `high`
    (Wilson), `n` (pairs), `unknown` (share of responses to a question without cells of that number).
    """
    pairs = responses.dropna(subset=["human", "country"]).drop_duplicates(["question", "country"])
    pairs = pairs[["question", "country", "human"]].astype({"question": object, "country": object})
    both = pairs.merge(cells[["question", "country", "centre"]].dropna(), on=["question", "country"])
    same = (both["human"] - both["centre"]).abs() < 0.0051
    low, high = wilson(same.sum(), len(same)) if len(same) else (np.nan, np.nan)
    figures = {"value": same.mean(), "low": low, "high": high, "n": len(same)}
    return pd.DataFrame([figures | {"unknown": 1 - responses["question"].isin(cells["question"]).mean()}])


def tiers(responses: pd.DataFrame) -> pd.DataFrame:
    """Take the question tiers from the responses: the authors' own list of them is not public.

    Parameters
    ----------
    responses : of :func:`load`.

    Returns
    -------
    One row per question: `question`, `tier`.

    Raises
    ------
    UserError : a question has two tiers; names it.
    """
    out = responses[["question", "tier"]].astype({"question": str}).drop_duplicates()
    if (double := out["question"].duplicated()).any():
        raise UserError(f"question {out.loc[double, 'question'].iloc[0]} has two tiers in the responses")
    return out.sort_values("question", key=lambda q: q.str.zfill(9)).reset_index(drop=True)
