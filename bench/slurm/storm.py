"""A study on a real Slurm of two nodes, while its processes are killed at random.

    apt-get install --no-install-recommends slurm-wlm munge        # once, as root
    python3 bench/slurm/storm.py target/release/wd [--kills 200] [--trials 24] [--seed 0]

A program of a second's length, whose curves are the same whenever it runs, is a study that pilots
work on by way of Slurm, together with a launcher on this machine. Trials, pilots and launchers are
killed (KILL and TERM), jobs are requeued, and the daemon of a node is killed with its jobs still
running, until so many kills have hit. Then the study is left to end, and compared with an
undisturbed one: every trial has one result, every number of every curve is the same, to the last
bit. Exit status 0 says so, 77 that Slurm cannot be started here; anything else names what differs.

Both nodes are this machine: what a real cluster's file system does to locks is not tested here.
"""

import argparse
import collections
import csv
import json
import os
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

STEPS = 20
TRAIN = """
printf 'started\\n' >> "$WD_SCRATCH/started"
step=0
while [ $step -lt %d ]; do
  awk -v wd="$1" -v seed="$2" -v s=$step 'BEGIN {
    noise = (seed * 37 %% 17) / 1700
    printf "{\\"step\\": %%d, \\"train/loss\\": %%.9f, \\"val/loss\\": %%.9f}\\n",
      s, 1 / (s + 1) + noise + (s ? wd / 50 : 0), 1.2 / (s + 1) + noise - (s ? wd / 100 : 0) }'
  sleep 0.05
  step=$((step + 1))
done
""" % STEPS

STUDY = """
title = "storm"
[trial]
command = ["sh", "{{home}}/train.sh", "{{wd}}", "{{seed}}"]
[axes]
wd = "0,1"
seed = "0..{last}"
[roles]
lambda = "wd"
seed = "seed"
[metrics]
train_is = "fixed-set"
last_step = {end}
[environment]
WD_SCRATCH = "{scratch}"
"""

CONFIGURATION = """
ClusterName=storm
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
CredType=cred/munge
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=0,sched_interval=1,sched_min_interval=0
SlurmdParameters=config_overrides
SlurmctldTimeout=10
SlurmdTimeout=10
ReturnToService=2
SwitchType=switch/none
StateSaveLocation={scratch}/ctld
SlurmdSpoolDir={scratch}/d/%n
SlurmctldPidFile={scratch}/slurmctld.pid
SlurmdPidFile={scratch}/slurmd-%n.pid
SlurmctldLogFile={scratch}/log/slurmctld.log
SlurmdLogFile={scratch}/log/slurmd-%n.log
SlurmctldPort=16817
MinJobAge=3600
InactiveLimit=0
KillWait=5
JobRequeue=1
NodeName=n1 NodeHostname={host} NodeAddr=127.0.0.1 Port=16821 CPUs=2 RealMemory=4000 State=UNKNOWN
NodeName=n2 NodeHostname={host} NodeAddr=127.0.0.1 Port=16822 CPUs=2 RealMemory=4000 State=UNKNOWN
PartitionName=cpu Nodes=n1,n2 Default=YES MaxTime=INFINITE State=UP OverSubscribe=NO DefMemPerCPU=500
"""


