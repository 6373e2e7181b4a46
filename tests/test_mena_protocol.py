"""What is asked in another order, and what a text is read as."""

import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from whosevalues import UserError, items, prompts
from whosevalues.mena import handwritten, order, order_effects, parsing, pitfalls, protocol

FOUR = ("1", "2", "3", "4")
TEN = tuple(str(k) for k in range(1, 11))
LABELS = ("A great deal", "Quite a lot", "Not very much", "Not at all")
PRESS = items.Question("press", "ordinal", FOUR, {"en": "Trust?"}, {"en": LABELS}, {})
AIM = items.Question("aim", "nominal", FOUR[:3], {"en": "Aim?"}, {"en": ("Order", "Speech", "Prices")}, {})
TAX = items.Question("tax", "ordinal", TEN, {"en": "Tax?"}, {"en": ("Never", *[""] * 8, "Always")}, {})
CASES = handwritten.cases()
known = CASES[(CASES["writer"] == "first") & (CASES["difficulty"] != "beyond the rules")]


@pytest.mark.parametrize("case", known.to_dict("records"), ids=lambda case: f"{case['language']}: {case['text']!r:.40}")
def test_a_hand_written_answer_is_read_as_what_it_says(case):
    """A refusal read as an answer, or ٣ as nothing, becomes a score that nobody gave."""
    said = case["says"] if isinstance(case["says"], str) else None
    how = {name: case[name] for name in ("mode", "finish_reason")} | {"labels": case["labels"]}
    parsed = parsing.parse(case["text"], case["options"], case["language"], **how)
    assert (parsed.kind, parsed.answer) == (case["said_as"], said)
    assert parsed.reason in parsing.REASONS[parsed.kind]


@pytest.mark.parametrize(
    ("text", "reason"),
    [("1 or 2", "ambiguous"), ("1 2 3 4", "repeats the scale"), ("0", "off the scale"), ("I don't know", "no opinion")]
    + [("", "empty"), ("People differ.", "nothing named"), ("I cannot answer that.", "declines")]
    + [("As an AI, I am neutral.", "machine"), ("Sorry.", "apology"), ("From 1 to 4", "repeats the scale")]
    + [("1,2,3,4", "repeats the scale"), ("1,2", "off the scale")],
)
def test_why_there_is_no_answer(text, reason):
    """Don't know, off the scale and a refusal are different findings about a model."""
    assert parsing.parse(text, FOUR, "en").reason == reason


def test_a_number_that_contradicts_its_wording_is_no_answer():
    """After the options were turned round '1. Not at all' may mean 1 or 4: nobody can tell."""
    labelled = {"labels": LABELS}
    assert parsing.parse("1. Not at all", FOUR, "en", **labelled).reason == "ambiguous"
    assert parsing.parse("4. Not at all", FOUR, "en", **labelled).answer == "4"
    assert parsing.parse("1. Not at all", FOUR, "en").answer == "1"


def test_a_longer_wording_is_not_taken_for_the_shorter_one_within():
    """'Strongly disagree' must not be read as 'Agree' or 'Disagree'."""
    labels = ("Strongly agree", "Agree", "Disagree", "Strongly disagree")
    read = [parsing.parse(text, FOUR, "en", labels=labels).answer for text in (*labels, "I strongly disagree.")]
    assert read == ["1", "2", "3", "4", "4"]
    assert parsing.parse("Many agree and many disagree", FOUR, "en", labels=labels).kind == "abstention"


def test_two_wordings_are_no_answer():
    """A text that repeats the options has chosen none."""
    assert parsing.parse("Not at all\nQuite a lot", FOUR, "en", labels=LABELS).reason == "ambiguous"


def test_options_may_be_written_in_the_language_s_own_digits():
    """The answer is one of the options as they were given, whatever digits it was written in."""
    assert parsing.parse("3", ("١", "٢", "٣"), "ar").answer == "٣"


@given(st.text(max_size=60), st.sampled_from(parsing.LANGUAGES), st.sampled_from(prompts.MODES), st.booleans())
@settings(max_examples=150, deadline=None, derandomize=True)
def test_any_text_is_read_as_one_of_the_kinds(text, language, mode, cut):
    """A strange text must not stop a run of thousands, nor yield an option that was not offered."""
    how = {"mode": mode, "finish_reason": "length" if cut else "stop", "labels": LABELS}
    parsed = parsing.parse(text, FOUR, language, **how)
    assert (parsed.answer in FOUR) == (parsed.kind == "answer")
    assert parsed.reason in parsing.REASONS[parsed.kind]


