"""The words by which the rules of `statements` know a value statement and a quotation. English only.

Written on half of the first labelled sample, and fixed before the second one was drawn.
"""

from __future__ import annotations

import re

OWN = {
    "CN": "China|Chinese|Beijing|Chairman Mao",
    "US": "United States|Americans?|Washington",
    "GB": "United Kingdom|Britain|British|Her Majesty's Government",
    "FR": "France|French|Paris",
    "DE": "Germany|Germans?|Federal Republic|Federal Government",
}
"""How a nation names itself."""
UNION = "|Europe|European (?:Union|Community|Communities|Council)|the (?:Community|Union|Twelve|Ten|Nine)"
"""A group for which a nation speaks as its member is the nation's own voice."""


def _any(*words: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{'|'.join(words)})\b", re.IGNORECASE)


DEMAND = _any(
    "must", "ought", r"should(?! like)", "shall not", r"ha(?:ve|s) to", r"needs? to (?!be seen)", r"we need",
    r"(?:is|are) (?:needed|required|called for)", "let us", r"it is (?:high |now )?time (?:to|for)",
    r"it calls (?:up)?on",
    r"(?:is|are|remains?|be) (?:\w+ )?(?:essential|vital|imperative|crucial|necessary|indispensable)",
    r"(?:obligation|duty|duties|responsibility|responsibilities) (?:to|of|for)", r"(?:has|have) (?:a|the|no) right",
    r"(?:a|the|equal) rights? (?:to|of)", "cannot be (?:accepted|tolerated|allowed|permitted|justified)",
    "inconceivable without", "it is (?:right|wrong|incumbent)", "not enough",
    r"only (?:if|when|by|on|through)", "deserves?", "requires?",
)  # fmt: skip
STAND = _any(
    "supports?", "oppos(?:es?|ed to)", "favou?rs?", "welcomes?", "rejects?", "condemns?", "condemned", "deplores?",
    "regrets?", "regrettably", "believes?", "believed", "convinced", "belief", "committed", "commitment", "commitments",
    "advocates?", r"stands? (?:for|by|firm|ready)", "demands?", "insists?", r"hopes?", r"calls? (?:up)?on",
    r"calls? for", "called for", "urges?", "urged", "appeals?", "we want", "wants? to", "would like (?!to (?:thank|"
    "begin|say|express|extend|congratulate|pay|mention|recall|refer|turn|touch|speak|draw|brief))",
    r"(?:our|my|its|whose|his|the|common|ultimate|wider) "
    r"(?:\w+ )?(?:aims?|goals?|objectives?|purposes?|priorit(?:y|ies))",
    r"will (?:never|continue to|no longer|promote|defend|uphold|work for)", r"in favou?r of",
    "attach(?:es)? (?:\\w+ )?importance",
    r"(?:are|is|remains?) (?:\w+ )?(?:determined|resolved|ready|prepared) to",
    r"do(?:es)? not (?:intend|want|seek|aim|claim)",
    "refuses? to", "uphold(?:s|ing)?", "defends?", r"worked for", "spoken for", "honou?r", "adheres? to", "pursues?",
)  # fmt: skip
VALUE = _any(
    "principles?", "values", "human rights", "dignity", "unacceptable", "intolerable", "unjust", "justice",
    "sovereignty", "hegemonism", "evil", "hateful", "tortures?", "solidarity", "equality", "betrayal",
    "mistake", "rightful", "wrong",
)  # fmt: skip
CUES = ((3, DEMAND), (2, STAND), (1, VALUE))
"""What each word counts for: a thing demanded, a stand taken, a value named."""
COURTESY = re.compile(
    r"\b(?:congratulat\w*|on (?:his|her|your) election|pay (?:a )?tribute|(?:my|our) (?:sincere )?thanks|thank you|"
    r"I (?:should|would) like to (?:express|extend|thank|begin|mention|turn)|allow me|"
    r"let me (?:first|begin|now|turn))\b",
    re.IGNORECASE,
)
RHETORICAL = re.compile(r"\bhow can\b|\bwhy (?:not|should|can)|\bis it not\b|\bdoes it not\b", re.IGNORECASE)
_WHO = (
    r"(?:^|[,;:.…“\"]\s*|\b(?:that|and|but|or)\s+)(?P<who>[^;:.“”\"]{2,110}?)\s+(?:ha[sd] |have |rightly |once |also )*"
)
BODY = re.compile(
    r"\b(?:Secretary|Council|Assembly|President|Minister|Chancellor|King|Pope|Charter|Committee|Commission|Group|"
    r"Conference|Chairman|party|union|league|federation|association|professor|engineer|leaders?|governor|mayor|bishop|"
    r"charity|owner|head|members?|spokesman|group|Organi[sz]ation|Bank|economist)\b"
)
CALLING = re.compile(
    _WHO + r"(?:call(?:ed|s) |demand(?:ed|s) (?:that|an?|the) |urge[ds] |propose[ds] |made the \w+ suggestion)"
)
SAYING = (
    re.compile(_WHO + r"(?:said|says|argued|argues|wrote|writes|told|warned|warns|put it)\b"),
    re.compile(
        _WHO + r"(?:answered|replied|insist(?:ed|s)|state[ds]|declare[ds]|demanded|urge[ds]|propose[ds]|suggested)"
        r"(?: that|:|,? [“\"])"
    ),
    re.compile(r"^(?P<who>[^.;]{2,120}?),? (?:say|said|says|state[sd]|wrote)(?: that)?:? ?[“\"]"),
    CALLING,
)
"""A subject and a verb of saying; verbs that may be nouns, or have things for a subject, need more beside them."""
NOBODY = re.compile(
    r"^(?:as|it|this|that|which|who|what|there|so|is|are|was|were|and|but|or|some|\w+ly)\b|"
    r"\b(?:so|been|is|are|was|were|be|being|the|their|our|these|minimum)$",
    re.IGNORECASE,
)
