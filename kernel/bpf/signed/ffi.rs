// SPDX-License-Identifier: GPL-2.0

//! What C calls. Pointers become references here, once; the rest of the crate is safe code.
//!
//! C header: [`include/linux/bpf_image.h`](srctree/include/linux/bpf_image.h).

use crate::{
    core_relo_kernel::types,
    events::{
        self,
        Met,
        Names, //
    },
    image::{
        records::MapShape,
        Kind,
        Text, //
    },
    layout,
    load::{
        Events,
        Found,
        LoadedImage,
        Request,
        UserArray, //
    },
    slots::Facts,
};
use core::ptr::{
    self,
    null, //
};
use kernel::{
    bindings,
    bpf::{
        btf::Btf,
        log::Log, //
    },
    ffi::{
        c_char,
        c_int,
        c_ulong,
        c_void, //
    },
    prelude::*,
    sync::aref::ARef,
    uaccess::UserPtr,
};

/// `struct bpf_image` of C is a [`LoadedImage`] that C holds by pointer.
fn as_image(image: *const bindings::bpf_image) -> *const LoadedImage {
    image.cast()
}

/// Finds the address of a symbol of the kernel, or else of a loaded module.
///
/// [`EINVAL`] tells that the kernel has several, at different addresses: `init_once()` is many
/// functions, and none of them is what a program asks for by that name.
///
/// It does not ask whether the caller of `bpf(2)` may see addresses. It stays in this crate, since
/// modules are not to have it.
pub(crate) fn kallsyms_lookup(name: &CStr) -> Result<Option<u64>> {
    /// # Safety
    ///
    /// `first` points to a `u64` that nobody else uses.
    unsafe extern "C" fn compare(first: *mut c_void, addr: c_ulong) -> c_int {
        // SAFETY: By the function's contract.
        let first = unsafe { &mut *first.cast::<u64>() };
        // Lossless: an address has at most 64 bits.
        let addr = addr as u64;
        if *first == 0 {
            *first = addr;
        }
        c_int::from(*first != addr)
    }

    let mut addr = 0u64;
    // SAFETY: `name` is NUL-terminated; `compare()` gets the address of `addr`, which outlives the
    // call.
    let differ = unsafe {
        bindings::kallsyms_on_each_match_symbol(
            Some(compare),
            name.as_char_ptr(),
            ptr::from_mut(&mut addr).cast(),
        )
    };
    if differ != 0 {
        return Err(EINVAL);
    }
    if addr == 0 {
        // SAFETY: `name` is NUL-terminated.
        addr = unsafe { bindings::kallsyms_lookup_name(name.as_char_ptr()) } as u64;
    }
    Ok((addr != 0).then_some(addr))
}

fn errno(result: Result) -> c_int {
    match result {
        Ok(()) => 0,
        Err(e) => e.to_errno(),
    }
}

/// A section's first byte, or null where the image has none.
fn pointer(bytes: &[u8]) -> *const c_void {
    if bytes.is_empty() {
        null()
    } else {
        bytes.as_ptr().cast()
    }
}

/// Loads the image that `req` describes, and describes it in the terms of `bpf_attr`.
///
/// # Safety
///
/// `req` is valid for reading, `prog` and `imagep` for writing. Its log is valid, and nobody else
/// uses it during the call. The image that is stored in `imagep` is given back to
/// `bpf_image_free()`; what `prog` points to dies with it.
#[export]
pub(crate) unsafe extern "C" fn bpf_image_new(
    req: *const bindings::bpf_image_request,
    prog: *mut bindings::bpf_image_prog,
    imagep: *mut *mut bindings::bpf_image,
) -> c_int {
    // SAFETY: The caller guarantees that `req` is valid.
    let req = unsafe { &*req };
    // SAFETY: The caller guarantees that the log is valid; it is used for this call only.
    let log = unsafe { Log::from_raw(req.log) };
    let user = |ptr: *const c_void, len| UserArray {
        at: UserPtr::from_ptr(ptr.cast_mut()),
        len,
    };
    let request = Request {
        image: user(req.image, req.image_size),
        signature: user(req.signature, req.signature_size),
        fd_array: user(req.fd_array, req.fd_array_cnt),
        keyring_id: req.keyring_id,
        show_ksyms: req.show_ksyms,
        log,
    };
    let load = || -> Result<(KBox<LoadedImage>, bindings::bpf_image_prog)> {
        let image = KBox::new(LoadedImage::load(&request)?, GFP_KERNEL_ACCOUNT)?;
        let described = describe(&image)?;
        Ok((image, described))
    };
    match load() {
        Ok((image, described)) => {
            // SAFETY: The caller guarantees that both are valid for writing.
            unsafe {
                prog.write(described);
                imagep.write(KBox::into_raw(image).cast());
            }
            0
        }
        Err(e) => e.to_errno(),
    }
}

