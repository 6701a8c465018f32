// SPDX-License-Identifier: GPL-2.0
/*
 * Between the BPF loader and verifier and lockdown's policy, which is in Rust:
 * collects what is asked, and says what was answered.
 */
#define pr_fmt(fmt) "Lockdown: " fmt

#include <linux/audit.h>
#include <linux/bpf.h>
#include <linux/bpf_core_relo.h>
#include <linux/bpf_image.h>
#include <linux/bpf_perf_event.h>
#include <linux/bpf_verifier.h>
#include <linux/btf.h>
#include <linux/fs.h>
#include <linux/init.h>
#include <linux/lockdown_bpf_verifier.h>
#include <linux/security.h>
#include <linux/seq_file.h>
#include <net/sch_generic.h>

static int __init lockdown_bpf_param(char *word)
{
	if (!lockdown_bpf_choose(word ?: ""))
		pr_warn("bpf_lockdown=%s is not known, taken as 'signed'\n",
			word ?: "");
	return 0;
}
early_param("bpf_lockdown", lockdown_bpf_param);

static bool ceiling_set __initdata;

static int __init lockdown_bpf_ceiling_param(char *words)
{
	ceiling_set = true;
	if (!lockdown_bpf_set_ceiling(words ?: ""))
		pr_warn("bpf_lockdown_ceiling=%s has a word that is not known and grants nothing\n",
			words ?: "");
	return 0;
}
early_param("bpf_lockdown_ceiling", lockdown_bpf_ceiling_param);

static int __init lockdown_bpf_audit_param(char *word)
{
	bpf_image_record_all = !word || strcmp(word, "refused");
	if (!word || (bpf_image_record_all && strcmp(word, "all")))
		pr_warn("bpf_lockdown_audit=%s is not known, taken as 'all'\n", word ?: "");
	return 0;
}
early_param("bpf_lockdown_audit", lockdown_bpf_audit_param);

static int __init lockdown_bpf_default_ceiling(void)
{
	if (!ceiling_set &&
	    !lockdown_bpf_set_ceiling(CONFIG_SECURITY_LOCKDOWN_BPF_CEILING))
		pr_warn("CONFIG_SECURITY_LOCKDOWN_BPF_CEILING has a word that is not known\n");
	return 0;
}
pure_initcall(lockdown_bpf_default_ceiling);

enum decision { REFUSED, ALLOWED, WOULD_REFUSE };

static void record(const struct bpf_prog_aux *aux, enum decision decision,
		   const char *mode, const char *what, const char *name,
		   const char *rule)
{
	struct audit_buffer *ab;

	if (aux && aux->lockdown.rehearsal && decision != WOULD_REFUSE)
		return;
	ab = bpf_image_record(aux, "lockdown", decision == ALLOWED);
	if (!ab)
		return;
	audit_log_format(ab, " mode=%s what=\"%s%s\"", mode, what, name);
	if (rule)
		audit_log_format(ab, " rule=\"%s\"", rule);
	audit_log_format(ab, " permissive=%d res=%d", decision == WOULD_REFUSE,
			 decision != REFUSED);
	audit_log_end(ab);
}

static const char *mode_name(u8 mode)
{
	return mode == BPF_LOCKDOWN_CONFIDENTIALITY ? "confidentiality" : "integrity";
}

/* What is refused a program leaves a line in the kernel's log, and a record. */
static void refuse(const struct bpf_prog_aux *aux, const char *mode, const char *what,
		   const char *name, const char *rule)
{
	pr_notice_ratelimited("%s: bpf program '%s': %s%s (%s mode; %s) is restricted; see man kernel_lockdown.7\n",
			      current->comm, aux ? aux->name : "?", what, name, mode, rule);
	record(aux, REFUSED, mode, what, name, rule);
}

/* From here on the verifier asks. */
static void confine(struct bpf_verifier_env *env)
{
	const struct bpf_lockdown *who = &env->prog->aux->lockdown;

	/* Nobody writes to user space, and one helper could: see lockdown_bpf_helper(). */
	env->confined = (who->granted | BPF_LOCKDOWN_USER_WRITE) != U32_MAX ||
			(who->silent | BPF_LOCKDOWN_USER_WRITE) != U32_MAX;
	if (!(who->granted & BPF_LOCKDOWN_KERNEL_ADDRESS)) {
		env->leaks_locked = env->allow_ptr_leaks;
		env->allow_ptr_leaks = false;
	}
	if (!(who->granted & BPF_LOCKDOWN_KERNEL_READ))
		env->allow_uninit_stack = false;
	if (who->fenced) {
		env->bypass_spec_v1 = bpf_jit_bypass_spec_v1();
		env->bypass_spec_v4 = bpf_jit_bypass_spec_v4();
	}
}

