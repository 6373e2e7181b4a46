"""Answer judgement: verdicts, what they are worth, and their gap to multiple choice."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import cohen_kappa_score

from whosevalues import UserError, elicitation, report, stats
from whosevalues.navab import agreement, answer_rates, evaluation, judgement, rates, released, triples


def judged(cases) -> pd.DataFrame:
    """A judge's answers: id, role, and the probabilities of A, B, C in each order."""
    rows = []
    for name, role, first, second in cases:
        for order, shares in (("S first", first), ("RS first", second)):
            rows.append((name, "FR", role, judgement.TRUTH.get(role), order, shares))
    table = pd.DataFrame(rows, columns=["id", "nation", "role", "truth", "order", "probability"], dtype=object)
    return table.assign(judge="toy", measurement="logprob", error=None, refused=None, missing_mass=0.1)


def said(verdicts: dict[str, str], role="answer", judge="toy") -> pd.DataFrame:
    """Verdicts over both orders, by id."""
    rows = [
        (judge, "logprob", name, "FR", role, judgement.TRUTH.get(role), "both", v, None) for name, v in verdicts.items()
    ]
    columns = ["judge", "measurement", "id", "nation", "role", "truth", "order", "verdict", "letter"]
    return pd.DataFrame(rows, columns=columns, dtype=object)


def figures(table: pd.DataFrame, **which) -> pd.DataFrame:
    """Rows of a result table by metric."""
    for name, value in which.items():
        table = table[table[name] == value]
    return table.set_index("metric")


def test_a_letter_is_read_against_its_order():
    """With RS at A, the letter A is a verdict for RS: forgetting it turns every second verdict round."""
    table = judgement.verdicts(judged([("x", "answer", (0.7, 0.2, 0.1), (0.2, 0.6, 0.2))])).set_index("order")
    assert table["verdict"].to_dict() == {"S first": "S", "RS first": "S", "both": "S"}
    assert table["letter"].to_dict() == {"S first": "A", "RS first": "B", "both": None}


def test_a_judge_with_a_favourite_letter_finds_neither_and_is_found_out():
    """Always A, as small models do, must come out as no verdict and as a full letter bias, not as one half."""
    cases = [(f"i{k}", "answer", (0.8, 0.1, 0.1), (0.8, 0.1, 0.1)) for k in range(4)]
    verdicts = judgement.verdicts(judged(cases))
    assert set(verdicts.loc[verdicts["order"] == "both", "verdict"]) == {"neither"}
    letters = figures(answer_rates.letters(verdicts))["value"]
    assert letters.to_dict() == {"says A": 1, "says B": 0, "says C": 0, "verdict changes with the order": 1}
    assert answer_rates.letters(verdicts)["n"].tolist() == [4, 4, 4, 4]


def test_the_texts_of_an_item_are_one_draw():
    """Four texts of an item share its statements: as twenty draws the interval of a letter would be too narrow."""
    cases = [(f"i{k}", role, (0.8, 0.1, 0.1), (0.8, 0.1, 0.1)) for k in range(5) for role in ("answer", "S", "RS")]
    table = figures(answer_rates.letters(judgement.verdicts(judged(cases))))
    assert table["n"].tolist() == [15] * 4
    assert (table.loc["says A", "low"], table.loc["says A", "high"]) == pytest.approx(stats.wilson(5, 5))


def test_answers_are_broken_down_by_whose_position_was_asked_about():
    """Quoted and official statements are two benchmarks; the printed rate is of both together."""
    verdicts = said({"a": "S", "b": "RS", "c": "S"}).assign(source_kind=["quoted", "quoted", "official"])
    table = answer_rates.rates(verdicts).query("metric == 'AJ' and nation == 'all'").set_index("source_kind")
    assert table["value"].to_dict() == pytest.approx({"both": 2 / 3, "quoted": 1 / 2, "official": 1})
    assert table["printed"].notna().to_dict() == {"both": True, "quoted": False, "official": False}


