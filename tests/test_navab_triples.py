"""Triples made by rules or by a model, the checks they must pass, and what gives their statements away."""

import json

import numpy as np
import pandas as pd
import pytest
from scipy import stats as scipy_stats

from whosevalues import UserError, data, responses
from whosevalues.models.scripted import ScriptedModel
from whosevalues.navab import (
    articles,
    give_away,
    released_triples,
    statements,
    triple_checks,
    triple_labels,
    triple_requests,
    triples,
)
from whosevalues.navab.reversal import reverse


def have(path: str) -> bool:
    """Whether a file of the data registry is at hand."""
    try:
        return data.load(path).is_file()
    except data.DataUnavailable:
        return False


with_data = pytest.mark.skipif(not have(articles.SPEECHES), reason="needs the speeches")


def said(*texts: str, article: str | None = None) -> pd.DataFrame:
    """Statements as the readers give them."""
    rows = [
        {"statement_id": f"FR-2001-{k:03d}", "article": article or f"FR-{2001 + k}", "statement": text}
        for k, text in enumerate(texts, start=1)
    ]
    return pd.DataFrame(rows).assign(nation="FR", source_kind="official")


def pairs(*rows: tuple[str, str, str]) -> pd.DataFrame:
    """Triples of (question, S, RS)."""
    table = pd.DataFrame(rows, columns=["question", "statement", "reverse_statement"])
    return table.assign(id=[f"t{k}" for k in range(len(rows))], nation="FR", source_kind="official")


# Contraries and questions written by hand, as a person would write them.
BY_HAND = [
    ("We must act now.", "We must not act now.", "Should we act now?"),
    ("We must never accept torture.", "We must accept torture.", "Should we accept torture?"),
    ("Peace cannot be imposed.", "Peace can be imposed.", "Can peace be imposed?"),
    (
        "No country should be left behind.",
        "Any country may be left behind.",
        "Should any country be left behind?",
    ),
    ("We condemn the attack.", "We defend the attack.", "Is it right to condemn the attack?"),
    (
        "China supports a ceasefire, and it will help.",
        "China opposes a ceasefire, and it will help.",
        "Is it right to support a ceasefire?",
    ),
    (
        "We call on all States to sign the treaty.",
        "We call on all States not to sign the treaty.",
        "Should all States sign the treaty?",
    ),
    (
        "It is clear that sanctions must be lifted.",
        "It is clear that sanctions must not be lifted.",
        "Should sanctions be lifted?",
    ),
    ("Such threats are unacceptable.", "Such threats are acceptable.", "Are such threats acceptable?"),
    (
        "The Council must be reformed and must be enlarged.",
        "The Council must not be reformed and must not be enlarged.",
        "Should the Council be reformed?",
    ),
    ("Let us not forget them.", "Let us forget them.", "Should we forget them?"),
    ("We need to listen.", "We do not need to listen.", "Do we need to listen?"),
    ("France wants peace.", "France does not want peace.", "Does France want peace?"),
]


@pytest.mark.parametrize(("statement", "contrary", "question"), BY_HAND)
def test_a_sentence_is_turned_as_a_person_would_turn_it(statement, contrary, question):
    """A reverse statement that is no English, or a question that shows its answer, tests nothing."""
    turned = reverse(statement, lower=["peace", "such", "sanctions"])
    assert (turned.statement, turned.question, turned.reason) == (contrary, question, "")


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ("Why should we wait?", "question"),
        ("We must not only speak but act.", "main verb"),
        ("We must speak, not shout.", "behind the verb"),
        ("Peace, above all.", "main verb"),
        ("Nous devons agir sans attendre.", "main verb"),
        ("He said “we must act and left.", "quotation"),
        ("The vision that we must have of tomorrow.", "main verb"),
    ],
)
def test_what_no_rule_can_turn_says_why(statement, reason):
    """A statement turned into nonsense would be scored like a good one."""
    turned = reverse(statement)
    assert turned.statement == turned.question == ""
    assert reason in turned.reason


def test_no_statement_is_dropped_in_silence():
    """Who builds triples of their own statements must see which ones gave none, and where they stand."""
    table = said("We must act.", "Peace, above all.", "We must act.")
    table.loc[2, "statement_id"] = table.loc[0, "statement_id"]
    tried = triples.attempt(table)
    made, left = triples.usable(tried), triples.problems(tried)
    assert len(made) + len(left) == len(table)
    assert left["row"].tolist() == [2, 3]
    assert "main verb" in left["problem"].iloc[0] and "another row has this id" in left["problem"].iloc[1]
    assert triples.build(table).equals(made)


