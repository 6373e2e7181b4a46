"""The store of answers: what was paid for is never lost and never asked for twice."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

from whosevalues import UserError, responses
from whosevalues.locks import only_writer
from whosevalues.models.base import Decoding
from whosevalues.models.scripted import ScriptedModel


def requests(n: int, kind: str = "option_scores") -> pd.DataFrame:
    """A few questions with two options each."""
    return pd.DataFrame(
        {"kind": kind, "prompt": [f"q{i}" for i in range(n)], "options": [("1", "2")] * n, "id": range(n)}
    )


class Counting(ScriptedModel):
    """Remembers what it was asked."""

    def __init__(self, table=None):
        super().__init__("counting", table)
        self.asked = []

    def option_scores(self, prompts, options):
        """Answer, and remember."""
        self.asked += prompts
        return super().option_scores(prompts, options)


SLOW = """
import sys, time
import pandas as pd
from pathlib import Path
from whosevalues import responses
from whosevalues.models.scripted import ScriptedModel

class Slow(ScriptedModel):
    def option_scores(self, prompts, options):
        with open(sys.argv[1] + ".asked", "a") as log:
            print(*prompts, sep="\\n", file=log, flush=True)
        time.sleep(0.02)
        return super().option_scores(prompts, options)

frame = pd.DataFrame({"kind": "option_scores", "prompt": [f"q{i}" for i in range(200)], "options": [("1", "2")] * 200})
responses.ask(Slow("counting"), frame, Path(sys.argv[1]))
"""


def test_a_killed_run_continues_where_it_stopped(tmp_path):
    """Hours of paid answers must survive a crash: after SIGKILL the same command asks only what is missing."""
    store = tmp_path / "answers.jsonl"
    process = subprocess.Popen([sys.executable, "-c", SLOW, str(store)])
    while not (store.is_file() and store.read_text().count("\n") >= 40):
        time.sleep(0.05)
        assert process.poll() is None, "it ended before it could be killed"
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    before = responses.read(store)
    assert 40 <= len(before) < 200

    model = Counting()
    answers = responses.ask(model, requests(200), store)
    assert len(answers) == 200 and answers["error"].isna().all()
    asked = (tmp_path / "answers.jsonl.asked").read_text().split() + model.asked
    # The one that was being answered when the process died cannot be known to have been answered.
    assert set(asked) == {f"q{i}" for i in range(200)} and len(asked) <= 201
    assert set(model.asked).isdisjoint(row["prompt"] for row in before.values())
    keys = [json.loads(line)["key"] for line in store.read_text().splitlines()]
    assert len(keys) == len(set(keys)) == 200
    assert {key: row for key, row in responses.read(store).items() if key in before} == before


def test_half_a_line_is_dropped_and_asked_again(tmp_path):
    """A crash in the middle of writing leaves half a row: neither it nor the next row may be lost to it."""
    store = tmp_path / "answers.jsonl"
    responses.ask(Counting(), requests(3), store)
    whole = store.read_bytes()
    store.write_bytes(whole + whole.splitlines()[0][:57])
    model = Counting()
    assert len(responses.ask(model, requests(5), store)) == 5
    assert model.asked == ["q3", "q4"]
    assert store.read_bytes().startswith(whole) and len(responses.read(store)) == 5


def test_a_damaged_line_in_the_middle_is_named(tmp_path):
    """What no crash can have caused must not be passed over in silence."""
    store = tmp_path / "answers.jsonl"
    responses.ask(Counting(), requests(2), store)
    first, second = store.read_text().splitlines()
    store.write_text(f"{first}\n{second[:30]}\n{second}\n")
    with pytest.raises(UserError, match="answers.jsonl, line 2 is no response"):
        responses.ask(Counting(), requests(2), store)


def test_a_second_writer_waits_and_asks_nothing_twice(tmp_path):
    """Two runs of one command must not both pay for the same questions: the lock comes before the reading."""
    store = tmp_path / "answers.jsonl"
    both = [subprocess.Popen([sys.executable, "-c", SLOW, str(store)]) for _ in range(2)]
    assert [process.wait(timeout=120) for process in both] == [0, 0]
    keys = [json.loads(line)["key"] for line in store.read_text().splitlines()]
    assert len(keys) == len(set(keys)) == 200


def test_a_writer_that_stays_is_named(tmp_path):
    """Whoever waits in vain must learn which process to look for."""
    holder = subprocess.Popen(
        [sys.executable, "-c", "import sys, time; from pathlib import Path; from whosevalues.locks import only_writer\n"
         "with only_writer(Path(sys.argv[1])): print('held', flush=True); time.sleep(60)", str(tmp_path / "x")],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    holder.stdout.readline()
    with pytest.raises(UserError, match=f"still being written by process {holder.pid}"), only_writer(tmp_path / "x"):
        pass
    holder.kill()
    holder.wait()
    with only_writer(tmp_path / "x"):
        pass


def test_another_model_option_order_or_sample_is_another_question(tmp_path):
    """Two measurements that differ in anything must never be taken for one."""
    store = tmp_path / "answers.jsonl"
    responses.ask(Counting(), requests(1), store)
    for changed in (
        requests(1).assign(options=[("2", "1")]),
        requests(1).assign(sample=1),
        requests(1).assign(prompt="q0 "),
        requests(1).assign(kind="completion_scores", completion="1"),
    ):
        before = len(responses.read(store))
        responses.ask(Counting(), changed, store)
        assert len(responses.read(store)) == before + 1
    other = Counting({"q0": {"1": 1.0}})
    responses.ask(other, requests(1), store)
    assert other.asked == ["q0"]


def test_errors_are_kept_as_errors_and_asked_again(tmp_path):
    """An error must never count as an answer, nor keep a later answer out."""
    store = tmp_path / "answers.jsonl"
    mute = {"q0": {}}
    answers = responses.ask(Counting(mute), requests(2), store)
    assert answers["error"].notna().tolist() == [True, False]
    assert answers.loc[0, "probability"] is None
    again = Counting(mute)
    responses.ask(again, requests(2), store)
    assert again.asked == ["q0"]


def test_a_model_that_answers_nothing_usable_ends_in_one_message(tmp_path):
    """A run without one usable answer must not give a table of nothing."""
    mute = Counting({"q0": {}, "q1": {}})
    with pytest.raises(UserError, match="model 'counting' answered none of 2 questions"):
        responses.ask(mute, requests(2), tmp_path / "answers.jsonl")


def test_measurement_kind_stands_in_every_row(tmp_path):
    """Probabilities that were read and shares that were counted must not mix unseen."""
    store = tmp_path / "answers.jsonl"
    assert set(responses.ask(Counting(), requests(2), store)["measurement"]) == {"logprob"}
    assert all(json.loads(line)["measurement"] == "logprob" for line in Path(store).read_text().splitlines())


def test_samples_of_one_prompt_are_drawn_from_seeds_of_their_own(tmp_path):
    """Three samples with one seed would be one sample, counted three times."""

    class Seeds(ScriptedModel):
        def generate(self, prompts, decodings):
            return [
                {"text": str(d.seed), "finish_reason": "stop", "prompt_tokens": 0, "completion_tokens": 1}
                for d in decodings
            ]

    frame = pd.DataFrame(
        {"kind": "generate", "prompt": "q", "decoding": [Decoding(1.0, seed=7)] * 3, "sample": [0, 1, 2]}
    )
    assert responses.ask(Seeds("s"), frame, tmp_path / "a.jsonl")["text"].tolist() == ["7", "8", "9"]
