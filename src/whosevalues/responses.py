"""Putting questions to a model: only those that are open, and so that any interruption loses nothing."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from . import UserError
from .locks import only_writer
from .models.base import PROOF, Answer, Decoding, Model, digest
from .purse import Purse, cost
from .store import answered, attempt, read

TOKENS = ["prompt_tokens", "completion_tokens"]
EVERY = ["refused", *TOKENS]
KINDS = {
    "option_scores": ("options", ["raw", "probability", "missing_mass", "low", "high", "n", "top", *EVERY]),
    "completion_scores": ("completion", ["logprob", "tokens", *EVERY]),
    "generate": ("decoding", ["text", "finish_reason", *EVERY]),
    "structured": ("schema", ["value", "repaired", *EVERY]),
}
"""By kind of question: what is asked beside the prompt, and the columns that an answer fills."""


def ask(
    model: Model,
    requests: pd.DataFrame,
    store: Path,
    *,
    purse: Purse | None = None,
    price: Mapping[str, Any] | None = None,
    progress: bool = False,
    shared: bool = False,
) -> pd.DataFrame:
    """Put questions to a model, those alone that its store does not answer yet.

    Parameters
    ----------
    model : who is asked.
    requests : columns `kind`, `prompt`, and by kind `options` (tuple of str), `completion` (str), `decoding`
        (Decoding) or `schema` (dict); `sample` (int) where one prompt is answered several times; any other columns are
        kept.
    store : folder of this model's answers; made if missing.
    purse : no question is put that it could not pay.
    price : `input` and `output` per million tokens, in the same money.
    progress : show a bar, or a line a minute where there is no terminal.
    shared : other runs may put questions into this store at the same time, as the shards of a cluster do.

    Returns
    -------
    The requests with `key`, `measurement`, `error` (None where answered), `refused` (None, or why the answer is none of
    those asked for) and the answer's columns.

    Raises
    ------
    UserError : unknown kind; another process writes the store; a damaged line in it; nothing could be answered; the
        money is spent; the disk is full.
    """
    purse = purse or Purse()
    if purse.most is not None and price is None and model.in_flight:
        raise UserError(
            f"model '{model.name}' has no price in models.yml, so nothing can hold a bound on its cost: add `price: "
            "{input: ..., output: ..., date: ..., source: ...}` to its line, or leave --max-cost out"
        )
    requests = requests.assign(key=keys(model, requests))
    able = requests["kind"].isin(model.answers_to)
    # A killed notebook's kernel lives on for a moment: wait for it rather than fail.
    with nullcontext() if shared else only_writer(store, wait=60):
        done = read(store)
        missing = requests[able & ~requests["key"].isin(answered(done))].drop_duplicates("key")
        if len(missing):
            store.mkdir(parents=True, exist_ok=True)
            model.remember(_settled(model, done))
            _ask_missing(model, missing, store, purse, price, progress)
            done = read(store)
            if purse.empty:
                left = len(missing) - len(answered(done) & set(missing["key"]))
                raise UserError(
                    f"stopped at a cost of {purse.spent:.4f} of at most {purse.most}, as the next question could take "
                    f"{purse.next:.4f}: {left} questions are left; the same command with a new --max-cost continues"
                )
    out = join(model, requests, done)
    if able.any() and out.loc[able.to_numpy(), "error"].notna().all():
        raise UserError(
            f"model '{model.name}' answered none of {able.sum()} questions (first reason: "
            f"{out.loc[able.to_numpy(), 'error'].iloc[0]}): try another model or another kind of question"
        )
    return out


def join(model: Model, requests: pd.DataFrame, rows: Mapping[str, Mapping[str, Any]]) -> pd.DataFrame:
    """Set answers beside their questions.

    Parameters
    ----------
    model : who was asked.
    requests : as for `ask`, with their `key`.
    rows : of `read`; a question that is not among them has an error.

    Returns
    -------
    As of `ask`.
    """
    able = model.answers_to
    reasons = {kind: f"the backend of '{model.name}' answers {', '.join(able)} only" for kind in set(KINDS) - set(able)}
    named = zip(requests["key"], requests["kind"], strict=True)
    none = [{"kind": k, "measurement": None, "answer": None, "error": reasons.get(k, "not asked")} for _, k in named]
    found = [_columns(rows.get(key, other)) for key, other in zip(requests["key"], none, strict=True)]
    return pd.concat([requests.reset_index(drop=True), pd.DataFrame(found, dtype=object)], axis=1)


def _settled(model: Model, rows: Mapping[str, Mapping[str, Any]]) -> dict[tuple[str, ...], str]:
    """How this model's options were measured so far: a run that continues must not measure the rest otherwise."""
    fingerprint = digest(model.fingerprint)
    mine = (row for row in rows.values() if row["fingerprint"] == fingerprint and row["kind"] == "option_scores")
    plain = (row for row in mine if not row["error"] and not row["answer"].get("refused"))
    counts = Counter((tuple(row["options"]), row["measurement"]) for row in plain)
    # A first question or two may have been drawn before the server was known.
    kinds = {options: kind for (options, kind), n in counts.items() if kind == "sampled" and n >= PROOF}
    return kinds | {options: kind for options, kind in counts if kind == "logprob"}


