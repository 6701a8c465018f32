// SPDX-License-Identifier: GPL-2.0

//! Compares types as wholes: loosely for relocations of existence, size and id, strictly for
//! TYPE_MATCHES.
//!
//! Both follow pointers, arrays and functions down, and so recurse by nature. Here they keep
//! their own stack, in the caller's workspace, and count their steps: types may be cyclic and may
//! fan out at each of the levels.

use super::btf::{Kind, Type, Types};
use super::candidates::essential_name;
use super::matching::Sides;
use super::{Budget, Error, STEPS_PER_PAIR};

/// Deepest nesting of functions, structs and unions that can be asked for: as in libbpf.
pub(crate) const MAX_LEVEL: usize = 32;

/// Longest way from one level to the next through pointers, arrays and return types.
const MAX_DEPTH: u32 = 32;

/// Two types that are being compared part by part.
#[derive(Clone, Copy)]
struct Frame {
    local: u32,
    target: u32,
    /// Number of the local member, or of the parameter on both sides.
    i: u32,
    /// Number of the target's member.
    j: u32,
    /// Steps still allowed on this level.
    depth: u32,
    behind_ptr: bool,
}

/// Memory for comparisons.
///
/// # Invariants
///
/// All bits zero are a valid value, see [`super::Workspace`].
pub(crate) struct Stack {
    frames: [Frame; MAX_LEVEL],
    len: usize,
}

impl Stack {
    #[allow(dead_code)] // The kernel takes zeroed memory.
    pub(crate) const fn new() -> Self {
        const NONE: Frame = Frame {
            local: 0,
            target: 0,
            i: 0,
            j: 0,
            depth: 0,
            behind_ptr: false,
        };
        Self {
            frames: [NONE; MAX_LEVEL],
            len: 0,
        }
    }

    /// Whether there may be one more level.
    fn check(&self, budget: &Budget) -> Result<(), Error> {
        if self.len >= budget.levels {
            return Err(Error::TypesTooDeep);
        }
        Ok(())
    }

    fn push(&mut self, frame: Frame) -> Result<(), Error> {
        *self.frames.get_mut(self.len).ok_or(Error::TypesTooDeep)? = frame;
        self.len = self.len.saturating_add(1);
        Ok(())
    }

    fn pop(&mut self) -> Option<Frame> {
        self.len = self.len.checked_sub(1)?;
        self.frames.get(self.len).copied()
    }
}

/// What to compare next.
#[derive(Clone, Copy)]
struct Pair {
    local: u32,
    target: u32,
    depth: u32,
    behind_ptr: bool,
}

impl Pair {
    /// Two types one level further in.
    fn nested(local: u32, target: u32, behind_ptr: bool) -> Self {
        Self {
            local,
            target,
            depth: MAX_DEPTH,
            behind_ptr,
        }
    }

    /// Skips modifiers and typedefs on both sides.
    fn resolve<'a>(
        &mut self,
        sides: Sides<'a>,
        budget: &mut Budget,
    ) -> Result<(Type<'a>, Type<'a>), Error> {
        budget.steps(STEPS_PER_PAIR)?;
        self.depth = self.depth.checked_sub(1).ok_or(Error::TypesTooDeep)?;
        let (local, target);
        (self.local, local) = sides
            .local
            .skip_modifiers(self.local)
            .ok_or(Error::BadType)?;
        (self.target, target) = sides
            .target
            .skip_modifiers(self.target)
            .ok_or(Error::BadType)?;
        Ok((local, target))
    }

    /// Goes to the types that two pointers point to, or two functions return.
    fn follow(&mut self, local: &Type<'_>, target: &Type<'_>) -> Result<(), Error> {
        self.local = local.type_id().ok_or(Error::BadType)?;
        self.target = target.type_id().ok_or(Error::BadType)?;
        Ok(())
    }

    /// Goes to the elements of two arrays.
    fn follow_array(&mut self, local: &Type<'_>, target: &Type<'_>) -> Result<(), Error> {
        self.local = local.array().ok_or(Error::BadType)?.type_id;
        self.target = target.array().ok_or(Error::BadType)?.type_id;
        Ok(())
    }

    /// Begins to compare the parts.
    fn frame(&self) -> Frame {
        Frame {
            local: self.local,
            target: self.target,
            i: 0,
            j: 0,
            depth: self.depth,
            behind_ptr: self.behind_ptr,
        }
    }
}

