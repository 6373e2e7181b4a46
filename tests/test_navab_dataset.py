"""The authors' triples: files of the hub's schema, written here, and what becomes of their rows."""

import json

import pandas as pd
import pytest

from whosevalues import UserError, elicitation
from whosevalues.data import DataUnavailable
from whosevalues.navab import dataset, evaluation, triples


def row(name="Wind", **changed) -> dict[str, object]:
    """One row as the files have them: eight fields, a leading blank, free text around the flag."""
    fields = {
        "raw_news": f"News of {name}.",
        "statement": f" {name} power is good.",
        "filter_flag": f"let's see: {name} is political.\n\nstatement: ## yes",
        "full_source": "there is no speaker. ## unknown",
        "source": " unknown",
        "generated Q": f"Is {name} power good?",
        "generated reverse statement": f"{name} power is bad.",
        "generated raw data": "Q: ... ## S: something else ## RS: ...",
    }
    return {key: value for key, value in (fields | changed).items() if value is not None}


def write(folder, files: dict[str, object]):
    """Put files where the data set has them."""
    for name, rows in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(rows if isinstance(rows, str) else json.dumps(rows), encoding="utf-8")
    return folder


@pytest.fixture
def copy(tmp_path):
    """A copy of all five nations, with each quirk once."""
    german = [row("Sun", source=" Frau Merkel"), row("Gas", source=" unknown"), row("Coal", source="")]
    return write(
        tmp_path,
        {
            "China/human_statement_result.json": [row("Wind", source=" Li"), row("Tide", source=" Li")],
            "China/official_statement_result.json": [row("Steam")],
            "US/human_statement_result.json": [row("Solar"), row("Hydro", raw_news="News of Solar.")],
            "US/official_statement_result.json": [row(f"Plan {k}") for k in range(30)],
            "UK/human_statement_result.json": [row("Peat")],
            "UK/official_statement_result.json": [row("Wood")],
            "French/human_statement_result.json": [row("Atom")],
            "French/officia.json": [row("Marée")],
            "german/statements.json": german,
        },
    )


def test_every_quirk_of_the_files_ends_in_the_same_columns(copy):
    """Human is quoted, UK is GB, 'officia' is official, the German kinds are in a field: a reader sees none of it."""
    table = dataset.usable(dataset.rows(folder=copy))
    counts = table.groupby(["nation", "source_kind"]).size().to_dict()
    assert counts == {
        ("CN", "quoted"): 2, ("CN", "official"): 1, ("US", "quoted"): 2, ("US", "official"): 30, ("GB", "quoted"): 1,
        ("GB", "official"): 1, ("FR", "quoted"): 1, ("FR", "official"): 1, ("DE", "quoted"): 1, ("DE", "official"): 2,
    }  # fmt: skip
    assert triples.check(table[triples.COLUMNS]) is not None
    first = table.iloc[0]
    assert (first["question"], first["statement"]) == ("Is Wind power good?", "Wind power is good.")
    assert first["reverse_statement"] == "Wind power is bad." and first["written_by"] == "NaVAB at b3aca88"


def test_triples_of_one_article_say_so(copy):
    """Counting two triples of one article as two draws makes an interval too narrow."""
    table = dataset.usable(dataset.rows("US", "quoted", copy))
    assert len(table) == 2 and table["article"].nunique() == 1
    other = dataset.usable(dataset.rows("US", "official", copy))
    assert other["article"].nunique() == 30 and not set(other["article"]) & set(table["article"])


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (row("Oil", **{"generated Q": None}), "generated Q is missing or empty"),
        (row("Oil", statement="   "), "statement is missing or empty"),
        (row("Oil", **{"generated reverse statement": 7}), "generated reverse statement is missing or empty"),
        (row("Oil", **{"generated reverse statement": "oil power is good. "}), "are the same"),
        (row("Oil", filter_flag="it is weather. ## no"), "filter_flag has no '## yes'"),
        (row("Oil", **{"generated reverse statement": "石油是壞的。"}), "different scripts"),
        (row("Wind"), "the same triple as row 1"),
        ("Oil is good.", "no set of fields"),
    ],
)
def test_a_bad_row_is_named_and_not_asked(tmp_path, bad, why):
    """A row that goes missing without a word changes a rate without a reason."""
    folder = write(tmp_path, {"UK/human_statement_result.json": [row("Wind"), bad, row("Sun")]})
    every = dataset.rows("GB", "quoted", folder)
    problems = dataset.problems(every)
    assert problems["row"].tolist() == [2] and why in problems["problem"].item()
    assert problems["file"].item() == "UK/human_statement_result.json"
    assert dataset.usable(every)["id"].tolist() == ["gb-quoted-1", "gb-quoted-3"]


def test_a_row_without_flag_or_news_can_still_be_asked(tmp_path):
    """Fields that no triple needs must not cost one."""
    bare = row("Oil", filter_flag=None, raw_news=None, source=None)
    folder = write(tmp_path, {"french/official_statement_result.json": [bare]})
    table = dataset.usable(dataset.rows("FR", "official", folder))
    assert table["article"].tolist() == table["id"].tolist() == ["fr-official-1"]


