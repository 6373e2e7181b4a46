"""Alignment: nothing held out is trained on, runs can be interrupted and repeated, and gains are counted rightly."""

from __future__ import annotations

import json
import math

import numpy as np
import pandas as pd
import pytest
import tiny

from whosevalues import UserError, models
from whosevalues.navab import aligned, alignment, conditions, preference, runs
from whosevalues.navab import triples as bank
from whosevalues.navab.alignment import Training

PAIRS = pd.DataFrame(
    {
        "question": ["Do you trust the press?", "Are courts fair?", "Is work good?", "Is family first?"],
        "statement": ["We trust it.", "The courts are fair.", "Work is good.", "Family is first."],
        "reverse_statement": ["We do not.", "The courts are not fair.", "Work is not good.", "Family is not first."],
    }
)
BRIEF = Training(batch=1, learning_rate=1e-2, seed=3)


def record(adapter) -> dict:
    return json.loads((adapter.parent / alignment.RECORD).read_text())


def triples(sizes: dict[str, list[int]]) -> pd.DataFrame:
    """Articles with so many triples each, by nation."""
    rows = [
        {"nation": nation, "article": f"{nation}-{a}", "id": f"{nation}-{a}-{i}", "statement_id": f"{nation}-{a}-{i}"}
        for nation, counts in sizes.items()
        for a, count in enumerate(counts)
        for i in range(count)
    ]
    return pd.DataFrame(rows)


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return tiny.build(tmp_path_factory.mktemp("tiny"))


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.setattr(alignment, "STORE", tmp_path / "alignment")
    monkeypatch.setattr(aligned, "STORE", tmp_path / "responses")
    return tmp_path


@pytest.mark.parametrize("seed", range(5))
def test_no_article_is_trained_on_and_held_out(seed):
    """Gains would be memory, not alignment: an article's items must never stand on both sides of the split."""
    table = triples({"FR": [3, 1, 4, 1, 5], "US": [9, 2], "CN": [6, 5, 3, 5, 8, 9, 7]})
    parts = alignment.split(table, 0.3, seed)
    sides = parts.groupby("article")["part"].nunique()
    assert (sides == 1).all()
    held = parts[parts["part"] == "test"].groupby("nation")["article"].nunique()
    assert held.to_dict() == {"FR": 2, "US": 1, "CN": 2}
    assert alignment.straddling(parts).loc[0, ["straddling", "leaked"]].tolist() == [0, 0]


def test_a_split_by_item_is_shown_to_leak():
    """A reader must see what the released code's split does: its held-out items come from articles trained on."""
    parts = pd.DataFrame({"article": list("aabbc"), "part": ["train", "test", "test", "test", "test"]})
    assert alignment.straddling(parts).iloc[0].to_dict() == {"articles": 3, "straddling": 1, "items": 4, "leaked": 1}
    by_item = alignment.split_by_item(triples({"FR": [20] * 10}), 0.2)
    assert (by_item["part"] == "test").sum() == 40
    assert alignment.straddling(by_item).loc[0, "leaked"] == 40


@pytest.mark.parametrize(
    ("table", "share", "told"),
    [
        (triples({"FR": [1, 1]}), 1.0, "between 0 and 1"),
        (triples({"FR": [3]}), 0.2, "one article only"),
        (triples({"FR": [1, 1]}).assign(article=["a", None]), 0.2, "no article"),
        (pd.DataFrame({"nation": ["FR", "US"], "article": "a"}), 0.5, "two nations"),
    ],
)
def test_a_split_that_would_leak_or_be_empty_says_why(table, share, told):
    """A user with unsuitable articles must learn what to change, not get a score that means nothing."""
    with pytest.raises(UserError, match=told):
        alignment.split(table, share)


def test_triples_of_ones_own_are_split_by_their_articles(tmp_path):
    """Triples of your own must be split by their articles, and no teaching item that was trained on may be scored."""
    table = pd.DataFrame({"id": list("abcdefgh"), "nation": "FR", "topic": "tea", "question": "Is tea good?"})
    table = table.assign(statement="Tea is not bad.", reverse_statement="Tea is bad.", source_kind="official")
    table = table.assign(written_by="me", article=list("uuuuvvvv"))
    table.loc[0, ["statement", "reverse_statement"]] = ["Tea is good.", "Tea is no good."]
    table.to_csv(tmp_path / "own.csv", index=False)
    found, parts = conditions.pipeline(str(tmp_path / "own.csv"))
    assert len(found) == 8
    assert sorted(parts.groupby("part")["article"].unique().map(list)) == [["u"], ["v"]]
    assert parts["negated"].tolist() == [False] + [True] * 7
    table.drop(columns="article").to_csv(tmp_path / "own.csv", index=False)
    assert conditions.pipeline(str(tmp_path / "own.csv"))[1]["article"].tolist() == list("abcdefgh")
    parts = conditions.pipeline("teaching")[1]
    asked = aligned.items(parts, per_nation=8, words=99)
    assert set(asked[aligned.TEACHING]["id"]) == set(parts.loc[parts["part"] == "test", "id"])
    assert len(asked[aligned.TEACHING]) == 10 < len(bank.teaching_triples())


