"""The paper's own prompts, the reading of what models say, and a model of one's own beside the released ones."""

import hashlib
import json
import os

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats as scipy_stats

from whosevalues import UserError, data, elicitation, manifest, report
from whosevalues.multicultural import leave_out, own, prompts, reading, released, survey
from whosevalues.multicultural.languages import identify
from whosevalues.multicultural.lists import parse

with_data = pytest.mark.skipif(
    not os.environ.get("WHOSEVALUES_DATA"), reason="WHOSEVALUES_DATA names no folder with the released files"
)

SAID = {
    "en": "I do not think that the state should meddle with what people do in their own time.",
    "da": "Jeg synes ikke, at staten skal blande sig i, hvad folk laver i fritiden.",
    "nl": "Ik vind niet dat de staat zich moet bemoeien met wat mensen in hun vrije tijd doen.",
    "pt": "Não acho que o Estado deva intrometer-se no que as pessoas fazem no seu tempo livre.",
    "no": "Jeg synes ikke at staten bør blande seg inn i hva folk gjør på fritiden.",
    "sv": "Jag tycker inte att staten ska lägga sig i vad folk gör på fritiden.",
    "es": "No creo que el Estado deba meterse en lo que hace la gente en su tiempo libre.",
}
"""One thought in the four languages and in neighbours of theirs."""

HEAD = "index,language,template_type,prompt,topic,question_key"
ROWS = [
    "0,en,argument,Argue about {topic}.,Abortion,f120",
    "1,en,survey_hypothetical,Ask ten people about {topic}. 1. <x> etc...,Abortion,F120",
    "2,en,survey_hypothetical,Interview ten people on {topic}. 1. <x> etc...,Ending a pregnancy,F120",
    "3,en,survey_hypothetical,Ask ten people about {topic}. 1. <x> etc...,Living in {USA},H011",
    "4,en,survey_hypothetical,Ask ten people about {topic}. 1. <x> etc...,Abortion,F120",
    "5,da,survey_hypothetical,Spørg ti personer om {topic}. 1. <x> osv...,Livet i Danmark,H011",
]


@pytest.fixture
def files(tmp_path, monkeypatch):
    """Released files of a handful of prompts."""
    texts = {
        prompts.PROMPTS: "\n".join([HEAD, *ROWS]),
        prompts.POSITIONS: json.dumps({"h011": ["The state may.", "The state may not."], "F120": ["It is.", "Not."]}),
        prompts.VARIATIONS: json.dumps({"f120": ["Abortion", "Ending a pregnancy"], "h011": ["Living in {USA}"]}),
        prompts.TEMPLATES: "Base {topic}\n\nAsk {topic}\nAsk {topic}\nInterview {topic}\n",
    }
    for path, text in texts.items():
        (tmp_path / path.split("/")[-1]).write_text(text, encoding="utf-8")
    monkeypatch.setattr(data, "load", lambda path: tmp_path / path.split("/")[-1])
    prompts.positions.cache_clear()
    yield tmp_path
    prompts.positions.cache_clear()


def judged(texts, language, shares=(1.0, 0.0, 0.0), **more):
    """What a judge said of the answers of one response."""
    rows = [{"place": k, "answer": text, "probability": shares} for k, text in enumerate(texts, 1)]
    named = {"model": "m", "judge": "j", "self_judged": False, "measurement": "logprob", "language": language}
    return pd.DataFrame(rows).assign(**named | {"question": "abortion", "template": 0, "response": 0} | more)


def test_the_teaching_prompts_are_what_they_were():
    """Answers that were paid for are found again by the words of their prompts: not a letter may change."""
    rows = survey.experiment(questions=18).itertuples()
    text = "\n".join(f"{r.language} {r.question} {r.template} {r.sample} {r.prompt} {r.decoding}" for r in rows)
    known = "f71d12ea04fb2e5f17cfa5cc18286f33aa9cee50e3411a235c6388e8c814b5e4"
    assert hashlib.sha256(text.encode()).hexdigest() == known
    assert "topic" not in survey.experiment()


