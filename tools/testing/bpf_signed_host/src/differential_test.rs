// SPDX-License-Identifier: GPL-2.0

//! The engine against libbpf's own: the same input gives the same instruction, or the same error.

use crate::builder::{Builder, M};
use crate::elf::{objects, Object};
use crate::harness::*;
use crate::signed::btf::{Kind, Types};
use crate::signed::core_relo::candidates::essential_name;
use crate::signed::core_relo::patch::POISON;
use crate::signed::core_relo::{Errno, Error, Family, Insn, Relo, ReloKind};
use std::collections::HashSet;
use std::ffi::c_void;
use std::sync::atomic::{AtomicU64, Ordering};
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
struct Reference(*mut CBtf);

impl Reference {
    fn new(blob: &[u8], base: Option<&Reference>) -> Option<Self> {
        let base = base.map_or(std::ptr::null_mut(), |b| b.0);
        // SAFETY: libbpf copies the blob; the base outlives us.
        let btf = unsafe { reference_btf(blob.as_ptr(), blob.len() as u32, base) };
        (!btf.is_null()).then_some(Self(btf))
    }

    fn relocate(
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
    fn relocate_all(
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

    /// The size of a type, or a negative error.
    fn size(&self, id: u32) -> i64 {
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

fn errno(e: Error) -> i32 {
    match e.errno() {
        Errno::Invalid => -22,
        Errno::TooBig => -7,
        Errno::Range => -34,
        Errno::NoMemory => -12,
    }
}

/// Both sides of a comparison.
struct Case<'a> {
    local: &'a Types<'a>,
    targets: &'a [Types<'a>],
    c_local: &'a Reference,
    c_vmlinux: &'a Reference,
    c_module: Option<&'a Reference>,
}

impl Case<'_> {
    /// Compares one record; returns what became of it.
    fn compare(&self, relo: &Relo, insns: &[Insn]) -> Result<Vec<Insn>, Error> {
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
    fn is_deliberate(&self, relo: &Relo, ours: &Outcome) -> bool {
        match ours.result {
            Err(Error::NoSize) => self.lacks_size(relo) || self.meets_large(relo),
            Err(Error::OffsetOverflow) => !cfg!(reference_is_fixed) && self.overflows(relo, ours),
            _ => false,
        }
    }

    /// Whether it is asked for the size of what has none but in libbpf.
    fn lacks_size(&self, relo: &Relo) -> bool {
        let kind = ReloKind::from_raw(relo.kind).unwrap();
        let (id, t) = self.local.skip_modifiers(relo.type_id).unwrap();
        (kind.family() == Family::Field || kind == ReloKind::TypeSize)
            && matches!(t.kind(), Kind::Var | Kind::Datasec | Kind::DeclTag)
            && self.c_local.size(id) >= 0
    }

    /// Whether the record's type, one that it may stand for, or what they have within is beyond
    /// the bound for sizes.
    fn meets_large(&self, relo: &Relo) -> bool {
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
    fn overflows(&self, relo: &Relo, ours: &Outcome) -> bool {
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

    /// Compares what becomes of all of a section's records together.
    fn compare_all(&self, relos: &[Relo], insns: &[Insn]) {
        let ours = relocate_quietly(self.local, self.targets, relos, insns);
        let (result, theirs) = self.c_local.relocate_all(self.c_vmlinux, relos, insns);
        assert_eq!(ours.result.map_err(errno), result);
        assert!(ours.insns == theirs, "all records together");
    }

    /// How long both take for all of a section's records, one after the other.
    fn time(&self, relos: &[Relo], insns: &[Insn]) -> [Duration; 2] {
        let start = Instant::now();
        let _ = relocate_quietly(self.local, self.targets, relos, insns);
        let ours = start.elapsed();
        let start = Instant::now();
        for relo in relos {
            let _ = self
                .c_local
                .relocate(self.c_vmlinux, self.c_module, relo, insns);
        }
        [ours, start.elapsed()]
    }

    /// Compares one record with an instruction that holds something else and, if the engines can
    /// tell what it should hold, with one that holds it. Puts what could be relocated into
    /// `program`.
    fn compare_forms(&self, relo: &Relo, form: usize, tally: &mut Tally, program: &mut Program) {
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
fn within(types: &Types<'_>, id: u32) -> impl Iterator<Item = u32> {
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
fn overflows(types: &Types<'_>, mut id: u32, raw: Vec<u32>) -> bool {
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
struct Program {
    relos: Vec<Relo>,
    before: Vec<Insn>,
    after: Vec<Insn>,
}

impl Program {
    fn push(&mut self, relo: &Relo, before: &[Insn], after: &Result<Vec<Insn>, Error>) {
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
struct Tally {
    relocated: u32,
    poisoned: u32,
    refused: u32,
    /// Types that were found in a module.
    in_modules: u32,
}

impl Tally {
    fn add(&mut self, other: &Tally) {
        self.relocated += other.relocated;
        self.poisoned += other.poisoned;
        self.refused += other.refused;
        self.in_modules += other.in_modules;
    }

    fn count(&mut self, result: &Result<Vec<Insn>, Error>, last: bool) {
        match result {
            Err(Error::UnexpectedValue) if !last => (),
            Err(_) => self.refused += 1,
            Ok(insns) if insns.iter().any(|i| i.imm == POISON) => self.poisoned += 1,
            Ok(_) => self.relocated += 1,
        }
    }
}

struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        ((self.0 >> 11) % n as u64) as usize
    }

    fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    fn of<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }
}

/// A type that was made, with what is needed to make sensible others of it.
#[derive(Clone, Copy)]
struct Made {
    id: u32,
    size: u32,
    /// How many structs are within each other.
    nest: u32,
    is_composite: bool,
    is_field: bool,
    /// May be the type of a bitfield.
    is_number: bool,
    /// Which of the member names it takes where it is an anonymous member.
    names: u32,
}

const NAMES: [&str; 11] = [
    "s",
    "s___x",
    "t",
    "s___y",
    "u",
    "u___a___b",
    "u___a",
    "alias",
    "m",
    "m___x",
    "n",
];
/// With a module, vmlinux takes names up to here, and the module those from there on: it is not
/// asked for what vmlinux has.
const IN_VMLINUX: usize = 8;
const IN_MODULE: usize = 6;
const MEMBERS: [&str; 10] = ["a", "b", "c", "d", "e", "f", "a___x", "g", "h", "i"];
const VALUES: [&str; 6] = ["A", "B", "C", "A___x", "D", "E"];
/// A name that no local member has.
const GONE: &str = "gone";

/// Makes types at random, so that two runs have much in common and much that differs. They may
/// refer to those in `base`. Returns what others may refer to.
fn make(r: &mut Random, b: &mut Builder, count: usize, names: &[&str], base: &[Made]) -> Vec<Made> {
    let mut made = base.to_vec();
    let field = |id, size| Made {
        id,
        size,
        nest: 0,
        is_composite: false,
        is_field: true,
        is_number: false,
        names: 0,
    };
    let number = |id, size| Made {
        is_number: true,
        ..field(id, size)
    };
    for (name, size, signed) in [
        ("int", 4, true),
        ("unsigned int", 4, false),
        ("char", 1, true),
        ("short", 2, false),
        ("long", 8, true),
        ("unsigned long", 8, false),
        ("__int128", 16, true),
    ] {
        if !r.one_in(8) {
            made.push(number(b.int(name, size, signed), size));
        }
    }
    made.push(number(b.int("unsigned int", 4, false), 4));
    made.push(field(b.int_raw("char", 1, 3 << 24 | 8), 1));
    for _ in 0..count {
        let any = made[r.below(made.len())];
        let fields: Vec<Made> = made.iter().copied().filter(|m| m.is_field).collect();
        let name = if r.one_in(4) { "" } else { r.of(names) };
        let new = match r.below(14) {
            0..=3 => composite(r, b, &fields, name),
            4 => {
                let to = if r.one_in(5) { 0 } else { any.id };
                field(b.ptr(to), 8)
            }
            5 => {
                // Forward, to a type that does not exist yet: pointers may.
                let to = b.next_id() + 1;
                let id = b.ptr(to);
                b.int("filler", 4, true);
                field(id, 8)
            }
            6 => {
                let of = r.of(&fields);
                let n = r.of(&[0, 1, 2, 3, 7]);
                Made {
                    id: b.array(of.id, n),
                    size: of.size * n,
                    is_number: false,
                    ..of
                }
            }
            7 => Made {
                id: b.typedef(r.of(names), any.id),
                is_composite: false,
                ..any
            },
            8 => {
                let (kind, name) = r.of(&[
                    (Kind::Const, ""),
                    (Kind::Volatile, ""),
                    (Kind::Restrict, ""),
                    (Kind::TypeTag, "rcu"),
                    (Kind::TypeTag, name),
                ]);
                Made {
                    id: b.reference(kind, name, any.id),
                    is_composite: false,
                    ..any
                }
            }
            9 | 10 => {
                let n = r.below(5);
                let is_signed = r.one_in(2);
                if r.one_in(2) {
                    let values: Vec<(&str, i32)> = (0..n)
                        .map(|_| (r.of(&VALUES), r.of(&[0, 1, 2, -1, 7])))
                        .collect();
                    let size = r.of(&[1, 4, 4, 8]);
                    number(b.enumeration(name, size, is_signed, &values), size)
                } else {
                    let values: Vec<(&str, i64)> = (0..n)
                        .map(|_| (r.of(&VALUES), r.of(&[0, 1, 2, -1, 1 << 40])))
                        .collect();
                    number(b.enum64(name, is_signed, &values), 8)
                }
            }
            11 => {
                let n = r.below(4);
                let params: Vec<u32> = (0..n).map(|_| r.of(&made).id).collect();
                let id = b.function(any.id, &params);
                field(b.ptr(id), 8)
            }
            12 => Made {
                is_field: false,
                ..field(b.fwd(r.of(names), r.one_in(2)), 0)
            },
            _ => {
                let size = r.of(&[4, 8]);
                field(b.float("float", size), size)
            }
        };
        made.push(new);
    }
    // What pointers to types to come may point to.
    b.int("last", 4, true);
    b.int("last", 4, true);
    for _ in 0..r.below(4) {
        make_root(r, b, &made, names);
    }
    b.string(GONE);
    made
}

/// Makes a type that no record of clang's is about, and that none has by value.
fn make_root(r: &mut Random, b: &mut Builder, made: &[Made], names: &[&str]) {
    let (name, of) = (r.of(names), r.of(made).id);
    match r.below(6) {
        0 => {
            let proto = b.function(of, &[]);
            b.reference(Kind::Func, name, proto)
        }
        1 => b.named_function(name, of, &[r.of(made).id]),
        2 => b.var(name, of),
        3 => {
            let var = b.var("v", of);
            b.datasec(name, r.of(&[0, 4, 8]), &[var])
        }
        4 => b.decl_tag(name, of),
        _ => b.float(name, r.of(&[4, 8])),
    };
}

fn composite(r: &mut Random, b: &mut Builder, fields: &[Made], name: &str) -> Made {
    let is_union = r.one_in(4);
    let mut names = 0;
    let mut members: Vec<M<'_>> = Vec::new();
    let (mut at, mut size, mut nest) = (0u32, 0, 0);
    let with_bitfields = r.one_in(3);
    for _ in 0..r.below(6) {
        let of = r.of(fields);
        if of.nest >= 3 {
            continue;
        }
        // As in C, no name twice, which the reference would add offsets up for.
        let name = if of.is_composite && of.names & names == 0 && r.one_in(2) {
            names |= of.names;
            ""
        } else {
            let n = r.below(MEMBERS.len());
            if names & 1 << n != 0 {
                continue;
            }
            names |= 1 << n;
            MEMBERS[n]
        };
        let width = if with_bitfields && of.is_number && of.size <= 8 && r.one_in(2) {
            1 + r.below(of.size as usize * 8) as u32
        } else {
            0
        };
        if width == 0 {
            at = at.div_ceil(8) * 8;
        }
        members.push((name, of.id, at, width));
        let bits = if width > 0 { width } else { of.size * 8 };
        size = size.max(at + bits);
        if !is_union {
            at += bits + if r.one_in(3) { r.of(&[8, 32, 64]) } else { 0 };
        }
        nest = nest.max(of.nest + 1);
    }
    let size = size.div_ceil(8);
    let id = if is_union {
        b.union(name, size, &members)
    } else {
        b.structure(name, size, &members)
    };
    Made {
        id,
        size,
        nest: nest.max(1),
        is_composite: true,
        is_field: true,
        is_number: false,
        names,
    }
}

/// A way through type `root` that mostly exists.
fn access(r: &mut Random, types: &Types<'_>, root: u32) -> String {
    let mut out = vec![r.of(&[0, 0, 0, 0, 1, 3])];
    let mut id = root;
    while let Some((_, t)) = types.skip_modifiers(id) {
        if r.one_in(6) {
            break;
        }
        let near = |r: &mut Random, n: u32| {
            let beyond = usize::from(r.one_in(12));
            r.below(n as usize + beyond) as u32
        };
        if t.kind().is_composite() && t.vlen() > 0 {
            let n = near(r, t.vlen());
            out.push(n);
            let Some(m) = t.member(n) else { break };
            id = m.type_id;
        } else if let Some(a) = t.array() {
            // A number beyond that is none in an access string.
            out.push(near(r, a.nelems.clamp(1, i32::MAX as u32)));
            id = a.type_id;
        } else if t.kind().is_any_enum() && out.len() == 1 && t.vlen() > 0 {
            out[0] = near(r, t.vlen());
            break;
        } else {
            if r.one_in(20) {
                out.push(0);
            }
            break;
        }
    }
    let words: Vec<String> = out.iter().map(u32::to_string).collect();
    words.join(":")
}

/// Compares all records of `objects` with the types in `target`.
fn compare_objects(objects: &[(String, Object)], target: &[u8]) -> Tally {
    let c_target = Reference::new(target, None).expect("libbpf takes the target's BTF");
    let mut tally = Tally::default();
    let mut times = [Duration::ZERO; 2];
    with_blob(target, None, |target| {
        for (name, object) in objects {
            let c_local = Reference::new(&object.btf, None).expect("libbpf takes clang's BTF");
            with_blob(&object.btf, None, |local| {
                let case = Case {
                    local,
                    targets: &[*target],
                    c_local: &c_local,
                    c_vmlinux: &c_target,
                    c_module: None,
                };
                for section in &object.sections {
                    for relo in &section.relos {
                        let result = case.compare(relo, &section.insns);
                        if let Err(e) = result {
                            println!("{name} {}: {relo:?}: {e}", section.name);
                        }
                        tally.count(&result, true);
                    }
                    case.compare_all(&section.relos, &section.insns);
                    let [ours, theirs] = case.time(&section.relos, &section.insns);
                    times[0] += ours;
                    times[1] += theirs;
                }
            });
        }
    });
    // There each record searches anew, which libbpf does once per type and object.
    let [ours, theirs] = times;
    let count = objects.len();
    println!("{count} objects: {tally:?}, {ours:?} here, {theirs:?} there");
    assert!(count > 0);
    tally
}

fn read(variable: &str) -> Vec<u8> {
    std::fs::read(std::env::var_os(variable).unwrap()).unwrap()
}

/// The records of real programs, against a real kernel.
#[test]
#[cfg_attr(
    not(all(have_btf, have_bpf_objects)),
    ignore = "BTF= and BPF_OBJECTS= name no vmlinux BTF and no objects"
)]
fn real_objects() {
    let tally = compare_objects(&objects("BPF_OBJECTS"), &read("BTF"));
    assert!(tally.relocated > 0);
    assert_eq!(tally.refused, 0);
}

/// Those of the selftests, most of which ask for types that no kernel has.
#[test]
#[cfg_attr(
    not(all(have_btf, have_core_objects)),
    ignore = "BTF= and CORE_OBJECTS= name no vmlinux BTF and no objects"
)]
fn objects_of_the_selftests() {
    let tally = compare_objects(&objects("CORE_OBJECTS"), &read("BTF"));
    assert!(tally.relocated > 0 && tally.poisoned > 0);
}

/// Each program of the selftests against all types that they have for one or the other.
#[test]
#[cfg_attr(not(have_core_objects), ignore = "CORE_OBJECTS= names no objects")]
fn types_of_the_selftests() {
    let (types, programs): (Vec<_>, Vec<_>) = objects("CORE_OBJECTS")
        .into_iter()
        .partition(|(name, _)| name.starts_with("btf__"));
    assert!(types.len() > 50);
    let mut all = Tally::default();
    for (name, types) in types {
        println!("{name}:");
        let tally = compare_objects(&programs, &types.btf);
        all.add(&tally);
    }
    println!("together: {all:?}");
    assert!(all.relocated > 0 && all.poisoned > 0 && all.refused > 0);
}

/// All of them against the kernels of distributions.
#[test]
#[cfg_attr(
    not(all(have_btfs, have_bpf_objects, have_core_objects)),
    ignore = "BTFS=, BPF_OBJECTS= and CORE_OBJECTS= do not name all that it takes"
)]
fn other_kernels() {
    let mut objects = objects("BPF_OBJECTS");
    objects.extend(crate::elf::objects("CORE_OBJECTS"));
    let mut count = 0;
    for entry in std::fs::read_dir(std::env::var_os("BTFS").unwrap()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|e| e == "btf") {
            println!("{}:", path.display());
            let tally = compare_objects(&objects, &std::fs::read(&path).unwrap());
            assert!(tally.relocated > 0);
            count += 1;
        }
    }
    assert!(count > 1, "that is not many kernels");
}

