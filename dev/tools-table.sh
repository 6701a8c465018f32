#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Prints what became of each of bcc's libbpf-tools, as a table for
# Documentation/bpf/signed_image_tools.rst, from what the guest tests run-tools
# and run-tools-fentry have left: TESTS='run-tools run-tools-fentry' make test

. "$(dirname "$0")/lib.sh"
results=$TOOLS/bpf_signed/results
for f in objects run-tools run-tools-fentry; do
	[ -s "$results/$f.tsv" ] || die "there is no $results/$f.tsv: run the guest tests"
done

python3 - "$results" <<'END'
import sys

def rows(name):
    with open(f"{sys.argv[1]}/{name}.tsv", encoding="utf-8") as f:
        return [line.rstrip("\n").split("\t") for line in f]

locked = {r[0]: r for r in rows("run-tools")}
fentry = {r[0]: r for r in rows("run-tools-fentry")}
head = ["Tool", "Programs", "Load", "Output checked", "Note"]
table = []
for tool, programs, loaded in rows("objects"):
    test = locked.get(tool)
    checked = note = ""
    if test:
        checked, note = test[2], test[3]
        if test[1] != "ok":
            checked, note = "FAILED", test[2]
        elif checked.startswith("loads only"):
            checked = "no"
    if tool == "opensnoop":
        note = "and with -p PID"
    if tool in fentry and fentry[tool][1] == "ok":
        if checked == "no":
            note += "; there: " + fentry[tool][2]
        else:
            note = "; ".join(filter(None, [note, "by fentry, too"]))
    table.append([tool, programs, loaded, checked, note])
widths = [max(len(r[i]) for r in table + [head]) for i in range(len(head))]
rule = " ".join("=" * w for w in widths)

def line(r):
    return " ".join(c.ljust(w) for c, w in zip(r, widths)).rstrip()

print(rule, line(head), rule, *map(line, table), rule, sep="\n")
END
