// SPDX-License-Identifier: GPL-2.0

//! The instructions of an image: what they may refer to, and what the kernel writes into them.

use super::{
    records::*,
    Fault,
    Image,
    Kind, //
};
use core::mem::size_of;
use zerocopy::{
    FromBytes,
    IntoBytes, //
};

/// Base of the helper numbers that stand for a map that is not there; libbpf's
/// `POISON_LDIMM64_MAP_BASE`.
const POISON_MAP_BASE: i32 = 2_001_000_000;

/// Checks that instructions refer to maps by slot only, and to kernel symbols by record only.
///
/// What an fd or a BTF id means is decided when a program is loaded, so neither can be signed.
pub(super) fn check(image: &Image<'_>) -> Result<(), Fault> {
    let slots = image.layout().count(Kind::Maps);
    let ksyms = image.records::<Ksym>(Kind::Ksyms);
    let mut pending = (0u32..).zip(ksyms.iter()).peekable();
    let mut insns = (0u32..).zip(image.records::<Insn>(Kind::Insns).iter());

    while let Some((i, insn)) = insns.next() {
        let fault = |rule| Err(Fault::record(Kind::Insns, i, rule));
        // An `ld_imm64` takes two slots; the second holds the upper half of its value only.
        let upper = if insn.is_ld_imm64() {
            match insns.next() {
                Some((_, upper)) => Some(upper),
                None => return fault("ld_imm64 without its second half"),
            }
        } else {
            None
        };
        let ksym = match pending.peek() {
            Some((_, ksym)) if ksym.insn <= i => pending.next(),
            _ => None,
        };
        if let Some((k, ksym)) = ksym {
            check_ksym(image, k, &ksym, i, &insn, upper.as_ref())?;
            continue;
        }
        match (insn.code, insn.src()) {
            (Insn::LD_IMM64, Insn::PSEUDO_MAP_FD | Insn::PSEUDO_MAP_VALUE) => {
                return fault("names a map by fd instead of slot");
            }
            (Insn::LD_IMM64, Insn::PSEUDO_BTF_ID) => {
                return fault("names a kernel symbol by id instead of a KSYMS record");
            }
            (Insn::LD_IMM64, Insn::PSEUDO_MAP_IDX | Insn::PSEUDO_MAP_IDX_VALUE)
                if !u32::try_from(insn.imm).is_ok_and(|slot| slot < slots) =>
            {
                return fault("no such map slot");
            }
            (Insn::CALL, Insn::PSEUDO_KFUNC_CALL) => {
                return fault("names a kfunc by id instead of a KSYMS record");
            }
            _ => {}
        }
    }
    match pending.next() {
        None => Ok(()),
        Some((k, _)) => Err(Fault::record(Kind::Ksyms, k, "no such instruction")),
    }
}

fn check_ksym(
    image: &Image<'_>,
    k: u32,
    ksym: &Ksym,
    i: u32,
    insn: &Insn,
    upper: Option<&Insn>,
) -> Result<(), Fault> {
    let fault = |rule| Err(Fault::record(Kind::Ksyms, k, rule));

    if ksym.insn != i {
        return fault("records are out of order, or point into the middle of an instruction");
    }
    image.check_name(super::Place::Record(Kind::Ksyms, k), ksym.name)?;
    if ksym.flags & !Ksym::WEAK != 0 {
        return fault("unknown flag");
    }
    if ksym.reserved != 0 {
        return fault("reserved field is not zero");
    }
    // Without it the verifier would not take the BTF at all.
    if ksym.type_id != 0 && image.layout().span(Kind::FuncInfo).is_empty() {
        return fault("type_id needs a FUNC_INFO section");
    }
    let fits = match ksym.kind {
        Ksym::KFUNC => insn.code == Insn::CALL && insn.src() == Insn::PSEUDO_KFUNC_CALL,
        Ksym::TYPED => insn.is_ld_imm64() && insn.src() == Insn::PSEUDO_BTF_ID,
        Ksym::UNTYPED => insn.is_ld_imm64() && insn.src() == 0,
        _ => return fault("unknown kind"),
    };
    if !fits {
        return fault("does not fit its instruction");
    }
    if insn.imm != 0 || insn.off != 0 || upper.is_some_and(|u| *u != Insn::new(0, 0, 0, 0, 0)) {
        return fault("its instruction has a value already");
    }
    Ok(())
}

