/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Lockdown's policy for BPF programs.
 */
#ifndef _LINUX_LOCKDOWN_BPF_H
#define _LINUX_LOCKDOWN_BPF_H

#include <linux/types.h>
#include <uapi/linux/bpf.h>
#include <uapi/linux/bpf_image.h>

struct bpf_map;
struct bpf_prog;
struct bpf_prog_aux;
struct bpf_verifier_log;
struct sk_buff;

/**
 * struct bpf_lockdown - what lockdown lets a program do, kept from its load on
 * @granted: classes (enum bpf_lockdown_class) that it gets
 * @silent: those that it gets without a record
 * @asks: those that its annotation asks for
 * @context: class that a load from its context takes, if its type does not tell
 *	what is loaded
 * @mode: enum bpf_lockdown_mode at the time of its load, 0 if not locked down
 * @trusted: a key of the system vouches for it
 * @fenced: it is verified against speculation, as one without privileges
 * @rehearse: it is to be verified once more, as if unsigned programs were restricted
 * @rehearsal: it is verified for that alone, and never run
 * @user_events: all its events are user space's
 * @listed_events: the records of all its events are listed
 */
struct bpf_lockdown {
#ifdef CONFIG_SECURITY_LOCKDOWN_BPF
	u32 granted;
	u32 silent;
	u32 asks;
	u32 context;
	u8 mode;
	bool trusted;
	bool fenced;
	bool rehearse;
	bool rehearsal;
	bool user_events;
	bool listed_events;
#endif
};

/**
 * struct bpf_lockdown_group - programs of which one may run another
 * @members: a bit for those that are trusted, and one for those that are not
 *
 * Who has once joined stays: what such programs share outlives them.
 */
struct bpf_lockdown_group {
#ifdef CONFIG_SECURITY_LOCKDOWN_BPF
	unsigned long members;
#endif
};

#ifdef CONFIG_SECURITY_LOCKDOWN_BPF
/* What Rust asks and answers, security/lockdown/bpf/ffi.rs */
struct lockdown_bpf_load {
	enum bpf_sig_verdict verdict;
	enum bpf_sig_keyring keyring;
	u32 prog_type;
	u32 asks;		/* by the annotation, in the present mode */
	bool covers_all;	/* the signature, type and target included */
	bool by_signed;		/* loaded by a signed loader */
	bool forbidden;		/* by the annotation, in the present mode */
	bool image;
	bool rehearsal;		/* see struct bpf_lockdown */
	u8 mode;
};

struct lockdown_bpf_words {
	const char *mode;
	const char *class;
	const char *rule;
};

/* A call of a helper, as far as its class depends on it */
struct lockdown_bpf_call {
	u32 func_id;
	u32 prog_type;
	u32 flags_reg;		/* the register that its flags are in, or 0 */
	u32 format_reg;		/* the register that points to its format, or 0 */
	bool flags_known;
	u64 flags;
	const char *format;	/* NULL if it is not known */
};

/* A load from the context, as far as its class depends on it */
struct lockdown_bpf_ctx {
	u32 prog_type;
	bool scalar;		/* the program gets no typed pointer */
	bool plain_scalar;	/* its type is none of an address */
	bool object;		/* it gets a pointer to a kernel object */
	bool sample_period;	/* of a perf event */
	bool user_events;	/* all events of the program are user space's */
	bool listed_events;	/* the records of all its events are listed */
};

/* A load from an object in memory, or a store, as far as its class depends on it */
struct lockdown_bpf_object {
	u32 prog_type;
	bool write;
	bool kernel;		/* the kernel's, not the program's own */
	bool alive;		/* it is what its type says */
	bool listed;		/* the field is one of those that are no secret */
};

/* Rust, security/lockdown/bpf */
bool lockdown_bpf_choose(const char *word);
bool lockdown_bpf_set_ceiling(const char *words);
int lockdown_bpf_tighten(const char *word);
const char *lockdown_bpf_choice(u32 index, bool *chosen);
const char *lockdown_bpf_class(u32 index, bool *granted);
const char *lockdown_bpf_judge(const struct lockdown_bpf_load *load,
			       struct bpf_lockdown *out, bool *record);
