#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Makes tables of what dev/verifier-cost.sh has measured.

	table.py DIR LIMIT

Prints one row for each object, writes one for each program into
DIR/programs.txt, and fails if the policy costs more than LIMIT percent in all,
or if there are fewer than thirty objects, or if a program loads without the
policy and not with it.
"""

import glob
import os
import sys

LEAST_OBJECTS = 30
# What is compared: a kernel, its configuration, and the kind of objects
COLUMNS = [("without", "unsigned"), ("with", "unsigned"),
           ("without", "signed"), ("with", "signed"), ("integrity", "signed")]


def read(path):
    """{(kind, object, program): (least, most), or (None, why it does not load)}"""
    found = {}
    with open(path, encoding="utf-8") as f:
        for line in f:
            obj, prog, least, most = line.rstrip("\n").split("\t")
            kind, name = obj.split("/")
            key = (kind, name.removesuffix(".bpf.o"), prog)
            found[key] = (None, most) if least == "-" else (int(least), int(most))
    return found


def more(new, old):
    return 100.0 * (new - old) / old


def rst(head, rows, left=1):
    widths = [max(len(r[i]) for r in [head] + rows) for i in range(len(head))]
    rule = " ".join("=" * w for w in widths)

    def line(r):
        return " ".join(c.ljust(w) if i < left else c.rjust(w)
                        for i, (c, w) in enumerate(zip(r, widths))).rstrip()
    return "\n".join([rule, line(head), rule, *map(line, rows), rule])


def cells(values):
    u0, u1, s0, s1, s2 = values
    return [f"{u0 / 1000:.1f}", f"{more(u1, u0):+.2f}",
            f"{s0 / 1000:.1f}", f"{more(s1, s0):+.2f}", f"{more(s2, s0):+.2f}"]


def main():
    work, limit = sys.argv[1], float(sys.argv[2])
    runs = {}
    for boot in ("without", "with", "integrity"):
        runs[boot] = [read(p) for p in sorted(glob.glob(f"{work}/{boot}.*.tsv"))]
    bad = []

    def values(boot, kind, obj, prog):
        return [r.get((kind, obj, prog), (None, "missing")) for r in runs[boot]]

    programs, unloaded, jitter = {}, {}, []
    for obj, prog in sorted({k[1:] for r in runs["without"] for k in r}):
        least = []
        for boot, kind in COLUMNS:
            got = values(boot, kind, obj, prog)
            if any(v[0] is None for v in got):
                why = next(v[1] for v in got if v[0] is None)
                unloaded.setdefault((obj, prog), {})[boot, kind] = why
                least.append(None)
                continue
            least.append(min(v[0] for v in got))
            jitter.append(more(max(v[0] for v in got), least[-1]))
        if None not in least:
            programs[obj, prog] = least

    for (obj, prog), why in unloaded.items():
        for boot, kind in COLUMNS:
            if (boot, kind) in why and ("without", kind) not in why:
                bad.append(f"{obj} {prog}, {kind}, loads without the policy, "
                           f"and not with it ({boot}): {why[boot, kind]}")

    total = [sum(v[i] for v in programs.values()) for i in range(len(COLUMNS))]
    objects = {}
    for (obj, _), v in programs.items():
        objects.setdefault(obj, []).append(v)

    head = ["program", "none", "no lockdown", "none, signed", "no lockdown", "integrity"]
    rows = [[f"{obj}/{prog}", *cells(v)] for (obj, prog), v in programs.items()]
    with open(f"{work}/programs.txt", "w", encoding="utf-8") as f:
        print(rst(head, rows + [["all", *cells(total)]]), file=f)
        for (obj, prog), why in unloaded.items():
            print(f"left out: {obj} {prog}:",
                  "; ".join(f"{b} {k}: {w}" for (b, k), w in why.items()), file=f)

    head[0:1] = ["object", "programs"]
    rows = []
    for obj, v in objects.items():
        sums = [sum(p[i] for p in v) for i in range(len(COLUMNS))]
        rows.append([obj, str(len(v)), *cells(sums)])
    rows.append(["**all**", str(len(programs)), *cells(total)])
    print(rst(head, rows))

    def extremes(i, base):
        each = sorted((more(v[i], v[base]), *k) for k, v in programs.items())
        return (f"{each[0][0]:+.2f} % to {each[-1][0]:+.2f} %, "
                f"the median {each[len(each) // 2][0]:+.2f} %")

    def spread(boot, kind):
        sums = [sum(r[kind, *k][0] for k in programs) for r in runs[boot]]
        return more(max(sums), min(sums))

    jitter.sort()
    print(f"""
Single programs differ

- unsigned, without lockdown, by {extremes(1, 0)};
- signed, without lockdown, by {extremes(3, 2)};
- signed, in integrity mode, by {extremes(4, 2)}.

Each kernel was booted {len(runs["with"])} times. From boot to boot, half of the figures for
a program vary by at most {jitter[len(jitter) // 2]:.3f} %, nine tenths by {jitter[len(jitter) * 9 // 10]:.3f} %, and any by
{jitter[-1]:.3f} %; those for all programs together by {max(spread(*c) for c in COLUMNS):.3f} %.

{len(programs)} programs of {len(objects)} objects are counted. {len(unloaded)} more do not load on the kernel as
it is configured here, with or without the policy, or not without their tool.""")

    if len(objects) < LEAST_OBJECTS:
        bad.append(f"only {len(objects)} objects load")
    for i, base in ((1, 0), (3, 2), (4, 2)):
        if more(total[i], total[base]) > limit:
            bad.append(f"{' '.join(COLUMNS[i])}: {more(total[i], total[base]):+.2f} %, "
                       f"and the limit is {limit} %")
    for b in bad:
        print(f"{os.path.basename(sys.argv[0])}: {b}", file=sys.stderr)
    return 1 if bad else 0


sys.exit(main())