def test_an_interrupted_run_ends_where_an_uninterrupted_one_does(base, here):
    """Hours on a GPU must survive a crash: after a stop the same command gives the same losses and the same adapter."""
    whole = alignment.train(base, PAIRS.head(2), BRIEF)
    losses, weights = record(whole)["losses"], (whole / "adapter_model.safetensors").read_bytes()
    whole.parent.rename(here / "whole")
    assert alignment.train(base, PAIRS.head(2), BRIEF, stop_after=1) is None
    (folder,) = (here / "alignment").glob("*/")
    assert preference.checkpoint(folder).name == "checkpoint-1"
    # A checkpoint that was being written when the machine died is not one.
    (folder / "checkpoint-2").mkdir()
    assert preference.checkpoint(folder).name == "checkpoint-1"
    again = alignment.train(base, PAIRS.head(2), BRIEF)
    assert again == whole
    assert record(again)["losses"] == losses
    assert (again / "adapter_model.safetensors").read_bytes() == weights
    # The first step's loss is that of a coin: the adapter starts at the reference (Rafailov et al., 2023, equation 7).
    assert losses[0] == pytest.approx(math.log(2), abs=1e-5)
    assert len(losses) == 2
    # Nothing that is read by unpickling is left, and what is finished is not trained again.
    assert {file.name for file in again.parent.rglob("*.*") if file.is_file() and file.suffix != ".md"} == {
        "adapter_model.safetensors", "adapter_config.json", "record.json"
    }  # fmt: skip
    before = (again.parent / "record.json").stat().st_mtime_ns
    assert alignment.train(base, PAIRS.head(2), BRIEF) == again
    assert (again.parent / "record.json").stat().st_mtime_ns == before
    _scored_like_any_model(base, again)


def _scored_like_any_model(base, adapter):
    """The merged model must prefer what it was trained to, by the same scores as the adapter beside its weights."""
    from peft import PeftModel

    model = alignment.Aligned(base, adapter)
    assert model.fingerprint != base.fingerprint
    assert model.fingerprint["weights"].startswith(base.weights)
    asked = [(q, x) for q, s, r in PAIRS.head(2).to_numpy() for x in (f" {s}", f" {r}")]
    ours = [a["logprob"] for _, a in sorted(model.completion_scores(asked))]
    was = [a["logprob"] for _, a in sorted(base.completion_scores(asked))]
    margin, before = np.subtract(ours[::2], ours[1::2]), np.subtract(was[::2], was[1::2])
    assert margin.mean() > before.mean()
    fresh = tiny.HFModel(base.name, base.path, base.weights)
    beside = tiny.HFModel(base.name, base.path, base.weights)
    beside.__dict__["model"] = PeftModel.from_pretrained(fresh.model, str(adapter)).eval()
    prompt = base._prompt_tokens(PAIRS["question"][0])
    said = base._continuation(base.render(PAIRS["question"][0]), f" {PAIRS['statement'][0]}")
    assert ours[0] == pytest.approx(tiny.plain(beside, prompt, said), abs=1e-3)


def test_the_other_method_is_another_one(base, here):
    """ORPO must be trained as ORPO: its loss begins with the likelihood of S, not with a coin's log 2."""
    adapter = alignment.train(base, PAIRS.head(2), Training(method="orpo", batch=2))
    asked = [(q, f" {s}") for q, s, _ in PAIRS.head(2).to_numpy()]
    surprise = min(-answer["logprob"] / answer["tokens"] for _, answer in base.completion_scores(asked))
    (loss,) = record(adapter)["losses"]
    # Hong et al. (2024), equation 6: the loss of supervised training and more.
    assert surprise > 1
    assert loss > surprise / 2
    assert loss != pytest.approx(math.log(2), abs=0.05)


