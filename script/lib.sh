# Shared by every script: strict shell, the repository's root, one way to say what runs.
# Sourced, never run.
set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
BUILD=${POSTERN_BUILD:-$ROOT/build}
cd "$ROOT"

say() { printf '\033[2m== %s\033[0m\n' "$*" >&2; }

# run COMMAND…: prints the command, then runs it.
run() {
    say "$*"
    "$@"
}

# The node that runs the tests: the system's when it is new enough, else the one bootstrap put
# into the build folder.
node_path() {
    local own
    for own in "$BUILD"/toolchain/node_modules/node-linux-*/bin; do
        [ -x "$own/node" ] && printf '%s:' "$own"
    done
    printf '%s' "$PATH"
}
