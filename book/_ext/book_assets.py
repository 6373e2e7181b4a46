"""Scripts that pages load come with the book: it opens offline, and nobody else sees its readers."""

from importlib.util import find_spec
from pathlib import Path

from sphinx.util.fileutil import copy_asset

# (package, file or folder in its wheel) -> folder of the built book
VENDORED = {
    ("sphinx-mathjax-offline", "static/mathjax/tex-chtml-full.js"): "vendor/mathjax",
    ("sphinx-mathjax-offline", "static/mathjax/output/chtml/fonts"): "vendor/mathjax/output/chtml/fonts",
    ("plotly", "package_data/plotly.min.js"): "vendor",
}


def copy_vendored(app):
    """Put the scripts where `mathjax_path` and interactive figures look for them."""
    for (package, path), target in VENDORED.items():
        # Found, not imported: one package has hyphens in its name, the other takes a second.
        copy_asset(Path(find_spec(package).origin).parent / path, Path(app.outdir) / target)


def setup(app):
    app.connect("builder-inited", copy_vendored)
    return {"parallel_read_safe": True}