/// A number from the environment, where make hands down a variable that
/// nobody has set as an empty one.
fn number(variable: &str, default: u64) -> u64 {
    match std::env::var(variable) {
        Ok(text) if !text.is_empty() => text
            .parse()
            .unwrap_or_else(|_| panic!("{variable}={text} is no number")),
        _ => default,
    }
}

/// How many pairs of BTF objects to compare.
fn pairs() -> u64 {
    number("PAIRS", 3000)
}

/// Says which pair it was when a comparison fails.
struct Which(u64);

impl Drop for Which {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("that was pair {}: PAIRS=1 SEED={}", self.0, self.0);
        }
    }
}

/// Compares as many pairs as `PAIRS` says from number `SEED` on, on all CPUs.
fn compare_pairs(pair: fn(&mut Random, &mut Tally)) -> Tally {
    let first = number("SEED", 0);
    let next = AtomicU64::new(first);
    let end = first + pairs();
    let run = || {
        let mut tally = Tally::default();
        loop {
            let n = next.fetch_add(1, Ordering::Relaxed);
            if n >= end {
                return tally;
            }
            let which = Which(n);
            let mut r = Random(0x9e37_79b9_7f4a_7c15u64.wrapping_mul(n * 2 + 1) | 1);
            pair(&mut r, &mut tally);
            drop(which);
        }
    };
    let mut tally = Tally::default();
    std::thread::scope(|scope| {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(run)).collect();
        for thread in threads {
            let one = thread.join().expect("all pairs compare equal");
            tally.add(&one);
        }
    });
    // Of what is not refused
    let done = f64::from(tally.relocated + tally.poisoned).max(1.0);
    let share = 100.0 * f64::from(tally.poisoned) / done;
    println!("{} pairs: {tally:?}, {share:.1} % poisoned", pairs());
    assert!(pairs() < 100 || tally.in_modules > 0);
    tally
}

