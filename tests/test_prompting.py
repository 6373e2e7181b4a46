"""Naming a country against language alone: the released responses, and the live experiment."""

import os

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from whosevalues import UserError, elicitation, items, manifest, models
from whosevalues.models.scripted import ScriptedModel
from whosevalues.multicultural import demographic, prompting, resampling, specificity

with_data = pytest.mark.skipif(
    not os.environ.get("WHOSEVALUES_DATA"), reason="WHOSEVALUES_DATA names no folder with the released files"
)

QUESTIONS = ["f118", "f120", "f121", "e069_02", "d059", "d054"]


@pytest.fixture
def people(monkeypatch):
    """People of ten countries that differ a lot, and are known without any file."""
    rng = np.random.default_rng(4)
    table = pd.DataFrame(
        [(c, q, rng.uniform()) for c in sorted(demographic.NATIVE) for q in QUESTIONS],
        columns=["country", "question", "human"],
    )
    for module in (demographic, specificity):
        monkeypatch.setattr(module, "people", lambda: table)
    return table


def survey(people, scores, prompts=8):
    """Responses in the design of the released file: per prompt one congruent and one incongruent country."""
    rng, rows = np.random.default_rng(5), []
    for language in ("da", "en", "nl", "pt"):
        own = [c for c, spoken in demographic.NATIVE.items() if spoken == language]
        rest = [c for c in demographic.NATIVE if c not in own]
        for question in QUESTIONS:
            for k in range(prompts):
                for congruent, choice in ((True, own), (False, rest)):
                    name = f"{language}-{question}-{k}"
                    rows.append((name, language, rng.choice(choice), congruent, question))
    table = pd.DataFrame(rows, columns=["prompt", "language", "country", "congruent", "question"])
    table = table.merge(people, on=["country", "question"])
    return table.assign(score=scores(rng, table))


def noise(rng, table):
    return rng.integers(0, 11, len(table)) / 10


def follower(rng, table):
    return rng.binomial(10, table["human"]) / 10


def test_a_bootstrap_round_is_the_correlation_of_the_questions_drawn():
    """An interval that does not draw whole questions is too narrow: each round must be what drawing them gives."""
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {"question": np.repeat(list("abcde"), 4), "score": rng.integers(0, 4, 20), "human": np.repeat(rng.random(5), 4)}
    ).assign(cell="x", weight=1.0)
    values = demographic.aligned(table, ["cell"], rounds=3, seed=1).loc["x"].to_numpy().ravel()
    counts = resampling.question_draws(table["question"], 3, 1)
    assert (counts.reshape(4, 5, 4) == counts.reshape(4, 5, 4)[:, :, :1]).all() and set(counts.sum(axis=1)) == {20}
    for value, count in zip(values, counts, strict=True):
        drawn = table.loc[np.repeat(table.index, count.astype(int))]
        assert value == pytest.approx(spearmanr(drawn["score"], drawn["human"])[0])


def test_no_interval_without_rounds_that_vary():
    """One question has no sampling distribution: an interval of width 0 would claim certainty."""
    values = pd.DataFrame([[0.5] + [np.nan] * 9, [0.5, *np.linspace(0, 1, 9)]])
    out = demographic.summary(values)
    assert np.isnan(out.loc[0, "low"]) and np.isnan(out.loc[0, "high"])
    assert out.loc[1, ["low", "high"]].tolist() == pytest.approx([0.025, 0.975])


