/* SPDX-License-Identifier: GPL-2.0 */
#ifndef BPF_SIGNED_WAYS_COMMON_H
#define BPF_SIGNED_WAYS_COMMON_H

#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include "ways.h"

#ifndef ARRAY_SIZE
#define ARRAY_SIZE(x)	(sizeof(x) / sizeof((x)[0]))
#endif
#define PASS	1		/* verdict of programs that have one */

char LICENSE[] SEC("license") = "GPL";

/* A section of its own, so that it is all that the runner maps */
struct ways_io io SEC(".data.io");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct ways_vault);
} vault SEC(".maps");

static __always_inline struct ways_vault *vault_value(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&vault, &zero);
}

/* Is it the runner's process that got us here? */
static __always_inline bool mine(void)
{
	return bpf_get_current_pid_tgid() >> 32 == io.pid;
}

/* Loads and stores that are to happen as they stand */
#define once(x)		(*(volatile typeof(x) *)&(x))

/* An address that is the kernel's, with five levels of page tables, too */
#define in_kernel(x)	((x) > 0xff00000000000000)

/* What the compiler must not see through */
#define opaque(x)							\
	({								\
		__u64 __x = (__u64)(x);					\
									\
		asm volatile("" : "+r"(__x));				\
		__x;							\
	})

/* Hands out a register as it is, pointer or not */
#define tell(n, x)							\
	do {								\
		io.val[n] = opaque(x);					\
		__sync_fetch_and_add(&io.hits, 1);			\
	} while (0)

#endif
