"""The live survey of "Multilingual != Multicultural": prompts, lists, stances, and what is computed from them."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats as scipy_stats

from whosevalues import UserError, items
from whosevalues.multicultural import live as culture
from whosevalues.multicultural import survey
from whosevalues.multicultural.topics import TEMPLATES, TOPICS


def responses(scores, language="en", judge="j"):
    """Scored responses: one row per (question, score)."""
    rows = [{"question": question, "score": score} for question, score in scores]
    return pd.DataFrame(rows).assign(model="m", judge=judge, measurement="logprob", language=language)


def judged(shares, **more):
    """What a judge said of one response's answers, as `stances` takes it."""
    rows = [{"place": k, "probability": p} for k, p in enumerate(shares, 1)]
    named = {"model": "m", "judge": "m", "self_judged": True, "measurement": "logprob", "language": "en"}
    return pd.DataFrame(rows).assign(**named | {"question": "abortion", "template": 0, "response": 0} | more)


def test_every_topic_has_a_human_figure_and_none_is_forgotten():
    """A topic without human polarity would be paid for and dropped; a missing one would never be asked."""
    assert set(TOPICS) == set(items.human_polarity()["question"])
    assert set(survey.experiment(questions=18)["question"]) == set(TOPICS)


def test_the_default_run_is_small_and_asks_every_language_alike():
    """The embedded model must finish in about a minute, and no language may be favoured."""
    asked = survey.experiment()
    assert len(asked) == 4 * 6 * 2
    assert (asked.groupby("language").size() == 12).all() and set(asked["kind"]) == {"generate"}
    decoding = asked["decoding"].iloc[0]
    assert (decoding.temperature, decoding.top_p, decoding.stop) == (0.7, 0.95, ("11.",))
    assert survey.experiment(max_tokens=600)["decoding"].iloc[0].max_tokens == 600


def test_prompts_hold_their_topic_in_their_own_language():
    """A prompt with an unfilled slot or another language's topic would measure nothing."""
    asked = survey.experiment(questions=18, samples=1).set_index(["language", "question"])["prompt"]
    assert asked["nl", "death-penalty"].startswith("Stel je een enquête voor over de doodstraf.")
    assert not asked.str.contains(r"[{}]").any() and asked.is_unique and set(TEMPLATES) == set(asked.index.levels[0])


@pytest.mark.parametrize(
    "wrong, named",
    [({"languages": "sv"}, "'sv'"), ({"languages": ()}, "none"), ({"questions": 19}, "1 to 18"), ({"samples": 0}, "1")],
)
def test_a_wrong_parameter_is_named_with_its_choices(wrong, named):
    """Somebody who asks for Swedish must learn which languages there are."""
    with pytest.raises(UserError, match=named):
        survey.experiment(**wrong)


LISTS = {
    "1. Yes.\n2. No.\n3. Perhaps.": ("Yes.", "No.", "Perhaps."),
    "Ten answers:\n\n**1. Maria, 32:** I agree.\n\n**2. Peter, 45:** I do not.\n\nThese vary.": (
        "Maria, 32: I agree.",
        "Peter, 45: I do not.",
    ),
    "1. Maria:\n\nShe agrees.\n\n2. Peter:\n\nHe does not.\n\nThat is all.": (
        "Maria: She agrees.",
        "Peter: He does not.",
    ),
    '1. "I am for it." 2. "I am against it." 3. "I do not know."': (
        "I am for it.",
        "I am against it.",
        "I do not know.",
    ),
    "Borger 1: Ja.\nBorger 2: Nej.": ("Ja.", "Nej."),
    "1) Yes\n   and always\n2) No": ("Yes and always", "No"),
    "1. 1\n2. 2\n3. 3": (),
    "1. Yes.\n2. No.\n\nThe answers are:\n1. Yes.\n2. No.": ("Yes.", "No."),
    "In 2020, 1 of 3 agreed.": (),
    "": (),
}


@pytest.mark.parametrize("text", LISTS)
def test_lists_are_read_as_people_read_them(text):
    """Models number in many ways; a heading, a second list or a remark must not become a citizen."""
    assert survey.parse(text) == LISTS[text]