@given(st.text(alphabet="012349 .,-/%()\n'ايناorand", max_size=30))
@settings(max_examples=150, deadline=None, derandomize=True)
def test_numbers_of_any_shape_are_read(text):
    """Chains, fractions and ranges come in every shape; an answer must stand in the text in so many digits."""
    parsed = parsing.parse(text, TEN, "en")
    assert parsed.answer is None or parsed.answer in re.findall(r"[1-9]\d*", text)


@given(st.sampled_from(TEN), st.sampled_from(["{}", " {}.\n", "**{}**", "({})", "الإجابة: {}", "پاسخ: {}"]))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_the_script_of_the_digits_makes_no_difference(option, frame):
    """Native languages would lose coverage to a script, not to a model."""
    for digits in ("0123456789", "٠١٢٣٤٥٦٧٨٩", "۰۱۲۳۴۵۶۷۸۹"):
        written = frame.format(option.translate(str.maketrans("0123456789", digits)))
        assert parsing.parse(written, TEN, "ar").answer == option


@given(st.sampled_from(TEN))
@settings(deadline=None, derandomize=True)
def test_a_refusal_stays_one_whatever_number_it_holds(option):
    """Refusals that name a number were counted as answers."""
    for text in ("As an AI I cannot choose {}.", "I can't pick option {}", "لا أستطيع اختيار {}", "{} seçemem"):
        assert parsing.parse(text.format(option), TEN, "en").kind == "refusal"


def test_long_texts_are_read_in_time():
    """A model that repeats itself for a thousand words must not hold up the others."""
    for text in ("پاسخ" * 2000, "پاسخ " * 2000, "1.1" * 2000, "1," * 4000, "(" * 4000, "i " * 4000, "no " * 3000):
        assert parsing.parse(text, FOUR, "fa").kind != "refusal"


def test_a_table_is_parsed_row_by_row():
    """Errors say nothing of a model and must not become abstentions; missing columns must not stop a chapter."""
    frame = pd.DataFrame(
        {
            "text": ["2", None, "3\nBecause", "Not at all"],
            "options": [FOUR] * 4,
            "language": ["en"] * 4,
            "labels": [None, None, np.nan, LABELS],
            "error": [None, "timed out", None, None],
        },
        index=[5, 6, 7, 8],
    )
    parsed = parsing.parse_answers(frame)
    assert parsed.index.tolist() == [5, 6, 7, 8]
    assert parsed.loc[[5, 7, 8], "answer"].tolist() == ["2", "3", "4"]
    assert parsed.loc[6, ["answer", "kind", "reason"]].isna().all()
    bare = parsing.parse_answers(frame[["text", "options", "language"]])
    assert bare["kind"].tolist() == ["answer", "abstention", "answer", "abstention"]
    assert parsing.parse_answers(frame[:0]).columns.tolist()[-3:] == ["answer", "kind", "reason"]


def test_what_cannot_be_read_says_so():
    """A typo in a language, or options that are words, must not come out as abstentions."""
    with pytest.raises(UserError, match="unknown language 'xx' of an answer: choose from en, ar, fa, tr"):
        parsing.parse("1", FOUR, "xx")
    with pytest.raises(UserError, match="options A, B: an answer is read from two whole numbers"):
        parsing.parse("A", ("A", "B"), "en")


def test_the_authors_reading_is_theirs():
    """The comparison is worth nothing unless it does what their code does: longest first, then by the scale."""
    assert parsing.longest_first("between 1 and 10, 3", TEN) == "10"
    assert parsing.longest_first("3, on a scale of 1 to 4", FOUR) == "1"
    assert parsing.longest_first("13", FOUR) == "1"
    assert parsing.longest_first("٣", FOUR) is None


def test_readers_are_counted_by_hand():
    """The share that a reader sees must be that of the outcomes in the table beside it."""
    read = pitfalls.readings()
    table = pitfalls.accuracy(read).set_index(["writer", "reader", "said_as"])
    first, both = read[read["writer"] == "first"], len(CASES)
    assert table.loc[[("first", "parser", "all"), ("second", "parser", "all")], "n"].sum() == both >= 160
    wrong = table.loc[("first", "parser", "all"), list(pitfalls.WRONG)].sum()
    assert table.loc[("first", "parser", "all"), "value"] == pytest.approx(1 - wrong / (len(first) / 2))
    beyond = first[(first["difficulty"] == "beyond the rules") & (first["reader"] == "parser")]
    assert len(beyond) == wrong, "a case beyond the rules is read now, or one within them is not"
    digits = first[(first["difficulty"] == "digits") & (first["reader"] == "longest first")]
    assert (digits["outcome"] == "answer missed").all()


