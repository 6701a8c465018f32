// SPDX-License-Identifier: GPL-2.0
/*
 * Signed and unsigned programs beside each other: allowed until the kernel is
 * locked down, refused from then on. Wants a kernel that is not locked down yet,
 * with bpf_lockdown=restricted.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include "lib.h"

/* Made by the process that starts the tests: one array for each way around, and both */
static int signed_first, unsigned_first, mixed;
/* Loaded before the kernel is locked down */
static int unsigned_target, unsigned_filter;

/* Words of the verifier's log */
#define MAP_REFUSED	"signed and unsigned programs would run each other; make one for each"
#define INNER_REFUSED	"maps in it hold programs, of which it cannot be told who has signed them"
#define ARRAY_REFUSED	"it was made without masks against speculation; make it anew"

#define LO	1	/* every network namespace has it */

static int signed_filter(void)
{
	struct image_prog *prog;
	union bpf_attr attr;
	struct builder b;
	int fd;

	builder_init(&b, "signed", 1);
	prog = build_signed(&b);
	image_attr(&attr, prog, NULL, 0, -1);
	fd = image_load(&attr);
	check(fd >= 0, "%s; log: %s", strerror(-fd), log_text);
	return fd;
}

static int filter(void)
{
	int fd = load_unsigned(BPF_PROG_TYPE_SOCKET_FILTER);

	check(fd >= 0, "%s; log: %s", strerror(-fd), log_text);
	return fd;
}

static int array(void)
{
	return must(map_create(BPF_MAP_TYPE_PROG_ARRAY, "calls", 4, 4, 4, 0));
}

static int put(int map, int index, int prog)
{
	return map_update(map, &index, &prog) < 0 ? -errno : 0;
}

/* ---- programs of mix.bpf.c ----------------------------------------------- */

enum who { UNSIGNED, SIGNED };

static const char * const whose[] = { "unsigned", "signed" };

struct loaded {
	int fd;			/* or a negative errno */
	struct bpf_object *obj;
};

static struct bpf_object *mix_open(enum who by)
{
	struct bpf_object *obj = bpf_object__open(by == SIGNED ? "mix.signed.o" : "mix.bpf.o");

	check(obj, "%s: %s", whose[by], strerror(errno));
	return obj;
}

/* One program, which uses the map @fd instead of one of its own, unless that is -1 */
static struct loaded load(enum who by, const char *name, const char *map, int fd)
{
	struct loaded l = { .obj = mix_open(by) };
	struct bpf_program *prog;
	struct bpf_map *m;
	int err;

	bpf_object__for_each_program(prog, l.obj)
		bpf_program__set_autoload(prog, !strcmp(bpf_program__name(prog), name));
	bpf_object__for_each_map(m, l.obj)
		if (bpf_map__type(m) == BPF_MAP_TYPE_STRUCT_OPS)
			bpf_map__set_autocreate(m, false);
	prog = bpf_object__find_program_by_name(l.obj, name);
	check(prog, "no program '%s'", name);
	log_text[0] = 0;
	bpf_program__set_log_buf(prog, log_text, sizeof(log_text));
	if (fd >= 0) {
		m = bpf_object__find_map_by_name(l.obj, map);
		check(m && !bpf_map__reuse_fd(m, fd), "map '%s': %s", map, strerror(errno));
	}
	err = bpf_object__load(l.obj);
	l.fd = err ?: bpf_program__fd(prog);
	return l;
}

static struct loaded must_load(enum who by, const char *name, const char *map, int fd)
{
	struct loaded l = load(by, name, map, fd);

	check(l.fd >= 0, "%s %s: %s; log: %s", whose[by], name, strerror(-l.fd), log_text);
	return l;
}

static void refused(enum who by, const char *name, const char *map, int fd, const char *words)
{
	struct loaded l = load(by, name, map, fd);

	check(l.fd == -EPERM, "%s %s: %s", whose[by], name,
	      l.fd < 0 ? strerror(-l.fd) : "it loaded");
	check(strstr(log_text, words), "%s %s: log: %s", whose[by], name, log_text);
}

/* A map as the object has it, and with it the map that it was made by, if it holds maps */
static int mix_map(const char *name)
{
	struct loaded l = { .obj = mix_open(UNSIGNED) };
	struct bpf_program *prog;
	struct bpf_map *m;

	bpf_object__for_each_program(prog, l.obj)
		bpf_program__set_autoload(prog, false);
	bpf_object__for_each_map(m, l.obj)
		bpf_map__set_autocreate(m, !strcmp(bpf_map__name(m), name));
	check(!bpf_object__load(l.obj), "map '%s': %s", name, strerror(errno));
	return bpf_object__find_map_fd_by_name(l.obj, name);
}