def test_the_papers_prompts_are_asked_word_for_word(files):
    """The survey's prompts alone, with their topic in them; a brace in a topic must not break one."""
    asked = survey.experiment("en", prompts="paper")
    assert asked["prompt"].tolist() == [
        "Ask ten people about Abortion. 1. <x> etc...",
        "Interview ten people on Ending a pregnancy. 1. <x> etc...",
        "Ask ten people about Living in {USA}. 1. <x> etc...",
        "Ask ten people about Abortion. 1. <x> etc...",
    ]
    assert asked["question"].tolist() == ["f120", "f120", "h011", "f120"]
    assert asked["template"].tolist() == [0, 1, 0, 0] and asked["topic"].iloc[1] == "Ending a pregnancy"
    decoding = asked["decoding"].iloc[0]
    assert (decoding.temperature, decoding.top_p, decoding.max_tokens, decoding.stop) == (0.7, 0.95, 600, ("11.",))


def test_a_prompt_that_was_released_twice_is_asked_twice(files):
    """Equal prompts need samples of their own, or the second would be read from the first's answer; and with more
    samples the first ones must stay what they were."""
    once = survey.experiment("en", prompts="paper")
    twice = survey.experiment("en", prompts="paper", samples=2)
    named = ["question", "language", "template", "sample"]
    assert not twice.duplicated(named).any() and len(twice) == 8
    pd.testing.assert_frame_equal(twice[: len(once)], once)
    assert once.loc[once["topic"] == "Abortion", "sample"].tolist() == [0, 1]


def test_a_few_questions_of_the_paper_can_be_asked(files):
    """A taste must not cost 1200 answers; what cannot be is said with the choices."""
    assert set(survey.experiment(["en", "da"], prompts="paper", questions=1)["question"]) == {"h011"}
    with pytest.raises(UserError, match="1 to 37"):
        survey.experiment(prompts="paper", questions=38)
    with pytest.raises(UserError, match="teaching or paper"):
        survey.experiment(prompts="papers")


def test_the_judge_of_the_papers_questions_reads_the_released_positions(files):
    """Pro and con of a released question are the authors' sentences, with one full stop each."""
    answers = survey.experiment("da", prompts="paper").assign(text="1. Ja.")
    (prompt,) = survey.judging(answers)["prompt"]
    assert prompt.startswith("Pro means: The state may.\nCon means: The state may not.\n")


def test_the_construction_is_counted(files):
    """The page tells what appendix B says from what is in the files: a template that stands there twice is one."""
    counted = prompts.construction().set_index(["part", "language"])["value"]
    assert counted["templates, lines of the file", "all"] == 4
    assert counted["templates, different variations of the base", "all"] == 2
    assert counted["different prompts that can be made", "all"] == 3 * 3
    assert counted["questions asked, in every language", "all"] == 1
    assert counted["different prompts", "en"] == 3 and counted["prompts that name a country", "en"] == 1
    named = prompts.countries().set_index("language")
    assert named["country"].to_dict() == {"en": "US", "da": "DK"} and named.loc["en", "value"] == 1


@pytest.mark.parametrize(
    "file, text, told",
    [
        (prompts.PROMPTS, "a,b\n1,2\n", "is not the table it should be"),
        (prompts.POSITIONS, "{", "is no JSON"),
        (prompts.POSITIONS, '{"f120": ["one"]}', "needs two sentences"),
        (prompts.VARIATIONS, '["f120"]', "lists of sentences by question"),
    ],
)
def test_a_damaged_file_is_named(files, file, text, told):
    """Whoever has a broken download must learn which file to fetch anew."""
    (files / file.split("/")[-1]).write_text(text)
    with pytest.raises(UserError, match=told):
        prompts.read(), prompts.positions(), prompts.variations()


def test_prompts_that_cannot_be_had_do_not_stop_the_page(monkeypatch):
    """Without network the chapter says why it shows no prompt; it does not break."""

    def nowhere(path):
        raise data.DataUnavailable(f"{path} is not here")

    monkeypatch.setattr(data, "load", nowhere)
    assert "cannot be shown" in prompts.shown()


STYLES = ("{}. {}", "{}) {}", "**{}.** {}", '{}. **"{}"**', "**{}. {}**", "- {}. {}", "Citizen {}: {}", "### {}. {}")
statements = st.text("abcdefghij æøãé,", min_size=3, max_size=60).map(" ".join).map(str.strip)
statements = statements.map(lambda text: " ".join(text.split()).strip(" ,")).filter(lambda text: len(text) > 2)