fn describe(image: &LoadedImage) -> Result<bindings::bpf_image_prog> {
    let layout = image.layout();
    let header = layout.header();
    let signer = image.signer();

    Ok(bindings::bpf_image_prog {
        insns: pointer(image.section(Kind::Insns)),
        func_info: pointer(image.section(Kind::FuncInfo)),
        line_info: pointer(image.section(Kind::LineInfo)),
        core_relos: pointer(image.section(Kind::CoreRelo)),
        fds: if image.fds().is_empty() {
            null()
        } else {
            image.fds().as_ptr()
        },
        license: image.license()?.as_ptr().cast(),
        name: ptr::from_ref(&header.name).cast(),
        insn_cnt: layout.count(Kind::Insns),
        func_info_cnt: layout.count(Kind::FuncInfo),
        line_info_cnt: layout.count(Kind::LineInfo),
        core_relo_cnt: layout.count(Kind::CoreRelo),
        fd_cnt: u32::try_from(image.fds().len())?,
        prog_type: header.prog_type,
        expected_attach_type: header.expected_attach_type,
        prog_flags: header.prog_flags,
        keyring_type: signer.keyring_type,
        keyring_serial: signer.serial,
    })
}

/// Frees an image.
///
/// # Safety
///
/// `image` comes from `bpf_image_new()`, and is not used afterwards.
#[export]
pub(crate) unsafe extern "C" fn bpf_image_free(image: *mut bindings::bpf_image) {
    // SAFETY: `bpf_image_new()` has made the pointer from a `KBox`, and the caller gives it back.
    drop(unsafe { KBox::<LoadedImage>::from_raw(image.cast()) });
}

/// Finds the attach target of `image`.
///
/// Stores a reference to the target's BTF in `btfp`, or null if there is no target, and for
/// struct_ops the member in `attach_type`. Returns the type id, zero without a target, or an error.
///
/// # Safety
///
/// `image` comes from `bpf_image_new()`, `name` is null or NUL-terminated, `prog_btf` is null or
/// valid, `log` is valid, `btfp` and `attach_type` are valid for writing.
#[export]
pub(crate) unsafe extern "C" fn bpf_image_match_target(
    image: *const bindings::bpf_image,
    name: *const c_char,
    prog_btf: *const bindings::btf,
    btfp: *mut *mut bindings::btf,
    attach_type: *mut u32,
    log: *mut bindings::bpf_verifier_log,
) -> c_int {
    // SAFETY: The caller guarantees that `image` is valid.
    let image = unsafe { &*as_image(image) };
    // SAFETY: The caller guarantees that `log` is valid.
    let log = unsafe { Log::from_raw(log) };
    let name = if name.is_null() {
        None
    } else {
        // SAFETY: The caller guarantees that `name` is NUL-terminated.
        Some(unsafe { CStr::from_char_ptr(name) }.to_bytes())
    };
    let prog_btf = if prog_btf.is_null() {
        None
    } else {
        // SAFETY: The caller guarantees that `prog_btf` is valid.
        Some(unsafe { Btf::from_raw(prog_btf) })
    };
    match image.attach_target(name, prog_btf, log) {
        Err(e) => e.to_errno(),
        Ok(None) => {
            // SAFETY: The caller guarantees that `btfp` is valid for writing.
            unsafe { btfp.write(ptr::null_mut()) };
            0
        }
        Ok(Some(Found { btf, id, member })) => {
            let Ok(id) = c_int::try_from(id) else {
                return EINVAL.to_errno();
            };
            // SAFETY: The caller guarantees that both are valid for writing.
            unsafe {
                btfp.write(ARef::into_raw(btf).as_ptr().cast());
                if let Some(member) = member {
                    attach_type.write(member);
                }
            }
            id
        }
    }
}

