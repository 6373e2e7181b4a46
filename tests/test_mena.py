"""NVAS and its baselines, against tables computed by hand."""

import numpy as np
import pandas as pd
import pytest

from whosevalues import UserError, items
from whosevalues.mena import answers, consistency, nvas, protocol

PRESS = items.Question("press", "ordinal", ("1", "2", "3", "4"), {}, {}, {})
REGIME = items.Question("regime", "nominal", ("1", "2", "3"), {}, {}, {})
BANK = [PRESS, REGIME]
PEOPLE = {
    ("press", "EG"): (0.1, 0.2, 0.3, 0.4),  # mean 3
    ("press", "IR"): (0.5, 0.5, 0.0, 0.0),  # mean 1.5
    ("press", "TR"): (0.25, 0.25, 0.25, 0.25),  # mean 2.5
    ("regime", "EG"): (0.2, 0.5, 0.3),  # mode 2
    ("regime", "IR"): (0.6, 0.3, 0.1),  # mode 1
    ("regime", "TR"): (0.1, 0.2, 0.7),  # mode 3
}
HUMANS = pd.DataFrame(
    [(q, c, str(k), p, "") for (q, c), shares in PEOPLE.items() for k, p in enumerate(shares, start=1)],
    columns=["question", "country", "option", "probability", "source"],
)


def elicited(rows):
    """Answers as a model gives them: (question, country, language, framing, probability or None)."""
    frame = pd.DataFrame(rows, columns=["question", "country", "language", "framing", "probability"])
    failed = frame["probability"].isna()
    frame["options"] = frame["question"].map({q.id: q.options for q in BANK})
    frame["error"] = np.where(failed, "timed out", None)
    frame["missing_mass"] = np.where(failed, None, 0.2)
    return frame.assign(model="m", mode="zero-shot", measurement="logprob")


def sure(option, of=4):
    return tuple(1.0 if k == option else 0.0 for k in range(1, of + 1))


def persona(rows):
    return answers.answers(elicited([(q, c, "en", "persona", p) for q, c, p in rows]))


ANSWERED = persona(
    [("press", "EG", sure(3)), ("press", "IR", sure(4)), ("press", "TR", sure(1))]
    + [("regime", "EG", sure(2, 3)), ("regime", "IR", sure(3, 3)), ("regime", "TR", sure(2, 3))]
)


def test_nvas_by_hand():
    """The chapter's one formula: ordinal answers against the mean, nominal ones against the mode."""
    scored = nvas.nvas(ANSWERED, HUMANS, BANK)
    assert scored["human"].tolist() == [3.0, 1.5, 2.5, 2.0, 1.0, 3.0]
    assert scored["nvas"].tolist() == pytest.approx([1, 1 - 2.5 / 3, 0.5, 1, 0, 0.5])


@pytest.mark.parametrize(
    ("baseline", "expected"),
    [
        # Four points, h = 3: 1/3, 2/3, 1 and 2/3 for the answers 1 to 4; h = 1.5 and 2.5 likewise.
        ("chance", [8 / 12, 7 / 12, 8 / 12, 2 / 3, 1 / 2, 1 / 2]),
        # Of four points the two in the middle, of three the second.
        ("midpoint", [2.5 / 3, 2 / 3, 2.5 / 3, 1, 1 / 2, 1 / 2]),
        # Others' means 2, 2.75 and 2.25 give the answers 2, 3 and 2; others' modes are 3, 3 and 1.
        ("others", [2 / 3, 1 / 2, 2.5 / 3, 1 / 2, 0, 0]),
        ("one_human", [1 - 0.8 / 3, 2.5 / 3, 2 / 3, 0.75, 0.75, 0.8]),
    ],
)
def test_baselines_by_hand(baseline, expected):
    """Without right baselines a reader would take the score of a constant answer for alignment."""
    scored = nvas.nvas(ANSWERED, HUMANS, BANK)
    assert scored[baseline].tolist() == pytest.approx(expected)


def test_rounded_human_shares_count_as_shares():
    """Published percentages rarely add up to one; the human mean must not shrink for it."""
    short = HUMANS.assign(probability=HUMANS["probability"] * 0.98)
    pd.testing.assert_frame_equal(nvas.nvas(ANSWERED, short, BANK), nvas.nvas(ANSWERED, HUMANS, BANK))


