"""The report card: one table per model over the three papers."""

import json
from functools import partial

import numpy as np
import pandas as pd
import pytest

from whosevalues import elicitation, items, manifest, report
from whosevalues.mena import consistency, nvas
from whosevalues.multicultural import live

SAID = {
    "en": "1. Yes, of course you can.\n2. Not at all, never.",
    "da": "1. Ja, det må man selvfølgelig gerne.\n2. Nej, det synes jeg slet ikke.",
    "nl": "1. Ja, dat mag natuurlijk gewoon.\n2. Nee, dat vind ik helemaal niet.",
    "pt": "1. Sim, claro que isso é possível.\n2. Não, eu não acho nada disso.",
}
"""A list of two in each language."""

SHARES = {"Pro": (0.8, 0.1, 0.1), "Con": (0.1, 0.8, 0.1)}


def answered(paper, error=None, measurement="logprob", **keep):
    """Made-up answers to a paper's whole experiment: the first option, the shorter text, a list of two."""
    rows = elicitation.requests(paper).assign(model="toy", measurement=measurement, error=error)
    if paper == "multicultural":
        return rows.assign(text=rows["language"].map(SAID))
    sizes = rows["options"].map(lambda options: len(options) if isinstance(options, tuple) else 0)
    rows["probability"] = [tuple(np.eye(n)[0]) if n else None for n in sizes]
    rows["missing_mass"] = 0.25
    return rows.assign(logprob=-10.0, tokens=rows["role"].map({"S": 20, "RS": 10})) if paper == "navab" else rows


def judgements(answers):
    """A judge that finds the first answer pro and, of every second question, the second con."""
    put = report.survey.judging(answers)
    even = put["question"].map(list(dict.fromkeys(put["question"])).index) % 2 == 0
    shares = [SHARES["Con" if flip and place == 2 else "Pro"] for flip, place in zip(even, put["place"], strict=True)]
    named = {"model": "toy", "judge": "toy", "self_judged": True, "measurement": "logprob"}
    return put.assign(probability=shares, missing_mass=0.5, **named)


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Intervals of a few rounds: how wide they are is tested elsewhere."""
    monkeypatch.setattr(live, "_estimate", partial(live._estimate, rounds=50))


@pytest.fixture
def answers():
    """The whole of all three experiments."""
    return {paper: answered(paper) for paper in report.NAMED}


def test_a_full_run_leaves_only_what_one_model_cannot_have(answers):
    """Every measure stands in the card; what needs other models or other questions says so."""
    card = report.tabulate("toy", answers, judgements(answers["multicultural"]))
    assert card.columns.tolist() == report.COLUMNS and set(card["model"]) == {"toy"}
    gone = card[card["value"].isna()]
    assert set(gone["measure"]) == {name for reasons in report.UNMEASURED.values() for name in reasons}
    assert card["missing"].isna().eq(card["value"].notna()).all()
    measures = set(card["measure"])
    assert {"self-consistency", "alignment", "valid responses", "NVAS", "CLCS", "FCS", "letter bias"} <= measures
    assert {"US minus own alignment", "missing mass", "MC, completion", "NVAS minus midpoint"} <= measures


def test_figures_are_those_of_the_papers_own_functions(answers):
    """The card must repeat the chapters' figures: a constant 'A' has full letter bias and one half in both orders."""
    card = report.tabulate("toy", answers, judgements(answers["multicultural"]))
    navab = card[(card["paper"] == "navab") & card["country"].isna()].set_index("measure")["value"]
    assert navab["letter bias"] == 1 and navab["MC, letter, both orders"] == 0.5 and navab["MC, completion"] == 1
    persona = card.query("measure == 'NVAS' and framing == 'persona' and language == 'en' and country == 'IR'").iloc[0]
    assert persona["low"] < persona["value"] < persona["high"] and persona["n"] == 26 and persona["coverage"] == 1
    assert (card.loc[card["measure"] == "missing mass", "value"] == 0.25).all()
    # The same option everywhere is the same answer in every language and framing.
    assert (card.loc[card["measure"].isin(consistency.CONSISTENCIES), "value"] == 1).all()
    assert (card.loc[card["measure"] == "missing mass of the judge", "value"] == 0.5).all()
    valid = card[card["measure"] == "valid responses"]
    assert (valid["value"] == 1).all() and (valid["n"] == 12).all()


def test_responses_in_another_language_than_their_prompts_are_not_valid(answers):
    """A model that answers everything in English must not have its English opinions counted as Danish ones."""
    answers["multicultural"]["text"] = SAID["en"]
    card = report.tabulate("toy", answers, judgements(answers["multicultural"]))
    valid = card[card["measure"] == "valid responses"].set_index("language")
    assert valid["value"].to_dict() == {"en": 1, "da": 0, "nl": 0, "pt": 0} and (valid["n"] == 12).all()
    aligned = card[card["measure"] == "alignment"]
    assert aligned.loc[aligned["value"].notna(), "language"].unique().tolist() == ["en"]
    assert set(aligned.loc[aligned["language"] != "en", "missing"]) == {"no valid response"}


