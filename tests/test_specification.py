"""The specification curve and its parts: pairs, resampled questions, mixed model, US gaps, coverage, the annotator."""

import os
from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from scipy import stats as scipy_stats

from whosevalues import figures, results, stats
from whosevalues.multicultural import (
    annotator,
    coverage,
    mixed,
    names,
    released,
    resampling,
    rq1,
    rq2,
    scores,
    specification,
    specification_rq1,
    us_bias,
)

SEED, HEAD = names.STATES
with_data = pytest.mark.skipif(
    not os.environ.get("WHOSEVALUES_DATA"), reason="WHOSEVALUES_DATA names no folder with the released files"
)


def noisy_study(rng, size=300):
    """Two models, two languages, three countries; scores with ties, uneven questions."""
    table = pd.DataFrame(
        {
            "model": rng.choice(["a", "b"], size),
            "language": rng.choice(["da", "nl"], size),
            "group": rng.choice(["US", "X", "Y"], size),
            "question": rng.choice(["f1", "f2", "f3", "f4", "f5"], size, p=[0.4, 0.3, 0.1, 0.1, 0.1]),
            "score": rng.integers(0, 11, size) / 10,
        }
    )
    people = pd.Series(rng.random(5), index=["f1", "f2", "f3", "f4", "f5"])
    return table.assign(human=table["question"].map(people))


def drawn(table, counts):
    """The rows as often as they were drawn, with what tells copies from other responses."""
    rows = table.reset_index(drop=True)
    return rows.loc[np.repeat(rows.index, counts)].reset_index(names="response")


@pytest.mark.parametrize(("kind", "peer"), [("pearson", scipy_stats.pearsonr), ("spearman", scipy_stats.spearmanr)])
@pytest.mark.parametrize("pairs", resampling.PAIRS)
def test_consistency_is_the_correlation_of_the_pairs_it_names(kind, peer, pairs):
    """Whoever compares pairs with and without copies must get just that: a response that meets itself, or does not."""
    table = noisy_study(np.random.default_rng(1))
    counts = stats.bootstrap_counts(len(table), 2, seed=3)
    ours = resampling.consistency(table, counts, kind, pairs)
    for number, line in enumerate(counts):
        for cell, rows in drawn(table, line).groupby(["model", "language"]):
            found = [
                (first.score, second.score)
                for _, item in rows.groupby("question")
                for first, second in permutations(item.itertuples(), 2)
                if pairs == "copies" or first.response != second.response
            ]
            assert ours.loc[number, cell] == pytest.approx(peer(*zip(*found, strict=True)).statistic, abs=1e-10)


@pytest.mark.filterwarnings("ignore::scipy.stats.ConstantInputWarning")
def test_a_question_drawn_twice_is_two_questions():
    """An interval over questions must not count pairs between a question and its own copy."""
    table = noisy_study(np.random.default_rng(2))
    times = resampling.question_times(table["question"], 3, seed=4)
    once = np.ones_like(times)
    ours = resampling.consistency(table, once, "spearman", "distinct", times)
    aligned = {level: resampling.alignment(table, once, level, times) for level in resampling.LEVELS}
    for number, line in enumerate(times):
        copies = pd.concat(
            table[line > k].assign(question=lambda t, k=k: t["question"] + str(k)) for k in range(line.max())
        )
        plain = np.ones((1, len(copies)), dtype=int)
        expected = stats.pair_correlation(
            plain,
            copies.groupby(["model", "language"]).ngroup().to_numpy(),
            copies.groupby(["model", "language", "question"]).ngroup().to_numpy(),
            copies["score"].to_numpy(),
            ranks=True,
        )
        assert ours.loc[number].to_numpy() == pytest.approx(expected[0], abs=1e-10)
        for cell, rows in copies.groupby(["model", "language", "group"]):
            means = rows.groupby("question")[["score", "human"]].mean()
            response = scipy_stats.spearmanr(rows["score"], rows["human"]).statistic
            assert aligned["response"].loc[number, cell] == pytest.approx(response, abs=1e-10, nan_ok=True)
            if len(means) > 1:
                question = scipy_stats.spearmanr(means["score"].round(12), means["human"]).statistic
                assert aligned["question"].loc[number, cell] == pytest.approx(question, abs=1e-10, nan_ok=True)


