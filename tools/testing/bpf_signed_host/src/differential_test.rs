// SPDX-License-Identifier: GPL-2.0

//! The engine against libbpf's own: the same input gives the same instruction, or the same error.

use crate::builder::{Builder, M};
use crate::elf::{objects, Object};
use crate::harness::*;
use crate::signed::btf::{Kind, Types};
use crate::signed::core_relo::{Errno, Error, Insn, Relo, ReloKind};
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
        assert_eq!(
            mine.clone().map_err(errno),
            theirs,
            "{relo:?} of {insns:?}: {:?} {:#?}",
            ours.result,
            ours.log
        );
        mine
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
    /// tell what it should hold, with one that holds it.
    fn compare_forms(&self, relo: &Relo, form: usize, tally: &mut Tally) {
        let insn = |value: u64| -> Vec<Insn> {
            match form {
                0 => vec![mov(value as i32)],
                1 => ld_imm64(value).to_vec(),
                _ => vec![ldx([1, 2, 4, 8][form - 2], value as i16)],
            }
        };
        let first = self.compare(relo, &insn(0x5a5a));
        tally.count(&first, false);
        if first == Err(Error::UnexpectedValue) {
            let out = relocate(self.local, self.targets, &[*relo], &insn(0x5a5a));
            let expected: u64 = out
                .log
                .iter()
                .find_map(|l| l.split_once(" exp ")?.1.split_once(' ')?.0.parse().ok())
                .expect("the log tells");
            let second = self.compare(relo, &insn(expected));
            tally.count(&second, true);
        }
    }
}

#[derive(Debug, Default)]
struct Tally {
    relocated: u32,
    poisoned: u32,
    refused: u32,
}

impl Tally {
    fn count(&mut self, result: &Result<Vec<Insn>, Error>, last: bool) {
        match result {
            Err(Error::UnexpectedValue) if !last => (),
            Err(_) => self.refused += 1,
            Ok(insns) if insns.iter().any(|i| i.imm == 195896080) => self.poisoned += 1,
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

const NAMES: [&str; 8] = [
    "s",
    "s___x",
    "t",
    "s___y",
    "u",
    "u___a___b",
    "u___a",
    "alias",
];
const MEMBERS: [&str; 10] = ["a", "b", "c", "d", "e", "f", "a___x", "g", "h", "i"];
const VALUES: [&str; 6] = ["A", "B", "C", "A___x", "D", "E"];

/// Makes types at random, so that two runs have much in common and much that differs.
fn make(r: &mut Random, b: &mut Builder, count: usize) {
    let mut made: Vec<Made> = Vec::new();
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
        let name = if r.one_in(4) { "" } else { r.of(&NAMES) };
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
                id: b.typedef(r.of(&NAMES), any.id),
                is_composite: false,
                ..any
            },
            8 => Made {
                id: b.reference(
                    r.of(&[Kind::Const, Kind::Volatile, Kind::Restrict]),
                    "",
                    any.id,
                ),
                is_composite: false,
                ..any
            },
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
                ..field(b.fwd(r.of(&NAMES), r.one_in(2)), 0)
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
            out.push(near(r, a.nelems.max(1)));
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
        all.relocated += tally.relocated;
        all.poisoned += tally.poisoned;
        all.refused += tally.refused;
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
            tally.relocated += one.relocated;
            tally.poisoned += one.poisoned;
            tally.refused += one.refused;
        }
    });
    println!("{} pairs: {tally:?}", pairs());
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
    assert!(pairs() < 100 || tally.poisoned > 0);
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

/// BTF to be changed here and there. It stays such that both sides take it.
struct Mutant {
    blob: Vec<u8>,
    records: Vec<Record>,
    names: Vec<u32>,
}

impl Mutant {
    fn new(blob: Vec<u8>) -> Self {
        let mut out = Self {
            blob,
            records: Vec::new(),
            names: Vec::new(),
        };
        let (body, len) = (out.word(4) as usize, out.word(12) as usize);
        let mut at = body + out.word(8) as usize;
        let end = at + len;
        while at < end {
            let info = out.word(at + 4);
            let kind = Kind::from_raw(info >> 24 & 0x7f).expect("we made it");
            let vlen = (info & 0xffff) as usize;
            let id = out.records.len() as u32 + 1;
            out.records.push(Record { id, at, kind, vlen });
            let name = out.word(at);
            if name != 0 {
                out.names.push(name);
            }
            at += RECORD
                + match kind {
                    Kind::Int | Kind::Var | Kind::DeclTag => 4,
                    Kind::Array => 12,
                    Kind::Struct | Kind::Union | Kind::Enum64 | Kind::Datasec => 12 * vlen,
                    Kind::Enum | Kind::FuncProto => 8 * vlen,
                    _ => 0,
                };
        }
        out
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
    fn kind_of(&self, mut id: u32) -> Option<Kind> {
        while id != 0 {
            let record = &self.records[id as usize - 1];
            match record.kind {
                Kind::Typedef | Kind::Const | Kind::Volatile | Kind::Restrict => {
                    id = self.word(record.at + 8);
                }
                kind => return Some(kind),
            }
        }
        None
    }

    /// The changed BTF, without bitfields of what is no number: the reference divides by their
    /// size.
    fn finish(mut self) -> Vec<u8> {
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
        self.blob
    }

    /// Changes one thing, if the type that chance picks has it.
    fn mutate(&mut self, r: &mut Random) {
        let n = r.below(self.records.len());
        let Record { id, at, kind, vlen } = self.records[n];
        let body = at + RECORD;
        // By value, types may only have what came before, or one could be within itself.
        let before = |r: &mut Random| r.below(id as usize) as u32;
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
                let to = before(r).max(1);
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
                            self.set(m + 8, offset + by);
                        }
                        let size = self.word(at + 8);
                        self.set(at + 8, size + by / 8);
                    }
                    _ => {
                        let to = before(r).max(1);
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
                let to = r.below(self.records.len() + 1) as u32;
                self.set(at + 8, to);
            }
            Kind::Typedef | Kind::Const | Kind::Volatile | Kind::Restrict => {
                let to = before(r);
                self.set(at + 8, to);
            }
            Kind::FuncProto if vlen > 0 => {
                let to = before(r);
                self.set(body + 8 * r.below(vlen) + 4, to);
            }
            _ => (),
        }
    }
}

