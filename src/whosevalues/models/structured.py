"""Answers in a given form: instruct, validate, let the model mend its answer once.

Whether a server takes a schema, ignores it or chokes on it, what comes back is validated here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any

from .base import Answer, Answers, Decoding, Model

DECODING = Decoding(max_tokens=512)
"""Greedy, and long enough for a list of a few dozen judgements."""

WINDOW = 64
"""Questions that a model without a server gets at once: enough to fill its batches."""


def instruct(prompt: str, schema: dict[str, Any]) -> str:
    """Ask for JSON of a given form.

    Parameters
    ----------
    prompt : the question.
    schema : JSON schema of the answer.

    Returns
    -------
    The prompt with the schema and the request to say nothing else.
    """
    form = json.dumps(schema, ensure_ascii=False)
    return f"{prompt}\n\nAnswer with JSON only, no other words, that is valid against this JSON schema:\n{form}"


def amend(prompt: str, schema: dict[str, Any], text: str, reason: str) -> str:
    """Ask again, showing what was wrong.

    Parameters
    ----------
    prompt : the question.
    schema : JSON schema of the answer.
    text : the answer that does not fit.
    reason : why it does not.

    Returns
    -------
    The same request with the answer and the error below it.
    """
    return f"{instruct(prompt, schema)}\n\nYour answer was:\n{text}\n\nIt is not valid: {reason}\nCorrected JSON:"


def parse(text: str, schema: dict[str, Any]) -> Any:
    """Find the JSON value in a text and validate it.

    Parameters
    ----------
    text : bare JSON, or JSON in a fence or among words; the first value that is complete counts.
    schema : JSON schema.

    Returns
    -------
    The value.

    Raises
    ------
    ValueError : no JSON, or not of that form; says where.

    Examples
    --------
    >>> parse('Sure: ```json\\n["pro", "con"]\\n```', {"type": "array", "items": {"enum": ["pro", "con", "null"]}})
    ['pro', 'con']
    """
    import jsonschema

    value = _value(text)
    fault = jsonschema.exceptions.best_match(jsonschema.validators.validator_for(schema)(schema).iter_errors(value))
    if fault is not None:
        raise ValueError(f"{fault.json_path}: {fault.message[:300]}")
    return value


def structured(say: Callable[[str], Answer], prompt: str, schema: dict[str, Any]) -> Answer:
    """Put one question, with one attempt to mend an answer that does not fit.

    Parameters
    ----------
    say : what generates: a prompt to an answer with `text`, `prompt_tokens`, `completion_tokens`, or an `error`.
    prompt, schema : the question and the form of its answer.

    Returns
    -------
    `value`, `repaired`, and the tokens of both attempts together (None where unknown); with `refused` (the reason) and
    no value where the second answer does not fit either; or an error.
    """
    first = say(instruct(prompt, schema))
    answer, reason = _judge([first], schema)
    if not reason:
        return answer
    second = say(amend(prompt, schema, first["text"], reason))
    return _judge([first, second], schema)[0]


def answers(model: Model, questions: Iterable[tuple[str, dict[str, Any]]]) -> Answers:
    """Put questions to any model that can generate, a window at a time.

    Parameters
    ----------
    model : who is asked.
    questions : prompts, and for each the JSON schema of the answer.

    Yields
    ------
    Position and answer, as `structured` gives it.
    """
    numbered = enumerate(questions)
    while window := list(islice(numbered, WINDOW)):
        again = []
        for i, first in model.generate((instruct(prompt, schema), DECODING) for _, (prompt, schema) in window):
            position, (prompt, schema) = window[i]
            answer, reason = _judge([first], schema)
            if reason:
                again.append((position, schema, first, amend(prompt, schema, first["text"], reason)))
            else:
                yield position, answer
        if not again:
            continue
        for i, second in model.generate((prompt, DECODING) for *_, prompt in again):
            position, schema, first, _ = again[i]
            yield position, _judge([first, second], schema)[0]


def _judge(said: list[Answer], schema: dict[str, Any]) -> tuple[Answer, str | None]:
    """The answer as it stands after these texts, and the reason why the last one does not fit."""
    if "error" in said[-1]:
        return said[-1], None
    answer, reason = {"value": None, "repaired": len(said) > 1}, None
    try:
        answer["value"] = parse(said[-1]["text"], schema)
    except ValueError as error:
        reason = str(error)
        answer["refused"] = f"no valid JSON after one repair: {reason}"
    for name in ("prompt_tokens", "completion_tokens"):
        counts = [one.get(name) for one in said]
        answer[name] = None if None in counts else sum(counts)
    return answer | {name: said[-1][name] for name in ("served",) if name in said[-1]}, reason


def _value(text: str) -> Any:
    fenced = re.findall(r"```(?:json)?\s*\n?(.*?)```", text, flags=re.DOTALL | re.IGNORECASE)
    brackets = [text[match.start() :] for match in re.finditer(r"[\[{]", text)][:20]
    decoder = json.JSONDecoder(parse_constant=_no_constant)
    fault = "no JSON in it"
    for place in (text, *fenced, *brackets):
        try:
            value, end = decoder.raw_decode(place.strip())
        except (ValueError, RecursionError) as error:
            fault = f"no JSON: {error}" if place is text else fault
            continue
        if place is not text or end == len(text.strip()):
            return value
    raise ValueError(fault)


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")
