"""What the paper's run cost, worked out again from its tokens (appendix E, Table 2)."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from .. import models
from ..cost import dollars

HALF = 0.5
"""Share of the list price in OpenAI's batch interface: community.openai.com/t/1357069, read on 2026-11-21."""

FIRST_4O = {
    "input": 5,
    "output": 15,
    "date": "2026-05-08",
    "source": "https://llmcloudhub.com/openai/gpt-4o-2024-05-13",
}
"""Price of the first GPT-4o, in US dollars per million tokens; the paper does not say which GPT-4o it asked."""


def read_table2() -> pd.DataFrame:
    """Read Table 2 as printed.

    Returns
    -------
    One row per line: `part` ('responses', 'extraction', 'translation'), `model`, `tokens_in`, `tokens_out`, `printed`
    in US dollars; the line 'total' has no tokens.
    """
    return pd.read_csv(Path(__file__).with_name("table2.csv"))


def table2() -> pd.DataFrame:
    """Work out every cost of Table 2 from its tokens, at dated list prices and at half of them.

    Returns
    -------
    One row per (part, model, price): prices are 'list' and 'batch', half of it, with `price_date` and `price_source`;
    for GPT-4o also those of its first version. `tokens_in`, `tokens_out`; `value`, the cost in US dollars; `low` and
    `high`, half a cent less and more, which print alike; `n` (tokens), `chance` (NaN), `printed`, and `differs`: 'no'
    or 'yes'. The model 'total' is the sum of the three unrounded costs, 'sum of the printed' that of the printed ones.
    """
    printed = read_table2()
    lines = printed.dropna(subset="tokens_in")
    rows = [_line(line, *price) for line in lines.to_dict("records") for price in _prices(line["model"])]
    table = pd.DataFrame(rows)
    responses = table[(table["part"] == "responses") & table["price"].isin(["list", "batch"])]
    total = responses.groupby("price")[["tokens_in", "tokens_out", "value"]].sum().reset_index()
    sums = printed[printed["part"] == "responses"]
    cost = {"part": "responses", "model": "total", "printed": sums.set_index("model")["printed"]["total"]}
    as_printed = sums.loc[sums["model"] != "total", "printed"].sum()
    by_hand = pd.DataFrame([{**cost, "model": "sum of the printed", "price": "printed", "value": as_printed}])
    table = pd.concat([table, total.assign(**cost), by_hand], ignore_index=True)
    table = table.assign(low=table["value"] - 0.005, high=table["value"] + 0.005, chance=float("nan"))
    table["n"] = table["tokens_in"] + table["tokens_out"]
    table["differs"] = table["printed"].between(table["low"], table["high"]).map({True: "no", False: "yes"})
    names = ["part", "model", "price", "price_date", "price_source", "tokens_in", "tokens_out"]
    return table[[*names, "value", "low", "high", "n", "chance", "printed", "differs"]]


def _prices(model: str) -> list[tuple[str, dict[str, object], float]]:
    listed = models.price(model)
    prices = [("list", listed, 1.0), ("batch", listed, HALF)]
    if model == "gpt-4o":
        prices += [("first version, list", FIRST_4O, 1.0), ("first version, batch", FIRST_4O, HALF)]
    return prices


def _line(line: dict[str, object], name: str, price: dict[str, object], share: float) -> dict[str, object]:
    value = share * dollars(line["tokens_in"], line["tokens_out"], price)
    return {**line, "price": name, "price_date": str(price["date"]), "price_source": price["source"], "value": value}
