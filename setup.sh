#!/bin/sh
# Makes .venv from requirements.lock. Needs Python and a package index; brings uv where it is missing, the one of
# requirements-uv.lock.
# PYTHON names an interpreter: a command, a path, or a version such as 3.13, which uv finds or downloads. A .venv of
# another one is made again; without PYTHON a .venv that is there is kept.
set -eu
python=${PYTHON:-python3}

if command -v uv >/dev/null 2>&1; then
  uv=uv
elif [ -x .uv/bin/uv ]; then
  uv=.uv/bin/uv
else
  echo "setup: bringing uv into .uv/"
  # By version and hash, and never built here: what a build would bring has no hashes.
  bring="install --quiet --disable-pip-version-check --require-hashes --only-binary :all: --requirement requirements-uv.lock"
  bringer=$python
  command -v "$bringer" >/dev/null 2>&1 || bringer=python3
  if "$bringer" -m venv .uv >/dev/null 2>&1; then
    .uv/bin/python -m pip $bring
    uv=.uv/bin/uv
  elif "$bringer" -m pip --version >/dev/null 2>&1; then
    # Debian without python3-venv: pip alone is enough to bring uv.
    rm -rf .uv
    "$bringer" -m pip $bring --target .uv
    uv=.uv/bin/uv
  else
    echo "setup: this Python has neither venv nor pip. Install one of python3-venv, python3-pip, uv and repeat." >&2
    exit 2
  fi
fi

if [ -n "${PYTHON:-}" ] || ! [ -x .venv/bin/python ]; then
  if found=$("$uv" python find --system "$python" 2>/dev/null); then
    python=$found
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
      echo "setup: $("$python" --version) is too old: Python 3.11 or newer is needed. Name one: make setup PYTHON=3.12" >&2
      exit 2
    }
  fi
  version='import sys; print(sys.version)'
  if ! [ -x .venv/bin/python ] || [ "$(.venv/bin/python -c "$version")" != "$("$python" -c "$version" 2>/dev/null)" ]; then
    "$uv" venv --quiet --clear --python "$python" .venv
  fi
fi
export VIRTUAL_ENV="$PWD/.venv"
# Compiled once here: where PYTHONDONTWRITEBYTECODE is set, or .venv is not writable later, each start would compile again.
UV_COMPILE_BYTECODE_TIMEOUT=0 "$uv" pip sync --quiet --require-hashes --compile-bytecode requirements.lock
"$uv" pip install --quiet --no-deps --no-build-isolation --editable .
