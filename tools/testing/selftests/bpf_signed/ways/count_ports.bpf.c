// SPDX-License-Identifier: GPL-2.0
/*
 * A tool on packets: counts packets and bytes for each destination port of UDP
 * over IPv4, and drops those to the ports that it was told to.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_endian.h>

char LICENSE[] SEC("license") = "GPL";

#define ETH_P_IP 0x0800

struct count {
	__u64 packets;
	__u64 bytes;
	__u64 dropped;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, __u16);
	__type(value, struct count);
} ports SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 64);
	__type(key, __u16);
	__type(value, __u8);
} blocked SEC(".maps");

SEC("xdp")
int count_ports(struct xdp_md *xdp)
{
	void *data = (void *)(long)xdp->data, *end = (void *)(long)xdp->data_end;
	struct ethhdr *eth = data;
	struct iphdr *ip = (void *)(eth + 1);
	struct count fresh = {}, *c;
	struct udphdr *udp;
	__u16 port;
	int verdict;

	if ((void *)(ip + 1) > end || eth->h_proto != bpf_htons(ETH_P_IP) ||
	    ip->protocol != IPPROTO_UDP || ip->ihl < 5)
		return XDP_PASS;
	udp = (void *)ip + ip->ihl * 4;
	if ((void *)(udp + 1) > end)
		return XDP_PASS;
	port = bpf_ntohs(udp->dest);
	verdict = bpf_map_lookup_elem(&blocked, &port) ? XDP_DROP : XDP_PASS;
	c = bpf_map_lookup_elem(&ports, &port);
	if (!c) {
		bpf_map_update_elem(&ports, &port, &fresh, BPF_NOEXIST);
		c = bpf_map_lookup_elem(&ports, &port);
		if (!c)
			return verdict;
	}
	__sync_fetch_and_add(&c->packets, 1);
	__sync_fetch_and_add(&c->bytes, end - data);
	if (verdict == XDP_DROP)
		__sync_fetch_and_add(&c->dropped, 1);
	return verdict;
}
