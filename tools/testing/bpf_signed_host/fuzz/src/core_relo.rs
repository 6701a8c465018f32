// SPDX-License-Identifier: GPL-2.0

//! The reader of BTF and the CO-RE engine, on types, records and instructions of the input.
//!
//! The first byte of an input says how types are to be read: as bytes of a BTF section, which
//! are seldom well-formed; or as recipes for types, which mostly are. Each record's result must
//! not depend on the records before it, nor on whether anybody reads the log.

#![no_main]
#![allow(dead_code, unexpected_cfgs, unused_imports)]

use libfuzzer_sys::fuzz_target;

#[path = "../../src/builder.rs"]
mod builder;
#[path = "common.rs"]
mod common;
#[path = "../../src/harness.rs"]
mod harness;
use common::{signed, Input};

use builder::Builder;
use harness::{Kernel, Lines};
use signed::btf::{Blob, Kind, Types};
use signed::core_relo::types::MAX_LEVEL;
use signed::core_relo::{Cache, Candidate, Error, Insn, Relo, Relocator, Slot, Workspace};
use signed::layout;

/// Names in order, so that sorted types can be made of them.
const NAMES: [&str; 20] = [
    "A", "B", "B___x", "a", "a___b", "b", "c", "int", "long", "s", "s___", "s___a", "s___b",
    "s____c", "t", "t___t", "u", "u8", "v", "w",
];

const ACCESS: [&str; 12] = [
    "0",
    "0:0",
    "0:1",
    "0:2",
    "1",
    "1:0",
    "0:0:0",
    "0:1:0",
    "0:1:1",
    "0:0:1:0",
    "0:0:0:0:0",
    "2",
];

/// Types that mostly make sense.
fn cook(input: &mut Input<'_>, builder: &mut Builder) {
    let sorted = input.one_in(2);
    let count = input.below(24);
    let mut at = 0;
    for _ in 0..count {
        let kind = input.below(22) as u32;
        let name = if sorted {
            // Those without a name come first.
            at = (at + input.below(3)).min(NAMES.len());
            if at == 0 {
                ""
            } else {
                NAMES[at - 1]
            }
        } else {
            match input.below(24) {
                n if n < NAMES.len() => NAMES[n],
                _ => "",
            }
        };
        let of = input.below(26) as u32;
        let vlen = input.below(5) as u32;
        let size = [4, 8, 1, 2, 16, 0, 12, u32::MAX][input.below(8)];
        let flag = input.one_in(4);
        let name = builder.string(name);
        let is_reference = Kind::from_raw(kind).is_some_and(|k| {
            k.is_modifier()
                || matches!(
                    k,
                    Kind::Ptr | Kind::Func | Kind::FuncProto | Kind::Var | Kind::DeclTag
                )
        });
        let has_members = [4, 5, 6, 13, 15, 19].contains(&kind);
        let mut words = vec![
            name,
            u32::from(flag) << 31 | kind << 24 | if has_members { vlen } else { 0 },
            if is_reference { of } else { size },
        ];
        match kind {
            1 => words.push(u32::from(flag) << 24 | [32, 64, 8, 31][input.below(4)]),
            3 => words.extend([of, 1, vlen]),
            4 | 5 => {
                for _ in 0..vlen {
                    let member = input.below(NAMES.len() + 4);
                    let member = NAMES.get(member).copied().unwrap_or("");
                    words.push(builder.string(member));
                    words.push(input.below(26) as u32);
                    words.push(match input.below(8) {
                        0 => input.word(),
                        n => u32::from(flag) * ((n as u32) << 24) | 32 * input.below(6) as u32,
                    });
                }
            }
            6 | 19 => {
                for _ in 0..vlen {
                    words.push(builder.string(NAMES[input.below(NAMES.len())]));
                    words.push(u32::from(input.byte()));
                    words.extend((kind == 19).then_some(u32::from(flag)));
                }
            }
            13 => {
                for _ in 0..vlen {
                    words.extend([0, input.below(26) as u32]);
                }
            }
            14 | 17 => words.push(of),
            15 => {
                for _ in 0..vlen {
                    words.extend([input.below(26) as u32, 0, 4]);
                }
            }
            _ => (),
        }
        builder.raw(&words);
    }
}

