// SPDX-License-Identifier: GPL-2.0
/* What changes the doings of others. */
#include "common.bpf.h"

#define SIGUSR1 10

SEC("kprobe/__x64_sys_getppid")
int override(struct pt_regs *ctx)
{
	if (mine())
		bpf_override_return(ctx, -77);
	return 0;
}

SEC("fmod_ret/security_file_open")
int BPF_PROG(modify_return, struct file *file)
{
	if (mine()) {
		__sync_fetch_and_add(&io.hits, 1);
		return -77;
	}
	return 0;
}

#define SIGNAL(sec, type, name, when, ret)				\
SEC(sec) int signal_##name(type * ctx)					\
{									\
	/* once: its handler makes system calls, too */			\
	if ((when) && !__sync_fetch_and_add(&io.hits, 1))		\
		bpf_send_signal(SIGUSR1);				\
	return ret;							\
}

SIGNAL("kprobe/__x64_sys_getppid", struct pt_regs, kprobe, mine(), 0)
SIGNAL("tracepoint/syscalls/sys_enter_getppid", void, tracepoint, mine(), 0)
SIGNAL("raw_tracepoint/sys_enter", void, raw_tp, mine(), 0)
SIGNAL("fentry/bpf_fentry_test1", void, fentry, 1, 0)
SIGNAL("tc", struct __sk_buff, tc, 1, 0)
SIGNAL("cgroup_skb/egress", struct __sk_buff, cgroup_skb, 1, PASS)

SEC("kprobe/__x64_sys_getppid")
int signal_thread(void *ctx)
{
	if (mine())
		bpf_send_signal_thread(SIGUSR1);
	return 0;
}

SEC("syscall")
int signal_task(void *ctx)
{
	struct task_struct *t = bpf_task_from_pid(io.pid);

	if (!t)
		return 0;
	bpf_send_signal_task(t, SIGUSR1, PIDTYPE_TGID, 0);
	bpf_task_release(t);
	return 0;
}
