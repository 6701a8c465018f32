// SPDX-License-Identifier: GPL-2.0
/* Maps that do not fit their slots, or whose contents could still change. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/btf.h>
#include <sys/mman.h>
#include "lib.h"

static struct object *obj;
static const struct image_prog *prog;
static int fds[BPF_IMAGE_MAX_MAPS], fd_cnt;

static void prepare(union bpf_attr *attr, const char *name)
{
	if (!obj)
		obj = object_open("maps.signed.o");
	prog = object_prog(obj, name);
	fd_cnt = object_attr(attr, obj, prog, fds);
}

static const struct bpf_image_map *slot_of(const char *map)
{
	const struct bpf_image_map *slots;
	__u32 cnt;

	slots = image_section(prog->image, BPF_IMAGE_MAPS, &cnt);
	return &slots[image_slot(prog->image, map)];
}

static void put(const char *map, int fd)
{
	fds[image_slot(prog->image, map)] = must(fd);
}

static void loads(union bpf_attr *attr)
{
	int fd = image_load(attr);

	check(fd >= 0, "%s; log: %s", strerror(-fd), log_text);
	close(fd);
}

static void maps_as_signed(const void *arg)
{
	static const struct { const char *name; int ret; } all[] = {
		{ "use_hash", 1 }, { "use_limited", 0 }, { "use_stacks", 0 }, { "use_outer", 0 },
		{ "use_locks", 0 }, { "use_bloom", 0 }, { "use_rodata", 1236 }, { "use_data", 7 },
	};
	struct bpf_prog_info info;
	union bpf_attr attr;
	__u32 ids[8];
	size_t i;
	int fd, ret;

	for (i = 0; i < ARRAY_SIZE(all); i++) {
		prepare(&attr, all[i].name);
		fd = image_load(&attr);
		check(fd >= 0, "%s: %s; log: %s", all[i].name, strerror(-fd), log_text);
		ret = prog_run(fd);
		check(ret == all[i].ret, "%s returns %d", all[i].name, ret);
		check(fd_cnt == 1, "%s has %d maps", all[i].name, fd_cnt);
		memset(&info, 0, sizeof(info));
		must(prog_info(fd, &info));
		check(info.nr_map_ids == 1, "%u maps", info.nr_map_ids);
		memset(&attr, 0, sizeof(attr));
		memset(&info, 0, sizeof(info));
		info.nr_map_ids = 8;
		info.map_ids = (uintptr_t)ids;
		attr.info.bpf_fd = fd;
		attr.info.info = (uintptr_t)&info;
		attr.info.info_len = sizeof(info);
		must(sys_bpf(BPF_OBJ_GET_INFO_BY_FD, &attr, sizeof(attr)));
		check(ids[0] == map_id(fds[0]), "another map than was given");
	}
}

struct shape {
	const char *name;
	__u32 type, key, value, max, flags;
	const char *words;		/* NULL: it loads */
};

/* in place of "plain": hash, 4, 8, 16, 0 */
static const struct shape shapes[] = {
	{ "as signed", BPF_MAP_TYPE_HASH, 4, 8, 16, 0, NULL },
	{ "array for a hash", BPF_MAP_TYPE_ARRAY, 4, 8, 16, 0, "type is 2, signed was 1" },
	{ "LRU hash for a hash", BPF_MAP_TYPE_LRU_HASH, 4, 8, 16, 0, "type is 9, signed was 1" },
	{ "per-CPU hash for a hash", BPF_MAP_TYPE_PERCPU_HASH, 4, 8, 16, 0,
	  "type is 5, signed was 1" },
	{ "program array for a hash", BPF_MAP_TYPE_PROG_ARRAY, 4, 4, 16, 0,
	  "type is 3, signed was 1" },
	{ "longer key", BPF_MAP_TYPE_HASH, 8, 8, 16, 0, "key_size is 8, signed was 4" },
	{ "shorter key", BPF_MAP_TYPE_HASH, 1, 8, 16, 0, "key_size is 1, signed was 4" },
	{ "longer value", BPF_MAP_TYPE_HASH, 4, 16, 16, 0, "value_size is 16, signed was 8" },
	{ "shorter value", BPF_MAP_TYPE_HASH, 4, 4, 16, 0, "value_size is 4, signed was 8" },
	{ "other flags", BPF_MAP_TYPE_HASH, 4, 8, 16, BPF_F_NO_PREALLOC,
	  "map_flags is 1, signed was 0" },
	{ "read-only to the program", BPF_MAP_TYPE_HASH, 4, 8, 16, BPF_F_RDONLY_PROG,
	  "map_flags is 128, signed was 0" },
	{ "write-only to the program", BPF_MAP_TYPE_HASH, 4, 8, 16, BPF_F_WRONLY_PROG,
	  "map_flags is 256, signed was 0" },
	{ "more entries", BPF_MAP_TYPE_HASH, 4, 8, 4096, 0, NULL },
	{ "fewer entries", BPF_MAP_TYPE_HASH, 4, 8, 1, 0, NULL },
};

