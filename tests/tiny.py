"""Small models with random weights and real tokenizers, in folders that the backend loads like any other's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from types import MappingProxyType

from whosevalues import models
from whosevalues.models.hf import HFModel

SIZES = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2}
HEADS = {"num_attention_heads": 4, "num_key_value_heads": 2}
# Weights ten times those of training's start: the distributions are as uneven as a trained model's.
WIDE = {"initializer_range": 0.3}

FAMILIES = {
    "llama": ("LlamaConfig", {}),
    "qwen2": ("Qwen2Config", {}),
    "qwen2-window": ("Qwen2Config", {"use_sliding_window": True, "sliding_window": 4096, "max_window_layers": 1}),
    "qwen3": ("Qwen3Config", {"head_dim": 8}),
    "gemma2": ("Gemma2Config", {"head_dim": 8, "attn_logit_softcapping": 2.0, "final_logit_softcapping": 3.0}),
    "gemma3": ("Gemma3TextConfig", {"head_dim": 8, "layer_types": ["sliding_attention", "full_attention"]}),
    "olmo2": ("Olmo2Config", {}),
    "mistral": ("MistralConfig", {"sliding_window": 4096}),
    "mistral-short": ("MistralConfig", {"sliding_window": 16}),
    "gemma2-short": ("Gemma2Config", {"head_dim": 8, "sliding_window": 16}),
    "cohere": ("CohereConfig", {}),
    "qwen3-next": (
        "Qwen3NextConfig",
        {"head_dim": 8, "num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 32}
        | {"shared_expert_intermediate_size": 32, "layer_types": ["linear_attention", "full_attention"]}
        | {
            "linear_num_value_heads": 4,
            "linear_num_key_heads": 2,
            "linear_key_head_dim": 8,
            "linear_value_head_dim": 8,
        },
    ),
    "bloom": ("BloomConfig", {"n_layer": 2, "n_head": 4}),
    "falcon": ("FalconConfig", {"alibi": True}),
    "mpt": ("MptConfig", {"d_model": 32, "n_heads": 4, "n_layers": 2}),
    "mamba": ("MambaConfig", {"state_size": 8, "num_attention_heads": None}),
}
"""Configurations of transformers: full attention, sliding windows that the prompts fit in or not, capped logits, other
norms, experts, distances in the place of positions (ALiBi), recurrent layers."""

SHORT = "mistral-short", "gemma2-short", "qwen3-next", "bloom", "falcon", "mpt", "mamba"
"""Those that read every continuation as a text of its own."""


TEXT = """How much do you trust the press, the courts, the army and the government of your country?
Answer with the number only. A lot, some, little, not at all; very much, very little, not very much.
Yes or no, agree or disagree, agree strongly or disagree strongly. Imagine that you are somebody else.
You are a citizen of Egypt, and a social scientist describes you in a survey about values.
Question 0123456789: which of these comes nearest to what you think about other people, family, work and religion?
How would the average person in Iran answer? نعم لا ٠١٢٣٤٥٦٧٨٩ ۰۱۲۳۴۵۶۷۸۹
abcdefghijklmnopqrstuvwxyz ABCDEFGHIJKLMNOPQRSTUVWXYZ .,:;!?'-"""


@cache
def pieces():
    """Train a sentencepiece-like tokenizer: a beginning of text, spaces as parts of words, no chat template."""
    from tokenizers import Tokenizer, decoders, normalizers, pre_tokenizers, processors, trainers
    from tokenizers import models as kinds
    from transformers import PreTrainedTokenizerFast

    plain = Tokenizer(kinds.BPE(unk_token="<unk>"))
    plain.normalizer = normalizers.NFC()
    spaces, digits = pre_tokenizers.Metaspace(), pre_tokenizers.Digits(individual_digits=True)
    plain.pre_tokenizer = pre_tokenizers.Sequence([spaces, digits])
    plain.decoder = decoders.Metaspace()
    special = ["<s>", "</s>", "<unk>", "<pad>"]
    trainer = trainers.BpeTrainer(vocab_size=280, special_tokens=special, show_progress=False)
    plain.train_from_iterator(TEXT.splitlines(), trainer)
    plain.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 0)])
    return PreTrainedTokenizerFast(
        tokenizer_object=plain, bos_token="<s>", eos_token="</s>", unk_token="<unk>", pad_token="<pad>"
    )


@cache
def letters():
    """The embedded model's byte-level tokenizer with its chat template."""
    return models.load("smollm2-135m").tokenizer


def build(folder: Path, family: str = "llama", tokenizer=None, sizes: Mapping[str, int] = MappingProxyType({}), **more):
    """Write a model's folder and load it as a user's local model."""
    import torch
    import transformers

    # transformers gives every Qwen-2 folder a byte-level tokenizer, whatever its files say.
    tokenizer = tokenizer or (letters() if family.startswith("qwen2") else pieces())
    kind, own = FAMILIES[family]
    special = {name: getattr(tokenizer, name) for name in ("bos_token_id", "eos_token_id", "pad_token_id")}
    given = {"vocab_size": len(tokenizer), **special, **SIZES, **HEADS, **WIDE, **own, **sizes}
    config = getattr(transformers, kind)(**{k: v for k, v in given.items() if v is not None})
    torch.manual_seed(7)
    transformers.AutoModelForCausalLM.from_config(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return HFModel(family, folder, f"{family} with random weights", **more)


def plain(model: HFModel, prompt: Sequence[int], tokens: Sequence[int]) -> float:
    """One forward pass over prompt and tokens, without cache, mask or batch: an independent way to the same number."""
    import torch

    ids = torch.tensor([[*prompt, *tokens]])
    with torch.inference_mode():
        logits = model.model(ids, use_cache=False).logits[0].double().log_softmax(-1)
    return sum(float(logits[len(prompt) - 1 + i, token]) for i, token in enumerate(tokens))
