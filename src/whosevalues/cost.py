"""What a run takes before it is run: questions, tokens, money, time."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd

from . import elicitation, manifest, models, responses
from .cost_words import STATEMENTS, in_words
from .models.api import ROOM
from .models.base import Decoding

COUNTER = "smollm2-135m"
"""Whose tokenizer counts for a model whose own is not at hand."""

READ = 3
"""Tokens that an endpoint writes where probabilities are read, at most."""

__all__ = ["COUNTER", "READ", "cost", "counter", "dollars", "estimate", "in_words", "tokens"]

Count = Callable[[Sequence[str]], Sequence[int]]
Price = Mapping[str, Any]


def cost(
    paper: str,
    model: str,
    judge: str | None = None,
    limit: int | None = None,
    shard: str | None = None,
    **parameters: object,
) -> pd.DataFrame:
    """Estimate what a paper's experiment takes with a model; nothing is asked and nothing is fetched.

    Parameters
    ----------
    paper : a key of `elicitation.EXPERIMENTS`.
    model : name in models.yml.
    judge : name in models.yml of who judges open answers; without it the model itself.
    limit, shard, parameters : as for `elicitation.requests`.

    Returns
    -------
    One row, and one for the judge where there are open answers: `model`, `paper`, `questions` (that the backend can
    answer), `answered` (which are not asked again), `unwritten` (open answers that are not there yet, for each of which
    `each` questions to the judge are counted, the most: ten, or the module's `PER_ANSWER`), `tokenizer` (whose tokens
    are counted), `samples` (answers drawn per option question), `bound` (`tokens_out` cannot be exceeded) and the
    columns of `estimate`, for what is left.

    Raises
    ------
    UserError : unknown paper, model, judge or parameter.
    """
    asked = _able(model, elicitation.requests(paper, limit, shard, **parameters))
    left = _left(paper, model, asked)
    rows = [_row(paper, model, asked, left, manifest.about(paper, model))]
    if judging := getattr(elicitation._module(paper), "judging", None):
        rows.append(_judged(paper, model, judge or model, asked, left, judging))
    return pd.DataFrame(rows)


def tokens(
    requests: pd.DataFrame, count: Count, *, template: int = 0, samples: int = 1, server: bool = False
) -> pd.DataFrame:
    """Count the tokens of questions.

    Parameters
    ----------
    requests : as `responses.ask` takes them.
    count : gives the number of tokens of each of some texts.
    template : tokens that a chat template puts around every prompt.
    samples : answers drawn per option question, each of which reads the prompt anew; 1 where probabilities are read.
    server : an endpoint writes an answer in any case; a local model reads probabilities and writes nothing.

    Returns
    -------
    One row per question: `tokens_in`; `tokens_out`: the room of an answer, or what the decoding allows, NaN where
    nothing bounds it. A server whose probabilities are read is counted as asked once; where an option has several
    tokens, it may be asked up to `api.WALKS` times.
    """
    given = requests["completion"].fillna("") if "completion" in requests else pd.Series("", index=requests.index)
    parts = dict.fromkeys([*requests["prompt"], *given])
    length = dict(zip(parts, count(list(parts)), strict=True))
    rows = []
    for row in requests.to_dict("records"):
        read, times, write = length[row["prompt"]] + template, 1, 0.0
        if row["kind"] == "option_scores":
            drawn = ROOM + max(map(len, row["options"]))
            times, write = samples, server * (drawn if samples > 1 else READ)
        elif row["kind"] == "completion_scores":
            read += length[row["completion"]]
        else:
            write = row["decoding"].max_tokens if isinstance(row.get("decoding"), Decoding) else math.nan
        rows.append((read * times, write * times))
    return pd.DataFrame(rows, columns=["tokens_in", "tokens_out"], index=requests.index, dtype=float)


def dollars(tokens_in: float, tokens_out: float, price: Price | None) -> float:
    """Price tokens.

    Parameters
    ----------
    tokens_in, tokens_out : how many are read and written; numbers, or columns of them.
    price : `input` and `output` in US dollars per million, None where it is unknown.

    Returns
    -------
    US dollars, NaN without a price.

    Examples
    --------
    >>> dollars(2_000_000, 100_000, {"input": 0.5, "output": 1.5})
    1.15
    """
    if price is None:
        return math.nan
    return (tokens_in * price["input"] + tokens_out * price["output"]) / 1e6


def estimate(
    counted: pd.DataFrame, price: Price | None = None, before: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Sum up what questions take.

    Parameters
    ----------
    counted : of `tokens`, the questions that are left to ask.
    price : as for `dollars`, with `date` and `source`.
    before : manifest of an earlier run with the same model and paper, for what only a run can measure.

    Returns
    -------
    `tokens_in`, `tokens_out` and `dollars`, as counted; the same after `expected_`, from the mean of the
    earlier answers as the model itself counted them; `seconds`, at the earlier run's rate; NaN where unknown. Then
    `measured_on`, how many earlier answers these means are of, and `price_date`, `price_source`.
    """
    most = counted["tokens_in"].sum(), counted["tokens_out"].sum(skipna=False)
    answers = (before or {}).get("asked", 0) - (before or {}).get("errors", 0)
    expected = tuple(
        len(counted) * before[key] / answers if answers and before.get(key) else math.nan
        for key in ("prompt_tokens", "completion_tokens")
    )
    if math.isnan(expected[0]):
        answers, expected = 0, (math.nan, math.nan)
    elif math.isnan(expected[1]):
        expected = expected[0], 0.0
    rate = (before or {}).get("rate") or {}
    per_question = rate["seconds"] / rate["questions"] if rate.get("questions") else math.nan
    return {
        "tokens_in": most[0],
        "tokens_out": most[1],
        "dollars": dollars(*most, price),
        "expected_tokens_in": expected[0],
        "expected_tokens_out": expected[1],
        "expected_dollars": dollars(*expected, price),
        "seconds": len(counted) * per_question,
        "measured_on": answers,
        "price_date": price["date"] if price else None,
        "price_source": price["source"] if price else None,
    }


