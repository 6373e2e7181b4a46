"""Collapse of countries in MENAValues: bounds, estimates, clusters, pictures; against tables worked out by hand."""

from itertools import combinations, product

import numpy as np
import pandas as pd
import pytest

from whosevalues import UserError, figures, items
from whosevalues.mena import (
    clusters,
    collapse,
    collapse_contrasts,
    collapse_live,
    likely,
    neutral_place,
    profiles,
    released,
    workbook,
)

ARAB = list(profiles.ARAB)
INDEX = ["model", "framing", "mode", "language", "question"]


def sets_of(rows):
    """Rows: (framing, mode, language, question) -> bits by country; everything else unknown."""
    table = pd.DataFrame(0, pd.MultiIndex.from_tuples([("m", *row) for row in rows], names=INDEX), profiles.COUNTRIES)
    for row, bits in rows.items():
        table.loc[("m", *row), list(bits)] = list(bits.values())
    return table.sort_index()


def questions_of(**options):
    low = pd.DataFrame({"source": "WVS", "low": 1, "high": pd.Series(options)})
    return low.rename_axis("question")


def test_bounds_are_those_of_trying_everything():
    """A bound that is not reached by any set of answers would call a collapse decided that is open."""
    rng = np.random.default_rng(0)
    for _ in range(30):
        options = int(rng.integers(2, 6))
        sets = tuple(int(bits) for bits in rng.integers(1, 2**options, size=4))
        ways = list(product(*([v for v in range(options) if bits >> v & 1] for bits in sets)))
        same = [np.mean([a == b for a, b in combinations(way, 2)]) for way in ways]
        near = [np.mean([1 - abs(a - b) / (options - 1) for a, b in combinations(way, 2)]) for way in ways]
        spread = [np.var(np.array(way) / (options - 1), ddof=1) for way in ways]
        counts = collapse.worlds(sets, options)
        for measure, wanted in ((collapse.identical, same), (collapse.agreement, near), (collapse.variance, spread)):
            found = measure(counts)
            assert np.allclose([found.min(), found.max()], [min(wanted), max(wanted)])


def test_a_question_that_leaves_too_much_open_is_left_out_and_not_guessed():
    """Enumerating tens of thousands of ways per question would eat the memory of a reader's machine."""
    assert len(collapse.worlds((2**12 - 1,) * 14, 12)) == 0


def test_the_collapse_table_gives_bounds_chance_and_the_rounding_of_people():
    """A spread held against unrounded people only would call rounding a difference between countries."""
    known = {"EG": 0b001, "MA": 0b001, "TN": 0b100, "IR": 0b010}
    sets = sets_of({("persona", "zero-shot", "en", "a"): known, ("neutral", "zero-shot", "en", "a"): known})
    sets.loc[("m", "persona", "zero-shot", "en", "a"), "IQ"] = 0b101
    people = pd.DataFrame({"EG": [0.4], "MA": [0.6], "TN": [1.0], "IQ": [2.0], "JO": [1.0]}, ["a"])
    people = people.reindex(columns=list(profiles.COUNTRIES)).rename_axis("question")
    table = collapse.collapse_table(sets, people, questions_of(a=3), rounds=5)
    assert set(table["framing"]) == {"persona"}
    rows = table.set_index("measure")
    # Two, one and the open one: 3 + 1 or 2 + 2 of 4, that is 3 or 2 of 6 pairs.
    assert rows.loc["identical", ["least", "most"]].tolist() == pytest.approx([2 / 6, 3 / 6])
    # People rounded: 0, 1, 1, 2.
    assert rows.loc["identical", "rounded"] == pytest.approx(1 / 6)
    human, whole = np.var(np.array([0.4, 0.6, 1, 2]) / 2, ddof=1), np.var(np.array([0, 1, 1, 2]) / 2, ddof=1)
    most = np.var([0, 0, 1, 1], ddof=1)
    assert rows.loc["spread", "most"] == pytest.approx((most / human) ** 0.5)
    assert rows.loc["spread", "rounded"] == pytest.approx((whole / human) ** 0.5)
    assert rows.loc["spread, rounded", "most"] == pytest.approx((most / whole) ** 0.5)
    assert rows.loc["variance ratio", "most"] == pytest.approx((most / human) ** 0.5)
    # Answers given: option 1 in 2.5 of 4 cells, option 3 in 1.5.
    assert rows.loc["identical", "chance"] == pytest.approx((2.5 / 4) ** 2 + (1.5 / 4) ** 2)
    assert rows.loc["identical", "coverage"] == pytest.approx(4 / 5)


