/* SPDX-License-Identifier: GPL-2.0 */
/* Light skeletons for bench.c; one without a name ends the list. */
#ifndef BENCH_LSKEL_H
#define BENCH_LSKEL_H

struct lskel {
	const char *name;
	/* opens and loads it, and returns 0 or a negative errno */
	int (*load)(void);
};

extern const struct lskel lskels[];

#endif /* BENCH_LSKEL_H */
