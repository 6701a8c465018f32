// SPDX-License-Identifier: GPL-2.0
/* A program with one of everything: maps, read-only data, CO-RE, a kfunc. */
#include "common.h"

const volatile int tunable;
const int fixed = 7;
int hits;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__type(key, int);
	__type(value, long);
	__uint(max_entries, 16);
} counts SEC(".maps");

extern struct task_struct *bpf_task_from_pid(s32 pid) __ksym;
extern void bpf_task_release(struct task_struct *p) __ksym;

SEC("fentry/vfs_unlink")
int BPF_PROG(on_unlink)
{
	struct task_struct *t = (void *)bpf_get_current_task();
	int ppid = BPF_CORE_READ(t, real_parent, tgid);
	long one = 1;

	if (tunable && tunable != (bpf_get_current_pid_tgid() >> 32))
		return 0;
	t = bpf_task_from_pid(1);
	if (t)
		bpf_task_release(t);
	bpf_map_update_elem(&counts, &ppid, &one, 0);
	hits += fixed;
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
