#!/bin/sh
# Makes .venv with the connector (editable), PyAirbyte and the tools. Called by make with the Python to use.
set -eu
python=${1:-}
log=.venv/setup.log

fail() {
    echo "$1" >&2
    exit 1
}

if [ -z "$python" ]; then
    fail "No Python 3.10, 3.11 or 3.12 found: install one of them, or name one: make demo PYTHON=/path/to/python3.12"
fi
"$python" -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 12))' 2>/dev/null ||
    fail "$python is not a Python 3.10, 3.11 or 3.12: name one that is: make demo PYTHON=/path/to/python3.12"
"$python" -c 'import ensurepip' 2>/dev/null ||
    fail "$python can't make environments, because its module ensurepip is missing: on Debian or Ubuntu install the package python3-venv."

# An environment of another Python, or one whose directory was moved, is made anew.
want=$("$python" -c 'import sys; print(*sys.version_info[:2])')
have=$(.venv/bin/python -c 'import sys; print(*sys.version_info[:2])' 2>/dev/null || true)
if [ "$want" != "$have" ]; then
    rm -rf .venv
    "$python" -m venv .venv
fi

echo 'Setting up the Python environment (one to three minutes the first time)'
.venv/bin/python -m pip install --disable-pip-version-check --no-input -e '.[dev,dagster,demo]' >"$log" 2>&1 &
pip=$!
trap 'kill "$pip" 2>/dev/null; exit 130' INT TERM
dots=0
while kill -0 "$pip" 2>/dev/null; do
    [ $((dots += 1)) -gt 70 ] || printf '.'  # the line stays within 80 columns
    sleep 2
done
if ! wait "$pip"; then
    printf ' failed\n'
    grep -iE '^ *error' "$log" >&2 || tail -n 5 "$log" >&2
    fail "The Python packages could not be installed; the whole log is in $log"
fi
printf ' done\n'
touch .venv/.ready
