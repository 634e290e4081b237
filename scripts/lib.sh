# Shared by the commands of this folder: POSIX sh, sourced from the root of the checkout.

say() {
    printf '\n=== %s\n' "$*"
}

die() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

# The Python that everything here is made from: $PYTHON, or the first of the usual names that is new enough.
choose_python() {
    for candidate in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11}; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$candidate"
            return
        fi
    done
    die "no Python >= 3.11 found; set PYTHON to one"
}

# Where scripts/pythons puts the Pythons it gets.
pythons_folder() {
    echo "${DEUTERIUM_PYTHONS:-${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/deuterium/pythons}"
}

# The newest CPython there is, unless $PYTHON names one.
newest_python() {
    for minor in 14 13 12 11; do
        for candidate in ${PYTHON:-"python3.$minor" "$(pythons_folder)/3.$minor/usr/bin/python3.$minor"}; do
            if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
                command -v "$candidate"
                return
            fi
        done
    done
    choose_python
}

# True when $1 (a Python) can build extension modules: a C compiler and Python's headers.
can_compile() {
    "$1" - <<'PYTHON'
import os, shutil, sys, sysconfig

compilers = [os.environ.get("CC", "").split(" ")[0], "cc", "gcc", "clang"]
header = os.path.join(sysconfig.get_path("include"), "Python.h")
sys.exit(not (any(name and shutil.which(name) for name in compilers) and os.path.exists(header)))
PYTHON
}

# make_venv PYTHON FOLDER: a virtual environment, kept if it is there and works.
make_venv() {
    if ! "$2/bin/python" -m pip --version >/dev/null 2>&1; then
        rm -rf "$2"
        "$1" -m venv "$2" || die "$1 -m venv failed (Debian: apt-get install python3-venv)"
    fi
}

pip_install() {
    venv=$1
    shift
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check "$@"
}

# install_requirements VENV WHAT...: what pyproject.toml names, unless it was installed before.
install_requirements() {
    venv=$1
    shift
    "$venv/bin/python" scripts/lib_build.py requirements "$@" >"$venv/requirements.new"
    if ! cmp -s "$venv/requirements.new" "$venv/requirements.txt"; then
        pip_install "$venv" -r "$venv/requirements.new"
        mv "$venv/requirements.new" "$venv/requirements.txt"
    fi
}

# install_package VENV: a real installation from a copy of the sources, so that no file of another build gets in.
# What was built before is kept while sources and build variables are the same.
install_package() {
    digest=$("$1/bin/python" scripts/lib_build.py stage "$1/stage")
    if [ "$digest" != "$(cat "$1/installed" 2>/dev/null || true)" ]; then
        rm -f "$1/installed"
        printf '[build_ext]\nparallel = 2\n' >"$1/build.cfg"
        DIST_EXTRA_CONFIG="$1/build.cfg" pip_install "$1" \
            --no-build-isolation --no-deps --force-reinstall "$1/stage"
        printf '%s\n' "$digest" >"$1/installed"
    fi
}
