// SPDX-License-Identifier: GPL-2.0

//! What the engine does with each kind of relocation.

use crate::builder::Builder;
use crate::harness::*;
use crate::signed::btf::Kind;
use crate::signed::core_relo::candidates::essential_name;
use crate::signed::core_relo::patch::POISON;
use crate::signed::core_relo::{Error, Insn, Relo, ReloKind};
use ReloKind::*;

/// Relocates one `r1 = imm64` about `root` of `local`.
fn run(local: &mut Builder, target: &Builder, kind: ReloKind, root: u32, access: &str) -> Outcome {
    run_insns(local, target, kind, root, access, &[])
}

/// Relocates `insns`, or if there are none an `r1 = imm64` that holds what it should. What that
/// is the engine tells when it is wrong.
fn run_insns(
    local: &mut Builder,
    target: &Builder,
    kind: ReloKind,
    root: u32,
    access: &str,
    insns: &[Insn],
) -> Outcome {
    let access = local.string(access);
    let relos = [relo(kind, root, access)];
    with(local, |local| {
        with(target, |target| {
            let targets = [*target];
            if !insns.is_empty() {
                return relocate(local, &targets, &relos, insns);
            }
            let out = relocate(local, &targets, &relos, &ld_imm64(0xdead_0000_dead));
            if out.result != Err(Error::UnexpectedValue) {
                return out;
            }
            let expected = out.log.iter().find_map(|line| {
                let (_, rest) = line.split_once(" exp ")?;
                rest.split_once(' ')?.0.parse().ok()
            });
            relocate(local, &targets, &relos, &ld_imm64(expected.unwrap()))
        })
    })
}

/// The value that comes out, `None` if the instruction was poisoned.
fn value(out: &Outcome) -> Result<Option<u64>, Error> {
    out.result?;
    if out.insns[0].imm == POISON {
        assert_eq!(out.insns[0].code, 0x85);
        assert_eq!((out.insns[0].regs, out.insns[0].off), (0, 0));
        assert_eq!(out.insns[0], out.insns[1]);
        return Ok(None);
    }
    Ok(Some(imm64(&out.insns)))
}

/// `struct s { int a; long b; u8 c:3, d:7; int e[4]; struct { int f; }; enum en g; long *h;
/// char i[]; }`, laid out with `shift` bytes before.
fn sample(b: &mut Builder, name: &str, shift: u32) -> u32 {
    let int = b.int("int", 4, true);
    let long = b.int("unsigned long", 8, false);
    let chr = b.int("char", 1, true);
    let arr = b.array(int, 4);
    let anon = b.structure("", 4, &[("f", int, 0, 0)]);
    let en = b.enumeration("en", 4, true, &[("ONE", 1), ("MINUS", -1)]);
    let ptr = b.ptr(long);
    let flex = b.array(chr, 0);
    let s = shift * 8;
    b.structure(
        name,
        64 + shift,
        &[
            ("a", int, s, 0),
            ("b", long, s + 64, 0),
            ("c", int, s + 128, 3),
            ("d", int, s + 131, 7),
            ("e", arr, s + 160, 0),
            ("", anon, s + 288, 0),
            ("g", en, s + 320, 0),
            ("h", ptr, s + 384, 0),
            ("i", flex, s + 448, 0),
        ],
    )
}