def counter(model: str) -> tuple[Count, int, str]:
    """Find a way to count a model's tokens: with its own tokenizer where that is at hand.

    Parameters
    ----------
    model : name in models.yml.

    Returns
    -------
    What counts the tokens of each of some texts; how many the chat template adds to a prompt, 0 where another model's
    tokenizer has to do; whose tokenizer it is.
    """
    own = models.at_hand(model) and models.entry(model)["backend"] != "scripted"
    name = model if own else COUNTER
    loaded = models.load(name)
    template = len(_ids(loaded, [loaded.render("")])[0]) if own else 0
    return (lambda texts: [len(ids) for ids in _ids(loaded, texts)]), template, name


def _row(
    paper: str, model: str, asked: pd.DataFrame, left: pd.DataFrame, before: Mapping[str, Any], unwritten: int = 0
) -> dict[str, Any]:
    server, options = models.entry(model)["backend"] == "api", "option_scores" in set(left["kind"])
    if "generate" in set(left["kind"]) and not before.get("completion_tokens"):
        # Where nothing was written before, the earlier run does not tell how long a text takes.
        before = {name: before[name] for name in ("measurement",) if name in before}
    samples = _samples(models.entry(model), before) if options else 1
    count, template, tokenizer = counter(model)
    counted = tokens(left, count, template=template, samples=samples, server=server)
    if "unread" in left:
        counted["tokens_in"] += samples * left["unread"].astype(float)
    row = {"model": model, "paper": paper, "questions": len(asked), "answered": len(asked) - len(left)}
    row |= {"unwritten": unwritten, "tokenizer": tokenizer, "samples": samples, "bound": not (server and options)}
    return row | estimate(counted, models.price(model), before)


def _judged(
    paper: str, model: str, judge: str, asked: pd.DataFrame, left: pd.DataFrame, judging: Callable
) -> dict[str, Any]:
    """Count what is put to the judge: of written answers exactly, of others as many statements as a list may have."""
    module, written, found = elicitation._module(paper), asked.drop(left.index), []
    each = getattr(module, "PER_ANSWER", STATEMENTS)
    if len(written):
        who = models.load(model)
        put = written.assign(key=responses.keys(who, written))
        found.append(judging(responses.join(who, put, responses.read(elicitation.STORE / paper / model))))
    known = _able(judge, pd.concat(found) if found else judging(asked.iloc[:0].assign(text=None))).reset_index(
        drop=True
    )
    # What is the same statement on the same topic is judged once.
    known = known.drop_duplicates(["prompt", *{"options"}.intersection(known)])
    # As many statements as a list may have; together they are as long as the answer may be.
    empty = "\n".join(f"{place}. x" for place in range(1, STATEMENTS + 1))
    # Of some experiments only a part is written, and only a part of that is judged.
    left = left[left["kind"] == "generate"] if "kind" in left else left
    most = max((decoding.max_tokens for decoding in left["decoding"]), default=0) / each if len(left) else 0
    ahead = _able(judge, judging(left.assign(text=empty)).assign(unread=most)) if len(left) else known.iloc[:0]
    still = _left(paper, judge, known)
    rows = responses.read(elicitation.STORE / paper / judge).values()
    kinds = {row["measurement"] for row in rows if row["kind"] == "option_scores" and not row["error"]}
    asked, open_ = (pd.concat([part.assign(unread=0.0), ahead], ignore_index=True) for part in (known, still))
    name = f"{paper}, {getattr(module, 'SECOND', 'the judge')}"
    return _row(name, judge, asked, open_, {"measurement": sorted(kinds)}, len(left)) | {"each": each}


def _able(model: str, asked: pd.DataFrame) -> pd.DataFrame:
    """Keep what the backend can answer; a model of the hub is not looked up for that."""
    line = models.entry(model)
    if line["backend"] in ("hf", "embedded"):
        from .models.hf import HFModel

        kinds = HFModel(model, "", "").answers_to
    else:
        kinds = models.load(model).answers_to
    return asked[asked["kind"].isin(kinds)]


def _ids(model: Any, texts: Sequence[str]) -> list[list[int]]:
    return model.tokenizer(list(texts), add_special_tokens=False)["input_ids"] if texts else []


def _left(paper: str, model: str, asked: pd.DataFrame) -> pd.DataFrame:
    # Whoever has answered nothing yet need not be loaded, which may take a key or a network, to say so.
    if not any((elicitation.STORE / paper / model).glob("*.jsonl")):
        return asked
    return elicitation.missing(paper, model, asked)


def _samples(line: Mapping[str, Any], before: Mapping[str, Any]) -> int:
    """Count as sampled what may have to be: whether a server gives log-probabilities, only a first run can tell."""
    kinds = [line["measurement"]] if "measurement" in line else list(before.get("measurement") or ["sampled"])
    if line["backend"] != "api" or "sampled" not in kinds:
        return 1
    return int(line.get("samples", 20))
