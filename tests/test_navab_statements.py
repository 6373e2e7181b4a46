"""Value statements: read by rules or by a model, and measured on labelled sentences."""

import json
import os

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import precision_recall_fscore_support
from statsmodels.stats.inter_rater import cohens_kappa

from whosevalues import UserError, data, elicitation
from whosevalues.models.structured import parse
from whosevalues.navab import articles, extraction, reader_reference, reader_scores, statements

with_data = pytest.mark.skipif(
    not os.environ.get("WHOSEVALUES_DATA"), reason="WHOSEVALUES_DATA names no folder with the released files"
)
TEXT = "We met on Monday. Peace must last for all nations. A union said that wages must rise now. It rained."


@pytest.fixture(scope="module")
def labelled():
    """The labelled sentences of the teaching articles, found once."""
    return reader_reference.reference(reader_reference.labels().query("corpus == 'teaching'"))


def passages(*texts, nation="DE"):
    names = [f"DE-19{n + 70}-001" for n in range(len(texts))]
    years = [1970 + n for n in range(len(texts))]
    return pd.DataFrame(
        {"passage": names, "article": [n[:7] for n in names], "nation": nation, "year": years, "text": texts}
    )


def said(statement, value=True, kind="official", content=TEXT, **more):
    answer = {"value": value, "statement": statement, "source_kind": kind, "speaker": ""}
    return {"kind": "structured", "content": content, "value": answer, "error": None, "refused": None} | more


@pytest.mark.parametrize(
    ("sentence", "value"),
    [
        ("Every state must respect human rights.", True),
        ("Germany supports the two-state solution.", True),
        ("We reject the use of force against neighbours.", True),
        ("Let us end hunger together.", True),
        ("The conference opened in Geneva in September.", False),
        ("Trade grew by four per cent last year.", False),
        ("I congratulate you on your election, which we support.", False),
        ("When will the next session begin?", False),
    ],
)
def test_demands_and_stands_are_values_and_reports_are_not(sentence, value):
    """A reader would otherwise be shown figures, greetings and dates as a nation's values."""
    assert statements.is_value(sentence) is value


@pytest.mark.parametrize(
    ("sentence", "nation", "kind"),
    [
        ("The Secretary-General said that peace must come first.", "US", "quoted"),
        ("A trade union warned that closing the pit would be wrong.", "GB", "quoted"),
        ("As he put it: “we ought to share what we have with others”.", "GB", "official"),
        ("France has said that peace must come first.", "FR", "official"),
        ("France has said that peace must come first.", "US", "quoted"),
        ("The European Community insists that the talks must go on.", "FR", "official"),
        ("We call on all parties to respect the truce.", "CN", "official"),
        ("These demands must be met.", "CN", "official"),
    ],
)
def test_a_quotation_is_somebody_elses(sentence, nation, kind):
    """A nation's own word, or that of a group it speaks for, must not be counted as a quotation, nor the reverse."""
    assert statements.source_kind(sentence, nation) == kind


def test_one_statement_is_taken_of_each_passage_and_the_rest_is_counted():
    """What the reading leaves behind must add up, or nobody can say what a benchmark of such statements leaves out."""
    table = passages(TEXT, "It rained. It was Monday.")
    taken = statements.read(table)
    assert list(taken) == statements.COLUMNS
    assert taken["passage"].tolist() == taken["statement_id"].tolist() == ["DE-1970-001"]
    assert taken["statement"].item() in TEXT and taken["reader"].item() == "rules"
    (row,) = statements.left(table, taken).to_dict("records")
    assert row == {"nation": "DE", "passages": 2, "without": 1, "candidates": 2, "taken": 1, "not_taken": 1}