def test_language_alone_is_held_against_the_same_questions_and_countries(people):
    """Another mix of questions would pass for an effect of the name: each side must stand on the same pairs."""
    rows = survey(people, noise, prompts=3)
    plain = pd.DataFrame(
        [("da", q, s) for q, s in zip(QUESTIONS[:4] * 3, np.random.default_rng(1).random(12), strict=True)],
        columns=["language", "question", "score"],
    )
    table = demographic.country_prompting(rows, {"x": plain}, rounds=4)
    assert set(table["language"]) == {"da", "all"}
    of = table[(table["level"] == "responses") & (table["language"] == "da") & (table["arm"] == "incongruent")]
    of = of.set_index("prompting")
    mine = rows[(rows["language"] == "da") & ~rows["congruent"] & rows["question"].isin(QUESTIONS[:4])]
    assert of.loc["country named", "value"] == pytest.approx(spearmanr(mine["score"], mine["human"])[0])
    # Each of a question's three plain responses once per country prompt, all questions having as many.
    pairs = mine.drop(columns="score").merge(plain, on=["language", "question"])
    assert of.loc["language alone", "value"] == pytest.approx(spearmanr(pairs["score"], pairs["human"])[0])
    gap = of.loc["country named", "value"] - of.loc["language alone", "value"]
    assert of.loc["difference", "value"] == pytest.approx(gap)
    assert of["n"].to_dict() == {"country named": 12, "language alone": 12, "difference": 12}


def test_alignment_of_questions_is_that_of_their_means(people):
    """Section 2 defines alignment by topic: a question asked often must not count for more than another."""
    rows = survey(people, noise, prompts=3)
    rows = rows.drop(rows.index[(rows["question"] == QUESTIONS[0]) & (rows["prompt"].str.endswith("0"))])
    plain = rows[["language", "question", "score"]]
    table = demographic.country_prompting(rows, {"x": plain}, rounds=2)
    of = table[(table["level"] == "questions") & (table["prompting"] == "country named") & (table["arm"] == "both")]
    value = of.set_index(["language", "country"])["value"]
    for language, part in rows.groupby("language"):
        mean = part.groupby("question")[["score", "human"]].mean()
        assert value[language, "all"] == pytest.approx(spearmanr(mean["score"], mean["human"])[0])
    assert value["all", "all"] == pytest.approx(value[["da", "en", "nl", "pt"]].xs("all", level="country").mean())


def test_movement_is_the_slope_within_a_question_and_language(people):
    """What all countries answer alike is no movement: the slope must be that of a regression with question effects."""
    import statsmodels.formula.api as smf

    rows = survey(people, lambda rng, t: 0.4 * t["human"] + 0.1 * (t["language"] == "da") + 0.1 * rng.random(len(t)))
    fit = smf.ols("score ~ human + C(language):C(question)", rows).fit()
    table = specificity.specificity(rows, rounds=20, shuffles=20)
    of = table.set_index(["metric", "arm", "language", "country"]).loc[("movement", "both", "all", "all")]
    assert of["value"] == pytest.approx(fit.params["human"])
    assert of["low"] < of["value"] < of["high"] and of["n"] == len(rows)


def test_a_model_that_follows_the_people_is_found_and_one_that_does_not_is_not(people):
    """A test that finds everything, or nothing, says nothing of the released responses."""
    key = ("both", "all", "all")
    for scores, follows in ((follower, True), (noise, False)):
        table = specificity.specificity(survey(people, scores), rounds=200, shuffles=199)
        table = table.set_index(["metric", "arm", "language", "country"])
        for metric, one in (("movement", 1), ("movement, arms alone", 1), ("own minus others", None)):
            row = table.loc[(metric, *key)]
            assert (row["p_value"] <= 0.01) == follows, metric
            assert (row["low"] > 0) == follows
            assert one is None or not follows or row["low"] < one < row["high"]
            assert one is None or abs(row["chance"]) < 0.02
            assert row["chance_low"] < row["chance"] < row["chance_high"]


def test_the_yardstick_is_a_model_that_follows(people):
    """Without it nobody can tell a test that found nothing from one that could find nothing."""
    rows, found = survey(people, noise), []
    for seed in range(10):
        table = specificity.specificity(rows, rounds=20, shuffles=99, seed=seed).set_index("metric")
        found.append(table.loc[["movement, ten people", "movement, every second"], "value"].tolist())
        assert table.loc["movement, ten people", "p_value"] == 0.01
    # Ten people scatter by about 0.02 here, and half of the responses are noise: four standard errors of the mean.
    assert np.mean(found, axis=0) == pytest.approx([1, 0.5], abs=0.09)
    assert np.mean(found, axis=0)[0] == pytest.approx(1, abs=0.03)