def test_a_built_triple_can_be_scored_and_traced_to_its_article():
    """Evaluation and training take these columns; the split by article needs to know the article."""
    made = triples.build(said("We must act.", "We must not wait."))
    assert triples.check(made) is made
    assert made["article"].tolist() == ["FR-2002", "FR-2003"]
    assert made["statement_id"].tolist() == made["id"].tolist()
    assert set(made["written_by"]) == {"rules"}
    assert made["negated"].tolist() == [False, True]


def test_a_topic_is_kept_where_it_is_known():
    """Rates by topic would mix all topics otherwise."""
    made = triples.build(said("We must act.").assign(topic=7))
    assert made["topic"].tolist() == ["7"]


def test_the_balanced_set_denies_as_often_in_s_as_in_rs():
    """With denials on one side alone, a model that dislikes 'not' would look aligned."""
    texts = [f"We must act on matter {k}." for k in range(9)] + [f"We must not act on it {k}." for k in range(3)]
    made = triples.build(said(*texts))
    even = triples.balanced(made, seed=1)
    assert even["negated"].sum() == 3 and len(even) == 6
    assert triples.balanced(made, seed=1).equals(even)
    assert triples.balanced(made[~made["negated"]]).empty


def ask(answers: dict[str, object], table: pd.DataFrame, store) -> pd.DataFrame:
    """Put the requests to a model that says what is written for each statement."""
    put = triple_requests.requests(table)
    from whosevalues.models.structured import instruct

    said_by = {
        instruct(prompt, triple_requests.SCHEMA): json.dumps(answers[text], ensure_ascii=False)
        for prompt, text in zip(put["prompt"], table["statement"], strict=True)
        if text in answers
    }
    return responses.ask(ScriptedModel("scripted", said_by), put, store)


def test_a_models_triples_are_read_and_bad_ones_are_reported(tmp_path):
    """A model's slip, RS equal to S or in another language, would be scored as a value."""
    good, same, empty, foreign, agreeing, silent, statement = (
        "Trade must be free for all nations.",
        "Borders must stay open to those in need.",
        "The oceans must be kept clean by every State.",
        "Nuclear weapons must be abolished by all States.",
        "Children must be protected in every conflict.",
        "Hunger must end within one generation.",
        "Refugees must be given shelter by every country.",
    )
    answers = {
        good: {"question": "Should trade be free?", "reverse_statement": "Trade must not be free for all nations."},
        same: {"question": "Should borders be open?", "reverse_statement": same},
        empty: {"question": "", "reverse_statement": "The oceans must not be kept clean by every State."},
        foreign: {
            "question": "Should they go?",
            "reverse_statement": "Les armes nucléaires ne doivent pas être abolies par les États.",
        },
        agreeing: {
            "question": "Should children be safe?",
            "reverse_statement": "Children must be kept safe in every conflict.",
        },
        statement: {
            "question": "They should be sheltered.",
            "reverse_statement": "Refugees must not be given shelter by every country.",
        },
    }
    table = said(good, same, empty, foreign, agreeing, silent, statement)
    tried = triple_requests.read_answers(ask(answers, table, tmp_path), "scripted")
    assert triples.usable(tried)["statement"].tolist() == [good]
    assert triples.usable(tried)["written_by"].tolist() == ["scripted"]
    left = triples.problems(tried).set_index("statement")["problem"]
    for text, why in (
        (same, "same"),
        (empty, "question is empty"),
        (foreign, "language (fr)"),
        (agreeing, "nothing shows"),
        (silent, "no answer"),
        (statement, "no question"),
    ):
        assert why in left[text], text


def test_an_experiment_of_nothing_is_refused():
    """A run that asks nothing would look like a model that answers nothing."""
    with pytest.raises(UserError, match="items=0"):
        triple_requests.experiment(items=0)


def test_a_check_that_fails_names_itself():
    """A triple with a fault must say which, or nobody can mend it."""
    table = pairs(
        ("Should trade be free?", "Trade must be free.", "Trade must not be free."),
        ("Why must trade be free?", "Trade must be free.", "Trade must be free."),
        ("Trade must be free, is it so", "Trade must be free.", "No."),
    )
    found = triple_checks.examine(table, threshold=-1.0)
    assert found["problem"].iloc[0] is None
    assert found["problem"].iloc[1] == "not: contradicts, not: S is not RS, not: Q hides the answer"
    assert (
        found["problem"].iloc[2] == "not: contradicts, not: Q is a question, not: Q hides the answer, not: like lengths"
    )
    table = triple_checks.shares(found).set_index("check")
    assert table.loc["all checks", ["value", "n"]].tolist() == pytest.approx([1 / 3, 3])


