// SPDX-License-Identifier: GPL-2.0

//! Maps against their slots.

use crate::{
    image_builder::*,
    signed::{
        image::{
            records::*,
            Kind, //
        },
        slots::{
            check,
            Facts,
            Hash,
            Mismatch, //
        },
    },
};
use sha2::{
    Digest as _,
    Sha256, //
};

struct Hasher(Sha256);

impl Hash for Hasher {
    fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(self) -> Digest {
        self.0.finalize().into()
    }
}

const CONTENTS: [u8; 16] = [
    1, 2, 3, 4, 0xaa, 0xaa, 0xaa, 0xaa, 5, 6, 7, 8, 0xbb, 0xbb, 9, 9,
];

/// `BPF_F_RDONLY_PROG`
const RDONLY_PROG: u32 = 1 << 7;

/// As a program's object has it.
const DEVICES: MapShape = MapShape {
    kind: 14,
    key_size: 4,
    value_size: 8,
    max_entries: 4,
    map_flags: 0,
};

/// A hash, read-only data with two tunables, a stack trace, a map of hashes, one of devices, and a
/// map of such maps.
fn image() -> Vec<u8> {
    let mut b = Builder::new();
    let name = b.string("x");
    let signed = [1, 2, 3, 4, 0, 0, 0, 0, 5, 6, 7, 8, 0, 0, 9, 9];
    let stack = MapShape {
        kind: 7,
        key_size: 4,
        value_size: 1016,
        max_entries: 1,
        map_flags: 0,
    };
    let of_maps = MapShape {
        kind: 13,
        key_size: 4,
        value_size: 4,
        max_entries: 4,
        map_flags: 0,
    };
    b.records(
        Kind::Maps,
        &[
            hash_slot(name),
            rodata_slot(name, 16, Sha256::digest(signed).into()),
            MapSlot {
                shape: stack,
                flags: MapSlot::FREE_VALUE_SIZE,
                ..hash_slot(name)
            },
            MapSlot {
                shape: of_maps,
                inner_type: 1,
                inner_key_size: 4,
                inner_value_size: 8,
                flags: MapSlot::FIXED_ENTRIES,
                ..hash_slot(name)
            },
            MapSlot {
                btf_key_type_id: 3,
                btf_value_type_id: 4,
                ..hash_slot(name)
            },
            MapSlot {
                shape: DEVICES,
                ..hash_slot(name)
            },
            MapSlot {
                shape: of_maps,
                inner_type: DEVICES.kind,
                inner_key_size: 4,
                inner_value_size: 8,
                ..hash_slot(name)
            },
        ],
    );
    let range = |off, len| Tunable {
        map: 1,
        off,
        len,
        name,
    };
    b.records(Kind::Tunables, &[range(4, 4), range(12, 2)]);
    b.records(Kind::Btf, &[BtfRecord { digest: [7; 32] }]);
    b.build()
}

fn of(shape: MapShape) -> Facts<'static> {
    let none = MapShape {
        kind: 0,
        key_size: 0,
        value_size: 0,
        max_entries: 0,
        map_flags: 0,
    };
    Facts {
        this: shape,
        inner: none,
        map_extra: 0,
        contents: None,
        special: None,
        inner_special: None,
        frozen: false,
        written: false,
    }
}

fn hash() -> Facts<'static> {
    of(hash_slot(1).shape)
}

fn rodata(contents: &[u8]) -> Facts<'_> {
    Facts {
        contents: Some(contents),
        frozen: true,
        ..of(rodata_slot(1, 16, [0; 32]).shape)
    }
}

fn verdict(slot: u32, facts: &Facts<'_>) -> Result<(), Mismatch> {
    let bytes = image();
    let image = parse(&bytes).map_err(|f| f.to_string()).unwrap();
    check(&image.layout(), &bytes, slot, facts, Hasher(Sha256::new()))
}

#[test]
fn shape_is_compared_field_by_field() {
    assert_eq!(verdict(0, &hash()), Ok(()));
    let cases: &[(&str, fn(&mut MapShape))] = &[
        ("type", |s| s.kind = 9),
        ("key_size", |s| s.key_size = 8),
        ("value_size", |s| s.value_size = 4),
        ("map_flags", |s| s.map_flags = 1),
    ];
    for (field, change) in cases {
        let mut facts = hash();
        change(&mut facts.this);
        assert!(
            matches!(verdict(0, &facts), Err(Mismatch::Field(f, _, _)) if f == *field),
            "{field}: {:?}",
            verdict(0, &facts)
        );
    }
    let extra = Facts {
        map_extra: 5,
        ..hash()
    };
    assert_eq!(verdict(0, &extra), Err(Mismatch::Field("map_extra", 0, 5)));
}

#[test]
fn loader_chooses_what_it_may() {
    let mut facts = hash();
    facts.this.max_entries = 1 << 20;
    facts.this.map_flags = 1 << 2; // BPF_F_NUMA_NODE
    assert_eq!(verdict(0, &facts), Ok(()));

    let stack = MapShape {
        kind: 7,
        key_size: 4,
        value_size: 80,
        max_entries: 9,
        map_flags: 0,
    };
    assert_eq!(verdict(2, &of(stack)), Ok(()));
}

