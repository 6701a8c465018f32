/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
#ifndef __LIBBPF_IMAGE_LOAD_H
#define __LIBBPF_IMAGE_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/bpf.h>
#include "image.h"

struct bpf_core_relo;
struct bpf_images;
struct bpf_map;
struct bpf_object;
struct bpf_program;
struct bpf_prog_load_opts;
struct btf;

/* What the tool has chosen for a program to be attached to */
struct image_target {
	/* NULL for the image's default; TYPE/MEMBER for struct_ops */
	const char *name;
	/* zero where it is the kernel */
	int prog_fd;
	/* has to have one, be it by default */
	bool required;
	/* room for a name that has to be put together */
	char buf[IMAGE_NAME_LEN];
};

struct bpf_images *bpf_images__new(struct bpf_object *obj, const void *data, size_t size,
				   int keyring_id);
void bpf_images__free(struct bpf_images *images);

const void *bpf_images__btf(const struct bpf_images *images, __u32 *size);

int bpf_images__check_maps(struct bpf_images *images, const struct bpf_program *prog);
int bpf_images__check_target(struct bpf_images *images, const struct bpf_program *prog,
			     const struct image_target *target);
int bpf_images__check_event(struct bpf_images *images, const struct bpf_program *prog,
			    __u32 kind, const char *name, size_t offset);
int bpf_images__check_clone(const struct bpf_program *prog,
			    const struct bpf_prog_load_opts *opts);
int bpf_images__prepare_load(struct bpf_images *images, const struct bpf_program *prog,
			     const struct image_target *target, struct bpf_prog_load_opts *opts);

/* for the log of a program that the verifier has refused */
const char *bpf_images__slot_name(struct bpf_images *images, const struct bpf_program *prog,
				  int slot);
const char *bpf_images__ksym_name(struct bpf_images *images, const struct bpf_program *prog,
				  int idx);
const struct bpf_core_relo *bpf_images__core_relo(struct bpf_images *images,
						  const struct bpf_program *prog, int insn_idx);
void bpf_images__explain(const struct bpf_images *images, const struct bpf_program *prog,
			 int err);

#endif /* __LIBBPF_IMAGE_LOAD_H */
