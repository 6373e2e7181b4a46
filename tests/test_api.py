"""Endpoints: real servers on loopback speak for the embedded model, and a proxy between makes them fail."""

import importlib.util
import json
import math
import time
import traceback
from pathlib import Path

import jsonschema
import pytest
import servers
from servers import KEY, Fault

from whosevalues import UserError, models
from whosevalues.models import faults
from whosevalues.models.api import APIModel
from whosevalues.models.base import Decoding, collect
from whosevalues.models.readings import Position, choice, from_texts, from_tokens
from whosevalues.models.scripted import ScriptedModel
from whosevalues.models.structured import amend, instruct

FOUR = ("1", "2", "3", "4")
PRESS = "How much do you trust the press?\n1. A lot\n2. Some\n3. Little\n4. Not at all\nAnswer with the number only."
QUESTIONS = [
    (PRESS, FOUR),
    (PRESS.replace("the press", "your neighbours"), FOUR),
    ("Who is right?\nA. Anna\nB. Bert\nAnswer with the letter only.", ("A", "B")),
    ("Is lying wrong? Answer Yes or No.", ("Yes", "No")),
]
SHORT = Decoding(max_tokens=4)
LIST = {"type": "array", "items": {"enum": ["pro", "con", "null"]}, "minItems": 2, "maxItems": 2}


@pytest.fixture(scope="module")
def upstream():
    """The embedded model behind llama.cpp, with log-probabilities; it asks for a key."""
    line = models.entry("smollm2-135m")
    gguf = Path(importlib.util.find_spec(line["wheel"]).origin).parent / line["file"]
    with servers.llama(gguf) as url:
        yield url


@pytest.fixture
def proxy(upstream, monkeypatch):
    """A proxy of the test's own before that server, and the key in the environment."""
    monkeypatch.setenv("LOOPBACK_KEY", KEY)
    with servers.proxy(upstream) as between:
        yield between


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """The converted model twice: as it is, which makes the server greedy, and told to sample."""
    embedded = Path(models.load("smollm2-135m").path)
    sampling = tmp_path_factory.mktemp("sampling")
    for file in embedded.iterdir():
        (sampling / file.name).symlink_to(file)
    (sampling / "generation_config.json").unlink()
    config = json.loads((embedded / "generation_config.json").read_text()) | {"do_sample": True}
    (sampling / "generation_config.json").write_text(json.dumps(config))
    return {"greedy": embedded, "sampling": sampling}


@pytest.fixture(scope="module")
def plain():
    """The embedded model behind `transformers serve`, which has no log-probabilities and says nothing of it."""
    with servers.transformers() as url:
        yield url


def model(url: str, **line) -> APIModel:
    """An endpoint as a line in models.yml describes it."""
    return APIModel("mine", {"model": servers.ALIAS, "base_url": url, "key": "LOOPBACK_KEY", **line})


def everything(error: BaseException) -> str:
    """All that a user, a log or a traceback could show of an error."""
    return "".join(traceback.format_exception(error)) + repr(error)


def prompts(n: int) -> list[str]:
    return [f"Say the number {i}." for i in range(n)]


def test_options_score_as_the_local_model(proxy):
    """Through a server the same weights must hold the same values; what quantisation moves is small."""
    ours = collect(model(proxy.url).option_scores(QUESTIONS))
    local = collect(models.load("smollm2-135m").option_scores(QUESTIONS))
    for answer, truth in zip(ours, local, strict=True):
        assert answer["measurement"] == "logprob" and answer["n"] is None
        assert answer["probability"] == pytest.approx(truth["probability"], abs=0.05)
        assert answer["missing_mass"] == pytest.approx(truth["missing_mass"], abs=0.05)
        assert answer["raw"] == pytest.approx(truth["raw"], abs=0.25)
        assert sum(answer["probability"]) == pytest.approx(1)
        for low, high, p, true in zip(
            answer["low"], answer["high"], answer["probability"], truth["probability"], strict=True
        ):
            assert 0 <= low <= p <= high <= 1
            assert low - 0.05 <= true <= high + 0.05
        assert answer["prompt_tokens"] > 10 and answer["completion_tokens"] >= 2
        assert answer["served"] == servers.ALIAS


