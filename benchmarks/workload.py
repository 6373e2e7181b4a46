"""What the benchmarks of speed ask, of which models, and how they write down what they measured.

    python benchmarks/workload.py

shows one prompt. The questions are made of the teaching bank, so that they read like a survey and every run asks the
same: 200 questions in six framings, which share about 84 tokens before each question's own 83. The questions carry
numbers, as in a questionnaire, so that two of them share hardly more than their framing.
"""

import functools
import itertools
import json
import os
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from whosevalues import items, models, prompts
from whosevalues.models.hf import HFModel

RESULTS = Path(__file__).parent / "results"
EMBEDDED = "smollm2-135m"

ABOUT = (
    "The question comes from an international survey of what people value in life. Read it carefully to the end before "
    "you choose. No answer is right or wrong; what counts is how most people there tend to see the matter today."
)
FRAMES = [
    prompts.OPENINGS[framing]["en"].format(nationality=prompts.NATIONALITIES["en"][country]) + f" {ABOUT}"
    for framing in ("persona", "observer")
    for country in ("EG", "IR", "TR")
]

# Shapes of two public Llama models, with the vocabulary of the embedded tokenizer; the weights are drawn at random.
SHAPES = {
    "1b": {"hidden_size": 2048, "intermediate_size": 8192, "num_hidden_layers": 16, "num_attention_heads": 32},
    "8b": {"hidden_size": 4096, "intermediate_size": 14336, "num_hidden_layers": 32, "num_attention_heads": 32},
}


@functools.cache
def bank() -> tuple[items.Question, ...]:
    """Those of the teaching questions whose answers all have a wording; read once, so that no timing contains it."""
    return tuple(q for q in items.teaching_questions() if all(q.labels["en"]) and len(q.options) < 10)


def questions() -> Iterator[tuple[str, tuple[str, ...]]]:
    """Write questions without end, each with its options: about 83 tokens with the template that follows."""
    pairs = list(itertools.permutations(bank(), 2))
    random.Random(0).shuffle(pairs)
    for number in itertools.count():
        asked, before = pairs[number % len(pairs)]
        context = f'"{before.text["en"]}" was answered "{before.labels["en"][number % len(before.options)]}".'
        choices = "\n".join(f"{key}. {label}" for key, label in zip(asked.options, asked.labels["en"], strict=True))
        text = f"{number + 1}. {context} {asked.text['en']}\n{choices}"
        yield f"{text}\n\n{prompts.INSTRUCTIONS['zero-shot']['en']}", asked.options


def requests(first: int, last: int) -> list[tuple[str, tuple[str, ...]]]:
    """Ask some of the questions in all six framings, framing after framing, as the papers' grids do."""
    chosen = list(itertools.islice(questions(), first, last))
    return [(f"{frame}\n\n{text}", options) for frame in FRAMES for text, options in chosen]


def tokens(model: HFModel, prompt: str) -> list[int]:
    """Encode a prompt as the model reads it."""
    return model.tokenizer.encode(model.render(prompt), add_special_tokens=not model.tokenizer.chat_template)


@contextmanager
def measured(shape: str | None) -> Iterator[HFModel]:
    """Give the embedded model in float32 or, for a GPU, one of `SHAPES` with random weights in bfloat16."""
    if shape is None:
        # The embedded model is measured on the processor, even where there is a GPU.
        os.environ["CUDA_VISIBLE_DEVICES"] = ""
        yield models.load(EMBEDDED)
        return
    import torch
    from transformers import LlamaConfig

    config = LlamaConfig(**SHAPES[shape], num_key_value_heads=8, vocab_size=49_152)
    with tempfile.TemporaryDirectory() as folder:
        with torch.device("cuda"):
            model = random_llama(config, Path(folder), f"random-{shape}", "bfloat16")
        yield model


def random_llama(config, folder: Path, name: str, dtype: str) -> HFModel:
    """Save a Llama with random weights and the embedded model's tokenizer, and open it as any local model."""
    import torch
    from transformers import LlamaForCausalLM

    tokenizer = models.load(EMBEDDED).tokenizer
    config.bos_token_id, config.eos_token_id = tokenizer.bos_token_id, tokenizer.eos_token_id
    torch.manual_seed(0)
    LlamaForCausalLM(config).to(getattr(torch, dtype)).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return HFModel(name, folder, "random", dtype=dtype)


def seconds(work: Callable[[], object]) -> tuple[float, object]:
    """Time some work, with all that a GPU still has to do for it; gives what it returned, too."""
    import torch

    wait = torch.cuda.synchronize if torch.cuda.is_available() else lambda: None
    wait()
    start = time.perf_counter()
    done = work()
    wait()
    return time.perf_counter() - start, done


def matmul_seconds(model: HFModel, batch: int, reads: int) -> float:
    """Time the matrix products of one forward pass alone: the layers' on `batch` tokens, the head's on `reads` of them.

    The weights are the model's own, each used once, so that they come from memory as in a real pass; the inputs are
    random. Attention, norms and activations are left out.
    """
    import torch

    head = model.model.get_output_embeddings()
    linear = [module for module in model.model.modules() if isinstance(module, torch.nn.Linear)]
    like = {"device": head.weight.device, "dtype": head.weight.dtype}
    inputs = {width: torch.randn(batch, width, **like) for width in {module.in_features for module in linear}}
    with torch.inference_mode():
        return seconds(lambda: [m(inputs[m.in_features][: reads if m is head else batch]) for m in linear])[0]


def row(work: str, ours: Sequence[float], peer: Sequence[float], peer_name: str, **more) -> dict[str, object]:
    """Set medians over the rounds beside each other: of throughputs, so that a ratio above 1 means ours is better."""
    mine, other = statistics.median(ours), statistics.median(peer)
    facts = {"work": work, "ours": mine, "peer": other, "peer_name": peer_name, "ratio": mine / other}
    return facts | more


def write(name: str, rows: Sequence[dict[str, object]], shape: str | None = None) -> None:
    """Write the table of a benchmark; a GPU's is a record of its own, by model and day."""
    today = datetime.now(UTC).date().isoformat()
    columns = ["work", "ours", "peer", "peer_name", "unit", "ratio", "n", "threads", "dtype", "date"]
    table = pd.DataFrame(rows).assign(date=today)[columns]
    file = name if shape is None else f"{name}-gpu-{shape}-{today}"
    table.to_csv(RESULTS / f"{file}.csv", index=False, float_format="%.4g", lineterminator="\n")
    print(table.to_string(index=False))


if __name__ == "__main__":
    prompt, options = requests(0, 1)[0]
    print(prompt, json.dumps(options), sep="\n\n")
