"""The tracked tables against those of this build."""

import pandas as pd
import pytest

from whosevalues import results

TRACKED = sorted(str(file.relative_to(results.TRACKED).with_suffix("")) for file in results.TRACKED.rglob("*.csv"))
LIVE = ("mena/", "navab/")


def tolerance(name: str) -> float:
    """Replays are arithmetic; live figures change with the processor's float32, and an answer may flip with them."""
    return 0.03 if name.startswith(LIVE) else 1e-5


@pytest.mark.parametrize("name", TRACKED)
def test_tracked_tables_are_what_the_code_computes(name):
    """Whoever has no data reads the tracked tables: they must not tell of an older analysis."""
    if not (results.BUILT / f"{name}.csv").is_file():
        pytest.skip("this result was not built here: run `make book` first")
    built, tracked = results.load(name), results.stored(name)
    if built.attrs["origin"] == "stored":
        pytest.skip("this build shows the stored table itself: its data could not be had")
    figures = [column for column in tracked.select_dtypes("number") if column not in ("seed", "n")]
    # Where this build shows stored tables, the ledger says so; its verdicts are the same.
    keys = [column for column in tracked if column not in figures and column not in ("n", "origin")]
    assert list(built) == list(tracked)
    both = built.merge(tracked, on=keys, suffixes=("", "_tracked"), how="left", indicator=True)
    assert (both["_merge"] == "both").all(), "a figure of this build is not in the tracked table"
    for column in figures:
        apart = (both[column] - both[f"{column}_tracked"]).abs()
        assert (both[column].isna() == both[f"{column}_tracked"].isna()).all(), column
        scale = both[f"{column}_tracked"].abs().clip(lower=1).fillna(1)
        assert (apart.fillna(0) <= tolerance(name) * scale).all(), f"{column} differs by up to {apart.max():.3g}"


def test_every_result_says_where_it_came_from():
    """A figure without data hash, commit and date cannot be cited."""
    for name in TRACKED:
        about = results.stored(name).attrs["provenance"]
        assert {"data", "parameters", "versions", "commit", "date"} <= set(about)
        assert about["commit"] != "unknown"


def test_a_reader_never_meets_a_result_of_an_unknown_name():
    """A misspelt result must show those there are."""
    with pytest.raises(results.UserError, match="no result 'multicultural/rq9': there are"):
        results.load("multicultural/rq9")


def test_runs_and_origins_are_tables_even_before_the_first_build(tmp_path, monkeypatch):
    """The status page must not break on an empty folder."""
    monkeypatch.setattr(results, "ROOT", tmp_path)
    monkeypatch.setattr(results, "BUILT", tmp_path / "results")
    assert results.runs().empty and results.origins().empty
    assert isinstance(results.runs(), pd.DataFrame)