def test_questions_are_drawn_for_all_models_at_once():
    """Two countries are compared on the same draw of questions: a question counts alike in every row of a round."""
    table = noisy_study(np.random.default_rng(3))
    question = table["question"].to_numpy()
    times = pd.DataFrame(resampling.question_times(question, 5, seed=0).T).groupby(question)
    assert (times.nunique() == 1).all(axis=None)
    assert times.first().sum().eq(table["question"].nunique()).all()


def test_the_mixed_model_is_statsmodels_own():
    """Estimates and standard errors of the curve must be those of the paper's MixedLM, one data set among others."""
    import statsmodels.api as sm

    rng = np.random.default_rng(5)
    groups = np.repeat(np.arange(6), 30)
    x = np.stack([rng.random((180, 3)) for _ in range(3)])
    y = x @ np.array([1.0, -0.5, 0.2]) + rng.normal(0, 0.4, 6)[groups] + rng.normal(0, 0.5, (3, 180))
    y[1, 7] = np.nan
    beta, error = mixed.random_intercept(x, y, groups, np.eye(3))
    assert np.isnan(beta[1]).all()
    for number in (0, 2):
        peer = sm.MixedLM(y[number], x[number], groups).fit()
        assert beta[number] == pytest.approx(peer.fe_params, abs=2e-4)
        assert error[number] == pytest.approx(peer.bse_fe, rel=5e-3)
    mean, spread = mixed.random_intercept(x[:1], y[:1], groups, np.array([[0.5, 0.5, 0]]))
    assert mean[0, 0] == pytest.approx(beta[0, :2].mean()) and 0 < spread[0, 0] < error[0, :2].max()


def test_a_us_gap_is_the_difference_of_two_spearmans():
    """The gap to a country is the US alignment minus that country's; 'mean' is the mean over the others."""
    table = noisy_study(np.random.default_rng(6))
    ours = us_bias.gaps(resampling.alignment(table, np.ones((1, len(table))))).iloc[0]
    for (model, language), rows in table.groupby(["model", "language"]):
        rho = {g: scipy_stats.spearmanr(r["score"], r["human"]).statistic for g, r in rows.groupby("group")}
        assert ours[model, language, "X"] == pytest.approx(rho["US"] - rho["X"])
        assert ours[model, language, "mean"] == pytest.approx(rho["US"] - (rho["X"] + rho["Y"]) / 2)


def test_random_baselines_have_no_gap_on_average():
    """A baseline of random scores favours nobody; a single draw does, which is the point of drawing it again."""
    rng = np.random.default_rng(7)
    people = pd.DataFrame({"US": rng.random(90).round(1), "X": rng.random(90).round(1), "Y": rng.random(90)})
    people.loc[:9, "US"] = np.nan
    gaps = us_bias.random_gaps(people, 4000, seed=1)
    assert abs(gaps.mean()) < 4 * gaps.std() / np.sqrt(4000) and gaps.std() > 0.05
    drawn = np.random.default_rng(1).random((4000, 90))[0]
    rho = {g: scipy_stats.spearmanr(drawn[h.notna()], h.dropna()).statistic for g, h in people.items()}
    assert gaps[0] == pytest.approx(rho["US"] - (rho["X"] + rho["Y"]) / 2)
    same = people.assign(US=people["X"], Y=people["X"])
    assert us_bias.random_gaps(same, 5, seed=0) == pytest.approx(np.zeros(5))