/* What is known of the context of a program, whatever is loaded from it */
static struct lockdown_bpf_ctx context_of(const struct bpf_prog *prog)
{
	return (struct lockdown_bpf_ctx) {
		.prog_type = resolve_prog_type(prog),
		.user_events = prog->aux->lockdown.user_events,
		.listed_events = prog->aux->lockdown.listed_events,
	};
}

/* Its events do not change any more. */
static void set_context(struct bpf_prog *prog)
{
	const struct bpf_events *events = bpf_prog_events(prog);
	struct bpf_lockdown *who = &prog->aux->lockdown;
	struct lockdown_bpf_ctx ctx;

	if (events) {
		who->user_events = bpf_events_are_of_user(events) ||
				   bpf_events_are_tracepoints(events,
							      lockdown_bpf_user_tracepoint);
		who->listed_events = bpf_events_are_tracepoints(events,
								lockdown_bpf_tracepoint_listed);
	}
	ctx = context_of(prog);
	who->context = lockdown_bpf_ctx_class(&ctx);
}

/**
 * lockdown_bpf_prog_load - may a program be loaded, and what may it do then?
 * @env: verifier, whose program has the verdict on its signature in
 *	prog->aux->sig; is told to ask about all that the program does
 *
 * Return: 0, or %-EPERM if the kernel is locked down and its policy says no.
 */
int lockdown_bpf_prog_load(struct bpf_verifier_env *env)
{
	struct bpf_prog *prog = env->prog;
	struct lockdown_bpf_load load = {
		.verdict = prog->aux->sig.verdict,
		.keyring = prog->aux->sig.keyring_type,
		.prog_type = prog->type,
		.covers_all = bpf_prog_sig_covers_all(prog),
		.by_signed = prog->aux->sig.by_signed,
		.image = prog->aux->sig.image,
		.rehearsal = prog->aux->lockdown.rehearsal,
		.mode = lockdown_bpf_mode(),
	};
	const char *mode = mode_name(load.mode);
	const struct bpf_image *image;
	const char *reason;
	bool only_record;
	int err = 0;

	if (load.mode)
		load.forbidden = !bpf_image_lockdown(prog->aux, load.mode, &load.asks);
	reason = lockdown_bpf_judge(&load, &prog->aux->lockdown, &only_record);
	set_context(prog);
	confine(env);
	/* Another LSM may have an opinion. */
	if (!load.mode)
		return prog->aux->lockdown.trusted ?
		       0 : security_locked_down(LOCKDOWN_BPF_UNSIGNED);
	if (!reason || only_record) {
		record(prog->aux, reason ? WOULD_REFUSE : ALLOWED, mode, "load", "", reason);
		image = bpf_prog_image(prog->aux);
		if (image && bpf_image_holds_address(image))
			err = lockdown_bpf_needs(env, BPF_LOCKDOWN_KERNEL_ADDRESS,
						 "address of a ksym without type", "");
		if (!err && prog->expected_attach_type == BPF_MODIFY_RETURN)
			err = lockdown_bpf_needs(env, BPF_LOCKDOWN_CONTROL,
						 "change of what a function returns", "");
		return err;
	}
	if (load.rehearsal)
		return -EPERM;
	bpf_log(&env->log, "lockdown: %s mode: %s\n", mode, reason);
	pr_notice_ratelimited("%s: %s (program '%s', %s mode; %s) is restricted; see man kernel_lockdown.7\n",
			      current->comm, lockdown_reasons[LOCKDOWN_BPF_UNSIGNED],
			      prog->aux->name, mode, reason);
	record(prog->aux, REFUSED, mode, "load", "", reason);
	return -EPERM;
}