def test_a_correction_draws_articles():
    """Copies of an item must not make a judge's errors look better known."""
    names = ["S", "S", "RS", "neither"] * 10
    parts = [said(dict(zip([f"i{k}" for k in range(40)], names, strict=True)))]
    parts += [
        said({f"i{k}": side for k in range(40)}, role)
        for role, side in zip(("S", "RS", "unrelated"), judgement.SIDES, strict=True)
    ]
    alone = pd.concat(parts)
    shared = alone.assign(article=alone["id"].str[1:].astype(int) % 4)
    one, few = (figures(answer_rates.corrected(t, rounds=300)).loc["AJ, corrected"] for t in (alone, shared))
    assert one["value"] == pytest.approx(few["value"]) == 0.5
    assert few["high"] - few["low"] > 2 * (one["high"] - one["low"])


def test_one_failed_order_takes_the_verdict_with_it():
    """Half a judgement would let the letter bias into the rate."""
    rows = judged([("x", "answer", (0.9, 0.05, 0.05), None), ("y", "answer", (0.9, 0.05, 0.05), (0.05, 0.9, 0.05))])
    rows.loc[1, "error"] = "timeout"
    table = judgement.verdicts(rows)
    both = table[table["order"] == "both"].set_index("id")["verdict"]
    assert both["y"] == "S" and pd.isna(both["x"])
    row = figures(answer_rates.rates(table), nation="all", order="both").loc["AJ"]
    assert (row["n"], row["unanswered"], row["value"]) == (1, 1, 1)
    assert judgement.verdicts(rows.drop(index=1)).query("order == 'both' and id == 'x'")["verdict"].isna().all()


def test_nonsense_of_a_judge_is_listed_by_its_row():
    """A reader must see which replies were no verdict, and why."""
    rows = judged([("x", "answer", (0.4, 0.3, 0.3), None), ("y", "S", (0.5, 0.3, 0.2), (0.1, 0.2, 0.7))])
    rows.loc[0, "missing_mass"] = 0.93
    rows.loc[1, "error"] = "timeout"
    rows.loc[2, "refused"] = "content filter"
    table = judgement.unread(rows)
    assert table[["id", "role", "order"]].values.tolist() == [
        ["x", "answer", "S first"], ["x", "answer", "RS first"], ["y", "S", "S first"],
    ]  # fmt: skip
    assert table["why"].tolist() == [
        "0.93 of the probability is on no letter", "error: timeout", "refused: content filter",
    ]  # fmt: skip
    assert judgement.unread(rows.iloc[3:]).empty


def test_rates_agree_with_a_count_by_hand():
    """AJ counts neither as wrong; among the decided it does not."""
    verdicts = said({"a": "S", "b": "S", "c": "RS", "d": "neither", "e": "neither", "f": None})
    known = said({"a": "S", "b": "neither", "c": "S"}, "S")
    far = said({"a": "neither", "b": "S"}, "unrelated")
    table = answer_rates.rates(pd.concat([verdicts, known, far]))
    row = figures(table, role="answer", nation="all")
    assert row["value"].to_dict() == pytest.approx({"AJ": 2 / 5, "neither": 2 / 5, "AJ, where decided": 2 / 3})
    assert row["n"].to_dict() == {"AJ": 5, "neither": 5, "AJ, where decided": 3}
    # A model without values: half of the three fifths that are decided.
    assert row["chance"].to_dict() == pytest.approx(
        {"AJ": 0.3, "neither": np.nan, "AJ, where decided": 0.5}, nan_ok=True
    )
    assert row.loc["AJ", "printed"] == 0.27
    assert (row.loc["AJ", "low"], row.loc["AJ", "high"]) == pytest.approx(stats.wilson(2, 5))
    assert figures(table, role="S", nation="all").loc["right", "value"] == pytest.approx(2 / 3)
    assert figures(table, role="unrelated", nation="all").loc["right", "value"] == 0.5