def test_native_minus_english_uses_the_cells_of_both_and_says_when_the_sign_is_open():
    """Comparing languages on different countries would report a shift of coverage as a collapse."""
    sets = sets_of(
        {
            ("persona", "zero-shot", "en", "a"): {"EG": 1, "MA": 1, "TN": 4},
            ("persona", "zero-shot", "native", "a"): {"EG": 1, "MA": 0b101},
        }
    )
    people = pd.DataFrame(1.0, ["a"], list(profiles.COUNTRIES)).rename_axis("question")
    table = collapse_contrasts.contrast_table(sets, people, questions_of(a=3), "language", "native", "en", rounds=5)
    row = table.set_index("measure").loc["identical"]
    assert (row["least"], row["most"], row["side"]) == (-1, 0, 0)
    assert row["verdict"].startswith("undecided")


def test_the_estimate_is_the_truth_where_nothing_is_open_and_prefers_a_common_side():
    """An estimate that ignored the other countries would be the middle of the bounds."""
    sets = sets_of(
        {
            ("persona", "zero-shot", "en", "a"): {"EG": 1, "MA": 1, "TN": 4},
            ("persona", "zero-shot", "en", "b"): dict.fromkeys(ARAB[:7], 0b10100) | dict.fromkeys(ARAB[7:], 0b00101),
        }
    )
    found = likely.likely_identical(sets[ARAB], questions_of(a=3, b=5))
    assert found[0] == pytest.approx(1 / 3)
    assert found[1] > 0.95


def test_hidden_answers_contain_the_true_ones_at_the_right_distance():
    """A check whose sets were not made as the released scores make them would vouch for nothing."""
    one = pd.DataFrame({"EG": [0.0, 2.0], "MA": [1.0, np.nan]}, ["a", "b"])
    two = pd.DataFrame({"EG": [1.0, 0.0], "MA": [2.0, 1.0]}, ["a", "b"])
    hidden, true = likely.as_if_native(one, two, questions_of(a=3, b=5))
    assert hidden.to_numpy().tolist() == [[0b010, 0b101], [0b10001, 0]]
    assert true.to_numpy().tolist() == [[0b010, 0b100], [0b00001, 0]]


def test_an_estimate_is_trusted_no_further_than_the_checks_reach():
    """A collapse would be reported that is no larger than the error of the estimate."""
    spread = {c: 1 << (i % 3 + 1) for i, c in enumerate(ARAB)}
    rows = {("persona", "zero-shot", "en", name): spread for name in "abcdef"}
    one = sets_of(rows | {("persona", "zero-shot", "native", name): dict.fromkeys(ARAB, 2) for name in "abcdef"})
    # The other model always answers in the middle, so that the outer answers cannot be told apart.
    two = sets_of({key: dict.fromkeys(ARAB, 4) for key in rows}).rename(index={"m": "other"}, level="model")
    table = likely.likely_table(pd.concat([one, two]), questions_of(**dict.fromkeys("abcdef", 5)), rounds=20)
    check = table[(table["what"] == "check") & (table["model"] == "m")].iloc[0]
    row = table[table["what"] == "native - en"].iloc[0]
    # Five, five and four countries: 10 + 10 + 6 of 91 pairs are alike, and natively all.
    assert check["second"] == pytest.approx(26 / 91)
    assert check["open"] == pytest.approx(9 / 14)
    assert row["value"] == pytest.approx(65 / 91)
    assert row["low"] == pytest.approx(65 / 91 - max(check["value"], 0))
    assert row["verdict"] == "more"


