#!/bin/sh
# convert.sh shuttle|made OUT: the rows as CSV.
set -eu
case $1 in
shuttle)
	command -v Rscript >/dev/null || { echo "needs R and the data: apt install r-base-core r-cran-mlbench" >&2; exit 5; }
	Rscript -e 'library(mlbench); data(Shuttle); write.csv(Shuttle, commandArgs(TRUE)[1], row.names = FALSE)' "$2"
	;;
made) python3 made.py > "$2" ;;
*) echo "data.from is shuttle or made, not $1" >&2; exit 2 ;;
esac
