"""The later study's responses: what the loader takes, what it refuses, and what is computed from them."""

import numpy as np
import pandas as pd
import pytest

from whosevalues import UserError
from whosevalues.mena import veto, veto_measures

ROW = {
    "model": "m",
    "country": "Egypt",
    "framing": "Third",
    "language": "AR",
    "tier": 3,
    "question_id": "12",
    "question_text": "Why, and how?",
    "response": "2, I think",
    "refused": False,
    "nvas": 0.75,
    "ev_nvas": 0.5,
    "human_mean": 1.5,
}


def written(folder, rows, end="csv"):
    file = folder / f"responses.{end}"
    table = pd.DataFrame([ROW | row for row in rows])
    table.to_csv(file, index=False) if end == "csv" else table.to_parquet(file, index=False)
    return file


@pytest.mark.parametrize("end", ["csv", "parquet"])
def test_a_file_of_the_documented_form_comes_out_in_the_books_words(tmp_path, end):
    """A response would be counted for another country, framing, language or question."""
    rows = [{}, {"framing": "No_Mention", "country": "NEUTRAL", "language": "EN", "nvas": None, "refused": True}]
    file = written(tmp_path, [*rows, {"framing": "Personalization", "country": "Turkey", "language": "TR"}], end)
    found = veto.load([file]).astype(object)
    assert found["country"].fillna("-").tolist() == ["EG", "-", "TR"]
    assert found["framing"].tolist() == ["observer", "neutral", "persona"]
    assert found["language"].tolist() == ["ar", "en", "tr"]
    assert found["refused"].tolist() == [False, True, False]
    assert found["nvas"].fillna(-1).tolist() == [0.75, -1, 0.75]
    assert found["question"].tolist() == ["12"] * 3


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("nvas", 1.5),
        ("nvas", "much"),
        ("ev_nvas", -1.1),
        ("framing", "Persona"),
        ("language", "en"),
        ("country", "Narnia"),
        ("tier", 4),
        ("refused", "maybe"),
        ("human_mean", "none"),
    ],
)
def test_a_value_that_does_not_fit_is_named_with_its_column_and_row(tmp_path, column, value):
    """A reader could not find what is wrong in a file of a million rows."""
    file = written(tmp_path, [{}, {}, {column: value}, {}])
    with pytest.raises(UserError, match=rf"responses.csv, column '{column}', row 3: '{value}'"):
        veto.load([file])


def test_rows_are_counted_through_the_pieces_of_a_file(tmp_path, monkeypatch):
    """The row that an error names would be another one as soon as the file is longer than one piece."""
    monkeypatch.setattr(veto, "ROWS", 2)
    file = written(tmp_path, [{}] * 4 + [{"tier": 9}], "parquet")
    with pytest.raises(UserError, match="column 'tier', row 5"):
        veto.load([file])
    assert len(veto.load([written(tmp_path, [{}] * 5)])) == 5


def test_a_score_of_a_refusal_and_a_missing_country_are_no_slips_to_pass_over(tmp_path):
    """Refusals would count as answers, or answers for no country."""
    with pytest.raises(UserError, match="column 'nvas', row 2"):
        veto.load([written(tmp_path, [{}, {"refused": True}])])
    with pytest.raises(UserError, match="column 'country', row 1"):
        veto.load([written(tmp_path, [{"country": None}])])


def test_files_that_are_no_responses_are_refused(tmp_path):
    """A file of another kind would end in an error that nobody understands."""
    (tmp_path / "a.csv").write_text("model,country\nm,Egypt\n")
    with pytest.raises(UserError, match="no column 'framing'"):
        veto.load([tmp_path / "a.csv"])
    (tmp_path / "a.parquet").write_bytes(b"no parquet")
    with pytest.raises(UserError, match="a.parquet cannot be read"):
        veto.load([tmp_path / "a.parquet"])
    with pytest.raises(UserError, match="parquet and .csv"):
        veto.load([tmp_path / "a.xlsx"])
    with pytest.raises(UserError, match="no response"):
        veto.load([written(tmp_path, [{}])], models=["another"])


def test_texts_can_be_read_piece_by_piece(tmp_path):
    """Nobody could look at a refusal."""
    (piece,) = veto.read(written(tmp_path, [{"response": "No, 3\nnever"}]))
    assert piece["response"].tolist() == ["No, 3\nnever"]
    assert "response" not in veto.load([written(tmp_path, [{}])])


def test_nothing_is_fetched_without_a_commit(monkeypatch):
    """Two runs would load different data and call them the same."""
    with pytest.raises(UserError, match="'main' is no commit"):
        veto.download("main")
    with pytest.raises(TypeError):
        veto.download()


