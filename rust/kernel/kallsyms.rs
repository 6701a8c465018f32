// SPDX-License-Identifier: GPL-2.0

//! Addresses of kernel symbols.
//!
//! C header: [`include/linux/kallsyms.h`](srctree/include/linux/kallsyms.h).

use crate::{bindings, str::CStr};

/// Finds the address of a symbol of the kernel or of a loaded module.
///
/// It does not ask whether the current task may see addresses.
pub fn lookup(name: &CStr) -> Option<u64> {
    // SAFETY: `name` is NUL-terminated.
    let addr = unsafe { bindings::kallsyms_lookup_name(crate::str::CStrExt::as_char_ptr(name)) };
    if addr == 0 {
        None
    } else {
        // Lossless: an address has at most 64 bits.
        Some(addr as u64)
    }
}
