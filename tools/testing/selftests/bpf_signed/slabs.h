/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What each slab cache has taken, from /proc/slabinfo: CONFIG_SLUB_DEBUG, and
 * caches that are not merged.
 */
#ifndef SLABS_H
#define SLABS_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "lib.h"

struct slabs {
	int cnt;
	struct {
		char name[40];
		long size;	/* KiB */
	} cache[512];
};

static struct slabs *slabs_read(void)
{
	struct slabs *s = calloc(1, sizeof(*s));
	char *text = read_file("/proc/slabinfo", NULL), *line, *save;
	long pages, slabs;

	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		check(s->cnt < ARRAY_SIZE(s->cache), "there are too many slab caches");
		if (sscanf(line,
			   "%39s %*d %*d %*d %*d %ld : tunables %*d %*d %*d : slabdata %*d %ld",
			   s->cache[s->cnt].name, &pages, &slabs) == 3)
			s->cache[s->cnt++].size = pages * slabs * (getpagesize() / 1024);
	}
	free(text);
	return s;
}

/*
 * KiB of caches that say nothing about a leak: what kmemleak keeps of memory that
 * it watches, or has watched, and areas of vmalloc() whose pages are free already,
 * but that wait for many of their kind before TLBs are flushed.
 */
static long slabs_unrelated(const struct slabs *s)
{
	long size = 0;
	int i;

	for (i = 0; i < s->cnt; i++)
		if (!strcmp(s->cache[i].name, "vmap_area") ||
		    !strncmp(s->cache[i].name, "kmemleak_", strlen("kmemleak_")))
			size += s->cache[i].size;
	return size;
}

static long slabs_find(const struct slabs *s, const char *name)
{
	int i;

	for (i = 0; i < s->cnt; i++)
		if (!strcmp(s->cache[i].name, name))
			return s->cache[i].size;
	return 0;
}

/* Says which caches have grown by more than @least KiB */
static void slabs_print_growth(const struct slabs *before, const struct slabs *after, long least)
{
	long more;
	int i;

	for (i = 0; i < after->cnt; i++) {
		more = after->cache[i].size - slabs_find(before, after->cache[i].name);
		if (more > least)
			printf("# %s: %+ld KiB\n", after->cache[i].name, more);
	}
}

#endif /* SLABS_H */