@settings(max_examples=60, deadline=None)
@given(st.lists(statements, min_size=2, max_size=12), st.sampled_from(STYLES), st.sampled_from(["\n", "\n\n"]))
def test_any_list_comes_back_as_it_was_written(said, style, gap):
    """However a model numbers and emphasises, ten statements are ten statements, and an eleventh is none."""
    text = "Here they are:\n\n" + gap.join(style.format(k, one) for k, one in enumerate(said, 1))
    text += "\n\nThese are examples."
    assert parse(text) == tuple(said[:10])


CUT = {
    "1. **Ana:** Yes, always.\n\n2. **Beat": ("Ana: Yes, always.",),
    "**1. Ana, 32:** Yes.\n\n**2. Mette, 25, Barista:**": ("Ana, 32: Yes.",),
    "**1. Ana, 32:** Yes.\n\n**": ("Ana, 32: Yes.",),
    '1. **"Yes, always."**\n2. **"No, and I think that': ("Yes, always.", "No, and I think that"),
    "1. Yes\n2. No": ("Yes", "No"),
    "1. **Yes**\n2. **No**": ("Yes", "No"),
}


@pytest.mark.parametrize("text", CUT)
def test_a_citizen_who_was_cut_off_before_speaking_said_nothing(text):
    """A name alone would be judged as a statement; half a statement is one, and so is a single word."""
    assert parse(text) == CUT[text]


def test_the_readers_notes_are_whole():
    """Somebody who corrects a line of the notes must not break them: a hundred lines, counts that can be."""
    notes = reading.labels()
    assert notes["line"].tolist() == list(range(1, 101)) and set(notes["language"]) == {"en", "da", "nl", "pt"}
    assert notes["items"].between(1, 10).all() and notes["closing"].isin([0, 1]).all()
    assert (notes["last"] - notes["first"] + 1 >= notes["items"]).all()
    # A text that is whole has the ten statements it was asked for.
    assert (notes.loc[notes["cut"] == "no", "items"] == 10).all()


@with_data
def test_at_least_95_of_the_released_examples_are_read_right():
    """The parser is held against a reader's notes, letter by letter; what it gets wrong is known."""
    table = reading.read_right()
    assert table["value"].sum() >= 95
    assert table.loc[table["value"] == 0, "line"].tolist() == [88]
    shares = reading.right_share(table).set_index(["measure", "language"])
    assert shares.loc[("read right", "all"), "n"] == 100 and shares.loc[("ten statements", "en"), "value"] == 1


@pytest.mark.parametrize("language", SAID)
def test_neighbouring_languages_are_told_apart(language):
    """Norwegian is not Danish and Spanish not Portuguese: a response in them is not in the prompt's language."""
    assert identify(SAID[language]) == language


def test_a_text_without_letters_has_no_language():
    """Numbers alone must not be called English."""
    assert identify("1. 2. 3.") is None and identify("") is None


def test_a_response_is_in_the_language_of_its_answers_together():
    """One loan word among ten Danish answers makes no foreign response; ten English answers do."""
    mixed = judged(["Okay.", SAID["da"], "Nej, det synes jeg ikke."], "da")
    drifted = judged([SAID["en"], "No."], "da", response=1)
    scored = survey.stances(pd.concat([mixed, drifted], ignore_index=True))
    assert scored["answered_in"].tolist() == ["da", "en"] and scored["foreign"].tolist() == [False, True]
    assert scored["score"].tolist() == [1, 1], "a foreign response keeps its score"
    assert survey.in_language(scored)["response"].tolist() == [0]


def test_verdicts_without_their_answers_are_not_called_foreign():
    """Where only the verdicts were kept, nothing is known of the language and nothing is dropped."""
    scored = survey.stances(judged([SAID["en"]], "da").drop(columns="answer"))
    assert scored["answered_in"].isna().all() and len(survey.in_language(scored)) == 1


def test_the_funnel_counts_who_passed_every_step():
    """Four asked: no list, a foreign one, one without a side, and one that is valid."""
    answers = survey.experiment("da", questions=2, samples=2)
    texts = ["I would rather not.", *(f"1. {SAID[language]}" for language in ("en", "da", "da"))]
    answers = answers.assign(text=texts, model="m")
    verdicts = survey.judging(answers).assign(model="m", judge="j", self_judged=False, measurement="logprob")
    verdicts["probability"] = [(1.0, 0, 0), (0, 0, 1.0), (1.0, 0, 0)]
    scored = survey.stances(verdicts)
    table = survey.funnel(answers, scored)
    assert table["step"].tolist() == list(survey.STEPS) and table["count"].tolist() == [4, 3, 2, 1]
    assert (
        (table["n"] == 4).all() and (table["low"] <= table["value"]).all() and (table["value"] <= table["high"]).all()
    )
    share = survey.valid_share(answers, scored).iloc[0]
    assert (share["value"], share["n"]) == (0.25, 4)
    # Measured in two ways, a response is still one.
    both = pd.concat([scored, scored.assign(measurement="sampled")])
    assert survey.funnel(answers, both)["count"].tolist() == [4, 3, 2, 1]


