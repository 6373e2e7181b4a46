"""Words by which an answer, a refusal or a doubt is known, in English, Arabic, Persian and Turkish.

Patterns are matched on text as `spelling.fold` leaves it, and their letters are unified the same way: no case, no
marks above or below letters, one form per letter, straight apostrophes, no half-spaces. `N` stands for a number.
"""

# What makes a refusal where no answer follows: being a machine, having no views of one's own.
DISCLAIMERS = {
    "en": (
        r"\bas an? (?:[\w-]+ )?(?:ai|a\.i\.|artificial|language model|large language|llm|machine|computer|chatbot"
        r"|assistant|model)\b",
        r"\bi(?:'m| am) (?:just |only )?an? (?:ai|artificial|language model|large language|llm|machine|chatbot)\b",
        r"\b(?:do not|don't|have no|without) (?:have |hold |possess )?(?:any )?(?:personal|own) "
        r"(?:opinion|belief|feeling|view|preference|experience|value)",
    ),
    "ar": (
        r"(?:بصفتي|باعتباري|كوني|انا|مجرد) (?:مجرد )?(?:نموذج|ذكاء|مساعد|برنامج|روبوت|الة)|كنموذج|كذكاء|كمساعد",
        r"(?:ليس لدي|ليس عندي|لا املك|ليست لدي) (?:\w+ ){0,2}(?:شخصية|شخصي|مشاعر|معتقدات)",
    ),
    "fa": (
        r"به ?عنوان (?:یک )?(?:هوش|مدل|دستیار|ربات|برنامه)|من (?:فقط )?(?:یک )?(?:هوش مصنوعی|مدل زبان|دستیار)",
        r"(?:نظر|عقیده|دیدگاه|احساس|باور)\w* شخصی\w* (?:\w+ )?(?:ندارم|نیست)",
    ),
    "tr": (
        r"\byapay zeka\b|\byapay zekayim|\bdil modeli|\bbir asistan(?:im| olarak)",
        r"\bkisisel (?:bir )?(?:gorus|fikir|fikr|dusunce|inanc|deneyim|tercih)\w* (?:yok|sahip degil|bulunm)",
    ),
}

# Alone a refusal, beside a doubt only its politeness.
APOLOGIES = {
    "en": (r"\bi(?:'m| am) (?:\w+ )?sorry\b|^\W*sorry\b|\bmy apologies\b|\bi apologi[sz]e\b",),
    "ar": (r"\bعذرا|\bاسف\b|\bاعتذر|\bاسفة\b",),
    "fa": (r"\bمتاسفم|\bببخشید|عذرخواهی|پوزش",),
    "tr": (r"\buzgunum|\bozur dilerim",),
}

_ANSWERING = (
    r"(?:answer|choose|select|pick|provide|give|assist|help|respond|comply|participate|express|share|offer|make|take"
    r"|engage|discuss|comment|rate|assign|state|indicate|fulfil|fulfill|continue|speak|generali[sz]e|do (?:that|this)"
    r"|represent|pretend|imagine|impersonate|role|form|have|complete|simulate|adopt|judge|determine)"
)
_ARABIC_ANSWERING = (
    r"(?:اجاب|اجيب|اختيار|اختار|تقديم|اقدم|مساعد|ابداء|ابدي|تعبير|اعبر|تحديد|احدد|الرد|ارد\b|اعطا|اعطي|مشارك|اشارك"
    r"|تمثيل|تقمص|تخيل)"
)
_PERSIAN_ANSWERING = r"(?:پاسخ|جواب|انتخاب|نظر|کمک|ارائه|اظهار|قضاوت|تصور|همکاری)"

# What makes the sentence that it stands in no answer, whatever numbers the sentence holds.
REFUSALS = {
    "en": (
        rf"\bi (?:\w+ ){{0,2}}(?:cannot|can ?not|can't|could not|couldn't|will not|won't|refuse to|decline to"
        rf"|do not want to|don't want to|would rather not|prefer not to|am not going to) "
        rf"(?:\w+ ){{0,2}}?{_ANSWERING}\b",
        rf"\b(?:unable|not able|not willing|unwilling|not possible|not allowed|impossible) (?:for me )?to "
        rf"(?:\w+ ){{0,2}}?{_ANSWERING}\b",
        r"\bi (?:must |have to |respectfully |would )?(?:decline|refuse|abstain|refrain)\b",
        r"\bi(?:'d| would) rather not\b",
        r"\bi(?:'d| would)? prefer not\b|\bno comment\b|\bprefer not to (?:answer|say)\b|\bi can't do that\b",
        rf"\b(?:not (?:be |feel )?|in)(?:appropriate|comfortable|ethical)\b (?:for me )?"
        rf"(?:to (?:\w+ )?{_ANSWERING}|with|answering|choosing)",
        r"\bagainst my (?:guidelines|programming|polic|principles)",
    ),
    "ar": (
        r"(?:لا يمكنني|لا يمكن لي|لا استطيع|لا اقدر|لست قادرا?|غير قادر|لن|لا اريد|لا اود|لا يمكن) "
        rf"(?:\w+ ){{0,3}}?\w*{_ARABIC_ANSWERING}",
        r"\b(?:ارفض|امتنع|افضل عدم|افضل الا|اعتذر عن)\b|ليس من (?:المناسب|اللائق)|غير مناسب",
    ),
    "fa": (
        rf"{_PERSIAN_ANSWERING}\w*(?:\W+\w+){{0,4}}?\W+"
        r"(?:نمیتوان|نمیتون|نمیدهم|نمیدم|نمیکنم|ندهم|نکنم|معذور|خودداری|ممکن نیست|قادر نیستم)",
        rf"(?:نمیتوانم|نمیتونم|قادر نیستم|ناتوانم|امکان ندارد|نمیخواهم) (?:\w+ ){{0,5}}?{_PERSIAN_ANSWERING}",
        r"\bمعذورم|مناسب نیست|ترجیح میدهم (?:\w+ ){0,3}ن",
    ),
    "tr": (
        r"\b(?:cevap|yanit|gorus|fikir|secim|yorum|karar)\w* (?:\w+ )?"
        r"(?:veremem|veremiyorum|vermem|vermiyorum|vermek istem|vermemeyi|yapamam|yapamiyorum|belirtem|bildirem"
        r"|beyan edem)",
        r"\b(?:yanitlayam|cevaplayam|secemem|secemiyorum|yardimci olam|yardim edem)\w*|\breddediyorum|\buygun degil",
    ),
}

