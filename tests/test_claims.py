"""The ledger: verdicts are computed by rules that a reader can check by hand."""

import pandas as pd
import pytest

from whosevalues import UserError, claims


def rows(**columns) -> pd.DataFrame:
    """A few rows of a result table."""
    return pd.DataFrame(columns)


@pytest.mark.parametrize(
    ("rule", "table", "published", "agreement"),
    [
        ({"kind": "interval"}, rows(value=[1, 2], low=[0, 1.5], high=[2, 2.5], printed=[2, 3]), None, [1, 0]),
        ({"kind": "sign", "sign": "+"}, rows(value=[1, 1, -1], low=[0.5, -1, -2], high=[2, 2, 1]), None, [1, 0.5, 0]),
        ({"kind": "sign", "sign": "-"}, rows(value=[-1, -1, 1], low=[-2, -2, 0], high=[-0.5, 1, 2]), None, [1, 0.5, 0]),
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
        ({"kind": "at_least", "column": "share", "value": 0.95}, rows(share=[0.95, 0.9]), None, [1, 0]),
        ({"kind": "at_most", "value": 0.05}, rows(value=[0.05, 0.06]), None, [1, 0]),
    ],
)
def test_each_rule_on_figures_worked_out_by_hand(rule, table, published, agreement):
    """A verdict is only as good as its rule: each is held against cases that a reader can do in the head."""
    assert claims.judge(rule, table, published)[0] == agreement


def test_verdicts_sum_up():
    """One contradicted figure among several must not pass for a reproduction, nor for a failure."""
    assert [claims.verdict(a) for a in ([1, 1], [1, 0], [0.5], [0, 0.5], [0, 0], [])] == [
        "reproduced", "partly", "partly", "not reproduced", "not reproduced", "not testable",
    ]  # fmt: skip


GOOD = """
- {id: a, paper: p, place: abstract, statement: s, published: 1, rule: {kind: sign, sign: "+"}, deviation: none,
   notebook: p/q, result: p/q, where: {term: x}, command: make book, minutes: 1}
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
    assert (row["verdict"], row["held"], row["n"], row["ours"]) == ("reproduced", 1, 1, "1")
    row = ledger_of(GOOD.replace("term: x", "term: [x, y]")).iloc[0]
    assert (row["verdict"], row["held"], row["n"]) == ("partly", 1, 2)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (("deviation: none,", ""), "claim 'a' in claims.yml lacks deviation"),
        (("kind: sign", "kind: hope"), "claim 'a' has rule 'hope': choose interval, sign"),
        (("term: x", "term: z"), "claim 'a' selects no row of p/q"),
        (("term: x", "trem: x"), "claim 'a' selects by 'trem': p/q has term, value, low, high"),
        ((', sign: "+"', ""), "claim 'a' needs 'sign' in its rule"),
    ],
)
def test_a_claim_that_cannot_be_judged_is_named(ledger_of, change, complaint):
    """A typing error in the ledger must not end as a verdict."""
    with pytest.raises(UserError, match=complaint):
        ledger_of(GOOD.replace(*change))


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