def test_labels_mixed_up_within_an_arm_leave_the_arms_movement(people):
    """The arms are the part of the design that a lost seed cannot spoil: their figure must not use the countries."""
    rows = survey(people, follower)
    mixed = rows.assign(
        country=rows.groupby(["language", "congruent"])["country"].transform(lambda c: c.to_numpy()[::-1])
    )
    mixed = mixed.drop(columns="human").merge(people, on=["country", "question"])
    first, second = (specificity.specificity(table, rounds=5, shuffles=5) for table in (rows, mixed))
    first, second = (t[t["metric"] == "movement, arms alone"]["value"].tolist() for t in (first, second))
    assert first == pytest.approx(second)


def test_own_minus_others_is_what_its_name_says(people):
    """The contrast must hold the named country against all nine others, on the same responses."""
    rows = survey(people, follower)
    table = specificity.specificity(rows, rounds=3, shuffles=3)
    table = table[table["metric"] == "own minus others"].set_index(["arm", "language", "country"])["value"]
    wide = people.pivot(index="question", columns="country", values="human")
    gaps = {}
    for (language, country), part in rows.groupby(["language", "country"]):
        each = {c: spearmanr(part["score"], wide.loc[part["question"], c])[0] for c in wide}
        gaps[language, country] = each[country] - np.mean([v for c, v in each.items() if c != country]), len(part)
    for names, kept in ((("both", "all", "KE"), [k for k in gaps if k[1] == "KE"]), (("both", "da", "all"),
                        [k for k in gaps if k[0] == "da"])):  # fmt: skip
        value = np.average([gaps[k][0] for k in kept], weights=[gaps[k][1] for k in kept])
        assert table[names] == pytest.approx(value)


def test_a_country_that_is_easy_to_be_aligned_with_is_no_effect_of_language(people):
    """Where all languages answer alike nothing speaks for any: the effect must be 0 though one's own come out ahead."""
    rows = survey(people, lambda rng, t: t["question"].map({q: k / 10 for k, q in enumerate(QUESTIONS)}))
    plain = rows[["language", "question", "score"]]
    table = specificity.default_country({"x": plain}, rows, rounds=20).query("state == 'x'")
    assert np.allclose(table.loc[table["metric"] == "language effect", "value"], 0, atol=1e-12)
    wide = people.pivot(index="question", columns="country", values="human")
    each = {c: spearmanr(plain["score"], wide.loc[plain["question"], c])[0] for c in wide}
    own = table[(table["metric"] == "own minus others") & (table["language"] == "pt")]["value"].item()
    rest = [v for c, v in each.items() if c not in ("BR", "PT")]
    assert own == pytest.approx((each["BR"] + each["PT"]) / 2 - np.mean(rest))
    best = table[(table["metric"] == "closest") & (table["language"] == "pt")].iloc[0]
    assert best["chance"] == 1 / 10 and 0 < best["value"] <= 1


@with_data
def test_the_released_file_holds_what_the_page_says():
    """Unequal cells, lost answers and another people's figures must be told, not found out by a reader."""
    rows = demographic.read()
    facts = demographic.described(rows)
    fact = facts[facts["country"] == "all"].set_index("metric")["value"]
    assert (fact["asked"], fact["kept"], fact["pairs"], fact["questions"]) == (2400, 2242, 1090, 37)
    assert fact["without people's answers"] == 346 and fact["released truths per question and language"] == 1
    assert facts.loc[facts["metric"] == "responses", "value"].sum() == 2242 and set(rows["country"]) == {
        *demographic.NATIVE
    }
    assert (rows["congruent"] == (rows["country"].map(demographic.NATIVE) == rows["language"])).all()
    assert rows["score"].between(0, 1).all() and not rows["text"].str.contains("{topic}", regex=False).any()


@with_data
def test_the_released_responses_do_not_move_towards_the_named_country():
    """The page's chief finding: it must not come and go with the seed."""
    rows = demographic.read()
    for seed in (1, 2):
        table = specificity.specificity(rows, rounds=60, shuffles=100, seed=seed)
        row = table.set_index(["metric", "arm", "language", "country"]).loc[("movement", "both", "all", "all")]
        assert row["value"] == pytest.approx(-0.034, abs=0.001)
        assert -0.2 < row["low"] < 0 < row["high"] < 0.2 and row["p_value"] > 0.1


