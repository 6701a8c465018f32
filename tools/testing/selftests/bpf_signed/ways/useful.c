// SPDX-License-Identifier: GPL-2.0
/*
 * Three tools that do useful work, whatever mode the kernel is in: their
 * objects, signed, are loaded, given something to see, and what they tell has to
 * be right. "useful unsigned" takes the objects as they were compiled.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/compiler.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

static const char *dir = "ways", *suffix = "signed.o";
static int tests, failed;

static void __printf(2, 3) result(bool ok, const char *fmt, ...)
{
	va_list ap;

	printf("%s %d - ", ok ? "ok" : "not ok", ++tests);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
	failed += !ok;
}

static struct bpf_object *open_tool(const char *name)
{
	struct bpf_object *obj;
	char path[256];

	snprintf(path, sizeof(path), "%s/%s.%s", dir, name, suffix);
	obj = bpf_object__open_file(path, NULL);
	if (!obj) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		exit(2);
	}
	return obj;
}

static bool load_tool(struct bpf_object *obj, const char *name)
{
	int err = bpf_object__load(obj);

	result(!err, "%s: loads%s%s", name, err ? ": " : "", err ? strerror(-err) : "");
	return !err;
}

static int map(struct bpf_object *obj, const char *name)
{
	return bpf_object__find_map_fd_by_name(obj, name);
}

static struct bpf_program *prog(struct bpf_object *obj, const char *name)
{
	return bpf_object__find_program_by_name(obj, name);
}

static struct sockaddr_in local(int port)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET, .sin_port = htons(port),
		.sin_addr = { htonl(INADDR_LOOPBACK) },
	};
}

static int bound(int type, int port)
{
	struct sockaddr_in addr = local(port);
	struct timeval tv = { .tv_usec = 300000 };
	int fd = socket(AF_INET, type, 0), one = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	if (bind(fd, (void *)&addr, sizeof(addr)) || (type == SOCK_STREAM && listen(fd, 8)))
		perror("bind");
	return fd;
}

/* 0, or an errno */
static int connect_to(int port)
{
	struct sockaddr_in addr = local(port);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	int err = connect(fd, (void *)&addr, sizeof(addr)) ? errno : 0;

	close(fd);
	return err;
}

/* ---- packets ----------------------------------------------------------- */

struct count {
	unsigned long long packets, bytes, dropped;
};

static int sent_and_received(int port, int cnt, const char *text)
{
	struct sockaddr_in addr = local(port);
	int in = bound(SOCK_DGRAM, port), out = socket(AF_INET, SOCK_DGRAM, 0);
	int got = 0, i;
	char buf[64];

	for (i = 0; i < cnt; i++)
		sendto(out, text, strlen(text), 0, (void *)&addr, sizeof(addr));
	while (got < cnt && recv(in, buf, sizeof(buf), 0) > 0)
		got++;
	close(in);
	close(out);
	return got;
}

static void packets(void)
{
	struct bpf_object *obj = open_tool("count_ports");
	unsigned short open_port = 5301, closed_port = 5302;
	struct bpf_link *link;
	struct count c = {};
	unsigned char yes = 1;
	int got;

	if (!load_tool(obj, "count_ports"))
		return;
	bpf_map_update_elem(map(obj, "blocked"), &closed_port, &yes, BPF_ANY);
	link = bpf_program__attach_xdp(prog(obj, "count_ports"), if_nametoindex("lo"));
	result(link, "count_ports: sits on lo%s%s", link ? "" : ": ", link ? "" : strerror(errno));
	if (!link)
		return;
	got = sent_and_received(open_port, 7, "twelve bytes");
	result(got == 7, "count_ports: lets packets to an open port through (%d of 7)", got);
	got = sent_and_received(closed_port, 5, "twelve bytes");
	result(got == 0, "count_ports: drops those to a closed one (%d came)", got);
	bpf_map_lookup_elem(map(obj, "ports"), &open_port, &c);
	result(c.packets == 7 && c.bytes == 7 * (14 + 20 + 8 + 12) && !c.dropped,
	       "count_ports: port %d: %llu packets, %llu bytes, %llu dropped", open_port,
	       c.packets, c.bytes, c.dropped);
	memset(&c, 0, sizeof(c));
	bpf_map_lookup_elem(map(obj, "ports"), &closed_port, &c);
	result(c.packets == 5 && c.dropped == 5,
	       "count_ports: port %d: %llu packets, %llu bytes, %llu dropped", closed_port,
	       c.packets, c.bytes, c.dropped);
	bpf_link__destroy(link);
	bpf_object__close(obj);
}

