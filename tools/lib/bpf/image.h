/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* Reader of the images that linux/bpf_image.h describes */
#ifndef __LIBBPF_IMAGE_H
#define __LIBBPF_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <linux/bpf.h>
#include <linux/bpf_image.h>
#include "btf.h"

#define BPF_IMAGE_SECTION_MAX	BPF_IMAGE_EVENTS

/* room for MODULE:NAME: the kernel's KSYM_NAME_LEN and MODULE_NAME_LEN */
#define IMAGE_NAME_LEN		(512 + 64)

/* map flags that name an fd or a node, which only the target knows: not in an image */
#define IMAGE_HOST_MAP_FLAGS	(BPF_F_NUMA_NODE | BPF_F_VTYPE_BTF_OBJ_FD | BPF_F_TOKEN_FD)

/* An image, after image_parse() has gone over it */
struct image {
	const struct bpf_image_hdr *hdr;
	/* by type; NULL where the image has none */
	const void *data[BPF_IMAGE_SECTION_MAX + 1];
	__u32 cnt[BPF_IMAGE_SECTION_MAX + 1];
};

static inline const char *image_str(const struct image *img, __u32 off)
{
	return (const char *)img->data[BPF_IMAGE_STRINGS] + off;
}

/* Is it of the program of this name, as far as an image has room for one? */
static inline bool image_is_of(const struct image *img, const char *name)
{
	size_t len = strnlen(name, sizeof(img->hdr->name) - 1);

	return !strncmp(img->hdr->name, name, len) && !img->hdr->name[len];
}

static inline const struct bpf_insn *image_insns(const struct image *img, __u32 *cnt)
{
	*cnt = img->cnt[BPF_IMAGE_INSNS];
	return img->data[BPF_IMAGE_INSNS];
}

static inline const struct bpf_image_btf *image_btf(const struct image *img)
{
	return img->data[BPF_IMAGE_BTF];
}

static inline const struct bpf_image_map *image_maps(const struct image *img, __u32 *cnt)
{
	*cnt = img->cnt[BPF_IMAGE_MAPS];
	return img->data[BPF_IMAGE_MAPS];
}

static inline const struct bpf_image_tunable *image_tunables(const struct image *img, __u32 *cnt)
{
	*cnt = img->cnt[BPF_IMAGE_TUNABLES];
	return img->data[BPF_IMAGE_TUNABLES];
}

static inline const struct bpf_image_ksym *image_ksyms(const struct image *img, __u32 *cnt)
{
	*cnt = img->cnt[BPF_IMAGE_KSYMS];
	return img->data[BPF_IMAGE_KSYMS];
}

static inline const struct bpf_image_attach *image_attachs(const struct image *img, __u32 *cnt)
{
	*cnt = img->cnt[BPF_IMAGE_ATTACH];
	return img->data[BPF_IMAGE_ATTACH];
}

static inline const struct bpf_image_lockdown *image_lockdown(const struct image *img, __u32 *cnt)
{
	*cnt = img->cnt[BPF_IMAGE_LOCKDOWN];
	return img->data[BPF_IMAGE_LOCKDOWN];
}

static inline const struct bpf_image_event *image_events(const struct image *img, __u32 *cnt)
{
	*cnt = img->cnt[BPF_IMAGE_EVENTS];
	return img->data[BPF_IMAGE_EVENTS];
}

/* The kinds of event that a program can be attached to; false where it meets none */
static inline bool image_event_kinds(__u32 prog_type, __u32 *first, __u32 *last)
{
	switch (prog_type) {
	case BPF_PROG_TYPE_KPROBE:
		*first = BPF_IMAGE_EVENT_KPROBE;
		*last = BPF_IMAGE_EVENT_USDT;
		return true;
	case BPF_PROG_TYPE_TRACEPOINT:
		*first = *last = BPF_IMAGE_EVENT_TRACEPOINT;
		return true;
	case BPF_PROG_TYPE_RAW_TRACEPOINT:
	case BPF_PROG_TYPE_RAW_TRACEPOINT_WRITABLE:
		*first = *last = BPF_IMAGE_EVENT_RAW_TP;
		return true;
	case BPF_PROG_TYPE_PERF_EVENT:
		*first = *last = BPF_IMAGE_EVENT_PERF;
		return true;
	default:
		return false;
	}
}

