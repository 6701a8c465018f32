// SPDX-License-Identifier: GPL-2.0

//! Bad BTF and bad records: an error, soon, and nothing else.

use crate::builder::Builder;
use crate::harness::*;
use crate::signed::btf::{Blob, Kind};
use crate::signed::core_relo::types::MAX_LEVEL;
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
                assert!(
                    out.result.is_ok() || out.says("relo #0: "),
                    "{root} {kind:?}"
                );
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

/// What nests as deeply as it may, and what nests one deeper.
#[test]
fn deepest() {
    type Nest = fn(&mut Builder, usize) -> u32;
    let modifiers: Nest = |b, n| {
        let int = b.int("int", 4, true);
        let last = (0..n).fold(int, |id, _| b.constant(id));
        b.structure("s", 4, &[("a", last, 0, 0)])
    };
    let dimensions: Nest = |b, n| {
        let int = b.int("int", 4, true);
        let last = (0..n).fold(int, |id, _| b.array(id, 1));
        b.structure("s", 4, &[("a", last, 0, 0)])
    };
    let members: Nest = |b, n| {
        let int = b.int("int", 4, true);
        (0..n).fold(int, |id, _| b.structure("s", 4, &[("a", id, 0, 0)]))
    };
    let anonymous: Nest = |b, n| {
        let int = b.int("int", 4, true);
        let last = b.structure("", 4, &[("a", int, 0, 0)]);
        let last = (1..n).fold(last, |id, _| b.structure("", 4, &[("", id, 0, 0)]));
        b.structure("s", 4, &[("", last, 0, 0)])
    };
    let functions: Nest = |b, n| {
        let int = b.int("int", 4, true);
        let last = (0..n).fold(int, |id, _| b.function(int, &[id]));
        b.typedef("s", last)
    };
    let way = |n: usize| vec!["0"; n].join(":");
    for (nest, kind, access, most, error) in [
        (modifiers, FieldByteOffset, "0:0", 63, Error::BadType),
        (dimensions, FieldByteOffset, "0:0", 31, Error::TypesTooDeep),
        (members, FieldByteOffset, &way(64), 63, Error::BadAccess),
        (anonymous, FieldByteOffset, "0:0", 62, Error::TooDeep),
        (functions, TypeExists, "0", 32, Error::TypesTooDeep),
        (members, TypeMatches, "0", 31, Error::TypesTooDeep),
    ] {
        for n in [most, most + 1] {
            let mut target = Builder::new();
            nest(&mut target, n);
            let mut local = Builder::new();
            let root = if nest as usize == anonymous as usize {
                members(&mut local, 1)
            } else {
                nest(&mut local, n)
            };
            // The way down has one number more than there are structs.
            let long = way(n + 1);
            let access = if access.len() > 3 { &long } else { access };
            let record = relo(kind, root, local.string(access));
            let insns = ld_imm64((kind != FieldByteOffset).into());
            let out = with(&local, |local| {
                with(&target, |target| {
                    relocate(local, &[*target], &[record], &insns)
                })
            });
            let expected = if n == most { Ok(()) } else { Err(error) };
            assert_eq!(out.result, expected, "{n} {kind:?} {:?}", out.log);
            assert!(n == most || out.says("relo #0: "), "{:?}", out.log);
        }
    }

    // As few levels as the caller says.
    for (nest, kind) in [(functions, TypeExists), (members, TypeMatches)] {
        for levels in 1..=MAX_LEVEL {
            let most = levels - usize::from(kind == TypeMatches);
            for n in [most, most + 1] {
                let mut b = Builder::new();
                let root = nest(&mut b, n.max(1));
                let record = relo(kind, root, b.string("0"));
                let insns = ld_imm64(1);
                let out = with(&b, |types| {
                    relocate_levels(types, &[*types], &[record], &insns, levels)
                });
                let expected = if n.max(1) == most {
                    Ok(())
                } else {
                    Err(Error::TypesTooDeep)
                };
                assert_eq!(out.result, expected, "{n} of {levels} {kind:?}");
            }
        }
    }
}