def test_ten_is_not_one(proxy):
    """A server shows '1' first whether 1 or 10 is meant: what follows must be looked at, or everybody says 1."""
    ten = tuple(map(str, range(1, 11)))
    question = ("Rate from 1 to 10. Answer with the number only, such as 10.", ten)
    (answer,) = collect(model(proxy.url).option_scores([question]))
    (truth,) = collect(models.load("smollm2-135m").option_scores([question]))
    assert truth["probability"][9] > 0.2
    for i in (0, 9):
        assert answer["probability"][i] == pytest.approx(truth["probability"][i], abs=0.1)
        assert answer["raw"][i] == pytest.approx(truth["raw"][i], abs=0.25)


def test_what_the_server_does_not_show_goes_into_bounds():
    """An option outside the listed tokens is not impossible: its share has an upper bound, counted by hand here."""
    # Listed: A .5, others .2 and .1; unseen .2. One unlisted token has at most .1: "B" or " B" could take two of them,
    # as " " and " B" each could for " A"; all of it together is .2 at most.
    first = Position(((b"A", 0.5), (b"I", 0.2), (b"The", 0.1)), b"A")
    answer, doubt = from_tokens(["A", "B"], {b"": first})
    assert answer["probability"] == [1, 0] and answer["raw"] == [pytest.approx(math.log(0.5)), None]
    assert answer["missing_mass"] == pytest.approx(0.5)
    assert answer["low"] == pytest.approx([0.5 / 0.7, 0]) and answer["high"] == pytest.approx([1, 0.2 / 0.7])
    assert doubt == 0


def test_who_names_no_option_has_answered():
    """A refusal that looked like a fault would be asked, and paid, again by every run; its mass has a bound by hand."""
    # Listed: I .5, The .2, As .1; unseen .2, all of which "A", "B" and what begins them may be, and no more than that.
    place = Position(((b"I", 0.5), (b"The", 0.2), (b"As", 0.1)), b"I")
    answer, doubt = from_tokens(["A", "B"], {b"": place})
    assert "error" not in answer and "'The'" in answer["refused"] and doubt == 0
    assert answer["missing_mass"] == pytest.approx(0.8)
    assert [answer[name] for name in ("raw", "probability", "low", "high")] == [None] * 4
    # Of nineteen more, each has .001 at most, and " A" may begin with a space: six tokens in all.
    rare = tuple((f"x{i}".encode(), 0.001) for i in range(19))
    place = Position(((b"I", 0.8), *rare), b"I")
    assert from_tokens(["A", "B"], {b"": place})[0]["missing_mass"] == pytest.approx(1 - 6 * 0.001)


def test_a_beginning_is_counted_for_nobody_for_certain():
    """Where '1' may go on to '10' and nobody looked, the bounds must hold both; after a look, the shares are exact."""
    options = ["1", "2", "10"]
    first = Position(((b"1", 0.6), (b"2", 0.4)), b"1")
    answer, doubt = from_tokens(options, {b"": first})
    assert doubt == pytest.approx(0.6)
    assert answer["low"] == pytest.approx([0, 0.4, 0]) and answer["high"] == pytest.approx([0.6, 1, 0.6])
    second = Position(((b"0", 0.25), (b".", 0.75)), b".")
    answer, doubt = from_tokens(options, {b"": first, b"1": second})
    assert doubt == 0
    for name in ("probability", "low", "high"):
        assert answer[name] == pytest.approx([0.45, 0.4, 0.15])
    # A tokenizer that has "10" in one piece does not write it in two.
    whole = Position(((b"1", 0.6), (b"2", 0.3), (b"10", 0.1)), b"1")
    answer, doubt = from_tokens(options, {b"": whole})
    assert doubt == 0
    for name in ("probability", "low", "high"):
        assert answer[name] == pytest.approx([0.6, 0.3, 0.1])


def test_a_space_that_comes_first_is_looked_behind():
    """Mistral's tokenizer writes a space, then the digit: read at the space alone, every option would be missing."""
    first = Position(((b" ", 0.9), (b"I", 0.1)), b" ")
    answer, doubt = from_tokens(["1", "2"], {b"": first})
    assert "refused" in answer and answer["missing_mass"] == pytest.approx(0.1) and doubt == 0.9
    second = Position(((b"1", 0.5), (b"2", 0.3), (b"x", 0.2)), b"x")
    answer, doubt = from_tokens(["1", "2"], {b"": first, b" ": second})
    assert answer["probability"] == pytest.approx([0.625, 0.375]) and doubt == 0
    assert answer["missing_mass"] == pytest.approx(1 - 0.9 * 0.8)


