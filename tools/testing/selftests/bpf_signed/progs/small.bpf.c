// SPDX-License-Identifier: GPL-2.0
/*
 * Little BTF, so that each of its bytes can be changed; yet an image with every
 * section but ATTACH: read-only data with a tunable, a kfunc, CO-RE.
 */
#include "common.h"

const volatile int tunable = 3;
const volatile int fixed = 4;
int seen;

struct task_struct___small {
	int tgid;
} __attribute__((preserve_access_index));

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__type(key, int);
	__type(value, int);
	__uint(max_entries, 1);
} result SEC(".maps");

SEC("syscall")
int small(void *ctx)
{
	struct task_struct___small *t = (void *)bpf_get_current_task();
	int zero = 0, tgid, *value;

	bpf_rcu_read_lock();
	tgid = BPF_CORE_READ(t, tgid);
	bpf_rcu_read_unlock();
	value = bpf_map_lookup_elem(&result, &zero);
	if (value)
		*value = tgid;
	seen++;
	return tunable * 10 + fixed;
}

char LICENSE[] SEC("license") = "GPL";
