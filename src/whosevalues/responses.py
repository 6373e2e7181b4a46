"""What a model answered: an append-only store that survives any interruption.

One line of JSON is one question put to one model once. A line is on the disk before the next question is asked; the
same command continues where it stopped.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from . import UserError
from .locks import only_writer
from .models.base import Answer, Decoding, Model, digest

KINDS = {
    "option_scores": ("options", ["raw", "probability", "missing_mass", "top"]),
    "completion_scores": ("completion", ["logprob", "tokens"]),
    "generate": ("decoding", ["text", "finish_reason", "prompt_tokens", "completion_tokens"]),
}
"""By kind of question: what is asked beside the prompt, and the columns that an answer fills."""


def ask(model: Model, requests: pd.DataFrame, store: Path) -> pd.DataFrame:
    """Put questions to a model, those alone that its store does not answer yet.

    Parameters
    ----------
    model : who is asked.
    requests : columns `kind`, `prompt`, and by kind `options` (tuple of str), `completion` (str) or `decoding`
        (Decoding); `sample` (int) where one prompt is answered several times; any other columns are kept.
    store : JSON-lines file of this model's answers; made if missing.

    Returns
    -------
    The requests with `measurement`, `error` (None where answered) and the answer's columns.

    Raises
    ------
    UserError : unknown kind; another process writes the store; a damaged line in it; nothing could be answered.
    """
    requests = requests.assign(key=[_key(model, row) for row in requests.to_dict("records")])
    store.parent.mkdir(parents=True, exist_ok=True)
    # A killed notebook's kernel lives on for a moment: wait for it rather than fail.
    with only_writer(store, wait=60):
        mend(store)
        done = read(store)
        open_keys = ~requests["key"].isin([key for key, row in done.items() if not row["error"]])
        missing = requests[open_keys].drop_duplicates("key")
        if len(missing):
            _ask_missing(model, missing, store)
            done = read(store)
    answered = [_columns(done[key]) for key in requests["key"]]
    out = pd.concat([requests.reset_index(drop=True), pd.DataFrame(answered, dtype=object)], axis=1)
    if len(out) and out["error"].notna().all():
        raise UserError(
            f"model '{model.name}' answered none of {len(out)} questions (first reason: {out['error'].iloc[0]}): "
            "try another model or another kind of question"
        )
    return out.drop(columns="key")


def read(store: Path) -> dict[str, dict[str, object]]:
    """Read a store.

    Parameters
    ----------
    store : JSON-lines file, or none yet.

    Returns
    -------
    Rows by key; of several rows with one key an answer goes before an error, and the first answer before later ones.

    Raises
    ------
    UserError : a complete line that is no response; names the line.
    """
    rows: dict[str, dict[str, object]] = {}
    if not store.is_file():
        return rows
    with store.open(encoding="utf-8", errors="replace") as lines:
        for number, line in enumerate(lines, start=1):
            try:
                row = json.loads(line)
                key, failed = row["key"], row["error"]
            except (json.JSONDecodeError, KeyError, TypeError) as error:
                raise UserError(
                    f"{store.name}, line {number} is no response: remove that line, then run again"
                ) from error
            if key not in rows or (rows[key]["error"] and not failed):
                rows[key] = row
    return rows


def mend(store: Path) -> None:
    """Drop a torn last line: what a crash left of a row that was being written.

    Parameters
    ----------
    store : JSON-lines file, or none yet; changed only where its last line does not end.
    """
    if not store.is_file():
        return
    content = store.read_bytes()
    if content and not content.endswith(b"\n"):
        os.truncate(store, content.rfind(b"\n") + 1)


def _key(model: Model, row: dict[str, object]) -> str:
    kind = row.get("kind")
    if kind not in KINDS:
        raise UserError(f"unknown kind of question '{kind}': choose {', '.join(KINDS)}")
    return digest([model.fingerprint, kind, model.render(row["prompt"]), _asked(row), _sample(row)])


def _ask_missing(model: Model, missing: pd.DataFrame, store: Path) -> None:
    from tqdm import tqdm

    # A bar belongs on a terminal; in a log or a rendered page it is noise.
    bar = tqdm(total=len(missing), desc=f"{model.name}: {store.stem}", disable=not sys.stderr.isatty())
    with store.open("a", encoding="utf-8") as file, bar:
        for kind, rows in missing.groupby("kind", sort=False):
            put = getattr(model, kind)
            for row in rows.to_dict("records"):
                (answer,) = put([row["prompt"]], [_asked(row)])
                file.write(json.dumps(_line(model, row, answer), ensure_ascii=False) + "\n")
                file.flush()
                os.fsync(file.fileno())
                bar.update()


def _asked(row: dict[str, object]) -> object:
    asked = row[KINDS[row["kind"]][0]]
    # Samples of one prompt must differ, and each must come out the same when it is drawn again.
    return replace(asked, seed=asked.seed + _sample(row)) if isinstance(asked, Decoding) else asked


def _sample(row: dict[str, object]) -> int:
    sample = row.get("sample", 0)
    return 0 if pd.isna(sample) else int(sample)


def _line(model: Model, row: dict[str, object], answer: Answer) -> dict[str, object]:
    asked = _asked(row)
    return {
        "key": row["key"],
        "model": model.name,
        "fingerprint": digest(model.fingerprint),
        "kind": row["kind"],
        "measurement": model.measurement,
        "prompt": model.render(row["prompt"]),
        KINDS[row["kind"]][0]: vars(asked) if isinstance(asked, Decoding) else asked,
        "sample": _sample(row),
        "answer": None if "error" in answer else answer,
        "error": answer.get("error"),
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _columns(row: dict[str, object]) -> dict[str, object]:
    names = KINDS[row["kind"]][1]
    answer = row["answer"] or {}
    values = {name: answer.get(name) for name in names}
    lists = {name: tuple(value) for name, value in values.items() if isinstance(value, list)}
    return {"measurement": row["measurement"], "error": row["error"], **values, **lists}
