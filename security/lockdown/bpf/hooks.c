// SPDX-License-Identifier: GPL-2.0
/*
 * Between the BPF loader and lockdown's policy for programs, which is in Rust.
 */
#define pr_fmt(fmt) "Lockdown: " fmt

#include <linux/bpf.h>
#include <linux/bpf_verifier.h>
#include <linux/init.h>
#include <linux/lockdown_bpf.h>
#include <linux/security.h>

static int __init lockdown_bpf_param(char *word)
{
	if (!lockdown_bpf_choose(word ?: ""))
		pr_warn("bpf_lockdown=%s is not known, taken as 'signed'\n",
			word ?: "");
	return 0;
}
early_param("bpf_lockdown", lockdown_bpf_param);

/**
 * lockdown_bpf_prog_load - may a program be loaded, by who has signed it?
 * @prog: program with the verdict on its signature in prog->aux->sig
 * @log: the verifier's log, which gets the reason of a refusal
 *
 * Return: 0, or %-EPERM if the kernel is locked down and its policy says no.
 */
int lockdown_bpf_prog_load(const struct bpf_prog *prog,
			   struct bpf_verifier_log *log)
{
	const char *refusal;
	int err;

	refusal = lockdown_bpf_refusal(prog->aux->sig.verdict,
				       prog->aux->sig.keyring_type,
				       bpf_prog_sig_covers_all(prog),
				       prog->aux->sig.by_signed);
	if (!refusal)
		return 0;
	err = security_locked_down(LOCKDOWN_BPF_UNSIGNED);
	if (err)
		bpf_log(log, "lockdown: %s\n", refusal);
	return err;
}