#[test]
fn fields() {
    let (mut local, mut target) = (Builder::new(), Builder::new());
    let root = sample(&mut local, "s", 0);
    sample(&mut target, "s", 16);
    let cases: &[(ReloKind, &str, Result<Option<u64>, Error>)] = &[
        (FieldByteOffset, "0:0", Ok(Some(16))),
        (FieldByteOffset, "0:1", Ok(Some(24))),
        (FieldByteOffset, "0:2", Ok(Some(32))),
        (FieldByteOffset, "0:4", Ok(Some(36))),
        (FieldByteOffset, "0:4:3", Ok(Some(48))),
        (FieldByteOffset, "0:4:4", Err(Error::BadAccess)),
        (FieldByteOffset, "0:5:0", Ok(Some(52))),
        (FieldByteOffset, "0:8:1000", Ok(Some(1072))),
        (FieldByteOffset, "2:0", Ok(Some(176))),
        (FieldByteOffset, "0:9", Err(Error::BadAccess)),
        (FieldByteOffset, "0:0:0", Err(Error::BadAccess)),
        (FieldByteOffset, "0", Ok(Some(0))),
        (FieldByteSize, "0", Ok(Some(80))),
        (FieldByteSize, "0:4", Ok(Some(16))),
        (FieldByteSize, "0:4:1", Ok(Some(4))),
        (FieldByteSize, "0:2", Ok(Some(4))),
        (FieldByteSize, "0:7", Ok(Some(8))),
        (FieldExists, "0:5:0", Ok(Some(1))),
        (FieldExists, "0", Ok(Some(1))),
        (FieldSigned, "0:0", Ok(Some(1))),
        (FieldSigned, "0:1", Ok(Some(0))),
        (FieldSigned, "0:6", Ok(Some(1))),
        (FieldSigned, "0:4:1", Err(Error::ArrayElement)),
        (FieldLshiftU64, "0:2", Ok(Some(61))),
        (FieldLshiftU64, "0:3", Ok(Some(54))),
        (FieldRshiftU64, "0:2", Ok(Some(61))),
        (FieldRshiftU64, "0:3", Ok(Some(57))),
        (FieldRshiftU64, "0:1", Ok(Some(0))),
    ];
    for (kind, access, expected) in cases {
        let out = run(&mut local, &target, *kind, root, access);
        assert_eq!(value(&out), *expected, "{kind:?} {access} {:?}", out.log);
    }
}

#[test]
fn missing_fields() {
    let (mut local, mut target) = (Builder::new(), Builder::new());
    let root = sample(&mut local, "s", 0);
    let int = target.int("int", 4, true);
    let long = target.int("long", 8, true);
    let arr = target.array(int, 2);
    target.structure(
        "s",
        32,
        &[
            ("b", int, 0, 0),
            ("a", arr, 64, 0),
            ("e", arr, 128, 0),
            ("h", long, 192, 0),
        ],
    );
    let cases: &[(ReloKind, &str, Option<u64>)] = &[
        (FieldByteOffset, "0:3", None),
        (FieldByteSize, "0:3", None),
        (FieldSigned, "0:3", None),
        (FieldLshiftU64, "0:3", None),
        (FieldRshiftU64, "0:3", None),
        (FieldExists, "0:3", Some(0)),
        // Another type, and no compatible one.
        (FieldByteOffset, "0:0", None),
        (FieldExists, "0:7", Some(0)),
        // Out of the target's bounds.
        (FieldByteOffset, "0:4:1", Some(20)),
        (FieldByteOffset, "0:4:3", None),
        (FieldByteOffset, "0:1", Some(0)),
    ];
    for (kind, access, expected) in cases {
        let out = run(&mut local, &target, *kind, root, access);
        assert_eq!(
            value(&out),
            Ok(*expected),
            "{kind:?} {access} {:?}",
            out.log
        );
    }
}

#[test]
fn types() {
    let mut local = Builder::new();
    let root = sample(&mut local, "s___mine", 0);
    let gone = local.structure("gone", 4, &[]);
    let mut target = Builder::new();
    let there = sample(&mut target, "s", 16);
    let cases: &[(ReloKind, u32, Option<u64>)] = &[
        (TypeIdLocal, root, Some(root.into())),
        (TypeIdLocal, gone, Some(gone.into())),
        (TypeIdTarget, root, Some(there.into())),
        (TypeIdTarget, gone, Some(0)),
        (TypeExists, root, Some(1)),
        (TypeExists, gone, Some(0)),
        (TypeSize, root, Some(80)),
        (TypeSize, gone, Some(0)),
        (TypeMatches, root, Some(1)),
        (TypeMatches, gone, Some(0)),
    ];
    for (kind, id, expected) in cases {
        let out = run(&mut local, &target, *kind, *id, "0");
        assert_eq!(value(&out), Ok(*expected), "{kind:?} {id} {:?}", out.log);
        let out = run(&mut local, &target, *kind, *id, "0:0");
        assert_eq!(out.result, Err(Error::BadAccess));
    }
}

