// SPDX-License-Identifier: GPL-2.0
/*
 * Every way by which a BPF program of root reads kernel memory or learns kernel
 * addresses, and what stays useful without any of them: a program for each.
 *
 *	ways --prove [--base] [ROW...]
 *		on a kernel that is not locked down: each program loads, runs,
 *		and what it has got is what it should not have; or nothing, if
 *		that was mended and this is not the base kernel
 *	ways --verdicts MODE/CHOICE/SIGNER [--ceiling CLASSES] [ROW...]
 *		on a kernel in that mode, or in a looser one, which is raised:
 *		each program loads or is refused as its class says. MODE is
 *		none, integrity or confidentiality; CHOICE, for unsigned
 *		programs, audit, restricted or signed; SIGNER is unsigned,
 *		signed, annotated with the row's classes, or narrow: annotated
 *		with all of them but kernel-read
 *	ways --classes
 *		the objects, and with which classes each has to be annotated
 *
 * A row is OBJECT:PROGRAM, of OBJECT.bpf.o; the objects are in ways/, or in the
 * directory that WAYS says. Every row has a process of its own.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/compiler.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/perf_event.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include "ways.h"

#ifndef ARRAY_SIZE
#define ARRAY_SIZE(x)	(sizeof(x) / sizeof((x)[0]))
#endif

/* Classes of lockdown's policy */
enum {
	USER_READ = 1 << 0,
	USER_WRITE = 1 << 1,
	CONTROL = 1 << 2,
	KERNEL_READ = 1 << 3,
	KERNEL_ADDRESS = 1 << 4,
	FIELDS = 1 << 5,
	LOADER = 1 << 6,
};

static const char * const class_names[] = {
	"user-read", "user-write", "control", "kernel-read", "kernel-address", "fields", "loader",
};

struct run;

struct row {
	const char *obj;
	const char *prog;
	unsigned int needs;	/* classes; 0 is "plain" */
	/* Is what came out what should not have? For harmless rows: does it work? */
	bool (*got)(struct run *r);
	/* Other than what the type of the program calls for */
	void (*stimulate)(struct run *r);
	/* What is to be had is memory that nobody has cleared: the kernel may as well clear it */
	bool defusable;
	/* And this series does: it is to be had on the base kernel alone */
	bool mended;
	/* What integrity refuses to everybody */
	bool forbidden;
	/* Refused at attach rather than at load */
	bool at_attach;
	/* Confidentiality refuses to run it like this, whatever was granted */
	bool withheld;
	/* For the kernel it is a number like others, unless it comes by an image */
	bool image_only;
	/* What the verifier says is wanted */
	bool log;
};

struct run {
	const struct row *row;
	struct bpf_object *obj;
	struct bpf_program *prog;
	struct bpf_program *target;	/* that a function of the object takes the place in */
	struct ways_io *io;
	int fd;
	int retval;
	int attach_err;
	struct bpf_link *link;
	struct ways_vault *vault;
	char text[4096];	/* what a file of the kernel said */
	char why[256];		/* it has not got it */
};

static struct {
	struct bpf_object *obj;
	struct ways_io *io;
	struct ways_vault *vault;
	__u64 vault_addr;
} oracle;

static struct {
	enum { MODE_NONE, INTEGRITY, CONFIDENTIALITY } mode;
	enum { AUDIT, RESTRICTED, SIGNED } choice;
	enum { BY_NOBODY, BY_SYSTEM, ANNOTATED, NARROW } signer;
	unsigned int ceiling;
} machine = { .ceiling = ~0u };

static const char *dir = "ways";
static __u64 banner_addr;

static char user_text[64] = "text of the user";
static char user_buf[64];
static long getppid_said, open_said;
static volatile sig_atomic_t signals;
static char log_text[1 << 20];

static void __printf(1, 2) __noreturn die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fprintf(stderr, "ways: ");
	vfprintf(stderr, fmt, ap);
	fprintf(stderr, "\n");
	va_end(ap);
	exit(2);
}

static bool __printf(2, 3) no(struct run *r, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(r->why, sizeof(r->why), fmt, ap);
	va_end(ap);
	return false;
}

/* ---- what is known of the machine from elsewhere ------------------------ */

static __u64 ksym(const char *name)
{
	char line[512], sym[256], type;
	unsigned long long addr;
	__u64 found = 0;
	FILE *f = fopen("/proc/kallsyms", "r");

	while (f && !found && fgets(line, sizeof(line), f))
		if (sscanf(line, "%llx %c %255s", &addr, &type, sym) == 3 && !strcmp(sym, name))
			found = addr;
	if (f)
		fclose(f);
	return found;
}

/* The symbol that @addr is in, for code */
static const char *ksym_around(__u64 addr)
{
	static char best[256];
	char line[512], sym[256], type;
	unsigned long long at;
	__u64 nearest = 0;
	FILE *f = fopen("/proc/kallsyms", "r");

	best[0] = 0;
	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%llx %c %255s", &at, &type, sym) != 3)
			continue;
		if (at <= addr && at > nearest && (type == 't' || type == 'T')) {
			nearest = at;
			snprintf(best, sizeof(best), "%s", sym);
		}
	}
	if (f)
		fclose(f);
	return addr - nearest < 0x10000 ? best : "";
}

/* A number of /proc/PID/stat, counted from 1, after the name */
static __u64 proc_stat(int pid, int field)
{
	char path[64], text[2048], *p;
	int fd, n;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	fd = open(path, O_RDONLY);
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n <= 0)
		return 0;
	text[n] = 0;
	p = strrchr(text, ')') + 2;
	for (field -= 3; field > 0; field--)
		p = strchr(p, ' ') + 1;
	return strtoull(p, NULL, 10);
}

static bool in_kernel_half(__u64 x)
{
	/* with five levels of page tables it begins further down */
	return x >= 0xff00000000000000ULL && x < 0xfffffffffffff000ULL;
}

static int test_run_syscall(struct bpf_program *prog)
{
	char ctx[64] = {};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = ctx, .ctx_size_in = sizeof(ctx));

	return bpf_prog_test_run_opts(bpf_program__fd(prog), &opts) ?: (int)opts.retval;
}

static __u64 ask(const char *prog)
{
	test_run_syscall(bpf_object__find_program_by_name(oracle.obj, prog));
	return oracle.io->val[0];
}

static bool kernel_memory(__u64 addr, __u64 *word)
{
	oracle.io->arg[0] = addr;
	*word = ask("oracle_read");
	return !oracle.io->val[1];
}

/* ---- what a leak is ---------------------------------------------------- */

/* An address of the kernel's, at which there is memory */
static bool address(struct run *r)
{
	__u64 word;

	if (!in_kernel_half(r->io->val[0]))
		return no(r, "%llx is no kernel address", r->io->val[0]);
	if (oracle.obj && !kernel_memory(r->io->val[0], &word))
		return no(r, "nothing is at %llx", r->io->val[0]);
	return true;
}

/* The address of the value of the map "vault": our number is there */
static bool vault_address(struct run *r)
{
	__u64 word;

	if (!in_kernel_half(r->io->val[0]))
		return no(r, "%llx is no kernel address", r->io->val[0]);
	if (oracle.obj && (!kernel_memory(r->io->val[0], &word) || word != r->vault->magic))
		return no(r, "another thing is at %llx", r->io->val[0]);
	return true;
}

/* Half of it */
static bool vault_half(struct run *r)
{
	__u32 half = r->io->val[0];

	if (!half || (oracle.obj && half != (__u32)oracle.vault_addr))
		return no(r, "%x, not %x", half, (__u32)oracle.vault_addr);
	return true;
}

static bool vault_retval(struct run *r)
{
	r->io->val[0] = (__u32)r->retval;
	return vault_half(r);
}

static bool vault_guess(struct run *r)
{
	if (r->io->val[0] != oracle.vault_addr)
		return no(r, "%llx, not %llx", r->io->val[0], oracle.vault_addr);
	return true;
}

/* Its distance from some other pointer: both are kernel addresses */
static bool distance(struct run *r)
{
	r->io->val[0] = oracle.vault_addr - r->io->val[0];
	return address(r);
}

static int map_fd(struct run *r, const char *name)
{
	int fd = bpf_object__find_map_fd_by_name(r->obj, name);

	if (fd < 0)
		die("%s has no map %s", r->row->obj, name);
	return fd;
}

/* In key or value of the map "hash" */
static bool in_hash_key(struct run *r)
{
	__u64 key = 0;

	if (bpf_map_get_next_key(map_fd(r, "hash"), NULL, &key))
		return no(r, "nothing in the map");
	r->io->val[0] = key;
	return vault_address(r);
}

static bool in_hash_value(struct run *r)
{
	__u64 key = 0, value;

	if (bpf_map_lookup_elem(map_fd(r, "hash"), &key, &value))
		return no(r, "nothing in the map");
	r->io->val[0] = value;
	return vault_address(r);
}

static int take_record(void *ctx, void *data, size_t len)
{
	struct run *r = ctx;

	memcpy(&r->io->val[0], data, len < 8 ? len : 8);
	return 0;
}

static bool in_ringbuf(struct run *r)
{
	struct ring_buffer *rb = ring_buffer__new(map_fd(r, "ring"), take_record, r, NULL);

	if (!rb || ring_buffer__consume(rb) < 1)
		return no(r, "nothing in the ring buffer");
	return vault_address(r);
}

