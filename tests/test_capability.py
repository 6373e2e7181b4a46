"""Table 3 and Table 2 of "Multilingual != Multicultural": every cell against the released files and dated prices."""

import os

import pandas as pd
import pytest

from whosevalues import UserError
from whosevalues.multicultural import bill, capability, names

SEED, HEAD = names.STATES
with_data = pytest.mark.skipif(
    not os.environ.get("WHOSEVALUES_DATA"), reason="WHOSEVALUES_DATA names no folder with the released files"
)


def test_table_3_is_the_printed_one():
    """A typing error in Table 3 would become a finding: its size and some cells are held against the print."""
    table = capability.read_set("Table 3")
    assert len(table) == 90 and table["score"].between(0, 1).all()
    assert table.groupby("language")["benchmark"].nunique().to_dict() == {"da": 4, "en": 4, "nl": 4, "pt": 3}
    cell = table.set_index(["model", "benchmark"])["score"]
    assert cell["gpt-4o", "SCALA-NL"] == 0.563 and cell["gemma-2-9b-it", "FAQUAD NLI"] == 0.482
    # The printed percentages of three columns, added by hand.
    sums = {"gpt-3.5-turbo-0125": 961.4, "gpt-4-turbo-2024-04-09": 1183.1, "gemma-2-2b-it": 535.4}
    for model, total in sums.items():
        assert table.loc[table["model"] == model, "score"].sum() * 100 == pytest.approx(total)


def test_an_unknown_set_is_named():
    """A misspelt set must not silently become another one."""
    with pytest.raises(UserError, match="unknown benchmarks 'Table 4': there are Table 3, seed-2025-06"):
        capability.read_set("Table 4")


@with_data
def test_all_cells_that_differ_are_found():
    """The reader trusts that the list of differences is complete: it must hold all that reading by eye found."""
    table = capability.cells()
    table = table[table["printed"].notna() & (table["differs"] != "no")]
    found = {(row.file, row.benchmark, row.model): row.value for row in table.itertuples()}
    gemma = names.MODELS["gemma"]
    absent = {(SEED, "OAB Exams", model) for model in gemma}
    absent |= {(HEAD, "HumanEval", model) for model in (*gemma, *names.MODELS["openai"])}
    other = {(state, "FAQUAD NLI", model) for state in names.STATES for model in gemma[:2]} | {
        (HEAD, "SCALA-NL", "gpt-4o")
    }
    assert set(found) == absent | other
    assert found[SEED, "FAQUAD NLI", gemma[0]] == pytest.approx(0.728)
    assert found[HEAD, "SCALA-NL", "gpt-4o"] == pytest.approx(0.589)


@with_data
def test_every_printed_cell_has_its_source():
    """The sources of Table 3 are read off the files: 90 cells, none twice."""
    table = capability.sources(capability.cells())
    assert len(table) == 90
    assert table["source"].value_counts().to_dict() == {"both files": 78, SEED: 7, HEAD: 3, "neither file": 2}


@with_data
def test_the_range_of_a_mean_leaves_one_benchmark_out():
    """With so few benchmarks the choice matters: the range must be of the means that are left, missing ones apart."""
    table = capability.by_set().set_index(["benchmarks", "metric", "model", "language"])
    row = table.loc[(SEED, "capability", "gemma-2-2b-it", "pt")]
    # ASSIN2 36.7 and FAQUAD 72.8 alone; printed 28.8, 36.7 and 45.5.
    assert row[["value", "low", "high", "n"]].tolist() == pytest.approx([0.5475, 0.367, 0.728, 2])
    assert row["printed"] == pytest.approx(0.37)
    step = table.loc[("Table 3", "step", "gpt-4o", "nl")]
    assert step["value"] == pytest.approx((76.8 + 56.3 + 79.4 + 73.1 - 74.9 - 77.3 - 61.0 - 73.6) / 400)
    assert step["chance"] == 0


@with_data
def test_the_regression_takes_the_means_of_the_files():
    """Capability for the comparison of benchmarks must be the one that the replay itself uses."""
    from whosevalues.multicultural import released

    for state in names.STATES:
        ours = capability.by_benchmarks(state).set_index(["model", "language"])["multilingual"]
        theirs = released.read(state)[2].set_index(["model", "language"])["multilingual"]
        pd.testing.assert_series_equal(ours.sort_index(), theirs.sort_index())


def test_a_score_that_stands_twice_is_found():
    """A slip of the copying hand leaves equal scores within a model, not between models."""
    rows = [("m", "pt", "A", 0.5), ("m", "pt", "B", 0.5), ("m", "da", "C", 0.5), ("k", "pt", "A", 0.5)]
    table = pd.DataFrame([*rows, ("k", "pt", "B", 0.6)], columns=["model", "language", "benchmark", "score"])
    assert capability.twins(table).values.tolist() == [["m", "pt", "A", "B", 0.5]]
    # Between the models: (m's A, k's B) differ, (k's A, m's B) agree: half of the two pairs within the models.
    assert capability.expected_twins(table) == pytest.approx(0.5 * 2)


def test_table_2_comes_out_at_half_price_alone():
    """The paper says that it paid for batches: every printed cost must follow from its tokens at half, none at full."""
    table = bill.table2().set_index(["part", "model", "price"])
    assert table.loc[("responses", "gpt-4o", "batch"), "value"] == pytest.approx((90_178 * 1.25 + 644_569 * 5) / 1e6)
    lines = table.drop("total", level="model").reset_index()
    assert (lines.loc[lines["price"] == "batch", "differs"] == "no").sum() == 5
    assert (lines.loc[lines["price"].isin(["list", "first version, batch"]), "differs"] == "yes").all()
    assert lines["price_source"].dropna().str.startswith("https://").all()


def test_the_printed_total_is_that_of_unrounded_costs():
    """3.34 + 10.17 + .41 is 13.92, and 13.91 is printed: the table must say why."""
    table = bill.table2().set_index(["model", "price"])
    assert table.loc[("sum of the printed", "printed"), "value"] == pytest.approx(13.92)
    assert table.loc[("sum of the printed", "printed"), "differs"] == "yes"
    assert table.loc[("total", "batch"), ["printed", "differs"]].tolist() == [13.91, "no"]
