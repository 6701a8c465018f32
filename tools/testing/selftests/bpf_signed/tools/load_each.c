// SPDX-License-Identifier: GPL-2.0
/*
 * load_each OBJECT [PROGRAM=TARGET...]
 *
 * Loads each program of an object, one at a time, and prints a line for each:
 * its name, its section, and "ok" or the error. A tool loads only those of its
 * programs that the kernel has a use for; here it is about all of them.
 * TARGET is what a tool would have chosen at run time to attach the program to.
 * The exit status is 0 if all programs loaded, 1 if not, 2 if it went wrong.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

static char last[512];

/* The sentence that says what is wrong is the last one of the kernel's log */
static int print(enum libbpf_print_level level, const char *format, va_list args)
{
	static char text[1 << 16];
	char *line, *save;

	if (level != LIBBPF_WARN)
		return 0;
	vsnprintf(text, sizeof(text), format, args);
	if (!strstr(text, "PROG LOAD LOG"))
		return 0;
	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		if (strstr(line, "PROG LOAD LOG") || !*line ||
		    !strncmp(line, "processed ", 10))
			continue;
		snprintf(last, sizeof(last), "%s", line);
	}
	return 0;
}

static const char *target_of(const char *name, char **targets)
{
	size_t len = strlen(name);

	for (; *targets; targets++)
		if (!strncmp(*targets, name, len) && (*targets)[len] == '=')
			return *targets + len + 1;
	return NULL;
}

/* 0, the error of the load, or 1 if there is no such program */
static int load(const char *file, int which, char **targets)
{
	struct bpf_program *prog, *chosen = NULL;
	struct bpf_object *obj;
	const char *target;
	int i = 0, err;

	obj = bpf_object__open(file);
	if (!obj) {
		fprintf(stderr, "%s: %s\n", file, strerror(errno));
		return 2;
	}
	bpf_object__for_each_program(prog, obj) {
		if (i == which)
			chosen = prog;
		bpf_program__set_autoload(prog, i++ == which);
	}
	if (!chosen) {
		bpf_object__close(obj);
		return 1;
	}
	/* maps that a tool gives a size when it knows what it needs */
	struct bpf_map *map;

	bpf_object__for_each_map(map, obj) {
		if (!bpf_map__max_entries(map) &&
		    bpf_map__type(map) != BPF_MAP_TYPE_PERF_EVENT_ARRAY)
			bpf_map__set_max_entries(map, bpf_map__type(map) == BPF_MAP_TYPE_RINGBUF ?
						 4096 : 16);
		if (bpf_map__type(map) == BPF_MAP_TYPE_STACK_TRACE &&
		    bpf_map__value_size(map) < 8)
			bpf_map__set_value_size(map, 8 * 127);
	}
	target = target_of(bpf_program__name(chosen), targets);
	last[0] = '\0';
	err = target ? bpf_program__set_attach_target(chosen, 0, target) : 0;
	if (!err)
		err = bpf_object__load(obj);
	printf("%s\t%s\t%s%s%s\n", bpf_program__name(chosen),
	       bpf_program__section_name(chosen),
	       err ? strerror(-err) : "ok", err && last[0] ? ": " : "",
	       err ? last : "");
	bpf_object__close(obj);
	return err ?: 0;
}

int main(int argc, char **argv)
{
	int i, err, ret = 0;

	if (argc < 2)
		return 2;
	libbpf_set_print(print);
	for (i = 0; ; i++) {
		err = load(argv[1], i, argv + 2);
		if (err == 2)
			return 2;
		if (err == 1)
			break;
		if (err)
			ret = 1;
	}
	return i ? ret : 2;
}
