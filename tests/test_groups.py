"""Self-consistency and alignment by groups of people: small cases by hand, the released data against scipy."""

import os
from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from scipy import stats as scipy_stats

from whosevalues import stats
from whosevalues.multicultural import (
    adjusted,
    alignment_figures,
    baselines,
    groups,
    names,
    progress,
    released,
    resampling,
    rq1,
    scores,
)

SEED, HEAD = names.STATES
with_data = pytest.mark.skipif(
    not os.environ.get("WHOSEVALUES_DATA"), reason="WHOSEVALUES_DATA names no folder with the released files"
)


def noisy(rng, models=("a", "b"), size=240):
    return pd.DataFrame(
        {
            "model": rng.choice(models, size),
            "family": "gemma",
            "language": rng.choice(["da", "nl"], size),
            "question": rng.choice(["f1", "f2", "f3", "f4", "f5"], size),
            "score": rng.integers(0, 11, size) / 10,
        }
    )


def truth():
    """Four countries, three languages and everybody, on five questions; the US was not asked the last."""
    rows = []
    whom = (("country", "DK", "da"), ("country", "US", "en"), ("country", "GB", "en"), ("country", "NL", "nl"))
    pooled = (("language", "da", "da"), ("language", "nl", "nl"), ("language", "en", "en"), ("global", "global", None))
    for place, (level, group, language) in enumerate((*whom, *pooled)):
        for k in range(5 - (group == "US")):
            rows.append((level, group, language, f"f{k + 1}", (3 * k + place) % 7 / 7))
    return pd.DataFrame(rows, columns=["level", "group", "group_language", "question", "human"])


def test_a_prompt_is_compared_with_its_own_people_the_us_english_speakers_and_everybody():
    """A Danish response beside Dutch people would be no bar of figure 6, and one beside Britain none either."""
    responses = noisy(np.random.default_rng(1))
    table = groups.compared(responses, truth())
    found = table.groupby("language")["group"].unique().map(set).to_dict()
    assert found == {"da": {"DK", "US", "da", "en", "global"}, "nl": {"NL", "US", "nl", "en", "global"}}
    assert (responses["score"].to_numpy()[table["row"]] == table["score"]).all()
    per_group = table.query("language == 'da'").groupby("group").size()
    asked = responses.query("language == 'da'")
    assert per_group["DK"] == len(asked) and per_group["US"] == (asked["question"] != "f5").sum()


@pytest.mark.parametrize("state", [SEED, HEAD])
def test_a_question_drawn_twice_is_two_questions(state):
    """If copies of a question met, every response would agree with itself and the wide interval would lie too high."""
    responses = noisy(np.random.default_rng(2))
    drawn = stats.bootstrap_counts(5, 3, seed=4)
    code = responses["question"].str[1:].astype(int).to_numpy() - 1
    kind, divisor = scores.CONSISTENCY[state]
    once = np.ones((3, len(responses)))
    ours = resampling.consistency(responses, once, kind, "distinct", drawn[:, code]) / divisor
    for number, line in enumerate(drawn):
        for cell, rows in responses.groupby(["model", "language"]):
            pairs = []
            for question, part in rows.groupby("question"):
                pairs += list(permutations(part["score"], 2)) * line[int(question[1:]) - 1]
            first, second = np.transpose(pairs)
            expected = (
                scipy_stats.pearsonr(first, second).statistic
                if state == SEED
                else scipy_stats.spearmanr(first, second).statistic / 0.955
            )
            assert ours.loc[number, cell] == pytest.approx(expected, abs=1e-12)


def test_the_band_of_random_models_needs_no_simulation():
    """The grey band rests on a rank correlation with random scores having the variance 1 / (n - 1), ties or not."""
    rng = np.random.default_rng(3)
    people = rng.choice([0.1, 0.4, 0.4, 0.9], 60)
    drawn = [scipy_stats.spearmanr(rng.random(60), people).statistic for _ in range(2000)]
    assert np.mean(np.abs(drawn) < 1.96 / np.sqrt(59)) == pytest.approx(0.95, abs=0.02)
    assert np.var(drawn) == pytest.approx(1 / 59, rel=0.1)


def test_ten_people_are_as_consistent_as_their_variances_say():
    """The ceiling of figure 3 is the variance between questions over that of single surveys of ten."""
    share = np.array([0.05, 0.3, 0.5, 0.8, 0.95])
    responses = pd.DataFrame({"model": "a", "language": "da", "question": np.repeat([f"f{k}" for k in range(5)], 80)})
    known = pd.DataFrame(
        {"level": "language", "group": "da", "group_language": "da", "question": responses["question"].unique()}
    ).assign(human=share)
    rows = groups.compared(responses.assign(family="x", score=0.0), known)
    aligned, same = baselines.ten_people(responses, known, rows, redraws=30)
    expected = share.var() / (share.var() + (share * (1 - share)).mean() / 10)
    assert same["ceiling"].item() == pytest.approx(expected, abs=0.01)
    assert 0.9 < aligned["ceiling"].item() < 1