#[test]
fn enumvals() {
    let mut local = Builder::new();
    let e32 = local.enumeration("e", 4, true, &[("A", 1), ("B___x", -2), ("GONE", 3)]);
    let e64 = local.enum64("f", false, &[("BIG", 1 << 40), ("GONE", 1)]);
    let alias = local.typedef("g", e32);
    let mut target = Builder::new();
    let e = target.enum64("e", true, &[("ZERO", 0), ("B", -5), ("A", 7)]);
    target.enumeration("f___kernel", 4, false, &[("BIG", -1)]);
    target.typedef("g", e);
    let cases: &[(ReloKind, u32, &str, Result<Option<u64>, Error>)] = &[
        (EnumvalValue, e32, "0", Ok(Some(7))),
        (EnumvalValue, e32, "1", Ok(Some(-5i64 as u64))),
        (EnumvalValue, e32, "2", Ok(None)),
        (EnumvalValue, e32, "3", Err(Error::BadAccess)),
        (EnumvalValue, e32, "0:0", Err(Error::BadAccess)),
        (EnumvalExists, e32, "1", Ok(Some(1))),
        (EnumvalExists, e32, "2", Ok(Some(0))),
        (EnumvalValue, e64, "0", Ok(Some(u64::MAX))),
        (EnumvalExists, e64, "1", Ok(Some(0))),
        (EnumvalValue, alias, "0", Ok(Some(7))),
    ];
    for (kind, id, access, expected) in cases {
        let out = run(&mut local, &target, *kind, *id, access);
        if let (Ok(None), Err(e)) = (expected, out.result) {
            panic!("{e:?} {:?}", out.log);
        }
        assert_eq!(
            value(&out),
            *expected,
            "{kind:?} {id} {access} {:?}",
            out.log
        );
    }
}

#[test]
fn enumval_candidate_that_is_no_enum() {
    let mut local = Builder::new();
    let e = local.enumeration("e", 4, true, &[("A", 1)]);
    let root = local.typedef("t", e);
    let mut target = Builder::new();
    let int = target.int("int", 4, true);
    target.typedef("t", int);
    let out = run(&mut local, &target, EnumvalExists, root, "0");
    assert_eq!(value(&out), Ok(Some(0)));
    assert!(out.says("non-matching candidate #0 <enumval_exists> [2] typedef t"));
}

#[test]
fn names() {
    for (name, essential) in [
        ("task_struct", "task_struct"),
        ("task_struct___old", "task_struct"),
        ("a___b___c", "a___b"),
        ("a____b", "a____b"),
        ("a___", "a___"),
        ("___a", "___a"),
        ("a___b____c", "a"),
        ("", ""),
        ("x___y", "x"),
    ] {
        assert_eq!(essential_name(name.as_bytes()), essential.as_bytes());
    }
}

/// Candidates are the same, sorted or not.
#[test]
fn candidates() {
    // In the order of strcmp().
    let names = [
        "fo",
        "fo___o",
        "foo",
        "foo",
        "foo0",
        "fooA",
        "foo_",
        "foo___",
        "foo____a",
        "foo___a",
        "foo___a___b",
        "foo___b",
        "foo_a",
        "fooa",
        "foo\u{7f}",
    ];
    let sorted = {
        let mut names = names;
        names.sort();
        names
    };
    let search = |names: &[&str], wanted: &str| {
        let mut b = Builder::new();
        let int = b.raw(&[0, 1 << 24, 4, 32]);
        for name in names {
            b.structure(name, 4, &[("a", int, 0, 0)]);
            b.union(name, 4, &[("a", int, 0, 0)]);
        }
        with(&b, |types| {
            let mut found = Vec::new();
            let mut budget = crate::signed::core_relo::Budget::new(1000, 0);
            crate::signed::core_relo::candidates::search(
                types,
                wanted.as_bytes(),
                Kind::Union,
                &mut budget,
                |id| {
                    let name = types.name_of(id).unwrap();
                    found.push(String::from_utf8(name.to_vec()).unwrap());
                    Ok(())
                },
            )
            .unwrap();
            found.sort();
            (types.is_sorted(), found)
        })
    };
    for (wanted, expected) in [
        ("foo", &["foo", "foo", "foo___a", "foo___b"][..]),
        ("foo___a", &["foo___a___b"]),
        ("fo", &["fo", "fo___o"]),
        ("bar", &[]),
        ("zoo", &[]),
        ("foo_", &["foo_"]),
    ] {
        let (is_sorted, found) = search(&sorted, wanted);
        assert!(is_sorted);
        assert_eq!(found, expected, "{wanted}");
        let mut shuffled = sorted;
        shuffled.reverse();
        let (is_sorted, found) = search(&shuffled, wanted);
        assert!(!is_sorted);
        assert_eq!(found, expected, "{wanted}");
    }
}

