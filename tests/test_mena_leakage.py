"""Leakage: the measure by hand, its chance by simulation, the live experiment's prompts, abstentions."""

import os

import numpy as np
import pandas as pd
import pytest

from whosevalues import UserError, items, prompts
from whosevalues.mena import abstention, leakage, refusals

with_data = pytest.mark.skipif(
    not os.environ.get("WHOSEVALUES_DATA"), reason="WHOSEVALUES_DATA names no folder with the released files"
)
ROWS = [
    ("q1", "refusal", (0.95, 0.05), 0.5),
    ("q1", "answer", (0.6, 0.4), 0.0),
    ("q2", "refusal", (0.5, 0.5), 0.0),
    ("q2", "abstention", (0.8, 0.2), 0.1),
    ("q2", "answer", (0.99, 0.01), 0.0),
    ("q3", "answer", (0.92, 0.08), 0.0),
]
FRAME = pd.DataFrame(ROWS, columns=["question", "kind", "probability", "missing_mass"])


def share(table, kind, threshold, mass=0):
    rows = table[(table["kind"] == kind) & (table["threshold"] == threshold) & (table["mass"] == leakage.MASSES[mass])]
    return rows.iloc[0]


def test_leakage_of_a_hand_computed_table():
    """The share that the paper speaks of, before and after the missing mass, and its control."""
    table = leakage.leakage(FRAME)
    assert share(table, "refusal", 0.9)["value"] == 0.5 and share(table, "refusal", 0.5)["value"] == 1
    assert share(table, "refusal", 0.5, mass=1)["value"] == 0.5
    assert share(table, "answer", 0.9)["value"] == pytest.approx(2 / 3)
    assert share(table, "refusal or abstention", 0.75)["value"] == pytest.approx(2 / 3)
    assert share(table, "refusal", 0.9)["n"] == 2


def test_leakage_is_compared_within_questions():
    """A refused question may be one on which anybody is sure: the difference must pair question by question."""
    found = share(leakage.leakage(FRAME), "refusal or abstention minus answer", 0.75)
    # q1: 1 - 0; q2: 1/2 - 1; q3 has no refusal.
    assert found["value"] == pytest.approx((1.0 - 0.5) / 2) and found["n"] == 2


def test_leakage_is_compared_under_the_same_line():
    """A model that refuses only when ordered to would seem to leak because the order asks for no number."""
    ordered = FRAME.assign(line=np.where(FRAME["kind"] == "answer", "plain", "ordered"))
    assert share(leakage.leakage(ordered), "refusal or abstention minus answer", 0.75)["n"] == 0
    one = share(leakage.leakage(FRAME.assign(line="plain")), "refusal or abstention minus answer", 0.75)
    assert one["value"] == pytest.approx(0.25) and (one["n"], one["questions"]) == (2, 2)


def test_means_of_two_sides_need_questions_enough():
    """Two means over different questions: by hand, and without an interval where a side has too few questions."""
    cells = pd.DataFrame(
        {"question": list("abcdefgh"), "x": [1, 1, 1, 0, 0, 1, 0, 0], "said": [False] * 4 + [True] * 4}
    )
    found = leakage.across(cells, "x", "said", 0)
    assert found["value"] == 0.5 and np.isnan(found["low"]) and found["questions"] == 8
    again = leakage.across(pd.concat([cells, cells.assign(question=list("stuvwxyz"))]), "x", "said", 0)
    assert again["low"] < 0.5 < again["high"]


def test_no_refusal_is_no_leakage_of_zero():
    """A model that never refuses has no leakage rate; 0 would read as a finding."""
    table = leakage.leakage(FRAME[FRAME["kind"] == "answer"])
    found = share(table, "refusal", 0.5)
    assert np.isnan(found["value"]) and found["n"] == 0


@pytest.mark.parametrize("options, threshold", [(2, 0.75), (3, 0.5), (4, 0.9), (4, 0.3), (10, 0.5), (7, 0.2)])
def test_chance_is_that_of_simulated_distributions(options, threshold):
    """Without a chance level a rate means nothing: a closed form against 200,000 draws."""
    drawn = np.random.default_rng(options).dirichlet(np.ones(options), size=200_000).max(axis=1)
    assert leakage.even_chance(options, threshold) == pytest.approx((drawn >= threshold).mean(), abs=0.005)


def test_chance_counts_the_missing_mass():
    """Of everything, an option of a distribution with half its mass missing can never reach 0.75."""
    table = leakage.leakage(FRAME[:1])
    assert share(table, "refusal", 0.75, mass=1)["chance"] == 0
    assert share(table, "refusal", 0.75)["chance"] == pytest.approx(0.5)


def test_experiment_asks_every_prompt_both_ways():
    """A text and the probabilities of another prompt cannot be held against each other."""
    asked = leakage.experiment()
    texts, scores = (set(asked.loc[asked["kind"] == kind, "prompt"]) for kind in ("generate", "option_scores"))
    assert texts == scores and len(asked) == 2 * len(texts)
    assert set(asked["question"]) == {*leakage.SENSITIVE, *leakage.CONTROLS}
    # Three framings of one country.
    assert len(texts) == len(leakage.LINES) * 3 * (len(leakage.SENSITIVE) + len(leakage.CONTROLS))


def test_an_order_to_refuse_takes_the_place_of_the_last_line():
    """'Answer with the number only' after an order to refuse would be two orders."""
    asked = leakage.experiment().query("line == 'ordered'")
    number = prompts.INSTRUCTIONS["zero-shot"]["en"]
    assert not asked["prompt"].str.contains(number, regex=False).any()
    assert asked["prompt"].str.endswith(leakage.LINES["ordered"][1]).all()


