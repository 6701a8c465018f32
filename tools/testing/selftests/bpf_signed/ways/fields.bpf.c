// SPDX-License-Identifier: GPL-2.0
/* Fields of kernel objects that are no secret. */
#include "common.bpf.h"

SEC("fentry/bpf_fentry_test1")
int task_pid(void *ctx)
{
	tell(0, bpf_get_current_task_btf()->pid);
	return 0;
}

SEC("fentry/bpf_fentry_test1")
int task_tgid(void *ctx)
{
	tell(0, bpf_get_current_task_btf()->tgid);
	return 0;
}

SEC("fentry/bpf_fentry_test1")
int task_parent(void *ctx)
{
	tell(0, bpf_get_current_task_btf()->real_parent->tgid);
	return 0;
}

SEC("fentry/bpf_fentry_test1")
int task_comm(void *ctx)
{
	struct task_struct *t = bpf_get_current_task_btf();

	*(__u64 *)&io.bytes[0] = *(__u64 *)&t->comm[0];
	*(__u64 *)&io.bytes[8] = *(__u64 *)&t->comm[8];
	return 0;
}

SEC("tp_btf/sched_switch")
int BPF_PROG(switch_pid, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	if (prev->tgid == io.pid)
		tell(0, prev->pid);
	return 0;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(exit_pid, struct task_struct *p)
{
	if (p->real_parent->tgid == io.pid)
		tell(0, p->real_parent->pid);
	return 0;
}

SEC("fentry/tcp_connect")
int BPF_PROG(sock_port, struct sock *sk)
{
	if (mine())
		tell(0, bpf_ntohs(sk->__sk_common.skc_dport));
	return 0;
}

SEC("fentry/tcp_connect")
int BPF_PROG(sock_address, struct sock *sk)
{
	if (mine())
		tell(0, bpf_ntohl(sk->__sk_common.skc_daddr));
	return 0;
}

SEC("fentry/tcp_connect")
int BPF_PROG(sock_family, struct sock *sk)
{
	if (mine())
		tell(0, sk->__sk_common.skc_family);
	return 0;
}

SEC("iter/task")
int iter_pid(struct bpf_iter__task *ctx)
{
	struct task_struct *t = ctx->task;

	if (t && t->pid == io.pid)
		tell(0, t->tgid);
	return 0;
}

SEC("iter/tcp")
int iter_tcp(struct bpf_iter__tcp *ctx)
{
	struct sock_common *sk = ctx->sk_common;

	if (sk && sk->skc_family == 2)
		tell(0, sk->skc_num);
	return 0;
}

SEC("fentry/__dev_queue_xmit")
int BPF_PROG(device_index, struct sk_buff *skb)
{
	if (mine() && skb->dev)
		tell(0, skb->dev->ifindex);
	return 0;
}