/// Modules are asked only if vmlinux does not have the type.
#[test]
fn modules() {
    let mut local = Builder::new();
    let int = local.int("int", 4, true);
    let both = local.structure("both", 8, &[("a", int, 0, 0)]);
    let split = local.structure("split", 8, &[("a", int, 0, 0)]);
    let zero = local.string("0");
    let mut vmlinux = Builder::new();
    let vint = vmlinux.int("int", 4, true);
    let vboth = vmlinux.structure("both", 8, &[("a", vint, 32, 0)]);
    let mut module = Builder::on(&vmlinux);
    module.structure("both", 80, &[("a", vint, 64, 0)]);
    let msplit = module.structure("split", 96, &[("a", vint, 64, 0)]);

    with(&local, |local| {
        with(&vmlinux, |vmlinux| {
            with_blob(&module.blob(), Some(vmlinux), |module| {
                assert_eq!(module.find_by_name_kind(b"int", Kind::Int), Some(vint));
                assert_eq!(
                    module.find_by_name_kind(b"split", Kind::Struct),
                    Some(msplit)
                );
                assert_eq!(module.name_of(vboth), Some(&b"both"[..]));
                let targets = [*vmlinux, *module];
                // One program: what the first search has found stays with its type.
                let ids = [both, split, both];
                let relos: Vec<Relo> = (0..)
                    .zip(ids)
                    .map(|(n, id)| Relo {
                        insn_off: 16 * n,
                        ..relo(TypeSize, id, zero)
                    })
                    .collect();
                let insns = [ld_imm64(8), ld_imm64(8), ld_imm64(8)].concat();
                let out = relocate(local, &targets, &relos, &insns);
                assert_eq!(out.result, Ok(()), "{:?}", out.log);
                let sizes: Vec<u64> = out.insns.chunks(2).map(imm64).collect();
                assert_eq!(sizes, [8, 96, 8]);
            });
        });
    });
}

#[test]
fn ambiguity() {
    let mut local = Builder::new();
    let int = local.int("int", 4, true);
    let s = local.structure(
        "s",
        12,
        &[("a", int, 0, 0), ("b", int, 32, 0), ("c", int, 64, 0)],
    );
    let e = local.enumeration("e", 4, true, &[("A", 1), ("B", 1)]);
    let mut target = Builder::new();
    let int = target.int("int", 4, true);
    target.structure(
        "s",
        12,
        &[("a", int, 0, 0), ("b", int, 32, 0), ("c", int, 64, 0)],
    );
    target.structure("s", 8, &[("a", int, 32, 0), ("b", int, 32, 0)]);
    target.enumeration("e", 4, true, &[("A", 1), ("B", 1)]);
    target.enumeration("e___2", 4, true, &[("A", 2), ("B", 1)]);
    for (kind, id, access, expected) in [
        (FieldByteOffset, s, "0:0", Err(Error::Ambiguous)),
        (FieldByteOffset, s, "0:1", Ok(Some(4))),
        // Only one has it.
        (FieldByteOffset, s, "0:2", Ok(Some(8))),
        (FieldExists, s, "0:2", Ok(Some(1))),
        (TypeSize, s, "0", Err(Error::Ambiguous)),
        (TypeExists, s, "0", Ok(Some(1))),
        (TypeIdTarget, s, "0", Err(Error::Ambiguous)),
        (EnumvalValue, e, "0", Err(Error::Ambiguous)),
        (EnumvalValue, e, "1", Ok(Some(1))),
    ] {
        let out = run(&mut local, &target, kind, id, access);
        assert_eq!(value(&out), expected, "{kind:?} {access} {:?}", out.log);
        assert_eq!(out.says("ambiguity"), expected.is_err());
    }
}

