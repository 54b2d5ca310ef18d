#!/bin/sh
# Everything there is in the work tree: names, modes, link targets and contents.
find . -path ./.git -prune -o -path ./.flow -prune -o -name all.txt -prune -o -print | LC_ALL=C sort | while read -r f; do
	if [ -h "$f" ]; then
		echo "link $f $(readlink "$f")"
	elif [ -f "$f" ]; then
		[ -x "$f" ] && x=x || x=-
		echo "file $f $x $(sha256sum < "$f")"
	fi
done
