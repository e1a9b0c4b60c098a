# shellcheck shell=bash
# What the launchers share: their options, and the plan that validate-config makes of them. Sourced by them, never run.

repo=$(CDPATH="" cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
declare -A option=() fact=()
environment=() argv=()

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }
die() {
  say "$@"
  exit 2
}

# shellcheck source-path=SCRIPTDIR source=group.sh
source "$repo/scripts/group.sh"

# read_options "KEY ..." WORD...: reads the words KEY=VALUE into `option`.
read_options() {
  local keys=$1 word key
  for word in "${@:2}"; do
    case $word in -h | --help) usage && exit ;; esac
    [[ $word =~ ^[a-z_]+= ]] || die "'$word' is not of the form key=value; the keys are: $keys"
    key=${word%%=*}
    [[ " $keys " == *" $key "* ]] || die "unknown key '$key'; the keys are: $keys"
    [[ ! ${option[$key]+given} ]] || die "'$key' is given twice"
    option[$key]=${word#*=}
  done
  for key in config gpus; do [[ ${option[$key]:-} ]] || die "$key=... is required; --help shows all keys"; done
  [[ $grace =~ ^[0-9]+$ ]] || die "ROLLOUT_SPLIT_GRACE is '$grace'; it must be a whole number of seconds"
  tool=$(command -v validate-config) || tool=$repo/.venv/bin/validate-config
  [[ -x $tool ]] || die "validate-config is neither on PATH nor at $tool; install this project with pip"
}

# is_true KEY DEFAULT: whether an option is true; it must be true or false.
is_true() {
  case ${option[$1]-$2} in
    true) return 0 ;;
    false) return 1 ;;
    *) die "$1 is '${option[$1]}'; it must be true or false" ;;
  esac
}

# load_plan WORD...: reads a plan of validate-config; if that refuses, the launcher ends with its exit code.
load_plan() {
  local file words word
  local -i position=1
  file=$(mktemp)
  leftovers+=("$file")
  run "$tool" "$@" >"$file"
  mapfile -d '' -t words <"$file"
  rm -f -- "$file"
  for word in "${words[@]}"; do
    case $word in
      "fact "*) word=${word#fact } && fact[${word%%=*}]=${word#*=} ;;
      "unset "*) environment+=(-u "${word#unset }") ;;
      "set "*) environment+=("${word#set }") ;;
      --) break ;;
    esac
    position+=1
  done
  argv=("${words[@]:position}")
}

# show_facts: prints whom the two sides talk to and about, for the person at the terminal.
show_facts() {
  local name
  for name in host port tensor_parallel_size data_parallel_size vllm_max_model_len model gpus; do
    printf '%-20s %s\n' "$name" "${fact[$name]}" >&2
  done
}

# require_command: ends the launcher if the plan's program is not installed.
require_command() {
  command -v "${argv[0]}" >/dev/null || die "${argv[0]} is not on PATH; install ms-swift and vLLM"
}
