// SPDX-License-Identifier: GPL-2.0
/* One program for each way to be bound to the kernel when it is loaded. */
#include "common.h"

#define HIT(n)	__sync_fetch_and_add(&hits[n], 1)

int hits[16];

SEC("fentry/bpf_fentry_test1")
int BPF_PROG(on_fentry, int a)
{
	HIT(0);
	return 0;
}

SEC("fexit/bpf_fentry_test1")
int BPF_PROG(on_fexit, int a, int ret)
{
	if (ret == a + 1)
		HIT(1);
	return 0;
}

SEC("fmod_ret/bpf_modify_return_test")
int BPF_PROG(on_fmod_ret, int a, int *b, int ret)
{
	HIT(2);
	return 77;
}

SEC("tp_btf/sys_enter")
int BPF_PROG(on_tp_btf, struct pt_regs *regs, long id)
{
	HIT(3);
	return 0;
}

SEC("lsm/file_open")
int BPF_PROG(on_lsm, struct file *file)
{
	HIT(4);
	return 0;
}

SEC("iter/task")
int on_iter(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;

	if (task)
		BPF_SEQ_PRINTF(ctx->meta->seq, "%d\n", task->tgid);
	return 0;
}

SEC("socket")
int ext_target(struct __sk_buff *skb)
{
	extern int replaced(struct __sk_buff *skb);

	return replaced(skb);
}

__noinline int replaced(struct __sk_buff *skb)
{
	volatile int ret = 5;

	return ret;
}

SEC("freplace/replaced")
int on_freplace(struct __sk_buff *skb)
{
	volatile int ret = 6;

	return ret;
}

SEC("freplace/no_such_function")
int freplace_unknown(struct __sk_buff *skb)
{
	return 6;
}

SEC("kprobe/vfs_unlink")
int on_kprobe(void *ctx)
{
	HIT(5);
	return 0;
}

SEC("raw_tp/sys_enter")
int on_raw_tp(void *ctx)
{
	HIT(6);
	return 0;
}

SEC("tracepoint/syscalls/sys_enter_getpid")
int on_tracepoint(void *ctx)
{
	HIT(7);
	return 0;
}

/* What these may be bound to stands in attach.policy. */
SEC("fentry/bpf_fentry_test2")
int BPF_PROG(chooser)
{
	HIT(8);
	return 0;
}

SEC("fentry")
int BPF_PROG(only_patterns)
{
	HIT(9);
	return 0;
}

SEC("fentry/no_such_function")
int BPF_PROG(unknown_default)
{
	return 0;
}

/* struct_ops */
SEC("struct_ops")
__u32 BPF_PROG(on_ssthresh, struct sock *sk)
{
	return 4;
}

SEC("struct_ops")
__u32 BPF_PROG(on_undo_cwnd, struct sock *sk)
{
	return 2;
}

SEC("struct_ops")
void BPF_PROG(on_cong_avoid, struct sock *sk, __u32 ack, __u32 acked)
{
}

SEC(".struct_ops")
struct tcp_congestion_ops signed_cc = {
	.ssthresh	= (void *)on_ssthresh,
	.undo_cwnd	= (void *)on_undo_cwnd,
	.cong_avoid	= (void *)on_cong_avoid,
	.name		= "bpf_signed",
};

char LICENSE[] SEC("license") = "GPL";
