// SPDX-License-Identifier: GPL-2.0

//! Changes to types, such that both sides still take them.

use super::generate::*;
use crate::builder::Builder;
use crate::signed::btf::Kind;

/// Where things are in a type's record, and what may be done to them.
pub(super) struct Record {
    pub(super) id: u32,
    pub(super) at: usize,
    pub(super) kind: Kind,
    pub(super) vlen: usize,
}

pub(super) const RECORD: usize = 12;
pub(super) const KFLAG: u32 = 1 << 31;

impl Record {
    /// Bytes of a member or enumerator, if the type has such. The first word is its name.
    pub(super) fn step(&self) -> Option<usize> {
        match self.kind {
            Kind::Struct | Kind::Union | Kind::Enum64 => Some(12),
            Kind::Enum => Some(8),
            _ => None,
        }
    }

    /// Where the ids of the types are that it refers to.
    pub(super) fn references(&self) -> Vec<usize> {
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
pub(super) struct Mutant<'a> {
    pub(super) blob: Vec<u8>,
    pub(super) records: Vec<Record>,
    pub(super) names: Vec<u32>,
    /// Names of members and enumerators.
    pub(super) parts: Vec<u32>,
    /// Where [`GONE`] is.
    pub(super) gone: u32,
    pub(super) base: Option<&'a Mutant<'a>>,
}

impl<'a> Mutant<'a> {
    /// What `made` holds, on top of `base`.
    pub(super) fn new(made: &mut Builder, base: Option<&'a Mutant<'a>>) -> Self {
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
    pub(super) fn start(&self) -> u32 {
        self.base.map_or(1, Mutant::end)
    }

    pub(super) fn end(&self) -> u32 {
        self.start() + self.records.len() as u32
    }

    /// Where its types are.
    pub(super) fn types(&self) -> (usize, usize) {
        let start = self.word(4) as usize + self.word(8) as usize;
        (start, start + self.word(12) as usize)
    }

    /// The types as words.
    pub(super) fn words(&self) -> Vec<u32> {
        let (start, end) = self.types();
        (start..end).step_by(4).map(|at| self.word(at)).collect()
    }

    pub(super) fn word(&self, at: usize) -> u32 {
        u32::from_ne_bytes(self.blob[at..at + 4].try_into().unwrap())
    }

    pub(super) fn set(&mut self, at: usize, word: u32) {
        self.blob[at..at + 4].copy_from_slice(&word.to_ne_bytes());
    }

    pub(super) fn swap(&mut self, a: usize, b: usize) {
        let (x, y) = (self.word(a), self.word(b));
        self.set(a, y);
        self.set(b, x);
    }

    /// What is behind typedefs and modifiers.
    pub(super) fn kind_of(&self, id: u32) -> Option<Kind> {
        if id == 0 {
            return None;
        }
        let Some(n) = id.checked_sub(self.start()) else {
            return self.base?.kind_of(id);
        };
        let record = &self.records[n as usize];
        match record.kind {
            kind if kind.is_modifier() => self.kind_of(self.word(record.at + 8)),
            kind => Some(kind),
        }
    }

    /// A type that one with this id may have by value: one that came before, or it could be
    /// within itself, and no root.
    pub(super) fn before(&self, r: &mut Random, id: u32) -> u32 {
        let to = r.below(id as usize) as u32;
        let is_root = |kind| matches!(kind, Kind::Func | Kind::Var | Kind::Datasec | Kind::DeclTag);
        if self.kind_of(to).is_some_and(is_root) {
            1
        } else {
            to
        }
    }

    /// Leaves no bitfields of what is no number: the reference divides by their size.
    pub(super) fn finish(&mut self) {
        let mut no_bitfields = Vec::new();
        for record in &self.records {
            if !record.kind.is_composite() || self.word(record.at + 4) & KFLAG == 0 {
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
    pub(super) fn follow(&mut self, map: &[u32]) {
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
    pub(super) fn pick(&self, r: &mut Random, fits: impl Fn(&Record) -> bool) -> Option<usize> {
        let all: Vec<usize> = (0..self.records.len())
            .filter(|&n| fits(&self.records[n]))
            .collect();
        (!all.is_empty()).then(|| r.of(&all))
    }

    /// Gives a member or enumerator another name, or takes it away.
    pub(super) fn lose(&mut self, r: &mut Random) {
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
            let is_known = kind.is_composite() && !cfg!(reference_is_fixed);
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
    pub(super) fn stretch(&mut self, r: &mut Random) {
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
    pub(super) fn mutate(&mut self, r: &mut Random) {
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
            _ if kind.is_modifier() => {
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
