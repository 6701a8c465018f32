// SPDX-License-Identifier: GPL-2.0
/*
 * Loads each program of each object several times, and prints what the verifier
 * took for the cheapest of these loads and for the dearest:
 *
 *	OBJECT PROGRAM LEAST MOST
 *
 * "-" instead of the two numbers, and a reason, if it does not load.
 *
 *	cost METER LOADS OBJECT...
 */
#include <errno.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include "meter.h"
#include "size_maps.h"

static volatile struct meter *meter;

static int quiet(enum libbpf_print_level level, const char *format, va_list args)
{
	return level == LIBBPF_WARN && getenv("VERBOSE") ?
	       vfprintf(stderr, format, args) : 0;
}

/* Never closed: it is to watch until the end. */
static void start_meter(const char *path)
{
	struct bpf_object *obj = bpf_object__open(path);
	struct bpf_program *prog;
	struct bpf_map *map;
	size_t size;

	if (!obj || bpf_object__load(obj)) {
		perror(path);
		exit(1);
	}
	bpf_object__for_each_program(prog, obj) {
		if (!bpf_program__attach(prog)) {
			perror(bpf_program__name(prog));
			exit(1);
		}
	}
	map = bpf_object__find_map_by_name(obj, ".bss");
	meter = map ? bpf_map__initial_value(map, &size) : NULL;
	if (!meter || size < sizeof(*meter)) {
		fprintf(stderr, "%s: not the meter\n", path);
		exit(1);
	}
}

static void measure(const char *obj, struct bpf_program *prog, int loads)
{
	__u64 least = ~0ULL, most = 0;

	/*
	 * Programs are freed in the background. How many are still there decides
	 * how long room for the next one is searched for.
	 */
	usleep(50000);
	while (loads--) {
		__u64 calls = meter->calls;
		int fd = bpf_program__clone(prog, NULL);

		if (fd < 0) {
			printf("%s\t%s\t-\t%s\n", obj, bpf_program__name(prog),
			       strerror(-fd));
			return;
		}
		close(fd);
		if (meter->calls == calls) {
			fprintf(stderr, "the meter does not work\n");
			exit(1);
		}
		if (meter->took < least)
			least = meter->took;
		if (meter->took > most)
			most = meter->took;
	}
	printf("%s\t%s\t%llu\t%llu\n", obj, bpf_program__name(prog), least, most);
}

int main(int argc, char **argv)
{
	struct sched_param prio = { .sched_priority = 1 };
	int i, err, loads;

	if (argc < 4) {
		fprintf(stderr, "usage: %s METER LOADS OBJECT...\n", argv[0]);
		return 2;
	}
	loads = atoi(argv[2]);
	libbpf_set_print(quiet);
	start_meter(argv[1]);
	/* nothing else runs while a program is verified */
	if (sched_setscheduler(0, SCHED_FIFO, &prio))
		perror("sched_setscheduler");

	for (i = 3; i < argc; i++) {
		struct bpf_object *obj = bpf_object__open(argv[i]);
		struct bpf_program *prog;

		err = obj ? 0 : -errno;
		if (!err) {
			size_maps(obj);
			err = bpf_object__prepare(obj);
		}
		if (err)
			printf("%s\t\t-\t%s\n", argv[i], strerror(-err));
		else
			bpf_object__for_each_program(prog, obj)
				measure(argv[i], prog, loads);
		fflush(stdout);
		bpf_object__close(obj);
	}
	return 0;
}