/// Compares a bound map with its slot.
///
/// # Safety
///
/// `image` comes from `bpf_image_new()`; `facts`, what it points to, and `log` are valid.
#[export]
pub(crate) unsafe extern "C" fn bpf_image_match_map(
    image: *const bindings::bpf_image,
    fd_idx: u32,
    facts: *const bindings::bpf_image_map_facts,
    log: *mut bindings::bpf_verifier_log,
) -> c_int {
    // SAFETY: The caller guarantees that `image` is valid.
    let image = unsafe { &*as_image(image) };
    // SAFETY: The caller guarantees that `log` is valid.
    let log = unsafe { Log::from_raw(log) };
    // SAFETY: The caller guarantees that `facts` is valid.
    let facts = unsafe { &*facts };
    let contents = match usize::try_from(facts.self_.value_size) {
        Ok(len) if !facts.contents.is_null() => {
            // SAFETY: The caller guarantees that `contents` is null or the value of the map, which
            // has `value_size` bytes and lives as long as the map is bound. It is not null only
            // where the map has `BPF_F_RDONLY_PROG` and was found frozen and then without writers,
            // so that nobody writes the bytes any more, neither user space nor a program or
            // iterator.
            Some(unsafe { core::slice::from_raw_parts(facts.contents.cast::<u8>(), len) })
        }
        _ => None,
    };
    let special = if facts.special_fields && !facts.btf.is_null() {
        // SAFETY: The caller guarantees that the map's BTF is valid.
        let btf = unsafe { Btf::from_raw(facts.btf) };
        Some((btf.digest(), facts.btf_key_type_id, facts.btf_value_type_id))
    } else {
        None
    };
    let inner_special = if facts.inner_special_fields && !facts.inner_btf.is_null() {
        // SAFETY: The caller guarantees that the BTF of the inner maps is valid.
        Some(unsafe { Btf::from_raw(facts.inner_btf) }.digest())
    } else {
        None
    };
    let facts = Facts {
        inner_special,
        this: shape(&facts.self_),
        inner: shape(&facts.inner),
        map_extra: facts.map_extra,
        contents,
        special,
        frozen: facts.frozen,
        written: facts.written,
    };
    errno(image.check_map(fd_idx, &facts, log))
}

fn shape(shape: &bindings::bpf_image_map_shape) -> MapShape {
    MapShape {
        kind: shape.type_,
        key_size: shape.key_size,
        value_size: shape.value_size,
        max_entries: shape.max_entries,
        map_flags: shape.map_flags,
    }
}

/// Compares the bound BTF with the one that was signed, and types of kernel symbols with it.
///
/// # Safety
///
/// `image` comes from `bpf_image_new()`; `btf` and `log` are valid; `insns` is valid for reading
/// and writing `insn_cnt` instructions, which nobody else changes meanwhile.
#[export]
pub(crate) unsafe extern "C" fn bpf_image_match_btf(
    image: *const bindings::bpf_image,
    btf: *const bindings::btf,
    insns: *mut bindings::bpf_insn,
    insn_cnt: u32,
    log: *mut bindings::bpf_verifier_log,
) -> c_int {
    // SAFETY: The caller guarantees that `image` is valid.
    let image = unsafe { &*as_image(image) };
    // SAFETY: The caller guarantees that `btf` is valid.
    let btf = unsafe { Btf::from_raw(btf) };
    // SAFETY: The caller guarantees that `log` is valid.
    let log = unsafe { Log::from_raw(log) };
    let Some(len) = usize::try_from(insn_cnt)
        .ok()
        .and_then(|n| n.checked_mul(size_of::<bindings::bpf_insn>()))
    else {
        return E2BIG.to_errno();
    };
    // SAFETY: The caller guarantees that the instructions are valid and ours alone. Each has eight
    // bytes, none of which is padding.
    let insns = unsafe { core::slice::from_raw_parts_mut(insns.cast::<u8>(), len) };
    errno(image.check_btf(btf, insns, log))
}

/// The module BTF that an instruction of `image` names by `number`, or null. The image holds the
/// reference.
///
/// # Safety
///
/// `image` comes from `bpf_image_new()`.
#[export]
pub(crate) unsafe extern "C" fn bpf_image_module_btf(
    image: *const bindings::bpf_image,
    number: u32,
) -> *mut bindings::btf {
    // SAFETY: The caller guarantees that `image` is valid.
    let image = unsafe { &*as_image(image) };
    image
        .module_btf(number)
        .map_or(ptr::null_mut(), |btf| btf.as_ptr())
}

/// Reads what the signer says of a mode of lockdown.
///
/// Returns whether the program may be loaded in that mode, and stores the classes that it needs, if
/// the signer has named them.
///
/// # Safety
///
/// `image` comes from `bpf_image_new()`, `classes` is valid for writing.
#[export]
pub(crate) unsafe extern "C" fn bpf_image_annotation(
    image: *const bindings::bpf_image,
    mode: u32,
    classes: *mut u32,
) -> bool {
    // SAFETY: The caller guarantees that `image` is valid.
    let image = unsafe { &*as_image(image) };
    match image.annotation(mode) {
        None => true,
        Some(None) => false,
        Some(Some(needed)) => {
            // SAFETY: The caller guarantees that `classes` is valid for writing.
            unsafe { classes.write(needed) };
            true
        }
    }
}

/// Whether the program was given the address of an untyped ksym.
///
/// # Safety
///
/// `image` comes from `bpf_image_new()`.
#[export]
pub(crate) unsafe extern "C" fn bpf_image_holds_address(image: *const bindings::bpf_image) -> bool {
    // SAFETY: The caller guarantees that `image` is valid.
    unsafe { &*as_image(image) }.holds_address()
}

