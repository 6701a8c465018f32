// SPDX-License-Identifier: GPL-2.0
/* A kernel symbol without a type. In an image it is the kernel that finds it. */
#include "common.bpf.h"

extern const void linux_banner __ksym;

SEC("tc")
int untyped(struct __sk_buff *skb)
{
	tell(0, &linux_banner);
	return 0;
}

SEC("xdp")
int untyped_xdp(struct xdp_md *ctx)
{
	tell(0, &linux_banner);
	return XDP_PASS;
}

SEC("kprobe/__x64_sys_getppid")
int untyped_kprobe(void *ctx)
{
	tell(0, &linux_banner);
	return 0;
}
