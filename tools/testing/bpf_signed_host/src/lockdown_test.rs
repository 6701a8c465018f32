// SPDX-License-Identifier: GPL-2.0

//! Lockdown's policy, and its tables.

use crate::lockdown::{
    fields,
    formats,
    helpers::{
        self,
        Rule, //
    },
    kfuncs,
    policy::*,
    tracepoints,
    types, //
};

/// What lockdown withholds from everybody is not to be had.
const ALMOST_ALL: Class = Class::ALL.without(Class::USER_WRITE);

const CEILING: Class = Class::USER_READ.union(Class::FIELDS);

fn signed(asks: Option<Class>) -> Program {
    Program {
        signer: Signer::System,
        type_listed: false,
        loader: false,
        asks,
    }
}

fn unsigned(signer: Signer, type_listed: bool) -> Program {
    Program {
        signer,
        type_listed,
        loader: false,
        asks: Some(Class::NAMED),
    }
}

#[test]
fn without_lockdown_everything_is_as_before() {
    for choice in Choice::ALL {
        for signer in [
            Signer::None,
            Signer::OfInstructions,
            Signer::User,
            Signer::System,
        ] {
            for asks in [None, Some(Class::PLAIN), Some(Class::NAMED)] {
                let prog = Program {
                    signer,
                    type_listed: false,
                    loader: false,
                    asks,
                };
                let grant = judge(Mode::None, choice, Class::PLAIN, &prog).unwrap();
                assert_eq!((grant.granted, grant.silent), (Class::ALL, Class::ALL));
                assert_eq!((grant.record, grant.fenced), (None, false));
            }
        }
    }
}

#[test]
fn integrity_leaves_signed_programs_alone() {
    for choice in Choice::ALL {
        let judge = |asks| judge(Mode::Integrity, choice, Class::PLAIN, &signed(asks));
        // What no table names, too.
        assert_eq!(judge(Some(Class::NAMED)).unwrap().granted, ALMOST_ALL);
        assert_eq!(judge(Some(Class::PLAIN)).unwrap().granted, Class::PLAIN);
        let read = judge(Some(Class::KERNEL_READ)).unwrap().granted;
        assert!(read.has(Class::KERNEL_ADDRESS) && read.has(Class::FIELDS));
        assert!(!read.has(Class::UNLISTED) && !read.has(Class::CONTROL));
        assert_eq!(judge(None), Err(Refusal::Annotation));
    }
}

#[test]
fn confidentiality_grants_what_both_want() {
    let judge = |ceiling, asks| {
        judge(
            Mode::Confidentiality,
            Choice::Restricted,
            ceiling,
            &signed(asks),
        )
        .map(|grant| grant.granted)
    };
    assert_eq!(judge(CEILING, Some(Class::PLAIN)), Ok(Class::PLAIN));
    assert_eq!(judge(CEILING, Some(Class::NAMED)), Ok(CEILING));
    assert_eq!(judge(CEILING, Some(Class::KERNEL_READ)), Ok(Class::PLAIN));
    assert_eq!(judge(Class::PLAIN, Some(Class::NAMED)), Ok(Class::PLAIN));
    assert_eq!(judge(CEILING, None), Err(Refusal::Annotation));
    // Nobody gets what no table names.
    assert!(!judge(Class::NAMED, Some(Class::ALL))
        .unwrap()
        .has(Class::UNLISTED));
}

/// Of programs that restricted mode would let in, and that are now held to no rule for pointers.
#[test]
fn audit_has_a_rehearsal() {
    for mode in [Mode::None, Mode::Integrity, Mode::Confidentiality] {
        for choice in Choice::ALL {
            for listed in [true, false] {
                let rehearses = |prog: Program| {
                    judge(mode, choice, CEILING, &prog).is_ok_and(|grant| grant.rehearse)
                };
                assert_eq!(
                    rehearses(unsigned(Signer::None, listed)),
                    listed && (mode, choice) == (Mode::Integrity, Choice::Audit),
                    "{mode:?} {choice:?}"
                );
                assert!(!rehearses(signed(Some(Class::NAMED))));
            }
        }
    }
}

