"""The tracked tables against those of this build."""

import pandas as pd
import pytest

from whosevalues import results

TRACKED = sorted(str(file.relative_to(results.TRACKED).with_suffix("")) for file in results.TRACKED.rglob("*.csv"))
LIVE = (
    "mena/",
    "navab/",
    "multicultural/judges",
    "multicultural/funnel",
    "multicultural/country-live",
    "synthesis/rep",
)


CORPUS = ("first_year", "written")
"""Parameters that choose what is looked at: runs that differ in one have no figure in common."""


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
    assert list(built) == list(tracked)
    named = naming(tracked)
    both = built.merge(tracked, on=named, suffixes=("", "_tracked"), how="left", indicator=True, validate="1:1")
    there = both["_merge"] == "both"
    asked = [table.attrs["provenance"]["parameters"] for table in (built, tracked)]
    if any((asked[0] or {}).get(one) != (asked[1] or {}).get(one) for one in CORPUS):
        pytest.skip("the full run looks at more articles or answers")
    if asked[0] == asked[1] or name.endswith("-draws"):
        assert there.all(), "a figure of this build is not in the tracked table"
        figures_agree(both, [c for c in tracked.select_dtypes("number") if c not in (*named, "n")], tolerance(name))
    elif "value" in built:  # The full run drew more often: values must lie within its intervals, widened once.
        assert there.mean() > 0.95
        far = (both["value"] - both["value_tracked"]).abs() > tolerance(name) * both["value_tracked"].abs().clip(
            lower=1
        )
        if "low" in tracked:
            width = both["high_tracked"] - both["low_tracked"]
            # A figure without an interval has nothing to be held against.
            far &= (both["value"] < both["low_tracked"] - width) | (both["value"] > both["high_tracked"] + width)
        assert not far[there].any()


def naming(table: pd.DataFrame) -> list[str]:
    """Columns that name a figure: those before the value, or the first one; where they do not tell, all texts."""
    named = list(table)[: list(table).index("value") if "value" in table else 1]
    texts = [column for column in table if not pd.api.types.is_numeric_dtype(table[column])]
    return named if named and not table.duplicated(named).any() else texts or list(table)[:1]


def figures_agree(both: pd.DataFrame, figures: list[str], within: float) -> None:
    """Each figure and its tracked twin are both missing, or nearly the same."""
    for column in figures:
        apart = (both[column] - both[f"{column}_tracked"]).abs()
        assert (both[column].isna() == both[f"{column}_tracked"].isna()).all(), column
        scale = both[f"{column}_tracked"].abs().clip(lower=1).fillna(1)
        assert (apart.fillna(0) <= within * scale).all(), f"{column} differs by up to {apart.max():.3g}"


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
