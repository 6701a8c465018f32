// SPDX-License-Identifier: GPL-2.0

//! The image format: every rule, and bytes that obey none.

use crate::{
    image_builder::*,
    signed::image::{
        self,
        records::*,
        Class,
        Kind,
        Resolved, //
    },
};
use zerocopy::{
    FromBytes,
    IntoBytes, //
};

/// An image that has each kind of section.
fn full() -> Builder {
    let mut b = Builder::new();
    let [map, rodata, var, kfunc, runqueues, target] = [
        "map",
        ".rodata",
        "verbose",
        "bpf_kfunc",
        "runqueues",
        "do_exit",
    ]
    .map(|s| b.string(s));
    b.records(
        Kind::Insns,
        &[
            ld_imm64(Insn::PSEUDO_MAP_IDX, 0),
            UPPER,
            ld_imm64(Insn::PSEUDO_MAP_IDX_VALUE, 1),
            Insn::new(0, 0, 0, 0, 4),
            Insn::new(Insn::CALL, 0, Insn::PSEUDO_KFUNC_CALL, 0, 0),
            ld_imm64(Insn::PSEUDO_BTF_ID, 0),
            UPPER,
            ld_imm64(0, 0),
            UPPER,
            MOV_R0_0,
            EXIT,
        ],
    );
    b.records(Kind::Btf, &[BtfRecord { digest: [7; 32] }]);
    b.records(
        Kind::FuncInfo,
        &[FuncInfo {
            insn_off: 0,
            type_id: 3,
        }],
    );
    b.records(
        Kind::LineInfo,
        &[LineInfo {
            insn_off: 0,
            file_name_off: 1,
            line_off: 1,
            line_col: 1,
        }],
    );
    b.records(
        Kind::CoreRelo,
        &[CoreRelo {
            insn_off: 72,
            type_id: 1,
            access_str_off: 1,
            kind: 0,
        }],
    );
    b.records(
        Kind::Maps,
        &[hash_slot(map), rodata_slot(rodata, 16, [9; 32])],
    );
    b.records(
        Kind::Tunables,
        &[Tunable {
            map: 1,
            off: 4,
            len: 4,
            name: var,
        }],
    );
    let ksym = |insn, kind, name| Ksym {
        insn,
        kind,
        name,
        type_id: 2,
        flags: 0,
        reserved: 0,
    };
    b.records(
        Kind::Ksyms,
        &[
            ksym(4, Ksym::KFUNC, kfunc),
            ksym(5, Ksym::TYPED, runqueues),
            Ksym {
                flags: Ksym::WEAK,
                ..ksym(7, Ksym::UNTYPED, kfunc)
            },
        ],
    );
    b.records(
        Kind::Attach,
        &[Attach {
            name: target,
            member: 0,
            flags: 0,
            reserved: 0,
        }],
    );
    b.records(
        Kind::Lockdown,
        &[
            lockdown(Lockdown::INTEGRITY, Lockdown::CLASSES),
            lockdown(Lockdown::CONFIDENTIALITY, 0x21),
        ],
    );
    b.header.prog_type = 2;
    b.records(
        Kind::Events,
        &[
            event(Event::KPROBE, target, 0),
            event(Event::UPROBE, map, var),
        ],
    );
    b
}

fn event(kind: u32, name: u32, symbol: u32) -> Event {
    Event {
        kind,
        name,
        symbol,
        flags: 0,
    }
}

fn lockdown(mode: u32, classes: u32) -> Lockdown {
    Lockdown {
        mode,
        flags: 0,
        classes,
        reserved: 0,
    }
}

#[test]
fn full_image_is_well_formed() {
    let bytes = full().build();
    let image = parse(&bytes).map_err(|f| f.to_string()).unwrap();
    let layout = image.layout();
    assert_eq!(layout.count(Kind::Insns), 11);
    assert_eq!(layout.count(Kind::Maps), 2);
    assert_eq!(
        layout.string(&bytes, layout.header().license),
        Some(&b"GPL"[..])
    );
    assert_eq!(
        bytes[0], 0xff,
        "no BPF instruction begins with 0xff, nor does ELF"
    );
}

#[test]
fn smallest_image_is_well_formed() {
    assert_eq!(Builder::new().fault(), "well-formed");
}

type Spoil = fn(&mut Builder);

