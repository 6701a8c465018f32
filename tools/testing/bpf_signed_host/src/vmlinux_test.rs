// SPDX-License-Identifier: GPL-2.0

//! The engine on a real kernel's BTF.

use crate::harness::*;
use crate::signed::btf::{Kind, Types};
use crate::signed::core_relo::{Error, ReloKind};
use ReloKind::*;

/// The BTF that `BTF` names.
fn vmlinux() -> Vec<u8> {
    let path = std::env::var_os("BTF").expect("BTF= is set");
    std::fs::read(path).expect("BTF= can be read")
}

/// `blob` with more strings. Returns it with their offsets.
pub(crate) fn with_strings(blob: &[u8], strings: &[String]) -> (Vec<u8>, Vec<u32>) {
    let word = |at: usize| u32::from_ne_bytes(blob[at..at + 4].try_into().unwrap());
    let body = word(4) as usize;
    let (types_at, types_len) = (body + word(8) as usize, word(12) as usize);
    let (strings_at, strings_len) = (body + word(16) as usize, word(20) as usize);
    let mut all = blob[strings_at..][..strings_len].to_vec();
    let offsets = strings
        .iter()
        .map(|s| {
            let at = all.len() as u32;
            all.extend(s.as_bytes());
            all.push(0);
            at
        })
        .collect();
    let mut out = blob[..4].to_vec();
    for n in [24, 0, types_len as u32, types_len as u32, all.len() as u32] {
        out.extend(n.to_ne_bytes());
    }
    out.extend(&blob[types_at..][..types_len]);
    out.extend(all);
    (out, offsets)
}

/// Each named type of vmlinux.
fn named<'a>(types: &'a Types<'_>, kinds: &'a [Kind]) -> impl Iterator<Item = u32> + 'a {
    types.own_ids().filter(|&id| {
        let t = types.by_id(id).unwrap();
        kinds.contains(&t.kind()) && !types.is_anonymous(t.name_off())
    })
}

/// Each member of each struct of a kernel is found, where it is, in the same kernel.
#[test]
#[cfg_attr(not(have_btf), ignore = "BTF= names no raw vmlinux BTF")]
fn members_are_where_they_are() {
    let accesses: Vec<String> = (0..2000).map(|n| format!("0:{n}")).collect();
    let (blob, offsets) = with_strings(&vmlinux(), &accesses);
    let (mut right, mut ambiguous, mut oversized) = (0, 0, 0);
    with_blob(&blob, None, |types| {
        for id in named(types, &[Kind::Struct, Kind::Union]) {
            let t = types.by_id(id).unwrap();
            for n in 0..t.vlen() {
                let member = t.member(n).unwrap();
                if types.is_anonymous(member.name_off) {
                    continue;
                }
                let insn = mov((member.bit_offset / 8) as i32);
                let record = relo(FieldByteOffset, id, offsets[n as usize]);
                let out = relocate(types, &[*types], &[record], &[insn]);
                match out.result {
                    Ok(()) if member.bitfield_size > 0 => right += 1,
                    Ok(()) => {
                        assert_eq!(out.insns[0], insn, "{:?}", out.log);
                        right += 1;
                    }
                    Err(Error::Ambiguous) => ambiguous += 1,
                    Err(Error::BitfieldTooWide | Error::NoSize) => oversized += 1,
                    Err(e) => panic!("{e}: {:?}", out.log),
                }
            }
        }
    });
    println!("{right} members right, {ambiguous} ambiguous, {oversized} without a size");
    assert!(right > 20_000);
    assert!(ambiguous * 50 < right);
    assert_eq!(oversized, 0);
}

/// Each type of a kernel exists, matches and has its size in the same kernel.
#[test]
#[cfg_attr(not(have_btf), ignore = "BTF= names no raw vmlinux BTF")]
fn types_are_what_they_are() {
    let (blob, offsets) = with_strings(&vmlinux(), &["0".into()]);
    with_blob(&blob, None, |types| {
        assert!(types.is_sorted(), "the build sorts vmlinux BTF by name");
        let (mut count, mut unmatched) = (0, 0);
        let kinds = [
            Kind::Struct,
            Kind::Union,
            Kind::Enum,
            Kind::Int,
            Kind::Typedef,
        ];
        for id in named(types, &kinds) {
            count += 1;
            let run = |kind, imm| {
                let record = relo(kind, id, offsets[0]);
                relocate(types, &[*types], &[record], &[mov(imm)])
            };
            let out = run(TypeExists, 1);
            assert_eq!((out.result, out.insns[0].imm), (Ok(()), 1), "{:?}", out.log);
            if let Some(size) = types.resolve_size(id) {
                let out = run(TypeSize, size as i32);
                if out.result != Err(Error::Ambiguous) {
                    assert_eq!((out.result, out.insns[0].imm), (Ok(()), size as i32));
                }
            }
            // Anonymous members may be matched with each other, functions nest, and floats never
            // match: not all types match themselves.
            let out = run(TypeMatches, 1);
            if (out.result, out.insns[0].imm) != (Ok(()), 1) {
                unmatched += 1;
            }
            let mine = types.name_of(id).unwrap();
            let kind = types.by_id(id).unwrap().kind();
            assert!(types.find_by_name_kind(mine, kind).is_some());
        }
        println!("{count} types, {unmatched} of which do not match themselves");
        assert!(count > 5_000 && unmatched * 20 < count);
    });
}

/// A search by halves finds what a look at each type finds.
#[test]
#[cfg_attr(not(have_btf), ignore = "BTF= names no raw vmlinux BTF")]
fn searches_agree() {
    use crate::signed::core_relo::candidates::{essential_name, search};
    use crate::signed::core_relo::Budget;
    use std::collections::HashMap;

    with_blob(&vmlinux(), None, |types| {
        let mut all: HashMap<(Vec<u8>, u8), Vec<u32>> = HashMap::new();
        let class = |kind: Kind| if kind == Kind::Enum64 { Kind::Enum } else { kind } as u8;
        for id in types.own_ids() {
            let t = types.by_id(id).unwrap();
            let name = essential_name(types.string(t.name_off()).unwrap());
            if !name.is_empty() {
                let key = (name.to_vec(), class(t.kind()));
                all.entry(key).or_default().push(id);
            }
        }
        for ((name, kind), ids) in all {
            let mut found = Vec::new();
            let kind = Kind::from_raw(kind.into()).unwrap();
            search(types, &name, kind, &mut Budget::new(10_000, 0), |id| {
                found.push(id);
                Ok(())
            })
            .unwrap();
            assert_eq!(found, ids, "{}", name.escape_ascii());
        }
    });
}
