// SPDX-License-Identifier: GPL-2.0
/* Names that a module has. */
#include "common.h"

extern int bpf_signed_test_add(int a, int b) __ksym;
extern int bpf_signed_test_target(int a) __ksym;
extern int bpf_no_such_kfunc(int a) __ksym;

/* in the module, it is not the first member */
struct bpf_signed_test_pair {
	__u32 second;
} __attribute__((preserve_access_index));

int hits;

SEC("syscall")
int call_module(void *ctx)
{
	return bpf_signed_test_add(40, 2);
}

/* the kernel's, the module's, the kernel's again */
SEC("syscall")
int call_both(void *ctx)
{
	struct task_struct *p;
	int ret;

	p = bpf_task_from_pid(1);
	ret = bpf_signed_test_add(1, 2) + bpf_signed_test_target(4);
	if (p)
		bpf_task_release(p);
	return ret;
}

/* found in the module, and then there is one that nobody has */
SEC("syscall")
int call_unknown(void *ctx)
{
	return bpf_signed_test_add(1, 2) + bpf_no_such_kfunc(3);
}

SEC("syscall")
int offset_in_module(void *ctx)
{
	if (!bpf_core_type_exists(struct bpf_signed_test_pair))
		return 0;
	return bpf_core_field_offset(struct bpf_signed_test_pair, second);
}

SEC("fentry")
int BPF_PROG(on_target, int a)
{
	__sync_fetch_and_add(&hits, a);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
