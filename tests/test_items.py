"""The question bank: its wording, its figures, and the errors people meet."""

import ast
import csv
import os
import re
from collections import defaultdict
from pathlib import Path

import openpyxl
import pytest
import yaml

from whosevalues import ROOT, UserError, items

WVS = {"EG": "Egypt", "IR": "Iran", "IQ": "Iraq", "JO": "Jordan", "LB": "Lebanon", "LY": "Libya", "MA": "Morocco"}
WVS |= {"TR": "Turkey", "TN": "Tunisia"}
WORKBOOK = "mena/MenaValues_Benchmark.xlsx"
GROUND_TRUTH = "multicultural/head-2025-08/ground_truth_every_country.csv"
PROMPTS = "multicultural/head-2025-08/translated_prompts_with_english_no_controversy.csv"
BANK = items.teaching_questions()


def released(path: str) -> Path:
    file = Path(os.environ.get("WHOSEVALUES_DATA") or "nowhere") / path
    if not file.is_file():
        pytest.skip(f"needs the released file {path} in the folder that WHOSEVALUES_DATA names")
    return file


@pytest.fixture(scope="module")
def workbook() -> dict[str, dict[str, str]]:
    """WVS columns of the workbook by the code at their head; a column is a mapping of its row names."""
    sheet = openpyxl.load_workbook(released(WORKBOOK), read_only=True).worksheets[0]
    names, *columns = zip(*sheet.iter_rows(values_only=True), strict=True)
    columns = [dict(zip(names, column, strict=True)) for column in columns]
    return {c["Sub Question"].split(":")[0]: c for c in columns if c["Source"] == "WVS 7"}


def test_every_question_can_be_asked_in_every_language():
    """A missing translation would stop a run half-way; a missing label would show a model an option of no meaning."""
    assert len(BANK) >= 24 and len({q.id for q in BANK}) == len(BANK)
    for question in BANK:
        assert list(question.text) == list(question.labels) == list(items.LANGUAGES)
        for code, labels in question.labels.items():
            assert len(labels) == len(question.options)
            named = [label for label in labels if label]
            assert len(set(named)) == len(named)
            assert len(named) == len(labels) or [bool(x) for x in labels] == [True, *[False] * 8, True]
            for written in (question.text[code], *named):
                assert written == written.strip()
                assert bool(re.search(r"[\u0600-\u06ff]", written)) == (code in ("ar", "fa"))


def test_arabic_and_persian_letters_are_not_mixed_up():
    """An Arabic kaf or yeh in a Persian text is another token for a model, though it looks the same."""
    for question in BANK:
        for written in (question.text["fa"], *question.labels["fa"]):
            assert not set(written) & set("كيىة")
        for written in (question.text["ar"], *question.labels["ar"]):
            assert not set(written) & set("کیگچپژ")


def test_the_bank_has_what_the_lessons_need():
    """Lessons about nominal items and about '1' being a beginning of '10' would have no example."""
    assert sum(q.scale == "nominal" for q in BANK) >= 2
    assert sum(q.options[-1] == "10" for q in BANK) >= 2
    assert {len(q.options) for q in BANK} >= {2, 4, 5, 7, 10}


def test_translations_say_whether_anybody_has_checked_them():
    """A reader would take unchecked translations for an instrument."""
    head = yaml.safe_load((ROOT / "data/teaching/questions.yml").read_text(encoding="utf-8"))
    table = items.translations()
    assert set(table["language"]) == set(items.LANGUAGES) - {"en"}
    assert dict(zip(table["language"], table["native_checked"], strict=True)) == head["native_checked"]
    assert head["licence"] == "CC-BY-4.0" and head["version"] == 1


def test_distributions_are_complete():
    """A missing option would count as never chosen in one measure and fail in the next."""
    humans = items.human_distributions()
    options = {q.id: list(q.options) for q in BANK}
    assert set(humans["question"]) == set(options)
    for (question, _), part in humans.groupby(["question", "country"]):
        assert part["option"].tolist() == options[question]
        assert part["probability"].sum() == pytest.approx(1, abs=1e-5)
    countries = humans.groupby("question")["country"].nunique()
    assert countries.min() >= 3
    assert set(humans["country"]) == set(WVS)
    assert set(humans["source"]) == {"MENAValues workbook (WVS-7), 6b47213"}


def test_polarity_covers_the_joint_questions():
    """A question that names a variable of the joint file but has no score would drop out without a word."""
    polarity = items.human_polarity()
    assert set(polarity["question"]) == {q.id for q in BANK if "joint" in q.sources}
    assert polarity["country"].nunique() == 13
    assert not set(polarity["country"]) & set(items.NATIVE)
    assert not any("joint" in q.sources for q in BANK if q.scale == "nominal")