/// Whether both integers are plain ones, not bitfields of the deprecated encoding.
pub(crate) fn are_plain_ints(local: &Type<'_>, target: &Type<'_>) -> bool {
    let is_plain = |t: &Type<'_>| t.int().is_some_and(|i| i.bit_offset == 0);
    is_plain(local) && is_plain(target)
}

/// Where a comparison stands.
enum Step {
    /// The two are as the value says.
    Is(bool),
    /// It depends on these.
    Next(Pair),
}

/// The next parameter of two functions, or, behind the last one, what they return.
fn next_of_function(sides: Sides<'_>, stack: &mut Stack) -> Result<Pair, Error> {
    let frame = stack.pop().ok_or(Error::BadType)?;
    let local = sides.local.by_id(frame.local).ok_or(Error::BadType)?;
    let target = sides.target.by_id(frame.target).ok_or(Error::BadType)?;
    match local.param(frame.i).zip(target.param(frame.i)) {
        Some((l, t)) => {
            stack.push(Frame {
                i: frame.i.saturating_add(1),
                ..frame
            })?;
            Ok(Pair::nested(l, t, frame.behind_ptr))
        }
        None => {
            let mut pair = Pair {
                local: 0,
                target: 0,
                depth: frame.depth,
                behind_ptr: frame.behind_ptr,
            };
            pair.follow(&local, &target)?;
            Ok(pair)
        }
    }
}

/// Whether type `target` will do for `local` where only existence, size or id are asked:
///
/// - the kinds are the same, before and after modifiers; the width of enums does not count;
/// - what pointers point to, elements of arrays, parameters and results will do for each other;
/// - sizes, names and members are of no account, except that integers have to be plain.
///
/// The caller has compared the names.
pub(crate) fn types_are_compat(
    sides: Sides<'_>,
    local: u32,
    target: u32,
    stack: &mut Stack,
    budget: &mut Budget,
) -> Result<bool, Error> {
    let local_kind = sides.local.by_id(local).ok_or(Error::BadType)?.kind();
    let target_kind = sides.target.by_id(target).ok_or(Error::BadType)?.kind();
    if !local_kind.is_core_compat(target_kind) {
        return Ok(false);
    }

    stack.len = 0;
    let mut pair = Pair::nested(local, target, false);
    loop {
        // One part that will not do is enough for the whole.
        if !is_compat_so_far(sides, &mut pair, stack, budget)? {
            return Ok(false);
        }
        if stack.len == 0 {
            return Ok(true);
        }
        pair = next_of_function(sides, stack)?;
    }
}

/// Compares down to a type without parts, or to two functions, which are put on the stack.
fn is_compat_so_far(
    sides: Sides<'_>,
    pair: &mut Pair,
    stack: &mut Stack,
    budget: &mut Budget,
) -> Result<bool, Error> {
    loop {
        let (local, target) = pair.resolve(sides, budget)?;
        if !local.kind().is_core_compat(target.kind()) {
            return Ok(false);
        }
        match local.kind() {
            Kind::Unknown | Kind::Struct | Kind::Union | Kind::Enum | Kind::Enum64 | Kind::Fwd => {
                return Ok(true)
            }
            Kind::Int => return Ok(are_plain_ints(&local, &target)),
            Kind::Ptr => pair.follow(&local, &target)?,
            Kind::Array => pair.follow_array(&local, &target)?,
            Kind::FuncProto => {
                if local.vlen() != target.vlen() {
                    return Ok(false);
                }
                if local.vlen() > 0 {
                    stack.check(budget)?;
                    stack.push(pair.frame())?;
                    return Ok(true);
                }
                pair.follow(&local, &target)?;
            }
            _ => return Ok(false),
        }
    }
}