fn access(input: &mut Input<'_>, builder: &mut Builder) -> u32 {
    match input.below(16) {
        n if n < ACCESS.len() => builder.string(ACCESS[n]),
        12 => input.word(),
        13 => {
            let text: Vec<u8> = (0..input.below(9))
                .map(|_| b"0123456789:: +-"[input.below(15)])
                .collect();
            builder.bytes(&text)
        }
        _ => {
            let numbers: Vec<String> = (0..1 + input.below(8))
                .map(|i| if i == 0 { 0 } else { input.below(7) }.to_string())
                .collect();
            builder.string(&numbers.join(":"))
        }
    }
}

fn instructions(input: &mut Input<'_>) -> Vec<Insn> {
    const CODES: [u8; 16] = [
        0xb7, 0xb4, 0x07, 0x18, 0x18, 0x61, 0x69, 0x71, 0x79, 0x62, 0x7a, 0x63, 0x7b, 0x85, 0x0f,
        0x81,
    ];
    let mut insns = Vec::new();
    for _ in 0..input.below(14) {
        let code = if input.one_in(16) {
            input.byte()
        } else {
            CODES[input.below(16)]
        };
        let value = match input.below(8) {
            0 => input.word() as i32,
            _ => i32::from(input.byte()),
        };
        let is_load = matches!(code & 7, 1..=3);
        let regs = if code == 0x18 && !input.one_in(8) {
            1
        } else {
            0x21
        };
        insns.push(Insn {
            code,
            regs,
            off: if is_load { value as i16 } else { 0 },
            imm: if is_load { 0 } else { value },
        });
        if code == 0x18 && !input.one_in(8) {
            insns.push(Insn {
                code: 0,
                regs: 0,
                off: 0,
                imm: 0,
            });
        }
    }
    insns
}

fn records(input: &mut Input<'_>, builder: &mut Builder, insns: usize) -> Vec<Relo> {
    (0..input.below(10))
        .map(|_| Relo {
            insn_off: match input.below(16) {
                0 => input.word(),
                _ => 8 * input.below(insns + 1) as u32,
            },
            type_id: input.below(28) as u32,
            access_str_off: access(input, builder),
            kind: input.below(14) as u32,
        })
        .collect()
}

fn slots(n: usize) -> Vec<Slot> {
    vec![Slot::default(); Cache::<Vec<Candidate>>::slots_for(n)]
}

/// All records, one after the other, and each by itself.
fn relocate(local: &Types<'_>, targets: &[Types<'_>], relos: &[Relo], mut insns: Vec<Insn>) {
    let mut slots_of_all = slots(relos.len());
    let mut work = Workspace::new();
    let mut all = Relocator::new(
        *local,
        Kernel(targets),
        &mut slots_of_all,
        Vec::new(),
        &mut work,
        MAX_LEVEL,
    );
    for (relo, n) in relos.iter().zip(0..) {
        let mut alone = insns.clone();
        let result = all.relocate(n, relo, &mut insns, &mut Lines::default());
        let result_alone = {
            let mut slots = slots(1);
            let mut work = Workspace::new();
            let mut quiet = Lines {
                quiet: true,
                ..Lines::default()
            };
            let (found, targets) = (Vec::new(), Kernel(targets));
            Relocator::new(*local, targets, &mut slots, found, &mut work, MAX_LEVEL)
                .relocate(n, relo, &mut alone, &mut quiet)
        };
        if result == Err(Error::TooComplex) || result_alone == Err(Error::TooComplex) {
            return;
        }
        assert_eq!(result, result_alone, "{relo:?}");
        assert_eq!(insns, alone, "{relo:?}");
    }
}

