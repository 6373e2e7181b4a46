"""Generation beside transformers' own at the same batch, and beside what memory and matrix products allow.

    python benchmarks/generation.py                 two threads
    python benchmarks/generation.py --threads 4
    python benchmarks/generation.py --gpu 1b        a randomly initialised Llama in bfloat16: a record of its own

Tokens per second of a batch of prompts of different lengths, up to 64 new tokens each; counted are those up to a row's
end, tokenising and decoding are within the time. Both take turns in rounds, a number is the median over the rounds.
When sampling, every row of ours has a seed of its own, so that an answer does not depend on its neighbours;
transformers has one seed for the batch.

matrix-multiply bound : the linear layers of the model alone, on as many tokens as the batch has rows.
memory bound : every step must read all weights once; the speed of reading is measured by summing as many numbers.
"""

import argparse
import itertools
from collections.abc import Sequence
from functools import partial
from importlib import metadata

import workload

from whosevalues import items
from whosevalues.models import Decoding
from whosevalues.models.base import collect
from whosevalues.models.hf import HFModel

ROUNDS = 3
BATCHES = (1, 8, 32)
NEW = 64
TEMPERATURES = {"greedy": 0.0, "sampled": 0.7}


def prompts(count: int) -> list[str]:
    """Ask for texts that are longer than what is measured."""
    bank = [question.text["en"] for question in items.teaching_questions()]
    pairs = itertools.islice(itertools.permutations(bank, 2), 0, None, 7)
    return [f"Explain in five paragraphs why people differ here. {one} {two}" for one, two in pairs][:count]


def ours(model: HFModel, asked: Sequence[str], temperature: float) -> int:
    """Generate with this package; gives the number of new tokens."""
    decodings = [Decoding(temperature=temperature, max_tokens=NEW, seed=seed) for seed in range(len(asked))]
    answers = collect(model.generate(zip(asked, decodings, strict=True)))
    return sum(answer.get("completion_tokens", 0) for answer in answers)


def theirs(model: HFModel, asked: Sequence[str], temperature: float) -> int:
    """Generate with transformers, rows padded to the left; gives the number of new tokens."""
    import torch

    tokenizer, special = model.tokenizer, not model.tokenizer.chat_template
    texts = [model.render(prompt) for prompt in asked]
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    rows = tokenizer(texts, padding=True, padding_side="left", add_special_tokens=special, return_tensors="pt")
    how = {"do_sample": False, "temperature": None, "top_p": None, "top_k": None}
    if temperature:
        how = {"do_sample": True, "temperature": temperature, "top_p": 1.0, "top_k": 0}
    torch.manual_seed(0)
    with torch.inference_mode():
        out = model.model.generate(
            **rows.to(model.model.device), max_new_tokens=NEW, pad_token_id=tokenizer.pad_token_id, **how
        )
    new = out[:, rows["input_ids"].shape[1] :]
    tokenizer.batch_decode(new, skip_special_tokens=True)
    ended = (new == tokenizer.eos_token_id).cumsum(1)
    # A row's own end counts, what is filled in behind it does not.
    return int((ended == 0).sum() + (ended[:, -1] > 0).sum())


def memory_seconds(model: HFModel) -> float:
    """Time one reading of as many bytes as the model's weights have."""
    import torch

    like = {"device": model.model.device, "dtype": model.model.dtype}
    numbers = torch.ones(sum(weights.numel() for weights in model.model.parameters()), **like)
    return min(workload.seconds(numbers.sum)[0] for _ in range(3))


def compare(model: HFModel, batch: int, decoding: str, facts: dict[str, object]) -> list[dict[str, object]]:
    """Time one batch with both and with the bounds; gives the rows of the table."""
    asked, temperature = prompts(batch), TEMPERATURES[decoding]
    name = f"transformers {metadata.version('transformers')} generate"
    methods = {"ours": ours, name: theirs}
    speeds: dict[str, list[float]] = {key: [] for key in (*methods, "matrix-multiply bound", "memory bound")}
    for _ in range(ROUNDS):
        for key, method in methods.items():
            took, tokens = workload.seconds(partial(method, model, asked, temperature))
            speeds[key].append(tokens / took)
        speeds["matrix-multiply bound"].append(batch / workload.matmul_seconds(model, batch, batch))
        speeds["memory bound"].append(batch / memory_seconds(model))
    return [
        workload.row(f"{decoding}, batch {batch}", speeds["ours"], speeds[key], key, n=ROUNDS * batch, **facts)
        for key in list(speeds)[1:]
    ]


def main() -> None:
    """Run all batches, greedy and sampled."""
    import torch

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=2, help="of the processor")
    parser.add_argument("--gpu", choices=workload.SHAPES, help="measure this model on a GPU instead")
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    rows = []
    with workload.measured(asked.gpu) as model:
        dtype = str(model.model.dtype).removeprefix("torch.")
        facts = {"unit": "tokens/s", "threads": asked.threads, "dtype": dtype}
        ours(model, prompts(1), 0.0)
        theirs(model, prompts(1), 0.0)
        for decoding in TEMPERATURES:
            for batch in BATCHES:
                rows += compare(model, batch, decoding, facts)
    workload.write("generation", rows, asked.gpu)


if __name__ == "__main__":
    main()
