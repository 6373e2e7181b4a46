"""Officials beside people: labels that name sentences, shares and their intervals, whose people are nearer, sources."""

import os

import numpy as np
import pandas as pd
import pytest
from scipy import stats as scipy_stats

from whosevalues import UserError
from whosevalues.navab import articles, evaluation, people, people_beside, triples, value_sources

with_data = pytest.mark.skipif(
    not os.environ.get("WHOSEVALUES_DATA"), reason="WHOSEVALUES_DATA names no folder with the released files"
)


def labelled(rows):
    table = pd.DataFrame(rows, columns=["topic", "article", "stance"])
    side = table["stance"].map({"pro": 1.0, "con": 0.0})
    nation = table["article"].str[:2]
    return table.assign(hash=table.index.astype(str), similarity=0.5, side=side, nation=nation)


def test_a_damaged_label_is_named_and_not_counted(tmp_path, monkeypatch):
    """A typing error in the labels would silently change a nation's figure: the row must be named."""
    file = tmp_path / "official-stances.csv"
    monkeypatch.setattr(people, "LABELS", file)
    for bad in ("bribes,GB-1999,aa,0.5,against", "brides,GB-1999,aa,0.5,con"):
        file.write_text(f"topic,article,hash,similarity,stance\nbribes,US-1999,ab,0.5,con\n{bad}\n")
        with pytest.raises(UserError, match=r"row 2: \w+ GB-1999"):
            people.labels()
    row = "bribes,US-1999,ab,0.5,con\n"
    file.write_text("topic,article,hash,similarity,stance\n" + row + row)
    with pytest.raises(UserError, match="row 2"):
        people.labels()


def test_the_sample_is_what_the_page_says():
    """150 sentences over five nations were promised, no two of one speech in a cell, or the intervals are wrong."""
    table = people.labels()
    assert len(table) >= 150 and set(table["nation"]) == set(triples.NATIONS)
    assert not table.duplicated(["topic", "article"]).any()
    assert not table.duplicated(["topic", "hash"]).any()
    assert people.topics()["topic"].is_unique and 12 <= len(people.topics()) <= 20


def test_a_label_without_its_sentence_is_reported():
    """If the corpus changes, labels must not be counted for words that nobody can check any more."""
    table = labelled([("bribes", "GB-1999", "con"), ("bribes", "GB-2000", "con")])
    cut = people.sentences(
        pd.DataFrame(
            {"article": ["GB-1999"], "nation": ["GB"], "year": [1999], "text": ["Bribes are wrong. We stop\nthem."]}
        )
    )
    assert cut["sentence"].tolist() == ["Bribes are wrong.", "We stop them."]
    table["hash"] = people.fingerprint("Bribes are  wrong.")
    gone = people.lost(table, cut)
    assert gone["article"].tolist() == ["GB-2000"] and gone["remedy"].notna().all()
    assert people_beside.found(table, cut)["value"].tolist() == [0.5]


@with_data
def test_every_label_still_names_a_sentence_of_the_speeches():
    """A reader who wants to check a label must find its sentence in the released speeches."""
    table = people.labels()
    speeches = articles.speeches()
    cut = people.sentences(speeches[speeches["article"].isin(table["article"])])
    assert people.lost(table, cut).empty


def test_words_find_their_topic():
    """A sentence on bribes must not be counted for the death penalty; a long list of everything is no statement."""
    text = "We must end the death penalty in every country of the world."
    cut = pd.DataFrame({"article": "FR-1999", "nation": "FR", "year": 1999, "sentence": [text, text * 9]})
    found = people.matched(cut)
    assert found[["topic", "sentence"]].to_numpy().tolist() == [["death penalty", text]]


