"""Does a long run slow down or fill the memory? Ten and a hundred times as many questions beside a thousand.

    python benchmarks/flat.py

A tiny Llama with random weights and the embedded model's tokenizer, one thread: what is left to measure is everything
around the model. Each number of questions runs in a process of its own, which draws them from a generator and keeps no
answer. Every prompt ends in a number of its own, as a judge's ends in its own statement, so that whatever is kept by
a prompt's end would pile up. Seconds are processor time. The peer of a long run is the run of a thousand: a ratio of 1
means that throughput or memory is flat.
"""

import itertools
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import workload

from whosevalues.models.hf import HFModel

COUNTS = (1_000, 10_000, 100_000)
WARM_UP = 256


def asked(count: int) -> Iterator[tuple[str, Sequence[str]]]:
    """Ask so many different questions, framing after framing."""
    for number, frame in enumerate(workload.FRAMES):
        share = count // len(workload.FRAMES) + (number < count % len(workload.FRAMES))
        for place, (text, options) in enumerate(itertools.islice(workload.questions(), share)):
            yield f"{frame}\n\n{text} ({number}.{place})", options


def tiny(folder: Path) -> None:
    """Save the model."""
    from transformers import LlamaConfig

    config = LlamaConfig(
        hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=2, num_key_value_heads=1,
        vocab_size=49_152, tie_word_embeddings=True,
    )  # fmt: skip
    workload.random_llama(config, folder, "tiny", "float32")


def measure(folder: str, count: int) -> dict[str, float]:
    """Ask in this process; gives questions per second and the peak of memory in MiB."""
    import torch

    torch.set_num_threads(1)
    model = HFModel("tiny", folder, "random")
    for _ in model.option_scores(asked(WARM_UP)):
        pass
    start = time.process_time()
    answered = sum("error" not in answer for _, answer in model.option_scores(asked(count)))
    took = time.process_time() - start
    assert answered == count, f"{count - answered} questions failed"
    return {"questions/s": count / took, "MiB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def main() -> None:
    """Run every number of questions in a process of its own."""
    os.environ["CUDA_VISIBLE_DEVICES"] = ""
    with tempfile.TemporaryDirectory() as folder:
        tiny(Path(folder))
        runs = {
            count: json.loads(subprocess.check_output([sys.executable, __file__, folder, str(count)], text=True))
            for count in COUNTS
        }
    first, rows = runs[COUNTS[0]], []
    for count in COUNTS[1:]:
        facts = {"peer_name": f"{COUNTS[0]:,} questions", "n": count, "threads": 1, "dtype": "float32"}
        for unit, better in (("questions/s", 1), ("MiB", -1)):
            work = "throughput" if unit == "questions/s" else "peak memory"
            ratio = (runs[count][unit] / first[unit]) ** better
            rows.append(
                {"work": work, "ours": runs[count][unit], "peer": first[unit], "ratio": ratio, "unit": unit} | facts
            )
    workload.write("flat", rows)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(measure(sys.argv[1], int(sys.argv[2]))))
    else:
        main()