def test_random_models_agree_with_themselves_only_where_copies_count():
    """The paper's estimator must be shown to give a random model more than 0, and the other to give it 0."""
    responses = noisy(np.random.default_rng(5), models=("a",), size=400)
    table = baselines.redrawn_consistency(responses, SEED, redraws=60)
    mean = table.groupby("metric")["chance"].mean()
    # Of the pairs within a question of 40 draws with replacement, 1 in 40 is a response and its copy.
    assert mean["copies counted"] == pytest.approx(1 / 40, abs=0.01)
    assert mean["distinct pairs"] == pytest.approx(0, abs=0.01)


def drawn_by_hand():
    """Two rounds of everything that order is asked of, in English and Portuguese; only the first goes up."""
    rows = []
    for family in ("gemma", "openai"):
        for place, model in enumerate(names.MODELS[family]):
            for language, whom in (("en", ("CA", "NIR", "NZ", "US", "en")), ("pt", ("PT", "pt", "global"))):
                for group in (*whom, groups.CONSISTENCY, groups.LIKE):
                    up, down = 0.1 + 0.1 * place, 0.3 - 0.1 * place
                    flat = family == "gemma" and group in ("NZ", "US")
                    rows.append((SEED, "questions", family, model, language, group, up, 0.2 if flat else up, down))
    return pd.DataFrame(rows, columns=[*groups.INDEX, "point", 0, 1]).set_index(groups.INDEX)


@with_data
def test_a_statement_holds_where_all_of_it_holds():
    """'Rises for all', 'for these alone' and 'most aligned' are counted round by round, not read off the points."""
    table = progress.order_table(drawn_by_hand()).set_index(progress.KEYS)

    def share(statement, family="all", model="all", language="all", group="all"):
        return table.loc[(SEED, "questions", statement, family, model, language, group), "value"]

    assert share(progress.RISES, "gemma", language="pt") == 0.5
    assert share(progress.RISES, "gemma", language="en", group="CA") == 0.5
    # In no round does Gemma rise towards New Zealand: so never towards all, but once towards the two alone.
    assert share(progress.RISES, "gemma", language="en") == 0
    assert share(progress.ALONE, "gemma", language="en", group="CA NIR") == 0.5
    assert share(progress.ALONE, "openai", language="en", group="CA NIR") == 0
    assert share(progress.MIRROR, "openai", language="pt") == 1
    assert share(progress.PAR, "openai", language="pt") == 0
    assert share(progress.FINALLY, "openai", language="pt", group="pt") == 0.5
    assert share(progress.BELOW) == 1
    points = table.xs(progress.ALONE, level="statement")["points"]
    assert points.xs("gemma", level="family").to_dict().popitem()[1] == 0
    assert table["printed"].notna().sum() > 5


def test_gains_are_taken_within_a_round_and_a_family():
    """A gain over another family's model, or between two rounds, would be no progress at all."""
    gain = progress.gains(drawn_by_hand())
    assert set(gain.index.get_level_values("model")) == {*names.MODELS["gemma"][1:], *names.MODELS["openai"][1:]}
    one = gain.xs(("gpt-4o", "pt", "PT"), level=("model", "language", "group")).iloc[0]
    assert one.to_numpy() == pytest.approx([0.1, 0.1, -0.1])


@with_data
@pytest.mark.parametrize("state", [SEED, HEAD])
def test_the_points_of_figure_4_are_the_coefficients_of_the_regression(state):
    """The shortcut must give what least squares with a term per model and language gives."""
    import statsmodels.formula.api as smf

    responses, people, capability = released.read(state)
    joined = released.join(responses, people, "language")
    rows = rq1.rq1_rows(joined, capability, state, rounds=12, seed=3)
    fit = smf.ols(adjusted.FORMULA[state], rows).fit().params
    ours = adjusted.adjusted_rows(joined, capability, state, rounds=12, seed=3)
    means = ours.groupby(["language", "model"])["adjusted"].mean()
    for (language, model), value in means.items():
        assert value == pytest.approx(fit[f"language[{language}]:model[{model}]"], abs=1e-8)
    slope = ours.groupby("language")["coefficient"].first()
    terms = {name: fit["consistency" if state == SEED else f"consistency:language[{name}]"] for name in slope.index}
    assert slope.to_dict() == pytest.approx(terms)


def test_lines_of_figure_4_go_through_the_middle_of_their_points():
    """A line at another height would show a fit that nobody made."""
    models = names.MODELS["gemma"]
    points = pd.DataFrame(
        {"state": SEED, "metric": "adjusted", "model": models, "language": "da", "multilingual": [0.2, 0.4, 0.9]}
    ).assign(value=[0.0, 0.1, 0.5])
    slopes = pd.DataFrame(
        {"state": SEED, "term": ["gemma:da", "consistency", "openai:da"], "value": [0.5, 1, 2], "positive": [1.0, 1, 0]}
    )
    (line,) = adjusted.lines(slopes, points).to_dict("records")
    assert (line["x"], line["y"], line["slope"], line["star"]) == pytest.approx((0.5, 0.2, 0.5, 1))


