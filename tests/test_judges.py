"""Judges beside the reference set: small tables by hand, statsmodels, and the released statements."""

import os

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.inter_rater import cohens_kappa

from whosevalues import UserError, elicitation
from whosevalues.multicultural import judge_agreement, judge_error, judges, prompts, survey
from whosevalues.multicultural.topics import TOPICS

with_data = pytest.mark.skipif(
    not os.environ.get("WHOSEVALUES_DATA"), reason="WHOSEVALUES_DATA names no folder with the released files"
)
PLAIN = {"judge": "a", "language": "en", "missing_mass": 0.25}


def verdicts(*triples):
    """Rows (line, reference, verdict) of one judge."""
    return pd.DataFrame(triples, columns=["line", "stance", "verdict"]).assign(**PLAIN)


def metric(table, name, language="all", judge="a"):
    (row,) = table.query("metric == @name and language == @language and judge == @judge").to_dict("records")
    return row


def test_the_reference_holds_labels_and_no_text():
    """A reader must be able to trust its size and shape, and nobody's generated text may be published with it."""
    table = judges.labels()
    assert list(table) == ["line", "place", "hash", "language", "question", "stance", "second", "remark"]
    assert table["language"].value_counts().between(45, 50).all() and table["language"].nunique() == 4
    assert 180 <= len(table) <= 200 and table["question"].nunique() >= 30
    assert table["hash"].str.fullmatch("[0-9a-f]{12}").all() and not table["hash"].duplicated().any()
    assert table["line"].between(1, 100).all() and table["place"].between(1, 10).all()
    assert table["remark"].str.len().max() < 20


def test_a_misspelt_label_is_named(tmp_path, monkeypatch):
    """Whoever adds statements and writes 'neutral' must be told, not get a silently smaller table."""
    folder = tmp_path / "data" / "teaching"
    folder.mkdir(parents=True)
    judges.labels().replace({"stance": {"null": "neutral"}}).to_csv(folder / judges.BANK, index=False)
    monkeypatch.setattr(judges, "ROOT", tmp_path)
    with pytest.raises(UserError, match="'neutral': choose pro, con, null"):
        judges.labels()


@with_data
def test_the_labelled_statements_are_found_in_the_released_responses():
    """Labels that meet other statements, or none, would make every judge look bad."""
    found = judges.reference()
    assert len(found) >= 180 and found.attrs["lost"] == len(judges.labels()) - len(found)
    assert [judges.fingerprint(text) for text in found["text"]] == found["hash"].tolist()
    first = found.set_index(["line", "place"])["text"]
    assert first[100, 6].startswith("Ik ben tegen scheiding") and first[71, 3].startswith("Ik vertrouw het leger niet")


@with_data
def test_a_statement_is_found_by_its_words_when_its_place_moves():
    """A parser that drops one entry must not shift all labels of the list by one."""
    moved = judges.labels().assign(place=99)
    assert judges.reference(moved)["text"].tolist() == judges.reference()["text"].tolist()
    strange = judges.labels().assign(hash="0" * 12)
    assert len(judges.reference(strange)) == 0 and judges.reference(strange).attrs["lost"] == len(strange)


@with_data
def test_every_statement_belongs_to_the_question_of_its_prompt():
    """A statement judged by another question's definitions has a meaningless label."""
    asked = prompts.read().drop_duplicates(["topic", "language", "question"])
    table = judges.labels().merge(_topics(), on="line").merge(asked, on=["topic"], suffixes=("", "_asked"))
    assert len(table) == len(judges.labels())
    assert (table["question"] == table["question_asked"]).all() and (table["language"] == table["language_asked"]).all()


def _topics():
    import json

    from whosevalues import data

    lines = data.load(judges.EXAMPLES).read_text(encoding="utf-8").splitlines()
    return pd.DataFrame([{"line": k, "topic": json.loads(line)["topic"]} for k, line in enumerate(lines, start=1)])


def test_a_judge_here_reads_what_it_reads_in_the_live_experiment(monkeypatch):
    """Agreement measured with another prompt would say nothing about the judge that scores the responses."""
    topic = TOPICS["abortion"]
    monkeypatch.setattr(prompts, "positions", lambda: {"f120": (topic.pro, topic.con)})
    answers = pd.DataFrame(
        [{"question": "abortion", "language": "da", "template": 0, "sample": 0, "text": "1. Ja, altid.\n2. Nej."}]
    )
    live = survey.judging(answers)
    statements = pd.DataFrame({"question": "f120", "language": "da", "text": ["Ja, altid.", "Nej."]})
    ours = judges.requests(statements)
    for column in ("kind", "prompt", "options"):
        assert ours[column].tolist() == live[column].tolist()