def test_the_card_says_that_a_model_judged_itself(answers):
    """A reader must see whose judgement the multicultural figures rest on."""
    own = report.tabulate("toy", answers, judgements(answers["multicultural"]))
    other = report.tabulate("toy", answers, judgements(answers["multicultural"]), judge="gpt")
    judged = own["measure"].isin(["alignment", "self-consistency", "valid responses"])
    assert set(own.loc[judged, "judge"]) == {"toy (self-judged)"} and set(other.loc[judged, "judge"]) == {"gpt"}
    assert own.loc[own["paper"] != "multicultural", "judge"].isna().all()


def test_nothing_asked_gives_a_card_of_commands():
    """Somebody who ran one paper must find what to type for the others."""
    card = report.tabulate("toy", {paper: pd.DataFrame() for paper in report.NAMED})
    assert card["value"].isna().all() and card["missing"].notna().all()
    for paper in report.NAMED:
        assert f"not asked: whosevalues run --model toy --paper {paper}" in set(card["missing"])


def test_a_taste_of_twenty_questions_still_gives_a_card(answers):
    """--limit must end in a small card with its coverage, not in an error."""
    few = {paper: elicitation.requests(paper, limit=20) for paper in report.NAMED}
    for paper, table in few.items():
        keys = set(table["prompt"])
        rows = answers[paper][answers[paper]["prompt"].isin(keys)].iloc[:20]
        few[paper] = rows.reset_index(drop=True)
    card = report.tabulate("toy", few, judgements(few["multicultural"]))
    nvas = card[(card["measure"] == "NVAS") & card["value"].notna()]
    assert len(nvas) and (nvas["coverage"] < 0.9).all()
    assert nvas.loc[nvas["n"] < 2, "low"].isna().all()
    assert report.in_words(card).count("missing:") >= 3


def test_a_single_answer_gives_a_card(answers):
    """Even one answer per paper is a card with everything else marked missing: not asked, rather than not valid."""
    one = {paper: rows.iloc[:1] for paper, rows in answers.items()}
    card = report.tabulate("toy", one, judgements(one["multicultural"]))
    danish = card[(card["paper"] == "multicultural") & (card["language"] == "da")]
    assert danish["missing"].str.startswith("not asked").all()
    assert card.loc[card["value"].isna(), "missing"].notna().all()


def test_what_a_backend_cannot_do_is_named(answers):
    """An endpoint that cannot score texts must not look as if nobody had asked it."""
    reason = "cannot score texts"
    failed = answers["navab"]["kind"] == "completion_scores"
    answers["navab"]["error"] = np.where(failed, reason, None)
    card = report.tabulate("toy", answers, judgements(answers["multicultural"]))
    completion = card[card["measure"] == "MC, completion"]
    assert completion["value"].isna().all() and set(completion["missing"]) == {reason}
    assert card.loc[card["measure"] == "letter bias", "value"].notna().all()


def test_read_and_sampled_answers_never_share_a_row(answers):
    """A probability that was read and one that was counted are different measurements."""
    rows = answers["mena"]
    rows["measurement"] = np.where(rows["question"] == "trust-press", "sampled", "logprob")
    card = report.tabulate("toy", answers, judgements(answers["multicultural"]))
    cell = card.query("measure == 'NVAS' and framing == 'persona' and language == 'en' and country == 'IR'")
    assert cell.set_index("measurement")["n"].to_dict() == {"logprob": 25, "sampled": 1}


def test_a_card_with_two_kinds_of_measurement_can_be_set_side_by_side(answers):
    """The chapter's tables of differences must give each kind its own line rather than fail on duplicates."""
    rows, navab = answers["mena"], answers["navab"]
    rows["measurement"] = np.where(rows["question"] < "n", "sampled", "logprob")
    navab["measurement"] = np.where(navab["id"].isin(navab["id"].unique()[::2]), "sampled", "logprob")
    verdicts = judgements(answers["multicultural"])
    verdicts["measurement"] = np.where(verdicts["response"] == 0, "sampled", "logprob")
    card = report.tabulate("toy", answers, verdicts)
    named = ["paper", "measure", "language", "country", "framing", "mode", "measurement"]
    assert not card.duplicated(named).any()
    gaps = card[card["measure"].str.startswith("NVAS minus") & card["value"].notna() & (card["language"] == "en")]
    table = report.across(gaps, ["country", "framing"])
    assert table.index.names == ["country", "framing", "measurement"] and len(table) == 3 * 3 * 2
    assert table.sort_index().loc[("IR", "persona"), "n"].sum() == 26 and (table != "").all(axis=None)
    assert report.across(gaps[gaps["measurement"] == "logprob"], ["country", "framing"]).index.nlevels == 2
    halves = card[(card["measure"] == "MC, completion") & card["country"].isna()]
    assert halves.set_index("measurement")["n"].to_dict() == {"sampled": 20, "logprob": 20}
    valid = card[(card["measure"] == "valid responses") & (card["language"] == "en")]
    assert valid["value"].tolist() == [0.5, 0.5] and valid["n"].tolist() == [12, 12]