/// Each rule that can be broken by a record or a header field, and what the parser says.
#[test]
fn each_rule_of_the_records() {
    fn header(b: &mut Builder) -> &mut Header {
        &mut b.header
    }
    let cases: &[(&str, Spoil)] = &[
        ("header.magic: not an image", |b| {
            header(b).magic = 0x464c_457f
        }),
        (
            "header.magic: image was made for the other byte order",
            |b| header(b).magic = MAGIC.swap_bytes(),
        ),
        ("header.version: this kernel knows version 1 only", |b| {
            header(b).version = 2
        }),
        ("header.flags: unknown flag", |b| header(b).flags = 1),
        ("header.reserved: must be zero", |b| header(b).reserved = 1),
        (
            "header.prog_flags: a flag that names an fd cannot be signed",
            |b| header(b).prog_flags = 1 << 16,
        ),
        ("header.name: is not padded with NUL bytes", |b| {
            header(b).name = [b'x'; 16]
        }),
        ("header.name: is not padded with NUL bytes", |b| {
            header(b).name[8] = b'x'
        }),
        (
            "header.license: string offset is outside the strings",
            |b| header(b).license = 9999,
        ),
        ("section STRINGS: does not begin and end with a NUL", |b| {
            b.strings[0] = b'x'
        }),
        ("section STRINGS: does not begin and end with a NUL", |b| {
            b.strings.push(b'x')
        }),
        ("section INSNS: is missing", |b| {
            b.clear();
        }),
        ("section table[2]: unknown section type", |b| {
            *b = Builder::new();
            b.raw(13, 1, vec![0]);
        }),
        (
            "section table[2]: records of another size than this kernel's",
            |b| {
                b.raw(Kind::Btf as u32, 16, vec![0; 32]);
            },
        ),
        (
            "section table[2]: length is not a multiple of the record's size",
            |b| {
                b.raw(Kind::Btf as u32, 32, vec![0; 33]);
            },
        ),
        (
            "section table[2]: length is not a multiple of the record's size",
            |b| {
                b.raw(Kind::Btf as u32, 32, vec![]);
            },
        ),
        ("section table[2]: too many records", |b| {
            b.raw(Kind::Btf as u32, 32, vec![0; 64]);
        }),
        ("section table[6]: too many records", |b| {
            b.records(Kind::Maps, &[hash_slot(1); MAX_MAPS + 1]);
        }),
        ("MAPS[0]: name is empty", |b| {
            b.records(Kind::Maps, &[hash_slot(0), rodata_slot(1, 16, [9; 32])]);
        }),
        ("MAPS[1]: unknown flag", |b| {
            b.records(
                Kind::Maps,
                &[
                    hash_slot(1),
                    MapSlot {
                        flags: 8,
                        ..hash_slot(1)
                    },
                ],
            );
        }),
        ("MAPS[0]: reserved field is not zero", |b| {
            b.records(
                Kind::Maps,
                &[MapSlot {
                    reserved: 1,
                    ..hash_slot(1)
                }; 2],
            );
        }),
        ("MAPS[0]: digest without fixed contents", |b| {
            b.records(
                Kind::Maps,
                &[MapSlot {
                    digest: [1; 32],
                    ..hash_slot(1)
                }; 2],
            );
        }),
        (
            "MAPS[0]: fixed contents of something else than an array of one element",
            |b| {
                let slot = MapSlot {
                    flags: MapSlot::FIXED_CONTENTS,
                    ..hash_slot(1)
                };
                b.records(Kind::Maps, &[slot; 2]);
            },
        ),
        (
            "MAPS[0]: fixed contents that the program could write",
            |b| {
                let mut slot = rodata_slot(1, 16, [9; 32]);
                slot.shape.map_flags = 0x400;
                b.records(Kind::Maps, &[slot; 2]);
            },
        ),
        ("MAPS[0]: fixed contents of free size", |b| {
            let mut slot = rodata_slot(1, 16, [9; 32]);
            slot.flags |= MapSlot::FREE_VALUE_SIZE;
            b.records(Kind::Maps, &[slot; 2]);
        }),
        ("TUNABLES[0]: no such map slot", |b| {
            b.records(
                Kind::Tunables,
                &[Tunable {
                    map: 2,
                    off: 0,
                    len: 4,
                    name: 1,
                }],
            );
        }),
        (
            "TUNABLES[0]: the contents of that slot are not fixed",
            |b| {
                b.records(
                    Kind::Tunables,
                    &[Tunable {
                        map: 0,
                        off: 0,
                        len: 4,
                        name: 1,
                    }],
                );
            },
        ),
        ("TUNABLES[0]: range is empty or exceeds the value", |b| {
            b.records(
                Kind::Tunables,
                &[Tunable {
                    map: 1,
                    off: 13,
                    len: 4,
                    name: 1,
                }],
            );
        }),
        ("TUNABLES[0]: range is empty or exceeds the value", |b| {
            b.records(
                Kind::Tunables,
                &[Tunable {
                    map: 1,
                    off: 4,
                    len: u32::MAX,
                    name: 1,
                }],
            );
        }),
        ("TUNABLES[0]: range is empty or exceeds the value", |b| {
            b.records(
                Kind::Tunables,
                &[Tunable {
                    map: 1,
                    off: 4,
                    len: 0,
                    name: 1,
                }],
            );
        }),
        (
            "TUNABLES[1]: range is out of order or overlaps another",
            |b| {
                let range = |off| Tunable {
                    map: 1,
                    off,
                    len: 4,
                    name: 1,
                };
                b.records(Kind::Tunables, &[range(0), range(3)]);
            },
        ),
        ("section table[10]: too many records", |b| {
            b.records(Kind::Lockdown, &[lockdown(1, 0); 3]);
        }),
        (
            "EVENTS[0]: not a kind of event that programs of this type have",
            |b| {
                b.records(Kind::Events, &[event(0, 1, 0)]);
            },
        ),
        (
            "EVENTS[1]: not a kind of event that programs of this type have",
            |b| {
                let events = [event(Event::KPROBE, 1, 0), event(Event::RAW_TP, 1, 0)];
                b.records(Kind::Events, &events);
            },
        ),
        (
            "EVENTS[0]: not a kind of event that programs of this type have",
            |b| b.header.prog_type = 1,
        ),
        ("EVENTS[0]: name is empty", |b| {
            b.records(Kind::Events, &[event(Event::KPROBE, 0, 0)]);
        }),
        ("EVENTS[0]: string offset is outside the strings", |b| {
            b.records(Kind::Events, &[event(Event::KPROBE, 9999, 0)]);
        }),
        ("EVENTS[0]: string offset is outside the strings", |b| {
            b.records(Kind::Events, &[event(Event::USDT, 1, 9999)]);
        }),
        ("EVENTS[0]: a symbol of something else than a file", |b| {
            b.records(Kind::Events, &[event(Event::KRETPROBE, 1, 1)]);
        }),
        ("EVENTS[0]: unknown flag", |b| {
            b.records(
                Kind::Events,
                &[Event {
                    flags: 2,
                    ..event(Event::KPROBE, 1, 0)
                }],
            );
        }),
        ("section table[11]: too many records", |b| {
            b.records(Kind::Events, &[event(Event::KPROBE, 1, 0); MAX_EVENTS + 1]);
        }),
        ("LOCKDOWN[0]: unknown mode", |b| {
            b.records(Kind::Lockdown, &[lockdown(0, 0)]);
        }),
        ("LOCKDOWN[1]: unknown mode", |b| {
            b.records(Kind::Lockdown, &[lockdown(1, 0), lockdown(3, 0)]);
        }),
        ("LOCKDOWN[1]: modes are out of order", |b| {
            b.records(Kind::Lockdown, &[lockdown(2, 0), lockdown(1, 0)]);
        }),
        ("LOCKDOWN[1]: modes are out of order", |b| {
            b.records(Kind::Lockdown, &[lockdown(1, 0), lockdown(1, 0)]);
        }),
        ("LOCKDOWN[0]: unknown class", |b| {
            b.records(Kind::Lockdown, &[lockdown(2, 0x80)]);
        }),
        ("LOCKDOWN[0]: unknown flag", |b| {
            b.records(
                Kind::Lockdown,
                &[Lockdown {
                    flags: 2,
                    ..lockdown(2, 0)
                }],
            );
        }),
        ("LOCKDOWN[0]: classes in a mode that is forbidden", |b| {
            b.records(
                Kind::Lockdown,
                &[Lockdown {
                    flags: Lockdown::FORBID,
                    ..lockdown(2, 1)
                }],
            );
        }),
        ("LOCKDOWN[0]: reserved field is not zero", |b| {
            b.records(
                Kind::Lockdown,
                &[Lockdown {
                    reserved: 1,
                    ..lockdown(2, 0)
                }],
            );
        }),
        ("KSYMS[0]: unknown kind", |b| ksyms(b, |k| k[0].kind = 4)),
        ("KSYMS[0]: unknown flag", |b| ksyms(b, |k| k[0].flags = 2)),
        ("KSYMS[0]: reserved field is not zero", |b| {
            ksyms(b, |k| k[0].reserved = 1)
        }),
        ("KSYMS[0]: name is empty", |b| ksyms(b, |k| k[0].name = 0)),
        ("KSYMS[0]: does not fit its instruction", |b| {
            ksyms(b, |k| k[0].kind = Ksym::TYPED)
        }),
        ("KSYMS[2]: no such instruction", |b| {
            ksyms(b, |k| k[2].insn = 99)
        }),
        (
            "KSYMS[1]: records are out of order, or point into the middle of an instruction",
            |b| ksyms(b, |k| k[1].insn = 4),
        ),
        (
            "KSYMS[2]: records are out of order, or point into the middle of an instruction",
            |b| ksyms(b, |k| k[2].insn = 8),
        ),
        (
            "INSNS[4]: names a kfunc by id instead of a KSYMS record",
            |b| {
                ksyms(b, |k| {
                    k.remove(0);
                })
            },
        ),
        (
            "INSNS[5]: names a kernel symbol by id instead of a KSYMS record",
            |b| {
                ksyms(b, |k| {
                    k.remove(1);
                })
            },
        ),
        ("INSNS[0]: names a map by fd instead of slot", |b| {
            b.records(
                Kind::Insns,
                &[ld_imm64(Insn::PSEUDO_MAP_FD, 3), UPPER, EXIT],
            );
            b.records(
                Kind::CoreRelo,
                &[CoreRelo {
                    insn_off: 0,
                    ..relo()
                }],
            );
        }),
        ("INSNS[0]: names a map by fd instead of slot", |b| {
            b.records(
                Kind::Insns,
                &[ld_imm64(Insn::PSEUDO_MAP_VALUE, 3), UPPER, EXIT],
            );
            b.records(
                Kind::CoreRelo,
                &[CoreRelo {
                    insn_off: 0,
                    ..relo()
                }],
            );
        }),
        ("INSNS[0]: no such map slot", |b| {
            b.records(
                Kind::Insns,
                &[ld_imm64(Insn::PSEUDO_MAP_IDX, 2), UPPER, EXIT],
            );
            b.records(
                Kind::CoreRelo,
                &[CoreRelo {
                    insn_off: 0,
                    ..relo()
                }],
            );
        }),
        ("INSNS[0]: no such map slot", |b| {
            b.records(
                Kind::Insns,
                &[ld_imm64(Insn::PSEUDO_MAP_IDX, -1), UPPER, EXIT],
            );
            b.records(
                Kind::CoreRelo,
                &[CoreRelo {
                    insn_off: 0,
                    ..relo()
                }],
            );
        }),
        ("INSNS[0]: ld_imm64 without its second half", |b| {
            b.records(Kind::Insns, &[ld_imm64(Insn::PSEUDO_MAP_IDX, 0)]);
            b.records(
                Kind::CoreRelo,
                &[CoreRelo {
                    insn_off: 0,
                    ..relo()
                }],
            );
        }),
        ("CORE_RELO[0]: no such instruction", |b| {
            b.records(
                Kind::CoreRelo,
                &[CoreRelo {
                    insn_off: 88,
                    ..relo()
                }],
            );
        }),
        ("CORE_RELO[0]: no such instruction", |b| {
            b.records(
                Kind::CoreRelo,
                &[CoreRelo {
                    insn_off: 4,
                    ..relo()
                }],
            );
        }),
        ("ATTACH[0]: name is empty", |b| attach(b, |a| a.name = 0)),
        (
            "ATTACH[0]: a member of something else than struct_ops",
            |b| attach(b, |a| a.member = 9999),
        ),
        (
            "header.expected_attach_type: the member of struct_ops is named in ATTACH",
            |b| {
                header(b).prog_type = 27;
                header(b).expected_attach_type = 1;
            },
        ),
        ("ATTACH[0]: name is empty", |b| {
            header(b).prog_type = 27;
        }),
        ("ATTACH[0]: string offset is outside the strings", |b| {
            header(b).prog_type = 27;
            attach(b, |a| a.member = 9999);
        }),
        ("MAPS[0]: jump tables cannot be signed", |b| {
            let mut slot = hash_slot(1);
            slot.shape.kind = 34;
            b.records(Kind::Maps, &[slot; 2]);
        }),
        ("MAPS[0]: a flag that names an fd cannot be signed", |b| {
            let mut slot = hash_slot(1);
            slot.shape.map_flags = 1 << 16;
            b.records(Kind::Maps, &[slot; 2]);
        }),
        ("MAPS[0]: inner map without a type", |b| {
            let slot = MapSlot {
                inner_value_size: 4,
                ..hash_slot(1)
            };
            b.records(Kind::Maps, &[slot; 2]);
        }),
        ("ATTACH[0]: unknown flag", |b| attach(b, |a| a.flags = 4)),
        ("ATTACH[0]: reserved field is not zero", |b| {
            attach(b, |a| a.reserved = 1)
        }),
    ];
    for (want, spoil) in cases {
        let mut b = full();
        spoil(&mut b);
        assert_eq!(&b.fault(), want);
    }
}

