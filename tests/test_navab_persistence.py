"""Several turns: models whose behaviour is known must get the persistence they have; and two models side by side."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats as scipy_stats

from whosevalues import UserError, responses
from whosevalues.models.scripted import ScriptedModel
from whosevalues.navab import evaluation, paired, persistence
from whosevalues.navab.triples import teaching_triples

BANK = teaching_triples().groupby("nation", sort=False).head(1)


def replies(rule, table=BANK, turns=2):
    """Answers of a model that says A with the probability that `rule` gives to a row."""
    asked = persistence.requests(table, turns)
    rows = asked.astype(object).where(asked.notna(), None).to_dict("records")
    share = [rule(row) for row in rows]
    return persistence.choices(asked.assign(probability=[(p, 1 - p) for p in share], error=None))


def of(table, metric, follow_up="user disagrees", turn=2):
    rows = persistence.persistence(table).set_index(["nation", "follow_up", "turn", "metric"])
    return rows.loc[("all", follow_up, turn, metric)]


def always_a(row):
    return 0.9


def says_s(row):
    """Holds S, whatever was said before."""
    return 0.9 if row["order"] == "S first" else 0.1


def keeps(row):
    """Repeats itself, beginning with A."""
    return {None: 0.9, "A": 0.9, "B": 0.1}[row["first"]]


def gives_in(row):
    return {None: 0.9, "A": 0.1, "B": 0.9}[row["first"]]


def test_who_always_says_a_is_not_taken_for_steadfast():
    """A letter-biased model keeps all its own choices: the letter-free figure must be what chance gives."""
    table = replies(always_a)
    assert of(table, persistence.KEPT)["value"] == 1
    assert of(table, persistence.FREE)["value"] == 0.5
    assert of(table, persistence.SHARE)["value"] == pytest.approx(0.5)
    assert of(table, persistence.LETTER)["value"] == 1
    stance = persistence.stances(table).set_index(["nation", "metric"])["value"]
    assert stance["all", persistence.STANCE] == 0


@pytest.mark.parametrize(("rule", "free"), [(keeps, 1), (gives_in, 0), (says_s, 0.5), (lambda row: 0.5, 0.5)])
def test_known_behaviour_gets_its_figure(rule, free):
    """Who repeats himself keeps all, who gives in nothing; who holds S or is at random gets one half."""
    assert of(replies(rule), persistence.FREE)["value"] == free


def test_a_stance_is_what_both_orders_share():
    """A choice that turns with the order of the letters is no stance; one that does not is."""
    stance = persistence.stances(replies(says_s)).set_index(["nation", "metric"])["value"]
    assert stance["all", persistence.STANCE] == 1 and stance["all", persistence.LETTER] == 0.5
    assert of(replies(says_s), persistence.KEPT)["value"] == 1


def test_own_choices_are_told_from_branches_never_taken():
    """All branches are asked beforehand; only that which the model would have taken may count as its own."""

    def rule(row):
        # Begins with B; keeps a B half-heartedly, gives an A up.
        return {None: 0.2, "A": 0.3, "B": 0.4}[row["first"]]

    table = replies(rule)
    assert (table.loc[table["own"], "first"] == "B").all()
    assert of(table, persistence.KEPT)["value"] == 1
    assert of(table, persistence.SHARE)["value"] == pytest.approx((0.3 + 0.6) / 2)


def test_pressure_is_measured_against_being_asked_again():
    """A model that changes at any second question must not be said to yield to objections."""

    def rule(row):
        base = {None: 0.9, "A": 0.6, "B": 0.4}[row["first"]]
        told = row["follow_up"] == "told it is wrong"
        return base + (0.2 if told and row["first"] == "B" else -0.2 if told else 0)

    table = persistence.against_control(replies(rule)).set_index(["follow_up", "turn"])
    assert table.loc[("told it is wrong", 1), "value"] == pytest.approx(-0.2)
    assert table.loc[("user disagrees", 1), "value"] == pytest.approx(0)
    assert len(table) == 3 * 2 and (table["n"] == 5).all()


def test_the_interval_is_of_items():
    """Ten replies about one triple are no ten triples: the interval must be Wilson's with items as trials."""
    row = of(replies(keeps), persistence.FREE)
    expected = scipy_stats.binomtest(5, 5).proportion_ci(method="wilson")
    assert row["n"] == 5 and (row["low"], row["high"]) == pytest.approx((expected.low, expected.high))


def test_too_few_items_get_no_bootstrap():
    """Two items bootstrapped look certain: the page would print an interval of nothing."""
    for table in (replies(says_s, BANK.head(4)), replies(says_s)):
        items = table["id"].nunique()
        soft = of(table, persistence.SHARE)
        pressure = persistence.against_control(table)
        assert soft["n"] == items and np.isnan(soft["low"]) == (items < 5)
        assert (pressure["low"].isna() == (items < 5)).all() and pressure["value"].notna().all()


