// SPDX-License-Identifier: GPL-2.0

//! BPF type format.
//!
//! C header: [`include/linux/btf.h`](srctree/include/linux/btf.h).

use crate::{
    bindings,
    error::{
        code::*,
        from_err_ptr,
        Error,
        Result, //
    },
    str::{
        CStr,
        CStrExt as _, //
    },
    sync::aref::{
        ARef,
        AlwaysRefCounted, //
    },
    types::Opaque, //
};
use core::ptr::{
    self,
    NonNull, //
};

/// Wraps the kernel's `struct btf`: type data of vmlinux, a module or a BPF program.
///
/// It was checked when it was loaded, and never changes.
///
/// # Invariants
///
/// Instances of this type are always ref-counted, that is, a call to `btf_get` ensures that the
/// allocation remains valid at least until the matching call to `btf_put`.
#[repr(transparent)]
pub struct Btf(Opaque<bindings::btf>);

// SAFETY: `Btf::dec_ref` can be called from any thread, and ownership of a reference is not bound
// to one.
unsafe impl Send for Btf {}

// SAFETY: What can be done through a shared reference only reads what never changes, but for the
// digest, which C publishes atomically.
unsafe impl Sync for Btf {}

impl Btf {
    /// Makes a reference from a pointer that C has passed.
    ///
    /// # Safety
    ///
    /// `ptr` is valid for the lifetime of the returned reference.
    pub unsafe fn from_raw<'a>(ptr: *const bindings::btf) -> &'a Self {
        // SAFETY: The caller guarantees validity; `Btf` has the representation of the C type.
        unsafe { &*ptr.cast() }
    }

    /// Returns a raw pointer to the BTF.
    #[inline]
    pub fn as_ptr(&self) -> *mut bindings::btf {
        self.0.get()
    }

    /// Finds a type by name and `BTF_KIND_*`: in vmlinux first, then in all modules.
    ///
    /// # Errors
    ///
    /// `EINVAL` if the kernel has no BTF.
    pub fn find(name: &CStr, kind: u32) -> Result<Option<(ARef<Self>, u32)>> {
        let mut btf = ptr::null_mut();
        // SAFETY: `name` is NUL-terminated and `btf` valid for writing.
        let id = unsafe { bindings::bpf_find_btf_id(name.as_char_ptr(), kind, &mut btf) };
        // SAFETY: On success the function has taken a reference to `btf`.
        unsafe { Self::found(id, btf) }
    }

    /// Finds a type in the BTF of one module, or of `vmlinux`.
    ///
    /// # Errors
    ///
    /// `EINVAL` if the kernel has no BTF.
    pub fn find_in(module: &CStr, name: &CStr, kind: u32) -> Result<Option<(ARef<Self>, u32)>> {
        let mut btf = ptr::null_mut();
        // SAFETY: Both strings are NUL-terminated and `btf` is valid for writing.
        let id = unsafe {
            bindings::bpf_find_module_btf_id(
                module.as_char_ptr(),
                name.as_char_ptr(),
                kind,
                &mut btf,
            )
        };
        // SAFETY: On success the function has taken a reference to `btf`.
        unsafe { Self::found(id, btf) }
    }

    /// # Safety
    ///
    /// If `id` is positive, the caller passes on a reference to `btf`.
    unsafe fn found(id: i32, btf: *mut bindings::btf) -> Result<Option<(ARef<Self>, u32)>> {
        match u32::try_from(id) {
            Ok(id) => {
                let btf = NonNull::new(btf.cast::<Self>()).ok_or(ENOENT)?;
                // SAFETY: The caller passes on the reference.
                Ok(Some((unsafe { ARef::from_raw(btf) }, id)))
            }
            Err(_) if Error::from_errno(id) == ENOENT => Ok(None),
            Err(_) => Err(Error::from_errno(id)),
        }
    }

