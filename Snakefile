"""The whole compendium: data -> answers -> chapters -> results -> claims -> book.

    snakemake book                      the book, from whatever is missing or out of date
    snakemake results                   the full run: more resampling, then the tracked tables in results/
    snakemake multicultural             one paper's chapters
    snakemake --config model=<name>     live chapters with another model of models.yml
    snakemake --config shards=8         questions in so many jobs (on a cluster: --workflow-profile profiles/slurm)

Chapters come from book/_toc.yml; what each needs and makes is read from the notebook itself.
"""

from whosevalues import graph

shell.prefix(graph.tools())

MODEL = graph.known_model(config.get("model", "smollm2-135m"))
SHARDS = graph.shard_count(config.get("shards", 0))
CHAPTERS = graph.chapters()
SYNTHESIS = [chapter for chapter in CHAPTERS if chapter.startswith("synthesis/")]
PAPERS = [chapter for chapter in CHAPTERS if chapter not in SYNTHESIS]
RESULTS = [file for chapter in CHAPTERS for file in graph.result_files(chapter)]

# What the full run asks for beyond the book's smallest samples.
FULL = {
    "multicultural/people": {"rounds": 200},
    "multicultural/alignment": {"rounds": 1000, "seeds": 30},
    "multicultural/rq1": {"seeds": 200},
    "multicultural/rq2": {"seeds": 200},
    "multicultural/critique": {"rounds": 500, "most_rounds": 1600, "simulations": 800},
    "multicultural/specifications": {"rounds": 400, "resamples": 1000, "draws": 2000},
    "multicultural/prompting": {"rounds": 1000, "shuffles": 2000},
    "mena/nvas": {"rounds": 1000},
    "mena/consistency": {"rounds": 1000},
    "mena/collapse": {"rounds": 1000, "shuffles": 400},
    "navab/topics": {"seeds": 5},
    "navab/conflicts": {"first_year": 1973, "draws": 3},
    "navab/judgement": {"judged_items": 8, "written": True, "blanks": 8},
    "navab/alignment": {"seeds": 3},
    "navab/persistence": {"items": 10},
} if config.get("full") else {}  # fmt: skip


onstart:
    graph.refuse_second_writer()


onerror:
    graph.say_why()


# Short or in need of a network: never a cluster's job.
localrules: data, model, html, results


rule book:
    input: "_build/html/index.html", expand("book/notebooks/{chapter}.ipynb", chapter=CHAPTERS), RESULTS
    message: "the book is ready: _build/html/index.html"
    default_target: True


rule results:
    input: RESULTS
    message: "tracked tables in results/"
    shell: "whosevalues results"


for paper in graph.papers(CHAPTERS):
    rule:
        name: paper
        input: expand("book/notebooks/{chapter}.ipynb", chapter=[c for c in CHAPTERS if c.startswith(f"{paper}/")])


# Data: a released file is fetched once; the stamp says which are here.
rule data:
    input: "src/whosevalues/registry.csv"
    output: "_build/data/{paper}.json"
    params: source=graph.data_source()
    message: "released data of {wildcards.paper}"
    log: "_build/logs/data-{paper}.log"
    shell: "whosevalues data {wildcards.paper} >{log} 2>&1 || (tail -n 1 {log} >&2; exit 2)"


# Models: the embedded one is converted once, apart from the scoring code.
rule model:
    input: "src/whosevalues/models/embedded.py"
    output: "_build/models/smollm2-135m/whosevalues.json"
    message: "the embedded model, converted once"
    log: "_build/logs/model.log"
    shell: "whosevalues models --prepare smollm2-135m >{log} 2>&1 || (tail -n 1 {log} >&2; exit 2)"


# Elicitation: answers go to an append-only store that no rule ever deletes; the manifest says that all are there.
rule answers:
    input:
        lambda wildcards: graph.asks(wildcards.paper),
        lambda wildcards: rules.model.output if wildcards.model == "smollm2-135m" else [],
        lambda wildcards: graph.shards(wildcards.paper, wildcards.model, SHARDS),
    output: "_build/answers/{paper,[^/]+}/{model,[^/]+}.json", "_build/answers/{paper}/{model}.parquet"
    message: "{wildcards.model} is asked what {wildcards.paper} asks"
    log: "_build/logs/answers-{paper}.{model}.log"
    shell:
        # Its bar is shown where there is a terminal: this is the step that takes minutes. The report card is a chapter.
        "whosevalues run --paper {wildcards.paper} --model {wildcards.model} --yes --no-card >{log}"


# One shard of the questions is one job. Of a job that is run again the first one may still be writing, even to the log.
rule shard:
    input:
        lambda wildcards: graph.asks(wildcards.paper),
        lambda wildcards: rules.model.output if wildcards.model == "smollm2-135m" else [],
    output: "_build/answers/{paper,[^/]+}/{model,[^/]+}.{i,[0-9]+}of{n,[0-9]+}.json"
    message: "{wildcards.model} is asked what {wildcards.paper} asks, shard {wildcards.i} of {wildcards.n}"
    log: "_build/logs/answers-{paper}.{model}.{i}of{n}.log"
    shell:
        "whosevalues run --paper {wildcards.paper} --model {wildcards.model} --shard {wildcards.i}/{wildcards.n} "
        "--yes --stamp {output} >>{log} 2>&1 || (tail -n 1 {log} >&2; exit 2)"


ruleorder: shard > answers


# Chapters: one notebook in; one page, its result tables and a record of the run out.
for chapter in CHAPTERS:
    rule:
        name: chapter
        input: graph.needs(chapter, MODEL, [c for c in CHAPTERS if c not in SYNTHESIS])
        output:
            f"book/notebooks/{chapter}.ipynb",
            f"_build/runs/{chapter}.json",
            graph.result_files(chapter),
        message: "notebook {params.chapter}"
        params: chapter=chapter, options=graph.options(chapter, MODEL, FULL.get(chapter, {}))
        log: f"_build/logs/{chapter}.log"
        shell: "whosevalues notebook {params.chapter} {params.options} >{log} 2>&1 || (tail -n 1 {log} >&2; exit 2)"


# Book: pages and executed chapters, built strictly.
rule html:
    input:
        expand("book/notebooks/{chapter}.ipynb", chapter=CHAPTERS),
        graph.pages(),
    output: "_build/html/index.html"
    message: "the pages of the book"
    log: "_build/logs/html.log"
    shell: "whosevalues html >{log} 2>&1 || (grep -E 'WARNING|ERROR' {log} >&2; tail -n 1 {log} >&2; exit 2)"