def test_no_more_than_ten_answers_are_taken():
    """An eleventh citizen was not asked for and would weigh a response more than others."""
    assert len(survey.parse("\n".join(f"{k}. Citizen says yes" for k in range(1, 16)))) == 10


def test_the_judge_reads_both_positions_the_language_and_the_answer():
    """A judge that does not know what pro means judges something else."""
    answers = survey.experiment("da", questions=1, samples=2).assign(text=["1. Ja {sagde} han.\n2. Nej.", None])
    put = survey.judging(answers)
    assert put["answer"].tolist() == ["Ja {sagde} han.", "Nej."] and put["place"].tolist() == [1, 2]
    assert set(put["options"]) == {("Pro", "Con", "Null")} and set(put["response"]) == {0}
    first = put["prompt"].iloc[0]
    assert "homosexuality can be justified" in first and "in Danish" in first and "Ja {sagde} han." in first


def test_equal_answers_are_put_to_the_judge_in_equal_words():
    """A list that repeats itself must not be paid for ten times."""
    answers = survey.experiment("en", questions=1, samples=2).assign(text="1. Yes.\n2. Yes.")
    assert survey.judging(answers)["prompt"].nunique() == 1


def test_value_polarity_is_pro_over_pro_and_con():
    """The score of the paper: nulls count neither way, ties and failures are no stance."""
    shares = [(0.6, 0.3, 0.1), (0.5, 0.2, 0.3), (0.1, 0.8, 0.1), (0.1, 0.1, 0.8), (0.4, 0.4, 0.2), None]
    row = survey.stances(judged(shares)).iloc[0]
    assert (row["pro"], row["con"], row["null"], row["unjudged"]) == (2, 1, 2, 1)
    assert row["score"] == pytest.approx(2 / 3) and row["self_judged"]


def test_a_judge_that_refuses_leaves_the_answer_unjudged_and_its_mass_counted():
    """A refusal is neither null nor an error: no stance, but a probability that went to none of the three."""
    rows = judged([(0.8, 0.1, 0.1), None, None]).assign(missing_mass=[0.2, 1.0, None])
    rows = rows.assign(error=[None, None, "timed out"], refused=[None, "content filter", None])
    rows["measurement"] = ["sampled", "sampled", "logprob"]
    (row,) = survey.stances(rows).to_dict("records")
    assert (row["pro"], row["null"], row["unjudged"], row["measurement"]) == (1, 0, 2, "sampled")
    (mass,) = survey.judge_mass(rows).to_dict("records")
    assert (mass["value"], mass["n"], mass["measurement"]) == (pytest.approx(0.6), 2, "sampled")


def test_a_refused_list_has_no_answers_and_stays_among_those_asked():
    """A model that will not imagine citizens has no valid response; it must not vanish from the share."""
    asked = survey.experiment("en", questions=1, samples=2).assign(text=["", "1. Yes.\n2. No."])
    assert survey.parse("") == () and set(survey.judging(asked)["response"]) == {1}
    share = survey.valid_share(asked, survey.stances(judged([(1.0, 0, 0)], response=1))).iloc[0]
    assert (share["value"], share["n"]) == (0.5, 2)


def test_verdicts_of_two_kinds_are_counted_apart():
    """A response judged by shares and by probabilities is one valid response in each kind, not two in one."""
    rows = judged([(1.0, 0, 0), (0, 1.0, 0)]).assign(measurement=["sampled", "logprob"], missing_mass=[0.4, 0.2])
    scored = survey.stances(rows)
    assert scored.set_index("measurement")["score"].to_dict() == {"sampled": 1, "logprob": 0}
    share = survey.valid_share(survey.experiment("en", questions=1, samples=2), scored)
    assert share["value"].tolist() == [0.5, 0.5]
    assert survey.judge_mass(rows).set_index("measurement")["value"].to_dict() == {"sampled": 0.4, "logprob": 0.2}


def test_a_response_without_any_stance_has_no_score():
    """0/0 must not become a polarity, and the response counts as not valid."""
    rows = pd.concat([judged([(0, 0, 1.0)]), judged([(1.0, 0, 0)], response=1)])
    scored = survey.stances(rows)
    assert scored["score"].isna().tolist() == [True, False]
    asked = survey.experiment("en", questions=1, samples=4)
    share = survey.valid_share(asked, scored).iloc[0]
    assert (share["value"], share["n"]) == (0.25, 4)


