"""Which language is a text in?"""

from __future__ import annotations

from functools import cache


def identify(text: str) -> str | None:
    """Identify the language of a text, among the 140 that the identifier (py3langid) tells apart.

    It is made for texts of some sentences: whole responses, not single words.

    Parameters
    ----------
    text : of any length.

    Returns
    -------
    ISO 639 code, of two letters where the language has one; None for a text without a letter.

    Examples
    --------
    >>> identify("Jeg synes ikke, at staten skal blande sig i det.")
    'da'
    >>> identify("1 2 3") is None
    True
    """
    if not any(letter.isalpha() for letter in text):
        return None
    return _identifier().classify(text)[0]


@cache
def _identifier():
    # Half a second to load, so once; an instance of its own, as the module's can be narrowed by anybody.
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE)
