"""Texts of the workbook as questions, translations and what their check sees, and the grid of the whole benchmark."""

import os

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from whosevalues import UserError, cli, cost, elicitation, manifest, responses
from whosevalues.items import Question
from whosevalues.mena import equivalence, grid, translation, translation_controls, wording, workbook

with_data = pytest.mark.skipif(
    not os.environ.get("WHOSEVALUES_DATA"), reason="WHOSEVALUES_DATA names no folder with the released files"
)
TURKISH = "Çay sever misiniz ve ne kadar seversiniz?\n1. her zaman\n3. asla"
TEA = Question("7", "ordinal", ("1", "2", "3"), {"en": "Tea?"}, {"en": ("Always", "", "Never")}, {})


@pytest.fixture
def stores(tmp_path, monkeypatch):
    """Stores of this test's own."""
    monkeypatch.setattr(elicitation, "STORE", tmp_path / "responses")
    monkeypatch.setattr(manifest, "ANSWERS", tmp_path / "answers")
    return tmp_path


@pytest.fixture
def counted(monkeypatch):
    """Count words for tokens: a tokenizer takes seconds to load."""
    monkeypatch.setattr(cost, "counter", lambda model: (lambda texts: [len(t.split()) for t in texts], 0, model))


def words(texts):
    """Embed a text as its words: similar where words are shared, and known by hand."""
    every = sorted({word for text in texts for word in text.lower().split()})
    counts = np.array([[text.lower().split().count(word) for word in every] for text in texts], dtype=float)
    return counts / np.linalg.norm(counts, axis=1, keepdims=True)


@pytest.mark.parametrize(
    "text, low, high, stem, options, labels",
    [
        ("Do you own a car? 1: Yes, 2: No", 1, 2, "Do you own a car?", "1 2", ["Yes", "No"]),
        ("How happy? With '1' being 'Very happy' and '4' being 'Not at all happy'. Provide a number only.", 1, 4,
         "How happy?", "1 2 3 4", ["Very happy", "", "", "Not at all happy"]),
        ("Status in a union. With '0' being 'None', '1' being 'Passive', and '2' being 'Active'.",
         0, 2, "Status in a union", "0 1 2", ["None", "Passive", "Active"]),
        ("How do you find the water? 0: There is none, 1: Very good, 2: Poor", 1, 2, "How do you find the water?",
         "1 2", ["Very good", "Poor"]),
        ("Which? Provide a number only. 1 - Order in 1999 2 - Free speech, or more", 1, 2, "Which?", "1 2",
         ["Order in 1999", "Free speech, or more"]),
        ("Is it so? Please answer with '1' for 'yes' or '2' for 'no'. Provide a number only.", 1, 2, "Is it so?", "1 2",
         ["yes", "no"]),
        ("How credible is it? 1: Most, 2: 2, 3: Least", 1, 3, "How credible is it?", "1 2 3", ["Most", "", "Least"]),
        ("The first answer. 1: Music, 3: Politics", 1, 3, "The first answer.", "1 2 3", ["Music", "", "Politics"]),
        ("How many hours? ", 1, 3, "How many hours?", "1 2 3", ["1", "2", "3"]),
    ],
)  # fmt: skip
def test_a_text_becomes_a_question(text, low, high, stem, options, labels):
    """A model must be shown the options that the survey had, whichever of the workbook's spellings holds them."""
    row = {"question": "1", "low": low, "high": high, "scale": "ordinal", "source": "AOI", "text": text}
    question = wording.as_question(row)
    assert question.text["en"] == stem
    assert " ".join(question.options) == options
    assert list(question.labels["en"]) == labels


@with_data
def test_every_question_of_the_workbook_can_be_asked():
    """One text that is read wrongly would be asked wrongly in sixteen countries."""
    questions, _ = workbook.read()
    bank = wording.bank(questions)
    assert len(bank) == 864
    for row, question in zip(questions.to_dict("records"), bank, strict=True):
        assert {int(key) for key in question.options} <= {*range(row["low"], row["high"] + 1)}
        assert len(question.options) == len(question.labels["en"]) >= 2 and question.text["en"]
        written = [label for label in question.labels["en"] if label]
        assert all(label in " ".join(str(row["text"]).split()) or label.isdigit() for label in written)
        assert "number only" not in question.text["en"]