static int fired(const struct loaded *l)
{
	struct bpf_map *bss = bpf_object__find_map_by_name(l->obj, ".bss");
	__u32 zero = 0;
	int n;

	check(bss && !bpf_map__lookup_elem(bss, &zero, sizeof(zero), &n, sizeof(n), 0),
	      "no .bss");
	return n;
}

static int load_freplace(int target, union bpf_attr *attr)
{
	static int fds[BPF_IMAGE_MAX_MAPS];
	struct object *obj = object_open("attach.signed.o");
	const struct image_prog *prog = object_prog(obj, "on_freplace");

	object_attr(attr, obj, prog, fds);
	attr->attach_prog_fd = target;
	return image_load(attr);
}

static void not_locked_down(const void *arg)
{
	union bpf_attr attr;
	int map = array(), fd;

	check(!put(map, 0, signed_filter()), "a signed program is refused");
	check(!put(map, 1, filter()), "an unsigned program beside it is refused");
	fd = load_freplace(unsigned_target, &attr);
	check(fd >= 0, "freplace: %s; log: %s", strerror(-fd), log_text);
}

static void tail_calls(const void *arg)
{
	int map, kmsg;

	sleep(6);	/* the kernel limits the rate of its lines */
	kmsg = kmsg_open();
	map = array();
	check(!put(map, 0, signed_filter()), "a signed program is refused");
	check(!put(map, 1, signed_filter()), "another signed program is refused");
	check(put(map, 2, filter()) == -EINVAL, "an unsigned one beside signed ones is not");
	check(put(map, 2, unsigned_filter) == -EINVAL, "nor one from before");
	check(kmsg_has(kmsg, "is restricted; see man kernel_lockdown.7"),
	      "no line in the kernel's log");

	map = array();
	check(!put(map, 0, filter()), "an unsigned program is refused");
	check(!put(map, 1, filter()), "another unsigned program is refused");
	check(put(map, 2, signed_filter()) == -EINVAL, "a signed one beside them is not");

	/* who was there first decides, even if that was before */
	check(put(signed_first, 1, filter()) == -EINVAL, "unsigned after signed");
	check(!put(signed_first, 1, signed_filter()), "signed after signed");
	check(put(unsigned_first, 1, signed_filter()) == -EINVAL, "signed after unsigned");
	check(!put(unsigned_first, 1, filter()), "unsigned after unsigned");
}

static void freplace(const void *arg)
{
	struct object *obj = object_open("attach.signed.o");
	const struct image_prog *prog = object_prog(obj, "ext_target");
	static int fds[BPF_IMAGE_MAX_MAPS];
	int cnt = make_maps(obj, prog, fds), fd;
	union bpf_attr attr;

	fd = load_freplace(unsigned_target, &attr);
	check(fd == -EPERM, "at an unsigned program: %s", fd < 0 ? strerror(-fd) : "it loaded");
	check(strstr(log_text,
		     "of program 'ext_target' is refused in integrity mode: signed and unsigned"),
	      "log: %s", log_text);

	image_attr(&attr, prog, fds, cnt, obj->btf_fd);
	fd = must(image_load(&attr));
	fd = load_freplace(fd, &attr);
	check(fd >= 0, "at a signed program: %s; log: %s", strerror(-fd), log_text);
}

/* ---- maps that hold programs -------------------------------------------- */

static int array_of_calls(void)
{
	return must(map_create(BPF_MAP_TYPE_PROG_ARRAY, "calls", 4, 4, 4, 0));
}

/* Who is not there yet, but calls what is, counts as well. */
static void callers(const void *arg)
{
	enum who who;
	int map;

	for (who = UNSIGNED; who <= SIGNED; who++) {
		map = array_of_calls();
		must_load(who, "call", "calls", map);
		refused(!who, "call", "calls", map, MAP_REFUSED);
		must_load(who, "call", "calls", map);
		check(put(map, 0, must_load(!who, "called", NULL, -1).fd) == -EINVAL,
		      "%s caller, but the other's program is put there", whose[who]);
		check(!put(map, 0, must_load(who, "called", NULL, -1).fd), "its own is refused");
		check(prog_run(must_load(who, "call", "calls", map).fd) == 4, "it does not run");
	}
}

