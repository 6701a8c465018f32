// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * bpftool sign: sign the programs of an object file, each by itself, and put
 * images and signatures into the object's companion section.
 */

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>

#include <bpf/bpf.h>
#include <bpf/bpf_companion.h>
#include <bpf/btf.h>
#include <bpf/image.h>
#include <bpf/libbpf.h>
#include <bpf/libbpf_internal.h>

#include "json_writer.h"
#include "main.h"
#include "sign_file.h"

#define IMAGE_SFX	".img"
#define SIG_SFX		".img.p7s"

static int add_rule(struct policy *pol, enum bpf_image_rule_kind kind,
		    const char *name, const char *target)
{
	struct bpf_image_rule *tmp;

	tmp = realloc(pol->rules, (pol->cnt + 1) * sizeof(*tmp));
	if (!tmp) {
		p_err("mem alloc failed");
		return -ENOMEM;
	}
	pol->rules = tmp;
	tmp += pol->cnt++;
	tmp->kind = kind;
	tmp->name = name;
	tmp->target = target;
	return 0;
}

static void *read_file(const char *path, size_t max, size_t *size)
{
	char *buf = NULL;
	struct stat st;
	ssize_t n;
	int fd;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st)) {
		p_err("can't open '%s': %s", path, strerror(errno));
		goto err;
	}
	if (!S_ISREG(st.st_mode)) {
		p_err("'%s' is not a regular file", path);
		goto err;
	}
	if ((size_t)st.st_size > max) {
		p_err("'%s' has %lld bytes, more than the %zu that are allowed", path,
		      (long long)st.st_size, max);
		goto err;
	}
	buf = malloc(st.st_size + 1);
	if (!buf) {
		p_err("mem alloc failed");
		goto err;
	}
	for (*size = 0; *size < (size_t)st.st_size; *size += n) {
		n = read(fd, buf + *size, st.st_size - *size);
		if (n <= 0) {
			p_err("can't read '%s': %s", path, n ? strerror(errno) : "file shrinks");
			goto err;
		}
	}
	buf[*size] = '\0';
	close(fd);
	return buf;
err:
	free(buf);
	if (fd >= 0)
		close(fd);
	return NULL;
}

/*
 * One statement a line: what may differ from the object at load time, or may
 * not. '#' begins a comment.
 */
static int parse_policy(const char *path, struct policy *pol)
{
	static const struct {
		const char *word;
		enum bpf_image_rule_kind kind;
	} statements[] = {
		{ "tunable", BPF_IMAGE_RULE_TUNABLE },
		{ "fixed", BPF_IMAGE_RULE_FIXED },
		{ "fixed-entries", BPF_IMAGE_RULE_FIXED_ENTRIES },
		{ "free-value-size", BPF_IMAGE_RULE_FREE_VALUE_SIZE },
		{ "attach", BPF_IMAGE_RULE_ATTACH },
		{ "attach-prog", BPF_IMAGE_RULE_ATTACH_PROG },
		{ "lockdown", BPF_IMAGE_RULE_LOCKDOWN },
	};
	char *line, *next, *word, *save, *prog;
	enum bpf_image_rule_kind kind;
	int nr = 0, err = 0, cnt;
	size_t size, i;

	if (!path)
		return 0;
	pol->text = read_file(path, 1 << 20, &size);
	if (!pol->text)
		return -1;
	if (strlen(pol->text) != size) {
		p_err("%s: not a text file", path);
		return -1;
	}

	for (line = pol->text; line && !err; line = next) {
		nr++;
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		line[strcspn(line, "#")] = '\0';
		word = strtok_r(line, " \t\r", &save);
		if (!word)
			continue;
		for (i = 0; i < ARRAY_SIZE(statements); i++)
			if (strcmp(word, statements[i].word) == 0)
				break;
		if (i == ARRAY_SIZE(statements)) {
			p_err("%s:%d: unknown statement '%s'; expected tunable, fixed, fixed-entries, free-value-size, attach, attach-prog or lockdown",
			      path, nr, word);
			return -1;
		}
		kind = statements[i].kind;
		prog = NULL;
		if (kind >= BPF_IMAGE_RULE_ATTACH)
			prog = strtok_r(NULL, " \t\r", &save);
		for (cnt = 0; !err && (word = strtok_r(NULL, " \t\r", &save)); cnt++)
			err = prog ? add_rule(pol, kind, prog, word) :
				     add_rule(pol, kind, word, NULL);
		if (!err && !cnt) {
			p_err("%s:%d: '%s' needs %s", path, nr, statements[i].word,
			      kind < BPF_IMAGE_RULE_ATTACH ? "a name" :
			      kind == BPF_IMAGE_RULE_LOCKDOWN ? "a program and MODE=CLASSES" :
							     "a program and a target");
			return -1;
		}
	}
	return err;
}

