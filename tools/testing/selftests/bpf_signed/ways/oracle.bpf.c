// SPDX-License-Identifier: GPL-2.0
/* Tells the runner what the truth is, on a kernel that is not locked down. */
#include "common.bpf.h"

SEC("syscall")
int oracle_read(void *ctx)
{
	io.val[1] = bpf_probe_read_kernel(&io.val[0], 8, (void *)io.arg[0]);
	return 0;
}

SEC("syscall")
int oracle_vault(void *ctx)
{
	io.val[0] = opaque(vault_value());
	return 0;
}

SEC("syscall")
int oracle_task(void *ctx)
{
	io.val[0] = bpf_get_current_task();
	return 0;
}
