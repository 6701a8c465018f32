/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tests of signed BPF images share: a loader on the bare system call,
 * a builder of images, a signer, and a runner that reports each case as TAP.
 */
#ifndef BPF_SIGNED_LIB_H
#define BPF_SIGNED_LIB_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/compiler.h>
#include <linux/bpf.h>
#include <linux/bpf_image.h>

#ifndef ARRAY_SIZE
#define ARRAY_SIZE(x) (sizeof(x) / sizeof((x)[0]))
#endif

/* Exit codes of a case */
enum { CASE_PASS = 0, CASE_FAIL = 1 };

/* One case; each runs in a process of its own. */
struct test_case {
	const char *name;
	void (*run)(const void *arg);
	const void *arg;
};

#define CASE(fn)	{ #fn, fn, NULL }

int run_cases(int argc, char **argv, const struct test_case *cases, size_t cnt);

/* How often to repeat what is repeated @full times where the machine is fast */
int rounds(int full);

void case_fail(const char *file, int line, const char *fmt, ...)
	__noreturn __printf(3, 4);

/* Ends the case with the message unless @cond holds. */
#define check(cond, ...)						\
	do {								\
		if (!(cond))						\
			case_fail(__FILE__, __LINE__, __VA_ARGS__);	\
	} while (0)

/* A value of a system call that must not fail */
#define must(expr)							\
	({								\
		long __ret = (long)(expr);				\
									\
		check(__ret >= 0, "%s: %ld (%s)", #expr, __ret,		\
		      strerror(__ret == -1 ? errno : (int)-__ret));	\
		__ret;							\
	})

/* ---- signed objects ---------------------------------------------------- */

struct image_prog {
	const char *name;
	const void *image;
	__u32 image_len;
	const void *sig;
	__u32 sig_len;
};

#define MAX_PROGS 64

struct object {
	char *file;
	size_t file_len;
	void *companion;
	const void *btf;
	__u32 btf_len;
	__u32 prog_cnt;
	struct image_prog progs[MAX_PROGS];
	int btf_fd;
};

/* Everything here ends the case when it fails. */
struct object *object_open(const char *path);
const struct image_prog *object_prog(const struct object *obj, const char *name);
const void *object_section(const struct object *obj, const char *name, size_t *len);

/* A section of an image, and the number of its records */
const void *image_section(const void *image, __u32 type, __u32 *cnt);
const char *image_string(const void *image, __u32 off);
int image_slot(const void *image, const char *map);

/*
 * Makes the maps that the image asks for, with the contents that the object
 * has for them, and freezes those that are to be fixed. Returns their number.
 */
int make_maps(const struct object *obj, const struct image_prog *prog, int *fds);
/* As make_maps() for one slot; @contents overrides the object's; not frozen. */
int make_map(const struct object *obj, const struct image_prog *prog, int slot,
	     const void *contents);

/* ---- loading ----------------------------------------------------------- */

extern char log_text[1 << 18];

int sys_bpf(int cmd, union bpf_attr *attr, unsigned int size);

/* The attributes that belong to @prog; the verifier's log goes to log_text. */
void image_attr(union bpf_attr *attr, const struct image_prog *prog,
		const int *fds, __u32 fd_cnt, int btf_fd);
/* As image_attr(), with maps that are made for @prog; returns their number. */
int object_attr(union bpf_attr *attr, const struct object *obj,
		const struct image_prog *prog, int *fds);
/* fd, or a negative errno */
int image_load(union bpf_attr *attr);
/* All of the above for a program of an object. */
int object_load(const struct object *obj, const char *name);
/* A load that has to fail like this, with @words in the log unless NULL. */
void expect_refused(union bpf_attr *attr, int error, const char *words);

int prog_info(int fd, struct bpf_prog_info *info);
/* Result of one BPF_PROG_TEST_RUN with 64 bytes of input where it takes them */
int prog_run(int fd);

int map_create(__u32 type, const char *name, __u32 key, __u32 value, __u32 max,
	       __u32 flags);
int map_update(int fd, const void *key, const void *value);
int map_lookup(int fd, const void *key, void *value);
int map_freeze(int fd);
__u32 map_id(int fd);
int btf_load(const void *data, __u32 len);
/* Number of objects of a kind: BPF_PROG_GET_NEXT_ID and its like */
int count_ids(int cmd);

/* An unsigned program, and one that returns zero: fd or a negative errno */
int load_insns(__u32 type, const struct bpf_insn *insns, __u32 cnt);
int load_unsigned(__u32 type);

/* ---- building and signing ---------------------------------------------- */

#define MAX_SECTIONS 16

struct builder {
	struct bpf_image_hdr hdr;
	struct {
		__u32 type;
		__u32 rec_size;
		__u32 len;
		const void *data;
	} sec[MAX_SECTIONS];
	__u32 cnt;
};

/* A socket filter "r0 = value; exit" with strings */
void builder_init(struct builder *b, const char *name, int value);
void builder_set(struct builder *b, __u32 type, const void *data, __u32 len);
__u32 builder_str(const struct builder *b, const char *s);
/* malloc()ed */
void *builder_finish(const struct builder *b, __u32 *len);

struct signer;
/* PEM key, DER or PEM certificate */
struct signer *signer_open(const char *key, const char *cert);
/* The kernel's own key: SIGNING_KEY and SIGNING_CERT of the environment */
struct signer *kernel_signer(void);
/*
 * A key that signs fast, which the system trusts as much: the kernel's own has
 * vouched for it, and the first call puts it into the secondary keyring.
 */
struct signer *fast_signer(void);
/* A fresh self-signed key, or one whose certificate @ca has signed */
struct signer *signer_new(const char *cn, struct signer *ca);
void *signer_cert(struct signer *s, size_t *len);
/* SHA-256 of the certificate's signed part, as .blacklist wants it */
void signer_tbs_hash(struct signer *s, unsigned char hash[32]);
/* malloc()ed */
void *sign_bytes(struct signer *s, const void *data, size_t len, __u32 *sig_len);
void *sign_with_cert(struct signer *s, const void *data, size_t len, __u32 *sig_len);
/* An image from @b, signed by fast_signer() */
struct image_prog *build_signed(const struct builder *b);
struct image_prog *sign_image(struct signer *s, void *image, __u32 len);

/* ---- the machine ------------------------------------------------------- */

char *read_file(const char *path, size_t *len);
/* Lockdown's mode: "none", "integrity", "confidentiality" */
const char *lockdown_mode(void);
bool cmdline_has(const char *word);
/* Follows the kernel's log: position now, and whether @words came since. */
int kmsg_open(void);
bool kmsg_has(int fd, const char *words);
/* Is there, or soon, a record? Audit writes to the kernel's log where nobody listens to it. */
bool recorded(int kmsg, const char *words);

/* Serial of a keyring in /proc/keys, or 0 */
int find_system_keyring(const char *name);
long sys_add_key(const char *type, const char *desc, const void *data,
		 size_t len, int ring);
long sys_keyctl(int op, unsigned long a, unsigned long b, unsigned long c,
		unsigned long d);

#endif