def test_half_a_letter_is_no_letter():
    """A token that ends within a letter is told by its bytes; without them it may begin any Arabic letter."""
    alef, beh = "أ".encode(), "ب".encode()
    first = Position(((alef[:1], 0.6), (b"I", 0.4)), alef[:1])
    second = Position(((alef[1:], 0.75), (beh[1:], 0.25)), alef[1:])
    answer, _ = from_tokens(["أ", "ب"], {b"": first, alef[:1]: second})
    shared = alef[:1] == beh[:1]
    assert answer["probability"] == pytest.approx([0.75, 0.25] if shared else [1, 0])
    blank = Position(((b"", 0.6), (b"A", 0.4)), b"")
    answer, doubt = from_tokens(["A", "ب"], {b"": blank})
    assert answer["probability"] == [1, 0] and answer["high"][1] == pytest.approx(0.6) and doubt == 0


@pytest.mark.parametrize(
    ("text", "options", "said"),
    [
        ("3", FOUR, "3"),
        (" **٣**. because", FOUR, "3"),
        ("۱۰", ("1", "10"), "10"),
        ("12", FOUR, None),
        ("1.5", FOUR, None),
        ("I choose 3", FOUR, None),
        ("A lot of people", ("A", "B"), None),
        ("A) Anna", ("A", "B"), "A"),
        ("yes, of course", ("Yes", "No"), "Yes"),
        ("Nobody", ("Yes", "No"), None),
        ("2", ("١", "٢"), "٢"),
    ],
)
def test_what_is_said_first_is_the_answer(text, options, said):
    """A refusal or a sentence that only looks like an option must not be counted as an answer."""
    assert choice(text, options) == said


def test_options_in_arabic_script_are_drawn(proxy):
    """llama.cpp gives half a letter as nothing: options that cannot be found there must not all look impossible."""
    endpoint = model(proxy.url, samples=4)
    arabic, latin = collect(endpoint.option_scores([(PRESS, ("١", "٢", "٣", "٤")), (PRESS, FOUR)]))
    assert arabic["measurement"] == "sampled" and arabic["n"] == 4 and arabic["raw"] is None
    assert latin["measurement"] == "logprob"


def test_missing_log_probabilities_are_noticed(plain, folders):
    """`transformers serve` drops the request for log-probabilities silently; answers are drawn, and say so."""
    endpoint = APIModel("mine", {"model": str(folders["sampling"]), "base_url": plain, "samples": 4})
    (answer,) = collect(endpoint.option_scores([(PRESS, FOUR)]))
    assert answer["measurement"] == "sampled" and answer["n"] == 4 and answer["raw"] is None
    assert sum(answer["probability"]) == pytest.approx(1)
    for p, low, high in zip(answer["probability"], answer["low"], answer["high"], strict=True):
        # Wilson's interval, from the textbook: the centre moves towards a half by z^2 / n.
        z, n = 1.959964, 4 * (1 - answer["missing_mass"])
        centre = (p + z * z / (2 * n)) / (1 + z * z / n)
        half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
        assert (low, high) == (pytest.approx(centre - half, abs=1e-4), pytest.approx(centre + half, abs=1e-4))


PAID = {"prompt_tokens": 10, "completion_tokens": 1, "total_tokens": 11}


def speech(text: str, listed: dict[str, float] | None = None, **logprobs) -> dict:
    """A completion by hand: its text, and the tokens that are listed for its only place."""
    if listed is not None:
        top = [{"token": token, "logprob": math.log(p)} for token, p in listed.items()]
        logprobs = {"content": [{"token": text, "logprob": math.log(listed[text]), "top_logprobs": top}]}
    message = {"role": "assistant", "content": text}
    choice = {"index": 0, "finish_reason": "stop", "message": message, "logprobs": logprobs or None}
    return {"model": "by hand", "choices": [choice], "usage": PAID}


LISTED = speech("1", {"1": 0.5, "2": 0.3, "3": 0.1, "4": 0.1})
NOTHING = speech("", content=[])


@pytest.fixture
def hand():
    """A server that no model stands behind: each test says what it answers to which request."""
    with servers.proxy("") as between:
        yield between


def by_hand(hand, **line) -> APIModel:
    return APIModel("mine", {"model": "x", "base_url": hand.url, "concurrency": 1, "samples": 2} | line)


def asks_to_list(body: dict) -> bool:
    return body.get("logprobs", False)


def words(body: dict) -> dict:
    """An answer without log-probabilities, another one with every seed."""
    return speech(str(body["seed"] + 1))


