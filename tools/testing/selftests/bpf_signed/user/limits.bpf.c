// SPDX-License-Identifier: GPL-2.0
/* More programs than a light skeleton can sign */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "GPL";

#define PROG(n) SEC("kprobe/do_unlinkat") int prog_##n(void *ctx) { return n; }
#define PROGS(n) PROG(n##0) PROG(n##1) PROG(n##2) PROG(n##3) PROG(n##4) \
		 PROG(n##5) PROG(n##6) PROG(n##7) PROG(n##8) PROG(n##9)
PROGS(1) PROGS(2) PROGS(3) PROGS(4)