static bool is(struct run *r, __u64 expected)
{
	if (r->io->val[0] != expected)
		return no(r, "%llx, not %llx", r->io->val[0], expected);
	return true;
}

static bool symbol_is(struct run *r, const char *name)
{
	return is(r, ksym(name));
}

static bool is_array_map_ops(struct run *r)
{
	return symbol_is(r, "array_map_ops");
}

static bool is_banner(struct run *r)
{
	return symbol_is(r, "linux_banner");
}

static bool is_test_function(struct run *r)
{
	return symbol_is(r, "bpf_fentry_test1");
}

/* An address in the kernel's code */
static bool code(struct run *r)
{
	if (!in_kernel_half(r->io->val[0]) || !*ksym_around(r->io->val[0]))
		return no(r, "%llx is not in the kernel's code", r->io->val[0]);
	return true;
}

static bool in_getppid(struct run *r)
{
	const char *where = ksym_around(r->io->val[0]);

	return !strcmp(where, "__x64_sys_getppid") ||
	       no(r, "%llx is in '%s'", r->io->val[0], where);
}

static bool stack_in_map(struct run *r)
{
	__u64 ips[32] = {};
	__u32 id = r->io->val[1];

	if (!r->io->hits || bpf_map_lookup_elem(map_fd(r, "stacks"), &id, ips))
		return no(r, "no stack %d", (int)id);
	r->io->val[0] = ips[1] ?: ips[0];
	return code(r);
}

/* What added to a per-CPU symbol makes an address: at its own address it stands itself */
static bool per_cpu_base(struct run *r)
{
	__u64 base = r->io->val[0], word;

	if (!kernel_memory(base + ksym("this_cpu_off"), &word) || word != base)
		return no(r, "%llx is not where per-CPU memory is", base);
	return true;
}

static bool own_mapping(struct run *r)
{
	__u64 text = (uintptr_t)user_text;

	return (r->io->val[0] <= text && r->io->val[0] && text - r->io->val[0] < 1 << 20) ||
	       no(r, "%llx is not below %llx", r->io->val[0], text);
}

/* The word is what lies five elements past the object */
static bool past_object(struct run *r)
{
	__u64 word;

	if (!address(r))
		return false;
	if (!kernel_memory(r->io->val[0] + r->io->arg[2], &word) || word != r->io->val[1])
		return no(r, "%llx, not %llx", r->io->val[1], word);
	return true;
}

/* "(18) r1 = 0xffa0000000058ed8", in what the verifier has said */
static bool log_has_address(struct run *r)
{
	const char *p = log_text;

	while ((p = strstr(p, "(18) r"))) {
		p = strstr(p, " = ");
		if (!p)
			break;
		r->io->val[0] = strtoull(p + 3, NULL, 0);
		if (in_kernel_half(r->io->val[0]))
			return address(r);
	}
	return no(r, "no address in the log (%zu bytes)", strlen(log_text));
}

/* Our own task, as another program knows it */
static bool own_task(struct run *r)
{
	return oracle.obj ? is(r, ask("oracle_task")) : address(r);
}

/* A number that each process can choose, and /proc tells */
static bool slack_of(struct run *r, int pid)
{
	char path[64], text[32] = {};
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/timerslack_ns", pid);
	fd = open(path, O_RDONLY);
	if (fd < 0 || read(fd, text, sizeof(text) - 1) < 0)
		return no(r, "%s: %s", path, strerror(errno));
	close(fd);
	return is(r, strtoull(text, NULL, 10));
}

static bool own_slack(struct run *r)
{
	return slack_of(r, getpid());
}

static bool parents_slack(struct run *r)
{
	return slack_of(r, getppid());
}

static bool grandparents_slack(struct run *r)
{
	return slack_of(r, proc_stat(getppid(), 4));
}

static bool slack_of_first(struct run *r)
{
	return slack_of(r, 1);
}

static bool own_code(struct run *r)
{
	return is(r, proc_stat(getpid(), 26));
}

static bool own_stack(struct run *r)
{
	__u64 here = (__u64)__builtin_frame_address(0), sp = r->io->val[0];

	return (sp < here + (1 << 20) && here < sp + (1 << 20)) ||
	       no(r, "%llx is not near %llx", sp, here);
}

static bool element_size(struct run *r)
{
	return is(r, sizeof(struct ways_vault));
}

static bool one(struct run *r)
{
	return is(r, 1);
}

static bool span(struct run *r)
{
	return is(r, strlen("Linux version "));
}

static bool banner_length(struct run *r)
{
	char text[512];
	int fd = open("/proc/version", O_RDONLY), n = read(fd, text, sizeof(text));

	close(fd);
	return is(r, n);
}

static bool bytes_are(struct run *r, const char *text)
{
	return !strncmp((char *)r->io->bytes, text, strlen(text)) ||
	       no(r, "'%.32s', not '%s'", r->io->bytes, text);
}

static bool bytes_as_address(struct run *r)
{
	return bytes_are(r, "76.105.110.117");	/* Linu */
}

static bool bytes_are_symbol(struct run *r)
{
	return bytes_are(r, "linux_banner");
}

static bool bytes_are_pointer(struct run *r)
{
	r->io->val[0] = strtoull((char *)r->io->bytes, NULL, 16);
	return vault_address(r);
}

static bool bytes_are_path(struct run *r)
{
	return bytes_are(r, "/tmp/ways.file");
}

/* "(struct list_head){.next = (struct list_head *)0x6f697372655..." */
static bool bytes_are_btf(struct run *r)
{
	const char *p = strstr((char *)r->io->bytes, "0x");
	__u64 word = 0;

	if (p)
		word = strtoull(p, NULL, 16);
	return !memcmp(&word, "Linux ve", 8) || no(r, "'%.100s'", r->io->bytes);
}

static bool text_has(struct run *r, const char *what)
{
	return strstr(r->text, what) || no(r, "not in '%.64s'", r->text);
}

static bool text_has_banner(struct run *r)
{
	return text_has(r, "Linux version");
}

static bool text_has_task(struct run *r)
{
	return text_has(r, "(struct task_struct){");
}

static bool text_has_own_task(struct run *r)
{
	char addr[32];

	snprintf(addr, sizeof(addr), "%llx", r->io->val[0]);
	return own_task(r) && text_has(r, addr);
}

/* In what a program has said to its stream, or the kernel of it */
static bool stream_has_at(struct run *r, int stream, const char *what)
{
	int n = bpf_prog_stream_read(r->fd, stream, r->text, sizeof(r->text) - 1, NULL);

	r->text[n > 0 ? n : 0] = 0;
	return text_has(r, what);
}

static bool stream_has(struct run *r, const char *what)
{
	return stream_has_at(r, BPF_STREAM_STDOUT, what);
}

static bool stream_has_banner(struct run *r)
{
	return stream_has(r, "Linux version");
}

static bool stream_has_vault(struct run *r)
{
	if (!stream_has(r, "ways: "))
		return false;
	r->io->val[0] = strtoull(strstr(r->text, "ways: ") + 6, NULL, 16);
	return vault_address(r);
}

/* Names of functions: what runs where */
static bool stream_has_stack(struct run *r)
{
	return stream_has(r, "bpf_test_run");
}

static bool fault_has_stack(struct run *r)
{
	return stream_has_at(r, BPF_STREAM_STDERR, "bpf_test_run");
}

static bool trace_has_banner(struct run *r)
{
	int fd = open("/sys/kernel/tracing/trace", O_RDONLY), n, len = 0;

	while (fd >= 0 && (n = read(fd, log_text + len, 4096)) > 0 &&
	       len + 8192 < (int)sizeof(log_text))
		len += n;
	log_text[len] = 0;
	close(fd);
	return strstr(log_text, "ways: Linux version") || no(r, "not in the trace");
}

static bool in_scratch(struct run *r)
{
	__u64 words[16];
	__u32 zero = 0;

	if (bpf_map_lookup_elem(map_fd(r, "scratch"), &zero, words))
		return no(r, "no map");
	memcpy(r->io->bytes, words, sizeof(r->io->bytes));
	return !strncmp((char *)r->io->bytes, "Linux version", 13) ||
	       no(r, "error %lld", r->io->val[1]);
}

/* ---- what is useful ---------------------------------------------------- */

static bool user_bytes(struct run *r)
{
	return bytes_are(r, user_text);
}

static bool user_address(struct run *r)
{
	__u64 x = r->io->val[0];

	return (x > 4096 && x < 1ULL << 56) || no(r, "%llx is no user's address", x);
}

static bool user_stack_in_map(struct run *r)
{
	__u64 ips[32] = {};
	__u32 id = r->io->val[1];

	if (!r->io->hits || bpf_map_lookup_elem(map_fd(r, "stacks"), &id, ips))
		return no(r, "no stack %d", (int)id);
	r->io->val[0] = ips[0];
	return user_address(r);
}

static bool written(struct run *r)
{
	return !strcmp(user_buf, "written") || no(r, "nothing was written");
}

static bool getppid_fails(struct run *r)
{
	return getppid_said == -77 || no(r, "getppid() says %ld", getppid_said);
}

static bool open_fails(struct run *r)
{
	return open_said == -77 || no(r, "open() says %ld", open_said);
}

static bool signalled(struct run *r)
{
	return signals || no(r, "no signal");
}

static bool own_pid(struct run *r)
{
	return is(r, getpid());
}

static bool parents_pid(struct run *r)
{
	return is(r, getppid());
}

static bool own_name(struct run *r)
{
	return bytes_are(r, "ways");
}