/* ---- a control group --------------------------------------------------- */

struct refusal {
	unsigned int what, number, pid, uid;
	char comm[16];
};

static struct refusal refused[8];
static int refusals;

static int take_refusal(void *ctx, void *data, size_t len)
{
	if (refusals < 8)
		refused[refusals++] = *(struct refusal *)data;
	return 0;
}

/* Runs in the group: 0 if all went as the guard has it */
static int guarded(const char *group)
{
	char path[256], c;
	int fd, zero;

	snprintf(path, sizeof(path), "%s/cgroup.procs", group);
	fd = open(path, O_WRONLY);
	if (fd < 0 || write(fd, "0", 1) != 1)
		return 1;
	close(fd);
	sent_and_received(5303, 3, "twelve bytes");
	if (connect_to(5304))
		return 2;
	if (connect_to(5305) != EPERM)
		return 3;
	zero = open("/dev/zero", O_RDONLY);
	if (zero < 0 || read(zero, &c, 1) != 1)
		return 4;
	if (open("/dev/full", O_RDONLY) >= 0 || errno != EPERM)
		return 5;
	return 0;
}

static void group(void)
{
	static const char path[] = "/sys/fs/cgroup/useful";
	static const char * const names[] = { "count_sent", "guard_connect", "guard_device" };
	struct bpf_object *obj = open_tool("guard_cgroup");
	unsigned long long values[512], packets = 0, bytes = 0;
	struct bpf_link *links[3];
	unsigned int key, device = 1 << 16 | 7;		/* full */
	struct ring_buffer *rb;
	int fd, i, status, open_fd, closed_fd;
	struct bpf_map *ro = bpf_object__find_map_by_name(obj, ".rodata");
	bool ok = true;
	pid_t pid;

	if (ro) {
		struct { unsigned short port; unsigned int device; } *p;
		size_t size;

		p = bpf_map__initial_value(ro, &size);
		p->port = 5305;
		p->device = device;
	}
	if (!load_tool(obj, "guard_cgroup"))
		return;
	mkdir(path, 0755);
	fd = open(path, O_RDONLY);
	for (i = 0; i < 3; i++) {
		links[i] = bpf_program__attach_cgroup(prog(obj, names[i]), fd);
		ok = ok && links[i];
	}
	result(ok, "guard_cgroup: guards %s", path);
	open_fd = bound(SOCK_STREAM, 5304);
	closed_fd = bound(SOCK_STREAM, 5305);
	pid = fork();
	if (!pid)
		_exit(guarded(path));
	waitpid(pid, &status, 0);
	result(WIFEXITED(status) && !WEXITSTATUS(status),
	       "guard_cgroup: its processes may what they may, and no more (step %d)",
	       WIFEXITED(status) ? WEXITSTATUS(status) : -1);
	rb = ring_buffer__new(map(obj, "refusals"), take_refusal, NULL, NULL);
	ring_buffer__consume(rb);
	result(refusals == 2 && refused[0].what == 1 && refused[0].number == 5305 &&
	       refused[0].pid == (unsigned int)pid && !strcmp(refused[0].comm, "useful"),
	       "guard_cgroup: %s (%u) of user %u was refused port %u", refused[0].comm,
	       refused[0].pid, refused[0].uid, refused[0].number);
	result(refusals == 2 && refused[1].what == 2 && refused[1].number == device,
	       "guard_cgroup: %s (%u) of user %u was refused device %u:%u", refused[1].comm,
	       refused[1].pid, refused[1].uid, refused[1].number >> 16,
	       refused[1].number & 0xffff);
	for (key = 0; key < 2; key++) {
		bpf_map_lookup_elem(map(obj, "sent"), &key, values);
		for (i = 0; i < libbpf_num_possible_cpus(); i++)
			*(key ? &bytes : &packets) += values[i];
	}
	result(packets >= 3 && bytes >= 3 * (20 + 8 + 12),
	       "guard_cgroup: it sent %llu packets, %llu bytes", packets, bytes);
	close(open_fd);
	close(closed_fd);
	for (i = 0; i < 3; i++)
		bpf_link__destroy(links[i]);
	bpf_object__close(obj);
	rmdir(path);
}