def test_one_empty_answer_decides_nothing(hand):
    """An end token at the very first question must not make every later question twenty times as dear."""
    said = [NOTHING]
    hand.speak = lambda body: said.pop() if said else LISTED
    first, second = collect(by_hand(hand).option_scores([(PRESS, FOUR)] * 2))
    for answer in (first, second):
        assert answer["measurement"] == "logprob" and answer["probability"] == pytest.approx([0.5, 0.3, 0.1, 0.1])
    assert len(hand.asked) == 3 and first["prompt_tokens"] == 20 and second["prompt_tokens"] == 10


def test_who_never_says_anything_has_answered(hand):
    """A model that ends at once, whatever the seed, has refused that question, and says nothing of the server."""
    hand.speak = lambda body: NOTHING if "Silence" in body["messages"][0]["content"] else LISTED
    silent, other = collect(by_hand(hand).option_scores([("Silence?", FOUR), (PRESS, FOUR)]))
    assert silent["missing_mass"] == 1 and "said nothing" in silent["refused"] and silent["probability"] is None
    assert silent["prompt_tokens"] == 10 * (len(hand.asked) - 1)
    assert other["measurement"] == "logprob" and "refused" not in other
    (text,) = collect(by_hand(hand).generate([("Silence?", SHORT)]))
    assert text["text"] == "" and text["finish_reason"] == "stop" and text["prompt_tokens"] == 10
    assert text["refused"] == "the model said nothing" and "error" not in text
    # Nor does such an answer say that the server lists anything.
    hand.speak = lambda body: speech("") if "Silence" in body["messages"][0]["content"] else words(body)
    _, other = collect(by_hand(hand).option_scores([("Silence?", FOUR), (PRESS, FOUR)]))
    assert other["measurement"] == "sampled" and other["n"] == 2


def test_one_answer_without_log_probabilities_decides_nothing(hand):
    """Behind some addresses stand several servers: one that lists nothing is drawn from, the next is read."""
    said = [speech("1")]
    hand.speak = lambda body: words(body) if not asks_to_list(body) else said.pop() if said else LISTED
    answers = collect(by_hand(hand).option_scores([(PRESS, FOUR)] * 3))
    assert [answer["measurement"] for answer in answers] == ["sampled", "logprob", "logprob"]


def test_a_server_without_log_probabilities_is_soon_known(hand):
    """After three questions, or one plain word, nobody asks again for what is not there."""
    hand.speak = words
    endpoint = by_hand(hand)
    answers = collect(endpoint.option_scores([(PRESS, FOUR)] * 4 + [(PRESS, ("1", "2"))]))
    assert {answer["measurement"] for answer in answers} == {"sampled"}
    assert sum(map(asks_to_list, hand.asked)) == 3
    hand.asked.clear()
    complaint = {"message": "logprobs is not supported", "param": "logprobs"}
    hand.faults.append(Fault(400, body=json.dumps({"error": complaint})))
    answers = collect(by_hand(hand).option_scores([(PRESS, FOUR)] * 2 + [(PRESS, ("1", "2"))]))
    assert {answer["measurement"] for answer in answers} == {"sampled"}
    assert sum(map(asks_to_list, hand.asked)) == 1
    with pytest.raises(UserError, match="remove `measurement: logprob`"):
        collect(by_hand(hand, measurement="logprob").option_scores([(PRESS, FOUR)] * 4))


def test_options_that_are_not_listed_at_first_may_be_later(hand):
    """Words that nobody lists at the first question are no proof: it is drawn, and later ones are read."""
    said = [speech("I", {"I": 0.9, "We": 0.05})]
    found = speech("Yes", {"Yes": 0.6, "No": 0.4})
    hand.speak = lambda body: words(body) if not asks_to_list(body) else said.pop() if said else found
    answers = collect(by_hand(hand).option_scores([("Is it?", ("Yes", "No"))] * 2))
    assert answers[0]["measurement"] == "sampled" and answers[0]["missing_mass"] == 1 and "refused" in answers[0]
    assert answers[1]["measurement"] == "logprob" and answers[1]["probability"] == pytest.approx([0.6, 0.4])


@pytest.mark.parametrize("concurrency", [1, 4])
def test_every_request_is_accounted_for(hand, concurrency):
    """A bound on the cost that does not see what deciding takes is no bound: the answers' tokens are all there are."""
    hand.speak = words
    endpoint = by_hand(hand, concurrency=concurrency)
    bounds = [endpoint.at_most(PRESS, FOUR)] * 6
    answers = collect(endpoint.option_scores([(PRESS, FOUR)] * 6))
    assert sum(answer["prompt_tokens"] for answer in answers) == 10 * len(hand.asked)
    assert sum(answer["completion_tokens"] for answer in answers) == len(hand.asked)
    for answer, (read, written) in zip(answers, bounds, strict=True):
        assert answer["prompt_tokens"] <= read and answer["completion_tokens"] <= written