@with_data
def test_the_released_figures_are_scipys():
    """Every dot of figures 6 to 8 must be the plain rank correlation of the released responses and people."""
    draws = groups.resampled(rounds=4)
    responses, people, _ = released.read(HEAD)
    for model, language, group in (("gpt-4o", "da", "US"), ("gemma-2-2b-it", "en", "NIR"), ("gpt-4o", "pt", "global")):
        rows = responses[(responses["model"] == model) & (responses["language"] == language)]
        rows = rows.merge(people[people["group"] == group], on="question")
        expected = scipy_stats.spearmanr(rows["score"], rows["human"]).statistic
        at = (HEAD, "questions", names_of(model), model, language, group)
        assert draws.loc[at, "point"] == pytest.approx(expected, abs=1e-12)
    table = groups.groups_table(draws, redraws=2)
    assert table.query("language == 'en' and level == 'country'")["group"].nunique() == 9
    assert table.groupby("state")["model"].nunique().to_dict() == {SEED: 6, HEAD: 9}
    assert (table["low"] <= table["high"]).all() and table["ceiling"].between(0.3, 1).all()
    wide = (table["high"] - table["low"]).groupby(table["resampled"]).median()
    assert wide["questions"] > wide["responses"]


def names_of(model):
    return groups.FAMILY[model]


@with_data
def test_people_are_as_consistent_as_the_paper_prints():
    """The dashed lines of figure 3: .66 (US) to .84 (Nigeria), each with the language of its country."""
    people = groups.people().set_index("country")
    assert len(people) == 13 and people["language"].to_dict()["NIR"] == "en"
    assert people["value"].idxmin() == "US" and people["value"].idxmax() == "NG"
    assert people["value"].agg(["min", "max"]).tolist() == pytest.approx([0.66, 0.84], abs=0.006)


@with_data
def test_baselines_are_what_their_names_say():
    """A perfect model must align fully, a constant one not at all, and the random ones on either side of 0."""
    table = baselines.baselines_table(redraws=40).set_index(["baseline", "metric", "state", "language"]).sort_index()
    assert table.loc[("perfect", "alignment"), "value"].to_numpy() == pytest.approx(1)
    assert table.loc[("perfect", "self-consistency", SEED), "value"].to_numpy() == pytest.approx(1)
    assert table.loc[("perfect", "self-consistency", HEAD), "value"].to_numpy() == pytest.approx(1 / 0.955)
    assert table.loc["fifty percent", "value"].isna().all()
    random = table.loc[("uniform, redrawn", "alignment")]
    assert (random["low"] < 0).all() and (random["high"] > 0).all()
    assert table.loc["uniform, as released", "rank"].between(0, 1).all()
    assert table.loc[("ten people", "alignment"), "value"].between(0.8, 0.97).all()


@with_data
def test_a_readers_model_appears_in_every_table(tmp_path):
    """Who copies GPT-4o's answers under another name must get GPT-4o's figures, and change nobody else's order."""
    responses, _, _ = released.read(HEAD)
    copy = responses[responses["model"] == "gpt-4o"].assign(model="mine", family="own")
    file = tmp_path / "own.csv"
    copy[["model", "family", "language", "question", "score"]].to_csv(file, index=False)
    draws = groups.resampled(rounds=2, own=str(file))
    table = groups.groups_table(draws, own=str(file), redraws=1)
    one = table[(table["state"] == HEAD) & (table["resampled"] == "questions")].set_index(["language", "group"])
    mine, theirs = (one.loc[one["model"] == model, "value"] for model in ("mine", "gpt-4o"))
    assert len(mine) == 27 and mine.to_dict() == pytest.approx(theirs.to_dict())
    consistency = groups.consistency_table(draws, own=str(file), redraws=1)
    assert {"copies counted", "distinct pairs", "like for like"} == set(
        consistency.loc[consistency["model"] == "mine", "metric"]
    )
    assert "mine" not in set(progress.order_table(draws)["model"])


def test_pictures_have_every_line_of_their_table():
    """A model or a country without a line would be missed by nobody who has only the picture."""
    rows = [
        {"model": m, "group": g, "resampled": k, "value": 0.2, "low": 0.1, "high": 0.3, "chance_high": 0.1}
        for m in names.MODELS["gemma"]
        for g in ("DK", "da", "global")
        for k in ("responses", "questions")
    ]
    figure = alignment_figures.aligned(pd.DataFrame(rows), "model", "group")
    shown = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert shown == ["Gemma 2B", "Gemma 9B", "Gemma 27B"]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["DK", "Danish speakers", "everybody"]