fn relo() -> CoreRelo {
    CoreRelo {
        insn_off: 0,
        type_id: 1,
        access_str_off: 1,
        kind: 0,
    }
}

fn ksyms(b: &mut Builder, spoil: fn(&mut Vec<Ksym>)) {
    let bytes = b.build();
    let image = parse(&bytes).map_err(|f| f.to_string()).unwrap();
    let mut records: Vec<Ksym> = image.records(Kind::Ksyms).iter().collect();
    spoil(&mut records);
    b.records(Kind::Ksyms, &records);
}

fn attach(b: &mut Builder, spoil: fn(&mut Attach)) {
    let mut record = Attach {
        name: 1,
        member: 0,
        flags: 0,
        reserved: 0,
    };
    spoil(&mut record);
    b.records(Kind::Attach, &[record]);
}

#[test]
fn what_others_need_cannot_be_missing() {
    let cases: &[(&str, Kind, Spoil)] = &[
        (
            "section FUNC_INFO: needs a BTF section",
            Kind::FuncInfo,
            |b| {
                b.records(
                    Kind::FuncInfo,
                    &[FuncInfo {
                        insn_off: 0,
                        type_id: 1,
                    }],
                );
            },
        ),
        (
            "section LINE_INFO: needs a BTF section",
            Kind::LineInfo,
            |b| {
                b.raw(Kind::LineInfo as u32, 16, vec![0; 16]);
            },
        ),
        (
            "section CORE_RELO: needs a BTF section",
            Kind::CoreRelo,
            |b| {
                b.records(Kind::CoreRelo, &[relo()]);
            },
        ),
        (
            "section TUNABLES: needs a MAPS section",
            Kind::Tunables,
            |b| {
                b.raw(Kind::Tunables as u32, 16, vec![0; 16]);
            },
        ),
    ];
    for (want, _, add) in cases {
        let mut b = Builder::new();
        add(&mut b);
        assert_eq!(&b.fault(), want);
    }
}