def test_a_resumed_run_measures_as_it_began(hand):
    """Half a survey read and half of it drawn cannot be compared: what earlier runs settled holds."""
    hand.speak = lambda body: LISTED if asks_to_list(body) else words(body)
    endpoint = by_hand(hand)
    endpoint.remember({FOUR: "sampled"})
    drawn, read = collect(endpoint.option_scores([(PRESS, FOUR), (PRESS, ("1", "2"))]))
    assert drawn["measurement"] == "sampled" and read["measurement"] == "logprob"
    # What a server can do about seeds is not remembered, but looked at.
    assert {body["messages"][0]["content"] for body in hand.asked} > {PRESS}

    hand.speak = words
    endpoint = by_hand(hand)
    endpoint.remember({FOUR: "logprob"})
    answers = collect(endpoint.option_scores([(PRESS, FOUR)] * 4))
    assert [set(answer) for answer in answers] == [{"error"}] * 4

    endpoint = by_hand(hand, measurement="sampled")
    endpoint.remember({FOUR: "logprob"})
    (answer,) = collect(endpoint.option_scores([(PRESS, FOUR)]))
    assert answer["measurement"] == "sampled"


def test_blanks_under_a_schema_are_mended_in_words(hand):
    """Held to a schema some servers write blanks only: the second attempt leaves the schema to the prompt."""
    hand.speak = lambda body: speech("\n\n" if "response_format" in body else '["pro", "con"]')
    first, second = collect(by_hand(hand).structured([("Judge two texts.", LIST)] * 2))
    assert first["value"] == second["value"] == ["pro", "con"] and first["prompt_tokens"] == 20
    assert ["response_format" in body for body in hand.asked] == [True, False, False]
    hand.speak = lambda body: speech("")
    (answer,) = collect(by_hand(hand).structured([("Judge two texts.", LIST)]))
    assert answer["value"] is None and answer["repaired"] and "no valid JSON" in answer["refused"]
    assert answer["prompt_tokens"] == 20


def test_a_server_that_does_not_draw_is_noticed(plain, folders):
    """Twenty greedy answers are one answer: with the server's temperature ignored they would pass for certainty."""
    line = {"model": str(folders["greedy"]), "base_url": plain, "measurement": "sampled"}
    with pytest.raises(UserError, match="ignores `temperature`.*do_sample"):
        collect(APIModel("mine", line).option_scores([(PRESS, FOUR)]))


def test_text_ends_before_the_stop_string(plain, proxy, folders):
    """llama.cpp leaves the stop string out and transformers writes it: both must give the same kind of text."""
    decoding = Decoding(max_tokens=12, stop=("2",))
    local = APIModel("mine", {"model": str(folders["greedy"]), "base_url": plain})
    for endpoint in (local, model(proxy.url)):
        short, cut = collect(endpoint.generate([(PRESS, Decoding(max_tokens=3)), (PRESS, decoding)]))
        assert short["finish_reason"] == "length" and short["completion_tokens"] == 3 and short["prompt_tokens"] == 64
        assert cut["finish_reason"] == "stop" and cut["text"].startswith("1") and "2" not in cut["text"]


@pytest.mark.parametrize(
    "fault",
    [
        Fault(429, {"Retry-After": "0.2"}, '{"error": {"message": "slow down"}}'),
        Fault(500, body='{"error": {"message": "oops"}}'),
        Fault(503, body="<html>away</html>"),
        Fault(cut="before"),
        Fault(cut="within"),
        Fault(body='{"id": '),
        Fault(body='{"choices": []}'),
        Fault(headers={"Content-Type": "text/html"}, body="<html>sign in</html>"),
    ],
    ids=["429", "500", "503", "cut", "cut within", "torn JSON", "no choices", "a page"],
)
def test_what_passes_is_survived(proxy, monkeypatch, fault):
    """One bad moment of a server must cost no answer and pay none twice."""
    monkeypatch.setattr("whosevalues.models.endpoint.patience", lambda state: 0.02)
    proxy.faults.extend([fault, fault])
    asked = prompts(4)
    answers = collect(model(proxy.url, concurrency=2).generate((prompt, SHORT) for prompt in asked))
    assert [answer.get("error") for answer in answers] == [None] * 4
    if fault.cut != "within":
        assert proxy.answered == dict.fromkeys(asked, 1)
    assert len(proxy.asked) == 6


