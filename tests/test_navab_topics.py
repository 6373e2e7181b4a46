"""Topics of NaVAB: clusters, their words, how good they are, the runs that are kept, the map and the tags."""

import json
import math
import sys
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from whosevalues import UserError, elicitation, models
from whosevalues.models.scripted import ScriptedModel
from whosevalues.models.structured import instruct
from whosevalues.navab import sources, tagging, topic_map, topic_quality, topic_runs, topics

TEXTS = ["peace peace trade", "peace accord", "trade tariff tariff", "tariff duty", "whales sing"]
TOPIC = [0, 0, 1, 1, -1]


def passages(topic=TOPIC, texts=TEXTS) -> pd.DataFrame:
    """Two articles of two nations, passage by passage."""
    n = len(topic)
    articles = ["FR-1" if k % 2 == 0 else "DE-1" for k in range(n)]
    ids = [f"{article}-{k:03d}" for k, article in enumerate(articles)]
    nations = [article[:2] for article in articles]
    columns = {"passage": ids, "article": articles, "nation": nations, "year": 2001, "text": texts, "topic": topic}
    return pd.DataFrame(columns)


def test_the_words_of_a_topic_are_those_of_greatest_ctfidf():
    """Wrong words would name a topic after what all topics say."""
    found = topics.words(TOPIC, *topics.counts(TEXTS, longest=1), top=2)
    # Terms: 5 in topic 0 (peace 3, trade 1, accord 1), 5 in topic 1 (trade 1, tariff 3, duty 1), 2 outside: A = 4.
    # 'trade' stands twice in all, once in each: 1 * log(1 + 4/2) against 'accord' with 1 * log(1 + 4/1).
    inside = found[found["topic"] == 0]
    assert inside["word"].tolist() == ["peace", "accord"]
    assert inside["weight"].tolist() == pytest.approx([3 * math.log(1 + 4 / 3), math.log(1 + 4 / 1)])
    assert found[found["topic"] == 1]["word"].tolist() == ["tariff", "duty"]


def test_pairs_of_words_count_as_words_and_numbers_do_not():
    """'climate change' says more than 'climate' and 'change'; page numbers say nothing."""
    _, terms = topics.counts(["climate change of 2030", "the climate"])
    assert terms.tolist() == ["change", "climate", "climate change"]


def blobs():
    """Thirty points here, twenty there, and three far from both."""
    random = np.random.default_rng(0)
    far = [[50, -50], [-60, 40], [90, 90]]
    return np.vstack([random.normal(0, 0.1, (20, 2)), random.normal(9, 0.1, (30, 2)), far])


def test_dense_places_are_topics_and_what_lies_between_is_in_none():
    """K-means would force every passage into a topic; the paper takes HDBSCAN because it does not."""
    found = topics.cluster(blobs(), smallest=10)
    assert found.tolist() == [1] * 20 + [0] * 30 + [-1] * 3


def test_umap_gets_the_settings_of_the_released_code(monkeypatch):
    """Other neighbours or another distance would be another method under the same name."""
    seen = {}

    def stand_in(**how):
        seen.update(how)
        return SimpleNamespace(fit_transform=lambda points: points[:, : how["n_components"]])

    monkeypatch.setitem(sys.modules, "umap.umap_", SimpleNamespace(UMAP=stand_in))
    points = np.hstack([blobs(), np.zeros((53, 8))])
    table = passages([0] * 53, ["text"] * 53).drop(columns="topic")
    found = topics.find(table, points, smallest=10, seed=3)
    assert found["topic"].value_counts().to_dict() == {0: 30, 1: 20, -1: 3}
    settings = {"n_neighbors": 15, "n_components": 5, "min_dist": 0, "metric": "cosine", "random_state": 3, "n_jobs": 1}
    assert seen == settings


def test_too_few_passages_and_points_of_others_are_refused():
    """UMAP would fail with a message about eigenvalues, points of others would name the wrong passages."""
    with pytest.raises(UserError, match="too few for UMAP"):
        topics.find(passages(), np.eye(5))
    with pytest.raises(UserError, match="4 points for 5 passages"):
        topics.find(passages(), np.eye(4))


