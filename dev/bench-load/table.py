#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Makes Documentation/bpf/signed_image_bench_load.rst of what dev/bench-load.sh
has measured.

	table.py DIR
"""

import sys
import textwrap
from statistics import median

HEAD = """\
.. SPDX-License-Identifier: GPL-2.0

:orphan:

=============================
Speed of loading BPF programs
=============================

Made by ``make bench``; do not edit. The objects of bcc's libbpf-tools are loaded in
an emulated machine. For the first two tables its clock advances by one nanosecond
with each instruction, of kernel and user space, so that what is told is how many
instructions were executed, in thousands. That is steady from run to run, and
nearly what time would be where caches miss equally often.
"""

LOAD = """
Whole loads
===========

From ``bpf_object__open()`` to the return of ``bpf_object__load()``, or the same of
a light skeleton, by a process that has loaded nothing before; {rounds}
after one that is not counted. One kernel, not locked down. Programs that
do not load on it, signed or not, are left out, as their tools do.

unsigned
    by libbpf of the base tree, whose ratio is 1
image
    the object signed by ``bpftool sign file``, by libbpf of this series
verifier, images
    of that, what ``bpf_check()`` takes, which is nearly what it takes for the unsigned
    object; and what it takes to copy the images and verify their signatures. Less than
    both together no signed load can take
light skeleton
    made by ``bpftool gen skeleton -L -S``: a signed loader. It is there for those
    objects that bpftool makes one of and that then load

"""

RELOCATE = """
Relocation in the kernel
========================

What ``bpf_check_core_relo()`` takes for all records of an object, passed with
``BPF_PROG_LOAD`` of each of its sections. The base kernel's C engine keeps the
candidates for 31 names: *cold* is with none of them, as at first use after boot,
*warm* {rounds} more. The engine in Rust keeps nothing, so that each
of its times is the first; they are taken as those that are warm.
Documentation/bpf/signed_image_bench.rst has what libbpf takes in user space, and
aya-obj, and what the searches take alone.

"""

PARALLEL = """
Several at a time
=================

Loads of four objects (biolatency, opensnoop, runqlat, tcplife) in turn, by one, two
and four processes, each on a CPU of its own, in a second: opened, loaded, closed.
The machine has four CPUs, emulated by as many threads, and shares those of its host
with whatever else runs there; these are times, not counts. How far it can scale is
told by *alone*: processes that only count, without a system call.

"""


def read(path):
    """{object: [number, ...]}, {object: why it does not load}"""
    found, failed = {}, {}
    with open(path, encoding="utf-8") as f:
        for line in f:
            name, *rest = line.rstrip("\n").split("\t")
            if rest[0] == "-":
                failed[name] = rest[1]
            else:
                found[name] = [int(n) for n in rest]
    return found, failed


def rst(head, rows):
    widths = [max(len(r[i]) for r in [head] + rows) for i in range(len(head))]
    rule = " ".join("=" * w for w in widths)

    def line(r):
        return " ".join(c.rjust(w) if i else c.ljust(w)
                        for i, (c, w) in enumerate(zip(r, widths))).rstrip()
    return "\n".join([rule, line(head), rule, *map(line, rows), rule])


def times(n):
    return "once" if n == 1 else f"the median of {n} times"


def paragraph(text):
    print("\n" + textwrap.fill(" ".join(text.split()), 84, break_on_hyphens=False))


def listed(names):
    """Some of them, if any"""
    return f" ({', '.join(names)})" if names else ""


def thousands(n):
    return f"{n / 1000:.0f}"


def load_table(work):
    kinds = {}
    for kind in ("plain", "image", "lskel"):
        kinds[kind], failed = read(f"{work}/{kind}.tsv")
        for name, why in failed.items():
            print(f"{kind}: {name}: {why}", file=sys.stderr)
    programs = {n: v[0] for n, v in kinds["plain"].items()}
    for name, values in list(kinds["image"].items()):
        if programs.get(name) != values[0]:
            print(f"left out: {name}: of its programs {values[0]} load signed, and "
                  f"{programs.get(name, 0)} unsigned", file=sys.stderr)
            del kinds["image"][name]
            kinds["plain"].pop(name, None)
    plain, image, lskel = ({n: median(v[1:]) for n, v in kinds[k].items()} for k in kinds)

    parts, _ = read(f"{work}/parts.tsv")

    rows, ratios = [], {"image": [], "lskel": [], "faster": []}
    for name, base in sorted(plain.items()):
        row = [name, str(programs[name]), thousands(base)]
        for kind, values in (("image", image), ("lskel", lskel)):
            if name in values:
                ratio = values[name] / base
                ratios[kind].append(ratio)
                row += [thousands(values[name]), f"{ratio:.3f}"]
            else:
                row += ["-", "-"]
            if kind == "image":
                _, verifier, verifying = parts[name]
                row += [thousands(verifier), thousands(verifying)]
        if name in image and name in lskel:
            ratios["faster"].append(image[name] / lskel[name])
            row.append(f"{image[name] / lskel[name]:.2f}")
        else:
            row.append("-")
        rows.append(row)
    print(LOAD.format(rounds=times(max(len(v) - 1 for v in kinds["plain"].values()))), end="")
    print(rst(["object", "programs", "unsigned", "image", "ratio", "verifier", "images",
               "light skeleton", "ratio",
               "image/light"], rows))

    both = [n for n in plain if n in image]
    three = [n for n in both if n in lskel]

    def of(values, names):
        return sum(values[n] for n in names) / sum(plain[n] for n in names)
    print(f"""