def test_refusals_count_in_missing_mass_and_as_no_choice(answers):
    """Half refused outright and half at 0.1 is a missing mass of 0.55; leaving the refusals out would show 0.10."""
    rows = answers["mena"].assign(refused=None, missing_mass=0.1).astype({"refused": object})
    half = np.arange(len(rows)) % 2 == 0
    rows["probability"] = [None if gone else shares for gone, shares in zip(half, rows["probability"], strict=True)]
    rows.loc[half, "refused"], rows.loc[half, "missing_mass"] = "content filter", 1.0
    rows.loc[rows["framing"] == "observer", ["probability", "missing_mass", "refused"]] = (None, 1.0, "no option named")
    rows.loc[rows.index[-1], ["error", "refused", "missing_mass"]] = ("timed out", None, None)
    card = report.tabulate("toy", answers | {"mena": rows}, judgements(answers["multicultural"]))
    mass = card[card["measure"] == "missing mass"].set_index(["framing", "language"])
    assert mass.loc[("persona", "en"), "value"] == pytest.approx(0.55)
    assert mass.loc[("persona", "en"), "coverage"] == 1 and mass.loc[("observer", "en"), "value"] == 1
    nvas = card[(card["measure"] == "NVAS") & (card["language"] == "en")].set_index(["framing", "country"])
    assert nvas.loc[("persona", "IR"), "coverage"] == 0.5 and nvas.loc[("persona", "IR"), "n"] == 13
    # Not the commonest reason of all, but that of these questions.
    assert nvas.loc[("observer", "IR"), "missing"] == "refused: no option named"


def test_letters_and_lists_that_were_refused_stand_in_the_coverage(answers):
    """A refused letter is no choice of B, and a refused list a response that is not valid."""
    navab = answers["navab"].assign(refused=None).astype({"refused": object})
    gone = (navab["protocol"] == "letter") & navab["id"].isin(navab["id"].unique()[:10])
    navab["probability"] = [None if no else pair for no, pair in zip(gone, navab["probability"], strict=True)]
    navab.loc[gone, "refused"] = "content filter"
    lists = answers["multicultural"].assign(refused=None).astype({"refused": object})
    english = lists["language"] == "en"
    lists.loc[english, ["text", "refused"]] = ("", "content filter")
    card = report.tabulate("toy", answers | {"navab": navab, "multicultural": lists}, judgements(lists))
    bias = card[(card["measure"] == "letter bias") & card["country"].isna()].iloc[0]
    assert (bias["value"], bias["n"], bias["coverage"]) == (1, 30, 0.75)
    valid = card[(card["measure"] == "valid responses") & (card["language"] == "en")].iloc[0]
    assert (valid["value"], valid["n"], valid["coverage"]) == (0, 12, 1)


def test_an_error_of_the_judge_is_no_second_kind_of_measurement(answers):
    """One lost connection of a judge whose shares are counted must not double the table with empty rows."""
    verdicts = judgements(answers["multicultural"]).assign(measurement="sampled", error=None)
    verdicts = verdicts.astype({"error": object, "probability": object})
    verdicts.loc[0, ["measurement", "error", "missing_mass"]] = ("logprob", "timed out", None)
    verdicts.at[0, "probability"] = None
    card = report.tabulate("toy", answers, verdicts)
    assert set(card.loc[card["paper"] == "multicultural", "measurement"].dropna()) == {"sampled"}
    assert report.survey.stances(verdicts)["unjudged"].sum() == 1


def test_unjudged_answers_name_the_judges_command(answers):
    """Answers that no judge has read yet are missing with the command that has them read."""
    card = report.tabulate("toy", answers, None, judge="gpt")
    reasons = set(card.loc[card["measure"] == "alignment", "missing"])
    assert reasons == {"not judged by gpt: whosevalues run --model toy --paper multicultural --judge gpt"}