def test_a_judge_that_cannot_decide_says_null_and_is_asked_once(tmp_path, monkeypatch):
    """Ties between options are no stance; a second run must not pay for the same questions."""
    monkeypatch.setattr(elicitation, "STORE", tmp_path)
    monkeypatch.setattr(prompts, "positions", lambda: {"f120": ("yes", "no")})
    statements = pd.DataFrame(
        {"question": "f120", "language": "en", "text": ["A.", "B."], "line": [1, 2]}, index=[7, 8]
    )
    found = judges.ask("uniform", statements)
    assert found["verdict"].tolist() == ["null", "null"] and (found["judge"] == "uniform").all()
    (parts,) = {folder.name for folder in (tmp_path / "multicultural-judges").iterdir()}
    assert parts == "uniform"
    sizes = [file.stat().st_size for file in sorted(tmp_path.rglob("*.jsonl"))]
    judges.ask("uniform", statements)
    assert sizes and [file.stat().st_size for file in sorted(tmp_path.rglob("*.jsonl"))] == sizes


@pytest.mark.parametrize("size", [2, 3])
def test_kappa_is_that_of_statsmodels(size):
    """The whole chapter rests on this number."""
    tables = np.random.default_rng(size).integers(0, 30, size=(20, size, size))
    expected = [cohens_kappa(table).kappa for table in tables]
    assert judge_agreement.kappa(tables) == pytest.approx(expected, abs=1e-9)


def test_kappa_by_hand():
    """Cohen's own kind of table: 70 of 100 agree where 50 would by chance; one label used by one rater gives 0."""
    assert judge_agreement.kappa([[35, 15], [15, 35]]) == pytest.approx(0.4)
    assert judge_agreement.kappa([[0, 5, 0], [0, 7, 0], [0, 3, 0]]) == 0
    assert np.isnan(judge_agreement.kappa([[4, 0], [0, 0]])) and np.isnan(judge_agreement.kappa(np.zeros((2, 2))))


def test_figures_by_hand():
    """Pro four times, con four times, null twice: every metric can be counted on one's fingers."""
    table = verdicts(
        *[(1, "pro", "pro")] * 3, (1, "pro", "null"), (2, "con", "con"), (2, "con", "pro"), *[(3, "con", "null")] * 2,
        (3, "null", "null"), (4, "null", "pro"),
    )  # fmt: skip
    out = judge_agreement.agreement(table, rounds=50)
    # Judge: pro 5, con 1, null 4; reference 4, 4, 2: by chance (20 + 4 + 8) / 100 agree.
    assert metric(out, "kappa")["value"] == pytest.approx((0.5 - 0.32) / (1 - 0.32))
    assert metric(out, "agreement")["value"] == 0.5 and metric(out, "agreement")["chance"] == 0.4
    both = metric(out, "agreement, pro or con")
    assert both["value"] == pytest.approx(4 / 5) and both["n"] == 5 and both["chance"] == pytest.approx(3 / 5)
    assert metric(out, "kappa, pro or con")["value"] == pytest.approx((0.8 - (12 + 2) / 25) / (1 - (12 + 2) / 25))
    assert metric(out, "bias")["value"] == pytest.approx(5 / 6 - 1 / 2) and metric(out, "bias")["chance"] == 0
    assert metric(out, "con judged null") == pytest.approx(
        {**metric(out, "con judged null"), "value": 0.5, "n": 4}, nan_ok=True
    )
    assert metric(out, "missing mass")["value"] == 0.25 and metric(out, "kappa", "en")["n"] == 10


def test_a_judge_that_never_takes_a_side_has_no_bias():
    """The embedded model never says con, another may say null to all: what is not there must have no number."""
    out = judge_agreement.agreement(verdicts((1, "pro", "null"), (2, "con", "null"), (3, "null", "null")), rounds=50)
    assert np.isnan(metric(out, "bias")["value"]) and np.isnan(metric(out, "bias")["low"])
    assert metric(out, "kappa")["value"] == 0 and metric(out, "kappa, pro or con")["n"] == 0
    assert np.isnan(metric(out, "kappa, pro or con")["value"])


def test_failed_judgements_are_counted_and_not_taken_for_null():
    """An endpoint that fails half of the time must not look like a cautious judge."""
    answered = [(line, stance, stance) for line in (1, 2, 3) for stance in ("pro", "con", "null")]
    failed = [(line, "pro", "unjudged") for line in (1, 2, 3)]
    out = judge_agreement.agreement(verdicts(*answered, *failed), rounds=50)
    assert metric(out, "kappa")["value"] == 1 and metric(out, "kappa")["n"] == 9
    assert metric(out, "unjudged")["value"] == 0.25 and metric(out, "unjudged")["n"] == 12


