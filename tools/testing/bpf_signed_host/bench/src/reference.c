// SPDX-License-Identifier: GPL-2.0
/*
 * libbpf's relocation as its loader does it: candidates are searched once for
 * each root type of an object. For timing; ../../src/reference.c is for results.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <linux/err.h>
#include <bpf.h>
#include <btf.h>
#include <libbpf.h>
#include <libbpf_internal.h>

#define MAX_CANDS 64

#define VMLINUX "/sys/kernel/btf/vmlinux"

/* The file that stands for VMLINUX */
static const char *vmlinux_path;

struct cache {
	__u32 cnt;
	struct {
		bool known;
		struct bpf_core_cand_list list;
	} roots[];
};

static int silent(enum libbpf_print_level level, const char *fmt, va_list args)
{
	return 0;
}

/* The linker has what libbpf calls go here first: see ../../build.rs. */
int __real_open64(const char *path, int flags, ...);
int __real_faccessat(int dir, const char *path, int mode, int flags);

static const char *stand_in(const char *path)
{
	return vmlinux_path && !strcmp(path, VMLINUX) ? vmlinux_path : path;
}

int __wrap_open64(const char *path, int flags, ...)
{
	va_list args;
	int mode = 0;

	if (flags & O_CREAT) {
		va_start(args, flags);
		mode = va_arg(args, int);
		va_end(args);
	}
	return __real_open64(stand_in(path), flags, mode);
}

int __wrap_faccessat(int dir, const char *path, int mode, int flags)
{
	return __real_faccessat(dir, stand_in(path), mode, flags);
}

/* The kernel's BTF, read as libbpf reads it, but from @path. */
struct btf *bench_vmlinux(const char *path)
{
	struct btf *btf;

	libbpf_set_print(silent);
	vmlinux_path = path;
	btf = btf__load_vmlinux_btf();
	vmlinux_path = NULL;
	return libbpf_get_error(btf) ? NULL : btf;
}

/* What this thread has taken of a CPU, nanoseconds */
__u64 bench_cpu_time(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

struct btf *bench_btf(const void *data, __u32 size)
{
	struct btf *btf;

	libbpf_set_print(silent);
	btf = btf__new(data, size);
	return libbpf_get_error(btf) ? NULL : btf;
}

struct cache *bench_cache(const struct btf *local)
{
	__u32 cnt = btf__type_cnt(local);
	struct cache *cache;

	cache = calloc(1, sizeof(*cache) + cnt * sizeof(cache->roots[0]));
	if (cache)
		cache->cnt = cnt;
	return cache;
}

void bench_cache_free(struct cache *cache)
{
	__u32 i;

	for (i = 0; i < cache->cnt; i++)
		free(cache->roots[i].list.cands);
	free(cache);
}

int bench_relocate(struct cache *cache, const struct btf *local, const struct btf *vmlinux,
		   const struct bpf_core_relo *relos, __u32 cnt, struct bpf_insn *insns)
{
	struct bpf_core_cand kept[MAX_CANDS], local_cand = {};
	struct bpf_core_spec specs[3];
	struct bpf_core_relo_res res;
	struct bpf_core_cand_list list;
	const struct btf_type *t;
	const char *name;
	int err = 0;
	__u32 i, id;

	for (i = 0; i < cnt && !err; i++) {
		id = relos[i].type_id;
		if (id >= cache->cnt)
			return -EINVAL;
		list = (struct bpf_core_cand_list){};
		if (relos[i].kind != BPF_CORE_TYPE_ID_LOCAL) {
			if (!cache->roots[id].known) {
				t = btf__type_by_id(local, id);
				name = btf__name_by_offset(local, t->name_off);
				local_cand.btf = local;
				local_cand.id = id;
				err = bpf_core_add_cands(&local_cand,
							 bpf_core_essential_name_len(name),
							 vmlinux, "vmlinux", 1,
							 &cache->roots[id].list);
				if (err)
					return err;
				cache->roots[id].known = true;
			}
			/* the engine prunes the list that it is given */
			list.len = cache->roots[id].list.len;
			if (list.len > MAX_CANDS)
				return -E2BIG;
			list.cands = kept;
			memcpy(kept, cache->roots[id].list.cands, list.len * sizeof(kept[0]));
		}
		err = bpf_core_calc_relo_insn("bench", &relos[i], i, local, &list, specs, &res);
		err = err ?: bpf_core_patch_insn("bench", &insns[relos[i].insn_off / 8],
						 relos[i].insn_off / 8, &relos[i], i, &res);
	}
	return err;
}
