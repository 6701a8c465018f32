/* SPDX-License-Identifier: GPL-2.0 */
/* What the meter tells of the last call, in ns */
struct meter {
	__u64 began;
	__u64 took;
	__u64 calls;	/* all there were */
	__u64 sum;	/* of what they took */
	__s32 ret;
	__u32 pad;
};
