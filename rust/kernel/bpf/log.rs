// SPDX-License-Identifier: GPL-2.0

//! The verifier's log.

use crate::{
    bindings,
    fmt,
    str::CStrExt as _,
    types::Opaque, //
};

/// Wraps `struct bpf_verifier_log`: what the loader of a program gets to read.
///
/// # Invariants
///
/// The log is initialised, and used by this thread only, as long as a reference to it lives.
#[repr(transparent)]
pub struct Log(Opaque<bindings::bpf_verifier_log>);

impl Log {
    /// Makes a reference from a pointer that C has passed.
    ///
    /// # Safety
    ///
    /// `ptr` is valid and initialised, and no other thread uses the log, for the lifetime of the
    /// returned reference.
    pub unsafe fn from_raw<'a>(ptr: *mut bindings::bpf_verifier_log) -> &'a Self {
        // SAFETY: The caller guarantees validity; `Log` has the representation of the C type.
        // INVARIANT: The caller guarantees the rest.
        unsafe { &*ptr.cast() }
    }

    /// What the log is to hold, `BPF_LOG_*`; 0 if nobody reads it.
    pub fn level(&self) -> u32 {
        // SAFETY: By the type invariant the log is initialised, and no other thread changes it.
        unsafe { (*self.0.get()).level }
    }

    /// Appends a message, which ends with a newline. A message longer than 1 KiB is cut.
    pub fn write(&self, args: fmt::Arguments<'_>) {
        // SAFETY: By the type invariant the log is initialised, and no other thread uses it; `%pA`
        // prints the `fmt::Arguments` that its argument points to.
        unsafe {
            bindings::bpf_log(
                self.0.get(),
                c"%pA".as_char_ptr(),
                core::ptr::from_ref(&args).cast::<crate::ffi::c_void>(),
            )
        };
    }
}
