// SPDX-License-Identifier: GPL-2.0
/* What 10,000 refused loads leave behind: nothing. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <glob.h>
#include <signal.h>
#include <time.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include "lib.h"
#include "slabs.h"

#define ROUNDS	1000		/* of each kind */
#define WARM_UP	100

/* One refused load, made ready once and tried again and again */
struct refusal {
	const char *name;
	const char *file, *prog;
	int error;
	void (*spoil)(union bpf_attr *attr);
};

static struct object *obj;
static const struct image_prog *prog;
static int fds[BPF_IMAGE_MAX_MAPS], fd_cnt;

static void spoil_image(union bpf_attr *attr)
{
	char *copy = malloc(prog->image_len);

	memcpy(copy, prog->image, prog->image_len);
	copy[prog->image_len / 2] ^= 1;
	attr->image = (uintptr_t)copy;
}

static void spoil_signature(union bpf_attr *attr)
{
	attr->signature_size = 16;
}

static void spoil_key(union bpf_attr *attr)
{
	attr->keyring_id = 2;
}

static void spoil_format(union bpf_attr *attr)
{
	char *copy = malloc(prog->image_len + 8);
	struct image_prog *p;

	memcpy(copy, prog->image, prog->image_len);
	memset(copy + prog->image_len, 0, 8);
	((struct bpf_image_hdr *)copy)->size += 8;
	p = sign_image(fast_signer(), copy, prog->image_len + 8);
	attr->image = (uintptr_t)p->image;
	attr->image_size = p->image_len;
	attr->signature = (uintptr_t)p->sig;
	attr->signature_size = p->sig_len;
}

static void spoil_fd_cnt(union bpf_attr *attr)
{
	attr->fd_array_cnt++;
}

static void spoil_map(union bpf_attr *attr)
{
	fds[fd_cnt - 1] = must(map_create(BPF_MAP_TYPE_HASH, "x", 8, 8, 1, 0));
}

static void spoil_contents(union bpf_attr *attr)
{
	int slot = image_slot(prog->image, ".rodata");
	char zeroes[4096] = {};

	fds[slot] = make_map(obj, prog, slot, zeroes);
	must(map_freeze(fds[slot]));
}

static void spoil_btf(union bpf_attr *attr)
{
	attr->prog_btf_fd = object_open("basic.signed.o")->btf_fd;
}

static void spoil_slot(union bpf_attr *attr)
{
	fds[0] = -1;
}

static void spoil_target(union bpf_attr *attr)
{
	attr->attach_name = (uintptr_t)"vfs_unlink";
}

static void spoil_log(union bpf_attr *attr)
{
	attr->log_level = 2;
	attr->log_size = 200;
}

static void spoil_nothing(union bpf_attr *attr)
{
}

static const struct refusal refusals[] = {
	{ "changed image", "small.signed.o", "small", EKEYREJECTED, spoil_image },
	{ "no PKCS#7", "small.signed.o", "small", EBADMSG, spoil_signature },
	{ "no key", "small.signed.o", "small", ENOKEY, spoil_key },
	{ "malformed image", "small.signed.o", "small", EINVAL, spoil_format },
	{ "fd_array_cnt", "small.signed.o", "small", EINVAL, spoil_fd_cnt },
	{ "another map", "small.signed.o", "small", EINVAL, spoil_map },
	{ "other contents", "maps.signed.o", "use_rodata", EINVAL, spoil_contents },
	{ "other BTF", "small.signed.o", "small", EINVAL, spoil_btf },
	{ "unknown kfunc", "resolve.signed.o", "kfunc_unknown", ENOENT, spoil_nothing },
	{ "unknown symbol", "resolve.signed.o", "ksym_untyped_unknown", ENOENT, spoil_nothing },
	{ "unknown target", "attach.signed.o", "unknown_default", ENOENT, spoil_nothing },
	{ "target not signed", "attach.signed.o", "chooser", EINVAL, spoil_target },
	{ "empty slot that is reached", "resolve.signed.o", "slot_unguarded", EINVAL, spoil_slot },
	{ "relocation that fails", "resolve.signed.o", "core_unguarded", EINVAL, spoil_nothing },
	{ "log that is too short", "resolve.signed.o", "core", ENOSPC, spoil_log },
};