def test_the_table_averages_by_country():
    """Every figure stands with its count, coverage, chance and baselines of the same cells."""
    table = nvas.nvas_table(nvas.nvas(ANSWERED, HUMANS, BANK)).set_index("country")
    assert table["value"].tolist() == pytest.approx([1, (1 - 2.5 / 3) / 2, 0.5])
    assert table["chance"].tolist() == pytest.approx([2 / 3, 13 / 24, 7 / 12])
    assert table["midpoint"].tolist() == pytest.approx([11 / 12, 7 / 12, 2 / 3])
    assert table["corrected"].tolist() == pytest.approx([1, (1 / 12 - 13 / 24) / (11 / 24), -0.2])
    assert table["n"].tolist() == [2, 2, 2]
    assert table["coverage"].tolist() == [1, 1, 1]
    assert (table.loc["EG", "low"], table.loc["EG", "high"]) == (1, 1)
    assert table.loc["IR", "low"] == pytest.approx(0) and table.loc["IR", "high"] == pytest.approx(1 / 6)
    assert table["printed"].isna().all()


def test_margins_say_which_side_of_a_baseline_a_model_is_on():
    """'Above chance' must mean that the paired interval excludes zero, on the right side."""
    table = nvas.margins(nvas.nvas(ANSWERED, HUMANS, BANK)).set_index(["baseline", "country"])
    assert table.loc[("chance", "EG"), "value"] == pytest.approx(1 / 3)
    assert table.loc[("chance", "EG"), "verdict"] == "above"
    assert table.loc[("chance", "IR"), "verdict"] == "below"
    # Egypt: 1/6 above the midpoint on one question, level with it on the other.
    assert table.loc[("midpoint", "EG"), "value"] == pytest.approx(1 / 12)
    assert table.loc[("midpoint", "EG"), "verdict"] == "undecided"


def test_an_error_is_an_abstention_and_shrinks_coverage():
    """An unanswered question must never count as an answer, nor vanish from the coverage."""
    answered = persona([("press", "EG", sure(3)), ("regime", "EG", None), ("press", "IR", (np.nan,) * 4)])
    assert answered["abstained"].tolist() == [False, True, True]
    assert answered["answer"].isna().tolist() == [False, True, True]
    table = nvas.nvas_table(nvas.nvas(answered, HUMANS, BANK)).set_index("country")
    assert table["n"].tolist() == [1, 0]
    assert table["coverage"].tolist() == [0.5, 0]
    # The baselines are those of the one answered question, not of both.
    assert table.loc["EG", "midpoint"] == pytest.approx(2.5 / 3)
    assert np.isnan(table.loc["IR", "value"])


def test_a_large_missing_mass_is_reported_and_still_an_answer():
    """A model that would rather say something else has an answer among the options all the same."""
    rows = elicited([("press", "EG", "en", "persona", sure(3)), ("press", "IR", "en", "persona", sure(1))])
    rows["missing_mass"] = [0.99, 0.01]
    answered = answers.answers(rows)
    assert not answered["abstained"].any()
    table = nvas.missing_mass(answered)
    assert table["value"].tolist() == pytest.approx([0.5])
    assert table["n"].tolist() == [2]


def test_a_refusal_is_an_abstention_that_keeps_its_mass_and_kind():
    """A refused question is no choice, but all of its probability went elsewhere; an error says neither."""
    shares = {"EG": sure(3), "IR": None, "TR": None}
    rows = elicited([("press", place, "en", "persona", share) for place, share in shares.items()])
    rows["error"], rows["refused"] = [None, None, "timed out"], [None, "no option named", None]
    rows["missing_mass"] = [0.1, 1.0, 0.7]
    answered = answers.answers(rows)
    assert answered["abstained"].tolist() == [False, True, True]
    assert answered["refused"].fillna("").tolist() == ["", "no option named", ""]
    assert answered["missing_mass"].tolist() == pytest.approx([0.1, 1.0, np.nan], nan_ok=True)
    assert answered["measurement"].fillna("").tolist() == ["logprob", "logprob", ""]
    mass = nvas.missing_mass(answered).iloc[0]
    assert (mass["value"], mass["n"]) == (pytest.approx(0.55), 2)
    table = nvas.nvas_table(nvas.nvas(answered, HUMANS, BANK), ["model"]).iloc[0]
    assert (table["n"], table["coverage"], table["missing_mass"]) == (1, pytest.approx(1 / 3), pytest.approx(0.55))


