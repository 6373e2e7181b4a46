"""The names that MENAValues (arXiv 2510.13154) and the authors' files use, and ours."""

from ..items import COUNTRIES as NAMES
from ..items import NATIVE

MODELS = {"llama": "llama-3.1-8b", "mistral": "mistral-7b", "aya": "aya-8b"}
"""The three models of the released metric files: name in the file names, and in models.yml."""

MODES = {"zero": "zero-shot", "reason": "reasoning"}
"""Mode by the beginning of its name in the file names."""

COUNTRIES = tuple(NATIVE)
"""The sixteen countries, ISO 3166 alpha-2."""

CODES = {NAMES[code]: code for code in NATIVE} | {"Tusnia": "TN"}
"""Country by its name in the authors' files, their spelling of Tunisia included."""

LANGUAGES = {"arabic": "ar", "turkish": "tr", "persian": "fa"}
"""Native language by its name in the authors' files."""