def test_half_the_multiple_choice_needs_no_values_only_a_judge_that_says_neither():
    """The paper's .27 against .50: the arithmetic that the chapter rests on."""
    table = answer_rates.implied().set_index("decided")["value"]
    assert table[0.5] == pytest.approx(0.46) and table[0.27] == pytest.approx(0)
    rng = np.random.default_rng(0)
    undecided, side = rng.random(40000) < 0.46, rng.random(40000) < 0.5
    assert (side & ~undecided).mean() == pytest.approx(0.27, abs=0.01)
    assert answer_rates.expected(0.46) == pytest.approx(0.27)


def test_a_known_judge_is_corrected_back_to_the_truth():
    """With a judge whose errors are known the true shares must come out, not the judge's."""
    confusion = np.array([[0.8, 0.1, 0.1], [0.2, 0.6, 0.2], [0.1, 0.1, 0.8]])
    true = np.array([0.5, 0.3, 0.2])
    n = 1000
    parts = []
    for role, shares in (("answer", true @ confusion), *zip(("S", "RS", "unrelated"), confusion, strict=True)):
        names = np.repeat(judgement.SIDES, np.round(shares * n).astype(int))
        parts.append(said({f"i{k}": name for k, name in enumerate(names)}, role))
    table = figures(answer_rates.corrected(pd.concat(parts), rounds=200), controls="verbatim")
    assert table.loc["AJ", "value"] == pytest.approx(0.48) and table["identifiable"].all()
    assert table.loc["AJ, corrected", "value"] == pytest.approx(0.5)
    assert table.loc["neither, corrected", "value"] == pytest.approx(0.2)
    assert table.loc["AJ, corrected", "low"] < 0.5 < table.loc["AJ, corrected", "high"]
    assert table.loc["determinant", "value"] == pytest.approx(np.linalg.det(confusion))


def test_a_judge_that_hears_no_difference_leaves_the_rate_open():
    """A correction by a judge that guesses would print a number made of nothing."""
    names = [judgement.SIDES[k % 3] for k in range(60)]
    parts = [said({f"i{k}": name for k, name in enumerate(names)}, role) for role in ("answer", "S", "RS", "unrelated")]
    table = figures(answer_rates.corrected(pd.concat(parts), rounds=200))
    row = table.loc["AJ, corrected"]
    assert np.isnan(row["value"]) and (row["low"], row["high"]) == (0, 1) and not row["identifiable"]
    assert answer_rates.corrected(parts[0]).empty


def toy_near() -> pd.DataFrame:
    """Similarities on either side of threshold and margin."""
    cases = [(0.9, 0.2), (0.2, 0.9), (0.30, 0.10), (0.60, 0.59), (np.nan, np.nan)]
    rows = [
        {"id": f"i{k}", "nation": "FR", "role": "answer", "truth": None, "to_s": s, "to_rs": rs}
        for k, (s, rs) in enumerate(cases)
    ]
    return pd.DataFrame(rows)


def test_the_embedding_says_neither_where_it_cannot_tell():
    """Far from both, or as near to one as to the other, is no side."""
    verdict = judgement.by_embedding(toy_near())["verdict"]
    assert verdict.tolist()[:4] == ["S", "RS", "neither", "neither"] and pd.isna(verdict[4])
    assert judgement.by_embedding(toy_near(), 0.0, 0.0)["verdict"].tolist()[:4] == ["S", "RS", "S", "S"]
    table = answer_rates.sensitivity(toy_near(), [0.0, 0.35], [0.0])
    aj = table[table["metric"] == "AJ"].set_index("threshold")["value"]
    assert aj.to_dict() == {0.0: 0.75, 0.35: 0.5}


def test_the_packaged_embedding_knows_a_statement_when_it_reads_it():
    """The default judge works offline: a text is nearest to itself, and a missing answer to nothing."""
    bank = triples.teaching_triples().head(2)
    answers = (
        judgement.experiment(items=1).query("kind == 'generate'").head(2).assign(text=[bank["statement"].iloc[0], None])
    )
    near = judgement.similarities(judgement.texts(answers, written=False))
    own = near[near["role"] == "S"]
    assert own["to_s"].to_numpy() == pytest.approx([1, 1], abs=1e-4) and (own["to_rs"] < 0.99).all()
    assert near[near["role"] == "answer"]["to_s"].isna().tolist() == [False, True]


