// SPDX-License-Identifier: GPL-2.0

//! CO-RE relocation inside the kernel: real BTF, real memory, the verifier's log.
//!
//! Relocation takes three allocations whatever there is to relocate (workspace, table of root
//! types, list of candidates; the last may have to grow), beside the verifier's copy of the
//! records; no lock, and references to modules only if vmlinux does not have a type.

use crate::{
    btf::{
        Parts,
        Types, //
    },
    core_relo::{
        self,
        Cache,
        Candidate,
        Errno,
        Insn,
        Level,
        List,
        Relo,
        Relocator,
        Slot,
        Targets,
        Workspace, //
    },
};
use core::{
    fmt::Arguments,
    mem::{
        align_of,
        size_of, //
    },
    slice, //
};
use kernel::{
    bindings,
    bpf::{
        btf::{
            Btf,
            View, //
        },
        log::Log, //
    },
    current,
    ffi::c_int,
    prelude::*,
    sync::aref::ARef,
    task::cond_resched, //
};

/// Levels of the verifier's log in which details are told, `BPF_LOG_LEVEL2`.
const LOG_DETAIL: u32 = 2;

/// Views the types of `btf`. Those of its base are not seen, unless they are passed in.
pub(crate) fn types<'a>(btf: &'a Btf, base: Option<&'a Types<'a>>) -> Types<'a> {
    let View {
        records,
        index,
        strings,
        start_id,
        start_str_off,
        named_start_id,
        base: _,
    } = btf.view();
    let parts = Parts {
        records,
        index,
        strings,
        start_id,
        start_str_off,
        named_start_id,
    };
    Types::new(parts, base)
}

impl From<core_relo::Error> for Error {
    fn from(e: core_relo::Error) -> Self {
        match e.errno() {
            Errno::Invalid => EINVAL,
            Errno::TooBig => E2BIG,
            Errno::Range => ERANGE,
            Errno::NoMemory => ENOMEM,
        }
    }
}

/// The BTF of vmlinux and, once they are asked for, that of all modules.
struct Kernel {
    vmlinux: Option<Types<'static>>,
    modules: Option<KVec<ARef<Btf>>>,
}

impl Kernel {
    fn new() -> Self {
        Self {
            // Without it no candidate is found. A program may not need any.
            vmlinux: Btf::vmlinux().ok().map(|btf| types(btf, None)),
            modules: None,
        }
    }
}

impl Targets for Kernel {
    fn types(&self, btf: u32) -> Option<Types<'_>> {
        let vmlinux = self.vmlinux.as_ref()?;
        let Some(module) = btf.checked_sub(1) else {
            return Some(*vmlinux);
        };
        let modules = self.modules.as_ref()?;
        let module = modules.get(usize::try_from(module).ok()?)?;
        Some(types(module, Some(vmlinux)))
    }

    fn modules(&mut self) -> Result<u32, core_relo::Error> {
        let modules = match &mut self.modules {
            Some(modules) => modules,
            none => {
                let mut modules = KVec::new();
                for module in Btf::modules() {
                    modules
                        .push(module, GFP_KERNEL_ACCOUNT)
                        .map_err(|_| core_relo::Error::NoMemory)?;
                }
                none.insert(modules)
            }
        };
        u32::try_from(modules.len()).map_err(|_| core_relo::Error::NoMemory)
    }
}

/// Candidates, in memory that is the caller's to account for.
struct Found(KVVec<Candidate>);

impl List for Found {
    fn push(&mut self, candidate: Candidate) -> Result<(), core_relo::Error> {
        self.0
            .push(candidate, GFP_KERNEL_ACCOUNT)
            .map_err(|_| core_relo::Error::NoMemory)
    }

    fn as_slice(&self) -> &[Candidate] {
        &self.0
    }
}

impl core_relo::Log for &Log {
    fn wants(&self, level: Level) -> bool {
        match level {
            Level::Warning => self.level() != 0,
            Level::Detail => self.level() & LOG_DETAIL != 0,
        }
    }

    fn line(&mut self, args: Arguments<'_>) {
        self.write(format_args!("{args}\n"));
    }
}

/// A [`Workspace`] that can be had zeroed, and so without a copy on the stack.
#[repr(transparent)]
struct ZeroedWorkspace(Workspace);

// SAFETY: By the type invariants of a workspace and of all that is in it.
unsafe impl Zeroable for ZeroedWorkspace {}