/// Keeps the events that the program of `image` may be attached to, for as long as it lives; null
/// for a program of a type that meets no events.
///
/// # Safety
///
/// `image` comes from `bpf_image_new()`, `eventsp` is valid for writing. What is stored there is
/// given back to `bpf_events_free()`.
#[export]
pub(crate) unsafe extern "C" fn bpf_image_events(
    image: *const bindings::bpf_image,
    eventsp: *mut *mut bindings::bpf_events,
) -> c_int {
    let keep = || -> Result<*mut bindings::bpf_events> {
        // SAFETY: The caller guarantees that `image` is valid.
        let image = unsafe { &*as_image(image) };
        Ok(match image.events()? {
            None => ptr::null_mut(),
            Some(events) => KBox::into_raw(KBox::new(events, GFP_KERNEL_ACCOUNT)?).cast(),
        })
    };
    match keep() {
        Ok(events) => {
            // SAFETY: The caller guarantees that `eventsp` is valid for writing.
            unsafe { eventsp.write(events) };
            0
        }
        Err(e) => e.to_errno(),
    }
}

/// Frees what `bpf_image_events()` has kept.
///
/// # Safety
///
/// `events` is null or comes from `bpf_image_events()`, and is not used afterwards.
#[export]
pub(crate) unsafe extern "C" fn bpf_events_free(events: *mut bindings::bpf_events) {
    if !events.is_null() {
        // SAFETY: `bpf_image_events()` has made the pointer from a `KBox`, and the caller gives it
        // back.
        drop(unsafe { KBox::<Events>::from_raw(events.cast()) });
    }
}

/// An event that is met, as C describes it.
struct MetByC<'a>(&'a bindings::bpf_event_facts);

impl<'a> MetByC<'a> {
    /// # Safety
    ///
    /// `facts` and what it points to are valid while the result is used.
    unsafe fn new(facts: *const bindings::bpf_event_facts) -> Self {
        // SAFETY: The caller guarantees that `facts` is valid.
        Self(unsafe { &*facts })
    }

    fn met(&self) -> Met<'a> {
        let text = |ptr: *const c_char| {
            // SAFETY: By the promise made to `new()`, strings that are not null are valid.
            (!ptr.is_null()).then(|| unsafe { CStr::from_char_ptr(ptr) }.to_bytes())
        };
        Met {
            kind: self.0.kind,
            name: text(self.0.name).unwrap_or(&[]),
            module: text(self.0.module),
            offset: self.0.offset,
        }
    }
}

impl Names for MetByC<'_> {
    fn is_function(&self, name: &CStr) -> bool {
        // SAFETY: `self` is valid by the promise made to `new()`, and `name` NUL-terminated.
        unsafe { bindings::bpf_event_is_function(self.0, name.as_char_ptr()) }
    }

    fn is_file(&self, path: &CStr) -> bool {
        // SAFETY: `self` is valid by the promise made to `new()`, and `path` NUL-terminated. C has
        // a path in the facts for each event in a file, and no other is compared with one.
        unsafe { bindings::bpf_event_is_file(self.0, path.as_char_ptr()) }
    }
}

/// Whether `events` allow what `facts` describe.
///
/// # Safety
///
/// `events` comes from `bpf_image_events()`; `facts` and what it points to are valid, with a path
/// where the event is in a file.
#[export]
pub(crate) unsafe extern "C" fn bpf_events_allow(
    events: *const bindings::bpf_events,
    facts: *const bindings::bpf_event_facts,
) -> bool {
    // SAFETY: The caller guarantees that `events` is valid.
    let events = unsafe { &*events.cast::<Events>() };
    // SAFETY: The caller guarantees that `facts` is valid.
    let facts = unsafe { MetByC::new(facts) };
    events.allowed().allows(&facts.met(), &facts)
}

/// Calls `func` with each path at which init is to find a file of `events`, and tells how many
/// there are. The pointers ascend, and are those that are asked about with `bpf_event_is_file()`.
///
/// # Safety
///
/// `events` comes from `bpf_image_events()`; `func` takes `arg`, and any path.
#[export]
pub(crate) unsafe extern "C" fn bpf_events_for_each_file(
    events: *const bindings::bpf_events,
    func: Option<unsafe extern "C" fn(*mut c_void, *const c_char)>,
    arg: *mut c_void,
) -> u32 {
    // SAFETY: The caller guarantees that `events` is valid.
    let events = unsafe { &*events.cast::<Events>() };
    let mut count = 0u32;
    for name in events.allowed().paths() {
        if let Some(func) = func {
            // SAFETY: The caller guarantees that `func` takes `arg`, and any path.
            unsafe { func(arg, name.as_char_ptr()) };
        }
        count = count.saturating_add(1);
    }
    count
}