def test_shares_count_sides_and_leave_out_the_rest():
    """A sentence without a side, or on another topic, must not pull a nation's share towards anything."""
    rows = [("bribes", f"GB-{1990 + k}", s) for k, s in enumerate(["con", "con", "pro", "neither", "off"])]
    table = people.officials(labelled([*rows, ("bribes", "US-1990", "con")])).set_index(["nation", "topic"])
    row = table.loc[("GB", "bribes")]
    expected = scipy_stats.binomtest(1, 3).proportion_ci(method="wilson")
    assert (row["n"], row["read"], row["on_topic"]) == (3, 5, 4)
    assert row["value"] == pytest.approx(1 / 3)
    assert (row["low"], row["high"]) == pytest.approx((expected.low, expected.high))
    assert table.loc[("all", "bribes"), "value"] == 0.25
    assert np.isnan(table.loc[("DE", "bribes"), "value"]) and table.loc[("DE", "bribes"), "n"] == 0


def test_correlation_and_distance_are_the_textbook_ones():
    """The page's figures must be those that any statistics library gives."""
    rng = np.random.default_rng(1)
    x, y = rng.random((4, 9)), rng.random((4, 9))
    found = people_beside.measures(x, y)
    for line in range(4):
        assert found["correlation"][line] == pytest.approx(scipy_stats.pearsonr(x[line], y[line]).statistic)
        assert found["distance"][line] == pytest.approx(np.abs(x[line] - y[line]).mean())
        assert found["same side"][line] == pytest.approx(((x[line] > 0.5) == (y[line] > 0.5)).mean())
    assert np.isnan(people_beside.measures(np.ones((1, 3)), y[:1, :3])["correlation"][0])


def beside(own=1.0, n=12):
    rng = np.random.default_rng(3)
    people_us, people_gb = rng.random(n), rng.random(n)
    value = own * people_us + (1 - own) * rng.random(n)
    topic = [f"t{k}" for k in range(n)]
    row = {"officials": "US", "topic": topic, "value": value, "low": 0.0, "high": 1.0, "n": 4}
    return pd.DataFrame(row | {"US": people_us, "GB": people_gb})


def test_officials_who_speak_for_their_own_people_are_found_nearer_to_them():
    """If officials said just what their people answer, the comparison with the other country must show it."""
    table = people_beside.compared(beside(), rounds=300).set_index(["people", "metric"])
    assert table.loc[("US", "correlation"), "value"] == pytest.approx(1)
    gap = table.loc[("GB", "own minus other, correlation")]
    assert gap["low"] > 0 and gap["value"] > gap["chance_high"]
    assert table.loc[("GB", "own minus other, distance"), "high"] < 0


def test_officials_who_speak_at_random_stay_within_chance():
    """A correlation must stand beside what dealing the answers out anew would give, or noise would look like a find."""
    table = people_beside.compared(beside(own=0.0), rounds=300).set_index(["people", "metric"])
    row = table.loc[("US", "correlation")]
    assert abs(row["chance"]) < 0.05 and row["chance_low"] < row["value"] < row["chance_high"]
    assert row["low"] < 0 < row["high"]


def test_a_topic_that_parts_them_is_told_from_one_that_is_open():
    """Few sentences prove no agreement: only a share of the people outside the interval may be called apart."""
    table = beside().assign(low=0.4, high=0.6)
    parted = people_beside.apart(table)
    assert (parted["nation"] == "US").all() and "GB" not in parted
    outside = ~parted["people"].between(0.4, 0.6)
    assert ((parted["verdict"] == "apart") == outside).all() and outside.any()