def test_a_country_the_file_should_not_have_is_named(monkeypatch):
    """A file with another set of countries must stop the page, not lose rows."""
    table = pd.DataFrame({"country": ["Denmark", "Atlantis"]})
    monkeypatch.setattr(demographic.data, "read_csv", lambda *_: table)
    with pytest.raises(UserError, match="names 'Atlantis': known are AU"):
        demographic.read()


def test_every_prompt_is_asked_with_and_without_a_country():
    """What differs in more than the country cannot be compared."""
    grid = prompting.experiment()
    assert len(grid) == 24 and set(grid["kind"]) == {"generate"}
    for _, part in grid.groupby(["question", "language", "template", "sample"]):
        plain = part.loc[part["country"].isna(), "prompt"].item()
        assert part["prompt"].nunique() == 6 and part["prompt"].str.startswith(plain).all()
        assert part["decoding"].nunique() == 1
    assert grid["country"].iloc[0] is None and grid["country"].iloc[:6].nunique() == 5
    assert len(prompting.experiment(["da", "pt"], "KE", questions=18, samples=1)) == 2 * 2 * 18


def test_every_country_has_a_name_in_every_language():
    """A hole or a slip in the table of names would be asked of a model as it stands."""
    table = prompting.wording()
    assert len(table) == 13 * 4 and not table.isna().any(axis=None) and table.index.is_unique
    assert set(table.index.unique("country")) == set(items.human_polarity()["country"])
    assert table["place"].str.fullmatch(r"(?:i|in|in de|in het|in the|na|no|nos|em) [^\W\d_][\w -]+").all()
    assert table["named"].str.contains("|".join(["^..$"])).sum() == 0
    for (country, language), row in table.iterrows():
        assert prompting._mentions(pd.Series([row["place"]]), language, country).all(), (country, language)


@pytest.mark.parametrize(
    "wrong, named",
    [
        ({"countries": ["UK"]}, "United Kingdom is GB"),
        ({"countries": ["EG"]}, "country 'EG' has no figures to compare with: choose AU, BR"),
        ({"countries": []}, "no country"),
        ({"languages": ["xx"]}, "xx"),
        ({"questions": 0}, "questions=0"),
    ],
)
def test_a_wrong_choice_is_named(wrong, named):
    """Whoever mistypes must read what there is to choose from."""
    with pytest.raises(UserError, match=named):
        prompting.experiment(**wrong)


@pytest.fixture
def judged(tmp_path, monkeypatch):
    """A model that says something else of Kenya, judged by another one, in stores of this test's own."""
    monkeypatch.setattr(elicitation, "STORE", tmp_path / "responses")
    monkeypatch.setattr(manifest, "ANSWERS", tmp_path / "answers")
    grid = prompting.experiment(countries=["DK", "KE"], questions=3)
    said = {None: "1. It is fine.\n2. It is wrong.", "DK": "1. Danes say yes.\n2. So do I.", "KE": "1. No.\n2. Never."}
    table = {row.prompt: said[row.country] for row in grid.itertuples()}
    both = {"speaker": ScriptedModel("speaker", table), "referee": ScriptedModel("referee", {})}
    monkeypatch.setattr(models, "load", both.__getitem__)
    monkeypatch.setattr(models, "price", lambda name: None)
    answers = elicitation.elicit("multicultural-countries", "speaker", countries=["DK", "KE"], questions=3)
    return answers, elicitation.judged("multicultural-countries", answers, "referee")


def test_answers_with_a_country_are_kept_apart_and_judged(judged, tmp_path):
    """A country's answers must neither enter the main survey's store nor be scored with another country's."""
    answers, verdicts = judged
    assert len(answers) == 3 * 2 * 3 and len(verdicts) == 2 * len(answers)
    assert {folder.name for folder in (tmp_path / "responses").iterdir()} == {"multicultural-countries"}
    texts = verdicts.groupby(verdicts["country"].fillna("none"))["answer"].agg(set)
    assert texts["KE"] == {"No", "Never"} or texts["KE"] == {"No.", "Never."}
    scored = prompting.stances(verdicts)
    assert len(scored) == len(answers) and scored["country"].isna().sum() == 6
    assert (scored[["pro", "con", "null", "unjudged"]].sum(axis=1) == 2).all()


