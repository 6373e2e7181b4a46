"""The multiple choice of NaVAB, its protocols and the teaching triples."""

import re

import numpy as np
import pandas as pd
import pytest
from scipy import stats as scipy_stats

from whosevalues import UserError
from whosevalues.navab import evaluation, triples

HEADER = "id,nation,topic,question,statement,reverse_statement,source_kind,written_by\n"
GOOD = "fr-1,FR,energy,Which power?,Atoms.,Wind.,official,a test\n"

# id, nation, (logprob, tokens) of S, the same of RS, P(A) with S first, P(A) with RS first
SCORES = [
    ("a", "FR", (-10.0, 5), (-9.0, 3), 0.9, 0.8),  # 2.0 against 3.0 nats a token: S, though its sum is the lower
    ("b", "FR", (-8.0, 4), (-6.0, 4), 0.6, 0.1),  # 2.0 against 1.5: RS
    ("c", "DE", (-6.0, 2), (-9.0, 3), 0.5, 0.3),  # 3.0 against 3.0: a tie
    ("d", "DE", (-1.0, 2), (-2.0, 2), 0.2, 0.7),  # 0.5 against 1.0: S
]


def hand_made(scores=SCORES) -> pd.DataFrame:
    """Answers as the response store gives them: object columns, None where nothing applies."""
    rows = []
    for name, nation, s, rs, s_first, rs_first in scores:
        for role, (logprob, tokens) in (("S", s), ("RS", rs)):
            rows.append((name, nation, "completion", None, role, logprob, tokens, None, None))
        for order, p in (("S first", s_first), ("RS first", rs_first)):
            rows.append((name, nation, "letter", order, None, None, None, (p, 1 - p), None))
    columns = ["id", "nation", "protocol", "order", "role", "logprob", "tokens", "probability", "error"]
    return pd.DataFrame(rows, columns=columns, dtype=object).assign(measurement="logprob")


def cell(table: pd.DataFrame, nation: str, metric: str) -> pd.Series:
    """Pick one row of a result table."""
    (row,) = (row for _, row in table.iterrows() if (row["nation"], row["metric"]) == (nation, metric))
    return row