def test_officials_are_held_against_as_many_people():
    """Few voices agree easily and lie far from any share: figures need what so few people would give themselves."""
    row = {
        "nation": "GB",
        "topic": ["a", "b", "c"],
        "value": [1.0, 0.5, 1.0],
        "n": [2, 2, 1],
        "people": [0.5, 0.4, 0.9],
    }
    found = people_beside.had_people_spoken(pd.DataFrame(row)).set_index("metric")
    one = found.loc["one side only"]
    # Two people agree with probability p^2 + (1 - p)^2: 0.5 on a, 0.52 on b.
    assert one["n"] == 2 and one["value"] == 0.5 and one["chance"] == pytest.approx(0.51, abs=0.02)
    expected = scipy_stats.binomtest(1, 2).proportion_ci(method="wilson")
    assert (one["low"], one["high"]) == pytest.approx((expected.low, expected.high))
    distance = found.loc["distance"]
    # Mean of |share - p|: a 0.5 * 0.5; b 0.36 * 0.4 + 0.48 * 0.1 + 0.16 * 0.6; c 0.9 * 0.1 + 0.1 * 0.9.
    assert distance["value"] == pytest.approx((0.5 + 0.1 + 0.1) / 3) and distance["n"] == 3
    assert distance["chance"] == pytest.approx((0.25 + 0.288 + 0.18) / 3, abs=0.01)


def test_what_speeches_are_about_is_counted_by_sentence_and_drawn_by_speech():
    """Salience must count a sentence once and let whole speeches vary, not sentences of one speech."""
    cut = pd.DataFrame(
        [(f"{nation}-{year}", nation, year, text)
         for nation in triples.NATIONS for year in (2000, 2001)
         for text in (["Bribes and corruption must end."] if year == 2000 else []) + ["Peace to all."]],
        columns=["article", "nation", "year", "sentence"],
    )  # fmt: skip
    table = people_beside.salience(cut).set_index(["nation", "topic"])
    row = table.loc[("GB", "bribes")]
    assert row["value"] == pytest.approx(1 / 3) and row["n"] == 3
    assert (row["low"], row["high"]) == (0, 0.5)
    assert table.loc[("GB", "any of these"), "value"] == pytest.approx(1 / 3)
    assert table.loc[("GB", "peace and war"), "value"] == pytest.approx(2 / 3)
    assert not table.loc[("GB", "peace and war"), "asked"]


def test_similarity_is_judged_by_pairs():
    """The page says how often a sentence on its topic was the nearer one: that is the area under the ROC curve."""
    from sklearn.metrics import roc_auc_score

    rng = np.random.default_rng(0)
    stance = rng.choice(["pro", "con", "off"], 60)
    table = labelled([("bribes", f"GB-{k}", s) for k, s in enumerate(stance)]).assign(
        similarity=rng.random(60).round(1)
    )
    found = people_beside.quality(table).set_index(["nation", "metric"])["value"]
    assert found[("all", "similarity tells")] == pytest.approx(roc_auc_score(stance != "off", table["similarity"]))
    assert found[("GB", "on topic")] == pytest.approx((stance != "off").mean())


def microdata(tmp_path, nations):
    """Three people per nation; the first weighs twice. All items 1, 1 and the scale's highest code."""
    bank, rows = people.topics(), []
    for nation in nations:
        for weight, high in ((2, False), (1, False), (1, True), (0, True)):
            codes = {item: top if high else 1 for item, top in zip(bank["item"], bank["maximum"], strict=True)}
            rows.append({"cntry_AN": nation, "gwght": weight, **codes})
    rows[0][bank["item"].iloc[0]] = -2
    file = tmp_path / "joint.csv"
    pd.DataFrame(rows).to_csv(file, index=False)
    return file


def test_a_readers_own_survey_file_gives_the_people_of_all_five_nations(tmp_path):
    """China, France and Germany come from the reader's file alone: shares must be weighted, and none may be lost."""
    answers = people.own(microdata(tmp_path, ["CN", "FR", "XX"])).set_index(["nation", "topic"])["value"]
    assert set(answers.index.get_level_values("nation")) == {"CN", "FR"}
    bank = people.topics().set_index("topic")
    for topic, side in bank["pro"].items():
        assert answers["FR", topic] == pytest.approx(0.75 if side == "low" else 0.25)
    # The one of weight 2 gave no answer to the first item.
    assert answers["CN", bank.index[0]] == pytest.approx(0.5)
    with pytest.raises(UserError, match="nobody of CN"):
        people.own(microdata(tmp_path, ["XX"]))