/// Rules of the table, broken in the bytes of a well-formed image.
#[test]
fn each_rule_of_the_table() {
    let good = full().build();
    let entry = |i: usize| 56 + 16 * i;
    let put = |at: usize, value: u32| {
        let mut bytes = good.clone();
        bytes[at..at + 4].copy_from_slice(&value.to_ne_bytes());
        fault(&bytes)
    };
    let get = |at: usize| u32::from_ne_bytes(good[at..at + 4].try_into().unwrap());

    assert_eq!(
        put(16, 99),
        "header.section_cnt: more sections than there are kinds"
    );
    assert_eq!(
        put(8, good.len() as u32 + 1),
        "header.size: differs from the length of the image"
    );
    assert_eq!(
        put(entry(1), 1),
        "section table[1]: types are not in ascending order"
    );
    assert_eq!(
        put(entry(2), 2),
        "section table[2]: types are not in ascending order"
    );
    let follows = "does not follow its predecessor, aligned to 8 bytes";
    for i in 0..10 {
        let off = get(entry(i) + 8);
        assert_eq!(
            put(entry(i) + 8, off + 8),
            format!("section table[{i}]: {follows}")
        );
        assert_eq!(
            put(entry(i) + 8, off - 8),
            format!("section table[{i}]: {follows}")
        );
        assert_eq!(
            put(entry(i) + 8, off + 1),
            format!("section table[{i}]: {follows}")
        );
    }
    let strings_len = get(entry(0) + 12);
    assert_ne!(strings_len % 8, 0, "the strings leave padding");
    let mut bytes = good.clone();
    bytes[(get(entry(0) + 8) + strings_len) as usize] = 1;
    assert_eq!(
        fault(&bytes),
        "section table[0]: padding is missing or not zero".replace("[0]", "[1]")
    );
    let mut bytes = good.clone();
    bytes.push(0);
    let len = bytes.len() as u32;
    bytes[8..12].copy_from_slice(&len.to_ne_bytes());
    assert_eq!(fault(&bytes), "header.size: bytes follow the last section");
}

