#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Counts test results.

    count.py tap FILE     TAP or KTAP, nested or not, kernel log stamps or not
    count.py cargo FILE   what `cargo test` printed
    count.py line FILE    what closes with a line "N passed, M failed, K skipped"

Prints "PASSED FAILED SKIPPED", and on stderr each failure with the last lines of
what it said. Only innermost tests count. A test that a plan announces and that
never reports is a failure: that is what a crash looks like.
"""

import collections
import re
import sys

STAMP = re.compile(r"^(<\d+>)?\[ *\d+\.\d+\](\[ *[TC]\d+\])? ")
RESULT = re.compile(r"^( *)(not ok|ok)\b *(\d*)(?:\s+-)?\s*(.*)$")
SAID = re.compile(r"^ *#(?! Totals:) *(.*)$")
PLAN = re.compile(r"^( *)1\.\.(\d+)(\s*#\s*skip.*)?", re.I)


class Level:
    """Results at one indentation, until their parent reports"""

    def __init__(self):
        self.plan = None
        self.seen = 0
        self.failed = 0


def tap(lines):
    count = {"ok": 0, "not ok": 0, "skip": 0}
    levels = {}
    said = collections.deque(maxlen=12)

    def fail(what):
        count["not ok"] += 1
        print(f"    FAILED: {what}", *said, sep="\n        ", file=sys.stderr)

    def close(depth):
        """Ends all levels deeper than depth: (were there any, failures)"""
        had, failed = False, 0
        for d in sorted((d for d in levels if d > depth), reverse=True):
            level = levels.pop(d)
            had = had or level.seen > 0 or bool(level.plan)
            failed += level.failed
            if level.plan is not None and level.seen < level.plan:
                failed += 1
                for n in range(level.seen, level.plan):
                    fail(f"test {n + 1} of {level.plan} did not report")
        return had, failed

    for line in lines:
        line = STAMP.sub("", line.rstrip("\r\n"))
        m = PLAN.match(line)
        if m:
            levels.setdefault(len(m[1]), Level()).plan = int(m[2])
            if m[3]:
                count["skip"] += 1
            continue
        m = RESULT.match(line)
        if not m or (not m[3] and not m[4]):
            m = SAID.match(line)
            if m:
                said.append(m[1])
            continue
        depth, verdict, text = len(m[1]), m[2], m[4]
        had_children, child_failures = close(depth)
        level = levels.setdefault(depth, Level())
        level.seen += 1
        skipped = re.search(r"#\s*(skip|xfail)", text, re.I)
        if verdict == "not ok" and not skipped:
            level.failed += 1
        if had_children:
            # a parent has a word of its own only if its children kept silent
            if verdict == "not ok" and not child_failures and not skipped:
                fail(text)
        elif skipped:
            count["skip"] += 1
            print(f"    skipped: {text}", file=sys.stderr)
        elif verdict == "ok":
            count["ok"] += 1
        else:
            fail(text)
        said.clear()
    close(-1)
    return count["ok"], count["not ok"], count["skip"]


def cargo(lines):
    passed = failed = skipped = 0
    for line in lines:
        m = re.match(r"test result: \S+ (\d+) passed; (\d+) failed; (\d+) ignored", line)
        if m:
            passed += int(m[1])
            failed += int(m[2])
            skipped += int(m[3])
        m = re.match(r"test (.*) \.\.\. FAILED", line)
        if m:
            print(f"    FAILED: {m[1]}", file=sys.stderr)
    return passed, failed, skipped


def line(lines):
    last = ""
    for last in lines:
        pass
    m = re.match(r"(\d+) passed, (\d+) failed, (\d+) skipped$", last)
    return [int(n) for n in m.groups()] if m else (0, 0, 0)


FORMATS = {"tap": tap, "cargo": cargo, "line": line}


def main():
    if len(sys.argv) != 3 or sys.argv[1] not in FORMATS:
        sys.exit(__doc__)
    with open(sys.argv[2], encoding="utf-8", errors="replace") as f:
        print(*FORMATS[sys.argv[1]](f))


main()