/* A program does what takes the classes @needs: does it have them? */
int __lockdown_bpf_class(struct bpf_verifier_env *env, u32 needs,
			 const char *what, const char *name)
{
	const struct bpf_lockdown *who = &env->prog->aux->lockdown;
	u32 missing = needs & ~who->granted;
	u32 loud = needs & ~who->silent & ~env->lockdown_recorded;
	struct lockdown_bpf_words words;

	/* What is only simulated under speculation gets a fence. */
	if (missing && env->cur_state && env->cur_state->speculative)
		return -EPERM;
	/* That there was a record of when the program itself was verified. */
	if (missing && who->rehearsal)
		return -EPERM;
	if (!missing && !loud) {
		if (needs && who->mode)
			record(env->prog->aux, ALLOWED, mode_name(who->mode), what, name, NULL);
		return 0;
	}
	lockdown_bpf_withheld(who, missing ?: loud, &words);
	if (!missing) {
		/* One record for each class is enough. */
		env->lockdown_recorded |= loud;
		record(env->prog->aux, WOULD_REFUSE, words.mode, what, name, words.rule);
		return 0;
	}
	env->lockdown_told = true;
	bpf_log(&env->log, "lockdown: %s%s is refused in %s mode: it takes class %s, %s\n",
		what, name, words.mode, words.class, words.rule);
	pr_notice_ratelimited("%s: bpf program '%s': %s%s (%s mode; it takes class %s, %s) is restricted; see man kernel_lockdown.7\n",
			      current->comm, env->prog->aux->name, what, name,
			      words.mode, words.class, words.rule);
	record(env->prog->aux, REFUSED, words.mode, what, name, words.rule);
	return -EPERM;
}

/**
 * lockdown_bpf_explain - why does the verifier find fault with a program?
 * @env: verifier, which has refused a program
 *
 * It has said what the program does, but not that it would be let through if
 * the kernel were not locked down.
 */
void lockdown_bpf_explain(struct bpf_verifier_env *env)
{
	static const char what[] = "leak of a pointer, or read of unwritten stack";
	const struct bpf_lockdown *who = &env->prog->aux->lockdown;
	struct lockdown_bpf_words words;

	if (!env->leaks_locked || env->lockdown_told)
		return;
	lockdown_bpf_withheld(who, BPF_LOCKDOWN_KERNEL_ADDRESS, &words);
	if (who->rehearsal) {
		record(env->prog->aux, WOULD_REFUSE, words.mode, what, "", words.rule);
		return;
	}
	bpf_log(&env->log,
		"lockdown: in %s mode no pointer may leak from this program, and it may not read stack that it has not written: that takes class %s, %s\n",
		words.mode, words.class, words.rule);
	refuse(env->prog->aux, words.mode, what, "", words.rule);
}

/**
 * lockdown_bpf_rehearses - is a program to be verified once more, for the record?
 * @prog: program that was verified
 *
 * What restricted mode would say of its pointers the verifier finds out only when
 * it treats it so. All else there is a record of already. A device's driver, which
 * verifies too, need not know; nor are images, of users' keys, loaded twice.
 *
 * Return: whether to verify it again with lockdown_bpf_rehearse(), and to drop it then.
 */
bool lockdown_bpf_rehearses(const struct bpf_prog *prog)
{
	return prog->aux->lockdown.rehearse && audit_enabled != AUDIT_OFF &&
	       !bpf_prog_is_dev_bound(prog->aux) && !prog->aux->sig.image;
}

/* The format in @reg, if nobody can change it from here on */
static const char *const_format(const struct bpf_reg_state *reg)
{
	const struct bpf_map *map = reg->map_ptr;
	u64 addr;
	u32 off;

	if (reg->type != PTR_TO_MAP_VALUE || !tnum_is_const(reg->var_off) ||
	    !bpf_map_is_rdonly(map) || !map->ops->map_direct_value_addr)
		return NULL;
	if (reg->var_off.value >= map->value_size)
		return NULL;
	off = reg->var_off.value;
	if (map->ops->map_direct_value_addr(map, &addr, off))
		return NULL;
	if (!strnchr((char *)(long)addr + off, map->value_size - off, 0))
		return NULL;
	return (char *)(long)addr + off;
}