def test_ways_to_place_texts_without_a_model():
    """They are what the embedding model must beat: counted words know likeness, places drawn by lot do not."""
    texts = ["peace in europe", "peace in europe now", "fish and ships", "ships and fish"] * 3
    near = topics.vectors(texts, topics.SVD)
    assert near[0] @ near[1] > 0.8 > 0.3 > near[0] @ near[2]
    drawn = topics.vectors(texts, topics.RANDOM)
    assert np.allclose(np.linalg.norm(drawn, axis=1), 1) and abs(drawn[0] @ drawn[4]) < 0.5


def test_the_share_of_a_topic_is_that_of_each_nations_own_passages():
    """Nations speak at different length: of all passages the longest speaker would lead every topic."""
    table = topics.by_nation(passages()).set_index(["topic", "nation"])
    assert table.loc[(0, "FR"), "value"] == pytest.approx(1 / 3)
    assert table.loc[(0, "DE"), "value"] == pytest.approx(1 / 2)
    assert table.loc[(0, "FR"), "chance"] == pytest.approx(2 / 5)
    # Never is not known to be never from two speeches.
    assert table.loc[(-1, "DE"), "value"] == 0 and table.loc[(-1, "DE"), "high"] > 0.5
    sizes = topics.sizes(passages(), topics.words(TOPIC, *topics.counts(TEXTS)))
    assert sizes["topic"].tolist() == [0, 1, -1] and sizes["value"].tolist() == pytest.approx([0.4, 0.4, 0.2])


def test_coherence_is_the_mean_npmi_of_a_topics_words():
    """Topics whose words never meet in a passage would look as good as those whose words do."""
    texts = ["aaa bbb", "aaa bbb", "aaa ccc", "ddd"]
    counted, terms = topics.counts(texts, longest=1)
    named = pd.DataFrame({"topic": 0, "word": ["aaa", "bbb", "ccc"]})
    # aaa in 3 of 4, bbb in 2, ccc in 1; aaa with bbb in 2, with ccc in 1, bbb with ccc in none.
    first = math.log((2 / 4) / (3 / 4 * 2 / 4)) / -math.log(2 / 4)
    second = math.log((1 / 4) / (3 / 4 * 1 / 4)) / -math.log(1 / 4)
    found = topic_quality.coherence(named, ["x", "y", "z", "u"], counted, terms)
    assert found["value"] == pytest.approx((first + second - 1) / 3)
    # Without the first or second passage log(1.5) / log(3) twice and -1; without the third aaa and bbb always meet, and
    # ccc is not there; without the fourth aaa is everywhere and tells nothing of the others: 0, 0, -1.
    left = np.array([(2 * math.log(1.5) / math.log(3) - 1) / 3] * 2 + [1, -1 / 3])
    error = math.sqrt(3 / 4 * ((left - left.mean()) ** 2).sum())
    assert [found["low"], found["high"]] == pytest.approx(
        [found["value"] - 1.96 * error, found["value"] + 1.96 * error]
    )


def test_pairs_that_share_a_word_are_left_out():
    """'nuclear' and 'nuclear weapons' always meet: they would make any topic coherent."""
    texts = ["nuclear weapons", "nuclear weapons", "treaty", "nuclear treaty"]
    counted, terms = topics.counts(texts)
    named = pd.DataFrame({"topic": 0, "word": ["nuclear", "nuclear weapons", "treaty"]})
    one = math.log((1 / 4) / (3 / 4 * 2 / 4)) / -math.log(1 / 4)
    found = topic_quality.coherence(named, ["x", "y", "z", "u"], counted, terms)
    assert found["value"] == pytest.approx((one - 1) / 2)


def test_quality_counts_topics_words_and_outliers():
    """A method that leaves most passages out can have coherent topics: both numbers belong together."""
    rows = topic_quality.quality(TOPIC, passages()["article"], *topics.counts(TEXTS)).set_index("metric")
    assert rows.loc["outliers", "value"] == pytest.approx(1 / 5) and rows.loc["topics", "value"] == 2
    # Topic 0 has 6 terms (peace, trade, accord, and their pairs with 'peace peace'), topic 1 as many; 'trade' in both.
    listed = topics.words(TOPIC, *topics.counts(TEXTS)).query("topic >= 0")["word"]
    assert rows.loc["diversity", "value"] == pytest.approx(len(set(listed)) / len(listed)) and listed.duplicated().any()
    nothing = topic_quality.quality([-1] * 5, passages()["article"], *topics.counts(TEXTS)).set_index("metric")
    assert nothing.loc["outliers", "value"] == 1 and np.isnan(nothing.loc["coherence (NPMI)", "value"])