struct state {
	int progs, maps, btfs, links;
	long unreclaimable, vmalloc, percpu, cgroup, keys, key_refs;
	struct slabs *slabs;
};

static long field(const char *file, const char *name)
{
	char *text = read_file(file, NULL), *at;
	size_t len = strlen(name);
	long value = -1;

	for (at = text; at && value < 0; at = strchr(at, '\n'), at = at ? at + 1 : NULL)
		if (!strncmp(at, name, len) && strchr(": \t", at[len]))
			value = strtol(at + len + 1, NULL, 10);
	free(text);
	return value;
}

/* Number of keys, and all references to them */
static void key_counts(struct state *s)
{
	char *text = read_file("/proc/keys", NULL), *line, *save;

	s->key_refs = 0;
	s->keys = s->key_refs;
	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		unsigned int serial;
		char flags[16];
		long usage;

		/* keyrings come and go with processes; what vouches stays */
		if (sscanf(line, "%x %15s %ld", &serial, flags, &usage) == 3 &&
		    strstr(line, "asymmetri")) {
			s->keys++;
			s->key_refs += usage;
		}
	}
	free(text);
}

/* Slabs without an object in use, and what KASAN keeps from being used again */
static void shrink_slabs(void)
{
	glob_t files;
	size_t i;
	int fd;

	if (glob("/sys/kernel/slab/*/shrink", 0, NULL, &files))
		return;
	for (i = 0; i < files.gl_pathc; i++) {
		/* caches come and go */
		fd = open(files.gl_pathv[i], O_WRONLY);
		if (fd < 0)
			continue;
		check(write(fd, "1", 1) == 1 || errno == ENODEV, "%s: %s", files.gl_pathv[i],
		      strerror(errno));
		close(fd);
	}
	globfree(&files);
}

static bool write_file(const char *file, const char *text)
{
	int fd = open(file, O_WRONLY);
	bool done;

	if (fd < 0)
		return false;
	done = write(fd, text, strlen(text)) > 0;
	close(fd);
	return done;
}

static void settle(void)
{
	int i;

	/* what is freed after a grace period or by a worker */
	for (i = 0; i < 3; i++) {
		usleep(200000);
		write_file("/proc/sys/vm/drop_caches", "3");
	}
	usleep(300000);
	shrink_slabs();
	/* each CPU counts on its own for a while */
	write_file("/proc/sys/vm/stat_refresh", "1");
}

static char cgroup_stat[128];

static void own_cgroup(void)
{
	/* memory that is charged to us alone shows small leaks */
	if (!write_file("/sys/fs/cgroup/cgroup.subtree_control", "+memory"))
		return;
	if (mkdir("/sys/fs/cgroup/bpf_signed", 0755) && errno != EEXIST)
		return;
	if (!write_file("/sys/fs/cgroup/bpf_signed/cgroup.procs", "0"))
		return;
	snprintf(cgroup_stat, sizeof(cgroup_stat), "/sys/fs/cgroup/bpf_signed/memory.stat");
}

static struct state now(void)
{
	struct state s;

	settle();
	s.progs = count_ids(BPF_PROG_GET_NEXT_ID);
	s.maps = count_ids(BPF_MAP_GET_NEXT_ID);
	s.btfs = count_ids(BPF_BTF_GET_NEXT_ID);
	s.links = count_ids(BPF_LINK_GET_NEXT_ID);
	s.slabs = slabs_read();
	s.unreclaimable = field("/proc/meminfo", "SUnreclaim") - slabs_unrelated(s.slabs);
	s.vmalloc = field("/proc/meminfo", "VmallocUsed");
	s.percpu = field("/proc/meminfo", "Percpu");
	s.cgroup = cgroup_stat[0] ? field(cgroup_stat, "kernel") / 1024 : 0;
	key_counts(&s);
	return s;
}

