"""models.yml: what stands in it is true to its word, and who adds a wrong line is told what is wrong."""

import http.server
import json
import re
import threading

import huggingface_hub.constants
import pytest

from whosevalues import UserError, models

NAMED = {
    "multicultural": "gemma-2-2b gemma-2-9b gemma-2-27b gpt-3.5-turbo gpt-4-turbo gpt-4o mistral-7b olmo-2-7b "
    "olmo-2-13b olmo-2-32b gpt-4.1 qwen2.5-0.5b qwen2.5-1.5b qwen2.5-3b qwen2.5-7b qwen2.5-14b qwen2.5-32b qwen2.5-72b",
    "mena": "llama-3.1-8b mistral-7b aya-8b fanar-9b allam-7b gpt-4o-mini gemini-2.5-flash-lite",
    "navab": "qwen2.5-7b qwen2.5-14b gpt-4",
}
COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def registry(tmp_path, monkeypatch):
    """A models.yml of the test's own: call it with its text."""
    monkeypatch.setattr(models, "FILE", tmp_path / "models.yml")
    monkeypatch.setattr(models, "RESOLVED", tmp_path / "resolved")
    models.load.cache_clear()
    yield models.FILE.write_text
    models.load.cache_clear()


@pytest.fixture
def hub(monkeypatch):
    """A hub on loopback whose newest commit of every model is the one in `hub.sha`."""

    class Hub(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            body = json.dumps({"id": "org/name", "sha": self.server.sha}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    server.sha = COMMIT
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    yield server
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("paper", NAMED)
def test_every_model_that_a_paper_names_can_be_asked_by_name(paper):
    """A reader who wants a paper's own models must not have to look up how each is reached."""
    assert all(paper in models.entry(name)["papers"] for name in NAMED[paper].split())


def test_every_line_is_listed_and_described_without_a_network(monkeypatch):
    """On a plane, and in a test without network, the list of models must be whole."""
    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", "http://127.0.0.1:9")
    for name in models.names():
        about = models.describe(name)
        assert about["name"] == name and len(about) > 2 and all(isinstance(value, str) for value in about.values())


def test_no_price_and_no_revision_without_a_source():
    """A number from memory would be believed: each stands with the address and the day where it was read."""
    for line in models.FILE.read_text(encoding="utf-8").splitlines():
        if commit := re.search(r"revision: ([0-9a-f]{40})\b", line):
            assert re.search(rf"# revision read at https://\S+{commit[1]} on 20\d\d-\d\d-\d\d", line), line
    for name in models.names():
        stated = models.price(name)
        assert stated is None or re.fullmatch(r"20\d\d-\d\d-\d\d", stated["date"])
        assert re.fullmatch("unresolved|[0-9a-f]{40}", models.entry(name).get("revision", "unresolved"))


def test_keys_are_named_and_never_written():
    """A key in a tracked file is a key lost: only the name of an environment variable may stand there."""
    for name in models.names():
        assert re.fullmatch(r"[A-Z_][A-Z0-9_]*", models.entry(name).get("key", "NONE"))


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("mine: {backend: hf}", "'mine' in models.yml lacks 'path', which the backend 'hf' needs"),
        ("mine: {backend: magic}", "'mine' in models.yml has backend 'magic': choose embedded, hf, api, scripted"),
        ("mine: just words", "'mine' in models.yml has backend 'None'"),
        ("mine: {backend: hf, path: a/b}", "'a/b' is no folder here.*`revision: <commit>` or `revision: unresolved`"),
        ("mine: {backend: hf, path: a/b, revison: x}", "unknown key 'revison': choose path, revision"),
        (
            "mine: {backend: hf, path: a/b, revision: 1234567}",
            "revision: 1234567, which is no text; write it in quotes",
        ),
        ("mine: {backend: hf, path: a/b, memory: a lot}", "memory: 'a lot', which is no whole number or number"),
        ("mine: {backend: api, model: m}", "lacks 'base_url', which the backend 'api' needs"),
        ("mine: {backend: scripted, price: cheap}", "has price: 'cheap'; write `unknown`, or {input:"),
        ("mine: {backend: scripted, price: {input: 1, output: 2}}", "write `unknown`, or {input:"),
        ("mine: {backend: scripted, price: {input: 1, output: -2, date: 2026-01-01, source: 'https://x'}}", "unknown`"),
        ("mine: {backend: scripted, price: {input: 1, output: 2, date: 2026-01-01, source: memory}}", "https://"),
        ("other: {backend: scripted}", "unknown model 'mine': models.yml has other; add a line"),
        ("", "models.yml is empty"),
        ("mine: [", "models.yml cannot be read"),
    ],
)
def test_a_wrong_line_is_named_with_what_is_wrong(registry, line, told):
    """Whoever adds a model must be told what its line lacks, and what may stand there instead."""
    registry(line)
    with pytest.raises(UserError, match=told):
        models.load("mine")