#[test]
fn compatible_members() {
    type Make = fn(&mut Builder) -> u32;
    let kinds: [(&str, Make); 14] = [
        ("int", |b| b.int("int", 4, true)),
        ("long", |b| b.int("unsigned long", 8, false)),
        ("old bitfield", |b| b.int_raw("int", 4, 3 << 16 | 5)),
        ("ptr", |b| b.ptr(0)),
        ("struct", |b| b.structure("x", 8, &[])),
        ("union", |b| b.union("y", 8, &[])),
        ("enum", |b| b.enumeration("e", 4, false, &[])),
        ("enum64", |b| b.enum64("e___8", false, &[])),
        ("other enum", |b| b.enumeration("f", 4, false, &[])),
        ("anonymous enum", |b| b.enumeration("", 4, false, &[])),
        ("float", |b| b.float("double", 8)),
        ("int[]", |b| {
            let int = b.int("int", 4, true);
            b.array(int, 3)
        }),
        ("long[][]", |b| {
            let int = b.int("unsigned long", 8, true);
            let inner = b.array(int, 3);
            b.array(inner, 2)
        }),
        ("function", |b| b.function(0, &[])),
    ];
    let like = |a: &str, b: &str| {
        let class = |n: &str| match n {
            "int" | "long" => 1,
            "struct" | "union" => 2,
            "ptr" => 3,
            "float" => 4,
            "enum" | "enum64" => 5,
            "other enum" => 6,
            "int[]" => 7,
            "long[][]" => 8,
            _ => 0,
        };
        let is_enum = |n: &str| n.contains("enum");
        match (class(a), class(b)) {
            _ if is_enum(a) && is_enum(b) && (a.starts_with("anon") || b.starts_with("anon")) => {
                true
            }
            (0, _) | (_, 0) => false,
            (a, b) => a == b,
        }
    };
    for (l, make_local) in kinds {
        for (t, make_target) in kinds {
            let (mut local, mut target) = (Builder::new(), Builder::new());
            let id = make_local(&mut local);
            let id = local.constant(id);
            let id = local.typedef("t", id);
            let root = local.structure("s", 64, &[("m", id, 0, 0)]);
            let id = make_target(&mut target);
            let id = target.reference(Kind::Volatile, "", id);
            target.structure("s", 64, &[("m", id, 0, 0)]);
            let out = run(&mut local, &target, FieldExists, root, "0:0");
            assert_eq!(value(&out), Ok(Some(like(l, t).into())), "{l} for {t}");
        }
    }
}

/// A member may move into and out of anonymous structs and unions.
#[test]
fn nesting() {
    let mut local = Builder::new();
    let int = local.int("int", 4, true);
    let inner = local.structure("", 8, &[("x", int, 0, 0), ("y", int, 32, 0)]);
    let mid = local.union("", 8, &[("", inner, 0, 0)]);
    let root = local.structure("s", 16, &[("a", int, 0, 0), ("", mid, 64, 0)]);

    let mut target = Builder::new();
    let int = target.int("int", 4, true);
    let decoy = target.structure("", 8, &[("p", int, 0, 0), ("q", int, 32, 0)]);
    let deep = target.structure("", 4, &[("a", int, 0, 0)]);
    let deeper = target.constant(deep);
    let deepest = target.union("", 4, &[("", decoy, 0, 0), ("", deeper, 0, 0)]);
    target.structure(
        "s",
        64,
        &[("", decoy, 0, 0), ("y", int, 96, 0), ("", deepest, 256, 0)],
    );

    for (access, expected) in [("0:0", Some(32)), ("0:1:0:1", Some(12)), ("0:1:0:0", None)] {
        let out = run(&mut local, &target, FieldByteOffset, root, access);
        assert_eq!(value(&out), Ok(expected), "{access} {:?}", out.log);
    }
    let out = run(&mut local, &target, FieldByteOffset, root, "0:0");
    assert!(out.says("relo #0: <byte_off> [4] struct s.a (0:0 @ offset 0)"));
    assert!(out.says("matching candidate #0 <byte_off> [6] struct s.a (0:2:1:0 @ offset 32)"));
    let out = run(&mut local, &target, FieldByteOffset, root, "0:1:0:1");
    assert!(out.says("<byte_off> [4] struct s.y (0:1:0:1 @ offset 12)"));
}

