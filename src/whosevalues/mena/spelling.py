"""One form for what is written in many: letters, digits and marks of English, Arabic, Persian and Turkish."""

import re
import unicodedata

_LETTERS = {"ı": "i", "ي": "ی", "ى": "ی", "ك": "ک", "ة": "ه"}
_LETTERS |= {"٪": "%", "٫": ".", "٬": ",", "،": ",", "؛": ";", "؟": "?"}
_LETTERS |= dict.fromkeys("‘’ʼ`´", "'") | dict.fromkeys("“”„«»", '"') | dict.fromkeys("–—−‐‑", "-") | {"\u200c": ""}
# Marks of direction, of emphasis, and what only makes a word longer.
_MARKS = dict.fromkeys("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff\u0640*_", "")


def fold(text: str) -> str:
    """Write a text in one form, so that what is the same looks the same.

    Parameters
    ----------
    text : in any of the four languages.

    Returns
    -------
    Latin digits; no letter case; no marks above or below letters; one form of letters that Arabic and Persian write
    differently; straight quotes and dashes; no half-spaces, marks of direction or emphasis; digits apart from the
    Arabic letters beside them.

    Examples
    --------
    >>> fold("Don’t — ٣"), fold("Hiç"), fold("نمی‌دانم") == fold("نمي دانم")
    ("don't - 3", 'hic', True)
    """
    latin = "".join(str(unicodedata.decimal(c)) if unicodedata.category(c) == "Nd" else c for c in text)
    plain = unified(latin.casefold()).translate(str.maketrans(_MARKS))
    plain = re.sub(r"(?<=[\u0600-\u06ff])(?=\d)|(?<=\d)(?=[\u0600-\u06ff])", " ", plain)
    return re.sub(r"[^\S\n]+", " ", plain).strip()


def unified(text: str) -> str:
    """Write letters in one form, and leave digits, case and signs as they are: what patterns need.

    Examples
    --------
    >>> unified("Özür"), unified("رأي") == unified("رای")
    ('Ozur', True)
    """
    plain = "".join(c for c in unicodedata.normalize("NFKD", text) if unicodedata.category(c) != "Mn")
    plain = plain.translate(str.maketrans(_LETTERS))
    # The Persian prefix of a verb is written apart, together, or with a half-space between.
    return re.sub(r"(?<!\w)(ن?می) +(?=\w)", r"\1", plain)
