"""Articles of NaVAB: what is read, what is reported, how a text is cut, and the archive of the speeches."""

import io
import json
import tarfile
import zipfile

import pandas as pd
import pytest

from whosevalues import UserError, data
from whosevalues.navab import articles, debate

GOOD = {
    "article": "FR-1",
    "nation": "FR",
    "year": 2001,
    "language": "en",
    "source": "a ministry",
    "text": "Peace is our aim, and we shall work for it with all nations of good will.",
}
FRENCH = "La paix ne se décrète pas, elle se construit chaque jour avec nos partenaires."


def have_data() -> bool:
    """Whether the speeches can be read here."""
    try:
        data.load(articles.SPEECHES)
    except data.DataUnavailable:
        return False
    return True


with_data = pytest.mark.skipif(not have_data(), reason="needs the speeches")


def write(folder, *rows, name="a.jsonl"):
    """Write rows, or raw lines, as a file of articles."""
    lines = [row if isinstance(row, str) else json.dumps(row, ensure_ascii=False) for row in rows]
    (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


BAD = {
    "the text is empty": {"text": "  \n "},
    "the same text as 'FR-1'": {"text": " " + GOOD["text"].upper() + "\n"},
    "the id 'FR-1' stands twice": {"article": "FR-1"},
    "unknown nation 'UK'": {"nation": "UK"},
    "reads as 'fr', stated is 'en'": {"text": FRENCH},
    "year is missing or no whole number": {"year": "2001"},
    "source is missing or no text": {"source": None},
}


@pytest.mark.parametrize(("problem", "change"), BAD.items(), ids=list(BAD))
def test_an_article_that_cannot_be_used_is_reported_with_its_place(tmp_path, problem, change):
    """A corpus that shrinks without a word gives results of nobody knows what: file, line and way out are named."""
    other = {"article": "FR-2", "text": "Another text of some length, which says that trade should be free and fair."}
    write(tmp_path, GOOD, "", GOOD | other | change, name="b.jsonl")
    kept, problems = articles.checked(articles.read(tmp_path))
    found = problems[problems["line"] == 3]
    assert kept["article"].tolist() == ["FR-1"]
    assert found["problem"].tolist() == [problem]
    assert found["file"].tolist() == ["b.jsonl"] and found["what_to_do"].str.len().min() > 5


def test_lines_that_are_no_objects_and_nations_without_articles_are_reported(tmp_path):
    """A torn line, a list, bytes of another encoding: each costs a line and not the run."""
    write(tmp_path, GOOD, '{"article": "FR-9",', "[1, 2]")
    with (tmp_path / "a.jsonl").open("ab") as file:
        file.write('{"article": "é"}\n'.encode("latin-1"))
    kept, problems = articles.checked(articles.read(tmp_path))
    assert len(kept) == 1
    assert problems[problems["line"] > 0]["line"].tolist() == [2, 3, 4]
    missing = problems[problems["line"] == 0]["problem"].tolist()
    assert missing == [f"no usable article of {nation}" for nation in ("CN", "US", "GB", "DE")]


def test_a_text_in_another_language_passes_when_it_says_so(tmp_path):
    """The pipeline is meant for five nations' own languages, not for English alone."""
    write(tmp_path, GOOD | {"text": FRENCH, "language": "fr"})
    with pytest.warns(UserWarning, match="4 problems"):
        found = articles.load(tmp_path)
    assert found["language"].tolist() == ["fr"] and found["corpus"].tolist() == [tmp_path.name]


def test_a_folder_without_usable_articles_says_why(tmp_path):
    """An empty table would fail three stages later with a message about something else."""
    with pytest.raises(UserError, match=r"no \*.jsonl"):
        articles.load(tmp_path)
    write(tmp_path, GOOD | {"nation": "UK"})
    with pytest.raises(UserError, match=r"a.jsonl, line 1: unknown nation 'UK'"):
        articles.load(tmp_path)


def test_the_teaching_articles_are_all_usable():
    """The book falls back on them: a problem there would show on every reader's first run."""
    kept, problems = articles.checked(articles.read())
    assert problems.empty and set(kept["nation"]) == {"CN", "US", "GB", "FR", "DE"}


CUT = {
    "numbered paragraphs": (
        "1.\tWe agree.\n2.\tWe do not. 3 of us left.",
        ["We agree.", "We do not.", "3 of us left."],
    ),
    "a number in a sentence": ("He was\n45. Then he left.", ["He was 45.", "Then he left."]),
    "lines and pages": ("We want\npeace \n\n11-50692 10\n\n\x0c\nfor all. Now.", ["We want peace for all.", "Now."]),
    "hyphens": ("Self-\ndetermination and coun¬\ntries.", ["Self-determination and countries."]),
    "titles": (
        "Mr. Annan met J. F. Kennedy Jr. Today, U.N. Day.",
        ["Mr. Annan met J. F. Kennedy Jr. Today, U.N. Day."],
    ),
    "numero or no": ("See No. 4 of it. Do we? No. We do not.", ["See No. 4 of it.", "Do we?", "No.", "We do not."]),
    "quotes": ("He said: “Stop.” “Why?” she asked.", ["He said: “Stop.”", "“Why?” she asked."]),
    "references": ("It is so (A/41/PV. 8, p. 71). Good.", ["It is so (A/41/PV. 8, p. 71).", "Good."]),
    "an address": ("I congratulate you. Sir, on your election.", ["I congratulate you, Sir, on your election."]),
    "a lost space": ("We are free.The world is not.", ["We are free.", "The world is not."]),
    "windows": ("We want\r\npeace.\r\nNow.", ["We want peace.", "Now."]),
}


@pytest.mark.parametrize(("text", "parts"), CUT.values(), ids=list(CUT))
def test_texts_are_cut_where_sentences_end(text, parts):
    """A statement is a sentence: half of one, or two in one, would be put to a model as a nation's value."""
    assert articles.sentences(text) == parts


def test_passages_lose_no_sentence():
    """What is cut away is never screened for values and never missed."""
    text = " ".join(f"This is sentence {word} of it." for word in ("one", "two", "three", "four", "five"))
    table = pd.DataFrame([GOOD | {"text": text}])
    found = articles.passages(table, words=12)
    assert found["passage"].tolist() == ["FR-1-001", "FR-1-002", "FR-1-003"]
    assert " ".join(found["text"]) == text


@with_data
def test_the_speeches_are_sound():
    """Footnotes, page numbers or broken words in the speeches would become topics and statements."""
    speeches = articles.load()
    assert speeches.groupby("nation").size().tolist() == [52] * 5
    rows = speeches.assign(file="x", line=range(len(speeches)), fault=None)
    assert articles.checked(rows[rows["year"] % 10 == 0])[1].empty
    parts = [part for text in speeches["text"][::10] for part in articles.sentences(text)]
    unfinished = [part for part in parts if part.rstrip("\"'’”)]")[-1] not in ".!?…"]
    assert len(unfinished) / len(parts) < 0.005
    assert not [part for part in parts if "¬" in part or "\n" in part or len(part.split()) > 220]


SPEECH = "\ufeff  \nMr. President,\r\nthe text.\n\n"


def archives(folder):
    """The same two speeches and things that are none, as a folder, a zip and a tar file."""
    files = {
        "Converted sessions/Session 28 - 1973/CHN_28_1973.txt": SPEECH,
        "Converted sessions/Session 28 - 1973/FRA_28_1973.txt": "Bonjour é",
        "Converted sessions/Session 28 - 1973/ALB_28_1973.txt": "not asked for",
        "Converted sessions/Session 01 - 1946/FRA_01_1946.txt": "too early",
        "__MACOSX/._CHN_28_1973.txt": "no speech",
        "../../CHN_29_1974.txt": "outside",
    }
    plain = folder / "plain"
    for name, text in list(files.items())[:-1]:
        (plain / name).parent.mkdir(parents=True, exist_ok=True)
        (plain / name).write_bytes(text.encode())
    with zipfile.ZipFile(folder / "a.zip", "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text.encode())
    with tarfile.open(folder / "a.tgz", "w:gz") as archive:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(text.encode())
            archive.addfile(member, io.BytesIO(text.encode()))
        link = tarfile.TarInfo("CHN_30_1975.txt")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/hostname"
        archive.addfile(link)
    return {"folder": plain, "zip": folder / "a.zip", "tgz": folder / "a.tgz"}


@pytest.mark.parametrize("kind", ["folder", "zip", "tgz"])
def test_the_archive_gives_the_speeches_whatever_its_form(tmp_path, kind):
    """A reader fetches the archive himself; nothing of it may be written anywhere but to the target."""
    inside = tmp_path / "a" / "b"
    inside.mkdir(parents=True)
    source = archives(inside)[kind]
    before = sorted(tmp_path.rglob("*"))
    told = debate.prepare(source, tmp_path / "out.jsonl")
    rows = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text("utf-8").splitlines()]
    assert rows[0] == {"nation": "CHN", "session": 28, "year": 1973, "text": "Mr. President,\r\nthe text."}
    assert rows[1]["text"] == "Bonjour é" and len(rows) == (2 if kind == "folder" else 3)
    assert told["speeches"] == len(rows) and not told["registered"] and "DEU 1973" in told["missing"]
    assert sorted(tmp_path.rglob("*")) == sorted([*before, tmp_path / "out.jsonl"])


def test_two_different_files_for_one_speech_are_refused(tmp_path):
    """Which of the two would be kept would depend on the order of files in the archive."""
    for folder, text in (("a", "One."), ("b", "Two.")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "CHN_28_1973.txt").write_text(text)
    with pytest.raises(UserError, match="another file for this speech"):
        debate.prepare(tmp_path, tmp_path / "out.jsonl")
    assert not (tmp_path / "out.jsonl").exists()


def test_what_is_no_archive_is_named(tmp_path):
    """A page saved instead of the file is the usual mistake."""
    (tmp_path / "page.html").write_text("<html>")
    for source, words in ((tmp_path / "page.html", "no folder, zip or tar file"), (tmp_path, "no speech in")):
        with pytest.raises(UserError, match=words):
            debate.prepare(source, tmp_path / "out.jsonl")
    (tmp_path / "CHN_28_1973.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserError, match=r"CHN_28_1973.txt is not UTF-8"):
        debate.prepare(tmp_path, tmp_path / "out.jsonl")


@with_data
def test_an_unchanged_archive_gives_the_registered_file(tmp_path):
    """Everybody who fetches the archive must get the very file that the tables were made from."""
    text = data.load(articles.SPEECHES).read_bytes().decode()
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for line in text.split("\n")[:-1]:
            row = json.loads(line)
            name = f"TXT/Session {row['session']} - {row['year']}/{row['nation']}_{row['session']}_{row['year']}.txt"
            archive.writestr(name, "\ufeff" + row["text"] + "\r\n")
    told = debate.prepare(tmp_path / "a.zip", tmp_path / "out.jsonl")
    assert told["registered"] and told["speeches"] == 260 and not told["missing"]