/// After a member that does not fit, offsets are right.
#[test]
fn wrong_member_is_taken_back() {
    let mut local = Builder::new();
    let int = local.int("int", 4, true);
    let root = local.structure("s", 4, &[("a", int, 0, 0)]);
    let mut target = Builder::new();
    let int = target.int("int", 4, true);
    let ptr = target.ptr(int);
    let wrong = target.structure("", 16, &[("z", int, 0, 0), ("a", ptr, 64, 0)]);
    target.structure("s", 32, &[("", wrong, 64, 0), ("a", int, 224, 0)]);
    let out = run(&mut local, &target, FieldByteOffset, root, "0:0");
    assert_eq!(value(&out), Ok(Some(28)), "{:?}", out.log);
}

#[test]
fn matching_types() {
    type Make = fn(&mut Builder) -> u32;
    let of = |make: Make| {
        let mut b = Builder::new();
        let id = make(&mut b);
        (b, id)
    };
    let cases: &[(&str, Make, Make, u64)] = &[
        ("same", |b| sample(b, "s", 0), |b| sample(b, "s", 4), 1),
        (
            "fewer members",
            |b| {
                let int = b.int("int", 4, true);
                b.structure("s", 4, &[("a", int, 0, 0)])
            },
            |b| sample(b, "s", 4),
            1,
        ),
        (
            "more members",
            |b| sample(b, "s", 4),
            |b| {
                let int = b.int("int", 4, true);
                b.structure("s", 4, &[("a", int, 0, 0)])
            },
            0,
        ),
        (
            "sign",
            |b| {
                let int = b.int("int", 4, false);
                b.structure("s", 4, &[("a", int, 0, 0)])
            },
            |b| sample(b, "s", 4),
            0,
        ),
        (
            "fwd behind pointer",
            |b| {
                let x = b.fwd("x", false);
                let p = b.ptr(x);
                b.structure("s", 4, &[("a", p, 0, 0)])
            },
            |b| {
                let x = b.structure("x", 4, &[]);
                let p = b.ptr(x);
                b.structure("s", 4, &[("a", p, 0, 0)])
            },
            1,
        ),
        (
            "union for fwd behind pointer",
            |b| {
                let x = b.union("x", 4, &[]);
                let p = b.ptr(x);
                b.structure("s", 4, &[("a", p, 0, 0)])
            },
            |b| {
                let x = b.fwd("x", false);
                let p = b.ptr(x);
                b.structure("s", 4, &[("a", p, 0, 0)])
            },
            0,
        ),
        (
            "functions",
            |b| {
                let int = b.int("int", 4, true);
                let long = b.int("long", 8, true);
                let f = b.function(int, &[long, int]);
                let p = b.ptr(f);
                b.structure("s", 8, &[("f", p, 0, 0)])
            },
            |b| {
                let int = b.int("int", 4, true);
                let long = b.int("long", 8, true);
                let f = b.function(int, &[long, int]);
                let p = b.ptr(f);
                b.structure("s", 8, &[("f", p, 0, 0)])
            },
            1,
        ),
        (
            "functions with another result",
            |b| {
                let int = b.int("int", 4, true);
                let f = b.function(int, &[int]);
                let p = b.ptr(f);
                b.structure("s", 8, &[("f", p, 0, 0)])
            },
            |b| {
                let int = b.int("int", 4, true);
                let f = b.function(0, &[int]);
                let p = b.ptr(f);
                b.structure("s", 8, &[("f", p, 0, 0)])
            },
            0,
        ),
        (
            "second anonymous member",
            |b| {
                let int = b.int("int", 4, true);
                let u = b.union("", 4, &[("x", int, 0, 0)]);
                b.structure("s", 8, &[("", u, 0, 0)])
            },
            |b| {
                let int = b.int("int", 4, true);
                let u = b.union("", 4, &[("y", int, 0, 0)]);
                let v = b.union("", 4, &[("x", int, 0, 0)]);
                b.structure("s", 8, &[("", u, 0, 0), ("", v, 0, 0)])
            },
            1,
        ),
        (
            "a float",
            |b| {
                let f = b.float("double", 8);
                b.structure("s", 8, &[("f", f, 0, 0)])
            },
            |b| {
                let f = b.float("double", 8);
                b.structure("s", 8, &[("f", f, 0, 0)])
            },
            0,
        ),
        (
            "array of other length",
            |b| {
                let int = b.int("int", 4, true);
                let a = b.array(int, 2);
                b.structure("s", 8, &[("a", a, 0, 0)])
            },
            |b| {
                let int = b.int("int", 4, true);
                let a = b.array(int, 3);
                b.structure("s", 8, &[("a", a, 0, 0)])
            },
            0,
        ),
        (
            "enum and enum64 of one size",
            |b| {
                let e = b.enumeration("e", 8, false, &[("A", 1)]);
                b.structure("s", 8, &[("e", e, 0, 0)])
            },
            |b| {
                let e = b.enum64("e", true, &[("B", 1), ("A", 2)]);
                b.structure("s", 8, &[("e", e, 0, 0)])
            },
            1,
        ),
    ];
    for (what, local, target, expected) in cases {
        let (mut local, root) = of(*local);
        let (target, _) = of(*target);
        let out = run(&mut local, &target, TypeMatches, root, "0");
        assert_eq!(value(&out), Ok(Some(*expected)), "{what} {:?}", out.log);
    }
}