/// Counts that are as large as they can be.
#[test]
fn huge_counts() {
    const MANY: usize = 100_000;
    let start = Instant::now();
    let mut b = Builder::new();
    let int = b.int("int", 4, true);
    let arr = b.array(int, u32::MAX);
    let huge = b.structure("huge", 4, &[("a", arr, 0, 0), ("b", int, 0, 0)]);
    let mut members = vec![("m", int, 0, 0); MANY];
    members[MANY - 1] = ("z", int, 32, 0);
    let wide = b.structure("wide", 8, &members);
    let same = b.structure("same", 8, &vec![("z", int, 0, 0); MANY]);
    let mut enumerators = vec![("m", 0); MANY];
    enumerators[MANY - 1] = ("z", 7);
    let colours = b.enumeration("colours", 4, false, &enumerators);
    let proto = b.function(int, &vec![int; MANY]);
    let function = b.typedef("function", proto);

    // The last of many is found.
    let last = format!("0:{}", MANY - 1);
    let out = run(&mut b, FieldByteOffset, wide, last.as_bytes());
    assert_eq!(out.result, Err(Error::UnexpectedValue), "{:?}", out.log);
    assert!(out.says("exp 4 -> 4"), "{:?}", out.log);
    let last = (MANY - 1).to_string();
    let out = run(&mut b, EnumvalValue, colours, last.as_bytes());
    assert!(out.says("exp 7 -> 7"), "{:?}", out.log);
    let out = run(&mut b, TypeExists, function, b"0");
    assert_eq!((out.result, imm64(&out.insns)), (Ok(()), 1));
    // But not each of many among as many.
    let mut target = b.clone();
    let mut members = vec![("y", int, 0, 0); MANY];
    members[MANY - 1] = ("z", int, 0, 0);
    target.structure("same", 8, &members);
    let record = relo(TypeMatches, same, b.string("0"));
    let out = with(&b, |local| {
        with(&target, |target| {
            relocate(local, &[*target], &[record], &ld_imm64(1))
        })
    });
    assert_eq!(out.result, Err(Error::TooComplex));
    assert!(out.says("relo #0: "));

    for (kind, access, error) in [
        (FieldByteSize, "0:0", Error::NoSize),
        (FieldByteOffset, "0:0:134217727", Error::UnexpectedValue),
        (FieldByteOffset, "0:0:134217728", Error::OffsetOverflow),
        (FieldByteOffset, "0:2147483647", Error::BadAccess),
    ] {
        let out = run(&mut b, kind, huge, access.as_bytes());
        assert_eq!(out.result, Err(error), "{access} {:?}", out.log);
        assert!(out.says("relo #0: "), "{:?}", out.log);
    }

    let byte = b.int("byte", 1, false);
    for (bytes, error) in [
        (i32::MAX as u32, Error::UnexpectedValue),
        (1 << 31, Error::NoSize),
    ] {
        let bytes = b.array(byte, bytes);
        let holder = b.structure("bytes", 4, &[("a", bytes, 0, 0)]);
        let out = run(&mut b, FieldByteSize, holder, b"0:0");
        assert_eq!(out.result, Err(error), "{:?}", out.log);
    }

    // More than there is room for.
    let name = b.string("more");
    b.raw(&[name, (Kind::Struct as u32) << 24 | 0xff_ffff, 4]);
    let blob = b.blob();
    assert!(Blob::parse(&blob).unwrap().index_len(None).is_none());
    assert!(start.elapsed() < Duration::from_secs(20));
}

