// SPDX-License-Identifier: GPL-2.0
/*
 * Events that a signed program may be attached to: each kind, each road, what is
 * allowed and what is refused. Links and events live as long as their case.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <linux/hw_breakpoint.h>
#include <linux/perf_event.h>
#include "lib.h"

#define TRACEFS	"/sys/kernel/tracing/"
#define PMUS	"/sys/bus/event_source/devices/"

/* Files in which there are functions; a link to the first, and another name of it */
static char dir[] = "/tmp/bpf_signed_events.XXXXXX";
static char file_a[PATH_MAX], file_b[PATH_MAX], sym_a[PATH_MAX];

/* Where a program is to be attached */
struct where {
	/* function, file, tracepoint, or type of a perf event */
	const char *name;
	/* of a tracepoint the second half */
	const char *more;
	__u64 offset;
	bool ret;
	/* what comes out if the distance is negative */
	int back;
};

typedef int (*road_fn)(int prog_fd, const struct where *w);

struct event_case {
	const char *name;
	__u32 prog_type;
	__u32 attach_type;
	road_fn road;
	struct where where;
	int want;
	struct {
		__u32 kind;
		const char *name;
		const char *symbol;
	} rec[3];
};

/* ---- programs ---------------------------------------------------------- */

static int load(const struct event_case *c)
{
	static char strings[8192];
	struct bpf_image_event recs[ARRAY_SIZE(c->rec)] = {};
	__u32 len = 1, cnt;
	union bpf_attr attr;
	struct builder b;
	int fd;

	builder_init(&b, "event", 0);
	b.hdr.prog_type = c->prog_type;
	b.hdr.expected_attach_type = c->attach_type;
	b.hdr.license = len;
	len += sprintf(strings + len, "GPL") + 1;
	for (cnt = 0; cnt < ARRAY_SIZE(recs) && c->rec[cnt].kind; cnt++) {
		recs[cnt].kind = c->rec[cnt].kind;
		recs[cnt].name = len;
		if (strpbrk(c->rec[cnt].name, "*?"))
			recs[cnt].flags = BPF_IMAGE_EVENT_GLOB;
		len += sprintf(strings + len, "%s", c->rec[cnt].name) + 1;
		if (c->rec[cnt].symbol) {
			recs[cnt].symbol = len;
			len += sprintf(strings + len, "%s", c->rec[cnt].symbol) + 1;
		}
	}
	builder_set(&b, BPF_IMAGE_STRINGS, strings, len);
	if (cnt)
		builder_set(&b, BPF_IMAGE_EVENTS, recs, cnt * sizeof(*recs));
	image_attr(&attr, build_signed(&b), NULL, 0, -1);
	fd = image_load(&attr);
	check(fd >= 0, "load: %s; log: %s", strerror(-fd), log_text);
	return fd;
}

/* ---- roads: each returns 0 or a negative errno ------------------------- */

static int number(const char *path)
{
	size_t len;

	return atoi(read_file(path, &len));
}

static int perf_open(struct perf_event_attr *attr, pid_t pid, int cpu)
{
	attr->size = sizeof(*attr);
	return must(syscall(SYS_perf_event_open, attr, pid, cpu, -1, PERF_FLAG_FD_CLOEXEC));
}

static int link_perf(int prog_fd, int event)
{
	union bpf_attr attr = {};

	attr.link_create.prog_fd = prog_fd;
	attr.link_create.target_fd = event;
	attr.link_create.attach_type = BPF_PERF_EVENT;
	return sys_bpf(BPF_LINK_CREATE, &attr, sizeof(attr)) < 0 ? -errno : 0;
}

static int ioctl_perf(int prog_fd, int event)
{
	return ioctl(event, PERF_EVENT_IOC_SET_BPF, prog_fd) ? -errno : 0;
}

static unsigned long kallsyms(const char *want)
{
	static char *text;
	char *line, *name;
	size_t len;

	if (!text)
		text = read_file("/proc/kallsyms", &len);
	/* ADDRESS TYPE NAME */
	for (line = text; line && *line; line = strchr(line, '\n'), line += !!line) {
		name = strchr(line, ' ') + 3;
		len = strcspn(name, "\t\n");
		if (len == strlen(want) && !memcmp(name, want, len))
			return strtoul(line, NULL, 16);
	}
	check(false, "no symbol '%s'", want);
	return 0;
}

static int kprobe_event(const struct where *w, bool by_address)
{
	struct perf_event_attr attr = {
		.type = number(PMUS "kprobe/type"),
		.config = w->ret,
		.sample_period = 1,
	};

	if (by_address) {
		attr.kprobe_addr = kallsyms(w->name) + w->offset;
	} else {
		attr.kprobe_func = (uintptr_t)w->name;
		attr.probe_offset = w->offset;
	}
	return perf_open(&attr, -1, 0);
}

static int kprobe_link(int prog_fd, const struct where *w)
{
	return link_perf(prog_fd, kprobe_event(w, false));
}

static int kprobe_ioctl(int prog_fd, const struct where *w)
{
	return ioctl_perf(prog_fd, kprobe_event(w, false));
}

static int kprobe_address(int prog_fd, const struct where *w)
{
	return link_perf(prog_fd, kprobe_event(w, true));
}