@with_data
def test_the_grid_asks_only_what_people_were_asked():
    """Prompts without human figures cost money and can be held against nothing."""
    asked = elicitation.requests("mena-benchmark")
    _, cells = workbook.read()
    filled = set(zip(*cells.loc[cells["shares"].map(bool), ["question", "country"]].to_numpy().T, strict=True))
    assert len(filled) == 9051 and len(asked) == 18_963
    own = asked[asked["country"].notna()]
    assert set(zip(own["question"], own["country"], strict=True)) == filled
    assert set(own["framing"]) == {"persona", "observer"} and set(asked["language"]) == {"en"}
    assert asked["country"].isna().sum() == asked.loc[asked["country"].isna(), "question"].nunique() == 861
    # Country by country: none comes back once another has begun.
    assert (own["country"] != own["country"].shift()).sum() == own["country"].nunique() == 16
    sizes = grid.sizes(*workbook.read()).set_index(["cells", "framing", "languages"])["value"]
    assert sizes["with figures", "all", "English"] == 18_963
    # In two languages, and the neutral ones.
    assert sizes["with figures", "all", "both"] == 4 * 9051 + 861 + asked_natively(cells)
    assert sizes["every question everywhere", "all", "both"] * 14 == 14 * 864 * (16 * 4 + 4)


def asked_natively(cells):
    """Questions and languages: 861 in Arabic, and those of the two countries that speak otherwise."""
    usable = cells[cells["shares"].map(bool)]
    return 861 + usable["country"].isin(["IR", "TR"]).sum()


def test_the_grid_by_hand():
    """A count that forgets the neutral framing, or asks it once per country, misleads whoever pays for the run."""
    questions = pd.DataFrame({"question": ["1", "2"]})
    cells = pd.DataFrame(
        [("1", "EG", {"1": 1.0}), ("1", "IR", {"1": 1.0}), ("2", "EG", {"1": 1.0}), ("2", "MA", {})],
        columns=["question", "country", "shares"],
    )
    table = grid.sizes(questions, cells).set_index(["cells", "languages", "framing"])["value"].sort_index()
    # Three pairs in two languages; neutral: two questions in English, two in Arabic, one in Persian.
    both = table.loc[("with figures", "both")]
    assert both[["persona", "observer", "neutral", "all"]].tolist() == [6, 6, 5, 17]
    assert table["filled", "both", "persona"] == 8
    assert table["every question everywhere", "both", "all"] == 2 * 2 * 32 + 2 * 4


@with_data
def test_backwards_turns_the_list_and_not_the_numbers():
    """If 1 came to mean the last option, the order's effect and a change of meaning could not be told apart."""
    how = {"countries": "QA", "framings": "observer"}
    forward, both = grid.experiment(**how), grid.experiment(**how, orders=("forward", "backward"))
    backward = both[both["order"] == "backward"].reset_index(drop=True)
    assert len(both) == 2 * len(forward) == 2 * len(backward)
    assert [options[::-1] for options in backward["options"]] == forward["options"].tolist()
    words = [[sorted(text.split()) for text in table["prompt"]] for table in (forward, backward)]
    same = sum(one == other for one, other in zip(*words, strict=True))
    # A named end has its comma and quotation marks where it stands; a list only changes places.
    assert same > 0.8 * len(forward)
    assert (forward["prompt"] != backward["prompt"]).all()


@with_data
def test_a_checked_translation_is_asked_and_no_other(monkeypatch):
    """A grid in Arabic needs the Arabic text; where there is none the question stays English and nothing is made up."""
    questions, _ = workbook.read()
    first = wording.bank(questions)[0]
    page = translation.page(first)
    lines = ["سؤال", *(f"{n}) جواب" for n in (1, 4))]
    rows = [("1", "ar", page, "\n".join(lines)), ("2", "ar", "another wording", "x")]
    given = pd.DataFrame(rows, columns=["question", "language", "source", "translation"])
    monkeypatch.setattr(grid, "passed", lambda translator, judge: given)
    asked = grid.experiment(["EG", "IR"], translator="somebody")
    native = asked[asked["language"] != "en"]
    assert native[["question", "framing"]].to_numpy().tolist() == [["1", f] for f in ("neutral", "persona", "observer")]
    assert native["prompt"].str.contains("سؤال\nاختر رقمًا من 1 إلى 4").all()
    assert len(asked) - len(native) == len(grid.experiment(["EG", "IR"]))


@with_data
@pytest.mark.parametrize(
    "wrong, named",
    [
        ({"countries": "UK"}, "unknown country 'UK': choose from DZ"),
        ({"orders": "sideways"}, "unknown order 'sideways': choose from forward, backward"),
        ({"modes": ()}, "no mode given"),
        ({"translator": "uniform"}, "whosevalues run --paper mena-translation --model uniform -p bank=workbook"),
    ],
)
def test_a_wrong_grid_is_named(stores, wrong, named):
    """Whoever mistypes, or has no translations yet, must read what to do."""
    with pytest.raises(UserError, match=named):
        grid.experiment(**wrong)