/// What a [`Ksym`] stands for in the running kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Resolved {
    /// A function or variable of the kernel's BTF. `module` is zero for vmlinux, else where the
    /// verifier finds the module's BTF.
    BtfId {
        /// Type id.
        id: i32,
        /// Zero, or index plus one.
        module: i16,
    },
    /// An address.
    Address(u64),
    /// A weak symbol that this kernel does not have.
    Null,
}

/// Writes what `ksym` stands for into `insns`.
///
/// Returns [`None`] if `ksym` does not belong to `insns`, which [`check`] rules out.
pub(crate) fn resolve(insns: &mut [u8], ksym: &Ksym, found: Resolved) -> Option<()> {
    let insn = read(insns, ksym.insn)?;
    let (code, dst) = (insn.code, insn.dst());

    if ksym.kind == Ksym::KFUNC {
        // A call of id 0 passes only where the verifier finds it unreachable.
        let (id, module) = match found {
            Resolved::BtfId { id, module } => (id, module),
            Resolved::Address(_) | Resolved::Null => (0, 0),
        };
        return write(
            insns,
            ksym.insn,
            Insn::new(code, dst, Insn::PSEUDO_KFUNC_CALL, module, id),
        );
    }
    let (src, low, high) = match found {
        Resolved::BtfId { id, module } => (Insn::PSEUDO_BTF_ID, id, i32::from(module)),
        // Truncation is meant: the two halves of the address.
        Resolved::Address(addr) => (0, addr as i32, (addr >> 32) as i32),
        Resolved::Null => (0, 0, 0),
    };
    write(insns, ksym.insn, Insn::new(code, dst, src, 0, low))?;
    write(
        insns,
        ksym.insn.checked_add(1)?,
        Insn::new(0, 0, 0, 0, high),
    )
}

/// The BTF id that `ksym` was resolved to in `insns`, and the number of the module; [`None`] for an
/// address or null.
pub(crate) fn resolved_id(insns: &[u8], ksym: &Ksym) -> Option<(u32, u32)> {
    let insn = read(insns, ksym.insn)?;
    let module = match ksym.kind {
        Ksym::KFUNC if insn.imm != 0 => u32::try_from(insn.off).ok()?,
        Ksym::TYPED if insn.src() == Insn::PSEUDO_BTF_ID => {
            u32::try_from(read(insns, ksym.insn.checked_add(1)?)?.imm).ok()?
        }
        _ => return None,
    };
    Some((u32::try_from(insn.imm).ok()?, module))
}

/// Lets the instructions that refer to a map slot refer to an index of the fds instead.
///
/// Where `fd_index` has none for a slot, they become calls of a helper that does not exist: the
/// verifier refuses those only where the program can get there, as with libbpf.
pub(crate) fn bind_slots(insns: &mut [u8], fd_index: impl Fn(u32) -> Option<i32>) -> Option<()> {
    let mut i = 0u32;

    while let Some(insn) = read(insns, i) {
        if insn.is_map_slot() {
            let slot = u32::try_from(insn.imm).ok()?;
            match fd_index(slot) {
                Some(to) => {
                    let insn = Insn::new(insn.code, insn.dst(), insn.src(), insn.off, to);
                    write(insns, i, insn)?;
                }
                None => {
                    let helper = POISON_MAP_BASE.checked_add_unsigned(slot)?;
                    let poison = Insn::new(Insn::CALL, 0, 0, 0, helper);
                    write(insns, i, poison)?;
                    write(insns, i.checked_add(1)?, poison)?;
                }
            }
        }
        i = i.checked_add(if insn.is_ld_imm64() { 2 } else { 1 })?;
    }
    Some(())
}

fn at(index: u32) -> Option<core::ops::Range<usize>> {
    let start = usize::try_from(index)
        .ok()?
        .checked_mul(size_of::<Insn>())?;
    Some(start..start.checked_add(size_of::<Insn>())?)
}

fn read(insns: &[u8], index: u32) -> Option<Insn> {
    Insn::read_from_bytes(insns.get(at(index)?)?).ok()
}

fn write(insns: &mut [u8], index: u32, insn: Insn) -> Option<()> {
    insn.write_to(insns.get_mut(at(index)?)?).ok()
}