def test_stability_knows_the_same_topics_under_other_numbers():
    """Topic 3 of one seed is topic 7 of another: comparing numbers would find no stability anywhere."""
    same = topic_quality.stability({0: [0, 0, 1, 1, -1, -1], 1: [1, 1, 0, 0, -1, -1]})
    by = same.set_index(["metric", "over"])["value"]
    assert by.loc[("adjusted Rand index", "all")] == by.loc[("adjusted mutual information", "in a topic in both")] == 1
    assert by.loc[("in a topic in both", "all")] == pytest.approx(4 / 6)
    # The example of scikit-learn's documentation.
    other = topic_quality.stability({0: [0, 0, 1, 1], 1: [0, 0, 1, 2]}).set_index(["metric", "over"])
    assert other.loc[("adjusted Rand index", "all"), "value"] == pytest.approx(0.5714, abs=1e-4)


def test_seeds_are_summed_up_with_the_widest_bounds():
    """An interval of one seed's speeches says nothing of the other seeds."""
    draws = pd.DataFrame(
        {"model": "m", "seed": [0, 1, 0, 1], "metric": ["outliers", "outliers", "topics", "topics"], "n": 9}
        | {"value": [0.2, 0.4, 5, 9], "low": [0.1, 0.3, np.nan, np.nan], "high": [0.3, 0.5, np.nan, np.nan]}
        | {"chance": np.nan, "printed": np.nan}
    )
    rows = topic_quality.summary(draws).set_index("metric")[["value", "low", "high"]]
    assert rows.loc["outliers"].tolist() == pytest.approx([0.3, 0.1, 0.5])
    assert rows.loc["topics"].tolist() == [7, 5, 9]


def test_kept_topics_are_read_for_the_passages_they_were_found_for():
    """Of an article that is cut otherwise now, every later passage would get its neighbour's topic."""
    run = pd.DataFrame({"model": ["m"], "seed": [0], "labels": [np.array([3, -1, 0, 12, 3])]})
    kept = topic_runs.written(passages(), run)
    assert kept["topics"].tolist() == ["3 0 3", "-1 12"]
    with pytest.raises(UserError, match="no topics of m with seed 1"):
        topic_runs.labels(passages(), kept, "m", 1)
    ordered = passages().sort_values("article", ascending=False, kind="stable")
    assert topic_runs.labels(ordered, kept, "m").tolist() == [3, 0, 3, -1, 12]
    with pytest.raises(UserError, match="of other passages"):
        topic_runs.labels(passages().iloc[1:], kept, "m")


def test_the_map_says_nothing_but_ids_nations_and_years():
    """The page must not carry the speeches, nor text that a browser could take for a part of the page."""
    table = passages([0, 1, 9, -1, 0]).assign(x=[0.0, 1, 2, 3, 4], y=0.0)
    drawn = topic_map.picture(table, {0: "peace", 1: "trade"})
    assert [trace.name for trace in drawn.data] == ["in no topic", "other topics", "peace", "trade"]
    assert "tariff" not in drawn.to_json() and "FR-1-000" in drawn.to_json()


def test_the_sources_of_the_released_code_are_counted_against_the_papers():
    """Two per nation are ten, not eight: the book must show both numbers."""
    table = sources.count().query("metric == 'sources'").set_index("nation")
    assert table.loc["all", ["value", "printed"]].tolist() == [10, 8]
    assert table.loc[["CN", "US", "GB", "FR", "DE"], "value"].sum() == 10
    assert set(table.loc[["CN", "US", "GB", "FR", "DE"], "printed"]) == {2}


def answered(*texts: str | None) -> pd.DataFrame:
    """Answers to the first step; None is an error."""
    rows = passages(TOPIC[: len(texts)], TEXTS[: len(texts)])
    errors = [None if text is not None else "broken" for text in texts]
    return tagging.propose(rows).assign(text=list(texts), error=errors, refused=None)


GOOD = '{"tags": ["Climate change", "climate  CHANGE", "the passage speaks of peace"]}'
ECHO = '{"tags": ["string"]}'
SCHEMA = '{"type": "object", "properties": {"tags": {"type": "array"}}}'


