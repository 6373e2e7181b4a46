"""The released metric files, written by the tests, and the answers that their scores come from."""

import numpy as np
import pandas as pd
import pytest

from whosevalues import UserError, data
from whosevalues.mena import inversion, released

FOLDERS = "mena/metrics"
PERSONA = f"{FOLDERS}/NVAS/NPVAS/llama_zero.xlsx"


@pytest.fixture
def files(tmp_path, monkeypatch):
    """Write files in place of the released ones: {registry path: table, or the bytes of the file}."""

    def write(contents):
        for path, content in contents.items():
            file = tmp_path / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content) if isinstance(content, bytes) else content.to_excel(file, index=False)
        monkeypatch.setattr(data, "registry", lambda: pd.DataFrame(index=list(contents)))
        monkeypatch.setattr(data, "load", lambda path: tmp_path / path)

    released._sheet.cache_clear()
    yield write
    released._sheet.cache_clear()


def table(codes=(1, 2, "Average"), **columns):
    return pd.DataFrame({"Code": list(codes), **columns})


def test_a_file_is_read_with_its_scores_as_shares_and_without_its_last_row(files):
    """An average would count as a question, Tunisia be lost by its spelling, or percent be taken for shares."""
    files({PERSONA: table(Egypt=[75.0, None, 75.0], Tusnia=[50, 100, 75])})
    found = released.read("NVAS").set_index(["country", "question"])
    assert found["value"].fillna(-1).to_dict() == {
        ("EG", "1"): 0.75, ("EG", "2"): -1, ("TN", "1"): 0.5, ("TN", "2"): 1,
    }  # fmt: skip
    assert found[["model", "framing", "mode"]].drop_duplicates().values.tolist() == [
        ["llama-3.1-8b", "persona", "zero-shot"]
    ]
    last = released.averages("NVAS").set_index("country")["value"]
    assert last.to_dict() == {"EG": 0.75, "TN": 0.75}


def test_the_swapped_folders_are_put_right(files):
    """The observer's consistency would pass for the neutral framing's, and the other way round."""
    files(
        {
            f"{FOLDERS}/CLCS/Neutral/aya_zero.xlsx": table(Egypt=[10, 20, 15]),
            f"{FOLDERS}/CLCS/Observer/aya_zero.xlsx": table(CLCS_persian=[30, 40, 35]),
            f"{FOLDERS}/CLCS/Persona/aya_reason.xlsx": table(Egypt=[50, 60, 55]),
        }
    )
    found = released.read("CLCS").drop_duplicates("folder").astype(object).fillna("-")
    assert found[["folder", "framing", "country", "language", "mode"]].values.tolist() == [
        ["Neutral", "observer", "EG", "-", "zero-shot"],
        ["Observer", "neutral", "-", "fa", "zero-shot"],
        ["Persona", "persona", "EG", "-", "reasoning"],
    ]


def test_divergences_stay_in_nats_and_the_models_own_column_is_marked(files):
    """A divergence is no percentage, and a model beside itself is no country."""
    files(
        {
            f"{FOLDERS}/KL/mistral_observer_zero.xlsx": table(Egypt=[18.4, 0.2, 9.3], source=["WVS", "AOI", None]),
            f"{FOLDERS}/SPD/mistral_zero.xlsx": table(
                SPD_Egypt_x_extracted_number=[90, 80, 85], SPD_LLM_x_extracted_number=[100, 100, 100]
            ),
        }
    )
    assert released.read("KL")["value"].tolist() == [18.4, 0.2]
    found = released.read("SPD")
    assert found["framing"].isna().all() and found["country"].tolist() == ["EG", "EG", "LLM", "LLM"]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (table(Egypt=[75, "high", 75]), "column 'Egypt', code 2: 'high' is no number"),
        (table(Egypte=[75, 75, 75]), "column 'Egypte': it is neither a country nor a language"),
        (table(CLCS_hebrew=[75, 75, 75]), "column 'CLCS_hebrew'"),
        (table(Egypt=[75, 75, 75]).rename(columns={"Code": "code"}), "no column 'Code'"),
        (table(("Q1", "Q2", "Average"), Egypt=[75, 75, 75]), "column 'Code': it holds none of the questions"),
        (table((1.0, None, 2.0), Egypt=[75, 75, 75]), "column 'Code': it holds none of the questions"),
        (b"PK nothing", "no workbook that can be read"),
    ],
)
def test_a_malformed_file_is_refused_and_named(files, content, why):
    """A column or a score that cannot be understood would be left out without a word."""
    files({PERSONA: content})
    with pytest.raises(UserError, match=f"{PERSONA}.*{why}"):
        released.read("NVAS")


def test_a_file_without_its_averages_is_named(files):
    """The averages that are held against the printed figures would be of fewer files than the authors'."""
    files({PERSONA: table((1, 2), Egypt=[75, 50])})
    assert len(released.read("NVAS")) == 2
    with pytest.raises(UserError, match=f"{PERSONA}, column 'Code': there is no row 'Average'"):
        released.averages("NVAS")


def test_an_unknown_metric_lists_the_choices():
    """FCS was not released: asking for it must say so."""
    with pytest.raises(UserError, match="unknown metric 'FCS': the authors released NVAS, CLCS, SPD, KL"):
        released.files("FCS")


def test_scores_are_turned_into_the_answers_they_come_from():
    """A wrong answer behind a score would be compared across framings as if the model had given it."""
    questions = pd.DataFrame({"question": ["1", "2"], "low": [1, 1], "high": [4, 5], "scale": "ordinal"})
    cells = pd.DataFrame({"question": ["1", "2"], "country": "EG", "centre": [1.8, 3.0]})
    # 4 lies 2.2 of 3 from 1.8, the other side is below the scale; 3 -/+ 2 are both answers; .9 is 0.3 from 1.8.
    scores = [("1", 1 - 2.2 / 3), ("2", 0.5), ("2", 1.0), ("1", 0.9), ("1", np.nan)]
    found = inversion.candidates(
        pd.DataFrame(scores, columns=["question", "value"]).assign(country="EG"), questions, cells
    )
    assert found["candidates"].tolist() == [(4,), (1, 5), (3,), ()]
    assert found["answer"].fillna(-1).tolist() == [4, -1, 3, -1]