def test_no_list_at_all_is_a_funnel_of_zeros():
    """A model that lists nothing loses everything at the first step."""
    answers = survey.experiment("da", questions=1).assign(text=None, model="m")
    nothing = survey.stances(judged([SAID["da"]], "da").iloc[:0])
    assert survey.funnel(answers, nothing)["count"].tolist() == [2, 0, 0, 0]


def test_the_papers_prompts_run_from_question_to_score(files, tmp_path, monkeypatch):
    """One command must ask, judge and keep the paper's own prompts, and leave the report card's answers alone."""
    monkeypatch.setattr(elicitation, "STORE", tmp_path / "responses")
    monkeypatch.setattr(manifest, "ANSWERS", tmp_path / "answers")
    told = elicitation.run("multicultural", "uniform", prompts="paper", languages="en")
    assert told["asked"] == 4 and told["parameters"]["prompts"] == "paper"
    kept = sorted(file.name for file in (tmp_path / "answers" / "multicultural").glob("*.parquet"))
    assert kept == ["uniform.part.judged-by-uniform.parquet", "uniform.part.parquet"]
    answers = elicitation.elicit("multicultural", "uniform", prompts="paper", languages="en")
    scored = survey.stances(elicitation.judged("multicultural", answers))
    assert len(scored) == 4 and (scored["null"] == 10).all() and set(scored["answered_in"]) == {"en"}
    card = report.card("uniform")
    assert card.loc[card["paper"] == "multicultural", "value"].isna().all()


def test_a_model_of_ones_own_takes_the_released_form(tmp_path):
    """Valid responses alone, under the survey's codes, and the file gives back what went in."""
    rows = [
        judged([SAID["da"]], "da"),
        judged([SAID["en"]], "da", response=1),
        judged([SAID["da"]], "da", response=2, shares=(0.0, 0.0, 1.0)),
        judged([SAID["nl"]], "nl", question="h011", shares=(0.0, 1.0, 0.0)),
    ]
    table = own.released_form(survey.stances(pd.concat(rows, ignore_index=True)), "mine")
    assert table.to_dict("records") == [
        {"model": "m", "family": "mine", "language": "da", "question": "f120", "score": 1.0},
        {"model": "m", "family": "mine", "language": "nl", "question": "h011", "score": 0.0},
    ]
    pd.testing.assert_frame_equal(released.read_own(own.write(table, tmp_path / "deep" / "own.csv")), table)
    assert [file.name for file in (tmp_path / "deep").iterdir()] == ["own.csv"]


def test_two_judges_are_not_counted_as_two_responses():
    """The same response scored twice would weigh twice."""
    rows = pd.concat([judged([SAID["en"]], "en"), judged([SAID["en"]], "en", judge="k")], ignore_index=True)
    with pytest.raises(UserError, match="keep one judge"):
        own.released_form(survey.stances(rows), "mine")


@pytest.mark.parametrize(
    "text, told",
    [
        ("model,family,language,question\nm,f,en,f120\n", "score"),
        ("model,family,language,question,score\nm,f,en,f120,7\n", "score"),
        ("model,family,language,question,score\nm,f,sv,f120,0.5\n", "language"),
        ("model,family,language,question,score\nm,f,en,f120,\n", "score"),
        ("", "no CSV table"),
    ],
)
def test_a_wrong_file_of_ones_own_is_refused(tmp_path, text, told):
    """Scores in percent or a language that the paper has not would shift every table without a word."""
    (tmp_path / "own.csv").write_text(text)
    with pytest.raises(UserError, match=told):
        released.read_own(tmp_path / "own.csv")
    with pytest.raises(UserError, match="cannot read"):
        released.read_own(tmp_path / "none.csv")


