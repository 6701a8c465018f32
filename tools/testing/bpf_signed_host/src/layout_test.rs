// SPDX-License-Identifier: GPL-2.0

//! Which members cover some bytes, and which numbers are no addresses.

use crate::builder::Builder;
use crate::harness::*;
use crate::lockdown::fields;
use crate::signed::btf::{Kind, Types};
use crate::signed::layout::*;

/// Asks about bytes of `id`, with a list of "struct.member".
fn covered(types: &Types<'_>, id: u32, off: u32, size: u32, list: &[&str]) -> bool {
    covers(types, id, off, size, &mut |strct, member| {
        let name = [strct, b".", member].concat();
        list.iter().any(|listed| listed.as_bytes() == name)
    })
}

#[test]
fn members_cover_bytes() {
    let mut b = Builder::new();
    let int = b.int("int", 4, true);
    let long = b.int("long", 8, true);
    let inner = b.structure("inner", 8, &[("x", int, 0, 0), ("y", int, 32, 0)]);
    let hidden = b.structure("", 8, &[("p", int, 0, 0), ("q", int, 32, 0)]);
    let both = b.union("", 8, &[("", hidden, 0, 0), ("whole", long, 0, 0)]);
    let many = b.array(inner, 3);
    let flexible = b.array(inner, 0);
    let outer = b.structure(
        "outer",
        48,
        &[
            ("a", long, 0, 0),
            ("in", inner, 64, 0),
            ("", both, 128, 0),
            ("many", many, 192, 0),
            ("rest", flexible, 384, 0),
        ],
    );
    let modified = b.constant(outer);
    with(&b, |t| {
        let is = |off, size, list: &[&str]| covered(t, modified, off, size, list);
        // A member, part of it, more than it.
        assert!(is(0, 8, &["outer.a"]));
        assert!(is(4, 2, &["outer.a"]));
        assert!(!is(4, 8, &["outer.a"]));
        assert!(!is(0, 8, &[]));
        assert!(!is(8, 4, &["outer.a"]));
        // Within a struct, by either name.
        assert!(is(12, 4, &["inner.y"]));
        assert!(is(8, 8, &["outer.in"]));
        assert!(!is(8, 8, &["inner.x", "inner.y"]));
        assert!(!is(8, 4, &["inner.y", "outer.y"]));
        // What is anonymous counts as of the struct around it; each view of a union counts.
        assert!(is(20, 4, &["outer.q"]));
        assert!(is(16, 8, &["outer.whole"]));
        assert!(!is(16, 8, &["outer.p", "outer.q"]));
        // One element of an array, and not two.
        assert!(is(24 + 8 + 4, 4, &["inner.y"]));
        assert!(is(24, 16, &["outer.many"]));
        assert!(!is(24 + 4, 8, &["inner.x", "inner.y"]));
        // Behind the end, and where numbers wrap.
        assert!(!is(48, 4, &["inner.x", "outer.rest"]));
        assert!(!is(u32::MAX, 2, &["outer.a"]));
        assert!(!is(0, 0, &["outer.a"]));
    });
}

#[test]
fn bitfields_cover_their_bytes() {
    let mut b = Builder::new();
    let int = b.int("unsigned int", 4, false);
    let bits = b.structure(
        "bits",
        4,
        &[("a", int, 0, 3), ("b", int, 3, 13), ("c", int, 16, 16)],
    );
    with(&b, |t| {
        assert!(covered(t, bits, 0, 1, &["bits.a"]));
        assert!(!covered(t, bits, 0, 2, &["bits.a"]));
        assert!(covered(t, bits, 0, 2, &["bits.b"]));
        assert!(covered(t, bits, 2, 2, &["bits.c"]));
        assert!(!covered(t, bits, 0, 4, &["bits.a", "bits.b", "bits.c"]));
    });
}

#[test]
fn hostile_types_end() {
    let mut b = Builder::new();
    let next = b.next_id();
    // A struct that holds itself.
    let own = b.structure("own", 8, &[("me", next, 0, 0)]);
    let empty = b.structure("empty", 0, &[]);
    let array = b.array(empty, 4);
    let next = b.next_id();
    let itself = b.typedef("loop", next);
    with(&b, |t| {
        assert!(!covered(t, own, 0, 4, &["own.other"]));
        assert!(!covered(t, array, 0, 1, &[]));
        assert!(!covered(t, itself, 0, 1, &[]));
        assert!(!covered(t, u32::MAX, 0, 1, &[]));
        assert_eq!(plain_scalar(t, itself, &mut |_| false), None);
        assert_eq!(plain_scalar(t, u32::MAX, &mut |_| true), None);
    });
}