static bool own_payload(struct run *r)
{
	return bytes_are(r, "text of the user");
}

static bool port_7777(struct run *r)
{
	return is(r, 7777);
}

static bool loopback_address(struct run *r)
{
	return is(r, INADDR_LOOPBACK);
}

static bool family_inet(struct run *r)
{
	return is(r, AF_INET);
}

static bool index_of_lo(struct run *r)
{
	return is(r, if_nametoindex("lo"));
}

static bool port_53(struct run *r)
{
	return is(r, 53);
}

static bool forty_two(struct run *r)
{
	return is(r, 42);
}

/* It came to its end. */
static bool ran(struct run *r)
{
	return r->io->hits || no(r, "it did not come to its end");
}

static bool ran_without_address(struct run *r)
{
	if (in_kernel_half(r->io->val[0]))
		return no(r, "it got %llx", r->io->val[0]);
	return ran(r);
}

static bool not_zero(struct run *r)
{
	return r->io->hits || no(r, "all zero");
}

static bool banner(struct run *r)
{
	if (strncmp((char *)r->io->bytes, "Linux version", 13))
		return no(r, "not the banner: %.16s (%llx)", r->io->bytes, r->io->val[0]);
	return true;
}

/* ---- stimuli ----------------------------------------------------------- */

static const unsigned char packet[128] = {
	2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0,		/* Ethernet, IPv4 */
	0x46, 0, 0, 114, 0, 0, 0, 0, 64, 17, 0, 0,		/* with an option, UDP */
	127, 0, 0, 1, 127, 0, 0, 1, 1, 1, 1, 0,
	0x12, 0x34, 0, 53, 0, 90, 0, 0,
	'p', 'a', 'y', 'l', 'o', 'a', 'd',
};

static void stimulate(struct run *r);

static void by_test_run(struct run *r)
{
	unsigned char out[512];
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = packet, .data_size_in = sizeof(packet),
		    .data_out = out, .data_size_out = sizeof(out), .repeat = 1);
	int err;

	if (bpf_program__type(r->prog) == BPF_PROG_TYPE_SYSCALL) {
		r->retval = test_run_syscall(r->prog);
		return;
	}
	if (bpf_program__type(r->prog) == BPF_PROG_TYPE_FLOW_DISSECTOR)
		opts.data_size_out = sizeof(out);
	err = bpf_prog_test_run_opts(r->fd, &opts);
	r->retval = opts.retval;
	if (err)
		no(r, "test run: %s", strerror(-err));
}

static const char *cgroup_path = "/sys/fs/cgroup/ways";

static int enter_cgroup(void)
{
	char path[128];
	int fd;

	mkdir(cgroup_path, 0755);
	snprintf(path, sizeof(path), "%s/cgroup.procs", cgroup_path);
	fd = open(path, O_WRONLY);
	if (fd < 0 || write(fd, "0", 1) != 1)
		die("cannot enter %s: %s", cgroup_path, strerror(errno));
	close(fd);
	return open(cgroup_path, O_RDONLY);
}

static noinline long probed(const char *text, long n)
{
	asm volatile("" : "+r"(text), "+r"(n) : : "memory");
	return n + text[0];
}

/* A bit of everything that programs can be attached to */
static void act(struct run *r)
{
	static const char text[] = "text of the user";
	struct sockaddr_in addr = { .sin_family = AF_INET, .sin_port = htons(7777),
				    .sin_addr = { htonl(INADDR_LOOPBACK) } };
	char buf[256];
	int fd, one = 1, conn, peer;

	getppid_said = syscall(SYS_getppid) < 0 ? -errno : 0;
	kill(getpid(), 0);
	usleep(1000);
	probed(text, 1000);
	fd = open("/tmp/ways.file", O_RDWR | O_CREAT, 0600);
	open_said = fd < 0 ? -errno : 0;
	if (fd >= 0 && (write(fd, text, sizeof(text)) < 0 || pread(fd, buf, sizeof(buf), 0) < 0))
		perror("/tmp/ways.file");
	close(fd);
	unlink("/tmp/ways.none");
	close(open("/dev/null", O_RDONLY));
	fd = open("/proc/sys/kernel/hostname", O_RDONLY);
	if (fd >= 0 && read(fd, buf, sizeof(buf)) < 0)
		perror("hostname");
	close(fd);
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	bind(fd, (void *)&addr, sizeof(addr));
	sendto(fd, text, sizeof(text), 0, (void *)&addr, sizeof(addr));
	close(fd);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	bind(fd, (void *)&addr, sizeof(addr));
	listen(fd, 1);
	conn = socket(AF_INET, SOCK_STREAM, 0);
	if (!connect(conn, (void *)&addr, sizeof(addr))) {
		peer = accept(fd, NULL, NULL);
		if (write(conn, text, sizeof(text)) < 0 || read(peer, buf, sizeof(buf)) < 0)
			perror("connection");
		close(peer);
	}
	close(conn);
	close(fd);
	if (!fork())
		_exit(0);
	wait(NULL);
	usleep(1000);
}

static bool attached(struct run *r)
{
	r->attach_err = r->link ? 0 : -errno;
	if (r->link)
		return true;
	return no(r, "attach: %s", strerror(-r->attach_err));
}

static void by_attaching(struct run *r)
{
	r->link = bpf_program__attach(r->prog);
	if (attached(r))
		act(r);
}

static void by_cgroup(struct run *r)
{
	r->link = bpf_program__attach_cgroup(r->prog, enter_cgroup());
	if (attached(r))
		act(r);
}

static void by_netns(struct run *r)
{
	r->link = bpf_program__attach_netns(r->prog, open("/proc/self/ns/net", O_RDONLY));
	if (attached(r))
		act(r);
}

static void by_iterating(struct run *r)
{
	ssize_t n;
	int fd;

	r->link = bpf_program__attach_iter(r->prog, NULL);
	if (!attached(r))
		return;
	fd = bpf_iter_create(bpf_link__fd(r->link));
	n = read(fd, r->text, sizeof(r->text) - 1);
	if (n > 0)
		r->text[n] = 0;
	else
		no(r, "iterator: %s", n ? strerror(errno) : "it says nothing");
	while (read(fd, log_text, sizeof(log_text)) > 0)
		;
	close(fd);
}

/* sk of a packet exists only on its real way */
static void by_sending(struct run *r)
{
	by_cgroup(r);
}

static void by_perf_event(struct run *r)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE, .config = PERF_COUNT_SW_CPU_CLOCK,
		.size = sizeof(attr), .sample_period = 100000,
	};
	int fd = syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0), i;

	if (fd < 0) {
		r->attach_err = -errno;
		no(r, "perf_event_open: %s", strerror(errno));
		return;
	}
	r->link = bpf_program__attach_perf_event(r->prog, fd);
	if (!attached(r))
		return;
	for (i = 0; i < 50 && !r->io->hits; i++)
		act(r);
}

/* The elements of a map of the object's own */
static void by_elements(struct run *r)
{
	union bpf_iter_link_info info = { .map.map_fd = map_fd(r, "elements") };
	LIBBPF_OPTS(bpf_iter_attach_opts, opts, .link_info = &info,
		    .link_info_len = sizeof(info));
	char buf[64];
	int fd;

	r->link = bpf_program__attach_iter(r->prog, &opts);
	if (!attached(r))
		return;
	fd = bpf_iter_create(bpf_link__fd(r->link));
	while (read(fd, buf, sizeof(buf)) > 0)
		;
	close(fd);
}

/* A task that waits in the kernel: the first */
static void by_iterating_first(struct run *r)
{
	r->io->arg[0] = 1;
	by_iterating(r);
}

/* The trace is switched on when the first program is loaded that prints to it. */
static void by_printing(struct run *r)
{
	int i;

	for (i = 0; i < 10 && !trace_has_banner(r); i++) {
		by_test_run(r);
		usleep(50000);
	}
}

static void by_update(struct run *r)
{
	r->io->arg[1] = map_fd(r, "scratch");
	by_test_run(r);
}

/* With a socket of each kind there */
static void by_iterating_sockets(struct run *r)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	struct sockaddr_in addr = { .sin_family = AF_INET };

	bind(fd, (void *)&addr, sizeof(addr));
	by_iterating(r);
}

static void by_iterating_listeners(struct run *r)
{
	struct sockaddr_in addr = { .sin_family = AF_INET, .sin_port = htons(7777) };
	int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	bind(fd, (void *)&addr, sizeof(addr));
	listen(fd, 1);
	by_iterating(r);
}

/* Messages between two sockets of a map */
static void by_messages(struct run *r)
{
	struct sockaddr_in addr = { .sin_family = AF_INET, .sin_port = htons(7779),
				    .sin_addr = { htonl(INADDR_LOOPBACK) } };
	int map = map_fd(r, "sockets"), fd, conn, one = 1, i;
	__u32 zero = 0;
	char buf[4096];

	fd = socket(AF_INET, SOCK_STREAM, 0);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	bind(fd, (void *)&addr, sizeof(addr));
	listen(fd, 1);
	conn = socket(AF_INET, SOCK_STREAM, 0);
	r->attach_err = bpf_prog_attach(r->fd, map, BPF_SK_MSG_VERDICT, 0);
	if (r->attach_err || connect(conn, (void *)&addr, sizeof(addr)) ||
	    bpf_map_update_elem(map, &zero, &conn, BPF_ANY)) {
		no(r, "sockets: %s", strerror(errno));
		return;
	}
	fd = accept(fd, NULL, NULL);
	for (i = 0; i < 16 && !r->io->hits; i++)
		if (write(conn, "four", 4) != 4 || read(fd, buf, sizeof(buf)) <= 0)
			perror("message");
}