/// The same types, sorted by name as those of a kernel are.
fn sorted(blob: Vec<u8>) -> Vec<u8> {
    let c = Reference::new(&blob, None).expect("libbpf takes what we make");
    let mut map = with_blob(&blob, None, |types| {
        let mut ids: Vec<u32> = types.own_ids().collect();
        ids.sort_by_key(|&id| types.name_of(id).unwrap().to_vec());
        let mut map = vec![0; ids.len() + 1];
        for (n, id) in (1..).zip(ids) {
            map[id as usize] = n;
        }
        map
    });
    let mut size = 0;
    // SAFETY: The map has a place for each type, the result lives as long as `c`.
    let out = unsafe {
        let data = reference_permute(c.0, map.as_mut_ptr(), map.len() as u32, &mut size);
        assert!(!data.is_null(), "libbpf can sort what we make");
        std::slice::from_raw_parts(data, size as usize).to_vec()
    };
    with_blob(&out, None, |types| assert!(types.is_sorted()));
    out
}

fn mutated_pair(r: &mut Random, tally: &mut Tally) {
    let mut local = Builder::new();
    let size = 10 + r.below(30);
    make(r, &mut local, size);
    let plan = plan(r, &mut local);
    let mut target = Mutant::new(local.blob());
    for _ in 0..=r.below(12) {
        target.mutate(r);
    }
    let mut target = target.finish();
    if r.one_in(2) {
        target = sorted(target);
    }
    compare_plan(&local.blob(), &target, None, &plan, tally);
}

fn random_pair(r: &mut Random, tally: &mut Tally) {
    let mut local = Builder::new();
    let size = 10 + r.below(20);
    make(r, &mut local, size);
    let mut vmlinux = if r.one_in(3) {
        local.clone()
    } else {
        Builder::new()
    };
    let size = 10 + r.below(20);
    make(r, &mut vmlinux, size);
    let mut module = Builder::on(&vmlinux);
    let has_module = r.one_in(4);
    make(r, &mut module, 8);

    let plan = plan(r, &mut local);
    let mut vmlinux = vmlinux.blob();
    // The module does without types of vmlinux, and so does not mind where they are.
    if r.one_in(2) {
        vmlinux = sorted(vmlinux);
    }
    let module = has_module.then(|| module.blob());
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
        for (relo, form) in plan {
            case.compare_forms(relo, *form, tally);
        }
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

/// Where the engine differs from the reference on purpose, or did until the reference was fixed:
/// the series has patches for that, so both results are right. If one of these fails, the reference
/// has changed: so may the list in core_relo.rs.
mod deliberate_differences {
    use super::*;

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
        for access in ["0: 1", " 0:1", "0:+1", "0:4294967297"] {
            let access = b.string(access);
            let relo = relo(ReloKind::FieldByteOffset, root, access);
            let [ours, theirs] = compare(&b, &b, &relo, &[mov(4)]);
            assert_eq!(ours, Err(-22));
            // glibc refuses to wrap; the kernel's sscanf() does not.
            assert!(
                theirs == Ok(4) || theirs == Ok(0) || theirs == Err(-22),
                "{theirs:?}"
            );
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
        assert!(theirs == Ok(8) || theirs == Err(-22), "{theirs:?}");
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
        assert!(theirs == Ok(36) || theirs == Ok(28), "{theirs:?}");
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

    #[test]
    fn sections_have_no_size() {
        let mut b = Builder::new();
        let int = b.int("int", 4, true);
        let var = b.var("v", int);
        let access = b.string("0");
        let relo = relo(ReloKind::FieldByteSize, var, access);
        let [ours, theirs] = compare(&b, &b, &relo, &[mov(4)]);
        assert_eq!((ours, theirs), (Err(-22), Ok(4)));
    }
}
