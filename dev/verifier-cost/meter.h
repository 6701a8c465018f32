/* SPDX-License-Identifier: GPL-2.0 */
/* What the meter tells, in ns */
struct meter {
	__u64 began;
	__u64 took;	/* by the last program */
	__u64 calls;
};
