// SPDX-License-Identifier: GPL-2.0

//! libbpf's engine, and comparing one record.

use crate::harness::*;
use crate::signed::btf::{Kind, Types};
use crate::signed::core_relo::candidates::essential_name;
use crate::signed::core_relo::patch::POISON;
use crate::signed::core_relo::{Errno, Error, Family, Insn, Relo, ReloKind};
use std::collections::HashSet;
use std::ffi::c_void;
use std::time::{Duration, Instant};

/// `struct btf` of libbpf.
#[repr(C)]
struct CBtf(c_void);

extern "C" {
    fn reference_btf(data: *const u8, size: u32, base: *mut CBtf) -> *mut CBtf;
    fn reference_relocate(
        local: *const CBtf,
        vmlinux: *const CBtf,
        module: *const CBtf,
        relo: *const Relo,
        insn: *mut Insn,
    ) -> i32;
    fn reference_permute(btf: *mut CBtf, map: *mut u32, count: u32, size: *mut u32) -> *const u8;
    fn btf__resolve_size(btf: *const CBtf, id: u32) -> i64;
    fn btf__free(btf: *mut CBtf);
}

/// BTF as libbpf has it.
pub(super) struct Reference(*mut CBtf);

impl Reference {
    pub(super) fn new(blob: &[u8], base: Option<&Reference>) -> Option<Self> {
        let base = base.map_or(std::ptr::null_mut(), |b| b.0);
        // SAFETY: libbpf copies the blob; the base outlives us.
        let btf = unsafe { reference_btf(blob.as_ptr(), blob.len() as u32, base) };
        (!btf.is_null()).then_some(Self(btf))
    }

    pub(super) fn relocate(
        &self,
        vmlinux: &Reference,
        module: Option<&Reference>,
        relo: &Relo,
        insns: &[Insn],
    ) -> Result<Vec<Insn>, i32> {
        let mut insns = insns.to_vec();
        // One more, since C looks for a second half without asking whether there is one.
        insns.push(Insn::default());
        let at = (relo.insn_off / 8) as usize;
        let module = module.map_or(std::ptr::null(), |m| m.0.cast_const());
        // SAFETY: All of it lives as long as the call.
        let err = unsafe { reference_relocate(self.0, vmlinux.0, module, relo, &mut insns[at]) };
        insns.pop();
        if err == 0 {
            Ok(insns)
        } else {
            Err(err)
        }
    }

    /// Applies all records, one after the other; tells what stopped it, if something did.
    pub(super) fn relocate_all(
        &self,
        vmlinux: &Reference,
        relos: &[Relo],
        insns: &[Insn],
    ) -> (Result<(), i32>, Vec<Insn>) {
        let mut insns = insns.to_vec();
        for relo in relos {
            match self.relocate(vmlinux, None, relo, &insns) {
                Ok(next) => insns = next,
                Err(e) => return (Err(e), insns),
            }
        }
        (Ok(()), insns)
    }

    /// The same types with other ids: `map` has a new one for each type, `void` included if there
    /// is no base. `None` if libbpf finds fault with it.
    pub(super) fn permuted(&self, map: &mut [u32]) -> Option<Vec<u8>> {
        let mut size = 0;
        // SAFETY: The map has a place for each type, and the result lives as long as we do.
        unsafe {
            let data = reference_permute(self.0, map.as_mut_ptr(), map.len() as u32, &mut size);
            (!data.is_null()).then(|| std::slice::from_raw_parts(data, size as usize).to_vec())
        }
    }

    /// The size of a type, or a negative error.
    pub(super) fn size(&self, id: u32) -> i64 {
        // SAFETY: It lives as long as the call.
        unsafe { btf__resolve_size(self.0, id) }
    }
}

impl Drop for Reference {
    fn drop(&mut self) {
        // SAFETY: It is ours.
        unsafe { btf__free(self.0) };
    }
}

pub(super) fn errno(e: Error) -> i32 {
    match e.errno() {
        Errno::Invalid => -22,
        Errno::TooBig => -7,
        Errno::Range => -34,
        Errno::NoMemory => -12,
    }
}

/// Both sides of a comparison.
pub(super) struct Case<'a> {
    pub(super) local: &'a Types<'a>,
    pub(super) targets: &'a [Types<'a>],
    pub(super) c_local: &'a Reference,
    pub(super) c_vmlinux: &'a Reference,
    pub(super) c_module: Option<&'a Reference>,
}

