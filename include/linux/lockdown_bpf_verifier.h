/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the verifier asks of lockdown. Each returns 0, or -EPERM if lockdown
 * withholds what the program does; the reason is in the verifier's log then.
 */
#ifndef _LINUX_LOCKDOWN_BPF_VERIFIER_H
#define _LINUX_LOCKDOWN_BPF_VERIFIER_H

#include <linux/bpf_verifier.h>
#include <linux/lockdown_bpf.h>

#ifdef CONFIG_SECURITY_LOCKDOWN_BPF
int lockdown_bpf_prog_load(struct bpf_verifier_env *env);
int __lockdown_bpf_class(struct bpf_verifier_env *env, u32 needs,
			 const char *what, const char *name);
int __lockdown_bpf_helper(struct bpf_verifier_env *env, u32 func_id,
			  const char *name);
int __lockdown_bpf_kfunc(struct bpf_verifier_env *env, const char *name);
int __lockdown_bpf_ctx(struct bpf_verifier_env *env, int insn_idx, int off, int size,
		       const struct bpf_insn_access_aux *info);
int __lockdown_bpf_object(struct bpf_verifier_env *env, const struct btf *btf,
			  u32 id, int off, int size, enum bpf_access_type type,
			  bool alive);
int __lockdown_bpf_ksym(struct bpf_verifier_env *env, const char *name, bool is_struct);
int lockdown_bpf_maps(struct bpf_verifier_env *env);
void lockdown_bpf_explain(struct bpf_verifier_env *env);

static inline bool lockdown_bpf_confines(const struct bpf_verifier_env *env)
{
	return env->confined;
}

/* Are pointers kept from leaking by lockdown alone, not for want of CAP_PERFMON? */
static inline bool lockdown_bpf_locks_leaks(const struct bpf_verifier_env *env)
{
	return env->leaks_locked;
}
#else
static inline int lockdown_bpf_prog_load(struct bpf_verifier_env *env)
{
	return 0;
}

static inline int __lockdown_bpf_class(struct bpf_verifier_env *env, u32 needs,
				       const char *what, const char *name)
{
	return 0;
}

static inline int __lockdown_bpf_helper(struct bpf_verifier_env *env, u32 func_id,
					const char *name)
{
	return 0;
}

static inline int __lockdown_bpf_kfunc(struct bpf_verifier_env *env, const char *name)
{
	return 0;
}

static inline int __lockdown_bpf_ctx(struct bpf_verifier_env *env, int insn_idx,
				     int off, int size,
				     const struct bpf_insn_access_aux *info)
{
	return 0;
}

static inline int __lockdown_bpf_object(struct bpf_verifier_env *env,
					const struct btf *btf, u32 id, int off,
					int size, enum bpf_access_type type,
					bool alive)
{
	return 0;
}

static inline int __lockdown_bpf_ksym(struct bpf_verifier_env *env,
				      const char *name, bool is_struct)
{
	return 0;
}

static inline int lockdown_bpf_maps(struct bpf_verifier_env *env)
{
	return 0;
}

static inline void lockdown_bpf_explain(struct bpf_verifier_env *env)
{
}

static inline bool lockdown_bpf_confines(const struct bpf_verifier_env *env)
{
	return false;
}

static inline bool lockdown_bpf_locks_leaks(const struct bpf_verifier_env *env)
{
	return false;
}
#endif

/* Something that takes the classes @needs */
static inline int lockdown_bpf_needs(struct bpf_verifier_env *env, u32 needs,
				     const char *what, const char *name)
{
	return lockdown_bpf_confines(env) ?
	       __lockdown_bpf_class(env, needs, what, name) : 0;
}

/* A call of a helper, whose arguments are not yet checked */
static inline int lockdown_bpf_helper(struct bpf_verifier_env *env, u32 func_id,
				      const char *name)
{
	return lockdown_bpf_confines(env) || func_id == BPF_FUNC_probe_write_user ?
	       __lockdown_bpf_helper(env, func_id, name) : 0;
}

/* A call of a kfunc */
static inline int lockdown_bpf_kfunc(struct bpf_verifier_env *env, const char *name)
{
	return lockdown_bpf_confines(env) ? __lockdown_bpf_kfunc(env, name) : 0;
}

/* A load of @size bytes from the context that the program's type allows */
static inline int lockdown_bpf_ctx(struct bpf_verifier_env *env, int insn_idx,
				   int off, int size,
				   const struct bpf_insn_access_aux *info)
{
	return lockdown_bpf_confines(env) ?
	       __lockdown_bpf_ctx(env, insn_idx, off, size, info) : 0;
}

/*
 * A load or store of @size bytes at @off of an object of type @id, which is known
 * to be one, and not to be freed meanwhile, if it is @alive
 */
static inline int lockdown_bpf_object(struct bpf_verifier_env *env,
				      const struct btf *btf, u32 id, int off,
				      int size, enum bpf_access_type type,
				      bool alive)
{
	return lockdown_bpf_confines(env) ?
	       __lockdown_bpf_object(env, btf, id, off, size, type, alive) : 0;
}

/* The address of a variable of the kernel that has a type */
static inline int lockdown_bpf_ksym(struct bpf_verifier_env *env,
				    const char *name, bool is_struct)
{
	return lockdown_bpf_confines(env) ? __lockdown_bpf_ksym(env, name, is_struct) : 0;
}

#endif /* _LINUX_LOCKDOWN_BPF_VERIFIER_H */