/* What both were in before the kernel was locked down is for neither from then on. */
static void mixed_before(const void *arg)
{
	enum who who;

	for (who = UNSIGNED; who <= SIGNED; who++) {
		refused(who, "call", "calls", mixed, MAP_REFUSED);
		check(put(mixed, 2, must_load(who, "called", NULL, -1).fd) == -EINVAL,
		      "%s program is put there", whose[who]);
	}
}

/* Devices and CPUs to redirect to, at which another program runs */
static const struct redirection {
	const char *map;
	const char *by;
	const char *at;
	/* ifindex, or length of a queue */
	__u32 first;
} redirections[] = {
	{ "devices", "to_devices", "at_device", LO },
	{ "devices_hash", "to_devices_hash", "at_device", LO },
	{ "cpus", "to_cpus", "at_cpu", 8 },
};

static int put_at(int map, __u32 first, int prog)
{
	struct {
		__u32 first;
		int prog;
	} value = { first, prog };
	__u32 zero = 0;

	return map_update(map, &zero, &value) < 0 ? -errno : 0;
}

static void redirected(const void *arg)
{
	const struct redirection *r = arg;
	enum who who;
	int map;

	for (who = UNSIGNED; who <= SIGNED; who++) {
		/* first who redirects */
		map = mix_map(r->map);
		must_load(who, r->by, r->map, map);
		check(put_at(map, r->first, must_load(!who, r->at, NULL, -1).fd) == -EINVAL,
		      "%s program redirects to the other's", whose[who]);
		check(!put_at(map, r->first, must_load(who, r->at, NULL, -1).fd),
		      "%s program does not redirect to its own", whose[who]);
		/* first who is there */
		map = mix_map(r->map);
		check(!put_at(map, r->first, must_load(who, r->at, NULL, -1).fd), "%s entry",
		      whose[who]);
		refused(!who, r->by, r->map, map, MAP_REFUSED);
		must_load(who, r->by, r->map, map);
	}
}

/* What an inner map holds is found out when it is looked up. */
static void inner_maps(const void *arg)
{
	union bpf_attr attr = {};

	refused(UNSIGNED, "to_inner_devices", NULL, -1, INNER_REFUSED);
	refused(SIGNED, "to_inner_devices", NULL, -1, INNER_REFUSED);

	/* the kernel has never had these */
	attr.map_type = BPF_MAP_TYPE_ARRAY_OF_MAPS;
	attr.key_size = 4;
	attr.value_size = 4;
	attr.max_entries = 1;
	attr.inner_map_fd = array_of_calls();
	check(sys_bpf(BPF_MAP_CREATE, &attr, sizeof(attr)) < 0, "a program array is an inner map");
}

/* ---- maps that hold calls ----------------------------------------------- */

static const struct {
	const char *map;
	const char *prog;
	bool confined;	/* an unsigned one may be loaded */
} calls[] = {
	{ "timers", "set_timer", true },
	{ "timers", "start_timer", true },
	{ "queues", "set_queue", true },
	{ "works", "set_work", false },
};

static void callbacks(const void *arg)
{
	size_t i;
	int map;

	for (i = 0; i < ARRAY_SIZE(calls); i++) {
		map = mix_map(calls[i].map);
		must_load(SIGNED, calls[i].prog, calls[i].map, map);
		if (!calls[i].confined)
			continue;
		refused(UNSIGNED, calls[i].prog, calls[i].map, map, MAP_REFUSED);
		must_load(SIGNED, calls[i].prog, calls[i].map, map);

		map = mix_map(calls[i].map);
		must_load(UNSIGNED, calls[i].prog, calls[i].map, map);
		refused(SIGNED, calls[i].prog, calls[i].map, map, MAP_REFUSED);
		must_load(UNSIGNED, calls[i].prog, calls[i].map, map);
	}
}

static int inner(const char *outer_name, int *map)
{
	static const char * const inner_of[][2] = {
		{ "outer_timers", "timers" },
		{ "outer_queues", "queues" },
		{ "outer_works", "works" },
		{ "outer_elements", "elements" },
	};
	int outer = mix_map(outer_name);
	size_t i;

	for (i = 0; strcmp(inner_of[i][0], outer_name); i++)
		;
	*map = mix_map(inner_of[i][1]);
	check(!put(outer, 0, *map), "%s: %s", outer_name, strerror(errno));
	return outer;
}

/* Loaded before the kernel is locked down, as none of its kind may be later */
static struct loaded unsigned_worker;
static int outer_works, inner_works;