def keys(model: Model, requests: pd.DataFrame) -> list[str]:
    """Name every question by all that makes its answer what it is.

    Parameters
    ----------
    model : who is asked.
    requests : as for `ask`.

    Returns
    -------
    Per request the hash of the model's fingerprint, the kind of question, the rendered prompt, what is asked and the
    sample's number.

    Raises
    ------
    UserError : unknown kind of question.
    """
    fingerprint = digest(model.fingerprint)
    named = []
    for row in requests.to_dict("records"):
        if row.get("kind") not in KINDS:
            raise UserError(f"unknown kind of question '{row.get('kind')}': choose {', '.join(KINDS)}")
        named.append(digest([fingerprint, row["kind"], model.render(row["prompt"]), _asked(row), _sample(row)]))
    return named


def _ask_missing(model: Model, missing: pd.DataFrame, store: Path, purse: Purse, price, progress: bool) -> None:
    from tqdm import tqdm

    every = 0.5 if sys.stderr.isatty() else 60
    bar = tqdm(total=len(missing), desc=f"{model.name}: {store.parent.name}", disable=not progress, mininterval=every)
    with attempt(store) as write, bar, _patient(model) as stopped:
        for kind, rows in missing.groupby("kind", sort=False):
            left = rows.to_dict("records")
            # What was put by for a question under way is free again when its answer has come: then the stream goes on.
            while left:
                pulled = _put(model, kind, left, purse, price, stopped, lambda row: (write(row), bar.update()))
                if not pulled:
                    break
                left = left[pulled:]
            if left:
                break
    if stopped():
        raise KeyboardInterrupt


def _put(model: Model, kind: str, rows, purse: Purse, price, stopped, keep: Callable[[dict[str, Any]], object]) -> int:
    """Put questions until the money or the patience ends; how many."""
    bounds: list[float] = []

    def stream() -> Iterator[tuple[str, object]]:
        for row in rows:
            bound = cost(price, model.at_most(row["prompt"], _asked(row)))
            if stopped() or not purse.reserve(bound):
                return
            bounds.append(bound)
            yield row["prompt"], _asked(row)

    for position, answer in getattr(model, kind)(stream()):
        keep(_line(model, rows[position], answer))
        used = answer.get("prompt_tokens"), answer.get("completion_tokens")
        # Who does not say what was used is taken to have used all that was put by.
        purse.pay(bounds[position], bounds[position] if None in used else cost(price, used))
    return len(bounds)


@contextmanager
def _patient(model: Model) -> Iterator[Callable[[], bool]]:
    """Let a first Ctrl-C wait for answers that are paid for already; a second one stops at once."""
    stop = threading.Event()
    if not model.in_flight or threading.current_thread() is not threading.main_thread():
        yield stop.is_set
        return
    before = signal.getsignal(signal.SIGINT)

    def first(*_: object) -> None:
        stop.set()
        signal.signal(signal.SIGINT, before)
        os.write(2, b"\nwaiting for the answers under way; press again to stop at once\n")

    signal.signal(signal.SIGINT, first)
    try:
        yield stop.is_set
    finally:
        signal.signal(signal.SIGINT, before)


def _asked(row: Mapping[str, Any]) -> object:
    asked = row[KINDS[row["kind"]][0]]
    # Samples of one prompt must differ, and each must come out the same when it is drawn again.
    return replace(asked, seed=asked.seed + _sample(row)) if isinstance(asked, Decoding) else asked


def _sample(row: Mapping[str, Any]) -> int:
    sample = row.get("sample", 0)
    return 0 if pd.isna(sample) else int(sample)


def _line(model: Model, row: Mapping[str, Any], answer: Answer) -> dict[str, Any]:
    asked = _asked(row)
    return {
        "key": row["key"],
        "model": model.name,
        "fingerprint": digest(model.fingerprint),
        "kind": row["kind"],
        "measurement": answer.get("measurement", model.measurement),
        "prompt": model.render(row["prompt"]),
        KINDS[row["kind"]][0]: vars(asked) if isinstance(asked, Decoding) else asked,
        "sample": _sample(row),
        "answer": None if "error" in answer else answer,
        "error": answer.get("error"),
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _columns(row: Mapping[str, Any]) -> dict[str, Any]:
    answer = row["answer"] or {}
    values = {name: answer.get(name) for name in KINDS[row["kind"]][1]}
    lists = {name: tuple(value) for name, value in values.items() if isinstance(value, list)}
    return {"measurement": row["measurement"], "error": row["error"], **values, **lists}