def test_the_summary_counts_intervals_beside_zero():
    """The shares that the chapter prints are of intervals wholly above or below 0, per state and over both."""
    made = [("t", SEED, 0.5, 0.1, 0.9, "paper"), ("t", SEED, -0.5, -0.9, 0.2, ""), ("t", HEAD, -1.0, -2.0, -0.1, "")]
    table = pd.DataFrame(made, columns=["term", "state", "value", "low", "high", "own"]).assign(printed=np.nan)
    found = specification.summary(table).set_index("state")
    assert found["n"].to_dict() == {"all": 3, SEED: 2, HEAD: 1}
    assert found.loc["all", ["value", "above", "below"]].tolist() == pytest.approx([-0.5, 1 / 3, 1 / 3])
    assert found.loc[SEED, ["value", "above", "below", "own", "call"]].tolist() == [0.0, 0.5, 0.0, 0.5, "+"]
    assert np.isnan(found.loc[HEAD, "own"])


def test_a_choice_is_held_against_its_alternatives():
    """Which choice decides is read off shares per option: within a family, over languages and all other choices."""
    made = {"state": SEED, "level": "response", "kind": "pearson", "benchmarks": "seed", "intercept": "no"}
    rows = [
        ("gemma:da", "100", "copies", 0.1, 0.3),
        ("gemma:nl", "100", "copies", -0.1, 0.3),
        ("gemma:da", "cells", "distinct", -0.4, -0.2),
        ("openai:da", "cells", "distinct", 0.1, 0.2),
        ("us:da", "questions", "", 0.1, 0.2),
    ]
    table = pd.DataFrame(rows, columns=["term", "unit", "pairs", "low", "high"]).assign(**made)
    table = table.reindex(columns=[*table.columns, *(set(specification.CHOICES) - set(table.columns))])
    found = specification.by_choice(table).set_index(["choice", "option", "family"])
    unit = "observations, pairs"
    assert found.loc[(unit, "100 rounds, copies", "gemma")].tolist() == [0.5, 0.0, 2]
    assert found.loc[(unit, "one row per cell", "gemma")].tolist() == [0.0, 1.0, 1]
    assert found.loc[("consistency", "pearson", "gemma")].tolist() == pytest.approx([1 / 3, 1 / 3, 3])
    assert found.loc[("data", SEED, "openai")].tolist() == [1.0, 0.0, 1]


@pytest.fixture(scope="module")
def curve():
    return specification.curve(rounds=(25, 100), resamples=4)


@with_data
def test_every_analysis_is_listed_once(curve):
    """A combination that is missing or doubled would bend every share: choices multiply, nothing else."""
    assert not curve.duplicated(["term", *specification.CHOICES]).any()
    # Two states, three benchmark sets, intercept or not, two levels, two kinds; 25 and 100 rounds with copies, 100
    # without, and cells with two intervals.
    sizes = curve.groupby("term").size()
    assert sizes[list(specification_rq1.SLOPES)].eq(2 * 3 * 2 * 2 * 2 * (2 + 1 + 2)).all()
    assert sizes["consistency"] == 2 * sizes["gemma:da"]
    # Two states, levels and question sets; coefficient and raw at both rounds, and paired.
    assert sizes[["us:da", "us:nl", "us:en", "us:pt"]].eq(2 * 2 * 2 * (2 * 2 + 1)).all()
    assert curve[curve["own"] != ""].groupby(["term", "own"]).size().eq(1).all()
    assert set(curve["own"]) == {"", "paper", "later"} and curve[["value", "low", "high"]].notna().all(axis=None)
    assert (curve["low"] <= curve["high"]).all()