/// Names that are as long as they may be, and longer ones.
#[test]
fn huge_names() {
    for (len, is_fine) in [(1023, true), (1024, false), (1 << 20, false)] {
        let name = "n".repeat(len);
        let mut b = Builder::new();
        let int = b.int("int", 4, true);
        let root = b.structure(&name, 4, &[("a", int, 0, 0)]);
        let holder = b.structure("s", 4, &[(&name, int, 0, 0)]);
        let en = b.enumeration("e", 4, false, &[(&name, 1)]);
        for (kind, id, access) in [
            (TypeExists, root, "0"),
            (TypeMatches, holder, "0"),
            (FieldExists, holder, "0:0"),
            (EnumvalValue, en, "0"),
        ] {
            let access = b.string(access);
            let record = relo(kind, id, access);
            let out = with(&b, |types| {
                relocate(types, &[*types], &[record], &ld_imm64(1))
            });
            let expected = if is_fine { Ok(()) } else { Err(Error::BadType) };
            assert_eq!(out.result, expected, "{len} {kind:?}");
            assert!(is_fine || out.says("relo #0: "), "{len} {kind:?}");
        }
    }
}

/// Names that take long to read count for more steps, the same ones again and again as well.
#[test]
fn long_names() {
    const MANY: usize = 200;
    let start = Instant::now();
    let others: Vec<_> = (0..MANY).map(|n| format!("other_{n}")).collect();
    let mut enumerators = vec![("first", 0)];
    enumerators.extend(others.iter().map(|name| (name.as_str(), 0)));
    let mut target = Builder::new();
    target.enumeration("e", 4, false, &enumerators);

    let long = format!("first___{}", "x".repeat(1000));
    let mut enumerators = vec![(long.as_str(), 0); MANY];
    enumerators.push(("missing", 0));
    let mut local = Builder::new();
    let root = local.enumeration("e", 4, false, &enumerators);
    let access = local.string("0");
    let relos: Vec<_> = (0..10_000)
        .map(|n| Relo {
            insn_off: n * 8,
            ..relo(TypeMatches, root, access)
        })
        .collect();
    let out = with(&local, |local| {
        with(&target, |target| {
            relocate_quietly(local, &[*target], &relos, &vec![mov(1); relos.len()])
        })
    });
    assert_eq!(out.result, Err(Error::TooComplex));
    // 200 names of a thousand bytes make some 25,000 steps.
    assert!(out.insns[2000].imm == 0 && out.insns[4000].imm == 1);
    assert!(start.elapsed() < Duration::from_secs(20));
}

/// Thousands of types with one name.
#[test]
fn many_candidates() {
    const MANY: usize = 8000;
    let start = Instant::now();
    for is_sorted in [true, false] {
        let mut local = Builder::new();
        let int = local.int("int", 4, true);
        let root = local.structure("s", 4, &[("a", int, 0, 0)]);
        let access = local.string("0:0");
        let mut target = Builder::new();
        // What has no name comes first.
        let int = target.raw(&[0, (Kind::Int as u32) << 24, 4, 32]);
        if !is_sorted {
            target.fwd("t", false);
        }
        for n in 0..MANY {
            let name = if n < MANY / 2 { "s" } else { "s___flavour" };
            target.structure(name, 8, &[("a", int, 32, 0)]);
        }
        let relocate = |target: &Builder, records: usize| {
            let relos: Vec<_> = (0..records)
                .map(|n| Relo {
                    insn_off: n as u32 * 8,
                    ..relo(FieldByteOffset, root, access)
                })
                .collect();
            with(&local, |local| {
                with(target, |target| {
                    assert_eq!(target.is_sorted(), is_sorted);
                    relocate_quietly(local, &[*target], &relos, &vec![mov(0); records])
                })
            })
        };
        let out = relocate(&target, 1);
        assert_eq!((out.result, out.insns[0].imm), (Ok(()), 4));
        // Each record looks at all of them, up to the bound for the program.
        let out = relocate(&target, 10_000);
        assert_eq!(out.result, Err(Error::TooComplex));
        assert!(out.insns[100].imm == 4 && out.insns[9999].imm == 0);
        // All have to agree.
        target.structure("s___flavour", 8, &[("a", int, 0, 0)]);
        assert_eq!(relocate(&target, 1).result, Err(Error::Ambiguous));
    }
    assert!(start.elapsed() < Duration::from_secs(20));
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