@with_data
def test_a_taste_then_an_estimate_then_a_run_that_asks_nothing_twice(stores, counted):
    """A grid of hours must say what it takes before it starts, and go on where it was stopped."""
    how = {"countries": "TR", "framings": "neutral"}
    elicitation.run("mena-benchmark", "uniform", limit=20, **how)
    before = cost.cost("mena-benchmark", "uniform", **how).iloc[0]
    whole = elicitation.requests("mena-benchmark", **how)
    assert before["questions"] == len(whole) and np.isfinite(before["seconds"]) and before["tokens_in"] > 5_000
    # How long a written answer takes cannot be told from scored ones.
    assert np.isnan(cost.cost("mena-benchmark", "uniform", **how, modes="reasoning")["seconds"].iloc[0])
    told = elicitation.run("mena-benchmark", "uniform", shard="1/2", **how)
    rest = elicitation.run("mena-benchmark", "uniform", **how)
    store = elicitation.STORE / "mena-benchmark" / "uniform"
    lines = [line for file in store.glob("*.jsonl") for line in file.read_text().splitlines()]
    assert len(lines) == len(responses.read(store)) and rest["asked"] == len(whole)
    assert 0 < told["new"] < told["asked"] and rest["new"] < rest["asked"]
    shown = CliRunner().invoke(
        cli.app, "cost --model uniform --paper mena-benchmark -p countries=TR -p framings=neutral"
    )
    assert "nothing is left to ask" in shown.output
    left = cost.cost("mena-benchmark", "uniform", **how).iloc[0]
    assert left["answered"] == left["questions"]


def test_a_grid_is_scored_against_its_cells():
    """The score is the paper's: one minus the distance from the people's mean, over Max minus Min."""
    questions = pd.DataFrame(
        [("7", 1, 5, "ordinal"), ("8", 1, 3, "nominal")], columns=["question", "low", "high", "scale"]
    )
    rows = [("7", "EG", {"1": 50.0, "5": 50.0}), ("7", "IR", {"1.0": 100.0}), ("8", "EG", {"2": 60.0, "3": 40.0})]
    cells = pd.DataFrame(rows, columns=["question", "country", "shares"])
    asked = [("7", None, "neutral", (0.1, 0.9)), ("7", "EG", "persona", (0.9, 0.1)), ("8", "EG", "persona", (0.2, 0.8))]
    asked += [("7", "IR", "observer", (0.5, 0.5))]
    options = {"7": ("1", "5"), "8": ("3", "2")}
    answered = pd.DataFrame(asked, columns=["question", "country", "framing", "probability"]).assign(
        model="m", language="en", mode="zero-shot", order="forward", kind="option_scores", missing_mass=0.1,
        measurement="logprob", error=None, refused=None, text=None,
    )  # fmt: skip
    answered["options"] = answered["question"].map(options)
    text = answered.iloc[[1]].assign(
        kind="generate", mode="reasoning", text="Because of that.\n5", options=[("1", "5")]
    )
    scored = grid.score(pd.concat([answered, text]), questions, cells)
    found = scored.set_index(["question", "country", "framing", "mode"])["nvas"].round(6).to_dict()
    assert found == {
        ("7", "EG", "neutral", "zero-shot"): 0.5,
        ("7", "IR", "neutral", "zero-shot"): 0.0,
        ("7", "EG", "persona", "zero-shot"): 0.5,
        ("8", "EG", "persona", "zero-shot"): 1.0,
        ("7", "EG", "persona", "reasoning"): 0.5,
        ("7", "IR", "observer", "zero-shot"): 0.5,
    }
    assert scored.loc[scored["country"] == "IR", "chance"].tolist() == pytest.approx([0.5, 0.5])
    alone = grid.score(answered[answered["country"].isna()], questions, cells)
    assert alone["country"].tolist() == ["EG", "IR"]
    assert set(scored.loc[scored["mode"] == "reasoning", "measurement"]) == {"text"}


def test_a_page_is_read_in_every_script():
    """Digits of another script must not cost an option."""
    for line in ("1. a\n2. b", "١. a\n٢. b", "۱) a\n۲) b", "1: a\n\n2 - b"):
        assert equivalence.read_page(f"Question?\n{line}") == ("Question?", {"1": "a", "2": "b"})
    assert equivalence.read_page(None) == ("", {})
    assert translation.page(TEA) == "Tea?\n1. Always\n3. Never"