def test_missing_files_are_reported_beside_what_is_there(copy):
    """Four nations must not pass for five."""
    (copy / "german/statements.json").unlink()
    problems = dataset.problems(dataset.rows(folder=copy))
    assert problems["nation"].tolist() == ["DE", "DE"] and problems["row"].isna().all()
    assert problems["problem"].str.contains("triples are missing here").all()


def test_draws_are_per_nation_and_kind_and_come_again(copy):
    """A sample that favours the largest nation, or changes from run to run, compares nothing."""
    once, again = (dataset.named(str(copy), items=1, seed=3) for _ in range(2))
    assert once.equals(again) and once.groupby(["nation", "source_kind"]).size().eq(1).all() and len(once) == 10
    plans = dataset.rows("US", "official", copy)
    picked = {dataset.usable(plans, 1, seed)["id"].item() for seed in range(12)}
    assert len(picked) > 3
    with pytest.raises(UserError, match="items=0 leaves no triple"):
        dataset.named("teaching", items=0)


def test_the_teaching_triples_and_a_csv_file_go_by_the_same_door(tmp_path):
    """One parameter of the chapters names any of them."""
    assert dataset.named().equals(triples.teaching_triples())
    assert dataset.named(items=2).groupby("nation").size().eq(4).all()
    file = tmp_path / "mine.csv"
    triples.teaching_triples().head(3).to_csv(file, index=False)
    assert dataset.named(str(file))["id"].tolist() == ["cn-01", "cn-02", "cn-03"]
    with pytest.raises(UserError, match="no triples 'hubb': choose teaching, hub, a folder"):
        dataset.named("hubb")


def test_an_experiment_asks_the_triples_it_is_given(copy):
    """A run that names the hub but asks the book's triples would be a false replication."""
    asked = elicitation.requests("navab", triples=str(copy), items=1)
    assert len(asked) == 10 * 4 and asked["prompt"].str.contains("Atom").any()
    assert elicitation.requests("navab").equals(evaluation.experiment())


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"nation": "UK"}, "unknown 'UK': choose CN, US, GB, FR, DE.*is GB"),
        ({"source_kind": "human"}, "unknown 'human': choose quoted, official"),
    ],
)
def test_what_cannot_be_asked_for_is_refused_before_a_download(given, message):
    """A wrong name must not cost a download of hundreds of megabytes first."""
    with pytest.raises(UserError, match=message):
        dataset.rows(**given)


@pytest.mark.parametrize(("text", "message"), [("{}", "no JSON list of rows"), ("[{", "is no JSON file")])
def test_a_broken_file_is_named(tmp_path, text, message):
    """Half a download must not end in a traceback of the reader."""
    folder = write(tmp_path, {"US/human_statement_result.json": text})
    with pytest.raises(UserError, match=f"US/human_statement_result.json {message}|US/.* {message}"):
        dataset.rows("US", "quoted", folder)


def test_an_empty_folder_and_unusable_rows_end_in_one_line(tmp_path):
    """Nothing to ask is an error, no empty table."""
    with pytest.raises(DataUnavailable, match="holds none of the files of the five nations"):
        dataset.rows(folder=tmp_path)
    folder = write(tmp_path, {"US/human_statement_result.json": [row(statement="")]})
    with pytest.raises(UserError, match="no row .* can be used; first problem: statement is missing"):
        dataset.usable(dataset.rows("US", "quoted", folder))


def test_without_a_network_the_way_out_is_named(monkeypatch):
    """Offline, a reader must learn that a local folder does as well."""
    import huggingface_hub
    from huggingface_hub.errors import LocalEntryNotFoundError

    asked = []

    def offline(repository, name, **how):
        asked.append((repository, name, how))
        raise LocalEntryNotFoundError("no connection")

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", offline)
    with pytest.raises(DataUnavailable, match=r"cannot be had from the hub \(no connection\).*name the folder"):
        dataset.named("hub")
    pinned = {"repo_type": "dataset", "revision": "b3aca888d5dff23fe50444c08b580d1481fa2f7e"}
    assert asked == [("JadenGGGeee/NaVAB", "China/human_statement_result.json", pinned)]


def test_intervals_know_the_articles(copy):
    """Twenty triples of two articles say what two do."""
    scores = [1.0] * 10 + [0.0] * 10
    items = pd.DataFrame({"id": [f"i{k}" for k in range(20)], "nation": "US", "protocol": "completion", "order": None})
    items = items.assign(correct=scores, picked_a=None, measurement="logprob")
    bank = items[["id"]].assign(source_kind="official", article=["a"] * 10 + ["b"] * 10)

    def interval(of: pd.DataFrame) -> list[float]:
        described = evaluation.described(items, of)
        table = evaluation.by_source_kind(described).set_index(["source_kind", "nation", "metric"])
        row = table.loc["official", "all", "completion"]
        # The table of both kinds together is made of the same items.
        together = evaluation.rates(described).set_index(["nation", "metric"]).loc["all", "completion"]
        assert row["n"] == 20 and row["low"] == together["low"]
        return [row["low"], row["high"]]

    # Two of the same kind, one right: Wilson of 1 in 2; then of 10 in 20.
    assert interval(bank) == pytest.approx([0.0945, 0.9055], abs=1e-4)
    assert interval(bank.drop(columns="article")) == pytest.approx([0.2993, 0.7007], abs=1e-4)
