// SPDX-License-Identifier: GPL-2.0

//! Verification of signatures with the system's or a user's keys.
//!
//! C header: [`include/linux/verification.h`](srctree/include/linux/verification.h).

use crate::{
    bindings,
    error::{
        to_result,
        Result, //
    },
    key::Key, //
};

/// Keys that are trusted to vouch for data.
#[derive(Clone, Copy)]
pub enum Keyring<'a> {
    /// Keys that were built into the kernel.
    Builtin,
    /// Builtin keys and those that they vouch for.
    Secondary,
    /// Keys of the platform: firmware and its owner.
    Platform,
    /// A key or keyring that is named by its user.
    Key(&'a Key),
}

/// What a signature is verified for; `enum key_being_used_for`.
#[derive(Clone, Copy)]
pub enum Usage {
    /// A BPF program.
    Bpf,
}

/// Verifies `signature`, detached PKCS#7, over the whole of `data`.
///
/// # Errors
///
/// `EKEYREJECTED` if the signature does not match, or its key is blacklisted; `ENOKEY` if no key
/// in `keyring` is its signer's; `ENOPKG` for an algorithm that the kernel lacks; `EBADMSG` and
/// others if `signature` cannot be parsed.
pub fn verify_pkcs7(data: &[u8], signature: &[u8], keyring: Keyring<'_>, usage: Usage) -> Result {
    let keys = match keyring {
        Keyring::Builtin => core::ptr::null_mut(),
        // In C these two are numbers that were cast to pointers.
        Keyring::Secondary => {
            core::ptr::without_provenance_mut(bindings::VERIFY_USE_SECONDARY_KEYRING)
        }
        Keyring::Platform => {
            core::ptr::without_provenance_mut(bindings::VERIFY_USE_PLATFORM_KEYRING)
        }
        Keyring::Key(key) => key.as_ptr(),
    };
    let usage = match usage {
        Usage::Bpf => bindings::key_being_used_for_VERIFYING_BPF_SIGNATURE,
    };
    // SAFETY: Both slices are valid for reading for the whole call, and neither is kept. `keys` is
    // null, one of the two marks above, or a key that the shared reference keeps alive. Without a
    // callback the context is not used.
    to_result(unsafe {
        bindings::verify_pkcs7_signature(
            data.as_ptr().cast(),
            data.len(),
            signature.as_ptr().cast(),
            signature.len(),
            keys,
            usage,
            None,
            core::ptr::null_mut(),
        )
    })
}
