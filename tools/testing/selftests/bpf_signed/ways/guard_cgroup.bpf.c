// SPDX-License-Identifier: GPL-2.0
/*
 * A tool on a control group: what it sends is counted, some ports and devices
 * are closed to it, and each refusal is reported with who was refused.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_endian.h>

char LICENSE[] SEC("license") = "GPL";

enum { REFUSED_PORT = 1, REFUSED_DEVICE };

struct refusal {
	__u32 what;
	__u32 number;		/* port, or major << 16 | minor */
	__u32 pid;
	__u32 uid;
	char comm[16];
};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} refusals SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, __u64);
} sent SEC(".maps");		/* packets, bytes */

const volatile __u16 closed_port;
const volatile __u32 closed_device;

static __always_inline int refuse(__u32 what, __u32 number)
{
	struct refusal *r = bpf_ringbuf_reserve(&refusals, sizeof(*r), 0);

	if (!r)
		return 0;
	r->what = what;
	r->number = number;
	r->pid = bpf_get_current_pid_tgid() >> 32;
	r->uid = bpf_get_current_uid_gid();
	bpf_get_current_comm(r->comm, sizeof(r->comm));
	bpf_ringbuf_submit(r, 0);
	return 0;
}

static __always_inline void add(__u32 which, __u64 n)
{
	__u64 *v = bpf_map_lookup_elem(&sent, &which);

	if (v)
		*v += n;
}

SEC("cgroup_skb/egress")
int count_sent(struct __sk_buff *skb)
{
	add(0, 1);
	add(1, skb->len);
	return 1;
}

SEC("cgroup/connect4")
int guard_connect(struct bpf_sock_addr *ctx)
{
	__u16 port = bpf_ntohs(ctx->user_port);

	return port == closed_port ? refuse(REFUSED_PORT, port) : 1;
}

SEC("cgroup/dev")
int guard_device(struct bpf_cgroup_dev_ctx *ctx)
{
	__u32 dev = ctx->major << 16 | ctx->minor;

	return dev == closed_device ? refuse(REFUSED_DEVICE, dev) : 1;
}