/// Types made by chance, with names in common.
#[test]
fn random_types() {
    let tally = compare_pairs(random_pair);
    assert!(pairs() < 100 || tally.relocated > tally.refused);
    assert!(pairs() < 100 || tally.poisoned * 20 > tally.relocated);
}

/// A kernel that is what the program was compiled for, but for a few changes.
#[test]
fn mutated_types() {
    let tally = compare_pairs(mutated_pair);
    assert!(pairs() < 100 || tally.relocated > tally.refused);
    assert!(pairs() < 100 || tally.poisoned * 40 > tally.relocated);
}

/// Where things are in a type's record, and what may be done to them.
struct Record {
    id: u32,
    at: usize,
    kind: Kind,
    vlen: usize,
}

const RECORD: usize = 12;
const KFLAG: u32 = 1 << 31;

impl Record {
    /// Bytes of a member or enumerator, if the type has such. The first word is its name.
    fn step(&self) -> Option<usize> {
        match self.kind {
            Kind::Struct | Kind::Union | Kind::Enum64 => Some(12),
            Kind::Enum => Some(8),
            _ => None,
        }
    }

    /// Where the ids of the types are that it refers to.
    fn references(&self) -> Vec<usize> {
        let body = self.at + RECORD;
        let each = |first: usize, step: usize| (body + first..).step_by(step).take(self.vlen);
        match self.kind {
            Kind::Ptr
            | Kind::Typedef
            | Kind::Volatile
            | Kind::Const
            | Kind::Restrict
            | Kind::TypeTag
            | Kind::Func
            | Kind::Var
            | Kind::DeclTag => vec![self.at + 8],
            Kind::FuncProto => std::iter::once(self.at + 8).chain(each(4, 8)).collect(),
            Kind::Array => vec![body, body + 4],
            Kind::Struct | Kind::Union => each(4, 12).collect(),
            Kind::Datasec => each(0, 12).collect(),
            _ => Vec::new(),
        }
    }
}