#[test]
fn compatible_functions() {
    let function = |params: usize, deep: u32| {
        let mut b = Builder::new();
        let int = b.int("int", 4, true);
        let mut id = int;
        for _ in 0..deep {
            let p = b.ptr(id);
            id = b.function(p, &vec![p; params]);
        }
        let id = b.typedef("fn", id);
        (b, id)
    };
    for (params, deep, expected) in [
        (0, 3, Ok(1)),
        (2, 3, Ok(1)),
        (1, 60, Err(Error::TypesTooDeep)),
    ] {
        let (mut local, root) = function(params, deep);
        let (target, _) = function(params, deep);
        let out = run(&mut local, &target, TypeExists, root, "0");
        assert_eq!(value(&out), expected.map(Some), "{params} {deep}");
    }
    let (mut local, root) = function(1, 1);
    let (target, _) = function(2, 1);
    let out = run(&mut local, &target, TypeExists, root, "0");
    assert_eq!(value(&out), Ok(Some(0)));
}

/// Loads and stores are narrowed and widened where that keeps the value.
#[test]
fn resizing() {
    type Make = fn(&mut Builder) -> u32;
    let int: Make = |b| b.int("int", 4, true);
    let uint: Make = |b| b.int("unsigned int", 4, false);
    let long: Make = |b| b.int("unsigned long", 8, false);
    let slong: Make = |b| b.int("long", 8, true);
    let int128: Make = |b| b.int("unsigned __int128", 16, false);
    let en: Make = |b| b.enumeration("e", 4, false, &[]);
    let en64: Make = |b| b.enum64("e", false, &[]);
    let cases: &[(Make, Make, u32, Result<Option<u32>, Error>)] = &[
        (uint, long, 4, Ok(Some(8))),
        (long, uint, 8, Ok(Some(4))),
        (int, int, 4, Ok(Some(4))),
        (int, slong, 4, Ok(None)),
        (uint, slong, 4, Ok(None)),
        (en, en64, 4, Ok(None)),
        (uint, long, 2, Err(Error::BadMemSize)),
        (uint, int128, 4, Err(Error::BadMemSize)),
        // Sizes are the same: whatever the instruction reads is its own affair.
        (int, uint, 2, Ok(Some(2))),
    ];
    for (n, (l, t, size, expected)) in cases.iter().enumerate() {
        let (mut local, mut target) = (Builder::new(), Builder::new());
        let id = l(&mut local);
        let root = local.structure("s", 64, &[("m", id, 64, 0)]);
        let id = t(&mut target);
        target.structure("s", 64, &[("m", id, 128, 0)]);
        let out = run_insns(
            &mut local,
            &target,
            FieldByteOffset,
            root,
            "0:0",
            &[ldx(*size, 8)],
        );
        let got = out.result.map(|()| {
            let insn = out.insns[0];
            if insn.imm == POISON {
                assert!(out.says("accesses field incorrectly"));
                None
            } else {
                assert_eq!(insn.off, 16);
                Some([4, 2, 1, 8][usize::from(insn.code >> 3 & 3)])
            }
        });
        assert_eq!(got, *expected, "case {n} {:?}", out.log);
    }
}