/* A callback that a test run has started comes when it comes. */
static void by_callback(struct run *r)
{
	int i;

	by_test_run(r);
	for (i = 0; i < 100 && !r->io->hits; i++)
		usleep(20000);
}

/* Another program of the object calls the function that is traced. */
static void by_wide_call(struct run *r)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = packet, .data_size_in = sizeof(packet));
	struct bpf_program *caller = bpf_object__find_program_by_name(r->obj, "with_wide_call");

	r->link = bpf_program__attach(r->prog);
	if (attached(r))
		bpf_prog_test_run_opts(bpf_program__fd(caller), &opts);
}

/* Test runs of another program end in the tracepoint */
static void by_test_runs_of_another(struct run *r)
{
	static const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	int fd = bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "another", "GPL", insns, 2, NULL);
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = packet, .data_size_in = sizeof(packet));

	r->link = bpf_program__attach(r->prog);
	if (attached(r))
		bpf_prog_test_run_opts(fd, &opts);
}

/* With arguments that no tracepoint has: it is told where to look. */
static void by_made_up_arguments(struct run *r)
{
	__u64 args[] = { r->io->target };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = args, .ctx_size_in = sizeof(args));

	r->attach_err = bpf_prog_test_run_opts(r->fd, &opts);
	if (r->attach_err)
		no(r, "test run: %s", strerror(-r->attach_err));
}

static void by_connecting(struct run *r)
{
	struct sockaddr_in addr = { .sin_family = AF_INET, .sin_port = htons(7781),
				    .sin_addr = { htonl(INADDR_LOOPBACK) } };
	int fd = socket(AF_INET, SOCK_STREAM, 0), conn = socket(AF_INET, SOCK_STREAM, 0);
	struct bpf_map *map;
	int one = 1;

	bpf_object__for_each_map(map, r->obj)
		if (bpf_map__type(map) == BPF_MAP_TYPE_STRUCT_OPS && bpf_map__autocreate(map))
			r->link = bpf_map__attach_struct_ops(map);
	if (!attached(r))
		return;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (void *)&addr, sizeof(addr)) || listen(fd, 1) ||
	    setsockopt(conn, IPPROTO_TCP, TCP_CONGESTION, "bpf_ways", 8) ||
	    connect(conn, (void *)&addr, sizeof(addr)))
		no(r, "connection: %s", strerror(errno));
	close(conn);
	close(fd);
}

static void by_replacing(struct run *r)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = packet, .data_size_in = sizeof(packet));

	r->link = bpf_program__attach(r->prog);
	if (attached(r))
		bpf_prog_test_run_opts(bpf_program__fd(r->target), &opts);
}

static void by_nothing(struct run *r)
{
}

/* kernel functions that test runs of such programs call */
static void by_tracing_test_run(struct run *r)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts);

	r->link = bpf_program__attach(r->prog);
	if (attached(r))
		bpf_prog_test_run_opts(r->fd, &opts);
}

/* struct pid, of which there is BTF: where numbers[5].ns is */
static void by_offset(struct run *r)
{
	struct btf *btf = btf__load_vmlinux_btf();
	int pid = btf__find_by_name_kind(btf, "pid", BTF_KIND_STRUCT);
	int upid = btf__find_by_name_kind(btf, "upid", BTF_KIND_STRUCT);
	const struct btf_type *t = btf__type_by_id(btf, pid), *u = btf__type_by_id(btf, upid);

	/* the array is the last member of the one, ns that of the other */
	r->io->arg[2] = btf_member_bit_offset(t, btf_vlen(t) - 1) / 8 + 5 * u->size +
			btf_member_bit_offset(u, btf_vlen(u) - 1) / 8;
	by_tracing_test_run(r);
}

static void on_signal(int sig)
{
	signals++;
}

static void by_awaiting_signal(struct run *r)
{
	signal(SIGUSR1, on_signal);
	stimulate(r);
}

static void by_iterating_cgroups(struct run *r)
{
	union bpf_iter_link_info info = {
		.cgroup.cgroup_fd = enter_cgroup(),
		.cgroup.order = BPF_CGROUP_ITER_SELF_ONLY,
	};
	LIBBPF_OPTS(bpf_iter_attach_opts, opts, .link_info = &info,
		    .link_info_len = sizeof(info));
	char buf[64];
	int fd;

	r->link = bpf_program__attach_iter(r->prog, &opts);
	if (!attached(r))
		return;
	fd = bpf_iter_create(bpf_link__fd(r->link));
	while (read(fd, buf, sizeof(buf)) > 0)
		;
	close(fd);
}

/* The program is told the address and confirms it */
static void by_guess(struct run *r)
{
	r->io->arg[0] = oracle.vault_addr;
	by_test_run(r);
}

/* What was dropped comes back when the allocator has waited long enough. */
static void by_repeating(struct run *r)
{
	int i, j;

	for (i = 0; i < 200 && !r->io->val[0]; i++) {
		for (j = 0; j < 100 && !r->io->val[0]; j++)
			by_test_run(r);
		usleep(20000);
	}
}

/*
 * Packets that are nothing but contents, then ones that the kernel has to make
 * room before: in memory that the former had
 */
static void send_frames(int cnt)
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_ifindex = if_nametoindex("lo"),
				  .sll_protocol = htons(ETH_P_IP), .sll_halen = 6 };
	struct sockaddr_in addr = { .sin_family = AF_INET, .sin_port = htons(7778),
				    .sin_addr = { htonl(INADDR_LOOPBACK) } };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	int raw = socket(AF_PACKET, SOCK_RAW, htons(ETH_P_IP));
	char text[1500];
	int i;

	memset(text, 0x5a, sizeof(text));
	for (i = 0; i < cnt; i++) {
		sendto(raw, text, 200 + i * 1300 / cnt, 0, (void *)&to, sizeof(to));
		sendto(fd, text, 50 + i * 1300 / cnt, 0, (void *)&addr, sizeof(addr));
	}
	close(raw);
	close(fd);
}

static void by_xdp_on_lo(struct run *r)
{
	r->link = bpf_program__attach_xdp(r->prog, if_nametoindex("lo"));
	if (attached(r))
		send_frames(64);
}

static void stimulate(struct run *r)
{
	switch (bpf_program__type(r->prog)) {
	case BPF_PROG_TYPE_SOCKET_FILTER:
	case BPF_PROG_TYPE_SCHED_CLS:
	case BPF_PROG_TYPE_SCHED_ACT:
	case BPF_PROG_TYPE_XDP:
	case BPF_PROG_TYPE_CGROUP_SKB:
	case BPF_PROG_TYPE_FLOW_DISSECTOR:
	case BPF_PROG_TYPE_SYSCALL:
	case BPF_PROG_TYPE_LWT_XMIT:
		by_test_run(r);
		break;
	case BPF_PROG_TYPE_CGROUP_DEVICE:
	case BPF_PROG_TYPE_CGROUP_SOCK:
	case BPF_PROG_TYPE_CGROUP_SOCK_ADDR:
	case BPF_PROG_TYPE_CGROUP_SOCKOPT:
	case BPF_PROG_TYPE_CGROUP_SYSCTL:
	case BPF_PROG_TYPE_SOCK_OPS:
		by_cgroup(r);
		break;
	case BPF_PROG_TYPE_SK_LOOKUP:
		by_netns(r);
		break;
	case BPF_PROG_TYPE_TRACING:
		if (bpf_program__expected_attach_type(r->prog) == BPF_TRACE_ITER) {
			by_iterating(r);
			break;
		}
		by_tracing_test_run(r);
		act(r);
		break;
	case BPF_PROG_TYPE_PERF_EVENT:
		by_perf_event(r);
		break;
	default:
		by_attaching(r);
	}
}

/* ---- the table --------------------------------------------------------- */

#define POINTER(type, ...)	{ "pointer", type, KERNEL_ADDRESS, __VA_ARGS__ }
#define ARENA(name, ...)	{ "arena", name, KERNEL_ADDRESS, __VA_ARGS__ }
#define STALE(name, cls, ...)	{ "stale", name, cls, __VA_ARGS__ }

#define READ(name, ...)		{ "read", name, KERNEL_READ, __VA_ARGS__ }
#define READ_FIELDS(name, ...)	{ "read", name, KERNEL_READ | FIELDS, __VA_ARGS__ }
#define READ_ADDR(name, ...)						\
	{ "read", name, KERNEL_READ | KERNEL_ADDRESS | FIELDS, __VA_ARGS__ }
#define CASTS(name)	READ(name "_void", banner), READ(name "_struct", banner)
#define ARGS(name)							\
	READ(name "_bytes", banner), READ(name "_void", banner), READ(name "_struct", banner)
#define HELPER(name, cls, ...)	{ "helper", name, cls, __VA_ARGS__ }
#define HELPERS(name)							\
	HELPER(name "_kernel", KERNEL_READ, banner),			\
	HELPER(name "_kernel_str", KERNEL_READ, banner),		\
	HELPER(name "_format", KERNEL_READ, banner),			\
	HELPER(name "_task", KERNEL_ADDRESS, address)
#define ANY(name)							\
	HELPER(name "_any", KERNEL_READ, banner), HELPER(name "_any_str", KERNEL_READ, banner)