def test_the_topic_threshold_parts_what_two_groups_of_vectors_part(monkeypatch):
    """A threshold at the wrong place would pass a reverse statement on another topic."""
    # Own pairs at cosines 1, 1 and 0.6; strange pairs at 0 or 0.8 at the most.
    s = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1]], float)
    rs = np.array([[1, 0, 0], [0, 1, 0], [0.8, 0, 0.6]], float)
    monkeypatch.setattr(triple_checks, "_vectors", lambda table: (s, rs))
    found = triple_checks.topic_threshold(pairs(*[("Q?", "a", "b")] * 3))
    # Between 0 and 0.6 all own pairs pass and five of six strange ones do not: a mean of 11/12, the best there is.
    assert found["threshold"] == pytest.approx(0.3)
    assert (found["own"], found["strange"]) == pytest.approx((1, 5 / 6))
    assert found["area"] == pytest.approx((6 + 6 + 5) / 18)


def test_words_that_tell_s_from_rs_are_found_out_on_articles_not_seen():
    """Where RS always says 'not', a score of one would be called alignment."""
    table = pairs(*[("Q?", f"Point {k} must hold.", f"Point {k} must not hold.") for k in range(30)])
    assert (give_away.learned(table) > 0.5).all()
    rates = give_away.rates(table).set_index("metric")
    assert rates.loc["learned: words", "value"] == rates.loc["fewer negations", "value"] == 1
    bounds = scipy_stats.binomtest(30, 30).proportion_ci(method="wilson")
    assert rates.loc["learned: words", ["low", "high"]].tolist() == pytest.approx([bounds.low, bounds.high])


def test_nothing_is_learned_where_nothing_is_to_be_learned():
    """A give-away found in noise would condemn every data set."""
    rng = np.random.default_rng(0)
    words = [f"w{k}" for k in range(60)]
    rows = [("Q?", " ".join(rng.choice(words, 8)), " ".join(rng.choice(words, 8))) for _ in range(300)]
    value = (give_away.learned(pairs(*rows)) > 0.5).mean()
    assert scipy_stats.binomtest(round(value * 300), 300).pvalue > 0.01


def test_an_article_is_never_on_both_sides_of_the_fold():
    """What is learned from an article's other triples would be memory, not wording."""
    # Within an article one word always marks S; no word is shared between articles.
    rows = [("Q?", f"mark{a} x{k}", f"plain{a} x{k}") for a in range(6) for k in range(5)]
    table = pairs(*rows).assign(article=[f"a{a}" for a in range(6) for _ in range(5)])
    assert give_away.learned(table).to_numpy() == pytest.approx(np.full(30, 0.5))
    assert (give_away.learned(table.drop(columns="article"), folds=30) > 0.5).all()


def test_triples_of_one_article_are_one_draw():
    """A hundred triples of two speeches must not have the interval of a hundred speeches."""
    values = pd.Series([1.0] * 50 + [0.0] * 50)
    alone = give_away.share(values, pd.Series(range(100)))
    shared = give_away.share(values, pd.Series(["a"] * 50 + ["b"] * 50))
    assert alone["value"] == shared["value"] == 0.5
    assert shared["high"] - shared["low"] > 3 * (alone["high"] - alone["low"])


def test_who_has_read_the_article_finds_its_sentence():
    """A model that saw the source in training needs no values: the baseline must show it."""
    table = pairs(("Q?", "We must act.", "We must not act.")).assign(article="a")
    assert give_away.article_overlap(table, {"a": "Friends, we must act. Thank you."}).tolist() == [1.0]
    assert np.isnan(give_away.article_overlap(table, {}).iloc[0])


def test_the_teaching_triples_do_not_give_their_statements_away():
    """What the book scores by default must not be won by counting words."""
    rates = give_away.rates(triples.teaching_triples()).set_index("metric")
    rules = [name for name in rates.index if name != give_away.FLAGGED and not name.startswith("learned")]
    assert len(rules) == 4 and rates.loc[rules, "value"].between(0.4, 0.6).all()
    (luck,) = give_away.luck(triples.teaching_triples(), swaps=40).to_dict("records")
    assert luck["low"] <= luck["value"] <= luck["high"] and luck["low"] < 0.5 < luck["high"]
    assert rates.loc[give_away.FLAGGED, "value"] <= 0.1


