"""The store of answers: what was paid for is never lost and never asked for twice."""

import json
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
from tiny import build

from whosevalues import UserError, responses
from whosevalues.locks import only_writer
from whosevalues.models.base import Decoding, Model
from whosevalues.models.scripted import ScriptedModel


def requests(n: int, kind: str = "option_scores") -> pd.DataFrame:
    """A few questions with two options each."""
    return pd.DataFrame(
        {"kind": kind, "prompt": [f"q{i}" for i in range(n)], "options": [("1", "2")] * n, "id": range(n)}
    )


def lines(store: Path) -> list[dict]:
    """Every complete row of every run."""
    return [json.loads(line) for file in sorted(store.glob("*.jsonl")) for line in file.read_text().splitlines()]


class Counting(ScriptedModel):
    """Remembers what it was asked."""

    def __init__(self, table=None):
        super().__init__("counting", table)
        self.asked = []

    def option_scores(self, questions):
        """Answer, and remember."""
        return super().option_scores(self.noted(questions))

    def noted(self, questions):
        """Remember as late as a question is taken."""
        for prompt, options in questions:
            self.asked.append(prompt)
            yield prompt, options


SLOW = """
import sys, time
import pandas as pd
from pathlib import Path
from whosevalues import responses
from whosevalues.models.scripted import ScriptedModel

class Slow(ScriptedModel):
    def option_scores(self, questions):
        return super().option_scores(self.noted(questions))

    def noted(self, questions):
        for prompt, options in questions:
            with open(sys.argv[1] + ".asked", "a") as log:
                print(prompt, file=log, flush=True)
            time.sleep(0.01)
            if prompt == "q60" and "stays" in sys.argv:
                time.sleep(600)
            yield prompt, options

frame = pd.DataFrame({"kind": "option_scores", "prompt": [f"q{i}" for i in range(200)], "options": [("1", "2")] * 200})
if "shared" in sys.argv:
    # Whoever is faster to start waits for the other.
    Path(sys.argv[1] + ".ready" + sys.argv[3]).touch()
    while len(list(Path(sys.argv[1]).parent.glob("*.ready*"))) < 2:
        time.sleep(0.01)
try:
    responses.ask(Slow("counting"), frame, Path(sys.argv[1]), shared="shared" in sys.argv)
except responses.UserError as error:
    sys.exit(str(error))
"""


def slow(store: Path, *more: str, **how) -> subprocess.Popen:
    """A run in a process of its own; what it asked stands beside the store."""
    return subprocess.Popen([sys.executable, "-c", SLOW, str(store), *more], stderr=subprocess.PIPE, text=True, **how)


def test_a_killed_run_continues_where_it_stopped(tmp_path):
    """Hours of paid answers must survive a crash: after SIGKILL the same command asks only what is missing."""
    store = tmp_path / "answers"
    process = slow(store, "stays")
    while len(responses.read(store)) < 60:
        time.sleep(0.02)
        assert process.poll() is None, "it ended before it could be killed"
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    before = responses.read(store)
    assert len(before) == 60

    model = Counting()
    answers = responses.ask(model, requests(200), store)
    assert len(answers) == 200 and answers["error"].isna().all()
    asked = (tmp_path / "answers.asked").read_text().split() + model.asked
    # The one that was being answered when the process died cannot be known to have been answered.
    assert set(asked) == {f"q{i}" for i in range(200)} and len(asked) <= 201
    assert set(model.asked).isdisjoint(row["prompt"] for row in before.values())
    assert len(list(store.glob("*.jsonl"))) == 2 and len(responses.read(store)) == 200
    assert {key: row for key, row in responses.read(store).items() if key in before} == before


def test_every_answer_is_on_the_disk_before_the_next_question(tmp_path):
    """What a model has said must not wait in memory for the end of the run."""

    class Watching(Counting):
        def noted(self, questions):
            for i, question in enumerate(super().noted(questions)):
                assert len(responses.read(tmp_path / "a")) == i
                yield question

    assert len(responses.ask(Watching(), requests(5), tmp_path / "a")) == 5


