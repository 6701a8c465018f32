#!/usr/bin/env python3
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#
# Makes lockdown_tables.h, which tells bpftool what lockdown asks of BPF programs,
# from the tables that the kernel is built with:
#
#	lockdown_tables.py ../../../security/lockdown/bpf >lockdown_tables.h

import re
import sys
from pathlib import Path

CLASSES = {
    "UserRead": "BPF_LOCKDOWN_USER_READ",
    "UserWrite": "BPF_LOCKDOWN_USER_WRITE",
    "Control": "BPF_LOCKDOWN_CONTROL",
    "KernelRead": "BPF_LOCKDOWN_KERNEL_READ",
    "KernelAddress": "BPF_LOCKDOWN_KERNEL_ADDRESS",
    "Fields": "BPF_LOCKDOWN_FIELDS",
    "Loader": "BPF_LOCKDOWN_LOADER",
}
RULES = {
    "Refused": "LOCKDOWN_UNLISTED",
    "Stack": "LOCKDOWN_STACK",
    "Format": "LOCKDOWN_FORMAT",
    "Packet": "LOCKDOWN_PACKET",
}


def block(text, start):
    """The lines between a line that is `start` and the end of its block."""
    found = re.search(rf"^{re.escape(start)}$(.*?)^[}}\]];?$", text, re.M | re.S)
    if not found:
        sys.exit(f"no '{start}'")
    lines = (line.split("//")[0].strip() for line in found[1].splitlines())
    return [line for line in lines if line]


def each(lines, pattern):
    for line in lines:
        found = re.fullmatch(pattern, line)
        if not found:
            sys.exit(f"what is '{line}'?")
        yield found.groups()


def rule(words):
    words = [w.strip() for w in words.split("|")]
    if len(words) == 1 and words[0] in RULES:
        return f"{RULES[words[0]]}, 0"
    unknown = [w for w in words if w != "Plain" and w not in CLASSES]
    if unknown:
        sys.exit(f"what is '{unknown[0]}'?")
    return "LOCKDOWN_NEEDS, " + (" | ".join(CLASSES[w] for w in words if w != "Plain") or "0")


def entry(name, words):
    line = f'\t{{ "{name}", {rule(words)} }},'
    if len(line.expandtabs(8)) <= 100:
        return line
    return line.replace(" | ", " |\n\t  ", 1)


def main():
    where = Path(sys.argv[1])
    text = {n: (where / f"{n}.rs").read_text() for n in
            ("helpers", "kfuncs", "types", "tracepoints")}
    out = [
        "/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */",
        "/* Made by lockdown_tables.py from security/lockdown/bpf. Do not edit. */",
        "#ifndef __LOCKDOWN_TABLES_H",
        "#define __LOCKDOWN_TABLES_H",
        "",
        "#include <stdbool.h>",
        "#include <linux/bpf.h>",
        "#include <linux/bpf_image.h>",
        "",
        "enum lockdown_rule {",
        "\tLOCKDOWN_UNLISTED,\t/* refused */",
        "\tLOCKDOWN_NEEDS,\t\t/* classes */",
        "\tLOCKDOWN_STACK,\t\t/* by the flags of a stack: user or kernel */",
        "\tLOCKDOWN_FORMAT,\t/* by the format that is printed */",
        "\tLOCKDOWN_PACKET,\t/* by whose packet it is */",
        "};",
        "",
        "struct lockdown_call {",
        "\tconst char *name;",
        "\tenum lockdown_rule rule;",
        "\t__u32 classes;",
        "};",
        "",
        "/* By BPF_FUNC_* */",
        "static const struct lockdown_call lockdown_helpers[] = {",
    ]
    for place, (number, name, words) in enumerate(
            each(block(text["helpers"], "helpers! {"), r"(\d+) (\w+)\s+([\w |]+);")):
        if place != int(number):
            sys.exit(f"helper {number} is not in its place")
        out.append(entry(f"bpf_{name}", words))
    out += ["};", "", "static const struct lockdown_call lockdown_kfuncs[] = {"]
    for name, words in each(block(text["kfuncs"], "kfuncs! {"), r"(\w+) (\w+);"):
        out.append(entry(name, words))
    out += ["};", "", "/* By BPF_PROG_TYPE_*: may they be unsigned with bpf_lockdown=restricted? */",
            "static const bool lockdown_types[] = {"]
    for name, _ in each(block(text["types"], "types! {"), r"(\w+) = (\d+),"):
        out.append(f"\t[BPF_PROG_TYPE_{name}] = true,")
    out.append("};")
    for name, what in (("TRACEPOINTS", "holds no secret"),
                       ("USER_TRACEPOINTS", "holds what user space has passed, and no more")):
        start = re.search(rf"^.*\bstatic {name}: .*$", text["tracepoints"], re.M)
        if not start:
            sys.exit(f"no '{name}'")
        out += ["", f"/* Tracepoints whose record {what} */",
                f"static const char * const lockdown_{name.lower()}[] = {{"]
        line = start[0]
        names = [line] if line.endswith("];") else block(text["tracepoints"], line)
        out += [f'\t"{n}",' for n in re.findall(r'"([^"]+)"', " ".join(names))]
        out.append("};")
    out += ["", "#endif"]
    print("\n".join(out))


if __name__ == "__main__":
    main()
