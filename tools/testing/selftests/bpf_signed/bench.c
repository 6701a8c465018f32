// SPDX-License-Identifier: GPL-2.0
/*
 * How long it takes to load BPF objects. A benchmark, not a test: nothing fails
 * for being slow.
 *
 *	bench load ROUNDS OBJECT...
 *		each object ROUNDS times, from bpf_object__open() to the return of
 *		bpf_object__load()
 *	bench parts METER OBJECT...
 *		of what a signed object takes, the part that the verifier takes, and
 *		that of copying and verifying its images
 *	bench lskel ROUNDS
 *		the light skeletons that were linked in, see bench_lskel.h
 *	bench relocate METER ROUNDS OBJECT...
 *		what the kernel takes for the CO-RE records of each object: once
 *		with the candidate cache of the C engine filled with other names,
 *		then ROUNDS times as it is
 *	bench parallel SECONDS PROCESSES OBJECT...
 *		how many objects so many processes load in that time, each on a CPU
 *		of its own; without an object, how far they count
 *
 * Prints lines of words that are separated by tabs: the object, how many programs or
 * records it has, and one number for each round, in nanoseconds; or the object, "-",
 * and why it was not loaded.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <linux/compiler.h>
#include <linux/jhash.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include "bench_lskel.h"
#include "bpf_companion.h"
#include "meter.h"
#include "size_maps.h"

#define MAX_PROCESSES 64
#define MAX_PROGRAMS 256

#ifndef ARRAY_SIZE
#define ARRAY_SIZE(x) (sizeof(x) / sizeof((x)[0]))
#endif

/* .BTF.ext begins with it */
struct ext_header {
	__u16 magic;
	__u8 version;
	__u8 flags;
	__u32 hdr_len;
	__u32 func_info_off, func_info_len;
	__u32 line_info_off, line_info_len;
	__u32 core_relo_off, core_relo_len;
};

/* CO-RE records of a section */
struct ext_section {
	__u32 name_off;
	__u32 cnt;
	struct bpf_core_relo relos[];
};

static int quiet(enum libbpf_print_level level, const char *format, va_list args)
{
	return level == LIBBPF_WARN && getenv("VERBOSE") ?
	       vfprintf(stderr, format, args) : 0;
}

static void __noreturn die(const char *what)
{
	perror(what);
	exit(1);
}

static __u64 now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

static void *share(size_t size)
{
	void *mem = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (mem == MAP_FAILED)
		die("mmap");
	return mem;
}

static const void *section(Elf *elf, const char *name, size_t *size)
{
	Elf_Scn *scn = NULL;
	size_t names;

	if (elf_getshdrstrndx(elf, &names))
		return NULL;
	while ((scn = elf_nextscn(elf, scn))) {
		const char *found;
		Elf_Data *data;
		GElf_Shdr sh;

		if (!gelf_getshdr(scn, &sh))
			continue;
		found = elf_strptr(elf, names, sh.sh_name);
		if (!found || strcmp(found, name))
			continue;
		data = elf_getdata(scn, NULL);
		*size = data ? data->d_size : 0;
		return data ? data->d_buf : NULL;
	}
	return NULL;
}

/* The file's name without what all of them end in */
static const char *object_name(const char *path)
{
	static char name[64];
	const char *base = strrchr(path, '/');
	char *end;

	snprintf(name, sizeof(name), "%s", base ? base + 1 : path);
	end = strstr(name, ".bpf.o");
	if (end)
		*end = '\0';
	return name;
}

static struct bpf_object *open_object(const char *path)
{
	struct bpf_object *obj = bpf_object__open(path);

	if (obj)
		size_maps(obj);
	return obj;
}

/* Which programs of an object load, in memory that all processes share */
static struct chosen {
	__u32 cnt;
	bool ok[MAX_PROGRAMS];
} *chosen;

/* What a signed load is made of, in ns; for the other processes, too */
static struct parts {
	__u64 images;
	__u64 verifier;
	__u64 programs;
} *parts;

static struct meter *meter;

