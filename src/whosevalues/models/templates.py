"""Chat templates that show today's date, held to one day."""

from __future__ import annotations

from datetime import date
from typing import Any

FROZEN = """{%- macro strftime_now(format) %}{%- set said = namespace(date=format) %}
{%- for code, text in date_codes.items() %}{%- set said.date = said.date.replace(code, text) %}{%- endfor %}
{{- said.date }}{%- endmacro %}
"""
"""What takes the place of the clock that transformers gives to a template."""

CODES = [f"%{code}" for code in ("-d", "-m", "-H", "-I", *"dmbBYyaAjHMSpI")]
"""Parts of a date that a template may show."""


def dated(template: str | dict[str, str] | None) -> bool:
    """Say whether a chat template shows today's date.

    What a template writes for a `date_string` of its own is the same every day.

    Parameters
    ----------
    template : in Jinja, or several by their names; None for a model without one.
    """
    return "strftime_now" in str(template)


def frozen(template: str, day: date) -> dict[str, Any]:
    """Make a template show one day for ever.

    Parameters
    ----------
    template : that shows today's date.
    day : that it is to show.

    Returns
    -------
    Arguments of a tokenizer's `apply_chat_template`.
    """
    return {"chat_template": FROZEN + template, "date_codes": {code: day.strftime(code) for code in CODES}}