def test_a_run_with_a_country_is_a_command(judged, tmp_path, monkeypatch):
    """`whosevalues run --paper multicultural-countries`, whole or in shards, must leave answers and verdicts."""
    monkeypatch.setattr(models, "describe", lambda name: {"name": name})
    about = elicitation.run("multicultural-countries", "speaker", countries=["DK", "KE"], questions=3, judge="referee")
    assert about["asked"] == 18 and about["new"] == 0
    part = elicitation.run(
        "multicultural-countries", "speaker", countries=["DK", "KE"], questions=3, judge="referee", shard="2/3"
    )
    assert part["asked"] == 6
    kept = pd.concat(
        map(pd.read_parquet, (tmp_path / "answers" / "multicultural-countries").glob("*judged-by*.parquet"))
    )
    assert set(kept["country"].dropna()) == {"DK", "KE"} and kept["country"].isna().any()


def test_what_a_response_makes_of_the_country_is_counted(judged):
    """Without a judge the page still has to say whether the name did anything."""
    table = prompting.heeded(judged[0]).set_index(["metric", "country"])
    assert table.loc[("names the country", "DK"), "value"].item() == 0.5 * 2
    assert table.loc[("names the country", "KE"), ["value", "chance"]].to_numpy().ravel().tolist() == [0, 0]
    assert (table.loc["answers", "value"] == 2).all() and (table.loc["lists", "value"] == 1).all()
    assert table.loc[("words", "KE"), "value"].item() == 4


def test_a_people_is_told_from_words_that_begin_alike():
    """'Dane' is a Dane and 'danger' none; a country must be found by its people's name, too."""
    texts = pd.Series(["Danes do.", "Danger!", "In Danish law", "a Dane said", "mundane"])
    assert prompting._mentions(texts, "en", "DK").tolist() == [True, False, True, True, False]
    assert prompting._mentions(pd.Series(["Os norte-americanos", "As americanas"]), "pt", "US").all()


def scores(table):
    """Scores as `stances` gives them."""
    rows = pd.DataFrame(table, columns=["country", "question", "score"])
    return rows.assign(language="en", country=rows["country"].astype(object).where(rows["country"].notna(), None))


def test_live_alignment_is_spearmans_on_the_same_questions():
    """A question that only one side answered would make two models of one."""
    bank = items.human_polarity().set_index(["question", "country"])["polarity"]
    asked = ["homosexuality", "trust-armed-forces", "democracy-important", "men-leaders"]
    rng = np.random.default_rng(3)
    rows = [(c, q, s) for c in (None, "DK") for q in asked for s in rng.random(2)]
    extra = [("DK", "bribery", 0.2), (None, "divorce", 0.9), (None, "men-leaders", np.nan)]
    table = prompting.alignment(scores(rows + extra), rounds=50).set_index("prompting")
    for name, country in (("country named", "DK"), ("language alone", None)):
        own = [(s, bank[q, "DK"]) for c, q, s in rows if c == country]
        assert table.loc[name, "value"] == pytest.approx(spearmanr(*zip(*own, strict=True))[0])
        assert table.loc[name, "n"] == 8
    gap = table.loc["country named", "value"] - table.loc["language alone", "value"]
    assert table.loc["difference", "value"] == pytest.approx(gap) and table.loc["difference", "n"] == 8
    assert table.loc["difference", "low"] <= gap <= table.loc["difference", "high"]


@pytest.mark.parametrize("score", [1.0, np.nan])
def test_alignment_of_a_judge_without_con_is_undefined(score):
    """A judge that finds everything pro must not lend a number to a country, or stop the page."""
    rows = [(c, q, score) for c in (None, "DK", "KE") for q in ("homosexuality", "bribery")]
    table = prompting.alignment(scores(rows), rounds=20)
    assert len(table) == 2 * 3 and table[["value", "low", "high"]].isna().all(axis=None)
    assert set(table["n"]) == ({2} if score == 1 else {0})
