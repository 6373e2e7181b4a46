"""Option scoring beside a plain loop, lm-evaluation-harness and what the machine's matrix products allow.

    python benchmarks/scoring.py                    two threads
    python benchmarks/scoring.py --threads 2 1      a run for each
    python benchmarks/scoring.py --gpu 1b           a randomly initialised Llama in bfloat16: a record of its own

Everything runs side by side in one process, in rounds: in each, the same machine in the same mood sees all methods. A
number is the median over the rounds. Each round takes new questions, in all six framings; the peers, which share
nothing between questions and so lose nothing by it, get the first few of them. Ours is timed on all of a round's
questions and again on the peers' few, where the framings are shared by fewer.

The peers get token sequences ready made; ours writes and tokenises its prompts within its time, and scores every
spelling of an option (with a leading space, in other digits), where the peers score the first.

plain loop : one prompt at a time, one forward pass that reads the last position only.
HFLM : lm-evaluation-harness' own class on the same model object and the same token sequences.
matrix-multiply bound : the questions per second that the matrix products of the linear layers alone would allow, if
    nothing else took time and no token were ever read twice. Its tokens are the distinct prefixes of all sequences of
    a round, so what any two requests share counts once; its readings, the output layer's rows, are those after which
    some option's token must be known. Their time is measured in the same round, with the model's own layers on random
    input, at the batch size that suits the machine best. Attention, norms, activations and tokenisation are left out,
    so that nobody reaches 1.
"""

import argparse
import itertools
import logging
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from importlib import metadata

import workload

from whosevalues.models.base import collect
from whosevalues.models.hf import HFModel

ROUNDS = 3
ARABIC = tuple("١٢٣٤٥٦٧٨٩") + ("١٠",)
WORDED = (
    "Agree", "Disagree", "Strongly agree", "A great deal", "Not at all", "Rather good", "Very bad", "Once a week",
    "Yes, definitely", "No, probably not",
)  # fmt: skip
# Options, None being the question's own digits; questions of a round for ours and for the peers.
KINDS = {
    "one-token options": (None, 66, 8),
    "options in Arabic-Indic digits": (ARABIC, 12, 2),
    "worded options": (WORDED, 12, 1),
}
OURS, OURS_ON_FEW, BOUND = "ours", "ours on few", "matrix-multiply bound"
BATCHES = (256, 512, 1024)
TOLERANCE = 1e-4


def sequences(model: HFModel, requests: Sequence[tuple[str, Sequence[str]]]) -> list[tuple[list[int], list[list[int]]]]:
    """Tokens of each request: its prompt, and its options as they are spelt first."""
    encoded = []
    for prompt, options in requests:
        spelt = model.spellings(model.render(prompt), options)
        encoded.append((workload.tokens(model, prompt), [list(spellings[0]) for spellings in spelt]))
    return encoded


def plain_loop(model: HFModel, encoded: Sequence[tuple[list[int], list[list[int]]]]) -> list[list[float]]:
    """Score one-token options as one would write it down."""
    import torch

    scores = []
    with torch.inference_mode():
        for prompt, options in encoded:
            out = model.model(torch.tensor([prompt], device=model.model.device), use_cache=False, logits_to_keep=1)
            last = out.logits[0, -1].float().log_softmax(-1)
            scores.append([float(last[token]) for (token,) in options])
    return scores


def harness(model: HFModel, batch: int):
    """Open the harness' class on our model, at this batch size."""
    logging.getLogger("lm_eval").setLevel(logging.ERROR)
    from lm_eval.models.huggingface import HFLM

    return HFLM(pretrained=model.model, tokenizer=model.tokenizer, batch_size=batch)


def by_harness(peer, encoded: Sequence[tuple[list[int], list[list[int]]]]) -> list[list[float]]:
    """Score with the harness, on the same token sequences: its texts would move a space to the option."""
    # The harness keeps results by its texts, which must therefore differ: any names do.
    flat = [
        ((str(request), str(option)), prompt, tokens)
        for request, (prompt, options) in enumerate(encoded)
        for option, tokens in enumerate(options)
    ]
    scores = iter(peer._loglikelihood_tokens(flat, disable_tqdm=True))
    return [[next(scores)[0] for _ in options] for _, options in encoded]


def ours(model: HFModel, requests: Sequence[tuple[str, Sequence[str]]]) -> list[list[float]]:
    """Score with this package; gives `raw`."""
    return [answer["raw"] for answer in collect(model.option_scores(iter(requests)))]


def distinct(sequences: Iterable[Sequence[int]]) -> int:
    """Count the distinct prefixes of some sequences, the empty one left out."""
    ordered = sorted(sequences)
    shared = [
        next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
        for one, other in itertools.pairwise(ordered)
    ]
    return sum(map(len, ordered)) - sum(shared)