/// Whether all of `events` are in files of user space.
///
/// # Safety
///
/// `events` comes from `bpf_image_events()`.
#[export]
pub(crate) unsafe extern "C" fn bpf_events_are_of_user(
    events: *const bindings::bpf_events,
) -> bool {
    // SAFETY: The caller guarantees that `events` is valid.
    unsafe { &*events.cast::<Events>() }.allowed().are_of_user()
}

/// Whether all of `events` are tracepoints that `listed` knows.
///
/// # Safety
///
/// `events` comes from `bpf_image_events()`, and `listed` takes any name with its length.
#[export]
pub(crate) unsafe extern "C" fn bpf_events_are_tracepoints(
    events: *const bindings::bpf_events,
    listed: Option<NameListed>,
) -> bool {
    let Some(listed) = listed else {
        return false;
    };
    // SAFETY: The caller guarantees that `events` is valid.
    let events = unsafe { &*events.cast::<Events>() };
    events.allowed().are_tracepoints(&mut |name| {
        // SAFETY: The caller guarantees that any name will do; the length is its own.
        unsafe { listed(name.as_ptr().cast(), name.len()) }
    })
}

/// The word for a kind of events, as `SEC()` has it.
///
/// # Safety
///
/// Nothing is asked of the caller.
#[export]
pub(crate) unsafe extern "C" fn bpf_event_word(kind: u32) -> *const c_char {
    events::word(kind).as_char_ptr()
}

/// Tells the kernel's log of an event that `events` do not allow.
///
/// # Safety
///
/// `events` comes from `bpf_image_events()`; `facts` and what it points to are valid; `prog_name`
/// is NUL-terminated.
#[export]
pub(crate) unsafe extern "C" fn bpf_events_tell(
    events: *const bindings::bpf_events,
    facts: *const bindings::bpf_event_facts,
    prog_name: *const c_char,
) {
    // SAFETY: The caller guarantees that `events` is valid.
    let events = unsafe { &*events.cast::<Events>() };
    // SAFETY: The caller guarantees that `facts` is valid.
    let met = unsafe { MetByC::new(facts) }.met();
    // SAFETY: The caller guarantees that `prog_name` is NUL-terminated.
    let name = Text(unsafe { CStr::from_char_ptr(prog_name) }.to_bytes());
    // What `core` formats, `pr_warn!` takes only behind `format_args!`.
    pr_warn!(
        "{}\n",
        format_args!(
            "program '{name}' may not be attached to {met}: it was signed for {}; its signer can \
             allow that by 'attach {name} {met}' in the policy",
            events.allowed()
        )
    );
}

/// Holds every layout and number that the crate has of C against C. The files that have them are
/// compiled on the host as well, where there are no bindings.
mod uapi {
    use crate::{
        btf,
        core_relo::{
            self,
            ReloKind, //
        },
        image::{
            self,
            prog_type,
            records::*,
            Kind, //
        },
        slots,
        target::{
            self,
            attach_type, //
        },
    };
    use core::mem::{
        offset_of,
        size_of, //
    };
    use kernel::bindings as c;

    /// The same size, and fields at the same offsets: `field`, or `ours = theirs`.
    macro_rules! same_layout {
        ($ours:ty, $theirs:ty, { $($($field:ident).+ $(= $other:ident)?),* $(,)? }) => {
            const _: () = {
                assert!(size_of::<$ours>() == size_of::<$theirs>());
                $(same_layout!(@field $ours, $theirs, $($field).+ $(= $other)?);)*
            };
        };
        (@field $ours:ty, $theirs:ty, $field:ident) => {
            assert!(offset_of!($ours, $field) == offset_of!($theirs, $field))
        };
        (@field $ours:ty, $theirs:ty, $($field:ident).+ = $other:ident) => {
            assert!(offset_of!($ours, $($field).+) == offset_of!($theirs, $other))
        };
    }

    /// The same number; none of them is negative.
    macro_rules! same {
        ($($ours:expr => $theirs:ident),* $(,)?) => {
            const _: () = {
                $(assert!($ours as u64 == c::$theirs as u64, stringify!($theirs));)*
            };
        };
    }