def test_a_slow_answer_is_asked_for_again(proxy):
    """A request that hangs must not hang the run."""
    proxy.faults.append(Fault(delay=600))
    answers = collect(model(proxy.url, timeout=3).generate([(prompts(1)[0], SHORT)]))
    assert "text" in answers[0] and len(proxy.asked) >= 2


def test_the_wait_that_the_server_asks_for_is_kept(proxy):
    """Who comes back before Retry-After is over is turned away again, or banned."""
    proxy.faults.append(Fault(429, {"Retry-After": "2"}, "{}"))
    began = time.monotonic()
    collect(model(proxy.url).generate([(prompts(1)[0], SHORT)]))
    assert time.monotonic() - began >= 2 and len(proxy.asked) == 2


@pytest.mark.parametrize(
    ("fault", "says", "requests"),
    [
        (Fault(401, body=json.dumps({"error": {"message": f"Incorrect key: {KEY}"}})), "LOOPBACK_KEY", 1),
        (Fault(403, body=json.dumps({"error": {"message": f"{KEY} may not"}})), "ask its owner", 1),
        (Fault(404, body='{"error": {"message": "no such model"}}'), "correct `model` or `base_url`", 1),
        (Fault(400, body='{"error": {"message": "API key not valid."}}'), "LOOPBACK_KEY", 1),
        (Fault(402, body="{}"), "no money", 1),
        (Fault(429, body='{"error": {"message": "x", "code": "insufficient_quota"}}'), "no money", 1),
        (Fault(429, {"Retry-After": "3600"}, "{}"), "wait 3600 seconds", 1),
        (Fault(429, body="{}"), "after 2 attempts", 2),
        (Fault(503, body="{}"), "not available", 2),
    ],
    ids=["401", "403", "404", "400 key", "402", "quota", "an hour", "429", "503"],
)
def test_what_does_not_pass_stops_the_run(proxy, monkeypatch, fault, says, requests):
    """Thousands of questions put to a closed door help nobody; the answer that was under way is kept."""
    monkeypatch.setattr(faults, "ATTEMPTS", 2)
    # Longer than what is waited before the last attempt.
    proxy.faults.append(Fault(delay=0.3 if requests == 1 else 1.2))
    proxy.always = fault
    got = []
    with pytest.raises(UserError, match=says) as stop:
        for answer in model(proxy.url, concurrency=2).generate((prompt, SHORT) for prompt in prompts(50)):
            got.append(answer)
    assert len(got) == 1 and "text" in got[0][1]
    assert len(proxy.asked) == 1 + requests
    assert "'mine'" in str(stop.value) and proxy.url in str(stop.value)
    assert KEY not in everything(stop.value)


def test_a_key_that_the_server_refuses(proxy, monkeypatch):
    """A typing error in the key must be said at once, by the variable's name, without the key."""
    monkeypatch.setenv("LOOPBACK_KEY", "sk-wrong-0123456789")
    with pytest.raises(UserError, match="does not accept the key.*LOOPBACK_KEY") as stop:
        collect(model(proxy.url).option_scores([(PRESS, FOUR)] * 20))
    # The first question decides for the others, which must not knock in turn.
    assert len(proxy.asked) == 1
    assert "sk-wrong-0123456789" not in everything(stop.value)


def test_nobody_there(monkeypatch):
    """A server that was not started is the commonest mistake of all."""
    monkeypatch.setattr(faults, "ATTEMPTS", 2)
    endpoint = APIModel("mine", {"model": "x", "base_url": f"http://127.0.0.1:{servers.free_port()}/v1"})
    with pytest.raises(UserError, match="nobody answers there; start the server"):
        collect(endpoint.generate([("Hello", SHORT)]))


def test_one_failed_question_leaves_the_others(proxy, monkeypatch):
    """A prompt that the server cannot digest is an error of its own, and no answer."""
    monkeypatch.setattr(faults, "ATTEMPTS", 1)
    proxy.faults.extend([Fault(400, body='{"error": {"message": "too long"}}'), Fault(500, body="{}"), Fault()])
    answers = collect(model(proxy.url, concurrency=1).generate((prompt, SHORT) for prompt in prompts(3)))
    assert answers[0] == {"error": "400: too long"}
    assert set(answers[1]) == {"error"} and "text" in answers[2]