def test_a_passage_that_cannot_be_read_is_reported_with_its_row():
    """Gaps in a corpus of one's own must be listed with what to do, not vanish or stop the run."""
    table = passages(TEXT, None, "1973 (28)", TEXT, TEXT)
    table.loc[3, "nation"], table.loc[4, "passage"] = "UK", "DE-1970-001"
    found = statements.problems(table)
    assert found["row"].tolist() == [2, 3, 4, 5] and found["what_to_do"].str.len().gt(10).all()
    assert statements.read(table)["passage"].tolist() == ["DE-1970-001"]
    french = passages(TEXT, TEXT).assign(language=["en", "fr"])
    assert statements.problems(french)["problem"].tolist() == ["in 'fr', and the rules read English"]
    assert statements.read(french)["passage"].tolist() == ["DE-1970-001"]
    assert statements.read(passages()).empty and statements.problems(passages()).empty


def test_shares_by_nation_and_decade_are_those_counted_by_hand():
    """The table of the chapter must hold the counts of the corpus, by decade of the article."""
    table = passages(TEXT, "It rained on Monday.", "The mayor said that Peace must last for all of us.")
    shares = statements.shares(table, statements.read(table)).set_index(["nation", "decade", "metric"])
    assert shares.loc[("DE", "1970s", "states a value"), ["hits", "n", "articles"]].tolist() == [2, 3, 3]
    assert shares.loc[("all", "all", "states a value"), "value"] == pytest.approx(2 / 3)
    assert shares.loc[("DE", "all", "quoted"), "hits"] >= 1


def test_the_reference_holds_labels_and_no_text():
    """Nothing of the speeches may be published with the labels, and their size must be what the page says it is."""
    table = reader_reference.labels()
    assert set(table["half"]) == set(reader_reference.HALVES) and table["hash"].is_unique
    assert table["hash"].str.fullmatch("[0-9a-f]{12}").all() and table["sentence"].is_unique
    assert table["sentence"].str.fullmatch(r"[A-Z]{2}-(\d{4}|T\d\d)/\d{3}").all()
    drawn = table[table["half"].isin(["rules", "test"])]
    assert (drawn["corpus"] == "speeches").sum() >= 240 and table["second"].isin(["0", "1"]).sum() == 60
    halves = drawn.groupby("article")["half"].nunique()
    assert halves.max() == 1, "an article in both halves would let the rules see what they are measured on"
    fresh = set(table.loc[table["half"] == "fresh", "article"])
    assert not fresh & set(table.loc[table["half"] == "rules", "article"])
    assert ((table["source_kind"] == "") == (table["is_value"] == 0)).all()


def test_a_damaged_label_is_refused(tmp_path, monkeypatch):
    """A slip in the file must stop the run with its name, not become a class of its own."""
    text = (reader_reference.ROOT / "data" / "teaching" / reader_reference.BANK).read_text()
    (tmp_path / "data" / "teaching").mkdir(parents=True)
    (tmp_path / "data" / "teaching" / reader_reference.BANK).write_text(text.replace(",official,", ",oficial,", 1))
    monkeypatch.setattr(reader_reference, "ROOT", tmp_path)
    with pytest.raises(UserError, match="oficial.*choose quoted, official"):
        reader_reference.labels()


def test_the_teaching_corpus_can_be_used_as_it_stands(labelled):
    """It must pass the checks that a reader's own articles must pass, and hold both kinds of source in each nation."""
    kept, problems = articles.checked(articles.read())
    assert problems.empty and kept.groupby("nation").size().eq(7).all() and kept["nation"].nunique() == 5
    rows, lost = labelled
    assert lost.empty and rows.groupby("nation")["source_kind"].agg(set).map({"quoted", "official"}.issubset).all()


def test_the_teaching_labels_need_no_speeches(monkeypatch):
    """The exercise and whoever has no data must be able to measure a reader on the articles that come with the book."""

    def nowhere():
        raise data.DataUnavailable("no speeches here")

    monkeypatch.setattr(articles, "speeches", nowhere)
    labels = reader_reference.labels()
    rows, lost = reader_reference.reference(labels.query("corpus == 'teaching'"))
    assert len(rows) == (labels["corpus"] == "teaching").sum() and lost.empty
    with pytest.raises(data.DataUnavailable):
        reader_reference.reference(labels)