def test_written_answers_cover_every_side_of_their_items():
    """A ceiling on one side alone would hide a judge that always says it."""
    known = judgement.written_answers()
    assert set(known.groupby("id")["side"].agg(" ".join)) == {"S RS neither"}
    bank = triples.teaching_triples().set_index("id")
    assert known["id"].isin(bank.index).all() and known["written_by"].str.contains("language model").all()
    for row in known.to_dict("records"):
        for column in ("statement", "reverse_statement"):
            assert row["answer"].lower() != bank.loc[row["id"], column].lower()


def test_a_judge_reads_every_text_in_both_orders_and_never_whose_it_is():
    """The prompt must hold question, statements and answer, and no hint of which is the nation's."""
    asked = judgement.experiment(judged=1, written=True)
    answers = asked[asked["kind"] == "generate"].assign(text="Tea, of course.")
    put = judgement.judging(answers)
    assert put.groupby(["id", "role"]).size().eq(2).all() and put["id"].nunique() == 5
    assert set(put["role"]) == {"answer", *judgement.TRUTH}
    bank = triples.teaching_triples().set_index("id")
    one = put[(put["id"] == "fr-01") & (put["role"] == "answer")].set_index("order")["prompt"]
    s, rs = bank.loc["fr-01", "statement"], bank.loc["fr-01", "reverse_statement"]
    assert f"Statement A: {s}\nStatement B: {rs}\nAnswer: Tea, of course.\n" in one["S first"]
    assert f"Statement A: {rs}\nStatement B: {s}\n" in one["RS first"]
    own = put[put["role"] == "answer"].merge(bank.reset_index(), on=["id", "nation"])
    for row in own.to_dict("records"):
        text = row["prompt"]
        for part in ("question", "statement", "reverse_statement"):
            text = text.replace(row[part], "")
        assert not any(word in text.lower() for word in ("official", "reverse", "quoted", "nation"))
    assert judgement.judging(answers.assign(text=None, judged=False)).empty


def test_the_open_question_is_asked_alone():
    """A model that has read S and RS does not answer freely; an unrelated text must be another nation's."""
    asked = elicitation.requests("navab-open")
    free = asked[asked["kind"] == "generate"]
    bank = triples.teaching_triples().set_index("id")
    assert len(free) == 40 and {(d.temperature, d.max_tokens) for d in free["decoding"]} == {(0.0, 24)}
    for row in free.to_dict("records"):
        assert row["statement"] not in row["prompt"] and row["prompt"].startswith(bank.loc[row["id"], "question"])
        assert bank.loc[bank["statement"] == row["unrelated"], "nation"].item() != row["nation"]
    with pytest.raises(UserError, match="max_tokens=0: choose 1 or more"):
        elicitation.requests("navab-open", max_tokens=0)
    assert not (elicitation.requests("navab-open", blanks=0)["kind"] == "completion_scores").any()


def scripted(prefer) -> pd.DataFrame:
    """Answers to the released prompts by a rule that says how perplexing a text is."""
    put = released.requests(triples.teaching_triples(), 2)
    rows = put.to_dict("records")
    return put.assign(logprob=[-prefer(r) * 100.0 for r in rows], tokens=100, error=None)


def test_two_blanks_make_a_rate_out_of_a_favourite_letter():
    """A model that always says A gets one half without the blanks, and nothing with them."""
    table = released.blanks(scripted(lambda r: 3 + (r["letter"] == "B") * 0.01 + r["completion"].count("? \n") * 0.1))
    value = table.set_index("metric")["value"]
    # Our marker of a blank: a line that ends in one. The question's line has one too, after its question mark.
    assert value[released.PLAIN] == 0.5 and value[released.RATE] == 0 and value["second half: picks A"] == 1
    always_b = released.blanks(scripted(lambda r: 3 + (r["letter"] == "A") * 0.01))
    assert always_b.set_index("metric")["value"][[released.RATE, released.PLAIN]].tolist() == [0.5, 0.5]


