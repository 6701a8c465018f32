// SPDX-License-Identifier: GPL-2.0
/* The same ways, from a function that takes the place of a program's. */
#include "common.bpf.h"

SEC("freplace/global_function")
int replace_cast(struct __sk_buff *skb, __u64 x)
{
	const __u64 *p = bpf_rdonly_cast((void *)io.target, 0);
	int i;

#pragma unroll
	for (i = 0; i < 4; i++)
		*(__u64 *)&io.bytes[i * 8] = p[i];
	return 0;
}

SEC("freplace/global_function")
int replace_pointer(struct __sk_buff *skb, __u64 x)
{
	tell(0, skb);
	return 0;
}

SEC("freplace/global_function")
int replace_probe_read(struct __sk_buff *skb, __u64 x)
{
	bpf_probe_read_kernel(io.bytes, 64, (void *)io.target);
	return 0;
}
