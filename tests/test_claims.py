"""The ledger: verdicts are computed by rules that a reader can check by hand."""

import numpy as np
import pandas as pd
import pytest

from whosevalues import UserError, claims, results

NAN = float("nan")


def rows(**columns) -> pd.DataFrame:
    """A few rows of a result table."""
    return pd.DataFrame(columns)


@pytest.mark.parametrize(
    ("rule", "table", "published", "agreement"),
    [
        ({"kind": "interval"}, rows(value=[1, 2], low=[0, 1.5], high=[2, 2.5], printed=[2, 3]), None, [1, 0]),
        ({"kind": "interval"}, rows(low=[0, 1.5], high=[2, 2.5], value=1, printed=9), [1, 1], [1, 0]),
        ({"kind": "interval"}, rows(low=[0, 1.5], high=[2, 2.5], value=1, printed=9), 2, [1, 1]),
        (
            {"kind": "interval", "by": "term"},
            rows(term=["b", "a"], low=[0, 1.5], high=[1, 2.5], value=1),
            {"a": 2, "b": 3},
            [0, 1],
        ),
        ({"kind": "sign", "sign": "+"}, rows(value=[1, 1, -1], low=[0.5, -1, -2], high=[2, 2, 1]), None, [1, 0.5, 0]),
        ({"kind": "sign", "sign": "-"}, rows(value=[-1, -1, 1], low=[-2, -2, 0], high=[-0.5, 1, 2]), None, [1, 0.5, 0]),
        ({"kind": "mixed"}, rows(value=[1, -1, 1], low=[0.5, -2, -1], high=[2, -0.5, 2]), None, [1]),
        ({"kind": "mixed"}, rows(value=[1, -1], low=[0.5, -2], high=[2, 0.5]), None, [0.5]),
        ({"kind": "mixed"}, rows(value=[1, 0.1], low=[0.5, -2], high=[2, 0.5]), None, [0]),
        ({"kind": "equal", "within": 0.01}, rows(value=[0.5, 0.52]), 0.5, [1, 0]),
        ({"kind": "equal", "column": "share", "within": 0}, rows(value=[9, 9], share=[1, 2]), [1, 3], [1, 0]),
        (
            {"kind": "order", "by": "model", "ascending": ["a", "b", "c"]},
            rows(model=["c", "a", "b"], value=[3, 1, 2], low=[2.5, 0.5, 1.4], high=[3.5, 1.2, 2.8]),
            None,
            [1, 0.5],
        ),
        (
            {"kind": "order", "by": "model", "descending": ["a", "b"]},
            rows(model=["a", "b"], value=[1, 2], low=[1, 2], high=[1, 2]),
            None,
            [0],
        ),
        (
            {"kind": "order", "by": "model", "descending": [["a", "b"], "c"]},
            rows(model=["a", "b", "c"], value=[5, 1, 2], low=[4, 1, 1], high=[6, 2, 3]),
            None,
            [1, 0],
        ),
        ({"kind": "at_most"}, rows(value=[0.65, 0.67]), 0.66, [1, 0]),
        ({"kind": "at_least", "column": "share", "value": 0.95}, rows(share=[0.95, 0.9]), None, [1, 0]),
        ({"kind": "at_most", "value": 0.05}, rows(value=[0.05, 0.06]), None, [1, 0]),
        ({"kind": "at_least", "value": 0.95, "open": 0.05}, rows(value=[0.96, 0.7, 0.05]), None, [1, 0.5, 0]),
        (
            {"kind": "at_least", "value": 0.95, "open": "points"},
            rows(value=[0.96, 0.2, 0.2], points=[0, 1, 0]),
            None,
            [1, 0.5, 0],
        ),
        ({"kind": "at_most", "value": 0.05, "open": 0.95}, rows(value=[0.05, 0.7, 0.95]), None, [1, 0.5, 0]),
    ],
)
def test_each_rule_on_figures_worked_out_by_hand(rule, table, published, agreement):
    """A verdict is only as good as its rule: each is held against cases that a reader can do in the head."""
    assert claims.judge(rule, table, published)[0] == agreement


@pytest.mark.parametrize(
    ("rule", "table", "published"),
    [
        ({"kind": "interval"}, rows(value=[1, 2], low=[0, NAN], high=[2, 3]), 1),
        ({"kind": "interval"}, rows(value=[1, 2], low=[0, 1], high=[2, 3], printed=[1, NAN]), None),
        ({"kind": "sign", "sign": "+"}, rows(value=[1], low=[NAN], high=[NAN]), None),
        ({"kind": "mixed"}, rows(value=[1, -1], low=[0, NAN], high=[2, 0]), None),
        ({"kind": "equal", "within": 0}, rows(value=[NAN]), 1),
        (
            {"kind": "order", "by": "m", "ascending": ["a", "b"]},
            rows(m=["a", "b"], value=[1, 2], low=NAN, high=NAN),
            None,
        ),
        ({"kind": "at_least", "value": 0.05}, rows(value=[NAN]), None),
        ({"kind": "at_most", "value": 0.05}, rows(value=[0, NAN]), None),
    ],
)
def test_a_missing_figure_decides_nothing(rule, table, published):
    """With a single seed there is no interval, and no p-value: that must not read as a contradiction or a proof."""
    agreement, why = claims.judge(rule, table, published)
    assert claims.verdict(agreement) == "not testable"
    assert why.startswith("1 of ") and "missing" in why


