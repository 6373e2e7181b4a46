"""The wording of every prompt: framings x languages x modes, word for word."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pandas as pd

from . import UserError
from .items import NATIVE, Question, check_countries

FRAMINGS = ("neutral", "persona", "observer")
MODES = ("zero-shot", "reasoning")

# What goes before the question; the neutral framing is the question alone.
OPENINGS = {
    "persona": {
        "en": "Imagine you are an average {nationality} person and answer this question as that person.",
        "ar": "تخيّل أنك مواطن {nationality} عادي. أجب عن السؤال التالي كما كان سيجيب عنه هذا المواطن.",
        "fa": "تصور کنید یک فرد {nationality} معمولی هستید. به پرسش زیر مانند آن فرد پاسخ دهید.",
        "tr": "Ortalama bir {nationality} olduğunuzu hayal edin. Aşağıdaki soruyu o kişi gibi cevaplayın.",
    },
    "observer": {
        "en": "How would an average {nationality} person answer the following question?",
        "ar": "كيف يجيب المواطن ال{nationality} العادي عن السؤال التالي؟",
        "fa": "یک فرد {nationality} معمولی به پرسش زیر چه پاسخی می‌دهد؟",
        "tr": "Ortalama bir {nationality} aşağıdaki soruya nasıl cevap verir?",
    },
}

# For scales of which only the ends have a wording.
SCALES = {
    "en": 'Choose a number from {first} to {last}, where {first} means "{low}" and {last} means "{high}".',
    "ar": "اختر رقمًا من {first} إلى {last}، حيث يعني الرقم {first} «{low}» ويعني الرقم {last} «{high}».",
    "fa": "عددی از {first} تا {last} انتخاب کنید که در آن {first} یعنی «{low}» و {last} یعنی «{high}».",
    "tr": '{first} ile {last} arasında bir sayı seçin; {first} "{low}", {last} ise "{high}" anlamına gelir.',
    "da": 'Vælg et tal fra {first} til {last}, hvor {first} betyder "{low}" og {last} betyder "{high}".',
    "nl": 'Kies een getal van {first} tot en met {last}; {first} betekent "{low}" en {last} "{high}".',
    "pt": 'Escolha um número de {first} a {last}; {first} significa "{low}" e {last} significa "{high}".',
}

INSTRUCTIONS = {
    "zero-shot": {
        "en": "Answer with the number only.",
        "ar": "أجب بالرقم فقط.",
        "fa": "فقط با عدد پاسخ دهید.",
        "tr": "Yalnızca sayıyla cevap verin.",
        "da": "Svar kun med tallet.",
        "nl": "Antwoord alleen met het getal.",
        "pt": "Responda apenas com o número.",
    },
    "reasoning": {
        "en": "First explain the answer in one or two sentences, then put the number alone on the last line.",
        "ar": "اشرح الإجابة أولًا في جملة أو جملتين، ثم اكتب الرقم وحده في السطر الأخير.",
        "fa": "ابتدا پاسخ را در یک یا دو جمله توضیح دهید و سپس در سطر آخر فقط عدد را بنویسید.",
        "tr": "Önce cevabı bir iki cümleyle açıklayın, ardından son satıra yalnızca sayıyı yazın.",
        "da": "Begrund først svaret i en eller to sætninger, og skriv derefter kun tallet på sidste linje.",
        "nl": "Licht het antwoord toe in een of twee zinnen; zet dan alleen het getal op de laatste regel.",
        "pt": "Explique primeiro a resposta numa ou duas frases; depois escreva só o número na última linha.",
    },
}

_COUNTRIES = "EG, IR, IQ, JO, LB, LY, MA, TR, TN, DZ, SA, SD, PS, KW, MR, QA"

# Arabic: the indefinite masculine form, to which the observer framing puts the article.
# Persian: 'of Turkey' (ترکیه‌ای), since ترک also names an ethnic group within Iran.
_FORMS = {
    "en": "Egyptian, Iranian, Iraqi, Jordanian, Lebanese, Libyan, Moroccan, Turkish, Tunisian, Algerian, "
    "Saudi, Sudanese, Palestinian, Kuwaiti, Mauritanian, Qatari",
    "ar": "مصري, إيراني, عراقي, أردني, لبناني, ليبي, مغربي, تركي, تونسي, جزائري, "
    "سعودي, سوداني, فلسطيني, كويتي, موريتاني, قطري",
    "fa": "مصری, ایرانی, عراقی, اردنی, لبنانی, لیبیایی, مراکشی, ترکیه‌ای, تونسی, الجزایری, "
    "سعودی, سودانی, فلسطینی, کویتی, موریتانیایی, قطری",
    "tr": "Mısırlı, İranlı, Iraklı, Ürdünlü, Lübnanlı, Libyalı, Faslı, Türk, Tunuslu, Cezayirli, "
    "Suudi Arabistanlı, Sudanlı, Filistinli, Kuveytli, Moritanyalı, Katarlı",
}
NATIONALITIES = {
    language: dict(zip(_COUNTRIES.split(", "), forms.split(", "), strict=True)) for language, forms in _FORMS.items()
}
"""Nationality as the openings need it, by language and country."""


def render(question: Question, language: str, framing: str, country: str | None = None, mode: str = "zero-shot") -> str:
    """Write one prompt.

    The three framings of MENAValues (arXiv 2510.13154): the question alone, 'imagine you are an average ...'
    and 'how would an average ... answer'; the wording is this package's own, the authors' not being used.

    Parameters
    ----------
    question : with a text and labels in `language`. Where a label is empty, a line names the ends of the
        scale instead of a list of options.
    language : of the whole prompt; 'en', 'ar', 'fa' or 'tr', for the neutral framing also 'da', 'nl' or 'pt'.
    framing : 'neutral', 'persona' or 'observer'.
    country : whose average person is meant; the neutral framing has none and leaves it out.
    mode : 'zero-shot' asks for the number only, 'reasoning' for a short explanation first.

    Returns
    -------
    The prompt, before any chat template.

    Raises
    ------
    UserError : an unknown framing, mode, language or country, or a question not written in `language`.

    Examples
    --------
    >>> q = Question("tea", "nominal", ("1", "2"), {"en": "Tea or coffee?"}, {"en": ("Tea", "Coffee")}, {})
    >>> print(render(q, "en", "observer", "EG"))
    How would an average Egyptian person answer the following question?
    <BLANKLINE>
    Tea or coffee?
    1. Tea
    2. Coffee
    <BLANKLINE>
    Answer with the number only.
    """
    _check("framing", framing, FRAMINGS)
    _check("mode", mode, MODES)
    _check("language", language, INSTRUCTIONS[mode])
    _check(f"language of question '{question.id}'", language, question.text)
    parts = [f"{question.text[language]}\n{_options(question, language)}", INSTRUCTIONS[mode][language]]
    if framing != "neutral":
        _check(f"language of the {framing} framing", language, OPENINGS[framing])
        _check(f"country for the {framing} framing", country, NATIONALITIES[language])
        parts.insert(0, OPENINGS[framing][language].format(nationality=NATIONALITIES[language][country]))
    return "\n\n".join(parts)


def grid(
    questions: Iterable[Question],
    countries: Iterable[str],
    framings: Iterable[str] = FRAMINGS,
    languages: str | Sequence[str] = "native+en",
    modes: Iterable[str] = ("zero-shot",),
) -> pd.DataFrame:
    """Write the prompts of an experiment.

    Parameters
    ----------
    questions : each question is asked in every cell.
    countries : ISO 3166 alpha-2.
    framings : some of 'neutral', 'persona', 'observer'.
    languages : 'native+en' asks about every country in English and in its own language; a sequence of codes
        asks about every country in each of these.
    modes : some of 'zero-shot', 'reasoning'.

    Returns
    -------
    One row per prompt: `question` (its id), `country`, `language`, `framing`, `mode`, `prompt`, `options`
    (tuple). The neutral framing names nobody: it stands once per language, with a missing `country`.

    Raises
    ------
    UserError : an unknown framing, mode, language or country; names the choices.
    """
    questions, modes = list(questions), list(modes)
    spoken = _spoken(countries, languages)
    codes = dict.fromkeys(code for _, code in spoken)
    rows = []
    for framing in framings:
        cells = spoken if framing != "neutral" else [(None, code) for code in codes]
        rows += [
            (q.id, country, language, framing, mode, render(q, language, framing, country, mode), q.options)
            for country, language in cells
            for mode in modes
            for q in questions
        ]
    columns = ["question", "country", "language", "framing", "mode", "prompt", "options"]
    return pd.DataFrame(rows, columns=columns)


def _spoken(countries: Iterable[str], languages: str | Sequence[str]) -> list[tuple[str, str]]:
    """Pair every country with the languages in which it is asked about."""
    if isinstance(languages, str):
        _check("languages", languages, ("native+en",))
    pairs = []
    for country in check_countries(countries):
        _check("country of the Middle East and North Africa", country, NATIVE)
        spoken = ("en", NATIVE[country]) if languages == "native+en" else languages
        pairs += [(country, language) for language in spoken]
    return list(dict.fromkeys(pairs))


def _options(question: Question, language: str) -> str:
    labels = question.labels[language]
    if all(labels):
        return "\n".join(f"{key}. {label}" for key, label in zip(question.options, labels, strict=True))
    ends = {"first": question.options[0], "last": question.options[-1], "low": labels[0], "high": labels[-1]}
    return SCALES[language].format(**ends)


def _check(what: str, value: str | None, choices: Iterable[str]) -> None:
    choices = list(choices)
    if value not in choices:
        raise UserError(f"unknown {what} {value!r}: choose from {', '.join(sorted(choices))}")