def test_two_kinds_of_measurement_never_share_a_row():
    """Counted shares and read probabilities averaged into one figure would be neither; errors belong to both."""
    rows = elicited(
        [("press", "EG", "en", "persona", sure(3)), ("regime", "EG", "en", "persona", sure(1, 3))]
        + [("press", "EG", "en", "persona", None)]
    )
    rows["measurement"] = ["sampled", "logprob", "logprob"]
    rows["missing_mass"] = [0.4, 0.2, None]
    answered = answers.answers(rows)
    scored = nvas.nvas(answered, HUMANS, BANK)
    table = nvas.nvas_table(scored).set_index("measurement")
    assert table.index.tolist() == ["sampled", "logprob"] and table["value"].tolist() == [1, 0.5]
    assert table["n"].tolist() == [1, 1] and table["coverage"].tolist() == pytest.approx([1 / 3, 1 / 3])
    assert table["missing_mass"].tolist() == [0.4, 0.2]
    gaps = nvas.margins(scored).query("baseline == 'chance'").set_index("measurement")["value"]
    assert gaps.to_dict() == pytest.approx({"sampled": 1 / 3, "logprob": 0.5 - 2 / 3})
    assert nvas.missing_mass(answered)["value"].tolist() == [0.4, 0.2]
    fair = nvas.corrected(scored, nvas.CELL).set_index("measurement")["value"]
    assert fair.to_dict() == pytest.approx({"sampled": 1, "logprob": (0.5 - 2 / 3) / (1 / 3)})


def test_answers_measured_in_two_ways_are_not_compared():
    """A persona's counted answer beside an observer's read one is no framing consistency."""
    rows = elicited([("press", "EG", "en", framing, sure(3)) for framing in ("persona", "observer")])
    rows["measurement"] = ["sampled", "logprob"]
    for table, value in ((rows, np.nan), (rows.assign(measurement="sampled"), 1)):
        pairs = consistency.consistencies(answers.answers(table), BANK)
        row = consistency.consistency_table(pairs).query("measure == 'FCS'").iloc[0]
        assert row["value"] == pytest.approx(value, nan_ok=True) and row["n"] == (value == 1)


def test_a_tie_scores_the_average_of_its_options_and_is_counted():
    """The order of the options must not decide for a model that finds several of them alike."""
    answered = persona([("press", "IR", (0.1, 0.1, 0.4, 0.4)), ("press", "EG", sure(2)), ("press", "TR", None)])
    assert answered["answer"].isna().tolist() == [True, False, True]
    assert answered["tied"].tolist() == [True, False, False]
    assert answered["abstained"].tolist() == [False, False, True]
    scored = nvas.nvas(answered, HUMANS, BANK)
    # Iran's mean is 1.5: option 3 scores 1/2, option 4 scores 1/6.
    assert scored["nvas"].tolist()[:2] == pytest.approx([1 / 3, 2 / 3]) and np.isnan(scored["nvas"].iloc[2])
    table = nvas.nvas_table(scored).set_index("country")
    assert table["n"].tolist() == [1, 1, 0] and table["tied"].tolist()[:2] == [1, 0]


