// SPDX-License-Identifier: GPL-2.0
/*
 * Tells how long the verifier took. Where each instruction takes a nanosecond,
 * that is how many it executed.
 */
#include <linux/bpf.h>
#include <linux/types.h>
#include <bpf/bpf_helpers.h>
#include "meter.h"

char _license[] SEC("license") = "GPL";

struct meter meter;

SEC("fentry/bpf_check")
int verifier_enter(void *ctx)
{
	meter.began = bpf_ktime_get_ns();
	return 0;
}

SEC("fexit/bpf_check")
int verifier_exit(void *ctx)
{
	meter.took = bpf_ktime_get_ns() - meter.began;
	meter.calls++;
	return 0;
}
