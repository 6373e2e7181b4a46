"""Whose values do language models hold? Three studies, reproduced and criticised, as one executable book."""

from pathlib import Path

__version__ = "0.1.0"

ROOT = Path(__file__).resolve().parents[2]
"""The compendium's own folder: notebooks, banks and results are found from here, wherever a run starts."""


class UserError(Exception):
    """Something the user can mend. The message names the thing, the choices and the way out."""