@with_data
@pytest.mark.parametrize("state", names.STATES)
def test_the_papers_own_analysis_is_in_the_curve(curve, state):
    """The mark 'own' must stand on the paper's regression: the same seed gives what the chapter on RQ1 gives."""
    joined, capability = (lambda r, t, c: (released.join(r, t, "language"), c))(*released.read(state))
    terms = rq1._terms(rq1.rq1_fit(rq1.rq1_rows(joined, capability, state, rounds=100, seed=0), state))
    terms = terms.dropna(subset="p_value").assign(
        term=terms["term"].str.replace(r"consistency:.*", "consistency", regex=True)
    )
    expected = terms.groupby("term")[["value", "p_value"]].mean()
    own = curve[(curve["own"] != "") & (curve["state"] == state)].set_index("term")
    slopes = list(specification_rq1.SLOPES)
    reliability = scores.CONSISTENCY[state][1]
    assert own.loc[slopes, "value"].to_numpy() == pytest.approx(expected.loc[slopes, "value"], abs=2e-3)
    assert own.loc[slopes, "p_value"].to_numpy() == pytest.approx(expected.loc[slopes, "p_value"], abs=6e-3)
    # The authors divide consistency by the reliability, which multiplies its coefficient.
    assert own.loc["consistency", "value"] == pytest.approx(expected.loc["consistency", "value"], abs=2e-3)
    assert own.loc["consistency", "correction"] == ("none" if reliability == 1 else "0.955")


@with_data
def test_the_us_coefficients_own_analysis_is_in_the_curve(curve):
    """Eq. 2 in closed form must be the regression of the chapter on RQ2, averaged over the paper's six models."""
    rows = us_bias.bootstrap_rows(SEED, 100, 0)
    table = rq2.us_bias(rq2.rq2_fit(rows), rows)
    own = curve[(curve["own"] == "paper") & curve["term"].str.startswith("us:")].set_index("term")
    raw = curve.query("state == @SEED and estimator == 'raw' and unit == '100' and level == 'response'")
    raw = raw[raw["questions"] == "all"].set_index("term")["value"]
    for language, part in table.groupby("language"):
        found = own.loc[f"us:{language}"]
        assert found["value"] == pytest.approx(part["value"].mean(), abs=6e-4)
        assert raw[f"us:{language}"] == pytest.approx(part["raw"].mean(), abs=6e-4)
        # The baseline is in every coefficient, so averaging six cancels the models' noise but not the baseline's.
        error = part["std_err"].mean() * np.sqrt((1 + 1 / 6) / 2)
        assert found["high"] - found["value"] == pytest.approx(1.96 * error, abs=1.1e-3)


@with_data
def test_the_paired_difference_is_scipys_on_the_released_rows():
    """US minus local is taken on the same responses; on shared questions both countries have every one of them."""
    table = us_bias.us_difference(SEED, rounds=3)
    table = table.set_index(["model", "language", "against", "level", "questions"])
    responses, truth, _ = released.read(SEED)
    people = truth[truth["level"] == "country"].pivot(index="question", columns="group", values="human")
    rows = responses.query("model == 'gpt-4o' and language == 'nl'").join(people[["US", "NL"]], on="question")
    for questions, kept in (("all", rows), ("shared", rows.dropna())):
        rho = [
            scipy_stats.spearmanr(*kept[["score", country]].dropna().to_numpy().T).statistic for country in ("US", "NL")
        ]
        found = table.loc[("gpt-4o", "nl", "NL", "response", questions)]
        assert found["value"] == pytest.approx(rho[0] - rho[1])
        assert found["n"] == kept.dropna(subset="NL")["question"].nunique()
        assert found["value"] == table.loc[("gpt-4o", "nl", "mean", "response", questions), "value"]


@with_data
def test_a_reader_s_own_model_has_its_paired_difference(tmp_path):
    """A new model must stand beside the released ones here, too, and leave the mean of the paper's six alone."""
    file = tmp_path / "own.csv"
    responses = released.read(SEED)[0].query("model == 'gpt-4o'")
    responses[["family", "language", "question", "score"]].assign(model="mine").to_csv(file, index=False)
    keys = ["model", "language", "against", "level", "questions"]
    before = us_bias.us_difference(SEED, rounds=3).set_index(keys)["value"]
    after = us_bias.us_difference(SEED, rounds=3, own=str(file)).set_index(keys)["value"]
    pd.testing.assert_series_equal(after[before.index], before)
    pd.testing.assert_series_equal(after.loc["mine"], before.loc["gpt-4o"])