/* ---- connections ------------------------------------------------------- */

struct connection {
	unsigned int pid, ppid, saddr, daddr;
	unsigned short dport, family;
	unsigned int pad;
	unsigned long long ns;
	char comm[16];
};

static struct connection seen[8];
static int connections;

static int take_connection(void *ctx, void *data, size_t len)
{
	if (connections < 8)
		seen[connections++] = *(struct connection *)data;
	return 0;
}

static void connects(void)
{
	struct bpf_object *obj = open_tool("trace_connect");
	char from[32], to[32];
	struct bpf_link *a, *b;
	struct ring_buffer *rb;
	int fd, status;
	pid_t pid;

	if (!load_tool(obj, "trace_connect"))
		return;
	a = bpf_program__attach(prog(obj, "connect_begins"));
	b = bpf_program__attach(prog(obj, "connect_ends"));
	result(a && b, "trace_connect: watches");
	if (!a || !b)
		return;
	fd = bound(SOCK_STREAM, 5306);
	pid = fork();
	if (!pid)
		_exit(connect_to(5306));
	waitpid(pid, &status, 0);
	rb = ring_buffer__new(map(obj, "connections"), take_connection, NULL, NULL);
	ring_buffer__consume(rb);
	inet_ntop(AF_INET, &seen[0].saddr, from, sizeof(from));
	inet_ntop(AF_INET, &seen[0].daddr, to, sizeof(to));
	result(connections == 1 && seen[0].pid == (unsigned int)pid &&
	       seen[0].ppid == (unsigned int)getpid() && !strcmp(seen[0].comm, "useful"),
	       "trace_connect: saw %s (%u), child of %u", seen[0].comm, seen[0].pid,
	       seen[0].ppid);
	result(connections == 1 && seen[0].dport == 5306 && seen[0].family == AF_INET &&
	       !strcmp(from, "127.0.0.1") && !strcmp(to, "127.0.0.1"),
	       "trace_connect: connect from %s to %s:%u", from, to, seen[0].dport);
	result(connections == 1 && seen[0].ns > 0 && seen[0].ns < 10000000000ULL,
	       "trace_connect: it took %llu us", seen[0].ns / 1000);
	close(fd);
	bpf_link__destroy(a);
	bpf_link__destroy(b);
	bpf_object__close(obj);
}

static int quiet(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	return level <= LIBBPF_WARN || getenv("VERBOSE") ? vfprintf(stderr, fmt, ap) : 0;
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IONBF, 0);
	if (getenv("WAYS"))
		dir = getenv("WAYS");
	if (argc > 1 && !strcmp(argv[1], "unsigned"))
		suffix = "bpf.o";
	libbpf_set_print(quiet);
	printf("TAP version 13\n");
	packets();
	group();
	connects();
	printf("1..%d\n", tests);
	return failed ? 1 : 0;
}
