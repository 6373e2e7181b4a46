"""models.yml: what stands in it is true to its word, and who adds a wrong line is told what is wrong."""

import http.server
import json
import os
import re
import shutil
import subprocess
import sys
import threading

import huggingface_hub.constants
import pytest
import yaml
from conftest import REPOSITORY
from tiny import build

from whosevalues import UserError, models
from whosevalues.models import records

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
    monkeypatch.setattr(records, "FOLDER", tmp_path / "resolved")
    models.load.cache_clear()
    yield models.FILE.write_text
    models.load.cache_clear()


@pytest.fixture
def hub(monkeypatch):
    """A hub on loopback: the newest commit of every model is `hub.sha`, and its files are those of `hub.folder`."""

    class Hub(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            if self.server.moving:
                self.server.sha = f"{int(self.server.sha, 16) + 1:040x}"
            parts = self.path.partition("?")[0].split("/")
            if "tree" in parts:
                files = [
                    {"type": "file", "path": f.name, "size": f.stat().st_size, "oid": f.name} for f in self.files()
                ]
                return self.give(json.dumps(files).encode())
            if "resolve" in parts:
                found = [file for file in self.files() if file.name == parts[-1]]
                return self.give(found[0].read_bytes()) if found else self.send_error(404)
            files = [{"rfilename": file.name} for file in self.files()]
            return self.give(json.dumps({"id": "org/name", "sha": self.server.sha, "siblings": files}).encode())

        do_HEAD = do_GET

        def files(self):
            return sorted(self.server.folder.iterdir()) if self.server.folder else []

        def give(self, body):
            self.send_response(200)
            for name, value in {"Content-Length": len(body), "ETag": f'"{len(body)}"', "X-Repo-Commit": COMMIT}.items():
                self.send_header(name, str(value))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

        def log_message(self, *_):
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    server.sha, server.folder, server.moving = COMMIT, None, False
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
        ("mine: {backend: hf, path: a/b, dtype: bf16}", "has dtype: bf16; choose float32, bfloat16, float16"),
        ("mine: {backend: api, model: m}", "lacks 'base_url', which the backend 'api' needs"),
        ("mine: {backend: scripted, price: cheap}", "has price: 'cheap'; write `unknown`, or {input:"),
        ("mine: {backend: scripted, price: {input: 1, output: 2}}", "write `unknown`, or {input:"),
        ("mine: {backend: scripted, price: {input: 1, output: -2, date: 2026-01-01, source: 'https://x'}}", "unknown`"),
        ("mine: {backend: scripted, price: {input: 1, output: 2, date: 2026-01-01, source: ''}}", "source: <where"),
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


def test_a_folder_is_known_by_what_is_in_it(registry, tmp_path, monkeypatch):
    """Retrained weights must not be served the old model's answers, and a copied folder must not be asked again."""
    monkeypatch.setattr(records, "LARGE", 100)
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    for file, content in (("model.safetensors", b"before" * 100), ("config.json", b"{}"), ("README.md", b"notes")):
        (here / file).write_bytes(content)
    registry(f"mine: {{backend: hf, path: {here}}}\nmoved: {{backend: hf, path: {there}}}\n")
    before = models.load("mine").weights
    shutil.copytree(here, there, copy_function=shutil.copyfile)
    (there / "README.md").write_text("other notes")
    assert models.load("moved").weights == before
    for file, content in (("model.safetensors", b"after!" * 100), ("config.json", b"[]")):
        (there / file).write_bytes(content)
        models.load.cache_clear()
        assert models.load("moved").weights != before
        before = models.load("moved").weights


def test_large_files_are_read_once(registry, tmp_path, monkeypatch):
    """Hashing the weights of a large model takes minutes, which every command would take again."""
    monkeypatch.setattr(records, "LARGE", 100)
    (tmp_path / "model.safetensors").write_bytes(b"x" * 1000)
    first = records.contents(tmp_path)
    monkeypatch.setattr(records.hashlib, "file_digest", None)
    assert records.contents(tmp_path) == first


def test_a_revision_is_resolved_once_and_kept(registry, hub):
    """When the authors push new weights, answers of the old and the new model must not mix."""
    registry("mine: {backend: hf, path: org/name, revision: unresolved}")
    assert models.describe("mine")["revision"] == "unresolved"
    assert models.load("mine").revision == COMMIT
    assert COMMIT in models.load("mine").weights
    hub.sha = "f" * 40
    models.load.cache_clear()
    assert models.load("mine").revision == COMMIT
    about = json.loads((records.FOLDER / "mine.json").read_text())
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


def test_one_process_settles_a_revision_for_all(registry, hub):
    """Two jobs that start at once, while the authors push, must measure the same model."""
    code = (
        "import sys; from pathlib import Path; from whosevalues.models import records; "
        "records.FOLDER = Path(sys.argv[1]); print(records.revision('mine', 'org/name'))"
    )
    # The hub has a newer commit at every request.
    hub.moving = True
    environment = {**os.environ, "HF_ENDPOINT": f"http://127.0.0.1:{hub.server_port}"}
    jobs = [
        subprocess.Popen([sys.executable, "-c", code, str(records.FOLDER)], env=environment, stdout=subprocess.PIPE)
        for _ in range(3)
    ]
    told = {job.communicate(timeout=600)[0] for job in jobs}
    assert len(told) == 1 and len(told.pop().strip()) == 40
    assert [file.name for file in records.FOLDER.iterdir()] == ["mine.json"]


@pytest.mark.parametrize(
    "text", ["{", "[]x", '{"path": "org/name"}', '{"path": "org/name", "revision": 1, "date": "x"}']
)
def test_a_damaged_record_is_named(registry, text):
    """A record that a full disk cut off must not pass for none: the newest revision may be another model by now."""
    registry("mine: {backend: hf, path: org/name, revision: unresolved}")
    records.FOLDER.mkdir()
    (records.FOLDER / "mine.json").write_text(text)
    with pytest.raises(UserError, match="mine.json of model 'mine' is damaged: .* or remove the file"):
        models.load("mine")


@pytest.mark.parametrize("page", ["your_model.md", "cluster.md"])
def test_what_the_book_tells_to_write_is_right(registry, tmp_path, page):
    """A reader copies these lines: each must be taken as it stands."""
    blocks = re.findall(r"```yaml\n(.*?)```", (REPOSITORY / "book" / page).read_text(encoding="utf-8"), re.DOTALL)
    assert blocks
    for block in blocks:
        registry(block)
        for name in yaml.safe_load(block):
            assert models.entry(name)
            models.price(name)


PREPARE = """
import sys
from pathlib import Path
from whosevalues import models
from whosevalues.models import records
models.FILE, records.FOLDER = Path(sys.argv[1]), Path(sys.argv[2])
print(models.at_hand("mine"))
print(models.prepare("mine"))
print(models.at_hand("mine"))
"""


def test_preparing_fetches_all_that_a_run_needs(tmp_path, hub):
    """Compute nodes often have no network: what is not fetched on the head node fails there, hours later."""
    build(tmp_path / "served")
    for unused in ("pytorch_model.bin", "model.gguf", "consolidated.safetensors"):
        (tmp_path / "served" / unused).write_bytes(b"the same weights once more")
    hub.folder = tmp_path / "served"
    (tmp_path / "models.yml").write_text("mine: {backend: hf, path: org/name, revision: unresolved}")
    own = {"HF_HOME": str(tmp_path / "home"), "HF_ENDPOINT": f"http://127.0.0.1:{hub.server_port}"}
    command = [sys.executable, "-c", PREPARE, str(tmp_path / "models.yml"), str(tmp_path / "records")]
    done = subprocess.run(command, env={**os.environ, **own}, capture_output=True, text=True, timeout=600)
    assert done.stdout.splitlines() == ["False", f"org/name {COMMIT}", "True"], done.stderr
    fetched = {file.name for file in (tmp_path / "home").rglob(f"snapshots/{COMMIT}/*")}
    assert {"config.json", "model.safetensors", "tokenizer.json"} <= fetched
    assert not fetched & {"pytorch_model.bin", "model.gguf", "consolidated.safetensors"}


def test_preparing_says_what_is_missing(registry, tmp_path, monkeypatch):
    """Whoever prepares a run must learn now what would stop it later, and how to mend it."""
    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", "http://127.0.0.1:9")
    # The hub's client tries again and again, ever later.
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    registry(
        f"fixed: {{backend: hf, path: org/name, revision: {COMMIT}}}\nfolder: {{backend: hf, path: {tmp_path}}}\n"
        "keyed: {backend: api, model: m, base_url: 'https://x/v1', key: MY_KEY}\n"
        "open: {backend: api, model: m, base_url: 'https://x/v1'}\nnone: {backend: scripted}\n"
    )
    with pytest.raises(UserError, match=f"'org/name' at revision {COMMIT} cannot be fetched from here .*: run this"):
        models.prepare("fixed")
    with pytest.raises(UserError, match="model 'folder': .* correct its line in models.yml"):
        models.prepare("folder")
    monkeypatch.delenv("MY_KEY", raising=False)
    with pytest.raises(UserError, match="model 'keyed' needs its key in the environment: run `export MY_KEY=...`"):
        models.prepare("keyed")
    monkeypatch.setenv("MY_KEY", "secret-of-mine")
    assert models.prepare("keyed") == "the environment has MY_KEY"
    assert (models.prepare("open"), models.prepare("none")) == ("needs no key", "needs nothing")
