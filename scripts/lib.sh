# shellcheck shell=bash
# The three scripts source this file. It turns their key=value words into options of `rollout-split`.

# launch COMMAND WORD...: runs `rollout-split COMMAND` with the options that the words give; `--help` explains the words.
launch() {
  local word key value tool repo config=() options=()
  local -A given=()
  for word in "${@:2}"; do
    case $word in -h | --help) usage "$1" && exit ;; esac
  done
  for word in "${@:2}"; do
    [[ $word =~ ^[a-z_]+= ]] || refuse "$(printf '%q' "$word") is not of the form key=value"
    key=${word%%=*} value=${word#*=}
    [[ -z ${given[$key]-} ]] || refuse "$key is given twice"
    given[$key]=yes
    case $word in
      config=*) config=(-- "$value") ;;
      dry_run=true | preflight_only=true | health_check=true | weights_check=true) options+=("--${key//_/-}") ;;
      dry_run=false | preflight_only=false) ;;
      health_check=false | weights_check=false) options+=("--no-${key//_/-}") ;;
      *) options+=("--${key//_/-}=$value") ;;
    esac
  done
  repo=$(CDPATH="" cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
  tool=$(command -v rollout-split) || tool=$repo/.venv/bin/rollout-split
  [[ -x $tool ]] || refuse "rollout-split is neither on PATH nor at $tool; install it with pip"
  exec "$tool" "$1" "${options[@]}" "${config[@]}"
}

refuse() {
  printf '%s: %s; pass --help to see how to call it\n' "${0##*/}" "$1" >&2
  exit 2
}

usage() {
  cat <<END
Usage: bash scripts/${0##*/} config=PATH gpus=LIST [key=value ...]

Runs \`rollout-split $1 PATH --gpus LIST\`. Each further key is one of its options:

  swift=PATH            passes --swift PATH
  dry_run=true          passes --dry-run
  health_check=false    passes --no-health-check (learner only)

\`rollout-split $1 --help\` explains all options and exit codes.
END
}