#[test]
fn who_is_fenced_needs_maps_that_are() {
    let prog = unsigned(Signer::None, true);
    for mode in [Mode::None, Mode::Integrity, Mode::Confidentiality] {
        for choice in Choice::ALL {
            let fenced = judge(mode, choice, CEILING, &prog).is_ok_and(|grant| grant.fenced);
            assert_eq!(fences(mode, choice), fenced, "{mode:?} {choice:?}");
        }
    }
}

#[test]
fn loaders_need_the_ceiling() {
    let loader = Program {
        loader: true,
        ..signed(Some(Class::PLAIN))
    };
    let judge = |ceiling| {
        judge(Mode::Confidentiality, Choice::Restricted, ceiling, &loader)
            .unwrap()
            .granted
    };
    assert_eq!(judge(CEILING), Class::PLAIN);
    let granted = judge(Class::LOADER);
    assert!(granted.has(
        Class::LOADER
            .union(Class::KERNEL_READ)
            .union(Class::USER_READ)
    ));
    assert!(!granted.has(Class::CONTROL) && !granted.has(Class::USER_WRITE));
}

#[test]
fn unsigned_programs_by_choice() {
    for mode in [Mode::Integrity, Mode::Confidentiality] {
        for signer in [Signer::None, Signer::OfInstructions, Signer::User] {
            for listed in [false, true] {
                let prog = unsigned(signer, listed);
                let judge = |choice| judge(mode, choice, Class::NAMED, &prog);

                assert_eq!(
                    judge(Choice::Signed),
                    Err(match signer {
                        Signer::OfInstructions => Refusal::OfInstructions,
                        Signer::User => Refusal::UserKey,
                        _ => Refusal::Unsigned,
                    })
                );
                match judge(Choice::Restricted) {
                    Err(refusal) => assert_eq!((refusal, listed), (Refusal::Type, false)),
                    Ok(grant) => {
                        assert_eq!((grant.granted, grant.silent), (Class::PLAIN, Class::PLAIN));
                        assert!(listed && grant.fenced);
                    }
                }
                let audit = judge(Choice::Audit).unwrap();
                assert_eq!(audit.record.is_some(), !listed);
                assert_eq!(audit.silent, Class::PLAIN);
                // Kernel memory is not for them under confidentiality, whatever was chosen.
                for class in [
                    Class::KERNEL_READ,
                    Class::KERNEL_ADDRESS,
                    Class::FIELDS,
                    Class::LOADER,
                    Class::UNLISTED,
                ] {
                    assert_eq!(audit.granted.has(class), mode == Mode::Integrity);
                }
            }
        }
    }
}

#[test]
fn what_is_withheld_is_told() {
    let words = |trusted, asks, missing| withheld(trusted, asks, missing).to_str().unwrap();
    let read = Class::KERNEL_READ;
    assert!(words(false, Class::NAMED, read).contains("bpftool sign file"));
    assert!(words(true, Class::PLAIN, read).contains("--lockdown"));
    assert!(words(true, read, read).contains("bpf_lockdown_ceiling="));
    assert!(words(true, Class::NAMED, Class::USER_WRITE).contains("everybody"));
    assert!(words(true, Class::NAMED, Class::UNLISTED).contains("no table"));
}

#[test]
fn words_of_choices_and_classes() {
    for choice in Choice::ALL {
        assert_eq!(Choice::from_word(choice.name().to_bytes()), Some(choice));
        assert_eq!(Choice::from_raw(choice as i32), choice);
    }
    assert!(Choice::ALL.is_sorted());
    for word in ["", "none", "Signed", "signed ", "off"] {
        assert_eq!(Choice::from_word(word.as_bytes()), None, "{word}");
    }
    assert_eq!(Choice::from_raw(77), Choice::Signed);

    for (name, class) in Class::NAMES {
        assert_eq!(Class::from_words(name.to_bytes()), (class, true));
        assert_eq!(class.name(), name);
        assert!(Class::NAMED.has(class));
    }
    assert_eq!(Class::from_words(b"user-read,fields"), (CEILING, true));
    assert_eq!(Class::from_words(b""), (Class::PLAIN, true));
    assert_eq!(Class::from_words(b"none"), (Class::PLAIN, true));
    assert_eq!(Class::from_words(b"fields,kernel"), (Class::FIELDS, false));
}