@pytest.mark.parametrize(
    "translated, back, failed",
    [
        (TURKISH, "do you like tea\n1. always so\n3. never", None),
        ("Çay sever misiniz ve ne kadar seversiniz?\n1. her zaman", "do you like tea\n1. always so",
         "numbers or options lost"),
        ("Çay sever misiniz ve ne kadar seversiniz?\n1. her zaman\n2. asla", "do you like tea\n1. always so\n2. never",
         "numbers or options lost"),
        ("Do you like this kind of tea or not?\n1. always so\n3. never", "do you like tea\n1. always so\n3. never",
         "another language"),
        (TURKISH, "do you like tea\n1. never\n3. always so",
         "ends of the scale swapped"),
        (TURKISH, "who wins elections\n1. always so\n3. never",
         "another question"),
        (TURKISH, None, "no question came back"),
        ("", None, "no translation"),
    ],
)  # fmt: skip
def test_the_check_says_why_a_translation_is_not_used(translated, back, failed):
    """A translation that lost an option, or came out as another question, must not be asked as the same one."""
    named = {"bank": "teaching", "question": "tea", "language": "tr"}
    source = "do you like tea\n1. always so\n3. never"
    answers = pd.DataFrame([{**named, "model": "m", "source": source, "text": translated}])
    backs = pd.DataFrame(
        [{**named, "judge": "j", "text": back}] if translated else [], columns=[*named, "judge", "text"]
    )
    row = equivalence.check(answers, backs, encode=words).iloc[0]
    assert (None if pd.isna(row["failed"]) else row["failed"]) == failed


def test_translation_is_a_step_and_back_translation_another(stores, counted):
    """Any model of models.yml must get through both steps, and one that cannot translate must be found out."""
    how = {"questions": 2, "languages": "tr"}
    put = elicitation.requests("mena-translation", **how)
    ahead = cost.cost("mena-translation", "uniform", **how)
    assert ahead["paper"].tolist() == ["mena-translation", "mena-translation, the back-translator"]
    assert ahead["questions"].tolist() == [2, 2] and ahead["unwritten"].tolist() == [0, 2]
    assert "one question for each of 2 answers" in cost.in_words(ahead)
    elicitation.run("mena-translation", "uniform", **how)
    answers = elicitation.elicit("mena-translation", "uniform", **how)
    backs = elicitation.judged("mena-translation", answers)
    assert len(answers) == len(put) == 2 and backs["prompt"].str.contains("into English").all()
    # What the model says to anything is put to it again, and never the original.
    assert not backs["prompt"].str.contains("How important").any()
    checked = equivalence.check(answers, backs, encode=words)
    assert checked["failed"].tolist() == ["another language"] * 2


@with_data
def test_kept_translations_become_a_grid_only_if_they_pass(stores, monkeypatch):
    """Nonsense that a model wrote must end in a message and not in 19,000 questions."""
    how = {"questions": 2, "languages": "ar", "bank": "workbook"}
    elicitation.run("mena-translation", "uniform", **how)
    monkeypatch.setattr(equivalence, "minilm", words)
    with pytest.raises(UserError, match="none of uniform's 2 translations passed"):
        grid.experiment("EG", translator="uniform")
    kept = pd.read_parquet(next((stores / "answers" / "mena-translation").glob("*.checked-by-uniform.*.parquet")))
    assert kept["failed"].notna().all() and len(kept) == 2


@with_data
def test_translations_are_asked_for_where_a_country_needs_them():
    """The Arab surveys were not held in Iran or Turkey: their questions need no Persian and no Turkish."""
    asked = elicitation.requests("mena-translation", bank="workbook")
    assert asked["language"].value_counts().to_dict() == {"ar": 861, "tr": 252, "fa": 251}
    for wrong in ({"bank": "x"}, {"languages": "da"}, {"questions": 0}):
        with pytest.raises(UserError, match="choose"):
            translation.experiment(**wrong)


def test_the_check_sees_another_question_and_not_a_reversed_one():
    """The chapter's verdict on its own instrument: what it stops, and that a negation passes."""
    controls = translation_controls.controls()
    assert controls["kind"].value_counts().to_dict() == {
        "another question": 42 * 25, "faithful": 42, "options dropped": 42, "ends swapped": 42, "meaning shifted": 14,
    }  # fmt: skip
    found = translation_controls.compared(controls)
    caught = translation_controls.caught(found).set_index(["kind", "part"])
    assert caught.loc[("faithful", "any"), "value"] == 0
    assert caught.loc[("another question", "similarity"), "value"] == 1
    assert caught.loc[("options dropped", "options"), "value"] == 1
    assert caught.loc[("ends swapped", "order"), "value"] > 0.9
    assert caught.loc[("meaning shifted", "any"), "value"] < 0.1
    low, high = caught.loc[("faithful", "any"), ["low", "high"]]
    assert low == pytest.approx(0) and high == pytest.approx(1.96**2 / (14 + 1.96**2), abs=1e-3)
    passing = translation_controls.thresholds(found).pivot(index="threshold", columns="kind", values="value")
    assert (passing.diff().dropna() <= 1e-9).all().all()
    # Set without the question it is applied to, the threshold lies between the same two groups.
    unseen = translation_controls.left_out(found)
    assert (unseen["value"] == 0).all() and unseen["least"].min() > 0.6 and unseen["most"].max() < 0.7
