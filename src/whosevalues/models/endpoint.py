"""One OpenAI-compatible server: many requests at once, patience with what passes, a clear stop for what does not."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextlib import suppress
from functools import cached_property
from itertools import islice
from threading import Event
from typing import Any
from urllib.parse import urlsplit

from .. import UserError
from .base import Answer, Answers
from .faults import Failed, Malformed, Refused, Stopped, enough, outcome, passes, patience

SECRET = 8
"""Characters from which a key is a secret; shorter ones are placeholders such as 'EMPTY', and ordinary words."""


class Endpoint:
    """A server, one of its models, and how to talk to them.

    Parameters
    ----------
    name : of the model in models.yml, for messages.
    base_url : address, usually ending in /v1.
    model : its name at the server.
    key : name of the environment variable that holds the key; None for a server that asks for none.
    timeout : seconds to wait for one answer, > 0.

    Raises
    ------
    UserError : an address that is none or carries a secret; a key where its variable's name belongs.
    """

    def __init__(self, name: str, base_url: str, model: str, key: str | None = None, timeout: float = 300.0):
        self.name, self.model, self.timeout, self.variable, self._url = name, model, timeout, key, base_url
        self.halt = Event()
        try:
            parts = urlsplit(base_url)
            port = f":{parts.port}" if parts.port else ""
        except ValueError:
            parts, port = urlsplit(""), ""
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise UserError(f"model '{name}' in models.yml: base_url is no address such as https://host.org/v1")
        if parts.username or parts.password or parts.query or parts.fragment:
            raise UserError(
                f"model '{name}' in models.yml: base_url carries a user, a password or a query; write the bare address "
                "and name in `key` the environment variable that holds the key"
            )
        self.address = f"{parts.scheme}://{parts.hostname}{port}{parts.path.rstrip('/')}"
        # What is no variable's name may be the key itself, so the message must not repeat it.
        if key is not None and not re.fullmatch(r"[A-Z_][A-Z0-9_]*", key):
            raise UserError(
                f"model '{name}' in models.yml: `key` is the NAME of an environment variable in capitals, such as "
                "OPENAI_API_KEY; the key itself never stands in a file"
            )

    def __repr__(self) -> str:
        return f"Endpoint({self.address!r}, {self.model!r})"

    @cached_property
    def _key(self) -> str | None:
        if self.variable is None:
            return None
        key = os.environ.get(self.variable, "").strip()
        if not key or not key.isascii() or not key.isprintable():
            raise UserError(
                f"model '{self.name}' needs its key in the environment: run `export {self.variable}=...` with the key "
                f"that {self.address} gave you, then the same command again"
            )
        return key

    @cached_property
    def _client(self):
        import openai

        # Left out, these two would come from the environment and reach servers that they are not meant for.
        strangers = {"OpenAI-Organization": openai.omit, "OpenAI-Project": openai.omit}
        return openai.OpenAI(
            base_url=self._url,
            api_key=self._key or "none",
            timeout=openai.Timeout(self.timeout, connect=min(10.0, self.timeout)),
            max_retries=0,
            default_headers=strangers,
        )

    def scrub(self, value: Any) -> Any:
        """Take the key out of anything that will be shown or written.

        Parameters
        ----------
        value : text, or lists and dictionaries of texts.

        Returns
        -------
        The same with three asterisks for the key.
        """
        if self.variable is None or len(self._key) < SECRET:
            return value
        if isinstance(value, str):
            return value.replace(self._key, "***")
        if isinstance(value, list | tuple):
            return [self.scrub(part) for part in value]
        if isinstance(value, dict):
            return {self.scrub(name): self.scrub(part) for name, part in value.items()}
        return value

    def each(self, ask: Callable[..., dict[str, Any]], questions: Iterable[tuple], limit: int) -> Answers:
        """Put questions at once, and yield each answer as it comes.

        Parameters
        ----------
        ask : called with a question's parts in a thread; raises Failed where there is no answer.
        questions : pulled one by one, never more than `limit` ahead of the answers.
        limit : so many are under way at once, >= 1.

        Yields
        ------
        (position, answer), in the order in which they come.

        Raises
        ------
        UserError : something the user must mend, after everything that was under way has been yielded.
        """
        self.halt = Event()
        _ = self._client  # made here, once: threads would make one each
        numbered, under_way, stop = enumerate(questions), {}, None
        with ThreadPoolExecutor(limit) as pool:
            try:
                while True:
                    for position, question in islice(numbered, 0 if stop else limit - len(under_way)):
                        under_way[pool.submit(ask, *question)] = position
                    if not under_way:
                        break
                    for future in wait(under_way, return_when=FIRST_COMPLETED).done:
                        position = under_way.pop(future)
                        try:
                            answer = future.result()
                        except Stopped:
                            continue
                        except Failed as error:
                            answer = {"error": str(error)}
                        except UserError as error:
                            stop = stop or error
                            self.halt.set()
                            continue
                        yield position, self.scrub(answer)
            finally:
                # Whoever waits to try again need not, once nobody waits for the answer.
                self.halt.set()
        if stop:
            raise stop

    def chat(self, prompt: str, attempts: int | None = None, **parameters: Any):
        """Put one prompt, again and again while what stands in the way passes.

        Parameters
        ----------
        prompt : the user's message.
        attempts : how often in all; faults.ATTEMPTS by default.
        parameters : of the chat completion.

        Returns
        -------
        The chat completion, with at least one choice that has a message.

        Raises
        ------
        Failed : no usable answer to this question.
        UserError : no answer to any question can be expected until the user has mended something.
        """
        from tenacity import Retrying, retry_if_exception, sleep_using_event

        policy = Retrying(
            retry=retry_if_exception(passes),
            wait=patience,
            stop=lambda state: enough(state, attempts),
            sleep=sleep_using_event(self.halt),
            reraise=True,
        )
        try:
            return policy(self._send, prompt, parameters)
        except Exception as error:
            raised = outcome(error, self, parameters)
        if isinstance(raised, UserError) and not isinstance(raised, Refused):
            # At once, before another question that waited for this one can knock at the same door.
            self.halt.set()
        # Raised out here, it carries no request along, nor its headers.
        raise raised

    def _send(self, prompt: str, parameters: dict[str, Any]):
        if self.halt.is_set():
            raise Stopped("the run stopped before this question was answered")
        messages = [{"role": "user", "content": prompt}]
        try:
            reply = self._client.chat.completions.create(model=self.model, messages=messages, **parameters)
        except json.JSONDecodeError:
            raise Malformed("the server's answer is no JSON") from None
        choices = getattr(reply, "choices", None)
        if not isinstance(choices, list) or not choices or any(getattr(c, "message", None) is None for c in choices):
            raise Malformed("the server's answer is no chat completion")
        return reply


def spoken(choice) -> str:
    """Text of a completion's choice, a refusal in a field of its own too; empty where the model said nothing."""
    return choice.message.content or getattr(choice.message, "refusal", None) or ""


def account(replies: Sequence[Any]) -> Answer:
    """Add up what some requests took.

    Parameters
    ----------
    replies : chat completions, at least one.

    Returns
    -------
    `prompt_tokens` and `completion_tokens` of all, None where the server does not say; `served`, who answered last.
    """
    counts: dict[str, int | None] = {}
    for name in ("prompt_tokens", "completion_tokens"):
        known = [getattr(reply.usage, name, None) for reply in replies]
        counts[name] = sum(known) if all(isinstance(one, int) for one in known) else None
    last, served = replies[-1], []
    with suppress(AttributeError):
        served = [str(one) for one in (last.model, last.system_fingerprint) if one]
    return counts | {"served": " ".join(served) or None}