/* As SEC() has it */
static inline const char *image_event_word(__u32 kind)
{
	static const char * const words[] = {
		[BPF_IMAGE_EVENT_KPROBE] = "kprobe",
		[BPF_IMAGE_EVENT_KRETPROBE] = "kretprobe",
		[BPF_IMAGE_EVENT_UPROBE] = "uprobe",
		[BPF_IMAGE_EVENT_URETPROBE] = "uretprobe",
		[BPF_IMAGE_EVENT_USDT] = "usdt",
		[BPF_IMAGE_EVENT_TRACEPOINT] = "tracepoint",
		[BPF_IMAGE_EVENT_RAW_TP] = "raw_tp",
		[BPF_IMAGE_EVENT_PERF] = "perf_event",
	};

	return words[kind];
}

static inline bool image_event_in_file(__u32 kind)
{
	return kind >= BPF_IMAGE_EVENT_UPROBE && kind <= BPF_IMAGE_EVENT_USDT;
}

static inline __u32 image_rec_size(__u32 type)
{
	switch (type) {
	case BPF_IMAGE_STRINGS:
		return 1;
	case BPF_IMAGE_INSNS:
		return sizeof(struct bpf_insn);
	case BPF_IMAGE_BTF:
		return sizeof(struct bpf_image_btf);
	case BPF_IMAGE_FUNC_INFO:
		return sizeof(struct bpf_func_info);
	case BPF_IMAGE_LINE_INFO:
		return sizeof(struct bpf_line_info);
	case BPF_IMAGE_CORE_RELO:
		return sizeof(struct bpf_core_relo);
	case BPF_IMAGE_MAPS:
		return sizeof(struct bpf_image_map);
	case BPF_IMAGE_TUNABLES:
		return sizeof(struct bpf_image_tunable);
	case BPF_IMAGE_KSYMS:
		return sizeof(struct bpf_image_ksym);
	case BPF_IMAGE_ATTACH:
		return sizeof(struct bpf_image_attach);
	case BPF_IMAGE_LOCKDOWN:
		return sizeof(struct bpf_image_lockdown);
	case BPF_IMAGE_EVENTS:
		return sizeof(struct bpf_image_event);
	default:
		return 0;
	}
}

static inline bool image_is_zero(const void *data, size_t len)
{
	const char *p = data;

	while (len--)
		if (*p++)
			return false;
	return true;
}

/* Is there a string at @off, which may be empty, of a length that names may have? */
static inline bool image_has_name(const struct image *img, __u32 off)
{
	return off < img->cnt[BPF_IMAGE_STRINGS] &&
	       strnlen(image_str(img, off), BPF_IMAGE_MAX_NAME) < BPF_IMAGE_MAX_NAME;
}

