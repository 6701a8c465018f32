// SPDX-License-Identifier: GPL-2.0
/* More programs than a light skeleton can sign */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "GPL";

#define PROG(n) SEC("kprobe/do_unlinkat") int prog_##n(void *ctx) { return n; }
PROG(10) PROG(11) PROG(12) PROG(13) PROG(14) PROG(15) PROG(16) PROG(17) PROG(18) PROG(19)
PROG(20) PROG(21) PROG(22) PROG(23) PROG(24) PROG(25) PROG(26) PROG(27) PROG(28) PROG(29)
PROG(30) PROG(31) PROG(32) PROG(33) PROG(34) PROG(35) PROG(36) PROG(37) PROG(38) PROG(39)
PROG(40) PROG(41) PROG(42) PROG(43) PROG(44) PROG(45) PROG(46) PROG(47) PROG(48) PROG(49)