#[test]
fn instructions() {
    let mut local = Builder::new();
    let root = sample(&mut local, "s", 0);
    let mut target = Builder::new();
    sample(&mut target, "s", 16);
    let insn = |code, off, imm| Insn {
        code,
        regs: 0x21,
        off,
        imm,
    };
    let mut run =
        |insns: &[Insn]| run_insns(&mut local, &target, FieldByteOffset, root, "0:1", insns);
    for (insns, expected) in [
        (vec![mov(8)], Ok(mov(24))),
        (vec![insn(0x07, 0, 8)], Ok(insn(0x07, 0, 24))),
        (vec![mov(9)], Err(Error::UnexpectedValue)),
        (vec![insn(0x79, 8, 0)], Ok(insn(0x79, 24, 0))),
        (vec![insn(0x7b, 8, 0)], Ok(insn(0x7b, 24, 0))),
        (vec![insn(0x7a, 8, 5)], Ok(insn(0x7a, 24, 5))),
        (vec![insn(0x79, 7, 0)], Err(Error::UnexpectedValue)),
        // Register operand, jump, call, exit.
        (vec![insn(0xbf, 0, 8)], Err(Error::BadInsn)),
        (vec![insn(0x15, 8, 8)], Err(Error::BadInsn)),
        (vec![insn(0x85, 0, 8)], Err(Error::BadInsn)),
        (vec![insn(0x95, 0, 8)], Err(Error::BadInsn)),
        // 64-bit load: as it should be, cut off, with something in its second half, of a map.
        (ld_imm64(8).to_vec(), Ok(ld_imm64(24)[0])),
        (ld_imm64(8)[..1].to_vec(), Err(Error::BadInsn)),
        (vec![ld_imm64(8)[0], mov(0)], Err(Error::BadInsn)),
        (
            vec![
                Insn {
                    regs: 0x11,
                    ..ld_imm64(8)[0]
                },
                ld_imm64(8)[1],
            ],
            Err(Error::BadInsn),
        ),
        (vec![ld_imm64(8)[1]], Err(Error::BadInsn)),
    ] {
        let out = run(&insns);
        assert_eq!(out.result.map(|()| out.insns[0]), expected, "{:?}", out.log);
        if expected.is_err() {
            assert_eq!(out.insns, insns, "a refused program is left as it is");
            assert!(out.says("relo #0: "), "{:?}", out.log);
        }
    }
    let out = run(&[insn(0x05, 0, 0)]);
    assert!(out.says("trying to relocate unrecognized insn #0, code:0x5"));

    // An offset that a load cannot hold.
    let mut far = Builder::new();
    let long = far.int("unsigned long", 8, false);
    far.structure("s", 80000, &[("b", long, 40000 * 8, 0)]);
    let out = run_insns(&mut local, &far, FieldByteOffset, root, "0:1", &[ldx(8, 8)]);
    assert_eq!(out.result, Err(Error::OffsetTooLarge));
    let out = run_insns(&mut local, &far, FieldByteOffset, root, "0:1", &[mov(8)]);
    assert_eq!(out.insns[0], mov(40000));
}

#[test]
fn poison() {
    let mut local = Builder::new();
    let root = sample(&mut local, "s", 0);
    let target = Builder::new();
    for insns in [vec![mov(8), mov(1)], vec![ldx(8, 8), mov(1)], {
        let mut v = ld_imm64(8).to_vec();
        v.push(mov(1));
        v
    }] {
        let out = run_insns(&mut local, &target, FieldByteOffset, root, "0:1", &insns);
        assert_eq!(out.result, Ok(()));
        let poisoned = insns.len() - 1;
        for insn in &out.insns[..poisoned] {
            assert_eq!(
                (insn.code, insn.imm, insn.regs, insn.off),
                (0x85, 195896080, 0, 0)
            );
        }
        assert_eq!(out.insns[poisoned], mov(1));
        assert!(out.says("substituting insn #0 w/ invalid insn"));
    }
}