@with_data
def test_redrawn_baselines_count_as_the_paper_counts():
    """With the released baseline the two rules must count what the chapter on RQ2 counts in the same run."""
    table = us_bias.baseline_redraws(draws=200, rounds=100).set_index(["state", "metric", "language"])
    rows = us_bias.bootstrap_rows(SEED, 100, 0)
    biases = rq2.us_bias(rq2.rq2_fit(rows), rows).groupby("language")
    for language, part in biases:
        assert table.loc[(SEED, "released: coefficient > 0", language), "value"] == (part["value"] > 0).sum()
        assert table.loc[(SEED, "released: interval > 0", language), "value"] == (part["low"] > 0).sum()
        gap = table.loc[(SEED, "gap of a random baseline", language)]
        assert gap["low"] < 0 < gap["high"] and abs(gap["value"]) < 0.01
        # A coefficient is the model's own gap less the baseline's, but for the bootstrap's noise.
        offset = table.loc[(SEED, "gap of the released baseline", language), "value"]
        assert (part["raw"] - part["value"]).mean() == pytest.approx(offset, abs=0.02)


@with_data
def test_coverage_counts_what_the_files_hold():
    """The shares on the page are counts anybody can repeat: 38 of 300 Danish responses, one in seven without people."""
    table = coverage.coverage(rounds=5).set_index(["state", "metric", "model", "language"])["value"]
    assert table[HEAD, "valid", "gemma-2-2b-it", "da"] == pytest.approx(38 / 300)
    assert table[SEED, "valid", "gemma-2-2b-it", "da"] == pytest.approx(111 / 300)
    responses, truth, _ = released.read(HEAD)
    lost = responses[~responses["question"].isin(truth["question"])]
    assert set(lost["question"]) == {"e225", "e226", "e227", "e228", "e028"}
    assert table[HEAD, "without ground truth", "file", "all"] == pytest.approx(len(lost) / len(responses))
    sizes = responses.query("model == 'gpt-4o' and language == 'en'")
    sizes = sizes[~sizes.index.isin(lost.index)]["question"].value_counts()
    even = table[HEAD, "effective questions", "gpt-4o", "en"]
    assert even == pytest.approx(1 / (sizes / sizes.sum()).pow(2).sum()) and even < len(sizes)
    difference = table[:, "alignment, questions alike"] - table[:, "alignment"]
    assert difference.to_numpy() == pytest.approx(table[:, "difference"].reindex(difference.index).to_numpy())


def study_of_two_states(rng, noise):
    """Six models answer two prompts a question, twice; the second annotator moves questions and adds `noise`."""
    questions = [f"q{k}" for k in range(12)]
    prompts = pd.DataFrame({"language": "da", "question": np.repeat(questions, 5)})
    first = pd.concat(
        prompts.assign(model=model, family="f", score=rng.random(60)) for model in annotator.SIX
    ).reset_index(drop=True)
    moved = first["question"].map(dict(zip(questions, rng.random(12), strict=True)))
    second = first.assign(score=moved + (1 - noise) * first["score"] + noise * rng.random(len(first)))
    truth = pd.DataFrame({"level": "language", "group": "da", "group_language": "da", "question": questions})
    return prompts, {SEED: first, HEAD: second}, truth.assign(human=rng.random(12))


@pytest.mark.parametrize(("noise", "own"), [(0.0, 1.0), (1.0, 0.0)])
def test_the_same_responses_are_told_from_new_ones(monkeypatch, noise, own):
    """If the later state read the same texts anew, scores go together within questions; with new texts they do not."""
    prompts, files, truth = study_of_two_states(np.random.default_rng(8), noise)
    monkeypatch.setattr(annotator, "asked", lambda: prompts)
    monkeypatch.setattr(annotator.released, "read", lambda state: (files[state], truth, None))
    table = annotator.annotator(rounds=20).set_index(["metric", "state", "model", "language", "question"])["value"]
    everything = ("both", "all", "all", "all")
    assert table["scores in file order", *everything] == pytest.approx(own, abs=0.12)
    assert table["scores in file order, another model", *everything] == pytest.approx(0, abs=0.12)
    assert table["same number of responses", *everything] == table["all prompts answered", *everything] == 1
    # Without noise the annotators differ by the question means alone, and those account for all.
    if not noise:
        assert table["rest", *everything] == pytest.approx(0, abs=1e-9)
    total = table["due to question means", *everything] + table["rest", *everything]
    assert total == pytest.approx(table["later minus paper", *everything])