def test_what_is_trained_on_reads_as_it_is_scored():
    """A model trained on one form of the prompt and scored on another would seem to learn nothing."""
    chat = models.load("smollm2-135m")
    (row,) = preference.examples(chat, [["Is tea good?", "It is.", "It is not."]])
    text = chat.tokenizer.apply_chat_template(row["prompt"], tokenize=False, add_generation_prompt=True)
    assert text == chat.render("Is tea good?")


def test_what_cannot_be_trained_says_so(base, here):
    """An endpoint's weights are not here, an unknown method and an empty table are no run: each in one sentence."""
    assert not alignment.trainable("uniform")
    assert not alignment.trainable("gpt-4")
    assert alignment.trainable("smollm2-135m")
    with pytest.raises(UserError, match="no pair"):
        alignment.train(base, PAIRS.head(0), BRIEF)
    with pytest.raises(UserError, match="unknown method 'ppo'"):
        alignment.train(base, PAIRS, Training(method="ppo"))


def test_the_controls_are_of_the_size_they_claim(monkeypatch):
    """A control that leaves out more or fewer pairs than the reduction would prove nothing about conflicts."""
    parts = triples({"FR": [5, 5, 5], "US": [5, 5, 5]})
    parts = parts.assign(question="Q?", statement="S" + parts["id"], reverse_statement="not", part="train")
    gone = set(parts["statement_id"].iloc[::3])
    monkeypatch.setattr(conditions.embeddings, "embed", lambda texts: np.ones((len(texts), 2)))
    monkeypatch.setattr(
        conditions.conflicts,
        "reduce",
        lambda rows, vectors, rounds: rows.assign(
            dropped=[
                "round 1" if name in gone or (rounds > 1 and "planted" in name) else None
                for name in rows["statement_id"]
            ]
        ),
    )
    ways = conditions.plan(parts, parts, seed=1, per_nation=6, words=9, planted=4)
    plain = set(ways[conditions.PLAIN]["id"])
    assert len(plain) == 12
    assert set(ways[conditions.REDUCED]["id"]) == plain - gone
    assert len(ways[conditions.PRUNED]) == len(plain - gone)
    mixed = ways[conditions.PLANTED]
    assert len(mixed) == 16
    contrary = mixed[mixed["id"].str.endswith("-planted")]
    assert (contrary["statement"] == "not").all()
    assert set(contrary["reverse_statement"]) <= set(parts["statement"])
    assert set(ways[conditions.PLANTED_CLEAN]["id"]) == plain
    assert len(ways[conditions.PLANTED_PRUNED]) == 12
    assert set(ways[conditions.PLANTED_REDUCED]["id"]) == plain - gone


def rows(condition: str, seed: int, values: dict[str, float]) -> pd.DataFrame:
    named = {"items": aligned.PIPELINE, "nation": "FR", "metric": aligned.COMPLETION, "condition": condition}
    table = pd.DataFrame({"id": list(values), "value": list(values.values())})
    return table.assign(article=table["id"].str[0], seed=seed, pairs=8, adapter=condition, **named)


def test_gains_are_counted_item_by_item():
    """The chapter's headline must be the mean of paired differences, over the items that both models answered."""
    before = rows(conditions.BEFORE, 0, {"a1": 0, "a2": 1, "b1": 0, "c1": 1, "d1": np.nan})
    one = rows(conditions.PLAIN, 0, {"a1": 1, "a2": 1, "b1": 1, "c1": 0, "d1": 1})
    two = rows(conditions.PLAIN, 1, {"a1": 1, "a2": 1, "b1": 0, "c1": 1, "d1": 0})
    less = rows(conditions.REDUCED, 0, {"a1": 0, "a2": 1, "b1": 1, "c1": 0, "d1": 1})
    table = runs.table(pd.concat([before, one, two, less], ignore_index=True), rounds=20)
    by = table.set_index(["condition", "nation", "term", "seed"])["value"]
    assert by[conditions.PLAIN, "all", "before", "all"] == 0.5
    assert by[conditions.PLAIN, "all", "change", "all"] == pytest.approx(2 / 8)
    assert by[conditions.PLAIN, "all", "change", "0"] == pytest.approx(1 / 4)
    assert by[conditions.PLAIN, "all", "changed", "all"] == pytest.approx(4 / 8)
    # Of seed 0 alone, as the other was trained with that seed only: one of five items is another.
    between = f"{conditions.REDUCED} minus {conditions.PLAIN}", "all"
    assert by[*between, "difference", "all"] == pytest.approx(-1 / 5)
    assert by[*between, "differ", "all"] == pytest.approx(1 / 5)
    same = aligned.contrast(one, one.assign(condition="x"), rounds=20)
    assert same[["term", "value", "low", "high"]].to_numpy().tolist() == [["difference", 0, 0, 0], ["differ", 0, 0, 0]]
    printed = table.set_index(["condition", "nation", "term", "seed"])["printed"]
    assert printed[conditions.PLAIN, "all", "change", "all"] == 0.05