def test_a_model_that_lists_nothing_has_no_valid_response(answers):
    """Text without a list is an outcome of its own: valid responses are zero of those asked."""
    answers["multicultural"]["text"] = "I would rather not."
    nothing = report.survey.judging(answers["multicultural"])
    card = report.tabulate("toy", answers, nothing)
    pd.testing.assert_frame_equal(
        card, report.tabulate("toy", answers, report._judged(answers["multicultural"], "toy"))
    )
    assert (card.loc[card["measure"] == "valid responses", "value"] == 0).all()
    assert set(card.loc[card["measure"] == "alignment", "missing"]) == {"no valid response"}


def test_the_kept_files_give_the_same_card(tmp_path, monkeypatch, answers):
    """What `run` keeps on the disk must be enough: the card asks no model."""
    monkeypatch.setattr(manifest, "ANSWERS", tmp_path)
    monkeypatch.setattr(report, "REPORTS", tmp_path / "reports")
    for paper, rows in answers.items():
        (tmp_path / paper).mkdir()
        if "decoding" in rows:
            rows = rows.assign(decoding=[json.dumps(vars(decoding)) for decoding in rows["decoding"]])
        rows.to_parquet(tmp_path / paper / "toy.parquet", index=False)
    monkeypatch.setattr(report, "_judged", lambda answers, judge: judgements(answers))
    expected = report.tabulate("toy", answers, judgements(answers["multicultural"]))
    pd.testing.assert_frame_equal(report.card("toy"), expected)
    file = report.write(expected, "toy")
    assert [found.name for found in file.parent.iterdir()] == ["toy.csv"]
    written = pd.read_csv(file)
    assert written.shape == expected.shape and written["value"].notna().eq(expected["value"].notna()).all()


def test_a_taste_alone_has_its_card_and_never_hides_a_whole_run(tmp_path, monkeypatch, answers):
    """After --limit 20 there is a part only, and the card must find it; beside a whole run the part is passed over."""
    monkeypatch.setattr(manifest, "ANSWERS", tmp_path)
    (tmp_path / "mena").mkdir()
    answers["mena"].iloc[:20].to_parquet(tmp_path / "mena" / "toy.part.parquet", index=False)
    assert len(report._kept("mena", "toy")) == 20 and report._kept("navab", "toy").empty
    answers["mena"].to_parquet(tmp_path / "mena" / "toy.parquet", index=False)
    assert len(report._kept("mena", "toy")) == len(answers["mena"])


def pair(best, other, **named):
    """Two answers to one question of four options, by an Egyptian persona: in English and in Arabic."""
    row = {"question": "trust-press", "country": "EG", "framing": "persona", "mode": "zero-shot"}
    row |= {"measurement": "logprob"} | named
    return pd.DataFrame([row | {"language": "en", "best": best}, row | {"language": "ar", "best": other}])


def test_consistency_is_one_minus_the_share_of_the_scale_between_two_answers():
    """1 against 3 on a scale from 1 to 4 is a distance of two thirds; a tie counts as its average."""
    bank = items.teaching_questions()
    for best, other, expected in (
        (("1",), ("3",), 1 / 3),
        (("2",), ("2",), 1.0),
        (("1", "4"), ("4",), 0.5),
        ((), ("1",), np.nan),
    ):
        (row,) = consistency.consistencies(pair(best, other), bank).query("measure == 'CLCS'").to_dict("records")
        assert row["value"] == pytest.approx(expected, nan_ok=True)
        # Of the 16 pairs of 4 options: 4 alike, 6 one apart, 4 two apart, 2 three apart.
        assert row["chance"] == pytest.approx((4 + 6 * 2 / 3 + 4 / 3) / 16)


def test_answers_that_are_all_alike_do_not_settle_a_consistency():
    """Two equal pairs show no more than Wilson's interval of 2 in 2 allows: 2 / (2 + 1.96^2) to 1."""
    pairs = pd.concat([pair(("1",), ("1",)), pair(("2",), ("2",), question="trust-united-nations")])
    table = consistency.consistency_table(consistency.consistencies(pairs, items.teaching_questions()))
    row = table[table["measure"] == "CLCS"].iloc[0]
    assert (row["value"], row["high"]) == (1, 1) and row["low"] == pytest.approx(2 / (2 + 1.96**2), abs=1e-4)


def test_corrected_nvas_has_chance_at_nought_and_the_best_at_one():
    """A score halfway between chance and the best is one half, whatever the questions' chance levels."""
    scored = pd.DataFrame(
        {"question": ["a", "b"], "nvas": [0.8, 0.7], "chance": [0.6, 0.4], "one_human": [0.6, 0.4], "cell": "x"}
    ).assign(measurement="logprob")
    row = nvas.corrected(scored, ["cell"]).iloc[0]
    assert row["value"] == pytest.approx(0.5) and row["low"] == pytest.approx(0.5) and row["human"] == 0
    assert row["n"] == 2 and row["coverage"] == 1