def test_self_consistency_is_the_correlation_over_distinct_pairs():
    """Pairs of a response with itself would make any model look consistent."""
    scores = [("abortion", 0.1), ("abortion", 0.3), ("divorce", 0.8), ("divorce", 0.6), ("bribery", 0.2)]
    row = culture.self_consistency(responses(scores)).iloc[0]
    pairs = np.array([(0.1, 0.3), (0.3, 0.1), (0.8, 0.6), (0.6, 0.8)])
    assert row["value"] == pytest.approx(np.corrcoef(pairs.T)[0, 1]) and row["n"] == 5 and row["chance"] == 0


def test_alignment_is_spearman_with_each_own_country_and_with_their_mean():
    """A Danish answer is held against Danes alone; English ones against every English-speaking country."""
    people = items.human_polarity().set_index(["country", "question"])["polarity"]
    scores = [("abortion", 0.9), ("divorce", 0.7), ("bribery", 0.2), ("death-penalty", 0.6), ("abortion", 0.5)]
    table = culture.alignment(responses(scores, "da"))
    assert table["country"].fillna("all").tolist() == ["all", "DK"]
    danes = [people["DK", question] for question, _ in scores]
    expected = scipy_stats.spearmanr([score for _, score in scores], danes).statistic
    assert table["value"].tolist() == pytest.approx([expected, expected])
    english = culture.alignment(responses(scores, "en"))
    assert english["country"].dropna().tolist() == ["AU", "CA", "GB", "KE", "NG", "NIR", "NZ", "SG", "US"]


def test_intervals_draw_whole_questions():
    """With one question there is nothing to draw; with many the interval holds the value."""
    one = culture.self_consistency(responses([("abortion", 0.1), ("abortion", 0.3)])).iloc[0]
    assert np.isnan(one["low"]) and np.isnan(one["high"])
    rng = np.random.default_rng(1)
    levels = dict(zip(TOPICS, rng.random(len(TOPICS)), strict=True))
    scores = [(question, level + rng.normal(0, 0.1)) for question, level in levels.items() for _ in range(3)]
    row = culture.self_consistency(responses(scores)).iloc[0]
    assert row["low"] < row["value"] < row["high"] <= 1 and row["high"] - row["low"] > 0.01


def test_responses_that_are_all_alike_have_no_correlation():
    """A judge that calls everything pro must show as undefined, never as zero or perfect."""
    row = culture.alignment(responses([("abortion", 1.0), ("divorce", 1.0), ("bribery", 1.0)])).iloc[0]
    assert np.isnan(row["value"]) and np.isnan(row["low"])


def test_the_us_difference_is_nil_where_both_rank_the_questions_alike():
    """A model is no more American for agreeing on what Danes and Americans agree on."""
    scores = [("abortion", 0.9), ("bribery", 0.1), ("democracy-important", 0.95)]
    table = culture.us_difference(pd.concat([responses(scores, "da"), responses(scores, "en")]))
    assert table["language"].tolist() == ["da"] and table["value"].iloc[0] == pytest.approx(0)


def test_ten_people_are_as_consistent_as_binomial_draws():
    """The human reference must be what simulated surveys of ten people give."""
    p, rng = np.array([0.1, 0.4, 0.7, 0.9]), np.random.default_rng(0)
    first, second = (rng.binomial(10, np.tile(p, 20_000)) / 10 for _ in range(2))
    assert culture.human_consistency(p) == pytest.approx(np.corrcoef(first, second)[0, 1], abs=0.01)


def test_no_answers_give_empty_tables():
    """A model that lists nothing must end in missing rows, not in an error."""
    nothing = judged([(1.0, 0, 0)]).iloc[:0]
    scored = survey.stances(nothing)
    tables = (culture.self_consistency(scored), culture.alignment(scored), culture.us_difference(scored))
    assert scored.empty and all(table.empty for table in tables)
    assert survey.judging(survey.experiment("en").assign(text="I cannot say.")).empty