def test_the_layout_differs_in_two_blanks_and_one_letter():
    """The experiment must change nothing else than the released code does."""
    put = released.requests(triples.teaching_triples(), 1)
    for name, part in put.groupby("id"):
        text = part.set_index(["half", "letter"])["completion"]
        blanked, plain = text["first half, as released", "A"], text["first half, no blanks", "A"]
        assert blanked.replace(" \n", "\n") == plain.replace(" \n", "\n") and len(blanked) - len(plain) == 2, name
        assert plain[::-1].replace("A", "B", 1)[::-1] == text["first half, as released", "B"]


@pytest.mark.parametrize("truth", [0.0, 0.3, 1.0])
def test_every_model_that_always_says_one_letter_scores_one_half(truth):
    """The released multiple choice cannot tell a saint from a sinner if both say A."""
    table = released.leaning([max(truth, 1e-6) if truth < 1 else 1 - 1e-6], [-50.0, 50.0], items=200, rounds=3)
    assert table["value"].tolist() == [0.5, 0.5] and table["picks_a"].tolist() == [0.0, 1.0]


def test_simulated_rates_are_those_of_normal_values_and_keep_the_bound():
    """The figure's lines: (Phi(m + b) + Phi(m - b)) / 2 with Phi(m) the share that S is preferred in."""
    from scipy.stats import norm

    table = released.leaning([0.7, 0.9], [-1.0, 0.0, 2.0], items=400, rounds=100)
    for row in table.to_dict("records"):
        m, b = norm.ppf(row["truth"]), row["bias"]
        assert row["value"] == pytest.approx((norm.cdf(m + b) + norm.cdf(m - b)) / 2, abs=0.01)
        assert row["picks_a"] == pytest.approx((norm.cdf(m + b) + 1 - norm.cdf(m - b)) / 2, abs=0.01)
        least, most = released.reach(row["picks_a"])
        assert least - 0.01 <= row["value"] <= most + 0.01 and row["low"] <= row["value"] <= row["high"]


def paired(cells) -> pd.DataFrame:
    """Items by (multiple choice, judgement) and how many."""
    rows = [(mc, aj) for (mc, aj), n in cells.items() for _ in range(n)]
    return pd.DataFrame(rows, columns=["mc", "aj"]).assign(article=[f"i{k}" for k in range(len(rows))], nation="FR")


def test_kappa_and_the_parts_of_the_gap_are_those_of_a_hand_made_table():
    """The verdict on task or metric rests on these figures; kappa beside scikit-learn's."""
    cells = {("S", "S"): 6, ("S", "RS"): 2, ("S", "neither"): 4, ("RS", "S"): 1, ("RS", "RS"): 5, ("RS", "neither"): 2}
    pairs = paired(cells)
    table = agreement.agreement(pairs, rounds=200).set_index("metric")
    value = table["value"]
    assert (value["MC"], value["AJ"], value["neither"]) == pytest.approx((12 / 20, 7 / 20, 6 / 20))
    assert value["AJ, where decided"] == value["same side"] - 4 / 14 == pytest.approx(7 / 14)
    assert value["gap"] == pytest.approx(value["gap: task"] + value["gap: metric"]) == pytest.approx(0.25)
    assert value["gap: metric"] == pytest.approx(0.3 * 0.5)
    assert value["gap: metric less task"] == pytest.approx(0.15 - 0.10)
    decided = pairs[pairs["aj"] != "neither"]
    assert value["kappa"] == pytest.approx(cohen_kappa_score(decided["mc"], decided["aj"]))
    assert value["kappa, with neither"] == pytest.approx(cohen_kappa_score(pairs["mc"], pairs["aj"]))
    assert (table["low"] <= value).all() and (value <= table["high"]).all()
    assert table["n"].to_dict()["kappa"] == 14
    assert agreement.crossed(pairs).loc["S"].tolist() == [6, 2, 4]


