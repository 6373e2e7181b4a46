"""Lay out docstrings as this package writes them: after a name stands what it means; its type is annotated."""

import inspect
import re
import typing

SECTIONS = ("Parameters", "Attributes", "Returns", "Raises")
ENTRY = re.compile(r"([\w*][\w*, .]*) : (.+)")


def to_fields(app, what, name, obj, options, lines):
    """Turn numpydoc's underlined sections into fields; numpydoc itself would read the descriptions as types."""
    fields, section = [], None
    for line, below in zip(lines, [*lines[1:], ""], strict=True):
        entry = ENTRY.fullmatch(line)
        if below and set(below) == {"-"}:
            section = line
            fields += [f":{line}:"] if line in SECTIONS else [f".. rubric:: {line}", ""]
        elif line and set(line) == {"-"}:
            continue
        elif section in SECTIONS and entry:
            fields += ["    " + entry[1].replace("*", r"\*"), "        " + entry[2]]
        else:
            fields.append("    " + line if section in SECTIONS and line else line)
    lines[:] = fields


def without_notes(app, obj, bound_method):
    """Show the command line's types without typer's notes, whose memory addresses differ in every build."""
    if inspect.isfunction(obj) and obj.__module__ == "whosevalues.cli":
        obj.__annotations__ = typing.get_type_hints(obj)


def setup(app):
    app.connect("autodoc-before-process-signature", without_notes)
    app.connect("autodoc-process-docstring", to_fields)
    return {"parallel_read_safe": True}
