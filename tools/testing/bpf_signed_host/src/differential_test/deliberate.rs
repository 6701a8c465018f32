// SPDX-License-Identifier: GPL-2.0

//! Where the engine differs from the reference on purpose, or did until the reference was fixed by
//! the patches that the series has for that. If one of these fails, the reference has changed: so
//! may the list in core_relo.rs.

use super::reference::*;
use crate::builder::Builder;
use crate::harness::*;
use crate::signed::btf::Kind;
use crate::signed::core_relo::{Error, Insn, Relo, ReloKind};

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
