// SPDX-License-Identifier: GPL-2.0
/* Programs that meet events, as their sections name them; and annotations. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

/* A function can't have the name of a section, as a bare kprobe would */
#define PROG(name, sec)			\
	SEC(sec)			\
	int on_##name(void *ctx)	\
	{				\
		return 0;		\
	}

PROG(kprobe, "kprobe/do_unlinkat")
PROG(inside, "kprobe/do_unlinkat+0x10")
PROG(kretprobe, "kretprobe/do_unlinkat")
PROG(no_function, "?kprobe")
PROG(multi, "kprobe.multi/tcp_*")
PROG(multi_return, "kretprobe.multi/tcp_*")
PROG(session, "kprobe.session/tcp_*")
PROG(syscall, "ksyscall/openat")
PROG(uprobe, "uprobe//bin/bash:readline")
PROG(uretprobe, "uretprobe.s//bin/bash:readline+0x4")
PROG(library, "uprobe/libc.so.6:malloc")
PROG(relative, "uprobe/./tool:main")
PROG(no_file, "uprobe")
PROG(umulti, "uprobe.multi//bin/bash:*")
PROG(usession, "uprobe.session//bin/bash:f")
PROG(tp, "tp/syscalls/sys_enter_getpid")
PROG(raw_tp, "raw_tp.w/sys_enter")
PROG(no_raw_tp, "raw_tp")
PROG(perf, "perf_event")

SEC("usdt//usr/lib/libc.so.6:libc:setjmp")
int on_usdt(struct pt_regs *ctx)
{
	return 0;
}

SEC("xdp")
__bpf_lockdown(integrity, none)
__bpf_lockdown(confidentiality, user_read | fields)
int annotated(void *ctx)
{
	return XDP_PASS;
}

SEC("fentry/do_unlinkat")
__bpf_lockdown(confidentiality, forbid)
int BPF_PROG(forbidden)
{
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
