"""What the models are asked, and which of it has ground truth: Table 1 and appendix A of the paper.

"Multilingual != Multicultural" (Rystrøm, Kirk and Hale, 2025).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from . import prompts as released_prompts
from .microdata import codebook
from .people import scores

PROMPTS, VARIATIONS = released_prompts.PROMPTS, released_prompts.VARIATIONS

CATEGORIES = {
    "B": "environment",
    "C": "work",
    "D": "family",
    "E": "politics and society",
    "F": "religion and morals",
    "H": "security",
}
"""Groups of items by the first letter of the key, with the names that section 2.1 gives them."""

WITHOUT_TRUTH = {
    "e028": "Has joined an unofficial strike",
    "e225": "Part of democracy: religious authorities interpret the laws",
    "e226": "Part of democracy: people choose their leaders in free elections",
    "e227": "Part of democracy: people receive state aid for unemployment",
    "e228": "Part of democracy: the army takes over from an incompetent government",
}
"""Questions that models are asked and that the ground truth leaves out."""

PRINTED = {"C": 2, "D": 4, "E": 14, "F": 10, "H": 2, "all": 32}
"""Questions that Table 1 lists, by category."""


def prompted() -> pd.DataFrame:
    """Count the prompts of the hypothetical survey by question and language.

    Returns
    -------
    One row per question that any model is asked, one column per language: prompts.
    """
    counts = released_prompts.read().groupby(["question", "language"]).size()
    return counts.unstack(fill_value=0).rename_axis(columns=None)


def table1(truth: pd.DataFrame, prompts: pd.DataFrame) -> pd.DataFrame:
    """Count what is asked and what has ground truth, by category (Table 1 and appendix A).

    Parameters
    ----------
    truth : as from :func:`~whosevalues.multicultural.released.read`.
    prompts : as from :func:`prompted`.

    Returns
    -------
    One row per `category` (letter, or 'all') and `term`: questions with 'ground truth'; 'asked', in any language;
    'asked in' each one, and 'in all languages'; 'asked, with ground truth'; 'asked, without ground truth'; 'asked, with
    truth in all countries'; 'topics with variations' in the authors' file of topics. `value`, `low`, `high`, `n`
    (questions with ground truth or asked), `chance`, `printed` (what Table 1 lists; of topics, what appendix B says).
    """
    countries = truth[truth["level"] == "country"]
    everywhere = countries.groupby("question")["group"].nunique() == countries["group"].nunique()
    known, keys = set(truth["question"]), set(prompts.index)
    sets = {"ground truth": known, "asked": keys}
    sets |= {f"asked in {language}": set(prompts.index[prompts[language] > 0]) for language in prompts}
    sets |= {
        "asked in all languages": set(prompts.index[(prompts > 0).all(axis=1)]),
        "asked, with ground truth": keys & known,
        "asked, without ground truth": keys - known,
        "asked, with truth in all countries": keys & set(everywhere.index[everywhere]),
        "topics with variations": set(released_prompts.variations()),
    }
    rows = []
    for category in [*CATEGORIES, "all"]:
        for term, questions in sets.items():
            count = sum(category in ("all", question[0].upper()) for question in questions)
            total = sum(category in ("all", question[0].upper()) for question in keys | known)
            rows.append({"category": category, "term": term, "value": count, "low": np.nan, "high": np.nan, "n": total})
    table = pd.DataFrame(rows).assign(chance=np.nan, printed=np.nan)
    table.loc[table["term"] == "asked, with ground truth", "printed"] = table["category"].map(PRINTED)
    table.loc[(table["term"] == "topics with variations") & (table["category"] == "all"), "printed"] = 35
    return table


def questions(truth: pd.DataFrame, prompts: pd.DataFrame) -> pd.DataFrame:
    """List every question: how often it is asked, and for whom there is ground truth.

    Parameters
    ----------
    truth : as from :func:`~whosevalues.multicultural.released.read`.
    prompts : as from :func:`prompted`.

    Returns
    -------
    One row per question and `term`: 'prompts' in each language, 'countries' with ground truth, polarity score of the
    'world'. `question`, `category`, `name` in our words, `table1` ('yes' where Table 1 has it), `without` (countries
    that lack it, or 'all'), `term`, `value`, `low`, `high`, `n` (countries), `chance`, `printed`.
    """
    book = codebook().set_index("question")
    names = book["name"].to_dict() | WITHOUT_TRUTH
    wide = scores(truth)
    known = wide["country"].notna().reindex(list(names), fill_value=False)
    about = pd.DataFrame({"name": names}).rename_axis("question")
    about.insert(0, "category", about.index.str[0].str.upper())
    about["table1"] = np.where(book["table1"].reindex(about.index, fill_value=False), "yes", "no")
    about["without"] = [", ".join(known.columns[~row]) if row.any() else "all" for row in known.to_numpy()]
    figures = prompts.add_prefix("prompts ").reindex(about.index, fill_value=0)
    figures = figures.assign(countries=known.sum(axis=1), world=wide["global", "global"].reindex(about.index))
    table = about.reset_index().merge(figures.rename_axis("question").reset_index())
    table = table.melt([*about.reset_index()], var_name="term").dropna(subset="value")
    blank = {column: np.nan for column in ("low", "high", "chance", "printed")}
    table = table.assign(**blank, n=known.shape[1])[[*table, "low", "high", "n", "chance", "printed"]]
    return table.sort_values(["question", "term"], ignore_index=True)