def test_nonsense_is_counted_and_never_becomes_a_tag():
    """A small model hands the schema back: 'string' would be the corpus's most frequent topic."""
    answers = answered(GOOD, ECHO, SCHEMA, "Peace!", None)
    assert tagging.proposed(answers)["tag"].tolist() == ["climate change"]
    rows = tagging.fate(answers).set_index("outcome")
    assert rows["value"].to_dict() == {"tags": 0.2, "nonsense": 0.2, "no valid answer": 0.4, "error": 0.2}
    assert (rows["n"] == 5).all()


def test_tags_are_brought_together_and_given_out():
    """The three steps must fit each other: what one leaves is what the next asks with."""
    tags = pd.DataFrame({"passage": list("abc"), "tag": ["trade", "peace", "trade"]})
    asked = tagging.consolidate(tags, most=2)
    assert "trade (2)\npeace (1)" in asked["prompt"].item()
    told = asked.assign(value=[{"tags": ["Trade policy", "string"]}], error=None, refused=None)
    listed = tagging.consolidated(told, tags)
    assert listed == ["trade policy"]
    assert tagging.consolidated(told.assign(value=None, refused="no JSON"), tags) == ["trade", "peace"]
    rows = tagging.assign(passages(), listed)
    assert rows["schema"].iloc[0]["properties"]["tag"]["enum"] == ["trade policy", tagging.NONE]
    values = [{"tag": "trade policy"}, {"tag": tagging.NONE}, {"tag": "whales"}, None, None]
    given = tagging.assigned(rows.assign(value=values, error=[None] * 4 + ["broken"], refused=None))
    assert given.tolist() == ["trade policy", tagging.NONE, None, None, None]


def test_outliers_are_tagged_in_all_three_steps(tmp_path, monkeypatch):
    """One call must take a reader from the passages in no topic to a tag for each, whatever one answer is worth."""
    rows, given = passages(), ["peace", "peace", "trade", "tariff", "whales"]
    said = {
        prompt: json.dumps({"tags": [tag]}) for prompt, tag in zip(tagging.propose(rows)["prompt"], given, strict=True)
    }
    (second,) = tagging.consolidate(pd.DataFrame({"passage": list("abcde"), "tag": given}), 2).to_dict("records")
    said[instruct(second["prompt"], second["schema"])] = '{"tags": ["peace", "trade"]}'
    third = tagging.assign(rows, ["peace", "trade"]).to_dict("records")
    tags = ["peace", "peace", "trade", "trade", "whales"]
    for row, tag in zip(third, tags, strict=True):
        said[instruct(row["prompt"], row["schema"])] = json.dumps({"tag": tag})
    monkeypatch.setattr(models, "load", lambda name: ScriptedModel(name, said))
    monkeypatch.setattr(models, "price", lambda name: None)
    monkeypatch.setattr(elicitation, "STORE", tmp_path)
    found = tagging.tag(rows, "m", most=2)
    assert found["passage"].tolist() == rows["passage"].tolist()
    assert found["tag"].tolist()[:4] == tags[:4] and found["tag"].isna().tolist() == [False] * 4 + [True]


def test_own_articles_take_the_place_of_the_speeches(tmp_path):
    """A reader with articles of his own would otherwise be shown the topics of somebody else's."""
    row = {"article": "FR-1", "nation": "FR", "year": 2001, "language": "en", "source": "x"} | {
        "text": "So it is. So be it."
    }
    (tmp_path / "a.jsonl").write_text(json.dumps(row) + "\n")
    with pytest.warns(UserWarning, match="4 problems"):
        found = topic_runs.corpus(2001, 1, str(tmp_path))
    assert found["passage"].tolist() == ["FR-1-001", "FR-1-002"]
    with pytest.warns(UserWarning), pytest.raises(UserError, match="no article since 2002: the last is of 2001"):
        topic_runs.corpus(2002, 1, str(tmp_path))


def test_steps_without_anything_to_work_on_are_refused():
    """An empty list of tags would be an empty choice: the model would be asked for nothing."""
    with pytest.raises(UserError, match="nothing to consolidate"):
        tagging.consolidate(pd.DataFrame({"passage": [], "tag": []}))
    with pytest.raises(UserError, match="no tags to choose from"):
        tagging.assign(passages(), [])
    with pytest.raises(UserError, match="passages=0"):
        tagging.experiment(passages=0)


def test_the_first_step_asks_for_the_form_that_is_read():
    """A prompt that shows one form and a reader that wants another find every answer invalid."""
    prompt = tagging.propose(passages())["prompt"].iloc[0]
    assert TEXTS[0] in prompt and json.dumps(tagging.PROPOSED) in prompt
