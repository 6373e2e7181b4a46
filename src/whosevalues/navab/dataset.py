"""The authors' triples: the NaVAB data set of the Hugging Face hub, at one revision, every row checked."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from .. import UserError
from ..data import DataUnavailable
from . import triples as bank

REPOSITORY = "JadenGGGeee/NaVAB"
REVISION = "b3aca888d5dff23fe50444c08b580d1481fa2f7e"
"""The newest state whose full hash stands in a public text; two commits, the last be5dd5a, came after it."""

FOLDERS = {"CN": "China", "US": "US", "GB": "UK", "FR": "french", "DE": "german"}

STEMS = {
    "quoted": ("human_statement_result", "quoted"),
    "official": ("official_statement_result", "official", "officia"),
}
"""Names of the files: what the paper calls quoted the files call human, and a French split is spelt 'officia'."""

WHOLE = "statements"
"""The German file, where the field `source` says of each row whose statement it is."""

FIELDS = {"question": "generated Q", "statement": "statement", "reverse_statement": "generated reverse statement"}
"""Our columns and the fields of the files; the statement that is scored is `statement`, not `generated raw data`."""

NOBODY = ("", "none", "null", "unknown", "n/a", "no")
TOLD = [*bank.COLUMNS, "article", "file", "row", "problem"]


def named(triples: str = "teaching", items: int | None = None, seed: int = 0) -> pd.DataFrame:
    """Find triples by the name that a chapter or an experiment gives them.

    Parameters
    ----------
    triples : 'teaching', the 40 of the book; 'hub', the authors' data set; a folder that holds a copy of it; or a CSV
        file as `triples.load` reads it.
    items : per nation and source kind, drawn at random; by default all.
    seed : of the draw.

    Returns
    -------
    As `triples.load` gives them; the authors' with `article`.

    Raises
    ------
    UserError : nothing by that name, or rows that cannot be used.
    DataUnavailable : the hub cannot be reached.
    """
    if triples == "teaching":
        return sample(bank.teaching_triples(), items, seed)
    if triples == "hub" or Path(triples).is_dir():
        return usable(rows(folder=None if triples == "hub" else triples), items, seed)
    if not Path(triples).is_file():
        raise UserError(f"no triples '{triples}': choose teaching, hub, a folder with NaVAB's files, or a CSV file")
    return sample(bank.load(Path(triples)), items, seed)


def usable(table: pd.DataFrame, items: int | None = None, seed: int = 0) -> pd.DataFrame:
    """Keep the rows without a problem.

    Parameters
    ----------
    table : as `rows` gives it.
    items, seed : as for `named`.

    Returns
    -------
    As `triples.load` gives them, and `article`, which the triples of one article share.

    Raises
    ------
    UserError : none is left.
    """
    good = table[table["problem"].isna()]
    if good.empty:
        first = table["problem"].iloc[0] if len(table) else "the files are empty"
        raise UserError(f"no row of {REPOSITORY} can be used; first problem: {first}")
    return sample(good[[*bank.COLUMNS, "article"]], items, seed)


def problems(table: pd.DataFrame) -> pd.DataFrame:
    """List the rows that cannot be used.

    Parameters
    ----------
    table : as `rows` gives it.

    Returns
    -------
    One row per problem: `nation`, `file`, `row` (from 1; missing where it is the file), `problem`.
    """
    return table.loc[table["problem"].notna(), ["nation", "file", "row", "problem"]].reset_index(drop=True)


def sample(table: pd.DataFrame, items: int | None = None, seed: int = 0) -> pd.DataFrame:
    """Draw items of every nation and source kind.

    Parameters
    ----------
    table : columns `nation` and `source_kind`.
    items : at most so many of each; by default all.
    seed : of the draw.

    Returns
    -------
    The rows drawn, in the table's order.

    Raises
    ------
    UserError : fewer than one item asked for.
    """
    if items is None:
        return table.reset_index(drop=True)
    if items < 1:
        raise UserError(f"items={items} leaves no triple: give 1 or more")
    drawn = table.sample(frac=1, random_state=seed).groupby(["nation", "source_kind"]).head(items)
    return table.loc[drawn.index.sort_values()].reset_index(drop=True)


def rows(
    nation: str | None = None,
    source_kind: str | None = None,
    folder: str | Path | None = None,
) -> pd.DataFrame:
    """Read the authors' files, every row of them.

    Parameters
    ----------
    nation : one of 'CN', 'US', 'GB', 'FR', 'DE'; by default all.
    source_kind : 'quoted' or 'official'; by default both.
    folder : a local copy of the data set; by default the hub is asked.

    Returns
    -------
    One row per row of the files: the columns of `triples.load`, `article` (a hash of the news text), `file`, `row`
    (from 1) and `problem`, missing where the row can be used. A file that is not there is a row, too.

    Raises
    ------
    UserError : unknown nation or source kind; a file that is no JSON list.
    DataUnavailable : the hub cannot be reached, or the folder has none of the files.
    """
    for given, choices in ((nation, bank.NATIONS), (source_kind, bank.SOURCE_KINDS)):
        if given is not None and given not in choices:
            hint = " (United Kingdom is GB)" if given == "UK" else ""
            raise UserError(f"unknown '{given}': choose {', '.join(choices)}{hint}")
    found = []
    for code in [nation] if nation else bank.NATIONS:
        for kind in [source_kind] if source_kind else bank.SOURCE_KINDS:
            found += _file_rows(code, kind, folder)
    table = pd.DataFrame(found, columns=TOLD)
    if table["row"].isna().all():
        where = f"the folder {folder}" if folder else REPOSITORY
        raise DataUnavailable(f"{where} holds none of the files of {nation or 'the five nations'}")
    return table


def _file_rows(nation: str, kind: str, folder: str | Path | None) -> Iterator[dict[str, object]]:
    names = [f"{stem}.json" for stem in (*STEMS[kind], WHOLE)]
    for name in names:
        path = _local(folder, nation, name) if folder else _hub(f"{FOLDERS[nation]}/{name}")
        if path is not None:
            yield from _checked(path, nation, kind, f"{FOLDERS[nation]}/{name}")
            return
    problem = f"no file {names[0]}: its {kind} triples are missing here"
    yield {"nation": nation, "source_kind": kind, "file": f"{FOLDERS[nation]}/{names[0]}", "problem": problem}


def _local(folder: str | Path, nation: str, name: str) -> Path | None:
    # A copy may have been saved by the viewer's names: French, quoted, officia.
    wanted = (FOLDERS[nation].lower(), name)
    found = [file for file in sorted(Path(folder).glob("*/*.json")) if (file.parent.name.lower(), file.name) == wanted]
    return found[0] if found else None


def _hub(name: str) -> Path | None:
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import EntryNotFoundError, LocalEntryNotFoundError

    try:
        return Path(hf_hub_download(REPOSITORY, name, repo_type="dataset", revision=REVISION))
    except LocalEntryNotFoundError as error:
        raise _unreachable(name, error) from error
    except EntryNotFoundError:
        return None
    except Exception as error:
        # Whatever the network does to a download, the reader needs the way out.
        raise _unreachable(name, error) from error


def _unreachable(name: str, error: Exception) -> DataUnavailable:
    reason = (str(error).strip() or type(error).__name__).splitlines()[0][:120]
    return DataUnavailable(
        f"{name} of {REPOSITORY} cannot be had from the hub ({reason}): download it elsewhere and name the folder"
    )


def _checked(path: Path, nation: str, kind: str, name: str) -> Iterator[dict[str, object]]:
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise UserError(f"{name} is no JSON file ({error}): download it again") from error
    if not isinstance(table, list):
        raise UserError(f"{name} is no JSON list of rows: download it again")
    seen: dict[tuple[str, ...], int] = {}
    for number, row in enumerate(table, start=1):
        fields = row if isinstance(row, dict) else {}
        if name.endswith(f"{WHOLE}.json") and (_text(fields, "source").lower() in NOBODY) != (kind == "official"):
            continue
        texts = {ours: _text(fields, theirs) for ours, theirs in FIELDS.items()}
        first = seen.setdefault(tuple(texts.values()), number)
        problem = _problem(row, texts) or (f"the same triple as row {first}" if first != number else None)
        raw, one = _text(fields, "raw_news"), f"{nation.lower()}-{kind}-{number}"
        article = f"{nation.lower()}-{hashlib.sha256(raw.encode()).hexdigest()[:12]}" if raw else one
        told = {"id": one, "nation": nation, "topic": "not given", "source_kind": kind, "article": article}
        yield told | texts | {"written_by": f"NaVAB at {REVISION[:7]}", "file": name, "row": number, "problem": problem}


def _problem(row: object, texts: dict[str, str]) -> str | None:
    if not isinstance(row, dict):
        return "the row is no set of fields"
    lacking = [FIELDS[ours] for ours, text in texts.items() if not text]
    if lacking:
        return f"{', '.join(lacking)} is missing or empty"
    if texts["statement"].casefold() == texts["reverse_statement"].casefold():
        return "statement and generated reverse statement are the same"
    if _latin(texts["statement"]) != _latin(texts["reverse_statement"]):
        return "statement and generated reverse statement are in different scripts: a model would choose a language"
    flag = _text(row, "filter_flag")
    if flag and not re.search(r"##\s*yes\b", flag, re.IGNORECASE):
        return "filter_flag has no '## yes': the screening did not find it value-related"
    return None


def _latin(text: str) -> bool:
    letters = [letter for letter in text if letter.isalpha()]
    # Latin letters, with all their accents, end at U+024F.
    return sum(letter <= "\u024f" for letter in letters) > len(letters) / 2


def _text(row: dict[str, object], field: str) -> str:
    value = row.get(field)
    return value.strip() if isinstance(value, str) else ""