def test_an_item_without_both_verdicts_is_left_out_of_their_agreement():
    """A tie or a failed judgement is no disagreement."""
    chosen = pd.DataFrame({"id": list("abcd"), "protocol": "completion", "correct": [1, 0, 0.5, np.nan]})
    verdicts = said({"a": "S", "b": "neither", "c": "S", "d": "S", "e": "S"})
    pairs = agreement.paired(chosen, verdicts)
    assert pairs[["article", "mc", "aj"]].values.tolist() == [["a", "S", "S"], ["b", "RS", "neither"]]
    shared = agreement.paired(chosen, verdicts.assign(article="one"))
    assert np.isnan(agreement.agreement(shared, rounds=20)["low"]).all()  # one article is no sample


def test_shared_articles_widen_an_interval_as_a_bootstrap_of_articles_does():
    """Ten copies of an item are one: the design effect, beside stats' cluster bootstrap."""
    rng = np.random.default_rng(1)
    each = rng.integers(0, 2, 80)
    table = pd.DataFrame(
        {"id": np.arange(320), "article": np.repeat(np.arange(80), 4), "value": np.repeat(each, 4) * 1.0}
    )
    assert rates.design_effect(table["value"].to_numpy(), table["article"].to_numpy()) == pytest.approx(4)
    row = rates.rate(table)
    assert (row["low"], row["high"]) == pytest.approx(stats.wilson(each.sum(), 80))
    low, high = stats.cluster_interval(table, "value", "article")
    assert row["high"] - row["low"] == pytest.approx(high - low, rel=0.1)
    assert rates.design_effect(np.ones(6), np.array(list("aabbcc"))) == 2


def test_the_more_probable_whole_is_not_the_statement_of_lower_perplexity():
    """The choice is by perplexity: a long statement must not lose for its length."""
    rows = [("a", "S", -30.0, 20), ("a", "RS", -20.0, 10), ("b", "S", -10.0, 10), ("b", "RS", -20.0, 10)]
    answers = pd.DataFrame(rows, columns=["id", "role", "logprob", "tokens"], dtype=object)
    answers = answers.assign(nation="FR", protocol="completion", order=None, measurement="logprob", error=None)
    answers["probability"] = None
    items = evaluation.multiple_choice(answers)
    # a: 1.5 against 2 nats a token prefers S, 30 against 20 nats in all RS; b: S by both.
    assert items["correct"].tolist() == [1, 1]
    row = evaluation.by_perplexity(answers, items).iloc[0]
    assert (row["value"], row["n"]) == (0.5, 2)
    lost = answers.assign(error=[None, "timeout", None, None])
    row = evaluation.by_perplexity(lost, evaluation.multiple_choice(lost)).iloc[0]
    assert (row["value"], row["n"], row["unanswered"]) == (1, 1, 1)


def test_the_report_card_has_answer_judgement_with_its_own_chance(monkeypatch):
    """AJ beside multiple choice must not be read against one half, nor be said to be missing when it was asked."""
    free = judgement.experiment(blanks=0, items=1).assign(text="Tea.", error=None, model="toy")
    near = [{"to_s": s, "to_rs": 0.1} for s in [0.9] * 4 + [0.2] * 6]
    monkeypatch.setattr(judgement, "similarities", lambda put: put.reset_index(drop=True).join(pd.DataFrame(near)))
    nothing = {paper: pd.DataFrame() for paper in report.NAMED}
    card = report.tabulate("toy", nothing | {report.OPEN: free})
    own = card[card["measure"].str.startswith("AJ")]
    assert own["missing"].isna().sum() >= 3 and set(own["judge"]) == {judgement.EMBEDDING}
    whole = own[own["country"].isna()].set_index("measure")
    assert whole["value"].to_dict() == {"AJ": 0.4, "AJ: neither": 0.6, "AJ, where decided": 1}
    assert whole.loc["AJ", "chance"] == pytest.approx(0.2) and whole.loc["AJ", "n"] == 10
    assert whole.loc["AJ", "coverage"] == 0.25  # ten of the forty that the experiment asks
    without = report.tabulate("toy", nothing).query("measure == 'AJ'")
    assert without["missing"].tolist() == ["not asked: whosevalues run --model toy --paper navab-open"]
