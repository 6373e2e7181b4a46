"""Real OpenAI-compatible servers on loopback that serve the embedded model, and a proxy that makes them fail.

The servers run in the same environment as the tests; where their packages are elsewhere, WHOSEVALUES_SERVER_PYTHON
names the interpreter that has them.
"""

import json
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

PYTHON = os.environ.get("WHOSEVALUES_SERVER_PYTHON", sys.executable)
KEY = "sk-loopback-0123456789abcdef"
"""The key that the llama.cpp server asks for."""

ALIAS = "smollm2"


@contextmanager
def llama(gguf: Path) -> Iterator[str]:
    """Serve a GGUF file with llama.cpp, chat and log-probabilities; yields its base URL."""
    _need("llama_cpp.server", "sse_starlette")
    options = ["--model", str(gguf), "--model_alias", ALIAS, "--logits_all", "true", "--n_ctx", "2048"]
    # One thread: the same numbers on any machine, and the second core is for the tests.
    options += ["--n_threads", "1", "--n_threads_batch", "1", "--api_key", KEY, "--verbose", "false"]
    with _serving([PYTHON, "-m", "llama_cpp.server", *options, "--host", "127.0.0.1", "--port"]) as url:
        yield url


@contextmanager
def transformers() -> Iterator[str]:
    """Start `transformers serve`, chat only, for any folder that a request names as its model; yields its base URL."""
    _need("fastapi", "uvicorn", "transformers")
    command = "from transformers.cli.transformers import main; main()"
    with _serving([PYTHON, "-c", command, "serve", "--device", "cpu", "--host", "127.0.0.1", "--port"]) as url:
        yield url


def _need(*modules: str) -> None:
    test = subprocess.run([PYTHON, "-c", f"import {', '.join(modules)}"], capture_output=True, text=True)
    if test.returncode:
        reason = test.stderr.strip().splitlines()[-1]
        pytest.skip(f"{reason}: install requirements-server.lock, or set WHOSEVALUES_SERVER_PYTHON")


@contextmanager
def _serving(command: list[str]) -> Iterator[str]:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    with subprocess.Popen(
        [*command, str(port)], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        said = deque(maxlen=40)
        threading.Thread(target=lambda: said.extend(process.stdout), daemon=True).start()
        try:
            deadline = time.monotonic() + 120
            while not _answers(f"{url}/v1/models"):
                assert process.poll() is None and time.monotonic() < deadline, "no server:\n" + "".join(said)
                time.sleep(0.2)
            yield f"{url}/v1"
        finally:
            process.kill()


def free_port() -> int:
    """Find a port where nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _answers(url: str) -> bool:
    try:
        urllib.request.urlopen(urllib.request.Request(url, headers={"Authorization": f"Bearer {KEY}"}), timeout=2)
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


@dataclass
class Fault:
    """What happens to one request instead of, or beside, its being passed on.

    Attributes
    ----------
    status : answer with this status and do not ask the server.
    headers, body : of that answer, or of the server's where status is None and body is set.
    delay : seconds before anything else.
    cut : 'before' or 'within' the answer, the connection is closed.
    """

    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    body: str | None = None
    delay: float = 0.0
    cut: str | None = None


class Proxy:
    """Between a client and a real server: counts, delays, breaks.

    Attributes
    ----------
    faults : one is taken by each request, until there are none.
    always : applied when there are none.
    asked, headers : bodies and headers of all requests that arrived, in their order.
    answered : how many got the server's own answer, by prompt.
    most : requests under way at once, at most.
    change : rewrites a request's body before it is passed on.
    speak : answers a request's body in the server's place, as no real model can be made to do when it suits a test.
    """

    def __init__(self, upstream: str):
        self.upstream = upstream
        self.faults: deque[Fault] = deque()
        self.always = Fault()
        self.change: Callable[[dict], dict] = lambda body: body
        self.speak: Callable[[dict], dict] | None = None
        self.asked: list[dict] = []
        self.headers: list[dict] = []
        self.answered: Counter[str] = Counter()
        self.under_way = self.most = 0
        self.lock = threading.Lock()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        """Where clients ask."""
        return f"http://127.0.0.1:{self.server.server_port}/v1"

    def close(self) -> None:
        """Stop listening."""
        self.server.shutdown()
        self.server.server_close()

    def forward(self, path: str, body: dict, headers: dict[str, str]) -> tuple[int, bytes]:
        """Ask the server."""
        if self.speak:
            return 200, json.dumps(self.speak(body)).encode()
        data = json.dumps(self.change(body)).encode()
        request = urllib.request.Request(self.upstream.removesuffix("/v1") + path, data, headers)
        try:
            with urllib.request.urlopen(request, timeout=120) as reply:
                return reply.status, reply.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    def _handler(proxy):
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                with proxy.lock:
                    proxy.asked.append(body)
                    proxy.headers.append(dict(self.headers))
                    proxy.under_way += 1
                    proxy.most = max(proxy.most, proxy.under_way)
                    fault = proxy.faults.popleft() if proxy.faults else proxy.always
                left = False
                try:
                    left = self._answer(body, fault)
                except OSError:
                    self.close_connection = True
                finally:
                    if not left:
                        self._leave()

            def _leave(self):
                with proxy.lock:
                    proxy.under_way -= 1

            def _answer(self, body, fault) -> bool:
                time.sleep(fault.delay)
                if fault.cut == "before":
                    self.close_connection = True
                    return False
                status, text = fault.status or 200, fault.body
                if text is None and fault.status is None:
                    headers = {"Content-Type": "application/json", "Authorization": self.headers["authorization"]}
                    status, raw = proxy.forward(self.path, body, headers)
                    with proxy.lock:
                        proxy.answered[body["messages"][0]["content"]] += status == 200 and not fault.cut
                else:
                    raw = (text or "{}").encode()
                self.send_response(status)
                for name, value in ({"Content-Type": "application/json"} | fault.headers).items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(raw)))
                self.end_headers()
                # Counted out before the client can know that it may send the next one.
                self._leave()
                self.wfile.write(raw[: len(raw) // 2] if fault.cut == "within" else raw)
                self.close_connection = fault.cut == "within"
                return True

        return Handler


@contextmanager
def proxy(upstream: str) -> Iterator[Proxy]:
    """Put a proxy before a server."""
    between = Proxy(upstream)
    try:
        yield between
    finally:
        between.close()
