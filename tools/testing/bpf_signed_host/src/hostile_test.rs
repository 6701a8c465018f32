// SPDX-License-Identifier: GPL-2.0

//! Bad BTF and bad records: an error, soon, and nothing else.

use crate::builder::Builder;
use crate::harness::*;
use crate::signed::btf::{Blob, Kind};
use crate::signed::core_relo::{Errno, Error, Relo, ReloKind, MAX_STEPS_PROGRAM};
use std::time::{Duration, Instant};
use ReloKind::*;

/// One record of kind `kind` about `root` on both sides.
fn run(b: &mut Builder, kind: ReloKind, root: u32, access: &[u8]) -> Outcome {
    let access = b.bytes(access);
    run_at(b, kind as u32, root, access)
}

fn run_at(b: &Builder, kind: u32, root: u32, access: u32) -> Outcome {
    let mut record = relo(TypeExists, root, access);
    record.kind = kind;
    let is_whole = [TypeExists as u32, TypeMatches as u32].contains(&kind);
    let insns = ld_imm64(is_whole.into());
    with(b, |types| relocate(types, &[*types], &[record], &insns))
}

#[test]
fn access_strings() {
    let mut b = Builder::new();
    let int = b.int("int", 4, true);
    let arr = b.array(int, 0);
    let root = b.structure("s", 8, &[("a", int, 0, 0), ("b", arr, 32, 0)]);
    let en = b.enumeration("e", 4, false, &[("A", 0), ("B", 1)]);
    let long_zero = "0".repeat(2000);
    let numbers = vec!["0"; 65].join(":");
    for access in [
        "",
        ":",
        "::",
        "0:",
        ":0",
        "0::1",
        "0: 1",
        " 0",
        "0 ",
        "+0",
        "-1",
        "-0",
        "0:+1",
        "0\n",
        "0x0",
        "0:4294967297",
        "4294967296",
        "2147483648",
        "99999999999999999999",
        "a",
        "0:a",
        "0:1:0:0",
        "0:2",
        "0,1",
        "0.1",
        &long_zero,
        &numbers,
    ] {
        let out = run(&mut b, FieldExists, root, access.as_bytes());
        assert_eq!(
            out.result,
            Err(Error::BadAccess),
            "{access:?} {:?}",
            out.log
        );
        assert!(out.says("relo #0: parsing ["), "{access:?} {:?}", out.log);
    }
    for access in ["2147483647:0", "0:1:2147483647"] {
        let out = run(&mut b, FieldByteOffset, root, access.as_bytes());
        assert_eq!(out.result, Err(Error::OffsetOverflow), "{access:?}");
    }
    for access in ["2", "0:0", "4294967296", "0 "] {
        let out = run(&mut b, EnumvalValue, en, access.as_bytes());
        assert_eq!(out.result, Err(Error::BadAccess), "{access:?}");
    }
    for access in ["00", "1", "0:0", " 0"] {
        let out = run(&mut b, TypeExists, root, access.as_bytes());
        assert_eq!(out.result, Err(Error::BadAccess), "{access:?}");
    }
    for offset in [u32::MAX, 1 << 24, 100_000] {
        let out = run_at(&b, TypeExists as u32, root, offset);
        assert_eq!(out.result, Err(Error::BadAccess));
    }
}

#[test]
fn records() {
    let mut b = Builder::new();
    let int = b.int("int", 4, true);
    let anon = b.structure("", 4, &[("a", int, 0, 0)]);
    let zero = b.string("0");
    for kind in [13, 255, u32::MAX] {
        let out = run_at(&b, kind, int, zero);
        assert_eq!(out.result, Err(Error::BadReloKind));
        assert!(out.says(&format!("unrecognized CO-RE relocation ({kind})")));
    }
    for id in [b.next_id(), 100500, u32::MAX] {
        let out = run_at(&b, 0, id, zero);
        assert_eq!(out.result, Err(Error::BadTypeId));
        assert!(out.says(&format!("relo #0: bad type id {id}")));
    }
    for id in [0, anon] {
        for kind in ReloKind::ALL {
            let out = run_at(&b, kind as u32, id, zero);
            if kind == TypeIdLocal {
                assert_eq!(out.result, Ok(()));
            } else {
                assert_eq!(out.result, Err(Error::Anonymous));
                assert_eq!(Error::Anonymous.errno(), Errno::Invalid);
            }
        }
    }
    for insn_off in [4, 16, 24, u32::MAX, u32::MAX - 7] {
        let mut record = relo(TypeIdLocal, int, zero);
        record.insn_off = insn_off;
        with(&b, |types| {
            let out = relocate(types, &[*types], &[record], &ld_imm64(0));
            assert_eq!(out.result, Err(Error::BadInsn));
        });
    }
}

