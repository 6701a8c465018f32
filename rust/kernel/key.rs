// SPDX-License-Identifier: GPL-2.0

//! Keys and keyrings.
//!
//! C header: [`include/linux/key.h`](srctree/include/linux/key.h).
//!
//! Reference: <https://www.kernel.org/doc/html/latest/security/keys/core.html>

use crate::{
    bindings,
    error::{
        from_err_ptr,
        to_result,
        Result, //
    },
    sync::aref::{
        ARef,
        AlwaysRefCounted, //
    },
    types::Opaque, //
};
use core::ptr::NonNull;

/// Wraps the kernel's `struct key`: a key or a keyring.
///
/// # Invariants
///
/// Instances of this type are always ref-counted, that is, a call to `key_get` ensures that the
/// allocation remains valid at least until the matching call to `key_put`.
#[repr(transparent)]
pub struct Key(Opaque<bindings::key>);

// SAFETY: `Key::dec_ref` can be called from any thread, and ownership of a reference is not bound
// to one.
unsafe impl Send for Key {}

// SAFETY: What can be done through a shared reference is synchronised by C code.
unsafe impl Sync for Key {}

impl Key {
    /// Finds a key or keyring of the current task by its serial, or by one of the negative ids
    /// that stand for the task's own keyrings.
    ///
    /// Permissions are not checked here but where the key is used, as `KEY_DEFER_PERM_CHECK` says.
    ///
    /// # Errors
    ///
    /// `ENOKEY`, `EKEYEXPIRED`, `EKEYREVOKED` and others of `lookup_user_key()`.
    pub fn lookup(serial: i32) -> Result<ARef<Self>> {
        // SAFETY: `lookup_user_key()` may be called with any serial.
        let key_ref = unsafe {
            bindings::lookup_user_key(serial, 0, bindings::key_need_perm_KEY_DEFER_PERM_CHECK)
        };
        let key_ref = from_err_ptr(key_ref)?;
        // SAFETY: `key_ref` is no error, so it refers to a key.
        let key = unsafe { bindings::key_ref_to_ptr(key_ref) };
        let key = NonNull::new(key.cast::<Self>()).ok_or(crate::error::code::ENOKEY)?;
        // SAFETY: `lookup_user_key()` has taken the reference that is passed on here, and `Key`
        // has the representation of `struct key`.
        Ok(unsafe { ARef::from_raw(key) })
    }

    /// Returns a raw pointer to the key.
    #[inline]
    pub fn as_ptr(&self) -> *mut bindings::key {
        self.0.get()
    }

    /// The serial by which user space knows the key.
    pub fn serial(&self) -> i32 {
        // SAFETY: By the type invariant the key is valid; its serial is never changed once the key
        // can be found.
        unsafe { (*self.0.get()).serial }
    }

    /// Checks that the key has neither expired nor been revoked.
    ///
    /// # Errors
    ///
    /// `EKEYEXPIRED`, `EKEYREVOKED`, `ENOKEY`.
    pub fn validate(&self) -> Result {
        // SAFETY: By the type invariant the key is valid.
        to_result(unsafe { bindings::key_validate(self.0.get()) })
    }
}

// SAFETY: The type invariants guarantee that `Key` is always ref-counted.
unsafe impl AlwaysRefCounted for Key {
    #[inline]
    fn inc_ref(&self) {
        // SAFETY: The existence of a shared reference means that the refcount is nonzero.
        unsafe { bindings::__key_get(self.0.get()) };
    }

    #[inline]
    unsafe fn dec_ref(obj: NonNull<Self>) {
        // SAFETY: The safety requirements guarantee that the refcount is nonzero. The cast is okay
        // because `Key` has the same representation as `struct key`.
        unsafe { bindings::key_put(obj.cast().as_ptr()) };
    }
}