fn fault(bytes: &[u8]) -> String {
    match parse(bytes) {
        Ok(_) => "well-formed".into(),
        Err(fault) => fault.to_string(),
    }
}

/// A mode's classes; all and none within where the signer has not said or has forbidden it.
#[test]
fn annotation_by_mode() {
    let said = |records: &[Lockdown]| {
        let mut b = Builder::new();
        if !records.is_empty() {
            b.records(Kind::Lockdown, records);
        }
        let bytes = b.build();
        let layout = parse(&bytes).map_err(|f| f.to_string()).unwrap().layout();
        [Lockdown::INTEGRITY, Lockdown::CONFIDENTIALITY].map(|m| layout.annotation(&bytes, m))
    };
    let forbid = Lockdown {
        flags: Lockdown::FORBID,
        ..lockdown(Lockdown::CONFIDENTIALITY, 0)
    };
    assert_eq!(said(&[]), [None, None]);
    assert_eq!(said(&[lockdown(1, 0)]), [Some(Some(0)), None]);
    assert_eq!(said(&[forbid]), [None, Some(None)]);
    assert_eq!(
        said(&[lockdown(1, 4), lockdown(2, 0x21)]),
        [Some(Some(4)), Some(Some(0x21))]
    );
}

#[test]
fn excess_is_told_from_malformation() {
    let mut b = full();
    b.raw(Kind::Btf as u32, 32, vec![0; 64]);
    assert_eq!(parse(&b.build()).err().unwrap().class(), Class::TooLarge);
    b.raw(Kind::Btf as u32, 32, vec![0; 33]);
    assert_eq!(parse(&b.build()).err().unwrap().class(), Class::Malformed);
    // The longest name that there may be, and one byte more.
    for excess in [0, 1] {
        let mut b = full();
        let name = b.string(&"n".repeat(MAX_NAME - 1 + excess));
        b.records(Kind::Events, &[event(Event::KPROBE, name, 0)]);
        let class = parse(&b.build()).err().map(|fault| fault.class());
        assert_eq!(class, (excess == 1).then_some(Class::TooLarge));
    }
    let huge = vec![0xff; MAX_SIZE + 1];
    assert_eq!(parse(&huge).err().unwrap().class(), Class::TooLarge);
}