@with_data
def test_the_annotators_mean_alignments_are_those_of_the_states():
    """The jump from .17 to .58 between the states is the largest effect of the study; its parts must add up."""
    table = annotator.annotator(rounds=5).query("model == 'all' and language == 'all' and question == 'all'")
    table = table.set_index(["metric", "state"])["value"]
    assert table["alignment", SEED] == pytest.approx(0.17, abs=0.02)
    assert table["alignment", HEAD] == pytest.approx(0.58, abs=0.03)
    parts = table["due to question means", "both"] + table["rest", "both"]
    assert parts == pytest.approx(table["alignment", HEAD] - table["alignment", SEED])


CURVE = pd.DataFrame(
    [
        ("a", SEED, "x", 0.2, 0.1, 0.3, "paper"),
        ("a", HEAD, "y", -0.2, -0.3, -0.1, ""),
        ("a", HEAD, "x", 0.0, -0.1, 0.1, "later"),
        ("b", SEED, None, 0.5, 0.4, 0.6, ""),
    ],
    columns=["term", "state", "choice", "value", "low", "high", "own"],
)
PICTURE = {"choices": {"state": "data", "choice": "<i>"}, "own": {"paper": "the paper's own"}}


def test_the_curve_is_sorted_and_names_every_choice():
    """Each analysis stands above the marks of its own choices, in the order of the estimates."""
    import matplotlib.pyplot as plt

    figure = figures.specification_curve(CURVE[CURVE["term"] == "a"], **PICTURE)
    top, bottom = figure.axes
    assert top.collections[1].get_offsets()[:, 1].tolist() == [-0.2, 0.0, 0.2]
    labels = [label.get_text() for label in bottom.get_yticklabels()]
    assert labels == ["data: head-2025-08", "seed-2025-06", "<i>: x", "y"]
    marks = [part.get_offsets()[:, 0].tolist() for part in bottom.collections]
    assert marks == [[0, 1], [2], [1, 2], [0]]
    plt.close(figure)


def test_the_explorer_shows_one_term_at_a_time_and_loads_nothing(monkeypatch):
    """On the page the menu picks the term, the book's own script is used, and two builds give the same bytes."""
    figure = figures.specification_explorer(CURVE, **PICTURE)
    (menu,) = figure.layout.updatemenus
    assert [button.label for button in menu.buttons] == ["a", "b"]
    for button in menu.buttons:
        shown = [t for t, seen in zip(figure.data, button.args[0]["visible"], strict=True) if seen]
        values = sorted(y for trace in shown if trace.marker.color != "#000000" for y in trace.y)
        assert values == sorted(CURVE.loc[CURVE["term"] == button.label, "value"])
    texts = [trace.customdata for trace in figure.data if trace.name == f"{SEED}: above 0"]
    assert list(texts[0][0]) == ["0.10 to 0.30", SEED, "x"] and list(texts[1][0]) == ["0.40 to 0.60", SEED]
    monkeypatch.setenv(results.RUNNER, "1")
    page = figures.interactive(figure, "one").data
    assert page == figures.interactive(figures.specification_explorer(CURVE, **PICTURE), "one").data
    assert 'src="../../vendor/plotly.min.js"' in page and 'id="one"' in page and len(page) < 100_000
    monkeypatch.delenv(results.RUNNER)
    assert len(figures.interactive(figure, "one").data) > 1_000_000