/// Kinds that are not meant to be relocated, at the root and further in.
#[test]
fn unexpected_kinds() {
    let mut b = Builder::new();
    let int = b.int("int", 4, true);
    let proto = b.function(int, &[]);
    let func = b.reference(Kind::Func, "func", proto);
    let var = b.var("var", int);
    let sec = b.datasec("sec", 4, &[var]);
    let float = b.float("float", 4);
    let tagged = b.structure("tagged", 4, &[("f", float, 0, 0)]);
    let tag = b.decl_tag("tag", tagged);
    let mut roots = vec![func, var, sec, float, tag];
    for kind in roots.clone() {
        let ptr = b.ptr(kind);
        roots.push(b.typedef("pointer", ptr));
        roots.push(b.structure(&format!("holds{kind}"), 4, &[("m", kind, 0, 0)]));
        roots.push(b.structure(&format!("points{kind}"), 8, &[("m", ptr, 0, 0)]));
    }
    for root in roots {
        for kind in ReloKind::ALL {
            for access in ["0", "0:0"] {
                let out = run(&mut b, kind, root, access.as_bytes());
                let is_whole = kind == TypeExists || kind == TypeMatches;
                if is_whole && access == "0" && [func, var, sec, float, tag].contains(&root) {
                    assert_eq!(out.result, Ok(()));
                    assert_eq!(imm64(&out.insns), 0);
                }
            }
        }
    }
}

/// Types that lead to themselves.
#[test]
fn cycles() {
    let mut b = Builder::new();
    let me = b.next_id();
    b.typedef("alias", me);
    let me = b.next_id();
    b.array(me, 2);
    let by_array = b.typedef("by_array", me);
    let me = b.next_id();
    b.ptr(me);
    let by_ptr = b.typedef("by_ptr", me);
    let me = b.next_id();
    let by_struct = b.structure(
        "itself",
        8,
        &[("", me, 0, 0), ("", me, 0, 0), ("x", me, 0, 0)],
    );
    let me = b.next_id();
    b.structure("", 8, &[("", me, 0, 0), ("", me, 0, 0)]);
    let by_anon = b.structure(
        "by_anon",
        8,
        &[("a", me, 0, 0), ("", me, 0, 0), ("z", me, 0, 0)],
    );
    let me = b.next_id();
    b.function(me, &[me, me, me]);
    let by_func = b.typedef("by_func", me);
    let me = b.next_id();
    b.ptr(me + 1);
    b.function(me, &[me, me, me, me]);
    let by_func_ptr = b.typedef("by_func_ptr", me);
    let start = Instant::now();
    for root in 1..b.next_id() {
        for kind in ReloKind::ALL {
            for access in ["0", "0:0", "0:1:1:1", "0:0:0:0:0", "0:2", "1:1"] {
                let out = run(&mut b, kind, root, access.as_bytes());
                assert!(out.result.is_ok() || !out.log.is_empty());
            }
        }
    }
    assert!(start.elapsed() < Duration::from_secs(20));
    for (root, kind, access, error) in [
        (by_array, TypeSize, "0", Error::TypesTooDeep),
        (by_ptr, TypeExists, "0", Error::TypesTooDeep),
        (by_struct, TypeMatches, "0", Error::TypesTooDeep),
        (by_anon, FieldExists, "0:2", Error::TooDeep),
        (by_func, TypeExists, "0", Error::TypesTooDeep),
        (by_func_ptr, TypeMatches, "0", Error::TypesTooDeep),
        (1, TypeExists, "0", Error::BadType),
    ] {
        let out = run(&mut b, kind, root, access.as_bytes());
        assert_eq!(out.result, Err(error), "{root} {kind:?} {:?}", out.log);
    }
}