The median of the ratios is {median(ratios["image"]):.3f} for images ({len(both)} objects) and {median(ratios["lskel"]):.3f} for
light skeletons ({len(ratios["lskel"])} objects). {len(three)} objects have all three: on these the median is
{median(image[n] / plain[n] for n in three):.3f} for images, all of them together take {of(image, three):.3f} as images and {of(lskel, three):.3f} as light
skeletons, and an image takes {median(ratios["faster"]):.2f} of what the light skeleton takes (median). All {len(both)}
objects together take {of(image, both):.3f} as images.

A signature takes {sum(parts[n][2] for n in both) / sum(parts[n][0] for n in both) / 1e6:.2f} million instructions, nearly all of them RSA with 4096 bits. The
verifier alone takes {median(parts[n][1] / plain[n] for n in both):.3f} of an unsigned load (median), verifier and signatures
together {median((parts[n][1] + parts[n][2]) / plain[n] for n in both):.3f}: that is how far the ratio of images could be brought down by anything
but another verifier or another algorithm.""")

    rest = median((image[n] - parts[n][1] - parts[n][2]) / plain[n] for n in both)
    good = [n for n in both if image[n] <= 0.2 * plain[n]]
    hopeless = [n for n in both if parts[n][1] > 0.2 * plain[n]]
    slower = [n for n in both if image[n] > plain[n]]
    beaten = [n for n in three if image[n] >= lskel[n]]
    paragraph(f"""The aim was a ratio of 0.2. {len(good)} of the {len(both)} objects keep it; of
        {len(hopeless)} the verifier alone takes more. What is neither verifier nor signature
        (reading the file, maps, BTF, relocation) takes {rest:.3f} (median). {len(slower)} take
        longer signed than unsigned{listed(slower)}: where nothing is relocated, libbpf reads
        no BTF of the kernel, and little is spared; and many programs have many
        signatures.""")
    paragraph(f"""The other aim was to be faster than light skeletons. {len(beaten)} of
        {len(three)} are not{listed(beaten)}: an image is signed for each program, so that a tool
        can leave some out and none stands in for another, and a light skeleton once.""")


def relocate_table(work):
    base, _ = read(f"{work}/relocate-base.tsv")
    rust, _ = read(f"{work}/relocate-rust.tsv")
    rows, totals = [], [0, 0, 0, 0]
    for name in sorted(base):
        if name not in rust:
            continue
        records, cold, *warm = base[name]
        values = [records, median(rust[name][1:]), cold, median(warm)]
        totals = [a + b for a, b in zip(totals, values)]
        rows.append((name, values))
    print(RELOCATE.format(rounds=times(len(warm))), end="")
    print(rst(["object", "records", "Rust", "C cold", "cold/Rust", "C warm", "warm/Rust"],
              [[name, str(r), f"{u / 1000:.1f}", f"{c / 1000:.1f}", f"{c / u:.0f}",
                f"{w / 1000:.1f}", f"{w / u:.1f}"]
               for name, (r, u, c, w) in [*rows, ("all", totals)]]))
    warm = sum(w < 3 * u for _, (_, u, _, w) in rows)
    cold = sum(c < 100 * u for _, (_, u, c, _) in rows)
    paragraph(f"""The aims were 3 for warm relocation, and 100 for cold searches. {warm} of {len(rows)}
        objects stay below 3 here, where Rust's times have all searches in them and C's warm
        ones none. {cold} stay below 100: searches are nearly all that C does when it is cold,
        and a part of what Rust does. Documentation/bpf/signed_image_bench.rst tells both
        apart.""")


def parallel_table(work):
    rates = {}
    with open(f"{work}/parallel.tsv", encoding="utf-8") as f:
        for line in f:
            kind, processes, rate = line.split("\t")
            rates.setdefault(kind, {})[int(processes)] = float(rate)
    rows = []
    for kind, words in (("image", "images"), ("plain", "unsigned"), ("alone", "alone")):
        one = rates[kind][1]
        rows.append([words] + [f"{rates[kind][p]:.1f}" for p in (1, 2, 4)] +
                    [f"{rates[kind][p] / one:.2f}" for p in (2, 4)])
    print(PARALLEL, end="")
    print(rst(["", "1", "2", "4", "2 to 1", "4 to 1"], rows))


def main():
    print(HEAD, end="")
    load_table(sys.argv[1])
    relocate_table(sys.argv[1])
    parallel_table(sys.argv[1])


main()