/* Whose map is an inner one is decided when the call is set. */
static void inner_callbacks(const void *arg)
{
	static const char * const progs[][2] = {
		{ "outer_timers", "set_inner_timer" },
		{ "outer_queues", "set_inner_queue" },
	};
	struct loaded one, other;
	enum who who;
	int map;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(progs); i++) {
		for (who = UNSIGNED; who <= SIGNED; who++) {
			int outer = inner(progs[i][0], &map);

			one = must_load(who, progs[i][1], progs[i][0], outer);
			other = must_load(!who, progs[i][1], progs[i][0], outer);
			check(prog_run(one.fd) == 0, "%s program cannot set it", whose[who]);
			check(prog_run(other.fd) == EPERM, "%s: the other takes it over",
			      progs[i][1]);
			check(prog_run(one.fd) == 0, "and so it was lost");
		}
	}

	one = must_load(SIGNED, "set_inner_work", "outer_works", outer_works);
	check(prog_run(one.fd) == 0, "work is not scheduled");
	check(prog_run(unsigned_worker.fd) == EPERM, "unsigned work is");
}

/* A call is of the program that has set it, whoever starts it. */
static void callback_is_of_its_program(const void *arg)
{
	struct loaded set, start;
	enum who who;
	int i, map;

	for (who = UNSIGNED; who <= SIGNED; who++) {
		int outer = inner("outer_timers", &map);

		set = must_load(who, "set_inner_timer", "outer_timers", outer);
		start = must_load(!who, "start_inner_timer", "outer_timers", outer);
		check(prog_run(set.fd) == 0, "it is not set");
		check(prog_run(start.fd) == 0, "it is not started");
		for (i = 0; i < 100 && !fired(&set); i++)
			usleep(10000);
		check(fired(&set) == 1, "the %s callback did not run", whose[who]);
	}
}

/* ---- struct_ops ---------------------------------------------------------- */

enum { SSTHRESH, CONG_AVOID, UNDO_CWND, MEMBERS };

/* In the order of the structure */
static const char * const members[] = { "ssthresh", "cong_avoid", "undo_cwnd" };

struct ops {
	int fd[MEMBERS];
};

static struct ops unsigned_ops;
static int mixed_ops;

static struct ops load_ops(enum who by)
{
	struct bpf_object *obj = mix_open(by);
	struct bpf_program *prog;
	struct ops ops;
	char name[32];
	int i, err;

	bpf_object__for_each_program(prog, obj)
		bpf_program__set_autoload(prog, !strncmp(bpf_program__name(prog), "cc_", 3));
	err = bpf_object__load(obj);
	check(!err, "%s struct_ops: %s", whose[by], strerror(-err));
	for (i = 0; i < MEMBERS; i++) {
		snprintf(name, sizeof(name), "cc_%s", members[i]);
		ops.fd[i] = must(bpf_program__fd(bpf_object__find_program_by_name(obj, name)));
	}
	return ops;
}

static const struct btf_member *member_of(const struct btf *btf, const struct btf_type *t,
					  const char *name)
{
	const struct btf_member *m = btf_members(t);
	int i;

	for (i = 0; i < btf_vlen(t); i++)
		if (!strcmp(btf__name_by_offset(btf, m[i].name_off), name))
			return &m[i];
	check(false, "no member '%s'", name);
	return NULL;
}

/* What the kernel has such a map for */
static struct {
	const struct btf *btf;
	int id;
	const struct btf_type *value;
	const struct btf_type *type;
	__u32 off;
} cc;

static void find_cc(void)
{
	const struct btf_member *data;

	if (cc.btf)
		return;
	cc.btf = btf__load_vmlinux_btf();
	cc.id = btf__find_by_name_kind(cc.btf, "bpf_struct_ops_tcp_congestion_ops",
				       BTF_KIND_STRUCT);
	check(cc.id > 0, "no tcp_congestion_ops");
	cc.value = btf__type_by_id(cc.btf, cc.id);
	data = member_of(cc.btf, cc.value, "data");
	cc.type = btf__type_by_id(cc.btf, data->type);
	cc.off = data->offset / 8;
}

static int ops_map(void)
{
	union bpf_attr attr = {};

	find_cc();
	attr.map_type = BPF_MAP_TYPE_STRUCT_OPS;
	attr.key_size = 4;
	attr.value_size = cc.value->size;
	attr.max_entries = 1;
	attr.map_flags = BPF_F_LINK;
	attr.btf_vmlinux_value_type_id = cc.id;
	/* any will do, but there has to be one */
	attr.btf_fd = object_open("mix.signed.o")->btf_fd;
	return must(sys_bpf(BPF_MAP_CREATE, &attr, sizeof(attr)));
}

