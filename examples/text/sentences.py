"""Sentences of six licences, each with the licence it is from, as CSV. The texts are on every Debian system (package base-files)."""
import csv
import re
import sys

FROM = "/usr/share/common-licenses"
LICENCES = ["Apache-2.0", "Artistic", "CC0-1.0", "GFDL-1.3", "GPL-3", "MPL-2.0"]

out = csv.writer(sys.stdout, lineterminator="\n")
out.writerow(["licence", "text"])
seen = set()
for licence in LICENCES:
    try:
        with open(f"{FROM}/{licence}", encoding="utf-8") as file:
            text = file.read()
    except OSError as why:
        sys.exit(f"{why}: the example needs the texts of Debian's package base-files")
    for sentence in re.split(r"(?<=[.;:])\s+(?=[A-Z\"(a-z])|\n\s*\n", text):
        sentence = " ".join(sentence.split())
        if len(sentence) >= 30 and sentence not in seen:
            seen.add(sentence)
            out.writerow([licence, sentence])