#[test]
fn every_truncation_is_refused() {
    let good = full().build();
    for len in 0..good.len() {
        assert!(parse(&good[..len]).is_err(), "{len} bytes");
        // The same with a size that claims to be right
        if len >= 12 {
            let mut bytes = good[..len].to_vec();
            bytes[8..12].copy_from_slice(&(len as u32).to_ne_bytes());
            assert!(parse(&bytes).is_err(), "{len} bytes, resized");
        }
    }
}

/// Whatever the parser accepts can be read and rewritten; whatever the bytes, nothing panics.
#[test]
fn any_byte_may_be_anything() {
    let good = full().build();
    let mut accepted = 0;
    for at in 0..good.len() {
        for value in [
            0,
            1,
            0x7f,
            0x80,
            0xff,
            good[at] ^ 1,
            good[at].wrapping_add(8),
        ] {
            let mut bytes = good.clone();
            bytes[at] = value;
            accepted += usize::from(exercise(&mut bytes));
        }
    }
    assert!(accepted > 0, "names and digests are free");
}

/// Pairs of records at random; the seed is fixed, so a failure repeats.
#[test]
fn any_two_words_may_be_anything() {
    let good = full().build();
    let mut state = 0x9e37_79b9_7f4a_7c15u64;
    let mut next = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    for _ in 0..200_000 {
        let mut bytes = good.clone();
        for _ in 0..2 {
            let at = (next() as usize % (bytes.len() / 4)) * 4;
            let value = match next() % 4 {
                0 => next() as u32 % 16,
                1 => next() as u32 % good.len() as u32,
                2 => u32::MAX - next() as u32 % 16,
                _ => next() as u32,
            };
            bytes[at..at + 4].copy_from_slice(&value.to_ne_bytes());
        }
        exercise(&mut bytes);
    }
}

