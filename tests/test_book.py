"""The book as readers meet it: it opens offline, leaks nothing, and does not run what a model said."""

import contextlib
import functools
import http.server
import os
import re
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import nbformat
import pytest
import yaml

from whosevalues import ROOT

HTML = ROOT / "_build" / "html"
PAGES = sorted(str(p.relative_to(HTML)) for p in HTML.rglob("*.html") if "_static" not in p.parts)
MACHINE_PATH = re.compile(r"(?<![\w.:/~-])/(?:home|root|tmp|work|Users|github/workspace)/[\w.]")
API_KEY = re.compile(r"\bsk-[A-Za-z0-9_-]{20,}|\bhf_[A-Za-z0-9]{30,}|\bAIza[\w-]{30,}")
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"]
FLAGS += ["--disable-background-networking", "--disable-component-update"]
# No other machine is reached. To stop each request instead would keep what pages share from being cached.
FLAGS += ["--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"]
PAYLOAD = r'<img src=x onerror="pwned=1"><script>pwned=1</script> $\href{javascript:pwned=1}{x}$'

built = pytest.mark.skipif(not PAGES, reason="no _build/html: `make book` makes it")


def toc_files(entry):
    if isinstance(entry, list):
        return [file for part in entry for file in toc_files(part)]
    own = [entry[key] for key in ("root", "file") if key in entry]
    return own + [f for key in ("parts", "chapters", "sections") for f in toc_files(entry.get(key, []))]


def published_text():
    """Yield everything a visitor can open or download as text."""
    for name in PAGES:
        yield name, (HTML / name).read_text(encoding="utf-8")
    for file in sorted((HTML / "_sources").rglob("*")):
        if file.is_file():
            yield str(file.relative_to(HTML)), file.read_text(encoding="utf-8")