def test_a_label_without_its_sentence_is_reported():
    """When a text is cut otherwise, the labels that no longer fit must be listed with their row."""
    table = reader_reference.labels().query("corpus == 'teaching'").head(3).reset_index(drop=True)
    table.loc[1, "hash"] = "0" * 12
    rows, lost = reader_reference.reference(table)
    assert len(rows) == 2 and lost["row"].tolist() == [2] and lost["sentence"].tolist() == [table["sentence"][1]]


def test_precision_and_recall_are_those_of_scikit_learn():
    """The chapter's main figures must be the field's quantities, per nation and over all."""
    random = np.random.default_rng(0)
    rows = pd.DataFrame(
        {
            "corpus": "speeches",
            "nation": random.choice(["CN", "US"], 60),
            "article": random.choice(list("abcdef"), 60),
            "is_value": random.integers(0, 2, 60),
            "told": random.random(60) < 0.6,
        }
    )
    table = reader_scores.screening(rows, "x").query("corpus == 'speeches'")
    for nation, part in [("all", rows), *rows.groupby("nation")]:
        expected = precision_recall_fscore_support(part["is_value"], part["told"], average="binary")[:3]
        ours = table[table["nation"] == nation].set_index("metric")["value"]
        assert ours[["precision", "recall", "F1"]].tolist() == pytest.approx(list(expected))
    assert (table["low"] <= table["value"]).all() and (table["value"] <= table["high"]).all()
    chance = table[table["nation"] == "all"].set_index("metric")["chance"]
    assert chance["precision"] == pytest.approx(rows["is_value"].mean())
    assert chance["recall"] == pytest.approx(rows["told"].mean())


def test_calling_every_sentence_a_value_is_right_as_often_as_there_are_values(labelled):
    """The trivial baseline is what a reader's gain is read against; it must be the base rate."""
    rows, _ = labelled
    table = reader_scores.measured(rows)
    row = table.query("reader == 'all yes' and half == 'test' and nation == 'all' and metric == 'precision'")
    labels = rows.query("half == 'test'")["is_value"]
    assert row["value"].item() == pytest.approx(labels.mean()) and row["n"].item() == len(labels)


def test_self_agreement_is_cohens_kappa():
    """The bound on what any reader can be told to reach must be the field's kappa."""
    table = reader_reference.labels()
    twice = table[table["second"] != ""]
    cross = pd.crosstab(twice["is_value"].astype(str), twice["second"]).to_numpy()
    ours = reader_scores.self_agreement(table).set_index(["step", "metric"])
    assert ours.loc[("screening", "kappa"), "value"] == pytest.approx(cohens_kappa(cross).kappa)
    assert ours.loc[("screening", "agreement"), "value"] == pytest.approx(np.trace(cross) / cross.sum())


@with_data
def test_the_rules_beat_calling_everything_a_value_on_sentences_they_never_saw():
    """The page says that the rules gain precision; neither they nor the cutter of sentences may lose that unseen."""
    rows, lost = reader_reference.reference()
    assert len(lost) <= 0.02 * (len(rows) + len(lost))
    fresh = rows.query("half == 'fresh'")
    table = reader_scores.screening(reader_scores.told(fresh), "rules").query("nation == 'all'").set_index("metric")
    assert table.loc["precision", "low"].iloc[0] > fresh["is_value"].mean()


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (said("Peace must last, for ALL nations"), "taken"),
        (said("Peace must last for most nations."), "an invention"),
        (said("must last"), "a fragment"),
        (said(" … "), "no statement given"),
        (said("Peace must last for all nations.", kind=""), "no source given"),
        (said("", value=False), "no value"),
        (said("") | {"value": None, "refused": "no JSON"}, "no valid answer"),
        (said("") | {"value": None, "error": "timeout"}, "not answered"),
    ],
)
def test_what_a_model_gives_is_held_against_the_passage(answer, outcome):
    """An invented sentence, an empty one or nonsense must never enter the data as what a nation said."""
    assert extraction.outcome(answer) == outcome