/* Leaves out what this kernel has no place for, as tools do */
static void choose_here(const char *path)
{
	struct bpf_object *obj = open_object(path);
	struct bpf_program *prog;
	int i = 0;

	memset(chosen, 0, sizeof(*chosen));
	if (!obj || bpf_object__prepare(obj))
		return;
	bpf_object__for_each_program(prog, obj) {
		int fd = i < MAX_PROGRAMS ? bpf_program__clone(prog, NULL) : -1;

		if (fd >= 0) {
			chosen->ok[i] = true;
			chosen->cnt++;
			close(fd);
		}
		i++;
	}
}

static void choose(const char *path)
{
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid < 0)
		die("fork");
	if (!pid) {
		choose_here(path);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
}

static int load_object(const void *path)
{
	struct bpf_object *obj = open_object(path);
	struct bpf_program *prog;
	int i = 0;

	if (!obj)
		return -errno;
	bpf_object__for_each_program(prog, obj)
		if (!chosen->ok[i++])
			bpf_program__set_autoload(prog, false);
	return bpf_object__load(obj);
}

/* where none are linked in */
const struct lskel lskels[] __weak = { {} };

static int load_lskel(const void *lskel)
{
	return ((const struct lskel *)lskel)->load();
}

/*
 * In a process that has loaded nothing yet, as a tool is: libbpf remembers what
 * it has learned of the kernel. What is loaded goes with the process.
 */
static int time_load(int (*load)(const void *what), const void *what, __u64 *took)
{
	struct {
		__u64 took;
		int err;
	} result = { .err = -ECHILD };
	int fds[2];
	pid_t pid;

	/*
	 * Programs are freed in the background. How many are still there decides
	 * how long room for the next one is searched for.
	 */
	usleep(50000);
	fflush(NULL);
	if (pipe(fds))
		die("pipe");
	pid = fork();
	if (pid < 0)
		die("fork");
	if (!pid) {
		result.took = now();
		result.err = load(what);
		result.took = now() - result.took;
		_exit(write(fds[1], &result, sizeof(result)) != sizeof(result));
	}
	close(fds[1]);
	if (read(fds[0], &result, sizeof(result)) != sizeof(result))
		result.err = -ECHILD;
	close(fds[0]);
	waitpid(pid, NULL, 0);
	*took = result.took;
	return result.err;
}

/* After it was loaded before, which has brought it into the caches */
static void measure(const char *name, int rounds, int (*load)(const void *what),
		    const void *what)
{
	__u64 took;
	int i, err;

	for (i = 0; i < rounds; i++) {
		err = time_load(load, what, &took);
		if (err && !i) {
			printf("%s\t-\t%s\n", name, strerror(-err));
			return;
		}
		if (err) {
			fprintf(stderr, "%s: was loaded before, and now: %s\n", name,
				strerror(-err));
			exit(1);
		}
		if (!i)
			printf("%s\t%u", name, chosen->cnt);
		printf("\t%llu", took);
	}
	printf("\n");
}

static int bench_load(int rounds, char **objects)
{
	for (; *objects; objects++) {
		const char *name = object_name(*objects);

		choose(*objects);
		if (chosen->cnt)
			measure(name, rounds, load_object, *objects);
		else
			printf("%s\t-\tnone of its programs loads\n", name);
	}
	return 0;
}

static int bench_lskels(int rounds)
{
	const struct lskel *lskel;
	__u64 took;

	/* all or none */
	memset(chosen, 0, sizeof(*chosen));
	for (lskel = lskels; lskel->name; lskel++) {
		time_load(load_lskel, lskel, &took);
		measure(lskel->name, rounds, load_lskel, lskel);
	}
	return 0;
}

/* Never closed: it is to watch until the end. */
static struct meter *start_meter(const char *path)
{
	struct bpf_object *obj = bpf_object__open(path);
	struct bpf_program *prog;
	struct bpf_map *map;
	size_t size = 0;
	void *meter;

	if (!obj || bpf_object__load(obj))
		die(path);
	bpf_object__for_each_program(prog, obj)
		if (!bpf_program__attach(prog))
			die(bpf_program__name(prog));
	map = bpf_object__find_map_by_name(obj, ".bss");
	meter = map ? bpf_map__initial_value(map, &size) : NULL;
	if (!meter || size < sizeof(struct meter)) {
		fprintf(stderr, "%s: not the meter\n", path);
		exit(1);
	}
	return meter;
}