/* By the distance from another function */
static int kprobe_beyond(int prog_fd, const struct where *w)
{
	struct where from = {
		.name = w->more,
		.offset = kallsyms(w->name) - kallsyms(w->more),
		.ret = w->ret,
	};

	/* perf does not go back */
	if ((__s64)from.offset < 0)
		return w->back;
	return link_perf(prog_fd, kprobe_event(&from, false));
}

static int uprobe_event(const struct where *w)
{
	struct perf_event_attr attr = {
		.type = number(PMUS "uprobe/type"),
		.config = w->ret,
		.uprobe_path = (uintptr_t)w->name,
		.probe_offset = w->offset,
		.sample_period = 1,
	};

	return perf_open(&attr, -1, 0);
}

static int uprobe_link(int prog_fd, const struct where *w)
{
	return link_perf(prog_fd, uprobe_event(w));
}

static int uprobe_ioctl(int prog_fd, const struct where *w)
{
	return ioctl_perf(prog_fd, uprobe_event(w));
}

static int tracefs_write(const char *file, int flags, const char *fmt, ...)
{
	char path[PATH_MAX], *text;
	va_list args;
	int fd, ret;

	mount("tracefs", TRACEFS, "tracefs", 0, NULL);
	va_start(args, fmt);
	must(vasprintf(&text, fmt, args));
	va_end(args);
	snprintf(path, sizeof(path), TRACEFS "%s", file);
	fd = must(open(path, O_WRONLY | O_CLOEXEC | flags));
	ret = write(fd, text, strlen(text)) < 0 ? -errno : 0;
	close(fd);
	free(text);
	return ret;
}

static int tracefs_event(const char *category, const char *name)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_TRACEPOINT,
		.sample_period = 1,
	};
	char path[PATH_MAX];

	mount("tracefs", TRACEFS, "tracefs", 0, NULL);
	snprintf(path, sizeof(path), TRACEFS "events/%s/%s/id", category, name);
	attr.config = number(path);
	return perf_open(&attr, -1, 0);
}

/* What is defined in tracefs outlives the case, so each has a name of its own. */
static const char *new_name(void)
{
	static char name[32];

	snprintf(name, sizeof(name), "e%d", getpid());
	return name;
}

static int kprobe_legacy(int prog_fd, const struct where *w)
{
	const char *name = new_name();

	must(tracefs_write("kprobe_events", O_APPEND, "%c:signed/%s %s+%llu\n",
			   w->ret ? 'r' : 'p', name, w->name, w->offset));
	return ioctl_perf(prog_fd, tracefs_event("signed", name));
}

static int kprobe_legacy_address(int prog_fd, const struct where *w)
{
	const char *name = new_name();

	must(tracefs_write("kprobe_events", O_APPEND, "p:signed/%s 0x%lx\n", name,
			   kallsyms(w->name)));
	return ioctl_perf(prog_fd, tracefs_event("signed", name));
}

/* The second of two probes that share an event */
static int kprobe_legacy_two(int prog_fd, const struct where *w)
{
	const char *name = new_name();

	must(tracefs_write("kprobe_events", O_APPEND, "p:signed/%s vfs_unlink\n", name));
	must(tracefs_write("kprobe_events", O_APPEND, "p:signed/%s %s\n", name, w->name));
	return link_perf(prog_fd, tracefs_event("signed", name));
}

static int uprobe_legacy(int prog_fd, const struct where *w)
{
	const char *name = new_name();

	must(tracefs_write("uprobe_events", O_APPEND, "%c:signed/%s %s:0x%llx\n",
			   w->ret ? 'r' : 'p', name, w->name, w->offset));
	return ioctl_perf(prog_fd, tracefs_event("signed", name));
}

static int multi_link(int prog_fd, union bpf_attr *attr)
{
	struct bpf_prog_info info;

	must(prog_info(prog_fd, &info));
	attr->link_create.prog_fd = prog_fd;
	return sys_bpf(BPF_LINK_CREATE, attr, sizeof(*attr)) < 0 ? -errno : 0;
}

/* bpf_fentry_test1 and the one that is named, by names or addresses */
static int kprobe_multi(int prog_fd, const struct where *w, bool by_address, __u32 attach_type)
{
	const char * const names[] = { "bpf_fentry_test1", w->name };
	unsigned long syms[2], addrs[2];
	union bpf_attr attr = {};
	int i;

	for (i = 0; i < 2; i++) {
		syms[i] = (uintptr_t)names[i];
		addrs[i] = kallsyms(names[i]);
	}
	attr.link_create.attach_type = attach_type;
	attr.link_create.kprobe_multi.cnt = 2;
	if (by_address)
		attr.link_create.kprobe_multi.addrs = (uintptr_t)addrs;
	else
		attr.link_create.kprobe_multi.syms = (uintptr_t)syms;
	if (w->ret)
		attr.link_create.kprobe_multi.flags = BPF_F_KPROBE_MULTI_RETURN;
	return multi_link(prog_fd, &attr);
}

static int kprobe_multi_names(int prog_fd, const struct where *w)
{
	return kprobe_multi(prog_fd, w, false, BPF_TRACE_KPROBE_MULTI);
}

static int kprobe_multi_addresses(int prog_fd, const struct where *w)
{
	return kprobe_multi(prog_fd, w, true, BPF_TRACE_KPROBE_MULTI);
}

static int kprobe_session(int prog_fd, const struct where *w)
{
	return kprobe_multi(prog_fd, w, true, BPF_TRACE_KPROBE_SESSION);
}

