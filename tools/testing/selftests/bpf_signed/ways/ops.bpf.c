// SPDX-License-Identifier: GPL-2.0
/* The same ways, from what stands in for the kernel's own functions. */
#include "common.bpf.h"

/* What else a congestion control has to have; loaded with each of the others */
SEC("struct_ops")
__u32 with_ssthresh(struct sock *sk)
{
	return 10;
}

SEC("struct_ops")
void with_cong_avoid(struct sock *sk, __u32 ack, __u32 acked)
{
}

SEC("struct_ops")
__u32 with_undo_cwnd(struct sock *sk)
{
	return 10;
}

SEC("struct_ops")
void BPF_PROG(ops_argument, struct sock *sk)
{
	tell(0, sk->sk_prot_creator);
}

SEC("struct_ops")
void BPF_PROG(ops_cast, struct sock *sk)
{
	const __u64 *p = bpf_rdonly_cast((void *)io.target, 0);
	int i;

#pragma unroll
	for (i = 0; i < 4; i++)
		*(__u64 *)&io.bytes[i * 8] = p[i];
}

SEC("struct_ops")
void BPF_PROG(ops_pointer, struct sock *sk)
{
	tell(0, sk);
}

#define CONGESTION(map, what)						\
SEC(".struct_ops.link")							\
struct tcp_congestion_ops map = {					\
	.init = (void *)what,						\
	.ssthresh = (void *)with_ssthresh,				\
	.cong_avoid = (void *)with_cong_avoid,				\
	.undo_cwnd = (void *)with_undo_cwnd,				\
	.name = "bpf_ways",						\
}

CONGESTION(of_ops_argument, ops_argument);
CONGESTION(of_ops_cast, ops_cast);
CONGESTION(of_ops_pointer, ops_pointer);
