/* SPDX-License-Identifier: GPL-2.0 */
/* What programs and runner tell each other; the runner maps it. */
#ifndef BPF_SIGNED_WAYS_H
#define BPF_SIGNED_WAYS_H

struct ways_io {
	/* for the program */
	__u64 pid;		/* process to look at */
	__u64 target;		/* address to read: "Linux version ..." */
	__u64 arg[6];		/* depends on the row */
	/* from the program */
	__u64 hits;		/* how often it came to its end */
	__u64 val[10];		/* numbers it learnt */
	__u8 bytes[128];	/* contents it read */
};

/* Value of the map "vault"; its first word is a number that is nowhere else. */
struct ways_vault {
	__u64 magic;
	__u8 pad[4088];
};

#endif