/* Offset 0 and the one that is named */
static int uprobe_multi(int prog_fd, const struct where *w, bool by_fd, __u32 attach_type)
{
	unsigned long offsets[2] = { 0x100, w->offset };
	union bpf_attr attr = {};

	attr.link_create.attach_type = attach_type;
	attr.link_create.uprobe_multi.cnt = 2;
	attr.link_create.uprobe_multi.offsets = (uintptr_t)offsets;
	if (by_fd) {
		attr.link_create.uprobe_multi.path_fd = must(open(w->name, O_RDONLY | O_CLOEXEC));
		attr.link_create.uprobe_multi.flags = BPF_F_UPROBE_MULTI_PATH_FD;
	} else {
		attr.link_create.uprobe_multi.path = (uintptr_t)w->name;
	}
	if (w->ret)
		attr.link_create.uprobe_multi.flags |= BPF_F_UPROBE_MULTI_RETURN;
	return multi_link(prog_fd, &attr);
}

static int uprobe_multi_path(int prog_fd, const struct where *w)
{
	return uprobe_multi(prog_fd, w, false, BPF_TRACE_UPROBE_MULTI);
}

static int uprobe_multi_fd(int prog_fd, const struct where *w)
{
	return uprobe_multi(prog_fd, w, true, BPF_TRACE_UPROBE_MULTI);
}

static int uprobe_session(int prog_fd, const struct where *w)
{
	return uprobe_multi(prog_fd, w, false, BPF_TRACE_UPROBE_SESSION);
}

static int tracepoint_link(int prog_fd, const struct where *w)
{
	return link_perf(prog_fd, tracefs_event(w->name, w->more));
}

static int tracepoint_ioctl(int prog_fd, const struct where *w)
{
	return ioctl_perf(prog_fd, tracefs_event(w->name, w->more));
}

static int raw_tp(int prog_fd, const struct where *w)
{
	union bpf_attr attr = {};

	attr.raw_tracepoint.name = (uintptr_t)w->name;
	attr.raw_tracepoint.prog_fd = prog_fd;
	return sys_bpf(BPF_RAW_TRACEPOINT_OPEN, &attr, sizeof(attr)) < 0 ? -errno : 0;
}

static long watched[2];

static int perf_event(const struct where *w)
{
	struct perf_event_attr attr = {
		.sample_period = 1000000,
		.config = w->offset,
	};

	if (!strcmp(w->name, "software")) {
		attr.type = PERF_TYPE_SOFTWARE;
	} else {
		attr.type = PERF_TYPE_BREAKPOINT;
		attr.config = 0;
		attr.bp_addr = w->offset;
		attr.bp_len = HW_BREAKPOINT_LEN_8;
		attr.bp_type = HW_BREAKPOINT_W;
		attr.exclude_kernel = 1;
		return perf_open(&attr, 0, -1);
	}
	return perf_open(&attr, -1, 0);
}

static int perf_link(int prog_fd, const struct where *w)
{
	return link_perf(prog_fd, perf_event(w));
}

static int perf_ioctl(int prog_fd, const struct where *w)
{
	return ioctl_perf(prog_fd, perf_event(w));
}

/* ---- one case of the table --------------------------------------------- */

static void event(const void *arg)
{
	const struct event_case *c = arg;
	int log = kmsg_open(), prog = load(c), ret;

	ret = c->road(prog, &c->where);
	check(ret == c->want, "%s instead of %s", strerror(-ret), strerror(-c->want));
	check(ret || !kmsg_has(log, "program 'event' may not be attached to"),
	      "the kernel tells of a refusal");
}

#define KPROBE(title, road_, rec_, ...)						\
	{ .name = title, .prog_type = BPF_PROG_TYPE_KPROBE, .road = road_,	\
	  .rec = { { BPF_IMAGE_EVENT_KPROBE, rec_ } }, __VA_ARGS__ }
