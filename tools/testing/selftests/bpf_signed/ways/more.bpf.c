// SPDX-License-Identifier: GPL-2.0
/* Ways that need more than one program or object to be taken. */
#include "common.bpf.h"

/* ---- objects that kfuncs and callbacks give ------------------------------ */

SEC("syscall")
int task_from_pid(void *ctx)
{
	struct task_struct *t = bpf_task_from_pid(1);

	if (!t)
		return 0;
	tell(0, t->timer_slack_ns);
	bpf_task_release(t);
	return 0;
}

SEC("syscall")
int task_loop(void *ctx)
{
	struct task_struct *t;

	bpf_rcu_read_lock();
	bpf_for_each(task, t, NULL, BPF_TASK_ITER_ALL_PROCS)
		if (t->pid == 1)
			tell(0, t->timer_slack_ns);
	bpf_rcu_read_unlock();
	return 0;
}

static long take_vma(struct task_struct *task, struct vm_area_struct *vma, void *ctx)
{
	tell(0, vma->vm_start);
	return 0;
}

SEC("fentry/bpf_fentry_test1")
int find_vma(void *ctx)
{
	bpf_find_vma(bpf_get_current_task_btf(), io.arg[0], take_vma, NULL, 0);
	return 0;
}

SEC("syscall")
int cgroup_from_id(void *ctx)
{
	struct cgroup *c = bpf_cgroup_from_id(1);

	if (!c)
		return 0;
	tell(0, c->dom_cgrp);
	bpf_cgroup_release(c);
	return 0;
}

struct task_value {
	struct task_struct __kptr *t;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct task_value);
} tasks SEC(".maps");

/* Kept in a map, and loaded from there */
SEC("syscall")
int task_kept(void *ctx)
{
	__u32 zero = 0;
	struct task_value *v = bpf_map_lookup_elem(&tasks, &zero);
	struct task_struct *t;

	if (!v)
		return 0;
	t = bpf_task_from_pid(1);
	if (!t)
		return 0;
	t = bpf_kptr_xchg(&v->t, t);
	if (t)
		bpf_task_release(t);
	bpf_rcu_read_lock();
	t = v->t;
	if (t)
		tell(0, t->timer_slack_ns);
	bpf_rcu_read_unlock();
	return 0;
}

/* Past the end of a structure that ends with an array */
SEC("fentry/bpf_fentry_test1")
int past_the_end(void *ctx)
{
	struct pid *pid = bpf_get_current_task_btf()->thread_pid;

	tell(0, pid);
	tell(1, pid->numbers[5].ns);
	return 0;
}

/* ---- memory that was somebody else's ------------------------------------- */

/*
 * Subprograms of programs that trace may have stacks of their own, so that it is
 * the same one that leaves something and finds it
 */
static __noinline int leave_or_find(void *ctx, __u64 leave)
{
	__u64 x = opaque(vault_value());
	__u64 slots[32];
	int i;

	asm volatile("" : "=m"(slots));
	if (leave) {
#pragma unroll
		for (i = 0; i < 32; i++)
			once(slots[i]) = x;
	} else {
		bpf_get_func_arg(ctx, 9, &slots[16]);
		io.val[0] = once(slots[16]);
	}
	return 0;
}

SEC("fentry/bpf_fentry_test1")
int failed_func_arg(void *ctx)
{
	leave_or_find(ctx, 1);
	return leave_or_find(ctx, 0);
}

struct {
	__uint(type, BPF_MAP_TYPE_SOCKMAP);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, __u32);
} sockets SEC(".maps");

SEC("sk_msg")
int push_data(struct sk_msg_md *msg)
{
	__u64 *p, any = 0;
	int i;

	if (bpf_msg_push_data(msg, 0, 1024, 0))
		return SK_PASS;
	if (bpf_msg_pull_data(msg, 0, 1024, 0))
		return SK_PASS;
	p = msg->data;
	if ((void *)(p + 128) > msg->data_end)
		return SK_PASS;
	for (i = 0; i < 128; i++)
		any |= p[i];
	if (any)
		__sync_fetch_and_add(&io.hits, 1);
	return SK_PASS;
}

/* ---- a buffer of the kernel's -------------------------------------------- */

/* its first argument is an int that programs may write */
SEC("raw_tp.w/bpf_test_finish")
int writable(struct bpf_raw_tracepoint_args *ctx)
{
	struct ways_vault *v = vault_value();
	__u64 x = 0;

	asm volatile("r1 = %[ctx];"
		     "r1 = *(u64 *)(r1 + 0);"
		     "r2 = %[v];"
		     "r3 = *(u32 *)(r1 + 0);"
		     "*(u32 *)(r1 + 0) = r2;"
		     "%[x] = *(u32 *)(r1 + 0);"
		     "*(u32 *)(r1 + 0) = r3;"
		     : [x] "=&r"(x) : [ctx] "r"(ctx), [v] "r"(v) : "r1", "r2", "r3", "memory");
	tell(0, x);
	return 0;
}

/* ---- what was not signed to be looked at ----------------------------------- */

/* The first argument of this tracepoint is a pointer, if it is the tracepoint's. */
SEC("raw_tp/sched_process_exit")
int made_up_argument(struct bpf_raw_tracepoint_args *ctx)
{
	bpf_probe_read_kernel(io.bytes, 64, (void *)ctx->args[0]);
	__sync_fetch_and_add(&io.hits, 1);
	return 0;
}

/* A packet on its way out, whosever it is */
SEC("tp_btf/net_dev_queue")
int BPF_PROG(packet_of_others, struct sk_buff *skb)
{
	const int payload = sizeof(struct ethhdr) + sizeof(struct iphdr) + sizeof(struct udphdr);
	char text[16] = {};
	struct bpf_dynptr ptr;

	if (bpf_dynptr_from_skb((struct __sk_buff *)skb, 0, &ptr))
		return 0;
	if (!bpf_dynptr_read(text, sizeof(text), &ptr, payload, 0) && text[0] == 't' &&
	    text[1] == 'e' && mine())
		__builtin_memcpy(io.bytes, text, sizeof(text));
	return 0;
}

/* ---- the verifier's log ------------------------------------------------- */

/* Harmless as it runs; the log of its verification may not be. */
SEC("tc")
int logged(struct __sk_buff *skb)
{
	struct ways_vault *v = vault_value();

	return v && v->magic == 1;
}

SEC("xdp")
int logged_xdp(struct xdp_md *xdp)
{
	struct ways_vault *v = vault_value();

	return v && v->magic == 1 ? XDP_DROP : XDP_PASS;
}
