#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
#
# Makes the tables of Documentation/bpf/lockdown_systemd.rst from what the
# guests of dev/systemd-guest.sh have left, and compares it with what is
# expected here. The status is zero if all is so.
#
#	table.py RESULTS FILE MODE...	FILE is brought up to date, "-" is none

import json
import re
import sys

# By mode: no lockdown, audit, restricted, signed, confidentiality
MODES = ["none", "audit", "restricted", "signed", "confidentiality"]
HEADS = ["no lockdown", "audit", "restricted", "signed", "confidentiality"]
ALWAYS = ["works"] * 5
# unsigned programs of these types are only refused if all are
CGROUP = ["works", "works", "works", "no effect", "works"]
# these can watch the kernel, or read what is left on its stack
WATCHES = ["works", "works"] + ["no effect"] * 3
NEVER = ["refused"] * 5

# name, setting, what systemd does it by, what is expected
ROWS = [
    ("ip-address", "``IPAddressDeny=``, ``IPAddressAllow=``", "cgroup_skb", CGROUP),
    ("journald", "``IPAddressDeny=any`` of systemd-journald", "cgroup_skb", CGROUP),
    ("ip-accounting", "``IPAccounting=``", "cgroup_skb", CGROUP),
    ("device-strict", "``DevicePolicy=strict``, ``DeviceAllow=``", "cgroup_device", CGROUP),
    ("device-closed", "``DevicePolicy=closed``", "cgroup_device", CGROUP),
    ("logind", "``DeviceAllow=`` of systemd-logind", "cgroup_device", CGROUP),
    ("socket-bind", "``SocketBindDeny=``, ``SocketBindAllow=``", "cgroup_sock_addr", CGROUP),
    ("interfaces-allow", "``RestrictNetworkInterfaces=lo``", "cgroup_skb", CGROUP),
    ("interfaces-deny", "``RestrictNetworkInterfaces=~dummy0``", "cgroup_skb", CGROUP),
    ("filesystems-allow", "``RestrictFileSystems=ext4 ...``", "lsm", WATCHES),
    ("filesystems-deny", "``RestrictFileSystems=~securityfs``", "lsm", WATCHES),
    ("sysctl-monitor", "systemd-networkd tells who changes its sysctls", "cgroup_sysctl", WATCHES),
    ("nsresourced", "systemd-nsresourced gives out users", "lsm, kprobe", NEVER),
    ("namespaces", "``RestrictNamespaces=``", "seccomp", ALWAYS),
    ("private-users", "``PrivateUsers=``", "no program", ALWAYS),
]


def table(head, rows):
    widths = [max(len(r[i]) for r in rows + [head]) for i in range(len(head))]
    rule = " ".join("=" * w for w in widths)

    def line(r):
        return " ".join(c.ljust(w) for c, w in zip(r, widths)).rstrip()

    return [rule, line(head), rule, *map(line, rows), rule]


def read(results, mode, name):
    with open(f"{results}/{mode}/{name}", encoding="utf-8", errors="replace") as f:
        return f.read()


def text_of(line):
    """A line of journal or kernel without times and process numbers"""
    return re.sub(r"^\[ *[\d.]+\] ", "", re.sub(r"\[\d+\]: ", ": ", line)).strip()


def once(lines):
    """Each line once, in order, and how often it was there"""
    seen = {}
    for line in map(text_of, lines):
        seen[line] = seen.get(line, 0) + 1
    return [f"{line}" + (f"  ({n} times)" if n > 1 else "") for line, n in seen.items()]


def said(results, mode):
    """What systemd and the kernel have to say on BPF"""
    about = re.compile(r"(?<!\w)BPF|bpf-|libbpf|firewall")
    source = re.compile(r"^\[ *[\d.]+\] systemd[-a-z]*\[")
    debug = read(results, mode, "journal.debug").splitlines()
    quiet = read(results, mode, "journal").splitlines()
    out = []
    for what, lines in (
            ("journal", [l for l in quiet if source.match(l) and about.search(l) and
                         "running in" not in l]), # that one lists compile options
            ("journal, with ``systemd.log_level=debug``: the verifier's log",
             [l for l in debug if source.match(l) and "]: lockdown: " in l]),
            ("kernel", [l for l in read(results, mode, "dmesg").splitlines()
                        if re.match(r"\[ *[\d.]+\] Lockdown: .* bpf ", l)]),
            # what comes before journald is in the kernel's log alone
            ("audit, each once", sorted({re.sub(".*op=lockdown", "op=lockdown", l)
                                         for l in read(results, mode, "dmesg").splitlines() + debug
                                         if "op=lockdown" in l}))):
        lines = once(lines)
        if lines:
            out += [what, "    ::", ""] + [f"        {l}" for l in lines] + [""]
    return out


def main():
    results, path, modes = sys.argv[1], sys.argv[2], sys.argv[3:]
    found = {m: json.loads(read(results, m, "results.json")) for m in modes}
    wrong = []
    rows, tried = [], []
    for name, setting, by, expected in ROWS:
        row = [setting, by]
        for mode in modes:
            what = found[mode][name][0]
            row.append(what)
            if what != expected[MODES.index(mode)]:
                wrong.append(f"{mode}: {name}: {what}, not {expected[MODES.index(mode)]}")
        rows.append(row)
        lines = found[modes[0]][name][1]
        cells = ["; ".join(f"{words}" + (" (lost)" if came == "ETIMEDOUT" else "")
                           for meant, words, came in lines if meant == kind)
                 for kind in ("allowed", "denied")]
        if any(cells):
            tried.append([setting, *cells])
    for name in found[modes[0]]:
        if name not in [r[0] for r in ROWS]:
            wrong.append(f"{name} has no row")

    parts = {
        "results": table(["What", "Program"] + [HEADS[MODES.index(m)] for m in modes], rows),
        "tried": table(["What", "Has to succeed", "Has to fail"], tried),
        "said": [line for m in modes for line in
                 [f"**{HEADS[MODES.index(m)]}**", ""] + (said(results, m) or ["nothing", ""])],
        "versions": [re.sub(r"(systemd \d+) \((.*)\)", r"\1 (Debian's \2)",
                            read(results, modes[0], "system").splitlines()[0]) + ", Linux " +
                     read(results, modes[0], "system").splitlines()[-3]],
    }
    for name in "results", "tried", "said":
        print(*parts[name], "", sep="\n")
    if path != "-" and modes == MODES and not wrong:
        with open(path, encoding="utf-8") as f:
            text = f.read()
        for name, lines in parts.items():
            begin, end = f".. begin {name}\n", f".. end {name}\n"
            head, rest = text.split(begin)
            tail = rest.split(end)[1]
            text = head + begin + "\n" + "\n".join(lines).rstrip() + "\n\n" + end + tail
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        print(f"written: {path}", file=sys.stderr)
    for line in wrong:
        print(f"not as expected: {line}", file=sys.stderr)
    return bool(wrong)


sys.exit(main())