def test_the_key_is_nowhere(proxy, monkeypatch, caplog):
    """A key in a row, an error or a log is a key on GitHub."""
    caplog.set_level("DEBUG")
    monkeypatch.setattr(faults, "ATTEMPTS", 1)
    echo = {"choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": KEY}}]}
    proxy.faults.extend([Fault(body=json.dumps(echo)), Fault(400, body=json.dumps({"error": {"message": KEY}}))])
    endpoint = model(proxy.url, concurrency=1)
    answers = collect(endpoint.generate((prompt, SHORT) for prompt in prompts(3)))
    assert answers[0]["text"] == "***" and "***" in answers[1]["error"] and "text" in answers[2]
    shown = [answers, endpoint, endpoint.endpoint, endpoint.fingerprint, caplog.text]
    assert KEY not in "".join(map(repr, shown))


def test_a_key_reaches_its_own_server_only(proxy, monkeypatch):
    """OpenAI's key and account stand in many environments: another provider's server must not get to know them."""
    for variable in ("OPENAI_API_KEY", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID"):
        monkeypatch.setenv(variable, f"stranger-{variable}")
    proxy.always = Fault(401, body="{}")
    with pytest.raises(UserError, match="name its variable in `key`"):
        collect(model(proxy.url, key=None).generate([("Hello", SHORT)]))
    assert "stranger" not in str(proxy.headers) and proxy.headers


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ({"key": KEY}, "NAME of an environment variable"),
        ({"base_url": "https://user:hunter2@host.org/v1"}, "carries a user, a password"),
        ({"base_url": "host.org/v1"}, "is no address"),
        ({"concurrency": 0}, "concurrency: 0"),
        ({"measurement": "guess"}, "choose logprob or sampled"),
    ],
)
def test_a_line_that_is_not_right(line, says):
    """What is wrong in models.yml must be named, a secret in it not repeated."""
    with pytest.raises(UserError, match=says) as stop:
        model(**({"url": "https://host.org/v1"} | {("url" if k == "base_url" else k): v for k, v in line.items()}))
    assert KEY not in everything(stop.value) and "hunter2" not in everything(stop.value)


def test_a_key_that_is_not_set(monkeypatch):
    """Without its key a run must say which variable to set before it asks anything."""
    monkeypatch.delenv("LOOPBACK_KEY", raising=False)
    with pytest.raises(UserError, match="export LOOPBACK_KEY="):
        collect(model("http://127.0.0.1:9/v1").generate([("Hello", SHORT)]))


def test_so_many_at_once_and_no_more(proxy):
    """The limit is the provider's or the server's: one more is turned away, one fewer wastes the user's time."""
    proxy.always = Fault(delay=1)
    pulled, got = [], []

    def questions():
        for prompt in prompts(9):
            pulled.append(prompt)
            yield prompt, SHORT

    for answer in model(proxy.url, concurrency=3).generate(questions()):
        got.append(answer)
        assert len(pulled) <= len(got) + 3
    assert proxy.most == 3 and sorted(position for position, _ in got) == list(range(9))


def test_questions_that_end_early(proxy):
    """A spent budget or Ctrl-C ends the questions: what is under way has been paid, and must come back."""
    proxy.always = Fault(delay=0.3)
    answers = collect(model(proxy.url, concurrency=4).generate((prompt, SHORT) for prompt in prompts(3)))
    assert len(answers) == len(proxy.asked) == 3 and all("text" in answer for answer in answers)


def as_llama_takes_it(body: dict) -> dict:
    """Pass a schema on in llama.cpp's own words, as servers do that take schemas."""
    form = body.get("response_format")
    if form:
        body = body | {"response_format": {"type": "json_object", "schema": form["json_schema"]["schema"]}}
    return body


def test_structured_answers_fit_their_schema(proxy):
    """A judgement of the wrong form would be counted as something that the model never said."""
    proxy.change = as_llama_takes_it
    (answer,) = collect(model(proxy.url).structured([("Judge two texts: I love it. I hate it.", LIST)]))
    jsonschema.validate(answer["value"], LIST)
    assert answer["repaired"] is False and len(proxy.asked) == 1 and answer["completion_tokens"] > 2