def test_answers_may_come_in_any_order(tmp_path):
    """A batch answers its longest question first: each answer must still stand in its own row."""

    class Backwards(ScriptedModel):
        def completion_scores(self, questions):
            yield from sorted(super().completion_scores(questions), key=lambda pair: -pair[0])

    frame = requests(4, "completion_scores").assign(completion=["a", "a b", "a b c", "a b c d"])
    answers = responses.ask(Backwards("s"), frame, tmp_path / "a")
    assert answers["logprob"].tolist() == [-1, -2, -3, -4] and answers["id"].tolist() == [0, 1, 2, 3]


def test_half_a_line_does_not_count_and_is_asked_again(tmp_path):
    """A crash in the middle of writing leaves half a row: neither it nor the next row may be lost to it."""
    store = tmp_path / "answers"
    responses.ask(Counting(), requests(3), store)
    (file,) = store.glob("*.jsonl")
    whole = file.read_bytes()
    file.write_bytes(whole[:-9])
    assert len(responses.read(store)) == 2
    model = Counting()
    assert len(responses.ask(model, requests(5), store)) == 5
    assert model.asked == ["q2", "q3", "q4"]
    assert file.read_bytes() == whole[:-9] and len(responses.read(store)) == 5


def test_a_damaged_line_in_the_middle_is_named(tmp_path):
    """What no crash can have caused must not be passed over in silence."""
    store = tmp_path / "answers"
    responses.ask(Counting(), requests(2), store)
    (file,) = store.glob("*.jsonl")
    first, second = file.read_text().splitlines()
    file.write_text(f"{first}\n{second[:30]}\n{second}\n")
    with pytest.raises(UserError, match=f"answers/{file.name}, line 2 is no response"):
        responses.ask(Counting(), requests(2), store)


def test_a_second_writer_waits_and_asks_nothing_twice(tmp_path):
    """Two runs of one command must not both pay for the same questions: the lock comes before the reading."""
    store = tmp_path / "answers"
    both = [slow(store) for _ in range(2)]
    assert [process.communicate(timeout=600)[1] for process in both] == ["", ""]
    keys = [row["key"] for row in lines(store)]
    assert len(keys) == len(set(keys)) == 200


def test_runs_that_share_a_store_cannot_harm_each_other(tmp_path):
    """Jobs of a cluster write at once, one of them twice over: every question must be read exactly once."""
    store = tmp_path / "answers"
    both = [slow(store, "shared", number) for number in "12"]
    assert [process.communicate(timeout=600)[1] for process in both] == ["", ""]
    assert len(list(store.glob("*.jsonl"))) == 2 and len(lines(store)) > 200
    rows = responses.read(store)
    assert sorted(row["prompt"] for row in rows.values()) == sorted(f"q{i}" for i in range(200))
    model = Counting()
    answers = responses.ask(model, requests(200), store)
    assert not model.asked and answers["id"].is_unique and len(answers) == 200


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


def test_a_full_disk_loses_nothing_and_says_what_to_do(tmp_path):
    """Where no more can be written the run must stop with a sentence, and go on later from what it has."""
    store = tmp_path / "answers"
    process = slow(store, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (8000, 8000)))
    told = process.communicate(timeout=600)[1]
    assert process.returncode == 1 and "make room on the disk, then the same command continues" in told
    before = responses.read(store)
    asked = (tmp_path / "answers.asked").read_text().split()
    assert 3 < len(before) == len(asked) - 1, "an answer was lost, or paid for after the disk was full"
    model = Counting()
    responses.ask(model, requests(200), store)
    assert len(model.asked) == 200 - len(before) and len(responses.read(store)) == 200


