/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Loading of signed BPF program images: what C and Rust say to each other.
 *
 * A load by image runs in this order. Each step works on what the one before
 * it has left, never on anything that the caller could have changed since.
 *
 *   bpf_image_open()        copy in, verify, parse, resolve names   (Rust)
 *   bpf_image_attach()      attach target by name                   (Rust)
 *   bpf_image_check_map()   each map that the verifier has bound    (Rust)
 *   bpf_image_check_btf()   the BTF that the verifier has bound     (Rust)
 *   bpf_core_relocate()     CO-RE                                   (Rust)
 *
 * What a program may be attached to stays with it, in bpf_prog_aux::events, and
 * is asked whenever it meets an event: bpf_event_check_*().
 */
#ifndef _LINUX_BPF_IMAGE_H
#define _LINUX_BPF_IMAGE_H

#include <linux/err.h>
#include <linux/types.h>

#include <uapi/linux/bpf_image.h>

struct audit_buffer;
struct bpf_event_files;
struct bpf_events;
struct bpf_image;
struct bpf_insn;
struct bpf_log_attr;
struct bpf_map;
struct bpf_prog;
struct bpf_prog_aux;
struct bpf_verifier_env;
struct bpf_verifier_log;
struct btf;
struct path;
struct perf_event;
struct perf_event_attr;
union bpf_attr;

/**
 * struct bpf_image_request - what BPF_PROG_LOAD was asked to load
 * @image: user memory, @image_size bytes
 * @signature: user memory, @signature_size bytes: detached PKCS#7
 * @fd_array: user memory, @fd_array_cnt fds, one for each map slot
 * @image_size: bytes
 * @signature_size: bytes
 * @fd_array_cnt: number of fds
 * @keyring_id: system keyring or serial, as in bpf_attr::keyring_id
 * @show_ksyms: kallsyms would show addresses to the caller
 * @log: the verifier's log for the caller
 */
struct bpf_image_request {
	const void __user *image;
	const void __user *signature;
	const void __user *fd_array;
	u32 image_size;
	u32 signature_size;
	u32 fd_array_cnt;
	s32 keyring_id;
	bool show_ksyms;
	struct bpf_verifier_log *log;
};

/**
 * struct bpf_image_prog - a verified image, in the terms of bpf_attr
 * @insns: instructions; maps stand as indices into @fds, names are resolved
 * @func_info: struct bpf_func_info records
 * @line_info: struct bpf_line_info records
 * @core_relos: struct bpf_core_relo records
 * @fds: map fds, empty slots left out
 * @license: NUL-terminated
 * @name: BPF_OBJ_NAME_LEN bytes, NUL-padded
 * @insn_cnt: number of instructions
 * @func_info_cnt: number of records
 * @line_info_cnt: number of records
 * @core_relo_cnt: number of records
 * @fd_cnt: number of fds
 * @prog_type: enum bpf_prog_type
 * @expected_attach_type: enum bpf_attach_type
 * @prog_flags: BPF_F_* of BPF_PROG_LOAD
 * @keyring_type: enum bpf_sig_keyring that has vouched for the image
 * @keyring_serial: serial of the user keyring that was used, else zero
 *
 * All pointers are into memory that the image owns.
 */
struct bpf_image_prog {
	const void *insns;
	const void *func_info;
	const void *line_info;
	const void *core_relos;
	const s32 *fds;
	const char *license;
	const char *name;
	u32 insn_cnt;
	u32 func_info_cnt;
	u32 line_info_cnt;
	u32 core_relo_cnt;
	u32 fd_cnt;
	u32 prog_type;
	u32 expected_attach_type;
	u32 prog_flags;
	u8 keyring_type;
	s32 keyring_serial;
};

/**
 * struct bpf_image_map_shape - sizes and flags of a map
 * @type: enum bpf_map_type
 * @key_size: bytes
 * @value_size: bytes
 * @max_entries: as created
 * @map_flags: BPF_F_* that stay with the map
 */
struct bpf_image_map_shape {
	u32 type;
	u32 key_size;
	u32 value_size;
	u32 max_entries;
	u32 map_flags;
};