/// Each union holds the one before it eight times, which makes 8^12 ways to the first byte.
#[test]
fn unions_of_unions_end() {
    let mut b = Builder::new();
    let mut inner = b.int("int", 4, true);
    for i in 0..12 {
        let members = [("m", inner, 0, 0); 8];
        inner = b.union(&format!("u{i}"), 4, &members);
    }
    with(&b, |t| {
        let mut asked = 0;
        assert!(!covers(t, inner, 0, 1, &mut |_, _| {
            asked += 1;
            false
        }));
        assert!(asked > 1000 && asked <= 1 << 14, "{asked}");
        assert!(covered(t, inner, 0, 1, &["u0.m"]));
    });
}

#[test]
fn numbers_are_told_from_addresses() {
    let mut b = Builder::new();
    let int = b.int("int", 4, true);
    let long = b.int("unsigned long", 8, false);
    let flag = b.int("_Bool", 1, false);
    let size = b.typedef("size_t", long);
    let other = b.typedef("address_t", size);
    let modified = b.constant(size);
    let state = b.enumeration("state", 4, false, &[("ON", 1)]);
    let pointer = b.ptr(int);
    let alias = b.typedef("handle_t", pointer);
    let strct = b.structure("s", 4, &[("x", int, 0, 0)]);
    with(&b, |t| {
        let plain = |id| plain_scalar(t, id, &mut |name| name == b"size_t");
        for (id, bytes) in [
            (int, 4),
            (flag, 1),
            (size, 8),
            (modified, 8),
            (state, 4),
            (other, 8),
        ] {
            assert_eq!(plain(id), Some(bytes), "{id}");
        }
        for id in [long, pointer, alias, strct, 0] {
            assert_eq!(plain(id), None, "{id}");
        }
    });
}

/// Each field of lockdown's list that this kernel has is what it is taken for: a value without
/// pointers, or one pointer to a struct.
#[test]
#[cfg_attr(not(have_btf), ignore = "BTF= names no BTF")]
fn listed_fields_hold_no_address() {
    let blob = std::fs::read(std::env::var_os("BTF").expect("BTF= is set")).unwrap();
    with_blob(&blob, None, |t| {
        let mut found = 0;
        for (strct, name) in &fields::FIELDS {
            let id = [Kind::Struct, Kind::Union]
                .into_iter()
                .find_map(|kind| t.find_by_name_kind(strct.as_bytes(), kind));
            let Some(id) = id else { continue };
            let Some(member) = find_member(t, id, name.as_bytes()) else {
                continue;
            };
            found += 1;
            let step = pointers(t, member, 0);
            assert!(
                step.is_some(),
                "{strct}.{name} can be followed to no struct"
            );
        }
        // The table was written for this kernel.
        assert!(found * 10 >= fields::FIELDS.len() * 9, "{found} found");
    });
}

/// The type of a member, looked for in anonymous ones as well.
fn find_member(t: &Types<'_>, id: u32, name: &[u8]) -> Option<u32> {
    let (_, strct) = t.skip_modifiers(id)?;
    (0..strct.vlen())
        .filter_map(|i| strct.member(i))
        .find_map(|m| match t.string(m.name_off)? {
            b"" => find_member(t, m.type_id, name),
            found if found == name => Some(m.type_id),
            _ => None,
        })
}

/// Number of pointers in a type, all of them to structs; `None` if one is to something else.
fn pointers(t: &Types<'_>, id: u32, depth: u32) -> Option<u32> {
    assert!(depth < 32);
    let (_, ty) = t.skip_modifiers(id)?;
    if let Some(array) = ty.array() {
        return pointers(t, array.type_id, depth + 1);
    }
    match ty.kind() {
        Kind::Ptr => {
            let (_, to) = t.skip_modifiers(ty.type_id()?)?;
            matches!(to.kind(), Kind::Struct | Kind::Union | Kind::Fwd).then_some(1)
        }
        kind if kind.is_composite() => (0..ty.vlen())
            .filter_map(|i| ty.member(i))
            .map(|m| pointers(t, m.type_id, depth + 1))
            .sum(),
        _ => Some(0),
    }
}