def test_answers_that_the_parser_was_not_written_for():
    """On a stranger's texts it may miss an answer, but must not make one up, nor take a refusal for a doubt."""
    assert not CASES.duplicated(["text", "language", "options", "mode", "finish_reason"]).any()
    table = pitfalls.accuracy(pitfalls.readings(), "language").set_index(["writer", "reader", "language"])
    table = table.sort_index()
    row = table.loc[("second", "parser", "all")]
    assert row["value"] > 0.9 and row["answer made up"] == row["another option"] == 0 and row["told_apart"] == 1
    assert (table.loc[("second", "parser"), "value"] > 0.8).all()


def test_turned_options_keep_their_wording():
    """A wording beside another number than before would ask another question."""
    shown = prompts.render(order.backwards(PRESS), "en", "neutral")
    assert shown.splitlines()[1:5] == ["4. Not at all", "3. Not very much", "2. Quite a lot", "1. A great deal"]
    ends = prompts.render(order.backwards(TAX), "en", "neutral")
    assert 'from 10 to 1, where 10 means "Always" and 1 means "Never"' in ends
    assert prompts.render(order.renumbered(PRESS), "en", "neutral").splitlines()[1] == "1. Not at all"


def test_the_experiment_asks_every_english_prompt_once_more():
    """A prompt without its twin would drop out of the comparison unseen."""
    forward, turned = protocol.experiment(), order.experiment()
    english = forward[forward["language"] == "en"]
    by = ["question", "country", "framing"]
    backward = turned[turned["order"] == "backward"]
    same = {"check_dtype": False}
    pd.testing.assert_frame_equal(english[by].reset_index(drop=True), backward[by].reset_index(drop=True), **same)
    assert turned.loc[turned["order"] == "renumbered", "framing"].unique().tolist() == ["neutral"]
    assert not pd.concat([english, turned])["prompt"].duplicated().any()
    assert (backward["options"].map(lambda o: o[::-1]).tolist() == english["options"]).all()


def elicited(rows, order_of=None):
    """Answers as a model gives them: (question, country, language, framing, probability in the order shown)."""
    frame = pd.DataFrame(rows, columns=["question", "country", "language", "framing", "probability"])
    options = frame["question"].map({"press": FOUR, "aim": FOUR[:3]})
    frame["options"] = options.map(lambda o: o[::-1]) if order_of == "backward" else options
    frame["error"] = np.where(frame["probability"].isna(), "timed out", None)
    return frame.assign(model="m", mode="zero-shot", measurement="logprob", missing_mass=0.2, order=order_of)


FORWARD = elicited(
    [
        ("press", "EG", "en", "persona", (0.7, 0.1, 0.1, 0.1)),
        ("press", "EG", "en", "observer", (0.1, 0.7, 0.1, 0.1)),
        ("press", "EG", "ar", "persona", (0.1, 0.1, 0.1, 0.7)),
        ("press", None, "en", "neutral", (0.4, 0.4, 0.1, 0.1)),
        ("aim", "EG", "en", "persona", (0.6, 0.3, 0.1)),
        ("aim", "EG", "en", "observer", None),
        ("aim", None, "en", "neutral", (0.2, 0.2, 0.6)),
    ]
)
BACKWARD = pd.concat(
    [
        elicited(
            [
                # As shown: option 4 first.
                ("press", "EG", "en", "persona", (0.4, 0.1, 0.2, 0.3)),
                ("press", "EG", "en", "observer", (0.1, 0.1, 0.7, 0.1)),
                ("aim", "EG", "en", "persona", (0.1, 0.3, 0.6)),
                ("press", None, "en", "neutral", (0.1, 0.1, 0.1, 0.7)),
            ],
            "backward",
        ),
        elicited([("press", None, "en", "neutral", (0.7, 0.1, 0.1, 0.1))], "renumbered"),
    ]
)


