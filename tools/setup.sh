#!/bin/sh
# Make .venv with everything the project needs; do nothing when it is there already.
# usage: tools/setup.sh [PYTHON]   (the `make setup` target; PYTHON is a command or a path)
#
# Without PYTHON the one that made .venv stays, else the first on PATH that is new enough is taken.
# Two stamps in .venv say what was finished: the pinned packages, and the project itself. A run that
# was interrupted wrote no stamp, so the next one starts that part again.
set -eu

fail() {
    echo "setup: $*" >&2
    exit 1
}

# Print "3.12.1" for a command that is a Python, nothing for anything else.
version_of() {
    "$1" -c 'import sys; print("%d.%d.%d" % sys.version_info[:3])' 2>/dev/null || true
}

new_enough() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

# Set $python and $version: the Python that was asked for, else the one in use, else one on PATH.
choose_python() {
    if [ -n "$1" ]; then
        python=$1
        version=$(version_of "$python")
        [ -n "$version" ] ||
            fail "PYTHON=$python does not run; name a Python 3.11 or newer, as a command or a path"
        new_enough "$python" ||
            fail "$python is Python $version, but Groundplane needs 3.11 or newer;" \
                "choose another one: make setup PYTHON=python3.11"
        return
    fi
    for python in .venv/bin/python python3.11 python3.12 python3.13 python3.14 python3; do
        version=$(version_of "$python")
        if [ -n "$version" ] && new_enough "$python"; then return; fi
    done
    fail "found no Python 3.11 or newer (python3 is ${version:-missing}); install one," \
        "or name it: make setup PYTHON=/path/to/python3.11"
}

# Run a command with its output in the log; on failure say in one line what kind of failure it was.
logged() {
    what=$1
    shift
    if "$@" >>"$log" 2>&1; then return; fi
    if grep -q 'DO NOT MATCH THE HASHES' "$log"; then
        fail "a downloaded package is not the one pinned in requirements/dev.txt; details in $log"
    fi
    if grep -qE "$unreachable" "$log"; then
        fail "could not download $what: the package index cannot be reached; connect and run" \
            "make setup again; details in $log"
    fi
    without=$(sed -n 's/.*No matching distribution found for //p' "$log" | tail -n 1)
    if [ -n "$without" ]; then
        fail "$without has no build for Python $version on this machine: README.md says under" \
            "'Two commands' what this needs. Choose another Python: make setup PYTHON=python3.12;" \
            "details in $log"
    fi
    fail "could not install $what; details in $log"
}

install_packages() {
    "$python" -c 'import venv, ensurepip' 2>/dev/null ||
        fail "$python has no venv module; install it (Debian, Ubuntu: apt-get install" \
            "python${version%.*}-venv)"
    # The one behind a virtual environment: .venv itself is about to be replaced.
    python=$("$python" -c 'import sys; print(sys._base_executable)')
    echo "setup: installing the pinned packages with Python $version (once, about a minute)"
    rm -f "$packages_stamp"
    logged "the virtual environment .venv" "$python" -m venv --clear .venv
    logged "the pinned packages" .venv/bin/python -m pip install --require-hashes \
        --only-binary=:all: --disable-pip-version-check --retries 3 -r requirements/dev.txt
    echo "$packages" >"$packages_stamp"
}

install_project() {
    rm -f "$project_stamp"
    logged "groundplane itself" .venv/bin/python -m pip install --no-deps --no-build-isolation \
        --no-index --disable-pip-version-check --editable .
    echo "$project" >"$project_stamp"
}

cd "$(dirname "$0")/.."
log=.setup.log
packages_stamp=.venv/.packages-installed
project_stamp=.venv/.project-installed
unreachable='NewConnectionError|ConnectTimeout|ReadTimeout|NameResolution|ProxyError|Max retries'
choose_python "${1:-}"
# A virtual environment holds absolute paths, so a moved one is made anew.
packages="$version $PWD $(cksum <requirements/dev.txt)"
project="$packages $(cksum <pyproject.toml)"

if [ "$packages" != "$(cat "$packages_stamp" 2>/dev/null)" ] || [ ! -x .venv/bin/python ]; then
    : >"$log"
    install_packages
elif [ "$project" = "$(cat "$project_stamp" 2>/dev/null)" ] && [ -x .venv/bin/groundplane ]; then
    exit 0
else
    : >"$log"
fi
install_project
echo "setup: done; the command is .venv/bin/groundplane"