static int fill_ops(int map, const struct ops *ops)
{
	char *p = calloc(1, cc.value->size);
	__u32 zero = 0;
	int i, err;

	strcpy(p + cc.off + member_of(cc.btf, cc.type, "name")->offset / 8, "bpf_mix");
	for (i = 0; i < MEMBERS; i++)
		*(unsigned long *)(p + cc.off +
				   member_of(cc.btf, cc.type, members[i])->offset / 8) =
			ops->fd[i];
	err = map_update(map, &zero, p) < 0 ? -errno : 0;
	free(p);
	return err;
}

static int must_fill_ops(const struct ops *ops)
{
	int map = ops_map(), err = fill_ops(map, ops);

	check(!err, "struct_ops: %s", strerror(-err));
	return map;
}

static int link_ops(int map)
{
	union bpf_attr attr = {};
	int fd;

	attr.link_create.map_fd = map;
	attr.link_create.attach_type = BPF_STRUCT_OPS;
	fd = sys_bpf(BPF_LINK_CREATE, &attr, sizeof(attr));
	return fd < 0 ? -errno : fd;
}

static int update_link(int link, int map)
{
	union bpf_attr attr = {};

	attr.link_update.link_fd = link;
	attr.link_update.new_map_fd = map;
	return sys_bpf(BPF_LINK_UPDATE, &attr, sizeof(attr)) < 0 ? -errno : 0;
}

static int associate(int prog, int map)
{
	union bpf_attr attr = {};

	attr.prog_assoc_struct_ops.prog_fd = prog;
	attr.prog_assoc_struct_ops.map_fd = map;
	return sys_bpf(BPF_PROG_ASSOC_STRUCT_OPS, &attr, sizeof(attr)) < 0 ? -errno : 0;
}

static void struct_ops(const void *arg)
{
	struct ops signed_ops = load_ops(SIGNED), ops;
	int i, err, link;

	/* each member in turn is another's, so that it is the first, or the last */
	for (i = 0; i < MEMBERS; i++) {
		ops = signed_ops;
		ops.fd[i] = unsigned_ops.fd[i];
		err = fill_ops(ops_map(), &ops);
		check(err == -EPERM, "unsigned %s among signed ones: %s", members[i],
		      strerror(-err));
		ops = unsigned_ops;
		ops.fd[i] = signed_ops.fd[i];
		err = fill_ops(ops_map(), &ops);
		check(err == -EPERM, "signed %s among unsigned ones: %s", members[i],
		      strerror(-err));
	}
	link = must(link_ops(must_fill_ops(&signed_ops)));

	/* one for the other is no mixture, a mixture from before is */
	check(update_link(link, mixed_ops) == -EPERM, "the link takes what is mixed");
	err = update_link(link, must_fill_ops(&unsigned_ops));
	check(!err, "unsigned ones, from before: %s", strerror(-err));
	close(link);
	check(link_ops(mixed_ops) == -EPERM, "what is mixed is linked");
}

/* A program that is associated with struct_ops can make the kernel call it. */
static void associated(const void *arg)
{
	int unsigned_prog = must_load(UNSIGNED, "called", NULL, -1).fd;
	int signed_prog = must_load(SIGNED, "called", NULL, -1).fd;
	struct ops signed_ops = load_ops(SIGNED);
	int map;

	map = must_fill_ops(&signed_ops);
	check(associate(unsigned_prog, map) == -EPERM, "unsigned with signed ones");
	check(!associate(signed_prog, map), "signed with signed ones: %s", strerror(errno));

	map = must_fill_ops(&unsigned_ops);
	signed_prog = must_load(SIGNED, "called", NULL, -1).fd;
	check(associate(signed_prog, map) == -EPERM, "signed with unsigned ones");
	check(!associate(unsigned_prog, map), "unsigned with unsigned ones: %s", strerror(errno));
}

/* ... and may be there before they are. */
static void associated_first(const void *arg)
{
	int map = ops_map(), err;

	err = associate(must_load(SIGNED, "called", NULL, -1).fd, map);
	check(!err, "%s", strerror(-err));
	err = fill_ops(map, &unsigned_ops);
	check(err == -EPERM, "unsigned ones: %s", strerror(-err));
}

/* ---- what does not mix --------------------------------------------------- */