/* Returns NULL, or what is wrong with the records of @img */
static inline const char *image_check_records(const struct image *img)
{
	__u32 i, cnt, map_cnt;
	const struct bpf_image_lockdown *lock;
	const struct bpf_image_tunable *tun;
	const struct bpf_image_attach *att;
	const struct bpf_image_event *ev;
	const struct bpf_image_ksym *ksym;
	const struct bpf_image_map *maps;
	const struct bpf_insn *insns;
	__u32 first = 1, last = 0;

	maps = image_maps(img, &map_cnt);
	if (map_cnt > BPF_IMAGE_MAX_MAPS)
		return "too many map slots";
	for (i = 0; i < map_cnt; i++) {
		if (!image_has_name(img, maps[i].name) || maps[i].reserved ||
		    maps[i].flags & ~(BPF_IMAGE_MAP_FIXED_ENTRIES |
				      BPF_IMAGE_MAP_FREE_VALUE_SIZE |
				      BPF_IMAGE_MAP_FIXED_CONTENTS))
			return "malformed map slot";
		if (maps[i].flags & BPF_IMAGE_MAP_FIXED_CONTENTS) {
			if (maps[i].type != BPF_MAP_TYPE_ARRAY ||
			    maps[i].max_entries != 1 ||
			    maps[i].flags & BPF_IMAGE_MAP_FREE_VALUE_SIZE ||
			    !(maps[i].map_flags & BPF_F_RDONLY_PROG))
				return "fixed contents in a map that can't have them";
		} else if (!image_is_zero(maps[i].digest, sizeof(maps[i].digest))) {
			return "digest of contents that are not fixed";
		}
	}

	insns = image_insns(img, &cnt);
	for (i = 0; i < cnt; i++) {
		if (insns[i].code != (BPF_LD | BPF_IMM | BPF_DW))
			continue;
		if (i + 1 == cnt)
			return "truncated instruction";
		if ((insns[i].src_reg == BPF_PSEUDO_MAP_IDX ||
		     insns[i].src_reg == BPF_PSEUDO_MAP_IDX_VALUE) &&
		    (__u32)insns[i].imm >= map_cnt)
			return "reference to a slot that is not there";
		i++;
	}

	tun = image_tunables(img, &cnt);
	if (cnt > BPF_IMAGE_MAX_TUNABLES)
		return "too many tunable ranges";
	for (i = 0; i < cnt; i++) {
		if (tun[i].map >= map_cnt || !image_has_name(img, tun[i].name) || !tun[i].len ||
		    !(maps[tun[i].map].flags & BPF_IMAGE_MAP_FIXED_CONTENTS) ||
		    (__u64)tun[i].off + tun[i].len > maps[tun[i].map].value_size)
			return "malformed tunable range";
		if (i && (tun[i].map < tun[i - 1].map ||
			  (tun[i].map == tun[i - 1].map &&
			   tun[i].off < tun[i - 1].off + tun[i - 1].len)))
			return "tunable ranges out of order";
	}

	ksym = image_ksyms(img, &cnt);
	if (cnt > BPF_IMAGE_MAX_KSYMS)
		return "too many kernel symbols";
	for (i = 0; i < cnt; i++) {
		if (ksym[i].insn >= img->cnt[BPF_IMAGE_INSNS] ||
		    !image_has_name(img, ksym[i].name) ||
		    ksym[i].kind < BPF_IMAGE_KSYM_KFUNC ||
		    ksym[i].kind > BPF_IMAGE_KSYM_UNTYPED ||
		    ksym[i].flags & ~BPF_IMAGE_KSYM_WEAK || ksym[i].reserved)
			return "malformed kernel symbol";
		if (i && ksym[i].insn <= ksym[i - 1].insn)
			return "kernel symbols out of order";
	}

	att = image_attachs(img, &cnt);
	if (cnt > BPF_IMAGE_MAX_ATTACH)
		return "too many attach targets";
	for (i = 0; i < cnt; i++) {
		if (!image_has_name(img, att[i].name) ||
		    !image_has_name(img, att[i].member) || att[i].reserved ||
		    att[i].flags & ~(BPF_IMAGE_ATTACH_GLOB | BPF_IMAGE_ATTACH_PROG))
			return "malformed attach target";
	}

	lock = image_lockdown(img, &cnt);
	for (i = 0; i < cnt; i++) {
		if (lock[i].mode < BPF_LOCKDOWN_INTEGRITY ||
		    lock[i].mode > BPF_LOCKDOWN_CONFIDENTIALITY ||
		    lock[i].flags & ~BPF_IMAGE_LOCKDOWN_FORBID || lock[i].reserved ||
		    lock[i].classes & ~BPF_LOCKDOWN_CLASSES ||
		    (lock[i].flags && lock[i].classes))
			return "malformed lockdown annotation";
		if (i && lock[i].mode <= lock[i - 1].mode)
			return "modes of lockdown out of order";
	}

	ev = image_events(img, &cnt);
	if (cnt > BPF_IMAGE_MAX_EVENTS)
		return "too many events";
	image_event_kinds(img->hdr->prog_type, &first, &last);
	for (i = 0; i < cnt; i++) {
		if (ev[i].kind < first || ev[i].kind > last ||
		    !ev[i].name || !image_has_name(img, ev[i].name) ||
		    !image_has_name(img, ev[i].symbol) ||
		    (ev[i].symbol && !image_event_in_file(ev[i].kind)) ||
		    ev[i].flags & ~BPF_IMAGE_EVENT_GLOB)
			return "malformed event";
	}

	if (img->cnt[BPF_IMAGE_CORE_RELO] > BPF_IMAGE_MAX_CORE_RELOS)
		return "too many CO-RE relocations";
	return NULL;
}