static void shape(const void *arg)
{
	const struct shape *s = arg;
	union bpf_attr attr;

	prepare(&attr, "use_hash");
	put("plain", map_create(s->type, "plain", s->key, s->value, s->max, s->flags));
	if (!s->words) {
		loads(&attr);
		return;
	}
	expect_refused(&attr, EINVAL, s->words);
	check(strstr(log_text, "map slot 0 'plain': "), "log does not name the slot: %s", log_text);
}

static void read_only_fd(const void *arg)
{
	union bpf_attr attr, get = {};

	/* fds restrict user space only; the map is the one that was signed */
	prepare(&attr, "use_hash");
	get.map_id = map_id(fds[0]);
	get.open_flags = BPF_F_RDONLY;
	put("plain", sys_bpf(BPF_MAP_GET_FD_BY_ID, &get, sizeof(get)));
	loads(&attr);
}

static void fixed_entries(const void *arg)
{
	union bpf_attr attr;

	prepare(&attr, "use_limited");
	loads(&attr);
	put("limited", map_create(BPF_MAP_TYPE_HASH, "limited", 4, 8, 17, 0));
	expect_refused(&attr, EINVAL, "max_entries is 17, signed was 16");
	put("limited", map_create(BPF_MAP_TYPE_HASH, "limited", 4, 8, 15, 0));
	expect_refused(&attr, EINVAL, "max_entries is 15, signed was 16");
}

static void free_value_size(const void *arg)
{
	union bpf_attr attr;

	prepare(&attr, "use_stacks");
	put("stacks", map_create(BPF_MAP_TYPE_STACK_TRACE, "stacks", 4, 160, 16, 0));
	loads(&attr);
	put("stacks", map_create(BPF_MAP_TYPE_ARRAY, "stacks", 4, 80, 16, 0));
	expect_refused(&attr, EINVAL, "type is 2, signed was 7");
}

static void other_map_extra(const void *arg)
{
	union bpf_attr attr, create = {};

	prepare(&attr, "use_bloom");
	create.map_type = BPF_MAP_TYPE_BLOOM_FILTER;
	create.value_size = 4;
	create.max_entries = 16;
	create.map_extra = 5;
	put("bloom", sys_bpf(BPF_MAP_CREATE, &create, sizeof(create)));
	expect_refused(&attr, EINVAL, "map_extra is 5, signed was 3");
}

static int make_outer(__u32 type, __u32 key, __u32 value, __u32 max, __u32 flags)
{
	union bpf_attr attr = {};

	attr.inner_map_fd = must(map_create(type, "inner", key, value, max, flags));
	attr.map_type = BPF_MAP_TYPE_ARRAY_OF_MAPS;
	attr.value_size = 4;
	attr.key_size = attr.value_size;
	attr.max_entries = 2;
	return must(sys_bpf(BPF_MAP_CREATE, &attr, sizeof(attr)));
}

static void inner_map(const void *arg)
{
	union bpf_attr attr;

	prepare(&attr, "use_outer");
	put("outer", make_outer(BPF_MAP_TYPE_ARRAY, 4, 4, 1, 0));
	loads(&attr);
	put("outer", make_outer(BPF_MAP_TYPE_HASH, 4, 4, 1, 0));
	expect_refused(&attr, EINVAL, "inner type is 1, signed was 2");
	put("outer", make_outer(BPF_MAP_TYPE_HASH, 8, 4, 1, 0));
	expect_refused(&attr, EINVAL, "inner type");
	put("outer", make_outer(BPF_MAP_TYPE_ARRAY, 4, 8, 1, 0));
	expect_refused(&attr, EINVAL, "inner value_size is 8, signed was 4");
	put("outer", make_outer(BPF_MAP_TYPE_ARRAY, 4, 4, 1, BPF_F_MMAPABLE));
	expect_refused(&attr, EINVAL, "inner map_flags is 1024, signed was 0");
	put("outer", make_outer(BPF_MAP_TYPE_ARRAY, 4, 4, 1, BPF_F_RDONLY_PROG));
	expect_refused(&attr, EINVAL, "inner map_flags is 128, signed was 0");
	/* what may be put in later is the kernel's own rule */
	put("outer", map_create(BPF_MAP_TYPE_ARRAY, "outer", 4, 4, 2, 0));
	expect_refused(&attr, EINVAL, "type is 2, signed was 12");
}

