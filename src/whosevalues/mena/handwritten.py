"""Answers written by hand, and what each of them says: the yardstick of `parsing`."""

from __future__ import annotations

import pandas as pd

FOUR = ("A great deal", "Quite a lot", "Not very much", "Not at all")
LABELS = {
    "en": FOUR,
    "ar": ("كثيرًا جدًا", "كثيرًا", "قليلًا", "إطلاقًا"),
    "fa": ("خیلی زیاد", "زیاد", "کم", "هیچ"),
    "tr": ("Çok", "Oldukça", "Az", "Hiç"),
}

# Kind of difficulty, number of options, language, what was written, and what it says: an option; 'R', a refusal;
# 'A', an abstention. A text that was cut off ends in '[cut]', one with reasons begins with '[why]'.
_CASES = (
    ("plain", 4, "en", "3", "3"),
    ("plain", 4, "en", " 2.\n", "2"),
    ("plain", 10, "en", "10", "10"),
    ("plain", 10, "en", "**7**", "7"),
    ("plain", 4, "en", "Answer: 3", "3"),
    ("plain", 4, "en", "I would choose option 2.", "2"),
    ("plain", 4, "en", "3. Not very much", "3"),
    ("plain", 4, "en", "(4)", "4"),
    ("plain", 10, "en", "The average person would say 6, because life is hard.", "6"),
    ("plain", 4, "tr", "Cevap: 2", "2"),
    ("plain", 4, "tr", "3'ü seçerdim.", "3"),
    ("digits", 4, "ar", "٣", "3"),
    ("digits", 10, "ar", "١٠", "10"),
    ("digits", 10, "ar", "الإجابة هي ٧.", "7"),
    ("digits", 4, "ar", "أختار الرقم ٢", "2"),
    ("digits", 4, "fa", "۳", "3"),
    ("digits", 10, "fa", "۱۰", "10"),
    ("digits", 10, "fa", "پاسخ من ۸ است.", "8"),
    ("digits", 4, "fa", "گزینهٔ ۲", "2"),
    ("digits", 10, "fa", "۵ از ۱۰", "5"),
    ("digits", 10, "ar", "بين ١ و١٠، أختار ٤", "4"),
    ("digits", 36, "ar", "٢٧", "27"),
    ("scale repeated", 10, "en", "between 1 and 10, 3", "3"),
    ("scale repeated", 10, "en", "On a scale from 1 to 10, I would say 4.", "4"),
    ("scale repeated", 10, "en", "8/10", "8"),
    ("scale repeated", 10, "en", "6 out of 10", "6"),
    ("scale repeated", 4, "en", "3 (where 1 means a great deal and 4 means not at all)", "3"),
    ("scale repeated", 10, "tr", "1 ile 10 arasında 7", "7"),
    ("scale repeated", 10, "tr", "10 üzerinden 5", "5"),
    ("scale repeated", 10, "fa", "از ۱ تا ۱۰، ۶", "6"),
    ("scale repeated", 10, "ar", "من 1 إلى 10: 9", "9"),
    ("scale repeated", 4, "en", "1. A great deal\n2. Quite a lot\n3. Not very much\n4. Not at all\n\n3", "3"),
    ("scale repeated", 10, "en", "Choose a number from 1 to 10.", "A"),
    ("scale repeated", 4, "en", "1. A great deal\n2. Quite a lot\n3. Not very much\n4. Not at all", "A"),
    ("several numbers", 4, "en", "2 or 3", "A"),
    ("several numbers", 4, "en", "Between 2 and 3", "A"),
    ("several numbers", 10, "en", "I would say 5-6.", "A"),
    ("several numbers", 4, "en", "Men would say 1, women would say 2.", "A"),
    ("several numbers", 4, "en", "1, 2, 3", "A"),
    ("several numbers", 4, "en", "3, not 1", "A"),
    ("several numbers", 4, "en", "In 2022, 45% of people trusted it: 3", "3"),
    ("several numbers", 4, "en", "3, 3, 3", "3"),
    ("off the scale", 4, "en", "7", "A"),
    ("off the scale", 4, "en", "0", "A"),
    ("off the scale", 4, "en", "-1", "A"),
    ("off the scale", 4, "en", "3.5", "A"),
    ("off the scale", 4, "tr", "2,5", "A"),
    ("off the scale", 10, "en", "100", "A"),
    ("off the scale", 4, "ar", "٣٫٥", "A"),
    ("off the scale", 4, "en", "13", "A"),
    ("words", 4, "en", "Three", "3"),
    ("words", 4, "en", "Not at all", "4"),
    ("words", 4, "en", "Not at all.", "4"),
    ("words", 4, "en", 'I would answer "Quite a lot".', "2"),
    ("words", 4, "en", "One might say that it depends.", "A"),
    ("words", 4, "en", "I do not trust it at all.", "A"),
    ("words", 4, "ar", "قليلاً", "3"),
    ("words", 4, "ar", "ثلاثة", "3"),
    ("words", 4, "fa", "خیلی زیاد", "1"),
    ("words", 4, "tr", "Hiç", "4"),
    ("words", 4, "en", "1. Not at all", "A"),
    ("refusal", 4, "en", "As an AI I cannot choose 1, 2, 3 or 4.", "R"),
    ("refusal", 4, "en", "I can’t answer question 1.", "R"),
    ("refusal", 4, "en", "I'm sorry, but I can't assist with that.", "R"),
    ("refusal", 10, "en", "As an AI language model, I don’t have personal opinions on a scale from 1 to 10.", "R"),
    ("refusal", 4, "en", "I prefer not to answer.", "R"),
    ("refusal", 4, "en", "It would not be appropriate to pick option 2 for a whole people.", "R"),
    ("refusal", 4, "en", "I am unable to provide a number between 1 and 4.", "R"),
    ("refusal", 4, "en", "I'm just an AI, so none of the 4 options is mine.", "R"),
    ("refusal", 10, "en", "As a text-based AI, I am here to help.", "R"),
    ("refusal", 4, "ar", "لا أستطيع اختيار رقم من 1 إلى 4.", "R"),
    ("refusal", 4, "ar", "بصفتي نموذجًا لغويًا، ليس لدي رأي شخصي.", "R"),
    ("refusal", 4, "ar", "عذرًا، لا يمكنني الإجابة عن هذا السؤال.", "R"),
    ("refusal", 4, "fa", "متأسفم، نمی‌توانم به این پرسش پاسخ دهم.", "R"),
    ("refusal", 4, "fa", "من یک هوش مصنوعی هستم و نظر شخصی ندارم.", "R"),
    ("refusal", 4, "fa", "نمیتوانم عددی از ۱ تا ۴ انتخاب کنم.", "R"),
    ("refusal", 4, "tr", "Bu soruya cevap veremem.", "R"),
    ("refusal", 4, "tr", "Bir yapay zekâ olarak 1 ile 4 arasında seçim yapamam.", "R"),
    ("refusal", 4, "tr", "Üzgünüm, yardımcı olamam.", "R"),
    ("refusal, then an answer", 4, "en", "As an AI I have no opinions. The average Iranian would say 2.", "2"),
    ("refusal, then an answer", 4, "en", "I cannot answer for everyone, but I would say 3.", "3"),
    ("refusal, then an answer", 4, "en", "As a language model I have no views of my own.\n\n2", "2"),
    ("refusal, then an answer", 4, "ar", "بصفتي نموذجًا لغويًا ليس لدي رأي شخصي.\n٢", "2"),
    ("doubt", 4, "en", "I don’t know", "A"),
    ("doubt", 4, "en", "I'm not sure whether 1 or 2.", "A"),
    ("doubt", 4, "en", "Sorry, I don't know.", "A"),
    ("doubt", 4, "en", "No opinion", "A"),
    ("doubt", 4, "en", "N/A", "A"),
    ("doubt", 4, "ar", "لا أعرف", "A"),
    ("doubt", 4, "fa", "نمی دانم", "A"),
    ("doubt", 4, "fa", "نظری ندارم", "A"),
    ("doubt", 4, "tr", "Bilmiyorum, 1 olabilir.", "A"),
    ("doubt", 4, "tr", "Fikrim yok", "A"),
    ("nothing said", 4, "en", "", "A"),
    ("nothing said", 4, "en", " \n.", "A"),
    ("nothing said", 4, "en", "People trust those whom they know.", "A"),
    ("cut off", 10, "en", "1[cut]", "A"),
    ("cut off", 4, "en", "1[cut]", "1"),
    ("cut off", 10, "en", "The question asks how far people trust the[cut]", "A"),
    ("cut off", 4, "en", "[why]There are 3 reasons. First, the state[cut]", "A"),
    ("cut off", 4, "en", "2. Quite a lot, because the[cut]", "2"),
    ("cut off", 4, "en", "1. A great deal\n2. Quite a lot\n3[cut]", "A"),
    ("reasons", 4, "en", "[why]Trust fell after 2011, when 3 governments went in 2 years.\n2", "2"),
    ("reasons", 10, "en", "[why]Most of 10 people would agree.\n\n**8**", "8"),
    ("reasons", 4, "en", "[why]Of 1 to 4, 1 seems too much.\nSo my answer is 2.", "2"),
    ("reasons", 4, "fa", "[why]مردم به ۲ دلیل اعتماد ندارند.\n۳", "3"),
    ("reasons", 4, "ar", "[why]هناك ٣ أسباب لذلك.\nالإجابة: ٤", "4"),
    ("reasons", 4, "tr", "[why]İnsanlar 2 nedenle güvenmez.\n4", "4"),
    ("reasons", 4, "en", "[why]1. A great deal\n2. Quite a lot\n3. Not very much", "A"),
    ("reasons", 4, "en", "[why]1. People lie.\n2. The state lies.\n3", "3"),
    ("reasons", 4, "en", "[why]I cannot trust people who lie, and few can be trusted.\n3", "3"),
    # What no rule on words and numbers can tell.
    ("beyond the rules", 4, "en", "I have 3 children and live well.", "A"),
    ("beyond the rules", 4, "en", "Not 4.", "A"),
    ("beyond the rules", 4, "en", "Somewhere in the middle, nearer the second than the third.", "2"),
    ("beyond the rules", 4, "en", "That is not something I will get into; 2 is a number, no more.", "R"),
)


def cases() -> pd.DataFrame:
    """List the hand-written answers.

    Returns
    -------
    One row per answer: `difficulty`, `options` (tuple), `language`, `text`, `mode`, `finish_reason`, `labels` (tuple,
    or missing for scales of other than four), and what it says: `says` (an option or missing), `said_as` ('answer',
    'refusal' or 'abstention').
    """
    table = pd.DataFrame(_CASES, columns=["difficulty", "options", "language", "text", "says"])
    reasoned, cut = table["text"].str.startswith("[why]"), table["text"].str.endswith("[cut]")
    table["mode"] = reasoned.map({True: "reasoning", False: "zero-shot"})
    table["finish_reason"] = cut.map({True: "length", False: "stop"})
    table["text"] = table["text"].str.removeprefix("[why]").str.removesuffix("[cut]")
    table["labels"] = [LABELS[row.language] if row.options == 4 else None for row in table.itertuples()]
    table["options"] = [tuple(str(k) for k in range(1, count + 1)) for count in table["options"]]
    table["said_as"] = table["says"].map({"R": "refusal", "A": "abstention"}).fillna("answer")
    table["says"] = table["says"].where(table["said_as"] == "answer").astype(object)
    return table
