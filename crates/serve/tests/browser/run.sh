#!/usr/bin/env bash
# The page of `wd serve` in a real browser, while a study trains. After `cargo build`:
#
#     crates/serve/tests/browser/run.sh [WD] [PICTURES]
#
# WD is the program (default target/debug/wd), PICTURES the folder for screenshots (default
# target/browser/pictures). It needs node, npm and a Chromium; as root on Debian it installs what is
# missing. CHROMIUM names another browser.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../../.." && pwd)
target=${CARGO_TARGET_DIR:-$root/target}
wd=$(realpath "${1:-$target/debug/wd}")
pictures=${2:-$target/browser/pictures}

if [ -z "${CHROMIUM:-}" ]; then
    CHROMIUM=$(command -v chromium-headless-shell || command -v chromium || true)
fi
if [ -z "$CHROMIUM" ] || ! command -v npm >/dev/null; then
    apt-get update -qq
    apt-get install -y -qq --no-install-recommends chromium-headless-shell nodejs npm fonts-noto-core
    CHROMIUM=${CHROMIUM:-$(command -v chromium-headless-shell)}
fi
export CHROMIUM

# What npm brings lies with what is built.
mkdir -p "$target/browser" "$pictures"
cp "$here/package.json" "$here/package-lock.json" "$here"/*.mjs "$target/browser/"
if ! cmp -s "$here/package-lock.json" "$target/browser/node_modules/.installed"; then
    (cd "$target/browser" && npm ci --silent --no-audit --no-fund)
    cp "$here/package-lock.json" "$target/browser/node_modules/.installed"
fi
WD="$wd" PICTURES="$pictures" ROOT="$root" node "$target/browser/test.mjs"