def test_a_model_without_any_preference_is_at_chance():
    """The reader's yardstick: all options alike must score the chance level on every question, and no verdict."""
    bank, humans = items.teaching_questions(), items.human_distributions()
    rows = humans[["question", "country"]].drop_duplicates().assign(language="en", framing="persona")
    sizes = {q.id: len(q.options) for q in bank}
    rows["options"] = rows["question"].map({q.id: q.options for q in bank})
    rows["probability"] = [(1 / sizes[q],) * sizes[q] for q in rows["question"]]
    rows = rows.assign(error=None, missing_mass=0.2, model="m", mode="zero-shot", measurement="logprob")
    scored = nvas.nvas(answers.answers(rows), humans, bank)
    assert len(scored) == len(rows) and scored["tied"].all()
    assert scored["nvas"].tolist() == scored["chance"].tolist()
    assert nvas.nvas_table(scored)["corrected"].eq(0).all()
    gaps = nvas.margins(scored)
    assert set(gaps.loc[gaps["baseline"] == "chance", "verdict"]) == {"undecided"}


def test_neutral_answers_are_held_against_every_country_of_their_language():
    """One neutral answer serves all countries, a Persian one Iran alone."""
    answered = answers.answers(
        elicited(
            [("press", None, "en", "neutral", sure(3)), ("press", None, "fa", "neutral", sure(2))]
            + [("press", "EG", "ar", "persona", sure(1))]
        )
    )
    spread = answers.by_country(answered, ["EG", "IR", "TR", "EG"])
    cells = set(zip(spread["framing"], spread["language"], spread["country"], spread["answer"], strict=True))
    assert len(spread) == len(cells) == 5
    assert cells == {
        *[("neutral", "en", country, "3") for country in ("EG", "IR", "TR")],
        ("neutral", "fa", "IR", "2"),
        ("persona", "ar", "EG", "1"),
    }
    with pytest.raises(UserError, match="by_country"):
        nvas.nvas(answered, HUMANS, BANK)


def test_a_country_without_human_figures_is_refused_by_name():
    """A country that nobody can be compared with must not silently drop out of the tables."""
    assert set(protocol.people(HUMANS, ["IR", "TR"])["country"]) == {"IR", "TR"}
    with pytest.raises(UserError, match="no human figures for 'SA': choose from EG, IR, TR"):
        protocol.people(HUMANS, ["EG", "SA"])
    with pytest.raises(UserError, match="unknown country 'Persia'"):
        protocol.people(HUMANS, ["Persia"])


@pytest.mark.parametrize("given", [[], "", (), {}, None, 5, True, 1.5])
def test_no_country_at_all_lists_the_choices(given):
    """A number or an empty list on the command line must be answered with the choices, not with a traceback."""
    with pytest.raises(UserError) as error:
        protocol.experiment(countries=given)
    assert str(error.value) == f"no country in {given!r}: choose from EG, IQ, IR, JO, LB, LY, MA, TN, TR"


@pytest.mark.parametrize("given", [[5], [["EG"]], ["EG", None]])
def test_what_is_no_code_is_an_unknown_country(given):
    """A list within the list, or a number in it, is no country either."""
    with pytest.raises(UserError, match="unknown country '.*': the item bank has AU, "):
        protocol.experiment(countries=given)


def test_one_country_needs_no_list():
    """`countries=EG` on the command line means Egypt, not the countries E and G."""
    pd.testing.assert_frame_equal(protocol.experiment(countries="EG"), protocol.experiment(countries=["EG"]))
    answered = answers.answers(elicited([("press", None, "en", "neutral", sure(3))]))
    assert answers.by_country(answered, "EG")["country"].tolist() == ["EG"]


def test_the_experiment_asks_the_bank_zero_shot_with_option_scores():
    """The experiment's size is what a run costs: framings x languages, the neutral one once per language."""
    bank = items.teaching_questions()
    requests = protocol.experiment(countries=["EG", "IR", "TR", "EG"])
    assert len(requests) == len(bank) * (4 + 2 * 3 * 2)
    assert set(requests["kind"]) == {"option_scores"}
    assert set(requests["mode"]) == {"zero-shot"}


def test_the_bank_s_people_can_be_scored():
    """Each country of the bank needs human figures on its scale: every score and baseline lies in [0, 1]."""
    bank, humans = items.teaching_questions(), items.human_distributions()
    cells = humans[["question", "country"]].drop_duplicates()
    scored = nvas.nvas(cells.assign(answer="1"), humans, bank)
    assert len(scored) == len(cells)
    assert scored["nvas"].between(0, 1).all()
    assert scored[list(nvas.BASELINES)].stack().between(0, 1).all()