static __u32 map_cnt(int prog)
{
	struct bpf_prog_info info;

	must(prog_info(prog, &info));
	return info.nr_map_ids;
}

static int bind_map(int prog, int map)
{
	union bpf_attr attr = {};

	attr.prog_bind_map.prog_fd = prog;
	attr.prog_bind_map.map_fd = map;
	return sys_bpf(BPF_PROG_BIND_MAP, &attr, sizeof(attr)) < 0 ? -errno : 0;
}

/* A map that is bound to a program lives as long: the program knows nothing of it. */
static void bound_map(const void *arg)
{
	int own = array_of_calls(), others = array_of_calls(), prog;
	__u32 cnt;

	check(!put(own, 0, must_load(SIGNED, "called", NULL, -1).fd), "%s", strerror(errno));
	check(!put(others, 0, must_load(UNSIGNED, "called", NULL, -1).fd), "%s", strerror(errno));
	prog = must_load(SIGNED, "call", "calls", own).fd;
	cnt = map_cnt(prog);
	check(!bind_map(prog, others), "%s", strerror(errno));
	check(map_cnt(prog) == cnt + 1, "%u maps", map_cnt(prog));
	check(prog_run(prog) == 4, "it does something else");
	/* it has not joined those whose map that is */
	check(!put(others, 1, must_load(UNSIGNED, "called", NULL, -1).fd), "%s", strerror(errno));
	check(put(others, 2, prog) == -EINVAL, "it is put there");
}

/* Inner maps are data. They are not taken for constants, frozen or not. */
static void inner_contents(const void *arg)
{
	int outer = mix_map("outer_values"), map[2], prog;
	__u32 zero = 0, value, i;

	for (i = 0; i < ARRAY_SIZE(map); i++) {
		map[i] = must(map_create(BPF_MAP_TYPE_ARRAY, "values", 4, 4, 1, BPF_F_RDONLY_PROG));
		value = 11 + i;
		must(map_update(map[i], &zero, &value));
		must(map_freeze(map[i]));
	}
	must(put(outer, 0, map[0]));
	prog = must_load(SIGNED, "inner_value", "outer_values", outer).fd;
	check(prog_run(prog) == 11, "%d", prog_run(prog));
	must(put(outer, 0, map[1]));
	check(prog_run(prog) == 12, "%d", prog_run(prog));
}

/* ---- arrays, which unsigned programs must not leave by speculation -------- */

static int elements_before, outer_before;

static bool has_mask(int prog)
{
	static struct bpf_insn insns[256];
	struct bpf_prog_info info = {};
	union bpf_attr attr = {};
	__u32 i;

	info.xlated_prog_len = sizeof(insns);
	info.xlated_prog_insns = (uintptr_t)insns;
	attr.info.bpf_fd = prog;
	attr.info.info_len = sizeof(info);
	attr.info.info = (uintptr_t)&info;
	must(sys_bpf(BPF_OBJ_GET_INFO_BY_FD, &attr, sizeof(attr)));
	check(info.xlated_prog_len && info.xlated_prog_len <= sizeof(insns), "%u bytes",
	      info.xlated_prog_len);
	for (i = 0; i < info.xlated_prog_len / sizeof(insns[0]); i++)
		if (insns[i].code == (BPF_ALU | BPF_AND | BPF_K) && insns[i].imm == 7)
			return true;
	return false;
}

static void arrays_not_locked_down(const void *arg)
{
	check(!has_mask(must_load(UNSIGNED, "look_up", "elements", elements_before).fd),
	      "masked without need");
}

static void arrays(const void *arg)
{
	int map, outer;

	check(has_mask(must_load(UNSIGNED, "look_up", NULL, -1).fd), "no mask");
	refused(UNSIGNED, "look_up", "elements", elements_before, ARRAY_REFUSED);
	must_load(SIGNED, "look_up", "elements", elements_before);

	refused(UNSIGNED, "look_up_inner", "outer_elements", outer_before, ARRAY_REFUSED);
	outer = inner("outer_elements", &map);
	must_load(UNSIGNED, "look_up_inner", "outer_elements", outer);
	check(put(outer, 0, elements_before) == -EINVAL, "one from before gets in");
	check(!put(outer_before, 0, map), "one that is masked does not: %s", strerror(errno));
}

/* ---- functions ----------------------------------------------------------- */

/* Loaded, not linked, before the kernel is locked down; each at the other's function */
static int unsigned_replaces_signed, signed_replaces_unsigned;