def test_every_useless_answer_is_reported_with_its_row():
    """Whoever pays for the answers must see which of them came to nothing, why, and what to do."""
    rows = [said("Peace must last for all nations."), said("War is good."), said("") | {"value": None, "error": "down"}]
    table = pd.DataFrame(rows).assign(passage=["a", "b", "c"], article=list("abc"), nation="DE", year=1999, model="m")
    found = extraction.problems(table)
    assert found[["row", "said"]].to_numpy().tolist() == [[2, "War is good."], [3, "down"]]
    kept = extraction.read(table)
    assert kept["reader"].tolist() == ["m"] and list(kept)[:8] == statements.COLUMNS
    shares = extraction.outcomes(table).set_index("outcome")["value"]
    assert shares["taken"] == shares["an invention"] == shares["not answered"] == pytest.approx(1 / 3)


def test_an_answer_in_plain_text_is_read_as_json_or_not_at_all():
    """A model without structured output is asked in words; its prose must not be mistaken for an answer."""
    text = "Sure: " + json.dumps(said("Peace must last for all nations.")["value"])
    row = {"kind": "generate", "content": TEXT, "text": text, "error": None}
    assert extraction.outcome(row) == "taken"
    assert extraction.outcome(row | {"text": "Peace must last for all nations."}) == "no valid answer"
    assert extraction.outcome(row | {"text": ""}) == extraction.outcome(row | {"text": None}) == "no valid answer"


def test_the_default_run_is_small_and_others_are_not(labelled, monkeypatch):
    """The book must be built in seconds with the small model, while a capable one gets all, in the form it can keep."""
    put = elicitation.requests("navab-statements")
    assert len(put) == 3 and set(put["kind"]) == {"generate"} and put["decoding"][0].max_tokens <= 64
    assert put["nation"].nunique() == 3
    assert all(text in prompt for text, prompt in zip(put["content"], put["prompt"], strict=True))
    monkeypatch.setattr(reader_reference, "reference", lambda: labelled)
    put = extraction.experiment(corpus="reference", items=4)
    assert len(put) == 4 and set(put["kind"]) == {"structured"} and put["year"].notna().all()
    parse('{"value": false, "statement": "", "source_kind": "", "speaker": ""}', put["schema"][0])
    for wrong in ({"corpus": "news"}, {"items": 0}, {"max_tokens": 0}):
        with pytest.raises(UserError, match="choose"):
            extraction.experiment(**wrong)


def test_a_model_is_measured_on_the_same_sentences_as_the_rules(labelled, monkeypatch):
    """Any model's precision and recall must stand beside the rules'; a missing answer costs recall, not precision."""
    monkeypatch.setattr(reader_reference, "reference", lambda: labelled)
    put = extraction.experiment(corpus="reference")
    labels = reader_reference.labels().set_index("sentence")
    true = labels.loc[put["passage"], "is_value"].astype(bool).tolist()
    values = [said(text, value=value)["value"] for text, value in zip(put["content"], true, strict=True)]
    values[true.index(True)] = None
    told = extraction.told(put.assign(value=values, error=None, refused=None, model="m"))
    table = reader_scores.screening(told, "m").query("corpus == 'both'").set_index("metric")
    assert table.loc["precision", "value"] == 1
    assert table.loc["recall", "value"] == pytest.approx((sum(true) - 1) / sum(true))


def test_agreement_of_model_and_rules_counts_the_same_sentence():
    """A reader decides by it whether a cheap reader will do; a longer copy of the same sentence is the same."""
    one, other = "Peace must last for all nations.", "We thank our hosts of last year for dinner."
    table = passages(f"It rained. {one}", f"It rained. {one} {other}")
    rows = [said(one, content=table["text"][0]), said(other, kind="quoted", content=table["text"][1])]
    answers = table.drop(columns="text").assign(model="m").join(pd.DataFrame(rows))
    found = extraction.agreement(answers).set_index("step")
    assert found["value"].to_dict() == {"screening": 1, "extraction": 0.5, "source": 0.5}
    assert found["n"].tolist() == [2, 2, 2]