/// BTF to be changed here and there. It stays such that both sides take it.
struct Mutant<'a> {
    blob: Vec<u8>,
    records: Vec<Record>,
    names: Vec<u32>,
    /// Names of members and enumerators.
    parts: Vec<u32>,
    /// Where [`GONE`] is.
    gone: u32,
    base: Option<&'a Mutant<'a>>,
}

impl<'a> Mutant<'a> {
    /// What `made` holds, on top of `base`.
    fn new(made: &mut Builder, base: Option<&'a Mutant<'a>>) -> Self {
        let gone = base.map_or_else(|| made.string(GONE), |b| b.gone);
        let mut out = Self {
            blob: made.blob(),
            records: Vec::new(),
            names: Vec::new(),
            parts: Vec::new(),
            gone,
            base,
        };
        let (mut at, end) = out.types();
        while at < end {
            let info = out.word(at + 4);
            let kind = Kind::from_raw(info >> 24 & 0x7f).expect("we made it");
            let vlen = (info & 0xffff) as usize;
            let id = out.end();
            let record = Record { id, at, kind, vlen };
            let name = out.word(at);
            if name != 0 {
                out.names.push(name);
            }
            if let Some(step) = record.step() {
                let parts = (at + RECORD..).step_by(step).take(vlen);
                let parts: Vec<u32> = parts.map(|at| out.word(at)).filter(|&n| n != 0).collect();
                out.parts.extend(parts);
            }
            at += RECORD
                + match kind {
                    Kind::Int | Kind::Var | Kind::DeclTag => 4,
                    Kind::Array => 12,
                    Kind::Datasec => 12 * vlen,
                    Kind::FuncProto => 8 * vlen,
                    _ => record.step().unwrap_or(0) * vlen,
                };
            out.records.push(record);
        }
        out
    }

    /// The first id of its own, and the one behind the last.
    fn start(&self) -> u32 {
        self.base.map_or(1, Mutant::end)
    }

    fn end(&self) -> u32 {
        self.start() + self.records.len() as u32
    }

    /// Where its types are.
    fn types(&self) -> (usize, usize) {
        let start = self.word(4) as usize + self.word(8) as usize;
        (start, start + self.word(12) as usize)
    }

    /// The types as words.
    fn words(&self) -> Vec<u32> {
        let (start, end) = self.types();
        (start..end).step_by(4).map(|at| self.word(at)).collect()
    }

    fn word(&self, at: usize) -> u32 {
        u32::from_ne_bytes(self.blob[at..at + 4].try_into().unwrap())
    }

    fn set(&mut self, at: usize, word: u32) {
        self.blob[at..at + 4].copy_from_slice(&word.to_ne_bytes());
    }

    fn swap(&mut self, a: usize, b: usize) {
        let (x, y) = (self.word(a), self.word(b));
        self.set(a, y);
        self.set(b, x);
    }

