"""The trainers of trl, set up so that a run can be interrupted, continued and repeated."""

from __future__ import annotations

import logging
import os
import sys
import time
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import UserError
from ..models.hf import PLAIN_PROMPT, HFModel

if TYPE_CHECKING:
    from .alignment import Training

METHODS = ("dpo", "orpo")

STATE = "trainer_state.json"
"""What a checkpoint writes last."""


def fit(
    base: HFModel, pairs: Sequence[Sequence[str]], training: Training, folder: Path, stop_after: int | None = None
) -> dict[str, Any] | None:
    """Train, or continue at the last whole checkpoint; the adapter comes into ``partial``.

    Parameters
    ----------
    base : the model; it is loaded afresh, as an adapter is put into the weights.
    pairs : prompt, chosen and rejected texts.
    training : how.
    folder : of this run's checkpoints.
    stop_after : end after so many steps in all.

    Returns
    -------
    `losses`, one per step, and `seconds`; None where it was stopped.
    """
    started = time.monotonic()
    trainer = _trainer(base, pairs, training, folder, stop_after)
    last = checkpoint(folder)
    trainer.train(resume_from_checkpoint=str(last) if last else None)
    if trainer.state.global_step < trainer.state.max_steps:
        return None
    trainer.model.save_pretrained(folder / "partial", safe_serialization=True)
    losses = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
    return {"losses": losses, "seconds": round(time.monotonic() - started, 1)}


def checkpoint(folder: Path) -> Path | None:
    """Find the last checkpoint that was written to its end.

    Parameters
    ----------
    folder : of a run.

    Returns
    -------
    Its folder, None where there is none.
    """
    whole = [state.parent for state in folder.glob(f"checkpoint-*/{STATE}")]
    return max(whole, key=lambda one: int(one.name.rpartition("-")[2]), default=None)


def examples(base: HFModel, pairs: Sequence[Sequence[str]]) -> list[dict[str, Any]]:
    """Write pairs as the trainers take them: a prompt exactly as the model reads it when it is scored.

    Parameters
    ----------
    base : a model with a chat template gets the question as its user's turn, another one the plain prompt.
    pairs : prompt, chosen and rejected texts.

    Returns
    -------
    `prompt`, `chosen` and `rejected`, as turns of a conversation or as plain texts.
    """
    if not base.tokenizer.chat_template:
        keys = ("prompt", "chosen", "rejected")
        return [dict(zip(keys, (PLAIN_PROMPT.format(prompt=q), f" {s}", f" {r}"), strict=True)) for q, s, r in pairs]

    def turn(role: str, text: str) -> list[dict[str, str]]:
        return [{"role": role, "content": text}]

    return [
        {"prompt": turn("user", q), "chosen": turn("assistant", s), "rejected": turn("assistant", r)}
        for q, s, r in pairs
    ]


def _trainer(base: HFModel, pairs, training: Training, folder: Path, stop_after: int | None):
    if training.method not in METHODS:
        raise UserError(f"unknown method '{training.method}': choose {' or '.join(METHODS)}")
    _quiet()
    import datasets
    import torch
    from peft import LoraConfig
    from transformers import PrinterCallback

    torch.manual_seed(training.seed)
    datasets.disable_progress_bars()
    adapter = LoraConfig(
        r=training.rank,
        lora_alpha=training.alpha,
        lora_dropout=0.0,
        target_modules=["q_proj", "v_proj"],
        task_type="CAUSAL_LM",
    )
    kind, settings, own = _method(training.method)
    fresh = HFModel(base.name, base.path, base.weights, base.revision, base.dtype, base.memory)
    trainer = kind(
        model=fresh.model,
        args=settings(**_arguments(fresh, len(pairs), training, folder), **own),
        train_dataset=datasets.Dataset.from_list(examples(base, pairs)),
        processing_class=fresh.tokenizer,
        peft_config=adapter,
    )
    # Each step's figures stand in the record; printed, they would fill a page.
    trainer.remove_callback(PrinterCallback)
    trainer.add_callback(_progress(f"{base.name}: {training.method}, seed {training.seed}"))
    if stop_after is not None:
        trainer.add_callback(_stopping(stop_after))
    return trainer


def _method(name: str) -> tuple[type, type, dict[str, Any]]:
    if name == "dpo":
        from trl import DPOConfig, DPOTrainer

        # The reference is the same model with its adapter switched off.
        return DPOTrainer, DPOConfig, {}
    from trl.experimental.orpo import ORPOConfig, ORPOTrainer

    return ORPOTrainer, ORPOConfig, {}


def _arguments(base: HFModel, pairs: int, training: Training, folder: Path) -> dict[str, Any]:
    on_gpu = base.device != "cpu"
    steps = training.epochs * -(-pairs // training.batch)
    return {
        "output_dir": str(folder),
        "num_train_epochs": training.epochs,
        "per_device_train_batch_size": training.batch,
        "learning_rate": training.learning_rate,
        "beta": training.beta,
        "max_length": training.max_tokens,
        "seed": training.seed,
        "data_seed": training.seed,
        "use_cpu": not on_gpu,
        "bf16": base.dtype == "bfloat16",
        "fp16": base.dtype == "float16",
        "gradient_checkpointing": on_gpu,
        "logging_steps": 1,
        "save_steps": max(1, steps // 4),
        "save_total_limit": 1,
        "report_to": "none",
        # Its own bar would be a table in a rendered page; see `_progress`.
        "disable_tqdm": True,
        "dataloader_pin_memory": on_gpu,
    }


def _progress(words: str):
    """Show a bar where there is a terminal, a line a minute elsewhere."""
    from tqdm import tqdm
    from transformers import TrainerCallback

    class Bar(TrainerCallback):
        def on_train_begin(self, args, state, control, **more):
            every = 0.5 if sys.stderr.isatty() else 60
            self.bar = tqdm(total=state.max_steps, initial=state.global_step, desc=words, mininterval=every)

        def on_step_end(self, args, state, control, **more):
            self.bar.update()

        def on_train_end(self, args, state, control, **more):
            self.bar.close()

    return Bar()


def _stopping(steps: int):
    from transformers import TrainerCallback

    class Stop(TrainerCallback):
        def on_step_end(self, args, state, control, **more):
            if state.global_step >= steps:
                control.should_save = control.should_training_stop = True

    return Stop()


def _quiet() -> None:
    """Keep notices that say nothing of the run out of a rendered page."""
    os.environ.setdefault("TRL_EXPERIMENTAL_SILENCE", "1")
    for notice in ("IProgress not found", ".*gradient_checkpointing.* is deprecated"):
        warnings.filterwarnings("ignore", notice)
    for name in ("accelerate", "transformers.trainer", "transformers.trainer_utils", "trl"):
        logging.getLogger(name).setLevel(logging.ERROR)
