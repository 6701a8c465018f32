/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What the commands of bpftool sign share */
#ifndef __SIGN_FILE_H
#define __SIGN_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

#include <bpf/bpf_companion.h>
#include <bpf/image.h>
#include <bpf/libbpf.h>
#include <bpf/libbpf_internal.h>

/* An object file, and its companion section where it has one */
struct signed_file {
	const char *path;
	struct bpf_companion comp;
	void *data;
	/* of the BTF in comp */
	__u8 btf_digest[SHA256_DIGEST_LENGTH];
	/* what is wrong with it, to be put behind the path */
	char why[128];
};

/* A program on its way into a companion section */
struct signed_prog {
	const char *name;
	const void *image;
	__u32 image_sz;
	const void *sig;
	__u32 sig_sz;
};

struct policy {
	char *text;
	struct bpf_image_rule *rules;
	size_t cnt;
};

int read_policy(struct policy *pol);
void free_policy(struct policy *pol);
struct bpf_object *gen_images(const char *path, const struct policy *pol,
			      struct bpf_gen_images_opts *opts);
int attach_companion(const char *path, const char *out_path, const void *btf, __u32 btf_sz,
		     const struct signed_prog *progs, size_t cnt);
int read_signed_file(struct signed_file *f, const char *path);
void free_signed_file(struct signed_file *f);
const char *file_image(const struct signed_file *f, __u32 i, struct image *img);
bool image_has_btf(const struct image *img, const __u8 *digest);
void file_error(const char *path, const char *why);
void prog_error(const char *path, const char *name, const char *why);
void lockdown_words(__u32 classes, char *buf, size_t size);

int do_sign_show(int argc, char **argv);
int do_sign_policy(int argc, char **argv);
int do_sign_check(int argc, char **argv);

#endif