def test_distributions_are_those_of_the_workbook(workbook):
    """A slip between question and column, or a scale turned round, would teach wrong numbers."""
    ours = defaultdict(dict)
    for row in items.human_distributions().itertuples():
        ours[row.question, row.country][row.option] = row.probability
    for question in BANK:
        assert question.sources["wvs"] == question.sources["mena"]
        column = workbook[question.sources["mena"]]
        assert (column["Min"], column["MAX"]) == (1, len(question.options))
        assert (column["Scale"] == "n") == (question.scale == "nominal")
        for code, name in WVS.items():
            if column[name] is None:
                assert (question.id, code) not in ours
                continue
            centre, shares = ast.literal_eval(column[name])
            percent = {key: float(share.removesuffix("%")) for key, share in shares.items()}
            expected = {key: percent.get(key, 0) / sum(percent.values()) for key in question.options}
            assert ours[question.id, code] == pytest.approx(expected, abs=6e-7)
            if question.scale == "ordinal":
                mean = sum(int(key) * p for key, p in ours[question.id, code].items())
                assert mean == pytest.approx(centre, abs=0.011)


def test_polarity_is_that_of_the_joint_file():
    """A wrong variable would compare a model's view of one thing with people's view of another."""
    with released(GROUND_TRUTH).open(encoding="utf-8") as lines:
        scores = {(r["question_key"], r["cntry_an"]): float(r["pro_score"]) for r in csv.DictReader(lines)}
    joint = {q.id: q.sources["joint"] for q in BANK if "joint" in q.sources}
    ours = {(joint[r.question], r.country): r.polarity for r in items.human_polarity().itertuples()}
    expected = {key: score for key, score in scores.items() if key[0] in joint.values()}
    assert ours == pytest.approx(expected, abs=6e-7)


def test_the_wording_is_our_own(workbook):
    """The surveys' sentences may not be redistributed: no run of six words is theirs."""
    theirs = [column[row] for column in workbook.values() for row in ("Full Question", "Sub Question")]
    with released(PROMPTS).open(encoding="utf-8") as lines:
        theirs += {row["question_name"] for row in csv.DictReader(lines)}
    taken = {run for sentence in theirs for run in runs(sentence)}
    for question in BANK:
        for written in (question.text["en"], *question.labels["en"]):
            assert not taken & set(runs(written)), question.id


def runs(sentence: str, length: int = 6) -> list[tuple[str, ...]]:
    words = re.findall(r"[\w']+", sentence.lower().replace("’", "'"))
    return [tuple(words[i : i + length]) for i in range(len(words) - length + 1)]


def test_codes_and_names_agree():
    """A country without a name or a native language would fail in the middle of a prompt."""
    assert len(items.COUNTRIES) == 13 + 16 and len(items.LANGUAGES) == 7
    assert len(items.NATIVE) == 16 and set(items.NATIVE) < set(items.COUNTRIES)
    assert set(items.NATIVE.values()) == {"ar", "fa", "tr"}
    assert (items.NATIVE["IR"], items.NATIVE["TR"], items.NATIVE["SD"]) == ("fa", "tr", "ar")


@pytest.mark.parametrize(
    ("written", "hint"),
    [
        ("UK", "(United Kingdom is GB)"),
        ("EN", "(United Kingdom is GB)"),
        ("gb", "(United Kingdom is GB)"),
        ("Denmark", "(Denmark is DK)"),
        ("Marocco", "(Morocco is MA)"),
    ],
)
def test_an_unknown_country_is_explained(written, hint):
    """People write UK, names, or small letters: the message must tell the code they need."""
    with pytest.raises(UserError) as error:
        items.check_countries(["DK", written])
    message = str(error.value)
    assert message.startswith(f"unknown country '{written}': the item bank has AU, BR, CA, DK, DZ, EG, GB, ")
    assert message.endswith(hint)


def test_a_country_without_a_guess_is_refused_all_the_same():
    """No hint where there is none to make; and nothing at all is no choice of everything."""
    with pytest.raises(UserError, match="unknown country 'xx': the item bank has AU, .*, US$"):
        items.check_countries(["DK", "xx"])
    with pytest.raises(UserError, match=r"no country in \[\]: the item bank has AU, .*, US$"):
        items.check_countries([])
    assert items.check_countries(code for code in ("NL", "PT", "NL")) == ("NL", "PT")