/* The policy file, and behind it what the options say of all programs */
int read_policy(struct policy *pol)
{
	int err, i;

	err = parse_policy(sign_policy_path, pol);
	for (i = 0; i < sign_lockdown_cnt && !err; i++)
		err = add_rule(pol, BPF_IMAGE_RULE_LOCKDOWN, "*", sign_lockdown[i]);
	return err;
}

void free_policy(struct policy *pol)
{
	free(pol->rules);
	free(pol->text);
}

struct bpf_object *gen_images(const char *path, const struct policy *pol,
			      struct bpf_gen_images_opts *opts)
{
	struct bpf_object *obj;
	int err;

	obj = bpf_object__open_file(path, NULL);
	if (!obj) {
		p_err("failed to open object file '%s': %s", path, strerror(errno));
		return NULL;
	}

	opts->rules = pol->rules;
	opts->rule_cnt = pol->cnt;
	opts->rule_sz = sizeof(*pol->rules);
	err = bpf_object__gen_images(obj, opts);
	if (!err && !opts->image_cnt)
		err = -ENOENT;
	if (err) {
		if (err == -ENODATA)
			p_err("'%s' has no BTF: compile with -g, and strip with -g at most",
			      path);
		else if (err == -ENOENT && !opts->image_cnt && !pol->cnt)
			p_err("'%s' has no programs to sign", path);
		else
			p_err("failed to make images of the programs in '%s': %s",
			      path, libbpf_errstr(err));
		bpf_object__close(obj);
		return NULL;
	}
	return obj;
}

static int need_key(void)
{
	if (private_key_path && cert_path)
		return 0;
	p_err("-k <private_key> and -i <identity_x509_cert> must be supplied for signing");
	return -1;
}

/* Programs that can't be loaded before the loader has chosen a target, or attached to anything */
static void warn_no_target(const char *path, const char *name, const void *data, __u32 size)
{
	__u32 cnt, first, last;
	struct image img;

	if (image_parse(&img, data, size))
		return;
	image_events(&img, &cnt);
	if (!cnt && image_event_kinds(img.hdr->prog_type, &first, &last)) {
		p_info("%s: program '%s' names no event and can't be attached to any; name some by 'attach %s %s/NAME...' in a policy file, or all by 'attach %s any'",
		       path, name, name, image_event_word(first), name);
		return;
	}
	switch (img.hdr->prog_type) {
	case BPF_PROG_TYPE_TRACING:
		switch (img.hdr->expected_attach_type) {
		case BPF_TRACE_FENTRY:
		case BPF_TRACE_FEXIT:
		case BPF_TRACE_FSESSION:
		case BPF_TRACE_RAW_TP:
		case BPF_TRACE_ITER:
		case BPF_MODIFY_RETURN:
			break;
		default:
			return;
		}
		break;
	case BPF_PROG_TYPE_LSM:
		if (img.hdr->expected_attach_type != BPF_LSM_MAC)
			return;
		break;
	case BPF_PROG_TYPE_EXT:
	case BPF_PROG_TYPE_STRUCT_OPS:
		break;
	default:
		return;
	}
	image_attachs(&img, &cnt);
	if (!cnt)
		p_info("%s: program '%s' has no attach target and can't be loaded; name some by 'attach %s TARGET...' in a policy file",
		       path, name, name);
}

static int sign_one(const char *path, const char *out_path, const struct policy *pol)
{
	LIBBPF_OPTS(bpf_gen_images_opts, opts);
	struct signed_prog *progs = NULL;
	struct bpf_object *obj;
	int err = -1;
	char *sigs = NULL;
	size_t i;

	obj = gen_images(path, pol, &opts);
	if (!obj)
		return -1;

	progs = calloc(opts.image_cnt, sizeof(*progs));
	sigs = calloc(opts.image_cnt, BPF_IMAGE_MAX_SIGNATURE);
	if (!progs || !sigs) {
		p_err("mem alloc failed");
		goto out;
	}
	for (i = 0; i < opts.image_cnt; i++) {
		char *sig = sigs + i * BPF_IMAGE_MAX_SIGNATURE;

		progs[i].name = opts.images[i].name;
		progs[i].image = opts.images[i].data;
		progs[i].image_sz = opts.images[i].size;
		progs[i].sig = sig;
		progs[i].sig_sz = BPF_IMAGE_MAX_SIGNATURE;
		err = bpftool_sign_data(progs[i].image, progs[i].image_sz, sig, &progs[i].sig_sz);
		if (err) {
			p_err("%s: failed to sign program '%s'", path, progs[i].name);
			goto out;
		}
		warn_no_target(path, progs[i].name, progs[i].image, progs[i].image_sz);
	}

	err = attach_companion(path, out_path, opts.btf, opts.btf_size, progs, opts.image_cnt);
	if (err)
		goto out;
	if (json_output) {
		jsonw_start_object(json_wtr);
		jsonw_string_field(json_wtr, "file", out_path);
		jsonw_uint_field(json_wtr, "signed", opts.image_cnt);
		jsonw_end_object(json_wtr);
	} else {
		printf("%s: %zu program%s signed\n", out_path, opts.image_cnt,
		       opts.image_cnt == 1 ? "" : "s");
	}
out:
	free(sigs);
	free(progs);
	bpf_object__close(obj);
	return err;
}