/*
 * Some of what libbpf wants to know of the kernel it learns by loading programs of
 * its own. The second time it knows.
 */
static int meter_load(const void *path)
{
	int err = load_object(path);

	if (err)
		return err;
	parts->verifier = meter->sum;
	parts->programs = meter->calls;
	err = load_object(path);
	parts->verifier = meter->sum - parts->verifier;
	parts->programs = meter->calls - parts->programs;
	return err;
}

/*
 * All that comes before the kernel looks into an image. It goes no further with as
 * many fds as no image has slots.
 */
static int verify_images(const void *path)
{
	struct bpf_companion comp;
	struct bpf_program *prog;
	struct bpf_object *obj;
	union bpf_attr attr;
	const void *data;
	int fds[64], i;
	size_t len = 0;
	Elf *elf;

	memset(fds, -1, sizeof(fds));
	obj = open_object(path);
	elf = elf_begin(open(path, O_RDONLY | O_CLOEXEC), ELF_C_READ, NULL);
	data = elf ? section(elf, BPF_COMPANION_SEC, &len) : NULL;
	if (!obj || !data || bpf_companion_parse(&comp, data, len))
		return -EINVAL;
	for (i = 0; i < (int)comp.hdr->prog_cnt; i++) {
		int n = 0;

		bpf_object__for_each_program(prog, obj) {
			if (!strcmp(bpf_program__name(prog), bpf_companion_name(&comp, i)))
				break;
			n++;
		}
		if (!prog || !chosen->ok[n])
			continue;
		memset(&attr, 0, sizeof(attr));
		attr.image = (unsigned long)bpf_companion_image(&comp, i, &attr.image_size);
		attr.signature = (unsigned long)bpf_companion_sig(&comp, i,
								  &attr.signature_size);
		attr.keyring_id = 1;
		attr.fd_array = (unsigned long)fds;
		attr.fd_array_cnt = ARRAY_SIZE(fds);
		parts->images -= now();
		if (!syscall(__NR_bpf, BPF_PROG_LOAD, &attr, sizeof(attr)) || errno != EINVAL)
			return -errno;
		parts->images += now();
	}
	return 0;
}

static int bench_parts(const char *meter_path, char **objects)
{
	__u64 took;
	int err;

	meter = start_meter(meter_path);
	elf_version(EV_CURRENT);
	for (; *objects; objects++) {
		const char *name = object_name(*objects);

		choose(*objects);
		if (!chosen->cnt)
			continue;
		memset(parts, 0, sizeof(*parts));
		err = time_load(meter_load, *objects, &took);
		err = err ?: time_load(verify_images, *objects, &took);
		if (err || parts->programs != chosen->cnt) {
			fprintf(stderr, "%s: %s, %llu of %u programs\n", name, strerror(-err),
				parts->programs, chosen->cnt);
			return 1;
		}
		printf("%s\t%u\t%llu\t%llu\n", name, chosen->cnt, parts->verifier,
		       parts->images);
	}
	return 0;
}

/* Lets the kernel relocate a program, and tells how long that took */
static __u64 relocate(int btf_fd, const struct bpf_insn *insns, size_t insn_cnt,
		      const struct bpf_core_relo *relos, __u32 relo_cnt)
{
	__u64 calls = meter->calls;
	union bpf_attr attr;
	int fd;

	memset(&attr, 0, sizeof(attr));
	attr.prog_type = BPF_PROG_TYPE_RAW_TRACEPOINT;
	attr.insns = (unsigned long)insns;
	attr.insn_cnt = insn_cnt;
	attr.license = (unsigned long)"GPL";
	attr.prog_btf_fd = btf_fd;
	attr.core_relos = (unsigned long)relos;
	attr.core_relo_cnt = relo_cnt;
	attr.core_relo_rec_size = sizeof(*relos);
	/*
	 * What comes after relocation may refuse the program, which lacks maps
	 * and subprograms.
	 */
	fd = syscall(__NR_bpf, BPF_PROG_LOAD, &attr, sizeof(attr));
	if (fd >= 0)
		close(fd);
	if (meter->calls == calls) {
		fprintf(stderr, "the meter does not work\n");
		exit(1);
	}
	if (meter->ret) {
		fprintf(stderr, "no CO-RE: %s\n", strerror(-meter->ret));
		exit(1);
	}
	return meter->took;
}