    /// What is behind typedefs and modifiers.
    fn kind_of(&self, id: u32) -> Option<Kind> {
        if id == 0 {
            return None;
        }
        let Some(n) = id.checked_sub(self.start()) else {
            return self.base?.kind_of(id);
        };
        let record = &self.records[n as usize];
        match record.kind {
            Kind::Typedef | Kind::Const | Kind::Volatile | Kind::Restrict | Kind::TypeTag => {
                self.kind_of(self.word(record.at + 8))
            }
            kind => Some(kind),
        }
    }

    /// A type that one with this id may have by value: one that came before, or it could be
    /// within itself, and no root.
    fn before(&self, r: &mut Random, id: u32) -> u32 {
        let to = r.below(id as usize) as u32;
        let is_root = |kind| matches!(kind, Kind::Func | Kind::Var | Kind::Datasec | Kind::DeclTag);
        if self.kind_of(to).is_some_and(is_root) {
            1
        } else {
            to
        }
    }

    /// Leaves no bitfields of what is no number: the reference divides by their size.
    fn finish(&mut self) {
        let mut no_bitfields = Vec::new();
        for record in &self.records {
            let is_composite = matches!(record.kind, Kind::Struct | Kind::Union);
            if !is_composite || self.word(record.at + 4) & KFLAG == 0 {
                continue;
            }
            for m in (record.at + RECORD..).step_by(12).take(record.vlen) {
                let kind = self.kind_of(self.word(m + 4));
                if !matches!(kind, Some(Kind::Int | Kind::Enum | Kind::Enum64)) {
                    no_bitfields.push(m + 8);
                }
            }
        }
        for at in no_bitfields {
            let offset = self.word(at) & 0xff_ffff;
            self.set(at, offset);
        }
    }

    /// Gives the types of the base the ids that `map` has for them.
    fn follow(&mut self, map: &[u32]) {
        for at in self
            .records
            .iter()
            .flat_map(Record::references)
            .collect::<Vec<_>>()
        {
            if let Some(&id) = map.get(self.word(at) as usize) {
                self.set(at, id);
            }
        }
    }

    /// The number of a record that `fits`, if there is one.
    fn pick(&self, r: &mut Random, fits: impl Fn(&Record) -> bool) -> Option<usize> {
        let all: Vec<usize> = (0..self.records.len())
            .filter(|&n| fits(&self.records[n]))
            .collect();
        (!all.is_empty()).then(|| r.of(&all))
    }

    /// Gives a member or enumerator another name, or takes it away.
    fn lose(&mut self, r: &mut Random) {
        let Some(n) = self.pick(r, |r| r.step().is_some() && r.vlen > 0) else {
            return;
        };
        let Record { at, vlen, kind, .. } = self.records[n];
        let step = self.records[n].step().unwrap();
        let part = at + RECORD + step * r.below(vlen);
        if !r.one_in(3) {
            let name = if self.parts.is_empty() || r.one_in(2) {
                self.gone
            } else {
                r.of(&self.parts)
            };
            // Two members of one name show what the reference does wrong.
            let is_member = matches!(kind, Kind::Struct | Kind::Union);
            let is_known = is_member && !cfg!(reference_is_fixed);
            self.set(part, if is_known { self.gone } else { name });
            return;
        }
        self.blob.drain(part..part + step);
        let info = self.word(at + 4);
        self.set(at + 4, info - 1);
        self.records[n].vlen -= 1;
        for later in &mut self.records[n + 1..] {
            later.at -= step;
        }
        // Length of the types, offset of the strings
        for at in [12, 16] {
            let value = self.word(at);
            self.set(at, value - step as u32);
        }
    }

    /// Makes something as large as it can be, or nearly. Integers and enums stay as they are:
    /// with bitfields of theirs the reference would wrap, see `bitfield_of_a_huge_type`.
    fn stretch(&mut self, r: &mut Random) {
        const MAX: u32 = i32::MAX as u32;
        let fits = |r: &Record| match r.kind {
            Kind::Array | Kind::Struct | Kind::Union => true,
            Kind::Enum | Kind::Enum64 => r.vlen > 0,
            _ => false,
        };
        let Some(n) = self.pick(r, fits) else {
            return;
        };
        let Record { at, kind, vlen, .. } = self.records[n];
        let body = at + RECORD;
        match kind {
            Kind::Array => {
                let count = r.of(&[1 << 26, 1 << 28, (1 << 29) - 1, 1 << 29, MAX, u32::MAX]);
                self.set(body + 8, count);
            }
            Kind::Enum => {
                let value = r.of(&[MAX, MAX + 1, u32::MAX]);
                self.set(body + 8 * r.below(vlen) + 4, value);
            }
            Kind::Enum64 => {
                let value: [u32; 2] = r.of(&[
                    [u32::MAX, MAX], // i64::MAX
                    [0, MAX + 1],    // i64::MIN
                    [u32::MAX, u32::MAX],
                    [u32::MAX, 0],       // u32::MAX
                    [MAX, 0],            // i32::MAX
                    [MAX + 1, u32::MAX], // i32::MIN
                ]);
                let part = body + 12 * r.below(vlen);
                self.set(part + 4, value[0]);
                self.set(part + 8, value[1]);
            }
            _ => {
                let size = r.of(&[(1 << 29) - 1, 1 << 29, MAX, MAX + 1, u32::MAX]);
                self.set(at + 8, size);
            }
        }
    }