class Cluster:
    """Slurm with two nodes that are this machine."""

    def __init__(self, scratch):
        self.scratch = scratch
        host = socket.gethostname().split(".")[0]
        for folder in ("ctld", "log", "d/n1", "d/n2"):
            (scratch / folder).mkdir(parents=True)
        configuration = scratch / "slurm.conf"
        configuration.write_text(CONFIGURATION.format(host=host, scratch=scratch))
        os.environ["SLURM_CONF"] = str(configuration)
        subprocess.run(["install", "-d", "-o", "munge", "-g", "munge", "-m", "755", "/run/munge"], check=True)
        self.had_munge = bool(found(lambda words: words[0].endswith("munged")))
        if not self.had_munge:
            subprocess.run(["setpriv", "--reuid", "munge", "--regid", "munge", "--init-groups",
                            "/usr/sbin/munged"], check=True)
        subprocess.run(["slurmctld", "-c", "-f", str(configuration)], check=True)
        for node in ("n1", "n2"):
            self.start(node)
        self.until(lambda: self.said("sinfo", "-h", "-N", "-o", "%T").count("idle") == 2, "two idle nodes")

    def start(self, node):
        subprocess.run(["slurmd", "-f", os.environ["SLURM_CONF"], "-N", node], check=True)

    def kill(self, node):
        """Kills a node's daemon; what its jobs run goes on."""
        try:
            os.kill(int((self.scratch / f"slurmd-{node}.pid").read_text()), signal.SIGKILL)
        except (OSError, ValueError):
            return False
        return True

    def said(self, *words):
        return subprocess.run(words, capture_output=True, text=True).stdout

    def jobs(self):
        return self.said("squeue", "-h", "-r", "-o", "%i %T").split("\n")[:-1]

    def until(self, holds, what, seconds=60):
        end = time.monotonic() + seconds
        while not holds():
            if time.monotonic() > end:
                raise TimeoutError(f"waited {seconds} s for {what}")
            time.sleep(0.2)

    def end(self):
        subprocess.run(["scancel", "--user", "root"], capture_output=True)
        subprocess.run(["scontrol", "shutdown"], capture_output=True)
        time.sleep(1)
        for node in ("n1", "n2"):
            self.kill(node)
        if not self.had_munge:
            for process in found(lambda words: words[0].endswith("munged")):
                os.kill(process, signal.SIGTERM)


def not_here(why):
    print(why, file=sys.stderr)
    sys.exit(77)


def found(matches):
    """The processes whose words match."""
    processes = []
    for folder in pathlib.Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                words = (folder / "cmdline").read_bytes().decode(errors="replace").split("\0")
            except OSError:
                continue
            if words[0] and matches(words):
                processes.append(int(folder.name))
    return processes