#[test]
fn formats_show_what_they_print() {
    for (format, class) in [
        ("", Class::PLAIN),
        ("pid %d of %5u: %llx %%s", Class::PLAIN),
        ("%-10lld%c%#x%08lx", Class::PLAIN),
        ("%s", Class::KERNEL_READ),
        ("%.16s", Class::KERNEL_READ),
        ("%pks", Class::KERNEL_READ),
        ("%pus", Class::USER_READ),
        ("%pI4", Class::KERNEL_READ),
        ("%pi6", Class::KERNEL_READ),
        ("%p", Class::KERNEL_ADDRESS),
        ("%px", Class::KERNEL_ADDRESS),
        ("%pS", Class::KERNEL_ADDRESS),
        ("%d %pB", Class::KERNEL_ADDRESS),
        ("%pus %px", Class::USER_READ.union(Class::KERNEL_ADDRESS)),
        ("%", Class::KERNEL_READ),
        ("100%", Class::KERNEL_READ),
        ("%n", Class::KERNEL_READ),
        ("%%%s", Class::KERNEL_READ),
        ("%%s", Class::PLAIN),
    ] {
        assert_eq!(formats::class_of(format.as_bytes()), class, "{format}");
    }
}

/// Helpers that gave lockdown its rule about reading kernel memory, and those that programs of
/// every kind need.
#[test]
fn helpers_have_a_class() {
    let rule = |name| {
        helpers::HELPERS
            .iter()
            .find(|helper| helper.name == name)
            .unwrap_or_else(|| panic!("no helper {name}"))
            .rule
    };
    for name in [
        "probe_read",
        "probe_read_str",
        "probe_read_kernel",
        "probe_read_kernel_str",
    ] {
        assert_eq!(rule(name), Rule::Needs(Class::KERNEL_READ), "{name}");
    }
    assert_eq!(rule("probe_read_user"), Rule::Needs(Class::USER_READ));
    assert_eq!(rule("probe_write_user"), Rule::Needs(Class::USER_WRITE));
    assert_eq!(rule("send_signal"), Rule::Needs(Class::CONTROL));
    for name in [
        "map_lookup_elem",
        "ktime_get_ns",
        "skb_load_bytes",
        "ringbuf_output",
    ] {
        assert_eq!(rule(name), Rule::Needs(Class::PLAIN), "{name}");
    }
    assert_eq!(rule("unspec"), Rule::Refused);
}

#[test]
fn kfuncs_are_found() {
    for kfunc in &kfuncs::KFUNCS {
        let found = kfuncs::find(kfunc.name.as_bytes()).unwrap();
        assert_eq!(found.name, kfunc.name);
    }
    assert!(kfuncs::find(b"bpf_kfunc_call_test1").is_none());
    assert!(kfuncs::find(b"").is_none());
    let packet = kfuncs::find(b"bpf_dynptr_from_skb").unwrap();
    assert_eq!(packet.rule, Rule::Packet);
    let cast = kfuncs::find(b"bpf_rdonly_cast").unwrap();
    assert_eq!(cast.rule, Rule::Needs(Class::KERNEL_READ));
}

#[test]
fn fields_and_tracepoints_are_found() {
    for (strct, member) in &fields::FIELDS {
        assert!(fields::is_listed(strct.as_bytes(), member.as_bytes()));
    }
    for (strct, member) in [
        ("task_struct", "stack"),
        ("task_struct", "stack_canary"),
        ("task_struct", ""),
        ("", "pid"),
        ("pt_regs", "ip"),
    ] {
        assert!(!fields::is_listed(strct.as_bytes(), member.as_bytes()));
    }
    assert!(tracepoints::is_listed(b"sched/sched_switch"));
    assert!(!tracepoints::is_listed(b"skb/kfree_skb"));
    assert!(!tracepoints::is_listed(b"*"));
    assert!(tracepoints::is_of_user(b"syscalls/sys_enter_openat"));
    assert!(tracepoints::is_of_user(b"syscalls/*"));
    assert!(!tracepoints::is_of_user(b"sys*"));
    assert!(!tracepoints::is_of_user(b"sched/sched_switch"));
}

