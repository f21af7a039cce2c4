#!/bin/sh
# Generate the generated files again and fail when that changed, added or removed any of them.
# Works in a work tree with other changes, and without git. Run it as part of `make check`.
set -eu

cd "$(dirname "$0")/.."
before=$(mktemp)
after=$(mktemp)
trap 'rm -f "$before" "$after"' EXIT

# One line for each file that can hold generated text: checksum, size, path.
list() {
    for folder in apis compositions docs package examples README.md; do
        if [ -e "$folder" ]; then find "$folder" -type f -exec cksum {} +; fi
    done | sort
}

list >"$before"
.venv/bin/python -m groundplane generate >/dev/null
list >"$after"
stale=$(comm -3 "$before" "$after" | sed 's/^[[:space:]]*[0-9]* [0-9]* /  /' | sort -u)
if [ -n "$stale" ]; then
    {
        echo "check: these generated files were stale and are new now; review and commit them:"
        echo "$stale"
    } >&2
    exit 1
fi
echo "check: generated files are current"