def test_a_misplaced_key_is_not_repeated(registry):
    """Messages end up in logs and tickets: what may be a secret has no place in them."""
    registry("mine: {backend: api, model: m, base_url: 'https://x/v1', key: 1234567890}")
    with pytest.raises(UserError, match="has key, which is no text") as error:
        models.entry("mine")
    assert "1234567890" not in str(error.value)


def test_a_model_is_one_object_and_its_price_is_told(registry):
    """A second load must not take the memory again; a price must come with its day."""
    priced = "{input: 1, output: 2.5, date: 2026-01-31, source: 'https://host/page'}"
    registry(f"good: {{backend: scripted, price: {priced}}}\nfree: {{backend: scripted, price: unknown}}")
    assert models.load("good") is models.load("good")
    assert models.price("good") == {"input": 1, "output": 2.5, "date": "2026-01-31", "source": "https://host/page"}
    assert models.price("free") is None


def test_the_line_reaches_the_model(registry, tmp_path):
    """A dtype or a memory budget that is not passed on would be believed to be in force."""
    registry(f"mine: {{backend: hf, path: {tmp_path}, dtype: bfloat16, memory: 8}}")
    loaded = models.load("mine")
    assert (loaded.wanted, loaded.memory, loaded.revision) == ("bfloat16", 8, None)


def test_a_folder_whose_weights_change_is_another_model(registry, tmp_path):
    """Retrained weights in the same folder must not be served the old model's answers."""
    weights = tmp_path / "model.safetensors"
    weights.write_bytes(b"before")
    registry(f"mine: {{backend: hf, path: {tmp_path}}}\n")
    before = models.load("mine").weights
    weights.write_bytes(b"after!")
    models.load.cache_clear()
    assert models.load("mine").weights != before


def test_a_revision_is_resolved_once_and_kept(registry, hub):
    """When the authors push new weights, answers of the old and the new model must not mix."""
    registry("mine: {backend: hf, path: org/name, revision: unresolved}")
    assert models.describe("mine")["revision"] == "unresolved"
    assert models.load("mine").revision == COMMIT
    assert COMMIT in models.load("mine").weights
    hub.sha = "f" * 40
    models.load.cache_clear()
    assert models.load("mine").revision == COMMIT
    about = json.loads((models.RESOLVED / "mine.json").read_text())
    assert about["path"] == "org/name" and about["date"].startswith("20")
    # The same name for another repository is another model.
    registry("mine: {backend: hf, path: org/other, revision: unresolved}")
    models.load.cache_clear()
    assert models.load("mine").revision == "f" * 40


def test_a_hub_out_of_reach_is_named_with_the_way_out(registry, monkeypatch):
    """Without a network the reader must learn what could not be asked for, and what to write instead."""
    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", "http://127.0.0.1:9")
    registry("mine: {backend: hf, path: org/name, revision: unresolved}")
    with pytest.raises(UserError, match="model 'mine': the newest revision of 'org/name' cannot .* write `revision:"):
        models.load("mine")