/// Relocates `insns`, a program with the types `local`, by `relos`; types are compared `levels`
/// deep.
fn relocate(
    local: &Btf,
    insns: &mut [Insn],
    relos: &[Relo],
    levels: usize,
    mut log: &Log,
) -> Result {
    let slots = Cache::<Found>::slots_for(relos.len());
    let mut slots = KVVec::from_elem(Slot::default(), slots, GFP_KERNEL_ACCOUNT)?;
    let found = Found(KVVec::with_capacity(relos.len(), GFP_KERNEL_ACCOUNT)?);
    let mut work = KBox::<ZeroedWorkspace>::zeroed(GFP_KERNEL_ACCOUNT)?;
    let kernel = Kernel::new();
    let local = types(local, None);
    let mut relocator = Relocator::new(local, kernel, &mut slots, found, &mut work.0, levels);
    for (relo, n) in relos.iter().zip(0..) {
        // As the verifier does in its own loops.
        if current!().signal_pending() {
            return Err(EAGAIN);
        }
        cond_resched();
        relocator.relocate(n, relo, insns, &mut log)?;
    }
    Ok(())
}

const _: () = {
    assert!(size_of::<Insn>() == size_of::<bindings::bpf_insn>());
    assert!(align_of::<Insn>() == align_of::<bindings::bpf_insn>());
    assert!(size_of::<Relo>() == size_of::<bindings::bpf_core_relo>());
    assert!(align_of::<Relo>() == align_of::<bindings::bpf_core_relo>());
};

/// Applies the CO-RE records of a program. Types that are compared as wholes may nest `levels`
/// deep.
///
/// # Safety
///
/// `log` and `btf` are valid. `insns` is valid for reading and writing `insn_cnt` instructions,
/// `relos` for reading `cnt` records, and nobody else changes either of them meanwhile.
#[export]
pub(crate) unsafe extern "C" fn bpf_core_relocate(
    log: *mut bindings::bpf_verifier_log,
    btf: *const bindings::btf,
    insns: *mut bindings::bpf_insn,
    insn_cnt: u32,
    relos: *const bindings::bpf_core_relo,
    cnt: u32,
    levels: u32,
) -> c_int {
    if cnt == 0 || insn_cnt == 0 {
        return 0;
    }
    // SAFETY: The caller guarantees that both are valid.
    let (log, btf) = unsafe { (Log::from_raw(log), Btf::from_raw(btf)) };
    // SAFETY: The caller guarantees that the instructions are valid and ours alone; `Insn` has
    // the layout of `bpf_insn`. A `u32` always fits into a `usize`.
    let insns = unsafe { slice::from_raw_parts_mut(insns.cast::<Insn>(), insn_cnt as usize) };
    // SAFETY: The caller guarantees that the records are valid; `Relo` has the layout of
    // `bpf_core_relo`. A `u32` always fits into a `usize`.
    let relos = unsafe { slice::from_raw_parts(relos.cast::<Relo>(), cnt as usize) };
    match relocate(btf, insns, relos, levels as usize, log) {
        Ok(()) => 0,
        Err(e) => e.to_errno(),
    }
}

#[cfg(CONFIG_BPF_SIGNED_IMAGE_KUNIT_TEST)]
#[kernel::macros::kunit_tests(bpf_signed_core_relo)]
mod tests {
    use super::*;
    use crate::{
        btf::{
            Blob,
            Kind, //
        },
        core_relo::{
            patch::POISON,
            types::MAX_LEVEL,
            ReloKind, //
        },
    };
    use core::mem::{
        offset_of,
        size_of_val, //
    };

    /// Nobody reads it.
    struct Quiet;

    impl core_relo::Log for Quiet {
        fn wants(&self, _level: Level) -> bool {
            false
        }

        fn line(&mut self, _args: Arguments<'_>) {}
    }