int __lockdown_bpf_helper(struct bpf_verifier_env *env, u32 func_id,
			  const char *name)
{
	const struct bpf_reg_state *flags, *regs = cur_regs(env);
	struct lockdown_bpf_call call = {
		.func_id = func_id,
		.prog_type = resolve_prog_type(env->prog),
	};
	int err;

	lockdown_bpf_helper_regs(&call);
	flags = &regs[call.flags_reg];
	if (call.flags_reg && flags->type == SCALAR_VALUE &&
	    tnum_is_const(flags->var_off)) {
		/* No path with other flags may count as the same. */
		err = mark_chain_precision(env, call.flags_reg);
		if (err)
			return err;
		call.flags_known = true;
		call.flags = flags->var_off.value;
	}
	if (call.format_reg)
		call.format = const_format(&regs[call.format_reg]);
	return __lockdown_bpf_class(env, lockdown_bpf_helper_class(&call),
				    "helper ", name);
}

int __lockdown_bpf_kfunc(struct bpf_verifier_env *env, const char *name)
{
	u32 needs = lockdown_bpf_kfunc_class(name, resolve_prog_type(env->prog));

	return __lockdown_bpf_class(env, needs, "kfunc ", name);
}

/*
 * How many bytes of an argument a load may leave: callers and callees need not
 * care for the rest of a register. Zero if all of them may be an address.
 */
static u8 plain_bytes(const struct bpf_verifier_env *env, int size,
		      const struct bpf_insn_access_aux *info)
{
	const struct bpf_prog *prog = env->prog;
	u32 plain;

	/* What a BPF program returns is not held against its BTF. */
	if (base_type(info->reg_type) != SCALAR_VALUE || !info->arg_type ||
	    prog->aux->dst_prog)
		return 0;
	plain = bpf_btf_plain_scalar(bpf_prog_get_target_btf(prog), info->arg_type,
				     lockdown_bpf_scalar_listed);
	if (plain >= sizeof(u64) || !plain)
		return plain;
	/* Big-endian machines have the rest first. */
	if (env->ops->convert_ctx_access ||
	    (IS_ENABLED(CONFIG_CPU_BIG_ENDIAN) && size < sizeof(u64)))
		return 0;
	return plain;
}

/* A load of @size bytes from the context */
int __lockdown_bpf_ctx(struct bpf_verifier_env *env, int insn_idx, int off, int size,
		       const struct bpf_insn_access_aux *info)
{
	u8 *leave = &env->insn_aux_data[insn_idx].ctx_arg_size;
	struct lockdown_bpf_ctx ctx = context_of(env->prog);
	u8 plain = plain_bytes(env, size, info);
	/* Of a return value the verifier knows the range, for all 64 bits. */
	u8 bytes = plain && !info->is_retval ? plain : sizeof(u64);

	ctx.scalar = base_type(info->reg_type) == SCALAR_VALUE;
	ctx.plain_scalar = plain;
	ctx.object = base_type(info->reg_type) == PTR_TO_BTF_ID;
	ctx.sample_period = off == offsetof(struct bpf_perf_event_data, sample_period);

	/* An instruction that cuts off part of a number must not meet a pointer. */
	if (env->prog->aux->lockdown.granted & BPF_LOCKDOWN_KERNEL_ADDRESS)
		bytes = sizeof(u64);
	if (*leave && *leave != bytes) {
		bpf_log(&env->log,
			"lockdown: the same insn cannot load arguments of different sizes\n");
		return -EACCES;
	}
	*leave = bytes;
	return __lockdown_bpf_class(env, lockdown_bpf_ctx_class(&ctx),
				    "read of the context", "");
}

/* A load from an object of the kernel, or from one of the program's own, or a store */
int __lockdown_bpf_object(struct bpf_verifier_env *env, const struct btf *btf,
			  u32 id, int off, int size, enum bpf_access_type type,
			  bool alive)
{
	const struct btf_type *t = btf_type_by_id(btf, id);
	struct lockdown_bpf_object object = {
		.prog_type = resolve_prog_type(env->prog),
		.write = type == BPF_WRITE,
		.kernel = btf_is_kernel(btf),
		.alive = alive,
	};

	if (object.kernel && !object.write)
		object.listed = bpf_btf_covers(btf, id, off, size, lockdown_bpf_field_listed);
	return __lockdown_bpf_class(env, lockdown_bpf_object_class(&object),
				    object.write ? "write to struct " : "read of struct ",
				    t ? btf_name_by_offset(btf, t->name_off) : "");
}