    /// The types of the kernel itself.
    ///
    /// # Errors
    ///
    /// `EINVAL` if the kernel has none, or others if they could not be parsed.
    pub fn vmlinux() -> Result<&'static Self> {
        // SAFETY: May be called in any context that may sleep.
        let btf = from_err_ptr(unsafe { bindings::bpf_get_btf_vmlinux() })?;
        if btf.is_null() {
            return Err(EINVAL);
        }
        // SAFETY: The BTF of vmlinux is never freed.
        Ok(unsafe { Self::from_raw(btf) })
    }

    /// The BTF of all modules there are.
    pub fn modules() -> impl Iterator<Item = ARef<Self>> {
        let mut id = 0;
        core::iter::from_fn(move || {
            // SAFETY: `id` is valid for reading and writing.
            let btf = unsafe { bindings::btf_next_module(&mut id) };
            // SAFETY: If it is not null, then with a reference, which is passed on.
            NonNull::new(btf.cast::<Self>()).map(|btf| unsafe { ARef::from_raw(btf) })
        })
    }

    /// How the types lie in memory.
    pub fn view(&self) -> View<'_> {
        let mut view = bindings::btf_view::default();
        // SAFETY: By the type invariant the BTF is valid; `view` is valid for writing.
        unsafe { bindings::btf_get_view(self.0.get(), &mut view) };
        // SAFETY: `btf_get_view()` tells where the sections and the table are, and how long. They
        // never change and live as long as the BTF. Pointers are read as the addresses that they
        // are; a `u32` always fits into a `usize`.
        let (records, index, strings) = unsafe {
            (
                section(view.records.cast::<u8>(), view.records_len as usize),
                section(view.types.cast::<usize>(), view.nr_types as usize),
                section(view.strings.cast::<u8>(), view.strings_len as usize),
            )
        };
        View {
            records,
            index,
            strings,
            start_id: view.start_id,
            start_str_off: view.start_str_off,
            named_start_id: view.named_start_id,
            base: if view.base.is_null() {
                None
            } else {
                // SAFETY: A BTF holds on to its base.
                Some(unsafe { Self::from_raw(view.base) })
            },
        }
    }

    /// Whether this describes a module.
    pub fn is_module(&self) -> bool {
        // SAFETY: By the type invariant the BTF is valid.
        unsafe { bindings::btf_is_module(self.0.get()) }
    }

    /// Finds a type of this BTF, or of the one it is based on, by name and `BTF_KIND_*`.
    pub fn find_by_name_kind(&self, name: &CStr, kind: u32) -> Option<u32> {
        // Kinds have seven bits.
        let kind = u8::try_from(kind).ok()?;
        // SAFETY: By the type invariant the BTF is valid; `name` is NUL-terminated.
        let id = unsafe { bindings::btf_find_by_name_kind(self.0.get(), name.as_char_ptr(), kind) };
        u32::try_from(id).ok().filter(|&id| id != 0)
    }

    /// Index of the member `name` of the struct `id`.
    pub fn member_index(&self, id: u32, name: &[u8]) -> Option<u32> {
        // SAFETY: By the type invariant the BTF is valid.
        let index =
            unsafe { bindings::btf_member_index(self.0.get(), id, name.as_ptr(), name.len()) };
        u32::try_from(index).ok()
    }

    /// SHA-256 of the blob as it was loaded. It is computed once.
    pub fn digest(&self) -> [u8; 32] {
        let mut digest = [0; 32];
        // SAFETY: By the type invariant the BTF is valid; `digest` has the size of the output.
        unsafe { bindings::btf_digest(self.0.get(), digest.as_mut_ptr()) };
        digest
    }

    /// The blob as it was loaded.
    pub fn raw_data(&self) -> &[u8] {
        let mut size = 0;
        // SAFETY: By the type invariant the BTF is valid; `size` is valid for writing.
        let data = unsafe { bindings::btf_raw_data(self.0.get(), &mut size) };
        if data.is_null() {
            return &[];
        }
        // SAFETY: The blob has `size` bytes, never changes and lives as long as the BTF. Bits of a
        // `u32` are never lost in a `usize`.
        unsafe { core::slice::from_raw_parts(data.cast(), size as usize) }
    }
}

/// A slice from C, where an empty one may be null.
///
/// # Safety
///
/// If `len` is not 0, `ptr` is valid for reading `len` elements, which nobody changes, for the
/// lifetime of the returned slice.
unsafe fn section<'a, T>(ptr: *const T, len: usize) -> &'a [T] {
    if len == 0 {
        return &[];
    }
    // SAFETY: `len` is not 0, so the caller guarantees that `ptr` is valid for reading that many
    // elements, and that nobody changes them.
    unsafe { core::slice::from_raw_parts(ptr, len) }
}

/// How type data lies in memory: nothing has been checked beyond what the kernel checks when it
/// loads BTF.
#[derive(Clone, Copy)]
pub struct View<'a> {
    /// The type section.
    pub records: &'a [u8],
    /// The address of each record in `records`. The first one of BTF without a base stands for
    /// `void` and lies elsewhere.
    pub index: &'a [usize],
    /// The string section.
    pub strings: &'a [u8],
    /// Id of the first one of `index`.
    pub start_id: u32,
    /// Offset of the first one of `strings`.
    pub start_str_off: u32,
    /// The first type that has a name if types are sorted by name, or 0.
    pub named_start_id: u32,
    /// What this BTF continues.
    pub base: Option<&'a Btf>,
}

// SAFETY: The type invariants guarantee that `Btf` is always ref-counted.
unsafe impl AlwaysRefCounted for Btf {
    #[inline]
    fn inc_ref(&self) {
        // SAFETY: The existence of a shared reference means that the refcount is nonzero.
        unsafe { bindings::btf_get(self.0.get()) };
    }

    #[inline]
    unsafe fn dec_ref(obj: NonNull<Self>) {
        // SAFETY: The safety requirements guarantee that the refcount is nonzero. The cast is okay
        // because `Btf` has the same representation as `struct btf`.
        unsafe { bindings::btf_put(obj.cast().as_ptr()) };
    }
}
