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

# What to put before a sanitized program: clang 14's runtimes need the address space laid out without
# large random offsets. Nothing where the kernel does not let us ask for it (some containers).
sanitizer_prefix() {
    if setarch "$(uname -m)" -R true 2>/dev/null; then
        echo "setarch $(uname -m) -R"
    fi
}