COUNTS = rows(language=["nl", "da"], value=[1.1744, 5206.4], low=[0.8219, 5003.7], high=[1.5271, NAN], holds=[1, 0.95])
MODELS = rows(model=["a", "a", "b"], language=["nl", "da", "da"], value=[1.0, 2, 3], low=NAN, high=NAN)
TERMS = rows(term=["gemma:nl", "gemma:da"], value=[1.0, 2], low=[0.0, 2], high=[2.0, 2], printed=[1.5, 2])
ONE = rows(metric=["step"], model="a", value=8.67e-19, low=-1e-16, high=0.0126, holds=1)
MANY = rows(term=list("abcdefg"), value=[1, 1, 1, -1, -1, -1, -1], low=[0.5, 0.5, -1, -2, -2, -2, -2], high=[
    2, 2, 2, -0.5, -0.5, -0.5, 1])  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "table", "published", "ours"),
    [
        ({"kind": "at_least", "value": 0}, COUNTS, None, "nl 1.17 (0.822 to 1.53); da 5206"),
        ({"kind": "at_least", "value": 0.9, "column": "holds"}, COUNTS, None, "holds: nl 1; da 0.95"),
        ({"kind": "at_least", "value": 0}, MODELS, None, "a nl 1; a da 2; b da 3"),
        ({"kind": "interval", "by": "term"}, TERMS, {"gemma:da": 2, "gemma:nl": 1}, "da 2; nl 1 (0 to 2)"),
        ({"kind": "interval"}, TERMS[:1], 1, "1 (0 to 2)"),
        ({"kind": "at_least", "value": -1}, ONE, None, "step: 0 (0 to 0.0126)"),
        ({"kind": "at_least", "value": 0, "column": "holds"}, ONE, None, "step: holds: 1"),
        ({"kind": "interval"}, MANY, [1, 1, 1, 1, 1, 1, 1], "4 of 7 agree"),
        ({"kind": "mixed"}, MANY, None, "of 7 intervals 2 above 0, 3 below, 2 on both sides"),
    ],
)
def test_our_figures_say_what_they_are(rule, table, published, ours):
    """A bare list of numbers cannot be held against the paper: each needs its name and its interval."""
    assert claims.judge(rule, table, published)[1] == ours


def test_figures_stand_in_the_order_of_the_claim(ledger_of):
    """Ours and the published figures are read side by side: in another order they would be mistaken."""
    claim = GOOD.replace("term: x", "term: [y, x]")
    assert ledger_of(claim).iloc[0]["ours"] == "y -1 (-2 to 0.5); x 1 (0.5 to 2)"
    claim = claim.replace("published: 1", "published: {x: 1.044, y: 1200}")
    row = ledger_of(claim.replace('{kind: sign, sign: "+"}', "{kind: interval, by: term}")).iloc[0]
    assert (row["published"], row["ours"]) == ("x 1.044; y 1200", "x 1 (0.5 to 2); y -1 (-2 to 0.5)")
    assert ledger_of(GOOD.replace("published: 1", "published: null")).iloc[0]["published"] == ""


def test_verdicts_sum_up():
    """One contradicted figure among several must not pass for a reproduction, nor for a failure."""
    assert [claims.verdict(a) for a in ([1, 1], [1, 0], [0.5], [0, 0.5], [0, 0], [])] == [
        "reproduced", "partly", "partly", "not reproduced", "not reproduced", "not testable",
    ]  # fmt: skip


GOOD = """
- {id: a, paper: p, about: paper, place: abstract, statement: s, published: 1, rule: {kind: sign, sign: "+"},
   deviation: none, notebook: p/q, result: p/q, where: {term: x}, command: make book, minutes: 1}
"""


@pytest.fixture
def ledger_of(tmp_path, monkeypatch):
    """Judge claims written on the spot against one small result."""
    table = rows(term=["x", "y"], value=[1.0, -1.0], low=[0.5, -2.0], high=[2.0, 0.5])
    table.attrs["origin"] = "computed"
    monkeypatch.setattr(claims.results, "load", lambda name: table)
    monkeypatch.setattr(claims, "FILE", tmp_path / "claims.yml")

    def judged(text: str) -> pd.DataFrame:
        claims.FILE.write_text(text)
        return claims.ledger()

    return judged