#define STACK(name)							\
	HELPER("stack_" name, KERNEL_ADDRESS, code),			\
	HELPER("stackid_" name, KERNEL_ADDRESS, stack_in_map)

#define MORE(name, cls, ...)	{ "more", name, cls, __VA_ARGS__ }
#define OPS(name, cls, got)	{ "ops", name, CONTROL | (cls), got, by_connecting }
#define REPLACE(name, cls, got)	{ "replace", name, CONTROL | (cls), got, by_replacing }
#define USER(name, ...)		{ "user", name, USER_READ, __VA_ARGS__ }
#define USERS(name)		USER(name "_user", user_bytes), USER(name "_user_str", user_bytes)
#define WRITE(name)		{ "user", "write_" name, USER_WRITE, written, .forbidden = true }
#define CONTROLS(name, ...)	{ "control", name, CONTROL, __VA_ARGS__ }
#define FIELD(name, ...)	{ "fields", name, FIELDS, __VA_ARGS__ }
#define PLAIN(name, ...)	{ "plain", name, 0, __VA_ARGS__ }
#define STATES(name)							\
	PLAIN("hash_" name, ran), PLAIN("percpu_hash_" name, ran),	\
	PLAIN("percpu_array_" name, ran), PLAIN("time_" name, ran),	\
	PLAIN("ringbuf_" name, ran)