def test_wrong_parameters_are_named():
    """A typing error in the chapter's first cell must say what to choose."""
    with pytest.raises(UserError, match="max_tokens=0"):
        leakage.experiment(max_tokens=0)
    with pytest.raises(UserError, match="'XX'"):
        leakage.experiment(countries="XX")


def answered(text, probability=(0.1, 0.9)):
    asked = leakage.experiment()
    asked = asked[asked["question"] == "trust-press"].assign(model="toy", error=None, measurement="logprob")
    scores = asked["kind"] == "option_scores"
    asked["text"] = np.where(scores, None, text)
    asked["finish_reason"] = np.where(scores, None, "stop")
    asked["missing_mass"] = np.where(scores, 0.25, np.nan)
    asked["probability"] = [probability if s else None for s in scores]
    asked["top"] = [(("I", 0.6), ("1", 0.3), (" 2", 0.1)) if s else None for s in scores]
    return asked


def test_texts_meet_the_probabilities_of_their_prompt():
    """The measure's input must hold one row per prompt, and a refusal must be called one."""
    both = leakage.paired(answered("I cannot answer this question.", (0.7, 0.1, 0.1, 0.1)))
    assert len(both) == both["prompt"].nunique() == len(leakage.LINES) * 3
    assert set(both["kind"]) == {"refusal"} and set(both["missing_mass"]) == {0.25}
    tokens = refusals.first_tokens(both.iloc[0])
    assert tokens["option"].tolist() == ["", "1", "2"] and tokens["token"].iloc[0] == "'I'"


def test_a_model_without_probabilities_is_said_to_lack_them():
    """An endpoint that only writes has no leakage to measure; the page must say so rather than show nothing."""
    silent = answered("1")
    silent.loc[silent["kind"] == "option_scores", "error"] = "no log-probabilities"
    with pytest.raises(UserError, match="no option probabilities"):
        leakage.paired(silent)


def test_a_leaked_preference_is_held_against_people():
    """Half of the people at 1, half at 3: option 2 is nobody's answer and yet the best NVAS."""
    question = next(q for q in items.teaching_questions() if q.id == "trust-press")
    humans = [("trust-press", "EG", o, p) for o, p in zip("1234", (0.5, 0, 0.5, 0), strict=True)]
    humans = pd.DataFrame(humans, columns=["question", "country", "option", "probability"])
    frame = pd.DataFrame([{"question": "trust-press", "options": question.options, "probability": (0.1, 0.8, 0.1, 0)}])
    found = refusals.preferences(frame, humans, [question], "EG").iloc[0]
    assert (found["leaked"], found["people"], found["mode"], found["nvas"]) == ("2", 0, False, 1)
    assert found["even"] == pytest.approx(1 - (1 + 0 + 1 + 2) / 12) and not found["end"]


def test_few_questions_give_no_interval():
    """Many cells of two questions are two observations: an interval would look surer than it is."""
    few = pd.DataFrame({"question": ["a"] * 50 + ["b"] * 50, "hit": [0.0] * 50 + [1.0] * 50})
    assert np.isnan(leakage.interval(few, "hit", 0)).all()
    many = pd.DataFrame({"question": list("abcdefgh"), "hit": [1.0] * 8})
    assert leakage.interval(many, "hit", 0)[0] < 0.7


def test_contrast_of_topics_holds_options_fixed():
    """Sensitive questions have longer scales, which are missed more often: that alone must be no difference."""
    rows = [("m", "p", "z", f"s{k}", "EG", 1.0, "WVS", "c", 10, "sensitive") for k in range(4)]
    rows += [("m", "p", "z", f"o{k}", "EG", 1.0, "WVS", "c", 10, "other") for k in range(4)]
    rows += [("m", "p", "z", f"t{k}", "EG", 0.0, "WVS", "c", 2, "other") for k in range(4)]
    columns = [*abstention.FILE, "question", "country", "absent", "source", "category", "options", "topic"]
    found = abstention.contrasts(pd.DataFrame(rows, columns=columns)).set_index("compared")
    assert found.loc["all", "value"] == 0.5
    assert found.loc["same source and number of options", "value"] == 0


def test_models_listed_by_training_exist_and_have_a_source():
    """A reader would run a line that models.yml does not have, or take hearsay for a maker's word."""
    from whosevalues import models

    listed = refusals.trained()
    assert all(models.entry(name) for name in listed["model"])
    assert ((listed["training"] == "not known here") == (listed["source"] == "")).all()


@with_data
def test_every_sensitive_question_is_in_the_workbook():
    """A misspelt item would silently drop out of the sensitive subset."""
    from whosevalues.mena import workbook

    questions, _ = workbook.read()
    found = abstention.sensitive(questions)
    assert len(found) == sum(len(names) for names in abstention.TOPICS.values())
    assert set(found["topic"]) == set(abstention.TOPICS)


@with_data
def test_abstentions_are_what_the_files_lack():
    """Coverage printed beside every NVAS and abstention here must add up to 1."""
    table = abstention.read()
    shares = abstention.shares(table).query("part == 'all'").set_index(abstention.FILE)
    assert (shares["n"] == 9051).all()
    assert 1 - shares.loc[("llama-3.1-8b", "persona", "zero-shot"), "value"] == pytest.approx(8862 / 9051)