static int link_extension(int fd)
{
	union bpf_attr attr = {};
	int link;

	attr.link_create.prog_fd = fd;
	link = sys_bpf(BPF_LINK_CREATE, &attr, sizeof(attr));
	return link < 0 ? -errno : link;
}

static int load_signed_target(void)
{
	return must(object_load(object_open("attach.signed.o"), "ext_target"));
}

/* As plain libbpf loads it */
static int load_unsigned_extension(int target)
{
	struct bpf_object *obj = bpf_object__open("attach.bpf.o");
	struct bpf_program *prog;
	struct bpf_map *m;
	int err;

	check(obj, "attach.bpf.o: %s", strerror(errno));
	bpf_object__for_each_map(m, obj)
		if (bpf_map__type(m) == BPF_MAP_TYPE_STRUCT_OPS)
			bpf_map__set_autocreate(m, false);
	bpf_object__for_each_program(prog, obj)
		bpf_program__set_autoload(prog, !strcmp(bpf_program__name(prog), "on_freplace"));
	prog = bpf_object__find_program_by_name(obj, "on_freplace");
	err = bpf_program__set_attach_target(prog, target, "replaced") ?: bpf_object__load(obj);
	return err ?: bpf_program__fd(prog);
}

static void linked_later(const void *arg)
{
	union bpf_attr attr;
	int target, fd;

	check(link_extension(unsigned_replaces_signed) == -EPERM, "unsigned in place of signed");
	check(link_extension(signed_replaces_unsigned) == -EPERM, "signed in place of unsigned");

	target = load_signed_target();
	fd = must(load_freplace(target, &attr));
	must(link_extension(fd));
	check(prog_run(target) == 6, "the function is not replaced");
}

/* ---- words ---------------------------------------------------------------- */

static int load_into_mixed(void)
{
	return load(SIGNED, "call", "calls", mixed).fd;
}

static int put_into_mixed(void)
{
	return put(mixed, 2, must_load(SIGNED, "called", NULL, -1).fd);
}

static int fill_with_both(void)
{
	struct ops ops = load_ops(SIGNED);

	ops.fd[CONG_AVOID] = unsigned_ops.fd[CONG_AVOID];
	return fill_ops(ops_map(), &ops);
}

static int link_mixed(void)
{
	return link_ops(mixed_ops);
}

static int associate_both(void)
{
	return associate(must_load(SIGNED, "called", NULL, -1).fd,
			 must_fill_ops(&unsigned_ops));
}

static int load_extension(void)
{
	union bpf_attr attr;

	return load_freplace(unsigned_target, &attr);
}

static int link_the_extension(void)
{
	return link_extension(signed_replaces_unsigned);
}

/* Each way leaves a line in the kernel's log, and a record. */
static void words(const void *arg)
{
	static const struct {
		int (*mix)(void);
		const char *prog, *what;
	} ways[] = {
		{ load_into_mixed, "call", "map calls" },
		{ put_into_mixed, "called", "sharing of map calls" },
		{ fill_with_both, NULL, "sharing of map " },
		{ link_mixed, "?", "use of map " },
		{ associate_both, "called", "sharing of map " },
		{ load_extension, "on_freplace", "freplace of program ext_target" },
		{ link_the_extension, "on_freplace", "freplace of program ext_target" },
	};
	int kmsg, again;
	char line[128];
	size_t i;

	/* the kernel limits the rate of its lines */
	sleep(6);
	for (i = 0; i < ARRAY_SIZE(ways); i++) {
		kmsg = kmsg_open();
		again = kmsg_open();
		check(ways[i].mix() < 0, "%s: they mix", ways[i].what);
		snprintf(line, sizeof(line), "%s%s%s%s", ways[i].prog ? "bpf program '" : "",
			 ways[i].prog ?: "", ways[i].prog ? "': " : "", ways[i].what);
		check(kmsg_has(kmsg, line), "no line has: %s", line);
		snprintf(line, sizeof(line), "mode=integrity what=\"%s", ways[i].what);
		check(recorded(again, line), "no record has: %s", line);
		close(kmsg);
		close(again);
	}
}

static void unsigned_extension(const void *arg)
{
	int fd = load_unsigned(BPF_PROG_TYPE_EXT);

	check(fd == -EPERM || fd == -EINVAL, "%s", fd < 0 ? strerror(-fd) : "it loaded");
}

