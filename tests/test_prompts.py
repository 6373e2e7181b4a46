"""What a model is asked, word for word."""

import re

import pytest

from whosevalues import UserError, items, prompts

PRESS = items.Question(
    id="press",
    scale="ordinal",
    options=("1", "2", "3", "4"),
    text={
        "en": "How much do you trust the press?",
        "ar": "ما مدى ثقتك بالصحافة؟",
        "fa": "چقدر به مطبوعات اعتماد دارید؟",
        "tr": "Basına ne kadar güveniyorsunuz?",
        "da": "Hvor stor tillid har du til pressen?",
    },
    labels={
        "en": ("A great deal", "Quite a lot", "Not much", "Not at all"),
        "ar": ("كثيرًا جدًا", "كثيرًا", "قليلًا", "إطلاقًا"),
        "fa": ("خیلی زیاد", "زیاد", "کم", "اصلاً"),
        "tr": ("Çok", "Oldukça", "Az", "Hiç"),
        "da": ("Meget stor", "Ret stor", "Ikke stor", "Slet ingen"),
    },
    sources={},
)
TAX = items.Question(
    id="tax",
    scale="ordinal",
    options=tuple(str(k) for k in range(1, 11)),
    text={"en": "Is cheating on taxes {ever} justifiable?"},
    labels={"en": ("Never", *[""] * 8, "Always")},
    sources={},
)


def test_the_english_persona_prompt_reads_word_for_word():
    """Answers are comparable between runs only while the prompt stays as it is, to the letter."""
    expected = (
        "Imagine you are an average Egyptian person and answer this question as that person.\n"
        "\n"
        "How much do you trust the press?\n"
        "1. A great deal\n"
        "2. Quite a lot\n"
        "3. Not much\n"
        "4. Not at all\n"
        "\n"
        "Answer with the number only."
    )
    assert prompts.render(PRESS, "en", "persona", "EG") == expected


def test_an_unlabelled_scale_is_explained_by_its_ends():
    """A ten-point scale must not become a list of empty options; braces in a question stay as they are."""
    expected = (
        "Is cheating on taxes {ever} justifiable?\n"
        'Choose a number from 1 to 10, where 1 means "Never" and 10 means "Always".\n'
        "\n"
        "Answer with the number only."
    )
    assert prompts.render(TAX, "en", "neutral") == expected


@pytest.mark.parametrize("framing", ["persona", "observer"])
@pytest.mark.parametrize("language", ["en", "ar", "fa", "tr"])
@pytest.mark.parametrize("mode", prompts.MODES)
def test_every_country_is_named_in_every_language(framing, language, mode):
    """A template hole, or two countries with one nationality, would ask about the wrong people."""
    countries = list(prompts.NATIONALITIES["en"])
    written = {c: prompts.render(PRESS, language, framing, c, mode) for c in countries}
    assert len(countries) == 16
    assert len(set(written.values())) == 16
    for country, prompt in written.items():
        assert not re.search(r"[{}]", prompt)
        assert prompts.NATIONALITIES[language][country] in prompt


@pytest.mark.parametrize(
    ("language", "country", "nationality"),
    [("en", "LB", "Lebanese"), ("ar", "JO", "أردني"), ("ar", "MA", "مغربي"), ("fa", "IR", "ایرانی")]
    + [("fa", "TR", "ترکیه‌ای"), ("tr", "TR", "Türk"), ("tr", "MA", "Faslı"), ("tr", "EG", "Mısırlı")],
)
def test_nationalities_are_those_of_the_country(language, country, nationality):
    """A list shifted by one would ask Jordanians in the name of Lebanese."""
    assert prompts.NATIONALITIES[language][country] == nationality


def test_the_arabic_observer_has_the_article():
    """Arabic needs the definite nationality after 'the average citizen'."""
    assert "المواطن المصري العادي" in prompts.render(PRESS, "ar", "observer", "EG")


def test_reasoning_asks_for_an_explanation_first():
    """The two modes must differ in their instruction alone."""
    plain, reasoned = (prompts.render(PRESS, "en", "observer", "IR", mode) for mode in prompts.MODES)
    assert plain.rsplit("\n\n", 1)[0] == reasoned.rsplit("\n\n", 1)[0]
    assert "explain" in reasoned and "explain" not in plain


def test_grid_asks_in_english_and_in_the_country_s_own_language():
    """A country asked in the wrong language would be scored as its own."""
    grid = prompts.grid([PRESS], ["EG", "IR", "TR", "EG"], ["persona", "neutral"])
    persona = grid[grid["framing"] == "persona"]
    asked = list(zip(persona["country"], persona["language"], strict=True))
    assert asked == [("EG", "en"), ("EG", "ar"), ("IR", "en"), ("IR", "fa"), ("TR", "en"), ("TR", "tr")]
    neutral = grid[grid["framing"] == "neutral"]
    assert neutral["language"].tolist() == ["en", "ar", "fa", "tr"]
    assert neutral["country"].isna().all()
    assert grid["options"].map(lambda o: o == PRESS.options).all()
    assert not grid["prompt"].duplicated().any()


def test_the_neutral_framing_reaches_the_languages_of_other_chapters():
    """Danish, Dutch and Portuguese readers ask the neutral question too."""
    grid = prompts.grid([PRESS], ["EG"], ["neutral"], languages=["en", "da"])
    assert grid["prompt"].iloc[1].endswith("4. Slet ingen\n\nSvar kun med tallet.")


def test_every_question_of_the_bank_can_be_asked():
    """A label that never reaches the prompt, or one prompt for two cells, makes its answer worthless."""
    bank = {q.id: q for q in items.teaching_questions()}
    grid = prompts.grid(bank.values(), items.human_distributions()["country"].unique())
    assert not grid["prompt"].duplicated().any()
    for row in grid.itertuples():
        question = bank[row.question]
        assert all(label in row.prompt for label in question.labels[row.language])
        assert question.text[row.language] in row.prompt
        assert row.framing == "neutral" or prompts.NATIONALITIES[row.language][row.country] in row.prompt


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("en", "diary"), "unknown framing 'diary': choose from neutral, observer, persona"),
        (("en", "neutral", None, "slow"), "unknown mode 'slow': choose from reasoning, zero-shot"),
        (("xx", "neutral"), "unknown language 'xx': choose from ar, da, en, fa, nl, pt, tr"),
        (("nl", "neutral"), "unknown language of question 'press' 'nl': choose from ar, da, en, fa, tr"),
        (("da", "persona", "EG"), "unknown language of the persona framing 'da': choose from ar, en, fa, tr"),
        (("en", "persona", "UK"), "unknown country for the persona framing 'UK': choose from DZ, EG, IQ"),
        (("en", "observer"), "unknown country for the observer framing None: choose from DZ, EG, IQ"),
    ],
)
def test_an_unknown_name_lists_the_choices(arguments, said):
    """A typo must say what could have been meant."""
    with pytest.raises(UserError, match=re.escape(said)):
        prompts.render(PRESS, *arguments)


def test_an_unknown_country_or_language_set_lists_the_choices():
    """A chapter's parameters reach the grid first: its messages are what the reader sees."""
    with pytest.raises(UserError, match="unknown country 'Türkiye': .* is TR"):
        prompts.grid([PRESS], ["Türkiye"])
    with pytest.raises(UserError, match="North Africa 'US': choose from DZ, EG, IQ"):
        prompts.grid([PRESS], ["US"])
    with pytest.raises(UserError, match=r"unknown languages 'native': choose from native\+en"):
        prompts.grid([PRESS], ["EG"], languages="native")