    same_layout!(Header, c::bpf_image_hdr, {
        magic, version, size, flags, section_cnt, prog_type, expected_attach_type, prog_flags,
        license, reserved, name,
    });
    same_layout!(SectionEntry, c::bpf_image_section, { kind = type_, rec_size, off, len });
    same_layout!(BtfRecord, c::bpf_image_btf, { digest });
    same_layout!(MapSlot, c::bpf_image_map, {
        name, shape.kind = type_, shape.key_size = key_size, shape.value_size = value_size,
        shape.max_entries = max_entries, shape.map_flags = map_flags, flags, btf_key_type_id,
        btf_value_type_id, inner_type, inner_key_size, inner_value_size, inner_map_flags, reserved,
        map_extra, digest,
    });
    same_layout!(Tunable, c::bpf_image_tunable, { map, off, len, name });
    same_layout!(Ksym, c::bpf_image_ksym, { insn, kind, name, type_id, flags, reserved });
    same_layout!(Attach, c::bpf_image_attach, { name, member, flags, reserved });
    same_layout!(Lockdown, c::bpf_image_lockdown, { mode, flags, classes, reserved });
    same_layout!(Event, c::bpf_image_event, { kind, name, symbol, flags });
    same_layout!(Insn, c::bpf_insn, { code, off, imm });
    same_layout!(FuncInfo, c::bpf_func_info, { insn_off, type_id });
    same_layout!(LineInfo, c::bpf_line_info, { insn_off, file_name_off, line_off, line_col });
    same_layout!(CoreRelo, c::bpf_core_relo, { insn_off, type_id, access_str_off, kind });
    same_layout!(core_relo::Insn, c::bpf_insn, { code, off, imm });
    same_layout!(core_relo::Relo, c::bpf_core_relo, { insn_off, type_id, access_str_off, kind });