def test_effects_by_hand():
    """Order, framing and language are set side by side: each must be measured on its own pairs."""
    pairs = order_effects.pairs(FORWARD, BACKWARD, [PRESS, AIM]).set_index(["contrast", "question"])
    measured = pairs[["changed", "shift", "distance"]]
    # From 1 to 4, the length of the scale; half the sum of .4, .1, 0 and .3.
    assert measured.loc[("order, persona", "press")].tolist() == pytest.approx([1, 1, 0.4])
    assert measured.loc[("order, persona", "aim")].tolist() == pytest.approx([0, np.nan, 0], nan_ok=True)
    assert measured.loc[("order, observer", "press")].tolist() == pytest.approx([0, 0, 0])
    # Forward 1 and 2 are tied; backward it is 1.
    assert measured.loc[("order, neutral", "press")].tolist() == pytest.approx([0.5, 1 / 6, 0.3])
    # Number 1 now means option 4.
    assert measured.loc[("numbers, neutral", "press")].tolist() == pytest.approx([1, 5 / 6, 0.6])
    assert measured.loc[("persona or observer", "press")].tolist() == pytest.approx([1, 1 / 3, 0.6])
    assert measured.loc[("persona or neutral", "aim")].tolist() == pytest.approx([1, np.nan, 0.5], nan_ok=True)
    assert measured.loc[("en or ar, persona", "press")].tolist() == pytest.approx([1, 1, 0.6])
    assert ("persona or observer", "aim") not in pairs.index
    # Two even draws of four differ in 12 of 16, by 20/16 steps of 3.
    chances = pairs.loc[("order, persona", "press"), ["changed_chance", "shift_chance"]]
    assert chances.tolist() == pytest.approx([0.75, 5 / 12])
    table = order_effects.effects(pairs.reset_index()).set_index(["contrast", "measure"])
    assert table.loc[("order, persona", "changed"), ["value", "n", "questions"]].tolist() == [0.5, 2, 2]
    assert table.loc[("order, persona", "shift"), "n"] == 1
    gaps = order_effects.differences(pairs.reset_index(), rounds=50).set_index(["contrast", "measure"])
    # Of aim there is no observer's answer: press alone.
    assert gaps.loc[("persona or observer", "distance"), ["value", "n"]].tolist() == pytest.approx([-0.2, 1])
    assert gaps.loc[("persona or neutral", "changed"), "value"] == pytest.approx(0.5 - 0.75)


def test_places_by_hand():
    """A model that always takes the first place must not look like one that holds an opinion."""
    table = order_effects.places(FORWARD, BACKWARD).set_index(["framing", "measure"])["value"]
    # press moves from option 1 to 4, both shown first; aim keeps option 1, shown first and then last.
    assert table["persona"].tolist() == pytest.approx([0.5, 0.5, 1, 0.5])
    assert table["observer"].tolist() == pytest.approx([1, 0, 0, 0])


def test_the_mean_of_both_orders_goes_by_the_option():
    """Averaging by place would mix the first option with the last."""
    mean = order_effects.averaged(FORWARD, BACKWARD).set_index(["question", "framing"])
    assert mean.loc[("press", "persona"), "probability"] == pytest.approx((0.5, 0.15, 0.1, 0.25))
    assert mean.loc[("press", "persona"), "missing_mass"] == pytest.approx(0.2)
    assert len(mean) == 4 and mean["error"].isna().all()
    failed = order_effects.averaged(FORWARD, BACKWARD.assign(probability=None, error="timed out"))
    assert failed["error"].notna().all() and failed["probability"].isna().all()


def test_scores_of_several_versions_by_hand():
    """The gain must be that of the same answers, not of those that one version happens to have."""
    people = pd.DataFrame(
        [("press", c, k, p) for c in ("EG", "IR") for k, p in zip(FOUR, (0, 0, 0, 1), strict=True)],
        columns=["question", "country", "option", "probability"],
    )
    versions = {"forward": FORWARD[FORWARD["question"] == "press"], "backward": order.by_meaning(BACKWARD, "backward")}
    versions = {name: rows[rows["question"] == "press"] for name, rows in versions.items()}
    table = order_effects.scores(versions, people, [PRESS], ["EG"]).set_index(["version", "framing"])
    assert table.loc[("forward", "persona"), "value"] == pytest.approx(0)
    assert table.loc[("backward", "persona"), ["value", "gain"]].tolist() == pytest.approx([1, 1])
    assert table.loc[("backward", "observer"), "gain"] == 0
    assert np.isnan(table.loc[("backward", "observer"), "gain_low"])


def test_an_option_that_nobody_looked_at():
    """Its probability goes to the others, and is missing from the mass: press, without two digits, is not touched."""
    ten = pd.DataFrame({"options": [TEN, FOUR], "missing_mass": [0.5, 0.5]})
    ten["probability"] = [(0.1, *[0.05] * 8, 0.5), (0.25,) * 4]
    (row,) = pitfalls.unprobed(ten).to_dict("records")
    assert row["probability"] == pytest.approx((0.2, *[0.1] * 8, 0))
    assert row["missing_mass"] == pytest.approx(1 - 0.25)