static const struct row rows[] = {
	/* pointers that a program has by right */
	POINTER("map_ctx", address),
	POINTER("map_stack", address),
	POINTER("map_value", vault_address),
	POINTER("map_pointer", address),
	POINTER("map_packet", address),
	POINTER("map_packet_end", address),
	POINTER("map_packet_xdp", address),
	POINTER("map_packet_meta", address),
	POINTER("map_ctx_socket", address),
	POINTER("map_ctx_cgroup_skb", address),
	POINTER("map_sk", address, by_sending),
	POINTER("map_sk_full", address, by_sending),
	POINTER("map_ctx_device", address),
	POINTER("map_ctx_sock", address),
	POINTER("map_ctx_sock_addr", address),
	POINTER("map_optval", address),
	POINTER("map_ctx_sysctl", address),
	POINTER("map_ctx_sk_lookup", address),
	POINTER("map_ctx_sockops", address),
	POINTER("map_flow_keys", address),
	POINTER("map_ctx_syscall", address),
	POINTER("to_ringbuf", vault_address),
	POINTER("to_packet", vault_address),
	POINTER("to_packet_xdp", vault_address),
	POINTER("to_ctx", vault_half),
	POINTER("to_return_value", vault_retval),
	POINTER("to_return_value_xdp", vault_retval),
	POINTER("to_map_key", in_hash_key),
	POINTER("to_map_by_helper", in_hash_value),
	POINTER("to_ringbuf_by_helper", in_ringbuf),
	POINTER("to_packet_by_helper", vault_address),
	POINTER("as_number_of_helper", vault_half),
	POINTER("by_dynptr", vault_address),
	POINTER("compare", vault_address),
	POINTER("compare_equal", vault_guess, by_guess),
	POINTER("compare_halves", vault_half),
	POINTER("subtract", distance),
	POINTER("lower_half", vault_half),
	POINTER("sign_extended_half", vault_half),
	POINTER("atomic_xchg", vault_address),
	POINTER("atomic_add", vault_address),
	POINTER("atomic_or", vault_address),
	POINTER("atomic_cmpxchg", vault_address),
	POINTER("atomic_compare", vault_guess, by_guess),
	POINTER("spilled_corrupted", address),
	POINTER("address_of_subprogram", address),
	POINTER("as_number_of_subprogram", vault_address),
	POINTER("returned_by_subprogram", vault_address),
	POINTER("by_callback_ctx", vault_address),

	/* arenas */
	{ "arena", "use", 0, ran },
	ARENA("store", vault_address),
	ARENA("store_ctx", address),
	ARENA("store_half", vault_half),
	ARENA("cast_to_user", vault_half),
	ARENA("cast_to_arena", vault_half),
	ARENA("alloc_at", vault_half),
	ARENA("reserve_at", vault_half, by_guess),
	ARENA("add", vault_half),
	ARENA("fault", fault_has_stack, .defusable = true),

	/* memory that was somebody else's */
	STALE("stack_of_call", KERNEL_READ, vault_address),
	STALE("stack_of_call_by_helper", KERNEL_READ, vault_address),
	STALE("stack_of_kernel", KERNEL_READ, address),
	STALE("stack_of_dynptr", KERNEL_READ, vault_address),
	STALE("failed_dynptr_read", KERNEL_ADDRESS, vault_address, .mended = true),
	STALE("failed_dynptr_read_flags", KERNEL_ADDRESS, vault_address, .mended = true),
	STALE("failed_xdp_load_bytes", KERNEL_ADDRESS, vault_address, .mended = true),
	STALE("failed_copy_from_task", KERNEL_ADDRESS | USER_READ | FIELDS, vault_address,
	      .mended = true),
	STALE("failed_getsockopt", KERNEL_ADDRESS, vault_address, .mended = true),
	STALE("cleared_skb_load_bytes", 0, ran_without_address),
	STALE("object_of_list", KERNEL_ADDRESS, address, by_repeating, .mended = true),
	STALE("object_of_rbtree", KERNEL_ADDRESS, address, by_repeating, .mended = true),
	STALE("object_store", KERNEL_ADDRESS, vault_address),
	STALE("headroom", KERNEL_READ, not_zero, by_xdp_on_lo, .defusable = true),
	STALE("headroom_meta", KERNEL_READ, not_zero, by_xdp_on_lo, .defusable = true),

	/* what is not what its type says */
	{ "alive", "arg_listed", KERNEL_READ | FIELDS, banner },
	{ "alive", "kptr_in_callback", KERNEL_READ, banner, by_callback },
	{ "alive", "walk_asleep", KERNEL_READ | FIELDS, ran },
	{ "alive", "walk_awake", FIELDS, ran },
	{ "alive", "walk_again", KERNEL_READ | FIELDS, ran },
	{ "alive", "arg_at_exit", KERNEL_READ | FIELDS, ran },
	{ "alive", "step_by_helper", KERNEL_ADDRESS | FIELDS, address },
	{ "alive", "wide_argument", KERNEL_ADDRESS | FIELDS, address, by_wide_call,
	  .defusable = true },

	/* any address: casts */
	CASTS("cast_tc"), CASTS("cast_xdp"), CASTS("cast_cgroup_skb"), CASTS("cast_cgroup_sock"),
	CASTS("cast_sock_addr"), CASTS("cast_sockopt"), CASTS("cast_device"), CASTS("cast_socket"),
	CASTS("cast_sockops"), CASTS("cast_syscall"), CASTS("cast_kprobe"),
	CASTS("cast_tracepoint"), CASTS("cast_raw_tp"), CASTS("cast_fentry"), CASTS("cast_lsm"),
	CASTS("cast_iter"),
	/* any address: arguments of subprograms */
	ARGS("arg_tc"), ARGS("arg_xdp"), ARGS("arg_socket"), ARGS("arg_cgroup_skb"),
	ARGS("arg_device"), ARGS("arg_kprobe"), ARGS("arg_raw_tp"),
	/* symbols */
	READ("ksym_number", per_cpu_base),
	READ("ksym_number_per_cpu", per_cpu_base),
	READ("ksym_number_cgroup_skb", per_cpu_base),
	READ("ksym_number_xdp", per_cpu_base),
	READ("ksym_number_socket", per_cpu_base),
	READ("ksym_stack", address),
	READ("ksym_struct", own_slack),
	READ_ADDR("ksym_struct_address", own_task),
	/* objects that a context or a helper leads to */
	READ_ADDR("skb_head", address),
	READ_ADDR("skb_head_walk", banner),
	READ_ADDR("xdp_buff", address),
	READ_ADDR("xdp_rxq", address),
	READ_ADDR("sk_cast", address, by_sending),
	READ_ADDR("map_field", is_array_map_ops),
	READ("map_field_number", element_size),
	READ_FIELDS("task_trusted", own_slack),
	READ_FIELDS("task_trusted_fentry", own_slack),
	READ_FIELDS("task_rcu", parents_slack),
	READ_FIELDS("task_walk", grandparents_slack),
	READ_FIELDS("task_mm", own_code),
	{ "read", "task_address", KERNEL_ADDRESS | FIELDS, own_task },
	READ_FIELDS("void_member", banner),
	READ_ADDR("char_member", banner),
	READ_ADDR("task_stack", address),
	{ "read", "task_user_regs", KERNEL_READ | FIELDS | USER_READ, own_stack },
	/* what is watched */
	READ_ADDR("fentry_arg", address),
	READ_ADDR("lsm_arg", address),
	READ_FIELDS("tp_btf_arg", own_stack),
	READ_FIELDS("fexit_task", own_slack),
	READ_FIELDS("iter_task", own_slack),
	{ "read", "iter_task_printed", KERNEL_ADDRESS | FIELDS, text_has_own_task },
	READ_ADDR("iter_map", address),
	READ_ADDR("iter_prog", address),
	READ_ADDR("iter_task_file", address),
	READ_FIELDS("iter_ksym", address),
	READ_ADDR("iter_udp", address, by_iterating_sockets),
	READ_ADDR("iter_cgroup", address, by_iterating_cgroups),
	READ_ADDR("iter_kmem_cache", address),
	READ_ADDR("iter_link", address),
	READ_ADDR("iter_netlink", address),
	READ_ADDR("iter_task_vma", address),
	{ "element", "kptr", KERNEL_ADDRESS, address, by_elements, .mended = true },
	{ "element", "kptr_forged", KERNEL_READ, banner, by_elements, .mended = true },
	{ "element", "store", KERNEL_ADDRESS, vault_address, by_elements,
	  .mended = true },

	/* helpers, by type of program */
	HELPERS("tc"), HELPERS("xdp"), HELPERS("socket"), HELPERS("cgroup_skb"),
	HELPERS("cgroup_sock"), HELPERS("sock_addr"), HELPERS("sockopt"), HELPERS("device"),
	HELPERS("sysctl"), HELPERS("sockops"), HELPERS("sk_lookup"), HELPERS("flow"),
	HELPERS("syscall"), HELPERS("kprobe"), HELPERS("tracepoint"), HELPERS("raw_tp"),
	HELPERS("fentry"), HELPERS("lsm"), HELPERS("perf_event"),
	ANY("kprobe"), ANY("tracepoint"), ANY("raw_tp"), ANY("fentry"), ANY("perf_event"),
	HELPER("dynptr_kernel", KERNEL_READ, banner),
	HELPER("dynptr_kernel_str", KERNEL_READ, banner),
	HELPER("search_character", KERNEL_READ, banner),
	HELPER("string_compare", KERNEL_READ, one),
	HELPER("string_length", KERNEL_READ, banner_length),
	HELPER("string_span", KERNEL_READ, span),
	HELPER("bits", KERNEL_READ, banner),
	HELPER("kmem_cache", KERNEL_READ | KERNEL_ADDRESS | FIELDS, address),
	HELPER("format_ip_address", KERNEL_READ, bytes_as_address),
	HELPER("format_symbol", KERNEL_ADDRESS, bytes_are_symbol),
	HELPER("format_pointer", KERNEL_ADDRESS, bytes_are_pointer),
	HELPER("format_string", KERNEL_READ, banner),
	HELPER("format_kernel_string", KERNEL_READ, banner),
	HELPER("seq_string", KERNEL_READ | FIELDS, text_has_banner),
	HELPER("seq_btf", KERNEL_READ | KERNEL_ADDRESS | FIELDS, text_has_task),
	HELPER("snprintf_btf", KERNEL_READ, bytes_are_btf),
	HELPER("printk_string", KERNEL_READ, trace_has_banner, by_printing),
	HELPER("vprintk_string", KERNEL_READ, trace_has_banner, by_printing),
	HELPER("stream_string", KERNEL_READ, stream_has_banner),
	HELPER("stream_pointer", KERNEL_READ, stream_has_vault),
	HELPER("stream_stack", KERNEL_ADDRESS, stream_has_stack),
	HELPER("sys_bpf", LOADER, in_scratch, by_update),
	HELPER("kallsyms_name", LOADER, is_banner),
	{ "symbol", "untyped", KERNEL_ADDRESS, is_banner, .image_only = true },
	{ "symbol", "untyped_xdp", KERNEL_ADDRESS, is_banner, .image_only = true },
	{ "symbol", "untyped_kprobe", KERNEL_ADDRESS, is_banner, .image_only = true },
	HELPER("ksym_function", KERNEL_ADDRESS, is_test_function),
	HELPER("ksym_function_xdp", KERNEL_ADDRESS, is_test_function),
	HELPER("func_ip_fentry", KERNEL_ADDRESS, is_test_function),
	HELPER("func_ip_kprobe", KERNEL_ADDRESS, in_getppid),
	HELPER("func_ip_multi", KERNEL_ADDRESS, in_getppid),
	HELPER("func_arg", KERNEL_ADDRESS, address),
	HELPER("func_ret", KERNEL_ADDRESS, address),
	STACK("kprobe"), STACK("tracepoint"), STACK("raw_tp"), STACK("fentry"),
	STACK("perf_event"),
	HELPER("stack_of_task", KERNEL_ADDRESS | FIELDS, code, by_iterating_first),
	HELPER("stack_of_current", KERNEL_ADDRESS | FIELDS, code),
	HELPER("regs_kprobe", KERNEL_ADDRESS, address),
	HELPER("regs_kprobe_ip", KERNEL_ADDRESS, in_getppid),
	HELPER("regs_kprobe_sp", KERNEL_ADDRESS, address),
	HELPER("regs_kretprobe", KERNEL_ADDRESS, address),
	HELPER("regs_multi", KERNEL_ADDRESS, address),
	HELPER("regs_perf_event", KERNEL_ADDRESS, code),
	HELPER("arg_raw_tp", KERNEL_ADDRESS, address),
	HELPER("arg_raw_tp_switch", KERNEL_ADDRESS, address),
	HELPER("record_kfree_skb", KERNEL_READ, code),
	HELPER("record_kfree", KERNEL_READ, address),
	HELPER("arg_tp_btf", KERNEL_ADDRESS, code),
	HELPER("arg_tp_btf_void", KERNEL_ADDRESS, address),
	HELPER("arg_fentry_void", KERNEL_ADDRESS, address),
	HELPER("ret_fexit_void", KERNEL_ADDRESS, address),
	HELPER("ret_fexit_struct", KERNEL_ADDRESS, address),
	HELPER("path", KERNEL_READ | FIELDS, bytes_are_path),

	/* the rest */
	MORE("task_from_pid", KERNEL_READ | FIELDS, slack_of_first),
	MORE("task_loop", KERNEL_READ | FIELDS, slack_of_first),
	MORE("task_kept", KERNEL_READ | FIELDS, slack_of_first),
	MORE("find_vma", KERNEL_READ | FIELDS, own_mapping),
	MORE("cgroup_from_id", KERNEL_READ | KERNEL_ADDRESS | FIELDS, address),
	MORE("past_the_end", KERNEL_READ | KERNEL_ADDRESS | FIELDS, past_object, by_offset),
	MORE("failed_func_arg", KERNEL_ADDRESS, vault_address),
	MORE("push_data", KERNEL_READ, not_zero, by_messages, .mended = true),
	MORE("writable", KERNEL_READ, vault_half, by_test_runs_of_another),
	MORE("made_up_argument", KERNEL_READ | KERNEL_ADDRESS, banner, by_made_up_arguments,
	     .at_attach = true, .withheld = true),
	MORE("packet_of_others", KERNEL_READ | FIELDS, own_payload),
	MORE("logged", KERNEL_ADDRESS, log_has_address, by_nothing, .defusable = true, .log = true),
	MORE("logged_xdp", KERNEL_ADDRESS, log_has_address, by_nothing, .defusable = true,
	     .log = true),

	/* in the place of others */
	OPS("ops_argument", KERNEL_READ | KERNEL_ADDRESS | FIELDS, address),
	OPS("ops_cast", KERNEL_READ | FIELDS, banner),
	OPS("ops_pointer", KERNEL_ADDRESS | FIELDS, address),
	REPLACE("replace_cast", KERNEL_READ, banner),
	REPLACE("replace_pointer", KERNEL_ADDRESS, address),
	REPLACE("replace_probe_read", KERNEL_READ, banner),

	/* user space */
	USERS("tc"), USERS("xdp"), USERS("socket"), USERS("cgroup_skb"), USERS("sock_addr"),
	USERS("device"), USERS("syscall"), USERS("kprobe"), USERS("uprobe"), USERS("uretprobe"),
	USERS("tracepoint"), USERS("raw_tp"), USERS("fentry"), USERS("lsm"),
	USER("copy_from", user_bytes),
	USER("copy_from_lsm", user_bytes),
	USER("copy_from_uprobe", user_bytes),
	{ "user", "copy_from_task", USER_READ | FIELDS, user_bytes },
	USER("copy_from_str", user_bytes),
	USER("copy_from_dynptr", user_bytes),
	USER("read_dynptr", user_bytes),
	USER("read_dynptr_str", user_bytes),
	USER("stack_kprobe", user_address),
	USER("stack_uprobe", user_address),
	USER("stack_tracepoint", user_address),
	USER("stackid_kprobe", user_stack_in_map),
	USER("stackid_tracepoint", user_stack_in_map),
	WRITE("kprobe"), WRITE("tracepoint"), WRITE("raw_tp"), WRITE("fentry"), WRITE("uprobe"),

	/* others' doings */
	CONTROLS("override", getppid_fails),
	CONTROLS("modify_return", open_fails),
	CONTROLS("signal_kprobe", signalled, by_awaiting_signal),
	CONTROLS("signal_tracepoint", signalled, by_awaiting_signal),
	CONTROLS("signal_raw_tp", signalled, by_awaiting_signal),
	CONTROLS("signal_fentry", signalled, by_awaiting_signal),
	CONTROLS("signal_tc", signalled, by_awaiting_signal),
	CONTROLS("signal_cgroup_skb", signalled, by_awaiting_signal),
	CONTROLS("signal_thread", signalled, by_awaiting_signal),
	{ "control", "signal_task", CONTROL | FIELDS, signalled, by_awaiting_signal },

	/* fields that are no secret */
	FIELD("task_pid", own_pid),
	FIELD("task_tgid", own_pid),
	FIELD("task_parent", parents_pid),
	FIELD("task_comm", own_name),
	FIELD("switch_pid", own_pid),
	FIELD("exit_pid", own_pid),
	FIELD("sock_port", port_7777),
	FIELD("sock_address", loopback_address),
	FIELD("sock_family", family_inet),
	FIELD("iter_pid", own_pid),
	FIELD("iter_tcp", port_7777, by_iterating_listeners),
	/* not listed: the pointer on the way shares its place with other things */
	{ "fields", "device_index", KERNEL_READ | FIELDS, index_of_lo },

	/* nothing of the kernel's */
	PLAIN("parse_tc", port_53),
	PLAIN("parse_xdp", port_53),
	PLAIN("parse_action", port_53),
	PLAIN("rewrite_tc", ran),
	PLAIN("load_bytes_tc", port_53),
	PLAIN("dynptr_tc", port_53),
	PLAIN("dynptr_xdp", port_53),
	PLAIN("push_xdp", ran),
	PLAIN("fields_tc", ran),
	PLAIN("filter_socket", ran),
	PLAIN("count_cgroup_skb", ran),
	PLAIN("deny_cgroup_skb", ran),
	PLAIN("lwt", ran),
	PLAIN("dissect", ran),
	PLAIN("on_device", ran),
	PLAIN("on_sock_create", ran),
	PLAIN("on_bind4", port_7777),
	PLAIN("on_connect4", port_7777),
	PLAIN("on_sendmsg4", loopback_address),
	PLAIN("on_setsockopt", ran),
	PLAIN("on_sysctl", ran),
	PLAIN("on_sockops", ran),
	PLAIN("on_sk_lookup", port_7777),
	PLAIN("sk_fields", ran, by_sending),
	PLAIN("sk_looked_up", ran),
	STATES("tc"), STATES("xdp"), STATES("socket"), STATES("cgroup_skb"), STATES("device"),
	STATES("sock_addr"), STATES("kprobe"), STATES("tracepoint"), STATES("raw_tp"),
	STATES("fentry"),
	PLAIN("loops", ran),
	PLAIN("loop_bounded", ran),
	PLAIN("loop_callback", ran),
	PLAIN("timer", ran),
	PLAIN("spin_lock", ran),
	PLAIN("for_each", ran),
	PLAIN("queues", ran),
	PLAIN("dynptr_own", ran),
	PLAIN("strings", forty_two),
	PLAIN("format_numbers", ran),
	PLAIN("who", own_pid),
	PLAIN("who_tracepoint", ran),
	PLAIN("object_list", forty_two),
	PLAIN("object_rbtree", forty_two),
	PLAIN("object_kptr", forty_two),
	PLAIN("call_global", ran),
	PLAIN("tail_call", ran),
};

