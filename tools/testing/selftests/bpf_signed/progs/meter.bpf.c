// SPDX-License-Identifier: GPL-2.0
/*
 * Tells how long a function of the kernel took, the verifier by default. Where each
 * instruction takes a nanosecond, that is how many it executed.
 */
#include <linux/bpf.h>
#include <linux/types.h>
#include <bpf/bpf_helpers.h>
#include "../meter.h"

#ifndef METERED
#define METERED "bpf_check"
#endif

char _license[] SEC("license") = "GPL";

struct meter meter;

SEC("fentry/" METERED)
int function_enter(void *ctx)
{
	meter.began = bpf_ktime_get_ns();
	return 0;
}

SEC("fexit/" METERED)
int function_exit(void *ctx)
{
	__u64 ret = 0;

	meter.took = bpf_ktime_get_ns() - meter.began;
	meter.sum += meter.took;
	bpf_get_func_ret(ctx, &ret);
	meter.ret = ret;
	meter.calls++;
	return 0;
}
