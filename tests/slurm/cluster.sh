# shellcheck shell=bash
# A Slurm of its own on this machine, for tests that source this: munged, slurmctld and one slurmd
# below a temporary folder, on ports of their own. A Slurm that is installed here is neither asked
# nor changed. Every process of the cluster has the path of its slurm.conf in its environment, by
# which stop_cluster finds what is left, jobs included.

# Says why there can be no cluster and ends with 77, which CTest takes as skipped.
require_slurm() {
  local missing=() name
  for name in munged slurmctld slurmd sbatch scontrol setpriv; do
    command -v "$name" >/dev/null || missing+=("$name")
  done
  if [ "${#missing[@]}" -gt 0 ]; then
    echo "skipped: ${missing[*]} not found (packages slurmctld slurmd slurm-client munge)"
    exit 77
  fi
  if [ "$(id -u)" -ne 0 ]; then
    echo 'skipped: only root can start slurmd'
    exit 77
  fi
}

# Prints a port that nobody listens on, with a free one after it.
free_port() {
  local port
  while :; do
    port=$((20000 + RANDOM % 10000))
    (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && continue
    (exec 3<>"/dev/tcp/127.0.0.1/$((port + 1))") 2>/dev/null && continue
    echo "$port"
    return
  done
}

write_configuration() {
  local port
  port=$(free_port)
  cat >"$SLURM_CONF" <<END
ClusterName=helixcheck_test
SlurmctldHost=localhost(127.0.0.1)
SlurmUser=root
SlurmdUser=root
SlurmctldPort=$port
SlurmdPort=$((port + 1))
AuthType=auth/munge
AuthInfo=socket=$cluster/munge.socket
CredType=cred/munge
StateSaveLocation=$cluster/state
SlurmdSpoolDir=$cluster/spool
SlurmctldPidFile=$cluster/slurmctld.pid
SlurmdPidFile=$cluster/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
MpiDefault=none
PriorityType=priority/basic
ReturnToService=2
SlurmdParameters=config_overrides
NodeName=localhost NodeAddr=127.0.0.1 CPUs=8 State=UNKNOWN
PartitionName=main Nodes=localhost Default=YES MaxTime=INFINITE State=UP
END
}

# watch_over_cluster PROCESS: takes it down if that process was killed before it could.
watch_over_cluster() {
  trap - EXIT
  export -n SLURM_CONF
  while kill -0 "$1"; do sleep 1; done
  [ -d "$cluster" ] || return
  export SLURM_CONF
  stop_cluster
  rm -rf -- "$(dirname -- "$cluster")"
} </dev/null >/dev/null 2>&1

# start_daemon NAME COMMAND...: it ends with this script, even if that is killed.
start_daemon() {
  local name=$1
  shift
  setpriv --pdeathsig TERM "$@" >"$cluster/$name.log" 2>&1 </dev/null &
  disown
}

# answers_within SECONDS COMMAND...
answers_within() {
  local end=$((SECONDS + $1))
  shift
  until "$@" 2>/dev/null; do
    if [ "$SECONDS" -ge "$end" ]; then
      echo "the cluster does not come up: no success of $*"
      tail -n 10 "$cluster"/*.log
      return 1
    fi
    sleep 0.2
  done
}

node_is_idle() { timeout 5 sinfo -h -o %T | grep -qx idle; }

job_has_run() { [ -f "$cluster/has_run" ] || invalid_account; }
invalid_account() { squeue -h -o %r | grep -qx InvalidAccount; }

# start_cluster PLACE/cluster: an empty folder, which all may enter, as munged demands. Fails with
# what the daemons said. Skips where they cannot run jobs without a database (Slurm 23.11.4). PLACE
# belongs to the test that calls this and goes with it, at the latest when that is killed.
start_cluster() {
  cluster=$1
  export SLURM_CONF=$cluster/slurm.conf
  mkdir "$cluster/state" "$cluster/spool"
  (watch_over_cluster $$ &)
  write_configuration
  (umask 077 && head -c 1024 /dev/urandom >"$cluster/munge.key")
  start_daemon munged munged --foreground --key-file="$cluster/munge.key" \
    --socket="$cluster/munge.socket" --pid-file="$cluster/munged.pid" \
    --seed-file="$cluster/munge.seed" --origin=127.0.0.1 --log-file="$cluster/munge.log"
  answers_within 10 test -S "$cluster/munge.socket"
  start_daemon slurmctld slurmctld -D -f "$SLURM_CONF"
  start_daemon slurmd slurmd -D -f "$SLURM_CONF" -N localhost
  answers_within 30 node_is_idle
  sbatch --quiet --output=/dev/null --wrap "touch $cluster/has_run"
  answers_within 30 job_has_run
  if invalid_account; then
    echo "skipped: $(slurmctld -V) runs no job without slurmdbd"
    exit 77
  fi
}

# Prints the processes of the cluster, one a line.
cluster_processes() (
  export -n SLURM_CONF
  { grep -lsF "SLURM_CONF=$SLURM_CONF" /proc/[0-9]*/environ || true; } | cut -d / -f 3
)

# Ends jobs and daemons, the stubborn ones after some seconds by SIGKILL.
stop_cluster() {
  local process signal patience left
  timeout 5 scancel --quiet --user=root 2>/dev/null || true
  for signal in TERM KILL; do
    for process in $(cluster_processes); do kill -"$signal" "$process" 2>/dev/null || true; done
    for ((patience = 20; patience > 0; --patience)); do
      left=$(cluster_processes)
      [ -n "$left" ] || return 0
      sleep 0.1
    done
  done
  echo "processes of the cluster are left: $left"
  return 1
}