FLYING = """
import os, queue, sys, threading, time
from itertools import islice
import pandas as pd
from pathlib import Path
from whosevalues import responses
from whosevalues.models.scripted import ScriptedModel

class Flying(ScriptedModel):
    in_flight = True

    def option_scores(self, questions):
        came, stream, under_way = queue.Queue(), enumerate(questions), 0

        def answer(position, prompt, options):
            os.write(1, f"{prompt}\\n".encode())
            time.sleep(float(sys.argv[2]))
            came.put((position, self._options(prompt, list(options))))

        def start(n):
            started = 0
            for position, (prompt, options) in islice(stream, n):
                threading.Thread(target=answer, args=(position, prompt, options), daemon=True).start()
                started += 1
            return started

        under_way = start(4)
        while under_way:
            yield came.get()
            under_way += start(1) - 1

frame = pd.DataFrame({"kind": "option_scores", "prompt": [f"q{i}" for i in range(200)], "options": [("1", "2")] * 200})
responses.ask(Flying("counting"), frame, Path(sys.argv[1]))
"""


def flying(store: Path, seconds: float) -> subprocess.Popen:
    """A run of four questions at a time, each of which costs money, with Ctrl-C as a terminal gives it."""
    return subprocess.Popen(
        [sys.executable, "-c", FLYING, str(store), str(seconds)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )  # fmt: skip


def test_ctrl_c_waits_for_the_answers_that_are_paid_for(tmp_path):
    """What is under way at an endpoint costs money already: a first Ctrl-C must write it down before it ends."""
    process = flying(tmp_path / "a", 0.4)
    asked = [process.stdout.readline().strip() for _ in range(10)]
    process.send_signal(signal.SIGINT)
    # Not `communicate`, which would lose the lines that readline has taken into its buffer.
    asked += process.stdout.read().split()
    told = process.stderr.read()
    assert process.wait(timeout=600) and "waiting for the answers under way" in told and "KeyboardInterrupt" in told
    assert sorted(row["prompt"] for row in responses.read(tmp_path / "a").values()) == sorted(asked)
    assert 10 <= len(asked) < 200
    model = Counting()
    responses.ask(model, requests(200), tmp_path / "a")
    assert sorted(model.asked + asked) == sorted(f"q{i}" for i in range(200))


def test_a_second_ctrl_c_does_not_wait(tmp_path):
    """A server that never answers must not keep anybody from leaving."""
    process = flying(tmp_path / "a", 600)
    for _ in range(4):
        process.stdout.readline()
    process.send_signal(signal.SIGINT)
    assert "waiting" in process.stderr.readline() + process.stderr.readline()
    assert process.poll() is None
    process.send_signal(signal.SIGINT)
    told = process.stderr.read()
    assert process.wait(timeout=600) and "KeyboardInterrupt" in told
    assert not responses.read(tmp_path / "a")


class Priced(Counting):
    """Says how many tokens each answer took: one in, none out."""

    def option_scores(self, questions):
        """Answer in pairs, as a backend with two questions under way does."""
        stream = enumerate(self.noted(questions))
        for first in stream:
            for position, (prompt, options) in [first, *([second] if (second := next(stream, None)) else [])]:
                used = {"prompt_tokens": 1, "completion_tokens": 0}
                yield position, self._options(prompt, list(options)) | used


A_TOKEN = {"input": 1e6, "output": 0}


def test_a_run_stops_before_it_costs_more(tmp_path):
    """--max-cost is a promise: nothing is asked that could break it, all of it is used, and more money goes on."""
    purse, model = responses.Purse(20), Priced()
    with pytest.raises(UserError, match="stopped at a cost of .* of at most 20, .* questions are left.* --max-cost"):
        responses.ask(model, requests(50), tmp_path / "a", purse=purse, price=A_TOKEN)
    # A question of two letters takes two tokens at most (three from q10 on), and took one.
    assert 20 - 3 < purse.spent <= 20 and purse.spent == len(model.asked) and purse.reserved == 0
    again = Priced()
    responses.ask(again, requests(50), tmp_path / "a", purse=responses.Purse(1000), price=A_TOKEN)
    assert sorted(model.asked + again.asked) == sorted(f"q{i}" for i in range(50))


def test_what_is_cheap_enough_does_not_hide_what_was_too_dear(tmp_path):
    """What is asked next may be cheap enough, but the run has not done all that it was asked for and must say so."""
    dear = requests(1).assign(prompt="q" * 30)
    cheap = requests(1, "completion_scores").assign(completion="a")
    with pytest.raises(UserError, match="stopped at a cost of .* 2 questions are left"):
        responses.ask(Priced(), pd.concat([dear, cheap]), tmp_path / "a", purse=responses.Purse(20), price=A_TOKEN)


def test_no_bound_on_money_without_a_price(tmp_path):
    """A bound that nothing can hold must be refused before the first question is paid for."""
    model = Counting()
    model.in_flight = True
    with pytest.raises(UserError, match="'counting' has no price in models.yml.*add `price:"):
        responses.ask(model, requests(2), tmp_path / "a", purse=responses.Purse(1))
    assert not model.asked


def test_what_runs_here_costs_nothing(tmp_path):
    """A bound on the judge's cost must not keep a local model from answering."""
    purse = responses.Purse(1)
    assert responses.ask(Counting(), requests(2), tmp_path / "a", purse=purse)["error"].isna().all()
    assert purse.spent == 0


def test_an_answered_run_loads_no_weights(tmp_path):
    """Looking at a result again must not take minutes and gigabytes."""
    build(tmp_path / "model")
    first, second = (build(tmp_path / "model") for _ in range(2))
    asked = responses.ask(first, requests(3), tmp_path / "a")
    again = responses.ask(second, requests(3), tmp_path / "a")
    assert "model" in vars(first) and "model" not in vars(second)
    pd.testing.assert_frame_equal(asked, again)


def test_what_a_backend_cannot_answer_is_an_error_that_is_not_kept(tmp_path):
    """A server without log-probabilities must say so in every such row, and a better backend may answer it later."""

    class Talking(Model):
        name, fingerprint = "talking", {"backend": "talk"}

        def generate(self, questions):
            for position, _ in enumerate(questions):
                yield position, {"text": "Well."}

    frame = pd.concat([requests(2), requests(1, "generate").assign(decoding=[Decoding()])])
    answers = responses.ask(Talking(), frame, tmp_path / "a")
    assert answers["error"].tolist()[:2] == ["the backend of 'talking' answers generate, structured only"] * 2
    assert answers["text"].iloc[2] == "Well." and pd.isna(answers["error"].iloc[2])
    assert len(responses.read(tmp_path / "a")) == 1
    # A shard may hold nothing else; it has done all that it can.
    assert responses.ask(Talking(), requests(2), tmp_path / "b")["error"].notna().all()
    assert not responses.read(tmp_path / "b")
    assert not responses.read(tmp_path / "b")


def test_anything_that_differs_is_another_question(tmp_path):
    """Two measurements that differ in anything must never be taken for one, and the same one never for two."""
    generate = requests(1, "generate").assign(decoding=[Decoding(0.7)])
    frames = [
        requests(1),
        requests(1).assign(options=[("2", "1")]),
        requests(1).assign(sample=1),
        requests(1).assign(prompt="q0 "),
        requests(1, "completion_scores").assign(completion="1"),
        requests(1, "completion_scores").assign(completion="2"),
        requests(1, "structured").assign(schema=[{"type": "object"}]),
        requests(1, "structured").assign(schema=[{"type": "array"}]),
        generate,
        generate.assign(sample=1),
        *(generate.assign(decoding=[Decoding(**{"temperature": 0.7} | change)]) for change in (
            {"temperature": 0.8}, {"top_p": 0.9}, {"max_tokens": 9}, {"stop": ("11.",)}, {"seed": 2})),
    ]  # fmt: skip
    named = [key for frame in frames for key in responses.keys(Counting(), frame)]
    assert len(set(named)) == len(frames)
    assert named == [key for frame in frames for key in responses.keys(Counting(), frame)]
    other = Counting({"q0": {"1": 1.0}})
    assert not set(named) & {key for frame in frames for key in responses.keys(other, frame)}
    with pytest.raises(UserError, match="unknown kind of question 'poem': choose option_scores"):
        responses.keys(Counting(), requests(1, "poem"))

    responses.ask(Counting(), frames[0], tmp_path / "a")
    responses.ask(other, frames[0], tmp_path / "a")
    assert other.asked == ["q0"] and len(responses.read(tmp_path / "a")) == 2


class Busy(Counting):
    """Answers everything but q0."""

    def option_scores(self, questions):
        """Fail, for the time being."""
        for (position, answer), prompt in zip(super().option_scores(questions), self.asked, strict=False):
            yield position, {"error": "busy"} if prompt == "q0" else answer


def test_errors_are_kept_as_errors_and_asked_again(tmp_path):
    """An error must never count as an answer, nor keep a later answer out."""
    store = tmp_path / "answers"
    answers = responses.ask(Busy(), requests(2), store)
    assert answers["error"].tolist() == ["busy", None] and answers.loc[0, "probability"] is None
    again = Busy()
    responses.ask(again, requests(2), store)
    assert again.asked == ["q0"]


def test_refusals_are_answers_and_are_not_asked_again(tmp_path):
    """A refusal is a finding: asked again at every run, it would be paid at every run and never be counted."""
    store = tmp_path / "answers"
    answers = responses.ask(Counting({"q0": {}}), requests(2), store)
    assert answers["error"].tolist() == [None, None] and answers["missing_mass"].tolist() == [1.0, 0.0]
    assert answers["refused"].tolist() == ["none of the options 1, 2 has any probability", None]
    again = Counting({"q0": {}})
    responses.ask(again, requests(2), store)
    assert again.asked == []


def test_a_run_that_continues_measures_as_it_began(tmp_path):
    """Half a grid read and half of it drawn would be two models in one table."""
    told = []

    class Choosy(Counting):
        def remember(self, kinds):
            told.append(dict(kinds))

    responses.ask(Choosy(), requests(1), tmp_path / "a")
    responses.ask(Choosy(), requests(2), tmp_path / "a")
    assert told == [{}, {("1", "2"): "logprob"}]


@pytest.mark.parametrize("order", [("error", "first", "second"), ("first", "error", "second")])
def test_the_first_answer_stands_whatever_came_beside_it(tmp_path, order):
    """Of a question that two runs asked, every reader must take the same answer, and never an error before it."""
    for number, said in enumerate(order):
        error = "busy" if said == "error" else None
        row = {"key": "k", "kind": "generate", "error": error, "answer": None if error else {"text": said}}
        (tmp_path / f"{number}.jsonl").write_text(json.dumps(row) + "\n")
    assert responses.read(tmp_path)["k"]["answer"] == {"text": "first"}
    assert responses.answered(responses.read(tmp_path)) == {"k"}


def test_a_model_that_answers_nothing_usable_ends_in_one_message(tmp_path):
    """A run without one usable answer must not give a table of nothing."""
    with pytest.raises(UserError, match="model 'counting' answered none of 1 questions.*busy"):
        responses.ask(Busy(), requests(1), tmp_path / "answers")


def test_measurement_kind_stands_in_every_row(tmp_path):
    """Probabilities that were read and shares that were counted must not mix unseen."""

    class Mixed(Counting):
        def option_scores(self, questions):
            for position, answer in super().option_scores(questions):
                yield position, answer | ({"measurement": "sampled"} if position else {})

    answers = responses.ask(Mixed(), requests(3), tmp_path / "a")
    assert answers["measurement"].tolist() == ["logprob", "sampled", "sampled"]
    assert [row["measurement"] for row in lines(tmp_path / "a")] == ["logprob", "sampled", "sampled"]


def test_samples_of_one_prompt_are_drawn_from_seeds_of_their_own(tmp_path):
    """Three samples with one seed would be one sample, counted three times."""

    class Seeds(ScriptedModel):
        def generate(self, questions):
            for position, (_, decoding) in enumerate(questions):
                yield position, {"text": str(decoding.seed), "finish_reason": "stop"}

    frame = pd.DataFrame(
        {"kind": "generate", "prompt": "q", "decoding": [Decoding(1.0, seed=7)] * 3, "sample": [0, 1, 2]}
    )
    assert responses.ask(Seeds("s"), frame, tmp_path / "a")["text"].tolist() == ["7", "8", "9"]