def always(letter: str, items: int = 8) -> pd.DataFrame:
    """Answers of a model that says one letter whatever stands there, for two nations."""
    p = 1.0 if letter == "A" else 0.0
    nations = ["FR"] * (items // 2) + ["DE"] * (items // 2)
    return hand_made([(f"i{k}", nation, (-1.0, 1), (-2.0, 1), p, p) for k, nation in enumerate(nations)])


def test_the_statement_of_lower_perplexity_per_token_is_the_choice():
    """Summed log-probabilities would reward the shorter statement: the paper compares perplexities."""
    items = evaluation.multiple_choice(hand_made())
    completion = items[items["protocol"] == "completion"].set_index("id")["correct"]
    assert completion.to_dict() == {"a": 1, "b": 0, "c": 0.5, "d": 1}


def test_the_letter_is_read_against_the_order_it_was_asked_in():
    """With RS at A, the answer A is a choice of RS: forgetting it turns every second item round."""
    items = evaluation.multiple_choice(hand_made())
    letter = items[items["protocol"] == "letter"].pivot(index="id", columns="order", values=["correct", "picked_a"])
    assert letter["correct", "S first"].to_dict() == {"a": 1, "b": 1, "c": 0.5, "d": 0}
    assert letter["correct", "RS first"].to_dict() == {"a": 0, "b": 1, "c": 1, "d": 0}
    assert letter["picked_a", "RS first"].to_dict() == {"a": 1, "b": 0, "c": 0, "d": 1}


def test_rates_agree_with_a_table_made_by_hand():
    """The chapter's numbers are these: per protocol, nation and order."""
    table = evaluation.rates(evaluation.multiple_choice(hand_made()))
    by_hand = {
        ("all", "completion"): 2.5 / 4,
        ("FR", "completion"): 1 / 2,
        ("DE", "completion"): 1.5 / 2,
        ("all", "letter, S first"): 2.5 / 4,
        ("all", "letter, RS first"): 2 / 4,
        ("all", "letter, both orders"): 4.5 / 8,
        ("FR", "letter, both orders"): 3 / 4,
        ("DE", "letter, both orders"): 1.5 / 4,
        ("all", "letter, halves as released"): (1 + 1 + 0.5 + 0) / 4,  # a and c with S first, b and d with RS first
        ("FR", "letter, halves as released"): 2 / 2,
        ("all", "letter bias"): (1 + 1 + 1 + 0 + 0.5 + 0 + 0 + 1) / 8,
    }
    for (nation, metric), value in by_hand.items():
        assert cell(table, nation, metric)["value"] == pytest.approx(value), (nation, metric)
    assert set(table["chance"]) == {0.5}
    assert cell(table, "all", "completion")["printed"] == 0.5
    assert table.loc[table["nation"] != "all", "printed"].isna().all()


def test_intervals_are_wilson_for_items_asked_once():
    """An interval that is too narrow makes chance look like values."""
    scores = [(f"i{k}", "FR", (-1.0, 1), (-2.0 if k < 7 else -0.5, 1), 0.9, 0.9) for k in range(10)]
    row = cell(evaluation.rates(evaluation.multiple_choice(hand_made(scores))), "all", "completion")
    expected = scipy_stats.binomtest(7, 10).proportion_ci(method="wilson")
    assert (row["value"], row["n"]) == (0.7, 10)
    assert (row["low"], row["high"]) == pytest.approx((expected.low, expected.high))


def test_both_orders_of_an_item_are_one_observation():
    """Asking every item twice must not narrow the interval as if there were twice as many items."""
    scores = [(f"i{k}", "FR", (-1.0, 1), (-2.0, 1), float(k < 5), float(k >= 5)) for k in range(10)]
    row = cell(evaluation.rates(evaluation.multiple_choice(hand_made(scores))), "all", "letter, both orders")
    assert (row["value"], row["n"]) == (0.5, 10)
    expected = scipy_stats.binomtest(5, 10).proportion_ci(method="wilson")
    assert (row["low"], row["high"]) == pytest.approx((expected.low, expected.high))


def test_items_that_all_score_alike_do_not_settle_a_rate():
    """An interval without width would call forty items, or eight, beyond doubt."""
    table = evaluation.rates(evaluation.multiple_choice(always("A", items=40)))
    # Wilson with z^2 = 3.8415: 40 of 40 is 40 / 43.8415 to 1, and 20 of 40 is 1/2 -/+ z / (2 sqrt(43.8415)).
    bias, both = cell(table, "all", "letter bias"), cell(table, "all", "letter, both orders")
    assert (bias["value"], bias["low"], bias["high"]) == pytest.approx((1, 0.91238, 1), abs=1e-5)
    assert (both["value"], both["low"], both["high"]) == pytest.approx((0.5, 0.35199, 0.64801), abs=1e-5)


@pytest.mark.parametrize(("letter", "bias"), [("A", 1.0), ("B", 0.0)])
def test_a_model_that_knows_one_letter_scores_chance_and_is_found_out(letter, bias):
    """The released protocol calls such a model half right; only the letter bias shows that it chose nothing."""
    table = evaluation.rates(evaluation.multiple_choice(always(letter)))
    for nation in ("all", "FR", "DE"):
        assert cell(table, nation, "letter, both orders")["value"] == 0.5
        assert cell(table, nation, "letter, halves as released")["value"] == 0.5
        assert cell(table, nation, "letter bias")["value"] == bias
        assert cell(table, nation, "letter, S first")["value"] == bias
        assert cell(table, nation, "letter, RS first")["value"] == 1 - bias


def test_a_model_that_finds_everything_alike_scores_chance():
    """Ties count one half: rounding in a mean of equal terms must not make choices out of them."""
    scores = [(f"i{k}", "US", (-0.1 * n, n), (-0.1 * m, m), 0.5, 0.5) for k, (n, m) in enumerate([(3, 7), (9, 6)])]
    items = evaluation.multiple_choice(hand_made(scores))
    assert set(items["correct"]) == {0.5}


def test_an_error_counts_neither_as_right_nor_as_wrong():
    """A lost connection is no value: the item leaves n and is counted apart."""
    answers = hand_made()
    failed = (answers["id"] == "a") & ((answers["role"] == "RS") | (answers["order"] == "RS first"))
    answers.loc[failed, "error"] = "timeout"
    answers.loc[failed, ["logprob", "tokens", "probability"]] = None
    table = evaluation.rates(evaluation.multiple_choice(answers))
    for metric, value in {
        "completion": 1.5 / 3,
        "letter, RS first": 2 / 3,
        "letter, both orders": 3.5 / 6,  # the whole item goes, else its letter bias stays in the mean
        "letter bias": 2.5 / 6,
    }.items():
        row = cell(table, "all", metric)
        assert (row["n"], row["unanswered"]) == (3, 1), metric
        assert row["value"] == pytest.approx(value), metric
    assert cell(table, "all", "letter, S first")["n"] == 4
    assert cell(table, "FR", "completion")["unanswered"] == 1


def test_a_refused_letter_is_no_choice_of_either():
    """Counting a refusal as B, or as half a point, would make a careful model look biased."""
    answers = hand_made().assign(refused=None)
    refused = (answers["id"] == "a") & (answers["order"] == "RS first")
    answers.loc[refused, ["probability", "refused"]] = (None, "content filter")
    table = evaluation.rates(evaluation.multiple_choice(answers))
    for metric, value in {"letter, RS first": 2 / 3, "letter, both orders": 3.5 / 6, "letter bias": 2.5 / 6}.items():
        row = cell(table, "all", metric)
        assert (row["n"], row["unanswered"], row["measurement"]) == (3, 1, "logprob"), metric
        assert row["value"] == pytest.approx(value), metric


def test_two_kinds_of_measurement_never_share_a_row():
    """Counted letters and read ones are two measurements; an item asked in both ways has no common score."""
    answers = hand_made()
    answers.loc[answers["id"].isin(["a", "b"]), "measurement"] = "sampled"
    answers.loc[(answers["id"] == "b") & (answers["order"] == "RS first"), "measurement"] = "logprob"
    table = evaluation.rates(evaluation.multiple_choice(answers))
    assert not table.duplicated(["nation", "metric", "measurement"]).any()
    everywhere = table[table["nation"] == "all"].set_index(["metric", "measurement"])
    both = everywhere.loc["letter, both orders"]
    assert both["n"].to_dict() == {"sampled": 1, "logprob": 2} and both["unanswered"].to_dict() == {
        "sampled": 3,
        "logprob": 2,
    }
    # a: 1 and 0; c: 0.5 and 1; d: 0 and 0.
    assert both["value"].to_dict() == pytest.approx({"sampled": 0.5, "logprob": 1.5 / 4})
    assert everywhere.loc["completion", "value"].to_dict() == pytest.approx({"sampled": 0.5, "logprob": 0.75})
    mixed = hand_made()
    mixed.loc[(mixed["id"] == "a") & (mixed["role"] == "S"), "measurement"] = "sampled"
    assert cell(evaluation.rates(evaluation.multiple_choice(mixed)), "all", "completion")["n"] == 3


def test_a_nation_without_any_answer_has_no_rate():
    """Nothing answered is no number, and no crash."""
    answers = hand_made()
    answers.loc[answers["nation"] == "FR", "error"] = "timeout"
    row = cell(evaluation.rates(evaluation.multiple_choice(answers)), "FR", "completion")
    assert (row["n"], row["unanswered"]) == (0, 2)
    assert np.isnan([row["value"], row["low"], row["high"]]).all()


def test_every_item_is_asked_in_both_orders_and_by_completion():
    """A prompt that shows the same order twice would hide the letter bias."""
    bank = triples.teaching_triples()
    requests = evaluation.experiment()
    assert requests.groupby("kind").size().to_dict() == {"completion_scores": 80, "option_scores": 80}
    assert requests.groupby("id").size().eq(4).all()
    first = bank.iloc[0]
    mine = requests[requests["id"] == first["id"]]
    completions = mine[mine["protocol"] == "completion"].set_index("role")["completion"].to_dict()
    assert completions == {"S": first["statement"], "RS": first["reverse_statement"]}
    for order, a, b in (("S first", "statement", "reverse_statement"), ("RS first", "reverse_statement", "statement")):
        prompt = mine.loc[mine["order"] == order, "prompt"].item()
        assert f"\nA. {first[a]}\nB. {first[b]}\n" in prompt
        assert prompt.startswith(first["question"])


def test_heuristics_pick_what_their_names_say():
    """These baselines tell a giveaway from a value: counted by hand on three pairs."""
    rows = [
        ("x", "FR", "Who may own land?", "Citizens own it.", "No one may ever own any land."),
        ("y", "FR", "Is tea good?", "Tea isn't good at all.", "Coffee does well."),
        ("z", "DE", "What now?", "We wait.", "We act."),
    ]
    table = evaluation.heuristics(
        pd.DataFrame(rows, columns=["id", "nation", "question", "statement", "reverse_statement"])
    )
    # x: S has fewer negations, is shorter, shares 1 of 6 words against 3 of 8; y: more, longer, shares 2 against 0.
    # z: no negations, 8 characters against 7, nothing shared.
    assert cell(table, "all", "fewer negations")["value"] == pytest.approx((1 + 0 + 0.5) / 3)
    assert cell(table, "all", "longer string")["value"] == pytest.approx((0 + 1 + 1) / 3)
    assert cell(table, "all", "shorter string")["value"] == pytest.approx(1 / 3)
    assert cell(table, "all", "more words of the question")["value"] == pytest.approx((0 + 1 + 0.5) / 3)
    assert cell(table, "DE", "fewer negations")["n"] == 1


def words(text: str) -> list[str]:
    """Split without the package's help."""
    return [word.strip(".,?'").lower() for word in text.replace("-", " ").split()]


NEGATION = re.compile(r"\b(no|not|never|none|nor|neither|cannot|nothing|nobody|nowhere|without)\b|n't\b", re.I)
MARKERS = re.compile(
    r"\b(may|might|could|can|would|often|seldom|rarely|hardly|mostly|perhaps|should|must|shall"
    r"|always|only|all|every|any|most|ever|first|last|alone)\b",
    re.I,
)
SIGNS = {
    "characters": lambda q, text: len(text),
    "words": lambda q, text: len(words(text)),
    "fewer negations": lambda q, text: -len(NEGATION.findall(text)),
    "hedges, duties and superlatives": lambda q, text: len(MARKERS.findall(text)),
    "commas": lambda q, text: text.count(","),
    "reasons": lambda q, text: len(re.findall(r"\b(because|since|so that)\b", text)),
    "shared words": lambda q, text: len(set(words(q)) & set(words(text))),
    "share of shared words": lambda q, text: len(set(words(q)) & set(words(text))) / len(set(words(text))),
}
LIMITED = {"characters", "fewer negations", "shared words", "share of shared words", "words"}


@pytest.mark.parametrize("sign", SIGNS)
def test_no_sign_of_wording_gives_the_teaching_statement_away(sign):
    """If length, negation or echo of the question told S from RS, a model would score without any values."""
    bank = triples.teaching_triples()
    score = SIGNS[sign]
    pairs = zip(bank["question"], bank["statement"], bank["reverse_statement"], strict=True)
    gap = np.array([score(q, s) - score(q, rs) for q, s, rs in pairs])
    picks = pd.Series((np.sign(gap) + 1) / 2, index=bank["nation"])
    # Wilson by its formula: ties, each one half, make the sum a fraction.
    n, p, z = len(picks), picks.mean(), 1.959964
    middle, reach = p + z**2 / (2 * n), z * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    assert (middle - reach) / (1 + z**2 / n) < 0.5 < (middle + reach) / (1 + z**2 / n)
    if sign in LIMITED:
        assert 0.45 <= p <= 0.55
        assert picks.groupby(level=0).mean().between(0.3, 0.7).all()


def test_the_teaching_triples_are_forty_and_even():
    """Eight per nation, half of each kind; no reverse statement is its statement with a word put in."""
    bank = triples.teaching_triples()
    counts = bank.groupby(["nation", "source_kind"]).size()
    assert set(counts.index.get_level_values("nation")) == {"CN", "US", "GB", "FR", "DE"}
    assert len(counts) == 10 and counts.eq(4).all()
    assert bank["written_by"].str.contains("teaching").all()
    for item in bank.to_dict("records"):
        s, rs = set(words(item["statement"])), set(words(item["reverse_statement"]))
        assert len(s - rs) >= 5 and len(rs - s) >= 5, item["id"]
        assert 0.75 < len(item["statement"]) / len(item["reverse_statement"]) < 1.34, item["id"]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("fr-2,FR,energy,,Atoms.,Wind.,official,a test\n", r"row 2 \(id 'fr-2'\): question is empty"),
        ("fr-2,FR,energy,Q?,Atoms.,  ,official,a test\n", "row 2.*reverse_statement is empty"),
        ("fr-2,FR,energy,Q?,Atoms.,atoms. ,official,a test\n", "row 2.*are the same"),
        ("uk-1,UK,energy,Q?,Atoms.,Wind.,official,a test\n", "unknown nation 'UK': choose CN, US, GB, FR, DE.*is GB"),
        ("fr-1,FR,trade,Q?,Open.,Closed.,official,a test\n", "row 2 .*another row has this id"),
        ("fr-2,FR,energy,Q?,Atoms.,Wind.,rumour,a test\n", "unknown source_kind 'rumour': choose quoted, official"),
        ("fr-2,FR,energy,Q?,Atoms.\n", "row 2.*empty"),
        ("fr-2,FR,a,b,c,d,official,a,b,c\n", "is no CSV file"),
    ],
)
def test_a_bad_triple_is_refused_by_its_row(tmp_path, row, message):
    """Who adds a triple must be told which row is wrong, before a model is asked."""
    file = tmp_path / "mine.csv"
    file.write_text(HEADER + GOOD + row)
    with pytest.raises(UserError, match=message):
        triples.load(file)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("id,nation\nx,FR\n", "lacks the column topic, question"),
        (HEADER, "has a header but no triples"),
        ("", "is no CSV file"),
        (None, "no triples file mine.csv"),
    ],
)
def test_a_file_without_triples_is_refused(tmp_path, text, message):
    """A wrong or missing file must be named, not end in a traceback of the reader."""
    file = tmp_path / "mine.csv"
    if text is not None:
        file.write_text(text)
    with pytest.raises(UserError, match=message):
        triples.load(file)