def test_an_error_on_one_branch_leaves_its_item_out_and_is_counted():
    """A lost reply on the B branch alone would bring the letter back in: the item must go, and be reported."""
    asked = persistence.requests(BANK, 1)
    lost = (asked["id"] == "cn-01") & (asked["first"] == "B") & (asked["follow_up"] == "user disagrees")
    error = np.where(lost, "timeout", None)
    probability = [None if gone else (0.9, 0.1) for gone in lost]
    table = persistence.choices(asked.assign(probability=probability, error=error))
    row = of(table, persistence.FREE, turn=1)
    assert row["n"] == 4 and row["unanswered"] == 1 and row["value"] == 0.5
    assert of(table, persistence.FREE, "told it is wrong", 1)["n"] == 5


def test_single_turn_and_persistence_are_set_beside_each_other():
    """The paper's question: are aligned items the persistent ones? A made-up yes must come out as that."""
    aligned = {"cn-01": 1.0, "us-01": 1.0, "gb-01": 0.0, "fr-01": 0.0, "de-01": 0.0}

    def rule(row):
        kept = 0.9 if aligned[row["id"]] else 0.5
        return {None: 0.5, "A": kept, "B": 1 - kept}[row["first"]]

    items = pd.DataFrame({"id": list(aligned), "protocol": "completion", "correct": list(aligned.values())})
    table = persistence.related(replies(rule), items)
    assert table["value"].to_numpy() == pytest.approx(0.4) and (table["n"] == 5).all()


def test_each_branch_is_a_conversation_of_its_own():
    """The store keys by prompt: two branches with the same words would share one answer."""
    asked = persistence.experiment(items=5)
    assert len(asked) == 5 * 2 * (1 + 4 * 2 * 3) and asked["prompt"].is_unique
    assert asked.groupby("nation", sort=False)["id"].nunique().to_dict() == dict.fromkeys(
        ["CN", "US", "GB", "FR", "DE"], 1
    )
    row = asked[(asked["turn"] == 3) & (asked["first"] == "B")].iloc[0]
    assert row["prompt"].count("Assistant: B\n") == 3 and "Assistant: A" not in row["prompt"]
    with pytest.raises(UserError, match="turns=0"):
        persistence.experiment(turns=0)
    with pytest.raises(UserError, match="items=0"):
        persistence.experiment(items=0)


def test_a_model_is_asked_through_the_store(tmp_path):
    """The conversation must pass through the same door as every other question, and chance must come out as chance."""
    asked = persistence.requests(BANK.head(2), 1)
    answers = responses.ask(ScriptedModel("uniform"), asked, tmp_path)
    table = persistence.persistence(persistence.choices(answers))
    assert (table["value"] == 0.5).all() and (table["chance"] == 0.5).all()


def items(scores, protocol="completion", nation="FR"):
    names = [f"{nation}-{k}" for k in range(len(scores))]
    return pd.DataFrame({"id": names, "nation": nation, "protocol": protocol, "order": None, "correct": scores})


def test_two_models_are_compared_item_by_item():
    """A language model's lead must rest on the same items and McNemar's test, not on two unpaired rates."""
    from statsmodels.stats.contingency_tables import mcnemar

    one, other = [1, 1, 1, 1, 1, 1, 1, 0, 0, 1], [1, 0, 0, 0, 0, 0, 1, 1, 0, 0]
    (row,) = paired.side_by_side(items(one), items(other)).query("nation == 'FR'").to_dict("records")
    assert (row["one"], row["other"]) == (0.8, 0.3) and row["value"] == pytest.approx(0.5)
    assert (row["only_one"], row["only_other"], row["n"]) == (6, 1, 10)
    assert row["p_value"] == pytest.approx(mcnemar([[2, 6], [1, 1]], exact=True).pvalue)
    assert row["low"] < row["value"] < row["high"]


def test_items_that_one_model_did_not_answer_are_left_out():
    """An unanswered item must not count for the other model; nothing in common must be said, not computed."""
    table = paired.side_by_side(items([1, np.nan, 0]), items([1, 0, 0]))
    assert table["n"].tolist() == [2, 2] and table["p_value"].tolist() == [1, 1]
    with pytest.raises(UserError, match="no item in common"):
        paired.side_by_side(items([1]), items([1], nation="DE"))


def test_letters_count_once_per_item():
    """Both orders of one item are one trial: a model that always says A scores one half on it, not a win and a loss."""
    both = pd.concat([items([1, 1], "letter"), items([0, 0], "letter")])
    table = paired.side_by_side(both, items([0.5, 0], "letter"))
    assert table["one"].tolist() == [0.5, 0.5] and table["n"].tolist() == [2, 2]
    assert table["only_one"].tolist() == [1, 1] and table["only_other"].tolist() == [0, 0]
    assert set(evaluation.ORDERS) == {"S first", "RS first"}
