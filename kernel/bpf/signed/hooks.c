// SPDX-License-Identifier: GPL-2.0
/*
 * Between the loader and verifier in C and the logic in Rust: copies fields
 * to and fro. What is decided, is decided in Rust.
 */
#define pr_fmt(fmt) "bpf_signed: " fmt

#include <linux/audit.h>
#include <linux/bpf.h>
#include <linux/bpf_image.h>
#include <linux/bpf_verifier.h>
#include <linux/btf.h>
#include <linux/init.h>
#include <linux/kallsyms.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

/* Records of what was allowed too, not only of what was not */
bool bpf_image_record_all __ro_after_init;

/**
 * bpf_image_record - begin an audit record of a decision about a program
 * @aux: program, or NULL if it is not about one alone
 * @op: what was asked
 * @allowed: it was decided in favour
 *
 * For system calls alone: where a program runs, audit may be what it watches.
 *
 * Return: the record, for audit_log_end(), or NULL if there is none to be made.
 */
struct audit_buffer *bpf_image_record(const struct bpf_prog_aux *aux, const char *op,
				      bool allowed)
{
	struct audit_buffer *ab;

	if (audit_enabled == AUDIT_OFF || (allowed && !bpf_image_record_all))
		return NULL;
	ab = audit_log_start(audit_context(), GFP_ATOMIC, AUDIT_BPF);
	if (!ab)
		return NULL;
	audit_log_format(ab, "op=%s prog-name=", op);
	audit_log_untrustedstring(ab, aux ? aux->name : "?");
	return ab;
}

/**
 * bpf_image_refuse_target - refuse to attach an extension elsewhere
 * @prog: program of type %BPF_PROG_TYPE_EXT
 * @target: whose function it would replace
 *
 * Return: %-EPERM.
 */
int bpf_image_refuse_target(const struct bpf_prog *prog, const struct bpf_prog *target)
{
	struct audit_buffer *ab = bpf_image_record(prog->aux, "attach", false);

	pr_warn_ratelimited("program '%s' may not replace a function of program '%s': it was loaded for another one; load it with attach_prog_fd of that program\n",
			    prog->aux->name, target->aux->name);
	if (ab) {
		audit_log_format(ab, " what=\"freplace\" name=");
		audit_log_untrustedstring(ab, target->aux->name);
		audit_log_format(ab, " res=0");
		audit_log_end(ab);
	}
	return -EPERM;
}

/* The verifier's log before there is a verifier; closed when the load fails. */
static struct bpf_verifier_log *image_log_open(struct bpf_log_attr *attr_log)
{
	struct bpf_verifier_log *log;
	int err;

	log = kvzalloc_obj(*log, GFP_KERNEL_ACCOUNT);
	if (!log)
		return ERR_PTR(-ENOMEM);
	err = bpf_vlog_init(log, attr_log->level, attr_log->ubuf, attr_log->size);
	if (err) {
		kvfree(log);
		return ERR_PTR(err);
	}
	return log;
}

static int image_log_close(struct bpf_log_attr *attr_log,
			   struct bpf_verifier_log *log, int err)
{
	/* As in bpf_check(): a log that did not fit is told in any case. */
	if (err < 0)
		err = bpf_log_attr_finalize(attr_log, log) ?: err;
	kvfree(log);
	return err;
}

/* Names the first field that has no place beside an image, or returns NULL. */
static const char *image_stray_field(const union bpf_attr *attr)
{
#define STRAY(field)	(attr->field ? #field : NULL)
	return STRAY(prog_type) ?:
	       STRAY(insn_cnt) ?:
	       STRAY(insns) ?:
	       STRAY(license) ?:
	       STRAY(kern_version) ?:
	       STRAY(prog_name[0]) ?:
	       STRAY(expected_attach_type) ?:
	       STRAY(func_info_rec_size) ?:
	       STRAY(func_info) ?:
	       STRAY(func_info_cnt) ?:
	       STRAY(line_info_rec_size) ?:
	       STRAY(line_info) ?:
	       STRAY(line_info_cnt) ?:
	       STRAY(attach_btf_id) ?:
	       STRAY(core_relo_cnt) ?:
	       STRAY(core_relos) ?:
	       STRAY(core_relo_rec_size) ?:
	       STRAY(image_flags) ?:
	       (attr->prog_flags & ~BPF_F_TOKEN_FD ? "prog_flags" : NULL);
#undef STRAY
}