/// Puts a header before types and strings.
fn section(types: &[u8], strings: &[u8]) -> Vec<u8> {
    let mut out = 0xeb9fu16.to_ne_bytes().to_vec();
    out.extend([1, 0]);
    let len = types.len() as u32;
    for word in [24, 0, len, len, strings.len() as u32] {
        out.extend(u32::to_ne_bytes(word));
    }
    out.extend(types);
    out.extend(strings);
    out
}

/// What the reader makes of types, whatever they are.
fn walk(types: &Types<'_>) {
    for id in types.own_ids().chain([u32::MAX, u32::MAX - 1]) {
        let Some(t) = types.by_id(id) else { continue };
        let _ = (t.size(), t.type_id(), t.array(), t.int(), types.name_of(id));
        let (end, other) = match types.skip_modifiers(id) {
            Some((end, t)) => (end, t),
            None => continue,
        };
        assert!(!other.kind().is_modifier() || end == id);
        let _ = types.resolve_size(id);
        for i in 0..t.vlen().min(100) {
            let _ = (t.member(i), t.enumerator(i), t.param(i));
        }
        if let Some(name) = types.name_of(id) {
            let _ = types.ids_from(name);
            if !name.is_empty() {
                assert!(types.find_by_name_kind(name, t.kind()).is_some());
            }
        }
    }
}

/// What lies where in a type: what is found with a list, is found with a longer one.
fn lay_out(types: &Types<'_>) {
    for id in types.own_ids().take(12) {
        for (off, size) in [(0, 1), (id, 4)] {
            let all = layout::covers(types, id, off, size, &mut |_, _| true);
            let some = layout::covers(types, id, off, size, &mut |_, member| {
                assert!(!member.is_empty());
                member[0] & 1 != 0
            });
            assert!(all || !some);
        }
        let all = layout::plain_scalar(types, id, &mut |_| true);
        let none = layout::plain_scalar(types, id, &mut |_| false);
        // Types of absurd sizes have none.
        let is_sized = types.resolve_size(id).is_some();
        assert!(none.is_none() || all.is_some() || !is_sized);
    }
}

fn with(blob: &[u8], base: Option<&Types<'_>>, f: impl FnOnce(&Types<'_>)) {
    let Some(blob) = Blob::parse(blob) else {
        return;
    };
    let Some(len) = blob.index_len(base) else {
        return;
    };
    let mut index = vec![0; len];
    let base: Option<Types<'_>> = base.copied();
    if let Some(types) = blob.types(&mut index, base.as_ref()) {
        f(&types);
    }
}

fn fuzz(data: &[u8]) {
    let mut input = Input(data);
    let how = input.byte();
    let raw = how & 3 == 3;
    let has_module = how & 4 != 0;
    let own_types = how & 8 != 0;

    let mut local = Builder::new();
    let mut vmlinux = Builder::new();
    if !raw {
        cook(&mut input, &mut local);
        if own_types {
            vmlinux = local.clone();
        } else {
            cook(&mut input, &mut vmlinux);
        }
    }
    let mut module = Builder::on(&vmlinux);
    if has_module && !raw {
        cook(&mut input, &mut module);
    }
    let insns = instructions(&mut input);
    let relos = records(&mut input, &mut local, insns.len());
    let (local, vmlinux, module) = if raw {
        let mut strings = vec![0];
        strings.extend(input.chunk());
        strings.push(0);
        let vmlinux = section(input.chunk(), &strings);
        let module = section(input.chunk(), b"a\0b\0s___a\0");
        (section(input.0, &strings), vmlinux, module)
    } else {
        (local.blob(), vmlinux.blob(), module.blob())
    };

    with(&local, None, |local| {
        walk(local);
        with(&vmlinux, None, |vmlinux| {
            walk(vmlinux);
            lay_out(vmlinux);
            if has_module {
                with(&module, Some(vmlinux), |module| {
                    walk(module);
                    relocate(local, &[*vmlinux, *module], &relos, insns);
                });
            } else {
                relocate(local, &[*vmlinux], &relos, insns);
            }
        });
    });
}

fuzz_target!(|data: &[u8]| fuzz(data));