/**
 * struct bpf_image_map_facts - what a bound map is, to compare with its slot
 * @self: the map
 * @inner: the maps that a map of maps holds; all zero for others
 * @map_extra: as created
 * @contents: value of an array's only element, if nothing can write it any more
 * @btf: type data of key and value, or NULL
 * @inner_btf: the same of the maps in a map of maps
 * @btf_key_type_id: type in @btf
 * @btf_value_type_id: type in @btf
 * @special_fields: the verifier treats fields of the value specially
 * @inner_special_fields: the same of the maps in a map of maps
 * @frozen: user space can no longer write
 * @written: a writer from before the freeze is still there
 */
struct bpf_image_map_facts {
	struct bpf_image_map_shape self;
	struct bpf_image_map_shape inner;
	u64 map_extra;
	const void *contents;
	const struct btf *btf;
	const struct btf *inner_btf;
	u32 btf_key_type_id;
	u32 btf_value_type_id;
	bool special_fields;
	bool inner_special_fields;
	bool frozen;
	bool written;
};

/**
 * struct bpf_event_facts - an event that a program is about to be attached to
 * @kind: enum bpf_image_event_kind; a uprobe, where it may be for USDT
 * @name: function, path of the file, or name as struct bpf_image_event has it
 * @module: of the function, or NULL
 * @offset: bytes into the function or file
 * @addr: where the function begins, or zero if that is not known
 * @path: the file, or NULL
 * @files: where init finds the files that the program was signed for, or NULL
 */
struct bpf_event_facts {
	u32 kind;
	const char *name;
	const char *module;
	u64 offset;
	unsigned long addr;
	const struct path *path;
	const struct bpf_event_files *files;
};

#ifdef CONFIG_BPF_SIGNED_IMAGE
/* Rust, kernel/bpf/signed */
int bpf_image_new(const struct bpf_image_request *req,
		  struct bpf_image_prog *prog, struct bpf_image **imagep);
void bpf_image_free(struct bpf_image *image);
int bpf_image_match_target(const struct bpf_image *image, const char *name,
			   const struct btf *prog_btf, struct btf **btfp,
			   u32 *attach_type, struct bpf_verifier_log *log);
int bpf_image_match_map(const struct bpf_image *image, u32 fd_idx,
			const struct bpf_image_map_facts *facts,
			struct bpf_verifier_log *log);
int bpf_image_match_btf(const struct bpf_image *image, const struct btf *btf,
			struct bpf_insn *insns, u32 insn_cnt,
			struct bpf_verifier_log *log);
struct btf *bpf_image_module_btf(const struct bpf_image *image, u32 number);
bool bpf_image_annotation(const struct bpf_image *image, u32 mode, u32 *classes);
bool bpf_image_holds_address(const struct bpf_image *image);
int bpf_image_events(const struct bpf_image *image, struct bpf_events **eventsp);
void bpf_events_free(struct bpf_events *events);
bool bpf_events_allow(const struct bpf_events *events,
		      const struct bpf_event_facts *facts);
u32 bpf_events_for_each_file(const struct bpf_events *events,
			     void (*fn)(void *arg, const char *name), void *arg);
bool bpf_events_are_of_user(const struct bpf_events *events);
bool bpf_events_are_tracepoints(const struct bpf_events *events,
				bool (*listed)(const char *name, size_t len));
const char *bpf_event_word(u32 kind);
void bpf_events_tell(const struct bpf_events *events,
		     const struct bpf_event_facts *facts, const char *prog_name);

/* C, kernel/bpf/signed/hooks.c */
struct bpf_image *bpf_image_open(union bpf_attr *attr, bool is_kernel,
				 struct bpf_log_attr *attr_log,
				 struct bpf_image_prog *prog);
int bpf_image_attach(const struct bpf_image *image, union bpf_attr *attr,
		     const struct bpf_prog *dst_prog, struct btf **attach_btf,
		     struct bpf_log_attr *attr_log);
int bpf_image_check_map(struct bpf_verifier_env *env, u32 fd_idx,
			struct bpf_map *map);
int bpf_image_check_btf(struct bpf_verifier_env *env, const struct btf *btf);
bool bpf_image_lockdown(const struct bpf_prog_aux *aux, u32 mode, u32 *classes);
extern bool bpf_image_record_all __ro_after_init;
struct audit_buffer *bpf_image_record(const struct bpf_prog_aux *aux, const char *op,
				      bool allowed);
