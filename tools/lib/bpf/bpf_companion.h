/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/*
 * The ELF section that carries the signed images of a BPF object's programs.
 *
 * 'bpftool sign file' puts it into the object file, and bpf_object__load()
 * takes from it what it hands to the kernel. Other loaders may do the same;
 * for them this header depends on nothing but linux/types.h, and the format
 * is this:
 *
 *   - a section named %BPF_COMPANION_SEC, SHT_PROGBITS, not SHF_ALLOC, aligned
 *     to 8 bytes;
 *   - all integers in the byte order of the ELF file, which is that of the
 *     kernel which the object is for;
 *   - first a struct bpf_companion_hdr, and at the offsets that it tells, from
 *     the start of the section, a directory, the BTF and the strings;
 *   - each program's image (linux/bpf_image.h) and signature at the offsets
 *     that the directory tells. Those and the BTF begin at multiples of 8.
 *
 * The section is a container: nothing in it is trusted, and the signatures are
 * over the images alone. A loader passes image, signature and BTF to the
 * kernel as they are. An image names its maps, in order, and the SHA-256 of
 * the BTF.
 */
#ifndef __BPF_COMPANION_H
#define __BPF_COMPANION_H

#include <linux/types.h>

#define BPF_COMPANION_SEC	".BPF.signed"
#define BPF_COMPANION_MAGIC	0x53465042U	/* "BPFS" where it is little-endian */
#define BPF_COMPANION_VERSION	1

/**
 * struct bpf_companion_hdr - first bytes of the section
 * @magic: %BPF_COMPANION_MAGIC
 * @version: %BPF_COMPANION_VERSION
 * @size: length of the contents in bytes, this header included
 * @flags: must be zero
 * @btf_off: the blob for BPF_BTF_LOAD
 * @btf_len: its length in bytes
 * @prog_off: array of struct bpf_companion_prog
 * @prog_cnt: its number of elements
 * @str_off: strings, the first and the last byte of which are NUL
 * @str_len: their length in bytes
 * @reserved: must be zero
 */
struct bpf_companion_hdr {
	__u32	magic;
	__u32	version;
	__u32	size;
	__u32	flags;
	__u32	btf_off;
	__u32	btf_len;
	__u32	prog_off;
	__u32	prog_cnt;
	__u32	str_off;
	__u32	str_len;
	__u32	reserved[2];
};

/**
 * struct bpf_companion_prog - one program
 * @name: offset into the strings: the program's function in the object file
 * @flags: must be zero
 * @image_off: the image
 * @image_len: its length in bytes
 * @sig_off: detached PKCS#7 signature over the image
 * @sig_len: its length in bytes
 */
struct bpf_companion_prog {
	__u32	name;
	__u32	flags;
	__u32	image_off;
	__u32	image_len;
	__u32	sig_off;
	__u32	sig_len;
};

/* The section's contents, after bpf_companion_parse() has gone over them */
struct bpf_companion {
	const struct bpf_companion_hdr *hdr;
	const struct bpf_companion_prog *progs;
	const char *strs;
};

static inline int bpf_companion_range_ok(const struct bpf_companion_hdr *hdr,
					 __u32 off, __u64 len)
{
	return off % 8 == 0 && off >= sizeof(*hdr) && off <= hdr->size &&
	       len && len <= hdr->size - off;
}

/*
 * Check the @size bytes at @data, which has to be aligned to 8 bytes. Returns
 * 0, and from then on everything that the accessors below give lies within
 * @data; or -1 where it is malformed or not understood.
 */
static inline int bpf_companion_parse(struct bpf_companion *c, const void *data, __u64 size)
{
	const struct bpf_companion_hdr *hdr = (const struct bpf_companion_hdr *)data;
	const struct bpf_companion_prog *p;
	__u32 i;

	if ((unsigned long)data % 8 || size < sizeof(*hdr))
		return -1;
	if (hdr->magic != BPF_COMPANION_MAGIC || hdr->version != BPF_COMPANION_VERSION ||
	    hdr->size != size || hdr->flags || hdr->reserved[0] || hdr->reserved[1])
		return -1;
	if (!bpf_companion_range_ok(hdr, hdr->btf_off, hdr->btf_len) ||
	    !bpf_companion_range_ok(hdr, hdr->prog_off, (__u64)hdr->prog_cnt * sizeof(*p)) ||
	    !bpf_companion_range_ok(hdr, hdr->str_off, hdr->str_len))
		return -1;

	c->hdr = hdr;
	c->progs = (const struct bpf_companion_prog *)((const char *)data + hdr->prog_off);
	c->strs = (const char *)data + hdr->str_off;
	if (c->strs[0] || c->strs[hdr->str_len - 1])
		return -1;

	for (i = 0; i < hdr->prog_cnt; i++) {
		p = &c->progs[i];
		if (!p->name || p->name >= hdr->str_len || p->flags ||
		    !bpf_companion_range_ok(hdr, p->image_off, p->image_len) ||
		    !bpf_companion_range_ok(hdr, p->sig_off, p->sig_len))
			return -1;
	}
	return 0;
}

static inline const char *bpf_companion_name(const struct bpf_companion *c, __u32 i)
{
	return c->strs + c->progs[i].name;
}

static inline const void *bpf_companion_image(const struct bpf_companion *c, __u32 i, __u32 *len)
{
	*len = c->progs[i].image_len;
	return (const char *)c->hdr + c->progs[i].image_off;
}

static inline const void *bpf_companion_sig(const struct bpf_companion *c, __u32 i, __u32 *len)
{
	*len = c->progs[i].sig_len;
	return (const char *)c->hdr + c->progs[i].sig_off;
}

static inline const void *bpf_companion_btf(const struct bpf_companion *c, __u32 *len)
{
	*len = c->hdr->btf_len;
	return (const char *)c->hdr + c->hdr->btf_off;
}

#endif /* __BPF_COMPANION_H */