/*
 * A leak of one object of 64 bytes in each load makes more than this many KiB
 * in ROUNDS loads. What else is going on may take as much now and then; but a
 * leak shows in each batch. With fewer rounds it takes a larger leak: kernels
 * that are so slow have kmemleak.
 */
#define SLACK		48
#define BATCHES		12

static void refuse(const struct refusal *r, int cnt, union bpf_attr *attr)
{
	int i, fd;

	for (i = 0; i < cnt; i++) {
		fd = image_load(attr);
		check(fd == -r->error, "%s: %s; log: %s", r->name,
		      fd < 0 ? strerror(-fd) : "it loaded", log_text);
	}
}

static void prepare(const struct refusal *r, union bpf_attr *attr)
{
	obj = object_open(r->file);
	prog = object_prog(obj, r->prog);
	fd_cnt = object_attr(attr, obj, prog, fds);
	r->spoil(attr);
}

static bool grown(const struct state *before, const struct state *after, long kib)
{
	return after->unreclaimable - before->unreclaimable > kib ||
	       after->vmalloc - before->vmalloc > kib ||
	       after->percpu - before->percpu > kib ||
	       after->cgroup - before->cgroup > kib;
}

/* What never has an excuse; returns whether memory has grown. */
static bool compare(const struct state *before, const struct state *after)
{
	long slab = after->unreclaimable - before->unreclaimable;
	long vmalloc = after->vmalloc - before->vmalloc;
	long percpu = after->percpu - before->percpu;
	long charged = after->cgroup - before->cgroup;

	printf("# slab %+ld KiB, vmalloc %+ld KiB, percpu %+ld KiB, charged %+ld KiB\n",
	       slab, vmalloc, percpu, charged);
	slabs_print_growth(before->slabs, after->slabs, 16);
	check(after->progs == before->progs, "programs: %d, were %d", after->progs, before->progs);
	check(after->maps == before->maps, "maps: %d, were %d", after->maps, before->maps);
	check(after->btfs == before->btfs, "BTFs: %d, were %d", after->btfs, before->btfs);
	check(after->links == before->links, "links: %d, were %d", after->links, before->links);
	check(after->keys == before->keys, "keys: %ld, were %ld", after->keys, before->keys);
	check(after->key_refs == before->key_refs, "references to keys: %ld, were %ld",
	      after->key_refs, before->key_refs);
	return grown(before, after, SLACK);
}

/*
 * Does memory grow with each batch of @batch()? A batch may be spared because
 * caches were emptied during it, so two have to agree, and what has come together
 * since the first one counts as well: that evens out.
 */
static void no_growth(void (*batch)(const void *arg), const void *arg)
{
	struct state first, before, after;
	int i, quiet = 0;

	first = now();
	after = first;
	for (i = 1; i <= BATCHES; i++) {
		before = after;
		batch(arg);
		after = now();
		if (compare(&before, &after))
			continue;
		if (++quiet >= 2 && !grown(&first, &after, i * SLACK))
			return;
	}
	check(false, "memory grows: %d of %d batches did not, all together did", quiet, BATCHES);
}

static union bpf_attr attr;

static void refuse_batch(const void *arg)
{
	refuse(arg, rounds(ROUNDS), &attr);
}

static void one_kind(const void *arg)
{
	own_cgroup();
	fast_signer();
	prepare(arg, &attr);
	refuse(arg, rounds(WARM_UP), &attr);
	no_growth(refuse_batch, arg);
}

static long load_usec;

/*
 * The process ends in the middle, wherever that is: its fds go, and everything
 * with them.
 */
