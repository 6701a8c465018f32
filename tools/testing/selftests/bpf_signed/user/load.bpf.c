// SPDX-License-Identifier: GPL-2.0
/* What a tool may and may not do between open and load */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_core_read.h>

char LICENSE[] SEC("license") = "GPL";

const volatile int tunable = 1;
const volatile int fixed_by_policy = 2;
const int fixed = 3;

int result;
int config_hz;
int version;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16);
	__type(key, int);
	__type(value, long);
} hash SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 4);
	__type(key, int);
	__type(value, int);
} fixed_entries SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16);
	__type(key, int);
	__type(value, int);
} optional SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_STACK_TRACE);
	__uint(max_entries, 16);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, 8 * sizeof(__u64));
} stacks SEC(".maps");

extern int LINUX_KERNEL_VERSION __kconfig;
extern int CONFIG_HZ __kconfig __weak;
extern void no_such_kfunc(void) __ksym __weak;
extern struct task_struct *bpf_task_from_pid(s32 pid) __ksym __weak;
extern void bpf_task_release(struct task_struct *p) __ksym __weak;

/* run by BPF_PROG_TEST_RUN */
SEC("raw_tp")
int values(void *ctx)
{
	int zero = 0;

	result = tunable * 100 + fixed_by_policy * 10 + *(volatile const int *)&fixed;
	config_hz = CONFIG_HZ;
	version = LINUX_KERNEL_VERSION;
	bpf_map_lookup_elem(&hash, &zero);
	bpf_map_lookup_elem(&fixed_entries, &zero);
	bpf_get_stackid(ctx, &stacks, 0);
	return 0;
}

int grows[1] SEC(".data.grows");

SEC("?raw_tp")
int grown(void *ctx)
{
	grows[0] = 5;
	return 0;
}

/* reaches the optional map only if it is told to */
SEC("raw_tp")
int maybe(void *ctx)
{
	int zero = 0;

	if (tunable == 77)
		bpf_map_update_elem(&optional, &zero, &zero, 0);
	return 0;
}

SEC("?raw_tp")
int needs_optional(void *ctx)
{
	int zero = 0;

	bpf_map_update_elem(&optional, &zero, &zero, 0);
	return 0;
}

SEC("tp_btf/task_newtask")
int BPF_PROG(tp, struct task_struct *task)
{
	struct task_struct *t;

	if (bpf_ksym_exists(no_such_kfunc))
		no_such_kfunc();
	if (bpf_ksym_exists(bpf_task_from_pid)) {
		t = bpf_task_from_pid(task->pid);
		if (t)
			bpf_task_release(t);
	}
	result = BPF_CORE_READ(task, tgid);
	return 0;
}

SEC("fentry/no_such_function")
int BPF_PROG(fentry)
{
	result = 1;
	return 0;
}

SEC("?fentry")
int BPF_PROG(no_target)
{
	result = 2;
	return 0;
}

SEC("iter/task")
int iter(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;

	if (task && task->pid == 1)
		BPF_SEQ_PRINTF(ctx->meta->seq, "pid %d\n", task->pid);
	return 0;
}

__noinline int replaceable(int x)
{
	barrier_var(x);
	return x + 1;
}

SEC("tc")
int target(struct __sk_buff *skb)
{
	return replaceable(skb->len) > 0 ? 0 : 1;
}

SEC("?freplace/replaceable")
int replacement(int x)
{
	return -1;
}

SEC("struct_ops")
__u32 BPF_PROG(ssthresh, struct sock *sk)
{
	return 2;
}

SEC("struct_ops")
void BPF_PROG(cong_avoid, struct sock *sk, __u32 ack, __u32 acked)
{
}

SEC("struct_ops")
__u32 BPF_PROG(undo_cwnd, struct sock *sk)
{
	return 10;
}

SEC("?.struct_ops.link")
struct tcp_congestion_ops cc = {
	.ssthresh = (void *)ssthresh,
	.cong_avoid = (void *)cong_avoid,
	.undo_cwnd = (void *)undo_cwnd,
	.name = "bpf_signed",
};
