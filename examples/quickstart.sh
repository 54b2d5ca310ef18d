#!/usr/bin/env bash
# From a fresh clone to a measured model: installs what is missing, builds flow into build/, runs examples/fashion.
set -euo pipefail
cd "$(dirname "$0")/.."
say() { printf '\n== %s\n' "$*"; }

say "packages (Debian; nothing is done when all are there)"
.ci/install build fashion

say "build, into build/"
cmake -S . -B build -DFLOW_TESTS=OFF >/dev/null
cmake --build build -j "$(nproc)" | tail -n 1

export PATH="$PWD/build:$PATH"
cd examples/fashion
say "flow run dag.yaml        (in examples/fashion)"
flow run dag.yaml
say "flow run dag.yaml        (once more: nothing has changed)"
flow run dag.yaml

say "what next"
cat <<'END'
  export PATH="$PWD/build:$PATH"; cd examples/fashion
  cat reports/report.md                              the results
  flow plan -p train.lr=0.05                         what another learning rate would run, and why
  flow run -p train.lr=0.05                          run it
  flow diff                                          what that changed
  flow artifact trace models/softmax.safetensors     where the model comes from, down to the raw files
  flow help                                          the rest; docs/tutorial/first-pipeline.md begins at the beginning
END