    same! {
        MAGIC => BPF_IMAGE_MAGIC,
        VERSION => BPF_IMAGE_VERSION,
        size_of::<Digest>() => BPF_IMAGE_DIGEST_SIZE,
        MAX_SIZE => BPF_IMAGE_MAX_SIZE,
        MAX_SIGNATURE => BPF_IMAGE_MAX_SIGNATURE,
        MAX_INSNS => BPF_COMPLEXITY_LIMIT_INSNS,
        MAX_MAPS => BPF_IMAGE_MAX_MAPS,
        MAX_TUNABLES => BPF_IMAGE_MAX_TUNABLES,
        MAX_KSYMS => BPF_IMAGE_MAX_KSYMS,
        MAX_ATTACH => BPF_IMAGE_MAX_ATTACH,
        MAX_CORE_RELOS => BPF_IMAGE_MAX_CORE_RELOS,
        MAX_CORE_RELOS => BPF_CORE_RELO_MAX,
        MAX_EVENTS => BPF_IMAGE_MAX_EVENTS,
        MAX_NAME => BPF_IMAGE_MAX_NAME,

        Kind::Strings => bpf_image_section_type_BPF_IMAGE_STRINGS,
        Kind::Insns => bpf_image_section_type_BPF_IMAGE_INSNS,
        Kind::Btf => bpf_image_section_type_BPF_IMAGE_BTF,
        Kind::FuncInfo => bpf_image_section_type_BPF_IMAGE_FUNC_INFO,
        Kind::LineInfo => bpf_image_section_type_BPF_IMAGE_LINE_INFO,
        Kind::CoreRelo => bpf_image_section_type_BPF_IMAGE_CORE_RELO,
        Kind::Maps => bpf_image_section_type_BPF_IMAGE_MAPS,
        Kind::Tunables => bpf_image_section_type_BPF_IMAGE_TUNABLES,
        Kind::Ksyms => bpf_image_section_type_BPF_IMAGE_KSYMS,
        Kind::Attach => bpf_image_section_type_BPF_IMAGE_ATTACH,
        Kind::Lockdown => bpf_image_section_type_BPF_IMAGE_LOCKDOWN,
        Kind::Events => bpf_image_section_type_BPF_IMAGE_EVENTS,

        MapSlot::FIXED_ENTRIES => BPF_IMAGE_MAP_FIXED_ENTRIES,
        MapSlot::FREE_VALUE_SIZE => BPF_IMAGE_MAP_FREE_VALUE_SIZE,
        MapSlot::FIXED_CONTENTS => BPF_IMAGE_MAP_FIXED_CONTENTS,
        Ksym::KFUNC => bpf_image_ksym_kind_BPF_IMAGE_KSYM_KFUNC,
        Ksym::TYPED => bpf_image_ksym_kind_BPF_IMAGE_KSYM_TYPED,
        Ksym::UNTYPED => bpf_image_ksym_kind_BPF_IMAGE_KSYM_UNTYPED,
        Ksym::WEAK => BPF_IMAGE_KSYM_WEAK,
        Attach::GLOB => BPF_IMAGE_ATTACH_GLOB,
        Attach::PROG => BPF_IMAGE_ATTACH_PROG,
        Lockdown::INTEGRITY => bpf_lockdown_mode_BPF_LOCKDOWN_INTEGRITY,
        Lockdown::CONFIDENTIALITY => bpf_lockdown_mode_BPF_LOCKDOWN_CONFIDENTIALITY,
        Lockdown::CLASSES => bpf_lockdown_class_BPF_LOCKDOWN_CLASSES,
        Lockdown::FORBID => BPF_IMAGE_LOCKDOWN_FORBID,
        Event::KPROBE => bpf_image_event_kind_BPF_IMAGE_EVENT_KPROBE,
        Event::KRETPROBE => bpf_image_event_kind_BPF_IMAGE_EVENT_KRETPROBE,
        Event::UPROBE => bpf_image_event_kind_BPF_IMAGE_EVENT_UPROBE,
        Event::URETPROBE => bpf_image_event_kind_BPF_IMAGE_EVENT_URETPROBE,
        Event::USDT => bpf_image_event_kind_BPF_IMAGE_EVENT_USDT,
        Event::TRACEPOINT => bpf_image_event_kind_BPF_IMAGE_EVENT_TRACEPOINT,
        Event::RAW_TP => bpf_image_event_kind_BPF_IMAGE_EVENT_RAW_TP,
        Event::PERF => bpf_image_event_kind_BPF_IMAGE_EVENT_PERF,
        Event::GLOB => BPF_IMAGE_EVENT_GLOB,

        Insn::PSEUDO_MAP_FD => BPF_PSEUDO_MAP_FD,
        Insn::PSEUDO_MAP_VALUE => BPF_PSEUDO_MAP_VALUE,
        Insn::PSEUDO_BTF_ID => BPF_PSEUDO_BTF_ID,
        Insn::PSEUDO_MAP_IDX => BPF_PSEUDO_MAP_IDX,
        Insn::PSEUDO_MAP_IDX_VALUE => BPF_PSEUDO_MAP_IDX_VALUE,
        Insn::PSEUDO_KFUNC_CALL => BPF_PSEUDO_KFUNC_CALL,

        !image::PROG_FLAGS => BPF_F_TOKEN_FD,
        image::MAP_RDONLY_PROG => BPF_F_RDONLY_PROG,
        image::MAP_TYPE_ARRAY => bpf_map_type_BPF_MAP_TYPE_ARRAY,
        image::MAP_TYPE_INSN_ARRAY => bpf_map_type_BPF_MAP_TYPE_INSN_ARRAY,
        image::PROG_TYPE_STRUCT_OPS => bpf_prog_type_BPF_PROG_TYPE_STRUCT_OPS,
        prog_type::KPROBE => bpf_prog_type_BPF_PROG_TYPE_KPROBE,
        prog_type::TRACEPOINT => bpf_prog_type_BPF_PROG_TYPE_TRACEPOINT,
        prog_type::PERF_EVENT => bpf_prog_type_BPF_PROG_TYPE_PERF_EVENT,
        prog_type::RAW_TRACEPOINT => bpf_prog_type_BPF_PROG_TYPE_RAW_TRACEPOINT,
        prog_type::RAW_TRACEPOINT_WRITABLE => bpf_prog_type_BPF_PROG_TYPE_RAW_TRACEPOINT_WRITABLE,
        slots::MAP_NUMA_NODE => BPF_F_NUMA_NODE,
        slots::MAP_TYPE_ARENA => bpf_map_type_BPF_MAP_TYPE_ARENA,
        slots::MAP_TYPE_DEVMAP => bpf_map_type_BPF_MAP_TYPE_DEVMAP,
        slots::MAP_TYPE_DEVMAP_HASH => bpf_map_type_BPF_MAP_TYPE_DEVMAP_HASH,
        attach_type::RAW_TP => bpf_attach_type_BPF_TRACE_RAW_TP,
        attach_type::LSM_MAC => bpf_attach_type_BPF_LSM_MAC,
        attach_type::ITER => bpf_attach_type_BPF_TRACE_ITER,
        attach_type::LSM_CGROUP => bpf_attach_type_BPF_LSM_CGROUP,
        target::BTF_STRUCT => BTF_KIND_STRUCT,
        target::BTF_TYPEDEF => BTF_KIND_TYPEDEF,
        target::BTF_FUNC => BTF_KIND_FUNC,
        target::BTF_VAR => BTF_KIND_VAR,
    }