#define AT(...)		.where = { __VA_ARGS__ }
#define REFUSED		.want = -EPERM
#define TYPE(t)		.attach_type = BPF_TRACE_##t
#define FILE_(kind_, title, road_, rec_, ...)					\
	{ .name = title, .prog_type = BPF_PROG_TYPE_KPROBE, .road = road_,	\
	  .rec = { { BPF_IMAGE_EVENT_##kind_, rec_ } }, __VA_ARGS__ }
#define NAMED(type, kind_, title, road_, rec_, ...)				\
	{ .name = title, .prog_type = BPF_PROG_TYPE_##type, .road = road_,	\
	  .rec = { { BPF_IMAGE_EVENT_##kind_, rec_ } }, __VA_ARGS__ }
#define TP(...)		NAMED(TRACEPOINT, TRACEPOINT, __VA_ARGS__)
#define RAW(...)	NAMED(RAW_TRACEPOINT, RAW_TP, __VA_ARGS__)
#define PERF(...)	NAMED(PERF_EVENT, PERF, __VA_ARGS__)

static struct event_case table[] = {
	/* kprobes, by each road */
	KPROBE("kprobe by link", kprobe_link, "vfs_unlink", AT("vfs_unlink")),
	KPROBE("another function by link", kprobe_link, "vfs_unlink", AT("vfs_mkdir"), REFUSED),
	KPROBE("kprobe by ioctl", kprobe_ioctl, "vfs_unlink", AT("vfs_unlink")),
	KPROBE("another function by ioctl", kprobe_ioctl, "vfs_unlink", AT("vfs_mkdir"), REFUSED),
	KPROBE("kprobe by address", kprobe_address, "vfs_unlink", AT("vfs_unlink")),
	KPROBE("another address", kprobe_address, "vfs_unlink", AT("vfs_mkdir"), REFUSED),
	/* one of each two goes forward, whichever comes first in this kernel */
	KPROBE("beyond a function that is allowed", kprobe_beyond, "vfs_unlink",
	       AT("vfs_mkdir", "vfs_unlink", .back = -EPERM), REFUSED),
	KPROBE("beyond another one", kprobe_beyond, "vfs_mkdir",
	       AT("vfs_unlink", "vfs_mkdir", .back = -EPERM), REFUSED),
	KPROBE("beyond one that is not", kprobe_beyond, "vfs_unlink",
	       AT("vfs_unlink", "vfs_mkdir")),
	KPROBE("beyond another that is not", kprobe_beyond, "vfs_mkdir",
	       AT("vfs_mkdir", "vfs_unlink")),
	KPROBE("beyond a function, any offset", kprobe_beyond, "vfs_unlink+*",
	       AT("vfs_mkdir", "vfs_unlink", .back = -EPERM), REFUSED),
	KPROBE("beyond another, any offset", kprobe_beyond, "vfs_mkdir+*",
	       AT("vfs_unlink", "vfs_mkdir", .back = -EPERM), REFUSED),
	KPROBE("kprobe of tracefs", kprobe_legacy, "vfs_unlink", AT("vfs_unlink")),
	KPROBE("another function of tracefs", kprobe_legacy, "vfs_unlink", AT("vfs_mkdir"),
	       REFUSED),
	KPROBE("address of tracefs", kprobe_legacy_address, "vfs_unlink", AT("vfs_unlink")),
	KPROBE("another address of tracefs", kprobe_legacy_address, "vfs_unlink",
	       AT("vfs_mkdir"), REFUSED),
	KPROBE("two probes of an event", kprobe_legacy_two, "vfs_*", AT("vfs_mkdir")),
	KPROBE("two probes, one not allowed", kprobe_legacy_two, "vfs_unlink", AT("vfs_mkdir"),
	       REFUSED),
	KPROBE("pattern", kprobe_link, "vfs_un*", AT("vfs_unlink")),
	KPROBE("no match of the pattern", kprobe_link, "vfs_un*", AT("vfs_mkdir"), REFUSED),
	KPROBE("any function", kprobe_link, "*", AT("vfs_mkdir")),
	KPROBE("module of the kernel itself", kprobe_link, "vmlinux:vfs_unlink", AT("vfs_unlink")),
	KPROBE("another module", kprobe_link, "ext4:vfs_unlink", AT("vfs_unlink"), REFUSED),
	KPROBE("return of a function", kprobe_link, "vfs_unlink", AT("vfs_unlink", .ret = true),
	       REFUSED),
	KPROBE("return by tracefs", kprobe_legacy, "vfs_unlink", AT("vfs_unlink", .ret = true),
	       REFUSED),
	FILE_(KRETPROBE, "kretprobe", kprobe_link, "vfs_unlink", AT("vfs_unlink", .ret = true)),
	FILE_(KRETPROBE, "kretprobe by address", kprobe_address, "vfs_unlink",
	      AT("vfs_unlink", .ret = true)),
	FILE_(KRETPROBE, "entry with a kretprobe", kprobe_link, "vfs_unlink", AT("vfs_unlink"),
	      REFUSED),
	{ "one of several records", BPF_PROG_TYPE_KPROBE, 0, kprobe_link, { "vfs_mkdir" }, 0,
	  { { BPF_IMAGE_EVENT_KPROBE, "vfs_unlink" }, { BPF_IMAGE_EVENT_KRETPROBE, "vfs_mkdir" },
	    { BPF_IMAGE_EVENT_KPROBE, "vfs_mkdir" } } },
	{ "no record at all", BPF_PROG_TYPE_KPROBE, 0, kprobe_link, { "vfs_mkdir" }, -EPERM },

	/* kprobe.multi and sessions */
	KPROBE("multi by names", kprobe_multi_names, "bpf_fentry_test*", AT("bpf_fentry_test2"),
	       TYPE(KPROBE_MULTI)),
	KPROBE("multi by names, one not allowed", kprobe_multi_names, "bpf_fentry_test1",
	       AT("bpf_fentry_test2"), TYPE(KPROBE_MULTI), REFUSED),
	KPROBE("multi by addresses", kprobe_multi_addresses, "bpf_fentry_test*",
	       AT("bpf_fentry_test2"), TYPE(KPROBE_MULTI)),
	KPROBE("multi by addresses, one not allowed", kprobe_multi_addresses, "bpf_fentry_test1",
	       AT("bpf_fentry_test2"), TYPE(KPROBE_MULTI), REFUSED),
	KPROBE("returns of multi", kprobe_multi_names, "bpf_fentry_test*",
	       AT("bpf_fentry_test2", .ret = true), TYPE(KPROBE_MULTI), REFUSED),
	FILE_(KRETPROBE, "returns of multi, allowed", kprobe_multi_names, "bpf_fentry_test*",
	      AT("bpf_fentry_test2", .ret = true), TYPE(KPROBE_MULTI)),
	KPROBE("session, entry allowed", kprobe_session, "bpf_fentry_test*",
	       AT("bpf_fentry_test2"), TYPE(KPROBE_SESSION), REFUSED),
	FILE_(KRETPROBE, "session, return allowed", kprobe_session, "bpf_fentry_test*",
	      AT("bpf_fentry_test2"), TYPE(KPROBE_SESSION), REFUSED),
	{ "session, both allowed", BPF_PROG_TYPE_KPROBE, BPF_TRACE_KPROBE_SESSION, kprobe_session,
	  { "bpf_fentry_test2" }, 0,
	  { { BPF_IMAGE_EVENT_KPROBE, "bpf_fentry_test*" },
	    { BPF_IMAGE_EVENT_KRETPROBE, "bpf_fentry_test*" } } },

	/* uprobes */
	FILE_(UPROBE, "uprobe by link", uprobe_link, file_a, AT(file_a, .offset = 0x100)),
	FILE_(UPROBE, "another file by link", uprobe_link, file_a, AT(file_b, .offset = 0x100),
	      REFUSED),
	FILE_(UPROBE, "uprobe by ioctl", uprobe_ioctl, file_a, AT(file_a, .offset = 0x100)),
	FILE_(UPROBE, "another file by ioctl", uprobe_ioctl, file_a,
	      AT(file_b, .offset = 0x100), REFUSED),
	FILE_(UPROBE, "uprobe of tracefs", uprobe_legacy, file_a, AT(file_a, .offset = 0x100)),
	FILE_(UPROBE, "another file of tracefs", uprobe_legacy, file_a,
	      AT(file_b, .offset = 0x100), REFUSED),
	FILE_(UPROBE, "file behind a symbolic link", uprobe_link, sym_a,
	      AT(file_a, .offset = 0x100)),
	FILE_(UPROBE, "by a symbolic link", uprobe_link, file_a, AT(sym_a, .offset = 0x100)),
	FILE_(UPROBE, "end of the path", uprobe_link, "file_a", AT(file_a, .offset = 0x100)),
	FILE_(UPROBE, "another end of the path", uprobe_link, "ile_a",
	      AT(file_a, .offset = 0x100), REFUSED),
	FILE_(UPROBE, "pattern of paths", uprobe_link, "/tmp/bpf_signed_*/file_?",
	      AT(file_b, .offset = 0x100)),
	FILE_(UPROBE, "no match of paths", uprobe_link, "/usr/*", AT(file_b, .offset = 0x100),
	      REFUSED),
	FILE_(UPROBE, "file that is not there", uprobe_link, "/no/such/file",
	      AT(file_a, .offset = 0x100), REFUSED),
	FILE_(UPROBE, "return in a file", uprobe_link, file_a,
	      AT(file_a, .offset = 0x100, .ret = true), REFUSED),
	FILE_(URETPROBE, "uretprobe", uprobe_link, file_a,
	      AT(file_a, .offset = 0x100, .ret = true)),
	FILE_(USDT, "USDT", uprobe_link, file_a, AT(file_a, .offset = 0x100)),
	FILE_(USDT, "USDT in another file", uprobe_link, file_a, AT(file_b, .offset = 0x100),
	      REFUSED),
	{ "offset", BPF_PROG_TYPE_KPROBE, 0, uprobe_link, { file_a, .offset = 0x100 }, 0,
	  { { BPF_IMAGE_EVENT_UPROBE, file_a, "0x100" } } },
	{ "another offset", BPF_PROG_TYPE_KPROBE, 0, uprobe_link, { file_a, .offset = 0x200 },
	  -EPERM, { { BPF_IMAGE_EVENT_UPROBE, file_a, "0x100" } } },
	{ "symbol", BPF_PROG_TYPE_KPROBE, 0, uprobe_link, { file_a, .offset = 0x200 },
	  0, { { BPF_IMAGE_EVENT_UPROBE, file_a, "main" } } },
	FILE_(UPROBE, "multi by path", uprobe_multi_path, file_a, AT(file_a, .offset = 0x200),
	      TYPE(UPROBE_MULTI)),
	FILE_(UPROBE, "multi by path, another file", uprobe_multi_path, file_a,
	      AT(file_b, .offset = 0x200), TYPE(UPROBE_MULTI), REFUSED),
	FILE_(UPROBE, "multi by fd", uprobe_multi_fd, file_a, AT(file_a, .offset = 0x200),
	      TYPE(UPROBE_MULTI)),
	FILE_(UPROBE, "multi by fd, another file", uprobe_multi_fd, file_a,
	      AT(file_b, .offset = 0x200), TYPE(UPROBE_MULTI), REFUSED),
	{ "multi, one offset not allowed", BPF_PROG_TYPE_KPROBE, BPF_TRACE_UPROBE_MULTI,
	  uprobe_multi_path, { file_a, .offset = 0x200 }, -EPERM,
	  { { BPF_IMAGE_EVENT_UPROBE, file_a, "0x100" } } },
	FILE_(UPROBE, "returns of multi in a file", uprobe_multi_path, file_a,
	      AT(file_a, .offset = 0x200, .ret = true), TYPE(UPROBE_MULTI), REFUSED),
	FILE_(UPROBE, "session in a file, entry allowed", uprobe_session, file_a,
	      AT(file_a, .offset = 0x200), TYPE(UPROBE_SESSION), REFUSED),
	{ "session in a file, both allowed", BPF_PROG_TYPE_KPROBE, BPF_TRACE_UPROBE_SESSION,
	  uprobe_session, { file_a, .offset = 0x200 }, 0,
	  { { BPF_IMAGE_EVENT_UPROBE, file_a }, { BPF_IMAGE_EVENT_URETPROBE, file_a } } },

	/* tracepoints */
	TP("tracepoint by link", tracepoint_link, "sched/sched_switch",
	   AT("sched", "sched_switch")),
	TP("another tracepoint by link", tracepoint_link, "sched/sched_switch",
	   AT("sched", "sched_wakeup"), REFUSED),
	TP("tracepoint by ioctl", tracepoint_ioctl, "sched/sched_switch",
	   AT("sched", "sched_switch")),
	TP("another tracepoint by ioctl", tracepoint_ioctl, "sched/sched_switch",
	   AT("sched", "sched_wakeup"), REFUSED),
	TP("system call", tracepoint_link, "syscalls/sys_enter_getpid",
	   AT("syscalls", "sys_enter_getpid")),
	TP("another system call", tracepoint_link, "syscalls/sys_enter_getpid",
	   AT("syscalls", "sys_exit_getpid"), REFUSED),
	TP("tracepoints by pattern", tracepoint_link, "syscalls/sys_enter_*",
	   AT("syscalls", "sys_enter_getpid")),
	TP("no match of tracepoints", tracepoint_link, "syscalls/sys_enter_*",
	   AT("sched", "sched_switch"), REFUSED),

	/* raw tracepoints */
	RAW("raw tracepoint", raw_tp, "sys_enter", AT("sys_enter")),
	RAW("another raw tracepoint", raw_tp, "sys_enter", AT("sys_exit"), REFUSED),
	RAW("raw tracepoints by pattern", raw_tp, "sched_*", AT("sched_switch")),
	RAW("no match of raw tracepoints", raw_tp, "sched_*", AT("sys_exit"), REFUSED),
	NAMED(RAW_TRACEPOINT_WRITABLE, RAW_TP, "writable raw tracepoint", raw_tp, "sys_enter",
	      AT("sys_enter")),
	NAMED(RAW_TRACEPOINT_WRITABLE, RAW_TP, "another writable raw tracepoint", raw_tp,
	      "sys_enter", AT("sys_exit"), REFUSED),

	/* perf events */
	PERF("perf event by link", perf_link, "software:0x0", AT("software")),
	PERF("another perf event by link", perf_link, "software:0x0",
	     AT("software", .offset = PERF_COUNT_SW_CONTEXT_SWITCHES), REFUSED),
	PERF("perf event by ioctl", perf_ioctl, "software:0x0", AT("software")),
	PERF("another perf event by ioctl", perf_ioctl, "software:0x0",
	     AT("software", .offset = PERF_COUNT_SW_CONTEXT_SWITCHES), REFUSED),
	PERF("any perf event", perf_link, "*",
	     AT("software", .offset = PERF_COUNT_SW_CONTEXT_SWITCHES)),
	PERF("another type of perf event", perf_link, "hardware:*", AT("software"), REFUSED),
	{ "no perf event", BPF_PROG_TYPE_PERF_EVENT, 0, perf_link, { "software" }, -EPERM },
};

/* ---- other cases ------------------------------------------------------- */

static const struct event_case only_unlink =
	KPROBE("", NULL, "vfs_unlink");

/* Which instruction of a function is probed, is part of the name. */
static void offset_in_function(const void *arg)
{
	static const struct event_case entry = KPROBE("", NULL, "bpf_fentry_test1"),
				       inside = KPROBE("", NULL, "bpf_fentry_test1+*");
	struct where w = { "bpf_fentry_test1" };
	struct perf_event_attr attr = {
		.type = number(PMUS "kprobe/type"),
		.kprobe_func = (uintptr_t)w.name,
		.size = sizeof(attr),
	};
	int fd = -1, prog = load(&entry);

	must(kprobe_link(load(&inside), &w));
	/* not every offset is one of an instruction */
	for (w.offset = 5; fd < 0 && w.offset < 64; w.offset++) {
		attr.probe_offset = w.offset;
		fd = syscall(SYS_perf_event_open, &attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);
	}
	check(fd >= 0, "no instruction to probe");
	w.offset--;
	check(kprobe_link(prog, &w) == -EPERM, "link at +%llu", w.offset);
	check(kprobe_address(prog, &w) == -EPERM, "link by address at +%llu", w.offset);
	must(kprobe_link(load(&inside), &w));
	must(kprobe_address(load(&inside), &w));
}

/* While a program is there, nobody adds a probe to the event it was signed for. */
static void no_probe_is_added(const void *arg)
{
	const char *name = new_name();
	int event, prog = load(&only_unlink), err;

	must(tracefs_write("kprobe_events", O_APPEND, "p:signed/%s vfs_unlink\n", name));
	event = tracefs_event("signed", name);
	must(ioctl_perf(prog, event));
	err = tracefs_write("kprobe_events", O_APPEND, "p:signed/%s vfs_mkdir\n", name);
	check(err == -EBUSY, "second probe: %s", strerror(-err));
	close(event);
	must(tracefs_write("kprobe_events", O_APPEND, "p:signed/%s vfs_mkdir\n", name));
	event = tracefs_event("signed", name);
	err = ioctl_perf(prog, event);
	check(err == -EPERM, "both probes: %s", strerror(-err));
}

static void no_file_is_added(const void *arg)
{
	static const struct event_case only_a = FILE_(UPROBE, "", NULL, file_a);
	const char *name = new_name();
	int event, prog = load(&only_a), err;

	must(tracefs_write("uprobe_events", O_APPEND, "p:signed/%s %s:0x100\n", name, file_a));
	event = tracefs_event("signed", name);
	must(ioctl_perf(prog, event));
	err = tracefs_write("uprobe_events", O_APPEND, "p:signed/%s %s:0x100\n", name, file_b);
	check(err == -EBUSY, "second probe: %s", strerror(-err));
	close(event);
	must(tracefs_write("uprobe_events", O_APPEND, "p:signed/%s %s:0x100\n", name, file_b));
	event = tracefs_event("signed", name);
	err = ioctl_perf(prog, event);
	check(err == -EPERM, "both probes: %s", strerror(-err));
}

/* A path means what init finds there, whatever the caller mounts for itself. */
static void own_namespace(const void *arg)
{
	static const struct event_case only_a = FILE_(UPROBE, "", NULL, file_a);
	struct where w = { file_a, .offset = 0x100 };
	int prog = load(&only_a), err;

	must(uprobe_link(prog, &w));
	must(unshare(CLONE_NEWNS));
	must(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL));
	must(mount(file_b, file_a, NULL, MS_BIND, NULL));
	err = uprobe_link(prog, &w);
	check(err == -EPERM, "file that is mounted over it: %s", strerror(-err));
	err = uprobe_multi(load(&(struct event_case)FILE_(UPROBE, "", NULL, file_a,
							  TYPE(UPROBE_MULTI))), &w, false,
			   BPF_TRACE_UPROBE_MULTI);
	check(err == -EPERM, "multi: %s", strerror(-err));
}

/* The same with a root of its own */
static void own_root(const void *arg)
{
	static const struct event_case only_a = FILE_(UPROBE, "", NULL, file_a);
	char path[2 * PATH_MAX];
	int prog = load(&only_a), type = number(PMUS "uprobe/type"), event, err;
	struct perf_event_attr attr = {
		.type = type,
		.uprobe_path = (uintptr_t)file_a,
		.probe_offset = 0x100,
	};

	/* DIR/tmp/bpf_signed_events.X/file_a is another file */
	snprintf(path, sizeof(path), "%s/tmp", dir);
	mkdir(path, 0755);
	snprintf(path, sizeof(path), "%s%s", dir, dir);
	mkdir(path, 0755);
	snprintf(path, sizeof(path), "%s%s", dir, file_a);
	check(!link(file_b, path) || errno == EEXIST, "link: %s", strerror(errno));
	must(chroot(dir));
	event = perf_open(&attr, -1, 0);
	err = ioctl_perf(prog, event);
	check(err == -EPERM, "file in the caller's root: %s", strerror(-err));
}

/* A breakpoint goes nowhere else with its program. */
static void breakpoint_stays(const void *arg)
{
	struct event_case c = PERF("", NULL, NULL);
	struct perf_event_attr attr = {
		.type = PERF_TYPE_BREAKPOINT,
		.size = sizeof(attr),
		.bp_addr = (uintptr_t)&watched[0],
		.bp_len = HW_BREAKPOINT_LEN_8,
		.bp_type = HW_BREAKPOINT_W,
		.exclude_kernel = 1,
		.sample_period = 1000000,
	};
	struct where w = { "breakpoint", .offset = (uintptr_t)&watched[0] };
	char name[64];
	int event;

	snprintf(name, sizeof(name), "breakpoint:%#lx", (unsigned long)&watched[0]);
	c.rec[0].name = name;
	event = perf_event(&w);
	/* without a program it can be moved */
	attr.bp_addr = (uintptr_t)&watched[1];
	must(ioctl(event, PERF_EVENT_IOC_MODIFY_ATTRIBUTES, &attr));
	attr.bp_addr = (uintptr_t)&watched[0];
	must(ioctl(event, PERF_EVENT_IOC_MODIFY_ATTRIBUTES, &attr));
	must(ioctl_perf(load(&c), event));
	attr.bp_addr = (uintptr_t)&watched[1];
	check(ioctl(event, PERF_EVENT_IOC_MODIFY_ATTRIBUTES, &attr) && errno == EPERM,
	      "it is moved: %s", strerror(errno));
	attr.bp_addr = (uintptr_t)&watched[0];
	must(ioctl(event, PERF_EVENT_IOC_MODIFY_ATTRIBUTES, &attr));
	w.offset = (uintptr_t)&watched[1];
	check(ioctl_perf(load(&c), perf_event(&w)) == -EPERM, "another address is allowed");
}

/* What the kernel says of a refusal: program, event, what is allowed, remedy. */
#define REFUSAL	"bpf_signed: program 'event' may not be attached to kprobe/vfs_mkdir: it was signed for kprobe/vfs_unlink; its signer can allow that by 'attach event kprobe/vfs_mkdir' in the policy"

static void words(const void *arg)
{
	int log = kmsg_open(), prog = load(&only_unlink), i;

	/* it says so ten times in five seconds, and the cases before have used that up */
	for (i = 0; i < 20; i++, usleep(500000)) {
		check(kprobe_link(prog, &(struct where){ "vfs_mkdir" }) == -EPERM,
		      "it is attached");
		if (kmsg_has(log, REFUSAL))
			return;
	}
	check(false, "other words");
}

/* What is refused leaves a record, and where that is asked for so does what is allowed. */
static void records(const void *arg)
{
	static const char head[] = "op=attach prog-name=\"event\" what=\"kprobe\" name=";
	int log, prog = load(&only_unlink);
	char line[128];

	log = kmsg_open();
	check(kprobe_link(prog, &(struct where){ "vfs_mkdir" }) == -EPERM, "it is attached");
	snprintf(line, sizeof(line), "%s\"vfs_mkdir\" offset=0x0 cnt=1 res=0", head);
	check(recorded(log, line), "no record has: %s", line);
	must(kprobe_link(prog, &(struct where){ "vfs_unlink" }));
	snprintf(line, sizeof(line), "%s\"vfs_unlink\" offset=0x0 cnt=1 res=1", head);
	check(recorded(log, line), "no record has: %s", line);
}

/* As bpftool signs it, by what SEC() says */
static void signed_by_section(const void *arg)
{
	struct object *obj = object_open("attach.signed.o");
	int kprobe = object_load(obj, "on_kprobe"), tp = object_load(obj, "on_tracepoint"),
	    raw = object_load(obj, "on_raw_tp"), err;

	must(kprobe_link(kprobe, &(struct where){ "vfs_unlink" }));
	err = kprobe_link(kprobe, &(struct where){ "vfs_mkdir" });
	check(err == -EPERM, "kprobe: %s", strerror(-err));
	must(tracepoint_link(tp, &(struct where){ "syscalls", "sys_enter_getpid" }));
	err = tracepoint_link(tp, &(struct where){ "syscalls", "sys_enter_getppid" });
	check(err == -EPERM, "tracepoint: %s", strerror(-err));
	must(raw_tp(raw, &(struct where){ "sys_enter" }));
	err = raw_tp(raw, &(struct where){ "sys_exit" });
	check(err == -EPERM, "raw tracepoint: %s", strerror(-err));
}

/* It runs where it may: the check is not all that happens. */
static void runs_where_it_may(const void *arg)
{
	struct object *obj = object_open("attach.signed.o");
	struct bpf_prog_info info;
	union bpf_attr attr = {};
	int fd, stats;

	attr.enable_stats.type = BPF_STATS_RUN_TIME;
	stats = must(sys_bpf(BPF_ENABLE_STATS, &attr, sizeof(attr)));
	fd = object_load(obj, "on_tracepoint");
	must(tracepoint_link(fd, &(struct where){ "syscalls", "sys_enter_getpid" }));
	syscall(SYS_getpid);
	must(prog_info(fd, &info));
	check(info.run_cnt, "it has not run");
	close(stats);
}

/* Programs without an image are attached to what the caller likes. */
static void unsigned_is_free(const void *arg)
{
	int kprobe, tp, raw;

	kprobe = must(load_unsigned(BPF_PROG_TYPE_KPROBE));
	must(kprobe_link(kprobe, &(struct where){ "vfs_mkdir" }));
	must(kprobe_legacy(kprobe, &(struct where){ "vfs_unlink" }));
	must(tracefs_write("kprobe_events", O_APPEND, "p:signed/%s vfs_mkdir\n", new_name()));
	must(uprobe_link(kprobe, &(struct where){ file_b, .offset = 0x100 }));
	tp = must(load_unsigned(BPF_PROG_TYPE_TRACEPOINT));
	must(tracepoint_ioctl(tp, &(struct where){ "sched", "sched_switch" }));
	raw = must(load_unsigned(BPF_PROG_TYPE_RAW_TRACEPOINT));
	must(raw_tp(raw, &(struct where){ "sys_exit" }));
	must(perf_ioctl(must(load_unsigned(BPF_PROG_TYPE_PERF_EVENT)),
			&(struct where){ "software" }));
}

static void copy_to(char *path, const char *name, const char *data, size_t len)
{
	int fd;

	snprintf(path, PATH_MAX, "%s/%s", dir, name);
	fd = must(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0755));
	check(write(fd, data, len) == (ssize_t)len, "write %s", path);
	close(fd);
}

int main(int argc, char **argv)
{
	static const struct test_case others[] = {
		CASE(offset_in_function),
		CASE(no_probe_is_added),
		CASE(no_file_is_added),
		CASE(own_namespace),
		CASE(own_root),
		CASE(breakpoint_stays),
		CASE(words),
		CASE(signed_by_section),
		CASE(runs_where_it_may),
		/* the last, as it needs a kernel that takes such programs */
		CASE(unsigned_is_free),
	};
	struct test_case cases[ARRAY_SIZE(table) + ARRAY_SIZE(others) + 1];
	size_t i, cnt = 0, len;
	char *self;

	check(mkdtemp(dir), "mkdtemp: %s", strerror(errno));
	self = read_file("/proc/self/exe", &len);
	copy_to(file_a, "file_a", self, len);
	copy_to(file_b, "file_b", self, len);
	snprintf(sym_a, sizeof(sym_a), "%s/sym_a", dir);
	must(symlink(file_a, sym_a));
	/* a long text, to be read once */
	kallsyms("vfs_unlink");

	for (i = 0; i < ARRAY_SIZE(table); i++)
		cases[cnt++] = (struct test_case){ table[i].name, event, &table[i] };
	for (i = 0; i < ARRAY_SIZE(others); i++)
		cases[cnt++] = others[i];
	if (cmdline_has("bpf_lockdown=signed") && strcmp(lockdown_mode(), "none"))
		cnt--;
	if (cmdline_has("audit=1") && cmdline_has("bpf_lockdown_audit=all"))
		cases[cnt++] = (struct test_case)CASE(records);
	return run_cases(argc, argv, cases, cnt);
}