@pytest.fixture
def broken(tmp_path, monkeypatch):
    """Return a function that puts a changed bank in place of ours."""
    bank = yaml.safe_load((items.TEACHING / "questions.yml").read_text(encoding="utf-8"))
    monkeypatch.setattr(items, "TEACHING", tmp_path)

    def change(edit):
        edit(bank)
        (tmp_path / "questions.yml").write_text(yaml.safe_dump(bank, allow_unicode=True), encoding="utf-8")

    return change


@pytest.mark.parametrize(
    ("edit", "place"),
    [
        (lambda b: b["questions"][0]["text"].pop("pt"), "question 'family-important', field 'text.pt'"),
        (lambda b: b["questions"][1].update(text="?"), "question 'friends-important', field 'text.en'"),
        (lambda b: b["answers"]["trust"]["labels"]["ar"].pop(), "'trust-armed-forces', field 'labels.ar'"),
        (lambda b: b["answers"]["trust"].update(scale="y"), "'trust-armed-forces', field 'scale'"),
        (lambda b: b["answers"]["trust"].update(options="4"), "'trust-armed-forces', field 'options'"),
        (lambda b: b["questions"][0].update(answers=["x"]), "'family-important', field 'answers'"),
        (lambda b: b["questions"][0].update(sources={"aoi": "1"}), "'family-important', field 'sources'"),
        (lambda b: b["questions"][2].update(id="family-important"), "'family-important', field 'id'"),
        (lambda b: b["questions"][0].pop("id"), "field 'id'"),
        (lambda b: b.pop("answers"), "field 'answers'"),
        (lambda b: b.update(questions=[]), "field 'questions'"),
    ],
)
def test_a_broken_question_is_named(broken, edit, place):
    """Who edits the bank must be told which question and field is wrong, not be shown a traceback."""
    broken(edit)
    with pytest.raises(UserError, match=re.escape("data/teaching/questions.yml")) as error:
        items.teaching_questions()
    assert place in str(error.value)


def test_the_page_follows_the_flag_of_a_translation(broken):
    """Once a speaker has checked a translation, the chapters must stop calling it unchecked."""
    broken(lambda bank: bank["native_checked"].update(tr=True))
    table = items.translations()
    assert table.loc[table["native_checked"], "language"].tolist() == ["tr"]


@pytest.mark.parametrize(
    "edit",
    [
        lambda b: b.pop("native_checked"),
        lambda b: b["native_checked"].pop("ar"),
        lambda b: b["native_checked"].update(ar="no"),
    ],
)
def test_a_translation_without_a_flag_is_refused(broken, edit):
    """A language that the head forgets, or a text that counts as true, must not pass for checked."""
    broken(edit)
    with pytest.raises(UserError, match=r"questions.yml, field 'native_checked.ar': it must be true or false"):
        items.translations()


@pytest.mark.parametrize("content", [b"questions: [", b"- 1\n", b"", b"\xff\xfe\x00", b"!!python/object:os.x {}"])
def test_a_corrupt_bank_is_a_plain_error(tmp_path, monkeypatch, content):
    """A file cut off, of another kind, or with objects in it must not raise anything but a UserError."""
    monkeypatch.setattr(items, "TEACHING", tmp_path)
    (tmp_path / "questions.yml").write_bytes(content)
    with pytest.raises(UserError, match=re.escape("data/teaching/questions.yml")):
        items.teaching_questions()


@pytest.mark.parametrize(
    ("name", "read", "content"),
    [
        ("humans.csv", items.human_distributions, "question,country,option,probability,source\nq,EG,1,1.5,x\n"),
        ("humans.csv", items.human_distributions, "question,country,option,probability,source\nq,EG,1,much,x\n"),
        ("humans.csv", items.human_distributions, "question,country\nq,EG\n"),
        ("humans.csv", items.human_distributions, ""),
        ("polarity.csv", items.human_polarity, "question,country,polarity,source\nq,UK,0.5,x\n"),
        ("polarity.csv", items.human_polarity, "question,country,polarity,source\nq,GB,.5,x\nq,GB,.6,x\n"),
    ],
)
def test_corrupt_or_missing_figures_are_a_plain_error(tmp_path, monkeypatch, name, read, content):
    """Figures out of range, doubled, of an unknown country, or not there must not pass into a table."""
    monkeypatch.setattr(items, "TEACHING", tmp_path)
    with pytest.raises(UserError, match=f"data/teaching/{name} is missing"):
        read()
    (tmp_path / name).write_text(content, encoding="utf-8")
    with pytest.raises(UserError, match=f"data/teaching/{name} is not the table it should be"):
        read()