/// Whether `target` matches `local`:
///
/// - kinds and essential names are the same, after modifiers and typedefs; behind a pointer a
///   forward declaration matches a struct or union, and enums match whatever their width;
/// - integers have the same size and sign, arrays the same number of elements;
/// - each member of a local struct or union has one of the same name that matches, and each local
///   enumerator one of the same name; behind a pointer members do not count;
/// - what pointers point to, elements, parameters and results match.
pub(crate) fn types_match(
    sides: Sides<'_>,
    local: u32,
    target: u32,
    stack: &mut Stack,
    budget: &mut Budget,
) -> Result<bool, Error> {
    stack.len = 0;
    let mut pair = Pair::nested(local, target, false);
    loop {
        // As in C, what has no parts counts as a level, too.
        stack.check(budget)?;
        let mut step = match_down(sides, pair, stack, budget)?;
        // Hands results to what they are part of, until there is something else to compare.
        pair = loop {
            match step {
                Step::Next(pair) => break pair,
                Step::Is(matches) if stack.len == 0 => return Ok(matches),
                Step::Is(matches) => step = match_up(sides, matches, stack, budget)?,
            }
        };
    }
}

/// Compares down to a type without parts, or to the first part, its whole on the stack.
fn match_down(
    sides: Sides<'_>,
    mut pair: Pair,
    stack: &mut Stack,
    budget: &mut Budget,
) -> Result<Step, Error> {
    loop {
        let (local, target) = pair.resolve(sides, budget)?;
        let name = essential(sides.local, local.name_off(), budget)?;
        if !has_essential(sides.target, target.name_off(), name) {
            return Ok(Step::Is(false));
        }

        let same_kind = local.kind() == target.kind();
        match local.kind() {
            Kind::Fwd if pair.behind_ptr && !same_kind => {
                let is_union = local.kflag();
                let expected = if is_union { Kind::Union } else { Kind::Struct };
                return Ok(Step::Is(target.kind() == expected));
            }
            Kind::Struct | Kind::Union if pair.behind_ptr && !same_kind => {
                let is_union = local.kind() == Kind::Union;
                let is_fwd = target.kind() == Kind::Fwd;
                return Ok(Step::Is(is_fwd && target.kflag() == is_union));
            }
            Kind::Enum | Kind::Enum64 => {
                let matches =
                    target.kind().is_any_enum() && enums_match(sides, &local, &target, budget)?;
                return Ok(Step::Is(matches));
            }
            _ if !same_kind => return Ok(Step::Is(false)),
            Kind::Unknown => return Ok(Step::Is(true)),
            Kind::Fwd => return Ok(Step::Is(local.kflag() == target.kflag())),
            Kind::Struct | Kind::Union if pair.behind_ptr => return Ok(Step::Is(true)),
            Kind::Struct | Kind::Union => {
                if local.vlen() > target.vlen() {
                    return Ok(Step::Is(false));
                }
                stack.push(pair.frame())?;
                return next_member(sides, &local, &target, stack, budget);
            }
            Kind::Int => {
                let (l, t) = local.int().zip(target.int()).ok_or(Error::BadType)?;
                return Ok(Step::Is(
                    local.size() == target.size() && l.is_signed() == t.is_signed(),
                ));
            }
            Kind::Ptr => {
                pair.behind_ptr = true;
                pair.follow(&local, &target)?;
            }
            Kind::Array => {
                let nelems = |t: &Type<'_>| t.array().map(|a| a.nelems);
                if nelems(&local) != nelems(&target) {
                    return Ok(Step::Is(false));
                }
                pair.follow_array(&local, &target)?;
            }
            Kind::FuncProto => {
                if local.vlen() != target.vlen() {
                    return Ok(Step::Is(false));
                }
                if local.vlen() > 0 {
                    stack.push(pair.frame())?;
                    return Ok(Step::Next(next_of_function(sides, stack)?));
                }
                pair.follow(&local, &target)?;
            }
            _ => return Ok(Step::Is(false)),
        }
    }
}