/*
 * The C engine keeps what it found for 31 names, by their hash. With one name for
 * each, which no type has, everything else is forgotten.
 */
static void forget_candidates(void)
{
	enum { SLOTS = 31 };
	static struct bpf_core_relo relos[SLOTS];
	static struct bpf_insn insns[SLOTS + 1];
	static int btf_fd = -1;

	if (btf_fd < 0) {
		struct btf *btf = btf__new_empty();
		int number, access, id, i, cnt = 0;
		bool taken[SLOTS] = {};
		char name[32];

		if (!btf)
			die("BTF");
		number = btf__add_int(btf, "int", 4, BTF_INT_SIGNED);
		access = btf__add_str(btf, "0");
		for (i = 0; cnt < SLOTS; i++) {
			__u32 slot;

			snprintf(name, sizeof(name), "no_such_type_%d", i);
			slot = jhash(name, strlen(name), 0) % SLOTS;
			if (taken[slot])
				continue;
			taken[slot] = true;
			id = btf__add_struct(btf, name, 4);
			if (id < 0 || btf__add_field(btf, "field", number, 0, 0))
				die("BTF");
			relos[cnt].insn_off = cnt * sizeof(*insns);
			relos[cnt].type_id = id;
			relos[cnt].access_str_off = access;
			relos[cnt].kind = BPF_CORE_TYPE_EXISTS;
			insns[cnt].code = BPF_ALU64 | BPF_MOV | BPF_K;
			insns[cnt].imm = 1;
			cnt++;
		}
		insns[cnt].code = BPF_JMP | BPF_EXIT;
		if (btf__load_into_kernel(btf))
			die("BTF");
		btf_fd = btf__fd(btf);
	}
	relocate(btf_fd, insns, SLOTS + 1, relos, SLOTS);
}

/*
 * Relocates all sections with programs as they stand in the file, each as if it
 * was one program. Returns how long it took, and how many records there are.
 */
static __u64 relocate_all(int btf_fd, const struct btf *btf, const struct btf_ext *ext,
			  Elf *elf, __u32 *records)
{
	const struct ext_section *sec;
	const struct ext_header *hdr;
	__u64 took = 0, least;
	const void *end;
	__u32 size;
	int i;

	*records = 0;
	hdr = btf_ext__raw_data(ext, &size);
	if (hdr->hdr_len < sizeof(*hdr) || !hdr->core_relo_len)
		return 0;
	sec = (const void *)hdr + hdr->hdr_len + hdr->core_relo_off;
	end = (const void *)sec + hdr->core_relo_len;
	if (*(const __u32 *)sec != sizeof(struct bpf_core_relo))
		die("size of a CO-RE record");

	for (sec = (const void *)sec + sizeof(__u32); (const void *)sec < end;
	     sec = (const void *)&sec->relos[sec->cnt]) {
		const char *name = btf__name_by_offset(btf, sec->name_off);
		const struct bpf_insn *insns;
		size_t insn_cnt;

		insns = section(elf, name, &insn_cnt);
		if (!insns)
			die(name);
		insn_cnt /= sizeof(*insns);
		took += relocate(btf_fd, insns, insn_cnt, sec->relos, sec->cnt);
		*records += sec->cnt;
		/* what the meter itself takes */
		for (least = ~0ULL, i = 0; i < 3; i++) {
			__u64 none = relocate(btf_fd, insns, insn_cnt, NULL, 0);

			least = none < least ? none : least;
		}
		took -= least < took ? least : took;
	}
	return took;
}

static void relocate_object(int rounds, const char *path)
{
	const char *name = object_name(path);
	struct btf_ext *ext = NULL;
	struct bpf_object *obj;
	struct btf *btf;
	__u32 records;
	__u64 took;
	int fd, err;
	Elf *elf;

	/* libbpf completes the BTF and loads it */
	obj = open_object(path);
	err = obj ? bpf_object__prepare(obj) : -errno;
	if (err) {
		printf("%s\t-\t%s\n", name, strerror(-err));
		goto out;
	}
	btf = btf__parse_elf(path, &ext);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	elf = fd < 0 ? NULL : elf_begin(fd, ELF_C_READ, NULL);
	if (!btf || !elf)
		die(path);
	if (ext) {
		forget_candidates();
		took = relocate_all(bpf_object__btf_fd(obj), btf, ext, elf, &records);
		if (records) {
			printf("%s\t%u\t%llu", name, records, took);
			while (rounds--)
				printf("\t%llu",
				       relocate_all(bpf_object__btf_fd(obj), btf, ext, elf,
						    &records));
			printf("\n");
		}
	}
	elf_end(elf);
	close(fd);
	btf_ext__free(ext);
	btf__free(btf);
out:
	bpf_object__close(obj);
}

