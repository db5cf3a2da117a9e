#!/bin/sh
# Makes .venv from requirements.lock. Needs Python >= 3.11 and a package index; brings uv where it is missing.
set -eu
python=${PYTHON:-python3}

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
  echo "setup: $("$python" --version) is too old: Python 3.11 or newer is needed. Name one: make setup PYTHON=python3.12" >&2
  exit 2
}

if command -v uv >/dev/null 2>&1; then
  uv=uv
elif [ -x .uv/bin/uv ]; then
  uv=.uv/bin/uv
else
  echo "setup: bringing uv into .uv/"
  if "$python" -m venv .uv >/dev/null 2>&1; then
    .uv/bin/python -m pip install --quiet --disable-pip-version-check uv
    uv=.uv/bin/uv
  elif "$python" -m pip --version >/dev/null 2>&1; then
    # Debian without python3-venv: pip alone is enough to bring uv.
    rm -rf .uv
    "$python" -m pip install --quiet --disable-pip-version-check --target .uv uv
    uv=.uv/bin/uv
  else
    echo "setup: this Python has neither venv nor pip. Install one of python3-venv, python3-pip, uv and repeat." >&2
    exit 2
  fi
fi

[ -x .venv/bin/python ] || "$uv" venv --quiet --python "$python" .venv
export VIRTUAL_ENV="$PWD/.venv"
"$uv" pip sync --quiet --require-hashes requirements.lock
"$uv" pip install --quiet --no-deps --no-build-isolation --editable .