#[test]
fn tracing_types_are_not_listed() {
    // kprobe, tracepoint, perf_event, raw_tracepoint, its writable kind, tracing, struct_ops,
    // ext, lsm, syscall
    for prog_type in [2, 5, 7, 17, 24, 26, 27, 28, 29, 31, 0, 33, u32::MAX] {
        assert!(!types::is_listed(prog_type), "{prog_type}");
        assert_eq!(types::has_packet(prog_type), prog_type == types::STRUCT_OPS);
    }
    for prog_type in [types::SOCKET_FILTER, types::CGROUP_DEVICE, types::SCHED_CLS] {
        assert!(types::is_listed(prog_type), "{prog_type}");
        assert!(types::has_packet(prog_type), "{prog_type}");
    }
}

/// What the policy says of every mode, choice, type, annotation and class: a line for each of the
/// first four, and in it a letter for each class (loads, recorded, refused).
fn verdicts() -> String {
    use std::fmt::Write;

    // In the order of programs in selftests/bpf_signed/user/verdicts.bpf.c.
    let classes = [
        Class::PLAIN,
        Class::USER_READ,
        Class::USER_WRITE,
        Class::CONTROL,
        Class::KERNEL_READ,
        Class::KERNEL_ADDRESS,
        Class::FIELDS,
        Class::LOADER,
        Class::UNLISTED,
    ];
    let letters = |mode, choice, prog: &Program| -> String {
        let grant = judge(mode, choice, CEILING, prog);
        let letter = |&class: &Class| match &grant {
            Ok(grant) if !grant.granted.has(class) => 'x',
            Ok(grant) if grant.record.is_some() || !grant.silent.has(class) => 'r',
            Ok(_) => 'l',
            Err(_) => 'x',
        };
        classes.iter().map(letter).collect()
    };
    let annotations = core::iter::once(("forbid".to_string(), None)).chain(
        (0..=Class::NAMED.bits()).map(Class::from_bits).map(|asks| {
            let words: Vec<_> = Class::NAMES
                .iter()
                .filter(|(_, class)| asks.has(*class))
                .map(|(name, _)| name.to_str().unwrap())
                .collect();
            let words = if words.is_empty() {
                "none".to_string()
            } else {
                words.join(",")
            };
            (words, Some(asks))
        }),
    );

    let mut out = String::from(concat!("# SPDX", "-License", "-Identifier: GPL-2.0\n"));
    for mode in [Mode::Integrity, Mode::Confidentiality] {
        for choice in Choice::ALL {
            for listed in [true, false] {
                let found = letters(mode, choice, &unsigned(Signer::None, listed));
                for signer in [Signer::OfInstructions, Signer::User] {
                    assert_eq!(found, letters(mode, choice, &unsigned(signer, listed)));
                }
                let (mode, choice) = (mode.name().to_str(), choice.name().to_str());
                let listed = if listed { "listed" } else { "unlisted" };
                writeln!(
                    out,
                    "{} {} {listed} {found}",
                    mode.unwrap(),
                    choice.unwrap()
                )
                .unwrap();
            }
        }
        for (words, asks) in annotations.clone() {
            let found = letters(mode, Choice::Restricted, &signed(asks));
            // A signature of the system's counts for the same, whatever the others get.
            for choice in Choice::ALL {
                assert_eq!(found, letters(mode, choice, &signed(asks)));
            }
            writeln!(
                out,
                "{} system {words} {found}",
                mode.name().to_str().unwrap()
            )
            .unwrap();
        }
    }
    out
}

/// `bpftool sign check` is compared with the same file by selftests/bpf_signed/user/sign.sh. With
/// `VERDICTS` in the environment it is written to the file of that name.
#[test]
fn bpftool_is_told_the_policy() {
    let found = verdicts();
    if let Ok(path) = std::env::var("VERDICTS") {
        std::fs::write(path, &found).unwrap();
    }
    let file = include_str!("../../selftests/bpf_signed/user/lockdown.verdicts");
    for (found, line) in found.lines().zip(file.lines()) {
        assert_eq!(
            found, line,
            "lockdown.verdicts; make it anew with VERDICTS=FILE"
        );
    }
    assert_eq!(found.lines().count(), file.lines().count());
}
