#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Changes one bit in the signed image of a program.

    alter.py SIGNED.bpf.o OUTPUT PROGRAM

The bit is one in the middle of the image, among its instructions. The layout of
the companion section is tools/lib/bpf/bpf_companion.h. Says what it did."""

import struct
import sys


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    with open(sys.argv[1], "rb") as f:
        data = bytearray(f.read())
    start = data.find(struct.pack("=II", 0x53465042, 1))
    if start < 0:
        sys.exit(f"{sys.argv[1]}: no signed images")
    (_, _, _, _, _, _, prog_off, prog_cnt, str_off, _) = struct.unpack_from(
        "=10I", data, start)
    for i in range(prog_cnt):
        name, _, off, length, _, _ = struct.unpack_from(
            "=6I", data, start + prog_off + i * 24)
        name = start + str_off + name
        if data[name:data.index(0, name)].decode() != sys.argv[3]:
            continue
        at = length // 2
        data[start + off + at] ^= 1
        with open(sys.argv[2], "wb") as f:
            f.write(data)
        print(f"byte {at} of {length}")
        return
    sys.exit(f"{sys.argv[1]}: no program {sys.argv[3]}")


main()