    /// Changes one thing, if the type that chance picks has it.
    fn mutate(&mut self, r: &mut Random) {
        let n = r.below(self.records.len());
        let Record { id, at, kind, vlen } = self.records[n];
        let body = at + RECORD;
        match kind {
            _ if r.one_in(6) && self.word(at) != 0 => {
                let name = r.of(&self.names);
                self.set(at, name);
            }
            Kind::Int if r.one_in(2) => {
                let size = r.of(&[1, 2, 4, 8, 16]);
                self.set(at + 8, size);
                let encoding = self.word(body) & 0x0f00_0000;
                self.set(body, encoding | (size * 8));
            }
            Kind::Int => {
                let sign = self.word(body) ^ 1 << 24;
                self.set(body, sign);
            }
            Kind::Float => self.set(at + 8, r.of(&[4, 8])),
            Kind::Array if r.one_in(2) => self.set(body + 8, r.of(&[0, 1, 2, 5])),
            Kind::Array => {
                let to = self.before(r, id).max(1);
                self.set(body, to);
            }
            Kind::Struct | Kind::Union if vlen > 1 => {
                let (a, b) = (body + 12 * r.below(vlen), body + 12 * r.below(vlen));
                match r.below(6) {
                    // Another order in the record, or in memory
                    0 => (0..3).for_each(|w| self.swap(a + 4 * w, b + 4 * w)),
                    1 => self.swap(a, b),
                    2 => self.swap(a + 8, b + 8),
                    3 => self.swap(a + 4, b + 4),
                    // Something before it has grown
                    4 => {
                        let by = r.of(&[8, 32, 64]);
                        for m in (a..body + 12 * vlen).step_by(12) {
                            let offset = self.word(m + 8);
                            self.set(m + 8, offset.wrapping_add(by));
                        }
                        let size = self.word(at + 8);
                        self.set(at + 8, size.saturating_add(by / 8));
                    }
                    _ => {
                        let to = self.before(r, id).max(1);
                        self.set(a + 4, to);
                    }
                }
            }
            Kind::Enum | Kind::Enum64 if vlen > 0 => {
                let step = if kind == Kind::Enum { 8 } else { 12 };
                let (a, b) = (body + step * r.below(vlen), body + step * r.below(vlen));
                match r.below(4) {
                    0 => self.swap(a, b),
                    1 => self.set(a + 4, r.of(&[0, 1, 9, u32::MAX])),
                    2 => self.set(at + 8, r.of(&[1, 2, 4, 8])),
                    _ => {
                        let info = self.word(at + 4);
                        self.set(at + 4, info ^ KFLAG);
                    }
                }
            }
            Kind::Fwd => {
                let info = self.word(at + 4);
                self.set(at + 4, info ^ KFLAG);
            }
            Kind::Ptr => {
                let to = r.below(self.end() as usize) as u32;
                self.set(at + 8, to);
            }
            Kind::Typedef | Kind::Const | Kind::Volatile | Kind::Restrict | Kind::TypeTag => {
                let to = self.before(r, id);
                self.set(at + 8, to);
            }
            Kind::FuncProto if vlen > 0 => {
                let to = self.before(r, id);
                self.set(body + 8 * r.below(vlen) + 4, to);
            }
            _ => (),
        }
    }
}

/// Views BTF that may be split.
fn with_split<R>(blob: &[u8], base: Option<&[u8]>, f: impl FnOnce(&Types<'_>) -> R) -> R {
    match base {
        Some(base) => with_blob(base, None, |base| with_blob(blob, Some(base), f)),
        None => with_blob(blob, None, f),
    }
}

/// The same types in another order: half of the times sorted by name as those of a kernel are,
/// else shuffled or as they are. Returns the new id of each, `void` included if there is no base.
fn reordered(r: &mut Random, blob: Vec<u8>, base: Option<&[u8]>) -> (Vec<u8>, Vec<u32>) {
    let is_sorted = r.one_in(2);
    let is_shuffled = r.one_in(2);
    let mut map = with_split(&blob, base, |types| {
        let own = types.own_ids();
        let mut ids: Vec<u32> = own.clone().collect();
        if is_sorted {
            ids.sort_by_key(|&id| types.name_of(id).unwrap().to_vec());
        } else if is_shuffled {
            for n in 1..ids.len() {
                ids.swap(n, r.below(n + 1));
            }
        }
        let void = usize::from(base.is_none());
        let mut map = vec![0; ids.len() + void];
        for (new, old) in own.clone().zip(ids) {
            map[(old - own.start) as usize + void] = new;
        }
        map
    });
    if !is_sorted && !is_shuffled {
        return (blob, map);
    }

    let c_base = base.map(|base| Reference::new(base, None).expect("libbpf takes what we make"));
    let c = Reference::new(&blob, c_base.as_ref()).expect("libbpf takes what we make");
    let mut size = 0;
    // SAFETY: The map has a place for each type, the result lives as long as `c`.
    let out = unsafe {
        let data = reference_permute(c.0, map.as_mut_ptr(), map.len() as u32, &mut size);
        assert!(!data.is_null(), "libbpf can sort what we make");
        std::slice::from_raw_parts(data, size as usize).to_vec()
    };
    with_split(&out, base, |types| assert!(types.is_sorted() || !is_sorted));
    (out, map)
}

/// The BTF of a kernel that holds these types, and of its module.
fn finished(
    r: &mut Random,
    vmlinux: &[u8],
    module: Option<Mutant<'_>>,
) -> (Vec<u8>, Option<Vec<u8>>) {
    let (vmlinux, map) = reordered(r, vmlinux.to_vec(), None);
    let module = module.map(|mut module| {
        module.follow(&map);
        reordered(r, module.blob, Some(&vmlinux)).0
    });
    (vmlinux, module)
}

/// Types of extreme sizes are in one of so many pairs.
const STRETCHED: usize = 12;

fn mutated_pair(r: &mut Random, tally: &mut Tally) {
    let has_module = r.one_in(4);
    let mut vmlinux = Builder::new();
    let size = if has_module { 5 } else { 10 } + r.below(30);
    let names = if has_module { IN_VMLINUX } else { NAMES.len() };
    let made = make(r, &mut vmlinux, size, &NAMES[..names], &[]);
    let mut module = Builder::borrowing(&vmlinux);
    if has_module {
        let size = 5 + r.below(10);
        make(r, &mut module, size, &NAMES[IN_MODULE..], &made);
    }

    // The program knows the types of both.
    let mut local = vmlinux.joined(&module);
    let mut target = Mutant::new(&mut vmlinux, None);
    if r.one_in(STRETCHED) {
        let mut stretched = Mutant::new(&mut local, None);
        (0..=r.below(3)).for_each(|_| stretched.stretch(r));
        let words = stretched.words();
        vmlinux.set_types(words[..target.words().len()].to_vec());
        module.set_types(words[target.words().len()..].to_vec());
        local.set_types(words);
        target = Mutant::new(&mut vmlinux, None);
    }
    let plan = plan(r, &mut local);

    let change = |r: &mut Random, target: &mut Mutant<'_>| {
        (0..=r.below(12)).for_each(|_| target.mutate(r));
        (0..r.below(12)).for_each(|_| target.lose(r));
        if r.one_in(STRETCHED) {
            target.stretch(r);
        }
        target.finish();
    };
    change(r, &mut target);
    let module = has_module.then(|| {
        let mut module = Mutant::new(&mut module, Some(&target));
        change(r, &mut module);
        module
    });
    let (vmlinux, module) = finished(r, &target.blob, module);
    compare_plan(&local.blob(), &vmlinux, module.as_deref(), &plan, tally);
}