#[test]
fn kernel_sets_flags_of_devices() {
    let mut kernels = DEVICES;
    kernels.map_flags = RDONLY_PROG;
    assert_eq!(verdict(5, &of(kernels)), Ok(()));
    kernels.map_flags |= 1;
    assert_eq!(
        verdict(5, &of(kernels)),
        Err(Mismatch::Field("map_flags", 128, 129))
    );

    let of_maps = MapShape {
        kind: 13,
        value_size: 4,
        ..DEVICES
    };
    kernels.map_flags = RDONLY_PROG;
    let maps = Facts {
        inner: kernels,
        ..of(of_maps)
    };
    assert_eq!(verdict(6, &maps), Ok(()));

    // Of other maps it counts.
    let mut hash = hash();
    hash.this.map_flags = RDONLY_PROG;
    assert_eq!(verdict(0, &hash), Err(Mismatch::Field("map_flags", 0, 128)));
}

#[test]
fn signer_can_fix_entries_and_inner_maps() {
    let shape = MapShape {
        kind: 13,
        key_size: 4,
        value_size: 4,
        max_entries: 4,
        map_flags: 0,
    };
    let good = Facts {
        inner: hash_slot(1).shape,
        ..of(shape)
    };
    assert_eq!(verdict(3, &good), Ok(()));

    let more = Facts {
        inner: good.inner,
        ..of(MapShape {
            max_entries: 5,
            ..shape
        })
    };
    assert_eq!(verdict(3, &more), Err(Mismatch::Field("max_entries", 4, 5)));
    let other = Facts {
        inner: MapShape {
            value_size: 16,
            ..good.inner
        },
        ..of(shape)
    };
    assert_eq!(
        verdict(3, &other),
        Err(Mismatch::Field("inner value_size", 8, 16))
    );
}

#[test]
fn contents_are_fixed_but_for_tunables() {
    assert_eq!(verdict(1, &rodata(&CONTENTS)), Ok(()));
    for i in 0..CONTENTS.len() {
        let mut contents = CONTENTS;
        contents[i] ^= 1;
        let tunable = (4..8).contains(&i) || (12..14).contains(&i);
        let want = if tunable {
            Ok(())
        } else {
            Err(Mismatch::Contents)
        };
        assert_eq!(verdict(1, &rodata(&contents)), want, "byte {i}");
    }
    assert_eq!(
        verdict(1, &rodata(&CONTENTS[..15])),
        Err(Mismatch::Contents)
    );
}

/// Counts down.
struct Patience(usize);

impl Hash for Patience {
    fn update(&mut self, bytes: &[u8]) {
        self.0 = self.0.checked_sub(bytes.len()).expect("more than there is");
    }

    fn finish(self) -> Digest {
        [0; 32]
    }
}

#[test]
fn work_ends_with_the_contents() {
    const SIZE: u32 = i32::MAX as u32;
    let mut b = Builder::new();
    let name = b.string("x");
    let slot = rodata_slot(name, SIZE, [1; 32]);
    b.records(Kind::Maps, &[slot]);
    let tunable = Tunable {
        map: 0,
        off: 8,
        len: SIZE - 8,
        name,
    };
    b.records(Kind::Tunables, &[tunable]);
    let bytes = b.build();
    let image = parse(&bytes).map_err(|f| f.to_string()).unwrap();
    let facts = Facts {
        this: slot.shape,
        ..rodata(&CONTENTS)
    };
    let found = check(&image.layout(), &bytes, 0, &facts, Patience(CONTENTS.len()));
    assert_eq!(found, Err(Mismatch::Contents));
}

#[test]
fn contents_cannot_change_any_more() {
    let thawed = Facts {
        frozen: false,
        ..rodata(&CONTENTS)
    };
    assert_eq!(verdict(1, &thawed), Err(Mismatch::NotFrozen));
    let mapped = Facts {
        written: true,
        ..rodata(&CONTENTS)
    };
    assert_eq!(verdict(1, &mapped), Err(Mismatch::ActiveWriter));
    let hidden = Facts {
        contents: None,
        ..rodata(&CONTENTS)
    };
    assert_eq!(verdict(1, &hidden), Err(Mismatch::NotReadable));
}

#[test]
fn special_fields_are_described_by_the_signed_btf() {
    let with = |digest, key, value| Facts {
        special: Some((digest, key, value)),
        ..hash()
    };
    assert_eq!(verdict(4, &with([7; 32], 3, 4)), Ok(()));
    assert_eq!(verdict(4, &with([8; 32], 3, 4)), Err(Mismatch::Btf));
    assert_eq!(
        verdict(4, &with([7; 32], 3, 5)),
        Err(Mismatch::Field("btf_value_type_id", 4, 5))
    );
    let inner = |digest| Facts {
        inner_special: Some(digest),
        ..hash()
    };
    assert_eq!(verdict(0, &inner([7; 32])), Ok(()));
    assert_eq!(verdict(0, &inner([8; 32])), Err(Mismatch::Btf));
    // Without them the map's BTF is of no consequence.
    assert_eq!(verdict(4, &hash()), Ok(()));
}

#[test]
fn there_are_no_more_slots_than_signed() {
    assert_eq!(verdict(7, &hash()), Err(Mismatch::NoSlot));
}