def test_a_rate_of_one_still_has_a_width():
    """Forty items that all score 1 are no proof of a rate of 1: the interval must not be a point."""
    told = aligned.mean(rows("x", 0, {f"{letter}1": 1.0 for letter in "abcdefgh"}), "value")
    # Wilson's lower bound of 8 out of 8 is 8 / (8 + z^2).
    assert told["low"] == pytest.approx(8 / (8 + 1.959964**2), abs=1e-4)
    same = rows("x", 0, {f"{letter}1": 0.0 for letter in "abcdefgh"}).rename(columns={"value": "change"})
    told = aligned.mean(same, "change")
    assert told["high"] == -told["low"] == pytest.approx(1.959964**2 / (8 + 1.959964**2), abs=1e-4)


def test_so_many_items_show_the_difference_so_often():
    """A reader plans an experiment by this number: with it, McNemar's test must find the effect four times in five."""
    n = int(aligned.needed([0.1], changed=0.3)["n"].iloc[0])
    draws = np.random.default_rng(0).multinomial(n, [0.2, 0.1, 0.7], size=4000)
    gained, lost = draws[:, 0], draws[:, 1]
    found = (np.abs(gained - lost) / np.sqrt(gained + lost) > 1.959964).mean()
    assert 0.77 < found < 0.83


def summary(changes: dict[str, tuple[float, float]], **more: object) -> pd.DataFrame:
    """A table of runs: the interval of the change for each kind of items."""
    table = pd.DataFrame([{"items": kind, "low": low, "high": high} for kind, (low, high) in changes.items()])
    named = {"condition": conditions.PLAIN, "metric": aligned.COMPLETION, "nation": "all", "seed": "all", "n": 40}
    return table.assign(**(named | {"term": "change", "value": 0.1} | more))


@pytest.mark.parametrize(
    ("denies", "teaching", "said"),
    [
        ((-0.8, -0.4), (-0.1, 0.1), "follows the wording"),
        ((-0.8, -0.4), (0.1, 0.3), "beyond the wording"),
        ((-0.8, 0.0), (-0.1, 0.1), "cannot tell"),
        (None, (-0.1, 0.1), "cannot tell"),
    ],
)
def test_the_verdict_says_no_more_than_the_intervals(denies, teaching, said):
    """The page's first lines must not claim what an interval leaves open, nor fail where no statement denies."""
    changes = {aligned.PIPELINE: (0.1, 0.2), aligned.TEACHING: teaching} | ({aligned.DENIES: denies} if denies else {})
    assert said in runs.verdict(summary(changes))


def test_the_items_needed_rest_on_the_models_compared():
    """What shows conflict reduction depends on how trained models differ from each other, not from the untrained."""
    kinds = {aligned.PIPELINE: (0.0, 1.0)}
    between = f"{conditions.PLANTED_CLEAN} minus {conditions.PLANTED}"
    trained = summary(kinds, term="changed", value=0.4)
    reduced = summary(kinds, term="differ", value=0.1, condition=between)
    told = runs.power(pd.concat([trained, reduced])).set_index("gain")
    # By hand: ((1.95996 sqrt(p) + 0.84162 sqrt(p - d^2)) / d)^2, rounded up.
    for gain, p, d in (("training", 0.4, 0.05), ("conflict reduction", 0.1, 0.03)):
        n = ((1.959964 * p**0.5 + 0.841621 * (p - d**2) ** 0.5) / d) ** 2
        assert told.loc[gain, "value"] == math.ceil(n)
    assert runs.power(trained)["gain"].tolist() == ["training"]


def test_another_models_full_run_is_not_mixed_in():
    """Whoever trains another model must not see the embedded model's figures in its table."""
    fresh = pd.DataFrame({name: ["small run" if name == "condition" else 0] for name in runs.COLUMNS})
    stored = fresh.assign(condition=conditions.PLAIN)
    stored.attrs["provenance"] = {"parameters": {"model": "smollm2-135m"}}
    assert runs.with_stored(fresh, stored, "qwen2.5-7b")["condition"].tolist() == ["small run"]
    assert runs.with_stored(fresh, stored, "smollm2-135m")["condition"].tolist() == ["small run", conditions.PLAIN]
    assert len(runs.with_stored(fresh, None, "smollm2-135m")) == 1