static int do_file(int argc, char **argv)
{
	struct policy pol = {};
	int err;

	if (!REQ_ARGS(1) || need_key())
		return -1;
	if (sign_output_path && argc > 1) {
		p_err("-o is for one file");
		return -1;
	}

	err = read_policy(&pol);
	if (err)
		goto out;
	if (json_output)
		jsonw_start_array(json_wtr);
	for (; !err && argc; argc--, argv++)
		err = sign_one(*argv, sign_output_path ?: *argv, &pol);
	if (json_output)
		jsonw_end_array(json_wtr);
out:
	free_policy(&pol);
	return err;
}

static int sig_path(char *buf, size_t size, const char *dir, const char *name, const char *sfx)
{
	if (strchr(name, '/')) {
		p_err("program '%s' can't have a file of its name, for there is a slash in it",
		      name);
		return -1;
	}
	if (snprintf(buf, size, "%s/%s%s", dir, name, sfx) >= (int)size) {
		p_err("path of the file for program '%s' in '%s' is too long", name, dir);
		return -1;
	}
	return 0;
}

static int write_file(const char *path, const void *data, size_t size)
{
	FILE *fp;
	int err;

	fp = fopen(path, "w");
	err = !fp || fwrite(data, 1, size, fp) != size;
	if (fp && fclose(fp))
		err = 1;
	if (err)
		p_err("can't write '%s': %s", path, strerror(errno));
	return err ? -1 : 0;
}

/* Write out the bytes that a signing service is to sign */
static int do_extract(int argc, char **argv)
{
	LIBBPF_OPTS(bpf_gen_images_opts, opts);
	struct policy pol = {};
	const char *file, *dir;
	struct bpf_object *obj;
	char path[PATH_MAX];
	int err = -1;
	size_t i;

	if (!REQ_ARGS(2))
		return -1;
	file = GET_ARG();
	dir = GET_ARG();
	if (argc)
		return BAD_ARG();

	if (read_policy(&pol))
		goto out;
	obj = gen_images(file, &pol, &opts);
	if (!obj)
		goto out;
	if (mkdir(dir, 0777) && errno != EEXIST) {
		p_err("can't create '%s': %s", dir, strerror(errno));
		goto out_close;
	}
	err = 0;
	if (json_output)
		jsonw_start_array(json_wtr);
	for (i = 0; i < opts.image_cnt && !err; i++) {
		err = sig_path(path, sizeof(path), dir, opts.images[i].name, IMAGE_SFX) ?:
		      write_file(path, opts.images[i].data, opts.images[i].size);
		if (!err && json_output)
			jsonw_string(json_wtr, path);
		else if (!err)
			printf("%s\n", path);
	}
	if (json_output)
		jsonw_end_array(json_wtr);
out_close:
	bpf_object__close(obj);
out:
	free_policy(&pol);
	return err;
}

static const char *verdict_str(int err)
{
	switch (err) {
	case 0:
		return "verified";
	case -ENOKEY:
		return "signed with another key";
	case -EKEYREJECTED:
		return "signature does not match, the image was altered";
	case -EBADMSG:
		return "signature is not PKCS#7, detached and of one signer";
	default:
		return strerror(-err);
	}
}

static int take_signature(const char *dir, const char *name, const __u8 *btf_digest,
			  struct signed_prog *prog)
{
	char path[PATH_MAX];
	struct image img;
	const char *why;
	size_t size;
	int err;

	prog->name = name;
	if (sig_path(path, sizeof(path), dir, name, IMAGE_SFX))
		return -1;
	prog->image = read_file(path, BPF_IMAGE_MAX_SIZE, &size);
	if (!prog->image)
		return -1;
	prog->image_sz = size;
	why = image_parse(&img, prog->image, size);
	if (why) {
		p_err("%s: %s", path, why);
		return -1;
	}
	if (!image_is_of(&img, name) || !image_has_btf(&img, btf_digest)) {
		p_err("'%s' was not made from this object", path);
		return -1;
	}

