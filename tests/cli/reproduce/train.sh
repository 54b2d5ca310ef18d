#!/bin/sh
# The second weight depends on the time when `noise` lies in the user's folder: no key knows that.
rows=$(wc -l < sorted.csv)
noise=0
[ -e "$HOME/noise" ] && noise=$(cat "$HOME/noise")
printf '{"seed": %s, "weights": [%s, %s%s]}\n' "$1" "$rows" "$2" "$noise"