impl Case<'_> {
    /// Compares one record; returns what became of it.
    pub(super) fn compare(&self, relo: &Relo, insns: &[Insn]) -> Result<Vec<Insn>, Error> {
        let ours = relocate(self.local, self.targets, &[*relo], insns);
        let theirs = self
            .c_local
            .relocate(self.c_vmlinux, self.c_module, relo, insns);
        let mine = ours.result.map(|()| ours.insns.clone());
        if mine.clone().map_err(errno) != theirs && !self.is_deliberate(relo, &ours) {
            panic!(
                "{relo:?} of {insns:?}:\nhere {:?} {:?}, there {theirs:?}, {:#?}",
                ours.result, ours.insns, ours.log
            );
        }
        mine
    }

    /// Whether the reference may differ, where the types that the record meets hit a documented
    /// bound, or a fault of the reference.
    pub(super) fn is_deliberate(&self, relo: &Relo, ours: &Outcome) -> bool {
        match ours.result {
            Err(Error::NoSize) => self.lacks_size(relo) || self.meets_large(relo),
            Err(Error::OffsetOverflow) => !cfg!(reference_is_fixed) && self.overflows(relo, ours),
            _ => false,
        }
    }

    /// Whether it is asked for the size of what has none but in libbpf.
    pub(super) fn lacks_size(&self, relo: &Relo) -> bool {
        let kind = ReloKind::from_raw(relo.kind).unwrap();
        let (id, t) = self.local.skip_modifiers(relo.type_id).unwrap();
        (kind.family() == Family::Field || kind == ReloKind::TypeSize)
            && matches!(t.kind(), Kind::Var | Kind::Datasec | Kind::DeclTag)
            && self.c_local.size(id) >= 0
    }

    /// Whether the record's type, one that it may stand for, or what they have within is beyond
    /// the bound for sizes.
    pub(super) fn meets_large(&self, relo: &Relo) -> bool {
        let holds_large = |types: &Types<'_>, c_types: &Reference, id| {
            within(types, id).any(|id| {
                let size = c_types.size(id);
                size > i64::from(i32::MAX) || size == -7
            })
        };
        if holds_large(self.local, self.c_local, relo.type_id) {
            return true;
        }
        let kind = self.local.by_id(relo.type_id).unwrap().kind();
        let name = essential_name(self.local.name_of(relo.type_id).unwrap());
        let c_targets = [Some(self.c_vmlinux), self.c_module];
        self.targets
            .iter()
            .zip(c_targets.into_iter().flatten())
            .any(|(types, c_types)| {
                types.own_ids().any(|id| {
                    types.by_id(id).unwrap().kind().is_core_compat(kind)
                        && essential_name(types.name_of(id).unwrap()) == name
                        && holds_large(types, c_types, id)
                })
            })
    }

    /// Whether the way that the log tells of does not fit into 32 bits.
    pub(super) fn overflows(&self, relo: &Relo, ours: &Outcome) -> bool {
        let path = |text: &str| text.split(':').map(|n| n.parse().unwrap()).collect();
        let in_target = |line: &String| {
            let (_, what) = line.split_once(": error matching candidate #")?;
            let (_, what) = what.split_once("> [")?;
            let (id, what) = what.split_once(']')?;
            let (_, what) = what.rsplit_once('(')?;
            let (raw, _) = what.split_once(" @ offset ")?;
            Some((id.parse().unwrap(), path(raw)))
        };
        let (types, (id, raw)) = match ours.log.iter().find_map(in_target) {
            Some(way) => (self.targets.last().unwrap(), way),
            None => {
                let access = self.local.string(relo.access_str_off).unwrap();
                let access = std::str::from_utf8(access).unwrap();
                (self.local, (relo.type_id, path(access)))
            }
        };
        overflows(types, id, raw)
    }

    /// Compares what becomes of all of a section's records together. Returns how long both take.
    pub(super) fn compare_all(&self, relos: &[Relo], insns: &[Insn]) -> [Duration; 2] {
        let start = Instant::now();
        let ours = relocate_quietly(self.local, self.targets, relos, insns);
        let took = start.elapsed();
        let start = Instant::now();
        let (result, theirs) = self.c_local.relocate_all(self.c_vmlinux, relos, insns);
        let times = [took, start.elapsed()];
        assert_eq!(ours.result.map_err(errno), result);
        assert!(ours.insns == theirs, "all records together");
        times
    }

    /// Compares one record with an instruction that holds something else and, if the engines can
    /// tell what it should hold, with one that holds it. Puts what could be relocated into
    /// `program`.
    pub(super) fn compare_forms(
        &self,
        relo: &Relo,
        form: usize,
        tally: &mut Tally,
        program: &mut Program,
    ) {
        let insn = |value: u64| -> Vec<Insn> {
            match form {
                0 => vec![mov(value as i32)],
                1 => ld_imm64(value).to_vec(),
                _ => vec![ldx([1, 2, 4, 8][form - 2], value as i16)],
            }
        };
        let first = self.compare(relo, &insn(0x5a5a));
        program.push(relo, &insn(0x5a5a), &first);
        tally.count(&first, false);
        if relo.kind == ReloKind::TypeIdTarget as u32 && form < 2 {
            let id = first.as_ref().map_or(0, |insns| insns[0].imm as u32);
            let is_in_module = |m: &Types<'_>| m.own_ids().contains(&id);
            tally.in_modules += u32::from(self.targets.get(1).is_some_and(is_in_module));
        }
        if first == Err(Error::UnexpectedValue) {
            let out = relocate(self.local, self.targets, &[*relo], &insn(0x5a5a));
            let expected: u64 = out
                .log
                .iter()
                .find_map(|l| l.split_once(" exp ")?.1.split_once(' ')?.0.parse().ok())
                .expect("the log tells");
            let second = self.compare(relo, &insn(expected));
            program.push(relo, &insn(expected), &second);
            tally.count(&second, true);
        }
    }
}

