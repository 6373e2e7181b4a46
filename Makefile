# Aliases: every target makes the environment it needs, then hands over.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
export PATH := $(CURDIR)/.venv/bin:$(PATH)
PIP = python -m pip install --disable-pip-version-check --quiet
SNAKEMAKE = snakemake

.PHONY: book serve test results bench lint clean
.DEFAULT_GOAL := book

book: .venv/book ## the book, in _build/html
	@$(SNAKEMAKE) book

serve: book ## the book, shown locally
	@python -m http.server --bind 127.0.0.1 --directory _build/html 8000

test: .venv/test ## every test
	@python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

results: .venv/book ## a full run, then the tracked tables in results/
	@$(SNAKEMAKE) results --config full=1

bench: .venv/bench ## every benchmark, beside its peers
	@for file in benchmarks/*.py; do echo $$file; python $$file || exit 1; done

lint: .venv/test ## style, and notebooks without outputs
	@ruff check . && ruff format --check . && nbstripout --verify --keep-id $$(git ls-files '*.ipynb')

clean: ## all that was built; models, trained or not, and their answers, which may have cost money, stay
	rm -rf $(filter-out _build/models _build/alignment _build/responses,$(wildcard _build/*)) .snakemake book/notebooks

.venv/book: requirements.lock requirements-model.lock pyproject.toml binder/postBuild
	$(PYTHON) -m venv --clear .venv
	$(PIP) -r requirements.lock
	sh binder/postBuild
	@touch $@

# rfc3987-syntax builds a parser, in more than a second, in every process that imports jsonschema; nobody here checks IRIs.
.venv/test: .venv/book requirements-test.lock
	$(PIP) -r requirements.lock -r requirements-test.lock
	python -m pip uninstall --quiet --yes rfc3987-syntax
	@touch $@

# llama-cpp-python is built here; for this very processor it crashes on some.
.venv/server .venv/bench: export CMAKE_ARGS = -DGGML_NATIVE=OFF

.venv/server: .venv/test requirements-server.lock
	$(PIP) --no-cache-dir -r requirements.lock -r requirements-test.lock -r requirements-server.lock
	@touch $@

.venv/bench: .venv/book requirements-bench.lock
	$(PIP) --no-cache-dir -r requirements.lock -r requirements-bench.lock
	@touch $@