def test_a_malformed_answer_is_mended_once(proxy):
    """Most malformed judgements are one comma away from a good one: the model sees what was wrong and tries again."""
    proxy.change = as_llama_takes_it
    message = {"role": "assistant", "content": '["pro", "perhaps"]'}
    wrong = {"model": "x", "choices": [{"index": 0, "finish_reason": "stop", "message": message}]}
    proxy.faults.append(Fault(body=json.dumps(wrong)))
    first, second = collect(model(proxy.url, concurrency=1).structured([("Judge two texts.", LIST)] * 2))
    jsonschema.validate(first["value"], LIST)
    assert first["repaired"] is True and second["repaired"] is False
    repair = proxy.asked[1]["messages"][0]["content"]
    assert '["pro", "perhaps"]' in repair and "'perhaps' is not one of" in repair
    # The first answer did not say how long it was, so the sum is not known either.
    assert first["completion_tokens"] is None

    proxy.faults.extend([Fault(body=json.dumps(wrong))] * 2)
    (answer,) = collect(model(proxy.url).structured([("Judge two texts.", LIST)]))
    assert answer["refused"].startswith("no valid JSON after one repair: $[1]: 'perhaps' is not one of")
    assert answer["value"] is None and answer["repaired"] is True and "error" not in answer


def test_a_server_that_chokes_on_schemas_is_asked_in_words(proxy):
    """llama.cpp meets every JSON schema with a 500: the schema stands in the prompt, and what comes is validated."""
    form = {"type": "object"}
    answers = collect(
        model(proxy.url, concurrency=1).structured([("Describe a cat.", form), ("Describe a dog.", form)])
    )
    assert all(isinstance(answer["value"], dict) for answer in answers)
    with_schema = ["response_format" in body for body in proxy.asked]
    assert with_schema[0] and not any(with_schema[2:])
    assert json.dumps(form) in proxy.asked[-1]["messages"][0]["content"]


def test_any_model_that_writes_can_judge():
    """A local model has no server that takes schemas; the same instruction, validation and repair hold for it."""
    good, bad = ["pro", "con"], '["pro"]'
    table = {
        instruct("first", LIST): f"Here: ```json\n{json.dumps(good)}\n```",
        instruct("second", LIST): bad,
        amend("second", LIST, bad, "$: ['pro'] is too short"): json.dumps(good),
        instruct("third", LIST): bad,
        amend("third", LIST, bad, "$: ['pro'] is too short"): "NaN",
    }
    scripted = ScriptedModel("scripted", table)
    first, second, third, fourth = collect(
        scripted.structured((name, LIST) for name in ("first", "second", "third", ""))
    )
    assert first["value"] == second["value"] == good
    assert (first["repaired"], second["repaired"]) == (False, True)
    assert "no valid JSON after one repair" in third["refused"] and third["value"] is None and third["repaired"]
    assert fourth["value"] is None and "refused" in fourth


def test_a_parameter_that_the_server_does_not_take(proxy):
    """Reasoning models take no temperature: the message names it and the key in models.yml that leaves it out."""
    complaint = {"message": "Unsupported value: 'temperature' does not support 0", "param": "temperature"}
    proxy.faults.append(Fault(400, body=json.dumps({"error": complaint})))
    with pytest.raises(UserError, match=r"without: \[temperature\]"):
        collect(model(proxy.url).generate([("Hello", SHORT)]))
    proxy.change = lambda body: {k: v for k, v in body.items() if k != "max_completion_tokens"} | {"max_tokens": 4}
    (answer,) = collect(model(proxy.url, without=["temperature", "max_tokens"]).generate([("Hello", SHORT)]))
    sent = proxy.asked[-1]
    assert "text" in answer and "temperature" not in sent
    assert "max_tokens" not in sent and sent["max_completion_tokens"] == 4


def test_texts_cannot_be_scored(proxy):
    """A chat server gives no probability of a given text: it must say so rather than give something near it."""
    with pytest.raises(UserError, match="cannot score texts"):
        collect(model(proxy.url).completion_scores([("a", "b")]))


def test_shares_of_drawn_answers_leave_refusals_out():
    """Refusals are missing mass: counted as answers they would flatten every distribution."""
    answer = from_texts(["1", "2"], ["1", "1.", "2", "I cannot answer that"])
    assert answer["probability"] == pytest.approx([2 / 3, 1 / 3]) and answer["missing_mass"] == 0.25
    nobody = from_texts(["1", "2"], ["no idea", "no idea", "ask another"])
    assert "error" not in nobody and nobody["missing_mass"] == 1 and nobody["n"] == 3 and nobody["refused"]
    assert [nobody[name] for name in ("raw", "probability", "low", "high")] == [None] * 4
    assert nobody["top"][0] == ["no idea", pytest.approx(2 / 3)]
