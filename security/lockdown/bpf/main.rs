// SPDX-License-Identifier: GPL-2.0

//! Lockdown's policy for BPF programs.
//!
//! `policy.rs` decides; this file is what C calls, and keeps the choice that was made at boot.
//!
//! C header: [`include/linux/lockdown_bpf.h`](srctree/include/linux/lockdown_bpf.h).

mod policy;

use self::policy::{
    Choice,
    Signer, //
};
use kernel::{
    bindings,
    ffi::c_char,
    prelude::*,
    sync::atomic::{
        Atomic,
        Relaxed, //
    }, //
};

/// Whether the choice is [`Choice::Signed`]. It is set while the command line is parsed.
static SIGNED_ONLY: Atomic<i32> = Atomic::new(0);

fn choice() -> Choice {
    if SIGNED_ONLY.load(Relaxed) == 0 {
        Choice::Unrestricted
    } else {
        Choice::Signed
    }
}

/// Takes the value of `bpf_lockdown=`. What is not known counts as the strictest choice.
///
/// Returns whether the value was known.
///
/// # Safety
///
/// `word` is NUL-terminated.
#[export]
pub unsafe extern "C" fn lockdown_bpf_choose(word: *const c_char) -> bool {
    // SAFETY: The caller guarantees that `word` is NUL-terminated.
    let chosen = Choice::from_word(unsafe { CStr::from_char_ptr(word) }.to_bytes());
    if chosen.unwrap_or(Choice::Signed) == Choice::Signed {
        SIGNED_ONLY.store(1, Relaxed);
    }
    chosen.is_some()
}

/// Why a program is refused while the kernel is locked down, as a sentence; null if it is not.
///
/// # Safety
///
/// Always safe to call.
// Required to be unsafe due to the `#[export]` annotation.
#[export]
pub unsafe extern "C" fn lockdown_bpf_refusal(
    verdict: bindings::bpf_sig_verdict,
    keyring: bindings::bpf_sig_keyring,
    covers_all: bool,
    by_signed: bool,
) -> *const c_char {
    let signer = match (verdict, keyring) {
        // What a signed loader loads was signed with it.
        _ if by_signed => Signer::System,
        (bindings::bpf_sig_verdict_BPF_SIG_VERIFIED, _) if !covers_all => Signer::OfInstructions,
        (
            bindings::bpf_sig_verdict_BPF_SIG_VERIFIED,
            bindings::bpf_sig_keyring_BPF_SIG_KEYRING_BUILTIN
            | bindings::bpf_sig_keyring_BPF_SIG_KEYRING_SECONDARY
            | bindings::bpf_sig_keyring_BPF_SIG_KEYRING_PLATFORM,
        ) => Signer::System,
        (bindings::bpf_sig_verdict_BPF_SIG_VERIFIED, _) => Signer::User,
        _ => Signer::None,
    };
    choice()
        .refusal(signer)
        .map_or(core::ptr::null(), |words| words.as_char_ptr())
}