    /// What a program's BTF may say: `struct task_struct { int pid; }`, as that of this kernel
    /// but for its offset, and `struct nowhere { int pid; }`.
    fn program() -> Result<KVec<u8>> {
        const STRINGS: &[u8] = b"\0int\0task_struct\0pid\0nowhere\x000:0\0";
        // Where the names are.
        const INT: u32 = 1;
        const TASK_STRUCT: u32 = 5;
        const PID: u32 = 17;
        const NOWHERE: u32 = 21;
        // With one member.
        const STRUCT: u32 = (4 << 24) | 1;
        let types: [&[u32]; 3] = [
            &[INT, 1 << 24, 4, (1 << 24) | 32],
            &[TASK_STRUCT, STRUCT, 4, PID, 1, 0],
            &[NOWHERE, STRUCT, 4, PID, 1, 0],
        ];
        let len = types.iter().map(|t| size_of_val(*t)).sum::<usize>();
        let len = u32::try_from(len)?;
        let header: &[u32] = &[24, 0, len, len, u32::try_from(STRINGS.len())?];

        let mut blob = KVec::new();
        blob.extend_from_slice(&0xeb9fu16.to_ne_bytes(), GFP_KERNEL)?;
        blob.extend_from_slice(&[1, 0], GFP_KERNEL)?;
        for words in [&[header][..], &types].into_iter().flatten() {
            for word in *words {
                blob.extend_from_slice(&word.to_ne_bytes(), GFP_KERNEL)?;
            }
        }
        blob.extend_from_slice(STRINGS, GFP_KERNEL)?;
        Ok(blob)
    }

    /// Where the access string `0:0` is in the strings of [`program`].
    const ACCESS: u32 = 29;

    /// Relocates `r1 = 0` about member 0 of type `type_id` of [`program`].
    fn run(type_id: u32, kind: ReloKind) -> Result<Insn> {
        let blob = program()?;
        let blob = Blob::parse(&blob).ok_or(EINVAL)?;
        let mut index = KVec::from_elem(0, blob.index_len(None).ok_or(EINVAL)?, GFP_KERNEL)?;
        let local = blob.types(&mut index, None).ok_or(EINVAL)?;
        let mut slots = KVec::from_elem(Slot::default(), 16, GFP_KERNEL)?;
        let mut work = KBox::<ZeroedWorkspace>::zeroed(GFP_KERNEL)?;
        let kernel = Kernel::new();
        let found = Found(KVVec::new());
        let mut insns = [Insn {
            code: 0xb7,
            regs: 1,
            off: 0,
            imm: i32::from(kind == ReloKind::FieldExists),
        }];
        let relo = Relo {
            insn_off: 0,
            type_id,
            access_str_off: ACCESS,
            kind: kind as u32,
        };
        Relocator::new(local, kernel, &mut slots, found, &mut work.0, MAX_LEVEL)
            .relocate(0, &relo, &mut insns, &mut Quiet)?;
        Ok(insns[0])
    }

    /// A member is where this kernel has it.
    #[test]
    fn offset_of_pid() -> Result {
        let expected = offset_of!(bindings::task_struct, pid);
        let insn = run(2, ReloKind::FieldByteOffset)?;
        assert_eq!(insn.imm, i32::try_from(expected)?);
        assert_eq!(run(2, ReloKind::FieldExists)?.imm, 1);
        Ok(())
    }

    /// What is in neither vmlinux nor a module is poisoned, or does not exist.
    #[test]
    fn nowhere() -> Result {
        assert_eq!(run(3, ReloKind::FieldByteOffset)?.imm, POISON);
        assert_eq!(run(3, ReloKind::FieldExists)?.imm, 0);
        Ok(())
    }

    /// The view of a BTF and the functions in C find the same.
    #[test]
    fn view_agrees_with_c() -> Result {
        let btf = Btf::vmlinux()?;
        let types = types(btf, None);
        assert!(types.is_sorted());
        let names = [
            (c"task_struct", Kind::Struct),
            (c"bpf_prog_load", Kind::Func),
            (c"u32", Kind::Typedef),
            (c"bpf_prog_type", Kind::Enum),
            (c"int", Kind::Int),
            (c"task_struct", Kind::Union),
            (c"zzzzzz", Kind::Struct),
            (c"", Kind::Struct),
        ];
        for (name, kind) in names {
            let ours = types.find_by_name_kind(name.to_bytes(), kind);
            let theirs = match kind {
                // Anonymous types are not looked for.
                _ if name.to_bytes().is_empty() => None,
                kind => btf.find_by_name_kind(name, kind as u32),
            };
            assert_eq!(ours, theirs);
        }
        Ok(())
    }

    /// All modules can be had, and given back.
    #[test]
    fn modules() {
        for btf in Btf::modules() {
            assert!(btf.is_module());
            assert!(types(&btf, None).own_ids().start > 1);
        }
    }
}
