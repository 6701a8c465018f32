// SPDX-License-Identifier: GPL-2.0
/* What a security module is told of a load. */
#include "common.h"

const volatile int watched;

struct seen {
	int loads;
	int kernel;
	__u32 type;
	__u32 verdict;
	__u32 keyring_type;
	char name[16];
} seen;

int deny;

SEC("lsm/bpf_prog_load")
int BPF_PROG(on_prog_load, struct bpf_prog *prog, union bpf_attr *attr,
	     struct bpf_token *token, bool kernel)
{
	if (bpf_get_current_pid_tgid() >> 32 != watched)
		return 0;
	seen.loads++;
	seen.kernel = kernel;
	seen.type = prog->type;
	seen.verdict = prog->aux->sig.verdict;
	seen.keyring_type = prog->aux->sig.keyring_type;
	bpf_core_read(seen.name, sizeof(seen.name), &prog->aux->name);
	return deny ? -1 : 0;
}

char LICENSE[] SEC("license") = "GPL";