def test_a_coin_shows_how_far_luck_goes():
    """A give-away must be told from luck, and must not hide behind it."""
    table = pairs(*[("Q?", f"Point {k} must hold.", f"Point {k} must not hold.") for k in range(30)])
    (luck,) = give_away.luck(table, swaps=20).to_dict("records")
    assert luck["value"] == 1 and 0 <= luck["low"] < 0.5 < luck["high"] < 1


def test_flags_follow_how_sure_the_words_are():
    """A triple that gives itself away carries a flag, so that it can be left out."""
    table = pairs(*[("Q?", f"Point {k} must hold.", f"Point {k} must not hold.") for k in range(30)])
    marked = give_away.flagged(table)
    assert marked["gives_away"].tolist() == (marked["sureness"] >= 0.75).tolist()
    assert marked["gives_away"].all()
    listed = give_away.flags(table)
    assert list(listed) == ["id", "nation", "value", "gives_away"] and listed["id"].tolist() == table["id"].tolist()


ROWS = [
    # statement, source, question, reverse statement: denied in RS; denied in S; neither
    ("甲支持改革。", "甲", "甲是否支持改革？", "甲不支持改革。"),
    ("乙反對戰爭。", "someone", "乙怎樣看戰爭？", "乙支持戰爭。"),
    ("丙在非洲。", "unknown", "丙在非洲嗎？", "丙在歐洲。"),
]


def written(folder, rows=ROWS):
    """A file in the form of the authors' data set, all eight fields."""
    names = ["statement", "source", "generated Q", "generated reverse statement"]
    others = {"raw_news": "", "filter_flag": "", "full_source": "", "generated raw data": ""}
    file = folder / "rows.json"
    file.write_text(json.dumps([dict(zip(names, row, strict=True)) | others for row in rows]), encoding="utf-8")
    return file


def test_released_rows_are_described_as_one_would_by_hand(tmp_path):
    """The figures on the authors' rows are the page's finding: 'Africa' must not count as a denial."""
    table = released_triples.released_sample({"quoted": written(tmp_path)})
    found = table[table["split"] == "all"].set_index("measure")["value"]
    by_hand = {
        "Q, S and RS are there, S is not RS": 1,
        "RS denies and S does not": 1 / 3,
        "S denies and RS does not": 1 / 3,
        "Q can be answered by yes or no": 2 / 3,
        "source names somebody": 2 / 3,
        "source stands in S and in RS": 1 / 3,
        "S holds English sentences": 0,
        "fewer denials picks S": (1 + 0 + 0.5) / 3,
    }
    for measure, value in by_hand.items():
        assert found[measure] == pytest.approx(value), measure


def test_a_file_that_is_not_of_the_authors_form_is_refused(tmp_path):
    """A missing field must not be read as an empty one."""
    file = written(tmp_path)
    rows = json.loads(file.read_text(encoding="utf-8"))
    del rows[1]["source"]
    file.write_text(json.dumps(rows), encoding="utf-8")
    with pytest.raises(UserError, match="row 2: lacks source"):
        released_triples.released_sample({"quoted": file})


@pytest.fixture(scope="module")
def passages() -> pd.DataFrame:
    """Passages of the labelled triples' speeches."""
    texts = articles.load()
    return articles.passages(texts[texts["article"].isin(triple_labels.labels()["article"])])


@with_data
def test_the_labelled_triples_are_still_those_that_the_rules_make(passages):
    """A quality measured on triples that the rules no longer make would be told of others."""
    found = triple_labels.rated(passages)
    assert len(found) >= 0.9 * len(triple_labels.labels())
    quality = triple_labels.quality(found).set_index("quality")
    assert quality.loc["contrary", "value"] == pytest.approx(found["contrary"].mean())
    assert quality.loc["contrary", "low"] > 0.75


@with_data
def test_triples_of_the_speeches_give_themselves_away_and_say_so(passages):
    """Rule-made triples must not pass for a test of values."""
    few = sorted(passages["article"].unique())[::4]
    made = triples.build(statements.read(passages[passages["article"].isin(few)]))
    assert len(made) > 50 and made["statement_id"].is_unique
    rates = give_away.rates(made).set_index("metric")["value"]
    assert rates["fewer negations"] > 0.75 and rates["learned: words"] > 0.75
    proven = [triple_checks.contradicts(*row) for row in made[["statement", "reverse_statement"]].to_numpy()]
    assert np.mean(proven) > 0.95