/* The address of a variable of the kernel that has a type */
int __lockdown_bpf_ksym(struct bpf_verifier_env *env, const char *name, bool is_struct)
{
	return __lockdown_bpf_class(env, lockdown_bpf_ksym_class(is_struct), "ksym ", name);
}

/**
 * lockdown_bpf_granted - was a program granted a class that lockdown withholds?
 * @prog: program that is being loaded
 * @class: enum bpf_lockdown_class
 *
 * Return: whether it was; false when the program was loaded without lockdown.
 */
bool lockdown_bpf_granted(const struct bpf_prog *prog, u32 class)
{
	return prog->aux->lockdown.mode && (prog->aux->lockdown.granted & class);
}

/**
 * lockdown_bpf_withholds - is a class withheld from a program by lockdown?
 * @prog: program that is being loaded
 * @class: enum bpf_lockdown_class
 *
 * Return: whether it is; false when the program was loaded without lockdown.
 */
bool lockdown_bpf_withholds(const struct bpf_prog *prog, u32 class)
{
	return prog->aux->lockdown.mode && !(prog->aux->lockdown.granted & class);
}

static const char mixture_rule[] =
	"signed and unsigned programs do not run each other; sign all with keys of the system";

/* Once the kernel is locked down, two programs meet only if both are trusted, or neither. */
static bool may_mix(const struct bpf_lockdown *a, const struct bpf_lockdown *b)
{
	return !lockdown_bpf_mode() || a->trusted == b->trusted;
}

static bool refuse_mixture(const struct bpf_prog_aux *aux, const char *what, const char *name)
{
	refuse(aux, mode_name(lockdown_bpf_mode()), what, name, mixture_rule);
	return false;
}

/**
 * lockdown_bpf_may_replace - may a program replace a function of another?
 * @ext: of the one
 * @target: of the other
 * @log: verifier's, or NULL
 *
 * No signed program runs unsigned code, and no unsigned one that which is signed
 * for others.
 *
 * Return: whether it may.
 */
bool lockdown_bpf_may_replace(const struct bpf_prog_aux *ext,
			      const struct bpf_prog_aux *target,
			      struct bpf_verifier_log *log)
{
	if (may_mix(&ext->lockdown, &target->lockdown))
		return true;
	bpf_log(log, "lockdown: freplace of program '%s' is refused in %s mode: %s\n",
		target->name, mode_name(lockdown_bpf_mode()), mixture_rule);
	return refuse_mixture(ext, "freplace of program ", target->name);
}

static bool join(struct bpf_lockdown_group *group, const struct bpf_lockdown *who)
{
	bool mode = lockdown_bpf_mode();

	if (mode && test_bit(!who->trusted, &group->members))
		return false;
	if (test_bit(who->trusted, &group->members))
		return true;
	/* A barrier: of two that join at once, at least one sees the other. */
	test_and_set_bit(who->trusted, &group->members);
	return !mode || !test_bit(!who->trusted, &group->members);
}

/**
 * lockdown_bpf_join - may a program join those of which one may run another?
 * @map: what they share
 * @aux: of the one that is to join
 *
 * In a group that is mixed already, since the kernel was not locked down then,
 * there is a place for nobody.
 *
 * Return: whether it may, and has.
 */
bool lockdown_bpf_join(struct bpf_map *map, const struct bpf_prog_aux *aux)
{
	return join(&map->lockdown, &aux->lockdown) ||
	       refuse_mixture(aux, "sharing of map ", map->name);
}

/**
 * lockdown_bpf_join_running - lockdown_bpf_join() for a program that is running
 * @map: what it shares with others
 * @aux: program
 *
 * Audit may be what it watches, so there is no record.
 *
 * Return: whether it may, and has.
 */
bool lockdown_bpf_join_running(struct bpf_map *map, const struct bpf_prog_aux *aux)
{
	if (join(&map->lockdown, &aux->lockdown))
		return true;
	pr_notice_ratelimited("bpf program '%s': callback in map %s (%s mode; %s) is restricted; see man kernel_lockdown.7\n",
			      aux->name, map->name, mode_name(lockdown_bpf_mode()),
			      mixture_rule);
	return false;
}

/* May a map whose programs have all joined be put to use? */
bool lockdown_bpf_unmixed(const struct bpf_map *map)
{
	return !lockdown_bpf_mode() || !test_bit(false, &map->lockdown.members) ||
	       !test_bit(true, &map->lockdown.members) ||
	       refuse_mixture(NULL, "use of map ", map->name);
}