fn random_pair(r: &mut Random, tally: &mut Tally) {
    let is_stretched = r.one_in(STRETCHED);
    let stretch = |r: &mut Random, types: &mut Mutant<'_>| {
        if is_stretched {
            (0..=r.below(3)).for_each(|_| types.stretch(r));
        }
    };
    let mut local = Builder::new();
    let size = 10 + r.below(20);
    make(r, &mut local, size, &NAMES, &[]);
    let mut vmlinux = if r.one_in(3) {
        local.clone()
    } else {
        Builder::new()
    };
    let size = 10 + r.below(20);
    let has_module = r.one_in(4);
    let names = if has_module { IN_VMLINUX } else { NAMES.len() };
    let made = make(r, &mut vmlinux, size, &NAMES[..names], &[]);
    let mut module = Builder::borrowing(&vmlinux);
    make(r, &mut module, 8, &NAMES[IN_MODULE..], &made);

    let mut stretched = Mutant::new(&mut local, None);
    stretch(r, &mut stretched);
    local.set_types(stretched.words());
    let plan = plan(r, &mut local);
    let mut vmlinux = Mutant::new(&mut vmlinux, None);
    stretch(r, &mut vmlinux);
    let module = has_module.then(|| {
        let mut module = Mutant::new(&mut module, Some(&vmlinux));
        stretch(r, &mut module);
        module
    });
    let (vmlinux, module) = finished(r, &vmlinux.blob, module);
    compare_plan(&local.blob(), &vmlinux, module.as_deref(), &plan, tally);
}

/// Records that ask for the types in `local`. Their strings become part of it.
fn plan(r: &mut Random, local: &mut Builder) -> Vec<(Relo, usize)> {
    let plan: Vec<(ReloKind, u32, String, usize)> = with(local, |types| {
        let ids: Vec<u32> = types
            .own_ids()
            .filter(|&id| r.one_in(10) || !types.name_of(id).unwrap().is_empty())
            .collect();
        (0..60)
            .map(|_| {
                let kind = r.of(&ReloKind::ALL);
                let root = r.of(&ids);
                let way = match kind {
                    ReloKind::TypeIdLocal
                    | ReloKind::TypeIdTarget
                    | ReloKind::TypeExists
                    | ReloKind::TypeSize
                    | ReloKind::TypeMatches => "0".into(),
                    _ => access(r, types, root),
                };
                (kind, root, way, r.below(6))
            })
            .collect()
    });
    plan.into_iter()
        .map(|(kind, root, way, form)| (relo(kind, root, local.string(&way)), form))
        .collect()
}

fn compare_plan(
    local: &[u8],
    vmlinux: &[u8],
    module: Option<&[u8]>,
    plan: &[(Relo, usize)],
    tally: &mut Tally,
) {
    let c_local = Reference::new(local, None).expect("libbpf takes what we make");
    let c_vmlinux = Reference::new(vmlinux, None).expect("libbpf takes what we make");
    let c_module =
        module.map(|m| Reference::new(m, Some(&c_vmlinux)).expect("libbpf takes what we make"));
    let mut run = |local: &Types<'_>, targets: &[Types<'_>]| {
        let case = Case {
            local,
            targets,
            c_local: &c_local,
            c_vmlinux: &c_vmlinux,
            c_module: c_module.as_ref(),
        };
        let mut program = Program::default();
        for (relo, form) in plan {
            case.compare_forms(relo, *form, tally, &mut program);
        }
        // Each alone is what the reference makes of it. So it has to be of all together.
        let out = relocate_quietly(local, targets, &program.relos, &program.before);
        assert_eq!(out.result, Ok(()));
        assert!(out.insns == program.after, "all records together");
    };
    with_blob(local, None, |local| {
        with_blob(vmlinux, None, |vmlinux| match module {
            Some(module) => with_blob(module, Some(vmlinux), |module| {
                run(local, &[*vmlinux, *module]);
            }),
            None => run(local, &[*vmlinux]),
        });
    });
}

/// Where the engine differs from the reference on purpose, or did until the reference was fixed by
/// the patches that the series has for that. If one of these fails, the reference has changed: so
/// may the list in core_relo.rs.
mod deliberate_differences {
    use super::*;

    /// What the reference says with and without the fixes.
    fn either<T>(fixed: T, faulty: T) -> T {
        if cfg!(reference_is_fixed) {
            fixed
        } else {
            faulty
        }
    }

    fn compare(
        local: &Builder,
        target: &Builder,
        relo: &Relo,
        insns: &[Insn],
    ) -> [Result<u64, i32>; 2] {
        let (local, target) = (local.blob(), target.blob());
        let c_local = Reference::new(&local, None).unwrap();
        let c_target = Reference::new(&target, None).unwrap();
        let value = |insns: &[Insn]| {
            if insns.len() > 1 {
                imm64(insns)
            } else {
                insns[0].imm as u64
            }
        };
        with_blob(&local, None, |local| {
            with_blob(&target, None, |target| {
                let out = relocate(local, &[*target], &[*relo], insns);
                let ours = out.result.map(|()| value(&out.insns)).map_err(errno);
                let theirs = c_local.relocate(&c_target, None, relo, insns);
                [ours, theirs.map(|insns| value(&insns))]
            })
        })
    }