def must_compute(encoded: Sequence[tuple[list[int], list[list[int]]]]) -> tuple[int, int]:
    """Count the tokens that any method must read at least once, and the positions at which it must read a result."""
    heads = {(*prompt, *tokens[:-1]) for prompt, options in encoded for tokens in options}
    reads = {(*prompt, *tokens[:i]) for prompt, options in encoded for tokens in options for i in range(len(tokens))}
    return distinct(heads), len(reads)


def bound(model: HFModel, encoded: Sequence[tuple[list[int], list[list[int]]]]) -> float:
    """Questions per second, were there matrix products only and every token read once."""
    tokens, reads = must_compute(encoded)
    fastest = min(workload.matmul_seconds(model, batch, batch * reads // tokens) / batch for batch in BATCHES)
    return len(encoded) / (tokens * fastest)


def difference(some: Sequence[Sequence[float]], others: Sequence[Sequence[float]]) -> float:
    """Largest absolute difference between two tables of scores."""
    pairs = zip(itertools.chain(*some), itertools.chain(*others), strict=True)
    return max(abs(one - other) for one, other in pairs)


def peers(model: HFModel, one_token: bool) -> dict[str, Callable]:
    """Name the methods beside ours; all but the harness in batches are for options of one token."""
    name = f"lm_eval {metadata.version('lm_eval')} HFLM, batch"
    batched = {f"{name} 16": partial(by_harness, harness(model, 16))}
    if not one_token:
        return batched
    return batched | {f"{name} 1": partial(by_harness, harness(model, 1)), "plain loop": partial(plain_loop, model)}


def rounds(model: HFModel, options: Sequence[str] | None, many: int, few: int) -> tuple[dict[str, list[float]], float]:
    """Time all methods round by round; gives questions per second by method, and the largest difference of scores."""
    methods = peers(model, options is None)
    speeds: dict[str, list[float]] = {key: [] for key in (OURS, OURS_ON_FEW, BOUND, *methods)}
    worst = 0.0
    for number in range(ROUNDS):
        of_all, of_few = (
            [(prompt, options or own) for prompt, own in workload.requests(number * many, number * many + count)]
            for count in (many, few)
        )
        for key, requests in ((OURS, of_all), (OURS_ON_FEW, of_few)):
            took, raw = workload.seconds(partial(ours, model, requests))
            speeds[key].append(len(requests) / took)
        speeds[BOUND].append(bound(model, sequences(model, of_all)))
        encoded = sequences(model, of_few)
        for key, method in methods.items():
            took, scores = workload.seconds(partial(method, encoded))
            speeds[key].append(len(encoded) / took)
            worst = max(worst, difference(raw, scores))
    return speeds, worst


def compare(model: HFModel, kind: str, threads: int) -> list[dict[str, object]]:
    """Measure one kind of options; gives the rows of the table."""
    options, many, few = KINDS[kind]
    if threads == 1:
        # Half the speed: fewer questions, so that a run of all benchmarks stays within minutes.
        many, few = many // 3, (few + 1) // 2
    speeds, worst = rounds(model, options, many, few)
    facts = {"unit": "questions/s", "threads": threads, "dtype": str(model.model.dtype).removeprefix("torch.")}
    rows = []
    for key, work, count in ((OURS, kind, many), (OURS_ON_FEW, f"{kind}, few questions", few)):
        facts["n"] = ROUNDS * count * len(workload.FRAMES)
        others = [other for other in speeds if other not in (OURS, OURS_ON_FEW) and (key == OURS or other != BOUND)]
        rows += [workload.row(work, speeds[key], speeds[other], other, **facts) for other in others]
    facts |= {"work": f"{kind}, largest difference of raw", "unit": "nat"}
    return [*rows, facts | {"ours": worst, "peer": TOLERANCE, "peer_name": "tolerance", "ratio": TOLERANCE / worst}]


def main() -> None:
    """Run all kinds of options at every number of threads."""
    import torch

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, nargs="+", default=[2], help="of the processor, one run for each")
    parser.add_argument("--gpu", choices=workload.SHAPES, help="measure this model on a GPU instead")
    asked = parser.parse_args()
    rows = []
    with workload.measured(asked.gpu) as model:
        for threads in asked.threads[: 1 if asked.gpu else None]:
            torch.set_num_threads(threads)
            ours(model, workload.requests(0, 1))
            for kind in KINDS:
                rows += compare(model, kind, threads)
    workload.write("scoring", rows, asked.gpu)


if __name__ == "__main__":
    main()