def test_parquet_is_fetched_at_the_commit_that_was_asked_for(monkeypatch):
    """Another commit's files would be loaded, or a script of the data set."""
    import huggingface_hub

    asked, commit = [], "ab" * 20
    listed = ["README.md", "load.py", "data/b.parquet", "data/a.parquet", "old.csv"]

    class Api:
        def list_repo_files(self, name, *, repo_type, revision):
            assert (name, repo_type, revision) == (veto.HUB, "dataset", commit)
            return listed

    def fetch(name, file, *, repo_type, revision):
        asked.append((file, repo_type, revision))
        return f"/cache/{file}"

    monkeypatch.setattr(huggingface_hub, "HfApi", Api)
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", fetch)
    assert [str(path) for path in veto.download(commit)] == ["/cache/data/a.parquet", "/cache/data/b.parquet"]
    assert asked == [(file, "dataset", commit) for file in ("data/a.parquet", "data/b.parquet")]
    listed[:] = ["README.md", "m.xlsx"]
    with pytest.raises(UserError, match="no Parquet or CSV file: README.md, m.xlsx"):
        veto.download(commit)


def test_question_identifiers_become_workbook_numbers_only_where_they_are_some(tmp_path):
    """Responses would be joined to another question of the benchmark, or those to all of a survey's be one question."""
    names = ["7", "007", "7.0", "864", "865", "Q7", "Q46", "12a"]
    found = veto.load([written(tmp_path, [{"question_id": name} for name in names])])["question"]
    assert found.tolist() == ["7", "7", "7", "864", "865", "Q7", "Q46", "12a"]
    cells = pd.DataFrame({"question": ["7", "864"], "country": ["EG", "EG"], "centre": [1.5, 2.5]})
    row = veto.numbering(veto.load([tmp_path / "responses.csv"]), cells).iloc[0]
    assert (row["value"], row["n"], row["unknown"]) == (0.5, 2, 0.5)


def test_tiers_are_taken_from_the_responses_if_they_agree(tmp_path):
    """A question would be sensitive and benign at once."""
    rows = [{"question_id": "10", "tier": 1}, {"question_id": "9", "tier": 2}, {"question_id": "10", "tier": 1}]
    found = veto.tiers(veto.load([written(tmp_path, rows)]))
    assert found.to_dict("list") == {"question": ["9", "10"], "tier": [2, 1]}
    with pytest.raises(UserError, match="question 10 has two tiers"):
        veto.tiers(veto.load([written(tmp_path, [*rows, {"question_id": "10", "tier": 3}])]))


def test_identifiers_of_a_survey_are_questions_of_their_own(tmp_path):
    """Intervals would be missing, and the tiers too, where the responses name questions as the survey does."""
    rows = [{"question_id": f"Q{q}", "tier": 1 + 2 * (q > 4), "refused": q == 8, "nvas": None} for q in range(1, 9)]
    found = veto.load([written(tmp_path, rows)])
    tax = veto_measures.safety_tax(found).iloc[0]
    assert tax["value"] == 0.25 and tax["low"] == 0 and tax["high"] > 0.25
    assert len(veto.tiers(found)) == 8
    below = veto.load([written(tmp_path, [{"nvas": -0.175}])])
    assert below["nvas"].tolist() == [-0.175]


def test_safety_tax_and_scores_by_hand(tmp_path):
    """The tax would mix tiers, or a refusal's score would count as an answer's."""
    benign = [
        {"tier": 1, "question_id": str(q), "refused": q == 1, "nvas": None if q == 1 else 0.5} for q in range(1, 5)
    ]
    sensitive = [
        {"tier": 3, "question_id": str(q), "refused": q < 8, "nvas": 0.9 if q == 8 else None} for q in range(5, 9)
    ]
    middle = [{"tier": 2, "question_id": "9", "refused": True, "nvas": None, "ev_nvas": 0.8}]
    found = veto.load([written(tmp_path, [*benign, *sensitive, *middle])])
    tax = veto_measures.safety_tax(found)
    assert tax["model"].tolist() == ["m", "all"]
    np.testing.assert_allclose(tax["value"], 3 / 4 - 1 / 4)
    assert ((tax["low"] <= 0.5) & (tax["high"] >= 0.5)).all() and tax["n"].tolist() == [8, 8]
    scored = veto_measures.scores(found).set_index(["figure", "tier"])
    assert scored.loc[("NVAS, accepted", 1), "value"] == 0.5
    assert scored.loc[("NVAS, accepted", 3), "value"] == 0.9
    assert scored.loc[("EV-NVAS, refused", 2), ["value", "n", "coverage"]].tolist() == [0.8, 1, 1]
    rates = veto_measures.refusals(found, ["tier"]).set_index("tier")["value"]
    assert rates.tolist() == [0.25, 1.0, 0.75]


def test_the_made_up_file_follows_the_schema_and_says_what_it_is(tmp_path):
    """The page would fail where the real responses are missing, or pass for a finding."""
    for end in ("csv", "parquet"):
        found = veto.load([veto_measures.made_up(tmp_path / f"a.{end}")])
        assert found["model"].str.startswith("made_up").all() and set(found["tier"]) == {1, 2, 3}
    assert veto.schema()["column"].tolist() == [*veto.SCHEMA]
    assert veto_measures.published()["printed"].notna().all()