    #[test]
    fn access_strings() {
        let mut b = Builder::new();
        let int = b.int("int", 4, true);
        let root = b.structure("s", 8, &[("a", int, 0, 0), ("b", int, 32, 0)]);
        for (access, faulty) in [
            ("0: 1", Ok(4)),
            (" 0:1", Ok(4)),
            ("0:+1", Ok(4)),
            ("0+1", Ok(4)),
            ("0:4294967297", Ok(4)),
        ] {
            let access_off = b.string(access);
            let relo = relo(ReloKind::FieldByteOffset, root, access_off);
            let [ours, theirs] = compare(&b, &b, &relo, &[mov(4)]);
            assert_eq!(ours, Err(-22), "{access}");
            assert_eq!(theirs, either(Err(-22), faulty), "{access}");
        }
    }

    #[test]
    fn offsets_that_wrap() {
        let mut b = Builder::new();
        let int = b.int("int", 4, true);
        let arr = b.array(int, 0);
        let root = b.structure("s", 8, &[("a", arr, 64, 0)]);
        let access = b.string("0:0:134217728");
        let relo = relo(ReloKind::FieldByteOffset, root, access);
        let [ours, theirs] = compare(&b, &b, &relo, &[mov(8)]);
        assert_eq!(ours, Err(-22));
        assert_eq!(theirs, either(Err(-22), Ok(8)));
    }

    /// Behind the last element there is a member.
    #[test]
    fn offsets_of_members_that_wrap() {
        let mut b = Builder::new();
        let int = b.int("int", 4, true);
        let root = b.structure("s", (1 << 29) - 1, &[("a", int, 32, 0)]);
        let access = b.string("1:0");
        let relo = relo(ReloKind::FieldByteOffset, root, access);
        let [ours, theirs] = compare(&b, &b, &relo, &[mov(3)]);
        assert_eq!((ours, theirs), (Err(-22), either(Err(-22), Ok(3))));
    }

    #[test]
    fn sizes_beyond_the_bound() {
        let mut b = Builder::new();
        let root = b.structure("s", 1 << 31, &[]);
        let access = b.string("0");
        let relo = relo(ReloKind::TypeSize, root, access);
        let [ours, theirs] = compare(&b, &b, &relo, &ld_imm64(1 << 31));
        assert_eq!((ours, theirs), (Err(-22), Ok(1 << 31)));
    }

    /// There the reference tells what it met while it was matching, and took it for a negative
    /// `int`.
    #[test]
    fn sizes_beyond_the_bound_in_a_target() {
        for (count, fixed, faulty) in [
            (1, Ok(4), Ok(4)),
            (i32::MAX as u32, Ok(4), Ok(4)),
            (1 << 31, Ok(4), Err(i32::MIN)),
            (u32::MAX, Ok(4), Err(-1)),
        ] {
            let types = |b: &mut Builder, count| {
                let char = b.int("char", 1, true);
                let elem = b.array(char, count);
                let arr = b.array(elem, 1);
                b.structure("s", 8, &[("a", arr, 32, 0)])
            };
            let (mut local, mut target) = (Builder::new(), Builder::new());
            let root = types(&mut local, 1);
            types(&mut target, count);
            let access = local.string("0:0:0");
            let relo = relo(ReloKind::FieldByteOffset, root, access);
            let [ours, theirs] = compare(&local, &target, &relo, &[mov(4)]);
            let is_large = i32::try_from(count).is_err();
            assert_eq!(ours, if is_large { Err(-22) } else { Ok(4) }, "{count}");
            assert_eq!(theirs, either(fixed, faulty), "{count}");
        }
    }

    #[test]
    fn offset_of_a_wrong_member() {
        let mut local = Builder::new();
        let int = local.int("int", 4, true);
        let root = local.structure("s", 4, &[("a", int, 0, 0)]);
        let access = local.string("0:0");
        let mut target = Builder::new();
        let int = target.int("int", 4, true);
        let ptr = target.ptr(int);
        let wrong = target.structure("", 16, &[("z", int, 0, 0), ("a", ptr, 64, 0)]);
        target.structure("s", 32, &[("", wrong, 64, 0), ("a", int, 224, 0)]);
        let relo = relo(ReloKind::FieldByteOffset, root, access);
        let [ours, theirs] = compare(&local, &target, &relo, &[mov(0)]);
        assert_eq!(ours, Ok(28));
        assert_eq!(theirs, either(Ok(28), Ok(36)));
    }

    /// The reference divides by that size, and so is not asked.
    #[test]
    fn bitfield_of_a_type_without_size() {
        let mut b = Builder::new();
        let empty = b.structure("empty", 0, &[]);
        let root = b.structure("s", 4, &[("a", empty, 0, 3)]);
        let access = b.string("0:0");
        for kind in [
            ReloKind::FieldByteOffset,
            ReloKind::FieldByteSize,
            ReloKind::FieldLshiftU64,
            ReloKind::FieldRshiftU64,
        ] {
            let relo = relo(kind, root, access);
            let out = with(&b, |types| relocate(types, &[*types], &[relo], &[mov(0)]));
            assert_eq!(out.result, Err(Error::NoSize), "{:?}", out.log);
        }
    }

    /// The reference counts the bits of that type in 32 bits, and takes it for too small. As
    /// above, BPF_BTF_LOAD does not let such types pass.
    #[test]
    fn bitfield_of_a_huge_type() {
        let mut b = Builder::new();
        let huge = b.int_raw("int", 1 << 29, 1 << 24 | 32);
        let root = b.structure("s", 4, &[("a", huge, 0, 3)]);
        let access = b.string("0:0");
        let relo = relo(ReloKind::FieldSigned, root, access);
        let [ours, theirs] = compare(&b, &b, &relo, &[mov(1)]);
        assert_eq!((ours, theirs), (Ok(1), Err(-7)));
    }

    /// Neither have the tags of variables and members.
    #[test]
    fn sections_have_no_size() {
        let mut b = Builder::new();
        let int = b.int("int", 4, true);
        let var = b.var("v", int);
        let section = b.datasec(".data", 4, &[var]);
        let tag = b.decl_tag("tag", int);
        let access = b.string("0");
        for root in [var, section, tag] {
            for (kind, theirs) in [
                (ReloKind::FieldByteSize, 4),
                // They never match.
                (ReloKind::TypeSize, 0),
            ] {
                let relo = relo(kind, root, access);
                let results = compare(&b, &b, &relo, &[mov(4)]);
                assert_eq!(results, [Err(-22), Ok(theirs)], "{kind:?} of {root}");
            }
        }
    }
}