@with_data
def test_the_released_prompts_are_three_hundred_per_language():
    """The authors' sample: 300 prompts, 9 wordings in each language, 37 questions in all, every one with positions."""
    asked = survey.experiment(prompts="paper")
    assert asked.groupby("language").size().to_dict() == dict.fromkeys(("en", "da", "nl", "pt"), 300)
    assert (asked.groupby("language")["template"].nunique() == 9).all() and asked["question"].nunique() == 37
    assert not asked.duplicated(["language", "question", "template", "sample"]).any()
    assert set(asked["question"]) == set(prompts.positions())
    assert not asked["prompt"].str.contains("{topic}", regex=False).any()


@with_data
def test_the_released_prompts_are_identified_in_their_language():
    """A filter that takes Danish for Norwegian would empty the Danish cells."""
    table = reading.accuracy(reading.identified()).set_index(["kind", "language"])
    whole = table.loc[["template", "prompt", "response"]]
    assert (whole["value"] == 1).all() and whole.loc[("prompt", "da"), "n"] == 297


@with_data
def test_what_the_filter_left_is_what_was_printed():
    """111 of 300 in the paper's state and 38 in the later one: gemma-2-2b-it in Danish."""
    table = reading.kept()
    small = table[(table["model"] == "gemma-2-2b-it") & (table["language"] == "da") & (table["of"] == reading.OF[0])]
    assert small["value"].tolist() == [pytest.approx(111 / 300), pytest.approx(38 / 300)]
    gone = reading.left_out().query("question != 'all'")
    assert set(gone["question"]) == {"c001_01", "c002_01"} and set(gone["language"]) == {"en", "pt"}


@with_data
def test_scores_betray_lists_that_were_longer_than_ten():
    """30 pro of 31 is no share of ten: the page must not say that all responses hold ten statements."""
    table = reading.sides().set_index(["state", "measure"])
    long = table.loc[("seed-2025-06", "more than ten took a side")]
    assert round(long["value"] * long["n"]) == 67 and long["n"] == 9078


def test_the_difference_is_that_of_two_rank_correlations():
    """US minus own, with ties ranked in the middle and a language's countries counting alike."""
    score = [0.1, 0.5, 0.5, 0.9, 1.0]
    human = {"US": [0.2, 0.3, 0.7, 0.6, 0.9], "BR": [0.9, 0.1, 0.4, 0.2, 0.3], "PT": [0.1, 0.1, 0.3, 0.8, 0.7]}
    rows = [
        {"model": "m", "language": "pt", "group": group, "question": f"q{k}", "score": s, "human": h}
        for group, people in human.items()
        for k, (s, h) in enumerate(zip(score, people, strict=True))
    ]
    table = leave_out.each_left_out(pd.DataFrame(rows)).set_index("without")
    for without, kept in {"none": range(5), "q1": [0, 2, 3, 4]}.items():
        chosen = [score[k] for k in kept]
        rho = {g: scipy_stats.spearmanr(chosen, [people[k] for k in kept]).statistic for g, people in human.items()}
        assert table.loc[without, "value"] == pytest.approx(rho["US"] - (rho["BR"] + rho["PT"]) / 2)
    assert table["n"].eq(1).all() and table.loc["none", "change"] == 0


@with_data
def test_leaving_out_one_question_of_the_data_state_changes_the_dutch_difference():
    """The page says that a question whose prompts name the USA halves the Dutch difference: so it must."""
    table = leave_out.us_minus_own().set_index(["state", "language", "without"])["value"]
    assert table["seed-2025-06", "nl", "none"] == pytest.approx(0.0273, abs=1e-4)
    assert table["seed-2025-06", "nl", "h011"] == pytest.approx(0.0130, abs=1e-4)


@with_data
def test_the_base_template_is_the_printed_one():
    """Whoever compares with appendix B must find the same words in the released file."""
    counted = prompts.construction().set_index(["part", "language"])["value"]
    assert counted["templates, first is the printed base", "all"] == 1
    assert counted["different prompts that can be made", "all"] == 9 * 173
    assert counted["same question as English in that place", "da"] == 30


@with_data
def test_a_file_of_ones_own_stands_beside_the_released_responses(tmp_path):
    """What `own.write` leaves must be what the replay of the paper takes."""
    table = pd.DataFrame([{"model": "m", "family": "f", "language": "da", "question": "f120", "score": 0.5}])
    responses, _, _ = released.read("head-2025-08", own=str(own.write(table, tmp_path / "own.csv")))
    assert (responses["model"] == "m").sum() == 1
