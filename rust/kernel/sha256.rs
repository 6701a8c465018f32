// SPDX-License-Identifier: GPL-2.0

//! SHA-256.
//!
//! C header: [`include/crypto/sha2.h`](srctree/include/crypto/sha2.h).

use crate::{
    bindings,
    types::Opaque, //
};

/// A SHA-256 digest.
pub type Digest = [u8; 32];

/// A digest in the making.
///
/// # Invariants
///
/// The context is initialised, by `sha256_init()`.
pub struct Sha256(Opaque<bindings::sha256_ctx>);

impl Sha256 {
    /// The digest of nothing yet.
    pub fn new() -> Self {
        let ctx = Opaque::uninit();
        // SAFETY: `ctx` is valid for writing; the function initialises all of it.
        unsafe { bindings::sha256_init(ctx.get()) };
        // INVARIANT: It has just been initialised.
        Self(ctx)
    }

    /// Adds `data`.
    pub fn update(&mut self, data: &[u8]) {
        // SAFETY: By the type invariant the context is initialised; `data` is valid for reading.
        unsafe { bindings::sha256_update(self.0.get(), data.as_ptr(), data.len()) };
    }

    /// The digest of all that was added.
    pub fn finish(self) -> Digest {
        let mut digest = [0; 32];
        // SAFETY: By the type invariant the context is initialised; it is not used again, and
        // `digest` has the size of the output.
        unsafe { bindings::sha256_final(self.0.get(), digest.as_mut_ptr()) };
        digest
    }
}

impl Default for Sha256 {
    fn default() -> Self {
        Self::new()
    }
}
