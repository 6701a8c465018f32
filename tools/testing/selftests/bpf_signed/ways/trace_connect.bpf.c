// SPDX-License-Identifier: GPL-2.0
/*
 * A tool by fentry: who connects where over TCP, and how long it takes. Of the
 * kernel's objects it reads addresses, ports and states of sockets, and needs no
 * more than the class "fields".
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_endian.h>

char LICENSE[] SEC("license") = "GPL";

struct connection {
	__u32 pid;
	__u32 ppid;
	__u32 saddr;
	__u32 daddr;
	__u16 dport;
	__u16 family;
	__u32 pad;
	__u64 ns;		/* from connect() to established */
	char comm[16];
};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 16);
} connections SEC(".maps");

struct flow {
	__u32 saddr;
	__u32 daddr;
	__u16 sport;
	__u16 dport;
};

struct began {
	__u64 at;
	__u32 pid;
	__u32 ppid;
	char comm[16];
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, struct flow);
	__type(value, struct began);
} waiting SEC(".maps");

static __always_inline void flow_of(struct flow *f, struct sock *sk)
{
	f->saddr = sk->__sk_common.skc_rcv_saddr;
	f->daddr = sk->__sk_common.skc_daddr;
	f->sport = sk->__sk_common.skc_num;
	f->dport = bpf_ntohs(sk->__sk_common.skc_dport);
}

SEC("fentry/tcp_connect")
int BPF_PROG(connect_begins, struct sock *sk)
{
	struct task_struct *t = bpf_get_current_task_btf();
	struct began b = {};
	struct flow f = {};

	if (sk->__sk_common.skc_family != 2)
		return 0;
	flow_of(&f, sk);
	b.at = bpf_ktime_get_ns();
	b.pid = t->tgid;
	b.ppid = t->real_parent->tgid;
	bpf_get_current_comm(b.comm, sizeof(b.comm));
	bpf_map_update_elem(&waiting, &f, &b, BPF_ANY);
	return 0;
}

SEC("fentry/tcp_finish_connect")
int BPF_PROG(connect_ends, struct sock *sk, struct sk_buff *skb)
{
	struct connection *c;
	struct flow f = {};
	struct began *b;

	flow_of(&f, sk);
	b = bpf_map_lookup_elem(&waiting, &f);
	if (!b)
		return 0;
	c = bpf_ringbuf_reserve(&connections, sizeof(*c), 0);
	if (c) {
		c->pid = b->pid;
		c->ppid = b->ppid;
		c->saddr = f.saddr;
		c->daddr = f.daddr;
		c->dport = f.dport;
		c->pad = 0;
		c->family = sk->__sk_common.skc_family;
		c->ns = bpf_ktime_get_ns() - b->at;
		__builtin_memcpy(c->comm, b->comm, sizeof(c->comm));
		bpf_ringbuf_submit(c, 0);
	}
	bpf_map_delete_elem(&waiting, &f);
	return 0;
}
