"""Models behind any OpenAI-compatible server: a provider's, or one of your own such as `vllm serve`.

Servers drop what they do not know without a word, so what was asked for is checked in what comes back. Option scores
are read from the listed log-probabilities of the first tokens ('logprob'); where a server lists none, or options
cannot be found among them, answers are drawn and counted ('sampled'). The first questions with the same options settle
the kind, or an earlier run has; it stands in every answer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from threading import Lock
from typing import Any

from .. import UserError
from .base import PROOF, Answer, Answers, Decoding, Model
from .endpoint import Endpoint, account, spoken
from .faults import Failed, Refused
from .readings import SPELLINGS, from_texts, from_tokens, positions, refusal
from .structured import DECODING, instruct, structured

LISTED = 20
"""Most probable tokens asked for: the most that OpenAI gives."""

WALKS = 10
"""How often at most to draw what follows a token that may become several things ("1" or "10")."""

DOUBT = 0.02
"""Probability of such a token that is worth another draw; below it, the bounds say enough."""

CHOICES = 8
"""Texts drawn with one request, where the server gives several: the most that any provider allows."""

ROOM = 8
"""Tokens for a drawn answer beyond the longest option's characters."""

WORDS, DRAWS, LENGTH = "Write down twenty random words.", 3, 24
"""What a server that draws answers in ever other words: how often it is asked, and for how many tokens."""

OVERHEAD = 100
"""Tokens that a chat template may add to a prompt."""

UNLISTED = "the server lists no tokens this time"