/* BTF of one struct with a lock at its start instead of behind an int */
static int other_lock_btf(void)
{
	static const char strs[] = "\0int\0bpf_spin_lock\0val\0locked\0value\0lock";
	struct {
		struct btf_header hdr;
		__u32 types[4 + 3 + 3 + 3 + 6];
		char strs[sizeof(strs)];
	} __packed btf = {
		.hdr = {
			.magic = 0xeb9f,
			.version = 1,
			.hdr_len = sizeof(btf.hdr),
			.type_len = sizeof(btf.types),
			.str_off = sizeof(btf.types),
			.str_len = sizeof(strs),
		},
		.types = {
			/* 1: int */
			1, 1 << 24, 4, 1 << 24 | 32,
			/* 2: struct bpf_spin_lock { int val; } */
			5, 4 << 24 | 1, 4, 19, 1, 0,
			/* 3: struct locked { struct bpf_spin_lock lock; int value; } */
			23, 4 << 24 | 2, 8, 36, 2, 0, 30, 1, 32,
		},
	};

	memcpy(btf.strs, strs, sizeof(strs));
	return must(btf_load(&btf, sizeof(btf)));
}

static void special_fields(const void *arg)
{
	union bpf_attr attr, create = {};
	int btf;

	prepare(&attr, "use_locks");
	loads(&attr);
	/* the same shape, and the lock lies elsewhere */
	btf = other_lock_btf();
	create.map_type = BPF_MAP_TYPE_ARRAY;
	create.key_size = 4;
	create.value_size = 8;
	create.max_entries = 1;
	create.btf_fd = btf;
	create.btf_key_type_id = 1;
	create.btf_value_type_id = 3;
	put("locks", sys_bpf(BPF_MAP_CREATE, &create, sizeof(create)));
	expect_refused(&attr, EINVAL, "its special fields are described by another BTF");
	/* a lock that the program does not know of: in place of plain data */
	prepare(&attr, "use_hash");
	create.map_type = BPF_MAP_TYPE_HASH;
	create.max_entries = 16;
	put("plain", sys_bpf(BPF_MAP_CREATE, &create, sizeof(create)));
	expect_refused(&attr, EINVAL, "its special fields are described by another BTF");
}

static void special_fields_missing(const void *arg)
{
	union bpf_attr attr;

	prepare(&attr, "use_locks");
	put("locks", map_create(BPF_MAP_TYPE_ARRAY, "locks", 4, 8, 1, 0));
	check(image_load(&attr) < 0, "a lock in a map without locks");
}

/* ---- contents ---------------------------------------------------------- */

static char *contents(void)
{
	const struct bpf_image_map *slot = slot_of(".rodata");
	char *value = malloc(slot->value_size);
	const void *data;
	size_t len;

	data = object_section(obj, ".rodata", &len);
	check(data && len == slot->value_size, "the object has changed");
	memcpy(value, data, len);
	return value;
}

static int ro_map(const void *value, bool freeze)
{
	int fd = make_map(obj, prog, image_slot(prog->image, ".rodata"), value);

	if (freeze)
		must(map_freeze(fd));
	return fd;
}

static void every_byte_of_the_contents(const void *arg)
{
	const struct bpf_image_tunable *tun;
	union bpf_attr attr;
	__u32 i, cnt, size, free_bytes = 0;
	char *value;

	prepare(&attr, "use_rodata");
	tun = image_section(prog->image, BPF_IMAGE_TUNABLES, &cnt);
	check(cnt == 1 && tun->len == 4, "the policy has changed");
	size = slot_of(".rodata")->value_size;
	value = contents();
	for (i = 0; i < size; i++) {
		value[i] ^= 1 << i % 8;
		put(".rodata", ro_map(value, true));
		value[i] ^= 1 << i % 8;
		if (i >= tun->off && i < tun->off + tun->len) {
			loads(&attr);
			free_bytes++;
		} else {
			expect_refused(&attr, EINVAL,
				       "its contents are not those that were signed");
		}
		close(fds[image_slot(prog->image, ".rodata")]);
	}
	check(free_bytes == 4, "%u bytes are free", free_bytes);
}