static void kill_batch(const void *arg)
{
	int i, cnt = rounds(100);

	for (i = 0; i < cnt; i++) {
		pid_t pid = must(fork());

		if (!pid) {
			for (;;)
				image_load(&attr);
		}
		usleep(3000 + 2 * load_usec * i / cnt);
		kill(pid, SIGKILL);
		must(waitpid(pid, NULL, 0));
	}
}

static void killed_while_loading(const void *arg)
{
	struct timespec before, after;

	own_cgroup();
	fast_signer();
	prepare(arg, &attr);
	refuse(arg, rounds(WARM_UP), &attr);
	clock_gettime(CLOCK_MONOTONIC, &before);
	refuse(arg, 1, &attr);
	clock_gettime(CLOCK_MONOTONIC, &after);
	load_usec = (after.tv_sec - before.tv_sec) * 1000000 +
		    (after.tv_nsec - before.tv_nsec) / 1000;
	printf("# a load takes %ld us\n", load_usec);
	no_growth(kill_batch, NULL);
}

/* Loads that succeed go away with their fds, too. */
static void load_batch(const void *arg)
{
	int i, fd;

	for (i = 0; i < rounds(ROUNDS / 2); i++) {
		fd = image_load(&attr);
		check(fd >= 0, "%s; log: %s", strerror(-fd), log_text);
		close(fd);
	}
}

static void loaded_and_closed(const void *arg)
{
	own_cgroup();
	obj = object_open("basic.signed.o");
	prog = object_prog(obj, "on_unlink");
	fd_cnt = object_attr(&attr, obj, prog, fds);
	load_batch(NULL);
	no_growth(load_batch, NULL);
}

/*
 * The batches above may hide a leak behind caches that are emptied now and
 * then. Those are bounded, and a leak is not: here an object of 64 bytes that
 * each load leaves behind makes as much as this.
 */
#define MANY		10000

static void ten_thousand(const void *arg)
{
	static union bpf_attr attrs[2];
	static const int kinds[2] = { 5, 13 };
	int i, many = rounds(MANY), slack = many * 64 / 1024;
	struct state before, after;

	own_cgroup();
	fast_signer();
	/* fds is one array: what the first kind binds has to stay as it is */
	prepare(&refusals[kinds[1]], &attrs[1]);
	attrs[1].fd_array = (uintptr_t)memcpy(malloc(sizeof(fds)), fds, sizeof(fds));
	prepare(&refusals[kinds[0]], &attrs[0]);
	for (i = 0; i < 2; i++)
		refuse(&refusals[kinds[i]], rounds(ROUNDS), &attrs[i]);
	before = now();
	for (i = 0; i < many / 2; i++) {
		refuse(&refusals[kinds[0]], 1, &attrs[0]);
		refuse(&refusals[kinds[1]], 1, &attrs[1]);
	}
	/* it takes workers a while to free as many programs; what is lost stays lost */
	for (i = 0; i < 10; i++) {
		after = now();
		if (!grown(&before, &after, slack))
			break;
	}
	compare(&before, &after);
	check(after.unreclaimable - before.unreclaimable < slack, "slab has grown");
	check(after.vmalloc - before.vmalloc < slack, "vmalloc has grown");
	check(after.percpu - before.percpu < slack, "percpu has grown");
	check(after.cgroup - before.cgroup < slack, "what is charged has grown");
}

int main(int argc, char **argv)
{
	struct test_case all[ARRAY_SIZE(refusals) + 3];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(refusals); i++)
		all[i] = (struct test_case){ refusals[i].name, one_kind, &refusals[i] };
	all[i++] = (struct test_case){ "killed while loading", killed_while_loading,
					&refusals[13] };
	all[i++] = (struct test_case){ "loaded and closed", loaded_and_closed, NULL };
	all[i++] = (struct test_case){ "ten thousand", ten_thousand, NULL };
	return run_cases(argc, argv, all, i);
}
