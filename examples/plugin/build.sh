#!/bin/sh
# Build count.so. The folder that holds flow/plugin.h may be given; by default it is that of the
# source tree this example lies in. Needs nothing but a C compiler: a plugin links nothing of flow.
set -eu
here=$(dirname -- "$0")
include=${1:-$here/../../engine/include}
${CC:-cc} -std=c11 -O2 -Wall -Wextra -shared -fPIC -fvisibility=hidden -I"$include" \
	"$here/count.c" -o "$here/count.so"