static void tunable_takes_effect(const void *arg)
{
	const struct bpf_image_tunable *tun;
	union bpf_attr attr;
	int i, fd;
	__u32 cnt;
	char *value;

	prepare(&attr, "use_rodata");
	tun = image_section(prog->image, BPF_IMAGE_TUNABLES, &cnt);
	check(!strcmp(image_string(prog->image, tun->name), "tunable"), "another variable");
	value = contents();
	for (i = 0; i < 20; i++) {
		memcpy(value + tun->off, &i, sizeof(i));
		put(".rodata", ro_map(value, true));
		fd = image_load(&attr);
		check(fd >= 0, "%s; log: %s", strerror(-fd), log_text);
		check(prog_run(fd) == i * 1000 + 236, "%d returns %d", i, prog_run(fd));
		close(fd);
	}
}

static void not_frozen(const void *arg)
{
	union bpf_attr attr;

	prepare(&attr, "use_rodata");
	put(".rodata", ro_map(NULL, false));
	expect_refused(&attr, EINVAL, "has to be frozen first");
}

static void never_filled(const void *arg)
{
	union bpf_attr attr;
	const struct bpf_image_map *slot;
	int fd;

	prepare(&attr, "use_rodata");
	slot = slot_of(".rodata");
	fd = must(map_create(slot->type, "zeroes", 4, slot->value_size, 1, slot->map_flags));
	must(map_freeze(fd));
	put(".rodata", fd);
	expect_refused(&attr, EINVAL, "its contents are not those that were signed");
}

static void writable_to_the_program(const void *arg)
{
	const struct bpf_image_map *slot;
	union bpf_attr attr;
	char *value;
	int fd, zero = 0;

	prepare(&attr, "use_rodata");
	slot = slot_of(".rodata");
	value = contents();
	fd = must(map_create(slot->type, "x", 4, slot->value_size, 1,
			     slot->map_flags & ~BPF_F_RDONLY_PROG));
	must(map_update(fd, &zero, value));
	must(map_freeze(fd));
	put(".rodata", fd);
	expect_refused(&attr, EINVAL, "map_flags is");
	/* not mappable: another flag, too */
	fd = must(map_create(slot->type, "x", 4, slot->value_size, 1, BPF_F_RDONLY_PROG));
	must(map_update(fd, &zero, value));
	must(map_freeze(fd));
	put(".rodata", fd);
	expect_refused(&attr, EINVAL, "map_flags is");
}

static void second_element(const void *arg)
{
	const struct bpf_image_map *slot;
	union bpf_attr attr;
	int fd, zero = 0;

	prepare(&attr, "use_rodata");
	slot = slot_of(".rodata");
	fd = must(map_create(slot->type, "x", 4, slot->value_size, 2, slot->map_flags));
	must(map_update(fd, &zero, contents()));
	must(map_freeze(fd));
	put(".rodata", fd);
	expect_refused(&attr, EINVAL, "max_entries is 2, signed was 1");
}

static void *map_value(int fd, int prot)
{
	return mmap(NULL, 4096, prot, MAP_SHARED, fd, 0);
}

static void never_mapped_to_write(const void *arg)
{
	union bpf_attr attr;
	int fd;

	prepare(&attr, "use_rodata");
	fd = ro_map(NULL, false);
	put(".rodata", fd);
	check(map_value(fd, PROT_READ | PROT_WRITE) == MAP_FAILED && errno == EACCES,
	      "mapped to write");
	check(map_value(fd, PROT_WRITE) == MAP_FAILED && errno == EACCES, "mapped to write");
	expect_refused(&attr, EINVAL, "has to be frozen first");
}

static void no_way_back_to_write(const void *arg)
{
	int fd, zero = 0, pid_fd;
	union bpf_attr attr, get = {};
	char path[64], *value;
	void *mem;

	/* mapped to read before it was frozen, and made writable after */
	prepare(&attr, "use_rodata");
	fd = ro_map(NULL, false);
	put(".rodata", fd);
	mem = map_value(fd, PROT_READ);
	check(mem != MAP_FAILED, "mmap: %s", strerror(errno));
	must(map_freeze(fd));
	loads(&attr);
	check(mprotect(mem, 4096, PROT_READ | PROT_WRITE), "made writable again");
	check(map_value(fd, PROT_READ | PROT_WRITE) == MAP_FAILED, "mapped to write");
	value = contents();
	value[0] ^= 1;
	check(map_update(fd, &zero, value) && errno == EPERM, "updated");
	get.map_id = map_id(fd);
	fd = must(sys_bpf(BPF_MAP_GET_FD_BY_ID, &get, sizeof(get)));
	check(map_update(fd, &zero, value) && errno == EPERM, "updated by another fd");

	/* as a debugger would: through /proc/PID/mem, which forces its way in */
	snprintf(path, sizeof(path), "/proc/%d/mem", getpid());
	pid_fd = must(open(path, O_RDWR));
	if (pwrite(pid_fd, value, 1, (uintptr_t)mem) == 1) {
		char now[4096];

		must(map_lookup(fds[0], &zero, now));
		check(now[0] != value[0], "/proc/PID/mem has changed frozen contents");
	}
	loads(&attr);
}

