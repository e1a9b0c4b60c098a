# shellcheck shell=bash
# What a launcher starts, and how it ends: nothing that was started here outlives the launcher, and nothing else is ever
# signalled. Sourced by lib.sh, never run.

# Carried by all that is started here: torchrun gives each worker a process group of its own.
mark=ROLLOUT_SPLIT_LAUNCH=$(</proc/sys/kernel/random/uuid)
grace=${ROLLOUT_SPLIT_GRACE:-40}
alive=() leftovers=()

# A script that another one starts with & inherits an ignored SIGINT, and a trap cannot catch what was ignored.
if [[ $(trap -p INT) == "trap -- '' "* ]] && env --default-signal=INT true 2>/dev/null; then
  exec env --default-signal=INT bash "$0" "$@"
fi

# run WORD...: runs a command in a process group of its own, and returns its exit code.
run() {
  env "$mark" setsid "$@" &
  wait "$!"
}

# survivors GROUP: sets `alive` to the processes started here that live. Zombies do not count: where process 1 of a
# container reaps nobody, they stay.
survivors() {
  mapfile -t alive < <({
    grep -lsE "^[0-9]+ \(.*\) [^XZ] [0-9]+ $1 " /proc/[0-9]*/stat
    grep -lsxzF -- "$mark" /proc/[0-9]*/environ
  } | cut -d / -f 3 | sort -u)
  ((${#alive[@]}))
}

# gone GROUP SECONDS: waits until none of them lives; fails if one still does.
gone() {
  local deadline=$((SECONDS + $2))
  while survivors "$1"; do
    ((SECONDS <= deadline)) || return 1
    sleep 0.1
  done
}

# end: the one way out. TERM goes to the whole group: `swift rollout` ended alone leaves engines that hold their GPUs.
end() {
  local group=${!:-}
  set +e
  trap '' HUP INT PIPE QUIT TERM
  # A child that was started just now does not lead its group yet.
  while [[ $group ]] && kill -0 "$group" && ! kill -0 -- "-$group"; do sleep 0.05; done 2>/dev/null
  if [[ $group ]] && survivors "$group"; then
    say "ending what it started, within $grace s: ${alive[*]}"
    kill -TERM -- "-$group" 2>/dev/null || kill -TERM "${alive[@]}" 2>/dev/null
    if ! gone "$group" "$grace"; then
      say "killing what has not ended: ${alive[*]}"
      kill -KILL -- "-$group" "${alive[@]}" 2>/dev/null
      gone "$group" 5 || say "cannot be killed: ${alive[*]}"
    fi
  fi
  rm -f -- "${leftovers[@]}"
}
trap end EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 131' QUIT
trap 'exit 143' TERM