/* ---- loading ----------------------------------------------------------- */

static int quiet(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	if (!getenv("VERBOSE"))
		return 0;
	return vfprintf(stderr, fmt, ap);
}

static void *map_memory(struct bpf_object *obj, const char *name, size_t size)
{
	struct bpf_map *map = bpf_object__find_map_by_name(obj, name);
	void *p;

	if (!map)
		die("no map %s", name);
	p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(map), 0);
	if (p == MAP_FAILED)
		die("mmap of %s: %s", name, strerror(errno));
	return p;
}

static void classes_text(unsigned int classes, char *text)
{
	size_t i;

	*text = 0;
	for (i = 0; i < ARRAY_SIZE(class_names); i++)
		if (classes & 1 << i)
			sprintf(text + strlen(text), "%s%s", *text ? "," : "", class_names[i]);
}

static unsigned int classes_of(const char *text)
{
	char buf[256], *save, *word;
	unsigned int classes = 0;
	size_t i;

	snprintf(buf, sizeof(buf), "%s", text);
	if (!strcmp(text, "none"))
		return 0;
	for (word = strtok_r(buf, ",", &save); word; word = strtok_r(NULL, ",", &save)) {
		for (i = 0; i < ARRAY_SIZE(class_names) && strcmp(word, class_names[i]); i++)
			;
		if (i == ARRAY_SIZE(class_names))
			die("there is no class '%s'", word);
		classes |= 1 << i;
	}
	return classes;
}

/* A harmless program with a function that can be replaced, by the same signer */
static void load_target(struct run *r)
{
	bool trusted = machine.mode != MODE_NONE &&
		       (machine.signer != BY_NOBODY || machine.choice == SIGNED);
	struct bpf_program *p;
	struct bpf_object *obj;
	char path[256];

	snprintf(path, sizeof(path), "%s/plain.%s", dir, trusted ? "signed.o" : "bpf.o");
	obj = bpf_object__open_file(path, NULL);
	if (!obj)
		die("%s: %s", path, strerror(errno));
	r->target = bpf_object__find_program_by_name(obj, "call_global");
	bpf_object__for_each_program(p, obj)
		bpf_program__set_autoload(p, p == r->target);
	if (bpf_object__load(obj) ||
	    bpf_program__set_attach_target(r->prog, bpf_program__fd(r->target), "global_function"))
		die("%s: call_global: %s", path, strerror(errno));
}

/* 0, or a negative errno */
static int load(struct run *r, const char *file)
{
	struct bpf_program *p;
	struct bpf_map *map;
	int err;

	r->obj = bpf_object__open_file(file, NULL);
	if (!r->obj)
		die("%s: %s", file, strerror(errno));
	r->prog = bpf_object__find_program_by_name(r->obj, r->row->prog);
	if (!r->prog)
		die("%s has no program %s", file, r->row->prog);
	bpf_object__for_each_program(p, r->obj)
		bpf_program__set_autoload(p, p == r->prog ||
					  !strncmp(bpf_program__name(p), "with_", 5));
	bpf_object__for_each_map(map, r->obj)
		if (bpf_map__type(map) == BPF_MAP_TYPE_STRUCT_OPS)
			bpf_map__set_autocreate(map, !strcmp(bpf_map__name(map) + 3, r->row->prog));
	if (bpf_program__type(r->prog) == BPF_PROG_TYPE_EXT)
		load_target(r);
	bpf_program__set_log_buf(r->prog, log_text, sizeof(log_text));
	map = bpf_object__find_map_by_name(r->obj, "vault");
	if (map && oracle.obj)
		bpf_map__reuse_fd(map, bpf_object__find_map_fd_by_name(oracle.obj, "vault"));
	if (r->row->log)
		bpf_program__set_log_level(r->prog, 2);
	log_text[0] = 0;
	err = bpf_object__load(r->obj);
	if (err)
		return err;
	r->fd = bpf_program__fd(r->prog);
	r->io = map_memory(r->obj, ".data.io", sizeof(*r->io));
	r->vault = map_memory(r->obj, "vault", sizeof(*r->vault));
	if (!r->vault->magic)
		getrandom(&r->vault->magic, sizeof(r->vault->magic), 0);
	r->io->pid = getpid();
	r->io->target = banner_addr;
	r->io->arg[0] = (uintptr_t)user_text;
	r->io->arg[1] = (uintptr_t)user_buf;
	return 0;
}

static void consult_oracle(void)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/oracle.bpf.o", dir);
	oracle.obj = bpf_object__open_file(path, NULL);
	if (!oracle.obj || bpf_object__load(oracle.obj))
		die("%s: %s", path, strerror(errno));
	oracle.io = map_memory(oracle.obj, ".data.io", sizeof(*oracle.io));
	oracle.vault = map_memory(oracle.obj, "vault", sizeof(*oracle.vault));
	getrandom(&oracle.vault->magic, sizeof(oracle.vault->magic), 0);
	oracle.vault_addr = ask("oracle_vault");
}