/* Does whoever uses such a map run programs that are in it? */
static bool holds_programs(const struct bpf_map *map)
{
	switch (map->map_type) {
	case BPF_MAP_TYPE_PROG_ARRAY:
	case BPF_MAP_TYPE_DEVMAP:
	case BPF_MAP_TYPE_DEVMAP_HASH:
	case BPF_MAP_TYPE_CPUMAP:
		return true;
	default:
		return false;
	}
}

/* Does it hold what one program can set to call it, and another can start? */
static bool holds_callbacks(const struct bpf_map *map)
{
	return btf_record_has_field(map->record, BPF_TIMER | BPF_WORKQUEUE | BPF_TASK_WORK);
}

static int check_map(struct bpf_verifier_env *env, struct bpf_map *map)
{
	const struct bpf_lockdown *who = &env->prog->aux->lockdown;
	const struct bpf_map *inner = map->inner_map_meta;
	const struct bpf_prog_aux *aux = env->prog->aux;
	const char *rule = NULL;

	if ((holds_programs(map) || holds_callbacks(map)) && !join(&map->lockdown, who))
		rule = "signed and unsigned programs would run each other; make one for each";
	/* What a signed loader takes for constant, it has filled itself. */
	else if (who->mode && aux->sig.by_signed && bpf_map_holds_constants(map) &&
		 READ_ONCE(map->frozen) && !map->filled_by_signed)
		rule = "the signed loader has not filled it; let the loader make it";
	/* Who is in an inner map is not known before it is looked up. */
	else if (who->mode && inner && holds_programs(inner))
		rule = "maps in it hold programs, of which it cannot be told who has signed them";
	else if (who->fenced && !env->bypass_spec_v1 &&
		 (map->bypass_spec_v1 || (inner && inner->bypass_spec_v1)))
		rule = "it was made without masks against speculation; make it anew";
	if (!rule) {
		/* No constants, then: user space may fill it as well. */
		if (!READ_ONCE(map->frozen))
			WRITE_ONCE(map->filled_by_signed, false);
		return 0;
	}
	bpf_log(&env->log, "lockdown: map '%s' is refused in %s mode: %s\n",
		map->name, mode_name(lockdown_bpf_mode()), rule);
	refuse(env->prog->aux, mode_name(lockdown_bpf_mode()), "map ", map->name, rule);
	return -EPERM;
}

/**
 * lockdown_bpf_maps - may a program use its maps?
 * @env: verifier, which has found no fault with it
 *
 * Who uses which map is noted without lockdown as well.
 *
 * Return: 0, or %-EPERM if signed and unsigned programs would run each other
 * through one of them, or it is not fit for unsigned ones. %-ECANCELED if it was
 * a rehearsal, from which there is nothing more to learn.
 */
int lockdown_bpf_maps(struct bpf_verifier_env *env)
{
	int i, err = 0;

	if (env->prog->aux->lockdown.rehearsal)
		return -ECANCELED;
	for (i = 0; i < env->used_map_cnt && !err; i++)
		err = check_map(env, env->used_maps[i]);
	return err;
}

/* Are arrays to be made so that speculation cannot leave them? */
bool lockdown_bpf_masks_arrays(void)
{
	return lockdown_bpf_fences(lockdown_bpf_mode()) && !bpf_jit_bypass_spec_v1();
}

/* May the names of functions that a program runs in be told to who asks for its output? */
bool lockdown_bpf_shows_stack(const struct bpf_prog *prog)
{
	return prog->aux->main_prog_aux->lockdown.granted & BPF_LOCKDOWN_KERNEL_ADDRESS;
}

/**
 * lockdown_bpf_run_with - may a program be run with arguments of the caller's choice?
 * @prog: program, for which they are the kernel's: it may follow them as pointers
 *
 * What reads kernel memory through its arguments then reads whatever the caller
 * likes, and not what it was signed to read.
 *
 * Return: 0, or %-EPERM.
 */
int lockdown_bpf_run_with(const struct bpf_prog *prog)
{
	if (lockdown_bpf_mode() != BPF_LOCKDOWN_CONFIDENTIALITY ||
	    !(prog->aux->lockdown.granted & BPF_LOCKDOWN_KERNEL_READ))
		return 0;
	refuse(prog->aux, mode_name(BPF_LOCKDOWN_CONFIDENTIALITY), "test run", "",
	       "arguments of a program that may read kernel memory are the kernel's");
	return -EPERM;
}