def test_the_language_gap_covers_every_answer_that_remains_possible():
    """Bounds that were too narrow would call clusters by language proven."""
    arab, apart, options = (0b0011, 0b0100, 0b1000), (0b1001, 0b0010), 4
    ways = [[v for v in range(options) if bits >> v & 1] for bits in (*arab, *apart)]
    gaps = []
    for a, b, c, d, e in product(*ways):
        far = np.mean([abs(x - y) for x in (a, b, c) for y in (d, e)]) / 3
        gaps.append(far - np.mean([abs(x - y) for x, y in combinations((a, b, c), 2)]) / 3)
    assert clusters.language_gap(arab, apart, options) == pytest.approx((min(gaps), max(gaps)))


def test_countries_that_answer_by_language_are_found_as_clusters():
    """The chapter's main finding must not be an accident of its arithmetic."""
    native = dict.fromkeys(clusters.BLOCKS["WVS"], 0b001) | {"IR": 0b100, "TR": 0b010}
    rows = {("persona", "zero-shot", language, name): native for language in ("en", "native") for name in "abc"}
    people = pd.DataFrame(1.0, list("abc"), list(profiles.COUNTRIES)).rename_axis("question")
    table = clusters.language_table(sets_of(rows), people, questions_of(a=3, b=3, c=3), rounds=5)
    row = table[table["language"] == "native"].set_index("measure")
    # Iran lies 1 and Turkey 1/2 from the Arab countries, which lie together.
    assert row.loc["gap", ["least", "most", "people"]].tolist() == pytest.approx([0.75, 0.75, 0])
    assert row.loc["silhouette", "value"] == pytest.approx(7 / 9)
    assert row.loc["silhouette", "p"] == pytest.approx(1 / 36)


def test_a_neutral_answer_far_from_all_countries_is_an_outlier_and_one_among_them_is_not():
    """The claim that the neutral stance is an outlier is judged by this verdict."""
    rng, rows = np.random.default_rng(1), {}
    for k in range(40):
        rows["persona", "zero-shot", "en", f"q{k}"] = {c: 1 << int(rng.integers(0, 3)) for c in ARAB}
    names = [key[-1] for key in rows]
    people = pd.DataFrame(1.0, names, list(profiles.COUNTRIES)).rename_axis("question")
    for bits, wanted in ((1 << 9, "outlier"), (1 << 1, "no outlier")):
        neutral = {("neutral", "zero-shot", "en", name): dict.fromkeys(profiles.COUNTRIES, bits) for name in names}
        table = neutral_place.neutral_table(
            sets_of(rows | neutral), people, questions_of(**dict.fromkeys(names, 10)), rounds=50
        )
        row = table[(table["among"] == "persona") & (table["measure"] == "beyond")].iloc[0]
        assert row["verdict"] == wanted


def test_countries_ordered_as_people_correlate():
    """A Mantel test on the wrong pairs would report chance for a model that knows its countries."""
    rows = {}
    for k in range(30):
        rows["persona", "zero-shot", "en", f"q{k}"] = {c: 1 << (i * (k + 1) % 7) for i, c in enumerate(ARAB)}
    sets = sets_of(rows)
    names = [key[-1] for key in rows]
    people = profiles.certain(sets).droplevel(INDEX[:4])
    questions = questions_of(**dict.fromkeys(names, 7)).assign(source="AOI")
    table = neutral_place.order_table(sets, people, questions, rounds=20)
    row = table[table["source"] == "AOI"].iloc[0]
    assert row["value"] == pytest.approx(1)
    assert row["p"] <= 0.01


def test_components_agree_with_the_singular_values():
    """A picture whose axes are not the principal ones would be no PCA."""
    rng = np.random.default_rng(2)
    people, model = (pd.DataFrame(rng.random((6, 9)), list("abcdef")) for _ in range(2))
    points, share = profiles.components(people, model, "people")
    centred = people - people.mean()
    u, s, axes = np.linalg.svd(centred.to_numpy(), full_matrices=False)
    assert share == pytest.approx((s**2 / (s**2).sum())[:2])
    assert profiles.explained(people.to_numpy()) == pytest.approx((s**2 / (s**2).sum())[:2].sum())
    at = points[points["who"] == "people"][["first", "second"]].to_numpy()
    assert np.allclose(np.abs(at), np.abs((u * s)[:, :2]))
    moved = points[points["who"] == "model"][["first", "second"]].to_numpy()
    assert np.allclose(np.abs(moved), np.abs((model - model.mean()).to_numpy() @ axes[:2].T))
    joint = profiles.components(people, model, "joint")[0]
    assert np.allclose(joint[["first", "second"]].mean(), 0)
    with pytest.raises(UserError, match="people, model or joint"):
        profiles.components(people, model, "humans")