/// The types that have type `id`, or that it has within, by value.
pub(super) fn within(types: &Types<'_>, id: u32) -> impl Iterator<Item = u32> {
    let (mut seen, mut todo) = (HashSet::new(), vec![id]);
    while let Some(id) = todo.pop() {
        if !seen.insert(id) {
            continue;
        }
        let t = types.by_id(id).unwrap();
        if t.kind().is_modifier() {
            todo.extend(t.type_id());
        }
        todo.extend(t.array().map(|a| a.type_id));
        todo.extend((0..t.vlen()).map_while(|n| t.member(n)).map(|m| m.type_id));
    }
    seen.into_iter()
}

/// Follows `raw`, the numbers of an access string, from type `id` until the offset does not fit
/// into 32 bits. Whether that happens.
pub(super) fn overflows(types: &Types<'_>, mut id: u32, raw: Vec<u32>) -> bool {
    let mut bits = 0;
    for (n, idx) in raw.into_iter().enumerate() {
        let (_, t) = types.skip_modifiers(id).unwrap();
        let member = t.member(idx).filter(|_| n > 0);
        if let Some(member) = member {
            bits += u64::from(member.bit_offset);
            id = member.type_id;
        } else {
            if n > 0 {
                id = t.array().unwrap().type_id;
            }
            bits += u64::from(idx) * u64::from(types.resolve_size(id).unwrap()) * 8;
        }
        if bits > u64::from(u32::MAX) {
            return true;
        }
    }
    false
}

/// Instructions that were relocated one by one, and their records.
#[derive(Default)]
pub(super) struct Program {
    pub(super) relos: Vec<Relo>,
    pub(super) before: Vec<Insn>,
    pub(super) after: Vec<Insn>,
}

impl Program {
    pub(super) fn push(&mut self, relo: &Relo, before: &[Insn], after: &Result<Vec<Insn>, Error>) {
        let Ok(after) = after else {
            return;
        };
        self.relos.push(Relo {
            insn_off: self.before.len() as u32 * 8,
            ..*relo
        });
        self.before.extend(before);
        self.after.extend(after);
    }
}

#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) relocated: u32,
    pub(super) poisoned: u32,
    pub(super) refused: u32,
    /// Types that were found in a module.
    pub(super) in_modules: u32,
}

impl Tally {
    pub(super) fn add(&mut self, other: &Tally) {
        self.relocated += other.relocated;
        self.poisoned += other.poisoned;
        self.refused += other.refused;
        self.in_modules += other.in_modules;
    }

    pub(super) fn count(&mut self, result: &Result<Vec<Insn>, Error>, last: bool) {
        match result {
            Err(Error::UnexpectedValue) if !last => (),
            Err(_) => self.refused += 1,
            Ok(insns) if insns.iter().any(|i| i.imm == POISON) => self.poisoned += 1,
            Ok(_) => self.relocated += 1,
        }
    }
}