@with_data
def test_the_released_figures_are_those_of_britain_and_the_united_states():
    """The page says whose people it has; a figure that the release prints must come through unchanged."""
    answers = people.released()
    assert set(answers["nation"]) == {"GB", "US"} and len(answers) == 2 * len(people.topics())
    value = answers.set_index(["nation", "topic"])["value"]
    assert value["GB", "United Nations"] == pytest.approx(0.54, abs=0.005)
    assert set(people.released(people.OLDER)["nation"]) == {"GB", "US"}


SIDES = pd.DataFrame(
    [("GB", "e035", "con"), ("US", "e035", "pro"), ("US", "e117", "pro")], columns=["nation", "question", "side"]
)


def test_a_source_decides_which_statement_counts():
    """The same choice must count for one nation and against another that holds the contrary."""
    asked = value_sources.experiment()
    assert asked["id"].nunique() == 20 and len(asked) == 80
    answers = asked.assign(logprob=-1.0, tokens=1, measurement="logprob", error=None, probability=None)
    # Prefers the side in favour by completion, and always says A.
    answers.loc[answers["role"] == "S", "logprob"] = -0.5
    answers["probability"] = [(0.9, 0.1) if kind == "letter" else None for kind in answers["protocol"]]
    items = value_sources.scored(evaluation.multiple_choice(answers), SIDES)
    scores = items[items["protocol"] == "completion"].set_index("id")["correct"]
    assert scores.to_dict() == {"gb-e035": 0, "us-e035": 1, "us-e117": 1}
    letters = items[(items["protocol"] == "letter") & (items["order"] == "S first")]
    assert (letters["correct"] == 1).all() and (letters["picked_a"] == 1).all()
    rates = value_sources.rates({"people": items}).set_index(["source", "nation", "metric"])["value"]
    assert rates["people", "GB", "completion"] == 0 and rates["people", "US", evaluation.BOTH] == 0.5


def test_the_triples_of_a_source_can_be_used_like_any_others():
    """S must be the side that the source takes, and the table must pass the check that all triples pass."""
    table = value_sources.triples(SIDES).set_index("id")
    assert table.loc["gb-e035", "statement"] == table.loc["us-e035", "reverse_statement"]
    assert list(table.reset_index().columns) == triples.COLUMNS


@with_data
def test_no_rule_without_values_picks_the_peoples_side():
    """If the longer or the less negative text were the people's, a model could score without any values."""
    sides = value_sources.majorities(people.polarity())
    found = evaluation.heuristics(value_sources.triples(sides))
    assert (found["value"] <= 0.5).all() and len(sides) == 40


def test_even_splits_take_no_side_and_sources_are_compared_on_shared_issues():
    """A people split evenly has no majority; agreement must count shared issues alone and stand beside chance."""
    shares = pd.DataFrame({"nation": "GB", "question": ["e035", "e117", "e999"], "value": [0.5, 0.9, 0.9]})
    assert value_sources.majorities(shares)["question"].tolist() == ["e117"]
    other = SIDES.assign(side=["con", "con", "pro"])
    table = value_sources.agreement(SIDES, other, "a and b").set_index("nation")
    assert table["n"].to_dict() == {"GB": 1, "US": 2, "all": 3}
    assert table.loc["all", "value"] == pytest.approx(2 / 3)
    # a: pro 2 of 3; b: pro 1 of 3; alike by chance 2/3 * 1/3 + 1/3 * 2/3.
    assert table.loc["all", "chance"] == pytest.approx(4 / 9)
    expected = scipy_stats.binomtest(1, 2).proportion_ci(method="wilson")
    assert (table.loc["US", "low"], table.loc["US", "high"]) == pytest.approx((expected.low, expected.high))
    # Of two issues, one is shared: where that one alone is drawn, half agree; where the other alone is, all do.
    assert (table.loc["all", "low"], table.loc["all", "high"]) == (0.5, 1)
