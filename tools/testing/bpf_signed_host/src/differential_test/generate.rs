// SPDX-License-Identifier: GPL-2.0

//! Types and access strings that are made by chance.

use crate::builder::{Builder, M};
use crate::signed::btf::{Kind, Types};

pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        ((self.0 >> 11) % n as u64) as usize
    }

    pub(super) fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    pub(super) fn of<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }
}

/// A type that was made, with what is needed to make sensible others of it.
#[derive(Clone, Copy)]
pub(super) struct Made {
    pub(super) id: u32,
    pub(super) size: u32,
    /// How many structs are within each other.
    pub(super) nest: u32,
    pub(super) is_composite: bool,
    pub(super) is_field: bool,
    /// May be the type of a bitfield.
    pub(super) is_number: bool,
    /// Which of the member names it takes where it is an anonymous member.
    pub(super) names: u32,
}

pub(super) const NAMES: [&str; 11] = [
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
pub(super) const IN_VMLINUX: usize = 8;
pub(super) const IN_MODULE: usize = 6;
pub(super) const MEMBERS: [&str; 10] = ["a", "b", "c", "d", "e", "f", "a___x", "g", "h", "i"];
pub(super) const VALUES: [&str; 6] = ["A", "B", "C", "A___x", "D", "E"];
/// A name that no local member has.
pub(super) const GONE: &str = "gone";

/// Makes types at random, so that two runs have much in common and much that differs. They may
/// refer to those in `base`. Returns what others may refer to.
pub(super) fn make(
    r: &mut Random,
    b: &mut Builder,
    count: usize,
    names: &[&str],
    base: &[Made],
) -> Vec<Made> {
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
pub(super) fn make_root(r: &mut Random, b: &mut Builder, made: &[Made], names: &[&str]) {
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

pub(super) fn composite(r: &mut Random, b: &mut Builder, fields: &[Made], name: &str) -> Made {
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
pub(super) fn access(r: &mut Random, types: &Types<'_>, root: u32) -> String {
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