class APIModel(Model):
    """A model that a server speaks for; several questions are under way at once.

    Parameters
    ----------
    name : as in models.yml.
    line : its line there: `base_url`, `model` (the name at the server), `key` (NAME of the environment variable with
        the key), `concurrency` (requests at once, 8), `samples` (texts drawn per question where probabilities cannot
        be read, 20), `measurement` ('logprob' or 'sampled', to force one), `without` (parameters that the server does
        not take, such as [temperature]; without max_tokens, max_completion_tokens is sent), `timeout` (seconds for one
        answer, 300).

    Raises
    ------
    UserError : a value that makes no sense; names it.
    """

    in_flight = True

    def __init__(self, name: str, line: dict[str, Any]):
        self.name = name
        self.concurrency, self.samples = line.get("concurrency", 8), line.get("samples", 20)
        self.asked, self.without = line.get("measurement"), tuple(line.get("without", ()))
        for key, value, least in (("concurrency", self.concurrency, 1), ("samples", self.samples, 2)):
            if value < least:
                raise UserError(f"model '{name}' in models.yml has {key}: {value}; the least is {least}")
        if self.asked not in (None, "logprob", "sampled"):
            raise UserError(f"model '{name}' in models.yml has measurement: {self.asked}; choose logprob or sampled")
        if self.asked:
            self.measurement = self.asked
        timeout = line.get("timeout", 300.0)
        self.endpoint = Endpoint(name, line["base_url"], line["model"], line.get("key"), timeout)
        self._kinds: dict[tuple[str, ...], str] = {}
        self._in_vain: Counter[tuple[str, ...]] = Counter()
        self._deciding, self._silent, self._draws_differ, self._takes_schemas = Lock(), 0, False, True

    @property
    def fingerprint(self) -> dict[str, object]:
        """Server, model, and how option scores are taken; never the key."""
        return {
            "backend": "api",
            "address": self.endpoint.address,
            "model": self.endpoint.model,
            "measurement": self.asked or "logprob where listed, else sampled",
            "listed": LISTED,
            "walks": WALKS,
            "samples": self.samples,
            "temperature": 1.0,
            "room": ROOM,
            "spellings": list(SPELLINGS),
            "without": sorted(self.without),
        }

    def at_most(self, prompt: str, asked: object) -> tuple[int, int]:
        """Bound the tokens of one question over all its requests."""
        read = len(prompt.encode()) + OVERHEAD
        if isinstance(asked, Decoding):
            return read, asked.max_tokens
        if isinstance(asked, dict):
            read += len(instruct("", asked).encode())
            return 2 * read + DECODING.max_tokens, 2 * DECODING.max_tokens
        options = tuple(asked)
        kind = self._kinds.get(options)
        walks, samples = (0 if kind == "sampled" else WALKS), (0 if kind == "logprob" else self.samples)
        draws = DRAWS if samples and not self._draws_differ else 0
        read = (walks + samples) * read + draws * (len(WORDS) + OVERHEAD)
        return read, walks * _depth(options) + samples * _room(options) + draws * LENGTH

    def remember(self, kinds: Mapping[tuple[str, ...], str]) -> None:
        """Go on as earlier runs began: by options 'logprob' or 'sampled', unless models.yml forces one."""
        if not self.asked:
            self._kinds = {tuple(options): kind for options, kind in kinds.items()} | self._kinds

    def option_scores(self, questions: Iterable[tuple[str, Sequence[str]]]) -> Answers:
        """Read each option's probability from the listed tokens, or draw answers and count."""
        return self.endpoint.each(self._options, questions, self.concurrency)

    def generate(self, questions: Iterable[tuple[str, Decoding]]) -> Answers:
        """Let the server write; the text ends before the first stop string, whether the server minded it or not."""
        return self.endpoint.each(self._generate, questions, self.concurrency)

    def structured(self, questions: Iterable[tuple[str, dict[str, Any]]]) -> Answers:
        """Ask for JSON, with the server's help where it takes schemas; validated in any case."""
        return self.endpoint.each(self._structured, questions, self.concurrency)

    def _options(self, prompt: str, options: Sequence[str]) -> Answer:
        options = tuple(options)
        if len(set(options)) < len(options) or "" in options:
            return {"error": f"two of the options {', '.join(options)} are the same, or one is empty"}
        # What is asked for all questions is accounted for in the answer of the first.
        answer, replies = None, []
        if options not in self._kinds:
            with self._deciding:
                answer = None if options in self._kinds else self._decide(prompt, options, replies)
        if answer is not None:
            return answer
        if self._kinds.get(options) == "logprob":
            return self._read(prompt, options, replies) or {"error": UNLISTED}
        if not self._draws_differ:
            with self._deciding:
                self._check_draws(replies)
        return self._draw(prompt, options, replies)

    def _decide(self, prompt: str, options: tuple[str, ...], replies: list) -> Answer | None:
        """Settle on a kind, or leave that to the next question; the answer, where it could be read."""
        # Several words are never one token.
        words = any(any(map(str.isspace, option)) for option in options)
        if self.asked == "sampled" or (not self.asked and (words or self._silent >= PROOF)):
            self._kinds[options] = "sampled"
            return None
        answer = self._read(prompt, options, replies)
        if answer and answer["top"] and (self.asked or _can_be_listed(options, answer)):
            self._kinds[options] = "logprob"
            return answer
        self._in_vain[options] += 1
        if self.asked and answer is None:
            if self._silent < PROOF:
                return {"error": UNLISTED}
            raise UserError(
                f"model '{self.name}' at {self.endpoint.address} lists no log-probabilities: remove "
                "`measurement: logprob` from its line in models.yml, and answers are drawn instead"
            )
        if not self.asked and max(self._silent, self._in_vain[options]) >= PROOF:
            self._kinds[options] = "sampled"
        # Who said nothing at all has been listened to often enough.
        return answer if answer and not answer["top"] else None

    def _read(self, prompt: str, options: tuple[str, ...], replies: list) -> Answer | None:
        """Read the listed tokens; None where the server lists none."""
        answer, after = None, {}
        for seed in range(WALKS):
            # At temperature 1: a server that applies it before it lists the tokens then changes nothing.
            parameters = {"temperature": 1.0, "top_p": 1.0, "max_tokens": _depth(options), "seed": seed}
            try:
                replies.append(self._chat(prompt, logprobs=True, top_logprobs=LISTED, **parameters))
            except Refused as refused:
                if refused.parameter in ("logprobs", "top_logprobs"):
                    self._silent = PROOF
                    return None
                raise
            found = positions(replies[-1].choices[0])
            if not found:
                # Nothing said, nothing listed: that tells nothing of the server, and the next seed may say more.
                if after or not spoken(replies[-1].choices[0]):
                    continue
                self._silent += 1
                return None
            said = b""
            for place in found:
                after.setdefault(said, place)
                said += place.chosen
                if not place.chosen:
                    break
            answer, doubt = from_tokens(options, after)
            self._silent = 0
            if doubt < DOUBT:
                break
        answer = answer or refusal(f"the model said nothing, {WALKS} times of {WALKS}", 1.0, [])
        return answer | {"n": None, "measurement": "logprob"} | account(replies)

    def _draw(self, prompt: str, options: tuple[str, ...], replies: list) -> Answer:
        texts = []
        while (left := self.samples - len(texts)) > 0:
            n = 1 if "n" in self.without else min(left, CHOICES)
            parameters = {"temperature": 1.0, "top_p": 1.0, "max_tokens": _room(options), "seed": len(texts)}
            replies.append(self._chat(prompt, **parameters, **({"n": n} if n > 1 else {})))
            # Some servers give one text whatever `n` says: what came is counted, not what was asked for.
            texts += [spoken(choice) for choice in replies[-1].choices[:left]]
        return from_texts(options, texts) | {"measurement": "sampled"} | account(replies)

    def _check_draws(self, replies: list) -> None:
        """Make sure that drawing twice is not reading the same answer twice."""
        texts = set()
        for seed in range(0 if self._draws_differ else DRAWS):
            replies.append(self._chat(WORDS, temperature=1.0, top_p=1.0, max_tokens=LENGTH, seed=seed))
            texts.add(spoken(replies[-1].choices[0]))
            if len(texts) > 1:
                break
        if len(texts) == 1 and texts != {""}:
            self.endpoint.halt.set()
            raise UserError(
                f"model '{self.name}' at {self.endpoint.address} says the same whatever the seed: the server ignores "
                "`temperature`, and equal draws would pass for certainty; make it sample (`transformers serve`: "
                "`do_sample: true` in the model's generation_config.json)"
            )
        self._draws_differ = True

    def _generate(self, prompt: str, decoding: Decoding, **more: Any) -> Answer:
        parameters = {"temperature": decoding.temperature, "top_p": decoding.top_p, "max_tokens": decoding.max_tokens}
        if decoding.stop:
            # Providers take four at most; the text is cut at all of them.
            parameters["stop"] = list(decoding.stop[:4])
        reply = self._chat(prompt, **parameters, seed=decoding.seed, **more)
        choice = reply.choices[0]
        text, reason = spoken(choice), choice.finish_reason
        ends = [end for end in (text.find(stop) for stop in decoding.stop) if end >= 0]
        if ends:
            text, reason = text[: min(ends)], "stop"
        silence = {} if text.strip() else {"text": "", "refused": "the model said nothing"}
        return {"text": text, "finish_reason": reason} | silence | account([reply])

    def _structured(self, prompt: str, schema: dict[str, Any]) -> Answer:
        said = []

        def say(text: str) -> Answer:
            # Held to a schema, some servers write nothing but blanks: the second attempt is in words alone.
            blank = bool(said) and "refused" in said[-1]
            said.append(self._generate(text, DECODING) if blank else self._say(schema, text))
            if blank and "refused" not in said[-1]:
                self._takes_schemas = False
            return said[-1]

        return structured(say, prompt, schema)

    def _say(self, schema: dict[str, Any], text: str) -> Answer:
        if self._takes_schemas:
            form = {"type": "json_schema", "json_schema": {"name": "answer", "strict": True, "schema": schema}}
            try:
                # Not for long: some servers meet every schema with an internal error.
                return self._generate(text, DECODING, response_format=form, attempts=2)
            except (Failed, Refused):
                # The instruction is in the prompt in any case, and so is the schema.
                answer = self._generate(text, DECODING)
            self._takes_schemas = False
            return answer
        return self._generate(text, DECODING)

    def _chat(self, prompt: str, attempts: int | None = None, **parameters: Any):
        sent = {name: value for name, value in parameters.items() if name not in self.without}
        if "max_tokens" in self.without and "max_tokens" in parameters:
            sent["max_completion_tokens"] = parameters["max_tokens"]
        return self.endpoint.chat(prompt, attempts, **sent)


def _can_be_listed(options: Sequence[str], answer: Answer) -> bool:
    """Whether an option that was not listed was not said, rather than missed."""
    if all(option.isascii() and (len(option) == 1 or option.isdigit()) for option in options):
        return True
    listed = [share is not None for share in answer["raw"] or [None]]
    # A server that cannot write down half a character never lists what is made of two halves.
    return any(listed) if all(map(str.isascii, options)) else all(listed)


def _depth(options: Sequence[str]) -> int:
    """Tokens to ask for: a space or a first digit may come apart from the rest."""
    return min(max(2, *map(len, options)), 3)


def _room(options: Sequence[str]) -> int:
    return ROOM + max(map(len, options))
