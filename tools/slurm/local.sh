# shellcheck shell=bash disable=SC2154
# For tools/slurm/submit --local, which sources it: the jobs of a campaign on this machine, some at
# a time. Ctrl-C ends the shards in order, and what they have is merged.

# Shards by their process.
declare -A running=()
interrupted=no

# Shards are in sessions of their own: Ctrl-C must reach helixcheck once, by way of its shard.
start_shard() {
  env -u SLURM_JOB_ID SLURM_ARRAY_TASK_ID="$1" setsid "${shard_command[@]}" \
    >>"$folder/shard_$1.log" 2>&1 </dev/null &
  running[$!]=$1
}

# Waits until a shard has ended.
reap_shard() {
  wait -n || true
  local process
  for process in "${!running[@]}"; do
    kill -0 "$process" 2>/dev/null && continue
    say "shard ${running[$process]}: $(cat "$folder/shard_${running[$process]}.state" 2>/dev/null ||
      echo "ended without a word, see shard_${running[$process]}.log")"
    unset "running[$process]"
  done
}

interrupt_shards() {
  interrupted=yes
  [ "${#running[@]}" -eq 0 ] || kill -USR1 "${!running[@]}" 2>/dev/null
}

# Uses what submit has parsed; ends with the exit status of the campaign.
run_locally() {
  local task status=0
  shard_command=("$here/shard" "$helixcheck" "$folder" "$seed" "$cpus" "$seconds" end
    ${fuzz_options[@]+"${fuzz_options[@]}"})
  if [ "$dry_run" = yes ]; then
    quoted "${shard_command[@]}"
    quoted "$here/merge" "$helixcheck" "$folder" "$tasks"
    return
  fi
  printf '%s\n' "$plan" >"$folder/plan"
  trap interrupt_shards INT TERM HUP
  say "$shards in $folder, $local_shards at a time"
  for ((task = 0; task < tasks; ++task)); do
    while [ "${#running[@]}" -ge "$local_shards" ] && [ "$interrupted" = no ]; do reap_shard; done
    [ "$interrupted" = no ] || break
    start_shard "$task"
  done
  while [ "${#running[@]}" -gt 0 ]; do reap_shard; done
  "$here/merge" "$helixcheck" "$folder" "$tasks" >>"$folder/merge.log" 2>&1 || status=$?
  say "merged: $folder/merged.db, $folder/report.html; how it went: $folder/merge.log"
  # What was not begun is not missing on this machine.
  if [ "$interrupted" = yes ]; then case $status in 0 | 3) status=130 ;; esac; fi
  exit "$status"
}