/**
 * lockdown_bpf_may_tail_call - may two programs share an array of programs?
 * @owner: of the first one that was in it
 * @aux: of the other
 *
 * Signed and unsigned ones may not. In confidentiality mode, moreover, a program
 * that is called gets the context of the caller's event, and what it may load
 * from there was decided by its own events.
 *
 * Return: whether they may.
 */
bool lockdown_bpf_may_tail_call(const struct bpf_lockdown *owner,
				const struct bpf_prog_aux *aux)
{
	if (!may_mix(owner, &aux->lockdown))
		return refuse_mixture(aux, "tail call", "");
	if (lockdown_bpf_mode() != BPF_LOCKDOWN_CONFIDENTIALITY ||
	    owner->context == aux->lockdown.context)
		return true;
	refuse(aux, mode_name(BPF_LOCKDOWN_CONFIDENTIALITY), "tail call", "",
	       "programs that call each other have to be signed for events of the same secrecy");
	return false;
}

/**
 * lockdown_bpf_clear_cb - clear what is left of others in the control block of a packet
 * @skb: packet that programs of tc are about to see
 *
 * Pointers, for one. To be called once for a list of programs: what they leave there
 * for each other, and for those that they call, is not touched.
 */
void lockdown_bpf_clear_cb(struct sk_buff *skb)
{
	if (lockdown_bpf_mode())
		memset(qdisc_skb_cb(skb)->data, 0, sizeof(qdisc_skb_cb(skb)->data));
}
EXPORT_SYMBOL_GPL(lockdown_bpf_clear_cb);

static int choice_show(struct seq_file *m, void *v)
{
	const char *name;
	bool chosen;
	u32 i;

	for (i = 0; (name = lockdown_bpf_choice(i, &chosen)); i++)
		seq_printf(m, chosen ? "%s[%s]" : "%s%s", i ? " " : "", name);
	seq_putc(m, '\n');
	return 0;
}

static int choice_open(struct inode *inode, struct file *file)
{
	return single_open(file, choice_show, NULL);
}

static ssize_t choice_write(struct file *file, const char __user *buf,
			    size_t n, loff_t *ppos)
{
	char *word;
	int err;

	if (n > PAGE_SIZE)
		return -EINVAL;
	word = memdup_user_nul(buf, n);
	if (IS_ERR(word))
		return PTR_ERR(word);
	word[strcspn(word, "\n")] = 0;
	err = lockdown_bpf_tighten(word);
	if (err == -EPERM)
		pr_notice_ratelimited("%s: loosening bpf_lockdown to %s is restricted; see man kernel_lockdown.7\n",
				      current->comm, word);
	else if (!err)
		pr_notice("bpf_lockdown is %s from now on\n", word);
	kfree(word);
	return err ?: n;
}

static const struct file_operations choice_ops = {
	.open	 = choice_open,
	.read	 = seq_read,
	.write	 = choice_write,
	.llseek	 = seq_lseek,
	.release = single_release,
};

static int ceiling_show(struct seq_file *m, void *v)
{
	const char *name;
	bool granted;
	u32 i;

	for (i = 0; (name = lockdown_bpf_class(i, &granted)); i++)
		seq_printf(m, granted ? "%s[%s]" : "%s%s", i ? " " : "", name);
	seq_putc(m, '\n');
	return 0;
}

static int ceiling_open(struct inode *inode, struct file *file)
{
	return single_open(file, ceiling_show, NULL);
}

static const struct file_operations ceiling_ops = {
	.open	 = ceiling_open,
	.read	 = seq_read,
	.llseek	 = seq_lseek,
	.release = single_release,
};

static int __init lockdown_bpf_secfs_init(void)
{
	struct dentry *dentry;

	dentry = securityfs_create_file("bpf_lockdown", 0644, NULL, NULL, &choice_ops);
	if (IS_ERR(dentry))
		return PTR_ERR(dentry);
	dentry = securityfs_create_file("bpf_lockdown_ceiling", 0444, NULL, NULL,
					&ceiling_ops);
	return PTR_ERR_OR_ZERO(dentry);
}
fs_initcall(lockdown_bpf_secfs_init);