int bpf_image_refuse_target(const struct bpf_prog *prog, const struct bpf_prog *target);

/* C, kernel/bpf/signed/events.c */
int bpf_image_keep_events(const struct bpf_image *image, struct bpf_prog_aux *aux);
void bpf_image_free_events(struct bpf_prog_aux *aux);
bool bpf_event_is_function(const struct bpf_event_facts *facts, const char *name);
bool bpf_event_is_file(const struct bpf_event_facts *facts, const char *name);
int bpf_event_check_function(const struct bpf_prog *prog, bool is_return,
			     const char *symbol, unsigned long addr,
			     unsigned long offset);
int bpf_event_check_functions(const struct bpf_prog *prog, bool entry, bool exit,
			      const unsigned long *addrs, u32 cnt);
struct bpf_event_files *bpf_event_find_files(const struct bpf_prog *prog);
void bpf_event_put_files(struct bpf_event_files *files);
int bpf_event_check_file(const struct bpf_prog *prog,
			 const struct bpf_event_files *files, bool entry,
			 bool exit, const struct path *path,
			 const loff_t *offset, size_t stride, u32 cnt);
int bpf_event_check_name(const struct bpf_prog *prog, u32 kind, const char *name);
int bpf_event_check_perf(const struct bpf_prog *prog, const struct perf_event *event,
			 const struct perf_event_attr *attr);

#else
static inline struct bpf_image *bpf_image_open(union bpf_attr *attr,
					       bool is_kernel,
					       struct bpf_log_attr *attr_log,
					       struct bpf_image_prog *prog)
{
	return ERR_PTR(-EOPNOTSUPP);
}

static inline void bpf_image_free(struct bpf_image *image)
{
}

static inline int bpf_image_attach(const struct bpf_image *image,
				   union bpf_attr *attr,
				   const struct bpf_prog *dst_prog,
				   struct btf **attach_btf,
				   struct bpf_log_attr *attr_log)
{
	return 0;
}

static inline int bpf_image_check_map(struct bpf_verifier_env *env, u32 fd_idx,
				      struct bpf_map *map)
{
	return 0;
}

static inline int bpf_image_check_btf(struct bpf_verifier_env *env,
				      const struct btf *btf)
{
	return 0;
}

static inline int bpf_image_refuse_target(const struct bpf_prog *prog,
					  const struct bpf_prog *target)
{
	return -EPERM;
}

static inline int bpf_image_keep_events(const struct bpf_image *image,
					struct bpf_prog_aux *aux)
{
	return 0;
}

static inline void bpf_image_free_events(struct bpf_prog_aux *aux)
{
}

static inline int bpf_event_check_functions(const struct bpf_prog *prog,
					    bool entry, bool exit,
					    const unsigned long *addrs, u32 cnt)
{
	return 0;
}

static inline struct bpf_event_files *
bpf_event_find_files(const struct bpf_prog *prog)
{
	return NULL;
}

static inline void bpf_event_put_files(struct bpf_event_files *files)
{
}

static inline int bpf_event_check_file(const struct bpf_prog *prog,
				       const struct bpf_event_files *files,
				       bool entry, bool exit,
				       const struct path *path,
				       const loff_t *offset, size_t stride, u32 cnt)
{
	return 0;
}

static inline int bpf_event_check_name(const struct bpf_prog *prog, u32 kind,
				       const char *name)
{
	return 0;
}

static inline int bpf_event_check_perf(const struct bpf_prog *prog,
				       const struct perf_event *event,
				       const struct perf_event_attr *attr)
{
	return 0;
}

static inline bool bpf_image_lockdown(const struct bpf_prog_aux *aux, u32 mode,
				      u32 *classes)
{
	*classes = mode == BPF_LOCKDOWN_INTEGRITY ? BPF_LOCKDOWN_CLASSES : 0;
	return true;
}

static inline struct btf *
bpf_image_module_btf(const struct bpf_image *image, u32 number)
{
	return NULL;
}
#endif /* CONFIG_BPF_SIGNED_IMAGE */

#endif /* _LINUX_BPF_IMAGE_H */