def test_statements_of_one_response_are_not_independent():
    """Ten statements of one list copied tenfold are no new information: the interval must stay as wide."""
    rng = np.random.default_rng(0)
    rows = [(k, *rng.choice(judge_agreement.LABELS, 2)) for k in range(30) for _ in range(3)]
    once = metric(judge_agreement.agreement(verdicts(*rows), rounds=200), "kappa")
    many = metric(judge_agreement.agreement(verdicts(*rows * 10), rounds=200), "kappa")
    assert [many[c] for c in ("value", "low", "high")] == pytest.approx([once[c] for c in ("value", "low", "high")])
    assert once["low"] < once["value"] < once["high"] and many["n"] == 10 * once["n"]


def test_chance_is_nought_for_kappa_and_a_third_for_agreement():
    """A judge that does not read must get what the page calls chance."""
    statements = verdicts(*[(k, s, "") for k in range(20) for s in ("pro", "con", "con", "null")])
    out = judge_agreement.at_random(statements, rounds=2000)
    assert metric(out, "kappa", judge="random")["value"] == pytest.approx(0, abs=0.01)
    agreed = metric(out, "agreement", judge="random")
    assert agreed["value"] == pytest.approx(1 / 3, abs=0.01)
    # Binomial(80, 1/3) / 80.
    assert agreed["low"] == pytest.approx(0.2375, abs=0.026) and agreed["high"] == pytest.approx(0.4375, abs=0.026)


@pytest.mark.parametrize(("error", "rate"), [("either way", 0.2), ("con to null", 0.6)])
def test_expected_kappa_is_that_of_many_statements(error, rate):
    """The page reads off which kappa a judge needs; a wrong axis would give wrong advice."""
    rng = np.random.default_rng(1)
    truth = rng.choice([0, 1], size=200_000, p=[0.3, 0.7])
    wrong = rng.random(truth.size) < rate
    said = np.where(wrong, 1 - truth, truth) if error == "either way" else np.where(wrong & (truth == 1), 2, truth)
    table = np.histogram2d(truth, said, bins=[range(4), range(4)])[0]
    table = table[:2, :2] if error == "either way" else table
    assert judge_error.expected_kappa(0.3, error, rate) == pytest.approx(cohens_kappa(table).kappa, abs=0.01)


def test_alignment_left_by_a_judge_that_errs_either_way_by_hand():
    """Two questions, all con and all pro, one statement each: in order if both are right, else reversed or tied."""
    rate = 0.2
    out = judge_error.error_curve([0, 1], {"either way": [0, rate]}, repeats=1, statements=1, rounds=4000)
    right, wrong = (1 - rate) ** 2, rate**2
    assert out["value"].tolist() == pytest.approx([1, (right - wrong) / (right + wrong)], abs=0.03)
    assert out["n"].tolist() == [2, 2] and (out["chance"] == 0).all()


def test_a_judge_that_never_says_con_leaves_nothing_to_correlate():
    """The embedded judge is such a one: its alignment must be missing, not a number."""
    out = judge_error.error_curve([0.2, 0.5, 0.9], {"con to null": [0, 1]}, rounds=20)
    assert np.isfinite(out["value"].iloc[0]) and out.loc[1, ["value", "low", "high"]].isna().all()


def test_with_many_statements_symmetric_errors_keep_the_order():
    """Flips pull every score towards one half but keep their order: without other noise nothing may be lost."""
    kept = judge_error.error_curve([0.1, 0.5, 0.9], {"either way": [0.2]}, statements=20_000, repeats=1, rounds=5)
    assert kept["value"].tolist() == [1]


def test_what_is_left_is_read_off_between_two_rates():
    """The sentence 'a judge may err so often' must follow the curve."""
    curve = pd.DataFrame(
        {"error": "either way", "rate": [0, 0.1, 0.2], "kappa": [1, 0.8, 0.6], "value": [0.5, 0.475, 0.425]}
    )
    found = judge_error.rate_left(curve).loc["either way"]
    assert found["rate"] == pytest.approx(0.15) and found["kappa"] == pytest.approx(0.7)
    assert judge_error.rate_left(curve, share=0.5).isna().all(axis=None)


@with_data
def test_the_simulation_stands_on_the_32_questions_with_human_answers():
    """Table 1 lists 32 questions with ground truth; five were asked without."""
    truth = judge_error.polarity()
    assert len(truth) == 32 and truth.between(0, 1).all() and "e225" not in truth.index
