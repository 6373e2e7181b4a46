"""What a run may cost, and what it has cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass
class Purse:
    """What a run has spent, and what its questions under way could still cost.

    Attributes
    ----------
    most : bound on the run's cost, None for none.
    spent : for the answers that came.
    reserved : put by for those under way.
    empty : whether a question had to stay unasked.
    next : what that question could have cost.
    """

    most: float | None = None
    spent: float = 0.0
    reserved: float = 0.0
    empty: bool = False
    next: float = 0.0

    def reserve(self, cost: float) -> bool:
        """Put by what a question could cost at most; say whether that was possible."""
        self.empty = self.most is not None and self.spent + self.reserved + cost > self.most
        self.next = cost
        self.reserved += 0 if self.empty else cost
        return not self.empty

    def pay(self, reserved: float, cost: float) -> None:
        """Replace what was put by with what was used."""
        self.reserved -= reserved
        self.spent += cost


def cost(price: Mapping[str, Any] | None, tokens: tuple[int | None, int | None]) -> float:
    """Price one answer.

    Parameters
    ----------
    price : `input` and `output` per million tokens, or None for what costs nothing.
    tokens : in and out.

    Returns
    -------
    Money.

    Examples
    --------
    >>> cost({"input": 0.5, "output": 1.5}, (1_000_000, 2_000_000))
    3.5
    """
    if not price:
        return 0.0
    return ((tokens[0] or 0) * price["input"] + (tokens[1] or 0) * price["output"]) / 1e6
