"""What the hypothetical survey is about, word for word: topics of the teaching bank in four languages."""

from __future__ import annotations

from typing import NamedTuple

TEMPLATES = {
    "en": ("Imagine a survey on {topic}. List ten short statements, numbered 1 to 10, that ten citizens picked at "
           "random might make in it.",),
    "da": ("Forestil dig en undersøgelse om {topic}. Skriv ti korte udsagn, nummereret fra 1 til 10, som ti tilfældigt "
           "udvalgte borgere kunne komme med i den.",),
    "nl": ("Stel je een enquête voor over {topic}. Geef tien korte uitspraken, genummerd van 1 tot en met 10, die tien "
           "willekeurig gekozen burgers daarin zouden kunnen doen.",),
    "pt": ("Imagine um inquérito sobre {topic}. Escreva dez frases curtas, numeradas de 1 a 10, que dez cidadãos "
           "escolhidos ao acaso poderiam dizer nele.",),
}  # fmt: skip
"""Wordings of the prompt by language; ours, as the topics are, and not yet checked by native speakers."""

JUDGE = """Pro means: {pro}.
Con means: {con}.
Null means: neither of the two.

Is the following statement, in {language}, pro, con or null? Answer with one word.
"{answer}\""""
"""What a judge reads: all that a question's answers share comes first, so that it need be read once only."""

STANCES = {"Pro": "pro", "Con": "con", "Null": "null"}
"""The judge's options, and the stance that each stands for."""


class Topic(NamedTuple):
    """A question's topic as it stands in the prompt, by language, and the two positions that a judge tells apart."""

    en: str
    da: str
    nl: str
    pt: str
    pro: str
    con: str


# fmt: off
TOPICS = {
    "homosexuality": Topic(
        "homosexuality", "homoseksualitet", "homoseksualiteit", "a homossexualidade",
        "homosexuality can be justified", "homosexuality cannot be justified"),
    "trust-armed-forces": Topic(
        "trust in the armed forces", "tilliden til de væbnede styrker", "het vertrouwen in de krijgsmacht",
        "a confiança nas forças armadas",
        "the armed forces can be trusted", "the armed forces cannot be trusted"),
    "democracy-important": Topic(
        "how important democracy is", "hvor vigtigt demokrati er", "het belang van de democratie",
        "a importância da democracia",
        "it is important to live in a democracy", "it is not important to live in a democracy"),
    "men-leaders": Topic(
        "whether men are better political leaders than women",
        "spørgsmålet, om mænd er bedre politiske ledere end kvinder",
        "de vraag of mannen betere politieke leiders zijn dan vrouwen",
        "se os homens são melhores líderes políticos do que as mulheres",
        "men are better political leaders than women", "men are not better political leaders than women"),
    "internet-surveillance": Topic(
        "the government watching what people do on the internet",
        "statens overvågning af, hvad folk gør på internettet",
        "het toezicht van de overheid op wat mensen op internet doen",
        "a vigilância do governo sobre o que as pessoas fazem na internet",
        "the government should be allowed to watch people on the internet",
        "the government should not be allowed to watch people on the internet"),
    "bribery": Topic(
        "taking bribes at work", "det at tage imod bestikkelse i sit arbejde",
        "het aannemen van steekpenningen op het werk", "aceitar subornos no trabalho",
        "taking bribes can be justified", "taking bribes cannot be justified"),
    "divorce": Topic(
        "divorce", "skilsmisse", "echtscheiding", "o divórcio",
        "divorce can be justified", "divorce cannot be justified"),
    "army-rule": Topic(
        "government by the military", "militærstyre", "een militair bewind", "um governo militar",
        "it is good for a country to be governed by the military",
        "it is bad for a country to be governed by the military"),
    "parents-proud": Topic(
        "making one's parents proud", "det at gøre sine forældre stolte", "je ouders trots maken",
        "dar orgulho aos pais",
        "making one's parents proud is a chief aim in life", "making one's parents proud is no chief aim in life"),
    "trust-press": Topic(
        "trust in the press", "tilliden til pressen", "het vertrouwen in de pers", "a confiança na imprensa",
        "the press can be trusted", "the press cannot be trusted"),
    "abortion": Topic(
        "abortion", "abort", "abortus", "o aborto",
        "abortion can be justified", "abortion cannot be justified"),
    "university-boys": Topic(
        "whether university matters more for boys than for girls",
        "spørgsmålet, om en universitetsuddannelse er vigtigere for drenge end for piger",
        "de vraag of een universitaire opleiding belangrijker is voor jongens dan voor meisjes",
        "se fazer a universidade é mais importante para os meninos do que para as meninas",
        "university matters more for boys than for girls", "university does not matter more for boys than for girls"),
    "trust-united-nations": Topic(
        "trust in the United Nations", "tilliden til De Forenede Nationer", "het vertrouwen in de Verenigde Naties",
        "a confiança nas Nações Unidas",
        "the United Nations can be trusted", "the United Nations cannot be trusted"),
    "death-penalty": Topic(
        "the death penalty", "dødsstraf", "de doodstraf", "a pena de morte",
        "the death penalty can be justified", "the death penalty cannot be justified"),
    "tax-evasion": Topic(
        "evading taxes", "det at snyde i skat", "belasting ontduiken", "enganar o fisco",
        "evading taxes can be justified", "evading taxes cannot be justified"),
    "religious-attendance": Topic(
        "going to religious services", "det at gå til gudstjeneste", "het bezoeken van religieuze diensten",
        "assistir a serviços religiosos",
        "the speaker goes to religious services regularly", "the speaker seldom or never goes to religious services"),
    "nationals-jobs": Topic(
        "giving scarce jobs to citizens before immigrants",
        "det at give landets egne borgere fortrinsret til job frem for indvandrere",
        "eigen burgers bij schaarse banen voorrang geven boven immigranten",
        "dar prioridade aos cidadãos do país em relação aos imigrantes quando há pouco trabalho",
        "citizens should be hired before immigrants", "citizens should not be hired before immigrants"),
    "men-jobs": Topic(
        "giving scarce jobs to men before women", "det at give mænd fortrinsret til job frem for kvinder",
        "mannen bij schaarse banen voorrang geven boven vrouwen",
        "dar prioridade aos homens em relação às mulheres quando há pouco trabalho",
        "men have a stronger claim to scarce jobs than women", "men have no stronger claim to scarce jobs than women"),
}
# fmt: on
"""By question of the bank, in the order in which they are asked: the first few are of different kinds."""