@contextlib.contextmanager
def serve(folder):
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            """Say nothing: requests are checked in the browser."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@contextlib.contextmanager
def visit(browser, url):
    """Open a page as a reader would; give it with a list of what went wrong meanwhile."""
    page, trouble = browser.new_page(), []
    # As long as a busy machine may take; nothing waits for it where all is well.
    page.set_default_timeout(240_000)

    def only_local(request):
        if not request.url.startswith(("http://127.0.0.1:", "data:", "blob:")):
            trouble.append(f"asks another server: {request.url}")

    page.on("request", only_local)
    page.on("console", lambda m: trouble.append(f"console: {m.text}") if m.type == "error" else None)
    page.on("pageerror", lambda error: trouble.append(f"script: {error}"))
    page.on("response", lambda r: trouble.append(f"{r.status}: {r.url}") if r.status >= 400 else None)
    page.goto(url, wait_until="networkidle")
    yield page, trouble
    page.close()


def comes(page, condition, seconds=30):
    """Whether something comes to be so: figures are drawn, and drawn anew, when the page is there already."""
    from playwright.sync_api import TimeoutError

    try:
        return bool(page.wait_for_function(condition, timeout=1000 * seconds))
    except TimeoutError:
        return False


@pytest.fixture(scope="module")
def browser():
    if CHROMIUM is None:
        pytest.skip("no chromium on this machine")
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser.new_context()
        browser.close()


@pytest.fixture(scope="module")
def site():
    with serve(HTML) as address:
        yield address


def executed(*cells):
    from nbclient import NotebookClient

    notebook = nbformat.v4.new_notebook(metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}})
    notebook.cells = list(cells)
    return NotebookClient(notebook).execute()


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """Address of a small book, made with the real settings, in which a model answered with an attack."""
    code, text = nbformat.v4.new_code_cell, nbformat.v4.new_markdown_cell
    folder = tmp_path_factory.mktemp("hostile")
    shutil.copy(ROOT / "_config.yml", folder)
    keep = shutil.ignore_patterns("notebooks", "_toc.yml", "*.md", "__pycache__")
    shutil.copytree(ROOT / "book", folder / "book", ignore=keep)
    toc = {"format": "jb-book", "root": "index", "chapters": [{"file": "shown"}, {"file": "as_html"}]}
    (folder / "book/_toc.yml").write_text(yaml.safe_dump(toc, sort_keys=False))
    (folder / "book/index.md").write_text("# A book\n\n$x^2$\n")
    shown = executed(
        text("# Shown"),
        code(
            "import pandas as pd\nfrom myst_nb import glue\n"
            f"said = {PAYLOAD!r}\npd.set_option('display.max_colwidth', None)\n"
            "glue('said', said, display=False)\nprint(said)\npd.DataFrame({'text': [said]}, index=[said])"
        ),
        code("{said: said}"),
        text("It said {glue:text}`said`, and $x^2$."),
    )
    nbformat.write(shown, folder / "book/shown.ipynb")
    as_html = executed(text("# As HTML"), code(f"from IPython.display import HTML\nHTML({PAYLOAD!r})"))
    nbformat.write(as_html, folder / "book/as_html.ipynb")
    build = [Path(sys.executable).with_name("jupyter-book"), "build", "book", "-W"]
    build += ["--config", "_config.yml", "--path-output", "."]
    done = subprocess.run(build, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    with serve(folder / "_build" / "html") as address:
        yield address


def test_every_chapter_in_the_table_of_contents_has_its_source():
    """A chapter without a committed source cannot be built, opened on Binder or changed by anyone."""
    toc = yaml.safe_load((ROOT / "book/_toc.yml").read_text())
    for name in toc_files(toc):
        source = ROOT / f"{name}.ipynb" if name.startswith("notebooks/") else ROOT / f"book/{name}.md"
        assert source.is_file(), f"{name} stands in book/_toc.yml, but there is no {source.relative_to(ROOT)}"


@built
def test_every_entry_in_the_table_of_contents_became_a_page():
    """A build that says it succeeded and publishes no chapter would go unnoticed for months."""
    expected = {f"{name}.html" for name in toc_files(yaml.safe_load((ROOT / "book/_toc.yml").read_text()))}
    assert expected <= set(PAGES), f"not built: {sorted(expected - set(PAGES))}"


@built
def test_the_pages_tell_nothing_about_the_machine_that_built_them():
    """Published names of users and folders are a leak, and make the book differ between machines."""
    for name, text in published_text():
        found = MACHINE_PATH.search(text)
        assert not found, f"{name}: ...{text[max(0, found.start() - 60) : found.end() + 40]}..."
        assert '"papermill"' not in text, f"{name} carries papermill's metadata"


@built
def test_the_pages_hold_no_key():
    """A key that was a parameter or was printed would be published with the page and its notebook."""
    keys = [value for name, value in os.environ.items() if name.endswith("_API_KEY") and len(value) > 7]
    for name, text in published_text():
        assert not API_KEY.search(text), f"{name} holds what looks like an API key"
        assert not any(key in text for key in keys), f"{name} holds the value of an *_API_KEY variable"


@built
@pytest.mark.parametrize("name", PAGES)
def test_a_page_opens_clean_without_a_network(browser, site, name):
    """Offline, or with third parties blocked, a reader sees every formula and picture, on a phone as well."""
    with visit(browser, f"{site}/{name}") as (page, trouble):
        if page.locator(".math").count():
            page.wait_for_selector("mjx-container", state="attached")  # it may be in a folded cell
            assert page.locator("mjx-merror").count() == 0, "a formula is shown as its source"
        broken = "[...document.images].filter(i => i.complete && !i.naturalWidth).map(i => i.src)"
        assert page.evaluate(broken) == []
        cut = "[...document.querySelectorAll('.js-plotly-plot')].some(e => e.querySelector('svg')?.clientWidth"
        assert comes(page, f"!{cut} !== e.clientWidth)"), "an interactive figure is cut off at its side"
        page.set_viewport_size({"width": 390, "height": 844})
        narrow = "document.documentElement.scrollWidth <= 390"
        assert comes(page, narrow), "the page scrolls sideways on a phone"
        assert trouble == []


@built
def test_a_reader_can_search_the_book(browser, site):
    """Without a working search nobody finds where a term is defined."""
    with visit(browser, f"{site}/search.html?q=persona") as (page, trouble):
        page.wait_for_selector("ul.search li a[href*='glossary']")
        assert trouble == []


def test_what_a_model_says_is_shown_and_never_run(browser, hostile):
    """A hostile answer must not run in a reader's browser: tabulated, printed, glued or searched for."""
    with visit(browser, f"{hostile}/shown.html") as (page, trouble):
        page.wait_for_selector("mjx-container", state="attached")  # it may be in a folded cell
        assert page.locator("article").inner_text().count("onerror=") >= 6  # print, table twice, repr twice, glue
        assert page.evaluate("typeof pwned") == "undefined"
        assert page.locator("a[href^='javascript']:not(.headerlink)").count() == 0
        assert trouble == []
    with visit(browser, f"{hostile}/search.html?q=onerror") as (page, trouble):
        page.wait_for_selector("ul.search li")
        assert page.evaluate("typeof pwned") == "undefined"
        assert trouble == []


def test_the_planted_attack_works_where_text_is_taken_for_html(browser, hostile):
    """If the attack were a dud, the test above would pass whatever the pages did."""
    with visit(browser, f"{hostile}/as_html.html") as (page, _):
        assert page.evaluate("typeof pwned") == "number"