static int bench_relocate(const char *meter_path, int rounds, char **objects)
{
	meter = start_meter(meter_path);
	elf_version(EV_CURRENT);
	for (; *objects; objects++) {
		relocate_object(rounds, *objects);
		fflush(stdout);
	}
	return 0;
}

/* Shared by all processes */
struct parallel {
	int ready;
	bool go;
	bool stop;
	struct {
		__u64 done;
		int err;
	} __aligned(64) process[MAX_PROCESSES];
};

static void work(struct parallel *shared, int me, char **objects)
{
	static __u64 x;
	cpu_set_t cpus;
	int i;

	CPU_ZERO(&cpus);
	CPU_SET(me % sysconf(_SC_NPROCESSORS_ONLN), &cpus);
	sched_setaffinity(0, sizeof(cpus), &cpus);
	__sync_fetch_and_add(&shared->ready, 1);
	while (!READ_ONCE(shared->go))
		sched_yield();
	for (i = 0; !READ_ONCE(shared->stop); i = objects[i + 1] ? i + 1 : 0) {
		struct bpf_object *obj;
		int err;

		if (!objects[0]) {
			for (i = 0; i < 1000000; i++)
				WRITE_ONCE(x, x * 3 + 1);
			shared->process[me].done++;
			i = 0;
			continue;
		}
		obj = open_object(objects[i]);
		err = obj ? bpf_object__load(obj) : -errno;
		bpf_object__close(obj);
		if (err) {
			shared->process[me].err = err;
			return;
		}
		shared->process[me].done++;
	}
}

static int bench_parallel(int seconds, int processes, char **objects)
{
	struct parallel *shared;
	__u64 start, done = 0;
	int i, err = 0;

	if (processes < 1 || processes > MAX_PROCESSES)
		return 2;
	shared = share(sizeof(*shared));
	for (i = 0; i < processes; i++) {
		switch (fork()) {
		case -1:
			die("fork");
		case 0:
			work(shared, i, objects);
			_exit(0);
		}
	}
	while (READ_ONCE(shared->ready) < processes)
		usleep(1000);
	start = now();
	WRITE_ONCE(shared->go, true);
	sleep(seconds);
	WRITE_ONCE(shared->stop, true);
	/* what is under way counts, and so does its time */
	while (wait(NULL) > 0)
		;
	start = now() - start;
	for (i = 0; i < processes; i++) {
		done += shared->process[i].done;
		err = err ?: shared->process[i].err;
	}
	if (err) {
		fprintf(stderr, "%s\n", strerror(-err));
		return 1;
	}
	printf("%d\t%.3f\n", processes, done * 1e9 / start);
	return 0;
}

int main(int argc, char **argv)
{
	libbpf_set_print(quiet);
	chosen = share(sizeof(*chosen));
	parts = share(sizeof(*parts));
	if (argc >= 3 && !strcmp(argv[1], "load"))
		return bench_load(atoi(argv[2]), argv + 3);
	if (argc >= 3 && !strcmp(argv[1], "parts"))
		return bench_parts(argv[2], argv + 3);
	if (argc == 3 && !strcmp(argv[1], "lskel"))
		return bench_lskels(atoi(argv[2]));
	if (argc >= 4 && !strcmp(argv[1], "relocate"))
		return bench_relocate(argv[2], atoi(argv[3]), argv + 4);
	if (argc >= 4 && !strcmp(argv[1], "parallel"))
		return bench_parallel(atoi(argv[2]), atoi(argv[3]), argv + 4);
	fprintf(stderr, "usage: %s load|parts|lskel|relocate|parallel ..., see bench.c\n", argv[0]);
	return 2;
}