	if (sig_path(path, sizeof(path), dir, name, SIG_SFX))
		return -1;
	prog->sig = read_file(path, BPF_IMAGE_MAX_SIGNATURE, &size);
	if (!prog->sig)
		return -1;
	prog->sig_sz = size;
	if (!size) {
		p_err("'%s' is empty", path);
		return -1;
	}
	if (!cert_path)
		return 0;
	err = bpftool_verify_data(prog->image, prog->image_sz, prog->sig, prog->sig_sz);
	if (err)
		p_err("'%s': %s", path, verdict_str(err));
	return err;
}

static int attach_one(const char *file, const char *dir)
{
	LIBBPF_OPTS(bpf_gen_images_opts, opts);
	const char *out = sign_output_path ?: file;
	__u8 btf_digest[SHA256_DIGEST_LENGTH];
	struct signed_prog *progs = NULL;
	const struct policy none = {};
	struct bpf_object *obj;
	int err = -1;
	size_t i;

	/* The images are those that were signed; BTF and names are the object's */
	obj = gen_images(file, &none, &opts);
	if (!obj)
		return -1;
	progs = calloc(opts.image_cnt, sizeof(*progs));
	if (!progs) {
		p_err("mem alloc failed");
		goto out_close;
	}
	libbpf_sha256(opts.btf, opts.btf_size, btf_digest);
	for (i = 0; i < opts.image_cnt; i++) {
		err = take_signature(dir, opts.images[i].name, btf_digest, &progs[i]);
		if (err)
			goto out_free;
	}
	err = attach_companion(file, out, opts.btf, opts.btf_size, progs, opts.image_cnt);
	if (!err && json_output) {
		jsonw_start_object(json_wtr);
		jsonw_string_field(json_wtr, "file", out);
		jsonw_uint_field(json_wtr, "signed", opts.image_cnt);
		jsonw_end_object(json_wtr);
	} else if (!err) {
		printf("%s: %zu signature%s attached\n", out, opts.image_cnt,
		       opts.image_cnt == 1 ? "" : "s");
	}
out_free:
	for (i = 0; i < opts.image_cnt; i++) {
		free((void *)progs[i].image);
		free((void *)progs[i].sig);
	}
	free(progs);
out_close:
	bpf_object__close(obj);
	return err;
}

/* Take the signatures in that a signing service has made */
static int do_attach(int argc, char **argv)
{
	const char *file, *dir;
	int err;

	if (!REQ_ARGS(2))
		return -1;
	file = GET_ARG();
	dir = GET_ARG();
	if (argc)
		return BAD_ARG();

	/* an array as of 'sign file', since errors may be several */
	if (json_output)
		jsonw_start_array(json_wtr);
	err = attach_one(file, dir);
	if (json_output)
		jsonw_end_array(json_wtr);
	return err;
}

/* Returns what is wrong with a program, or NULL */
static const char *verify_prog(const struct signed_file *f, __u32 i)
{
	__u32 image_sz, sig_sz;
	const void *image, *sig;
	struct image img;
	const char *why;
	int err;

	image = bpf_companion_image(&f->comp, i, &image_sz);
	sig = bpf_companion_sig(&f->comp, i, &sig_sz);
	/* as in the kernel, what is in an image counts after its signature */
	err = bpftool_verify_data(image, image_sz, sig, sig_sz);
	if (err)
		return verdict_str(err);
	why = file_image(f, i, &img);
	if (why)
		return why;
	if (!image_is_of(&img, bpf_companion_name(&f->comp, i)))
		return "what goes by this name is the image of another program";
	return image_has_btf(&img, f->btf_digest) ? NULL : "BTF was altered";
}

static void show_verified(const char *path, const char *name, const char *why)
{
	if (json_output) {
		jsonw_start_object(json_wtr);
		jsonw_string_field(json_wtr, "name", name);
		jsonw_bool_field(json_wtr, "verified", !why);
		if (why)
			jsonw_string_field(json_wtr, "error", why);
		jsonw_end_object(json_wtr);
	} else if (why) {
		p_err("%s: program '%s': %s", path, name, why);
	}
}

