"""Released data are never trusted: each way of going wrong has its own message."""

import hashlib
import shutil

import pandas as pd
import pytest

from whosevalues import UserError, data, results

PATH = "multicultural/head-2025-08/country_languages.csv"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A local folder of released data that holds one file, with the registry saying so."""
    content = b"cntry_AN,lnge_iso\nDK,da\n"
    file = tmp_path / PATH
    file.parent.mkdir(parents=True)
    file.write_bytes(content)
    entry = {
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "licence": "MIT",
        "url": "https://x.org/f",
    }
    table = pd.DataFrame([{"path": PATH, **entry, "citation": "x"}]).set_index("path")
    monkeypatch.setattr(data, "registry", lambda: table)
    monkeypatch.setenv("WHOSEVALUES_DATA", str(tmp_path))
    return tmp_path


def test_a_local_copy_is_used_and_checked_every_time(folder):
    """A file that changed after the first load must not slip into the second."""
    assert data.load(PATH).read_text().startswith("cntry_AN")
    (folder / PATH).write_text("cntry_AN,lnge_iso\nDK,sv\n")
    with pytest.raises(UserError, match="country_languages.csv .* is not the released file .* replace it with https"):
        data.load(PATH)


def test_a_missing_file_says_where_it_belongs(folder):
    """Whoever names an incomplete folder must learn which file to put there."""
    shutil.rmtree(folder / "multicultural")
    with pytest.raises(
        data.DataUnavailable, match="country_languages.csv is not in the folder that WHOSEVALUES_DATA names"
    ):
        data.load(PATH)


def test_no_network_says_what_to_do(monkeypatch, tmp_path):
    """Offline, the message must name the way out; nothing half-fetched may stay."""
    import pooch

    monkeypatch.delenv("WHOSEVALUES_DATA", raising=False)
    monkeypatch.setattr(pooch, "os_cache", lambda name: tmp_path)
    table = data.registry().copy()
    table["url"] = "http://127.0.0.1:9/nobody-listens"
    monkeypatch.setattr(data, "registry", lambda: table)
    with pytest.raises(data.DataUnavailable, match="cannot fetch .*connect to the network, or name a folder"):
        data.load(PATH)
    assert not [file for file in tmp_path.rglob("*") if file.is_file()]


@pytest.fixture
def served(monkeypatch, tmp_path):
    """A server on this machine that sends what a test tells it to, and a registry of one file that lies there."""
    import threading
    from http.server import BaseHTTPRequestHandler, HTTPServer

    import pooch

    class Sender(BaseHTTPRequestHandler):
        content = b""

        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(self.content)

        def log_message(self, *args):
            """Keep quiet."""

    server = HTTPServer(("127.0.0.1", 0), Sender)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.delenv("WHOSEVALUES_DATA", raising=False)
    monkeypatch.setattr(pooch, "os_cache", lambda name: tmp_path)
    table = data.registry().copy()
    table["url"] = f"http://127.0.0.1:{server.server_port}/f"
    monkeypatch.setattr(data, "registry", lambda: table)
    yield Sender, table
    server.shutdown()


def test_a_changed_file_on_the_way_is_refused(served):
    """What a proxy or a moved tag sends instead of the released file must never be analysed."""
    sender, _ = served
    sender.content = b"please log in"
    with pytest.raises(UserError, match="was fetched but its sha256 is not"):
        data.load(PATH)


def test_an_excerpt_is_cut_from_its_checked_source(served):
    """The first lines of a large file must be the same as in a local copy, and a changed source must not be cut."""
    sender, table = served
    sender.content = b"one\ntwo\nthree\n"
    entry = {"lines": 2, "sha256": hashlib.sha256(b"one\ntwo\n").hexdigest()}
    for name, value in (entry | {"source_sha256": hashlib.sha256(sender.content).hexdigest()}).items():
        table.loc[PATH, name] = value
    assert data.load(PATH).read_bytes() == b"one\ntwo\n"
    data.load(PATH).write_bytes(b"torn")
    assert data.load(PATH).read_bytes() == b"one\ntwo\n"
    table.loc[PATH, "source_sha256"] = "0" * 64
    with pytest.raises(UserError, match="was fetched but its sha256 is not"):
        data.load(PATH)


def test_an_unknown_file_shows_the_nearest():
    """A misspelt path must show what could have been meant."""
    with pytest.raises(UserError, match="unknown data file .*country_languages.csv"):
        data.load("multicultural/head/country_languages.csv")
    with pytest.raises(UserError, match="unknown paper 'multi': the registry has files of mena, multicultural, navab"):
        data.fetch("multi")


def test_a_table_without_its_columns_is_named(folder):
    """A file that is no table of the expected form must end in a message, not in a KeyError chapters later."""
    assert data.read_csv(PATH, {"lnge_iso": str})["lnge_iso"].tolist() == ["da"]
    with pytest.raises(UserError, match="country_languages.csv is not the table it should be: .*pro_score"):
        data.read_csv(PATH, {"pro_score": float})


def test_registry_entries_are_complete():
    """Every released file needs its licence, its citation and an address that cannot move."""
    table = data.registry()
    excerpts = table.pop("lines").notna()
    assert (table.pop("source_sha256").notna() == excerpts).all(), "an excerpt is checked against its source"
    assert table.notna().all(axis=None) and table.index.is_unique
    assert table["sha256"].str.fullmatch("[0-9a-f]{64}").all()
    pinned = table["url"].str.contains("/[0-9a-f]{40}/") | table["url"].str.startswith("https://doi.org/")
    assert pinned.all(), "an address is neither pinned to a commit nor a DOI"


def test_without_data_the_stored_table_is_shown_and_says_so(folder, monkeypatch, tmp_path, capsys):
    """On a fresh machine without a network the book must still build, and not pass old numbers for new ones."""
    monkeypatch.setattr(results, "BUILT", tmp_path / "built")
    monkeypatch.setattr(results, "TRACKED", tmp_path / "tracked")
    monkeypatch.setenv(results.RUNNER, "1")
    table = pd.DataFrame({"term": ["a"], "value": [1 / 3]})
    first = results.replay("p/q", lambda: table, needs=[PATH])
    assert first.attrs["origin"] == "computed" and first["value"].item() == 0.333333
    assert results.refresh() == ["p/q"]
    assert results.refresh() == [], "an unchanged result must give no diff"

    shutil.rmtree(folder / "multicultural")
    shown = results.replay("p/q", lambda: pytest.fail("there is nothing to compute from"), needs=[PATH])
    assert shown.attrs["origin"] == "stored" and shown["value"].item() == 0.333333
    said = capsys.readouterr().out
    about = first.attrs["provenance"]
    assert "Stored table" in said and about["date"][:10] in said and about["commit"] in said
    assert data.registry().loc[PATH, "sha256"][:8] in said
    assert results.refresh() == [], "a stored table is no new result"
    with pytest.raises(data.DataUnavailable):
        results.replay("p/never", lambda: table, needs=[PATH])