/// What takes too many steps is given up.
#[test]
fn steps() {
    // Each level has the next one twice: 2^40 ways to the bottom.
    let mut b = Builder::new();
    let int = b.int("int", 4, true);
    let mut id = b.structure("", 4, &[("x", int, 0, 0)]);
    for _ in 0..40 {
        id = b.structure("", 4, &[("", id, 0, 0), ("", id, 0, 0)]);
    }
    let mut target = b.clone();
    target.structure("s", 4, &[("", id, 0, 0)]);
    let root = b.structure("s", 4, &[("y", int, 0, 0)]);
    let access = b.string("0:0");
    with(&b, |local| {
        with(&target, |target| {
            let out = relocate(
                local,
                &[*target],
                &[relo(FieldExists, root, access)],
                &ld_imm64(1),
            );
            assert_eq!(out.result, Err(Error::TooComplex));
            assert_eq!(Error::TooComplex.errno(), Errno::TooBig);
            assert!(out.says("too many types and members"));
        });
    });

    // Many records, each for a name that is nowhere, over types that are not sorted.
    let mut b = Builder::new();
    b.int("z", 4, true);
    for n in 0..4000 {
        b.raw(&[0, (Kind::Fwd as u32) << 24, n]);
    }
    let target = b.clone();
    let first = b.next_id();
    let nowhere = b.string("nowhere");
    for _ in 0..20_000 {
        b.raw(&[nowhere, (Kind::Fwd as u32) << 24, 0]);
    }
    let access = b.string("0");
    let relos: Vec<_> = (first..b.next_id())
        .zip(0..)
        .map(|(id, n)| Relo {
            insn_off: n * 8,
            ..relo(TypeExists, id, access)
        })
        .collect();
    let start = Instant::now();
    with(&b, |local| {
        with(&target, |target| {
            let out = relocate(local, &[*target], &relos, &vec![mov(1); relos.len()]);
            assert_eq!(out.result, Err(Error::TooComplex));
        });
    });
    assert!(relos.len() as u64 * 4000 > u64::from(MAX_STEPS_PROGRAM));
    assert!(start.elapsed() < Duration::from_secs(60));
}

/// Whatever bytes are changed, nothing panics and everything ends.
#[test]
fn mutations() {
    let mut b = Builder::new();
    let int = b.int("int", 4, true);
    let arr = b.array(int, 3);
    let en = b.enumeration("e", 4, true, &[("A", 1), ("B", 2)]);
    let en64 = b.enum64("e64", true, &[("A", 1), ("B", 2)]);
    let inner = b.structure("", 8, &[("x", arr, 0, 0), ("y", int, 32, 3)]);
    let s = b.structure(
        "s",
        8,
        &[("a", inner, 0, 0), ("", inner, 0, 0), ("e", en, 3, 5)],
    );
    let ptr = b.ptr(s);
    let func = b.function(ptr, &[int, ptr, en64]);
    let ptr = b.ptr(func);
    let t = b.typedef("t", ptr);
    b.union("u", 8, &[("t", t, 0, 0), ("s", s, 0, 0), ("x", arr, 0, 0)]);
    let accesses: Vec<u32> = ["0", "0:0", "0:1", "0:1:0:2", "1:0:0:1", "1"]
        .iter()
        .map(|a| b.string(a))
        .collect();
    let good = b.blob();
    with(&b, |good_types| {
        let mut state = 0x2545_f491_4f6c_dd1du64;
        let mut random = move |below: usize| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state % below as u64) as usize
        };
        let mut seen = 0;
        for _ in 0..20_000 {
            let mut bad = good.clone();
            for _ in 0..1 + random(3) {
                let at = random(bad.len());
                bad[at] = match random(3) {
                    0 => bad[at] ^ 1 << random(8),
                    1 => 0xff,
                    _ => random(256) as u8,
                };
            }
            if random(10) == 0 {
                bad.truncate(random(bad.len()));
            }
            let Some(blob) = Blob::parse(&bad) else {
                continue;
            };
            let Some(len) = blob.index_len(None) else {
                continue;
            };
            let mut index = vec![0; len];
            let Some(types) = blob.types(&mut index, None) else {
                continue;
            };
            seen += 1;
            let kind = ReloKind::ALL[random(13)];
            let record = relo(kind, random(16) as u32, accesses[random(accesses.len())]);
            let insn = ld_imm64(random(16) as u64);
            relocate(&types, &[*good_types], &[record], &insn);
            relocate(good_types, &[types], &[record], &insn);
            relocate(&types, &[types], &[record], &insn);
        }
        assert!(seen > 5000, "{seen}");
    });
}