/* Is there an image for each program that the object has? */
static bool verify_complete(const struct signed_file *f, const struct bpf_object *obj)
{
	struct bpf_program *prog;
	bool complete = true;
	__u32 i;

	bpf_object__for_each_program(prog, obj) {
		if (bpf_program__type(prog) == BPF_PROG_TYPE_UNSPEC)
			continue;
		for (i = 0; i < f->comp.hdr->prog_cnt; i++)
			if (strcmp(bpf_program__name(prog), bpf_companion_name(&f->comp, i)) == 0)
				break;
		if (i < f->comp.hdr->prog_cnt)
			continue;
		show_verified(f->path, bpf_program__name(prog), "is not signed");
		complete = false;
	}
	return complete;
}

static int verify_one(const char *path)
{
	struct bpf_object *obj;
	struct signed_file f;
	const char *why;
	int ret = 0;
	__u32 i;

	if (read_signed_file(&f, path)) {
		file_error(path, f.why);
		return -1;
	}
	obj = bpf_object__open_file(path, NULL);
	if (!obj) {
		snprintf(f.why, sizeof(f.why), "can't be opened as an object file: %s",
			 strerror(errno));
		file_error(path, f.why);
		free_signed_file(&f);
		return -1;
	}

	if (json_output) {
		jsonw_start_object(json_wtr);
		jsonw_string_field(json_wtr, "file", path);
		jsonw_name(json_wtr, "programs");
		jsonw_start_array(json_wtr);
	}
	for (i = 0; i < f.comp.hdr->prog_cnt; i++) {
		why = verify_prog(&f, i);
		if (why)
			ret = -1;
		show_verified(path, bpf_companion_name(&f.comp, i), why);
	}
	if (!verify_complete(&f, obj))
		ret = -1;
	bpf_object__close(obj);
	if (json_output) {
		jsonw_end_array(json_wtr);
		jsonw_bool_field(json_wtr, "verified", !ret);
		jsonw_end_object(json_wtr);
	} else if (!ret) {
		printf("%s: %u program%s verified\n", path, f.comp.hdr->prog_cnt,
		       f.comp.hdr->prog_cnt == 1 ? "" : "s");
	}
	free_signed_file(&f);
	return ret;
}

static int do_verify(int argc, char **argv)
{
	int err = 0;

	if (!REQ_ARGS(1))
		return -1;
	if (!cert_path) {
		p_err("-i <identity_x509_cert> must be supplied for verification");
		return -1;
	}
	if (json_output)
		jsonw_start_array(json_wtr);
	if (bpftool_has_cert()) {
		for (; argc; argc--, argv++)
			if (verify_one(*argv))
				err = -1;
	} else {
		p_err("no certificate can be read from '%s'", cert_path);
		err = -1;
	}
	if (json_output)
		jsonw_end_array(json_wtr);
	return err;
}

static int do_help(int argc, char **argv)
{
	if (json_output) {
		jsonw_null(json_wtr);
		return 0;
	}

	fprintf(stderr,
		"Usage: %1$s %2$s file    FILE... -k KEY -i CERT [-o OUTPUT] [--policy POLICY]\n"
		"                            [--lockdown MODE=CLASSES]...\n"
		"       %1$s %2$s { show | list } FILE...\n"
		"       %1$s %2$s verify  FILE... -i CERT\n"
		"       %1$s %2$s extract FILE DIR [--policy POLICY] [--lockdown MODE=CLASSES]...\n"
		"       %1$s %2$s attach  FILE DIR [-i CERT] [-o OUTPUT]\n"
		"       %1$s %2$s check   FILE... [--policy POLICY] [--lockdown MODE=CLASSES]...\n"
		"       %1$s %2$s policy\n"
		"       %1$s %2$s help\n"
		"\n"
		"       KEY := { FILE | pkcs11:URI }\n"
		"       MODE := { integrity | confidentiality }\n"
		"       CLASSES := { none | forbid | all | CLASS[,CLASS]... }\n"
		"       CLASS := { user-read | user-write | control | kernel-read | kernel-address |\n"
		"                  fields | loader }\n"
		"       " HELP_SPEC_OPTIONS " |\n"
		"                    {-k} <private_key.pem> | {-i} <certificate.x509> |\n"
		"                    {-o|--output} FILE | {--policy} FILE |\n"
		"                    {--lockdown} MODE=CLASSES }\n"
		"",
		bin_name, "sign");
	return 0;
}

static const struct cmd cmds[] = {
	{ "file",	do_file },
	{ "show",	do_sign_show },
	{ "list",	do_sign_show },
	{ "verify",	do_verify },
	{ "extract",	do_extract },
	{ "attach",	do_attach },
	{ "check",	do_sign_check },
	{ "policy",	do_sign_policy },
	{ "help",	do_help },
	{ 0 }
};

int do_sign(int argc, char **argv)
{
	return cmd_select(cmds, argc, argv, do_help);
}