/*
 * Returns NULL, and @img stays valid as long as @data does; or what is wrong
 * with the @size bytes at @data. The kernel does its own checks: this one is
 * for those who need the contents of an image or want to tell about it.
 */
static inline const char *image_parse(struct image *img, const void *data, size_t size)
{
	const struct bpf_image_section *sec;
	const struct bpf_image_hdr *hdr = data;
	__u32 i, off, prev = 0;

	memset(img, 0, sizeof(*img));
	if ((unsigned long)data % 8)
		return "not aligned";
	if (size < sizeof(*hdr))
		return "truncated header";
	if (size > BPF_IMAGE_MAX_SIZE)
		return "too large";
	if (hdr->magic == __builtin_bswap32(BPF_IMAGE_MAGIC))
		return "made for the other byte order";
	if (hdr->magic != BPF_IMAGE_MAGIC)
		return "not an image";
	if (hdr->version != BPF_IMAGE_VERSION)
		return "unknown version";
	if (hdr->size != size)
		return "wrong size";
	if (hdr->flags || hdr->reserved)
		return "unknown flags";
	if (hdr->name[sizeof(hdr->name) - 1])
		return "program name without end";
	if (hdr->section_cnt > BPF_IMAGE_SECTION_MAX)
		return "unknown section";

	off = sizeof(*hdr) + hdr->section_cnt * sizeof(*sec);
	if (off > size)
		return "truncated section table";
	img->hdr = hdr;
	sec = (const void *)(hdr + 1);
	for (i = 0; i < hdr->section_cnt; prev = sec->type, sec++, i++) {
		if (sec->type <= prev)
			return "sections out of order";
		if (sec->type > BPF_IMAGE_SECTION_MAX)
			return "unknown section";
		if (sec->rec_size != image_rec_size(sec->type))
			return "unknown size of records";
		while (off % 8 && off < size)
			if (((const char *)data)[off++])
				return "gap between sections is not zero";
		if (sec->off != off || sec->off % 8)
			return "gap or overlap between sections";
		if (!sec->len || sec->len % sec->rec_size || sec->len > size - off)
			return "wrong length of a section";
		off += sec->len;
		img->data[sec->type] = data + sec->off;
		img->cnt[sec->type] = sec->len / sec->rec_size;
	}
	if (off != size)
		return "trailing bytes";
	if (!img->data[BPF_IMAGE_STRINGS] || !img->data[BPF_IMAGE_INSNS])
		return "required section missing";
	if (img->cnt[BPF_IMAGE_BTF] > 1)
		return "more than one BTF";
	if (!img->data[BPF_IMAGE_BTF] &&
	    (img->data[BPF_IMAGE_FUNC_INFO] || img->data[BPF_IMAGE_LINE_INFO] ||
	     img->data[BPF_IMAGE_CORE_RELO]))
		return "BTF missing";
	if (image_str(img, 0)[0] || image_str(img, img->cnt[BPF_IMAGE_STRINGS] - 1)[0])
		return "strings without end";
	if (hdr->license >= img->cnt[BPF_IMAGE_STRINGS])
		return "license out of bounds";
	return image_check_records(img);
}

/* Is a variable of this type tunable if its signer says nothing: const volatile? */
static inline bool image_var_is_tunable(const struct btf *btf, __u32 id)
{
	bool is_const = false, is_volatile = false;
	const struct btf_type *t;
	int depth;

	/* as deep as libbpf follows types that may go round in circles */
	for (depth = 0; depth < 32; depth++) {
		t = btf__type_by_id(btf, id);
		if (!t)
			return false;
		/* qualifiers of an array are those of its elements */
		if (btf_is_array(t)) {
			id = btf_array(t)->type;
			continue;
		}
		if (!btf_is_mod(t) && !btf_is_typedef(t))
			return is_const && is_volatile;
		is_const |= btf_is_const(t);
		is_volatile |= btf_is_volatile(t);
		id = t->type;
	}
	return false;
}

#endif /* __LIBBPF_IMAGE_H */