def test_reshuffling_keeps_every_question_and_its_gaps():
    """A null that moved gaps would mix missing answers into what noise looks like."""
    values = np.array([[1.0, np.nan], [2.0, 5.0], [3.0, 6.0]])
    out = profiles.shuffled(values, np.random.default_rng(0))
    assert np.array_equal(np.isnan(out), np.isnan(values))
    assert np.allclose(np.sort(out, axis=0), np.sort(values, axis=0), equal_nan=True)


def test_live_pairs_are_counted_per_question():
    """A model that answers alike for two of three countries has one identical pair in three."""
    answered = pd.DataFrame({"country": ["EG", "IR", "TR", None], "answer": ["1", "1", "2", "2"]})
    answered = answered.assign(model="m", framing="persona", language="en", mode="zero-shot")
    question = items.teaching_questions()[0]
    compared = collapse_live.pairs(answered.assign(question=question.id), [question])
    table = collapse_live.live_table(compared).set_index("measure")
    assert table.loc["identical", "value"] == pytest.approx(1 / 3)
    assert table.loc["identical", "chance"] == pytest.approx(1 / len(question.options))
    assert table.loc["identical", "n"] == 3


def test_every_picture_of_the_explorer_can_be_picked():
    """A menu entry that shows another picture than it names would mislead every reader."""
    points = pd.DataFrame({"first": [0.0, 1.0, 2.0], "second": 0.0, "label": "EG", "name": "Egypt", "tongue": "ar"})
    points = points.assign(axes=["a", "a", "b"], picture=["p", "q", "p"], who="people")
    figure = figures.points_explorer(points, menu="axes", picture="picture", hue="who", symbol="tongue", name="name")
    shown = {
        button["label"]: [t.x[0] for t, on in zip(figure.data, button["args"][0]["visible"], strict=True) if on]
        for menu in figure.layout.updatemenus
        for button in menu["buttons"]
    }
    assert shown == {"a: p": [0.0], "a: q": [1.0], "b: p": [2.0]}
    assert [trace.visible for trace in figure.data] == [True, False, False]


@pytest.fixture(scope="module")
def known():
    from whosevalues import data

    try:
        data.load(workbook.PATH)
    except data.DataUnavailable as error:
        pytest.skip(str(error))
    return profiles.released_sets()


def test_released_sets_hold_the_answers_that_scores_imply(known):
    """Every figure of the chapter rests on these sets: an answer must lie at the released distance."""
    sets, people, questions = known
    clcs = released.read("CLCS").dropna(subset="value").query("framing == 'persona' and country == 'EG'")
    answers = profiles.certain(sets)["EG"].unstack("language")
    joined = clcs.set_index(INDEX[:3] + ["question"])["value"].to_frame().join(answers).dropna()
    width = profiles.width(questions).reindex(joined.index.get_level_values("question")).to_numpy()
    assert len(joined) > 1000
    assert np.allclose(1 - (joined["en"] - joined["native"]).abs() / width, joined["value"], atol=1e-6)
    assert people.notna().to_numpy().sum() == 9051


def test_profiles_of_a_block_have_no_gaps(known):
    """A gap that was filled would be part of the picture."""
    for cell, (people, model) in profiles.blocks(*known).items():
        for table in (people, model):
            assert table.index.tolist() == list(profiles.BLOCKS[cell[0]])
            assert table.shape[1] >= 20
            assert table.notna().all(axis=None)
        # A mean of people may lie outside: five questions have an option below Min.
        assert model.to_numpy().min() >= 0
        assert model.to_numpy().max() <= 1