def test_a_claim_is_judged_on_the_rows_it_selects(ledger_of):
    """A claim about one term must not be decided by another."""
    row = ledger_of(GOOD).iloc[0]
    assert (row["verdict"], row["held"], row["n"], row["ours"]) == ("reproduced", 1, 1, "1 (0.5 to 2)")
    row = ledger_of(GOOD.replace("term: x", "term: [x, y]")).iloc[0]
    assert (row["verdict"], row["held"], row["n"]) == ("partly", 1, 2)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (("deviation: none, ", ""), "claim 'a' in claims.yml lacks deviation"),
        (("kind: sign", "kind: hope"), "claim 'a' has rule 'hope': choose a kind of interval, sign"),
        (('{kind: sign, sign: "+"}', "hope"), "claim 'a' has rule 'hope': choose a kind of interval, sign"),
        (("about: paper", "about: q"), "claim 'a' is about 'q': choose paper or later data"),
        (
            ('published: 1, rule: {kind: sign, sign: "+"}', "published: [1, 2], rule: {kind: interval}"),
            "2 values are pub",
        ),
        (
            (
                'published: 1, rule: {kind: sign, sign: "+"}',
                "published: {x: 1, z: 2}, rule: {kind: interval, by: term}",
            ),
            "claim 'a' needs 'z' in its rule or in p/q",
        ),
        (("term: x", "term: z"), "claim 'a' selects no row of p/q"),
        (("term: x", "trem: x"), "claim 'a' selects by 'trem': p/q has term, value, low, high"),
        ((', sign: "+"', ""), "claim 'a' needs 'sign' in its rule"),
    ],
)
def test_a_claim_that_cannot_be_judged_is_named(ledger_of, change, complaint):
    """A typing error in the ledger must not end as a verdict."""
    with pytest.raises(UserError, match=complaint):
        ledger_of(GOOD.replace(*change))


@pytest.mark.parametrize(
    ("text", "complaint"),
    [("", "claims.yml holds no list of claims"), ("a: 1", "no list of claims"), ("- 5", "claims.yml has '5' where a")],
)
def test_a_file_without_claims_is_named(ledger_of, text, complaint):
    """An emptied or mistyped claims.yml must end in one line that says what belongs there."""
    with pytest.raises(UserError, match=complaint) as error:
        ledger_of(text)
    assert "\n" not in str(error.value)


def test_what_was_published_decides(ledger_of):
    """A corrected figure in claims.yml must change the verdict, whatever the table prints beside it."""
    claim = GOOD.replace('{kind: sign, sign: "+"}', "{kind: interval}")
    assert ledger_of(claim).iloc[0]["verdict"] == "reproduced"
    assert ledger_of(claim.replace("published: 1", "published: 3")).iloc[0]["verdict"] == "not reproduced"


def test_a_claim_stands_once(ledger_of):
    """Counting a claim twice would tilt the summary."""
    with pytest.raises(UserError, match="claim 'a' stands twice"):
        ledger_of(GOOD + GOOD)


def test_every_claim_of_the_book_says_how_it_is_checked():
    """A claim without its command, minutes and largest deviation cannot be checked by anyone else."""
    from whosevalues import notebooks

    for claim in claims.read():
        assert claim["command"] and claim["minutes"] > 0
        assert notebooks.source(claim["notebook"])
        if claim["rule"]["kind"] != "untestable":
            assert claim["deviation"] not in (None, "")


def test_the_ledger_and_the_chapters_print_the_same_figures():
    """A chapter shows the printed figures of its table, the ledger those of claims.yml: they must be the same."""
    compared = 0
    for claim in claims.read():
        if claim["rule"]["kind"] not in ("interval", "equal", "at_most", "at_least") or claim["published"] is None:
            continue
        if "column" in claim["rule"]:
            continue  # what is published is then not the figure that the table's `printed` stands beside
        table = results.stored(claim["result"])
        if "printed" not in table:
            continue
        for column, wanted in claim["where"].items():
            table = table[table[column].isin(wanted if isinstance(wanted, list) else [wanted])]
        published = claim["published"]
        if isinstance(published, dict):
            assert set(published) == set(table[claim["rule"]["by"]])
            ours = table[claim["rule"]["by"]].map(published)
        else:
            ours = pd.Series(published, index=table.index)
        printed = table["printed"].notna()
        assert np.allclose(ours[printed], table.loc[printed, "printed"]), claim["id"]
        compared += printed.sum()
    assert compared >= 40


def test_what_the_paper_claims_is_kept_apart_from_what_we_ask():
    """A claim judged on later data must not count for or against the paper."""
    for claim in claims.read():
        where = claim.get("where") or {}
        if "head" in f"{where.get('state')} {where.get('file')}" or "later data" in claim["place"]:
            assert claim["about"] == "later data", claim["id"]
        else:
            assert claim["about"] == "paper", claim["id"]