/* The end of the verifier's log, where the reason is */
static void show_log(void)
{
	size_t len = strlen(log_text);
	char *p = log_text + (len > 1500 ? len - 1500 : 0), *save, *line;

	for (line = strtok_r(p, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		printf("#   %s\n", line);
}

enum { PASS, FAIL };

/* The kernel is one without this series */
static bool base;

static int prove(const struct row *row, char *note, size_t note_len)
{
	struct run r = { .row = row };
	char path[256];
	int err;

	snprintf(path, sizeof(path), "%s/%s.bpf.o", dir, row->obj);
	err = load(&r, path);
	if (err) {
		snprintf(note, note_len, "it does not load: %s", strerror(-err));
		show_log();
		return FAIL;
	}
	if (row->stimulate)
		row->stimulate(&r);
	else
		stimulate(&r);
	if (row->got(&r)) {
		snprintf(note, note_len, "%llx", r.io->val[0]);
		return row->mended && !base ? FAIL : PASS;
	}
	snprintf(note, note_len, "%s", r.why);
	return row->mended && !base ? PASS : FAIL;
}

/* ---- verdicts ---------------------------------------------------------- */

/* Types that cannot watch the kernel: all that "restricted" lets load unsigned */
static bool type_listed(enum bpf_prog_type type)
{
	switch (type) {
	case BPF_PROG_TYPE_SOCKET_FILTER:
	case BPF_PROG_TYPE_SCHED_CLS:
	case BPF_PROG_TYPE_SCHED_ACT:
	case BPF_PROG_TYPE_XDP:
	case BPF_PROG_TYPE_CGROUP_SKB:
	case BPF_PROG_TYPE_CGROUP_SOCK:
	case BPF_PROG_TYPE_CGROUP_DEVICE:
	case BPF_PROG_TYPE_CGROUP_SOCK_ADDR:
	case BPF_PROG_TYPE_CGROUP_SOCKOPT:
	case BPF_PROG_TYPE_CGROUP_SYSCTL:
	case BPF_PROG_TYPE_SOCK_OPS:
	case BPF_PROG_TYPE_SK_SKB:
	case BPF_PROG_TYPE_SK_MSG:
	case BPF_PROG_TYPE_SK_LOOKUP:
	case BPF_PROG_TYPE_SK_REUSEPORT:
	case BPF_PROG_TYPE_FLOW_DISSECTOR:
	case BPF_PROG_TYPE_LWT_IN:
	case BPF_PROG_TYPE_LWT_OUT:
	case BPF_PROG_TYPE_LWT_XMIT:
		return true;
	default:
		return false;
	}
}

/* What cannot be withheld from whoever has these: memory has addresses in it */
static unsigned int closed(unsigned int classes)
{
	if (classes & LOADER)
		classes |= KERNEL_READ | USER_READ;
	if (classes & KERNEL_READ)
		classes |= KERNEL_ADDRESS | FIELDS;
	return classes;
}

/* The classes that the annotation of the row's object asks for */
static unsigned int asked_for(const struct row *row)
{
	switch (machine.signer) {
	case ANNOTATED:
		return row->needs;
	case NARROW:
		return row->needs & ~KERNEL_READ;
	default:
		return 0;
	}
}

/* A narrow annotation makes sense where less than all is left */
static bool applies(const struct row *row)
{
	return machine.signer != NARROW || asked_for(row) != row->needs;
}

/* What policy.rs has to say, told once more */
static bool allowed(const struct row *row, enum bpf_prog_type type)
{
	if (machine.mode == MODE_NONE)
		return true;
	if (row->forbidden)
		return false;
	if (row->withheld && machine.mode == CONFIDENTIALITY)
		return false;
	if (machine.signer == BY_NOBODY) {
		bool plain = !row->needs || row->image_only;

		if (machine.choice == SIGNED)
			return false;
		if (machine.choice == RESTRICTED)
			return type_listed(type) && plain;
		/* recorded, but for what reads kernel memory */
		return machine.mode == INTEGRITY || plain ||
		       !(row->needs & ~(USER_READ | CONTROL));
	}
	if (machine.mode == INTEGRITY)
		return true;
	return !(row->needs & ~closed(asked_for(row) & machine.ceiling));
}

static void object_file(const struct row *row, char *path, size_t len)
{
	char classes[128];

	classes_text(asked_for(row), classes);
	if (machine.signer == BY_NOBODY)
		snprintf(path, len, "%s/%s.bpf.o", dir, row->obj);
	else if (!asked_for(row))
		snprintf(path, len, "%s/%s.signed.o", dir, row->obj);
	else
		snprintf(path, len, "%s/%s.%s.signed.o", dir, row->obj, classes);
}

static int verdict(const struct row *row, char *note, size_t note_len)
{
	struct run r = { .row = row };
	char path[256];
	bool expected;
	int err;

	object_file(row, path, sizeof(path));
	err = load(&r, path);
	expected = allowed(row, bpf_program__type(r.prog));
	if (!err && !expected && (row->at_attach || row->defusable || row->mended)) {
		if (row->stimulate)
			row->stimulate(&r);
		else
			stimulate(&r);
		if (row->at_attach) {
			err = r.attach_err;
		} else if (!row->got(&r)) {
			snprintf(note, note_len, "loads, and gets nothing: %s", r.why);
			return PASS;
		}
	}
	/* what integrity has always refused, it does in the old words */
	if (err && err != -EPERM && err != -EACCES && !(row->forbidden && err == -EINVAL)) {
		snprintf(note, note_len, "%s, expected %s", strerror(-err),
			 expected ? "to load" : "EPERM or EACCES");
		show_log();
		return FAIL;
	}
	if (expected == !err) {
		snprintf(note, note_len, "%s", err ? "refused" : "loads");
		return PASS;
	}
	snprintf(note, note_len, "%s", err ? "is refused" : "loads, and should not");
	show_log();
	return FAIL;
}

/* Raises lockdown if need be: what it is in must be the mode that was said. */
static void enter_mode(const char * const *modes, int mode)
{
	static const char path[] = "/sys/kernel/security/lockdown";
	char text[128] = {}, now[32];
	int fd = open(path, O_RDWR), i;

	if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0 ||
	    sscanf(strchr(text, '[') ?: "", "[%31[^]]", now) != 1)
		die("%s: %s", path, strerror(errno));
	for (i = 0; strcmp(now, modes[i]); i++)
		;
	if (i < mode && write(fd, modes[mode], strlen(modes[mode])) < 0)
		die("lockdown stays %s: %s", now, strerror(errno));
	if (i > mode)
		die("lockdown is %s already", now);
	close(fd);
}

static void parse_machine(const char *text)
{
	static const char * const modes[] = { "none", "integrity", "confidentiality" };
	static const char * const choices[] = { "audit", "restricted", "signed" };
	static const char * const signers[] = { "unsigned", "signed", "annotated",
						"narrow" };
	char mode[32], choice[32], signer[32];
	size_t i, ok = 0;

	if (sscanf(text, "%31[^/]/%31[^/]/%31s", mode, choice, signer) != 3)
		die("'%s' is not MODE/CHOICE/SIGNER", text);
	for (i = 0; i < ARRAY_SIZE(modes); i++)
		if (!strcmp(mode, modes[i])) {
			machine.mode = i;
			ok |= 1;
		}
	for (i = 0; i < ARRAY_SIZE(choices); i++)
		if (!strcmp(choice, choices[i])) {
			machine.choice = i;
			ok |= 2;
		}
	for (i = 0; i < ARRAY_SIZE(signers); i++)
		if (!strcmp(signer, signers[i])) {
			machine.signer = i;
			ok |= 4;
		}
	if (ok != 7)
		die("'%s' is not MODE/CHOICE/SIGNER", text);
	enter_mode(modes, machine.mode);
}

/* "OBJECT CLASSES", once each */
static void list_classes(void)
{
	char seen[2 * ARRAY_SIZE(rows)][256], classes[128];
	size_t i, j, cnt = 0;

	for (i = 0; i < 2 * ARRAY_SIZE(rows); i++) {
		const struct row *row = &rows[i / 2];

		machine.signer = i % 2 ? NARROW : ANNOTATED;
		if (!applies(row) || !asked_for(row))
			continue;
		classes_text(asked_for(row), classes);
		snprintf(seen[cnt], sizeof(seen[0]), "%s %s", row->obj, classes);
		for (j = 0; strcmp(seen[j], seen[cnt]); j++)
			;
		if (j == cnt)
			puts(seen[cnt++]);
	}
}

int main(int argc, char **argv)
{
	int (*check)(const struct row *row, char *note, size_t note_len) = NULL;
	bool picked[ARRAY_SIZE(rows)] = {}, any = false;
	char name[128], *shared;
	int i, n = 0, failed = 0;
	const char *what = "";
	size_t j;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (getenv("WAYS"))
		dir = getenv("WAYS");
	for (i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--classes")) {
			list_classes();
			return 0;
		}
		if (!strcmp(argv[i], "--prove")) {
			check = prove;
		} else if (!strcmp(argv[i], "--verdicts") && i + 1 < argc) {
			check = verdict;
			what = argv[++i];
			parse_machine(what);
		} else if (!strcmp(argv[i], "--ceiling") && i + 1 < argc) {
			machine.ceiling = classes_of(argv[++i]);
		} else if (!strcmp(argv[i], "--base")) {
			base = true;
		} else {
			bool known = false;

			for (j = 0; j < ARRAY_SIZE(rows); j++) {
				snprintf(name, sizeof(name), "%s:%s", rows[j].obj, rows[j].prog);
				if (strcmp(argv[i], name) && strcmp(argv[i], rows[j].obj))
					continue;
				picked[j] = true;
				known = true;
			}
			if (!known)
				die("there is no row %s", argv[i]);
			any = true;
		}
	}
	if (!check)
		die("--prove, --verdicts MODE/CHOICE/SIGNER, or --classes?");
	libbpf_set_print(quiet);
	banner_addr = ksym("linux_banner");
	prctl(PR_SET_TIMERSLACK, 1000 + getpid());
	shared = mmap(NULL, 512, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (check == prove)
		consult_oracle();
	for (j = 0; j < ARRAY_SIZE(rows); j++)
		n += (!any || picked[j]) && applies(&rows[j]);
	printf("TAP version 13\n1..%d\n", n);
	n = 0;
	for (j = 0; j < ARRAY_SIZE(rows); j++) {
		int status;
		pid_t pid;

		if ((any && !picked[j]) || !applies(&rows[j]))
			continue;
		n++;
		snprintf(shared, 512, "it ended without a word");
		fflush(stdout);
		pid = fork();
		if (!pid) {
			alarm(60);
			prctl(PR_SET_TIMERSLACK, 2000 + getpid());
			exit(check(&rows[j], shared, 512));
		}
		if (pid < 0 || waitpid(pid, &status, 0) < 0)
			die("fork: %s", strerror(errno));
		if (!WIFEXITED(status) || WEXITSTATUS(status) != PASS)
			failed++;
		printf("%s %d - %s%s%s:%s (%s): %s\n",
		       WIFEXITED(status) && WEXITSTATUS(status) == PASS ? "ok" : "not ok",
		       n, what, *what ? " " : "", rows[j].obj, rows[j].prog,
		       rows[j].needs ? (classes_text(rows[j].needs, name), name) : "plain",
		       shared);
	}
	printf("# %d of %d failed\n", failed, n);
	return failed ? 1 : 0;
}
