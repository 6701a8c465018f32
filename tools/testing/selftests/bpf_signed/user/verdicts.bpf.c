// SPDX-License-Identifier: GPL-2.0
/*
 * A program for each class, of a type that may be unsigned and of one that may
 * not: what 'bpftool sign check' says of them is compared with the kernel's policy
 * by lockdown.verdicts.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

extern void no_such_kfunc(void) __ksym __weak;

#define PROGS(name, call)						\
	static __always_inline int do_##name(void *ctx)			\
	{								\
		long value = 0;						\
									\
		call;							\
		return value;						\
	}								\
	SEC("xdp") int listed_##name(void *ctx)				\
	{								\
		return do_##name(ctx);					\
	}								\
	SEC("perf_event") int unlisted_##name(void *ctx)		\
	{								\
		return do_##name(ctx);					\
	}

PROGS(plain, value = bpf_get_prandom_u32())
PROGS(user_read, bpf_probe_read_user(&value, sizeof(value), ctx))
PROGS(user_write, bpf_probe_write_user(ctx, &value, sizeof(value)))
PROGS(control, bpf_send_signal(1))
PROGS(kernel_read, bpf_probe_read_kernel(&value, sizeof(value), ctx))
PROGS(kernel_address, value = bpf_get_current_task())
PROGS(fields, value = !bpf_get_current_task_btf())
PROGS(loader, bpf_sys_close(1))
PROGS(no_table, no_such_kfunc ? no_such_kfunc() : (void)0)

char LICENSE[] SEC("license") = "GPL";