    same! {
        btf::Kind::Unknown => BTF_KIND_UNKN,
        btf::Kind::Int => BTF_KIND_INT,
        btf::Kind::Ptr => BTF_KIND_PTR,
        btf::Kind::Array => BTF_KIND_ARRAY,
        btf::Kind::Struct => BTF_KIND_STRUCT,
        btf::Kind::Union => BTF_KIND_UNION,
        btf::Kind::Enum => BTF_KIND_ENUM,
        btf::Kind::Fwd => BTF_KIND_FWD,
        btf::Kind::Typedef => BTF_KIND_TYPEDEF,
        btf::Kind::Volatile => BTF_KIND_VOLATILE,
        btf::Kind::Const => BTF_KIND_CONST,
        btf::Kind::Restrict => BTF_KIND_RESTRICT,
        btf::Kind::Func => BTF_KIND_FUNC,
        btf::Kind::FuncProto => BTF_KIND_FUNC_PROTO,
        btf::Kind::Var => BTF_KIND_VAR,
        btf::Kind::Datasec => BTF_KIND_DATASEC,
        btf::Kind::Float => BTF_KIND_FLOAT,
        btf::Kind::DeclTag => BTF_KIND_DECL_TAG,
        btf::Kind::TypeTag => BTF_KIND_TYPE_TAG,
        btf::Kind::Enum64 => BTF_KIND_ENUM64,

        ReloKind::FieldByteOffset => bpf_core_relo_kind_BPF_CORE_FIELD_BYTE_OFFSET,
        ReloKind::FieldByteSize => bpf_core_relo_kind_BPF_CORE_FIELD_BYTE_SIZE,
        ReloKind::FieldExists => bpf_core_relo_kind_BPF_CORE_FIELD_EXISTS,
        ReloKind::FieldSigned => bpf_core_relo_kind_BPF_CORE_FIELD_SIGNED,
        ReloKind::FieldLshiftU64 => bpf_core_relo_kind_BPF_CORE_FIELD_LSHIFT_U64,
        ReloKind::FieldRshiftU64 => bpf_core_relo_kind_BPF_CORE_FIELD_RSHIFT_U64,
        ReloKind::TypeIdLocal => bpf_core_relo_kind_BPF_CORE_TYPE_ID_LOCAL,
        ReloKind::TypeIdTarget => bpf_core_relo_kind_BPF_CORE_TYPE_ID_TARGET,
        ReloKind::TypeExists => bpf_core_relo_kind_BPF_CORE_TYPE_EXISTS,
        ReloKind::TypeSize => bpf_core_relo_kind_BPF_CORE_TYPE_SIZE,
        ReloKind::EnumvalExists => bpf_core_relo_kind_BPF_CORE_ENUMVAL_EXISTS,
        ReloKind::EnumvalValue => bpf_core_relo_kind_BPF_CORE_ENUMVAL_VALUE,
        ReloKind::TypeMatches => bpf_core_relo_kind_BPF_CORE_TYPE_MATCHES,
    }

    // Without names of their own in C.
    const _: () = {
        assert!(Insn::LD_IMM64 as u32 == c::BPF_LD | c::BPF_IMM | c::BPF_DW);
        assert!(Insn::CALL as u32 == c::BPF_JMP | c::BPF_CALL);
        assert!(image::MAP_FD_FLAGS == c::BPF_F_TOKEN_FD | c::BPF_F_VTYPE_BTF_OBJ_FD);
    };
}

/// How it is asked whether a name is on a list: `bpf_btf_member_listed_t` and
/// `bpf_btf_name_listed_t`.
type MemberListed = unsafe extern "C" fn(*const c_char, usize, *const c_char, usize) -> bool;
type NameListed = unsafe extern "C" fn(*const c_char, usize) -> bool;

/// Whether a member that `listed` names covers some bytes of a type of vmlinux. Types of modules
/// may bear the same names.
///
/// # Safety
///
/// `btf` is valid, and `listed` takes any two names with their lengths.
#[export]
pub(crate) unsafe extern "C" fn bpf_btf_covers(
    btf: *const bindings::btf,
    id: u32,
    off: u32,
    size: u32,
    listed: Option<MemberListed>,
) -> bool {
    let Some(listed) = listed else {
        return false;
    };
    // SAFETY: The caller guarantees that `btf` is valid.
    let btf = unsafe { Btf::from_raw(btf) };
    let view = btf.view();
    let base = view.base.map(|base| types(base, None));
    let types = types(btf, base.as_ref());
    if base.is_some() && types.own_ids().contains(&id) {
        return false;
    }
    layout::covers(&types, id, off, size, &mut |strct, member| {
        // SAFETY: The caller guarantees that any names will do; the lengths are theirs.
        unsafe {
            listed(
                strct.as_ptr().cast(),
                strct.len(),
                member.as_ptr().cast(),
                member.len(),
            )
        }
    })
}

/// The bytes of a type that is a number which cannot be an address, or zero.
///
/// # Safety
///
/// `btf` is valid, and `listed` takes any name with its length.
#[export]
pub(crate) unsafe extern "C" fn bpf_btf_plain_scalar(
    btf: *const bindings::btf,
    id: u32,
    listed: Option<NameListed>,
) -> u32 {
    let Some(listed) = listed else {
        return 0;
    };
    // SAFETY: The caller guarantees that `btf` is valid.
    let btf = unsafe { Btf::from_raw(btf) };
    let view = btf.view();
    let base = view.base.map(|base| types(base, None));
    let types = types(btf, base.as_ref());
    layout::plain_scalar(&types, id, &mut |name| {
        // SAFETY: The caller guarantees that any name will do; the length is its own.
        unsafe { listed(name.as_ptr().cast(), name.len()) }
    })
    .unwrap_or(0)
}