/* May the caller make the kernel look at an image at all? */
static int image_check_capable(const union bpf_attr *attr)
{
	struct bpf_token *token = NULL;
	bool ok;

	if (attr->prog_flags & BPF_F_TOKEN_FD) {
		token = bpf_token_get_from_fd(attr->prog_token_fd);
		if (IS_ERR(token))
			return PTR_ERR(token);
		if (!bpf_token_allow_cmd(token, BPF_PROG_LOAD)) {
			bpf_token_put(token);
			token = NULL;
		}
	}
	ok = bpf_token_capable(token, CAP_BPF);
	bpf_token_put(token);
	return ok ? 0 : -EPERM;
}

static u64 image_pointer(const void *ptr)
{
	return (u64)(unsigned long)ptr;
}

/* From here on the load goes on as if these had been passed by the kernel. */
static void image_expand(union bpf_attr *attr, const struct bpf_image_prog *prog)
{
	attr->prog_type = prog->prog_type;
	attr->expected_attach_type = prog->expected_attach_type;
	attr->prog_flags |= prog->prog_flags;
	attr->insns = image_pointer(prog->insns);
	attr->insn_cnt = prog->insn_cnt;
	attr->license = image_pointer(prog->license);
	memcpy(attr->prog_name, prog->name, sizeof(attr->prog_name));
	attr->func_info = image_pointer(prog->func_info);
	attr->func_info_cnt = prog->func_info_cnt;
	attr->func_info_rec_size = sizeof(struct bpf_func_info);
	attr->line_info = image_pointer(prog->line_info);
	attr->line_info_cnt = prog->line_info_cnt;
	attr->line_info_rec_size = sizeof(struct bpf_line_info);
	attr->core_relos = image_pointer(prog->core_relos);
	attr->core_relo_cnt = prog->core_relo_cnt;
	attr->core_relo_rec_size = sizeof(struct bpf_core_relo);
	attr->fd_array = image_pointer(prog->fds);
	attr->fd_array_cnt = prog->fd_cnt;
	/* The signature has done its work; one over bare instructions it is not. */
	attr->signature = 0;
	attr->signature_size = 0;
}

/**
 * bpf_image_open - verify an image and expand it into @attr
 * @attr: attributes of BPF_PROG_LOAD with an image; rewritten on success
 * @is_kernel: the load comes from the kernel
 * @attr_log: where the verifier's log goes
 * @prog: filled in on success
 *
 * Return: the image, to be freed with bpf_image_free() when the load has ended,
 * or an ERR_PTR(): %-EPERM without %CAP_BPF, %-EINVAL for stray attributes or a
 * malformed image, %-EKEYREJECTED, %-ENOKEY, %-EBADMSG and others for a
 * signature, %-ENOENT for an unknown name, %-E2BIG, %-EFAULT, %-ENOMEM.
 */
struct bpf_image *bpf_image_open(union bpf_attr *attr, bool is_kernel,
				 struct bpf_log_attr *attr_log,
				 struct bpf_image_prog *prog)
{
	struct bpf_image_request req = {
		.image = u64_to_user_ptr(attr->image),
		.signature = u64_to_user_ptr(attr->signature),
		.fd_array = u64_to_user_ptr(attr->fd_array),
		.image_size = attr->image_size,
		.signature_size = attr->signature_size,
		.fd_array_cnt = attr->fd_array_cnt,
		.keyring_id = attr->keyring_id,
		.show_ksyms = kallsyms_show_value(current_cred()),
	};
	struct bpf_image *image = NULL;
	const char *stray;
	int err;

	err = image_check_capable(attr);
	if (err)
		return ERR_PTR(err);

	req.log = image_log_open(attr_log);
	if (IS_ERR(req.log))
		return ERR_CAST(req.log);

	stray = image_stray_field(attr);
	if (stray || is_kernel) {
		if (stray)
			bpf_log(req.log, "%s: must be zero beside an image\n", stray);
		else
			bpf_log(req.log, "image: is loaded from user space only\n");
		err = -EINVAL;
	} else {
		err = bpf_image_new(&req, prog, &image);
	}
	err = image_log_close(attr_log, req.log, err);
	if (err)
		return ERR_PTR(err);

	image_expand(attr, prog);
	return image;
}

/**
 * bpf_image_attach - bind an image to its attach target
 * @image: from bpf_image_open()
 * @attr: attributes, as expanded; attach_btf_id and, for struct_ops,
 *	expected_attach_type are filled in
 * @dst_prog: the program that attach_prog_fd was found to be, or NULL
 * @attach_btf: set to the target's BTF with a reference, or left as it is
 * @attr_log: where the verifier's log goes
 *
 * Return: 0; %-EINVAL for a target that was not signed; %-ENOENT for one that
 * this kernel does not have; %-EFAULT, %-ENOMEM.
 */
