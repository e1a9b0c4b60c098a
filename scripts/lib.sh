# shellcheck shell=bash
# What the launchers share: their help, and the program that does what they promise. Sourced by them, never run.

# launch SIDE WORD...: becomes `validate-config --launch SIDE`, which reads the words; prints the help if it is asked for.
launch() {
  local word tool repo
  for word in "${@:2}"; do
    case $word in -h | --help) usage && exit ;; esac
  done
  repo=$(CDPATH="" cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
  tool=$(command -v validate-config) || tool=$repo/.venv/bin/validate-config
  if [[ ! -x $tool ]]; then
    printf '%s: validate-config is neither on PATH nor at %s; install this project with pip\n' "${0##*/}" "$tool" >&2
    exit 2
  fi
  exec "$tool" --launch "$1" -- "${@:2}"
}
