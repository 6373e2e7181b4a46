"""What goes wrong between us and a server, and what it means: wait, give up on a question, or stop and say why."""

from __future__ import annotations

import re
import time
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from .. import UserError

if TYPE_CHECKING:
    from .endpoint import Endpoint

ATTEMPTS = 8
"""How often a question is put in all: with waits of 0.5, 1, 2 ... 32 seconds, past any limit per minute."""

TIMEOUTS = 3
"""How often when the server is too slow: it may go on writing, and be paid, after we have turned away."""

LONGEST_WAIT = 300.0
"""Seconds. A server that asks for more has a limit per hour or day: the run stops and says so."""

COMPLAINT = r"unsupported|not support|n't support|unrecogni[sz]ed|unknown|not allowed|not permitted|extra (input|field)"
"""How servers say that they do not take a parameter, in lower case."""


class Failed(Exception):
    """One question got no usable answer; the next may."""


class Stopped(Failed):
    """A question was not put, because another one met a reason to stop."""


class Malformed(Failed):
    """The server said something that is no chat completion."""


class Refused(UserError):
    """The server does not take a parameter, which stands in `parameter`."""

    def __init__(self, message: str, parameter: str):
        super().__init__(message)
        self.parameter = parameter


def outcome(error: Exception, endpoint: Endpoint, parameters: dict[str, Any]) -> Exception:
    """Say what an error means.

    Parameters
    ----------
    error : what the last attempt raised.
    endpoint : who was asked.
    parameters : of the chat completion.

    Returns
    -------
    Failed, for this question alone; UserError, where no answer can be expected until the user has mended something;
    the error itself where it is none of the server's. None of them carries the key.
    """
    import openai

    who = f"model '{endpoint.name}' at {endpoint.address}"
    if isinstance(error, openai.APIConnectionError) and _unreachable(error):
        return UserError(
            f"{who}: nobody answers there; start the server or correct base_url in models.yml, then run the same "
            "command again: it continues"
        )
    if isinstance(error, openai.APITimeoutError):
        return Failed(f"no answer within {endpoint.timeout:g} seconds")
    if isinstance(error, openai.APIConnectionError):
        return Failed(f"the connection broke ({type(error.__cause__).__name__})")
    if isinstance(error, openai.APIStatusError):
        return _status(error, endpoint, parameters, who)
    if isinstance(error, openai.OpenAIError):
        return Failed(endpoint.scrub(f"{type(error).__name__}: {error}")[:300])
    return error


def _status(error, endpoint: Endpoint, parameters: dict[str, Any], who: str) -> Exception:
    code = error.status_code
    said = " ".join(endpoint.scrub(_said(error)).split())[:300]
    refused = next((name for name in _named(error, parameters)), None)
    if code in (400, 403, 422) and refused:
        way = f"add `without: [{refused}]` to its line in models.yml"
        return Refused(f"{who} does not take '{refused}' ({code}: {said}): {way}", refused)
    if code == 401 or (code == 400 and "api key" in said.lower()):
        variable = f"put a valid one into {endpoint.variable}" if endpoint.variable else "name its variable in `key`"
        return UserError(f"{who} does not accept the key ({code}: {said}): {variable}")
    if code == 403:
        return UserError(f"{who} forbids this ({code}: {said}): ask its owner for access, or choose another model")
    if code == 404:
        return UserError(
            f"{who} knows no '{endpoint.model}', or not this address ({code}: {said}): correct `model` or `base_url` "
            "in models.yml; the address usually ends in /v1"
        )
    if _spent(error):
        return UserError(f"{who}: the account has no money left ({code}: {said}): top it up, then run again")
    if code == 429:
        asked = _retry_after(error)
        limit = f"asks to wait {asked:.0f} seconds" if asked else f"still refuses after {ATTEMPTS} attempts"
        return UserError(f"{who} {limit} ({code}: {said}): run again later, or lower `concurrency` in models.yml")
    if code in (502, 503, 504):
        return UserError(f"{who} is not available ({code}: {said}): run the same command again when it is")
    return Failed(f"{code}: {said}")


def passes(error: BaseException) -> bool:
    """Whether the same request may succeed in a moment."""
    import openai

    if isinstance(error, openai.APIStatusError):
        busy = error.status_code in (408, 409, 429) or error.status_code >= 500
        return busy and not _spent(error) and _retry_after(error) <= LONGEST_WAIT
    return isinstance(error, openai.APIConnectionError | Malformed)


def patience(state) -> float:
    """Seconds until the next attempt, given tenacity's state: what the server asks for, or ever more."""
    from tenacity import wait_exponential_jitter

    # Added to what the server asks for, the jitter keeps requests that it turned away together from returning together.
    backoff = wait_exponential_jitter(multiplier=0.5, max=32, jitter=0.5)(state)
    asked = _retry_after(state.outcome.exception())
    return asked + backoff / 4 if asked else backoff


def enough(state, attempts: int | None) -> bool:
    """Whether this was the last attempt, given tenacity's state and how many are allowed."""
    import openai

    slow = isinstance(state.outcome.exception(), openai.APITimeoutError)
    most = attempts or ATTEMPTS
    return state.attempt_number >= (min(TIMEOUTS, most) if slow else most)


def _retry_after(error: BaseException | None) -> float:
    """Seconds that the server asks us to wait; 0 where it does not say."""
    headers = getattr(getattr(error, "response", None), "headers", {})
    for name, unit in (("retry-after-ms", 1000), ("retry-after", 1)):
        said = headers.get(name)
        if said is None:
            continue
        try:
            return max(float(said) / unit, 0.0)
        except ValueError:
            pass
        try:
            return max(parsedate_to_datetime(said).timestamp() - time.time(), 0.0)
        except (ValueError, TypeError):
            pass
    return 0.0


def _said(error) -> str:
    body = error.body if isinstance(error.body, dict) else {}
    return str(body.get("message") or error.message)


def _spent(error) -> bool:
    words = f"{error.code} {error.type} {error.message}".lower()
    return error.status_code == 402 or (error.status_code == 429 and "insufficient_quota" in words)


def _unreachable(error) -> bool:
    return type(error.__cause__).__name__ in ("ConnectError", "ConnectTimeout", "ProxyError", "UnsupportedProtocol")


def _named(error, parameters: dict[str, Any]) -> list[str]:
    """Parameters of ours that the server's complaint is about."""
    words = f"{error.code} {error.type} {error.message}".lower()
    if not re.search(COMPLAINT, words):
        return []
    return [name for name in parameters if name == error.param or re.search(rf"\b{name}\b", words)]