/// Does with an image what the kernel does with it. Tells whether it was accepted.
fn exercise(bytes: &mut [u8]) -> bool {
    let Ok(layout) = parse(bytes).map(|image| image.layout()) else {
        return false;
    };
    for slot in layout.records::<MapSlot>(bytes, Kind::Maps).iter() {
        layout.string(bytes, slot.name).expect("checked");
    }
    let ksyms: Vec<Ksym> = layout.records(bytes, Kind::Ksyms).iter().collect();
    let insns = layout.span(Kind::Insns).of_mut(bytes);
    image::bind_slots(insns, |slot| (slot % 2 == 0).then_some(0)).expect("checked");
    for ksym in &ksyms {
        image::resolve(insns, ksym, Resolved::Null).expect("checked");
    }
    true
}

fn insns(bytes: &[u8]) -> Vec<Insn> {
    bytes
        .chunks(8)
        .map(|c| Insn::read_from_bytes(c).unwrap())
        .collect()
}

#[test]
fn slots_become_indices() {
    let program = [
        ld_imm64(Insn::PSEUDO_MAP_IDX, 0),
        UPPER,
        ld_imm64(Insn::PSEUDO_MAP_IDX_VALUE, 2),
        Insn::new(0, 0, 0, 0, 12),
        ld_imm64(Insn::PSEUDO_MAP_IDX, 1),
        UPPER,
        // Not a reference, though its bytes look like one
        ld_imm64(0, 2),
        Insn::new(Insn::LD_IMM64, 1, Insn::PSEUDO_MAP_IDX, 0, 2),
        EXIT,
    ];
    let mut bytes = program.as_bytes().to_vec();
    image::bind_slots(&mut bytes, |slot| [Some(0), None, Some(1)][slot as usize]).unwrap();
    let poison = Insn::new(Insn::CALL, 0, 0, 0, 2_001_000_001);
    let mut want = program;
    want[2] = ld_imm64(Insn::PSEUDO_MAP_IDX_VALUE, 1);
    (want[4], want[5]) = (poison, poison);
    assert_eq!(insns(&bytes), want);
}

#[test]
fn names_become_ids_and_addresses() {
    let ksym = |insn, kind| Ksym {
        insn,
        kind,
        name: 1,
        type_id: 0,
        flags: 0,
        reserved: 0,
    };
    let call = Insn::new(Insn::CALL, 0, Insn::PSEUDO_KFUNC_CALL, 0, 0);
    let typed = ld_imm64(Insn::PSEUDO_BTF_ID, 0);
    let cases = [
        (
            Ksym::KFUNC,
            call,
            Resolved::BtfId { id: 77, module: 0 },
            (2, 0, 77, 0),
        ),
        (
            Ksym::KFUNC,
            call,
            Resolved::BtfId { id: 77, module: 3 },
            (2, 3, 77, 0),
        ),
        (Ksym::KFUNC, call, Resolved::Null, (2, 0, 0, 0)),
        (
            Ksym::TYPED,
            typed,
            Resolved::BtfId { id: 5, module: 2 },
            (3, 0, 5, 2),
        ),
        (Ksym::TYPED, typed, Resolved::Null, (0, 0, 0, 0)),
        (
            Ksym::UNTYPED,
            ld_imm64(0, 0),
            Resolved::Address(0xffff_ffff_8123_4567),
            (0, 0, 0x8123_4567u32 as i32, -1),
        ),
        (Ksym::UNTYPED, ld_imm64(0, 0), Resolved::Null, (0, 0, 0, 0)),
    ];
    for (kind, first, found, (src, off, imm, upper)) in cases {
        let mut bytes = [MOV_R0_0, first, UPPER].as_bytes().to_vec();
        image::resolve(&mut bytes, &ksym(1, kind), found).unwrap();
        let after = insns(&bytes);
        assert_eq!(after[0], MOV_R0_0);
        assert_eq!(
            (after[1].src(), after[1].off, after[1].imm),
            (src, off, imm),
            "{found:?}"
        );
        assert_eq!(after[1].dst(), first.dst());
        assert_eq!(after[2].imm, upper, "{found:?}");
    }
}