/// Goes on with the whole on top of the stack, a part of which matches, or does not.
fn match_up(
    sides: Sides<'_>,
    matches: bool,
    stack: &mut Stack,
    budget: &mut Budget,
) -> Result<Step, Error> {
    let mut frame = stack.pop().ok_or(Error::BadType)?;
    let local = sides.local.by_id(frame.local).ok_or(Error::BadType)?;
    if !local.kind().is_composite() {
        if !matches {
            return Ok(Step::Is(false));
        }
        stack.push(frame)?;
        return Ok(Step::Next(next_of_function(sides, stack)?));
    }

    let target = sides.target.by_id(frame.target).ok_or(Error::BadType)?;
    if matches {
        frame.i = frame.i.saturating_add(1);
        frame.j = 0;
    } else {
        // There may be another one of that name, an anonymous one say.
        frame.j = frame.j.saturating_add(1);
    }
    stack.push(frame)?;
    next_member(sides, &local, &target, stack, budget)
}

/// Finds the next member of the target that has the name of the local one.
fn next_member(
    sides: Sides<'_>,
    local: &Type<'_>,
    target: &Type<'_>,
    stack: &mut Stack,
    budget: &mut Budget,
) -> Result<Step, Error> {
    let mut frame = stack.pop().ok_or(Error::BadType)?;
    if frame.i >= local.vlen() {
        return Ok(Step::Is(true));
    }
    let wanted = local.member(frame.i).ok_or(Error::BadType)?;
    let name = essential(sides.local, wanted.name_off, budget)?;
    while frame.j < target.vlen() {
        budget.step()?;
        let member = target.member(frame.j).ok_or(Error::BadType)?;
        if has_essential(sides.target, member.name_off, name) {
            stack.push(frame)?;
            return Ok(Step::Next(Pair::nested(
                wanted.type_id,
                member.type_id,
                frame.behind_ptr,
            )));
        }
        frame.j = frame.j.saturating_add(1);
    }
    Ok(Step::Is(false))
}

/// Whether enums have the same size, and each local enumerator one of its name in the target.
fn enums_match(
    sides: Sides<'_>,
    local: &Type<'_>,
    target: &Type<'_>,
    budget: &mut Budget,
) -> Result<bool, Error> {
    if local.size() != target.size() || local.vlen() > target.vlen() {
        return Ok(false);
    }
    for i in 0..local.vlen() {
        let wanted = local.enumerator(i).ok_or(Error::BadType)?;
        let name = essential(sides.local, wanted.name_off, budget)?;
        let mut found = false;
        for j in 0..target.vlen() {
            budget.step()?;
            let e = target.enumerator(j).ok_or(Error::BadType)?;
            if has_essential(sides.target, e.name_off, name) {
                found = true;
                break;
            }
        }
        if !found {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The essential name at `off`, in the program's types.
fn essential<'a>(types: &Types<'a>, off: u32, budget: &mut Budget) -> Result<&'a [u8], Error> {
    let name = types.string(off).ok_or(Error::BadType)?;
    budget.name(name)?;
    Ok(essential_name(name))
}

/// Whether the essential name at `off` is `name`.
pub(crate) fn has_essential(types: &Types<'_>, off: u32, name: &[u8]) -> bool {
    types.is_string_or_flavour(off, name)
        && types
            .string(off)
            .is_some_and(|string| essential_name(string) == name)
}