int bpf_image_attach(const struct bpf_image *image, union bpf_attr *attr,
		     const struct bpf_prog *dst_prog, struct btf **attach_btf,
		     struct bpf_log_attr *attr_log)
{
	const struct btf *prog_btf = dst_prog ? dst_prog->aux->btf : NULL;
	struct bpf_verifier_log *log;
	struct btf *btf = NULL;
	char *name = NULL;
	int ret;

	if (!image)
		return 0;
	if (attr->attach_name) {
		name = strndup_user(u64_to_user_ptr(attr->attach_name),
				    KSYM_NAME_LEN + MODULE_NAME_LEN);
		if (IS_ERR(name))
			return PTR_ERR(name);
	}
	log = image_log_open(attr_log);
	if (IS_ERR(log)) {
		kfree(name);
		return PTR_ERR(log);
	}
	if (attr->attach_prog_fd && !prog_btf) {
		bpf_log(log, "attach_prog_fd: is no program with BTF\n");
		ret = -EINVAL;
	} else {
		ret = bpf_image_match_target(image, name, prog_btf, &btf,
					     &attr->expected_attach_type, log);
	}
	ret = image_log_close(attr_log, log, ret);
	kfree(name);
	if (ret < 0)
		return ret;

	attr->attach_btf_id = ret;
	if (dst_prog) {
		btf_put(btf);
	} else if (btf) {
		btf_put(*attach_btf);
		*attach_btf = btf;
	}
	return 0;
}

static void image_map_shape(const struct bpf_map *map,
			    struct bpf_image_map_shape *shape)
{
	shape->type = map->map_type;
	shape->key_size = map->key_size;
	shape->value_size = map->value_size;
	shape->max_entries = map->max_entries;
	shape->map_flags = map->map_flags;
}

/**
 * bpf_image_check_map - compare a map that was bound with its slot
 * @env: verifier environment of a program that is loaded by image
 * @fd_idx: index of the map in the image's fd array
 * @map: the very object that the program has bound
 *
 * Return: 0, or %-EINVAL with the difference in the log.
 */
int bpf_image_check_map(struct bpf_verifier_env *env, u32 fd_idx,
			struct bpf_map *map)
{
	struct bpf_image_map_facts facts = {
		.map_extra = map->map_extra,
		.btf = map->btf,
		.btf_key_type_id = map->btf_key_type_id,
		.btf_value_type_id = map->btf_value_type_id,
		.special_fields = !IS_ERR_OR_NULL(map->record),
	};
	u64 addr;

	image_map_shape(map, &facts.self);
	if (map->inner_map_meta) {
		image_map_shape(map->inner_map_meta, &facts.inner);
		facts.inner_btf = map->inner_map_meta->btf;
		facts.inner_special_fields =
			!IS_ERR_OR_NULL(map->inner_map_meta->record);
	}

	/* Once it is frozen there comes no new writer, so the order matters. */
	facts.frozen = READ_ONCE(map->frozen);
	facts.written = bpf_map_write_active(map);
	if (facts.frozen && !facts.written && map->max_entries == 1 &&
	    map->map_type == BPF_MAP_TYPE_ARRAY &&
	    (map->map_flags & BPF_F_RDONLY_PROG) &&
	    map->ops->map_direct_value_addr &&
	    !map->ops->map_direct_value_addr(map, &addr, 0))
		facts.contents = (const void *)(unsigned long)addr;

	return bpf_image_match_map(bpf_prog_image(env->prog->aux), fd_idx, &facts,
				   &env->log);
}

/**
 * bpf_image_check_btf - compare the BTF that was bound with the signed one
 * @env: verifier environment
 * @btf: the very object that the program has bound
 *
 * Return: 0, also for a program without an image, or %-EINVAL.
 */
int bpf_image_check_btf(struct bpf_verifier_env *env, const struct btf *btf)
{
	if (!bpf_prog_image(env->prog->aux))
		return 0;
	return bpf_image_match_btf(bpf_prog_image(env->prog->aux), btf,
				   env->prog->insnsi, env->prog->len, &env->log);
}

/**
 * bpf_image_lockdown - what a program needs in a mode of lockdown
 * @aux: the program, while it is being loaded
 * @mode: enum bpf_lockdown_mode
 * @classes: set to the enum bpf_lockdown_class that its signer has asked for;
 *	to all for integrity and to none for confidentiality, where the signer
 *	has said nothing or the program is not loaded from an image
 *
 * Return: false if the program must not be loaded in that mode, by its signer.
 */
bool bpf_image_lockdown(const struct bpf_prog_aux *aux, u32 mode, u32 *classes)
{
	*classes = mode == BPF_LOCKDOWN_INTEGRITY ? BPF_LOCKDOWN_CLASSES : 0;
	if (!bpf_prog_image(aux))
		return true;
	return bpf_image_annotation(bpf_prog_image(aux), mode, classes);
}