void lockdown_bpf_withheld(const struct bpf_lockdown *who, u32 missing,
			   struct lockdown_bpf_words *words);
void lockdown_bpf_helper_regs(struct lockdown_bpf_call *call);
u32 lockdown_bpf_helper_class(const struct lockdown_bpf_call *call);
u32 lockdown_bpf_kfunc_class(const char *name, u32 prog_type);
bool lockdown_bpf_fences(u8 mode);
u32 lockdown_bpf_ctx_class(const struct lockdown_bpf_ctx *ctx);
u32 lockdown_bpf_object_class(const struct lockdown_bpf_object *object);
u32 lockdown_bpf_ksym_class(bool is_struct);
bool lockdown_bpf_field_listed(const char *strct, size_t strct_len,
			       const char *member, size_t member_len);
bool lockdown_bpf_scalar_listed(const char *name, size_t len);
bool lockdown_bpf_tracepoint_listed(const char *name, size_t len);
bool lockdown_bpf_user_tracepoint(const char *name, size_t len);

/* C, security/lockdown/lockdown.c: enum bpf_lockdown_mode, or 0 */
u8 lockdown_bpf_mode(void);

/* C, security/lockdown/bpf/hooks.c */
bool lockdown_bpf_granted(const struct bpf_prog *prog, u32 class);
bool lockdown_bpf_withholds(const struct bpf_prog *prog, u32 class);
bool lockdown_bpf_may_replace(const struct bpf_prog_aux *ext,
			      const struct bpf_prog_aux *target,
			      struct bpf_verifier_log *log);
bool lockdown_bpf_may_tail_call(const struct bpf_lockdown *owner,
				const struct bpf_prog_aux *aux);
bool lockdown_bpf_join(struct bpf_map *map, const struct bpf_prog_aux *aux);
bool lockdown_bpf_join_running(struct bpf_map *map, const struct bpf_prog_aux *aux);
bool lockdown_bpf_unmixed(const struct bpf_map *map);
bool lockdown_bpf_masks_arrays(void);
bool lockdown_bpf_shows_stack(const struct bpf_prog *prog);
int lockdown_bpf_run_with(const struct bpf_prog *prog);
bool lockdown_bpf_rehearses(const struct bpf_prog *prog);
void lockdown_bpf_clear_cb(struct sk_buff *skb);

/* A program is loaded for the sake of lockdown_bpf_rehearses() alone. */
static inline void lockdown_bpf_rehearse(struct bpf_lockdown *who)
{
	who->rehearsal = true;
}
#else
static inline bool lockdown_bpf_granted(const struct bpf_prog *prog, u32 class)
{
	return false;
}

static inline bool lockdown_bpf_withholds(const struct bpf_prog *prog, u32 class)
{
	return false;
}

static inline bool lockdown_bpf_may_replace(const struct bpf_prog_aux *ext,
					    const struct bpf_prog_aux *target,
					    struct bpf_verifier_log *log)
{
	return true;
}

static inline bool lockdown_bpf_may_tail_call(const struct bpf_lockdown *owner,
					      const struct bpf_prog_aux *aux)
{
	return true;
}

static inline bool lockdown_bpf_join(struct bpf_map *map, const struct bpf_prog_aux *aux)
{
	return true;
}

static inline bool lockdown_bpf_join_running(struct bpf_map *map,
					     const struct bpf_prog_aux *aux)
{
	return true;
}

static inline bool lockdown_bpf_unmixed(const struct bpf_map *map)
{
	return true;
}

static inline bool lockdown_bpf_masks_arrays(void)
{
	return false;
}

static inline bool lockdown_bpf_shows_stack(const struct bpf_prog *prog)
{
	return true;
}

static inline int lockdown_bpf_run_with(const struct bpf_prog *prog)
{
	return 0;
}

static inline bool lockdown_bpf_rehearses(const struct bpf_prog *prog)
{
	return false;
}

static inline void lockdown_bpf_rehearse(struct bpf_lockdown *who)
{
}

static inline void lockdown_bpf_clear_cb(struct sk_buff *skb)
{
}
#endif

#endif /* _LINUX_LOCKDOWN_BPF_H */