class Study:
    def __init__(self, program, folder, trials, scratch):
        self.program, self.folder = program, folder
        folder.mkdir()
        (folder / "train.sh").write_text(TRAIN)
        text = STUDY.format(last=trials // 2 - 1, end=STEPS - 1, scratch=scratch)
        (folder / "study.toml").write_text(text)

    def ask(self, *words):
        return subprocess.run([self.program, "study", *words], capture_output=True, text=True)

    def start(self, *words):
        return subprocess.Popen([self.program, "study", *words], stdout=subprocess.DEVNULL,
                                stderr=subprocess.DEVNULL, start_new_session=True)

    def status(self):
        answer = self.ask("status", str(self.folder), "--json")
        return json.loads(answer.stdout)["trials"]

    def left(self):
        return [trial for trial in self.status() if trial["state"] != "finished"]

    def last_seed(self):
        return max(int(trial["name"].rpartition("seed=")[2]) for trial in self.status())

    def tables(self, out):
        subprocess.run([self.program, "export", str(self.folder), "--csv", str(out)], check=True,
                       capture_output=True)
        with open(out / "series.csv") as file:
            return sorted(map(tuple, csv.reader(file)))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("program")
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--trials", type=int, default=24)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    program = str(pathlib.Path(arguments.program).resolve())
    if os.geteuid() != 0 or not shutil.which("slurmctld") or not shutil.which("munged"):
        not_here("this needs root, slurmctld and munged: apt-get install slurm-wlm munge")
    chance = random.Random(arguments.seed)
    scratch = pathlib.Path(tempfile.mkdtemp(prefix="storm-"))
    os.chmod(scratch, 0o755)
    calm = Study(program, scratch / "calm", arguments.trials, scratch / "calm")
    calm.ask("run", str(calm.folder))
    stormy = Study(program, scratch / "stormy", arguments.trials, scratch / "stormy")
    try:
        cluster = Cluster(scratch / "slurm")
    except (OSError, subprocess.CalledProcessError, TimeoutError) as error:
        not_here(f"Slurm does not start: {error}")
    begun = time.monotonic()
    try:
        kills = storm(stormy, cluster, chance, arguments.kills)
        rest(stormy, cluster)
        seconds = time.monotonic() - begun
        compare(calm, stormy, scratch, kills, seconds)
    finally:
        for process in found(lambda words: str(stormy.folder) in " ".join(words)):
            os.kill(process, signal.SIGKILL)
        cluster.end()
    shutil.rmtree(scratch)


def storm(study, cluster, chance, wanted):
    """Kills until so many have hit; new seeds join whenever too few trials are left to be hit."""
    kills = collections.Counter()
    folder, launchers, down = str(study.folder), [], {}
    while sum(kills.values()) < wanted:
        now = time.monotonic()
        for node in [node for node, until in down.items() if now > until]:
            cluster.start(node)
            del down[node]
        # A failure ends a trial until somebody gives it another chance.
        study.ask("retry", folder)
        if len(study.left()) < 8:
            seeds = study.last_seed()
            study.ask("add", folder, f"seed={seeds + 1}..{seeds + 6}")
        jobs = cluster.jobs()
        if len(jobs) < 3:
            study.ask("run", folder, "--slurm", "--pilots", "3", "--time", "10")
        # What was requeued waits for two minutes unless it is told not to.
        for line in jobs:
            if line.endswith("PENDING"):
                cluster.said("scontrol", "update", f"jobid={line.split()[0]}", "StartTime=now")
        launchers = [one for one in launchers if one.poll() is None]
        if not launchers:
            launchers.append(study.start("run", folder, "--slots", "1"))
        time.sleep(chance.uniform(0.05, 0.5))
        trials = found(lambda words: f"{folder}/train.sh" in words)
        pilots = found(lambda words: "work" in words and folder in words)
        what = chance.choices(
            ["trial KILL", "trial TERM", "pilot KILL", "pilot TERM", "launcher KILL", "requeue", "node KILL"],
            [25, 10, 30, 15, 10, 6, 4])[0]
        word = signal.SIGKILL if what.endswith("KILL") else signal.SIGTERM
        if what == "requeue":
            running = [line.split()[0] for line in cluster.jobs() if line.endswith("RUNNING")]
            if not running:
                continue
            cluster.said("scontrol", "requeue", chance.choice(running))
        elif what == "node KILL":
            if down or not cluster.kill("n2"):
                continue
            # Longer than Slurm waits for a node, so that its jobs start elsewhere while they run.
            down["n2"] = time.monotonic() + chance.choice([2.0, 25.0])
        else:
            victims = {"trial": trials, "pilot": pilots, "launcher": [one.pid for one in launchers]}
            victims = victims[what.split()[0]]
            if not victims:
                continue
            try:
                os.kill(chance.choice(victims), word)
            except ProcessLookupError:
                continue
        kills[what] += 1
    for node in down:
        cluster.start(node)
    return kills


def rest(study, cluster):
    """Lets the study end."""
    end = time.monotonic() + 600
    while study.left():
        if time.monotonic() > end:
            sys.exit(f"the study does not end: {study.ask('status', str(study.folder)).stdout}")
        study.ask("retry", str(study.folder))
        study.ask("run", str(study.folder))


def compare(calm, stormy, scratch, kills, seconds):
    trials = stormy.status()
    attempts = sum(len(list((path / "attempts").iterdir())) for path in
                   (stormy.folder / "trials").iterdir() if (path / "attempts").is_dir())
    # The undisturbed study gets the seeds that joined.
    if stormy.last_seed() > calm.last_seed():
        calm.ask("add", str(calm.folder), f"seed={calm.last_seed() + 1}..{stormy.last_seed()}")
    calm.ask("run", str(calm.folder))
    wanted, got = calm.tables(scratch / "calm-tables"), stormy.tables(scratch / "stormy-tables")
    missing, extra = set(wanted) - set(got), set(got) - set(wanted)
    problems = []
    if len(trials) != len(calm.status()):
        problems.append(f"{len(trials)} trials, and {len(calm.status())} undisturbed")
    if any(trial["state"] != "finished" for trial in trials):
        problems.append("a trial is not finished")
    if missing or extra or len(wanted) != len(got):
        problems.append(f"{len(missing)} numbers are missing, {len(extra)} are others: "
                        f"{sorted(missing)[:3]} {sorted(extra)[:3]}")
    hit = ", ".join(f"{count} {what}" for what, count in sorted(kills.items()))
    print(f"{sum(kills.values())} kills in {seconds:.0f} s: {hit}")
    print(f"{len(trials)} trials, {attempts} attempts, {len(got)} rows of curves")
    if problems:
        sys.exit("; ".join(problems))
    print("every trial has one result, and every number is that of the undisturbed study")


if __name__ == "__main__":
    main()