static void batch_and_delete_when_frozen(const void *arg)
{
	union bpf_attr attr, batch = {};
	__u32 zero = 0;
	char *value;

	prepare(&attr, "use_rodata");
	value = contents();
	value[0] ^= 1;
	batch.batch.map_fd = fds[0];
	batch.batch.keys = (uintptr_t)&zero;
	batch.batch.values = (uintptr_t)value;
	batch.batch.count = 1;
	check(sys_bpf(BPF_MAP_UPDATE_BATCH, &batch, sizeof(batch)) < 0, "updated by batch");
	loads(&attr);
}

static void shared_by_two_loads(const void *arg)
{
	union bpf_attr attr;

	prepare(&attr, "use_rodata");
	loads(&attr);
	loads(&attr);
}

/* ---- the iterator that patch "Keep map iterators from writing" stops ---- */

static int iterate(const char *name, int map)
{
	union bpf_attr attr = {};
	union bpf_iter_link_info info = {};
	int fd, ret;

	fd = object_load(obj, name);
	check(fd >= 0, "%s: %s; log: %s", name, strerror(-fd), log_text);
	info.map.map_fd = map;
	attr.link_create.prog_fd = fd;
	attr.link_create.attach_type = BPF_TRACE_ITER;
	attr.link_create.iter_info = (uintptr_t)&info;
	attr.link_create.iter_info_len = sizeof(info);
	ret = sys_bpf(BPF_LINK_CREATE, &attr, sizeof(attr));
	close(fd);
	return ret < 0 ? -errno : ret;
}

static void iterator_writes_to_read_only_map(const void *arg)
{
	union bpf_attr attr;
	int fd, ret;

	prepare(&attr, "use_rodata");
	ret = iterate("iter_value", fds[0]);
	check(ret == -EACCES, "%s", ret < 0 ? strerror(-ret) : "it attached");
	ret = iterate("iter_read", fds[0]);
	check(ret == -EACCES, "%s", ret < 0 ? strerror(-ret) : "it attached");
	/* not frozen yet, and the same */
	fd = ro_map(NULL, false);
	ret = iterate("iter_value", fd);
	check(ret == -EACCES, "not frozen: %s", ret < 0 ? strerror(-ret) : "it attached");
	/* keys are harmless */
	must(iterate("iter_key", fds[0]));
	/* and so are maps that programs may write to */
	fd = must(map_create(BPF_MAP_TYPE_ARRAY, "rw", 4, 4, 1, 0));
	must(iterate("iter_value", fd));
}

static const struct test_case cases[] = {
	CASE(maps_as_signed),
	CASE(read_only_fd),
	CASE(fixed_entries),
	CASE(free_value_size),
	CASE(other_map_extra),
	CASE(inner_map),
	CASE(special_fields),
	CASE(special_fields_missing),
	CASE(every_byte_of_the_contents),
	CASE(tunable_takes_effect),
	CASE(not_frozen),
	CASE(never_filled),
	CASE(writable_to_the_program),
	CASE(second_element),
	CASE(never_mapped_to_write),
	CASE(no_way_back_to_write),
	CASE(batch_and_delete_when_frozen),
	CASE(shared_by_two_loads),
	CASE(iterator_writes_to_read_only_map),
};

int main(int argc, char **argv)
{
	struct test_case all[ARRAY_SIZE(cases) + ARRAY_SIZE(shapes)];
	size_t i;

	memcpy(all, cases, sizeof(cases));
	for (i = 0; i < ARRAY_SIZE(shapes); i++)
		all[ARRAY_SIZE(cases) + i] = (struct test_case){
			shapes[i].name, shape, &shapes[i] };
	return run_cases(argc, argv, all, ARRAY_SIZE(all));
}