/* Who reads a pinned map learns nothing of what special fields point to. */
static void pinned_timers(const void *arg)
{
	static const char path[] = "/sys/fs/bpf/bpf_signed_mix";
	union bpf_attr attr = {};
	int map = mix_map("timers");
	char *text, *p;

	check(prog_run(must_load(SIGNED, "set_timer", "timers", map).fd) == 0, "it is not set");
	unlink(path);
	attr.pathname = (uintptr_t)path;
	attr.bpf_fd = map;
	must(sys_bpf(BPF_OBJ_PIN, &attr, sizeof(attr)));
	text = read_file(path, NULL);
	unlink(path);
	check(strchr(text, '{'), "no value: %s", text);
	for (p = text; *p; p += strspn(p, "0123456789") ?: 1)
		check(strtoull(p, NULL, 10) < 1ULL << 63, "an address: %s", text);
}

/* An image says nothing of what its maps will hold: it vouches for no other program. */
static void told_by_a_map(const void *arg)
{
	int ret = prog_run(must_load(SIGNED, "load_what_it_is_told", NULL, -1).fd);

	check(ret == -EPERM, "%s", ret < 0 ? strerror(-ret) : "it loaded");
}

static void lock_down(const void *arg)
{
	int fd = must(open("/sys/kernel/security/lockdown", O_WRONLY));

	must(write(fd, "integrity", 9));
	check(!strcmp(lockdown_mode(), "integrity"), "the mode is %s", lockdown_mode());
}

/* What was loaded and put together before goes on. */
static void stays(const void *arg)
{
	check(prog_run(unsigned_filter) == 0, "the filter does not run");
	check(prog_run(unsigned_target) == 5, "the target does not run");
}

/* The target of freplace, as plain libbpf loads it */
static int load_target(void)
{
	struct bpf_object *obj = bpf_object__open("attach.bpf.o");
	struct bpf_program *prog;

	if (!obj)
		return -errno;
	bpf_object__for_each_program(prog, obj)
		bpf_program__set_autoload(prog, !strcmp(bpf_program__name(prog), "ext_target"));
	if (bpf_object__load(obj))
		return -errno;
	return bpf_program__fd(bpf_object__find_program_by_name(obj, "ext_target"));
}

static const struct test_case cases[] = {
	CASE(not_locked_down),
	CASE(arrays_not_locked_down),
	CASE(lock_down),
	CASE(tail_calls),
	CASE(callers),
	CASE(mixed_before),
	{ "devices", redirected, &redirections[0] },
	{ "hash of devices", redirected, &redirections[1] },
	{ "CPUs", redirected, &redirections[2] },
	CASE(inner_maps),
	CASE(callbacks),
	CASE(inner_callbacks),
	CASE(callback_is_of_its_program),
	CASE(struct_ops),
	CASE(associated),
	CASE(associated_first),
	CASE(freplace),
	CASE(linked_later),
	CASE(words),
	CASE(unsigned_extension),
	CASE(pinned_timers),
	CASE(told_by_a_map),
	CASE(bound_map),
	CASE(inner_contents),
	CASE(arrays),
	CASE(stays),
};

/* All that has to be there before the kernel is locked down */
static void prepare(void)
{
	struct ops ops;
	union bpf_attr attr;

	unsigned_target = load_target();
	unsigned_filter = load_unsigned(BPF_PROG_TYPE_SOCKET_FILTER);
	check(unsigned_target >= 0 && unsigned_filter >= 0, "%s", log_text);
	signed_first = array();
	unsigned_first = array();
	mixed = array_of_calls();
	check(!put(signed_first, 0, signed_filter()) && !put(unsigned_first, 0, unsigned_filter) &&
	      !put(mixed, 0, must_load(SIGNED, "called", NULL, -1).fd) &&
	      !put(mixed, 1, must_load(UNSIGNED, "called", NULL, -1).fd), "%s", strerror(errno));

	outer_works = inner("outer_works", &inner_works);
	unsigned_worker = must_load(UNSIGNED, "set_inner_work", "outer_works", outer_works);

	unsigned_ops = load_ops(UNSIGNED);
	ops = load_ops(SIGNED);
	ops.fd[CONG_AVOID] = unsigned_ops.fd[CONG_AVOID];
	mixed_ops = must_fill_ops(&ops);

	elements_before = mix_map("elements");
	outer_before = mix_map("outer_elements");

	unsigned_replaces_signed = must(load_unsigned_extension(load_signed_target()));
	signed_replaces_unsigned = must(load_freplace(unsigned_target, &attr));
}

int main(int argc, char **argv)
{
	libbpf_set_print(NULL);
	prepare();
	return run_cases(argc, argv, cases, ARRAY_SIZE(cases));
}
