"""The released data: where each file comes from, its hash and licence, and how it is had.

Nothing released by others is kept in this repository. A file is fetched once from its pinned address, or taken from
the folder that the environment variable ``WHOSEVALUES_DATA`` names (a relative path counts from the repository), and
its sha256 is checked on every load.
"""

from __future__ import annotations

import difflib
import os
import sys
import warnings
from functools import cache
from pathlib import Path

import pandas as pd

from . import ROOT, UserError

FOLDER = "WHOSEVALUES_DATA"


class DataUnavailable(UserError):
    """A released file can neither be found nor fetched: chapters then show their stored tables."""


@cache
def registry() -> pd.DataFrame:
    """Every released file that a chapter uses.

    Returns
    -------
    One row per file, indexed by `path`: `bytes`, `sha256`, `licence`, `url` (pinned to a commit) and `citation`
    (key in the book's bibliography); of an excerpt also `lines`, how many of its source's first ones it is, and the
    source's `source_sha256`.

    Examples
    --------
    >>> registry().loc["multicultural/head-2025-08/country_languages.csv", "licence"]
    'MIT'
    """
    return pd.read_csv(Path(__file__).with_name("registry.csv"), index_col="path")


def load(path: str) -> Path:
    """Find or fetch one released file and check its hash.

    Parameters
    ----------
    path : as the registry spells it, e.g. ``multicultural/head-2025-08/country_languages.csv``.

    Returns
    -------
    A local file whose sha256 is the registry's.

    Raises
    ------
    UserError : the file is not in the registry, or its content is not what the registry says.
    DataUnavailable : the file is not in the local folder, or there is no network.
    """
    if path not in registry().index:
        near = difflib.get_close_matches(path, registry().index, n=3, cutoff=0.3)
        raise UserError(f"unknown data file '{path}': the registry has {', '.join(near or registry().index)}")
    entry = registry().loc[path]
    return _from_folder(path, entry) if os.environ.get(FOLDER) else _from_network(path, entry)


# pooch brings tqdm's notebook bar, which warns on every page that it has no widgets.
warnings.filterwarnings("ignore", "IProgress not found")


def _from_folder(path: str, entry: pd.Series) -> Path:
    import pooch

    file = ROOT / os.environ[FOLDER] / path
    if not file.is_file():
        raise DataUnavailable(
            f"{path} is not in the folder that {FOLDER} names: put it there (from {entry.url}) or unset {FOLDER}"
        )
    if pooch.file_hash(str(file)) != entry.sha256:
        raise UserError(
            f"{path} in the folder that {FOLDER} names is not the released file (its sha256 differs from "
            f"{entry.sha256[:12]}...): replace it with {entry.url}"
        )
    return file


def _from_network(path: str, entry: pd.Series) -> Path:
    import pooch
    import requests

    if entry.url.startswith("https://doi.org/"):
        raise DataUnavailable(
            f"{path} is prepared from the archive at {entry.url}: prepare it and name its folder in {FOLDER}"
        )
    cache_folder = pooch.os_cache("whosevalues")
    download = pooch.HTTPDownloader(timeout=20, progressbar=sys.stderr.isatty())
    try:
        if pd.notna(entry.lines):
            source = pooch.retrieve(
                entry.url, f"sha256:{entry.source_sha256}", f"{path}.whole", cache_folder, downloader=download
            )
            return _excerpt(Path(source), int(entry.lines), entry.sha256)
        file = pooch.retrieve(entry.url, f"sha256:{entry.sha256}", path, cache_folder, downloader=download)
    except requests.RequestException as error:
        raise DataUnavailable(
            f"cannot fetch {path} ({type(error).__name__}): connect to the network, or name a folder that holds it "
            f"in {FOLDER}"
        ) from error
    except ValueError as error:
        raise UserError(
            f"{path} was fetched but its sha256 is not {entry.sha256[:12]}...: something between here and "
            f"{entry.url} changes files; get it another way and name its folder in {FOLDER}"
        ) from error
    return Path(file)


def _excerpt(source: Path, lines: int, sha256: str) -> Path:
    """The first lines of a file whose hash was checked, beside it."""
    import pooch

    file = source.with_suffix("")
    if not file.is_file() or pooch.file_hash(str(file)) != sha256:
        with source.open("rb") as whole:
            file.write_bytes(b"".join(line for line, _ in zip(whole, range(lines), strict=False)))
    return file


def read_csv(path: str, columns: dict[str, type]) -> pd.DataFrame:
    """Load a released CSV table and check that it is what the analysis expects.

    Parameters
    ----------
    path : as the registry spells it.
    columns : type of every column that the analysis reads (`str`, `float`, `int`); others are dropped.

    Returns
    -------
    The table with these columns.

    Raises
    ------
    UserError : the file is empty, is no CSV, or lacks a column; names the file and the column.
    """
    import pandera.pandas as pa

    file, wrong = load(path), (pa.errors.SchemaError, pa.errors.SchemaErrors)
    try:
        table = pd.read_csv(file)
        schema = pa.DataFrameSchema(
            {name: pa.Column(kind, nullable=True, coerce=True) for name, kind in columns.items()}, strict="filter"
        )
        return schema.validate(table)
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError, *wrong) as error:
        reason = str(error).splitlines()[0]
        raise UserError(f"{path} is not the table it should be: {reason}; fetch it anew") from error


def fetch(paper: str) -> dict[str, str | None]:
    """Load all files of one paper.

    Parameters
    ----------
    paper : first folder of the registry's paths: ``multicultural`` or ``mena``.

    Returns
    -------
    sha256 by path, None where the file cannot be had here.

    Raises
    ------
    UserError : no such paper, or a file whose content is wrong.
    """
    papers = sorted({path.split("/")[0] for path in registry().index})
    if paper not in papers:
        raise UserError(f"unknown paper '{paper}': the registry has files of {', '.join(papers)}")
    found: dict[str, str | None] = {}
    for path in registry().index[registry().index.str.startswith(f"{paper}/")]:
        try:
            load(path)
            found[path] = registry().loc[path, "sha256"]
        except DataUnavailable:
            found[path] = None
            break  # what is missing once is missing: no second wait for a network that is not there
    return found