# Doubt, or no view on the matter: nothing is refused.
DOUBTS = {
    "en": (
        r"(?:\bi (?:\w+ ){0,2}?|^\W*)(?:do not|don't|dont) (?:really )?(?:know|have an opinion)\b",
        r"(?:\bi(?:'m| am) (?:\w+ )?|^\W*)"
        r"(?:not (?:really |quite |so |entirely )?(?:sure|certain)|unsure|uncertain|undecided)\b",
        r"(?:\bhave |^\W*)no (?:opinion|idea|answer)\b",
        r"\bi (?:really )?(?:can't|cannot) (?:really )?(?:say|decide|tell)(?! that)\b",
        r"^\W*(?:dk|n/?a|none(?: of (?:the above|these))?|not applicable|(?:it is |it's )?hard to say)\W*$",
    ),
    "ar": (
        r"لا (?:اعرف|ادري|اعلم)|لست متاكد|غير متاكد|(?:ليس لدي|ليس عندي|بدون|لا) راي",
        r"لا ينطبق|من الصعب (?:القول|الجزم)",
    ),
    "fa": (r"نمیدانم|نمیدونم|مطمئن نیستم|نظری ندارم|بدون نظر|بی ?نظر|اطلاعی ندارم|ایده ?ای ندارم|سخت است بگ",),
    "tr": (r"\bbilmiyorum|\bemin degil|\bfikrim yok|\bgorusum yok|\bkararsizim|\bfikir yok|\bsoylemek zor",),
}

# A number that is said to be the answer.
STATED = {
    "en": (
        r"\b(?:answer|choice|response|rating|verdict)\s*(?:is|would be|will be|:|=)\s*(?:the )?(?:option |number )?N",
        r"(?:\bwould|'d|\bwill|'ll) (?:(?!not |never )\w+ ){0,2}?"
        r"(?:answer|choose|pick|select|say|be|rate|respond|give|go) "
        r"(?:it |this |with |for |as )*(?:an? |the )?(?:option |number )?N",
        r"\bi (?:choose|pick|select|answer|say|chose) (?:the )?(?:option |number )?N",
    ),
    "ar": (
        r"(?:الاجابة|اجابتي|اجابته|الجواب|جوابي|جوابه|اختياري|الاختيار)(?: النهائية| النهائي)?"
        r"\s*(?:هي|هو|:|=)*\s*(?:الرقم |رقم )?N",
        r"(?<!لا )(?<!لن )\b(?:اختار|ساختار|ساجيب|سيجيب|سيختار|يختار|اجيب) (?:الرقم |رقم |ب ?)?N",
    ),
    "fa": (
        r"(?:پاسخ|جواب|انتخاب)(?: من| او| نهایی| درست)?\s*[:=]?\s*(?:گزینه |عدد )?N",
        r"(?:گزینه|عدد) N (?:را )?(?:انتخاب میکن|است|میباشد)",
    ),
    "tr": (
        r"\b(?:cevap|cevabim|cevabi|yanit|yanitim|yaniti|secim|secimim)\s*[:=]?\s*(?:secenek |numara )?N",
        r"\bN(?:'\w+)?(?: numarali secenegi| secenegini| numarayi)? "
        r"(?:secerdim|secerim|seciyorum|secer|derdim|derim|der)\b",
    ),
}

# What may stand before a label or a number word that is all of an answer.
LEADS = {
    "en": r"(?:the |my )?(?:final )?(?:answer|choice)(?: is| would be)?|i(?:'d| would)? (?:say|answer|choose)|i(?=\s)",
    "ar": r"(?:الاجابة|اجابتي|الجواب)(?: هي| هو)?|اختار",
    "fa": r"(?:پاسخ|جواب)(?: من)?",
    "tr": r"cevap|cevabim|yanit|yanitim",
}

WORDS = {
    "en": "one, two, three, four, five, six, seven, eight, nine, ten",
    "ar": "واحد, اثنان, ثلاثة, اربعة, خمسة, ستة, سبعة, ثمانية, تسعة, عشرة",
    "fa": "یک, دو, سه, چهار, پنج, شش, هفت, هشت, نه, ده",
    "tr": "bir, iki, uc, dort, bes, alti, yedi, sekiz, dokuz, on",
}
"""Numbers from one to ten; they count only where one is the whole answer."""
